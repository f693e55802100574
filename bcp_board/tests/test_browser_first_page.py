"""The first page on a desk, a tablet and a phone: how much of it is seen at once, and how far it goes."""

import pytest

pytestmark = pytest.mark.once

MEASURED = """() => {
    const isSeen = element => element.checkVisibility() && !element.closest(".govuk-visually-hidden, svg");
    const seen = selector => [...document.querySelectorAll(selector)].filter(isSeen);
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let words = 0;
    while (texts.nextNode()) {
        const isShown = isSeen(texts.currentNode.parentElement);
        words += isShown ? texts.currentNode.textContent.split(/\\s+/).filter(Boolean).length : 0;
    }
    const [first] = seen(".lines tbody a");
    const age = seen(".cells section:first-child p")[1];
    return {
        lines: seen(".lines tbody tr").length,
        end: seen(".lines tbody tr").at(-1).getBoundingClientRect().bottom,
        height: document.documentElement.scrollHeight,
        width: document.documentElement.scrollWidth,
        words,
        links: seen("a[href]").length,
        stops: seen("a[href], button, input:not([type=hidden]), select, summary").indexOf(first) + 1,
        linesOfAge: age.getBoundingClientRect().height / parseFloat(getComputedStyle(age).lineHeight),
    };
}"""


@pytest.mark.parametrize("shown", ["demonstration", "record_site"])
def test_where_the_board_stands_is_seen_at_once(shown, request, browse):
    request.getfixturevalue(shown)
    page = browse("member")
    for width, height, screens_to_the_last_line in ((1280, 900, 1), (820, 1180, 1), (390, 844, 2.3)):
        page.set_viewport_size({"width": width, "height": height})
        page.goto("/")
        found = page.evaluate(MEASURED)
        assert (found["lines"], found["width"]) == (10, width)
        assert found["end"] <= screens_to_the_last_line * height, (width, found)
        assert found["linesOfAge"] < 2.5, (width, found)
        assert (found["words"] <= 900, found["links"] <= 70, 0 < found["stops"] <= 25) == (True,) * 3, found
        if width == 1280:
            assert found["height"] <= 4 * height, found


LEAST_TEXT = """() => Math.min(...[...document.querySelectorAll("main svg text")]
    .filter(text => text.checkVisibility())
    .map(text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a))"""


def test_the_words_of_a_chart_are_large_enough_whatever_the_screen(demonstration, browse):
    page = browse("member")
    for width in (390, 820, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        for address in ("/trends/", "/visits/"):
            page.goto(address)
            least, drawn = page.evaluate(LEAST_TEXT), page.locator("main .chart:visible").count()
            assert (least >= 12, drawn) == (True, 1), (address, width, least)
            assert page.evaluate("document.documentElement.scrollWidth") == width
