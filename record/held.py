"""Which meetings had been held, and the position that each had before it."""

from collections import defaultdict

from django.utils import timezone

from record.as_at import AsAt
from record.dates import end_of
from record.models import Meeting
from record.prepared import ask
from record.statements import labels_among, statement_kinds, with_who_said_first
from record.versions import read_asked, recorded, rows_of

MEETINGS_LOOKED_BACK = 6


def meetings_held(at, *, before=None):
    """The meetings that had been held on the day asked about, the latest first.

    They are as many as are ever looked back on, and one more; only those before the meeting ``before`` where
    that is given. A cancelled meeting compares with nothing.
    """
    if before and before.is_cancelled:
        return []
    return rows_of(ask(_held, at, before and before.held_on))


def _held(at, before):
    held = recorded(Meeting, at).held_by(at.day)
    return (held.filter(held_on__lt=before) if before else held)[: MEETINGS_LOOKED_BACK + 1]


def next_meeting(at):
    """The next meeting to come, seen from the day asked about, or None."""
    return next(iter(rows_of(ask(_to_come, at))), None)


def _to_come(at):
    return recorded(Meeting, at).to_come_from(at.day)[:1]


def cancelled_before(meeting, at):
    """The next meeting that was to come before ``meeting``, which may be None, and was cancelled; or None."""
    cancelled = next(iter(rows_of(ask(_cancelled, at))), None)
    return cancelled if cancelled and not (meeting and meeting.held_on < cancelled.held_on) else None


def _cancelled(at):
    return recorded(Meeting, at).cancelled_from(at.day)[:1]


def had_before_it(meeting, at):
    """The AsAt of the position that ``meeting`` had before it, asked on the day on which ``at`` is.

    It is that of the paper the meeting had in front of it; without one, the end of the day it was held;
    and for a meeting that is today or still to come, today. With ``at.known`` it is what would have been
    answered on the day asked about.
    """
    return next(had_before_each([meeting], at))


def had_before_each(meetings, at):
    """The same for each of ``meetings`` in turn, in one query."""
    papers = defaultdict(list)
    for paper in ask(_papers_of, at, keys=[meeting.pk for meeting in meetings]):
        papers[paper.meeting_id].append(paper)
    return (had_with(papers[meeting.pk], meeting, at) for meeting in meetings)


def _papers_of(at, meetings):
    papers = Meeting.papers.field.model.objects.filter(meeting__in=meetings).defer("body")
    return published_by(at, papers).order_by("version")


def had_with(papers, meeting, at):
    """The same, given the ``papers`` that were published for it by then, in the order of their versions."""
    if papers:
        in_time = [p for p in papers if is_in_time(p.published_at, meeting)]
        paper = (in_time or papers[:1])[-1]
        return AsAt(at.today, paper.as_at, min(paper.published_at, end_of(paper.as_at)))
    if at.known and meeting.held_on >= at.day:
        return at
    if meeting.held_on >= at.today:
        return AsAt.now(at.today)
    return AsAt.then(meeting.held_on, today=at.today)


def is_in_time(published_at, meeting):
    """Whether ``meeting`` had a paper that was published at that moment in front of it."""
    return timezone.localdate(published_at) <= meeting.held_on


def decided_at(meeting, at):
    """The statements by which something was decided at ``meeting`` and stands, in the order of the record."""
    return [row for row, superseded in said_at(meeting, at) if not superseded]


def said_at(meeting, at):
    """(statement, its Superseded or None) for each that says it was decided at ``meeting``, as recorded.

    However late they were recorded; with ``at.known``, only what was recorded before that moment.
    """
    found, labels = [], set(ask(_kinds_said_at, at, keys=[meeting.pk]))
    for kind in statement_kinds():
        if kind._meta.label in labels:
            related = ("document", "meeting", kind.about_path())
            found += read_asked(_said_at, at, kind, related=related, keys=[meeting.pk])
    found.sort(key=lambda row: (row.recorded_at, row._meta.label, row.pk))
    return [(row, row.superseded(at)) for row in with_who_said_first(found)]


def _kinds_said_at(at, meetings):
    kinds = (kind for kind in statement_kinds() if hasattr(kind, "meeting"))
    return labels_among(kind.objects.said(at).filter(meeting__in=meetings) for kind in kinds)


def _said_at(at, kind, meetings):
    said = kind.objects.said(at).filter(meeting__in=meetings)
    return said.select_related("corrected_by", "withdrawn_by")


def published_by(at, papers):
    """Those of ``papers`` that had been published by the moment or, if it sets none, the day of ``at``."""
    return papers.filter(published_at__lt=at.until)


def went_out(meeting, at):
    """The day on which the first paper of ``meeting``, which may be None, had been published, or None."""
    first = next(iter(ask(_first_published, at, keys=[meeting.pk])), None) if meeting else None
    return first and timezone.localdate(first)


def _first_published(at, meetings):
    papers = Meeting.papers.field.model.objects.filter(meeting__in=meetings)
    return published_by(at, papers).order_by("version").values_list("published_at", flat=True)[:1]


def shown_of(meeting, at):
    """The AsAt of the position that the page of ``meeting`` shows on the day asked about.

    Until the meeting has been held it is that of every other page of that day, whatever paper is out; from
    then on the one that the meeting had before it.
    """
    return had_before_it(meeting, at) if meeting.was_held_by(at.day) else at
