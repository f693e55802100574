"""The decisions asked for keep the numbers that a paper printed, wherever they are listed afterwards."""

import datetime

import pytest
from django.utils import timezone

from meetings.decisions import decisions_of, numbers_printed
from meetings.models import Paper
from meetings.publishing import publish, what_is_read
from meetings.tests.day_sheet import make_agenda, signed_in
from meetings.tests.factories import make_outcome, paper_of
from meetings.tests.test_paper_page import render, text_of
from recommendations.position import board_position, positions_of
from recommendations.status import Status
from recommendations.tests.factories import (
    make_action,
    make_decision,
    make_due_date,
    make_send_back,
    make_update,
)
from record import ledger
from record.canonical import canonical
from record.dates import read_edtf, say_day
from record.tests.factories import make_meeting, make_user, noon, on
from record.tests.pages import main_words as words
from record.verification import first_fault

pytestmark = pytest.mark.again

TODAY = datetime.date(2099, 1, 10)


@pytest.fixture
def meeting(db):
    return make_meeting(held_on=datetime.date(2099, 1, 15))


def reported_done(*refs):
    return [make_update(make_action(ref), Status.DONE, evidence="The minutes") for ref in refs]


def asked_for(meeting):
    at = on(TODAY)
    decisions = decisions_of(board_position(at), at, numbers=numbers_printed(meeting, at))
    return {wanted.name: wanted.action.ref for wanted in decisions.all}


@pytest.fixture
def publish_paper(db):
    """A function that publishes the paper of a meeting, for the Secretariat."""
    secretariat = make_user("Secretariat")

    def publish_it(meeting, **options):
        return publish(meeting.pk, by=secretariat, read=what_is_read(meeting), **options)

    return publish_it


def test_what_is_asked_for_after_a_paper_follows_on_and_nothing_takes_the_number_of_what_is_settled(
    meeting, publish_paper
):
    reported_done("A02", "A03")
    assert asked_for(meeting) == {"D1": "A02", "D2": "A03"}
    paper = publish_paper(meeting)
    assert list(paper.decisions.values()) == [1, 2]

    make_update(make_action("A01"), Status.DONE, evidence="The minutes")
    action = board_position(on(TODAY)).by_ref["A03"].row
    make_update(action, Status.COMPLETE, evidence="Seen", recheck_on=datetime.date(2099, 5, 1))
    assert asked_for(meeting) == {"D1": "A02", "D3": "A01"}
    assert list(publish_paper(meeting, reason="More").decisions.values()) == [1, 2, 3]
    assert asked_for(meeting) == {"D1": "A02", "D3": "A01"}
    assert asked_for(make_meeting(held_on=datetime.date(2099, 2, 15))) == {"D1": "A01", "D2": "A02"}
    assert first_fault() is None


def test_a_late_action_is_asked_about_only_while_nobody_asks_for_a_date_or_for_acceptance(meeting):
    for ref in ("A01", "A02", "A03"):
        action = make_action(ref)
        make_due_date(action, "2022-11", dated="2022-10-01")
        make_update(action, Status.DONE if ref == "A03" else Status.AT_RISK)
        if ref == "A02":
            make_due_date(
                action,
                "2099-06",
                dated="2022-12-01",
                by=make_user("Officers"),
                needs_decision=True,
                reason_kind="resources",
                reason="Too few.",
            )
    at = on(TODAY)
    kinds = decisions_of(board_position(at), at, numbers={}).kinds
    assert [(title[0], [(w.name, w.action.ref) for w in wanted]) for title, wanted in kinds] == [
        ("A", [("D1", "A02")]),
        ("B", [("D2", "A03")]),
        ("C", []),
        ("D", [("D3", "A01")]),
    ]


def test_the_file_for_programs_counts_the_decisions_that_the_first_page_counts(client, db):
    today = timezone.localdate()
    make_agenda(make_user("Officers"), today)
    chair, meeting = make_user("Chair"), make_meeting(today, asks=["Agree the plan"])
    client.force_login(chair)

    def counted():
        said = client.get("/position.json").json()["counts"]["decisions_wanted"]
        return said, len(client.get("/").context["decisions"])

    assert counted() == (5, 5)
    make_outcome(meeting.asks.get(), dated=str(today), by=chair)
    assert counted() == (4, 4)
    make_update(make_action("A05"), Status.DONE, evidence="The minutes")
    assert counted() == (5, 5)


def test_a_paper_from_before_decisions_had_numbers_keeps_its_digest():
    paper = Paper(version=1, body=b"<p>As it was</p>", sha256="0" * 64)
    assert '"decisions"' not in canonical(paper)
    paper.decisions = {"completion 1": 1}
    assert '"decisions":{"completion 1":1}' in canonical(paper)


def test_of_two_numbers_that_an_older_paper_gave_one_claim_the_first_stands(meeting):
    """An earlier version of the site numbered each report that an action is done."""
    first, other = reported_done("A01", "A02")
    again = make_update(first.action, Status.DONE, dated="2022-11-09")
    printed = {f"completion {again.pk}": 2, f"completion {other.pk}": 1, f"completion {first.pk}": 3}
    printed |= {f"date {again.pk}": 4, "completion 999999": 5}
    ledger.append(
        [paper_of(meeting, version=1, by=make_user("Secretariat"), at=timezone.now(), decisions=printed)]
    )

    assert numbers_printed(meeting, on(TODAY)) == {
        f"completion {other.pk}": 1,
        f"completion {first.pk}": 2,
        f"date {again.pk}": 4,
        "completion 999999": 5,
    }


def test_a_completion_is_claimed_until_something_else_is_reported_or_it_is_sent_back(db):
    """Whatever order the reports of a day come in, and however late one is entered."""
    action = make_action()

    def claimed(day=TODAY):
        (position,) = positions_of([action.pk], on(day))
        return position.completion and (position.completion.place, *position.completion[1:])

    make_update(action, Status.ON_TRACK, dated="2022-11-01")
    assert claimed() is None
    first = make_update(action, Status.DONE, dated="2022-11-01", evidence="The minutes")
    assert claimed() == (first.pk, "The minutes", None)
    make_update(action, Status.DONE, dated="2022-11-03", evidence="")
    assert claimed() == (first.pk, "The minutes", read_edtf("2022-11-01"))
    seen = make_update(action, Status.DONE, dated="2022-11-05", evidence="The audit")
    assert claimed() == (first.pk, "The audit", None)
    assert claimed(datetime.date(2022, 11, 4))[0:2] == (first.pk, "The minutes")

    make_update(
        action, Status.DONE, dated="2022-11-01", evidence="All", corrects=first, correction_reason="A slip"
    )
    assert claimed() == (first.pk, "The audit", None)
    backdated = make_update(action, Status.AT_RISK, dated="2022-11-04")
    assert claimed() == (seen.pk, "The audit", None)
    make_update(
        action, Status.AT_RISK, dated="2022-11-04", withdraws=backdated, correction_reason="Of another action"
    )
    assert claimed() == (first.pk, "The audit", None)
    make_send_back(seen, dated="2022-11-06", wanted_by=datetime.date(2022, 12, 1))
    assert claimed() == (first.pk, "The audit", None)
    again = make_update(action, Status.DONE, dated="2022-11-07", evidence="")
    assert claimed() == (again.pk, "", None)
    make_update(action, Status.OFF_TRACK, dated="2022-11-07")
    assert claimed() is None
    last = make_update(action, Status.DONE, dated="2022-11-07", evidence="Once more")
    assert claimed() == (last.pk, "Once more", None)


def test_a_word_put_right_asks_for_nothing_new_and_a_report_made_anew_does(meeting, publish_paper):
    first, second = reported_done("A01", "A02")
    make_update(action := make_action("A03"), Status.DONE, evidence="The minutes")
    accepted = make_update(
        action, Status.COMPLETE, evidence="Seen", recheck_on=datetime.date(2022, 11, 3), dated="2022-11-02"
    )
    asked = {"D1": "A01", "D2": "A02", "D3": "A03"}
    assert asked_for(meeting) == asked
    paper = publish_paper(meeting)

    for row in (first, second, accepted):
        for why in ("A slip", "Another"):
            more = {"evidence": f"Seen. {why}"} | ({"recheck_on": row.recheck_on} if row.recheck_on else {})
            said = {"corrects": row, "correction_reason": why, "dated": row.dated, **more}
            row = make_update(row.action, row.status, **said)
    assert asked_for(meeting) == asked
    assert publish_paper(meeting, reason="More").decisions == paper.decisions

    make_update(second.action, Status.DONE, dated="2022-11-20", evidence="")
    assert asked_for(meeting) == asked
    assert publish_paper(meeting, reason="More still").decisions == paper.decisions

    report = first.action.newest_update(on(TODAY))
    make_send_back(report, dated="2022-11-20")
    assert asked_for(meeting) == {"D2": "A02", "D3": "A03"}
    make_update(first.action, Status.DONE, dated="2022-12-01", evidence="The audit that was asked for")
    assert asked_for(meeting) == {"D2": "A02", "D3": "A03", "D4": "A01"}


def test_a_number_follows_when_a_decision_came_to_be_asked_for_and_nothing_later_takes_it(
    meeting, publish_paper
):
    began = make_user("Officers")
    held, again, late = (make_action(ref) for ref in ("A01", "A02", "A03"))
    make_due_date(held, "2022-11", dated="2022-10-01")
    for action in (held, again):
        checked = {"dated": "2022-11-02", "recheck_on": datetime.date(2022, 12, 5)}
        make_update(action, Status.COMPLETE, evidence="Seen", **checked)
    assert list(publish_paper(meeting).decisions.values()) == [1, 2]

    make_update(late, by=began)
    make_due_date(late, "2099-06", by=began, needs_decision=True, reason_kind="resources")
    assert asked_for(meeting) == {"D1": "A01", "D2": "A02", "D3": "A03"}

    # It did not hold, so it is late by a date of long ago; but the board is asked about that only since.
    make_update(held, Status.AT_RISK, dated="2022-12-20")
    assert asked_for(meeting) == {"D2": "A02", "D3": "A03", "D4": "A01"}
    make_update(held, Status.OFF_TRACK, dated="2022-12-21")
    assert asked_for(meeting) == {"D2": "A02", "D3": "A03", "D4": "A01"}


def test_what_did_not_hold_twice_is_asked_about_only_since_the_second_time(meeting, publish_paper):
    held, other = (make_action(ref) for ref in ("A01", "A02"))
    make_due_date(held, "2022-11", dated="2022-10-01")
    reported_done("A03")
    publish_paper(meeting)

    def accept_and_reopen(accepted, reopened, *, meanwhile):
        recheck_on = datetime.date(2023, 5, 1)
        make_update(held, Status.COMPLETE, dated=accepted, evidence="Seen", recheck_on=recheck_on)
        make_update(other, meanwhile, dated=accepted, evidence="The minutes")
        make_update(held, Status.AT_RISK, dated=reopened)

    accept_and_reopen("2022-11-02", "2022-12-20", meanwhile=Status.ON_TRACK)
    assert asked_for(meeting) == {"D1": "A03", "D2": "A01"}
    accept_and_reopen("2022-12-21", "2022-12-23", meanwhile=Status.DONE)
    assert asked_for(meeting) == {"D1": "A03", "D2": "A02", "D3": "A01"}


def test_a_meeting_is_told_how_long_ago_a_recheck_was_due(db):
    today = timezone.localdate()
    coming = make_meeting(today + datetime.timedelta(days=30))
    for ref, days in (("A01", 70), ("A02", 0)):
        make_update(make_action(ref), "complete", recheck_on=today - datetime.timedelta(days=days))
    text = words(signed_in(make_user("Board members")).get(coming.get_absolute_url()))
    due = say_day(today - datetime.timedelta(days=70))
    assert f"A01: Title of A01 : re-check due {due}, 2 months ago." in text
    assert f"A02: Title of A02 : re-check due {say_day(today)}." in text


def test_of_a_late_action_a_meeting_is_told_which_new_date_was_refused_last(db):
    coming = make_meeting(timezone.localdate() + datetime.timedelta(days=30))
    action, officer, chair = make_action("A01"), make_user("Officers"), make_user("Chair")
    make_due_date(action, "2022-11", dated="2022-10-01")
    make_update(action, "at_risk")
    for due, day in (("2023-06", "2022-12-18"), ("2023-10", "2023-01-18")):
        asked = make_due_date(action, due, dated="2022-12-01", by=officer, needs_decision=True)
        make_decision(asked, "refused", dated=day, by=chair)
    told = "Due: November 2022; a date of October 2023 was refused on 18 January 2023"
    assert f"Late, with no new date asked for D1. A01: Title of A01 {told}" in words(
        signed_in(make_user("Board members")).get(coming.get_absolute_url())
    )


def test_a_late_action_is_said_to_have_been_refused_a_date_only_in_the_place_of_the_present_one(db):
    officer, chair = make_user("Officers"), make_user("Chair")
    asked = {"by": officer, "needs_decision": True, "reason_kind": "resources", "reason": "Too few people."}
    refused = [make_action(ref, recorded_at=noon("2022-10-01")) for ref in ("A01", "A02", "A03")]

    def on_the(day):
        return {"dated": day, "recorded_at": noon(day)}

    for action in refused:
        make_due_date(action, "2022-10", **on_the("2022-10-01"))
        make_update(action, Status.ON_TRACK, **on_the("2022-10-01"))
    # Set together with what was then refused: that was not asked for in its place.
    make_due_date(refused[2], "2022-11", by=chair, **on_the("2022-10-05"))
    for proposal in [make_due_date(action, "2023-10", **asked, **on_the("2022-10-05")) for action in refused]:
        make_decision(proposal, "refused", by=chair, **on_the("2022-10-18"))
    make_due_date(refused[1], "2022-11", by=chair, **on_the("2022-10-20"))
    text = text_of(render())
    assert "D1 A01 Title of A01 October 2022 October 2022 0 1 Yes No" in text
    assert "D2 A02 Title of A02 October 2022 November 2022 1 1 Yes No" in text
    assert "D3 A03 Title of A03 October 2022 November 2022 1 1 Yes No" in text
    assert text.count("A date of October 2023 was refused on 18 October 2022.") == 1
    row = text[text.index("D1 A01 Title") : text.index("D2 A02 Title")]
    assert row.rstrip().endswith("A date of October 2023 was refused on 18 October 2022.")
