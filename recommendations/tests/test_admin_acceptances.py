"""Accepting, embedding and closing: who is offered it, and what the record asks for."""

import datetime

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from recommendations.models import ProgressUpdate
from recommendations.tests.factories import make_owner, make_update
from recommendations.tests.test_admin_updates import page_for, statuses_offered
from record.signing import role_in
from record.tests.admin_forms import errors_of, fill_in, held, sign_in
from record.tests.factories import make_meeting, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.again]
ADD = reverse("admin:recommendations_progressupdate_add")


@pytest.mark.parametrize(
    ("before", "offered"),
    [
        (None, ["complete", "closed"]),
        ("done", ["complete", "closed"]),
        (
            "complete",
            ["not_started", "on_track", "at_risk", "off_track", "done", "complete", "embedded", "closed"],
        ),
        ("embedded", ["not_started", "on_track", "at_risk", "off_track", "done", "complete", "closed"]),
    ],
)
def test_the_chair_is_offered_acceptances_and_reopening_only_of_what_was_accepted(
    client, action, before, offered
):
    if before:
        make_update(action, before)

    assert statuses_offered(sign_in(client, make_user("Chair")), action) == offered


def test_an_owner_who_could_accept_is_told_at_the_box_why_not_here(client, action):
    clerk = make_user("Secretariat")
    make_user("Chair", "cy")
    make_owner(action, clerk, dated="2022-11-20")

    answer = fill_in(sign_in(client, clerk), page_for(action), status="complete", narrative="Better said")

    assert errors_of(answer)["status"] == [
        "Choose one of the listed statuses. You own A01, so somebody else decides about it. Ask Cy Person."
    ]


def test_complete_needs_evidence_and_a_recheck_three_months_on(client, officer, action):
    make_update(action, "done", dated="2022-11-01", by=officer)
    chair = sign_in(client, make_user("Chair"))
    typed = {"status": "complete", "dated": "30/11/2022", "narrative": "Accepted"}

    assert sorted(errors_of(fill_in(chair, page_for(action), **typed))) == ["evidence", "recheck_on"]
    typed["evidence"] = "The minutes"
    assert errors_of(fill_in(chair, page_for(action), **typed, recheck_on="27/02/2023")) == {
        "recheck_on": ["The re-check must be at least three months on: 28 February 2023 or later."]
    }
    assert errors_of(fill_in(chair, page_for(action), **typed, recheck_on="March 2023")) == {
        "recheck_on": ["Give the day: 22/11/2022 or 22 November 2022."]
    }
    assert errors_of(fill_in(chair, page_for(action), **typed, recheck_on="1/1/2100")) == {
        "recheck_on": ["Enter a date from 1990 to 2099."]
    }
    assert ProgressUpdate.objects.count() == 1

    fill_in(chair, page_for(action), **typed, recheck_on="28/02/2023")
    row = ProgressUpdate.objects.latest("pk")
    assert (row.status, row.recheck_on) == ("complete", datetime.date(2023, 2, 28))
    assert (role_in(row.signed), row.on_behalf_of) == ("Chair", None)


def test_an_acceptance_names_a_meeting_held_since_the_first_report_and_a_report_names_none(
    client, officer, action
):
    make_update(action, "done", dated="2022-11-01", by=officer)
    before, at, _ = (make_meeting(held_on=day) for day in ("2022-10-31", "2022-11-01", "2022-11-30"))
    sign_in(client, officer)
    assert "meeting" not in client.get(page_for(action)).context["adminform"].form.fields
    chair = sign_in(client, make_user("Secretariat"))
    typed = {"narrative": "Accepted", "evidence": "The minutes", "recheck_on": "1/6/2090"}

    box = chair.get(page_for(action)).context["adminform"].form.fields["meeting"]
    assert [label for _, label in box.choices] == [
        "Between meetings",
        "Meeting of 30 November 2022",
        "Meeting of 1 November 2022",
    ]
    early = fill_in(chair, page_for(action), status="complete", meeting=before.pk, **typed)
    assert errors_of(early) == {
        "meeting": ["Choose a meeting that has been held since, or “Between meetings”."]
    }
    report = fill_in(chair, page_for(action), status="on_track", narrative="Going", meeting=at.pk)
    assert errors_of(report) == {
        "meeting": [
            "Only an acceptance, closure or reopening is made at a meeting. Choose “Between meetings”."
        ]
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        make_update(action, "on_track", meeting=at, on_behalf_of=officer, on_behalf_of_signed="An Officer")
    fill_in(chair, page_for(action), status="complete", meeting=at.pk, **typed)
    row = ProgressUpdate.objects.latest("pk")
    assert (row.status, row.meeting, row.dated) == ("complete", at, "2022-11-01")
    assert "Decided at the meeting of 1 November 2022." in chair.get("/actions/A01/").content.decode()


def test_embedded_waits_for_the_recheck_date(client, action):
    make_update(action, "complete", dated="2022-11-01", recheck_on=datetime.date(2023, 6, 1))
    chair = sign_in(client, make_user("Chair"))
    typed = {"status": "embedded", "narrative": "It holds"}

    early = fill_in(chair, page_for(action), **typed, dated="31/05/2023")
    assert errors_of(early) == {"dated": ["It can be embedded from its re-check date, 1 June 2023."]}

    fill_in(chair, page_for(action), **typed, dated="01/06/2023")
    assert ProgressUpdate.objects.latest("pk").status == "embedded"


@pytest.fixture
def complete(action):
    return make_update(action, "complete", dated="2022-11-01", by=make_user("Secretariat", "clerk"))


@pytest.fixture
def embedded(action, complete):
    return make_update(action, "embedded", dated="2023-06-01", by=complete.recorded_by)


RESTS = "“Embedded”, dated 1 June 2023, rests on this acceptance. Withdraw the later one first."


def test_what_an_action_is_embedded_upon_is_not_withdrawn_before_that_is(client, complete, embedded):
    sign_in(client, complete.recorded_by)

    refused = fill_in(client, f"{ADD}?withdraws={complete.pk}", correction_reason="Wrong action")
    assert errors_of(refused) == {"": [RESTS]}
    for row in (embedded, complete):
        done = fill_in(client, f"{ADD}?withdraws={row.pk}", correction_reason="Wrong action")
        assert done.status_code == 302
    assert not ProgressUpdate.objects.in_force().exists()


def test_words_of_what_an_action_is_embedded_upon_are_corrected_and_it_stays_complete_and_before_it(
    client, complete, embedded
):
    sign_in(client, complete.recorded_by)
    page, why = f"{ADD}?corrects={complete.pk}", {"correction_reason": "A slip"}

    closed = fill_in(client, page, status="closed", reason="Given up", recheck_on="", **why)
    assert errors_of(closed)["status"] == [RESTS]
    later = fill_in(client, page, dated="02/06/2023", recheck_on="02/09/2023", **why)
    assert errors_of(later) == {"dated": [RESTS]}
    told = fill_in(client, page, narrative="Better said", **why)
    assert client.post(page, held(told)).status_code == 302
    assert complete.corrected_by.narrative == "Better said"


@pytest.mark.parametrize(("between", "may"), [("complete", True), ("on_track", False)])
def test_an_acceptance_is_withdrawn_where_an_earlier_one_still_says_the_action_was_complete(
    client, action, complete, between, may
):
    make_update(action, between, dated="2022-12-01")
    again = make_update(action, "complete", dated="2023-01-01", by=complete.recorded_by)
    make_update(action, "embedded", dated="2023-06-01", by=complete.recorded_by)

    sign_in(client, complete.recorded_by)
    done = fill_in(client, f"{ADD}?withdraws={again.pk}", correction_reason="Typed twice")
    assert (done.status_code, errors_of(done) if not may else {}) == (
        (302, {}) if may else (200, {"": [RESTS]})
    )


def test_a_recheck_date_belongs_to_a_completed_action_only(client, action):
    chair = sign_in(client, make_user("Chair"))

    response = fill_in(
        chair,
        page_for(action),
        status="closed",
        dated="01/11/2022",
        narrative="Closed",
        reason="Replaced",
        recheck_on="01/06/2023",
    )

    assert errors_of(response) == {
        "recheck_on": ["Only a completed action has a re-check date. Leave this empty."]
    }


def test_closing_needs_a_reason(client, action):
    chair = sign_in(client, make_user("Chair"))

    response = fill_in(chair, page_for(action), status="closed", dated="01/11/2022", narrative="Closed")

    assert errors_of(response) == {"reason": ["Closed needs a reason. Say why."]}


def test_an_acceptance_by_the_secretariat_is_not_on_the_owners_behalf(client, action):
    fill_in(
        sign_in(client, make_user("Secretariat")),
        page_for(action),
        status="complete",
        dated="01/11/2022",
        narrative="Accepted",
        evidence="The minutes",
        recheck_on="01/02/2023",
    )

    assert ProgressUpdate.objects.get().on_behalf_of is None
