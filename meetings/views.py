"""The board's position, its meetings, and the status page and papers made for them."""

from collections import namedtuple
from functools import wraps

from django.conf import settings
from django.db.models import Prefetch, prefetch_related_objects
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from meetings import papers
from meetings.changes import changes_since, changes_since_paper, unchanged
from meetings.decisions import late_without_a_date
from meetings.glance import glance
from meetings.held import (
    had_before_it,
    meetings_held,
    next_meeting,
    published_by,
    said_at,
    shown_of,
)
from meetings.listing import listed
from meetings.models import Paper
from meetings.publishing import draft
from recommendations import charts
from recommendations.position import board_position
from recommendations.status import FLAGS, STATUS_WORDS
from recommendations.terms import TERMS
from record import ledger
from record.dates import end_of
from record.models import Meeting
from record.versions import read, recorded, rows_of

Figure = namedtuple("Figure", "words count query")
# Of the actions to look at first, so many are on the first page.
SHOWN_FIRST = 5


@require_safe
def home(request):
    """Show where the board stands: four cells, the recommendations a line each, and what to look at first."""
    at = request.as_at
    board = board_position(at)
    earlier, coming = meetings_held(at), next_meeting(at)
    before = earlier[0] if earlier else None
    changes = changes_since(board, earlier)
    context = {
        "board": board,
        "glance": glance(board, changes=changes, before=before, coming=coming),
        "changes": changes,
        "coming": coming,
        "worst": board.exceptions[:SHOWN_FIRST],
        "figures": (
            Figure(FLAGS["overdue"].word, len(board.overdue), "overdue=yes"),
            Figure(FLAGS["silent"].word, len(board.silent), "silent=yes"),
            Figure(STATUS_WORDS["off_track"], len(board.off_track), "status=off_track"),
            Figure(STATUS_WORDS["at_risk"], len(board.at_risk), "status=at_risk"),
            Figure(TERMS["stale"], len(board.stale), "stale=yes"),
            Figure(TERMS["never_reported"], len(board.never_reported), "status=not_reported"),
        ),
        "paper": Paper.objects.with_anchor().latest_by(at.day),
    }
    return render(request, "meetings/home.html", context)


@require_safe
def trends(request):
    """Show what moved over months: dates, statuses, measures, and the difference made for children."""
    at = request.as_at
    board = board_position(at)
    context = {
        "board": board,
        "sentences": papers.position_in_words(board, update_every_days=settings.UPDATE_EVERY_DAYS),
        "months": charts.monthly_statuses(at, is_narrow=True),
        "slippage": charts.slippage(board, left=0, width=charts.NARROW),
        "said": [a for a in board.reported if a.update.difference_made],
    }
    return render(request, "meetings/trends.html", context)


@require_safe
def status(request):
    """Show the status page, made for A4: for the next meeting if there is one."""
    at = request.as_at
    upcoming = next_meeting(at)
    made = papers.status_paper(
        at, meeting=upcoming, asks=papers.asks_of(upcoming, at), has_annex="annex" in request.GET
    )
    return paper_response(papers.render_paper(made))


@require_safe
def meetings(request):
    """List the meetings, those to come first, then by year what changed, was decided and was published."""
    day = request.as_at.day
    published = Paper.objects.filter(published_at__lt=end_of(day)).with_notice().order_by("version")
    rows = rows_of(recorded(Meeting, request.as_at).order_by("-held_on"))
    prefetch_related_objects(rows, Prefetch("papers", published))
    context = {
        "to_come": [m for m in rows[::-1] if not (m.is_cancelled or m.was_held_by(day))],
        "held": listed([m for m in rows if m.was_held_by(day)], request.as_at),
        "cancelled": [m for m in rows if m.is_cancelled],
    }
    return render(request, "meetings/meetings.html", context)


def of_a_meeting(view):
    """The view of a meeting, given its row; an address that it once had leads to the one it has."""

    @wraps(view)
    def found(request, date):
        row = meeting_on(date, request.as_at)
        if row.held_on == date:
            return view(request, row)
        address = reverse(request.resolver_match.url_name, args=[row.held_on])
        query = request.META["QUERY_STRING"]
        return HttpResponseRedirect(f"{address}?{query}" if query else address)

    return found


@require_safe
@of_a_meeting
def meeting(request, row):
    """Show one meeting: asked, decided, changed, reported, since the paper, papers, and how it stood."""
    had = shown_of(row, request.as_at)
    board = board_position(had)
    earlier = meetings_held(had, before=row)
    changes = changes_since(board, earlier)
    since_paper = changes_since_paper(row, board, request.as_at)
    is_held = row.was_held_by(request.as_at.day)
    said = said_at(row, request.as_at) if is_held else []
    context = {
        "meeting": row,
        "had": had,
        "asked": request.as_at,
        "decided": [each for each, superseded in said if not superseded],
        "once_decided": [pair for pair in said if pair[1]],
        "is_held": is_held,
        "since_paper": since_paper,
        "since_paper_groups": papers.change_groups(since_paper) if since_paper else (),
        "board": board,
        "before": earlier[0] if earlier else None,
        "changes": changes,
        "groups": papers.change_groups(changes) if changes else (),
        "nothing_of": nothing_of(changes) if changes else (),
        "rows": papers.recommendation_rows(board, changes),
        # Its links lead to the position that it shows.
        "at": had,
        "unchanged": unchanged(board, earlier),
        "asks": papers.asks_of(row, request.as_at),
        "late": late_without_a_date(board),
        "corrections": papers.edits_of_meeting(row, request.as_at),
        "state": row.words_on(request.as_at.day),
        "papers": published_by(request.as_at, row.papers.with_anchor()).order_by("-version"),
    }
    return render(request, "meetings/meeting.html", context)


def nothing_of(changes):
    """The kinds of Changes, in words, of which there is none: what a page says in a line."""
    kinds = (
        (changes.moved, "no due date moved"),
        (changes.refused, "no proposed date refused"),
        (changes.sent_back, "nothing sent back for evidence"),
        (changes.assessed, "no new assessment"),
        (changes.corrections, "nothing corrected or withdrawn"),
        (changes.repeated, "no update with the same words as before"),
    )
    return [words for rows, words in kinds if not rows]


@require_safe
@of_a_meeting
def paper(request, row):
    """Serve the meeting's paper: the published bytes, or a live draft until there are some."""
    if "draft" in request.GET and request.user.has_perm("meetings.add_paper"):
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
        asks=papers.asks_of(row, request.as_at),
        is_draft=True,
        has_annex="annex" in request.GET,
    )
    return paper_response(papers.render_paper(made))


@require_safe
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


def meeting_on(date, at):
    """The Meeting whose day that is, was or came to be, as was known ``at``; a 404 where there is none."""
    known = recorded(Meeting, at)
    found = rows_of(known.filter(held_on=date))
    if not found:
        once = Meeting.history.filter(held_on=date).order_by("-history_id").values("id")[:1]
        found = rows_of(known.filter(id__in=list(once.values_list("id", flat=True))))
    if not found:
        raise Http404
    return found[0]


def paper_response(body):
    """The response that serves a paper's bytes, allowing the stylesheet that they carry."""
    response = HttpResponse(body)
    response.csp = {"style-src": ["'self'", papers.style_source(body)]}
    return response
