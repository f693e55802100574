"""The pages of the ten recommendations and their actions."""

import datetime

from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from recommendations.filters import ActionFilter
from recommendations.history import history
from recommendations.models import Action
from recommendations.position import action_positions, board_position
from record.edits import edits_of
from record.rows import links_as_at
from visits.position import voices_in

PAGE = 50
# How many entries of each action a recommendation shows, unless it is asked for all of its history.
LAST = 5


@require_safe
def recommendation(request, number):
    """Show one recommendation: its actions, risks, assessments, what inspectors found, its history."""
    at, before = request.as_at, day_before(request)
    board = board_position(at)
    found = next((r for r in board.recommendations if r.number == number), None)
    if found is None:
        return withdrawn(request, (row for row in board.lost if getattr(row.row, "number", None) == number))
    is_whole = before is not None or asks_for_all(request)
    page = history(
        at,
        actions=[a.pk for a in found.actions],
        recommendation=found.pk,
        before=before,
        most=None if is_whole else LAST,
    )
    context = {"board": board, "recommendation": found, "differing": [found.views], "history": page}
    return render(request, "recommendations/recommendation.html", context)


@require_safe
def actions(request):
    """List the actions, filtered and sorted; a value that cannot be used is a 400, the error at its field.

    A screen shows them by the page, a printer prints them all.
    """
    at = request.as_at
    on_the_day = Action.objects.as_at(at).order_by("ref")
    edits = edits_of(Action, at)
    listed = ActionFilter(request.GET, on_the_day, at=at)
    is_valid = listed.is_valid()
    found = listed.qs if is_valid else on_the_day.none()
    positions = action_positions(found, at, edits=edits)
    page = Paginator(positions, PAGE).get_page(request.GET.get("page"))
    context = {
        "filter": listed,
        "page": page,
        "before": positions[: page.start_index() - 1] if positions else (),
        "after": positions[page.end_index() :],
        "asked": listed.asked if is_valid else (),
        "places": listed.places,
        "total": on_the_day.count(),
        "lost": edits.taken_off,
    }
    return render(request, "recommendations/actions.html", context, status=200 if is_valid else 400)


@require_safe
def action(request, ref):
    """Show one action: how it stands, every update and every due date it ever had, newest first."""
    at, before = request.as_at, day_before(request)
    board = board_position(at)
    found = board.by_ref.get(ref.upper())
    if found is None:
        return withdrawn(request, (row for row in board.lost_actions if row.row.ref == ref.upper()))
    page = history(at, actions=[found.pk], before=before)
    context = {
        "board": board,
        "action": found,
        "recommendations": [r for r in board.recommendations if r.number in found.recommendations],
        "findings": voices_in([board.inspections.findings[ref] for ref in found.findings]),
        "lost": lost_findings(found, board),
        "differing": [views for views in board.differing if found in views.actions],
        "history": page,
        "may_record": may_record(request.user, found),
    }
    return render(request, "recommendations/action.html", context)


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
    if not user.is_staff or not user.has_perm("recommendations.add_progressupdate"):
        return False
    return action.owner_id == user.pk or user.has_perm("recommendations.record_for_owner")


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
