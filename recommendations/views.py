"""The pages of the ten recommendations and their actions."""

import datetime

from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from recommendations.action_position import ActionGroup
from recommendations.deciding import RECORD_FOR_OWNER, records_progress
from recommendations.filters import ActionFilter
from recommendations.history import history
from recommendations.models import Action
from recommendations.no_change import put_right_since
from recommendations.position import actions_on_the_board, board_position
from recommendations.track_record import DAYS_BEFORE, track_records
from record.edits import edits_of
from record.kept import kept
from record.models import Meeting
from record.rows import links_as_at
from record.versions import recorded, rows_of
from visits.position import voices_in

# How many actions are on one page: of a list, and of a recommendation, which says more of each.
PAGE, PAGE_OF_RECOMMENDATION = 50, 20
# How many actions a printer prints beside those of the page on the screen: about fifteen sheets.
MOST_PRINTED = 200
# How many entries of each action a recommendation shows, unless it is asked for all of its history.
LAST = 5


@require_safe
@kept
def recommendation(request, number):
    """Show one recommendation: its actions, risks, assessments, what inspectors found, its history."""
    at, before = request.as_at, day_before(request)
    board = board_position(at)
    found = next((r for r in board.recommendations if r.number == number), None)
    if found is None:
        return withdrawn(request, (row for row in board.lost if getattr(row.row, "number", None) == number))
    is_whole = before is not None or asks_for_all(request)
    listed = by_page(found.actions, PAGE_OF_RECOMMENDATION, request.GET.get("page"))
    told = history(
        at,
        actions=[a.pk for a in listed["page"]],
        recommendation=found.pk,
        before=before,
        most=None if is_whole else LAST,
    )
    context = told_of_recommendation(board, found, told, listed)
    return render(request, "recommendations/recommendation.html", context)


def by_page(actions, most, number):
    """What a template needs to show ``actions`` by the page of so ``most``, and to print those beside it.

    ``before`` and ``after`` are printed with the page; they are empty where there are too many.
    """
    page = Paginator(actions, most).get_page(number)
    is_printed = len(actions) <= MOST_PRINTED
    return {
        "page": page,
        "before": actions[: page.start_index() - 1] if actions and is_printed else (),
        "after": actions[page.end_index() :] if is_printed else (),
    }


def told_of_recommendation(board, found, told, listed=None):
    """What the page of the recommendation ``found`` on ``board`` shows, with what was ``told``, its history.

    ``listed`` are its actions by the page; without it they are all on one.
    """
    listed = listed or by_page(found.actions, len(found.actions) or 1, 1)
    return {
        **listed,
        "shown": ActionGroup(tuple(listed["page"])),
        "board": board,
        "recommendation": found,
        "differing": [found.views],
        "history": told,
        "records": track_records(board).of([found.number]),
    }


@require_safe
def track_record(request):
    """Show what became of every date agreed for each lead body: the cases that its record counts."""
    board = board_position(request.as_at)
    context = {"board": board, "records": track_records(board), "days_before": DAYS_BEFORE}
    return render(request, "recommendations/track_record.html", context)


@require_safe
@kept
def actions(request):
    """List the actions, filtered and sorted; a value that cannot be used is a 400, the error at its field.

    A screen shows them by the page; a printer prints them all, unless there are too many.
    """
    at = request.as_at
    actions = actions_on_the_board(at)
    listed = ActionFilter(request.GET, at=at, actions=actions)
    is_valid = listed.is_valid()
    positions = listed.positions if is_valid else ()
    context = {
        **by_page(positions, PAGE, request.GET.get("page")),
        "filter": listed,
        "asked": listed.asked if is_valid else (),
        "places": listed.places,
        "total": len(actions),
        "lost": edits_of(Action, at).taken_off,
    }
    return render(request, "recommendations/actions.html", context, status=200 if is_valid else 400)


def the_owner_perhaps(request):
    """The key of whoever works in the admin, to whom it matters which actions are theirs."""
    return request.user.pk if request.user.is_staff else None


@require_safe
@kept(by=the_owner_perhaps)
def action(request, ref):
    """Show one action: how it stands, every update and every due date it ever had, newest first."""
    at, before = request.as_at, day_before(request)
    board = board_position(at)
    found = board.by_ref.get(ref.upper())
    if found is None:
        return withdrawn(request, (row for row in board.lost_actions if row.row.ref == ref.upper()))
    page = history(at, actions=[found.pk], before=before)
    context = {
        **told_of_action(board, found, page),
        "may_record": may_record(request.user, found),
    }
    return render(request, "recommendations/action.html", context)


def told_of_action(board, found, page):
    """What the page of the action ``found`` on ``board`` shows, with a ``page`` of its history."""
    views = [v for v in board.views if v.number in found.recommendations or v.actions == (found,)]
    return {
        "board": board,
        "action": found,
        "recommendations": [r for r in board.recommendations if r.number in found.recommendations],
        "findings": voices_in([board.inspections.findings[ref] for ref in found.findings]),
        "lost": lost_findings(found, board),
        "differing": [each for each in views if each.differ],
        "history": page,
        "arose_at": arose_at(found, board.at),
        "put_right": put_right_since(found.update, board.at) if found.says_no_change else None,
    }


def arose_at(action, at):
    """The Meeting of the board on whose day ``action`` was agreed, as is known of both, or None."""
    day = action.agreed_on
    if day.precision != "day":
        return None
    held = recorded(Meeting, at).begun_by(at.day).filter(held_on=day.first)
    return next(iter(rows_of(held)), None)


def lost_findings(action, board):
    """The withdrawn findings among those that ``action`` links to."""
    gone = board.inspections.lost_findings
    linked = (
        gone
        and links_as_at(Action, "findings", board.at, of="ref", only=[action.pk], with_lost=True)[action.pk]
    )
    return [row for row in gone if row.row.ref in linked]


def withdrawn(request, found):
    """Show the first of ``found``, each a TakenOff: what it said, who took it off the board, when and why."""
    gone = next(found, None)
    if gone is None:
        raise Http404
    key = "actions" if isinstance(gone.row, Action) else "recommendation"
    about = [gone.row.pk] if key == "actions" else gone.row.pk
    page = history(request.as_at, before=day_before(request), **{key: about})
    return render(request, "withdrawn.html", {"gone": gone, "history": page})


def may_record(user, action):
    """Whether ``user`` works in the admin and may record progress on the ActionPosition ``action``."""
    return records_progress(user) and (action.owner_id == user.pk or user.has_perm(RECORD_FOR_OWNER))


def asks_for_all(request):
    """Whether the whole history is asked for; anything else that ``history`` says is a 400."""
    asked = request.GET.get("history")
    if asked not in (None, "all"):
        raise BadRequest("The address may say history=all, and nothing else after history.")
    return asked == "all"


def day_before(request):
    """The day before which a page of history is asked for, or None; a bad one is a 400."""
    text = request.GET.get("before")
    if text is None:
        return None
    try:
        day = datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise BadRequest("The date after before= cannot be read. Write it like 2022-11-22.") from None
    if day == datetime.date.min:
        raise BadRequest("The calendar has no day before 1 January of the year 1.")
    return day
