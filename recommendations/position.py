"""How the whole board stood on a day: frozen dataclasses, read in a fixed number of queries.

Screens, papers, comparisons and charts all draw from here, so they cannot disagree. Nothing here reads
a clock, a request or a setting, and nothing here writes HTML.
"""

import datetime
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import cached_property

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Greatest

from recommendations.models import (
    NOT_REPORTED,
    OPEN,
    STATUS_WORDS,
    WORST_FIRST,
    Action,
    Assessment,
    Decision,
    DueDate,
    LeadBasis,
    Measure,
    Outcome,
    ProgressUpdate,
    Recommendation,
    Risk,
    Status,
)
from visits.dates import PartialDate, read_edtf
from visits.models import Attribution, Event, EventKind, Finding, FindingKind, Judgement, Visit

ON_TRACK_OR_BETTER = (Status.ON_TRACK, Status.DONE, Status.COMPLETE, Status.EMBEDDED)
NUMBERS = "no one two three four five six seven eight nine".split()
ORDINALS = "no first second third fourth fifth sixth seventh eighth ninth tenth".split()


def rank(status):
    """Return the place of ``status`` from worst (0) to best; closed comes last."""
    return WORST_FIRST.index(status)


def in_words(number):
    """Return ``number`` as a word up to nine, else in figures."""
    return NUMBERS[number] if 0 < number < len(NUMBERS) else str(number)


@dataclass(frozen=True)
class Source:
    """Where a fact comes from: the document and the place in it."""

    title: str
    publisher: str
    published: PartialDate
    reference: str
    url: str

    def __str__(self):
        return f"{self.title}, {self.reference}" if self.reference else self.title


def source_of(row):
    """Return the Source of a row that has a document, or None for one that a person recorded."""
    if not row.document_id:
        return None
    document = row.document
    return Source(
        document.title,
        document.publisher,
        read_edtf(document.published),
        row.reference,
        document.url,
    )


def name_of(user):
    """Return how a person is named on the board, or an empty string for nobody."""
    return (user.get_full_name() or user.get_username()) if user else ""


@dataclass(frozen=True)
class Signature:
    """Who stated something, for which day, and when the server took it."""

    dated: PartialDate
    recorded_at: datetime.datetime
    recorded_by: str
    recorded_as: str
    days_late: int
    source: Source | None
    correction_reason: str

    @property
    def by(self):
        """Return who stated it, in words."""
        if self.source:
            return f"loaded from {self.source.title}"
        return f"{self.recorded_by} ({self.recorded_as})" if self.recorded_as else self.recorded_by

    @property
    def lateness(self):
        """Return "recorded 3 weeks later" where it was recorded after the day it speaks of, else ""."""
        return f"recorded {span_in_words(self.days_late)} later" if self.days_late else ""


def span_in_words(days):
    """Return a number of days, 1 or more, in its largest whole unit: "3 weeks", "1 day"."""
    for size, unit in ((365, "year"), (30, "month"), (7, "week"), (1, "day")):
        if days >= size:
            count = days // size
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "0 days"


def signature_of(row):
    """Return the Signature of a statement whose recorder and document are loaded."""
    return Signature(
        read_edtf(row.dated),
        row.recorded_at,
        name_of(row.recorded_by),
        row.recorded_as,
        row.days_late(),
        source_of(row),
        row.correction_reason,
    )


@dataclass(frozen=True)
class Update:
    """A progress update as the board reads it."""

    pk: int
    signature: Signature
    status: str
    narrative: str
    reason: str
    recovery_step: str
    difference_made: str
    evidence: str
    recheck_on: datetime.date | None
    on_behalf_of: str

    @property
    def words(self):
        return STATUS_WORDS[self.status]


def update_of(row):
    """Return the Update for a ProgressUpdate whose people and document are loaded."""
    return Update(
        row.pk,
        signature_of(row),
        row.status,
        row.narrative,
        row.reason,
        row.recovery_step,
        row.difference_made,
        row.evidence,
        row.recheck_on,
        name_of(row.on_behalf_of),
    )


@dataclass(frozen=True)
class Decided:
    """What the board decided about a proposed date."""

    signature: Signature
    is_agreed: bool
    meeting_on: datetime.date | None
    reason: str


@dataclass(frozen=True)
class DueLine:
    """One due date that an action has had, or that was proposed for it.

    ``effective_on`` is the day from which it counted, None for a proposal not agreed; ``is_missed`` says
    whether its last day passed while it was the agreed date and the action open.
    """

    pk: int
    due: PartialDate
    signature: Signature
    reason_kind: str
    reason_kind_words: str
    reason: str
    is_proposal: bool
    effective_on: datetime.date | None
    decided: Decided | None
    is_missed: bool

    @property
    def agreed_by(self):
        """Return who agreed it, in words."""
        if not self.is_proposal:
            return self.signature.by
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
        return f"{in_words(number)} {unit} {'later' if self.count > 0 else 'earlier'} than first agreed"


def slip_between(first, last):
    """Return the Slip from the PartialDate ``first`` to ``last``; they must be of one precision to count."""
    if first.precision != last.precision or not first.precision or not (first.last and last.last):
        return Slip("", 0)
    if first.precision == "day":
        return Slip("day", (last.first - first.first).days)
    years = last.first.year - first.first.year
    if first.precision == "year":
        return Slip("year", years)
    return Slip("month", 12 * years + last.first.month - first.first.month)


@dataclass(frozen=True)
class ActionPosition:
    """How one action stood on the day."""

    pk: int
    ref: str
    title: str
    owner_role: str
    owner: str
    owner_id: int | None
    note: str
    agreed_on: PartialDate
    source: Source | None
    recommendations: tuple[int, ...]
    findings: tuple[str, ...]
    status: str
    is_open: bool
    is_overdue: bool
    is_stale: bool
    is_recheck_due: bool
    update: Update | None
    previous: Update | None
    ledger: tuple[DueLine, ...]
    proposals: tuple[DueLine, ...]
    refused: tuple[DueLine, ...]
    earlier_misses: int

    @property
    def words(self):
        return STATUS_WORDS[self.status]

    @property
    def due(self):
        """Return the agreed date that stands, a DueLine, or None where no date is set."""
        return self.ledger[-1] if self.ledger else None

    @property
    def baseline(self):
        """Return the first agreed date, a DueLine, or None."""
        return self.ledger[0] if self.ledger else None

    @property
    def revisions(self):
        """Return how many times the agreed date has moved."""
        return max(0, len(self.ledger) - 1)

    @property
    def misses(self):
        """Return how many agreed dates are known to have been missed, those before this record included."""
        return self.earlier_misses + sum(line.is_missed for line in self.ledger)

    @property
    def misses_words(self):
        """Return the misses in words; earlier ones are a lower bound."""
        return f"at least {self.misses}" if self.earlier_misses else str(self.misses)

    @property
    def slip(self):
        """Return the Slip from the first agreed date to the present one, or None if it never moved."""
        if not self.revisions:
            return None
        return slip_between(self.baseline.due, self.due.due)

    @property
    def ledger_words(self):
        """Return the agreed dates in a line: "March 2023 → June 2023: second date, three months later …"."""
        if not self.ledger:
            return "No date set"
        dates = " → ".join(line.due.words for line in self.ledger)
        if not self.revisions:
            return dates
        count = len(self.ledger)
        ordinal = ORDINALS[count] if count < len(ORDINALS) else f"{count}th"
        return f"{dates}: {ordinal} date, {self.slip.words}"

    @property
    def is_never_reported(self):
        return self.status == NOT_REPORTED

    @property
    def repeats_commentary(self):
        """Whether the last update says word for word what the one before it said."""
        return bool(
            self.update
            and self.previous
            and self.update.narrative.split() == self.previous.narrative.split()
        )

    @property
    def flags(self):
        """Return the computed flags that stand beside the status, in words, worst first."""
        flags = []
        if self.is_overdue:
            flags.append("Overdue")
        if self.is_recheck_due:
            flags.append("Re-check due")
        if self.is_stale:
            flags.append(f"No update since {self.update.signature.dated}")
        return tuple(flags)

    @property
    def is_exception(self):
        """Whether the board should look at it first: overdue, off track, at risk, silent or unchecked."""
        return bool(self.flags) or self.status in (Status.OFF_TRACK, Status.AT_RISK)


@dataclass(frozen=True)
class FindingLine:
    """A finding or claim; ``dated`` is the first day it may speak of: its visit's, else its document's."""

    ref: str
    kind: str
    kind_words: str
    attribution: str
    attribution_words: str
    text: str
    note: str
    dated: datetime.date
    visit: str
    visit_slug: str
    visit_dates: PartialDate | None
    source: Source

    @property
    def is_ofsted_concern(self):
        concerns = (FindingKind.CONCERN, FindingKind.PRIORITY)
        return self.attribution == Attribution.OFSTED and self.kind in concerns

    @property
    def is_claim(self):
        """Whether this is something said by others than inspectors, to be set apart from findings."""
        return self.attribution != Attribution.OFSTED


def finding_of(row):
    """Return the FindingLine for a Finding whose visit and document are loaded."""
    dates = read_edtf(row.visit.dates) if row.visit_id else None
    return FindingLine(
        row.ref,
        row.kind,
        row.get_kind_display(),
        row.attribution,
        row.get_attribution_display(),
        row.text,
        row.note,
        (dates and dates.first) or row.document.published_first,
        str(row.visit) if row.visit_id else "",
        row.visit.slug if row.visit_id else "",
        dates,
        source_of(row),
    )


@dataclass(frozen=True)
class AssessmentLine:
    """What the adviser or the board makes of a recommendation."""

    pk: int
    signature: Signature
    whose: str
    whose_words: str
    status: str
    narrative: str

    @property
    def words(self):
        return STATUS_WORDS[self.status]


@dataclass(frozen=True)
class RiskLine:
    ref: str
    text: str
    note: str
    recommendations: tuple[int, ...]
    source: Source


@dataclass(frozen=True)
class MeasureLine:
    ref: str
    name: str
    value: str
    unit: str
    as_at: PartialDate
    caveat: str
    note: str
    source: Source


@dataclass(frozen=True)
class Disagreement:
    """An owner's report that an inspection's concern, or an assessment, contradicts."""

    action: ActionPosition
    recommendation: int | None
    finding: FindingLine | None = None
    assessment: AssessmentLine | None = None


@dataclass(frozen=True)
class StatusCount:
    """How many actions have one status."""

    status: str
    count: int

    @property
    def words(self):
        return STATUS_WORDS[self.status]


def count_statuses(actions):
    """Return a StatusCount for each status that any of ``actions`` has, worst first."""
    counts = Counter(action.status for action in actions)
    return tuple(StatusCount(s, counts[s]) for s in WORST_FIRST if counts[s])


@dataclass(frozen=True)
class RecommendationPosition:
    """How one recommendation stood on the day."""

    pk: int
    number: int
    title: str
    summary: str
    official_wording: str
    lead_body: str
    lead_is_inferred: bool
    theme: str
    is_critical: bool
    consequence: str
    extends: int | None
    note: str
    source: Source
    actions: tuple[ActionPosition, ...]
    findings: tuple[FindingLine, ...]
    assessments: tuple[AssessmentLine, ...]
    risks: tuple[RiskLine, ...]
    disagreements: tuple[Disagreement, ...]

    @property
    def counts(self):
        return count_statuses(self.actions)

    @property
    def worst(self):
        """Return the worst status of its actions; Closed only if all are; Not yet reported if none."""
        return min((a.status for a in self.actions), key=rank, default=NOT_REPORTED)

    @property
    def words(self):
        return STATUS_WORDS[self.worst]

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
    def next_due(self):
        """Return the open action whose agreed date comes next, not yet past, or None."""
        ahead = [
            a for a in self.actions if a.is_open and a.due and a.due.due.first and not a.is_overdue
        ]
        return min(ahead, key=lambda a: (a.due.due.last or a.due.due.first, a.ref), default=None)

    @property
    def last_update(self):
        """Return the latest update of any of its actions, or None."""
        updates = [a.update for a in self.actions if a.update]
        return max(updates, key=lambda u: (u.signature.dated.first, u.pk), default=None)

    @property
    def misses(self):
        return sum(a.misses for a in self.actions)

    @property
    def assessment(self):
        """Return the newest assessment by anyone, or None."""
        return max(
            self.assessments, key=lambda a: (a.signature.dated.first, a.pk), default=None
        )

    @property
    def endangers(self):
        """Return the overdue or off-track actions of a critical recommendation: what hangs on it is near."""
        if not self.is_critical:
            return ()
        return tuple(a for a in self.actions if a.is_overdue or a.status == Status.OFF_TRACK)


@dataclass(frozen=True)
class JudgementLine:
    area: str
    grade: str
    grade_words: str
    note: str
    source: Source


@dataclass(frozen=True)
class VisitPosition:
    """An inspection or visit as it was on the board that day."""

    slug: str
    name: str
    kind: str
    kind_words: str
    number: int
    authority: str
    is_graded: bool
    dates: PartialDate
    published: PartialDate
    letter_words: str
    theme: str
    inspectors: str
    note: str
    source: Source
    judgements: tuple[JudgementLine, ...]
    findings: tuple[FindingLine, ...]


@dataclass(frozen=True)
class EventLine:
    ref: str
    is_forecast: bool
    date: PartialDate
    text: str
    note: str
    source: Source


@dataclass(frozen=True)
class BoardPosition:
    """The whole board as at a day."""

    as_at: datetime.date
    known: datetime.datetime | None
    recommendations: tuple[RecommendationPosition, ...]
    actions: tuple[ActionPosition, ...]
    visits: tuple[VisitPosition, ...]
    events: tuple[EventLine, ...]
    measures: tuple[MeasureLine, ...]
    risks: tuple[RiskLine, ...]
    disagreements: tuple[Disagreement, ...]

    @cached_property
    def by_ref(self):
        return {action.ref: action for action in self.actions}

    @property
    def counts(self):
        return count_statuses(self.actions)

    def count(self, *statuses):
        """Return how many actions have one of ``statuses``."""
        return sum(action.status in statuses for action in self.actions)

    @property
    def open(self):
        return tuple(a for a in self.actions if a.is_open)

    @property
    def overdue(self):
        return tuple(a for a in self.actions if a.is_overdue)

    @property
    def off_track(self):
        return tuple(a for a in self.actions if a.status == Status.OFF_TRACK)

    @property
    def at_risk(self):
        return tuple(a for a in self.actions if a.status == Status.AT_RISK)

    @property
    def stale(self):
        return tuple(a for a in self.actions if a.is_stale)

    @property
    def never_reported(self):
        return tuple(a for a in self.actions if a.is_never_reported)

    @property
    def exceptions(self):
        """Return the actions that need the board's attention, overdue first, then by status, then ref."""
        rows = [a for a in self.actions if a.is_exception]
        return tuple(sorted(rows, key=lambda a: (not a.is_overdue, rank(a.status), a.ref)))

    @property
    def upcoming(self):
        """Return the open actions with an agreed date not yet past, soonest first."""
        rows = [a for a in self.open if a.due and a.due.due.first and not a.is_overdue]
        return tuple(sorted(rows, key=lambda a: (a.due.due.last or a.due.due.first, a.ref)))

    @property
    def awaiting_acceptance(self):
        return tuple(a for a in self.actions if a.status == Status.DONE)

    @property
    def rechecks_due(self):
        return tuple(a for a in self.actions if a.is_recheck_due)

    @property
    def proposals(self):
        """Return (action, proposal) for every proposed date that the board has not decided."""
        return tuple((a, line) for a in self.actions for line in a.proposals)

    @property
    def critical(self):
        return tuple(r for r in self.recommendations if r.is_critical)

    @property
    def endangered(self):
        """Return the critical recommendations whose consequence an overdue or off-track action brings near."""
        return tuple(r for r in self.recommendations if r.endangers)

    @property
    def ofsted_visits(self):
        """Return the council's own inspections and visits by Ofsted, oldest first."""
        return tuple(
            v for v in self.visits if v.authority == "BCP Council" and v.kind != "diagnostic"
        )

    @property
    def current_inspection(self):
        """Return the latest of them that has grades on the board, or None."""
        graded = [v for v in self.ofsted_visits if v.judgements]
        return graded[-1] if graded else None

    @property
    def latest_visit(self):
        """Return the latest inspection or visit by Ofsted, or None."""
        return self.ofsted_visits[-1] if self.ofsted_visits else None

    @property
    def forecasts(self):
        return tuple(e for e in self.events if e.is_forecast)


def board_position(*, as_at, known=None):
    """Return the BoardPosition at the end of the day ``as_at``, in a fixed number of queries.

    With ``known``, an aware datetime, it uses only what had been recorded before that moment.
    """
    on_the_day = Action.objects.as_at(as_at, known=known).order_by("ref")
    actions = action_positions(on_the_day, as_at=as_at, known=known)
    findings = {
        row.ref: finding_of(row)
        for row in Finding.objects.begun(as_at=as_at).select_related("visit", "document")
    }
    risks = _risks(as_at=as_at)
    recommendations = _recommendations(actions, findings, risks, as_at=as_at, known=known)
    return BoardPosition(
        as_at=as_at,
        known=known,
        recommendations=recommendations,
        actions=actions,
        visits=_visits(findings, as_at=as_at),
        events=tuple(
            EventLine(
                row.ref,
                row.kind == EventKind.FORECAST,
                read_edtf(row.date),
                row.text,
                row.note,
                source_of(row),
            )
            for row in Event.objects.begun(as_at=as_at).select_related("document")
        ),
        measures=tuple(
            MeasureLine(
                row.ref,
                row.name,
                row.value,
                row.unit,
                read_edtf(row.as_at),
                row.caveat,
                row.note,
                source_of(row),
            )
            for row in Measure.objects.begun(as_at=as_at).select_related("document")
        ),
        risks=risks,
        disagreements=_disagreements(actions, recommendations, findings),
    )


def action_positions(actions, *, as_at, known=None):
    """Return an ActionPosition for each of ``actions``, a queryset annotated by ``as_at``, in its order."""
    actions = list(actions.select_related("owner", "document"))
    keys = [action.pk for action in actions]
    recommendations, findings = defaultdict(list), defaultdict(list)
    for action, number in (
        Recommendation.objects.begun(as_at=as_at)
        .filter(actions__in=keys)
        .order_by("number")
        .values_list("actions", "number")
    ):
        recommendations[action].append(number)
    for action, ref in (
        Finding.objects.begun(as_at=as_at)
        .filter(actions__in=keys)
        .order_by("ref")
        .values_list("actions", "ref")
    ):
        findings[action].append(ref)
    latest = {a.update_id for a in actions} | {a.previous_update_id for a in actions}
    updates = {
        row.pk: update_of(row)
        for row in ProgressUpdate.objects.filter(pk__in=latest - {None}).select_related(
            "recorded_by", "on_behalf_of", "document"
        )
    }
    lines = _due_lines(keys, as_at=as_at, known=known)
    positions = []
    for action in actions:
        update = updates.get(action.update_id)
        due_lines = [line for line, _ in lines[action.pk]]
        positions.append(
            ActionPosition(
                pk=action.pk,
                ref=action.ref,
                title=action.title,
                owner_role=action.owner_role,
                owner=name_of(action.owner),
                owner_id=action.owner_id,
                note=action.note,
                agreed_on=read_edtf(action.agreed_on),
                source=source_of(action),
                recommendations=tuple(recommendations[action.pk]),
                findings=tuple(findings[action.pk]),
                status=action.status,
                is_open=action.is_open,
                is_overdue=action.is_overdue,
                is_stale=action.is_stale,
                is_recheck_due=bool(
                    update and update.status == Status.COMPLETE and update.recheck_on <= as_at
                ),
                update=update,
                previous=updates.get(action.previous_update_id),
                ledger=_with_misses(lines[action.pk], as_at),
                proposals=tuple(line for line in due_lines if line.is_proposal and not line.decided),
                refused=tuple(
                    line for line in due_lines if line.decided and not line.decided.is_agreed
                ),
                earlier_misses=action.earlier_misses,
            )
        )
    return tuple(positions)


def _due_lines(keys, *, as_at, known):
    """Return {action pk: [(DueLine, first day on which it was open past that date), ...]}.

    Every standing date is here, agreed or not, and none is yet judged missed. Two index look-ups for
    each find the day, so the length of an action's history does not matter.
    """
    reports = ProgressUpdate.objects.standing(as_at=as_at, known=known).filter(
        action=OuterRef("action")
    )
    deadline = OuterRef("deadline")
    rows = (
        DueDate.objects.with_effect(as_at=as_at, known=known)
        .filter(action__in=keys)
        .annotate(deadline=Greatest("due_last", "effective_on"))
        .annotate(
            status_then=Subquery(
                reports.filter(dated_first__lte=deadline).newest_first().values("status")[:1]
            ),
            open_again_on=Subquery(
                reports.filter(dated_first__gt=deadline, status__in=OPEN)
                .order_by("dated_first", "pk")
                .values("dated_first")[:1]
            ),
        )
        .select_related("recorded_by", "document")
        .order_by("dated_first", "pk")
    )
    decisions = {
        row.due_date_id: Decided(
            signature_of(row), row.outcome == Outcome.AGREED, row.meeting_on, row.reason
        )
        for row in Decision.objects.standing(as_at=as_at, known=known)
        .filter(due_date__action__in=keys)
        .select_related("recorded_by", "document")
    }
    lines = defaultdict(list)
    for row in rows:
        was_open = row.status_then is None or row.status_then in OPEN
        line = DueLine(
            row.pk,
            read_edtf(row.due),
            signature_of(row),
            row.reason_kind,
            row.get_reason_kind_display(),
            row.reason,
            row.needs_decision,
            row.effective_on,
            decisions.get(row.pk),
            False,
        )
        lines[row.action_id].append((line, row.deadline if was_open else row.open_again_on))
    return lines


def _with_misses(lines, as_at):
    """Return the agreed dates in the order they counted, each with whether it was missed.

    ``lines`` are (DueLine, the first day, past its last, on which the action was open). A date that was
    replaced by then, even on that very day, was not missed; nothing later clears one that was.
    """
    agreed = sorted(
        ((line, open_on) for line, open_on in lines if line.effective_on),
        key=lambda pair: (pair[0].effective_on, pair[0].pk),
    )
    replaced_on = [line.effective_on for line, _ in agreed[1:]] + [None]
    return tuple(
        replace(
            line,
            is_missed=bool(
                line.due.last
                and line.due.last < as_at
                and open_on
                and (not replaced or replaced > open_on)
            ),
        )
        for (line, open_on), replaced in zip(agreed, replaced_on, strict=True)
    )


def _risks(*, as_at):
    rows = Risk.objects.begun(as_at=as_at).select_related("document")
    return tuple(
        RiskLine(
            row.ref,
            row.text,
            row.note,
            tuple(sorted(r.number for r in row.recommendations.all())),
            source_of(row),
        )
        for row in rows.prefetch_related("recommendations")
    )


def _visits(findings, *, as_at):
    rows = Visit.objects.begun(as_at=as_at).select_related("document").in_order()
    judgements, found = defaultdict(list), defaultdict(list)
    for row in (
        Judgement.objects.begun(as_at=as_at)
        .select_related("area", "document")
        .order_by("area__framework", "area__order")
    ):
        judgements[row.visit_id].append(
            JudgementLine(
                row.area.name, row.grade, row.get_grade_display(), row.note, source_of(row)
            )
        )
    for finding in findings.values():
        found[finding.visit_slug].append(finding)
    return tuple(
        VisitPosition(
            slug=row.slug,
            name=str(row),
            kind=row.kind,
            kind_words=row.get_kind_display(),
            number=row.number,
            authority=row.authority,
            is_graded=row.is_graded,
            dates=read_edtf(row.dates),
            published=read_edtf(row.published),
            letter_words=row.get_letter_display(),
            theme=row.theme,
            inspectors=row.inspectors,
            note=row.note,
            source=source_of(row),
            judgements=tuple(judgements[row.pk]),
            findings=tuple(found[row.slug]),
        )
        for row in rows
    )


def _recommendations(actions, findings, risks, *, as_at, known):
    assessments = defaultdict(dict)
    for row in (
        Assessment.objects.standing(as_at=as_at, known=known)
        .latest_of_each()
        .select_related("recorded_by", "document")
    ):
        assessments[row.recommendation_id][row.whose] = AssessmentLine(
            row.pk,
            signature_of(row),
            row.whose,
            row.get_whose_display(),
            row.status,
            row.narrative,
        )
    answering = defaultdict(list)
    for action in actions:
        for number in action.recommendations:
            answering[number].append(action)
    linked = defaultdict(list)
    for number, ref in (
        Recommendation.objects.filter(findings__ref__in=list(findings))
        .order_by("number", "findings__ref")
        .values_list("number", "findings__ref")
    ):
        linked[number].append(findings[ref])
    positions = []
    for row in (
        Recommendation.objects.begun(as_at=as_at)
        .select_related("document", "extends")
        .order_by("number")
    ):
        standing = tuple(assessments[row.pk][whose] for whose in sorted(assessments[row.pk]))
        positions.append(
            RecommendationPosition(
                pk=row.pk,
                number=row.number,
                title=row.title,
                summary=row.summary,
                official_wording=row.official_wording,
                lead_body=row.lead_body,
                lead_is_inferred=row.lead_basis == LeadBasis.INFERRED,
                theme=row.theme,
                is_critical=row.is_critical,
                consequence=row.consequence,
                extends=row.extends.number if row.extends else None,
                note=row.note,
                source=source_of(row),
                actions=tuple(answering[row.number]),
                findings=tuple(linked[row.number]),
                assessments=standing,
                risks=tuple(risk for risk in risks if row.number in risk.recommendations),
                disagreements=tuple(
                    found
                    for action in answering[row.number]
                    if (found := _disagreement(action, row.number, linked[row.number], standing, findings))
                ),
            )
        )
    return tuple(positions)


def _disagreement(action, number, linked, assessments, findings):
    """Return the Disagreement over ``action``, or None.

    An owner says On track or better, while an Ofsted concern linked to the action or its
    recommendation is dated after that update began, or the newest assessment is worse than On track.
    An assessment of On track or better ends it, until a later concern.
    """
    if action.status not in ON_TRACK_OR_BETTER:
        return None
    newest = max(assessments, key=lambda a: (a.signature.dated.first, a.pk), default=None)
    if newest and newest.status not in (*ON_TRACK_OR_BETTER, Status.CLOSED):
        return Disagreement(action, number, assessment=newest)
    since = action.update.signature.dated.first
    if newest:
        since = max(since, newest.signature.dated.first)
    own = [findings[ref] for ref in action.findings if ref in findings]
    concerns = [f for f in (*linked, *own) if f.is_ofsted_concern and f.dated > since]
    if not concerns:
        return None
    return Disagreement(action, number, finding=max(concerns, key=lambda f: (f.dated, f.ref)))


def _disagreements(actions, recommendations, findings):
    """Return the disagreements of the whole board, each action once, those that answer no
    recommendation included."""
    seen = {}
    for recommendation in recommendations:
        for found in recommendation.disagreements:
            seen.setdefault(found.action.ref, found)
    for action in actions:
        if not action.recommendations and (found := _disagreement(action, None, (), (), findings)):
            seen.setdefault(action.ref, found)
    return tuple(seen[ref] for ref in sorted(seen))
