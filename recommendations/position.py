"""How the whole board stood on a day, read in a fixed number of queries.

Screens, papers, comparisons and charts all draw from here, so they cannot disagree. Nothing here reads
a clock, a request or a setting, and nothing here writes HTML.
"""

from collections import defaultdict
from dataclasses import replace

from django.db import models
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Greatest, Least

from recommendations.board import (
    ActionPosition,
    AssessmentLine,
    BoardPosition,
    Disagreement,
    MeasureLine,
    ProgressPosition,
    RecommendationPosition,
    RecommendationProgress,
    RiskLine,
)
from recommendations.due_dates import Decision, DueDate, Outcome
from recommendations.lines import Decided, DueLine, signature_of, update_of
from recommendations.measures import MeasureValue
from recommendations.models import (
    Action,
    Assessment,
    LeadBasis,
    ProgressUpdate,
    Recommendation,
    Risk,
)
from recommendations.status import GOOD, OPEN, Status
from record.dates import read_edtf
from record.signing import name_in
from record.sources import source_of
from visits.models import Finding
from visits.position import inspection_position


def board_position(at):
    """Return the BoardPosition at the end of the day asked about, in a fixed number of queries.

    With ``at.known`` it uses only what had been recorded before that moment.
    """
    actions = _actions(at)
    inspections = inspection_position(at)
    findings = inspections.findings
    risks = _risks(at)
    recommendations = _recommendations(actions, findings, risks, at)
    return BoardPosition(
        at=at,
        recommendations=recommendations,
        actions=actions,
        inspections=inspections,
        measures=_measures(at),
        risks=risks,
        disagreements=_disagreements(actions, recommendations, findings),
    )


def progress_position(at):
    """Return the ProgressPosition at the end of the day asked about: what a later one is compared with."""
    actions = _actions(at)
    answering = _by_recommendation(actions)
    assessments = _assessments(at)
    begun = Recommendation.objects.begun(at).order_by("number").values_list("pk", "number")
    return ProgressPosition(
        at=at,
        actions=actions,
        recommendations=tuple(
            RecommendationProgress(number, tuple(answering[number]), assessments[pk]) for pk, number in begun
        ),
    )


def _actions(at):
    on_the_day = Action.objects.as_at(at).order_by("ref")
    return action_positions(on_the_day, at)


def action_positions(actions, at):
    """An ActionPosition for each of ``actions``, a queryset that ``as_at`` annotated, in its order."""
    actions = list(actions.select_related("document"))
    keys = [action.pk for action in actions]
    recommendations, findings = defaultdict(list), defaultdict(list)
    for action, number in (
        Recommendation.objects.begun(at)
        .filter(actions__in=keys)
        .order_by("number")
        .values_list("actions", "number")
    ):
        recommendations[action].append(number)
    for action, ref in (
        Finding.objects.begun(at).filter(actions__in=keys).order_by("ref").values_list("actions", "ref")
    ):
        findings[action].append(ref)
    latest = {a.update_id for a in actions} | {a.previous_update_id for a in actions}
    updates = {
        row.pk: update_of(row)
        for row in ProgressUpdate.objects.filter(pk__in=latest - {None}).select_related("document")
    }
    lines = _due_lines(keys, at)
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
                owner=name_in(action.owner_signed),
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
                    update and update.status == Status.COMPLETE and update.recheck_on <= at.day
                ),
                update=update,
                previous=updates.get(action.previous_update_id),
                ledger=_with_misses(lines[action.pk], at),
                proposals=tuple(line for line in due_lines if line.is_proposal and not line.decided),
                refused=tuple(line for line in due_lines if line.decided and not line.decided.is_agreed),
                earlier_misses=action.earlier_misses,
            )
        )
    return tuple(positions)


def _due_lines(keys, at):
    """Return {action pk: [(DueLine, first day on which it was open past that date), ...]}.

    Every standing date is here, agreed or not, and none is yet judged missed. Two index look-ups for
    each find the day, so the length of an action's history does not matter: each look-up is given one
    latest day, because SQLite uses only one of two to narrow its search.
    """
    deadline = OuterRef("deadline")
    until_then = ProgressUpdate.objects.standing(replace(at, day=deadline))
    since = ProgressUpdate.objects.standing(at).filter(dated_first__gt=deadline)
    rows = (
        DueDate.objects.with_effect(at)
        .filter(action__in=keys)
        # One still to come is not missed, and need not be looked for beyond the day asked about.
        .annotate(deadline=Least(Greatest("due_last", "effective_on"), Value(at.day, models.DateField())))
        .annotate(
            status_then=Subquery(
                until_then.filter(action=OuterRef("action")).newest_first().values("status")[:1]
            ),
            open_again_on=Subquery(
                since.filter(action=OuterRef("action"), status__in=OPEN)
                .order_by("dated_first", "pk")
                .values("dated_first")[:1]
            ),
        )
        .select_related("document")
        .order_by("dated_first", "pk")
    )
    decisions = {
        row.due_date_id: Decided(signature_of(row), row.outcome == Outcome.AGREED, row.meeting_on, row.reason)
        for row in Decision.objects.standing(at).filter(due_date__action__in=keys).select_related("document")
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


def _with_misses(lines, at):
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
                line.due.last and line.due.last < at.day and open_on and (not replaced or replaced > open_on)
            ),
        )
        for (line, open_on), replaced in zip(agreed, replaced_on, strict=False)
    )


def _measures(at):
    """The MeasureLine of each measure that had a value that day: the newest."""
    newest = MeasureValue.objects.standing(at).filter(measure=OuterRef("measure")).newest_first()
    values = MeasureValue.objects.standing(at).filter(pk=Subquery(newest.values("pk")[:1]))
    return tuple(
        MeasureLine(
            row.measure.ref,
            row.measure.name,
            row.value,
            row.measure.unit,
            read_edtf(row.as_at),
            row.caveat,
            row.measure.note,
            source_of(row),
        )
        for row in values.select_related("measure", "document").order_by("measure__ref")
    )


def _risks(at):
    rows = Risk.objects.begun(at).select_related("document")
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


def _by_recommendation(actions):
    """Return {number: the actions that answer that recommendation}."""
    answering = defaultdict(list)
    for action in actions:
        for number in action.recommendations:
            answering[number].append(action)
    return answering


def _assessments(at):
    """Return {recommendation's pk: its newest AssessmentLine of the adviser's and of the board's}."""
    newest = Assessment.objects.standing(at).latest_of_each()
    lines = defaultdict(tuple)
    for row in newest.select_related("document").order_by("whose"):
        lines[row.recommendation_id] += (
            AssessmentLine(
                row.pk,
                signature_of(row),
                row.whose,
                row.get_whose_display(),
                row.status,
                row.narrative,
            ),
        )
    return lines


def _recommendations(actions, findings, risks, at):
    answering, assessments = _by_recommendation(actions), _assessments(at)
    linked = defaultdict(list)
    for number, ref in (
        Recommendation.objects.filter(findings__ref__in=list(findings))
        .order_by("number", "findings__ref")
        .values_list("number", "findings__ref")
    ):
        linked[number].append(findings[ref])
    positions = []
    for row in Recommendation.objects.begun(at).select_related("document", "extends").order_by("number"):
        standing = assessments[row.pk]
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
    if action.status not in GOOD:
        return None
    newest = max(assessments, key=lambda a: (a.signature.dated.first, a.pk), default=None)
    if newest and newest.status not in (*GOOD, Status.CLOSED):
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
