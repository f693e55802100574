"""The calendar: whole days, dates no more exact than they are, and events that a calendar can follow."""

import datetime

import pytest
from icalendar import Calendar

from recommendations.models import Action
from recommendations.tests.factories import make_action, make_decision, make_due_date, make_update
from record.models import Meeting
from record.tests.factories import add, change, make_meeting, make_user

pytestmark = pytest.mark.again


@pytest.fixture
def reader(client, db):
    client.force_login(make_user("Board members"))
    return client


def events(client, query=""):
    """{identifier before the @: event} of the calendar, read back."""
    response = client.get(f"/calendar.ics{query}")
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    found = Calendar.from_ical(response.content).walk("VEVENT")
    by_key = {str(event["uid"]).removesuffix("@testserver"): event for event in found}
    assert len(by_key) == len(found)
    return by_key


def told(event):
    return str(event["summary"]), event["dtstart"].dt, event["dtend"].dt, str(event["status"])


def test_a_meeting_and_its_papers_are_whole_days_and_the_end_is_the_day_after(reader):
    meeting = make_meeting("2023-03-31", papers_due_on=datetime.date(2023, 3, 24))
    found = events(reader)

    first, papers = found[f"meeting-{meeting.pk}"], found[f"papers-{meeting.pk}"]
    days = datetime.date(2023, 3, 31), datetime.date(2023, 4, 1)
    assert told(first) == ("Improvement board meeting", *days, "CONFIRMED")
    days = datetime.date(2023, 3, 24), datetime.date(2023, 3, 25)
    assert told(papers) == ("Papers due for the board of 31 March 2023", *days, "CONFIRMED")
    assert first["dtstart"].params["value"] == "DATE"
    assert str(first["url"]) == "http://testserver/meetings/2023-03-31/"
    assert len(found) == 2


def test_a_moved_meeting_is_the_same_event_and_a_cancelled_one_says_so(reader):
    key = f"meeting-{make_meeting('2027-03-31').pk}"
    assert events(reader)[key]["sequence"] == 0

    change(Meeting.objects.get(), held_on=datetime.date(2027, 4, 7))
    moved = events(reader)[key]
    assert (moved["sequence"], moved["dtstart"].dt) == (1, datetime.date(2027, 4, 7))

    change(Meeting.objects.get(), state="cancelled")
    cancelled = events(reader)[key]
    assert (cancelled["sequence"], str(cancelled["status"])) == (2, "CANCELLED")
    assert cancelled["dtstamp"].dt >= moved["dtstamp"].dt


@pytest.mark.parametrize(
    ("due", "day", "words"),
    [
        ("2022-11-22", "2022-11-22", "due 22 November 2022"),
        ("2022-11", "2022-11-30", "due by the end of November 2022"),
        ("2022-11?", "2022-11-30", "due by the end of November 2022, year inferred"),
        ("2024", "2024-12-31", "due by the end of 2024"),
        ("2022-10-04/2022-10-05", "2022-10-05", "due 4 to 5 October 2022"),
        ("2022-10/2022-12", "2022-12-31", "due October to December 2022"),
        ("[2019-04..2021-12]", "2021-12-31", "due between April 2019 and December 2021"),
    ],
)
def test_a_due_date_stands_on_its_last_day_and_says_how_exact_it_is(reader, due, day, words):
    make_due_date(make_action("A01", title="Fix; the, pay"), due=due)
    (event,) = events(reader).values()

    last = datetime.date.fromisoformat(day)
    after = last + datetime.timedelta(days=1)
    assert told(event) == (f"A01: Fix; the, pay, {words}", last, after, "CONFIRMED")
    assert str(event["url"]) == "http://testserver/actions/A01/"


def test_no_day_is_made_up_and_what_is_not_open_or_only_asked_for_is_left_out(reader):
    make_due_date(make_action("A01"), due="2024~")
    make_due_date(make_action("A02"), due="[2022-10-06..]")
    make_action("A03")
    make_due_date(make_action("A04"), needs_decision=True)
    make_due_date(make_action("A05"), due="2023-01")
    make_update(Action.objects.get(ref="A05"), "closed")
    make_due_date(make_action("A06"), due="2023-01")

    assert list(events(reader)) == ["due-A06"]


def test_a_date_that_moves_is_the_same_event_with_a_higher_sequence(reader):
    action, chair = make_action(), make_user("Chair")
    make_due_date(action, due="2023-01")
    assert events(reader)["due-A01"]["sequence"] == 0

    later = make_due_date(action, due="2023-03", dated="2022-11-10", by=chair, needs_decision=True)
    assert events(reader)["due-A01"]["sequence"] == 0
    decision = make_decision(later, by=chair)
    moved = events(reader)["due-A01"]
    assert (moved["sequence"], moved["dtstart"].dt) == (1, datetime.date(2023, 3, 31))

    add(decision.withdrawal(by=chair, reason="Never decided"))
    back = events(reader)["due-A01"]
    assert (back["sequence"], back["dtstart"].dt) == (2, datetime.date(2023, 1, 31))


def test_it_is_asked_as_at_a_day_and_as_it_was_known_then(reader):
    meeting = make_meeting("2022-12-01")
    change(meeting, held_on=datetime.date(2022, 12, 8))
    make_due_date(make_action(), dated="2022-11-01")

    assert set(events(reader, "?as_at=2022-10-31")) == {f"meeting-{meeting.pk}"}
    assert set(events(reader, "?as_at=2022-11-01")) == {f"meeting-{meeting.pk}", "due-A01"}
    assert reader.get("/calendar.ics?as_at=2018-12-31").status_code == 400


def test_what_people_type_cannot_add_a_line_to_it(reader):
    make_due_date(make_action("A01", title="Pay\r\nEND:VEVENT\r\nBEGIN:VALARM"), due="2023-01")
    text = reader.get("/calendar.ics").content

    assert [line for line in text.split(b"\r\n") if b"VALARM" in line and line.startswith(b"BEGIN")] == []
    assert len(events(reader)) == 1
    assert max(len(line) for line in text.split(b"\r\n")) <= 75


@pytest.mark.parametrize("size", [1, 10])
def test_the_calendar_costs_the_same_however_much_there_is(reader, size, django_assert_num_queries):
    for number in range(1, size + 1):
        make_due_date(make_action(f"A{number:02}"))
        make_meeting(f"2022-12-{number:02}")
    reader.get("/calendar.ics")
    # session and user, 28 of the position, meetings, their versions, and whether it is a demonstration
    with django_assert_num_queries(33):
        reader.get("/calendar.ics")
