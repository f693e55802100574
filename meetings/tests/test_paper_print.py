"""The paper as a printer gets it: A4, marked and numbered on every sheet, whole, and readable by machines."""

import datetime
import io
import re

import pytest
from pypdf import PdfReader

from meetings import papers
from meetings.decisions import asks_of
from meetings.sheets import HEIGHT, height_together, pieces_of
from recommendations.position import board_position
from recommendations.status import STATUS_WORDS, Status
from recommendations.tests.factories import make_action, make_assessment, make_update
from record.tests.factories import make_meeting, on

pytestmark = pytest.mark.printed

DAY = datetime.date(2026, 11, 22)
AT = datetime.datetime(2026, 11, 22, 9, 30, tzinfo=datetime.UTC)


@pytest.fixture
def printed(page, tmp_path):
    """A function that prints the status page in Chromium and gives its PDF."""

    def print_it(*, meeting=None, **options):
        file = tmp_path / "paper.html"
        # From a file, so that nothing but its own bytes can be of help.
        file.write_bytes(
            papers.render_paper(
                papers.status_paper(
                    on(DAY),
                    meeting=meeting,
                    asks=asks_of(meeting, on(DAY)),
                    published_at=AT,
                    **options,
                )
            )
        )
        page.goto(file.as_uri())
        return PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True, tagged=True)))

    return print_it


def words(text):
    """``text`` without its spaces and line ends, which a PDF does not keep."""
    return re.sub(r"\s", "", text)


def sheets(pdf):
    return [words(sheet.extract_text()) for sheet in pdf.pages]


def test_the_real_record_is_printed_whole_on_at_most_five_sheets_of_a4(record_site, printed):
    pdf = printed()
    assert len(pdf.pages) <= 5
    for sheet in pdf.pages:
        assert [round(float(side)) for side in sheet.mediabox[2:]] == [595, 842]
    text = "".join(sheets(pdf))
    board = board_position(on(DAY))
    for action in board.actions:
        assert words(action.title) in text
    for status in STATUS_WORDS.values():
        assert words(status) in text


def test_the_first_sheet_holds_the_ten_in_order_and_what_is_asked(record_site, printed):
    first, *rest = sheets(printed())
    board = board_position(on(DAY))
    numbered = [words(f"{r.number} {r.title}") for r in board.recommendations]
    places = [first.index(title) for title in numbered]
    assert (len(places), places) == (10, sorted(places))
    assert first.count("OFFICIAL") == 1
    for said in ("For the meeting of", "Newest source: about 2024.", "What hangs on recommendation 6."):
        assert words(said) in first
    asked = words("What the board is asked to do. A. Dates asked for: none; B. Completions to accept: 1, D1;")
    assert first.index(asked) > places[-1]
    assert rest[0].index(words("What the board is asked to do")) < rest[0].index("D1A18")


def test_every_sheet_is_as_high_as_it_was_laid_out_to_be(record_site, printed, page):
    printed(has_annex=True)
    page.emulate_media(media="print")
    found = page.locator(".sheet").evaluate_all(
        """all => all.map(sheet => {
            const run = sheet.querySelector(".run").getBoundingClientRect();
            return [sheet.innerHTML, (sheet.getBoundingClientRect().bottom - run.bottom) * 25.4 / 96];
        })"""
    )
    assert len(found) > 5
    for html, height in found:
        laid_out = height_together(pieces_of(html.partition("</div>")[2]))
        assert laid_out * 0.94 < height < laid_out + 1
        assert laid_out <= HEIGHT


def test_a_marking_is_printed_as_it_is_written(record_site, printed, settings):
    settings.MARKING = 'OFFICIAL "draft" \\ <b>'
    for text in sheets(printed()):
        assert text.count(words(settings.MARKING)) == 1
        assert "DRAFT" not in text


def test_a_published_paper_has_its_version_on_every_sheet(record_site, printed):
    for text in sheets(printed(meeting=make_meeting(held_on=DAY), version=2)):
        assert words("Status paper, version 2. As at 22 November 2026.") in text
        assert words("Published 22 November 2026 at 9:30am.") in text


def test_the_pdf_is_tagged_and_has_a_title_and_a_language(record_site, printed):
    pdf = printed()
    catalogue = pdf.trailer["/Root"]
    assert catalogue["/MarkInfo"]["/Marked"] == True  # noqa: E712 (a PDF boolean, not Python's)
    assert catalogue["/Lang"] == "en-GB"
    assert pdf.metadata.title.startswith("Status page, as at 22 November 2026 – ")


def test_a_table_repeats_its_headings_and_splits_no_row(db, printed):
    reason = "A reason in several words that takes up a line or two of the table. "
    for number in range(1, 81):
        action = make_action(f"A{number:02}", title=f"First word of it and last word {number}.")
        make_update(action, Status.AT_RISK, dated="2026-11-20", reason=reason * 3, recovery_step="Step.")
    pdf = printed()
    heading = words("Action, and the recommendations it is for")
    holding = [text for text in sheets(pdf) if words("First word of it") in text]
    assert len(holding) > 2
    for text in holding:
        assert text.count(heading) == 1
        said = text.count(words("Director: From a document, not from the owner: A reason"))
        assert text.count(words("First word of it")) == said


def test_long_words_and_long_texts_are_printed_to_the_end(db, printed):
    action = make_action("A01", title="Unbroken" * 20 + "END-OF-TITLE")
    long = " ".join(f"part {number} of a long sentence," for number in range(100)) + " END-OF-REASON"
    make_update(action, Status.OFF_TRACK, dated="2026-11-20", reason=long)
    text = "".join(sheets(printed()))
    assert "END-OF-TITLE" in text
    assert "END-OF-REASON" in text


def test_what_somebody_wrote_makes_the_printer_ask_for_nothing_and_is_printed_as_text(db, printed, page):
    hostile = [
        "<img src=http://127.0.0.1:9/x>",
        "<iframe src=file:///etc/passwd></iframe>",
        '<style>@import "http://127.0.0.1:9/x.css"; p { background: url(http://127.0.0.1:9/y) }</style>',
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1:9/x.svg"/></svg>',
        "<link rel=attachment href=file:///etc/passwd>",
        "<link rel=stylesheet href=http://127.0.0.1:9/x.css>",
        "http://127.0.0.1:9/only-an-address",
    ]
    written = "\n".join(hostile)
    action = make_action("A01", title=hostile[0])
    fields = {"narrative": written, "reason": written, "recovery_step": written}
    make_update(action, Status.OFF_TRACK, dated="2026-11-20", **fields)
    make_assessment(action.recommendations.get(), narrative=written)
    meeting = make_meeting(held_on=DAY, covering_note=written, asks=[written])
    asked = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))

    pdf = printed(meeting=meeting)

    assert asked == ["paper.html"]
    text = "".join(sheets(pdf))
    assert [text.count(words(piece)) >= 3 for piece in hostile] == [True] * len(hostile)
    assert "root:" not in text
    assert pdf.attachments == {}


def test_a_paper_without_exceptions_says_so(db, printed):
    assert words("There are no actions, so there is nothing to show.") in "".join(sheets(printed()))


def test_on_screen_there_is_a_way_back_that_is_not_on_paper(record_site, printed, page):
    assert "Backtotheboard" not in "".join(sheets(printed()))
    assert page.get_by_role("link", name="Back to the board").is_visible()


def test_the_site_serves_it_with_its_style_allowed(record_site, browse):
    page = browse("member")
    page.goto("/status/")
    assert page.locator("h1").evaluate("h1 => getComputedStyle(h1).fontFamily").startswith("arial")
