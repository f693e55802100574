"""How the whole board stood on a day, read in a fixed number of queries.

Screens, papers, comparisons and charts all draw from here, so they cannot disagree. Nothing here reads
a clock, a request or a setting, and nothing here writes HTML.
"""

from collections import defaultdict

from django.conf import settings

from recommendations.action_position import ActionPosition
from recommendations.board import (
    BoardPosition,
    MeasurePosition,
    ProgressPosition,
    RecommendationPosition,
    RecommendationProgress,
    RiskPosition,
)
from recommendations.due_dates import Decision, DueDate, Outcome
from recommendations.lateness import DueLine, finishing, judged_all, with_endings, with_open_past
from recommendations.measures import Measure, MeasureValue
from recommendations.models import Action, Assessment, ProgressUpdate, Recommendation, Risk
from recommendations.sent_back import SendBack
from recommendations.status import GOOD, Status
from recommendations.views_differ import LaterConcern, Views, newest_of
from record.edits import NO_EDITS, edits_of
from record.prepared import ask
from record.rows import links_as_at, rows_as_at
from record.signing import name_in
from record.versions import read_asked
from visits.position import inspection_position


def board_position(at):
    """The BoardPosition at the end of the day asked about, in a fixed number of queries.

    With ``at.known`` it uses only what had been recorded before that moment.
    """
    edits = {model: edits_of(model, at) for model in (Action, Recommendation, Measure, Risk)}
    actions = _actions(at, edits[Action])
    inspections = inspection_position(at)
    findings = inspections.findings
    risks = _risks(at, edits[Risk])
    recommendations = _recommendations(actions, inspections, risks, edits, at)
    return BoardPosition(
        at=at,
        recommendations=recommendations,
        actions=actions,
        inspections=inspections,
        measures=_measures(at, edits[Measure]),
        risks=risks,
        views=_all_views(actions, recommendations, findings),
        edits=tuple(edit for each in edits.values() for edit in each.all) + inspections.edits,
        lost_actions=edits[Action].taken_off,
        lost=edits[Recommendation].taken_off + edits[Measure].taken_off + edits[Risk].taken_off,
    )


def progress_position(at):
    """The ProgressPosition at the end of the day asked about: what a later one is compared with."""
    actions = _actions(at)
    answering = _by_recommendation(actions)
    assessments = _assessments(at)
    begun = [(row.pk, row.number) for row in rows_as_at(Recommendation, at)]
    return ProgressPosition(
        at=at,
        actions=actions,
        recommendations=tuple(
            RecommendationProgress(
                number=number, actions=tuple(answering[number]), assessments=assessments[pk]
            )
            for pk, number in begun
        ),
    )


def _actions(at, edits=NO_EDITS):
    actions = read_asked(_on_the_board, at, settings.UPDATE_EVERY_DAYS, related=("document",))
    return _positions_of(actions, at, edits)


def _on_the_board(at, _update_every):
    return Action.objects.as_at(at).order_by("ref")


def action_positions(actions, at, *, edits=NO_EDITS):
    """An ActionPosition for each of ``actions``, a queryset that ``as_at`` annotated, in its order.

    ``edits`` are those of actions, where they are to be shown.
    """
    return _positions_of(list(actions.select_related("document")), at, edits)


def _positions_of(actions, at, edits):
    keys = [action.pk for action in actions]
    known = rows_as_at(Action, at, "document", order=("ref",), only=keys) if at.known else actions
    rows = {row.pk: row for row in known}
    recommendations = links_as_at(Action, "recommendations", at, of="number", only=keys)
    findings = links_as_at(Action, "findings", at, of="ref", only=keys)
    latest = {a.update_id for a in actions} | {a.previous_update_id for a in actions}
    latest = sorted(latest - {None})
    updates = {update.pk: update for update in read_asked(_updates, at, related=("document",), keys=latest)}
    lines = _due_lines(keys, at)
    sent_back = {row.report_id: row for row in read_asked(_sent_back, at, related=("meeting",), keys=latest)}
    positions = []
    for action in actions:
        update, dates = updates.get(action.update_id), lines[action.pk]
        positions.append(
            ActionPosition(
                row=rows[action.pk],
                corrections=edits.get(action.pk),
                owner=name_in(action.owner_signed),
                owner_id=action.owner_id,
                owner_is_open=action.owner_is_open,
                recommendations=tuple(recommendations[action.pk]),
                findings=tuple(findings[action.pk]),
                status=action.status,
                is_open=action.is_open,
                is_overdue=action.is_overdue,
                is_silent=action.is_silent,
                is_stale=action.is_stale,
                is_recheck_due=bool(
                    update and update.status == Status.COMPLETE and update.recheck_on <= at.day
                ),
                update=update,
                previous=updates.get(action.previous_update_id),
                dates=judged_all(dates, at),
                proposals=tuple(line for line in dates if line.is_waiting),
                refused=tuple(line for line in dates if line.is_refused),
                taken_back=tuple(line for line in dates if line.is_taken_back),
                ended=tuple(line for line in dates if line.is_ended),
                taken_off=tuple(line for line in dates if line.is_taken_off),
                sent_back=sent_back.get(action.update_id),
            )
        )
    return tuple(positions)


def _updates(at, keys):
    return ProgressUpdate.objects.filter(pk__in=keys).select_related("recorded_by")


def _sent_back(at, reports):
    return SendBack.objects.standing(at).filter(report__in=reports).order_by("dated_first", "pk")


def proposals_to_decide(at):
    """The proposed due dates, standing that day, that wait: none decided, taken back or ended."""
    proposed = DueDate.objects.standing(at).filter(needs_decision=True, action__is_withdrawn=False)
    undecided = proposed.exclude(pk__in=Decision.objects.standing(at).values("due_date"))
    lines = _due_lines(list(undecided.values_list("action", flat=True)), at).values()
    waiting = [line.pk for of_action in lines for line in of_action if line.is_waiting]
    return undecided.filter(pk__in=waiting).select_related("action", "recorded_by").newest_first()


def _due_lines(keys, at):
    """{action's key: a DueLine for each of its dates, agreed or not, withdrawn or not}, none yet judged."""
    decided, undone = {}, {}
    for row in read_asked(_decisions, at, related=("document", "meeting"), keys=keys):
        if not row.superseded(at):
            decided[row.due_date_id] = row
        elif row.outcome == Outcome.AGREED:
            undone[row.due_date_id] = row
    lines = defaultdict(list)
    for row in read_asked(_dates, at, related=("document",), keys=keys):
        lines[row.action_id].append(
            DueLine(
                row=row,
                at=at,
                decided=decided.get(row.pk),
                undone=undone.get(row.pk) if row.is_undone else None,
            )
        )
    open_to_end = [key for key, of_action in lines.items() if any(line.is_undecided for line in of_action)]
    finished = defaultdict(list)
    for update in ask(_finishing, at, keys=open_to_end):
        finished[update.action_id].append(update)
    for key in open_to_end:
        lines[key] = with_endings(lines[key], finished[key])
    return lines


def _decisions(at, actions):
    told = Decision.objects.said(at).filter(due_date__action__in=actions).order_by("dated_first", "pk")
    return told.select_related("corrected_by", "withdrawn_by")


def _dates(at, actions):
    dates = DueDate.objects.with_effect(at).filter(action__in=actions)
    dates = with_open_past(dates, ProgressUpdate.objects, at).order_by("dated_first", "pk")
    return dates.select_related("corrected_by", "withdrawn_by")


def _finishing(at, actions):
    return finishing(ProgressUpdate.objects, at).filter(action__in=actions)


def _measures(at, edits):
    """The MeasurePosition of each measure that had a value that day: the newest."""
    values = read_asked(_newest_values, at, related=("document",))
    rows = {row.pk: row for row in rows_as_at(Measure, at)}
    refs = {key: row.ref for key, row in rows.items()}
    return tuple(
        MeasurePosition(row=rows[value.measure_id], newest=value, corrections=edits.get(value.measure_id))
        for value in sorted(values, key=lambda value: refs.get(value.measure_id, ""))
        if value.measure_id in rows
    )


def _newest_values(at):
    return MeasureValue.objects.standing(at).newest_of_each("measure")


def _risks(at, edits):
    numbers = links_as_at(Risk, "recommendations", at, of="number")
    return tuple(
        RiskPosition(row=row, recommendations=tuple(numbers[row.pk]), corrections=edits.get(row.pk))
        for row in sorted(rows_as_at(Risk, at, "document"), key=lambda row: row.document.published_first)
    )


def _by_recommendation(actions):
    """{number: the actions that answer that recommendation}."""
    answering = defaultdict(list)
    for action in actions:
        for number in action.recommendations:
            answering[number].append(action)
    return answering


def _assessments(at):
    """{recommendation's pk: its newest Assessment of the adviser's and of the board's}."""
    found = defaultdict(tuple)
    for row in read_asked(_newest_assessments, at, related=("document",)):
        found[row.recommendation_id] += (row,)
    return found


def _newest_assessments(at):
    newest = Assessment.objects.standing(at).newest_of_each("recommendation", "whose")
    return newest.order_by("whose")


def _recommendations(actions, inspections, risks, edits, at):
    findings = inspections.findings
    answering, assessments = _by_recommendation(actions), _assessments(at)
    links = links_as_at(Recommendation, "findings", at, of="ref", with_lost=True)
    rows = rows_as_at(Recommendation, at, "document")
    numbers = {row.pk: row.number for row in rows}
    positions = []
    for row in rows:
        linked = [findings[ref] for ref in links[row.pk] if ref in findings]
        lost = (
            *edits[Action].lost_by("recommendations", row.pk, actions),
            *edits[Risk].lost_by("recommendations", row.pk, risks),
            *(found for found in inspections.lost_findings if found.row.ref in links[row.pk]),
        )
        judged = assessments[row.pk]
        positions.append(
            RecommendationPosition(
                row=row,
                number=row.number,
                actions=tuple(answering[row.number]),
                assessments=judged,
                extends=numbers.get(row.extends_id),
                findings=tuple(linked),
                risks=tuple(risk for risk in risks if row.number in risk.recommendations),
                lost=lost,
                corrections=edits[Recommendation].get(row.pk),
                views=_views(row.number, answering[row.number], linked, judged, findings),
            )
        )
    return tuple(positions)


def _views(number, actions, linked, assessments, findings):
    """The Views of the recommendation ``number``, or of one action that answers none.

    ``linked`` are its own findings; ``findings`` all of them by reference, for those of its actions.
    """
    good = [action for action in actions if action.status in GOOD]
    reported = {f.ref: list(good) for f in linked}
    for action in good:
        for ref in action.findings:
            if action not in reported.setdefault(ref, []):
                reported[ref].append(action)
    newest = newest_of(assessments)
    later = []
    for ref, those in reported.items():
        concern, dated = findings.get(ref), [action.update.dated_first for action in those]
        if not those or not concern or not concern.is_ofsted_concern:
            continue
        if concern.dated > max(dated) and (newest is None or concern.dated > newest.dated_first):
            later.append(LaterConcern(concern, tuple(those)))
    return Views(number=number, actions=tuple(actions), assessments=assessments, concerns=tuple(later))


def _all_views(actions, recommendations, findings):
    """The Views of each recommendation, then of each action that answers findings only."""
    alone = [action for action in actions if not action.recommendations]
    return (
        *(recommendation.views for recommendation in recommendations),
        *(_views(None, (action,), (), (), findings) for action in alone),
    )
