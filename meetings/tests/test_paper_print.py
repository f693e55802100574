"""The paper as a printer gets it: A4, marked and numbered on every sheet, whole, and readable by machines."""

import datetime
import io
import re

import pytest
from django.utils import timezone
from pypdf import PdfReader

from meetings import papers
from recommendations.position import board_position
from recommendations.status import STATUS_WORDS, Status
from recommendations.tests.factories import make_action, make_assessment, make_due_date, make_update
from record import ledger
from record.models import Demonstration
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
                    asks=papers.asks_of(meeting, on(DAY)),
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


def test_the_real_record_is_printed_whole_on_at_most_seven_sheets_of_a4(record_site, printed):
    pdf = printed()
    assert len(pdf.pages) <= 7
    for sheet in pdf.pages:
        assert [round(float(side)) for side in sheet.mediabox[2:]] == [595, 842]
    text = "".join(sheets(pdf))
    board = board_position(on(DAY))
    for action in board.actions:
        assert words(action.title) in text
    for recommendation in board.recommendations:
        assert words(recommendation.title) in text
    for measure in board.measures:
        assert words(measure.caveat) in text
    for status in STATUS_WORDS.values():
        assert words(status) in text


def test_every_sheet_says_what_it_is(record_site, printed, settings):
    settings.MARKING = 'OFFICIAL "draft" \\ <b>'
    pdf = printed()
    count = len(pdf.pages)
    for number, text in enumerate(sheets(pdf), 1):
        assert text.count(words(settings.MARKING)) >= 2
        assert words(settings.BOARD_NAME) in text
        assert words("As at 22 November 2026. Record up to entry ") in text
        assert words(f"Page {number} of {count}") in text
        assert f"Recorduptoentry{ledger.anchor().count},of" in text
        assert "DRAFT" not in text


def test_a_draft_and_a_demonstration_say_so_on_every_sheet(record_site, printed):
    ledger.append([Demonstration(made_at=timezone.now(), as_at=DAY)])
    pdf = printed(meeting=make_meeting(held_on=DAY), is_draft=True)
    assert len(pdf.pages) > 1
    for text in sheets(pdf):
        assert words("DRAFT. DEMONSTRATION") in text


def test_a_published_paper_has_its_version_on_every_sheet(record_site, printed):
    for text in sheets(printed(meeting=make_meeting(held_on=DAY), version=2)):
        assert words("Status paper, version 2. As at 22 November 2026.") in text
        assert words("Published 22 November 2026 at 9:30am.") in text


def test_the_pdf_is_tagged_and_has_a_title_and_a_language(record_site, printed):
    pdf = printed()
    catalogue = pdf.trailer["/Root"]
    assert catalogue["/MarkInfo"]["/Marked"] == True  # noqa: E712 (a PDF boolean, not Python's)
    assert catalogue["/Lang"] == "en-GB"
    assert pdf.metadata.title.startswith("Pre-meeting status page, as at 22 November 2026 – ")


def test_the_ten_recommendations_stand_on_two_sheets_at_most(record_site, printed):
    board = board_position(on(DAY))
    numbered = [words(f"{r.number} {r.title}") for r in board.recommendations]
    holding = [text for text in sheets(printed()) if any(title in text for title in numbered)]
    assert len(holding) <= 2
    assert all(title in "".join(holding) for title in numbered)


def test_a_table_repeats_its_headings_and_splits_no_row(db, printed):
    reason = "A reason in several words that takes up a line or two of the table. "
    for number in range(1, 41):
        action = make_action(f"A{number:02}", title=f"First word of it and last word {number}.")
        make_update(action, Status.AT_RISK, dated="2026-11-20", reason=reason * 3, recovery_step="Step.")
    pdf = printed()
    heading = words("Reason, and step to recover")
    holding = [text for text in sheets(pdf) if words("To recover: Step.") in text]
    assert len(holding) > 2
    for text in holding:
        assert text.count(heading) == 1
        assert text.count("Torecover:Step.") * 3 == text.count(words(reason))


def test_long_words_and_long_texts_are_printed_to_the_end(db, printed):
    action = make_action("A01", title="Unbroken" * 20 + "END-OF-TITLE")
    long = "\n".join(f"Line {number} of a long reason." for number in range(150)) + " END-OF-REASON"
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
    assert [text.count(words(piece)) >= 4 for piece in hostile] == [True] * len(hostile)
    assert "root:" not in text
    assert pdf.attachments == {}


def test_a_paper_without_exceptions_says_so(db, printed):
    assert words("There are no actions, so there is nothing to show.") in "".join(sheets(printed()))


def test_the_decisions_wanted_are_printed_in_the_type_of_the_paper(db, printed, page):
    action = make_action("A01")
    make_due_date(action, dated="2022-10-01")
    make_due_date(action, due="2027", dated="2026-11-01", reason_kind="resources", needs_decision=True)
    make_update(make_action("A02"), Status.DONE, dated="2026-11-20", evidence="The minutes")
    meeting = make_meeting(held_on=DAY, asks=["Decide"])
    printed(meeting=meeting)
    page.emulate_media(media="print")

    texts = page.locator(".paper ul.list > li, .paper ul.list .meta")
    kind = "all => all.map(each => { const {fontSize, color, borderTopWidth} = getComputedStyle(each);"
    assert texts.count() == 4
    assert (
        texts.evaluate_all(f"{kind} return [fontSize, color, borderTopWidth]; }})")
        == [["13.3333px", "rgb(0, 0, 0)", "0px"]] * 4
    )


def test_on_screen_there_is_a_way_back_that_is_not_on_paper(record_site, printed, page):
    assert "Backtotheboard" not in "".join(sheets(printed()))
    assert page.get_by_role("link", name="Back to the board").is_visible()


def test_the_site_serves_it_with_its_style_allowed(record_site, browse):
    page = browse("member")
    page.goto("/status/")
    assert page.locator("h1").evaluate("h1 => getComputedStyle(h1).fontFamily").startswith("arial")
