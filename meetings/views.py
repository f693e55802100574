"""The board's position, its meetings, and the status page and papers made for them."""

from collections import namedtuple

from django.conf import settings
from django.db.models import Prefetch, prefetch_related_objects
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_safe

from meetings import papers
from meetings.addresses import of_a_meeting
from meetings.arising import arising_at
from meetings.changes import changes_since, changes_since_paper, received_in_full, unchanged
from meetings.decided import agenda
from meetings.deciding import may_decide
from meetings.decisions import asks_of
from meetings.diary import calendar_of
from meetings.listing import listed
from meetings.models import Paper
from meetings.publishing import draft
from recommendations import charts
from recommendations.file_views import as_file, name_of_file
from recommendations.position import board_position
from recommendations.position_json import position_in_json
from recommendations.status import STATUS_WORDS
from recommendations.terms import TERMS
from recommendations.track_record import track_records
from record import ledger
from record.dates import end_of
from record.edits import edits_of
from record.held import (
    had_before_it,
    meetings_held,
    next_meeting,
    published_by,
    shown_of,
)
from record.kept import kept
from record.models import Demonstration, Meeting
from record.versions import read, recorded, rows_of

Figure = namedtuple("Figure", "words count query")
# Of the actions to look at first, so many are on the first page.
SHOWN_FIRST = 5


@require_safe
@kept
def home(request):
    """Show where the board stands: four cells, the recommendations a line each, and what to look at first."""
    at = request.as_at
    board = board_position(at)
    earlier, coming = meetings_held(at), next_meeting(at)
    before = earlier[0] if earlier else None
    changes, decisions = changes_since(board, earlier), agenda(coming, board, at).decisions
    context = {
        "board": board,
        "decisions": decisions,
        "glance": papers.glance_of(board, changes=changes, before=before, coming=coming, decisions=decisions),
        "changes": changes,
        "before": before,
        "coming": coming,
        # Where they stand on the page of the next meeting or, where none is planned, on the status page.
        "places": {
            "changes": "#changes" if coming else "#paper-changed",
            "reported": "#reported" if coming else "#paper-reported",
            "decisions": "#asked" if coming else "#paper-asked",
        },
        "worst": board.exceptions[:SHOWN_FIRST],
        "past": (
            Figure("late", len(board.overdue), "overdue=yes"),
            Figure("silent", len(board.silent), "silent=yes"),
        ),
        "figures": (
            Figure(STATUS_WORDS["off_track"], len(board.off_track), "status=off_track"),
            Figure(STATUS_WORDS["at_risk"], len(board.at_risk), "status=at_risk"),
            Figure(TERMS["stale"], len(board.stale), "stale=yes"),
            Figure(TERMS["never_reported"], len(board.never_reported), "status=not_reported"),
        ),
        "paper": Paper.objects.with_anchor().latest_by(at),
    }
    return render(request, "meetings/home.html", context)


@require_safe
@kept
def trends(request):
    """Show what moved over months: dates, statuses, measures, and the difference made for children."""
    at = request.as_at
    board = board_position(at)
    context = {
        "board": board,
        "sentences": papers.position_in_words(board, update_every_days=settings.UPDATE_EVERY_DAYS),
        "months": charts.monthly_statuses(at, is_narrow=True),
        "slippage": charts.slippage(board, left=0, width=charts.NARROW),
        "records": track_records(board),
        "said": [a for a in board.reported if a.claim],
    }
    return render(request, "meetings/trends.html", context)


@require_safe
@kept
def status(request):
    """Show the status page, made for A4: for the next meeting if there is one."""
    at = request.as_at
    upcoming = next_meeting(at)
    made = papers.status_paper(
        at, meeting=upcoming, asks=asks_of(upcoming, at), has_annex="annex" in request.GET
    )
    return paper_response(papers.render_paper(made))


@require_safe
@kept
def meetings(request):
    """List the meetings, those to come first, then by year what changed, was decided and was published."""
    day = request.as_at.day
    published = Paper.objects.filter(published_at__lt=end_of(day)).with_notice().order_by("version")
    rows = rows_of(recorded(Meeting, request.as_at).order_by("-held_on"))
    prefetch_related_objects(rows, Prefetch("papers", published))
    edits = edits_of(Meeting, request.as_at)
    planned = [m for m in rows[::-1] if not (m.is_cancelled or m.was_held_by(day))]
    context = {
        "to_come": [m for m in planned if m.held_on != day],
        "on_the_day": [m for m in planned if m.held_on == day],
        "held": listed([m for m in rows if m.was_held_by(day)], request.as_at),
        "cancelled": [m for m in rows if m.is_cancelled],
        "moved": {m.pk: moves[-1][1] for m in rows if (moves := papers.moves_of(edits.get(m.pk)))},
        "may_plan": request.user.is_staff and request.user.has_perm("record.add_meeting"),
    }
    return render(request, "meetings/meetings.html", context)


@require_safe
@kept
@of_a_meeting
def meeting(request, row):
    """Show one meeting: asked, decided, changed, reported, since the paper, papers, and how it stood."""
    had = shown_of(row, request.as_at)
    board = board_position(had)
    earlier = meetings_held(had, before=row)
    # Asked for by the parts of the page that tell of the past, of which most are kept.
    changes = SimpleLazyObject(lambda: changes_since(board, earlier))
    since_paper = changes_since_paper(row, board, request.as_at)
    is_held = row.was_held_by(request.as_at.day)
    on_it = agenda(row, board, request.as_at, had=had)
    corrections = papers.edits_of_meeting(row, request.as_at)
    context = {
        "meeting": row,
        "had": had,
        "asked": request.as_at,
        "agenda": on_it,
        "arising": arising_at(row, request.as_at),
        "may_decide": may_decide(request.user),
        "may_change": request.user.is_staff and request.user.has_perm("record.change_meeting"),
        "may_publish": request.user.is_staff and request.user.has_perm("meetings.add_paper"),
        "is_held": is_held,
        "is_the_day": row.held_on == request.as_at.day and not (is_held or row.is_cancelled),
        "since_paper": since_paper,
        "since_paper_groups": papers.change_groups(since_paper) if since_paper else (),
        "board": board,
        "before": earlier[0] if earlier else None,
        "changes": changes,
        "received": SimpleLazyObject(lambda: received_in_full(changes) if changes else ()),
        "groups": SimpleLazyObject(lambda: papers.change_groups(changes) if changes else ()),
        "nothing_of": SimpleLazyObject(lambda: nothing_of(changes) if changes else ()),
        "rows": SimpleLazyObject(lambda: papers.recommendation_rows(board, changes)),
        # Its links lead to the position that it shows.
        "at": had,
        "unchanged": SimpleLazyObject(lambda: unchanged(board, earlier)),
        "asks": on_it.asks,
        "outcomes": on_it.outcomes,
        "corrections": corrections,
        "moves": papers.moves_of(corrections),
        "state": row.words_on(request.as_at.day),
        "papers": published_by(request.as_at, row.papers.with_anchor()).order_by("-version"),
    }
    return render(request, "meetings/meeting.html", context)


def nothing_of(changes):
    """The kinds of Changes, in words, of which there is none: what a page says in a line."""
    kinds = (
        (changes.moved, "no due date set or moved"),
        (changes.refused, "no proposed date refused"),
        (changes.sent_back, "nothing sent back for evidence"),
        (changes.assessed, "no new assessment"),
        (changes.corrections, "nothing corrected or withdrawn"),
        (changes.repeated, "no update that only repeats the one before"),
    )
    return [words for rows, words in kinds if not rows]


def asks_for_draft(request):
    """Whether somebody who may publish asks what the next version would be."""
    return "draft" in request.GET and request.user.has_perm("meetings.add_paper")


@require_safe
@kept(by=asks_for_draft)
@of_a_meeting
def paper(request, row):
    """Serve the meeting's paper: the published bytes, or a live draft until there are some."""
    if asks_for_draft(request):
        return paper_response(papers.render_paper(draft(row, has_annex="annex" in request.GET)))
    wanted = request.GET.get("version")
    published = published_by(request.as_at, row.papers).order_by("-version")
    if wanted is not None:
        if not (wanted.isascii() and wanted.isdecimal() and len(wanted) < 5):
            raise Http404
        published = published.filter(version=int(wanted))
    found = published.first()
    if found:
        if (erasure := found.erasure) and bytes(found.body) == erasure.notice.encode():
            return render(request, "meetings/erased.html", {"paper": found, "erasure": erasure})
        if not found.is_intact():
            return render(request, "meetings/damaged.html", {"paper": found}, status=500)
        return paper_response(bytes(found.body))
    if wanted is not None:
        raise Http404
    had = had_before_it(row, request.as_at)
    made = papers.status_paper(
        had,
        meeting=row,
        asks=asks_of(row, request.as_at),
        is_draft=True,
        has_annex="annex" in request.GET,
    )
    return paper_response(papers.render_paper(made))


@require_safe
@kept
def proof(request):
    """Show the count and the hash of the record and of each paper, what they prove, and how to check."""
    at = request.as_at
    published = Paper.objects.with_anchor().filter(published_at__lt=at.until).order_by("-published_at", "-pk")
    newest = ledger.newest(at.until)
    context = {
        "newest": newest,
        "anchor": ledger.anchor_of(newest),
        "papers": read(published, at, "meeting"),
    }
    return render(request, "meetings/proof.html", context)


@require_safe
def calendar(request):
    """Send the meetings and due dates as a calendar to subscribe to."""
    demonstration = "DEMONSTRATION, " if Demonstration.objects.exists() else ""
    body = calendar_of(
        board_position(request.as_at),
        name=f"{demonstration}{settings.BOARD_NAME}",
        host=request.get_host(),
        address_of=request.build_absolute_uri,
    )
    return as_file(HttpResponse(body, content_type="text/calendar; charset=utf-8"), "calendar.ics")


@require_safe
def position_json(request):
    """Send how the whole board stands, for other programs."""
    at = request.as_at
    board = board_position(at)
    said = position_in_json(
        board,
        decisions_wanted=len(agenda(next_meeting(at), board, at).decisions),
        newest=ledger.newest(at.known),
        is_demonstration=Demonstration.objects.exists(),
        board_name=settings.BOARD_NAME,
        marking=settings.MARKING,
        update_every_days=settings.UPDATE_EVERY_DAYS,
    )
    return as_file(JsonResponse(said), name_of_file("position", at, "json"))


def paper_response(body):
    """The response that serves a paper's bytes, allowing the stylesheet that they carry."""
    response = HttpResponse(body)
    response.csp = {"style-src": ["'self'", papers.style_source(body)]}
    return response
