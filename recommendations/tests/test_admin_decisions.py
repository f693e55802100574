"""The board's decisions on proposed dates, and assessments, as people enter them."""

import datetime

import pytest
from django.urls import reverse

from recommendations.due_dates import Decision
from recommendations.models import Assessment
from recommendations.tests.factories import (
    make_action,
    make_decision,
    make_due_date,
    make_recommendation,
    position,
)
from record.dates import say_day
from record.models import Meeting
from record.signing import role_in
from record.tests.admin_forms import errors_of, fill_in, open_form, sign_in
from record.tests.factories import add, make_meeting, make_user, saved

pytestmark = [pytest.mark.django_db, pytest.mark.again]

ADD_DECISION = reverse("admin:recommendations_decision_add")
ADD_ASSESSMENT = reverse("admin:recommendations_assessment_add")


def test_the_board_agrees_a_proposal_and_it_counts_from_then(client, officer, action):
    proposal = make_due_date(action, "2023-04", dated="2022-11-01", by=officer, needs_decision=True)
    page = f"{ADD_DECISION}?due_date={proposal.pk}"
    sign_in(client, make_user("Chair"))
    typed = {"outcome": "agreed", "reason": "It is realistic"}

    early = fill_in(client, page, **typed, dated="31/10/2022")
    assert errors_of(early) == {
        "dated": ["The date was proposed on 1 November 2022. Enter that day or a later one."]
    }
    fill_in(client, page, **typed, dated="15/11/2022")
    row = Decision.objects.get()
    assert (row.due_date, row.outcome, row.meeting) == (proposal, "agreed", None)
    assert role_in(row.signed) == "Chair"
    assert position(action).due.effective_on == datetime.date(2022, 11, 15)


def meetings_about(day):
    """The meetings of the day before ``day``, of that day and of the next, by their days."""
    days = [day + datetime.timedelta(days=days) for days in (-1, 0, 1)]
    return {each: make_meeting(held_on=each) for each in days}


def offered(client, page):
    """The labels of the meetings to choose from on the form at ``page``."""
    box = client.get(page).context["adminform"].form.fields["meeting"]
    return [label for _, label in box.choices]


def test_a_decision_names_a_meeting_held_since_what_it_decides_and_takes_its_day(client, officer, action):
    today = datetime.date.today()
    first, *_ = meetings_about(datetime.date(2022, 11, 1)).values()
    later = meetings_about(today)
    proposal = make_due_date(action, "2023-04", dated="2022-11-01", by=officer, needs_decision=True)
    page = f"{ADD_DECISION}?due_date={proposal.pk}"
    sign_in(client, make_user("Chair"))

    assert offered(client, page) == [
        "Between meetings",
        *(f"Meeting of {say_day(day)}" for day in (today, today - datetime.timedelta(days=1))),
        "Meeting of 2 November 2022",
        "Meeting of 1 November 2022",
    ]
    typed = {"outcome": "agreed", "reason": "It is realistic"}
    for wrong in (first.pk, later[today + datetime.timedelta(days=1)].pk, 9**9):
        assert errors_of(fill_in(client, page, **typed, meeting=wrong)) == {
            "meeting": ["Choose a meeting that has been held since, or “Between meetings”."]
        }
    meeting = Meeting.objects.get(held_on="2022-11-02")
    other_day = fill_in(client, page, **typed, meeting=meeting.pk, dated="3/11/2022")
    assert errors_of(other_day) == {
        "dated": [
            "That meeting was held on 2 November 2022. Enter that day, or choose another meeting or "
            "“Between meetings”."
        ]
    }

    assert fill_in(client, page, **typed, meeting=meeting.pk).status_code == 302
    row = Decision.objects.get()
    assert (row.meeting, row.dated) == (meeting, "2022-11-02")
    shown = client.get(f"/actions/{action.ref}/").content.decode()
    assert "Decided at the meeting of 2 November 2022." in shown


def test_a_correction_of_a_decision_keeps_its_day_or_takes_that_of_another_meeting(client, officer, action):
    one, two, three = meetings_about(datetime.date(2022, 11, 15)).values()
    proposal = make_due_date(action, "2023-04", dated="2022-11-01", by=officer, needs_decision=True)
    sign_in(client, make_user("Chair"))
    page = f"{ADD_DECISION}?due_date={proposal.pk}"
    fill_in(client, page, outcome="agreed", reason="It is realistic", meeting=two.pk)

    def correct(**typed):
        newest = Decision.objects.in_force().get()
        page = f"{ADD_DECISION}?corrects={newest.pk}"
        assert fill_in(client, page, correction_reason="Misheard", **typed).status_code == 302
        row = Decision.objects.in_force().get()
        return row.meeting, row.dated

    assert correct(meeting=three.pk) == (three, "2022-11-16")
    assert correct(meeting="") == (None, "2022-11-16")
    assert correct(meeting=two.pk) == (two, "2022-11-15")
    with saved(reason="The minutes say so"):
        two.held_on = datetime.date(2022, 11, 20)
        two.save()
    assert correct(reason="It is realistic now") == (two, "2022-11-15")


def test_a_proposal_is_decided_once(client, officer, action):
    proposal = make_due_date(action, "2023-04", by=officer, needs_decision=True)
    page = f"{ADD_DECISION}?due_date={proposal.pk}"
    sign_in(client, make_user("Chair"))
    typed = {**open_form(client, page), "outcome": "refused", "reason": "Too late"}
    client.post(page, typed)

    second = client.post(page, {**typed, "outcome": "agreed"})
    assert second.status_code == 200
    third = client.post(page, {**typed, "outcome": "agreed", "opened_on": str(Decision.objects.get().pk)})
    assert errors_of(third) == {"": ["The board has already decided this proposal."]}

    assert [row.outcome for row in Decision.objects.all()] == ["refused"]
    again = client.get(page)
    assert (again.status_code, again.url) == (
        302,
        reverse("admin:recommendations_decision_change", args=[Decision.objects.get().pk]),
    )


def test_a_proposal_that_was_withdrawn_cannot_be_decided(client, officer, action):
    wrong = make_due_date(action, "2023-04", by=officer, needs_decision=True)
    page = f"{ADD_DECISION}?due_date={wrong.pk}"
    held = open_form(sign_in(client, make_user("Chair")), page)
    add(wrong.withdrawal(by=officer, reason="Typed twice"))

    response = client.post(page, {**held, "outcome": "agreed", "reason": "Fine", "dated": "15/11/2022"})

    assert errors_of(response) == {
        "": ["This proposal was withdrawn. Decide the newer one, if there is one."]
    }


def test_a_decision_is_put_right_by_another_that_says_why(client, officer, action):
    proposal = make_due_date(action, "2023-04", by=officer, needs_decision=True)
    wrong = make_decision(proposal, "refused", by=make_user("Chair"))

    fill_in(
        sign_in(client, make_user("Secretariat")),
        f"{ADD_DECISION}?corrects={wrong.pk}",
        outcome="agreed",
        reason="It was agreed",
        correction_reason="The minutes say agreed",
    )

    assert position(action).due.due.words == "April 2023"


def test_a_date_that_needs_no_decision_cannot_be_given_one(client, action):
    counted = make_due_date(action, "2023-04")

    response = sign_in(client, make_user("Chair")).get(f"{ADD_DECISION}?due_date={counted.pk}")

    assert response.status_code == 404


def test_officers_decide_nothing_but_to_take_their_own_proposal_back_nor_assess(client, officer, action):
    own = make_due_date(action, "2023-04", by=officer, needs_decision=True)
    fill_in(sign_in(client, officer), f"{ADD_DECISION}?due_date={own.pk}", outcome="agreed", reason="Mine")
    assert [row.outcome for row in Decision.objects.all()] == ["taken_back"]
    other = make_action("A02", owner=make_user("Officers", "other"))
    proposal = make_due_date(other, "2023-04", needs_decision=True)
    recommendation = action.recommendations.get()

    for address in (
        f"{ADD_DECISION}?due_date={proposal.pk}",
        f"{ADD_ASSESSMENT}?recommendation={recommendation.pk}",
        ADD_ASSESSMENT,
    ):
        assert (address, client.get(address).status_code) == (address, 403)
        assert (address, client.post(address, {"outcome": "agreed"}).status_code) == (address, 403)


@pytest.mark.parametrize("role", ["Chair", "Secretariat"])
def test_chair_and_secretariat_record_assessments(client, role):
    recommendation = make_recommendation(3)
    user = make_user(role)

    response = fill_in(
        sign_in(client, user),
        f"{ADD_ASSESSMENT}?recommendation={recommendation.pk}",
        whose="adviser",
        status="at_risk",
        narrative="Too little has moved",
        dated="01/11/2022",
    )

    assert response.status_code == 302
    row = Assessment.objects.get()
    assert (row.recommendation, row.status, row.recorded_by, role_in(row.signed)) == (
        recommendation,
        "at_risk",
        user,
        role,
    )
