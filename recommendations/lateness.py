"""The dates of an action: when it is overdue, which dates it missed, how far they slipped.

Overdue is reported open after the last day that the agreed date may mean. Where nobody has ever reported,
its date has passed in silence, and nothing is said of whether it was met. A date is missed once its last day
passed while it was the agreed date and the action was reported open; one that was replaced by then, even on
that very day, was not. One that passed while nobody had reported passed in silence, which is no miss.

Nothing recorded after a date had passed takes its miss away: for this an agreement, an acceptance or a
closure counts from the day it was recorded where that is later than the day it speaks of, and a report that
was corrected is still a report. Only to withdraw the date, or the report that the miss rests on, does, and
the table of dates goes on to show it. A date without a last day never passes.
"""

import datetime
from dataclasses import dataclass, replace

from django.db import models
from django.db.models import Case, Exists, F, FilteredRelation, OuterRef, Q, Value, When
from django.db.models.functions import Greatest, Least
from django.db.models.lookups import In
from django.utils import timezone

from recommendations.due_dates import Decision, Outcome
from recommendations.status import ACCEPTED, NOT_REPORTED, OPEN, is_acceptance
from record.as_at import AsAt
from record.dates import read_edtf, say_day, years_and_months
from record.rows import Position
from record.statements import first_of, place_of, since_it_said
from record.texts import so_many


def overdue(at):
    """The condition that an action, annotated with ``status`` and ``due_last``, is overdue by report."""
    return Q(status__in=OPEN, due_last__lt=at.day) & ~Q(status=NOT_REPORTED)


def passed_in_silence(at):
    """The condition that its date has passed, and that nobody has ever reported on it."""
    return Q(status=NOT_REPORTED, due_last__lt=at.day)


def has_passed(due, at):
    """Whether the last day that ``due``, a PartialDate, may mean is over."""
    return bool(due.last and due.last < at.day)


def may_have_passed(due, at):
    """Whether nobody can tell if ``due``, a PartialDate, has passed: it has begun, and has no last day."""
    return bool(due.first and not due.last and due.first < at.day)


def is_same_date(one, other):
    """Whether two PartialDates mean the same last day or, if they have none, say the same."""
    return one.last == other.last if one.last or other.last else one.words == other.words


def with_open_past(dates, updates, at):
    """The queryset ``dates``, annotated with how its action stood once each date had passed.

    ``deadline`` is the last day of the date or, if later, the day from which it counted; ``status_then`` the
    status at its end, None if nothing was reported; ``open_again_on`` the first later day on which the action
    was reported open. ``shown_then`` and ``shown_again_on`` are the same where reports withdrawn later count
    too. An index look-up for each finds them, so the length of an action's history does not matter.
    """
    # One still to come is not missed, and need not be looked for beyond the day asked about.
    deadline = Least(Greatest("due_last", "counted_on"), Value(at.day, models.DateField()))
    passed = OuterRef("deadline")
    last_day, until = at.day, passed
    if at.known:
        # What was entered only later is not walked past for each date: this is the newest day known of.
        known = updates.filter(action=OuterRef("action"), dated_first__lte=at.day, known_from__lt=at.known)
        newest_known = first_of(known.order_by("-dated_first"), "pk")
        newest_known = FilteredRelation("action__updates", condition=Q(action__updates__pk=newest_known))
        dates = dates.alias(newest_known=newest_known)
        last_day = OuterRef("newest_known__dated_first")
        until = Least(passed, last_day)
    until_then = updates.said(replace(at, day=until)).alias(
        accepted_at=since_it_said("known_from", status__in=ACCEPTED)
    )
    until_then = until_then.filter(
        # What was accepted or closed ends no lateness before it was recorded, or if that was put right.
        Q(status__in=OPEN) | Q(~updates.superseding("corrects", at), Q(accepted_at__date__lte=passed)),
        action=OuterRef("action"),
    )
    newest = until_then.newest_first()
    reported_open = updates.said(replace(at, day=last_day)).filter(action=OuterRef("action"), status__in=OPEN)
    since = reported_open.filter(dated_first__gt=passed).order_by("dated_first", "pk")
    # Of a date that was entered after its last day: how its action stood then, and what came later that day.
    entered_late = Q(due_last__lt=F("counted_on"))
    by_entry = OuterRef("counted_at")
    as_entered = newest.filter(
        Q(status__in=OPEN, known_from__lte=by_entry) | Q(status__in=ACCEPTED, accepted_at__lte=by_entry)
    )
    once_entered = reported_open.filter(dated_first__lte=passed, known_from__gt=OuterRef("counted_at"))
    # One that puts another right shows nothing either where what is newer was there by then.
    once_entered = once_entered.filter(~_later_but_before(updates, at, column="pk"))
    once_entered = once_entered.order_by("known_from", "pk")

    def stood(name, *, then, later):
        """The columns whose names begin with ``name``; ``then`` and ``later`` say which reports count."""
        status_as_entered = Case(When(entered_late, then=first_of(as_entered.filter(then), "status")))
        return {
            f"{name}_then": first_of(newest.filter(then), "status"),
            f"{name}_again_on": first_of(since.filter(later), "dated_first"),
            f"{name}_again_at": first_of(since.filter(later), "known_from"),
            f"{name}_overdue_at": Case(
                When(In(status_as_entered, list(OPEN)), then=F("counted_at")),
                When(entered_late, then=first_of(once_entered.filter(later), "known_from")),
            ),
        }

    counts = ~updates.superseding("withdraws", at)
    withdrawn_by_then = updates.filter(
        withdraws=OuterRef("pk"), known_from__date__lte=OuterRef(OuterRef("deadline"))
    )
    return dates.annotate(deadline=deadline).annotate(
        **stood("stood", then=counts, later=counts),
        **stood("shown", then=~Exists(withdrawn_by_then), later=Q()),
    )


def overruled(rows, updates, at):
    """The updates ``rows``, annotated with ``is_overruled``.

    That is an acceptance or a closure which changed nothing: a report of a later day was on the record.
    """
    is_overruled = Q(status__in=ACCEPTED) & _later_but_before(updates, at)
    return rows.alias(place=place_of(updates.model)).annotate(
        is_overruled=Case(When(is_overruled, then=True), default=False, output_field=models.BooleanField())
    )


def _later_but_before(updates, at, *, column="place"):
    """The condition that a standing update of a later day was on the record before a row, by their places.

    They are compared with its ``column``: "place" for what was there when its place was taken, "pk" for what
    was there when it was made itself. To put a word of a later one right makes that no newer.
    """
    later = updates.standing(at).filter(action=OuterRef("action"), dated_first__gt=OuterRef("dated_first"))
    # Nearly all corrects nothing: its place is its key, which is in the index. No place is after a row's key.
    first_said = later.filter(~Q(corrects__isnull=False), pk__lt=OuterRef("pk"))
    corrections = later.filter(corrects__isnull=False).alias(its_place=place_of(updates.model))
    return Exists(first_said.filter(pk__lt=OuterRef(column))) | Exists(
        corrections.filter(its_place__lt=OuterRef(column))
    )


def finishing(updates, at):
    """The updates that finished an action by that day, acceptances and closures, in the order of the record.

    One that a later report, on the record before it, overruled finished nothing.
    """
    accepted = overruled(updates.standing(at).filter(is_acceptance()), updates, at)
    accepted = accepted.annotate(finished_at=since_it_said("recorded_at", status__in=ACCEPTED))
    return accepted.filter(is_overruled=False).order_by("finished_at", "pk")


def with_endings(lines, finished):
    """The DueLines of one action, each undecided proposal with what ended it while it waited.

    That is the first agreement of another date, or the first of the updates ``finished``, to be recorded
    after it was proposed.
    """
    counting = sorted(
        (line for line in lines if line.row.effective_on and not line.withdrawn),
        key=lambda line: (line.row.agreed_at, line.pk),
    )

    def with_ending(line):
        if not line.is_undecided:
            return line
        proposed = line.recorded_at
        others = (other for other in counting if other is not line and other.row.agreed_at > proposed)
        return replace(
            line,
            overtaken_by=next(others, None),
            finished_by=next((update for update in finished if update.finished_at > proposed), None),
        )

    return [with_ending(line) for line in lines]


# The end of any day, after every moment of it that is recorded.
ITS_END = datetime.datetime.max.replace(tzinfo=datetime.UTC)


def judged(line, at, *, replaced):
    """The agreed date ``line``, missed or not.

    ``replaced`` is the day from which another one counted and the moment at which that was recorded, or None.
    """
    row = line.row

    def is_missed(status, again_on, again_at, overdue_at):
        if overdue_at and (replaced is None or overdue_at < replaced[1]):
            return True
        open_from = (row.deadline, ITS_END) if status in OPEN else again_on and (again_on, again_at)
        return bool(open_from and (replaced is None or replaced > open_from))

    replaced_on = replaced and replaced[0]
    line = replace(line, replaced_on=replaced_on)
    if not has_passed(line.due, at):
        return line
    missed = is_missed(row.stood_then, row.stood_again_on, row.stood_again_at, row.stood_overdue_at)
    return replace(
        line,
        has_passed=True,
        is_missed=missed,
        was_missed=not missed
        and is_missed(row.shown_then, row.shown_again_on, row.shown_again_at, row.shown_overdue_at),
        passed_in_silence=row.stood_then is None and (replaced_on is None or replaced_on > row.deadline),
    )


def judged_all(lines, at):
    """Those of ``lines`` that were ever agreed, in the order in which they counted, each missed or not."""
    agreed = sorted(
        (line for line in lines if line.row.effective_on),
        key=lambda line: (line.row.effective_on, line.row.agreed_at, line.pk),
    )
    judged_lines = []
    for place, line in enumerate(agreed):
        others = (other.row for other in agreed[place + 1 :] if not other.withdrawn)
        ends = [(other.counted_on, other.counted_at) for other in others]
        if line.withdrawn:
            ends.append((timezone.localdate(line.withdrawn.recorded_at), line.withdrawn.recorded_at))
        judged_lines.append(judged(line, at, replaced=min(ends, default=None)))
    return tuple(judged_lines)


@dataclass(frozen=True)
class DueLine(Position):
    """A due date that an action has had, or that was proposed for it; its row says from when it counted.

    ``decided`` is the board's Decision on a proposal, if there is one; ``undone`` the one that agreed it, if
    that counts no more; ``overtaken_by`` and ``finished_by`` are the other date and the update that ended it
    while it waited. ``was_missed`` is a miss that rested on a report which was withdrawn. ``replaced_on`` is
    the day from which another date counted in its place, or None.
    """

    at: AsAt
    decided: Decision | None
    undone: Decision | None
    overtaken_by: "DueLine | None" = None
    finished_by: models.Model | None = None
    is_missed: bool = False
    was_missed: bool = False
    has_passed: bool = False
    passed_in_silence: bool = False
    replaced_on: datetime.date | None = None

    @property
    def due(self):
        return read_edtf(self.row.due)

    @property
    def may_have_passed(self):
        return may_have_passed(self.due, self.at)

    @property
    def first_words(self):
        """What it is called where it is the first date: a document may give one that no board agreed."""
        return "First date, given in a report" if self.row.document_id else "First agreed date"

    @property
    def reason_kind_words(self):
        return self.row.get_reason_kind_display()

    @property
    def is_proposal(self):
        return self.row.needs_decision

    @property
    def is_undecided(self):
        """Whether it is a proposal about which nobody has decided."""
        return self.is_proposal and not self.decided and not self.row.is_withdrawn

    @property
    def is_waiting(self):
        """Whether it is a proposal that the board has still to decide."""
        return self.is_undecided and not self.ended_words

    @property
    def is_ended(self):
        """Whether it is a proposal that waits no more, though nobody decided it."""
        return bool(self.is_undecided and self.ended_words)

    @property
    def ended_words(self):
        """What ended it while it waited, a sentence, or "" """
        if update := self.finished_by:
            day, recorded = update.dated_first, timezone.localdate(update.finished_at)
            if day == recorded:
                return f"It ended when the action became “{update.words}”, {say_day(day)}."
            # It may speak of a day before the proposal was made, on which that cannot have ended.
            return (
                f"It ended on {say_day(recorded)}, when it was recorded that the action became "
                f"“{update.words}” ({update.signature.dated})."
            )
        if other := self.overtaken_by:
            day, recorded = other.row.effective_on, timezone.localdate(other.row.agreed_at)
            if day == recorded:
                return f"It ended when another date, {other.due}, was agreed, {say_day(day)}."
            return (
                f"It ended on {say_day(recorded)}, when another date, {other.due}, was recorded "
                f"(agreed {other.counted_from})."
            )
        return ""

    @property
    def is_taken_back(self):
        """Whether its owner took it back."""
        return bool(self.decided and self.decided.outcome == Outcome.TAKEN_BACK and not self.row.is_withdrawn)

    @property
    def is_taken_off(self):
        """Whether it was withdrawn before it ever counted."""
        return self.row.is_withdrawn and not self.row.effective_on

    @property
    def is_refused(self):
        return bool(self.decided and self.decided.outcome == Outcome.REFUSED and not self.row.is_withdrawn)

    @property
    def withdrawn(self):
        """Why it counts no more, a Superseded of it or of what agreed it, or None."""
        if self.row.is_withdrawn:
            return self.row.superseded(self.at)
        return self.undone.superseded(self.at) if self.undone else None

    @property
    def counted_from(self):
        """The day from which it counted, said no more exactly than its source says it."""
        return self.agreement.dated

    @property
    def decision(self):
        """The Decision that agreed it, also where that counts no more; else the one that did not, or None."""
        return self.undone or self.decided

    @property
    def agreement(self):
        """The Signature of whoever made it the agreed date: of the decision, if there is one."""
        return self.decision.signature if self.decision else self.row.signature

    @property
    def meeting(self):
        """The meeting that set it, agreed it or did not, or None."""
        return (self.decision or self.row).meeting

    @property
    def agreed_by(self):
        """Who agreed it, in words."""
        if self.row.document_id:
            return "no board: a report gives it"
        if self.is_proposal and not (self.decided or self.undone):
            return "not yet decided"
        return self.agreement.by


@dataclass(frozen=True)
class Slip:
    """How far an agreed date is from the first one, in whole ``months`` or, below one, in ``days``.

    Both are negative for an earlier date. ``is_about`` says that it is no more exact than that. A date that
    cannot be before any day is compared with none: ``days`` is None.
    """

    months: int
    days: int | None
    is_about: bool

    @property
    def words(self):
        """How far, as people say it: "1 year 7 months later than the first date"."""
        if self.days is None:
            return "slippage not computed, because a date has no first day"
        if not self.months and not self.days:
            return f"{'about ' if self.is_about else ''}the same as the first date"
        said = years_and_months(abs(self.months)) if self.months else so_many(abs(self.days), "day")
        word = "later" if self.months + self.days > 0 else "earlier"
        return f"{'about ' if self.is_about else ''}{said} {word} than the first date"


def slip_between(first, last):
    """The Slip from the PartialDate ``first`` to ``last``, counted from the first day that each may mean.

    From a month on it is rounded to whole months, and said to be about so many.
    """
    if not (first.first and last.first):
        return Slip(0, None, False)
    earlier, later = sorted((first.first, last.first))
    sign = 1 if last.first == later else -1
    months = 12 * (later.year - earlier.year) + later.month - earlier.month - (later.day < earlier.day)
    is_exact = first.precision == last.precision != "" and first.last and last.last
    is_between = months > 0 and later.day != earlier.day
    if is_between and (later.day - earlier.day) % 30 > 15:
        months += 1
    return Slip(sign * months, sign * (later - earlier).days, not is_exact or is_between)
