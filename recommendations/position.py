"""How the whole board stood on a day, read in a fixed number of queries.

Screens, papers, comparisons and charts all draw from here, so they cannot disagree. Nothing here reads
a clock, a request or a setting, and nothing here writes HTML.
"""

from collections import defaultdict
from dataclasses import replace
from functools import lru_cache

from django.conf import settings
from django.db.models import OuterRef, Q
from django.utils import timezone

from recommendations.action_position import ActionPosition
from recommendations.board import (
    BoardPosition,
    MeasurePosition,
    ProgressPosition,
    RecommendationPosition,
    RecommendationProgress,
    RiskPosition,
)
from recommendations.completions import completions_of
from recommendations.due_dates import Decision, DueDate, Outcome
from recommendations.lateness import DueLine, finishing, judged_all, with_endings, with_open_past
from recommendations.measures import Measure, MeasureValue
from recommendations.models import Action, Assessment, ProgressUpdate, Recommendation, Risk
from recommendations.sent_back import SendBack
from recommendations.status import ACCEPTED, GOOD, REPORTABLE, Status
from recommendations.views_differ import LaterConcern, Views, newest_of
from record.dates import start_of
from record.edits import NO_EDITS, edits_of
from record.kept import kept_position
from record.prepared import ask
from record.rows import links_as_at, rows_as_at
from record.signing import name_in
from record.statements import first_of, place_of, statement_kinds, with_who_said_first
from record.versions import read_asked
from visits.position import inspection_position


def _board_renewed(board, added, at):
    """``board`` with what was said of actions in the entries ``added``; None where more was said."""
    about_actions = {kind._meta.label_lower for kind in statement_kinds() if kind.path_to(Action)}
    if not about_actions.issuperset(entry.kind for entry in added):
        return None
    actions = actions_on_the_board(at)
    if [action.pk for action in actions] != [action.pk for action in board.actions]:
        return None
    before = {action.pk: action for action in board.actions}
    anew = {action.pk for action in actions if action is not before[action.pk]}
    findings, answering = board.inspections.findings, _by_recommendation(actions)

    def renewed(recommendation):
        if not any(action.pk in anew for action in recommendation.actions):
            return recommendation
        number, here = recommendation.number, tuple(answering[recommendation.number])
        views = _views(number, here, recommendation.findings, recommendation.assessments, findings)
        return replace(recommendation, actions=here, views=views)

    recommendations = tuple(map(renewed, board.recommendations))
    views = _all_views(actions, recommendations, findings)
    return replace(board, actions=actions, recommendations=recommendations, views=views)


@kept_position(renewed=_board_renewed)
def board_position(at):
    """The BoardPosition at the end of the day asked about, in a fixed number of queries.

    With ``at.known`` it uses only what had been recorded before that moment.
    """
    edits = {model: edits_of(model, at) for model in (Action, Recommendation, Measure, Risk)}
    actions = actions_on_the_board(at)
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


@kept_position
def progress_position(at):
    """The ProgressPosition at the end of the day asked about: what a later one is compared with."""
    actions = actions_on_the_board(at)
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


def actions_told_of(added):
    """The keys of the actions that something is said of in the entries ``added``, which are of statements."""
    return _actions_told_of(frozenset((entry.kind, entry.row, entry.digest) for entry in added))


# What a statement is about never changes, and several positions ask for it. After a restore another one may
# have the same key, but no entry the same digest.
@lru_cache
def _actions_told_of(statements):
    found = set()
    for kind in statement_kinds():
        keys = [row for label, row, _ in statements if label == kind._meta.label_lower]
        if keys and (path := kind.path_to(Action)):
            found |= set(kind.objects.filter(pk__in=keys).values_list(path, flat=True))
    return frozenset(found)


def _renewed(actions, added, at):
    """The positions ``actions``, those of which something was said in the entries ``added`` made anew."""
    touched = actions_told_of(added)
    if touched - {action.pk for action in actions}:
        return None
    anew = {action.pk: action for action in positions_of(sorted(touched), at, edits=edits_of(Action, at))}
    return tuple(anew.get(action.pk, action) for action in actions)


@kept_position(renewed=_renewed)
def actions_on_the_board(at):
    """The ActionPosition of every action on the board that day, by reference."""
    actions = read_asked(_on_the_board, at, settings.UPDATE_EVERY_DAYS, related=("document",))
    return _positions_of(actions, at, edits_of(Action, at))


def _on_the_board(at, _update_every):
    return Action.objects.as_at(at).order_by("ref")


def _of_the_board(at, update_every, keys=None):
    actions = _on_the_board(at, update_every).select_related("document")
    return actions if keys is None else actions.filter(pk__in=keys)


def _owned(at, update_every, accounts):
    return _of_the_board(at, update_every).filter(owner_id__in=accounts)


@kept_position
def stood(at):
    """{action's key: its status and the key of its agreed date, or None}, in one light query."""
    return {pk: (status, due) for pk, status, due in ask(_stood, at, settings.UPDATE_EVERY_DAYS)}


def _stood(at, _update_every):
    return Action.objects.as_at(at).values_list("pk", "status", "due_id")


def positions_of(keys, at, *, edits=NO_EDITS):
    """An ActionPosition for each action with one of ``keys`` that was on the board that day, by reference.

    None are the keys of all. ``edits`` are those of actions, where they are to be shown.
    """
    return _positions_of(ask(_of_the_board, at, settings.UPDATE_EVERY_DAYS, keys=keys), at, edits)


def positions_owned(user, at):
    """An ActionPosition for each action that ``user`` owned on the day asked about, by reference."""
    return _positions_of(ask(_owned, at, settings.UPDATE_EVERY_DAYS, keys=[user.pk]), at, NO_EDITS)


def _positions_of(actions, at, edits):
    keys = [action.pk for action in actions]
    known = rows_as_at(Action, at, "document", order=("ref",), only=keys) if at.known else actions
    rows = {row.pk: row for row in known}
    recommendations = links_as_at(Action, "recommendations", at, of="number", only=keys)
    findings = links_as_at(Action, "findings", at, of="ref", only=keys)
    accepted = [action.pk for action in actions if action.status in ACCEPTED]
    reports = dict(ask(_reports, at, keys=accepted))
    latest = {a.update_id for a in actions} | {a.previous_update_id for a in actions}
    latest = sorted((latest | set(reports.values())) - {None})
    updates = read_asked(updates_with, at, related=("document",), keys=latest)
    updates = {update.pk: update for update in ProgressUpdate.told(updates)}
    lines = _due_lines(keys, at)
    completions = completions_of([a.update_id for a in actions if a.status == Status.DONE], at)
    places = sorted({update.place for update in updates.values()})
    sent_back = {row.of_report: row for row in read_asked(_sent_back, at, related=("meeting",), keys=places)}
    positions = []
    for action in actions:
        update, dates = updates.get(action.update_id), lines[action.pk]
        is_to_recheck = update and update.status == Status.COMPLETE and update.recheck_on <= at.day
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
                days_past_recheck=(at.day - update.recheck_on).days if is_to_recheck else None,
                update=update,
                previous=updates.get(action.previous_update_id),
                report=updates.get(reports.get(action.pk), update),
                dates=judged_all(dates, at),
                proposals=tuple(line for line in dates if line.is_waiting),
                refused=tuple(line for line in dates if line.is_refused),
                taken_back=tuple(line for line in dates if line.is_taken_back),
                ended=tuple(line for line in dates if line.is_ended),
                taken_off=tuple(line for line in dates if line.is_taken_off),
                # Its words may have been put right since.
                completion=completions.get(action.update_id),
                sent_back=sent_back.get(update.place) if update and update.status == Status.DONE else None,
            )
        )
    return tuple(positions)


def updates_with(_at, keys):
    """The question for the updates that have these ``keys``."""
    updates = ProgressUpdate.objects.filter(pk__in=keys).annotate(place=place_of(ProgressUpdate))
    return updates.select_related("recorded_by")


def _reports(at, actions):
    """For each of ``actions`` its key and that of the newest report on it, or None, whatever was accepted.

    Looked for from the newest of each on: to compare each with all others takes longer the more there are.
    """
    reports = ProgressUpdate.objects.standing(at).filter(action=OuterRef("pk"), status__in=REPORTABLE)
    newest = first_of(reports.newest_first(), "pk")
    return Action.objects.filter(pk__in=actions).values_list("pk", newest)


def _sent_back(at, reports):
    sent_back = SendBack.objects.standing(at).annotate(of_report=place_of(ProgressUpdate, "report__"))
    return sent_back.filter(of_report__in=reports).oldest_first()


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
    for row in with_who_said_first(read_asked(_decisions, at, related=("document", "meeting"), keys=keys)):
        if not row.superseded(at):
            decided[row.due_date_id] = row
        elif row.outcome == Outcome.AGREED:
            undone[row.due_date_id] = row
    lines = defaultdict(list)
    for row in read_asked(_dates, at, related=("document", "meeting"), keys=keys):
        lines[row.action_id].append(
            DueLine(
                row=row,
                at=at,
                decided=decided.get(row.pk),
                undone=undone.get(row.pk) if row.is_undone else None,
            )
        )
    open_to_end, proposed = [], []
    for key, of_action in lines.items():
        if moments := [line.recorded_at for line in of_action if line.is_undecided]:
            open_to_end.append(key)
            proposed += moments
    finished = defaultdict(list)
    first_days = [timezone.localdate(min(proposed))] if proposed else None
    for update in ask(_finishing, at, keys=open_to_end, days=first_days):
        finished[update.action_id].append(update)
    for key in open_to_end:
        lines[key] = with_endings(lines[key], finished[key])
    return lines


def _decisions(at, actions):
    told = Decision.objects.said(at).filter(due_date__action__in=actions).oldest_first()
    return told.select_related("corrected_by", "withdrawn_by")


def _dates(at, actions):
    dates = DueDate.objects.with_effect(at).filter(action__in=actions)
    dates = with_open_past(dates, ProgressUpdate.objects, at).order_by("dated_first", "pk")
    return dates.select_related("corrected_by", "withdrawn_by")


def _finishing(at, actions, days):
    """What finished ``actions`` and was recorded from the first of ``days`` on."""
    finished = finishing(ProgressUpdate.objects, at)
    return finished.filter(action__in=actions, recorded_at__gte=start_of(days[0]))


def _measures(at, edits):
    """The MeasurePosition of each measure that had a value by that day."""
    newest, put_right = {}, defaultdict(tuple)
    for value in read_asked(_values_shown, at, related=("document",)):
        if superseded := value.superseded(at):
            put_right[value.measure_id] += ((value, superseded),)
        else:
            newest[value.measure_id] = value
    return tuple(
        MeasurePosition(
            row=row, newest=newest.get(row.pk), put_right=put_right[row.pk], corrections=edits.get(row.pk)
        )
        for row in rows_as_at(Measure, at)
    )


def _values_shown(at):
    """The newest value of each measure, and those that were corrected or withdrawn."""
    said, newest = MeasureValue.objects.said(at), MeasureValue.objects.standing(at).newest_of_each("measure")
    put_right = said.superseding("corrects", at) | said.superseding("withdraws", at)
    shown = said.filter(Q(pk__in=newest.values("pk")) | put_right)
    return shown.select_related("corrected_by", "withdrawn_by").oldest_first()


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
    return newest.annotate(place=place_of(Assessment)).order_by("whose")


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
