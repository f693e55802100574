"""Who decides, what is sent back, what ends a proposal, and what a late acceptance changes."""

import datetime

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from recommendations.due_dates import Decision, DueDate
from recommendations.forms import three_months_after
from recommendations.history import history
from recommendations.models import Action, ProgressUpdate
from recommendations.position import board_position
from recommendations.sent_back import SendBack
from recommendations.tests.factories import (
    make_action,
    make_decision,
    make_due_date,
    make_owner,
    make_send_back,
    make_update,
)
from record.dates import say_day
from record.tests.admin_forms import errors_of, fields_of, fill_in, held, open_form, sign_in
from record.tests.factories import make_meeting, make_user, noon, on
from record.tests.pages import main_words

pytestmark = [pytest.mark.django_db, pytest.mark.once]
UPDATE = reverse("admin:recommendations_progressupdate_add")
DATE = reverse("admin:recommendations_duedate_add")
DECISION = reverse("admin:recommendations_decision_add")
SEND_BACK = reverse("admin:recommendations_sendback_add")
ACCEPTED = {
    "status": "complete",
    "narrative": "Accepted",
    "evidence": "The minutes",
    "recheck_on": "1/6/2090",
    "dated": "20/11/2022",
}


@pytest.fixture
def officer():
    return make_user("Officers", "officer")


@pytest.fixture
def action(officer):
    return make_action("A01", owner=officer)


def position(action, day=datetime.date(2022, 12, 31)):
    return board_position(on(day)).by_ref[action.ref]


def words_of(response):
    assert response.status_code == 403
    return response.content.decode()


def test_the_decision_made_last_stands_whatever_the_order_of_the_proposals(officer, action):
    march = make_due_date(action, "2023-03", dated="2022-11-01", by=officer, needs_decision=True)
    june = make_due_date(action, "2023-06", dated="2022-11-02", by=officer, needs_decision=True)
    make_decision(june, dated="2022-11-15")
    make_decision(march, dated="2022-11-15")

    assert position(action).due.due.words == "March 2023"
    assert [line.due.words for line in position(action).moves] == ["June 2023", "March 2023"]


@pytest.mark.parametrize(
    ("due", "is_refused"),
    [("30/3/2098", False), ("31/3/2098", True), ("March 2098", True), ("1/4/2098", False)],
)
def test_a_date_that_means_the_same_last_day_is_refused_as_no_move(client, action, due, is_refused):
    make_due_date(action, "2098-03")
    sign_in(client, make_user("Secretariat"))

    saved = fill_in(client, f"{DATE}?action={action.pk}", due=due, reason_kind="other", reason="Why")

    assert (saved.status_code == 200, DueDate.objects.count() == 1) == (is_refused, is_refused)


def test_a_row_that_means_the_same_last_day_is_no_revision(action):
    make_due_date(action, "2023-03", dated="2022-11-01")
    make_due_date(action, "2023-03-31", dated="2022-11-02")
    assert (position(action).revisions, position(action).slip) == (0, None)

    make_due_date(action, "2023-04-01", dated="2022-11-03")
    assert position(action).revisions == 1


def waiting(action):
    now = position(action)
    return [line.due.words for line in now.proposals], [line.ended_words for line in now.ended]


def test_a_proposal_waits_until_another_date_is_agreed(client, officer, action):
    proposal = make_due_date(action, "2023-06", by=officer, needs_decision=True)
    assert waiting(action) == (["June 2023"], [])

    make_due_date(action, "2023-07", dated="2022-11-03")

    ended = "when another date, July 2023, was recorded (agreed 3 November 2022)."
    assert waiting(action) == ([], [f"It ended on {say_day(timezone.localdate())}, {ended}"])
    shown = sign_in(client, make_user("Chair")).get("/actions/A01/").content.decode()
    assert f"It ended on {say_day(timezone.localdate())}, {ended}" in shown
    late = fill_in(client, f"{DECISION}?due_date={proposal.pk}", outcome="agreed", reason="Late")
    assert errors_of(late) == {
        "": ["This proposal waits no more: another date was agreed, or the action was completed or closed."]
    }


@pytest.mark.parametrize(
    ("status", "word"), [("complete", "Complete, evidenced"), ("closed", "Closed, not done")]
)
def test_completing_or_closing_ends_a_proposal(officer, action, status, word):
    make_due_date(action, "2023-06", by=officer, needs_decision=True)
    make_update(action, "done", dated="2022-11-02", by=officer)
    assert waiting(action) == (["June 2023"], [])

    make_update(action, status, dated="2022-11-03")

    ended = f"when it was recorded that the action became “{word}” (3 November 2022)."
    assert waiting(action) == ([], [f"It ended on {say_day(timezone.localdate())}, {ended}"])


def test_a_proposal_that_was_ended_by_what_was_recorded_on_its_own_day_says_that_day_once(officer):
    for ref in ("A01", "A02"):
        action = make_action(ref, recorded_at=noon("2022-11-01"))
        said = {"by": officer, "needs_decision": True, "recorded_at": noon("2022-11-01")}
        make_due_date(action, "2023-06", **said)
    agreed, completed = Action.objects.order_by("ref")
    make_due_date(agreed, "2023-07", dated="2022-11-03", by=officer, recorded_at=noon("2022-11-03"))
    make_update(completed, "complete", dated="2022-11-03", by=officer, recorded_at=noon("2022-11-03"))

    assert [waiting(action) for action in (agreed, completed)] == [
        ([], ["It ended when another date, July 2023, was agreed, 3 November 2022."]),
        ([], ["It ended when the action became “Complete, evidenced”, 3 November 2022."]),
    ]


def test_a_date_entered_late_says_so_and_ends_a_proposal_on_the_day_it_was_entered(client, officer):
    action = make_action(recorded_at=noon("2022-10-01"))
    make_due_date(
        action, "2023-06", dated="2022-11-02", by=officer, needs_decision=True, recorded_at=noon("2022-11-02")
    )
    chair = make_user("Chair")
    make_due_date(action, "2023-08", dated="2022-10-01", by=chair, recorded_at=noon("2022-11-29"))

    shown = main_words(sign_in(client, chair).get("/actions/A01/"))
    assert (
        "It ended on 29 November 2022, when another date, August 2023, was recorded (agreed 1 October 2022)."
    ) in shown
    assert "August 2023 First agreed date 1 October 2022, recorded 1 month later First date" in shown


def test_a_proposal_entered_late_says_so_wherever_the_page_of_its_action_has_it(client, officer):
    late = {"by": officer, "needs_decision": True, "recorded_at": noon("2022-11-22")}
    outcomes = {"A01": None, "A02": "agreed", "A03": "refused", "A04": "taken_back"}
    actions = [make_action(ref, recorded_at=noon("2022-10-01")) for ref in outcomes]
    dates = {action.ref: make_due_date(action, dated="2022-11-01", **late) for action in actions}
    for ref, outcome in outcomes.items():
        if outcome:
            make_decision(dates[ref], outcome, by=officer, recorded_at=noon("2022-11-29"))
    sign_in(client, make_user("Chair"))

    for ref, outcome in outcomes.items():
        shown = main_words(client.get(f"/actions/{ref}/")).partition("History, newest first")[0]
        assert "1 November 2022, recorded 3 weeks later" in shown, ref
        assert ("15 November 2022, recorded 2 weeks later" in shown) == bool(outcome), ref


def test_an_acceptance_that_changed_nothing_ends_no_proposal(officer, action):
    make_due_date(action, "2023-06", by=officer, needs_decision=True)
    make_update(action, "at_risk", dated="2022-11-09", by=officer)
    make_update(action, "complete", dated="2022-11-05")

    assert waiting(action) == (["June 2023"], [])


def test_no_date_is_proposed_for_what_is_complete(client, officer, action):
    make_update(action, "complete")
    page = f"{DATE}?action={action.pk}"

    refused = fill_in(sign_in(client, officer), page, due="2098", reason_kind="other", reason="Why")

    assert errors_of(refused) == {
        "": [
            "A01 is “Complete, evidenced”. No date is proposed for it. If it is not finished, report on it "
            "first."
        ]
    }


def test_an_acceptance_that_changes_nothing_says_so_before_it_is_saved(client, officer, action):
    make_update(action, "done", dated="2022-11-01", by=officer)
    make_update(action, "at_risk", dated="2022-11-21", by=officer)
    page = f"{UPDATE}?action={action.pk}"
    sign_in(client, make_user("Chair"))

    told = fill_in(client, page, **ACCEPTED)

    assert errors_of(told) == {
        "": [
            "This will change nothing: “At risk”, dated 21 November 2022, is later and stands. Nothing is "
            "saved yet, and what you typed is still here. Enter that day or a later one or, to save it as it "
            "is, choose Save again."
        ]
    }
    form = told.context["adminform"].form
    held = {field.html_name: field.value() for field in form if field.value()}
    assert (held["narrative"], held["evidence"]) == ("Accepted", "The minutes")
    assert client.post(page, held).status_code == 302
    assert position(action).status == "at_risk"


@pytest.mark.parametrize("dated", ["2022-11-19", "2022-11-20"])
def test_an_acceptance_on_or_after_the_last_report_is_saved_at_once(client, officer, action, dated):
    make_update(action, "at_risk", dated=dated, by=officer)
    sign_in(client, make_user("Chair"))

    assert fill_in(client, f"{UPDATE}?action={action.pk}", **ACCEPTED).status_code == 302
    assert position(action).status == "complete"


def test_a_report_reopens_only_what_had_been_accepted_when_it_was_recorded(officer, action):
    make_update(action, "at_risk", dated="2022-11-21", by=officer)
    make_update(action, "complete", dated="2022-11-20")
    entries = [
        line for line in history(on(datetime.date(2022, 12, 31)), actions=[action.pk]).entries if line.update
    ]
    assert [(line.was, line.turn) for line in entries] == [
        ("Not yet reported", ""),
        ("Not yet reported", "Changed nothing: a later report was on the record"),
    ]

    make_update(action, "complete", dated="2022-11-22")
    make_update(action, "at_risk", dated="2022-11-23", by=officer)
    assert history(on(datetime.date(2022, 12, 31)), actions=[action.pk]).entries[0].turn == "Reopened"


def test_what_was_closed_is_reopened_by_those_who_may_close_it(client, officer, action):
    make_update(action, "closed")
    chair, page = make_user("Chair", first_name="Cara", last_name="Chair"), f"{UPDATE}?action={action.pk}"

    said = words_of(sign_in(client, officer).get(page))
    assert "A01 is closed. Only the Chair or the Secretariat reopen it. Ask Cara Chair." in said
    assert client.post(page, {"status": "on_track", "narrative": "Going"}).status_code == 403

    typed = {"status": "on_track", "narrative": "Again", "dated": "20/11/2022"}
    told = fill_in(sign_in(client, chair), page, **typed)
    assert position(action).status == "closed"
    form = told.context["adminform"].form
    assert client.post(page, {**fields_of(form), **typed}).status_code == 302
    assert position(action).status == "on_track"


def test_a_report_that_is_the_newest_no_more_is_not_sent_back_and_the_newer_one_is_shown(
    client, officer, action
):
    report = make_update(action, "done", dated="2022-11-01", by=officer)
    newer = make_update(action, "at_risk", dated="2022-11-02", by=officer)

    response = sign_in(client, make_user("Chair")).get(f"{SEND_BACK}?report={report.pk}", follow=True)

    assert response.redirect_chain == [
        (reverse("admin:recommendations_progressupdate_change", args=[newer.pk]), 302)
    ]
    assert "This has been overtaken by a newer entry. Here it is." in response.content.decode()


def test_a_proposal_is_not_taken_back_before_it_was_made(client, officer, action):
    own = make_due_date(action, "2023-04", dated="2022-11-10", by=officer, needs_decision=True)
    page = f"{reverse('admin:recommendations_decision_add')}?due_date={own.pk}"

    response = fill_in(sign_in(client, officer), page, reason="Mine", dated="09/11/2022")

    assert errors_of(response) == {
        "dated": ["The date was proposed on 10 November 2022. Enter that day or a later one."]
    }


def test_another_decision_needs_a_reason_of_its_own(client, officer, action):
    proposal = make_due_date(action, "2023-04", by=officer, needs_decision=True)
    wrong = make_decision(proposal, "agreed", by=make_user("Chair"), reason="Posts cannot be filled")
    page = f"{reverse('admin:recommendations_decision_add')}?corrects={wrong.pk}"
    sign_in(client, make_user("Secretariat"))

    response = fill_in(client, page, outcome="refused", correction_reason="As minuted")
    assert errors_of(response) == {"reason": ["This was the reason for “Agreed”. Say why it is “Refused”."]}
    typed = {"outcome": "refused", "correction_reason": "As minuted", "reason": "Posts can be filled"}
    assert fill_in(client, page, **typed).status_code == 302


@pytest.mark.parametrize("role", ["Chair", "Secretariat"])
@pytest.mark.parametrize("why", ["owner", "reporter", "neither"])
def test_nobody_decides_about_their_own_work(client, officer, action, role, why):
    person = make_user(role, "person")
    make_user("Chair", "other", first_name="Olu", last_name="Other")
    if why == "owner":
        make_owner(action, person, dated="2022-10-15")
    report = make_update(action, "done", dated="2022-11-01", by=person if why == "reporter" else officer)
    proposal = make_due_date(action, "2023-06", by=officer, needs_decision=True)
    sign_in(client, person)
    sentence = {
        "owner": "You own A01, so somebody else decides about it. Ask Olu Other.",
        "reporter": "The last report on A01 is yours, so somebody else decides about it. Ask Olu Other.",
    }.get(why)

    sent_back = client.get(f"{SEND_BACK}?report={report.pk}")
    decision = client.get(f"{DECISION}?due_date={proposal.pk}")
    if why == "neither":
        assert (sent_back.status_code, decision.status_code) == (200, 200)
        assert fill_in(client, f"{UPDATE}?action={action.pk}", **ACCEPTED).status_code == 302
        return
    assert sentence in words_of(sent_back)
    if why == "reporter":
        assert sentence in words_of(decision)
        assert sentence in words_of(client.get(f"{DATE}?action={action.pk}"))
    else:
        assert "Take back" in decision.context["title"]
        assert "a date that you enter is a proposal" in " ".join(
            client.get(f"{DATE}?action={action.pk}").content.decode().split()
        )
    page = client.get(f"{UPDATE}?action={action.pk}")
    if page.status_code == 200:
        offered = [value for value, _ in page.context["adminform"].form.fields["status"].choices]
        assert not {"complete", "embedded", "closed"} & set(offered)
        assert sentence in page.content.decode()
    else:
        assert sentence in words_of(page)
    assert ProgressUpdate.objects.count() == 1


def test_a_report_made_while_an_acceptance_was_open_is_told_of_before_it_is_saved(client, officer, action):
    chair, page = make_user("Chair"), f"{UPDATE}?action={action.pk}"
    make_update(action, "done", by=officer)
    held = open_form(sign_in(client, chair), page)
    make_owner(action, chair, dated="2022-10-15")

    answer = client.post(page, {**held, **ACCEPTED})

    assert answer.status_code == 200
    assert ProgressUpdate.objects.count() == 1


def test_the_form_for_accepting_shows_what_was_reported_and_asks_for_none_of_it_again(
    client, officer, action
):
    for day, text in enumerate(("First", "Second", "Third", "Fourth"), start=1):
        make_update(action, "on_track", dated=f"2022-11-0{day}", narrative=f"{text} thing", by=officer)
    make_update(action, "done", dated="2022-11-05", narrative="All done", evidence="Audit 12", by=officer)
    sign_in(client, make_user("Chair"))

    page = client.get(f"{UPDATE}?action={action.pk}").content.decode()
    assert [text in page for text in ("All done", "Fourth thing", "Third thing", "Second thing")] == [
        True,
        True,
        True,
        False,
    ]
    assert "Audit 12" in page
    saved = fill_in(client, f"{UPDATE}?action={action.pk}", recheck_on="1/6/2090", dated="20/11/2022")
    assert saved.status_code == 302
    row = ProgressUpdate.objects.latest("pk")
    accepts = "Accepts what was reported for 5 November 2022."
    assert (row.status, row.narrative, row.evidence) == ("complete", accepts, "Audit 12")


def test_a_report_is_sent_back_and_the_owner_sees_first_what_is_wanted_and_by_when(client, officer, action):
    make_action("A00", owner=officer)
    report = make_update(action, "done", by=officer)
    chair, page = make_user("Chair"), f"{SEND_BACK}?report={report.pk}"
    work = sign_in(client, officer).get("/admin/").context["work"]
    assert [task.action.ref for task in work.mine] == ["A00", "A01"]
    sign_in(client, chair)

    assert sorted(errors_of(fill_in(client, page, dated="20/11/2022"))) == ["wanted", "wanted_by"]
    typed = {"wanted": "The audit of June", "dated": "20/11/2022"}
    soon = fill_in(client, page, **typed, wanted_by="20/11/2022")
    assert errors_of(soon) == {"wanted_by": ["Give a day after the one on which it was sent back."]}
    assert fill_in(client, page, **typed, wanted_by="21/11/2022").status_code == 302

    now = board_position(on(datetime.date.today()))
    assert now.by_ref["A01"].status == "done"
    assert (now.decisions.to_accept, [a.ref for a in now.decisions.sent_back]) == ((), ["A01"])
    assert "Sent back, and waiting for the owner’s evidence: A01 ." in main_words(client.get("/"))
    for address in ("/actions/A01/", "/status/"):
        shown = " ".join(client.get(address).content.decode().split())
        assert (address, "The audit of June" in shown, "Wanted by 21 November 2022" in shown) == (
            address,
            True,
            True,
        )
    listed = sign_in(client, officer).get("/admin/")
    assert [task.action.ref for task in listed.context["work"].mine] == ["A01", "A00"]
    assert "The audit of June" in listed.content.decode()
    assert client.get(f"{UPDATE}?corrects={report.pk}").status_code == 403

    make_update(action, "done", dated="2022-11-25", evidence="The audit", by=officer)
    now = board_position(on(datetime.date.today()))
    assert ([a.ref for a in now.decisions.to_accept], now.decisions.sent_back) == (["A01"], ())


@pytest.mark.parametrize("is_spelt_right_since", [False, True])
def test_who_accepts_what_was_sent_back_though_nothing_came_is_told_so_once(
    client, officer, action, is_spelt_right_since
):
    report = make_update(action, "done", dated="2022-11-01", by=officer)
    make_send_back(report, dated="2022-11-15")
    if is_spelt_right_since:
        again = {"corrects": report, "correction_reason": "A slip"}
        make_update(action, "done", dated="2022-11-01", by=officer, **again)
    page, chair = f"{UPDATE}?action={action.pk}", sign_in(client, make_user("Chair"))
    typed = {**ACCEPTED, "dated": "14/11/2022"}
    early = ["It was sent back on 15 November 2022. Enter that day or a later one."]
    assert errors_of(fill_in(chair, page, **typed)) == {"dated": early}
    assert (
        errors_of(fill_in(chair, page, **{**typed, "status": "closed", "reason": "Given up"}))["dated"]
        == early
    )

    typed["dated"] = "15/11/2022"
    told = fill_in(chair, page, **typed)
    assert errors_of(told) == {
        "": [
            "The report was sent back for evidence on 15 November 2022, and nothing was reported since. "
            "Nothing is saved yet, and what you typed is still here. To accept it all the same, choose Save "
            "again."
        ]
    }
    assert not ProgressUpdate.objects.filter(status="complete").exists()
    assert client.post(page, {**held(told), **typed}).status_code == 302
    assert ProgressUpdate.objects.latest("pk").status == "complete"


def test_an_answer_to_what_was_sent_back_is_accepted_without_a_word_on_that(client, officer, action):
    make_send_back(make_update(action, "done", dated="2022-11-01", by=officer), dated="2022-11-15")
    make_update(action, "done", dated="2022-11-16", evidence="The minutes", by=officer)
    chair = sign_in(client, make_user("Chair"))
    answer = fill_in(chair, f"{UPDATE}?action={action.pk}", **{**ACCEPTED, "dated": "17/11/2022"})
    assert answer.status_code == 302


def test_whoever_closes_an_action_says_why_and_not_that_a_report_is_accepted(client, officer, action):
    make_update(action, "done", dated="2022-11-01", by=officer)
    page, typed = (
        f"{UPDATE}?action={action.pk}",
        {"status": "closed", "dated": "2/11/2022", "reason": "Given up"},
    )
    answer = fill_in(sign_in(client, make_user("Chair")), page, **typed)
    assert errors_of(answer)["narrative"] == [
        "This says only that the report is accepted. Say what has happened."
    ]


@pytest.mark.parametrize(
    ("dated", "wanted_by", "told"),
    [
        (
            "4/11/2022",
            "1/12/2022",
            {"dated": ["It was reported for 5 November 2022. Enter that day or a later one."]},
        ),
        ("5/11/2022", "5/11/2022", {"wanted_by": ["Give a day after the one on which it was sent back."]}),
        ("5/11/2022", "6/11/2022", {}),
        ("6/11/2022", "1/12/2022", {}),
    ],
)
def test_a_report_is_sent_back_from_its_own_day_on_for_evidence_wanted_after_that(
    client, officer, action, dated, wanted_by, told
):
    report = make_update(action, "done", dated="2022-11-05", by=officer)
    chair = sign_in(client, make_user("Chair"))

    answer = fill_in(
        chair, f"{SEND_BACK}?report={report.pk}", wanted="The minutes", wanted_by=wanted_by, dated=dated
    )

    assert (errors_of(answer) if told else answer.status_code) == (told or 302)
    assert SendBack.objects.count() == (0 if told else 1)


def test_only_the_newest_report_of_completion_is_sent_back_once(client, officer, action):
    going = make_update(action, "on_track", dated="2022-11-01", by=officer)
    report = make_update(action, "done", dated="2022-11-02", by=officer)
    make_send_back(report)
    sign_in(client, make_user("Chair"))

    assert client.get(f"{SEND_BACK}?report={going.pk}").status_code == 404
    assert client.get(f"{SEND_BACK}?report={report.pk}").status_code == 302
    assert SendBack.objects.count() == 1


@pytest.mark.parametrize("decided", ["sent back", "accepted"])
def test_a_word_put_right_in_a_report_that_was_decided_on_leaves_it_decided_on(
    client, officer, action, decided
):
    report = make_update(action, "done", dated="2022-11-02", by=officer)
    if decided == "sent back":
        make_send_back(report)
    else:
        make_update(action, "complete", dated="2022-11-15", by=make_user("Chair", "chair"))
    again = {"corrects": report, "correction_reason": "A slip", "dated": "2022-11-02"}
    right = make_update(action, "done", by=officer, evidence="The audits", **again)
    alone = make_update(make_action("A02", owner=officer), "done", dated="2022-11-02", by=officer)

    sign_in(client, make_user("Chair", "second"))
    if decided == "sent back":
        assert client.get(f"{SEND_BACK}?report={right.pk}").status_code == 302
    assert client.get(f"{SEND_BACK}?report={alone.pk}").status_code == 200

    sign_in(client, officer)
    withdraw = f"{reverse('admin:recommendations_progressupdate_add')}?withdraws="
    refused = client.get(f"{withdraw}{right.pk}")
    assert refused.status_code == 403
    assert "A decision rests on this entry, so only those who decide may" in words_of(refused)
    assert client.get(f"{withdraw}{alone.pk}").status_code == 200


def test_who_corrected_a_report_that_was_sent_back_is_told_that_a_decision_rests_on_it(
    client, officer, action
):
    make_user("Chair", "cy")
    clerk = make_user("Secretariat")
    report = make_update(action, "done", by=officer)
    make_send_back(report, by=clerk)
    right = make_update(action, "done", by=clerk, corrects=report, correction_reason="A slip")

    refused = sign_in(client, clerk).get(f"{UPDATE}?corrects={right.pk}")

    assert refused.status_code == 403
    said = main_words(refused)
    assert (
        "A decision rests on this entry, so only those who decide may say that it was wrong. The last report "
        "on A01 is yours, so somebody else decides about it. Ask Cy Person."
    ) in said
    assert "only what you entered yourself" not in said


def test_the_database_refuses_what_leaves_no_time_and_a_proposal_taken_back_at_a_meeting(officer, action):
    report = make_update(action, "done", by=officer)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_send_back(report, dated="2022-11-15", wanted_by=datetime.date(2022, 11, 15))
    with pytest.raises(IntegrityError), transaction.atomic():
        make_send_back(report, wanted="")
    proposal = make_due_date(action, "2023-06", by=officer, needs_decision=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_decision(proposal, "taken_back", meeting=make_meeting(held_on="2022-11-15"))
    make_send_back(report, wanted_by=datetime.date(2022, 11, 16))
    make_decision(proposal, "taken_back")
    assert (SendBack.objects.count(), Decision.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("accepted", "earliest"),
    [
        ("2022-11-29", "2023-02-28"),
        ("2022-11-30", "2023-02-28"),
        ("2022-12-01", "2023-03-01"),
        ("2023-11-29", "2024-02-29"),
        ("2023-11-30", "2024-02-29"),
        ("2023-03-31", "2023-06-30"),
        ("2023-09-15", "2023-12-15"),
        ("2023-10-31", "2024-01-31"),
    ],
)
def test_three_months_end_on_the_same_day_or_the_last_of_a_shorter_month(accepted, earliest):
    found = three_months_after(datetime.date.fromisoformat(accepted))
    assert found == datetime.date.fromisoformat(earliest)


@pytest.mark.parametrize(
    ("day", "is_due"), [("2023-05-31", False), ("2023-06-01", True), ("2023-06-02", True)]
)
def test_a_recheck_is_due_from_its_day_on(action, day, is_due):
    make_update(action, "complete", recheck_on=datetime.date(2023, 6, 1))

    assert position(action, datetime.date.fromisoformat(day)).is_recheck_due is is_due
