"""What became of the dates of actions, by lead body: the record that stands beside every new promise.

A case is an agreed date that came to its last day while it was the agreed one. It was missed by the rule of
lateness.py, or kept: the action was complete or embedded by then. One that passed in silence was neither; nor
was one that was moved before it came, nor one whose action was closed before, nor one entered after its day.
They are counted apart, and withdrawn dates nowhere. A date that has not come, or has no last day, is no case;
nor is one that was only agreed again. No rate is given of fewer than FEWEST cases.

A forecast is a report that says how the work goes. One that claims it done, and an acceptance, foretell
nothing: of the dates that were kept, the last entry before is always an acceptance. The last forecast counts
that was dated and recorded in the DAYS_BEFORE days up to the date's last day, as it was worded then.
"""

import datetime
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import NamedTuple

from django.db.models import DateField, ExpressionWrapper, FilteredRelation, OuterRef, Q, Value
from django.db.models.functions import Coalesce
from django.utils.text import capfirst

from recommendations.action_position import ActionPosition, in_a_row
from recommendations.date_outcomes import Outcome, outcome_of
from recommendations.due_dates import DueDate
from recommendations.lateness import DueLine
from recommendations.models import Action, LeadBasis, ProgressUpdate, Recommendation
from recommendations.position import actions_told_of, progress_position
from recommendations.status import ACCEPTED, REPORTABLE, STATUS_WORDS, Status
from record.as_at import EARLIEST, AsAt
from record.dates import read_edtf
from record.kept import kept_position
from record.prepared import ask
from record.rows import rows_as_at
from record.statements import first_of, place_of
from record.texts import so_many

FEWEST = 5
DAYS_BEFORE = 90
FORECASTS = tuple(status for status in REPORTABLE if status != Status.DONE)
FINISHED = tuple(status for status in ACCEPTED if status != Status.CLOSED)
DAYS_IN_A_MONTH = 365.25 / 12
# Of actions that answer findings only.
NOBODY = ""


class Forecast(NamedTuple):
    """What the record of a date needs of the report that foretold it."""

    status: str
    dated: str

    @property
    def in_words(self):
        return f"{STATUS_WORDS[self.status]}, {read_edtf(self.dated)}"


@dataclass(frozen=True)
class Case:
    """An agreed date that came, or was moved before; ``forecast`` is the last in the days before, or None.

    ``days_late`` is, of one that was missed, how long after it the action was complete or, while it
    ``is_open``, how long ago its last day is; None where it was closed without being done. It is 0 where the
    action was accepted for a day by then, but only later: when it was done is not told by that.
    """

    action: ActionPosition
    line: DueLine
    outcome: Outcome
    forecast: Forecast | None
    days_late: int | None

    @property
    def is_open(self):
        return self.action.is_open

    @property
    def outcome_words(self):
        was = " (shown as missed until a report was withdrawn)" if self.line.was_missed else ""
        return f"{self.outcome.value}{was}"

    @property
    def late_words(self):
        """How late what was missed was done: "7 months, so far"."""
        if self.outcome is not Outcome.MISSED:
            return "Not late" if self.outcome is Outcome.KEPT else "Not counted"
        if self.days_late is None:
            return f"Never: {self.action.words.lower()}"
        if not self.days_late:
            return "Not counted: accepted later, for a day by then"
        return f"{months_in_words(self.days_late)}{', so far' if self.is_open else ''}"


@dataclass(frozen=True)
class TrackRecord:
    """The cases of one lead ``body``, or of NOBODY, the latest date first.

    ``numbers`` are those of the recommendations that it leads, ``inferred`` those of them of which that is
    inferred. The dates are those of their actions, whoever owns them. ``earlier_misses`` says how many more
    are known to have been missed before this record began, and nothing else is known of those.
    """

    body: str
    numbers: tuple[int, ...]
    inferred: tuple[int, ...]
    cases: tuple[Case, ...]
    earlier_misses: int

    @property
    def anchor(self):
        """Where it stands on the page of every case."""
        return f"recommendation-{self.numbers[0]}" if self.numbers else "findings-only"

    @property
    def inferred_words(self):
        """That it is inferred that the body leads them: "(inferred)"; "" where a source says so."""
        if self.inferred in ((), self.numbers):
            return "(inferred)" if self.inferred else ""
        several = "s" if len(self.inferred) > 1 else ""
        return f"(inferred for recommendation{several} {in_a_row(self.inferred)})"

    @cached_property
    def missed(self):
        return self._cases(Outcome.MISSED)

    @cached_property
    def kept(self):
        return self._cases(Outcome.KEPT)

    @property
    def count(self):
        """How many came and were reported on, so that they were missed or kept."""
        return len(self.missed) + len(self.kept)

    @property
    def on_track(self):
        """Those of the missed and the kept of which the last forecast was On track."""
        return tuple(
            case
            for case in self.missed + self.kept
            if case.forecast and case.forecast.status == Status.ON_TRACK
        )

    @property
    def came_words(self):
        if not self.cases:
            return "no date that is counted here has come yet"
        return f"{dates(self.count)} came and {'were' if self.count > 1 else 'was'} reported on"

    @property
    def is_too_few(self):
        return self.count < FEWEST

    @property
    def median_words(self):
        """How late the middle one of the missed was: "median 7 months late so far"; "" for none."""
        days = [case.days_late for case in self.missed if case.days_late]
        if not days:
            return ""
        is_open = any(case.is_open for case in self.missed)
        return f"median {months_in_words(median(days))} late{' so far' if is_open else ''}"

    @property
    def words(self):
        """What became of its dates, a sentence, or that there are too few to say."""
        if not self.cases:
            return f"{capfirst(self.came_words)}."
        if self.is_too_few:
            return f"Too few to say: {self.came_words}."
        never = sum(case.days_late is None for case in self.missed)
        closed = f"{never} of them {STATUS_WORDS[Status.CLOSED].lower()}" if never else ""
        late = sum(case.days_late == 0 for case in self.missed)
        accepted = f"{late} of them accepted later, for a day by then" if late else ""
        how = "; ".join(filter(None, (self.median_words, closed, accepted)))
        return f"{self.came_words}: {len(self.missed)} missed{how and f' ({how})'}, {len(self.kept)} kept."

    @property
    def forecast_words(self):
        """How many were missed of those that were last forecast On track; "" where too few came at all."""
        if self.is_too_few:
            return ""
        found = self.on_track
        said = f"last forecast {STATUS_WORDS[Status.ON_TRACK]} in the {DAYS_BEFORE} days before"
        if not found:
            return f"None of them was {said}."
        if len(found) < FEWEST:
            were = "was" if len(found) == 1 else "were"
            return f"Only {len(found)} of them {were} {said}: too few to say how many of those are missed."
        missed = sum(case.outcome is Outcome.MISSED for case in found)
        return f"Of {dates(len(found))} {said}, {missed} {'was' if missed == 1 else 'were'} missed."

    @property
    def apart_words(self):
        """What is counted as neither missed nor kept, a sentence; "" for nothing."""
        counted = (
            (Outcome.SILENT, "passed without a report", "passed without a report"),
            (Outcome.MOVED, "was moved before it came", "were moved before they came"),
            (
                Outcome.CLOSED,
                "was closed, not done, before it came",
                "were closed, not done, before they came",
            ),
            (
                Outcome.ENTERED_LATE,
                "was entered after its day",
                "were entered after their day",
            ),
        )
        said = [
            f"{count} {one if count == 1 else many}"
            for outcome, one, many in counted
            if (count := len(self._cases(outcome)))
        ]
        return f"Counted as neither: {'; '.join(said)}." if said else ""

    @property
    def short_words(self):
        """It where there is room for a line: "8 of 9 dates missed, median 7 months late so far"."""
        if not self.cases:
            said = self.came_words
        elif self.is_too_few:
            said = f"{self.came_words}, too few to say"
        else:
            missed = f"{len(self.missed)} of {dates(self.count)} missed"
            said = ", ".join(filter(None, (missed, self.median_words)))
        earlier = f"at least {self.earlier_misses} missed earlier"
        return f"{said}; {earlier}" if self.earlier_misses else said

    @property
    def earlier_words(self):
        """How many were missed before this record began, a sentence; "" for none."""
        if not self.earlier_misses:
            return ""
        more = f"{self.earlier_misses} more {'was' if self.earlier_misses == 1 else 'were'}"
        return f"At least {more} missed before this record began, not counted here."

    def _cases(self, outcome):
        return tuple(case for case in self.cases if case.outcome is outcome)


@dataclass(frozen=True)
class TrackRecords:
    """A TrackRecord for each lead body, in the order of the recommendations, then one for what answers none.

    What answers several recommendations is counted once for each of their lead bodies.
    """

    at: AsAt
    all: tuple[TrackRecord, ...]

    def of(self, numbers):
        """The records of the lead bodies of the recommendations with ``numbers``, or of what has none."""
        if not numbers:
            return tuple(record for record in self.all if not record.numbers)
        return tuple(record for record in self.all if set(record.numbers) & set(numbers))


def track_records(board):
    """The TrackRecords of ``board``, a BoardPosition, in a few queries, however long its histories are."""
    return _records(board.at, board.actions, board.recommendations)


def track_records_on(at):
    """The TrackRecords on the day asked about, where nothing else of the board is shown."""
    return _records(at, progress_position(at).actions, rows_as_at(Recommendation, at))


def _records(at, actions, recommendations):
    numbers, cases, earlier = defaultdict(list), defaultdict(list), Counter()
    bodies = {each.number: each.lead_body for each in recommendations}
    inferred = {each.number for each in recommendations if each.lead_basis == LeadBasis.INFERRED}
    for number, body in sorted(bodies.items()):
        numbers[body].append(number)
    foretold, finished = _foretold(at), _finished(at)
    for action in actions:
        of_action = cases_of(action, foretold, finished.get(action.pk), at)
        for body in {bodies[number] for number in action.recommendations if number in bodies} or {NOBODY}:
            cases[body] += of_action
            earlier[body] += action.earlier_misses
    found = {body: tuple(sorted(those, key=latest_first)) for body, those in cases.items()}
    alone = [NOBODY] if found.get(NOBODY) else []
    return TrackRecords(
        at,
        tuple(
            TrackRecord(
                body,
                numbers=tuple(numbers[body]),
                inferred=tuple(number for number in numbers[body] if number in inferred),
                cases=found.get(body, ()),
                earlier_misses=earlier[body],
            )
            for body in [*list(numbers), *alone]
        ),
    )


def latest_first(case):
    """What sorts Cases by their date, the latest first."""
    return -case.line.due.last.toordinal(), case.action.ref, case.line.pk


def cases_of(action, foretold, finished_on, at):
    """The Cases of ``action``, given {date's key: its Forecast} and the day it was complete from, or None."""
    found = []
    for line in action.ledger:
        if outcome := outcome_of(action, line):
            days = None
            if outcome is Outcome.MISSED and (action.is_open or finished_on):
                days = max(0, ((at.day if action.is_open else finished_on) - line.due.last).days)
            found.append(Case(action, line, outcome, foretold.get(line.pk), days))
    return found


def _foretold_anew(found, added, at):
    return found | _forecasts_asked(at, keys=sorted(actions_told_of(added)))


@kept_position(renewed=_foretold_anew)
def _foretold(at):
    """{date's key: its Forecast, or None where nobody foretold it}."""
    return _forecasts_asked(at)


def _forecasts_asked(at, **listed):
    rows = ask(_forecasts, at, **listed)
    return {pk: Forecast(status, dated) if status else None for pk, status, dated in rows}


def _forecasts(at, actions=None):
    """The key of each date, and status and day of the last forecast before it, as was worded then."""
    updates, last = ProgressUpdate.objects, OuterRef("due_last")
    told = updates.said(at).filter(
        action=OuterRef("action"),
        status__in=FORECASTS,
        dated_first__gte=ExpressionWrapper(last - datetime.timedelta(days=DAYS_BEFORE), DateField()),
        dated_first__lte=last,
    )
    # Asked last, of what else is a forecast: SQLite calls Python for the day.
    told = told.filter(~updates.superseding("withdraws", at)).filter(known_from__date__lte=last)
    newest = first_of(told.newest_first(), "pk")
    forecast = FilteredRelation("action__updates", condition=Q(action__updates__pk=newest))
    dates = DueDate.objects.said(at).exclude(due_last=None)
    dates = dates if actions is None else dates.filter(action__in=actions)
    return dates.alias(forecast=forecast).values_list("pk", "forecast__status", "forecast__dated")


def _finished_anew(found, added, at):
    return found | dict(ask(_days_finished, at, keys=sorted(actions_told_of(added))))


@kept_position(renewed=_finished_anew)
def _finished(at):
    """{action's key: the day from which it has been complete without a break, or None}."""
    return dict(ask(_days_finished, at))


def _days_finished(at, actions=None):
    """Pairs of an action's key and that day; what was closed, not done, is a break.

    The last break is looked for from the newest report back.
    """
    said = ProgressUpdate.objects.standing(at).filter(action=OuterRef("pk"))
    breaks = said.exclude(status__in=FINISHED).newest_first()
    last = FilteredRelation("updates", condition=Q(updates__pk=first_of(breaks, "pk")))
    day = Coalesce(OuterRef("last__dated_first"), Value(EARLIEST, DateField()))
    since = said.alias(place=place_of(ProgressUpdate)).filter(status__in=FINISHED, dated_first__gte=day)
    is_after = Q(dated_first__gt=day) | Q(place__gt=Coalesce(OuterRef("place"), 0))
    since = since.filter(is_after).oldest_first()
    rows = Action.objects.all() if actions is None else Action.objects.filter(pk__in=actions)
    rows = rows.order_by().alias(last=last).alias(place=place_of(ProgressUpdate, "last__"))
    rows = rows.annotate(day=first_of(since, "dated_first"))
    return rows.values_list("pk", "day")


def dates(count):
    """How many dates, in words: "9 dates", "no date"."""
    return f"{count or 'no'} date{'s' if count > 1 else ''}"


def months_in_words(days):
    """A number of days in months or, below one, in days: "19 months", "18 days"."""
    count, unit = (round(days / DAYS_IN_A_MONTH), "month") if days > 30 else (int(days), "day")
    return so_many(count, unit)
