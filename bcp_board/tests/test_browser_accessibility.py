"""The site as people with disabilities meet it: by keyboard, with little motion, in their own colours.

The rules that a machine can check on every page are in test_every_page.py.
"""

import datetime

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from bcp_board.tests.browsing import PASSWORD, UPDATES
from meetings.outcomes import AskOutcome
from recommendations.models import Action, ProgressUpdate
from recommendations.sent_back import SendBack
from recommendations.tests.factories import make_update
from record.tests.factories import make_meeting

WORK = ("/admin/", f"{UPDATES}add/?action={{action}}")

ALONE = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary")]
    .filter(element => element.checkVisibility() && !element.closest("p, dd, td, th, label, .source"))
    .map(element => [element.getBoundingClientRect(), element.outerHTML.slice(0, 90)])
    .filter(([box]) => box.width > 1 && (box.width < 24 || box.height < 24)).map(([box, html]) => html)"""


@pytest.mark.parametrize(
    ("who", "addresses"),
    [("member", ("/actions/", "/password/", "/help/")), ("officer", WORK)],
    ids=["member", "officer"],
)
def test_what_stands_alone_is_large_enough_to_hit(who, addresses, demonstration, keys, browse):
    tab = browse(who)
    for address in addresses:
        tab.goto(address.format(**keys))
        small = tab.evaluate(ALONE)
        assert small == [], address


CHANGES_WITH_FOCUS = """() => {
    const element = document.activeElement;
    const look = () => {
        const {outlineStyle, outlineWidth, boxShadow, backgroundColor} = getComputedStyle(element);
        return [outlineStyle, outlineWidth, boxShadow, backgroundColor].join();
    };
    if (element === document.body) return true;
    const focused = look();
    element.blur();
    const plain = look();
    element.focus();
    return focused !== plain;
}"""


def tab_to(page, selector):
    """Press Tab until ``selector`` has the focus, which must show wherever it goes on the way."""
    for _ in range(60):
        page.keyboard.press("Tab")
        assert page.evaluate(CHANGES_WITH_FOCUS), page.evaluate("document.activeElement.outerHTML")
        if page.locator(f"{selector}:focus").count():
            return
    pytest.fail(f"Tab never reaches {selector}")


def test_an_officer_records_progress_by_keyboard_alone(record_site, browse):
    page = browse()
    page.goto("/login/")
    press, write = page.keyboard.press, page.keyboard.type
    tab_to(page, "[name=username]")
    write("officer")
    press("Enter")
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    tab_to(page, "[name=password]")
    write(PASSWORD)
    press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Where we stand, ")
    tab_to(page, ".govuk-skip-link")
    press("Enter")
    press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    page.reload()
    tab_to(page, "a[href='/admin/']")
    press("Enter")
    expect(page.get_by_role("heading", name="My actions")).to_be_visible()
    tab_to(page, ".skip-to-content-link")
    press("Enter")
    tab_to(page, "a[href='/mine/#A05']")
    press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your actions")
    tab_to(page, "[name=A05-status]")
    press("ArrowDown")
    press("ArrowDown")
    tab_to(page, "[name=A05-narrative]")
    write("Reports begin in March.")
    tab_to(page, "main [type=submit]")
    press("Enter")
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    tab_to(page, "[name=A05-reason]")
    write("The finance team is short of people.")
    tab_to(page, "[name=A05-recovery_step]")
    write("An interim starts on Monday.")
    tab_to(page, "main [type=submit]")
    press("Enter")
    expect(page.locator(".notice")).to_contain_text("Saved: A05")
    assert ProgressUpdate.objects.get(action__ref="A05").status == "at_risk"


def test_the_chair_decides_one_row_after_the_other_by_keyboard_alone(record_site, browse):
    meeting = make_meeting(held_on=timezone.localdate(), asks=["Agree the plan"])
    officer = User.objects.get(username="officer")
    for ref in ("A05", "A07"):
        make_update(Action.objects.get(ref=ref), "done", by=officer, evidence="The audit")
    page = browse("chair")
    press, write = page.keyboard.press, page.keyboard.type
    page.goto(meeting.get_absolute_url())
    tab_to(page, "a[href$='/decide/']")
    press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Meeting-day sheet, ")
    tab_to(page, "[value=agreed]")
    press("Space")
    tab_to(page, "[name$=-words]")
    write("With a new clause")
    tab_to(page, "main [type=submit]")
    press("Enter")
    # The next row is open, and the next press of Tab is in it.
    expect(page.get_by_text("Decided: agreed.")).to_be_visible()
    for ref, way, box, text in (
        ("A05", "accepted", "recheck_on", "1/6/2098"),
        ("A07", "sent_back", "wanted", "The minutes"),
    ):
        expect(page.locator("article:has(form) h3")).to_contain_text(ref)
        press("Tab")
        assert page.evaluate("document.activeElement.closest('article')?.querySelector('form') !== null")
        tab_to(page, "[type=radio]")
        press("Space" if way == "accepted" else "ArrowDown")
        tab_to(page, f"[name$={box}]")
        write(text)
        tab_to(page, "main [type=submit]")
        press("Enter")
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    expect(page.locator(".govuk-error-summary")).to_contain_text("“By when” is needed.")
    tab_to(page, "[name$=wanted_by]")
    write("1/6/2098")
    tab_to(page, "main [type=submit]")
    press("Enter")
    # What is left is the completion that the record begins with.
    expect(page.get_by_text("1 of 4 decisions still to record here.")).to_be_visible()
    assert [row.outcome for row in AskOutcome.objects.all()] == ["agreed"]
    assert ProgressUpdate.objects.latest("pk").status == "complete"
    assert [row.wanted for row in SendBack.objects.all()] == ["The minutes"]


MOVING = """() => [...document.querySelectorAll("*")].filter(element => {
    const style = getComputedStyle(element);
    const lasts = seconds => seconds.split(",").some(part => parseFloat(part) > 0);
    const moves = style.animationName !== "none" && lasts(style.animationDuration);
    return moves || lasts(style.transitionDuration);
}).map(element => element.outerHTML.slice(0, 90))"""


@pytest.mark.parametrize("address", ["/", *WORK])
def test_nothing_moves_for_those_who_ask_for_less_motion(address, demonstration, keys, browse):
    page = browse("officer", reduced_motion="reduce")
    page.goto(address.format(**keys))
    assert page.evaluate(MOVING) == []


LOST = """() => [...document.querySelectorAll(".tag")].filter(tag => tag.checkVisibility()).filter(tag => {
    const style = getComputedStyle(tag), shape = tag.querySelector(".shape");
    return style.color === style.backgroundColor || style.borderStyle === "none" || !tag.textContent.trim()
        || shape.getBoundingClientRect().width < 8 || getComputedStyle(shape).color === style.backgroundColor;
}).map(tag => tag.outerHTML)"""


def test_a_status_keeps_its_words_and_its_shape_in_colours_of_the_readers_own(demonstration, browse):
    page = browse("member", forced_colors="active")
    for address in ("/", "/actions/", "/recommendations/6/"):
        page.goto(address)
        assert page.locator(".tag").count() > 5
        assert page.evaluate(LOST) == []


CUT_OFF = """() => [...document.querySelectorAll(".tag")].filter(tag => {
    const [inner, outer] = [tag, tag.closest("div, td, li, main")].map(box => box.getBoundingClientRect());
    return inner.right > outer.right || tag.scrollWidth > tag.clientWidth;
}).map(tag => tag.textContent)"""


@pytest.mark.parametrize("address", ["/", "/recommendations/1/"])
def test_every_status_is_whole_on_a_phone_and_a_tablet(address, demonstration, browse):
    page = browse("member")
    page.goto(address)
    for width in (320, 360, 390, 414, 768):
        page.set_viewport_size({"width": width, "height": 844})
        assert (width, page.evaluate(CUT_OFF)) == (width, [])
        assert page.evaluate("document.documentElement.scrollWidth") == width


LABELLED = """() => [...document.querySelectorAll(".paper table")].flatMap(table => {
    const placed = section => {  // each cell at every place that it takes up
        const places = [...section.rows].map(() => []);
        [...section.rows].forEach((row, y) => [...row.cells].forEach(cell => {
            const x = [...Array(99).keys()].find(x => !places[y][x]);
            for (let down = 0; down < cell.rowSpan; down++)
                for (let along = 0; along < cell.colSpan; along++) places[y + down][x + along] = cell;
        }));
        return places;
    };
    const heads = placed(table.tHead);
    return [...table.tBodies].flatMap(body => placed(body).flatMap((cells, y) => cells.flatMap((cell, x) => {
        const isMet = y > 0 && [...body.rows[y - 1].cells].includes(cell) || cell === cells[x - 1];
        const isAlone = body.rows[y].cells.length === 1;
        if (cell.tagName === "TH" || isMet || isAlone) return [];
        const isShown = getComputedStyle(cell, "::before").content !== "none";
        const heading = heads[Math.min(y, heads.length - 1)][x].textContent.trim();
        return [[heading, isShown ? cell.dataset.label : ""]];
    })));
})"""


def test_every_cell_of_the_paper_says_the_heading_of_its_column_on_a_phone(demonstration, browse):
    page = browse("member", viewport={"width": 390, "height": 844})
    page.goto("/status/?annex")
    # A label ends in a colon, so not in a question mark too.
    found = {(heading.removesuffix("?"), label) for heading, label in page.evaluate(LABELLED)}
    # What is numbered stands in the heading of the column beside it, or of the table.
    numbered = {("No.", "Recommendation"), ("No.", "Decision")}
    assert {(heading, label) for heading, label in found if heading != label} == numbered
    assert {"Next date", "Tick one", "The board", "Judgement", "Every date, in order"} < {
        heading for heading, _ in found
    }


def test_a_long_word_or_address_makes_no_page_wider(record_site, browse):
    long = f"{'x' * 500} https://example.org/{'y' * 400}"
    make_meeting(held_on=datetime.date(2022, 11, 22))
    meeting = make_meeting(held_on=timezone.localdate(), covering_note=long, asks=[long])
    officer, action = User.objects.get(username="officer"), Action.objects.get(ref="A05")
    update = make_update(action, "at_risk", by=officer, narrative=long, reason=long, recovery_step=long)
    board = (meeting.get_absolute_url(), "/", "/actions/A05/")
    admin = ("/admin/", UPDATES, f"{UPDATES}{update.pk}/change/", f"{UPDATES}add/?action={action.pk}")
    page = browse("secretariat")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        for address in (*board, *admin):
            page.goto(address)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert (address, wide) == (address, width)


def test_boxes_in_rows_keep_their_labels_in_sight_wherever_the_heads_of_columns_are_not(record_site, browse):
    page = browse("secretariat")
    page.goto("/assign/")
    label, head = page.locator("label[for=id_A01-due]"), page.locator(".grid thead")
    for width in (390, 800, 820, 880, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        shown = [element.bounding_box()["width"] > 1 for element in (label, head)]
        assert (width, shown) == (width, [width < 864, width >= 864])


def test_what_can_be_done_with_a_row_lies_over_nothing_else(record_site, browse):
    page = browse("secretariat")
    page.goto(f"/admin/recommendations/action/{Action.objects.get(ref='A05').pk}/change/")
    for width in (1280, 820, 390):
        page.set_viewport_size({"width": width, "height": 900})
        name, tools, form = (
            page.locator(f"#content {part}").first.bounding_box() for part in ("h2", ".object-tools", "form")
        )
        assert name["y"] + name["height"] <= tools["y"]
        assert tools["y"] + tools["height"] <= form["y"]


@pytest.mark.parametrize("who", ["secretariat", "chair"])
def test_the_work_on_the_whole_record_fits_its_window(who, record_site, browse):
    page = browse(who)
    for width in (1280, 1024, 768):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto("/admin/")
        to_do = page.get_by_role("columnheader", name="What to do")
        expect(to_do.or_(page.get_by_role("link", name="Accept that A18 is complete")).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_on_paper_there_is_no_navigation(demonstration, browse):
    page = browse("member")
    page.goto("/actions/")
    page.emulate_media(media="print")
    for gone in (".nav", ".header__account", ".filters", ".govuk-breadcrumbs", ".footer ul"):
        expect(page.locator(gone)).to_be_hidden()
    for kept in (".marking", ".demonstration", "h1", "main table"):
        expect(page.locator(kept).first).to_be_visible()
