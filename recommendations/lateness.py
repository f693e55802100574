"""The dates of an action: when it is overdue, which dates it missed, how far they slipped.

Overdue is open after the last day that the agreed date may mean. A date is missed once its last day passed
while it was the agreed date and the action was open; one that was replaced by then, even on that very day,
was not, and nothing later clears one that was. A date without a last day never passes.
"""

from dataclasses import dataclass, replace

from django.db import models
from django.db.models import OuterRef, Q, Subquery, Value
from django.db.models.functions import Greatest, Least

from recommendations.due_dates import Decision, Outcome
from recommendations.status import OPEN
from record.dates import read_edtf
from record.rows import Position


def overdue(at):
    """The condition that an action, annotated with ``is_open`` and ``due_last``, is overdue."""
    return Q(is_open=True, due_last__lt=at.day)


def has_passed(due, at):
    """Whether the last day that ``due``, a PartialDate, may mean is over."""
    return bool(due.last and due.last < at.day)


def with_open_past(dates, updates, at):
    """The queryset ``dates``, annotated with how its action stood once each date had passed.

    ``deadline`` is the last day of the date or, if later, the day from which it counted; ``status_then`` the
    status at its end; ``open_again_on`` the first later day on which the action was reported open. Two index
    look-ups for each find them, so the length of an action's history does not matter: each look-up is given
    one latest day, because SQLite uses only one of two to narrow its search.
    """
    until_then = updates.standing(replace(at, day=OuterRef("deadline"))).filter(action=OuterRef("action"))
    since = updates.standing(at).filter(action=OuterRef("action"), dated_first__gt=OuterRef("deadline"))
    # One still to come is not missed, and need not be looked for beyond the day asked about.
    deadline = Least(Greatest("due_last", "effective_on"), Value(at.day, models.DateField()))
    return dates.annotate(deadline=deadline).annotate(
        status_then=Subquery(until_then.newest_first().values("status")[:1]),
        open_again_on=Subquery(
            since.filter(status__in=OPEN).order_by("dated_first", "pk").values("dated_first")[:1]
        ),
    )


def open_past(row):
    """The first day on which the action of ``row``, annotated as above, was open past its date, or None."""
    was_open = row.status_then is None or row.status_then in OPEN
    return row.deadline if was_open else row.open_again_on


def is_missed(line, at, *, replaced_on):
    """Whether the agreed date ``line`` was missed; ``replaced_on`` is when the next one counted, or None."""
    open_on = open_past(line.row)
    return bool(has_passed(line.due, at) and open_on and (replaced_on is None or replaced_on > open_on))


NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def number_in_words(number):
    """``number`` as a word up to nine, else in figures."""
    return NUMBERS[number] if 0 < number < len(NUMBERS) else str(number)


@dataclass(frozen=True)
class DueLine(Position):
    """A due date that an action has had, or that was proposed for it; its row says from when it counted.

    ``decided`` is the board's Decision on a proposal, if there is one.
    """

    decided: Decision | None
    is_missed: bool = False

    @property
    def due(self):
        return read_edtf(self.row.due)

    @property
    def reason_kind_words(self):
        return self.row.get_reason_kind_display()

    @property
    def is_proposal(self):
        return self.row.needs_decision

    @property
    def is_refused(self):
        return bool(self.decided and self.decided.outcome == Outcome.REFUSED)

    @property
    def counted_from(self):
        """The day from which it counted, said no more exactly than its source says it."""
        return self.decided.signature.dated if self.is_proposal and self.decided else self.row.signature.dated

    @property
    def agreement(self):
        """The Signature of whoever made it the agreed date: of the decision, if there is one."""
        return self.decided.signature if self.decided else self.row.signature

    @property
    def agreed_by(self):
        """Who agreed it, in words."""
        if not self.is_proposal:
            return self.row.signature.by
        if not self.decided:
            return "not yet decided"
        return self.decided.signature.by


@dataclass(frozen=True)
class Slip:
    """How far an agreed date is from the first one: a count of days, months or years, or not computed."""

    unit: str
    count: int

    @property
    def words(self):
        if not self.unit:
            return "slippage not computed, because the dates differ in precision"
        if not self.count:
            return "the same as first agreed"
        number = abs(self.count)
        unit = self.unit if number == 1 else f"{self.unit}s"
        return (
            f"{number_in_words(number)} {unit} {'later' if self.count > 0 else 'earlier'} than first agreed"
        )


def slip_between(first, last):
    """The Slip from the PartialDate ``first`` to ``last``; they must be of one precision to count."""
    if first.precision != last.precision or not first.precision or not (first.last and last.last):
        return Slip("", 0)
    if first.precision == "day":
        return Slip("day", (last.first - first.first).days)
    years = last.first.year - first.first.year
    if first.precision == "year":
        return Slip("year", years)
    return Slip("month", 12 * years + last.first.month - first.first.month)
