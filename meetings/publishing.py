"""Freezing a meeting's status paper: these bytes, for good."""

import hashlib

from django.db import transaction
from django.utils import timezone

from meetings.changes import Moment
from meetings.models import Meeting, Paper
from meetings.papers import render_paper, status_context
from recommendations import ledger
from visits.dates import end_of


class AlreadyPublished(Exception):
    """Someone published while this page was open; ``paper`` is what they published."""

    def __init__(self, paper):
        super().__init__(str(paper))
        self.paper = paper


def moment_to_publish(meeting, *, at, is_first):
    """Return the Moment that a paper published at the aware datetime ``at`` shows.

    The first shows today or, once the meeting is past, the day it was held as was known then. A later
    version shows everything known when it is published: putting something right is what it is for.
    """
    as_at = min(timezone.localdate(at), meeting.held_on)
    return Moment(as_at, min(at, end_of(as_at)) if is_first else at)


def publish(meeting_pk, *, by, seen_version, reason=""):
    """Freeze the paper of the meeting and return it, a Paper.

    ``seen_version`` is the newest version there was when the person looked, 0 for none; raises
    AlreadyPublished if there is a newer one. No statement can be added while the paper is made, so the
    anchor it prints covers exactly what it shows.
    """
    with transaction.atomic():
        ledger.take_turn()
        meeting = Meeting.objects.select_for_update().get(pk=meeting_pk)
        newest = meeting.papers.defer("body").order_by("-version").first()
        if newest and newest.version != seen_version:
            raise AlreadyPublished(newest)
        at = timezone.now()
        version = seen_version + 1
        as_at, body = _render(meeting, at=at, is_first=version == 1, version=version)
        paper = Paper(
            meeting=meeting,
            version=version,
            as_at=as_at,
            published_at=at,
            published_by=by,
            reason=reason,
            body=body,
            sha256=hashlib.sha256(body).hexdigest(),
        )
        ledger.append([paper])
    return paper


def preview(meeting):
    """Return the bytes that publishing now would freeze, but marked DRAFT."""
    return _render(meeting, at=timezone.now(), is_first=not meeting.papers.exists(), is_draft=True)[1]


def _render(meeting, *, at, is_first, **marks):
    moment = moment_to_publish(meeting, at=at, is_first=is_first)
    context = status_context(
        meeting=meeting,
        as_at=moment.as_at,
        known=moment.known,
        today=timezone.localdate(at),
        printed_at=at,
        **marks,
    )
    return moment.as_at, render_paper(context)
