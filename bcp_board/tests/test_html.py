"""Every page is valid HTML, by the checker that browsers' makers keep; of what the site sends, not what
a browser makes of it."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from bcp_board.tests.browsing import ADMIN_PAGES, BOARD_PAGES

VNU = Path(settings.BASE_DIR) / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
PAGES = [*BOARD_PAGES, *ADMIN_PAGES]

# What the checker does not know yet: each is a pattern, and why it may stand.
KNOWN = [(r"^CSS: unrecognized media", "it cannot read `@supports not`, which GOV.UK Frontend writes")]


@pytest.fixture(scope="module")
def checked(demonstration, keys, browser, served, tmp_path_factory):
    """Return {page: what the checker says of it}, from one start of Java for all of them, and what
    went wrong while they were opened."""
    from bcp_board.tests.browsing import Watch, cookie_of

    folder, found, watches = tmp_path_factory.mktemp("html"), {page: [] for page in PAGES}, []
    for who in dict.fromkeys(page.who for page in PAGES):
        context = browser.new_context(base_url=served)
        watches.append(Watch(context, served))
        if who:
            context.add_cookies([{**cookie_of(who), "url": served}])
        tab = context.new_page()
        for number, page in enumerate(PAGES):
            if page.who == who:
                response = demonstration.open(tab, page, keys)
                (folder / f"{number}.html").write_bytes(response.body())
        context.close()
    command = ["java", "-jar", VNU, "--format", "json", "--exit-zero-always", "--stdout", folder]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for message in json.loads(said)["messages"]:
        page = PAGES[int(Path(message["url"]).stem)]
        text = f"{message['message']} {message.get('extract', '')!r}"
        if not any(re.search(known, text) for known, reason in KNOWN):
            found[page].append(text)
    return found, [wrong for watch in watches for wrong in watch.wrong]


@pytest.mark.needs("java")
@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_html_of_every_page_is_valid(page, checked):
    found, _ = checked
    assert found[page] == []


@pytest.mark.needs("java")
def test_no_page_writes_to_the_console_or_asks_another_host(checked):
    _, wrong = checked
    assert wrong == []
