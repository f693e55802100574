"""What the site remembers: tries to sign in, mails owed to people, how far they have read, their tokens."""

from django.conf import settings
from django.db import models


class SignInTry(models.Model):
    """A try to sign in. The account is kept as a hash, because people type passwords in the wrong box."""

    account = models.CharField(max_length=64)
    address = models.CharField(max_length=45)
    at = models.DateTimeField()
    succeeded = models.BooleanField(default=False)

    class Meta:
        verbose_name = "try to sign in"
        verbose_name_plural = "tries to sign in"
        indexes = [
            models.Index(fields=["account", "at"], name="sign_in_by_account"),
            models.Index(fields=["address", "at"], name="sign_in_by_address"),
        ]

    def __str__(self):
        return f"{self.address}, {self.at:%Y-%m-%d %H:%M}"


class Why(models.TextChoices):
    """Why somebody gets a mail."""

    BEFORE = "before", "Reports are due"
    LATE = "late", "Reports are late"
    ASKED = "asked", "Reports are asked for"
    LIST = "list", "Who has not reported"
    DECIDED = "decided", "Something was decided"
    ADDRESS = "address", "Another e-mail address"


class Mail(models.Model):
    """That somebody is owed a mail, once: why, and about which meeting or decision.

    It holds nothing that the mail says. Whoever sends it claims it first, so that of two who are at work at
    once only one does; a claim is given back where sending fails. ``address`` is where it goes if that is no
    more the account's own, and is forgotten once it was sent.
    """

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    why = models.CharField(max_length=10, choices=Why)
    about = models.CharField(max_length=80)
    address = models.EmailField(blank=True)
    asked_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "mail"
        constraints = [
            models.UniqueConstraint(fields=["account", "why", "about"], name="bcp_board_mail_once"),
        ]

    def __str__(self):
        return f"{self.get_why_display()}: {self.about}"


class ReadUpTo(models.Model):
    """How far somebody said that they had read: the number of an entry. Nothing of it is in the record."""

    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    sequence = models.PositiveBigIntegerField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = "mark of how far somebody has read"
        verbose_name_plural = "marks of how far people have read"

    def __str__(self):
        return f"{self.account}, {self.sequence}"


class Purpose(models.TextChoices):
    POSITION = "position", "Figures for other programs"
    CALENDAR = "calendar", "Calendar"


class Token(models.Model):
    """What opens one file to whoever holds it, in the name of its ``user``. Only its hash is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=10, choices=Purpose)
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "purpose"], name="one_token_a_person_and_purpose"),
            models.CheckConstraint(
                condition=models.Q(purpose__in=Purpose.values), name="token_purpose_is_known"
            ),
        ]

    def __str__(self):
        return f"{self.get_purpose_display()}, {self.made_at:%Y-%m-%d}"
