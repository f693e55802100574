"""Which meeting is the last one held, and which of them each is compared with."""

import datetime

import pytest

from meetings.changes import changes_since
from recommendations.position import board_position
from recommendations.tests.factories import make_action, make_update
from record.held import had_before_it, meetings_held, next_meeting
from record.tests.factories import change, make_meeting, on

pytestmark = pytest.mark.django_db
FIRST, SECOND, THIRD = (
    datetime.date(2022, 10, 5),
    datetime.date(2022, 11, 9),
    datetime.date(2022, 12, 7),
)
DAY_OF_SECOND = [datetime.date(2022, 11, day) for day in (8, 9, 10)]


@pytest.fixture
def two_meetings():
    return make_meeting(held_on=FIRST), make_meeting(held_on=SECOND)


def compared_with(meeting, today):
    """The day of the meeting with which ``meeting`` is compared ``today``, or None."""
    moment = had_before_it(meeting, on(today))
    changes = changes_since(board_position(moment), meetings_held(moment, before=meeting))
    return changes and changes.since.day


@pytest.mark.parametrize(
    ("state", "last", "upcoming"),
    [
        ("planned", [FIRST, FIRST, SECOND], [SECOND, SECOND, None]),
        ("held", [FIRST, SECOND, SECOND], [SECOND, None, None]),
        ("cancelled", [FIRST, FIRST, FIRST], [None, None, None]),
    ],
)
def test_the_last_meeting_is_the_last_one_held_the_day_before_its_day_and_the_next(
    two_meetings, state, last, upcoming
):
    change(two_meetings[1], state=state)

    assert [meetings_held(on(day))[0].held_on for day in DAY_OF_SECOND] == last
    assert [(m := next_meeting(on(day))) and m.held_on for day in DAY_OF_SECOND] == upcoming
    assert [two_meetings[1].was_held_by(day) for day in DAY_OF_SECOND] == [day == SECOND for day in last]
    assert meetings_held(on(FIRST)) == []


@pytest.mark.parametrize(
    ("state", "of_third", "of_second"),
    [("planned", SECOND, FIRST), ("held", SECOND, FIRST), ("cancelled", FIRST, None)],
)
def test_a_meeting_compares_with_the_last_one_held_before_it_and_never_with_itself(
    two_meetings, state, of_third, of_second
):
    change(two_meetings[1], state=state)
    third = make_meeting(held_on=THIRD)
    make_update(make_action(), "on_track", dated="2022-10-05")

    # The day before the second is held, the third has only the first to compare with.
    assert compared_with(third, today=DAY_OF_SECOND[0]) == FIRST
    assert compared_with(third, today=THIRD) == of_third
    assert compared_with(two_meetings[1], today=THIRD) == of_second


def test_the_first_meeting_has_nothing_to_compare_with():
    meeting = make_meeting(held_on=FIRST)
    make_action()
    assert compared_with(meeting, today=datetime.date(2022, 11, 22)) is None
