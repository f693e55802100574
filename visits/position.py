"""What inspectors had found by a day: frozen dataclasses, read in a fixed number of queries."""

import datetime
from collections import defaultdict
from dataclasses import dataclass

from record.dates import PartialDate, read_edtf
from record.sources import Source, source_of
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

OVERALL = "Overall effectiveness"


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
    def origin(self):
        """Return whose it is, of what kind, and from which visit: "Ofsted, concern, visit 2, June 2022"."""
        parts = (self.attribution_words, self.kind_words.lower(), self.visit.lower(), self.visit_dates)
        return ", ".join(str(part) for part in parts if part)

    @property
    def where(self):
        """Return its visit and when that was, as they follow in a sentence: " (Visit 2, June 2022)"."""
        known = ", ".join(str(part) for part in (self.visit, self.visit_dates) if part)
        return f" ({known})" if known else ""

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
class Voices:
    """Findings and claims by whose they are, so that nobody's is taken for another's."""

    strengths: tuple[FindingLine, ...]
    concerns: tuple[FindingLine, ...]
    context: tuple[FindingLine, ...]
    council: tuple[FindingLine, ...]
    others: tuple[FindingLine, ...]

    @property
    def ofsted(self):
        """Return what inspectors found, concerns first."""
        return self.concerns + self.strengths + self.context


def voices_in(findings):
    """Return the Voices among ``findings``; areas for priority action are first of the concerns."""
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

    @property
    def voices(self):
        return voices_in(self.findings)

    @property
    def overall(self):
        """Return the grade for overall effectiveness, a JudgementLine, or None."""
        return next((j for j in self.judgements if j.area == OVERALL), None)


@dataclass(frozen=True)
class EventLine:
    ref: str
    is_forecast: bool
    date: PartialDate
    text: str
    note: str
    source: Source


@dataclass(frozen=True)
class Gap:
    """Numbered visits of which nothing is held, though a later number shows that they happened."""

    kind_words: str
    numbers: tuple[int, ...]

    @property
    def words(self):
        """Return which visits are missing: "Monitoring visits 3 and 4"."""
        numbers = " and ".join(map(str, self.numbers))
        return f"{self.kind_words}{'s' if len(self.numbers) > 1 else ''} {numbers}"


@dataclass(frozen=True)
class InspectionPosition:
    """Every visit, finding and event on the board that day; findings by their reference."""

    visits: tuple[VisitPosition, ...]
    findings: dict[str, FindingLine]
    events: tuple[EventLine, ...]

    @property
    def ofsted_visits(self):
        """Return the council's own inspections and visits by Ofsted, oldest first."""
        return tuple(v for v in self.visits if v.authority == COUNCIL and v.kind != VisitKind.DIAGNOSTIC)

    @property
    def diagnostics(self):
        """Return the sector-led diagnostics, which are assessments by peers and not inspections."""
        return tuple(v for v in self.visits if v.kind == VisitKind.DIAGNOSTIC)

    @property
    def elsewhere(self):
        """Return the inspections of predecessor and neighbouring authorities."""
        return tuple(v for v in self.visits if v.authority != COUNCIL)

    @property
    def gaps(self):
        """Return a Gap for each kind of visit whose numbering skips some."""
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
        """Return (visit, gap) for each Ofsted visit, with the Gap in the numbering before it or None."""
        last, rows = {}, []
        for visit in self.ofsted_visits:
            missing = tuple(range(last.get(visit.kind, 0) + 1, visit.number))
            rows.append((visit, Gap(visit.kind_words, missing) if missing else None))
            last[visit.kind] = max(visit.number, last.get(visit.kind, 0))
        return tuple(rows)

    @property
    def inspected(self):
        """Return the council's inspections that have grades on the board, the latest first."""
        return tuple(v for v in reversed(self.ofsted_visits) if v.judgements)

    @property
    def timeline(self):
        """Return the events that are not forecasts, in order."""
        return tuple(e for e in self.events if not e.is_forecast)

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


def inspection_position(at):
    """Return the InspectionPosition at the end of the day asked about, in a fixed number of queries."""
    findings = {
        row.ref: finding_of(row) for row in Finding.objects.begun(at).select_related("visit", "document")
    }
    return InspectionPosition(
        visits=_visits(findings, at),
        findings=findings,
        events=tuple(
            EventLine(
                row.ref,
                row.kind == EventKind.FORECAST,
                read_edtf(row.date),
                row.text,
                row.note,
                source_of(row),
            )
            for row in Event.objects.begun(at).select_related("document")
        ),
    )


def _visits(findings, at):
    """Return the VisitPositions, oldest first."""
    rows = Visit.objects.begun(at).select_related("document").in_order()
    judgements, found = defaultdict(list), defaultdict(list)
    for row in (
        Judgement.objects.begun(at)
        .select_related("area", "grade", "document")
        .order_by("area__framework__name", "area__framework", "area__order")
    ):
        judgements[row.visit_id].append(
            JudgementLine(row.area.name, row.grade.key, row.grade.name, row.note, source_of(row))
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
