"""What happened between two meetings, for tests: in October and November 2022, looked at on 22 November."""

import datetime

from meetings.changes import changes_since
from recommendations.position import board_position
from recommendations.tests.factories import make_update
from record.held import had_before_it, meetings_held
from record.tests.factories import on

FIRST, SECOND, TODAY = (
    datetime.date(2022, 10, 5),
    datetime.date(2022, 11, 9),
    datetime.date(2022, 11, 22),
)


def at(year, month, day, hour=12):
    return datetime.datetime(year, month, day, hour, tzinfo=datetime.UTC)


def changes_at(meeting, today=TODAY):
    moment = had_before_it(meeting, on(today))
    now = board_position(moment)
    return changes_since(now, meetings_held(now.at, before=meeting))


def tell(updates, officer):
    """Add the (day, action, status) of ``updates`` in the order of their days, each recorded that day."""
    for dated, action, status in sorted(updates, key=lambda update: update[0]):
        recorded = at(*map(int, dated.split("-")))
        make_update(action, status, dated=dated, by=officer, recorded_at=recorded)
