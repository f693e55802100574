"""What a statement says in words, where it is listed among what was corrected or withdrawn."""

import pytest

from recommendations.due_dates import DueDate
from recommendations.tests.factories import make_measure_value


@pytest.mark.parametrize(
    ("needs_decision", "words", "said"),
    [(True, "asks for May 2023: Why", "proposed: May 2023"), (False, "due May 2023: Why", "May 2023")],
)
def test_a_proposed_date_is_asked_for_and_an_agreed_one_is_due(needs_decision, words, said):
    date = DueDate(due="2023-05", reason="Why", needs_decision=needs_decision)

    assert (date.in_words(), date.as_said().now) == (words, said)


def test_a_value_whose_day_no_source_gives_says_so(db):
    dated = make_measure_value("5", as_at="2022-06")
    assert dated.in_words() == "5, as at June 2022"
    assert make_measure_value("5", as_at="", measure=dated.measure).in_words() == "5, its day not stated"
