"""How history tells what a report changed."""

import datetime

import pytest

from recommendations import history as histories
from recommendations.history import history
from recommendations.tests.factories import make_action, make_update
from record.signing import signature
from record.tests.factories import add, make_user, on

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


def test_a_page_of_two_actions_ends_where_the_one_with_more_to_tell_of_late_has_filled_it(monkeypatch):
    monkeypatch.setattr(histories, "PAGE", 2)
    first, second, officer = make_action("A01"), make_action("A02"), make_user("Officers")
    for action, days in ((first, (1, 2, 3)), (second, (2, 3, 4))):
        for day in days:
            make_update(action, dated=f"2022-11-0{day}", by=officer)
    pages, before = [], None
    while not pages or before:
        page = history(on(datetime.date(2022, 12, 1)), actions=[first.pk, second.pk], before=before)
        pages.append([f"{line.action} on {line.signature.dated}" for line in page.entries])
        before = page.older

    assert pages == [
        ["A02 on 4 November 2022", "A02 on 3 November 2022", "A01 on 3 November 2022"],
        ["A02 on 2 November 2022", "A01 on 2 November 2022", "A01 on 1 November 2022"],
    ]


def test_the_oldest_line_of_a_page_says_what_it_changed_from_the_day_before_and_not_from_its_own(monkeypatch):
    monkeypatch.setattr(histories, "PAGE", 2)
    action, officer = make_action("A01"), make_user("Officers")
    for day, status in ((1, "on_track"), (2, "at_risk"), (3, "off_track")):
        make_update(action, status, dated=f"2022-11-0{day}", by=officer)

    page = history(on(datetime.date(2022, 12, 1)), actions=[action.pk])

    assert [(line.was, line.now) for line in page.entries] == [
        ("At risk", "Off track"),
        ("On track", "At risk"),
    ]


def test_the_oldest_line_shown_of_an_action_says_what_it_changed_though_a_withdrawn_one_came_before_it():
    often, seldom, officer = make_action("A01"), make_action("A02"), make_user("Officers")
    make_update(often, "on_track", dated="2022-11-01", by=officer)
    wrong = make_update(often, "off_track", dated="2022-11-02", by=officer)
    add(wrong.withdrawal(by=officer, reason="It was wrong"))
    make_update(often, "at_risk", dated="2022-11-03", by=officer)
    make_update(seldom, "on_track", dated="2022-10-01", by=officer)

    page = history(on(datetime.date(2022, 12, 1)), actions=[often.pk, seldom.pk], most=1)

    assert [(line.action, line.was, line.now) for line in page.entries] == [
        ("A01", "On track", "At risk"),
        ("A02", "Not yet reported", "On track"),
    ]
