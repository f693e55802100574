"""The journeys the site exists for, in a browser: at a desk, on a phone, without JavaScript."""

import datetime
import io
import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from pypdf import PdfReader

from bcp_board.tests.browsing import DATES, PASSWORD, UPDATES
from recommendations.models import Action, ProgressUpdate
from record.tests.factories import make_meeting

DESK = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SCREENS = pytest.mark.parametrize("screen", [DESK, PHONE], ids=["desk", "phone"])

pytestmark = pytest.mark.usefixtures("record_site")


def key_of(ref):
    return Action.objects.get(ref=ref).pk


def save(page):
    page.get_by_role("button", name="Save", exact=True).click()


def sign_in(page, username):
    page.goto("/login/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def report_at_risk(page):
    """Record A05 as at risk, from its page, forgetting at first to say why."""
    page.goto("/actions/A05/")
    page.get_by_role("link", name="Record progress on A05").click()
    page.get_by_label("Status").select_option("at_risk")
    page.locator("[name=narrative]").fill("Reports begin in March.")
    save(page)
    problem = page.get_by_role("alert").filter(has_text="There is a problem")
    expect(problem).to_contain_text("At risk needs a reason. Say why.")
    expect(page.locator("[name=narrative]")).to_have_value("Reports begin in March.")
    inline = page.locator(".field-reason .errorlist")
    expect(inline).to_have_text("At risk needs a reason. Say why.")
    assert ProgressUpdate.objects.filter(recorded_by__username="officer").count() == 0
    page.locator("[name=reason]").fill("The finance team is short of people.")
    page.locator("[name=recovery_step]").fill("An interim starts on Monday.")
    save(page)
    expect(page.locator(".messagelist")).to_contain_text("Saved")


def read_history(page):
    """Read what the officer recorded, in the history of A05."""
    today = f"{timezone.localdate():%-d %B %Y}"
    page.goto("/actions/A05/")
    newest = page.locator("#history li").first
    for told in ("Not yet reported → At risk", "Local officer (Officer)", today, "Reports begin in March."):
        expect(newest).to_contain_text(told)


@SCREENS
def test_an_officer_reports_a_risk_and_a_member_reads_who_said_so_and_when(browse, screen):
    officer = browse(**screen)
    sign_in(officer, "officer")
    report_at_risk(officer)
    read_history(browse("member", **screen))


@SCREENS
def test_the_same_without_javascript(browse, screen):
    officer = browse(java_script_enabled=False, **screen)
    sign_in(officer, "officer")
    report_at_risk(officer)
    member = browse("member", java_script_enabled=False, **screen)
    read_history(member)
    member.goto("/actions/")
    member.get_by_label("At risk", exact=True).check()
    member.get_by_role("button", name="Show these actions").click()
    expect(member.locator("main tbody th")).to_have_count(1)
    member.goto("/")
    member.get_by_text("See another day").click()
    member.get_by_label("Day", exact=True).fill("1 December 2022")
    member.get_by_role("button", name="Show as we know it now").click()
    expect(member.get_by_text("As at 1 December 2022", exact=True)).to_be_visible()


def test_the_problem_has_the_focus_when_the_form_comes_back(browse):
    page = browse("officer")
    page.goto(f"{UPDATES}add/?action={key_of('A05')}")
    page.get_by_label("Status").select_option("off_track")
    save(page)
    expect(page.get_by_role("alert").filter(has_text="There is a problem")).to_be_focused()
    page.get_by_role("link", name=re.compile("needs a reason")).click()
    expect(page.locator("[name=reason]")).to_be_focused()


@SCREENS
def test_an_owner_proposes_dates_and_sees_one_agreed_and_one_refused(browse, screen):
    officer, chair = browse("officer", **screen), browse("chair", **screen)

    def propose(due):
        officer.goto(f"{DATES}add/?action={key_of('A05')}")
        officer.locator("[name=due]").fill(due)
        officer.locator("[name=reason_kind]").select_option("first")
        officer.locator("[name=reason]").fill("The supplier has said so.")
        save(officer)
        expect(officer.locator(".messagelist")).to_contain_text("Saved")

    def decide(outcome, reason):
        chair.goto("/admin/")
        chair.get_by_role("link", name="Decide the date proposed for A05").click()
        chair.locator("[name=outcome]").select_option(outcome)
        chair.locator("[name=reason]").fill(reason)
        save(chair)
        expect(chair.locator(".messagelist")).to_contain_text("Saved")

    propose("June 2098")
    decide("refused", "Too late for the children.")
    officer.goto("/admin/")
    expect(officer.locator("#mine ~ table tbody tr").filter(has_text="A05")).to_contain_text("refused")
    expect(officer.get_by_text("Too late for the children.")).to_be_visible()
    propose("March 2097")
    decide("agreed", "That will do.")
    officer.goto("/admin/")
    expect(officer.locator("#mine ~ table tbody tr").filter(has_text="A05")).to_contain_text("March 2097")
    officer.goto("/actions/A05/")
    expect(officer.locator("#dates")).to_contain_text("Refused by Local chair (Chair)")
    expect(officer.locator("#dates tbody")).to_contain_text("March 2097")


@SCREENS
def test_a_past_day_is_kept_from_page_to_page_until_one_goes_back_to_today(browse, screen):
    page = browse("member", **screen)
    page.goto("/?as_at=2022-12-01")
    banner = page.get_by_text("As at 1 December 2022", exact=True)
    for link, address in (
        ("Actions", "/actions/"),
        ("Inspections and visits", "/visits/"),
        ("Where we stand", "/"),
    ):
        page.get_by_role("navigation", name="Main").get_by_role("link", name=link).click()
        expect(page).to_have_url(f"{address}?as_at=2022-12-01")
        expect(banner).to_be_visible()
    page.locator("main").get_by_role("link", name=re.compile("^A01:")).first.click()
    expect(page).to_have_url("/actions/A01/?as_at=2022-12-01")
    expect(page.locator("main")).to_contain_text("Date passed, nothing reported")
    page.get_by_role("link", name=re.compile("^Go back to today")).click()
    expect(page).to_have_url("/actions/A01/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(banner).to_have_count(0)


def test_a_published_paper_stays_as_it_was_and_the_draft_before_it_says_draft(browse):
    meeting = make_meeting(held_on=timezone.localdate() + datetime.timedelta(days=7))
    secretariat, address = browse("secretariat"), f"/meetings/{meeting.held_on}/paper/"
    secretariat.goto(address)
    expect(secretariat.get_by_text("DRAFT.", exact=True)).to_be_visible()
    secretariat.goto(f"/admin/record/meeting/{meeting.pk}/change/")
    secretariat.get_by_role("link", name="Publish the status paper").click()
    secretariat.get_by_role("button", name="Publish the paper").click()
    expect(secretariat.locator(".messagelist")).to_contain_text("Published version 1")
    published = secretariat.goto(address).body()
    assert b"DRAFT" not in published
    report_at_risk(browse("officer"))
    assert secretariat.goto(address).body() == published
    secretariat.goto("/status/")
    expect(secretariat.locator("body")).to_contain_text("The finance team is short of people.")


@SCREENS
def test_actions_are_filtered_and_a_bad_filter_is_answered_at_its_field(browse, screen):
    page = browse("member", **screen)
    page.goto("/actions/")
    page.get_by_label("Recommendation").select_option("6")
    page.get_by_role("button", name="Show these actions").click()
    rows = page.locator("main tbody tr")
    expect(rows).to_have_count(Action.objects.filter(recommendations__number=6).count())
    page.get_by_role("link", name="Clear the filters").click()
    expect(rows).to_have_count(Action.objects.count())
    assert page.goto("/actions/?status=purple").status == 400
    assert page.title().startswith("Error: ")
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    page.locator(".govuk-error-summary a").click()
    statuses = page.get_by_role("group", name="Status")
    expect(statuses.get_by_role("checkbox").first).to_be_focused()
    expect(statuses).to_have_accessible_description(re.compile("."))
    expect(rows).to_have_count(0)


def test_the_status_page_prints_on_a4_without_what_belongs_to_the_screen(browse):
    page = browse("member")
    page.goto("/status/")
    printed = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    assert 2 <= len(printed.pages) <= 7
    for number, sheet in enumerate(printed.pages, 1):
        assert [round(float(side)) for side in sheet.mediabox[2:]] == [595, 842]
        text = re.sub(r"\s", "", sheet.extract_text())
        assert f"Sheet{number}of{len(printed.pages)}" in text
        assert "Backtotheboard" not in text
