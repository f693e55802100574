"""A page of the board on paper: with a margin, and nothing short cut in two or left standing alone."""

import io
import re

import pytest
from pypdf import PdfReader

pytestmark = [pytest.mark.usefixtures("record_site"), pytest.mark.printed]

MARGIN = 10 * 72 / 25.4
A_SHEET = 1047
ROWS = re.compile(r"A\d\d:")


def print_it(page):
    """The PDF of ``page`` on A4 from a printer that leaves no margin by itself."""
    return PdfReader(io.BytesIO(page.pdf(format="A4", print_background=True)))


def places_of_text(sheet):
    """(left, bottom) in points of every piece of text on a sheet, as it is seen."""
    found = []

    def visit(text, cm, tm, font, size):
        if text.strip():
            x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
            y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
            found.append((x, y))

    sheet.extract_text(visitor_text=visit)
    return found


def words(sheet):
    return " ".join(sheet.extract_text().split())


@pytest.mark.parametrize(
    "address", ["/", "/recommendations/6/", "/actions/", "/visits/", "/trends/", "/help/"]
)
def test_a_page_is_printed_with_a_margin_whatever_the_printer_leaves(browse, address):
    page = browse("member")
    page.goto(address)
    for sheet in print_it(page).pages:
        width, height = (float(side) for side in sheet.mediabox[2:])
        for left, bottom in places_of_text(sheet):
            assert MARGIN - 1 <= left <= width - MARGIN
            assert MARGIN - 1 <= bottom <= height - MARGIN


def test_no_heading_or_row_of_a_page_stands_alone_at_the_end_of_a_sheet_and_no_box_is_cut(browse):
    page = browse("member")
    page.goto("/recommendations/6/")
    # Higher than a step below, so that the end of a sheet falls within it once.
    page.locator(".panel--critical p").last.evaluate("text => { text.style.marginTop = '80px'; }")
    for above in range(0, A_SHEET, 60):
        page.locator("h1").evaluate("(title, above) => { title.style.marginTop = `${above}px`; }", above)
        sheets = [words(sheet) for sheet in print_it(page).pages]

        def after(text, sheets=sheets):
            """What follows ``text`` on its sheet."""
            (found,) = [sheet.partition(text)[2] for sheet in sheets if text in sheet]
            return found

        assert ROWS.search(after("Three views, side by side").partition("What its owners report")[2]), above
        assert len(ROWS.findall(after("that answer it:"))) > 1, above
        assert "Deadlines missed: at least 1" in after("What hangs on it:"), above
