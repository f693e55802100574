"""Putting the words of an entry right changes nothing of what stands, was agreed first or was missed."""

import datetime

import pytest
from django.urls import reverse

from recommendations.deciding import why_not
from recommendations.history import history
from recommendations.models import ProgressUpdate
from recommendations.position import board_position
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_decision,
    make_due_date,
    make_owner,
    make_recommendation,
    make_send_back,
    make_update,
    position,
)
from record.as_at import AsAt
from record.dates import end_of
from record.rows import known_later
from record.signing import name_of
from record.statements import its_place
from record.tests.admin_forms import errors_of, fill_in, sign_in
from record.tests.factories import add, make_document, make_meeting, make_user, noon, on
from record.tests.pages import words_of

pytestmark = [pytest.mark.django_db, pytest.mark.once]
MINUTE = datetime.timedelta(minutes=1)
LATER = on(datetime.date(2023, 1, 31))
WORDS = {"narrative": "The same, spelt right", "correction_reason": "A slip of the pen"}


def test_the_page_of_an_action_says_beside_the_newest_report_that_it_corrects_another(client, officer):
    action = make_action("A01", owner=officer)
    report = make_update(action, "at_risk", dated="2022-11-01", by=officer)
    make_update(
        action,
        "on_track",
        dated="2022-11-01",
        by=make_user("Secretariat"),
        on_behalf_of=officer,
        on_behalf_of_signed=report.signed,
        narrative="All is well",
        corrects=report,
        correction_reason="The wrong box",
    )
    client.force_login(make_user("Board members"))

    said = words_of(client.get("/actions/A01/")).partition("What its owner reports")[2]
    assert said.strip().startswith(
        "On track 1 November 2022 All is well This corrects an earlier entry. The wrong box"
    )


@pytest.mark.parametrize(
    ("status", "heading", "more"),
    [
        ("closed", "Why it was closed", {"reason": "No money"}),
        ("complete", "What was accepted", {"evidence": "The minutes"}),
    ],
)
def test_what_was_decided_is_not_told_as_its_owners_report(client, officer, chair, status, heading, more):
    action = make_action("A01", owner=officer)
    make_update(action, "done", dated="2022-11-01", by=officer)
    make_update(action, status, dated="2022-11-02", by=chair, narrative="It is ours", **more)
    client.force_login(make_user("Board members"))

    assert f"{heading} " in words_of(client.get("/actions/A01/"))
    page = words_of(client.get("/recommendations/1/"))
    assert "It is ours A decision, and not its owner’s report: 2 November 2022," in page


@pytest.fixture
def officer():
    return make_user("Officers")


@pytest.fixture
def chair():
    return make_user("Chair")


@pytest.fixture
def action():
    return make_action("A01", make_recommendation(1), agreed_on="2022-09-01", recorded_at=noon("2022-09-01"))


def told():
    """What is told of the only action, its dates, decisions and history."""
    board = board_position(LATER)
    (stands,) = board.actions
    lines = history(LATER, actions=[stands.pk]).entries
    return {
        "status": stands.words,
        "first date": str(stands.baseline.due) if stands.baseline else None,
        "dates": [(str(line.due), line.is_missed) for line in stands.dates],
        "waiting": [str(line.due) for line in stands.proposals],
        "to accept": [each.ref for each in board.decisions.to_accept],
        "sent back": stands.sent_back and stands.sent_back.wanted,
        "turns": [line.turn for line in lines if line.turn and not line.superseded],
        "views": [(line.whose, line.status) for line in board.recommendations[0].assessments],
    }


def right(row, by):
    """Put a word of ``row``, which is of a kind of the factories, right in January."""
    again = {"dated": row.dated, "by": by, "recorded_at": noon("2023-01-10"), "corrects": row}
    if isinstance(row, ProgressUpdate):
        return make_update(row.action, row.status, **WORDS, **again)
    return make_decision(row.due_date, row.outcome, reason="Spelt right", correction_reason="A slip", **again)


def agreed(action, due, day, *, officer, chair):
    """A date that its owner proposed and the Chair agreed on ``day``, and its Decision."""
    said = {"dated": day, "recorded_at": noon(day)}
    return make_decision(
        make_due_date(action, due, needs_decision=True, by=officer, **said), by=chair, **said
    )


def test_words_of_an_agreement_move_no_first_date_and_end_no_proposal(action, officer, chair):
    first = agreed(action, "2022-10", "2022-09-10", officer=officer, chair=chair)
    make_update(action, dated="2022-09-12", by=officer, recorded_at=noon("2022-09-12"))
    second = agreed(action, "2022-12", "2022-11-20", officer=officer, chair=chair)
    asked = {"needs_decision": True, "dated": "2022-12-20", "recorded_at": noon("2022-12-20")}
    make_due_date(action, "2023-06", by=officer, **asked)
    before = told()
    assert (before["first date"], before["waiting"]) == ("October 2022", ["June 2023"])
    assert before["dates"] == [("October 2022", True), ("December 2022", True)]

    for decision in (first, second):
        right(right(decision, chair), chair)

    assert told() == before


def test_words_of_an_agreement_in_time_make_nothing_missed(action, officer, chair):
    agreed(action, "2022-10", "2022-09-10", officer=officer, chair=chair)
    make_update(action, dated="2022-09-12", by=officer, recorded_at=noon("2022-09-12"))
    in_time = agreed(action, "2023-06", "2022-10-20", officer=officer, chair=chair)
    before = told()
    assert before["dates"] == [("October 2022", False), ("June 2023", False)]

    right(in_time, chair)

    assert told() == before


@pytest.mark.parametrize("which", ["done", "complete"])
def test_words_of_a_report_or_its_acceptance_of_one_day_reopen_nothing_and_make_nothing_missed(
    action, officer, chair, which
):
    make_due_date(action, "2022-10", dated="2022-09-10", by=chair, recorded_at=noon("2022-09-10"))
    made = {
        status: make_update(
            action, status, dated="2022-10-05", by=by, recorded_at=noon("2022-10-05") + place * MINUTE
        )
        for place, (status, by) in enumerate((("done", officer), ("complete", chair)))
    }
    before = told()
    assert (before["status"], before["dates"]) == ("Complete, evidenced", [("October 2022", False)])

    right(right(made[which], chair), chair)

    assert told() == before


@pytest.mark.parametrize("which", ["first", "accepted", "late entry"])
def test_words_put_right_make_no_earlier_report_the_newest_and_so_nothing_missed(
    action, officer, chair, which
):
    """The date was entered late, when an acceptance stood that is newer than both reports."""
    made = {"first": make_update(action, dated="2022-11-05", by=officer, recorded_at=noon("2022-11-05"))}
    accepted = {"dated": "2022-12-08", "by": chair, "recorded_at": noon("2022-12-08")}
    made["accepted"] = make_update(action, "complete", **accepted)
    make_due_date(action, "2022-11", dated="2022-12-10", by=chair, recorded_at=noon("2022-12-10"))
    late = {"dated": "2022-12-05", "by": officer, "recorded_at": noon("2022-12-12")}
    made["late entry"] = make_update(action, "on_track", **late)
    before = told()
    assert (before["status"], before["dates"]) == ("Complete, evidenced", [("November 2022", False)])

    right(right(made[which], chair), chair)

    assert told() == before


def test_words_of_an_acceptance_do_not_overrule_what_reopened_it_that_day(action, officer, chair):
    accepted = make_update(action, "complete", dated="2022-10-05", by=chair, recorded_at=noon("2022-10-05"))
    make_update(action, "off_track", dated="2022-10-05", by=officer, recorded_at=noon("2022-10-06"))
    before = told()
    assert (before["status"], before["turns"]) == ("Off track", ["Reopened"])

    right(accepted, chair)

    assert told() == before


def test_words_of_a_later_report_give_no_force_to_an_acceptance_it_overruled(action, officer, chair):
    make_due_date(action, "2022-12", dated="2022-09-10", by=chair, recorded_at=noon("2022-09-10"))
    asked = {"needs_decision": True, "dated": "2022-09-20", "recorded_at": noon("2022-09-20")}
    make_due_date(action, "2023-06", by=officer, **asked)
    later = make_update(action, "off_track", dated="2022-10-12", by=officer, recorded_at=noon("2022-10-12"))
    make_update(action, "complete", dated="2022-10-10", by=chair, recorded_at=noon("2022-10-13"))
    before = told()
    assert (before["waiting"], before["turns"]) == (
        ["June 2023"],
        ["Changed nothing: a later report was on the record"],
    )

    right(later, officer)

    assert told() == before


def test_words_of_an_acceptance_leave_it_reopened_on_a_later_day(action, officer, chair):
    accepted = make_update(action, "complete", dated="2022-10-05", by=chair, recorded_at=noon("2022-10-05"))
    make_update(action, "off_track", dated="2022-10-12", by=officer, recorded_at=noon("2022-10-12"))
    before = told()
    assert before["turns"] == ["Reopened"]

    right(accepted, chair)

    assert told() == before


def test_words_of_a_report_that_was_sent_back_leave_it_sent_back(action, officer, chair):
    done = make_update(action, "done", dated="2022-10-05", by=officer, recorded_at=noon("2022-10-05"))
    wanted = {"dated": "2022-10-06", "wanted_by": datetime.date(2023, 3, 1), "by": chair}
    make_send_back(done, recorded_at=noon("2022-10-06"), **wanted)
    before = told()
    assert (bool(before["sent back"]), before["to accept"]) == (True, [])

    right(right(done, officer), officer)

    assert told() == before


def test_words_of_the_earlier_of_two_assessments_of_a_day_leave_the_later_standing(action):
    said = [
        make_assessment(
            action.recommendations.get(),
            status,
            dated="2022-10-05",
            recorded_at=noon("2022-10-05") + place * MINUTE,
        )
        for place, status in enumerate(("on_track", "off_track"))
    ]
    again = {"dated": "2022-10-05", "corrects": said[0], "recorded_at": noon("2023-01-10")}
    make_assessment(action.recommendations.get(), "on_track", **WORDS, **again)

    assert told()["views"] == [("adviser", "off_track")]


def test_a_correction_of_corrections_stands_where_what_was_said_first_stands(action, officer):
    row = first = make_update(action, dated="2022-09-12", by=officer, recorded_at=noon("2022-09-12"))
    make_update(action, dated="2022-09-12", by=officer, recorded_at=noon("2022-09-13"))
    for _ in range(4):
        row = right(row, officer)
        assert its_place(row) == first.pk


def test_what_became_known_later_counts_what_was_put_right_once_and_nothing_withdrawn(action, officer):
    once, again, withdrawn = (
        make_update(action, dated=f"2022-09-1{day}", by=officer, recorded_at=noon("2022-10-10"))
        for day in (1, 2, 3)
    )
    right(again, officer)
    add(withdrawn.withdrawal(by=officer, reason="Of another action"), recorded_at=noon("2023-01-11"))
    at = AsAt.then(datetime.date(2022, 9, 30), today=datetime.date(2023, 1, 31))

    assert known_later(at) == ["2 progress updates"]


@pytest.mark.parametrize(("earlier", "told"), [(0, ["1 progress update"]), (1, [])])
def test_what_is_recorded_from_the_end_of_a_day_on_became_known_later(action, officer, earlier, told):
    day = datetime.date(2022, 9, 30)
    moment = end_of(day) - datetime.timedelta(microseconds=earlier)
    make_update(action, dated="2022-09-12", by=officer, recorded_at=moment)

    assert known_later(AsAt.then(day, today=datetime.date(2023, 1, 31))) == told


def test_what_was_loaded_from_a_document_is_not_said_to_be_recorded_late(action, officer):
    late = make_update(action, dated="2022-09-01", by=officer, recorded_at=noon("2022-09-03"))
    loaded = make_update(action, dated="2022-08-01", document=make_document())

    assert [(row.signature.days_late, row.signature.lateness) for row in (loaded, late)] == [
        (0, ""),
        (2, "recorded 2 days later"),
    ]


def test_before_a_moment_was_known_what_had_been_recorded_by_then_and_not_what_was_at_it(action, officer):
    wrong = make_update(action, by=officer, recorded_at=noon("2022-11-02"))
    make_update(action, by=officer, corrects=wrong, recorded_at=noon("2022-11-03"), **WORDS)
    day, moment = datetime.date(2022, 11, 3), datetime.timedelta(microseconds=1)

    def said(known):
        (stands,) = board_position(AsAt(LATER.today, day, known)).actions
        return stands.update.narrative

    known = (noon("2022-11-03"), noon("2022-11-03") + moment)
    assert [said(at) for at in known] == ["What was done", "The same, spelt right"]


def correct(client, by, row, **typed):
    """Put the words of ``row`` right as somebody does in the admin; return what then stands in its place."""
    address = reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_add")
    answer = fill_in(
        sign_in(client, by), f"{address}?corrects={row.pk}", correction_reason="A comma", **typed
    )
    assert answer.status_code == 302, errors_of(answer)
    return type(row).objects.get(corrects=row)


def test_whoever_puts_a_report_right_tells_what_was_said_by_whom_it_was_and_not_what_todays_owner_says(
    client, action, officer
):
    own = make_update(action, by=officer, recorded_at=noon("2022-11-02"))
    loaded = make_update(
        make_action("A02", agreed_on="2022-07-01"), document=make_document(), dated="2022-08-01"
    )
    other = make_user("Officers", username="later")
    for subject in (action, loaded.action):
        make_owner(subject, other)

    clerk = make_user("Secretariat")
    told = [correct(client, clerk, row, narrative="The same, with a comma") for row in (own, loaded)]
    assert [row.on_behalf_of for row in told] == [officer, None]
    assert told[0].on_behalf_of_signed == own.signed
    # And so on, whoever puts it right next.
    second = make_user("Secretariat", username="second")
    again = correct(client, second, told[0], narrative="The same, with two commas")
    assert (again.on_behalf_of, again.on_behalf_of_signed) == (officer, own.signed)


def test_what_the_chair_found_stays_the_chairs_when_the_secretariat_puts_a_word_of_it_right(
    client, action, officer, chair
):
    make_owner(action, officer)
    recheck = {"recheck_on": datetime.date(2022, 12, 1), "evidence": "The minutes"}
    make_update(action, "complete", dated="2022-11-01", by=chair, **recheck)
    found = make_update(action, "done", dated="2022-12-05", by=chair, evidence="The files")

    correct(client, make_user("Secretariat"), found, narrative="What was done, by whom")
    page = words_of(sign_in(client, chair).get("/actions/A01/"))
    assert f"on behalf of {name_of(chair)}" in page
    assert f"on behalf of {name_of(officer)}" not in page
    assert ("Re-check failed: reopened" in page, "Reopened after" in page) == (True, False)
    assert "The last report on A01 is yours" in why_not(chair, action, AsAt.now(LATER.today))


def test_who_agreed_a_date_still_did_when_somebody_else_puts_a_word_of_that_right(
    client, action, chair, officer
):
    meeting = make_meeting("2022-11-15")
    asked = make_due_date(
        action,
        "2023-03",
        dated="2022-11-10",
        by=officer,
        needs_decision=True,
        recorded_at=noon("2022-11-10"),
    )
    agreed = make_decision(asked, by=chair, meeting=meeting, recorded_at=noon("2022-11-15"))

    clerk = make_user("Secretariat")
    right_now = correct(client, clerk, agreed, reason="Because, of course")
    assert right_now.signed != agreed.signed
    (line,) = position(action, AsAt.now(LATER.today).day).dates
    assert (line.agreed_by, line.agreement.lateness, line.agreement.put_right_by) == (
        agreed.signed,
        "",
        right_now.signed,
    )
    for address in ("/actions/A01/", "/meetings/2022-11-15/"):
        page = words_of(sign_in(client, clerk).get(address)).replace(" ,", ",")
        assert f"{agreed.signed}, at the meeting of 15 November 2022" in page, address
        assert f"{right_now.signed}, at the meeting of 15 November 2022" not in page, address
        assert f"ords put right by {right_now.signed}" in page, address
