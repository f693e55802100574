"""A recommendation on paper, of the real record and of the demonstration, in which far more was said."""

import pytest

from bcp_board.tests.test_browser_printed_pages import print_it

pytestmark = pytest.mark.printed


@pytest.mark.parametrize("shown", ["demonstration", "record_site"])
def test_a_recommendation_takes_at_most_six_sheets(shown, request, browse):
    request.getfixturevalue(shown)
    page = browse("member")
    page.goto("/recommendations/6/")
    assert 1 < len(print_it(page).pages) <= 6
