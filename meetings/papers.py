"""The status paper: what it says, how it is printed, and how it is frozen."""

import base64
import hashlib
import re
from collections import namedtuple

from django.conf import settings
from django.contrib.staticfiles import finders
from django.db.models import Prefetch
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from meetings.changes import changes_since_meeting_before, meeting_before, unchanged
from meetings.models import Demonstration, Meeting, Paper
from recommendations import ledger
from recommendations.position import board_position

PAPERS_WITHOUT_BODY = Prefetch("papers", Paper.objects.defer("body").order_by("version"))
STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)

RecommendationRow = namedtuple("RecommendationRow", "recommendation direction")


def recommendation_rows(board, changes):
    """Return each recommendation of ``board`` with its direction since the last meeting, a word or ""."""
    return [
        RecommendationRow(r, changes.direction(r.number) if changes else "") for r in board.recommendations
    ]


def status_context(*, meeting, as_at, known, today, printed_at, is_draft=False, version=None):
    """Return everything the status page or paper shows. ``meeting`` may be None; times are aware."""
    board = board_position(as_at=as_at, known=known)
    day = meeting.held_on if meeting else as_at
    changes = changes_since_meeting_before(board, day=day, today=today)
    earlier = Meeting.objects.filter(held_on__lt=day).order_by("-held_on")
    return {
        "board_name": settings.BOARD_NAME,
        "marking": settings.MARKING,
        "update_every_days": settings.UPDATE_EVERY_DAYS,
        "is_demonstration": Demonstration.objects.exists(),
        "stylesheet": stylesheet(),
        "meeting": meeting,
        "board": board,
        "changes": changes,
        "meeting_before": meeting_before(day),
        "unchanged": unchanged(board, earlier, today=today),
        "rows": recommendation_rows(board, changes),
        "as_at": as_at,
        "known": known,
        "today": today,
        "printed_at": printed_at,
        "is_draft": is_draft,
        "version": version,
        "anchor": ledger.anchor(),
    }


def render_paper(context):
    """Return the bytes of the status page for ``context``: whole in themselves, with no name or form."""
    return render_to_string("meetings/paper.html", context).encode()


def stylesheet():
    """Return our compiled stylesheet, as it goes into a paper."""
    path = finders.find("bcp_board/board.css")
    # Our own file, built from our own sources: it may go into the page as it is.
    return SafeString(open(path, encoding="utf-8").read())


def style_source(body):
    """Return the source expression that lets a browser use the stylesheet in the bytes of a paper."""
    styles = STYLE.search(body)
    digest = hashlib.sha256(styles[1] if styles else b"").digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
