"""What inspectors had found by a day: frozen dataclasses, read in a fixed number of queries."""

import datetime
from collections import defaultdict
from dataclasses import dataclass

from record.dates import read_edtf
from record.edits import Edit, Edits, TakenOff, edits_of
from record.kept import kept_position
from record.models import Document
from record.rows import Position, rows_as_at
from visits.models import (
    COUNCIL,
    Attribution,
    Event,
    EventKind,
    Finding,
    FindingKind,
    Grade,
    Judgement,
    JudgementArea,
    Visit,
    VisitKind,
)

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
    def visited(self):
        """When its visit was or, where that is not stated, when it was reported, in words."""
        return str(self.visit_dates or f"reported {read_edtf(self.row.document.published)}")

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
        parts = (self.attribution_words, self.kind_words.lower(), visit, visit and self.visited)
        return ", ".join(str(part) for part in parts if part)

    @property
    def where(self):
        """Its visit and when that was: "Monitoring visit 2, June 2022"; "" for one of no visit."""
        return f"{self.row.visit}, {self.visited}" if self.row.visit else ""

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
    def corrected_aside(self):
        """The corrected ones that are shown neither as concerns nor as strengths, nor as the council’s."""
        return tuple(f for f in self.context + self.others if f.corrections)

    @property
    def ofsted(self):
        """What inspectors found, concerns first."""
        return self.concerns + self.strengths + self.context

    @property
    def first_three(self):
        """Three of what inspectors found: a strength among them, where there is one."""
        most = self.concerns[: 2 if self.strengths else 3]
        return (most + self.strengths + self.context + self.concerns[2:])[:3]

    @property
    def corrected_beside_three(self):
        """The corrected ones that are not among them, whosever they are."""
        others = self.ofsted + self.council + self.others
        return tuple(f for f in others if f.corrections and f not in self.first_three)


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
    """An inspection or visit as it was on the board that day.

    ``lost`` are the grades and findings that were on it before they were withdrawn or corrected. ``place`` is
    the day that puts it in order.
    """

    place: datetime.date
    judgements: tuple[JudgementPosition, ...]
    findings: tuple[FindingPosition, ...]
    lost: tuple[TakenOff, ...]

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
    def visited(self):
        """When it was or, where that is not stated, when it was reported, in words."""
        reported = read_edtf(self.row.document.published)
        return str(self.dates) if self.dates else f"date not stated, reported {reported}"

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
    """Numbered visits of which nothing is held, though a later number shows that they happened.

    They came ``after`` one visit that is held, None if they are the first, and ``before`` another.
    """

    kind_words: str
    numbers: tuple[int, ...]
    after: VisitPosition | None
    before: VisitPosition

    @property
    def words(self):
        """Which visits are missing: "Monitoring visits 3 and 4"."""
        numbers = " and ".join(map(str, self.numbers))
        return f"{self.kind_words}{'s' if len(self.numbers) > 1 else ''} {numbers}"


@dataclass(frozen=True)
class InspectionPosition:
    """Every visit, finding and event on the board that day; findings by their reference.

    ``edits`` are the corrections of any of these, and of the documents cited, which are also in
    ``documents`` by their key; ``lost`` the visits and events that one of them took off the board, and
    ``lost_findings`` the findings.
    """

    visits: tuple[VisitPosition, ...]
    findings: dict[str, FindingPosition]
    events: tuple[EventPosition, ...]
    edits: tuple[Edit, ...]
    documents: Edits
    lost: tuple[TakenOff, ...]
    lost_findings: tuple[TakenOff, ...]

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

    def neighbours(self, visit):
        """The held visits of its kind numbered next below ``visit`` and next above it, each or None."""
        series = [v for v in self.ofsted_visits if v.number and v.kind == visit.kind]
        lower = max((v for v in series if v.number < visit.number), key=lambda v: v.number, default=None)
        higher = min((v for v in series if v.number > visit.number), key=lambda v: v.number, default=None)
        return lower, higher

    @property
    def visits_and_gaps(self):
        """(visit, gap) for each Ofsted visit, with the Gap in the numbering before it or None."""
        rows = []
        for visit in self.ofsted_visits:
            lower, _ = self.neighbours(visit)
            missing = tuple(range(lower.number + 1 if lower else 1, visit.number))
            gap = Gap(visit.kind_words, missing, after=lower, before=visit) if missing else None
            rows.append((visit, gap))
        return tuple(rows)

    @property
    def gaps(self):
        """Every Gap in the numbering, in order."""
        return tuple(gap for _, gap in self.visits_and_gaps if gap)

    @property
    def inspected(self):
        """The council's inspections that have grades on the board, the latest first."""
        return tuple(v for v in reversed(self.ofsted_visits) if v.judgements)

    @property
    def sources(self):
        """The Source of everything on it."""
        graded = (judgement for visit in self.visits for judgement in visit.judgements)
        return tuple(row.source for row in (*self.visits, *graded, *self.findings.values(), *self.events))

    @property
    def latest_graded(self):
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

    @property
    def corrected_visits(self):
        """The corrected ones that a page may have shown as the latest, or the latest graded, before."""
        shown = (self.latest_graded, self.latest_visit)
        return tuple(v for v in self.visits if v.corrections and v not in shown)

    @property
    def corrected_events(self):
        """The corrected events that are no forecasts."""
        return tuple(e for e in self.timeline if e.corrections)


def _untouched(position, added, at):
    return position  # by any statement


@kept_position(renewed=_untouched)
def inspection_position(at):
    """The InspectionPosition at the end of the day asked about, in a fixed number of queries."""
    edits = {m: edits_of(m, at) for m in (Visit, Judgement, Grade, JudgementArea, Finding, Event, Document)}
    findings = {
        row.ref: FindingPosition(row, corrections=edits[Finding].get(row.pk))
        for row in rows_as_at(Finding, at, "visit", "document")
    }
    return InspectionPosition(
        visits=_visits(findings, edits, at),
        findings=findings,
        events=tuple(
            EventPosition(row, corrections=edits[Event].get(row.pk))
            for row in rows_as_at(Event, at, "document")
        ),
        edits=tuple(edit for each in edits.values() for edit in each.all),
        documents=edits[Document],
        lost=edits[Visit].taken_off + edits[Event].taken_off,
        lost_findings=edits[Finding].taken_off,
    )


def _visits(findings, edits, at):
    """The VisitPositions, oldest first."""
    judgements, found = defaultdict(list), defaultdict(list)
    rows = rows_as_at(Judgement, at, "area__framework", "grade__framework", "document", order=("pk",))
    rows.sort(key=lambda row: (row.area.framework.name, row.area.framework_id, row.area.order))
    graded = tuple(JudgementPosition(row, corrections=_corrections_of_judgement(row, edits)) for row in rows)
    for judgement in graded:
        judgements[judgement.visit_id].append(judgement)
    for finding in findings.values():
        found[finding.visit_id].append(finding)
    return tuple(
        VisitPosition(
            row=row,
            place=place,
            judgements=tuple(judgements[row.pk]),
            findings=tuple(found[row.pk]),
            lost=edits[Judgement].lost_by("visit", row.pk, graded)
            + edits[Finding].lost_by("visit", row.pk, findings.values()),
            corrections=edits[Visit].get(row.pk),
        )
        for place, row in in_order(rows_as_at(Visit, at, "document", order=("pk",)))
    )


def in_order(visits):
    """(day that puts it in order, visit) for each of ``visits``, oldest first.

    The day is the first that its date may mean. One without a date has its document's, but never one before
    that of a lower number of its kind, nor after the date of a higher one.
    """
    places = {v.pk: v.dates_first or v.document.published_first or datetime.date.min for v in visits}
    series = defaultdict(list)
    for visit in sorted(visits, key=lambda v: v.number):
        if visit.number:
            series[visit.authority, visit.kind].append(visit)
    for numbered in series.values():
        for number, visit in enumerate(numbered):
            if visit.dates_first is None:
                lower = [places[v.pk] for v in numbered[:number]]
                higher = [v.dates_first for v in numbered[number + 1 :] if v.dates_first]
                places[visit.pk] = min([max([places[visit.pk], *lower]), *higher])
    return sorted(((places[v.pk], v) for v in visits), key=lambda pair: (pair[0], pair[1].number, pair[1].pk))


def _corrections_of_judgement(row, edits):
    """The Edits of a judgement, and of the names of its grade and area, by which it says something else."""
    named = edits[Grade].get(row.grade_id) + edits[JudgementArea].get(row.area_id)
    return tuple(sorted(edits[Judgement].get(row.pk) + named, key=lambda edit: edit.at))
