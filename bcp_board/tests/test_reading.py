"""What is new to each reader: what was recorded since they said that they had read it."""

import datetime

import pytest

from bcp_board.models import ReadUpTo
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_decision,
    make_due_date,
    make_recommendation,
    make_update,
)
from record import ledger
from record.models import LedgerEntry
from record.signing import signature
from record.tests.factories import add, change, make_meeting, make_user, saved
from record.tests.pages import main_words

pytestmark = [pytest.mark.django_db, pytest.mark.again]


@pytest.fixture
def member(client):
    user = make_user("Board members", "member")
    client.force_login(user)
    return user


def read_it(client):
    page = client.get("/new/")
    return client.post("/new/", {"up_to": page.context["newest"].sequence})


def groups_of(client, page=""):
    found = client.get(f"/new/{page}").context["groups"]
    return {group.title: [(each.name, each.done) for each in group.entries] for group in found}


def test_what_is_recorded_after_the_button_is_new_and_what_was_there_is_not(client, member):
    officer = make_user("Officers")
    action = make_action("A01")

    done = read_it(client)

    assert (done.status_code, done.url) == (302, "/new/")
    assert "Nothing has been recorded since." in main_words(client.get("/new/"))
    wrong = make_update(action, by=officer, narrative="Ten were hired")
    make_update(action, by=officer, narrative="Nine", corrects=wrong, correction_reason="One left")
    make_decision(make_due_date(action, needs_decision=True, by=officer), by=officer)
    make_assessment(make_recommendation(2), by=officer)
    change(action, title="Another title")
    make_meeting("2023-01-10")
    text, about = main_words(client.get("/new/")), "A01: Title of A01"
    assert groups_of(client) == {
        "Progress updates": [(about.replace("Title of A01", "Another title"), "recorded")],
        "Decisions": [("A01: Another title", "recorded")],
        "Due dates": [("A01: Another title", "recorded")],
        "Assessments": [("Recommendation 2: Title 2", "recorded")],
        "Corrections and withdrawals": [
            ("A01: Another title", "changed"),
            ("A01: Another title", "corrected"),
        ],
        "Added to the record": [
            ("Meeting of 10 January 2023", "added"),
            ("Recommendation 2: Title 2", "added"),
        ],
    }
    assert "“ On track: Ten were hired ” Progress update recorded by Officers Person (Officer) ," in text
    assert "Why: One left" in text
    assert "Why: It was wrong" in text


def test_looking_marks_nothing_and_each_reader_has_a_mark_of_their_own(client, member):
    make_action("A01")
    read_it(client)
    make_action("A02")
    for _ in range(2):
        assert groups_of(client) == {"Added to the record": [("A02: Title of A02", "added")]}
    client.force_login(make_user("Board members", "another"))
    page = client.get("/new/")
    assert "all that was ever recorded is here" in main_words(page)
    assert len(page.context["page"].object_list) == LedgerEntry.objects.count()


def test_what_was_withdrawn_or_corrected_since_is_struck_and_says_by_whom_and_why(client, member):
    officer, clerk = make_user("Officers"), make_user("Secretariat")
    action = make_action("A01")
    read_it(client)
    gone = make_update(action, by=officer, narrative="Two left")
    add(gone.withdrawal(by=clerk, reason="Another action"))
    wrong = make_update(action, by=officer, narrative="Ten came", dated="2022-11-02")
    right = {"narrative": "Nine came", "dated": "2022-11-02", "corrects": wrong}
    make_update(action, by=officer, correction_reason="One left", **right)

    page = client.get("/new/")

    told = {(each.done, each.text): each.is_struck for g in page.context["groups"] for each in g.entries}
    assert {said: is_struck for said, is_struck in told.items() if said[1]} == {
        ("recorded", "On track: Two left"): True,
        ("withdrew", "On track: Two left"): True,
        ("recorded", "On track: Ten came"): True,
        ("corrected", "On track: Nine came"): False,
    }
    text = main_words(page)
    assert f"{signature(clerk)} withdrew this progress update" in text
    assert f"It was recorded by {signature(officer)} for 1 November 2022. Why: Another action" in text
    assert "Withdrawn since, by Secretariat Person ," in text
    assert "Before, it said “ On track: Ten came ” , recorded by" in text
    assert "Mark all 4 as read" in text


def test_somebody_new_begins_with_the_last_meeting_and_may_ask_for_all(client, member):
    with saved(at=datetime.datetime(2022, 11, 1, tzinfo=datetime.UTC)):
        make_meeting("2022-11-22")
    make_update(make_action("A01"), by=make_user("Officers"))

    page = client.get("/new/")

    assert "so this begins with the day of the last meeting, 22 November 2022." in main_words(page)
    assert "A01: Title of A01" in main_words(page)
    assert "Meeting of 22 November 2022" not in main_words(page)
    assert "Meeting of 22 November 2022" in main_words(client.get("/new/?all"))


def test_what_came_after_the_page_was_opened_stays_new(client, member):
    make_action("A01")
    seen = client.get("/new/").context["newest"].sequence
    make_action("A02")

    client.post("/new/", {"up_to": seen})

    assert groups_of(client) == {"Added to the record": [("A02: Title of A02", "added")]}
    read_it(client)
    client.post("/new/", {"up_to": seen})
    assert groups_of(client) == {}
    assert ReadUpTo.objects.get().sequence == ledger.newest().sequence


@pytest.mark.parametrize("text", ["", "x", "-1", "1e3", "9" * 400, "999999"])
def test_a_mark_that_is_of_no_entry_is_refused(client, member, text):
    make_action("A01")

    assert client.post("/new/", {"up_to": text}).status_code == 400
    assert ReadUpTo.objects.count() == 0


def test_whoever_was_signed_out_meanwhile_is_told_that_nothing_was_noted_and_where_to_sign_in(client, member):
    client.logout()
    sent = client.post("/new/", {"up_to": "1"})

    assert (sent.status_code, 'href="/login/?next=' in sent.content.decode()) == (403, True)


def test_there_are_fifty_to_a_page(client, member):
    for number in range(10, 70):
        make_action(f"A{number}")

    page = client.get("/new/")

    assert "Entries 1 to 50 of 62, the newest first." in main_words(page)
    assert 'href="?page=2"' in page.content.decode()
    assert len(groups_of(client, "?page=2")["Added to the record"]) == 12


def test_the_first_page_leads_to_it_in_words_that_name_no_reader_and_count_nothing(client, member):
    make_action("A01")
    assert '<li><a href="/new/">New to you</a></li>' in client.get("/").content.decode()


@pytest.mark.parametrize("size", [1, 10])
def test_it_costs_the_same_however_much_is_new(client, member, size, django_assert_num_queries):
    make_action("A01")
    read_it(client)
    client.get("/new/")
    for number in range(10, 10 + size):
        action = make_action(f"A{number}")
        make_decision(make_due_date(action, needs_decision=True))

    with django_assert_num_queries(10):
        client.get("/new/")
