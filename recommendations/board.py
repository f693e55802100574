"""The words for how the board stood on a day: frozen dataclasses, with what follows from their facts.

position.py fills them. Nothing here asks a database, a clock, a request or a setting.
"""

from dataclasses import dataclass
from functools import cached_property

from recommendations.action_position import ActionGroup, ActionPosition, dates_untold
from recommendations.lateness import DueLine
from recommendations.measures import MeasureValue
from recommendations.models import Assessment, LeadBasis
from recommendations.status import RANK, STATUS_WORDS, Status
from recommendations.terms import TERMS
from recommendations.views_differ import Views, newest_of
from record.as_at import AsAt
from record.dates import read_edtf
from record.edits import Edit, TakenOff
from record.rows import Position
from record.sources import age_in_words, source_of
from record.statements import Superseded
from visits.position import FindingPosition, InspectionPosition, voices_in

# How many of the last corrections are listed in one place.
NEWEST = 20


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
    """A measure with its newest value, or None where none stands, and those that count no more.

    ``put_right`` are pairs of a value that was corrected or withdrawn and its Superseded, oldest first.
    """

    newest: MeasureValue | None
    put_right: tuple[tuple[MeasureValue, Superseded], ...]

    @property
    def value(self):
        return self.newest.value if self.newest else ""

    @property
    def as_at(self):
        return read_edtf(self.newest.as_at) if self.newest else None

    @property
    def caveat(self):
        return self.newest.caveat if self.newest else ""

    @property
    def source(self):
        """Where the value comes from, a Source, or None."""
        return source_of(self.newest) if self.newest else None


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


def decisions_wanted(actions):
    """The DecisionsWanted on ``actions``."""
    return DecisionsWanted(
        proposals=tuple((a, line) for a in actions for line in a.proposals),
        to_accept=tuple(a for a in actions if a.status == Status.DONE and not a.sent_back),
        to_recheck=tuple(a for a in actions if a.is_recheck_due),
        sent_back=tuple(a for a in actions if a.sent_back),
    )


@dataclass(frozen=True)
class RecommendationProgress(ActionGroup):
    """How the actions that answer one recommendation stood, and what the adviser and the board made of it."""

    number: int
    assessments: tuple[Assessment, ...]

    @property
    def worst(self):
        """The worst status of its actions; Closed only if all are; None if it has none."""
        return min((a.status for a in self.actions), key=RANK.get, default=None)


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
    def words(self):
        """The worst status of its actions, in words."""
        return STATUS_WORDS[self.worst] if self.actions else TERMS["no_action"]

    @property
    def adviser_words(self):
        """What the adviser last said of it, with month and year: "At risk, Aug 2026"."""
        said = self.views.adviser
        return f"{said.words}, {said.signature.dated.month_words}" if said else "Not assessed"

    @property
    def standing_words(self):
        """How it stands as its name goes on: "Recommendation 6 is late"."""
        if self.overdue:
            return "is late"
        if self.endangers:
            return "is off track"
        if self.silent:
            return "cannot be judged"
        if not self.actions:
            return "has no action"
        return f"has an action {self.words.lower()}, at worst" if self.reported else "is not yet reported on"

    @property
    def next_due(self):
        """The open action whose agreed date comes next, not yet past, or None."""
        return next(iter(self.upcoming), None)

    @property
    def next_due_words(self):
        """When that is, with the action, and which dates may have passed; or why there is no such date."""
        due = [f"{self.next_due.due.due} ({self.next_due.ref})"] if self.next_due else []
        if self.perhaps_past:
            due.append(self.perhaps_past_words)
        if due:
            return ". ".join(due)
        return "None still to come" if any(a.is_open and a.due for a in self.actions) else "No date set"

    @property
    def voices(self):
        return voices_in(self.findings)

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

    @cached_property
    def exceptions(self):
        """The actions that need the board's attention, overdue first, then by status, then ref."""
        rows = [a for a in self.actions if a.is_exception]
        return tuple(sorted(rows, key=lambda a: (not a.is_overdue, RANK[a.status], a.ref)))

    @property
    def measures_of_safety(self):
        """The measures that show whether children are safer, by a value that stands."""
        return tuple(measure for measure in self.measures if measure.shows_safety and measure.newest)

    @property
    def decisions(self):
        return decisions_wanted(self.actions)

    @cached_property
    def sources(self):
        """The Source of every fact on the board that has one."""
        facts = (*self.recommendations, *self.actions, *self.measures, *self.risks)
        return (*(fact.source for fact in facts if fact.source), *self.inspections.sources)

    @property
    def age_words(self):
        """How old the newest source is, and whether anybody has said anything since, in sentences."""
        said = [*(a.update for a in self.reported), *(a for r in self.recommendations for a in r.assessments)]
        told = newest_of([row for row in said if not row.document_id])
        kind = "assessment" if isinstance(told, Assessment) else "progress report"
        return age_in_words(self.sources, self.at, told=told and read_edtf(told.dated), kind=kind)

    @cached_property
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
        """The actions that answer findings and no recommendation."""
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
