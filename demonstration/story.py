"""The invented story that a demonstration tells: who, what and when. The demo command saves it.

Everything follows from the script, the as-at day, the counts asked for and the place of an action in its
list, by arithmetic: nothing is random and nothing reads a clock, so the same command makes the same rows.
The turns of an action's story fall on the same days however many updates tell it; more updates only fill
the time between the turns.
"""

import datetime
import heapq
from dataclasses import dataclass
from functools import cached_property, lru_cache

from django.utils import timezone

from demonstration.script import Arc, How, Precision, Script
from recommendations.due_dates import Decision, DueDate, Outcome, ReasonKind
from recommendations.models import Action, Assessment, ProgressUpdate, Whose
from recommendations.ownership import Ownership
from recommendations.sent_back import SendBack
from recommendations.status import ACCEPTED, Status, needing
from record.dates import say_day
from record.models import Ask, AskKind, Meeting
from record.signing import name_of

BEGINS = datetime.date(2022, 9, 1)
RECHECK_MONTHS = 3
PAPERS_DAYS_BEFORE = 7
PAPERS = 3
CORRECTED_DAYS_LATER = 5
DAY = datetime.timedelta(days=1)


def invented(text):
    """``text``, so marked that nobody can take it for something that happened."""
    return f"Demonstration: {text}"


def in_turn(choices, number):
    """The choice for this number: the first for 0, and after the last they begin again."""
    return choices[number % len(choices)]


@dataclass(frozen=True)
class Cast:
    """The invented people who sign: an owner for each recommendation's number, chair and secretariat."""

    owners: dict
    chair: object
    secretariat: object

    def signed(self, person, day, *, place, as_at):
        """The columns that say who recorded a statement, and when: office hours on ``day``.

        On the last day it is the first minute, because the rest of that day may still be to come.
        """
        minutes = 0 if day == as_at else 9 * 60 + place % (8 * 60)
        return {
            "recorded_by_id": person.pk,
            "signed": self.signature(person),
            "recorded_at": at_minute(day, minutes),
        }

    def signature(self, person):
        """The name and role of one of them, who belong to no group."""
        role = {self.chair: "Chair", self.secretariat: "Secretariat"}.get(person, "Officer")
        return f"{name_of(person)} ({role})"


@lru_cache(maxsize=10_000)
def at_minute(day, minutes=0):
    """The aware datetime that many minutes into ``day`` in London."""
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time(*divmod(minutes, 60))))


def part_of(begins, ends, percent):
    """The day that lies ``percent`` of the way from one day to another; over 100 is after it."""
    return begins + DAY * ((ends - begins).days * percent // 100)


def months_after(day, months):
    """The day so many months after ``day``, in the first 28 days of its month."""
    years, month = divmod(day.month - 1 + months, 12)
    return datetime.date(day.year + years, month + 1, min(day.day, 28))


# Meetings -----------------------------------------------------------------------------------------------


def meeting_days(as_at):
    """The third Tuesday of each month from September 2022 to ``as_at``, and the next one."""
    days, month = [], BEGINS
    while not days or days[-1] <= as_at:
        first_tuesday = month + DAY * ((1 - month.weekday()) % 7)
        days.append(first_tuesday + 14 * DAY)
        month = months_after(month, 1)
    return days


def meetings(script, *, as_at):
    """The unsaved Meetings."""
    return [
        Meeting(
            held_on=day,
            papers_due_on=day - DAY * PAPERS_DAYS_BEFORE,
            covering_note=invented(script.meetings.covering_note),
        )
        for day in meeting_days(as_at)
    ]


def papers(meetings, *, as_at):
    """Yield the moment and the meeting of each paper that is published, in their order.

    They are those of the last three meetings whose papers have gone out, the middle one in two versions.
    """
    out = [meeting for meeting in meetings if meeting.papers_due_on < as_at][-PAPERS:]
    for place, meeting in enumerate(out):
        yield at_minute(meeting.papers_due_on, 17 * 60), meeting
        put_right_on = meeting.papers_due_on + 2 * DAY
        if place == 1 and put_right_on < as_at:
            yield at_minute(put_right_on, 17 * 60), meeting


def asks(script, meeting, *, place):
    """The unsaved Asks of a saved ``meeting``, that many after the first; their first word is their kind."""
    words = script.meetings
    return [
        Ask(meeting=meeting, kind=AskKind(ask.split()[0]), text=invented(ask))
        for ask in (*words.asks, in_turn(words.asks_in_turn, place))
    ]


# Actions ------------------------------------------------------------------------------------------------


def new_actions(script, counts, *, wanted, next_ref, as_at):
    """Yield an unsaved Action and the number of its recommendation, until each has as many as are wanted.

    ``counts`` maps each recommendation's number to how many actions it has already.
    """
    words = script.actions
    things = {area.number: area.things for area in words.areas}
    for number, existing in sorted(counts.items()):
        for place in range(wanted - existing):
            agreed_on = part_of(BEGINS, as_at, 4 * ((5 * next_ref + number) % 12))
            verb = in_turn(words.verbs, place)
            thing = in_turn(things[number], place + place // len(words.verbs))
            action = Action(
                ref=f"A{next_ref:02}",
                title=invented(f"{verb} {thing}"),
                owner_role=invented(words.owner_role.format(area=script.areas[number])),
                agreed_on=agreed_on.isoformat(),
                note=invented(words.note),
            )
            next_ref += 1
            yield action, number


@dataclass(frozen=True)
class Turn:
    """A day on which the status of an action turns, and until which day reports repeat it."""

    on: datetime.date
    until: datetime.date
    status: str
    recheck_on: datetime.date | None


@dataclass(frozen=True)
class Life:
    """One action's part in the story: where it stands in the list, from when, and with which arc."""

    script: Script
    pk: int
    ref: str
    place: int
    number: int
    begins: datetime.date
    as_at: datetime.date
    has_owner: bool
    has_due_date: bool

    @property
    def arc(self) -> Arc:
        return in_turn(self.script.actions.arcs, self.place)

    @cached_property
    def turns(self):
        """The Turns, each on a later day than the one before; the last is the last report."""
        days = (self.as_at - self.begins).days
        last = self.as_at - DAY * min(self.arc.silent_days, days * 2 // 5)
        found = []
        for planned in self.arc.turns:
            on, status = part_of(self.begins, last, planned.at), planned.status
            if found:
                on = max(on, found[-1].on)
                if status == Status.EMBEDDED:
                    on = max(on, found[-1].recheck_on or on)
            if on > last:
                continue  # in so short a story there was no time to re-check
            recheck_on = months_after(on, RECHECK_MONTHS + self.arc.recheck_later)
            found.append(Turn(on, last, status, recheck_on if status == Status.COMPLETE else None))
        if found[-1].recheck_on:
            last = min(last, found[-1].recheck_on - 30 * DAY)
        found.append(Turn(last, last, found[-1].status, found[-1].recheck_on))
        turns = [turn for turn, after in zip(found, found[1:], strict=False) if turn.on < after.on]
        turns.append(found[-1])
        ends = [turn.on for turn in turns[1:]] + [last]
        return [
            Turn(t.on, min(end, t.recheck_on or end), t.status, t.recheck_on)
            for t, end in zip(turns, ends, strict=True)
        ]


# Updates ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """Where one update stands in the story of its action."""

    dated: datetime.date
    turn: Turn
    is_turn: bool
    is_last: bool
    in_last_phase: bool


class Updates:
    """The updates of one action, so many of them, worked out one at a time."""

    def __init__(self, life, count):
        self.life, self.count = life, count
        self.turns = life.turns[-count:]
        # firsts[n] is the number of the update that makes the turn n; the next ones repeat it.
        extra = count - len(self.turns)
        words = life.script.updates.statuses
        weights = [(turn.until - turn.on).days * words[turn.status].weight for turn in self.turns]
        total = sum(weights) or 1
        self.firsts = [
            n + (extra * sum(weights[:n]) // total if n < len(self.turns) - 1 else extra)
            for n in range(len(self.turns))
        ]

    def at(self, number):
        """The Point of the update with this number, counted from 0."""
        n = max(n for n, first in enumerate(self.firsts) if first <= number)
        turn, step = self.turns[n], number - self.firsts[n]
        is_last = number == self.count - 1
        steps = (self.firsts[n + 1] if not is_last else self.count) - self.firsts[n]
        dated = turn.on + (turn.until - turn.on) * step // steps
        if self.is_late(number) and step:
            # A week before the end at the latest, so that there is time to be late.
            dated = max(turn.on, min(dated, self.life.as_at - 7 * DAY))
        return Point(dated, turn, step == 0, is_last, n >= len(self.turns) - 2)

    def is_late(self, number):
        """Whether this is one of the tenth updates, counted from the last, which are recorded late."""
        return (self.count - number) % 10 == 0

    @cached_property
    def correction(self):
        """The number of the update that corrects the one before it, or None.

        It is one of those recorded late, well within a phase, so that it changes nothing after it.
        """
        if self.life.place % 3 or self.life.arc.repeats:
            return None
        late = [n for n in range(self.count % 10, self.count, 10) if n and not self.at(n).is_turn]
        late.sort(key=lambda n: abs(n - self.count * 2 // 3))
        return late[0] if late else None

    def rows(self, cast):
        """Yield the unsaved ProgressUpdates in the order of their days, and the SendBack of the last one."""
        corrected = None
        for number in range(self.count):
            row = self.row(number, cast)
            if number == self.correction:
                row.corrects = corrected
                reasons = self.life.script.updates.correction_reasons
                row.correction_reason = invented(in_turn(reasons, self.life.place))
            corrected = row
            yield row
        if corrected and corrected.status == Status.DONE and self.life.place % 2:
            yield from self.sent_back(corrected, cast)

    def sent_back(self, report, cast):
        """The unsaved SendBack of the ``report``, a week after it was recorded; none if that is to come."""
        life, on = self.life, timezone.localdate(report.recorded_at) + 7 * DAY
        if on <= life.as_at:
            yield SendBack(
                report=report,
                wanted=invented(in_turn(life.script.updates.evidence_wanted, life.place)),
                wanted_by=on + 28 * DAY,
                dated=on.isoformat(),
                **cast.signed(cast.chair, on, place=life.place, as_at=life.as_at),
            )

    def row(self, number, cast):
        place, life, correction = self.at(number), self.life, self.correction
        dated, status = place.dated, place.turn.status
        if number == correction:
            dated = self.at(number - 1).dated
        if correction and number == correction - 1 and status in needing("recovery_step"):
            status = Status.ON_TRACK
        recorded_on = dated
        if self.is_late(number):
            weeks_left = (life.as_at - dated).days // 7
            weeks = 1 + ((self.count - number) // 10 + life.place) % 6
            recorded_on = dated + 7 * DAY * min(weeks, weeks_left) if weeks_left else life.as_at
        owner, on_behalf = cast.owners[life.number], None
        person = owner
        if status in ACCEPTED:
            # Nobody accepts what they reported: the Secretariat reports where there is no owner.
            person = cast.chair if life.place % 2 or not life.has_owner else cast.secretariat
        elif not life.has_owner:
            person, on_behalf = cast.secretariat, owner
        return ProgressUpdate(
            action_id=life.pk,
            dated=dated.isoformat(),
            status=status,
            recheck_on=place.turn.recheck_on,
            on_behalf_of_id=on_behalf and on_behalf.pk,
            on_behalf_of_signed=cast.signature(on_behalf) if on_behalf else "",
            **self.words(number, place, status, dated),
            **cast.signed(person, recorded_on, place=number, as_at=life.as_at),
        )

    def words(self, number, place, status, dated):
        """The texts of an update, by column; those of the last one never depend on how many there are."""
        life, any_status = self.life, self.life.script.updates
        words = any_status.statuses[status]
        nth = life.place if place.is_last else number + life.place
        narratives = words.closing if place.is_last else words.narratives
        if life.arc.repeats and place.in_last_phase:
            narratives = (any_status.repeated,)
        columns = {
            "narrative": narratives,
            "reason": words.reasons,
            "recovery_step": words.recovery_steps,
            "evidence": words.evidence,
            "difference_made": words.differences or (() if nth % 4 else any_status.differences),
        }
        blanks = {"area": life.script.areas[life.number], "day": say_day(dated), "ref": life.ref}
        return {
            name: invented(in_turn(texts, nth).format(**blanks)) for name, texts in columns.items() if texts
        }


# Owners, due dates and assessments --------------------------------------------------------------------


def ownerships(life, cast):
    """The unsaved Ownership by which an action of the story's own gets its owner."""
    if not life.has_owner:
        return []
    owner, on = cast.owners[life.number], life.begins
    return [
        Ownership(
            action_id=life.pk,
            owner_id=owner.pk,
            owner_signed=cast.signature(owner),
            dated=on.isoformat(),
            **cast.signed(cast.secretariat, on, place=life.place, as_at=life.as_at),
        )
    ]


def edtf(day, precision):
    """``day`` as an EDTF string of that precision."""
    return day.isoformat()[: {Precision.YEAR: 4, Precision.MONTH: 7, Precision.DAY: 10}[precision]]


def due_dates(life, cast, *, meetings):
    """The unsaved DueDates of an action and the Decisions on them, in the order of recording."""
    rows = []
    for number, planned in enumerate(life.arc.dates):
        if planned.reason == ReasonKind.FIRST and life.has_due_date:
            continue  # the first date that a document gives stays the first
        on = part_of(life.begins, life.as_at, planned.at)
        rows += due_date(life, cast, planned, on=on)
        meeting = next((m for m in meetings if on < m.held_on <= life.as_at), None)
        outcome = {How.AGREED: Outcome.AGREED, How.REFUSED: Outcome.REFUSED}.get(planned.how)
        if outcome and meeting:
            reasons = life.script.due_dates.decisions[outcome]
            decider = cast.chair if number % 2 else cast.secretariat
            rows.append(
                Decision(
                    due_date=rows[-1],
                    outcome=outcome,
                    meeting=meeting,
                    dated=meeting.held_on.isoformat(),
                    reason=invented(in_turn(reasons, life.place + number)),
                    **cast.signed(decider, meeting.held_on, place=life.place, as_at=life.as_at),
                )
            )
    return sorted(rows, key=recorded)


def due_date(life, cast, planned, *, on):
    """A list of an unsaved DueDate, or of one that is mistaken, its withdrawal and the right one."""
    words = life.script.due_dates
    due = part_of(life.begins, life.as_at, planned.due)
    needs_decision = planned.how not in (How.ENTERED, How.CORRECTED)
    person = cast.owners[life.number] if needs_decision else cast.secretariat

    def row(due, recorded_on, **more):
        return DueDate(
            action_id=life.pk,
            dated=on.isoformat(),
            due=edtf(due, planned.precision),
            reason_kind=planned.reason,
            reason=invented(words.reasons[planned.reason]),
            needs_decision=needs_decision,
            **cast.signed(person, recorded_on, place=life.place, as_at=life.as_at),
            **more,
        )

    if planned.how != How.CORRECTED:
        return [row(due, on)]
    mistaken = row(due + 61 * DAY, on)
    reason = invented(words.correction_reason)
    later = min(on + DAY * CORRECTED_DAYS_LATER, life.as_at)
    withdrawal = mistaken.withdrawal(by=person, reason=reason)
    right = row(due, later)
    withdrawal.recorded_at = right.recorded_at
    return [mistaken, withdrawal, right]


def assessments(script, recommendation, cast, *, as_at):
    """The unsaved Assessments of a recommendation, in the order of recording."""
    number, words, rows = recommendation.number, script.assessments, []
    for place, planned in enumerate(words.rounds):
        on = part_of(BEGINS, as_at, planned.at)
        person = cast.secretariat if planned.whose == Whose.ADVISER else cast.chair
        entered = [(in_turn(planned.statuses, number), on)]
        if planned.mistake and number % 3 == 0:
            later = min(on + DAY * CORRECTED_DAYS_LATER, as_at)
            entered = [(planned.mistake, on), (entered[0][0], later)]
        correction = {}
        for status, recorded_on in entered:
            text = in_turn(words.verdicts[status], place).format(area=script.areas[number])
            row = Assessment(
                recommendation_id=recommendation.pk,
                whose=planned.whose,
                dated=on.isoformat(),
                status=status,
                narrative=invented(text),
                **cast.signed(person, recorded_on, place=number, as_at=as_at),
                **correction,
            )
            correction = {"corrects": row, "correction_reason": invented(words.correction_reason)}
            rows.append(row)
    return sorted(rows, key=recorded)


# In the order in which they were recorded ---------------------------------------------------------------


def recorded(row):
    return row.recorded_at


def in_recorded_order(rows):
    """Yield ``rows``, which come in the order of their days, in the order of recording.

    Only those recorded late wait, so that a long history never stands in memory.
    """
    waiting = []
    for number, row in enumerate(rows):
        start = at_minute(datetime.date.fromisoformat(row.dated))
        while waiting and waiting[0][0] < start:
            yield heapq.heappop(waiting)[-1]
        heapq.heappush(waiting, (row.recorded_at, number, row))
    while waiting:
        yield heapq.heappop(waiting)[-1]


def statements(script, lives, recommendations, cast, *, meetings, outcomes, updates, as_at):
    """Yield every unsaved statement of the demonstration in the order in which it was recorded."""
    streams = [in_recorded_order(Updates(life, updates).rows(cast)) for life in lives]
    streams += [ownerships(life, cast) for life in lives]
    streams += [due_dates(life, cast, meetings=meetings) for life in lives]
    streams += [assessments(script, recommendation, cast, as_at=as_at) for recommendation in recommendations]
    streams.append(outcomes)
    return heapq.merge(*streams, key=recorded)
