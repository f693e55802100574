"""What the board sees: its meetings and the papers frozen for them."""

import hashlib

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.urls import reverse
from simple_history.models import HistoricalRecords

from recommendations.ledger import Anchor
from recommendations.models import LedgerEntry
from visits.dates import end_of
from visits.models import NO_CHILD

PAPERS_BY_THE_MEETING = "The papers must be due on or before the day of the meeting."


class MeetingQuerySet(models.QuerySet):
    def held_by(self, *, as_at):
        """Return the meetings held on or before ``as_at``, the latest first."""
        return self.filter(held_on__lte=as_at).order_by("-held_on")

    def next_after(self, *, as_at):
        """Return the first meeting on or after ``as_at``, or None."""
        return self.filter(held_on__gte=as_at).order_by("held_on").first()


class Meeting(models.Model):
    """A meeting of the improvement board."""

    held_on = models.DateField(unique=True, help_text="The day of the meeting.")
    papers_due_on = models.DateField(
        null=True,
        blank=True,
        help_text="The day the papers go out, usually five working days before.",
    )
    covering_note = models.TextField(
        blank=True, help_text=f"Printed at the head of the status paper. {NO_CHILD}"
    )
    asks = models.TextField(
        "what the board is asked to do",
        blank=True,
        help_text="One thing a line: to decide, to note or to challenge.",
    )
    history = HistoricalRecords()

    objects = MeetingQuerySet.as_manager()

    class Meta:
        ordering = ["held_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(papers_due_on=None) | Q(papers_due_on__lte=F("held_on")),
                name="meetings_meeting_papers_are_due_by_the_meeting",
                violation_error_message=PAPERS_BY_THE_MEETING,
            )
        ]

    def __str__(self):
        return f"Meeting of {self.held_on:%-d %B %Y}"

    def get_absolute_url(self):
        return reverse("meeting", args=[self.held_on])

    def clean(self):
        for name in ("held_on", "papers_due_on"):
            day = getattr(self, name)
            if day and not 2019 <= day.year <= 2099:
                raise ValidationError({name: "Enter a day from 2019 to 2099."})
        # The constraint says so too, but a form in which the day is fixed does not ask it.
        if self.papers_due_on and self.held_on and self.papers_due_on > self.held_on:
            raise ValidationError({"papers_due_on": PAPERS_BY_THE_MEETING})


class PaperQuerySet(models.QuerySet):
    def with_anchor(self):
        """Return the papers without their bytes, each able to say its ``anchor``."""
        entry = LedgerEntry.objects.filter(kind=self.model._meta.label_lower, row=OuterRef("pk"))
        return self.defer("body").annotate(
            sequence=Subquery(entry.values("sequence")), digest_before=Subquery(entry.values("previous"))
        )

    def latest_by(self, day):
        """Return the paper that the board had by the end of ``day``, or None.

        Of all that were published by then it is the newest version of the latest meeting's.
        """
        published = self.filter(published_at__lt=end_of(day))
        return published.select_related("meeting").order_by("-meeting__held_on", "-version").first()


class Paper(models.Model):
    """A status paper as it was published: these bytes, for good."""

    append_only = True

    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="papers")
    version = models.PositiveSmallIntegerField()
    as_at = models.DateField()
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.CharField(
        max_length=500, blank=True, help_text="Why a later version replaced an earlier one."
    )
    body = models.BinaryField()
    sha256 = models.CharField("SHA-256", max_length=64)

    objects = PaperQuerySet.as_manager()

    class Meta:
        ordering = ["meeting", "version"]
        constraints = [
            models.UniqueConstraint(fields=["meeting", "version"], name="meetings_paper_version_is_unique"),
            models.CheckConstraint(
                condition=Q(version=1) | ~Q(reason=""), name="meetings_paper_new_version_has_reason"
            ),
        ]

    def __str__(self):
        return f"{self.meeting}, paper version {self.version}"

    def get_absolute_url(self):
        return f"{reverse('paper', args=[self.meeting.held_on])}?version={self.version}"

    @property
    def anchor(self):
        """Return the Anchor it prints, or None if it has no entry; needs ``with_anchor``."""
        # A paper is the next entry after all that it shows.
        return Anchor(self.sequence - 1, self.digest_before) if self.sequence else None

    def is_intact(self):
        """Return whether the stored bytes still have the hash taken when they were published."""
        return hashlib.sha256(bytes(self.body)).hexdigest() == self.sha256


class Demonstration(models.Model):
    """The mark that this database holds invented rows. It cannot be taken off."""

    append_only = True

    made_at = models.DateTimeField()
    as_at = models.DateField()

    def __str__(self):
        return f"Demonstration made as at {self.as_at:%-d %B %Y}"
