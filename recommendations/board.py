"""The words for how the board stood on a day: frozen dataclasses, with what follows from their facts.

position.py fills them. Nothing here asks a database, a clock, a request or a setting.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from recommendations.lateness import DueLine, slip_between
from recommendations.measures import MeasureValue
from recommendations.models import Assessment, LeadBasis, ProgressUpdate
from recommendations.status import (
    ACCEPTED,
    NOT_REPORTED,
    OVERDUE,
    RANK,
    RECHECK,
    SILENT,
    STATUS_WORDS,
    WORST_FIRST,
    Status,
)
from record.as_at import AsAt
from record.dates import read_edtf
from record.edits import Edit, TakenOff
from record.rows import Position
from record.sources import source_of
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

    ``dates`` are those that were ever agreed, in the order in which they counted, withdrawn ones among them;
    ``taken_off`` are the proposals that were withdrawn before the board decided.
    """

    owner: str
    owner_id: int | None
    recommendations: tuple[int, ...]
    findings: tuple[str, ...]
    status: str
    is_open: bool
    is_overdue: bool
    is_stale: bool
    is_recheck_due: bool
    update: ProgressUpdate | None
    previous: ProgressUpdate | None
    dates: tuple[DueLine, ...]
    proposals: tuple[DueLine, ...]
    refused: tuple[DueLine, ...]
    taken_off: tuple[DueLine, ...]

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
        """The agreed dates from the first one on, in the order in which they counted."""
        return self.ledger[self.ledger.index(self.baseline) :] if self.ledger else ()

    @property
    def entered_later(self):
        """The agreed dates that were entered later than the first one, for a day before its own."""
        return self.ledger[: len(self.ledger) - len(self.moves)]

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
    def flags(self):
        """{kind: words} of the computed flags that stand beside the status, worst first."""
        flags = {}
        if self.is_overdue:
            flags["overdue"] = OVERDUE.word
        if self.is_recheck_due:
            flags["recheck"] = RECHECK.word
        if self.is_stale:
            dated = self.update.signature.dated
            is_a_day = dated.precision == "day"
            flags["silent"] = (
                f"{SILENT.word} {dated}" if is_a_day else f"No recent update: last dated {dated}"
            )
        return flags

    @property
    def is_exception(self):
        """Whether the board should look at it first: overdue, off track, at risk, silent or unchecked."""
        return bool(self.flags) or self.status in (Status.OFF_TRACK, Status.AT_RISK)


@dataclass(frozen=True)
class RiskPosition(Position):
    """A risk, with the numbers of the recommendations that it bears on."""

    recommendations: tuple[int, ...]


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
class Disagreement:
    """An owner's report that an inspection's concern, or an assessment, contradicts."""

    action: ActionPosition
    recommendation: int | None
    finding: FindingPosition | None = None
    assessment: Assessment | None = None

    @property
    def words(self):
        """How the two differ, in a sentence."""
        update = self.action.update
        said = f"{self.action.owner_role} reported {update.words} ({update.signature.dated})"
        if self.action.status in ACCEPTED:
            said = f"{update.signature.by} accepted it as {update.words} ({update.signature.dated})"
        if self.finding:
            concern = f"a concern{self.finding.where}: {self.finding.text}"
            return f"{said}. But Ofsted has since recorded {concern}"
        judged = self.assessment
        whose = judged.whose_words[0].lower() + judged.whose_words[1:]
        return (
            f"{said}. But the latest assessment of recommendation {self.recommendation}, by {whose}, "
            f"is {judged.words} ({judged.signature.dated})."
        )


@dataclass(frozen=True)
class Contradiction:
    """One assessment or concern of inspectors', and every report of owners' that it contradicts."""

    disagreements: tuple[Disagreement, ...]

    @property
    def recommendation(self):
        return self.disagreements[0].recommendation

    @property
    def under(self):
        """What it is listed under, in words."""
        return f"Recommendation {self.recommendation}" if self.recommendation else "Under no recommendation"

    @property
    def finding(self):
        return self.disagreements[0].finding

    @property
    def assessment(self):
        return self.disagreements[0].assessment

    @property
    def actions(self):
        return tuple(found.action for found in self.disagreements)


def contradictions_among(disagreements):
    """A Contradiction for each recommendation and cause, by number, those under none last."""
    groups = {}
    for found in disagreements:
        cause = found.finding.ref if found.finding else found.assessment.pk
        groups.setdefault((found.recommendation, cause), []).append(found)
    rows = [Contradiction(tuple(group)) for group in groups.values()]
    return tuple(sorted(rows, key=lambda row: (row.recommendation is None, row.recommendation or 0)))


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

    ``proposals`` are pairs of an action and the DueLine proposed for it.
    """

    proposals: tuple[tuple[ActionPosition, DueLine], ...]
    to_accept: tuple[ActionPosition, ...]
    to_recheck: tuple[ActionPosition, ...]

    def __len__(self):
        return len(self.proposals) + len(self.to_accept) + len(self.to_recheck)


def decisions_wanted(actions):
    """The DecisionsWanted on ``actions``."""
    return DecisionsWanted(
        proposals=tuple((a, line) for a in actions for line in a.proposals),
        to_accept=tuple(a for a in actions if a.status == Status.DONE),
        to_recheck=tuple(a for a in actions if a.is_recheck_due),
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
    def stale(self):
        return tuple(a for a in self.actions if a.is_stale)

    @property
    def never_reported(self):
        return tuple(a for a in self.actions if a.is_never_reported)

    @property
    def upcoming(self):
        """The open actions with an agreed date not yet past, soonest first."""
        rows = [a for a in self.open if a.due and a.due.due.first and not a.is_overdue]
        return tuple(sorted(rows, key=lambda a: (a.due.due.last or a.due.due.first, a.ref)))


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
    disagreements: tuple[Disagreement, ...]
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
        updates = [a.update for a in self.actions if a.update]
        return max(updates, key=lambda u: (u.dated_first, u.pk), default=None)

    @property
    def misses(self):
        return sum(a.misses for a in self.actions)

    @property
    def misses_words(self):
        """The misses in words; those before this record began are a lower bound."""
        is_least = any(a.earlier_misses for a in self.actions)
        return f"at least {self.misses}" if is_least else str(self.misses)

    @property
    def assessment(self):
        """The newest assessment by anyone, or None."""
        return max(self.assessments, key=lambda a: (a.dated_first, a.pk), default=None)

    @property
    def endangers(self):
        """The overdue or off-track actions of a critical recommendation: what hangs on it is near."""
        if not self.is_critical:
            return ()
        return tuple(a for a in self.actions if a.is_overdue or a.status == Status.OFF_TRACK)


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
    disagreements: tuple[Disagreement, ...]
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
    def contradictions(self):
        """The disagreements, those with one cause together."""
        return contradictions_among(self.disagreements)

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
        """The critical recommendations whose consequence is brought near."""
        return tuple(r for r in self.recommendations if r.endangers)
