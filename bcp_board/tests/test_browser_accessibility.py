"""Every page in a browser, as people with disabilities meet it: by rules, by keyboard, large, plain."""

from pathlib import Path

import pytest
from django.conf import settings

from bcp_board.tests.browsing import ADMIN_PAGES, BOARD_PAGES

AXE = Path(settings.BASE_DIR) / "node_modules" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """tags => axe.run(document, {runOnly: tags, resultTypes: ["violations"]}).then(found =>
    found.violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.target}: ${node.html}`)))"""


@pytest.mark.parametrize("what", [*BOARD_PAGES, *ADMIN_PAGES], ids=str)
def test_no_page_breaks_a_rule_of_accessibility(what, demonstration, keys, browse):
    page = browse(what.who, bypass_csp=True)  # axe-core tries styles of its own
    demonstration.open(page, what, keys)
    page.evaluate(AXE.read_text())
    assert page.evaluate(RUN, WCAG) == []
