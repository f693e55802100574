"""What was reported between two moments: on the first, and not on the second."""

import datetime

import pytest

from recommendations.received import updates_since
from recommendations.tests.factories import make_action, make_update
from record.tests.factories import make_user, noon, on

pytestmark = [pytest.mark.django_db, pytest.mark.again]


def test_a_report_of_the_moment_from_which_is_asked_is_heard_and_one_of_the_moment_up_to_which_is_not():
    action, officer = make_action(recorded_at=noon("2022-10-01")), make_user("Officers")
    days = ("2022-10-09", "2022-10-10", "2022-10-19", "2022-10-20")
    for day in days:
        make_update(action, dated=day, by=officer, recorded_at=noon(day))
    since = on(datetime.date(2022, 10, 10), noon("2022-10-10"))
    until = on(datetime.date(2022, 10, 20), noon("2022-10-20"))

    heard = [row.dated_first for row in updates_since(since, until).updates]
    assert heard == [datetime.date(2022, 10, 10), datetime.date(2022, 10, 19)]
