"""The page of the month's round, on which the Secretariat reminds people and writes the covering note."""

import datetime
import itertools
import re

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from bcp_board.models import Mail, Why
from bcp_board.owed_mail import key_of, reminder
from bcp_board.tests.test_access import client_of
from bcp_board.tests.test_fuzz import FINE, PAYLOADS
from meetings.round import round_of
from meetings.tests.factories import paper_of
from recommendations.models import Action
from recommendations.tests.factories import make_action, make_due_date, make_update
from record import ledger
from record.as_at import AsAt
from record.dates import say_day
from record.models import LedgerEntry, Meeting
from record.tests.admin_forms import fields_of
from record.tests.factories import change, make_meeting, make_user, noon
from record.tests.pages import main_words

pytestmark = [pytest.mark.django_db, pytest.mark.once]
FIELDS = ("person", "note-covering_note", "note-change_reason", "note-opened_on")
TYPED = {"note-covering_note": "Two dates moved.", "note-change_reason": "It was empty"}


@pytest.fixture(autouse=True)
def mails_go(settings):
    settings.SENDS_MAIL = True


@pytest.fixture
def ann(db):
    return make_user("Officers", "ann", email="ann@example.gov.uk")


@pytest.fixture
def bob(db):
    return make_user("Officers", "bob", email="bob@example.gov.uk")


@pytest.fixture
def meeting(ann, bob):
    """The next meeting; Ann has reported since the one before, on one of her two actions, and Bob has not."""
    today = timezone.localdate()
    make_meeting(today - datetime.timedelta(days=30))
    reported, _, _ = (
        make_action("A01", owner=ann),
        make_action("A02", owner=ann),
        make_action("A03", owner=bob),
    )
    make_update(reported, by=ann, dated=str(today))
    days = {"papers_due_on": today + datetime.timedelta(days=25)}
    return make_meeting(today + datetime.timedelta(days=30), asks=["Decide the dates"], **days)


@pytest.fixture
def send(secretariat, client, meeting, django_capture_on_commit_callbacks):
    """A function that sends what the page held, with what is typed over it."""

    def post(button, at=None, **typed):
        held = fields_of((at or client.get("/round/")).context["note"]) if button == "note" else {}
        with django_capture_on_commit_callbacks(execute=True):
            return client.post("/round/", {"key_of_meeting": meeting.pk, f"_{button}": "1", **held, **typed})

    return post


def ticks(response):
    """{who can be ticked: whether they are}"""
    boxes = re.findall(r'type="checkbox"\s+name="person"\s+value="(\w+)"\s+(\w*)', response.content.decode())
    return {name: checked == "checked" for name, checked in boxes}


def test_reports_are_counted_from_the_paper_that_the_last_meeting_had_and_the_page_says_so(
    secretariat, client, ann
):
    today = timezone.localdate()
    held, came_out = make_meeting(today - datetime.timedelta(days=30)), today - datetime.timedelta(days=37)
    make_meeting(today + datetime.timedelta(days=30))
    make_action("A01", owner=ann, recorded_at=noon(str(came_out)))
    clerk = make_user("Secretariat", "clerk")
    ledger.append([paper_of(held, version=1, by=clerk, at=noon(str(came_out)))])

    text, month = main_words(client.get("/round/")), round_of(AsAt.now(today))
    mail = reminder(month.people[0], month, why=Why.ASKED)

    since = f"since the paper of {say_day(came_out)}, which was for the meeting of {say_day(held.held_on)}."
    assert f"None of 1 open action reported on {since}" in text
    assert f"You own 1 open action on which nothing was reported {since}" in mail.says(1)


def test_the_page_says_who_has_reported_what_is_asked_and_where_to_go_on(secretariat, client, meeting, ann):
    for ref in ("A01", "A02"):
        make_due_date(Action.objects.get(ref=ref), by=ann, needs_decision=True)
    make_action("A04")

    response = client.get("/round/")

    text = main_words(response)
    assert "1 of 4 open actions reported on since the meeting of " in text
    assert "Reports, person by person (2 of 2 have not reported on all they own)" in text
    assert "Ann Person A02 A01 None No Bob Person A03 None None No" in text
    assert "A04: Title of A04 : no owner." in text
    asked = "A. Dates asked for : 2 (D1 on A01, D2 on A02) B. Completions to accept : none"
    assert f"To decide : Decide the dates {asked}" in text
    assert ticks(response) == {"ann": True, "bob": True}
    page = response.content.decode()
    assert "readonly>ann@example.gov.uk; bob@example.gov.uk</textarea>" in page
    assert f'href="/admin/record/meeting/{meeting.pk}/publish/"' in page
    assert f'href="/meetings/{meeting.held_on}/paper/?draft"' in page
    assert client.get(f"/meetings/{meeting.held_on}/paper/?draft").status_code == 200


def test_where_no_meeting_is_planned_the_page_says_so_and_leads_to_planning_one(secretariat, client):
    make_meeting(timezone.localdate() - datetime.timedelta(days=1))

    response = client.get("/round/")

    assert "No next meeting is recorded, so there is nothing to report for yet. Plan a meeting" in main_words(
        response
    )
    assert 'href="/admin/record/meeting/add/"' in response.content.decode()
    assert client.post("/round/", {"_remind": "1"}).status_code == 200


def test_the_people_who_are_ticked_are_reminded_and_no_others(send, client, meeting, ann):
    send("remind", person=["ann", "chair", "nobody"])

    assert [(message.to, message.subject) for message in mail.outbox] == [
        ([ann.email], f"Reports are asked for for the board’s meeting of {meeting.held_on:%-d %B %Y}")
    ]
    page = client.get("/round/")
    assert "To be reminded: Ann Person. The list says when each message went." in main_words(page)
    assert ticks(page) == {"ann": False, "bob": True}
    assert Mail.objects.get().sent_at is not None

    send("remind", person=["ann"])
    assert len(mail.outbox) == 1
    Mail.objects.update(about=f"{key_of(meeting)} 2020-01-01")
    send("remind", person=["ann"])
    assert len(mail.outbox) == 2


def test_a_reminder_that_did_not_go_is_not_said_to_have_gone_and_goes_with_the_next_run(
    send, client, settings
):
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1"
    settings.EMAIL_PORT = 1
    assert send("remind", person=["bob"]).status_code == 302

    assert "Bob Person A03 None None Not sent yet. It is tried again with the next ones." in main_words(
        client.get("/round/")
    )
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    call_command("remind", verbosity=0)
    assert [message.to for message in mail.outbox] == [["bob@example.gov.uk"]]


def test_a_reminder_is_sent_only_once_the_request_that_asks_for_it_is_saved(
    secretariat, client, meeting, django_capture_on_commit_callbacks
):
    sent = {"key_of_meeting": meeting.pk, "_remind": "1", "person": ["ann"]}
    with django_capture_on_commit_callbacks() as saved:
        client.post("/round/", sent)
    assert (len(saved), mail.outbox, Mail.objects.count()) == (1, [], 1)

    saved[0]()

    assert len(mail.outbox) == 1


def test_with_nobody_ticked_or_no_way_to_send_the_page_says_so_and_sends_nothing(send, settings, client):
    assert "Tick the people who are to be reminded." in main_words(response := send("remind"))
    assert response.content.decode().count("<title>Error: ") == 1
    assert ticks(response) == {"ann": False, "bob": False}

    settings.SENDS_MAIL = False
    assert "This site sends no e-mail. Copy the addresses instead." in main_words(client.get("/round/"))
    assert ticks(client.get("/round/")) == {}
    assert "This site sends no e-mail." in main_words(send("remind", person=["ann"]))
    assert mail.outbox == []


def test_whoever_has_no_address_cannot_be_ticked(secretariat, client, meeting, bob):
    bob.email = ""
    bob.save()

    response = client.get("/round/")

    assert ticks(response) == {"ann": True}
    text = main_words(response)
    assert "Bob Person No e-mail address A03" in text
    assert "not among the addresses: Bob Person (1 not reported on). Their accounts have no" in text
    assert "Ann Person (" not in text


def test_the_covering_note_is_edited_in_place_with_a_reason_and_signed(send, client, meeting):
    before = LedgerEntry.objects.count()
    response = send("note", **TYPED)

    assert (response.status_code, response.url) == (302, "/round/")
    meeting.refresh_from_db()
    assert meeting.covering_note == "Two dates moved."
    version = meeting.history.latest()
    assert (version.history_change_reason, version.signed) == (
        "It was empty",
        "Secretariat Person (Secretariat)",
    )
    assert LedgerEntry.objects.count() == before + 1
    assert Meeting.objects.get(pk=meeting.pk).asks.count() == 1
    assert "The covering note is saved." in main_words(client.get("/round/"))


def test_the_first_covering_note_asks_no_reason_and_is_no_correction(send, client, meeting):
    typed = {"note-covering_note": "Two dates moved.", "note-change_reason": ""}
    assert send("note", **typed).status_code == 302
    assert meeting.history.latest().history_change_reason == "Filled in for the first time"
    meeting_page = meeting.get_absolute_url()
    assert "Changed since it was entered" not in main_words(client.get(meeting_page))

    again = {"note-covering_note": "", "note-change_reason": "Filled in for the first time"}
    asked = {"change_reason": ["Say why this is changed."]}
    assert send("note", **again).context["note"].errors == asked
    send("note", **again | {"note-change_reason": "It was wrong"})
    assert "Changed since it was entered: 1 time" in main_words(client.get(meeting_page))
    assert send("note", **typed).context["note"].errors == asked
    send("note", **typed | {"note-change_reason": "It was right"})
    assert "Changed since it was entered: 2 times" in main_words(client.get(meeting_page))


def test_a_covering_note_without_a_reason_comes_back_with_its_words(send, meeting):
    change(meeting, covering_note="One date moved.")
    response = send("note", **TYPED | {"note-change_reason": ""})

    assert response.context["note"].errors == {"change_reason": ["Say why this is changed."]}
    page = response.content.decode()
    assert "Two dates moved.</textarea>" in page
    assert '<li><a href="#id_note-change_reason">Say why this is changed.</a></li>' in page
    assert "<title>Error: The round" in page
    meeting.refresh_from_db()
    assert meeting.covering_note == "One date moved."


def test_of_two_who_write_the_covering_note_the_second_is_shown_the_first(send, client, meeting):
    opened = client.get("/round/")
    typed = {"note-change_reason": "It was empty"}
    send("note", opened, **typed, **{"note-covering_note": "The first."})

    response = send("note", opened, **typed, **{"note-covering_note": "The second."})

    assert response.status_code == 200
    told = response.context["note"].errors["__all__"]
    assert "Secretariat Person changed covering note on " in told[0]
    assert "theirs is “The first.”" in told[0]
    assert "The second.</textarea>" in response.content.decode()
    meeting.refresh_from_db()
    assert meeting.covering_note == "The first."
    assert send("note", response, **typed, **{"note-covering_note": "The second."}).status_code == 302


def test_a_page_that_was_opened_for_another_meeting_changes_nothing_and_keeps_what_was_typed(
    send, client, meeting
):
    sooner = make_meeting(timezone.localdate() + datetime.timedelta(days=3))

    for button, more in (("note", TYPED), ("remind", {"person": ["ann"]})):
        response = send(button, **more)
        said = main_words(response)
        assert (
            "Nothing was saved or sent. The next meeting is not the one for which you opened this page"
            in said
        )
        assert list(Meeting.objects.exclude(covering_note="")) == mail.outbox == []
        if button == "note":
            assert "Two dates moved.</textarea>" in response.content.decode()
            assert f'name="key_of_meeting" value="{sooner.pk}"' in response.content.decode()


def test_where_the_meeting_was_cancelled_meanwhile_what_was_typed_for_it_is_shown_and_not_saved(
    send, client, meeting
):
    opened = client.get("/round/")
    change(meeting, state="cancelled")

    said = main_words(send("note", opened, **TYPED))

    assert (
        "Nothing was saved or sent. The meeting for which you opened this page is not planned any more"
        in said
    )
    assert "What you sent : not saved There is no next meeting now to which it would belong." in said
    assert "Covering note Two dates moved." in said
    assert "Why it is changed It was empty" in said
    said = main_words(send("remind", person=["ann"]))
    assert "Nothing was saved or sent." in said
    assert "To be reminded ann" in said
    assert (mail.outbox, Meeting.objects.exclude(covering_note="").count()) == ([], 0)


def test_a_meeting_that_was_moved_meanwhile_is_still_the_one(send, meeting):
    change(meeting, held_on=meeting.held_on + datetime.timedelta(days=7))

    assert send("remind", person=["ann"]).status_code == 302
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("query", "status"), [("as_at=2022-12-01", 400), ("as_at=2022-12-01&known=then", 400)]
)
def test_the_page_is_there_for_today_only(secretariat, client, meeting, query, status):
    response = client.get(f"/round/?{query}")

    assert response.status_code == 400
    assert "This page is about the next meeting, so it is there for today only." in response.content.decode()
    assert client.get(f"/round/?as_at={timezone.localdate()}").status_code == 200


def test_whoever_was_signed_out_meanwhile_gets_back_what_they_typed_under_its_label(meeting):
    sent = {"key_of_meeting": meeting.pk, "_note": "1"}
    response = Client().post("/round/", sent | TYPED)
    ticked = Client().post("/round/", sent | {"person": ["ann", "bob"]})

    assert response.status_code == 403
    told = "Covering note Two dates moved. Why it is changed It was empty If you report this"
    assert told in main_words(response)
    assert "To be reminded ann bob If you report this" in main_words(ticked)


def test_the_way_to_it_is_on_the_first_page_of_the_admin_for_those_whose_it_is(secretariat, client):
    assert '<a href="/round/">The round</a>' in client.get("/admin/").content.decode()
    assert "/round/" not in client_of(make_user("Chair")).get("/admin/").content.decode()


@pytest.mark.parametrize("rows", [1, 10])
def test_it_takes_the_same_queries_however_many_people_and_actions(
    secretariat, client, django_assert_num_queries, rows
):
    meeting = make_meeting(timezone.localdate() + datetime.timedelta(days=30))
    for number in range(rows):
        person = make_user("Officers", f"person{number}", email="a@example.org")
        make_action(f"A{number:02}", owner=person)
        make_action(f"B{number:02}")
        Mail.objects.create(account=person, why=Why.LATE, about=key_of(meeting), asked_at=timezone.now())
    client.get("/admin/")  # the first page of a session also notes the time in it

    # session, user, 2 of permissions, those of the round, the note's token, reminders, a demonstration?
    with django_assert_num_queries(43):
        client.get("/round/")


def test_odd_fields_never_fail_and_change_nothing(send, client, meeting):
    before = meeting.history.count()
    found, buttons = {}, itertools.cycle(("note", "remind"))
    for payload, button in zip(PAYLOADS[::3], buttons, strict=False):
        odd = dict.fromkeys(FIELDS, payload)
        for key in (payload, meeting.pk):
            found[button, payload, key] = send(button, **odd, key_of_meeting=key).status_code

    assert {key: status for key, status in found.items() if status not in FINE} == {}
    assert (mail.outbox, Mail.objects.count(), meeting.history.count()) == ([], 0, before)
