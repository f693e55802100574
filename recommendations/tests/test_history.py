"""How history tells what a report changed."""

import datetime

import pytest

from recommendations.history import history
from recommendations.tests.factories import make_action, make_update
from record.signing import signature
from record.tests.factories import make_user, on

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("dated", "role", "for_owner", "turn"),
    [
        ("2023-03-31", "Officers", False, "Reopened"),
        ("2023-03-31", "Chair", False, "Reopened"),
        ("2023-04-01", "Officers", False, "Reopened after its re-check was due"),
        ("2023-04-01", "Chair", False, "Re-check failed: reopened"),
        ("2023-04-02", "Secretariat", False, "Re-check failed: reopened"),
        # What the secretariat passes on for an owner is the owner's report, and no re-check.
        ("2023-04-02", "Secretariat", True, "Reopened after its re-check was due"),
    ],
)
def test_only_those_who_decide_find_that_something_did_not_hold(dated, role, for_owner, turn):
    action, owner = make_action(), make_user("Officers", "owner")
    make_update(action, "complete", dated="2022-12-01", recheck_on=datetime.date(2023, 4, 1))
    behalf = {"on_behalf_of": owner, "on_behalf_of_signed": signature(owner)} if for_owner else {}
    make_update(action, "off_track", dated=dated, by=make_user(role, "reporter"), **behalf)

    entries = history(on(datetime.date(2023, 5, 1)), actions=[action.pk]).entries
    assert [entry.turn for entry in entries] == [turn, ""]
