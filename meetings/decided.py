"""What a meeting decided, each with the number under which it was asked for.

What names the meeting was decided at it. A date set in the place of one that had passed, and a report that
an action did not hold, may name none: those dated its day answer what it was asked, and are listed apart,
because nothing says that the board decided them.
"""

import datetime
from collections import defaultdict
from dataclasses import dataclass, replace

from django.db.models import OuterRef

from meetings.decisions import Decisions, asks_of, decisions_of, due_for_recheck_since, numbers_printed
from meetings.outcomes import AskOutcome, LateNote
from recommendations.completions import completions_of
from recommendations.due_dates import Decision, DueDate, ReasonKind
from recommendations.history import DECIDERS
from recommendations.models import ProgressUpdate
from recommendations.position import progress_position, updates_with
from recommendations.sent_back import SendBack
from recommendations.status import REPORTABLE, Status
from record.as_at import AsAt
from record.dates import end_of
from record.held import said_at
from record.models import Ask, AskKind
from record.prepared import ask
from record.statements import Statement, Superseded, first_of, place_of
from record.versions import read_asked


@dataclass(frozen=True)
class Decided:
    """Something that was decided: the statement that says so, and which decision asked for it settles.

    ``key`` is that decision's, or "" where none was asked for, and ``asked_at`` when that began to wait.
    ``is_at_it`` says whether the statement names the meeting, and is not only dated its day.
    """

    row: Statement
    superseded: Superseded | None
    key: str = ""
    asked_at: datetime.datetime | None = None
    number: int | None = None
    is_at_it: bool = True

    @property
    def name(self):
        return f"D{self.number}" if self.number else ""

    @property
    def words(self):
        """What was decided, as a sentence goes on after its number: "D3 agreed"."""
        if isinstance(self.row, ProgressUpdate):
            held = "" if self.row.is_acceptance else "has not held: "
            return f"{held}{self.row.words[0].lower()}{self.row.words[1:]}"
        if isinstance(self.row, DueDate):
            kind = "first date" if self.row.reason_kind == ReasonKind.FIRST else "new date"
            return f"{kind}: {self.row.as_said().now}"
        return self.row.as_said().now

    @property
    def was(self):
        """What was asked for, or what stood before: "proposed: April 2023", or ""."""
        return self.row.as_said().was

    @property
    def text(self):
        return self.row.narrative if isinstance(self.row, ProgressUpdate) else self.row.as_said().text


@dataclass(frozen=True)
class Agenda:
    """The Decisions that a meeting is asked for, and what it Decided by then, in the order of the numbers.

    What has no number comes last. ``asked`` are the keys of the decisions that it had been asked for by its
    own day. ``asks`` are all that it is asked in words, and ``outcomes`` {key of one: the AskOutcome that
    says what became of it}.
    """

    decisions: Decisions
    asked: frozenset[str]
    decided: tuple[Decided, ...]
    asks: tuple[Ask, ...]
    outcomes: dict[int, AskOutcome]

    @property
    def standing(self):
        return tuple(each for each in self.decided if each.is_at_it and not each.superseded)

    @property
    def that_day(self):
        """What settles something that was asked, and is dated that day, but names no meeting."""
        return tuple(each for each in self.decided if not (each.is_at_it or each.superseded))

    @property
    def undecided_words(self):
        """Under which numbers something was asked of which no decision is recorded: "D1 to D4, D7"; or ""."""
        decided = {each.key for each in self.decided if not each.superseded}
        numbers = sorted(self.decisions.numbers[key] for key in self.asked - decided)
        return in_runs(numbers)

    @property
    def put_right(self):
        """What once named the meeting and stands no more. What is only dated its day never said so."""
        return tuple(each for each in self.decided if each.is_at_it and each.superseded)


def agenda(meeting, board, at, *, had=None):
    """The Agenda of ``meeting``, which may be None, as ``board`` asks for it and as was known ``at``.

    ``had`` is the AsAt of ``board`` where that is an earlier one: what the meeting had before it. Numbers are
    those of its newest paper or, where none is out, those of what waited before the first decision was
    recorded, so that to decide one moves none of the others.
    """
    numbers = printed = numbers_printed(meeting, at)
    found = _decided_at(meeting, at) if meeting and meeting.held_on <= at.day else []
    settled = {each.key: each.asked_at for each in found if each.key}
    if settled and not numbers:
        first = min(each.row.recorded_at for each in found if each.key)
        before = progress_position(AsAt(at.today, min(at.day, meeting.held_on), first))
        numbers = decisions_of(before, before.at, numbers={}).numbers
    asks = asks_of(meeting, at)
    outcomes = outcomes_of(asks, at)
    decisions = decisions_of(
        board,
        at,
        numbers=numbers,
        settled=settled,
        asks=[each for each in asks if each.kind == AskKind.DECIDE and each.pk not in outcomes],
        noted={each.key for each in found if _sets_no_date(each, before=(had or at).until)},
    )
    found = [replace(each, number=decisions.numbers.get(each.key)) for each in found]
    found.sort(key=lambda each: (not each.number, each.number or 0))
    asked = decisions.numbers.keys()
    if printed and meeting.held_on < at.day:
        # A version that came out after the meeting may ask for more, of which it could decide nothing.
        by_then = replace(at, known=min(at.until, end_of(meeting.held_on)))
        asked = numbers_printed(meeting, by_then).keys() & asked or asked
    return Agenda(decisions, frozenset(asked), tuple(found), asks, outcomes)


def _sets_no_date(decided, *, before):
    stands = isinstance(decided.row, LateNote) and not decided.superseded
    return stands and decided.row.recorded_at < before


def in_runs(numbers):
    """What decisions with these ``numbers`` are called, those that follow on told as one: "D1 to D3, D7"."""
    runs = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"D{run[0]} to D{run[-1]}" if len(run) > 1 else f"D{run[0]}" for run in runs)


def outcomes_of(asks, at):
    """{key of an ask: the AskOutcome that says what became of it} for those of ``asks`` that have one."""
    rows = read_asked(_outcomes, at, related=("meeting",), keys=[each.pk for each in asks])
    return {row.ask_id: row for row in rows}


def _outcomes(at, asks):
    return AskOutcome.objects.standing(at).filter(ask__in=asks).order_by("dated_first", "pk")


def _decided_at(meeting, at):
    """The Decided of ``meeting`` in the order of the record, without their numbers."""
    said = said_at(meeting, at)
    reports = [row for row, _ in said if isinstance(row, ProgressUpdate)]
    shown = {row.pk: row for row in ProgressUpdate.told(reports)}
    said = [(shown[row.pk] if isinstance(row, ProgressUpdate) else row, found) for row, found in said]
    before = _stood_before(reports, at)
    late = _late_before([row for row, _ in said if isinstance(row, DueDate)], at)
    claiming = {row.report_id for row, _ in said if isinstance(row, SendBack)}
    claiming |= {was.pk for was in before.values() if was and was.status == Status.DONE}
    completions = completions_of(claiming, at)
    found = [Decided(row, superseded, *_settles(row, before, late, completions)) for row, superseded in said]
    found += [
        Decided(row, row.superseded(at), *what, is_at_it=False)
        for row, *what in settled_on([meeting.held_on], at)
    ]
    return sorted(found, key=lambda each: each.row.recorded_at)


def settled_on(days, at):
    """[(row, key, when it was asked)] of what settles something on one of ``days``, and names no meeting.

    A date set anew for an action that was late, and a decider's report that a completed one did not hold.
    """
    return [*_dates_set_on(days, at), *_found_not_to_hold_on(days, at)]


def _dates_set_on(days, at):
    rows = read_asked(_dates_set, at, related=("action",), days=days)
    late = _late_before(rows, at)
    return [(row, f"late {was.pk}", was.recorded_at) for row in rows if (was := late.get(row.pk))]


def _late_before(rows, at):
    """{key of a date of ``rows``: the agreed one before it, where that had passed when it was set}."""
    actions, counted = sorted({row.action_id for row in rows}), defaultdict(list)
    for date in ask(_dates_that_counted, at, keys=actions):
        counted[date.action_id].append(date)
    found = {}
    for row in rows:
        earlier = [date for date in counted[row.action_id] if _counted_before(date, row)]
        was = earlier[-1] if earlier else None
        if was and was.due_last and was.due_last < row.dated_first:
            found[row.pk] = was
    return found


def _counted_before(date, row):
    """Whether the agreed ``date`` stood when ``row`` was set, which one that was withdrawn for it did not."""
    withdrawn = getattr(date, "withdrawn_by", None)
    stood = withdrawn is None or withdrawn.recorded_at > row.recorded_at
    return date.agreed_at < row.recorded_at and stood


def _dates_set(at, days):
    said = DueDate.objects.said(at).filter(
        dated_first__in=days, needs_decision=False, document=None, meeting=None
    )
    return said.select_related("withdrawn_by", "corrected_by").order_by("pk")


def _dates_that_counted(at, actions):
    dates = DueDate.objects.with_effect(at).filter(action__in=actions, effective_on__isnull=False)
    return dates.select_related("withdrawn_by").order_by("effective_on", "agreed_at", "pk")


def _found_not_to_hold_on(days, at):
    rows = read_asked(_reports_made, at, related=("action",), days=days)
    rows = [row for row in rows if row.signature.role in DECIDERS]
    before = _stood_before(rows, at)
    found = []
    for row in rows:
        was = before[row.pk]
        if was and was.status == Status.COMPLETE and was.recheck_on <= row.dated_first:
            found.append((row, f"re-check {was.place}", due_for_recheck_since(was)))
    return found


def _reports_made(at, days):
    said = ProgressUpdate.objects.said(at).filter(
        dated_first__in=days, status__in=REPORTABLE, document=None, on_behalf_of=None, meeting=None
    )
    return said.select_related("withdrawn_by", "corrected_by").order_by("pk")


def _stood_before(reports, at):
    """{key of each of ``reports``: the newest earlier update of its action of another status, or None}."""
    before = dict(ask(_keys_before, at, keys=[report.pk for report in reports]))
    rows = {row.pk: row for row in ask(updates_with, at, keys=sorted({*before.values()} - {None}))}
    return {report: rows.get(update) for report, update in before.items()}


def _keys_before(at, reports):
    """Pairs of the key of a report and of the one before it, however many of the same status are between.

    One that had been withdrawn, or corrected, when the report was made was not before it.
    """
    place = place_of(ProgressUpdate)
    earlier = ProgressUpdate.objects.said(at).filter(action=OuterRef("action"), pk__lt=OuterRef("pk"))
    for how in ("withdrawn_by", "corrected_by"):
        earlier = earlier.exclude(**{f"{how}__lt": OuterRef("pk")})
    others = earlier.alias(place=place).filter(place__lt=OuterRef("place")).exclude(status=OuterRef("status"))
    rows = ProgressUpdate.objects.filter(pk__in=reports).annotate(place=place)
    return rows.annotate(before=first_of(others.newest_first(), "pk")).values_list("pk", "before")


def places_of_reports(_at, reports):
    """Pairs of the key of a report and of its place."""
    rows = ProgressUpdate.objects.filter(pk__in=reports).annotate(place=place_of(ProgressUpdate))
    return rows.values_list("pk", "place")


def _settles(row, before, late, completions):
    """The key of the decision asked for that ``row`` settles, and when it was asked; or "" and None.

    ``before`` are the updates that stood before the reports, ``late`` the dates that others replaced, and
    ``completions`` what the reports claimed that were accepted or sent back.
    """
    if isinstance(row, Decision):
        return f"date {row.due_date_id}", row.due_date.recorded_at
    if isinstance(row, SendBack):
        return f"completion {completions[row.report_id].place}", row.report.recorded_at
    if isinstance(row, LateNote):
        return f"late {row.due_date_id}", row.due_date.recorded_at
    if isinstance(row, DueDate) and (was := late.get(row.pk)):
        return f"late {was.pk}", was.recorded_at
    if isinstance(row, ProgressUpdate) and (was := before[row.pk]):
        if was.status == Status.DONE:
            return f"completion {completions[was.pk].place}", was.recorded_at
        if was.status == Status.COMPLETE:
            return f"re-check {was.place}", due_for_recheck_since(was)
    return "", None
