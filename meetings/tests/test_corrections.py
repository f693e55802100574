"""What the list of corrections says was put right: the words that differ, and what came in their place."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from meetings.corrections import WITHDRAWN, corrections
from recommendations.models import DueDate
from recommendations.position import board_position
from recommendations.tests.factories import (
    make_action,
    make_due_date,
    make_owner,
    make_update,
)
from record.as_at import AsAt
from record.tests.admin_forms import fill_in, sign_in
from record.tests.factories import add, make_user, noon

pytestmark = pytest.mark.django_db

BEFORE = datetime.date(2022, 10, 10)
DATED = "2022-11-01"
LONG = "The board heard of the plan. " * 8


def listed():
    """Pairs of what was said and what is said now, since BEFORE and as is known today."""
    since = AsAt.then(BEFORE, today=timezone.localdate())
    now = board_position(AsAt.now(timezone.localdate()))
    return [(c.was, c.now) for c in corrections(since=since, now=now)]


def test_of_a_long_report_the_words_that_were_put_right_are_shown_with_their_boxes(officer):
    said = {"dated": DATED, "by": officer, "reason": "Staff left"}
    first = {"narrative": f"{LONG}It costs 4 million pounds.", "difference_made": "None yet"}
    wrong = make_update(make_action(), "at_risk", **said, **first, recorded_at=noon("2022-11-01"))
    right = first | {"narrative": f"{LONG}It costs 3 million pounds.", "difference_made": ""}
    put_right = {"corrects": wrong, "correction_reason": "3 million, not 4"}
    make_update(wrong.action, "at_risk", **said, **right, **put_right, recorded_at=noon("2022-11-02"))
    assert listed() == [
        (
            "what has happened: … of the plan. It costs 4 million pounds.; "
            "difference made for children: None yet",
            "what has happened: … of the plan. It costs 3 million pounds.; "
            "difference made for children: empty",
        )
    ]


def test_an_owner_put_right_is_shown_by_the_names_that_were_signed(client, officer):
    secretary, action = make_user("Secretariat"), make_action(recorded_at=noon("2022-09-01"))
    wrong = make_owner(action, officer, dated=DATED, by=secretary, recorded_at=noon("2022-11-01"))
    sign_in(client, secretary)
    page = f"{reverse('admin:recommendations_ownership_add')}?corrects={wrong.pk}"
    assert fill_in(client, page, owner="", correction_reason="A slip").status_code == 302
    assert listed() == [("owner: Olu Owner", "owner: nobody")]


def test_a_date_replaced_in_one_form_is_shown_with_what_replaced_it(client):
    secretary, action = make_user("Secretariat"), make_action(recorded_at=noon("2022-09-01"))
    wrong = make_due_date(action, "2098-06", dated=DATED, by=secretary, recorded_at=noon("2022-11-01"))
    sign_in(client, secretary)
    page = f"{reverse('admin:recommendations_duedate_add')}?replaces={wrong.pk}"
    sent = fill_in(client, page, due="July 2098", correction_reason="July, not June")
    assert (sent.status_code, DueDate.objects.count()) == (302, 3)
    assert listed() == [("due June 2098: Why", "due July 2098: Why (entered anew)")]


def test_a_date_withdrawn_by_itself_is_said_to_be_withdrawn_though_another_is_entered_next(officer):
    wrong = make_due_date(make_action(), "2098-06", dated=DATED, by=officer, recorded_at=noon("2022-11-01"))
    add(wrong.withdrawal(by=officer, reason="A slip"), recorded_at=noon("2022-11-02"))
    make_due_date(wrong.action, "2098-07", dated=DATED, by=officer, recorded_at=noon("2022-11-03"))
    assert listed() == [("due June 2098: Why", WITHDRAWN)]
