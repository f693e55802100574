"""Meetings, papers and due dates as a calendar that people subscribe to (iCalendar, RFC 5545).

Each is a whole day, because the record keeps no hours. One event keeps its identifier for good, and its
sequence goes up with whatever may have changed it, so that a calendar moves it and does not show it twice.
"""

import datetime
from dataclasses import dataclass

from django.db.models import Count, Max

from recommendations.board import BoardPosition
from record.dates import say_day
from record.models import Meeting
from record.versions import recorded, rows_of

A_DAY = datetime.timedelta(days=1)
ASK_AGAIN_AFTER = datetime.timedelta(hours=12)


@dataclass(frozen=True)
class Entry:
    """One day in the calendar: ``changed_at`` is when it last changed, ``sequence`` how often it may have."""

    key: str
    day: datetime.date
    words: str
    path: str
    sequence: int
    changed_at: datetime.datetime
    is_cancelled: bool = False

    def event(self, *, host, address_of):
        """The Event of it, for the site at ``host``, whose page ``address_of`` its path leads to."""
        from icalendar import Event  # here, so that a start need not wait for it

        event = Event()
        event.add("uid", f"{self.key}@{host}")
        event.add("dtstamp", self.changed_at.astimezone(datetime.UTC).replace(microsecond=0))
        event.add("dtstart", self.day)
        event.add("dtend", self.day + A_DAY)  # the first day that is not part of it
        event.add("summary", self.words)
        event.add("url", address_of(self.path))
        event.add("sequence", self.sequence)
        event.add("status", "CANCELLED" if self.is_cancelled else "CONFIRMED")
        event.add("transp", "TRANSPARENT")  # it keeps nobody from being invited elsewhere
        return event


def entries(board: BoardPosition):
    """The Entries of every meeting, of its papers, and of each day by which an open action is due."""
    return (*meeting_entries(board.at), *due_entries(board))


def meeting_entries(at):
    """The Entries of the meetings that were known ``at``, and of their papers."""
    found, versions = [], versions_of_meetings(at)
    for meeting in rows_of(recorded(Meeting, at).order_by("held_on")):
        count, changed_at = versions[meeting.pk]
        same = {
            "path": meeting.get_absolute_url(),
            "sequence": count - 1,
            "changed_at": changed_at,
            "is_cancelled": meeting.is_cancelled,
        }
        found.append(Entry(f"meeting-{meeting.pk}", meeting.held_on, "Improvement board meeting", **same))
        if meeting.papers_due_on:
            words = f"Papers due for the board of {say_day(meeting.held_on)}"
            found.append(Entry(f"papers-{meeting.pk}", meeting.papers_due_on, words, **same))
    return found


def versions_of_meetings(at):
    """{key of a meeting: how many versions of it are known, and when the newest was saved}."""
    versions = Meeting.history.all()
    if at.known:
        versions = versions.filter(known_from__lt=at.known)
    counted = versions.order_by("id").values("id").annotate(count=Count("pk"), newest=Max("history_date"))
    return {row["id"]: (row["count"], row["newest"]) for row in counted}


def due_entries(board):
    """An Entry for the last day that the date of each open action may mean.

    A date that has no last day, an approximate or an open one, is in no calendar: no day would be true.
    """
    found = []
    for action in board.actions:
        if action.is_open and action.due and (last := action.due.due.last):
            withdrawn = sum(bool(line.withdrawn) for line in action.dates)
            changed = [action.due.row.agreed_at, *(edit.at for edit in action.corrections)]
            found.append(
                Entry(
                    key=f"due-{action.ref}",
                    day=last,
                    words=f"{action.ref}: {action.title}, due {by_when(action.due.due)}",
                    path=action.get_absolute_url(),
                    sequence=len(action.dates) + withdrawn + len(action.corrections) - 1,
                    changed_at=max(changed),
                )
            )
    return found


def by_when(due):
    """When the PartialDate ``due``, which stands on its last day, is, in words as exact as it is."""
    is_one = due.precision in ("month", "year") and "/" not in due.text
    return f"by the end of {due.words}" if is_one else due.words


def calendar_of(board, *, name, host, address_of):
    """The bytes of the calendar ``name`` of the ``board``."""
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//Improvement board//Meetings and due dates//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", ASK_AGAIN_AFTER, parameters={"VALUE": "DURATION"})
    for entry in entries(board):
        calendar.add_component(entry.event(host=host, address_of=address_of))
    return calendar.to_ical()
