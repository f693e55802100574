"""What inspectors had found by a day: frozen dataclasses, read in a fixed number of queries."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import F

from record.dates import read_edtf
from record.rows import Position, rows_as_at
from visits.models import (
    COUNCIL,
    Attribution,
    Event,
    EventKind,
    Finding,
    FindingKind,
    Judgement,
    Visit,
    VisitKind,
)

# One without a date where its number puts it, else last.
IN_ORDER = (F("dates_first").asc(nulls_last=True), "number", "pk")
OVERALL = "Overall effectiveness"


@dataclass(frozen=True)
class FindingPosition(Position):
    """A finding or claim."""

    @property
    def dated(self):
        """The first day it may speak of: its visit's, else its document's."""
        return (self.visit_dates and self.visit_dates.first) or self.row.document.published_first

    @property
    def visit_dates(self):
        return read_edtf(self.row.visit.dates) if self.row.visit else None

    @property
    def visit_slug(self):
        return self.row.visit.slug if self.row.visit else ""

    @property
    def kind_words(self):
        return self.row.get_kind_display()

    @property
    def attribution_words(self):
        return self.row.get_attribution_display()

    @property
    def origin(self):
        """Whose it is, of what kind, and from which visit: "Ofsted, concern, visit 2, June 2022"."""
        visit = str(self.row.visit or "").lower()
        parts = (self.attribution_words, self.kind_words.lower(), visit, self.visit_dates)
        return ", ".join(str(part) for part in parts if part)

    @property
    def where(self):
        """Its visit and when that was, as they follow in a sentence: " (Visit 2, June 2022)"."""
        known = ", ".join(str(part) for part in (self.row.visit, self.visit_dates) if part)
        return f" ({known})" if known else ""

    @property
    def is_ofsted_concern(self):
        concerns = (FindingKind.CONCERN, FindingKind.PRIORITY)
        return self.attribution == Attribution.OFSTED and self.kind in concerns

    @property
    def is_claim(self):
        """Whether this is something said by others than inspectors, to be set apart from findings."""
        return self.attribution != Attribution.OFSTED


@dataclass(frozen=True)
class Voices:
    """Findings and claims by whose they are, so that nobody's is taken for another's."""

    strengths: tuple[FindingPosition, ...]
    concerns: tuple[FindingPosition, ...]
    context: tuple[FindingPosition, ...]
    council: tuple[FindingPosition, ...]
    others: tuple[FindingPosition, ...]

    @property
    def ofsted(self):
        """What inspectors found, concerns first."""
        return self.concerns + self.strengths + self.context


def voices_in(findings):
    """The Voices among ``findings``; areas for priority action are first of the concerns."""
    ofsted = [f for f in findings if not f.is_claim]
    concerns = [f for f in ofsted if f.is_ofsted_concern]
    return Voices(
        strengths=tuple(f for f in ofsted if f.kind == FindingKind.STRENGTH),
        concerns=tuple(sorted(concerns, key=lambda f: f.kind != FindingKind.PRIORITY)),
        context=tuple(f for f in ofsted if f.kind == FindingKind.CONTEXT),
        council=tuple(f for f in findings if f.attribution == Attribution.COUNCIL),
        others=tuple(f for f in findings if f.is_claim and f.attribution != Attribution.COUNCIL),
    )


@dataclass(frozen=True)
class JudgementPosition(Position):
    """A grade that an inspection gave to one area."""

    @property
    def grade(self):
        return self.row.grade.key

    @property
    def grade_words(self):
        return self.row.grade.name


@dataclass(frozen=True)
class VisitPosition(Position):
    """An inspection or visit as it was on the board that day."""

    judgements: tuple[JudgementPosition, ...]
    findings: tuple[FindingPosition, ...]

    @property
    def name(self):
        return str(self.row)

    @property
    def kind_words(self):
        return self.row.get_kind_display()

    @property
    def dates(self):
        return read_edtf(self.row.dates)

    @property
    def published(self):
        return read_edtf(self.row.published)

    @property
    def letter_words(self):
        return self.row.get_letter_display()

    @property
    def voices(self):
        return voices_in(self.findings)

    @property
    def overall(self):
        """The grade for overall effectiveness, a JudgementPosition, or None."""
        return next((j for j in self.judgements if j.area.name == OVERALL), None)


@dataclass(frozen=True)
class EventPosition(Position):
    """A fact of the timeline, or a forecast."""

    @property
    def is_forecast(self):
        return self.row.kind == EventKind.FORECAST

    @property
    def date(self):
        return read_edtf(self.row.date)


@dataclass(frozen=True)
class Gap:
    """Numbered visits of which nothing is held, though a later number shows that they happened."""

    kind_words: str
    numbers: tuple[int, ...]

    @property
    def words(self):
        """Which visits are missing: "Monitoring visits 3 and 4"."""
        numbers = " and ".join(map(str, self.numbers))
        return f"{self.kind_words}{'s' if len(self.numbers) > 1 else ''} {numbers}"


@dataclass(frozen=True)
class InspectionPosition:
    """Every visit, finding and event on the board that day; findings by their reference."""

    visits: tuple[VisitPosition, ...]
    findings: dict[str, FindingPosition]
    events: tuple[EventPosition, ...]

    @property
    def ofsted_visits(self):
        """The council's own inspections and visits by Ofsted, oldest first."""
        return tuple(v for v in self.visits if v.authority == COUNCIL and v.kind != VisitKind.DIAGNOSTIC)

    @property
    def diagnostics(self):
        """The sector-led diagnostics, which are assessments by peers and not inspections."""
        return tuple(v for v in self.visits if v.kind == VisitKind.DIAGNOSTIC)

    @property
    def elsewhere(self):
        """The inspections of predecessor and neighbouring authorities."""
        return tuple(v for v in self.visits if v.authority != COUNCIL)

    @property
    def gaps(self):
        """A Gap for each kind of visit whose numbering skips some."""
        held = defaultdict(list)
        for visit in self.ofsted_visits:
            if visit.number:
                held[visit.kind_words].append(visit.number)
        return tuple(
            Gap(kind, missing)
            for kind, numbers in held.items()
            if (missing := tuple(n for n in range(1, max(numbers)) if n not in numbers))
        )

    @property
    def visits_and_gaps(self):
        """(visit, gap) for each Ofsted visit, with the Gap in the numbering before it or None."""
        last, rows = {}, []
        for visit in self.ofsted_visits:
            missing = tuple(range(last.get(visit.kind, 0) + 1, visit.number))
            rows.append((visit, Gap(visit.kind_words, missing) if missing else None))
            last[visit.kind] = max(visit.number, last.get(visit.kind, 0))
        return tuple(rows)

    @property
    def inspected(self):
        """The council's inspections that have grades on the board, the latest first."""
        return tuple(v for v in reversed(self.ofsted_visits) if v.judgements)

    @property
    def current_inspection(self):
        """The latest of them, or None."""
        return next(iter(self.inspected), None)

    @property
    def timeline(self):
        """The events that are not forecasts, in order."""
        return tuple(e for e in self.events if not e.is_forecast)

    @property
    def latest_visit(self):
        """The latest inspection or visit by Ofsted, or None."""
        return self.ofsted_visits[-1] if self.ofsted_visits else None

    @property
    def forecasts(self):
        return tuple(e for e in self.events if e.is_forecast)


def inspection_position(at):
    """The InspectionPosition at the end of the day asked about, in a fixed number of queries."""
    findings = {row.ref: FindingPosition(row) for row in rows_as_at(Finding, at, "visit", "document")}
    return InspectionPosition(
        visits=_visits(findings, at),
        findings=findings,
        events=tuple(EventPosition(row) for row in rows_as_at(Event, at, "document")),
    )


def _visits(findings, at):
    """The VisitPositions, oldest first."""
    judgements, found = defaultdict(list), defaultdict(list)
    order = ("area__framework__name", "area__framework", "area__order")
    for row in rows_as_at(Judgement, at, "area", "grade", "document", order=order):
        judgements[row.visit_id].append(JudgementPosition(row))
    for finding in findings.values():
        found[finding.visit_id].append(finding)
    return tuple(
        VisitPosition(row=row, judgements=tuple(judgements[row.pk]), findings=tuple(found[row.pk]))
        for row in rows_as_at(Visit, at, "document", order=IN_ORDER)
    )
