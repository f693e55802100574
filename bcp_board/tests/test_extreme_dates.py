"""Days that no calendar has, and days far from ours: an error at their field, or pages that show them."""

import pytest
from django.db import transaction
from django.test import Client

from bcp_board.tests.addresses import MEETING
from recommendations.due_dates import DueDate
from recommendations.models import Action, Recommendation
from recommendations.tests.factories import make_update
from record.models import Document
from record.tests.admin_forms import errors_of, fill_in, open_form
from visits.models import Event, Visit

pytestmark = [pytest.mark.django_db, pytest.mark.once, pytest.mark.sweep]

REFUSED = ["0000-00-00", "0001-01-01", "9999-12-31", "31/02/2026", "29/02/2027", "31/12/1989", "1/1/2100"]
FAR = ["1/1/1990", "31/12/2018", "1/1/2019", "29/2/2096", "31/12/2099"]
UPDATE = {"status": "complete", "narrative": "Done", "evidence": "Seen", "recheck_on": "1/6/2027"}
DUE = {"due": "1/6/2027", "reason_kind": "scope", "reason": "More to do"}
DECISION = {"outcome": "agreed", "reason": "Sound"}
ASSESSMENT = {"whose": "board", "status": "at_risk", "narrative": "Slow"}
# What is said is dated from the day its action began to today, and what is agreed comes after that.
TAKEN = {
    "update": [],
    "re-check": FAR[3:],
    "due": FAR[3:],
    "due, dated": [],
    "decision": [],
    "assessment": [],
    "action": FAR,
    "meeting": FAR[2:],
    "papers": FAR[2:3],
    "visit": FAR,
    "event": FAR,
    "document": FAR,
}
PAGES = [
    *(
        "/",
        "/trends/",
        "/trends/record/",
        "/status/",
        "/actions/",
        "/actions/A01/",
        "/recommendations/1/",
        "/visits/",
        "/visits/full-1/",
    ),
    *("/meetings/", f"/meetings/{MEETING}/", f"/meetings/{MEETING}/paper/", "/proof/", "/admin/"),
]


@pytest.fixture
def forms(people):
    """{what is dated: (the address of its form, the field, what else it needs)}"""
    action, recommendation = Action.objects.get(), Recommendation.objects.get()
    # Whoever accepts what was sent back, though nothing was reported since, is told so before anything else.
    make_update(action, "done", dated="2022-11-20", by=people["officer"])
    proposal = DueDate.objects.get(decisions=None)
    update = f"/admin/recommendations/progressupdate/add/?action={action.pk}"
    due = f"/admin/recommendations/duedate/add/?action={action.pk}"
    decision = f"/admin/recommendations/decision/add/?due_date={proposal.pk}"
    assessment = f"/admin/recommendations/assessment/add/?recommendation={recommendation.pk}"
    return {
        "update": (update, "dated", UPDATE),
        "re-check": (update, "recheck_on", UPDATE),
        "due": (due, "due", DUE),
        "due, dated": (due, "dated", DUE),
        "decision": (decision, "dated", DECISION),
        "assessment": (assessment, "dated", ASSESSMENT),
        "action": (f"/admin/recommendations/action/{action.pk}/change/", "agreed_on", {}),
        "meeting": ("/admin/record/meeting/add/", "held_on", {}),
        "papers": ("/admin/record/meeting/add/", "papers_due_on", {"held_on": "1/6/2027"}),
        "visit": (f"/admin/visits/visit/{Visit.objects.get().pk}/change/", "dates", {}),
        "event": (f"/admin/visits/event/{Event.objects.get().pk}/change/", "date", {}),
        "document": (f"/admin/record/document/{Document.objects.first().pk}/change/", "published", {}),
    }


@pytest.mark.parametrize("what", TAKEN)
def test_a_day_that_cannot_be_is_an_error_at_its_field(people, forms, what):
    client, (address, field, more) = Client(), forms[what]
    client.force_login(people["secretariat"])
    opened, taken = open_form(client, address), []

    for day in [*REFUSED, *FAR]:
        point = transaction.savepoint()
        done = client.post(address, {**opened, **more, field: day})
        if done.status_code == 302:
            taken.append(day)
        else:
            assert list(errors_of(done)) == [field], day
        transaction.savepoint_rollback(point)

    assert taken == TAKEN[what]


# What is agreed, published or visited in years to come is not on the board yet, nor what rests on it.
@pytest.mark.parametrize(("which", "left_out"), [(0, []), (-1, ["action", "document", "visit"])])
def test_every_page_shows_the_days_that_are_furthest_from_ours(people, forms, which, left_out):
    client = Client()
    client.force_login(people["secretariat"])

    for what, (address, field, more) in forms.items():
        if TAKEN[what] and what not in left_out:
            saved = fill_in(client, address, **{**more, field: TAKEN[what][which]})
            assert saved.status_code == 302, what
    changed = [address for address, _, _ in forms.values() if "/change/" in address]

    assert {page: client.get(page).status_code for page in [*PAGES, *changed]} == dict.fromkeys(
        [*PAGES, *changed], 200
    )
