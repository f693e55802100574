"""Every page there is to see, opened once: valid HTML, no rule of accessibility broken, narrow, quiet.

To open a page costs more than to look at it, so whatever is asked of a page is taken from one visit.
"""

import json
import re
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from django.conf import settings

from bcp_board.tests.browsing import ADMIN_PAGES, BOARD_PAGES, Watch, cookie_of
from bcp_board.tests.postgres import die_with_parent
from bcp_board.tests.serving import free_port

pytestmark = pytest.mark.sweep

MODULES = Path(settings.BASE_DIR) / "node_modules"
AXE = MODULES / "axe-core" / "axe.min.js"
VNU = MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"
PAGES = [*BOARD_PAGES, *ADMIN_PAGES]

DESK = {"width": 1280, "height": 900}
# A window of 320 pixels is also what one of 1280 is at 400% zoom; 390 is a phone.
NARROWER = [{"width": 390, "height": 844}, {"width": 320, "height": 256}]

# To load the stylesheets again, which only a rule that is not among these asks for, breaks the site's
# content security policy.
RUN = """() => axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    resultTypes: ["violations"],
    preload: {assets: ["media"]},
}).then(found => found.violations.flatMap(
    rule => rule.nodes.map(node => `${rule.id}: ${node.target}: ${node.html}`)))"""

# What the checker does not know yet: each is a pattern, and why it may stand.
KNOWN = [(r"^CSS: unrecognized media", "it cannot read `@supports not`, which GOV.UK Frontend writes")]


@dataclass
class Visit:
    html: bytes = field(repr=False)  # what the site sent, not what the browser made of it
    broken: list
    widths: list  # of the page, in each window
    wrong: list


@pytest.fixture(scope="module")
def visitor(demonstration, keys, browser, served):
    """A function that visits a page, in one tab for all of them, as whoever may see it."""
    context = browser.new_context(base_url=served, viewport=DESK)
    context.add_init_script(path=AXE)
    context.set_default_timeout(20_000)
    watch, cookie, tab = Watch(context, served), cache(cookie_of), context.new_page()

    def visit(page):
        context.clear_cookies()
        if page.who:
            context.add_cookies([{**cookie(page.who), "url": served}])
        watch.wrong.clear()
        tab.set_viewport_size(DESK)
        html = demonstration.open(tab, page, keys).body()
        broken = tab.evaluate(RUN)
        widths = []
        for window in (DESK, *NARROWER):
            tab.set_viewport_size(window)
            widths.append(tab.evaluate("document.documentElement.scrollWidth"))
        return Visit(html, broken, widths, [*watch.wrong])

    yield visit
    context.close()


@pytest.fixture(scope="module")
def visited(request, visitor):
    """What was found on one page. The tests of a page follow one another, so that it is opened once."""
    return visitor(request.param)


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    """A function that gives what the checker that browsers' makers keep says of some HTML."""
    port, log = free_port(), tmp_path_factory.mktemp("vnu") / "log"
    # Quick to start rather than quick in the long run: it lives for a minute.
    java = ["java", "-Xss8m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    serve = ["-Dnu.validator.servlet.bind-address=127.0.0.1", "-cp", VNU, "nu.validator.servlet.Main"]

    def check(html):
        headers = {"Content-Type": "text/html; charset=utf-8"}
        with urlopen(Request(f"http://127.0.0.1:{port}/?out=json", html, headers), timeout=60) as answer:
            said = json.load(answer)["messages"]
        texts = [f"{message['message']} {message.get('extract', '')!r}" for message in said]
        return [text for text in texts if not any(re.search(known, text) for known, reason in KNOWN)]

    with log.open("w") as output:
        server = subprocess.Popen(
            [*java, *serve, str(port)], stdout=output, stderr=output, preexec_fn=die_with_parent
        )
    try:
        give_up = time.monotonic() + 60
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            if server.poll() is not None or time.monotonic() > give_up:
                pytest.fail(f"the checker did not start:\n{log.read_text()}")
            time.sleep(0.1)
        yield check
    finally:
        server.kill()
        server.wait()


each_page = pytest.mark.parametrize("visited", PAGES, ids=str, indirect=True, scope="module")


@each_page
@pytest.mark.needs("java")
def test_the_html_of_every_page_is_valid(visited, check):
    assert check(visited.html) == []


@each_page
def test_no_page_breaks_a_rule_of_accessibility(visited):
    assert visited.broken == []


@each_page
def test_nothing_has_to_be_scrolled_sideways(visited):
    assert visited.widths == [window["width"] for window in (DESK, *NARROWER)]


@each_page
def test_no_page_writes_to_the_console_or_asks_another_host(visited):
    assert visited.wrong == []
