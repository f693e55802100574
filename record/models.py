"""What statements may cite or rest on: documents, meetings, the chain, and a demonstration's mark."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from record.as_at import EARLIEST, LATEST
from record.dates import EdtfField, first_day, last_day
from record.fields import LONGEST_NOTICE, NO_CHILD, NoteField, WithdrawnField, not_blank, one_of
from record.versions import Versions, recorded

PAPERS_BY_THE_MEETING = "The papers must be due on or before the day of the meeting."


class DocumentQuerySet(models.QuerySet):
    def begun(self, at):
        """The documents that may have been published by that day."""
        return self.filter(is_withdrawn=False, published_first__lte=at.day)


class Document(models.Model):
    """A report, letter or article that facts come from."""

    key = models.SlugField(unique=True, help_text="A short name that never changes.")
    title = models.CharField(max_length=200, help_text="In our own words.")
    publisher = models.CharField(max_length=200)
    published = EdtfField(help_text="When it was published, as exactly as is known.")
    published_first = first_day()
    published_last = last_day()
    url = models.URLField("web address", blank=True)
    reference = models.CharField(
        max_length=200, help_text="How to find the document where it has no web address."
    )
    note = NoteField()
    is_withdrawn = WithdrawnField()
    history = Versions()

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering = ["published_first", "key"]
        constraints = [not_blank("published")]

    def __str__(self):
        return self.title


def published_by(at):
    """The keys of the documents that may have been published by that day, as a query for another one."""
    return recorded(Document, at).filter(published_first__lte=at.day).values("id")


class FromDocumentQuerySet(models.QuerySet):
    def begun(self, at):
        """The rows that were on the board that day: those whose document was published."""
        return self.filter(is_withdrawn=False, document__in=published_by(at))


class MeetingState(models.TextChoices):
    PLANNED = "planned", "Planned"
    CANCELLED = "cancelled", "Cancelled"
    HELD = "held", "Held"


class MeetingQuerySet(models.QuerySet):
    def taking_place(self):
        """The meetings that were not cancelled."""
        return self.exclude(state=MeetingState.CANCELLED)

    def held_by(self, day):
        """The meetings that had been held on ``day``, the latest first.

        A meeting was held when the Secretariat says so, on its day at the earliest, or else once its day has
        passed and it was not cancelled.
        """
        held = Q(held_on__lt=day) | Q(held_on=day, state=MeetingState.HELD)
        return self.taking_place().filter(held).order_by("-held_on")

    def begun_by(self, day):
        """The meetings held by ``day`` and the one that is being held on it, the latest first."""
        return self.taking_place().filter(held_on__lte=day).order_by("-held_on")

    def to_come_from(self, day):
        """The meetings that had not been held on ``day``, the next one first."""
        to_come = Q(held_on__gt=day) | Q(held_on=day, state=MeetingState.PLANNED)
        return self.taking_place().filter(to_come).order_by("held_on")

    def cancelled_from(self, day):
        """The meetings that were to be held on ``day`` or later and will not be, the next one first."""
        return self.filter(state=MeetingState.CANCELLED, held_on__gte=day).order_by("held_on")


class Meeting(models.Model):
    """A meeting of the improvement board."""

    held_on = models.DateField("day", unique=True, help_text="The day of the meeting.")
    state = models.CharField(
        max_length=10,
        choices=MeetingState,
        default=MeetingState.PLANNED,
        help_text="A planned meeting counts as held once its day has passed, unless it was cancelled.",
    )
    papers_due_on = models.DateField(
        null=True,
        blank=True,
        help_text="The day the papers go out, usually five working days before.",
    )
    covering_note = models.TextField(
        blank=True, help_text=f"Printed with what the board is asked, after the first sheet. {NO_CHILD}"
    )
    attendance = models.TextField("who was there", blank=True, help_text=f"By role, one a line. {NO_CHILD}")
    apologies = models.TextField(blank=True, help_text=f"By role, one a line. {NO_CHILD}")
    minutes_url = models.URLField("link to the council’s minutes", blank=True)
    # {column: what it holds while nothing was said}: what is said then first corrects nothing.
    filled_in_later = {
        "papers_due_on": None,
        "covering_note": "",
        "attendance": "",
        "apologies": "",
        "minutes_url": "",
        "state": MeetingState.PLANNED,
    }
    history = Versions()

    objects = MeetingQuerySet.as_manager()

    class Meta:
        ordering = ["held_on"]
        constraints = [
            one_of("state", MeetingState),
            models.CheckConstraint(
                condition=~Q(state=MeetingState.CANCELLED) | Q(attendance="", apologies="", minutes_url=""),
                name="record_meeting_cancelled_had_nobody",
                violation_error_message="Nobody was at a cancelled meeting, and it has no minutes.",
            ),
            models.CheckConstraint(
                condition=Q(papers_due_on=None) | Q(papers_due_on__lte=F("held_on")),
                name="record_meeting_papers_are_due_by_the_meeting",
                violation_error_message=PAPERS_BY_THE_MEETING,
            ),
        ]

    def __str__(self):
        return f"Meeting of {self.held_on:%-d %B %Y}"

    def get_absolute_url(self):
        return reverse("meeting", args=[self.held_on])

    @property
    def is_cancelled(self):
        return self.state == MeetingState.CANCELLED

    def words_on(self, day):
        """Its state on ``day`` in a word: it counts as held once its day has passed, and never before it."""
        if self.is_cancelled:
            return self.get_state_display()
        return MeetingState.HELD.label if self.was_held_by(day) else MeetingState.PLANNED.label

    def was_held_by(self, day):
        """Whether it had been held on ``day``: the same rule as the queryset's."""
        passed = self.held_on < day or self.held_on == day and self.state == MeetingState.HELD
        return passed and not self.is_cancelled

    def clean(self):
        for name in ("held_on", "papers_due_on"):
            day = getattr(self, name)
            if day and not EARLIEST <= day <= LATEST:
                raise ValidationError({name: f"Enter a day from {EARLIEST.year} to {LATEST.year}."})
        # The constraint says so too, but a form in which the day is fixed does not ask it.
        if self.papers_due_on and self.held_on and self.papers_due_on > self.held_on:
            raise ValidationError({"papers_due_on": PAPERS_BY_THE_MEETING})


ANSWERED = (
    "The board has answered this, and its answer is to the words that stood. Withdraw the answer first, or "
    "ask another question."
)


class AskKind(models.TextChoices):
    DECIDE = "decide", "To decide"
    NOTE = "note", "To note"
    CHALLENGE = "challenge", "To challenge"


class AskQuerySet(models.QuerySet):
    def counting_by(self, at):
        """What had been asked of boards by that day: those of meetings to come have not been."""
        return self.begun(at).filter(meeting__held_on__lte=at.day)

    def begun(self, at):
        """What stands of what boards are asked, whatever the day: each belongs to a meeting and its page."""
        return self.filter(is_withdrawn=False)


class Ask(models.Model):
    """One thing that the board is asked to do at a meeting."""

    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="asks")
    kind = models.CharField(max_length=10, choices=AskKind)
    text = models.CharField("what the board is asked", max_length=500, help_text=f"One thing. {NO_CHILD}")
    is_withdrawn = WithdrawnField()
    history = Versions()

    objects = AskQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name = "ask"
        constraints = [
            one_of("kind", AskKind),
            not_blank("text"),
            models.UniqueConstraint(
                fields=["meeting", "text"],
                condition=Q(is_withdrawn=False),
                name="record_ask_once_at_a_meeting",
                violation_error_message="The board is asked this already.",
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()}: {self.text}"

    def get_absolute_url(self):
        return self.meeting.get_absolute_url()

    def clean(self):
        """Refuse other words for what the board has answered: its answer would be to them."""
        if self.pk and self.outcomes.in_force().exists():
            asked = Ask.objects.get(pk=self.pk)
            for name in ("kind", "text"):
                if getattr(self, name) != getattr(asked, name):
                    raise ValidationError({name: ANSWERED})


class Demonstration(models.Model):
    """The mark that this database holds invented rows. It cannot be taken off."""

    append_only = True
    time_field = "made_at"

    made_at = models.DateTimeField()
    as_at = models.DateField()

    def __str__(self):
        return f"Demonstration made as at {self.as_at:%-d %B %Y}"


class LedgerEntry(models.Model):
    """One link of the chain that lets anyone verify history: see ledger.py."""

    append_only = True

    sequence = models.PositiveBigIntegerField(primary_key=True)
    recorded_at = models.DateTimeField(help_text="When its row was added; never before the entry before.")
    kind = models.CharField(max_length=60, help_text="The model of the row, as app.model.")
    row = models.PositiveBigIntegerField(help_text="The primary key of the row.")
    content = models.CharField(max_length=64, help_text="The digest of what the row says, with its salt.")
    previous = models.CharField(
        max_length=64, unique=True, help_text="The digest before this one; unique, so no fork."
    )
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        # For what was the newest before a moment.
        indexes = [models.Index(fields=["recorded_at", "sequence"], name="record_ledger_when")]
        constraints = [models.UniqueConstraint(fields=["kind", "row"], name="record_ledger_row_once")]

    def __str__(self):
        return f"{self.sequence}: {self.kind} {self.row}"


class Salt(models.Model):
    """What goes into the digest of a row's content beside it, so that nobody can try out what it said."""

    append_only = True

    entry = models.OneToOneField(LedgerEntry, models.PROTECT, primary_key=True)
    salt = models.CharField(max_length=32)

    def __str__(self):
        return f"Salt of entry {self.entry_id}"


class Erasure(models.Model):
    """That the words in one column of one row were removed by law: which, when, why and who approved it.

    ``left`` is the digest of what is left of the row, with the salt of this erasure's entry, against which
    the row is verified from then on. It is empty for what has no entry, such as a line of the admin's log.
    """

    append_only = True
    time_field = "erased_at"

    kind = models.CharField(max_length=60, help_text="The model of the row, as app.model.")
    row = models.PositiveBigIntegerField(help_text="The primary key of the row.")
    field = models.CharField(max_length=60, help_text="The column whose words were removed.")
    notice = models.CharField(max_length=LONGEST_NOTICE, help_text="What stands in their place.")
    reason = models.CharField("legal reason", max_length=65)
    approved_by = models.CharField(max_length=200, help_text="The name and role of who approved it.")
    left = models.CharField(max_length=64, blank=True)
    erased_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "row", "field"], name="record_erasure_once"),
            not_blank("reason"),
            not_blank("approved_by"),
            models.CheckConstraint(
                condition=Q(notice__startswith="[Removed on ") & Q(notice__endswith="]"),
                name="record_erasure_has_a_notice",
            ),
        ]

    def __str__(self):
        return f"{self.kind} {self.row}, {self.field}: {self.notice}"
