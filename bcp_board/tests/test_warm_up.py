"""What is made ready before the workers part is what their first readers need, and nothing of it is shown."""

import datetime

import pytest

from bcp_board import warm_up
from record import prepared
from record.kept import shelf
from record.tests.factories import make_meeting, make_user

pytestmark = pytest.mark.again


@pytest.fixture
def two_meetings(new_database):
    """A record with two meetings held, of the kind whose rows another connection sees."""
    with new_database("filled"):
        make_meeting(held_on=datetime.date(2023, 1, 5))
        prepared._prepared.cache_clear()
        prepared._put_into_sql.cache_clear()
        yield


@pytest.fixture
def reader(two_meetings, client):
    client.force_login(make_user("Board members", username="reader"))
    return client


def test_most_of_what_the_first_page_asks_is_ready_though_an_early_day_was_asked_about(two_meetings, reader):
    warm_up.warm_up()
    ready = prepared._put_into_sql.cache_info().misses

    assert reader.get("/").status_code == 200

    assert 40 < ready > 0.8 * prepared._put_into_sql.cache_info().misses


def test_it_asks_about_the_day_of_the_second_meeting(two_meetings):
    assert warm_up.an_early_day().day == datetime.date(2023, 1, 5)


def test_no_reader_is_given_a_page_that_it_rendered(two_meetings, reader):
    warm_up.warm_up()
    given = reader.get("/").content

    shelf.clear()
    assert given == reader.get("/").content
