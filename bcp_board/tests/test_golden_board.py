"""What the pages say of a small board written by hand, word for word: see golden.py and data/golden/.

A page that says something else is wrong, or the rule or its words were changed on purpose. Then whoever
changes the file reads every line of it as a member of the board would.
"""

import html
import re
from pathlib import Path

import pytest
from django.utils import timezone

from bcp_board.tests.golden import make_golden_board
from record.tests.pages import main_of

EXPECTED = Path(__file__).parent / "data" / "golden"
PAGES = {
    "home": "/?as_at=2023-01-16",
    "home-at-the-end-of-the-year": "/?as_at=2022-12-31",
    "home-as-known-before-the-meeting": "/?as_at=2022-12-05&known=then",
    "trends": "/trends/?as_at=2023-01-16",
    "track-record": "/trends/record/?as_at=2023-01-16",
    "visits": "/visits/?as_at=2023-01-16",
    "action": "/actions/A01/?as_at=2023-01-16",
    "actions": "/actions/?as_at=2023-01-16",
    "recommendation": "/recommendations/1/?as_at=2023-01-16",
    "meeting": "/meetings/2022-12-06/",
    "status": "/status/?as_at=2023-01-16",
}


@pytest.fixture(scope="module")
def board(django_db_setup, django_db_blocker):
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        yield make_golden_board()
        transaction.set_rollback(True)


def lines_of(response):
    """What <main> says, a line for each element that begins one, but what differs from run to run."""
    main = main_of(response)
    main = re.sub(r"<(style|svg|script)\b.*?</\1>", "", main, flags=re.DOTALL)
    main = re.sub(
        r"</?(p|li|tr|td|th|h\d|dt|dd|caption|div|summary|section|ul|ol|table|br)\b[^>]*>", "\n", main
    )
    text = html.unescape(re.sub(r"<[^>]*>", "", main))
    text = re.sub(r"\b[0-9a-f]{8,64}\b", "(digits)", text)
    text = re.sub(r"(Printed|up to entry) [^.\n]*", r"\1 (when it was made)", text)
    text = text.replace(f"{timezone.localdate():%-d %B %Y}", "(today)")
    return [line for raw in text.splitlines() if (line := " ".join(raw.split()))]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_of_the_golden_board_what_is_written_down(board, db, client, name):
    client.force_login(board["member"])

    found = lines_of(client.get(PAGES[name]))

    assert found == (EXPECTED / f"{name}.txt").read_text(encoding="utf-8").splitlines()
