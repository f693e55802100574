"""Freezing a meeting's status paper: these bytes, for good."""

import datetime
import hashlib
import re

from django.db import transaction
from django.utils import timezone

from meetings.decisions import asks_of
from meetings.models import Paper
from meetings.papers import render_paper, status_paper
from record import ledger
from record.as_at import AsAt
from record.dates import end_of, say_day
from record.held import decided_at, is_in_time
from record.models import Meeting
from record.signing import signature
from record.since import told_since

TOKEN = "[0-9]{1,18} [0-9]{4}-[0-9]{2}-[0-9]{2}"


class MovedOn(Exception):
    """The record, the meeting or the day is no more what was read; ``told`` are sentences that say how."""

    def __init__(self, told):
        super().__init__(" ".join(told))
        self.told = told


def what_is_read(meeting):
    """The token of what the paper of ``meeting`` rests on now.

    It is the number of the newest entry, which every version of a row has too, and the day the paper shows.
    """
    return _token(meeting, _newest(meeting), now=timezone.now())


def _token(meeting, newest, *, now):
    return f"{ledger.anchor().count} {shown_next(meeting, newest, now=now).day}"


def _newest(meeting):
    return meeting.papers.defer("body").order_by("-version").first()


def _told(read, is_now):
    """What made the token ``read`` into ``is_now``, in sentences; none where nothing known can have."""
    if not re.fullmatch(TOKEN, read):
        return []
    (entry, day), (newest, today) = read.split(), is_now.split()
    try:
        day, today = map(datetime.date.fromisoformat, (day, today))
    except ValueError:
        return []
    if int(entry) > int(newest) or day > today:
        return []
    told = told_since(int(entry))
    if day < today:
        told.append(
            f"It is another day: you read the paper as at {say_day(day)}, "
            f"and it would now be as at {say_day(today)}."
        )
    return told


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


def publish(meeting_pk, *, by, read, reason="", has_annex=False):
    """Freeze the paper of the meeting, with its annex if wanted, and return it, a Paper.

    ``read`` is the token of what the person had read, from ``what_is_read``; raises MovedOn if anything was
    added to the record since, or the paper would show another day. No statement can be added while the
    paper is made, so the anchor it prints covers exactly what it shows.
    """
    with transaction.atomic():
        # The meeting first: whoever edits it holds it before their turn comes.
        meeting = Meeting.objects.select_for_update().get(pk=meeting_pk)
        ledger.take_turn()
        newest, now = _newest(meeting), ledger.now_in_turn()
        is_now = _token(meeting, newest, now=now)
        if read != is_now:
            raise MovedOn(_told(read, is_now))
        return freeze(
            meeting, newest, by=by, signed=signature(by), now=now, reason=reason, has_annex=has_annex
        )


def freeze(meeting, newest, *, by, signed, now, reason, has_annex=False):
    """Add the next paper of ``meeting`` after its ``newest`` at the moment ``now``, in the writer's turn."""
    version = newest.version + 1 if newest else 1
    at = shown_next(meeting, newest, now=now)
    made = status_paper(
        at,
        meeting=meeting,
        asks=asks_of(meeting, AsAt.now(at.today)),
        version=version,
        published_at=now,
        has_annex=has_annex,
    )
    body = render_paper(made)
    paper = Paper(
        meeting=meeting,
        version=version,
        as_at=at.day,
        published_at=now,
        published_by=by,
        signed=signed,
        reason=reason,
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
        decisions=made.decisions.numbers,
    )
    return ledger.append([paper])[0]


def decided_already(meeting):
    """What stands as decided at ``meeting``, where a paper published now would be what it had before it.

    Its page would then show, as the position before the meeting, one that has these decisions in it.
    """
    now = timezone.now()
    at = AsAt.now(timezone.localdate(now))
    return decided_at(meeting, at) if is_in_time(now, meeting) else []


def draft(meeting, *, has_annex=False):
    """The StatusPaper that publishing now would freeze, but marked DRAFT."""
    now = timezone.now()
    at = shown_next(meeting, _newest(meeting), now=now)
    return status_paper(
        at,
        meeting=meeting,
        asks=asks_of(meeting, AsAt.now(at.today)),
        is_draft=True,
        has_annex=has_annex,
    )
