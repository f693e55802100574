"""What a meeting made of an ask, and of a late action for which it set no new date."""

from django.db import models
from django.db.models import Q

from recommendations.due_dates import DueDate
from record.dates import say
from record.fields import NO_CHILD, made_at_meeting, not_blank, one_of
from record.models import Ask
from record.statements import Said, Statement


class Result(models.TextChoices):
    """What became of an ask. Some leave open what follows from it, which has to be said in words."""

    AGREED = "agreed", "Agreed"
    NOT_AGREED = "not_agreed", "Not agreed"
    NOTED = "noted", "Noted"
    DEFERRED = "deferred", "Deferred"


NEED_WORDS = (Result.NOT_AGREED, Result.DEFERRED)


class AskOutcome(Statement):
    """What became of one thing that the board was asked to do."""

    subject_field, same_by = "ask", "outcome"

    ask = models.ForeignKey(Ask, models.PROTECT, related_name="outcomes")
    outcome = models.CharField(max_length=20, choices=Result)
    words = models.TextField(
        "in words",
        blank=True,
        help_text="What was decided, or why not, or until when. Needed for not agreed and deferred. "
        f"{NO_CHILD}",
    )
    meeting = made_at_meeting()

    class Meta(Statement.Meta):
        verbose_name = "outcome"
        verbose_name_plural = "outcomes of what was asked"
        constraints = [
            *Statement.Meta.constraints,
            one_of("outcome", Result),
            models.CheckConstraint(
                condition=~Q(outcome__in=NEED_WORDS) | ~Q(words=""),
                name="meetings_askoutcome_words_are_given",
                violation_error_message="Say why, or until when.",
            ),
        ]

    def __str__(self):
        return f"{self.get_outcome_display()}: {self.ask.text}, {say(self.dated)}"

    def in_words(self):
        """What it says, without saying of what."""
        return f"{self.get_outcome_display()}: {self.words}" if self.words else self.get_outcome_display()

    @property
    def decides_from(self):
        # Of its own meeting it is asked on whatever day that is.
        return self.ask.meeting.held_on if self.ask.meeting_id != self.meeting_id else None

    def as_said(self):
        return Said(was="", now=self.get_outcome_display().lower(), text=self.words)


class LateNote(Statement):
    """That the board looked at an action that is late, and set no new date for it."""

    subject_field = "due_date"

    due_date = models.ForeignKey(DueDate, models.PROTECT, related_name="late_notes")
    words = models.TextField(
        "what the board says",
        help_text="Why no new date is set, and what is expected of the owner. The owner sees this. "
        f"{NO_CHILD}",
    )
    meeting = made_at_meeting()

    class Meta(Statement.Meta):
        verbose_name = "note on a late action"
        verbose_name_plural = "notes on late actions"
        constraints = [*Statement.Meta.constraints, not_blank("words")]

    def __str__(self):
        return f"{self.due_date.action.ref}, no new date set {say(self.dated)}"

    def in_words(self):
        """What it says, without saying of what."""
        return f"no new date: {self.words}"

    def as_said(self):
        return Said(was=f"late, due {say(self.due_date.due)}", now="no new date set", text=self.words)
