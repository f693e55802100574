"""Whom the site tells what by mail, each once, and never a word of the record."""

import datetime
import re

import pytest
from django.core import mail
from django.utils import timezone

from bcp_board.owed_mail import why_on
from bcp_board.sending import send
from bcp_board.tests.mails import BEFORE, BEGAN, DUE, LATE, owed, person, send_on, sent_now
from meetings.models import Paper
from meetings.round import round_of
from meetings.tests.factories import make_late_note
from recommendations.tests.factories import (
    make_action,
    make_decision,
    make_due_date,
    make_owner,
    make_send_back,
    make_update,
)
from record import ledger
from record.as_at import AsAt
from record.tests.factories import add, make_meeting, make_user, noon

pytestmark = [pytest.mark.django_db, pytest.mark.once, pytest.mark.usefixtures("mails_go")]


@pytest.mark.parametrize(
    ("days", "why"),
    [(-6, None), (-5, "before"), (-1, "before"), (0, "before"), (1, "late"), (30, "late")],
)
def test_whether_reports_are_due_or_late_hangs_on_the_day_the_papers_go_out(settings, days, why):
    assert why_on(DUE + datetime.timedelta(days=days), DUE) == why
    settings.REMIND_DAYS_BEFORE = 1
    assert why_on(DUE + datetime.timedelta(days=days), DUE) == (why if days >= -1 else None)
    assert why_on(DUE, None) is None


@pytest.mark.parametrize(
    ("day", "subjects"),
    [
        ("2022-12-07", []),
        ("2022-12-08", [BEFORE]),
        ("2022-12-13", [BEFORE]),
        ("2022-12-14", [LATE]),
        ("2022-12-20", [LATE]),
        ("2022-12-21", []),  # it has been held
    ],
)
def test_an_owner_is_reminded_some_days_before_and_when_late_each_once(month, day, subjects):
    send_on(day)
    assert sent_now() == subjects
    send_on(day)
    assert sent_now() == []


def test_a_reminder_says_when_the_papers_went_out_once_they_did(month, ann):
    made = {"version": 1, "body": b"", "sha256": "0" * 64, "signed": "Clerk Person (Secretariat)"}
    moment = {"as_at": datetime.date(2022, 12, 7), "published_at": noon("2022-12-07")}
    ledger.append([Paper(meeting=month, published_by=ann, **made, **moment)])

    send_on("2022-12-08")

    said = "The papers of the board’s meeting of 20 December 2022 went out on 7 December 2022. What is"
    assert said in mail.outbox[0].body


def test_whoever_reported_in_time_is_not_reminded_and_a_reminder_counts_what_is_missing(month, ann):
    send_on("2022-12-08")
    assert mail.outbox[0].body == (
        "You own 1 open action on which nothing was reported since the meeting of 22 November 2022.\n\n"
        "The papers of the board’s meeting of 20 December 2022 go out on 13 December 2022.\n\n"
        "Report on them here: https://board.example/mine/\n\n"
        "BCP Children’s Services Improvement Board. This message quotes nothing of the record, because "
        "others may read it. Nobody reads an answer to it: ask the board’s secretariat.\n"
    )
    sent_now()
    missing = round_of(AsAt.now(DUE)).not_reported[0].row
    make_update(missing, dated="2022-12-10", by=ann, recorded_at=noon("2022-12-10"))

    send_on("2022-12-14")

    assert sent_now() == []


def test_a_meeting_without_a_day_for_its_papers_or_one_that_is_cancelled_reminds_nobody(ann):
    make_action("A01", owner=ann, recorded_at=BEGAN)
    make_meeting("2022-12-01", papers_due_on=datetime.date(2022, 11, 28), state="cancelled")
    assert owed("2022-11-28") == []
    make_meeting("2022-12-02")
    assert owed("2022-11-28") == []


def test_the_secretariat_is_told_who_has_not_reported_once_reports_are_late(month, ann):
    cy, gone = person("Secretariat", "cy"), person("Officers", "gone", is_active=False)
    person("Secretariat", "left", is_active=False)
    person("Chair", "dee")
    person("", "root", is_superuser=True)
    make_action("A03", owner=gone, recorded_at=noon("2022-12-02"))
    make_action("A04", recorded_at=noon("2022-12-02"))
    make_action("A05", owner=make_user("Officers", "eve"), recorded_at=noon("2022-12-02"))
    send_on(DUE)
    assert [to for to, _ in sent_now()] == [ann.email]

    send_on("2022-12-14")

    (message,) = [message for message in mail.outbox if message.to == [cy.email]]
    assert len(mail.outbox) == 2
    assert message.subject == "Who has not reported for the board’s meeting of 20 December 2022"
    assert message.body.split("\n\n")[:3] == [
        "1 of 5 open actions reported on. Not reported on, by owner:",
        "Ann Person: 1\nEve Person: 1 (no e-mail address, so not reminded)\n"
        "Of an owner whose account is closed: 1\nOf no owner: 1",
        "The round: https://board.example/round/",
    ]


def test_owners_are_told_in_one_mail_how_much_was_decided_about_what_they_own(month, ann):
    chair, other = person("Chair", "chair"), person("Officers", "other")
    action, theirs = make_action("A05", owner=ann), make_action("A06", owner=other)
    later = timezone.now()
    today = timezone.localdate(later)
    at = {"dated": str(today), "by": chair}
    proposal = make_due_date(action, by=ann, needs_decision=True, dated=str(today))
    wrong = make_decision(make_due_date(theirs, by=other, needs_decision=True), **at)
    add(wrong.withdrawal(by=chair, reason="The wrong action"))
    make_decision(proposal, "taken_back", by=ann, dated=str(today))
    done = make_update(action, "done", by=ann, dated=str(today))
    make_send_back(done, wanted_by=today + datetime.timedelta(days=9), **at)
    make_decision(make_due_date(action, by=ann, needs_decision=True, dated=str(today)), **at)

    def told():
        send(owed(today), now=timezone.now())
        return [message for message in mail.outbox if message.subject == "Decided about your actions"]

    (message,) = told()
    assert message.to == [ann.email]
    assert message.body.startswith(
        "Decisions made about actions that you own: 2. Something may be wanted of you.\n"
    )
    assert len(told()) == 1

    make_update(
        theirs, "complete", dated=str(today), by=chair, recheck_on=today + datetime.timedelta(days=200)
    )
    assert [message.to for message in told()[1:]] == [[other.email]]
    assert told()[1].body.startswith("Decisions made about actions that you own: 1.")
    met = make_meeting(today)
    late = make_due_date(action, "2022-11", meeting=met, **at)
    make_late_note(late, meeting=met, **at)
    make_due_date(action, "2098-06", **at)  # which nothing says the board set
    assert told()[2].body.startswith("Decisions made about actions that you own: 2.")


def test_a_decision_is_told_for_three_days_to_whoever_owns_the_action_unless_they_made_it(ann):
    chair, before = person("Chair", "chair"), person("Officers", "before")
    action = make_action("A01", owner=before, recorded_at=BEGAN)
    proposal = make_due_date(action, by=before, needs_decision=True, recorded_at=noon("2022-11-02"))
    make_decision(proposal, by=chair, dated="2022-11-15", recorded_at=noon("2022-11-15"))
    other = make_due_date(action, by=before, needs_decision=True, recorded_at=noon("2022-11-15"))
    make_decision(other, "taken_back", by=before, dated="2022-11-15", recorded_at=noon("2022-11-15"))
    for owner, day in ((ann, "2022-11-16"), (chair, "2022-11-17"), (ann, "2022-11-18")):
        make_owner(action, owner, dated=day, recorded_at=noon(day))

    told = [[(each.account, len(each.about)) for each in owed(f"2022-11-{day}")] for day in range(15, 20)]

    assert told == [[(before, 1)], [(ann, 1)], [], [(ann, 1)], []]


def test_no_mail_holds_a_word_of_the_record(month, ann):
    chair = person("Chair", "chair")
    action = make_action("A05", owner=ann, title="Canary")
    make_send_back(make_update(action, "done", by=ann, narrative="Canary"), by=chair, wanted="Canary")
    asked = make_due_date(action, by=ann, needs_decision=True, reason="Canary")
    make_decision(asked, by=chair, reason="Canary")
    person("Secretariat", "cy")
    make_meeting(timezone.localdate() + datetime.timedelta(days=9), papers_due_on=timezone.localdate())
    today = timezone.localdate()

    for day in (today, today + datetime.timedelta(days=1)):
        send(owed(day), now=timezone.now())

    assert {message.subject.partition(" for ")[0] for message in mail.outbox} == {
        "Reports are due",
        "Reports are late",
        "Who has not reported",
        "Decided about your actions",
    }
    for message in mail.outbox:
        assert re.findall(r"canary|\bA0\d", f"{message.subject}\n{message.body}", re.IGNORECASE) == []
        assert (message.content_subtype, message.attachments) == ("plain", [])
