"""By when an action is due: dates that were set or proposed, and what the board decided about them."""

from django.db import models
from django.db.models import Case, Exists, F, FilteredRelation, OuterRef, Q, When
from django.db.models.functions import Greatest, TruncDate

from record.dates import EdtfField, first_day, last_day, say
from record.fields import NO_CHILD, made_at_meeting, not_blank, one_of
from record.statements import Said, Statement, StatementQuerySet, first_of, place_of, since_it_said


class DueDateQuerySet(StatementQuerySet):
    def with_effect(self, at):
        """The due dates said by that day, withdrawn ones among them, with when each came to count.

        Annotates ``effective_on``, a day or None: a date entered by the Chair or the Secretariat counts from
        the day it is dated; a proposal from the day a decision agreed it, and not at all until then.
        ``counted_on`` is that day or, if later, the day on which it was recorded: by no entry made later
        is a date missed or not. ``agreed_at`` is the moment at which it was recorded that it counts, and
        ``counted_at`` that from which this was known, which for the first load is its document's.
        ``is_withdrawn`` says that it counts no more, and ``is_undone`` that its agreement does not.
        """
        decisions = Decision.objects.said(at)
        is_undone = decisions.superseding("corrects", at) | decisions.superseding("withdraws", at)
        agreement = (
            decisions.filter(due_date=OuterRef("pk"), outcome=Outcome.AGREED)
            .annotate(is_undone=is_undone)
            .order_by("is_undone", "-dated_first", place_of(Decision).desc(), "-pk")
        )
        found = FilteredRelation("decisions", condition=Q(decisions__pk=first_of(agreement, "pk")))
        undone = decisions.filter(pk=OuterRef("agreement")).filter(is_undone)

        def when_it_was_said(column):
            agreed = since_it_said(column, "agreement__", outcome=Outcome.AGREED)
            return Case(When(needs_decision=False, then=F(column)), default=agreed)

        return (
            self.said(at)
            # Joined, so that it is looked for once, however much hangs on it.
            .alias(agreement=found)
            .annotate(
                is_withdrawn=self.superseding("withdraws", at),
                is_undone=Case(When(needs_decision=False, then=False), default=Exists(undone)),
                effective_on=Case(
                    When(needs_decision=False, then=F("dated_first")), default=F("agreement__dated_first")
                ),
                agreed_at=when_it_was_said("recorded_at"),
                counted_at=when_it_was_said("known_from"),
            )
            .annotate(counted_on=Greatest("effective_on", TruncDate("counted_at")))
        )

    def agreed(self, at):
        """The due dates that had been agreed by that day and count, the one that stands first.

        Of two that count from one day, the one whose agreement was recorded later stands.
        """
        counting = self.with_effect(at).filter(
            effective_on__isnull=False, is_undone=False, is_withdrawn=False
        )
        return counting.order_by("-effective_on", "-agreed_at", "-pk")


class ReasonKind(models.TextChoices):
    FIRST = "first", "First date"
    DEPENDENCY = "dependency", "Waiting on someone else"
    RESOURCES = "resources", "Not enough people or money"
    SCOPE = "scope", "The work changed"
    DECISION = "decision", "A decision came late"
    LATE_START = "late_start", "Started late"
    FASTER = "faster", "Going faster than planned"
    OTHER = "other", "Another reason"


class DueDate(Statement):
    """A date by which an action is due. The first one agreed is the baseline, for good.

    A wrong one is never corrected, which could make it look as if it had been another: it is withdrawn, and
    what is right is entered anew.
    """

    subject_field = "action"

    action = models.ForeignKey("recommendations.Action", models.PROTECT, related_name="due_dates")
    due = EdtfField("due", help_text="For example 31/3/2027, March 2027 or 2027.")
    due_first = first_day()
    due_last = last_day()
    reason_kind = models.CharField("kind of reason", max_length=20, choices=ReasonKind)
    reason = models.TextField(help_text=f"Why this date, in words. {NO_CHILD}")
    needs_decision = models.BooleanField(
        editable=False, help_text="A proposal, which counts only from the day the board agrees it."
    )
    meeting = made_at_meeting()

    objects = DueDateQuerySet.as_manager()

    class Meta(Statement.Meta):
        verbose_name = "due date"
        indexes = [models.Index(fields=["action", "dated_first", "id"], name="due_date_newest")]
        constraints = [
            *Statement.Meta.constraints,
            one_of("reason_kind", ReasonKind),
            not_blank("due"),
            not_blank("reason"),
            models.CheckConstraint(
                condition=Q(corrects=None),
                name="recommendations_duedate_is_never_corrected",
                violation_error_message="A wrong date is withdrawn and entered anew.",
            ),
            models.CheckConstraint(
                condition=Q(needs_decision=False) | Q(meeting=None),
                name="recommendations_duedate_proposed_at_no_meeting",
                violation_error_message="A date is proposed at no meeting. One that a meeting sets counts.",
            ),
        ]

    def __str__(self):
        proposal = "proposed due date" if self.needs_decision else "due"
        return f"{self.action.ref}, {proposal} {say(self.due)}"

    def in_words(self):
        """What it says, without saying of what."""
        asks = "asks for" if self.needs_decision else "due"
        return f"{asks} {say(self.due)}: {self.reason}"

    @property
    def decides_from(self):
        return self.action.agreed_on_first

    def as_said(self):
        proposal = "proposed: " if self.needs_decision else ""
        text = f"{self.get_reason_kind_display()}. {self.reason}"
        return Said(was="", now=f"{proposal}{say(self.due)}", text=text)


class Outcome(models.TextChoices):
    AGREED = "agreed", "Agreed"
    REFUSED = "refused", "Refused"
    TAKEN_BACK = "taken_back", "Taken back by its owner"


class Decision(Statement):
    """What became of a proposed due date: what the board decided, or that its owner took it back.

    Of two about one proposal the later one stands.
    """

    subject_field, same_by = "due_date", "outcome"

    due_date = models.ForeignKey(DueDate, models.PROTECT, related_name="decisions")
    outcome = models.CharField(max_length=10, choices=Outcome)
    meeting = made_at_meeting()
    reason = models.TextField(help_text=f"Why. The owner will see this. {NO_CHILD}")

    class Meta(Statement.Meta):
        constraints = [
            *Statement.Meta.constraints,
            one_of("outcome", Outcome),
            not_blank("reason"),
            models.CheckConstraint(
                condition=~Q(outcome=Outcome.TAKEN_BACK) | Q(meeting=None),
                name="recommendations_decision_taken_back_at_no_meeting",
                violation_error_message="A proposal is taken back by its owner, and at no meeting.",
            ),
        ]

    def __str__(self):
        return f"{self.get_outcome_display()}: {self.due_date}, {say(self.dated)}"

    def in_words(self):
        """What it says, without saying of what."""
        return f"{self.get_outcome_display()}: {self.reason}"

    def as_said(self):
        proposed = f"proposed: {say(self.due_date.due)}"
        return Said(was=proposed, now=self.get_outcome_display().lower(), text=self.reason)
