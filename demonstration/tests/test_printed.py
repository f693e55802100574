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
from meetings.decisions import asks_of
from recommendations.status import Status
from recommendations.tests.factories import make_action, make_update
from record import ledger
from record.as_at import AsAt
from record.dates import say_day
from record.held import next_meeting
from record.tests.factories import make_meeting

pytestmark = [pytest.mark.printed, pytest.mark.once]

MADE_AS_AT = datetime.date(2026, 11, 28)
# The last two ask for the most decisions.
DAYS = [datetime.date(*day) for day in [(2026, 3, 16), (2026, 9, 14), (2026, 11, 16), (2026, 11, 17)]]
# Of a sheet of A4, in points.
HIGH, BLANK_AT_MOST = 842, 0.25


FULLEST, LONG_TEXTS = DAYS[2], datetime.date(2026, 11, 28)


@pytest.fixture(scope="module")
def pages(templates, tmp_path_factory, django_db_blocker):
    """{day: the file of its paper of the demonstration with its annex, and the anchor that it prints}."""
    folder = tmp_path_factory.mktemp("printed")
    made = {}
    with django_db_blocker.unblock(), override_settings(DEBUG=True):
        with (scratch := Scratch(folder, template=templates["migrated"])):
            call_command("demo", as_at=MADE_AS_AT.isoformat(), verbosity=0)
            for day in (*DAYS, LONG_TEXTS):
                if day == LONG_TEXTS:
                    write_long_texts()
                at = AsAt(today=MADE_AS_AT, day=day, known=None)
                meeting = next_meeting(at)
                asks = asks_of(meeting, at)
                paper = papers.status_paper(at, meeting=meeting, asks=asks, is_draft=True, has_annex=True)
                file = folder / f"{day}.html"
                file.write_bytes(papers.render_paper(paper))
                made[day] = file, ledger.anchor()
        yield made
        scratch.drop()


def write_long_texts():
    """Texts of which no sheet holds one, with sentences, words or neither to break them at."""
    note = f"{'A sentence of a few words. ' * 180}\n{'W' * 2000}"
    make_meeting(held_on=datetime.date(2026, 12, 1), covering_note=note, asks=["W" * 500])
    late = make_action("A98", title="W" * 200)
    make_update(late, Status.OFF_TRACK, reason="many words " * 450, recovery_step="W" * 2000)
    make_update(make_action("A99", title="Long"), Status.DONE, evidence="WWW " * 2400)


def printed_in(engines, days):
    """Parameters of ``printed``: each of ``days`` in each of ``engines``."""
    return [
        pytest.param((day, name), id=f"{day}-{name}", marks=pytest.mark.needs(ENGINES[name][0]))
        for name in engines
        for day in days
    ]


# Whether an engine keeps to the sheets shows on the fullest and on the one with the longest texts.
IN_SIX_SHEETS = [*printed_in(["chromium"], DAYS), *printed_in(["firefox", "webkit"], [FULLEST])]
ALL = [*IN_SIX_SHEETS, *printed_in(ENGINES, [LONG_TEXTS])]


@pytest.fixture(scope="module", params=ALL)
def printed(request, pages, tmp_path_factory):
    """The paper of a day, the anchor that it prints, that day in words, and what an engine printed of it."""
    day, name = request.param
    html, anchor = pages[day]
    file = tmp_path_factory.mktemp(name) / "paper.pdf"
    ENGINES[name][1](html, file)
    return html, anchor, say_day(day), file


def squeezed(text):
    return re.sub(r"\s", "", text)


def test_every_sheet_says_what_it_is_and_none_runs_over(printed, settings):
    html, anchor, day, pdf = printed
    sections = re.findall('<section class="sheet"', html.read_text())
    count = len(sections)
    said = [squeezed(sheet.extract_text()) for sheet in PdfReader(pdf).pages]
    wanted = [
        settings.MARKING,
        settings.BOARD_NAME,
        "DRAFT. DEMONSTRATION: invented progress",
        f"Status paper, draft. As at {day}.",
        f"Record up to entry {anchor.count},",
        f"ending {anchor.digest[-8:]}.",
    ]
    assert len(said) == count
    for number, text in enumerate(said, 1):
        each = [*wanted, f"Sheet {number} of {count}"]
        assert [text.count(squeezed(words)) for words in each] == [1] * len(each)
        # Real words at its head, before anything else that is on it.
        assert text.startswith(squeezed(settings.MARKING))


@pytest.mark.parametrize("printed", IN_SIX_SHEETS, indirect=True)
def test_it_is_six_sheets_and_an_annex_none_of_them_a_quarter_blank(printed):
    html, _, _, pdf = printed
    html = html.read_text()
    sheets = [escape(sheet) for sheet in html.split('<section class="sheet"')[1:]]
    annex = next(number for number, sheet in enumerate(sheets) if escape('id="paper-annex"') in sheet)
    assert annex <= 6
    ends = lowest_words(pdf)
    whole = [number for number in range(1, len(ends) - 1) if number != annex - 1]
    blank = {number + 1: 1 - ends[number] / HIGH for number in whole}
    assert {number: share for number, share in blank.items() if share > BLANK_AT_MOST} == {}


def lowest_words(pdf):
    """How far down each sheet its last words stand, in points."""
    told = subprocess.run(["pdftotext", "-bbox", pdf, "-"], capture_output=True, text=True, check=True).stdout
    return [max(map(float, re.findall(r'yMax="([\d.]+)"', sheet))) for sheet in told.split("<page")[1:]]
