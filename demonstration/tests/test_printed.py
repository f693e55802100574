"""A paper full of invented progress is the same few sheets from every engine, and each says what it is."""

import datetime
import re
import subprocess

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.utils.html import escape
from pypdf import PdfReader

from bcp_board.tests.printing import ENGINES
from bcp_board.tests.scratch import Scratch
from meetings import papers
from meetings.held import next_meeting
from record import ledger
from record.tests.factories import on

pytestmark = [pytest.mark.printed, pytest.mark.once]

AS_AT = datetime.date(2025, 6, 30)
# Of a sheet of A4, in points.
HIGH, BLANK_AT_MOST = 842, 0.25


@pytest.fixture(scope="module")
def page(templates, tmp_path_factory, django_db_blocker):
    """The file of a paper of the demonstration with its annex, and the anchor that it prints."""
    folder = tmp_path_factory.mktemp("printed")
    with django_db_blocker.unblock(), override_settings(DEBUG=True):
        with (scratch := Scratch(folder, template=templates["migrated"])):
            call_command("demo", as_at=AS_AT.isoformat(), verbosity=0)
            at = on(AS_AT)
            meeting = next_meeting(at)
            asks = papers.asks_of(meeting, at)
            made = papers.status_paper(at, meeting=meeting, asks=asks, is_draft=True, has_annex=True)
            (folder / "paper.html").write_bytes(papers.render_paper(made))
            anchor = ledger.anchor()
        yield folder / "paper.html", anchor
        scratch.drop()


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.needs(ENGINES[name][0])) for name in ENGINES])
def pdf(request, page, tmp_path):
    _, print_it = ENGINES[request.param]
    print_it(page[0], tmp_path / "paper.pdf")
    return tmp_path / "paper.pdf"


def squeezed(text):
    return re.sub(r"\s", "", text)


def test_every_sheet_says_what_it_is_and_none_runs_over(page, pdf, settings):
    html, anchor = page
    sections = re.findall('<section class="sheet"', html.read_text())
    count = len(sections)
    said = [squeezed(sheet.extract_text()) for sheet in PdfReader(pdf).pages]
    wanted = [
        settings.MARKING,
        settings.BOARD_NAME,
        "DRAFT. DEMONSTRATION: invented progress",
        "Status paper, draft. As at 30 June 2025.",
        f"Record up to entry {anchor.count},",
        f"ending {anchor.digest[-8:]}.",
    ]
    assert len(said) == count
    for number, text in enumerate(said, 1):
        each = [*wanted, f"Sheet {number} of {count}"]
        assert [text.count(squeezed(words)) for words in each] == [1] * len(each)
        # Real words at its head, before anything else that is on it.
        assert text.startswith(squeezed(settings.MARKING))


def test_it_is_six_sheets_and_an_annex_none_of_them_a_quarter_blank(page, pdf):
    html = page[0].read_text()
    sheets = [escape(sheet) for sheet in html.split('<section class="sheet"')[1:]]
    annex = next(number for number, sheet in enumerate(sheets) if escape("<h2>Annex</h2>") in sheet)
    assert annex <= 6
    ends = lowest_words(pdf)
    whole = [number for number in range(1, len(ends) - 1) if number != annex - 1]
    blank = {number + 1: 1 - ends[number] / HIGH for number in whole}
    assert {number: share for number, share in blank.items() if share > BLANK_AT_MOST} == {}


def lowest_words(pdf):
    """How far down each sheet its last words stand, in points."""
    told = subprocess.run(["pdftotext", "-bbox", pdf, "-"], capture_output=True, text=True, check=True).stdout
    return [max(map(float, re.findall(r'yMax="([\d.]+)"', sheet))) for sheet in told.split("<page")[1:]]
