"""Freezing a meeting's status paper: these bytes, for good."""

import hashlib

from django.db import transaction
from django.utils import timezone

from meetings.models import Paper
from meetings.papers import render_paper, status_paper
from record import ledger
from record.as_at import AsAt
from record.dates import end_of
from record.models import Meeting
from record.signing import signature


class AlreadyPublished(Exception):
    """Someone published while this page was open; ``paper`` is what they published."""

    def __init__(self, paper):
        super().__init__(str(paper))
        self.paper = paper


def shown_when_published(meeting, *, now, is_first):
    """The AsAt that a paper published at the moment ``now`` shows.

    The first shows today or, once the meeting is past, the day it was held as was known then. A later
    version shows everything known when it is published: putting something right is what it is for.
    """
    today = timezone.localdate(now)
    day = min(today, meeting.held_on)
    return AsAt(today, day, min(now, end_of(day)) if is_first else now)


def shown_by(paper):
    """The AsAt that ``paper`` showed when it was published."""
    at, before = paper.published_at, paper.meeting.papers.filter(version=paper.version - 1).first()
    if before and (erasure := before.erasure) and erasure.erased_at < at:
        return shown_by(before)
    known = min(at, end_of(paper.as_at)) if paper.version == 1 else at
    return AsAt(timezone.localdate(at), paper.as_at, known)


def shown_next(meeting, newest, *, now):
    """The AsAt that the next paper of ``meeting`` shows; ``newest`` is its newest, or None.

    The next after one that was erased shows what that one did.
    """
    if newest and newest.erasure:
        return shown_by(newest)
    return shown_when_published(meeting, now=now, is_first=newest is None)


def publish(meeting_pk, *, by, seen_version, reason=""):
    """Freeze the paper of the meeting and return it, a Paper.

    ``seen_version`` is the newest version there was when the person looked, 0 for none; raises
    AlreadyPublished if there is a newer one. No statement can be added while the paper is made, so the
    anchor it prints covers exactly what it shows.
    """
    with transaction.atomic():
        # The meeting first: whoever edits it holds it before their turn comes.
        meeting = Meeting.objects.select_for_update().get(pk=meeting_pk)
        ledger.take_turn()
        newest = meeting.papers.defer("body").order_by("-version").first()
        if newest and newest.version != seen_version:
            raise AlreadyPublished(newest)
        now = ledger.now_in_turn()
        version = seen_version + 1
        at = shown_next(meeting, newest, now=now)
        body = render_paper(status_paper(at, meeting=meeting, printed_at=now, version=version))
        paper = Paper(
            meeting=meeting,
            version=version,
            as_at=at.day,
            published_at=now,
            published_by=by,
            signed=signature(by),
            reason=reason,
            body=body,
            sha256=hashlib.sha256(body).hexdigest(),
        )
        ledger.append([paper])
    return paper


def preview(meeting):
    """The bytes that publishing now would freeze, but marked DRAFT."""
    now = timezone.now()
    newest = meeting.papers.defer("body").order_by("-version").first()
    at = shown_next(meeting, newest, now=now)
    return render_paper(status_paper(at, meeting=meeting, printed_at=now, is_draft=True))
