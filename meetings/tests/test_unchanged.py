"""For how many meetings an action has stood as it does: no more than were looked back on."""

import datetime

import pytest

from meetings.changes import unchanged
from recommendations.position import board_position
from recommendations.tests.factories import make_action, make_update
from record.held import meetings_held
from record.tests.factories import make_meeting, make_user, noon, on

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("held", "still"),
    [
        (1, "unchanged for 1 meeting"),
        (6, "unchanged for 6 meetings"),
        (7, "unchanged for 6 or more meetings"),
    ],
)
def test_unchanged_counts_the_last_meetings_at_which_status_and_date_were_the_same(held, still):
    officer, began = make_user("Officers"), {"agreed_on": "2022-01-01", "recorded_at": noon("2022-01-02")}
    rows = {ref: make_action(ref, **began) for ref in ("A01", "A02", "A03")}
    for row in rows.values():
        make_update(row, "on_track", dated="2022-01-02", by=officer, recorded_at=noon("2022-01-02"))
    for number in range(held):
        make_meeting(f"2022-{9 - number:02}-10")
    # One before the last meeting, so that it has stood as it does at that one only; the other since.
    make_update(rows["A02"], "at_risk", dated="2022-09-01", by=officer, recorded_at=noon("2022-09-01"))
    make_update(rows["A03"], "at_risk", dated="2022-09-20", by=officer, recorded_at=noon("2022-09-20"))

    now = board_position(on(datetime.date(2022, 9, 30)))
    found = unchanged(now, meetings_held(now.at))

    assert [(row.action.ref, row.words) for row in found] == [
        ("A01", still),
        ("A02", "unchanged for 1 meeting"),
    ]
