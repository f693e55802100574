"""What was typed and not saved: the browser asks before the page is left, and only then."""

import datetime

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from bcp_board.tests.browsing import DATES, UPDATES
from meetings.models import AskOutcome
from recommendations.models import Action, ProgressUpdate
from record.models import Ask
from record.tests.factories import make_meeting

pytestmark = pytest.mark.usefixtures("record_site")


@pytest.fixture
def page_of(browse):
    """A function that gives somebody a page, and the list of what their browser asks; they always stay."""

    def give(username, address):
        asked = []
        page = browse(username)
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
        page.goto(address)
        return page, asked

    return give


def key_of(ref):
    return Action.objects.get(ref=ref).pk


def type_in(box, text):
    box.click()
    box.press_sequentially(text)


def stay(page, link, asked):
    """Press ``link``, be asked, and stay."""
    was, told = page.url, len(asked)
    link.click(no_wait_after=True)
    page.wait_for_timeout(300)
    assert (page.url, asked[told:]) == (was, ["beforeunload"])


def test_half_a_report_is_not_left_without_a_question(page_of):
    page, asked = page_of("officer", "/mine/")
    box = page.locator(".entry").first.get_by_label("What has happened")
    type_in(box, "Half a rep")
    stay(page, page.get_by_role("link", name="Propose another date").first, asked)
    expect(box).to_have_value("Half a rep")
    box.fill("")
    page.get_by_role("link", name="Propose another date").first.click()
    expect(page.locator("[name=due]")).to_be_visible()
    assert asked == ["beforeunload"]


def test_what_is_decided_of_one_row_is_not_left_for_another_without_a_question(page_of):
    meeting = make_meeting(held_on=timezone.localdate() - datetime.timedelta(days=1))
    for text in ("Agree the plan", "Agree the pay"):
        Ask.objects.create(meeting=meeting, kind="decide", text=text)
    page, asked = page_of("chair", f"/meetings/{meeting.held_on}/decide/")
    first = page.locator("form.row-form")
    type_in(first.locator("textarea").first, "Too dear.")
    stay(page, page.get_by_role("link", name="Decide ").first, asked)
    expect(first.locator("textarea").first).to_have_value("Too dear.")
    first.get_by_role("radio").first.check()
    first.get_by_role("button").click()
    expect(page.locator(".notice")).to_contain_text("Saved")
    assert (asked, AskOutcome.objects.count()) == (["beforeunload"], 1)


def test_what_is_sent_is_asked_of_no_more_and_what_was_refused_is(page_of):
    page, asked = page_of("officer", f"{UPDATES}add/?action={key_of('A05')}")
    page.get_by_label("Status").select_option("at_risk")
    type_in(page.locator("[name=narrative]"), "Reports begin in March.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("At risk needs a reason")
    assert asked == []
    stay(page, page.get_by_role("link", name="The board’s pages"), asked)
    page.locator("[name=reason]").fill("The finance team is short of people.")
    page.locator("[name=recovery_step]").fill("An interim starts on Monday.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("Saved")
    page.get_by_role("link", name="The board’s pages").click()
    expect(page).to_have_url("/")
    assert (asked, ProgressUpdate.objects.filter(action__ref="A05").count()) == (["beforeunload"], 1)


def test_whoever_opens_a_form_of_filled_boxes_and_types_nothing_is_not_asked(page_of):
    page, asked = page_of("officer", f"{DATES}add/?action={key_of('A05')}")
    page.locator("[name=reason]").click()
    page.get_by_role("link", name="The board’s pages").click()
    expect(page).to_have_url("/")
    assert asked == []


def test_nobody_is_asked_about_a_search_or_a_filter(page_of):
    page, asked = page_of("member", "/actions/")
    type_in(page.locator("[name=q]"), "pay")
    page.get_by_role("link", name="Inspections and visits").click()
    expect(page).to_have_url("/visits/")
    assert asked == []
