"""Due dates, as people enter, propose, replace and withdraw them."""

import datetime
import re

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.db import IntegrityError, transaction
from django.urls import reverse

from recommendations.due_dates import Decision, DueDate
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_decision,
    make_due_date,
    make_update,
    position,
)
from record.signing import role_in
from record.tests.admin_forms import errors_of, fill_in, open_form, sign_in
from record.tests.factories import make_document, make_user
from record.tests.pages import words_of
from record.verification import first_fault

pytestmark = [pytest.mark.django_db, pytest.mark.once]

ADD_DATE = reverse("admin:recommendations_duedate_add")
ADD_DECISION = reverse("admin:recommendations_decision_add")
BEFORE_AGREED = "The action was agreed on 1 October 2022. Enter that date or a later one."


@pytest.mark.parametrize(
    ("agreed_on", "due", "error"),
    [
        (
            "2022-10-01",
            "30/9/2022",
            BEFORE_AGREED,
        ),
        (
            "2022-10-01",
            "September 2022",
            BEFORE_AGREED,
        ),
        ("2022-10-01", "1/10/2022", None),
        ("2022-10-01", "2022", None),
        # A report of August 2022 may tell of a date that had passed.
        ("", "July 2022", None),
        ("", "2018", "The record begins on 1 January 2019. Enter a later date."),
    ],
)
def test_an_action_is_not_due_before_the_board_agreed_it_or_the_record_begins(client, agreed_on, due, error):
    action = make_action(agreed_on=agreed_on, document=None if agreed_on else make_document())
    page = f"{ADD_DATE}?action={action.pk}"

    response = fill_in(sign_in(client, make_user("Secretariat")), page, due=due, reason="As the report says")

    assert response.status_code == (200 if error else 302)
    assert error is None or errors_of(response) == {"due": [error]}
    assert DueDate.objects.count() == (0 if error else 1)


def test_an_owners_date_is_a_proposal_that_counts_only_once_agreed(client, officer, action):
    page = f"{ADD_DATE}?action={action.pk}"

    response = fill_in(
        sign_in(client, officer), page, due="March 2098", dated="01/11/2022", reason="As planned"
    )

    assert (response.status_code, response.url) == (302, "/admin/")
    row = DueDate.objects.get()
    assert (row.due, row.reason_kind, row.needs_decision) == ("2098-03", "first", True)
    assert (row.recorded_by, role_in(row.signed)) == (officer, "Officer")
    assert position(action).due is None
    assert [line.pk for line in position(action).proposals] == [row.pk]


@pytest.mark.parametrize("role", ["Chair", "Secretariat"])
def test_a_date_entered_by_chair_or_secretariat_counts_at_once(client, action, role):
    fill_in(
        sign_in(client, make_user(role)),
        f"{ADD_DATE}?action={action.pk}",
        due="31/03/2098",
        dated="01/11/2022",
        reason="The board agreed it",
        needs_decision="on",
    )

    assert DueDate.objects.get().needs_decision is False
    assert position(action).due.due.text == "2098-03-31"
    assert first_fault() is None


@pytest.mark.parametrize(
    ("due", "reason"),
    [
        ("early 2098", "“early” is not a month"),
        ("3/2098", "Say which month, as a word"),
        ("2098-03", "Say which month, as a word"),
        ("31/02/2098", "31 February does not exist"),
        ("22/11", "Say which year"),
    ],
)
def test_a_due_date_in_any_other_form_is_refused_with_the_reason_and_the_forms_that_are_accepted(
    client, officer, action, due, reason
):
    response = fill_in(sign_in(client, officer), f"{ADD_DATE}?action={action.pk}", due=due, reason="Why")

    assert errors_of(response) == {"due": [f"{reason}. Enter a date like 22/11/2022, November 2022 or 2024."]}
    assert DueDate.objects.count() == 0


def test_a_later_date_leaves_the_first_and_is_not_called_first(client, action):
    make_due_date(action, "2023-04", dated="2022-10-15")
    page = f"{ADD_DATE}?action={action.pk}"
    secretariat = sign_in(client, make_user("Secretariat"))
    typed = {"due": "June 2023", "dated": "01/11/2022", "reason": "It slipped"}

    refused = fill_in(secretariat, page, **typed, reason_kind="first")
    assert list(errors_of(refused)) == ["reason_kind"]

    fill_in(secretariat, page, **typed, reason_kind="resources")
    found = position(action)
    assert (found.baseline.due.words, found.due.due.words, found.revisions) == ("April 2023", "June 2023", 1)


def test_the_date_that_stands_already_is_refused(client, action):
    make_due_date(action, "2023-04")

    response = fill_in(
        sign_in(client, make_user("Secretariat")),
        f"{ADD_DATE}?action={action.pk}",
        due="April 2023",
        reason_kind="other",
        reason="Again",
    )

    assert errors_of(response) == {"due": ["This is the due date already. Enter a different one."]}


def test_a_date_that_waits_for_the_board_is_not_proposed_again(client, officer, action):
    page = f"{ADD_DATE}?action={action.pk}"
    typed = {"due": "March 2098", "reason": "As planned"}
    fill_in(sign_in(client, officer), page, **typed)

    again = fill_in(client, page, **typed)

    waits = (
        "March 2098 is proposed already, and waits for the board. One date is proposed at a time: the owner "
        "may take that one back."
    )
    assert waits in errors_of(again)[""]
    other = {**typed, "due": "April 2098"}
    assert errors_of(fill_in(client, page, **other)) == {"": [waits]}

    take_back = f"{ADD_DECISION}?due_date={DueDate.objects.get().pk}"
    assert fill_in(client, take_back, reason="April is surer").status_code == 302
    assert Decision.objects.get().outcome == "taken_back"
    assert fill_in(client, page, **other).status_code == 302
    now = position(action, datetime.date.today())
    assert [line.due.words for line in now.proposals] == ["April 2098"]
    assert [line.due.words for line in now.taken_back] == ["March 2098"]


def test_a_date_already_past_is_saved_with_a_warning(client, action):
    response = fill_in(
        sign_in(client, make_user("Secretariat")),
        f"{ADD_DATE}?action={action.pk}",
        due="December 2022",
        dated="01/11/2022",
        reason="As agreed",
    )

    assert DueDate.objects.count() == 1
    assert [str(message) for message in get_messages(response.wsgi_request)][0] == (
        "The date you entered, December 2022, is already past. Replace it if that is wrong."
    )


def test_the_form_shows_the_dates_so_far(client, officer, action):
    make_due_date(action, "2022-10", dated="2022-10-01")
    make_due_date(action, "2023-04", dated="2022-11-15", reason_kind="scope")

    page = sign_in(client, officer).get(f"{ADD_DATE}?action={action.pk}").content.decode()

    assert "October 2022 → April 2023: second date, 6 months later than the first date" in page


def page_of(client, action):
    """The words of the action's page, as a member of the board reads it, and its HTML."""
    member = User.objects.filter(username="reader").first() or make_user("Board members", "reader")
    html = sign_in(client, member).get(action.get_absolute_url()).content.decode()
    return " ".join(re.sub("<[^>]*>", " ", html).split()), html


def replace(client, row, **typed):
    return fill_in(client, f"{ADD_DATE}?replaces={row.pk}", **typed)


def test_no_date_can_be_corrected(client, action):
    agreed = make_due_date(action, "2023-05", by=make_user("Chair"))
    sign_in(client, make_user("Secretariat"))

    page = client.get(f"{ADD_DATE}?corrects={agreed.pk}")
    assert "choose the action" in page.content.decode()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_due_date(action, "2028-12", by=agreed.recorded_by, corrects=agreed, correction_reason="Later")
    links = client.get(reverse("admin:recommendations_duedate_change", args=[agreed.pk])).context
    assert (links["correct_words"], links["correct_url"]) == (
        "Replace this entry",
        f"{ADD_DATE}?replaces={agreed.pk}",
    )


def test_a_wrong_first_date_stays_struck_through_beside_the_right_one(client, action):
    """Entered anew it is not what the board first agreed, so nobody can read that it came earlier."""
    chair = make_user("Chair")
    wrong = make_due_date(action, "2023-03", dated="2022-10-01", by=chair)
    make_due_date(action, "2026-06", dated="2022-11-01", by=chair, reason_kind="scope", reason="More work")
    make_update(action, dated="2022-10-20", by=chair)

    done = replace(
        sign_in(client, make_user("Secretariat")),
        wrong,
        due="December 2028",
        reason="As minuted",
        correction_reason="The minutes say 2028",
    )

    assert done.status_code == 302
    withdrawal, anew = DueDate.objects.order_by("-pk")[:2][::-1]
    assert (withdrawal.withdraws, withdrawal.due, withdrawal.correction_reason) == (
        wrong,
        "2023-03",
        "The minutes say 2028",
    )
    assert (anew.due, anew.dated, anew.withdraws, anew.correction_reason) == (
        "2028-12",
        "2022-10-01",
        None,
        "",
    )
    now = position(action, datetime.date.today())
    assert [(line.due.words, bool(line.withdrawn)) for line in now.dates] == [
        ("March 2023", True),
        ("December 2028", False),
        ("June 2026", False),
    ]
    assert now.baseline.due.words == "June 2026"
    assert (now.revisions, now.ledger_words) == (0, "June 2026")
    page, _ = page_of(client, action)
    assert "March 2023 Withdrawn" in page
    assert "by Secretariat Person : The minutes say 2028" in page
    assert "June 2026 First agreed date" in page
    assert "December 2028 Entered later than the first, for an earlier day" in page


def test_a_miss_falls_with_the_withdrawn_date_and_stays_struck_through(client):
    then = datetime.datetime(2022, 12, 1, 12, tzinfo=datetime.UTC)
    action = make_action(recorded_at=then)
    wrong = make_due_date(action, "2023-03", dated="2022-11-01", by=make_user("Chair"), recorded_at=then)
    make_update(action, dated="2022-12-01", by=make_user("Officers", "officer"), recorded_at=then)
    assert position(action, datetime.date(2023, 4, 1)).misses == 1
    assert "<s>Missed</s>" not in page_of(client, action)[1]

    fill_in(
        sign_in(client, make_user("Secretariat")),
        f"{ADD_DATE}?withdraws={wrong.pk}",
        correction_reason="Entered on the wrong action",
    )

    now = position(action, datetime.date(2023, 4, 1))
    assert (now.misses, now.due) == (0, None)
    assert [(line.is_missed, line.withdrawn.reason) for line in now.dates] == [
        (True, "Entered on the wrong action")
    ]
    assert "<s>Missed</s>" in page_of(client, action)[1]


@pytest.mark.parametrize("theirs", ["owned", "last reported on"])
def test_nobody_corrects_or_withdraws_what_others_said_of_their_own_work_nor_a_date_that_was_agreed(
    client, theirs
):
    chair, officer = make_user("Chair", first_name="Cy"), make_user("Officers", "officer")
    me = make_user("Secretariat", "me")
    action = make_action("A01", owner=me if theirs == "owned" else officer)
    off_track = make_update(action, "off_track", dated="2022-11-10", by=officer)
    own = make_update(action, dated="2022-11-20", by=me)
    set_by_me = make_due_date(action, "2023-04", dated="2022-11-01", by=me)
    agreed = make_due_date(action, "2023-06", by=officer, needs_decision=True)
    decision = make_decision(agreed, by=me)
    proposed = make_due_date(action, "2098-03", by=me, needs_decision=True)
    sign_in(client, me)

    def page(row, how="withdraws"):
        return f"{reverse(f'admin:recommendations_{row._meta.model_name}_add')}?{how}={row.pk}"

    first = "You own A01" if theirs == "owned" else "The last report on A01 is yours"
    others = {off_track: "Nobody else can", set_by_me: "Ask Cy", agreed: "Ask Cy", decision: "Ask Cy"}
    for row, who in others.items():
        refused = client.get(page(row))
        assert refused.status_code == 403
        assert f"{first}, so somebody else decides about it. {who}" in words_of(refused), row
    for row, who in ((off_track, "Nobody else can"), (decision, "Ask Cy")):
        refused = client.get(page(row, "corrects"))
        assert refused.status_code == 403
        assert f"{first}, so somebody else decides about it. {who}" in words_of(refused), row
    assert client.get(page(own, "corrects")).status_code == 200
    for row in (proposed, own):
        assert fill_in(client, page(row), correction_reason="Typed twice").status_code == 302

    sign_in(client, chair)
    assert client.get(page(set_by_me)).status_code == 200
    assert client.get(page(decision, "corrects")).status_code == 200


def test_who_made_a_proposal_or_the_secretariat_replaces_it_until_it_is_decided(client, officer, action):
    proposal = make_due_date(action, "2023-04", by=officer, needs_decision=True)
    decided = make_due_date(action, "2023-06", by=officer, needs_decision=True)
    make_decision(decided, "refused")
    sign_in(client, make_user("Officers", "another"))
    assert client.get(f"{ADD_DATE}?replaces={proposal.pk}").status_code == 403
    sign_in(client, officer)
    assert client.get(f"{ADD_DATE}?replaces={decided.pk}").status_code == 403
    assert client.get(f"{ADD_DATE}?withdraws={decided.pk}").status_code == 403

    replace(client, proposal, due="May 2098", correction_reason="Wrong year")

    now = position(action, datetime.date.today())
    assert [line.due.words for line in now.proposals] == ["May 2098"]
    assert [line.due.words for line in now.taken_off] == ["April 2023"]
    again = DueDate.objects.latest("pk")
    replace(sign_in(client, make_user("Secretariat")), again, due="June 2098", correction_reason="Misheard")
    assert [line.due.words for line in position(action, datetime.date.today()).proposals] == ["June 2098"]


def test_the_page_says_whether_a_date_is_proposed_or_set(client, officer, action):
    make_update(action, by=officer)
    boss = make_user("Secretariat")

    def heading(person, action=action):
        return sign_in(client, person).get(f"{ADD_DATE}?action={action.pk}").context["title"]

    assert heading(officer) == f"Propose a date: {action}"
    assert heading(boss) == f"Add due date: {action}"
    # Nobody sets a date for an action of their own.
    own = make_action("A02", owner=boss)
    assert heading(boss, own) == f"Propose a date: {own}"


def test_a_day_that_is_over_is_not_proposed(client, officer, action):
    sign_in(client, officer)
    page = f"{ADD_DATE}?action={action.pk}"
    refused = fill_in(client, page, due="November 2022", reason_kind="scope", reason="Later")
    assert errors_of(refused) == {"due": ["November 2022 is over. Propose a date that is still to come."]}
    assert "November 2022" in refused.content.decode()
    assert fill_in(client, page, due="May 2098", reason_kind="scope", reason="Later").status_code == 302


def test_what_replaces_an_agreed_proposal_counts_from_the_day_it_was_agreed(client, officer, action):
    proposal = make_due_date(action, "2023-04", dated="2022-11-01", by=officer, needs_decision=True)
    make_decision(proposal, "agreed", dated="2022-11-15")

    replace(
        sign_in(client, make_user("Secretariat")),
        proposal,
        due="May 2023",
        correction_reason="The minutes say May",
    )

    line = position(action, datetime.date.today()).due
    assert (line.due.words, line.effective_on) == ("May 2023", datetime.date(2022, 11, 15))


def test_a_date_is_replaced_once_and_only_with_a_reason(client, action):
    wrong = make_due_date(action, "2023-03", by=make_user("Chair"))
    sign_in(client, make_user("Secretariat"))
    page = f"{ADD_DATE}?replaces={wrong.pk}"
    typed = {**open_form(client, page), "due": "April 2023"}

    refused = client.post(page, typed)
    assert errors_of(refused) == {"correction_reason": ["Say what was wrong with the earlier entry."]}
    assert 'value="April 2023"' in refused.content.decode()
    assert client.post(page, {**typed, "correction_reason": "Misheard"}).status_code == 302
    again = client.post(page, {**typed, "correction_reason": "Misheard"})
    assert errors_of(again)[""][0].startswith("You saved exactly this on")
    twice = client.post(page, {**typed, "due": "May 2023", "correction_reason": "Misheard"})
    assert errors_of(twice)[""][0].startswith("You withdrew this on")
    assert "This entry has already been withdrawn. Enter anew what is right." in errors_of(twice)[""]
    assert [row.due for row in DueDate.objects.in_force()] == ["2023-04"]
    withdrawal = DueDate.objects.get(withdraws=wrong)
    assert client.get(f"{ADD_DATE}?withdraws={withdrawal.pk}").status_code == 404


@pytest.mark.parametrize("rows", [1, 10])
def test_the_lists_take_the_same_queries_however_long(client, django_assert_num_queries, rows):
    secretariat = make_user("Secretariat")
    for number in range(10, 10 + rows):
        action = make_action(f"A{number}", owner=secretariat)
        make_decision(make_due_date(action, by=secretariat, needs_decision=True), by=secretariat)
        make_assessment(action.recommendations.get(), by=secretariat)
    sign_in(client, secretariat)

    client.get("/admin/")  # the first page of a session also notes the time in it
    # session, user, 2 of permissions, 2 counts, rows, is this a demonstration; actions also a filter's names
    for name in ("duedate", "decision", "assessment", "action"):
        with django_assert_num_queries({"action": 9}.get(name, 8)):
            client.get(reverse(f"admin:recommendations_{name}_changelist"))
