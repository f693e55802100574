"""What day it is, in London, wherever the site asks: only the wall clock itself is set by these tests."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from meetings.models import Paper
from recommendations.models import ProgressUpdate
from recommendations.tests.factories import make_action, make_due_date, make_update
from record.tests.admin_forms import fields_of, fill_in, open_form
from record.tests.factories import make_meeting, make_user
from record.tests.pages import words_of

pytestmark = pytest.mark.again

ADD = reverse("admin:recommendations_progressupdate_add")


@pytest.fixture
def at(monkeypatch):
    """A function that sets the clock to a moment in UTC, written like 2026-06-30T23:30."""

    def set_clock(moment):
        now = datetime.datetime.fromisoformat(f"{moment}+00:00")
        monkeypatch.setattr(timezone, "now", lambda: now)

    return set_clock


def words(response):
    """The text of a page, its tags taken out and its spaces made single."""
    assert response.status_code == 200
    return words_of(response)


def test_half_past_eleven_at_night_in_utc_is_the_next_day_of_a_london_summer(client, db, at):
    at("2026-06-05T12:00")
    secretariat = make_user("Secretariat")
    action = make_action(owner=secretariat)
    # Reported within the last 28 days until 30 June, and no longer on 1 July.
    make_update(action, dated="2026-06-02", by=secretariat)
    make_due_date(action, due="2026-06-30", by=secretariat)
    meeting = make_meeting(held_on=datetime.date(2026, 7, 10))

    at("2026-06-30T23:30")
    client.force_login(secretariat)
    board, own_page, status, paper, tasks = (
        words(client.get(page))
        for page in ("/", "/actions/A01/", "/status/", "/meetings/2026-07-10/paper/", "/admin/")
    )
    assert "Where we stand, 1 July 2026" in board
    assert "As at 1 July 2026, today" in own_page
    assert "As at 1 July 2026" in status
    assert "As at 1 July 2026" in paper
    late = [page.count("No update since 2 June 2026") for page in (own_page, status, paper, tasks)]
    assert [count > 0 for count in late] == [True] * 4
    assert client.get("/?as_at=2026-07-01").status_code == 200
    assert client.get("/?as_at=2026-07-02").status_code == 400

    assert open_form(client, f"{ADD}?action={action.pk}")["dated"] == "01/07/2026"
    written = {"status": "on_track", "narrative": "It went on."}
    assert fill_in(client, f"{ADD}?action={action.pk}", dated="02/07/2026", **written).status_code == 200
    assert fill_in(client, f"{ADD}?action={action.pk}", **written).status_code == 302
    assert ProgressUpdate.objects.latest("pk").dated == "2026-07-01"
    page = reverse("admin:meetings_publish", args=[meeting.pk])
    client.post(page, fields_of(client.get(page).context["form"]))
    assert Paper.objects.get().as_at == datetime.date(2026, 7, 1)


@pytest.mark.parametrize(
    ("due", "last_moment", "next_moment"),
    [
        ("2026-06-30", "2026-06-30T22:59:59", "2026-06-30T23:00:00"),
        ("2026-01-31", "2026-01-31T23:59:59", "2026-02-01T00:00:00"),
    ],
)
def test_an_action_is_overdue_from_midnight_in_london(client, db, at, due, last_moment, next_moment):
    at("2026-01-05T12:00")
    secretariat = make_user("Secretariat")
    action = make_action(owner=secretariat)
    make_due_date(action, due=due, by=secretariat)
    make_update(action, dated="2026-01-05", by=secretariat)
    found = []
    for moment in (last_moment, next_moment):
        at(moment)
        client.force_login(secretariat)
        pages = [
            client.get(page) for page in ("/actions/A01/", "/actions/?overdue=yes", "/status/", "/admin/")
        ]
        overdue = "tag--overdue", "Title of A01", "Of these, 1 is overdue", "<strong>Overdue</strong>"
        found.append([sign in page.content.decode() for sign, page in zip(overdue, pages, strict=True)])
    assert found == [[False] * 4, [True] * 4]
