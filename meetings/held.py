"""Which meetings had been held, and the position that each had before it."""

from django.utils import timezone

from record.as_at import AsAt
from record.dates import end_of
from record.models import Meeting
from record.statements import statement_kinds
from record.versions import read, recorded, rows_of

MEETINGS_LOOKED_BACK = 6


def meetings_held(at, *, before=None):
    """The meetings that had been held on the day asked about, the latest first.

    They are as many as are ever looked back on, and one more; only those before the meeting ``before`` where
    that is given. A cancelled meeting compares with nothing.
    """
    if before and before.is_cancelled:
        return []
    held = recorded(Meeting, at).held_by(at.day)
    earlier = held.filter(held_on__lt=before.held_on) if before else held
    return rows_of(earlier[: MEETINGS_LOOKED_BACK + 1])


def next_meeting(at):
    """The next meeting to come, seen from the day asked about, or None."""
    to_come = recorded(Meeting, at).to_come_from(at.day)
    return next(iter(rows_of(to_come[:1])), None)


def had_before_it(meeting, at):
    """The AsAt of the position that ``meeting`` had before it, asked on the day on which ``at`` is.

    It is that of the paper the meeting had in front of it; without one, the end of the day it was held;
    and for a meeting that is today or still to come, today. With ``at.known`` it is what would have been
    answered on the day asked about.
    """
    papers = published_by(at, meeting.papers.defer("body")).order_by("version")
    return had_with(list(papers), meeting, at)


def had_with(papers, meeting, at):
    """The same, given the ``papers`` that were published for it by then, in the order of their versions."""
    if papers:
        in_time = [p for p in papers if timezone.localdate(p.published_at) <= meeting.held_on]
        paper = (in_time or papers[:1])[-1]
        return AsAt(at.today, paper.as_at, min(paper.published_at, end_of(paper.as_at)))
    if at.known and meeting.held_on >= at.day:
        return at
    if meeting.held_on >= at.today:
        return AsAt.now(at.today)
    return AsAt.then(meeting.held_on, today=at.today)


def decided_at(meeting, at):
    """The statements by which something was decided at ``meeting`` and stands, in the order of the record."""
    return [row for row, superseded in said_at(meeting, at) if not superseded]


def said_at(meeting, at):
    """(statement, its Superseded or None) for each that says it was decided at ``meeting``, as recorded.

    However late they were recorded; with ``at.known``, only what was recorded before that moment.
    """
    found = []
    for kind in statement_kinds():
        if hasattr(kind, "meeting"):
            rows = kind.objects.said(at).filter(meeting=meeting.pk)
            rows = rows.select_related("corrected_by", "withdrawn_by")
            found += read(rows, at, "document", "meeting", kind.about_path())
    found.sort(key=lambda row: (row.recorded_at, row._meta.label, row.pk))
    return [(row, row.superseded(at)) for row in found]


def published_by(at, papers):
    """Those of ``papers`` that had been published by the moment or, if it sets none, the day of ``at``."""
    return papers.filter(published_at__lt=at.until)


def shown_of(meeting, at):
    """The AsAt of the position that the page of ``meeting`` shows on the day asked about.

    Until the meeting has been held it is that of every other page of that day, whatever paper is out; from
    then on the one that the meeting had before it.
    """
    return had_before_it(meeting, at) if meeting.was_held_by(at.day) else at
