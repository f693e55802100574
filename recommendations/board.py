"""The words for how the board stood on a day: frozen dataclasses, with what follows from their facts.

position.py fills them. Nothing here asks a database, a clock, a request or a setting.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from recommendations.lateness import DueLine, is_same_date, slip_between
from recommendations.measures import MeasureValue
from recommendations.models import Assessment, LeadBasis, ProgressUpdate, Whose
from recommendations.sent_back import SendBack
from recommendations.status import (
    NOT_REPORTED,
    OVERDUE,
    RANK,
    RECHECK,
    SILENT,
    STALE,
    STATUS_WORDS,
    WORST_FIRST,
    Status,
)
from record.as_at import AsAt
from record.dates import read_edtf
from record.edits import Edit, TakenOff
from record.rows import Position
from record.sources import age_in_words, source_of
from visits.position import FindingPosition, InspectionPosition, voices_in

# How many of the last corrections are listed in one place.
NEWEST = 20
ORDINALS = [
    "no",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
]


@dataclass(frozen=True)
class ActionPosition(Position):
    """How one action stood on the day. ``owner`` is the name its owner had, or "" for nobody.

    ``owner_is_open`` says whether that account is open today, so that somebody can record progress.

    ``dates`` are those that were ever agreed, in the order in which they counted, withdrawn ones among them;
    ``taken_off`` are the proposals that were withdrawn before the board decided. ``sent_back`` says what
    evidence the Chair or the Secretariat want for its last report, or is None.
    """

    owner: str
    owner_id: int | None
    owner_is_open: bool
    recommendations: tuple[int, ...]
    findings: tuple[str, ...]
    status: str
    is_open: bool
    is_overdue: bool
    is_silent: bool
    is_stale: bool
    is_recheck_due: bool
    update: ProgressUpdate | None
    previous: ProgressUpdate | None
    dates: tuple[DueLine, ...]
    proposals: tuple[DueLine, ...]
    refused: tuple[DueLine, ...]
    taken_back: tuple[DueLine, ...]
    ended: tuple[DueLine, ...]
    taken_off: tuple[DueLine, ...]
    sent_back: SendBack | None

    @property
    def agreed_on(self):
        return read_edtf(self.row.agreed_on)

    @property
    def words(self):
        return STATUS_WORDS[self.status]

    @cached_property
    def ledger(self):
        """The agreed dates that count, in the order in which they came to count."""
        return tuple(line for line in self.dates if not line.withdrawn)

    @property
    def due(self):
        """The agreed date that stands, a DueLine, or None where no date is set."""
        return self.ledger[-1] if self.ledger else None

    @property
    def baseline(self):
        """The first agreed date, a DueLine, or None: the first of those that count to enter the record.

        One entered later for an earlier day stands beside it, and does not take its place.
        """
        return min(self.ledger, key=lambda line: (line.agreement.recorded_at, line.pk), default=None)

    @property
    def moves(self):
        """The agreed dates from the first one on, in the order in which they counted.

        One that means the same last day as the one before it moved nothing, and is left out.
        """
        since = self.counted_since_first
        before = zip((None, *since), since, strict=False)
        return tuple(line for was, line in before if was is None or not is_same_date(was.due, line.due))

    @property
    def counted_since_first(self):
        """The agreed dates from the first one on, in the order in which they counted."""
        return self.ledger[self.ledger.index(self.baseline) :] if self.ledger else ()

    @property
    def entered_later(self):
        """The agreed dates that were entered later than the first one, for a day before its own."""
        return self.ledger[: len(self.ledger) - len(self.counted_since_first)]

    @property
    def revisions(self):
        """How many times the agreed date has moved."""
        return max(0, len(self.moves) - 1)

    @property
    def misses(self):
        """How many agreed dates are known to have been missed, those before this record included."""
        return self.earlier_misses + sum(line.is_missed for line in self.ledger)

    @property
    def misses_words(self):
        """The misses in words; earlier ones are a lower bound."""
        return f"at least {self.misses}" if self.earlier_misses else str(self.misses)

    @property
    def untold(self):
        """How many agreed dates passed with nothing reported, so that nobody can say they were missed."""
        return sum(line.passed_in_silence and not line.is_missed for line in self.ledger)

    @property
    def untold_words(self):
        """How many dates the misses say nothing of, in words; "" for none."""
        return dates_untold(self.untold)

    @property
    def slip(self):
        """The Slip from the first agreed date to the present one, or None if it never moved."""
        if not self.revisions:
            return None
        return slip_between(self.baseline.due, self.due.due)

    @property
    def ledger_words(self):
        """The agreed dates in a line: "March 2023 → June 2023: second date, three months later …"."""
        if not self.ledger:
            return "No date set"
        dates = " → ".join(line.due.words for line in self.moves)
        if not self.revisions:
            return dates
        count = len(self.moves)
        ordinal = ORDINALS[count] if count < len(ORDINALS) else f"{count}th"
        return f"{dates}: {ordinal} date, {self.slip.words}"

    @property
    def overdue_since(self):
        """The agreed date that it is overdue on, or None where it is not."""
        return self.due.due if self.is_overdue else None

    @property
    def failing_words(self):
        """How it puts at risk what hangs on it: "is overdue (due March 2023) and off track"."""
        is_off_track = self.status == Status.OFF_TRACK
        if self.is_overdue:
            return f"is overdue (due {self.due.due}){' and off track' if is_off_track else ''}"
        return "is off track"

    @property
    def is_never_reported(self):
        return self.status == NOT_REPORTED

    @property
    def repeats_commentary(self):
        """Whether the last update says word for word what the one before it said."""
        return bool(
            self.update and self.previous and self.update.narrative.split() == self.previous.narrative.split()
        )

    @property
    def newest_reports(self):
        """Its newest update and, if the one before speaks of the same day in other words, that too."""
        if not self.update:
            return ()
        is_same_day = self.previous and self.previous.dated == self.update.dated
        return (self.update, self.previous) if is_same_day and not self.repeats_commentary else (self.update,)

    @property
    def flags(self):
        """{kind: words} of the computed flags that stand beside the status, worst first."""
        flags = {}
        if self.is_overdue:
            flags["overdue"] = OVERDUE.word
        if self.is_silent:
            flags["silent"] = SILENT.word
        if self.is_recheck_due:
            flags["recheck"] = RECHECK.word
        if self.is_stale:
            dated = self.update.signature.dated
            is_a_day = dated.precision == "day"
            flags["stale"] = f"{STALE.word} {dated}" if is_a_day else f"No recent update: last dated {dated}"
        return flags

    @property
    def is_exception(self):
        """Whether the board should look at it first: it is flagged, off track or at risk."""
        return bool(self.flags) or self.status in (Status.OFF_TRACK, Status.AT_RISK)


def dates_untold(count):
    """That ``count`` dates passed in silence, in words, beside how many were missed; "" for none."""
    return f"{count} date{'' if count == 1 else 's'} passed with nothing reported" if count else ""


@dataclass(frozen=True)
class RiskPosition(Position):
    """A risk, with the numbers of the recommendations that it bears on."""

    recommendations: tuple[int, ...]

    @property
    def as_at(self):
        """The day it is from: when its document was published."""
        return read_edtf(self.row.document.published)


@dataclass(frozen=True)
class MeasurePosition(Position):
    """A measure with its newest value."""

    newest: MeasureValue

    @property
    def value(self):
        return self.newest.value

    @property
    def as_at(self):
        return read_edtf(self.newest.as_at)

    @property
    def caveat(self):
        return self.newest.caveat

    @property
    def source(self):
        """Where the value comes from, a Source, or None."""
        return source_of(self.newest)


@dataclass(frozen=True)
class StatusCount:
    """How many actions have one status."""

    status: str
    count: int

    @property
    def words(self):
        return STATUS_WORDS[self.status]


@dataclass(frozen=True)
class DecisionsWanted:
    """What waits for the Chair or the Secretariat: proposed dates, completions, re-checks whose day has come.

    ``proposals`` are pairs of an action and the DueLine proposed for it. ``sent_back`` are the actions of
    which they wait for evidence: no decision is wanted on those yet.
    """

    proposals: tuple[tuple[ActionPosition, DueLine], ...]
    to_accept: tuple[ActionPosition, ...]
    to_recheck: tuple[ActionPosition, ...]
    sent_back: tuple[ActionPosition, ...]

    def __len__(self):
        return len(self.proposals) + len(self.to_accept) + len(self.to_recheck)


def decisions_wanted(actions):
    """The DecisionsWanted on ``actions``."""
    return DecisionsWanted(
        proposals=tuple((a, line) for a in actions for line in a.proposals),
        to_accept=tuple(a for a in actions if a.status == Status.DONE and not a.sent_back),
        to_recheck=tuple(a for a in actions if a.is_recheck_due),
        sent_back=tuple(a for a in actions if a.sent_back),
    )


@dataclass(frozen=True)
class ActionGroup:
    """Some actions as they stood on the day, and what follows from them together."""

    actions: tuple[ActionPosition, ...]

    @property
    def counts(self):
        """A StatusCount for each status that any of them has, worst first."""
        counts = self._counted
        return tuple(StatusCount(s, counts[s]) for s in WORST_FIRST if counts[s])

    @property
    def finished(self):
        """A StatusCount for each of done, complete and embedded: three claims, never added up."""
        counts = self._counted
        return tuple(StatusCount(s, counts[s]) for s in (Status.DONE, Status.COMPLETE, Status.EMBEDDED))

    @property
    def _counted(self):
        return Counter(action.status for action in self.actions)

    @property
    def open(self):
        return tuple(a for a in self.actions if a.is_open)

    @property
    def overdue(self):
        return tuple(a for a in self.actions if a.is_overdue)

    @property
    def silent(self):
        """The actions whose date has passed while nobody has ever reported on them."""
        return tuple(a for a in self.actions if a.is_silent)

    @property
    def stale(self):
        return tuple(a for a in self.actions if a.is_stale)

    @property
    def reported(self):
        """The actions that somebody has reported on."""
        return tuple(a for a in self.actions if not a.is_never_reported)

    @property
    def reported_words(self):
        """How many have been reported on, of how many: "2 of 3 reported"."""
        return f"{len(self.reported)} of {len(self.actions)} reported"

    @property
    def never_reported(self):
        return tuple(a for a in self.actions if a.is_never_reported)

    @property
    def upcoming(self):
        """The open actions with an agreed date not yet past, soonest first."""
        rows = [a for a in self.open if a.due and a.due.due.first and not (a.is_overdue or a.is_silent)]
        return tuple(sorted(rows, key=lambda a: (a.due.due.last or a.due.due.first, a.ref)))


@dataclass(frozen=True)
class LaterConcern:
    """A concern of Ofsted's, with the reports of On track or better before it on what it is linked to."""

    finding: FindingPosition
    actions: tuple[ActionPosition, ...]


@dataclass(frozen=True)
class Views(ActionGroup):
    """What owners, adviser and board, and inspectors say of one recommendation, and where that differs.

    ``number`` is the recommendation's, None for one action that answers findings of Ofsted's only.
    ``concerns`` are later than every assessment and than the newest good report they are linked to.
    """

    number: int | None
    assessments: tuple[Assessment, ...]
    concerns: tuple[LaterConcern, ...]

    @property
    def about(self):
        """What they are views of, in words."""
        return f"Recommendation {self.number}" if self.number else f"Action {self.actions[0].ref}"

    @property
    def worst(self):
        """The worst status that any owner reports or that was accepted, or None if nobody has reported."""
        return min((a.status for a in self.reported), key=RANK.get, default=None)

    @property
    def worst_of(self):
        """The actions that have the worst status."""
        return tuple(a for a in self.reported if a.status == self.worst)

    @property
    def assessment(self):
        """The newest assessment by anyone, or None."""
        return newest_of(self.assessments)

    @property
    def adviser(self):
        """The adviser's newest assessment, or None."""
        return self._judged_by(Whose.ADVISER)

    @property
    def board(self):
        """The board's newest assessment, or None."""
        return self._judged_by(Whose.BOARD)

    def _judged_by(self, whose):
        return next((line for line in self.assessments if line.whose == whose), None)

    @property
    def differences(self):
        """How reports and assessments differ, a sentence each."""
        said, newest = [], self.assessment
        if self.worst and newest and newest.status != self.worst:
            compared = "better" if RANK[self.worst] > RANK[newest.status] else "worse"
            said.append(f"Owners report {compared} than the newest assessment.")
        if len({line.status for line in self.assessments}) > 1:
            said.append("The adviser and the board differ.")
        if self.concerns:
            said.append("Inspectors have recorded a concern since a report of On track or better.")
        return tuple(said)

    @property
    def differ(self):
        return bool(self.differences)

    @property
    def cannot_be_judged(self):
        """Whether nobody has reported, so that there is no owner's view to compare."""
        return not self.reported

    @property
    def newest_concern(self):
        """The latest of the concerns, a LaterConcern, or None."""
        return max(self.concerns, key=lambda c: (c.finding.dated, c.finding.ref), default=None)


def newest_of(statements):
    """The newest of ``statements``, or None."""
    return max(statements, key=lambda row: (row.dated_first, row.pk), default=None)


@dataclass(frozen=True)
class RecommendationProgress(ActionGroup):
    """How the actions that answer one recommendation stood, and what the adviser and the board made of it."""

    number: int
    assessments: tuple[Assessment, ...]

    @property
    def worst(self):
        """The worst status of its actions; Closed only if all are; Not yet reported if none."""
        return min((a.status for a in self.actions), key=RANK.get, default=NOT_REPORTED)


@dataclass(frozen=True)
class RecommendationPosition(Position, RecommendationProgress):
    """How one recommendation stood on the day.

    ``lost`` are the actions, risks and findings that were under it before they were withdrawn or corrected.
    """

    extends: int | None
    findings: tuple[FindingPosition, ...]
    risks: tuple[RiskPosition, ...]
    views: Views
    lost: tuple[TakenOff, ...]

    @property
    def relinked(self):
        """The Edits that took anything off it, or put an action under it: its counts changed by them."""
        joined = (
            edit
            for action in self.actions
            for edit in action.corrections
            if (change := edit.change("recommendations")) and self.pk in change.joined
        )
        return (*(edit for gone in self.lost for edit in gone.corrections), *joined)

    @property
    def was_critical(self):
        """The Edit that took it off the critical recommendations, or None while it is one or never was."""
        if self.is_critical:
            return None
        return next((edit for edit in self.corrections[::-1] if edit.change("is_critical")), None)

    @property
    def lead_is_inferred(self):
        return self.row.lead_basis == LeadBasis.INFERRED

    @property
    def counts_words(self):
        """How many of its actions have each status: "1 off track; 3 on track"."""
        return "; ".join(f"{count.count} {count.words.lower()}" for count in self.counts)

    @property
    def words(self):
        return STATUS_WORDS[self.worst]

    @property
    def next_due(self):
        """The open action whose agreed date comes next, not yet past, or None."""
        return next(iter(self.upcoming), None)

    @property
    def next_due_words(self):
        """When that is, with the action, or why there is no such date."""
        if self.next_due:
            return f"{self.next_due.due.due} ({self.next_due.ref})"
        return "None still to come" if any(a.is_open and a.due for a in self.actions) else "No date set"

    @property
    def voices(self):
        return voices_in(self.findings)

    @property
    def last_update(self):
        """The latest update of any of its actions, or None."""
        return newest_of([a.update for a in self.actions if a.update])

    @property
    def misses(self):
        return sum(a.misses for a in self.actions)

    @property
    def misses_words(self):
        """The misses in words; those before this record began are a lower bound."""
        is_least = any(a.earlier_misses for a in self.actions)
        return f"at least {self.misses}" if is_least else str(self.misses)

    @property
    def untold_words(self):
        """How many dates the misses say nothing of, in words; "" for none."""
        return dates_untold(sum(a.untold for a in self.actions))

    @property
    def endangers(self):
        """The actions of a critical recommendation that are overdue or off track by report.

        They bring nearer what hangs on it.
        """
        if not self.is_critical:
            return ()
        return tuple(a for a in self.actions if a.is_overdue or a.status == Status.OFF_TRACK)

    @property
    def cannot_be_told(self):
        """Why nobody can say whether a critical recommendation's consequence is nearer, in words, or ""."""
        if not self.is_critical or not self.silent:
            return ""
        count = len(self.silent)
        return f"{count} date{' has' if count == 1 else 's have'} passed without a report"


@dataclass(frozen=True)
class ProgressPosition(ActionGroup):
    """How the actions stood as at a day, by themselves and for each recommendation."""

    at: AsAt
    recommendations: tuple[RecommendationProgress, ...]

    @cached_property
    def by_ref(self):
        return {action.ref: action for action in self.actions}


@dataclass(frozen=True)
class BoardPosition(ProgressPosition):
    """The whole board as at a day.

    ``edits`` are the corrections of any edited row that it shows; ``lost_actions`` and ``lost`` what one of
    them took off it: actions, and recommendations, measures and risks.
    """

    recommendations: tuple[RecommendationPosition, ...]
    inspections: InspectionPosition
    measures: tuple[MeasurePosition, ...]
    risks: tuple[RiskPosition, ...]
    views: tuple[Views, ...]
    edits: tuple[Edit, ...]
    lost_actions: tuple[TakenOff, ...]
    lost: tuple[TakenOff, ...]

    def count(self, *statuses):
        """How many actions have one of ``statuses``."""
        return sum(action.status in statuses for action in self.actions)

    @property
    def off_track(self):
        return tuple(a for a in self.actions if a.status == Status.OFF_TRACK)

    @property
    def at_risk(self):
        return tuple(a for a in self.actions if a.status == Status.AT_RISK)

    @property
    def exceptions(self):
        """The actions that need the board's attention, overdue first, then by status, then ref."""
        rows = [a for a in self.actions if a.is_exception]
        return tuple(sorted(rows, key=lambda a: (not a.is_overdue, RANK[a.status], a.ref)))

    @property
    def decisions(self):
        return decisions_wanted(self.actions)

    @property
    def sources(self):
        """The Source of every fact on the board that has one."""
        facts = (*self.recommendations, *self.actions, *self.measures, *self.risks)
        return (*(fact.source for fact in facts if fact.source), *self.inspections.sources)

    @property
    def age_words(self):
        """How old the newest source is, and whether anybody has said anything since, in sentences."""
        said = [*(a.update for a in self.reported), *(a for r in self.recommendations for a in r.assessments)]
        told = newest_of([row for row in said if not row.document_id])
        return age_in_words(self.sources, self.at, told=told and read_edtf(told.dated))

    @property
    def differing(self):
        """The Views that differ, by recommendation."""
        return tuple(views for views in self.views if views.differ)

    @property
    def not_judged(self):
        """The recommendations of which nobody has reported anything that could be compared."""
        return tuple(r for r in self.recommendations if r.views.cannot_be_judged)

    @property
    def not_assessed(self):
        """The recommendations that neither the adviser nor the board has assessed."""
        return tuple(r for r in self.recommendations if not r.assessments)

    @property
    def for_findings_only(self):
        """The actions that answer findings of Ofsted's and no recommendation."""
        return tuple(a for a in self.actions if not a.recommendations)

    @property
    def critical(self):
        return tuple(r for r in self.recommendations if r.is_critical)

    @property
    def newest_edits(self):
        """The last corrections and withdrawals of edited rows, whatever page shows them, newest first."""
        return tuple(sorted(self.edits, key=lambda edit: edit.at, reverse=True)[:NEWEST])

    @property
    def once_critical(self):
        """The recommendations that a correction made critical no more."""
        return tuple(r for r in self.recommendations if r.was_critical)

    @property
    def endangered(self):
        """The critical recommendations whose consequence is brought near, or of which that cannot be told."""
        return tuple(r for r in self.recommendations if r.endangers or r.cannot_be_told)
