"""Forms in a browser: two people at one, one sent twice, many rows on one page, and without JavaScript."""

import re

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from bcp_board.tests.browsing import ACTIONS, UPDATES
from bcp_board.tests.test_browser_journeys import SCREENS, key_of, save
from recommendations.due_dates import DueDate
from recommendations.models import Action, ProgressUpdate
from record.tests.factories import on

pytestmark = pytest.mark.usefixtures("record_site")


@SCREENS
def test_of_two_people_with_one_form_open_the_second_is_told_and_loses_nothing(browse, screen):
    first, second = browse("officer", **screen), browse("secretariat", **screen)
    for page in (first, second):
        page.goto(f"{UPDATES}add/?action={key_of('A05')}")
        page.get_by_label("Status").select_option("on_track")
    first.locator("[name=narrative]").fill("The first words.")
    second.locator("[name=narrative]").fill("The second words.")
    save(first)
    expect(first.locator(".messagelist")).to_contain_text("Saved")
    save(second)
    expect(second.get_by_role("alert").first).to_contain_text("Local officer saved this")
    expect(second.get_by_role("alert").first).to_contain_text("The first words.")
    expect(second.locator("[name=narrative]")).to_have_value("The second words.")
    assert ProgressUpdate.objects.filter(action__ref="A05").count() == 1
    save(second)
    expect(second.locator(".messagelist")).to_contain_text("Saved")
    assert ProgressUpdate.objects.filter(action__ref="A05").count() == 2


SEND_TWICE = """async () => {
    const body = new URLSearchParams(new FormData(document.querySelector("#progressupdate_form")));
    await Promise.all([1, 2].map(() => fetch(location.href, {method: "POST", body})));
}"""


def test_one_form_that_arrives_twice_makes_one_row(browse):
    page = browse("officer")
    page.goto(f"{UPDATES}add/?action={key_of('A05')}")
    page.get_by_label("Status").select_option("on_track")
    page.locator("[name=narrative]").fill("Reports begin in March.")
    page.evaluate(SEND_TWICE)
    assert ProgressUpdate.objects.filter(action__ref="A05").count() == 1


def test_a_refusal_is_a_page_that_leads_on(browse):
    page = browse("officer")
    assert page.goto(f"{ACTIONS}{key_of('A01')}/change/").status == 403
    page.get_by_role("link", name="Go to where we stand").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Where we stand, ")
    assert page.goto("/admin/recommendations/assessment/add/").status == 403


def test_a_past_day_takes_two_presses_and_the_typing_of_it(browse):
    member = browse("member")
    member.goto("/")
    member.get_by_text("See another day").click()
    expect(member.get_by_label("Day", exact=True)).to_be_focused()
    member.keyboard.type("1 December 2022")
    member.keyboard.press("Enter")
    expect(member.get_by_text("As at 1 December 2022", exact=True)).to_be_visible()


def test_three_actions_are_reported_on_with_five_clicks_and_boxes_open_as_they_are_needed(browse):
    page = browse("officer")
    page.goto("/")
    page.get_by_role("link", name="Your actions").click()
    lines = page.locator(".entry")
    expect(lines).to_have_count(2)
    for line in lines.all():
        expect(line.get_by_label("Recovery step")).to_be_hidden()
        line.get_by_label("At risk", exact=True).click()
        for typed in ("Said in a hurry.", "The supplier is late.", "We ask another one."):
            page.keyboard.press("Tab")
            page.keyboard.type(typed)
    page.get_by_role("button", name="Save what you filled in").click()
    expect(page.get_by_text("Saved: A05 and A07.")).to_be_visible()
    expect(lines.first.get_by_text("Said in a hurry.")).to_be_visible()
    lines.first.get_by_label("On track", exact=True).check()
    expect(lines.first.get_by_label("Recovery step")).to_be_hidden()


def test_without_javascript_every_box_is_there(browse):
    page = browse("officer", java_script_enabled=False)
    page.goto("/mine/")
    expect(page.locator(".entry").first.get_by_label("Recovery step")).to_be_visible()


@SCREENS
def test_owners_and_dates_of_all_actions_are_set_on_one_page(browse, screen):
    """Two clicks choose an owner; dates are typed, from box to box by the Tab key."""
    page, clicks = browse("secretariat", **screen), 0
    page.goto("/")
    for link in ("Your work", "Set owners and dates of many actions at once: Owners and dates"):
        page.get_by_role("link", name=link).click()
        clicks += 1
    owners, dates = (page.get_by_label(re.compile(f"^New {box}")) for box in ("owner of", "date for"))
    without = page.locator(".grid tbody tr").filter(has_text="No owner").count()
    undated = page.locator(".grid tbody tr").filter(has_text="No date set").count()
    for place in range(without):
        owners.nth(place).select_option("officer")
        clicks += 2
    for row in page.locator(".grid tbody tr").filter(has_text="No date set").all():
        row.get_by_label(re.compile("^New date for ")).fill("March 2097")
    page.get_by_label("Why, where a date is set").fill("Agreed with the plan.")
    page.get_by_role("button", name="Save what you changed").click()
    clicks += 2

    expect(page.locator(".notice").first).to_contain_text("Saved: ")
    assert (dates.count(), without + undated > 40, clicks <= 60) == (Action.objects.count(), True, True)
    officer = User.objects.get(username="officer")
    assert {action.owner_on(on(timezone.localdate())) for action in Action.objects.all()} == {officer}
    assert DueDate.objects.filter(due="2097-03", needs_decision=False).count() == undated
    assert page.evaluate("document.documentElement.scrollWidth") == screen["viewport"]["width"]
