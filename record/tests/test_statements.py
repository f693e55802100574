"""What every kind of statement says of itself."""

import pytest

from record.statements import span_in_words


@pytest.mark.parametrize(
    "days, words",
    [
        (1, "1 day"),
        (2, "2 days"),
        (6, "6 days"),
        (7, "7 days"),
        (13, "13 days"),
        (14, "2 weeks"),
        (29, "4 weeks"),
        (30, "1 month"),
        (59, "1 month"),
        (60, "2 months"),
        (364, "12 months"),
        (365, "1 year"),
        (394, "1 year"),
        (395, "1 year 1 month"),
        (729, "1 year 11 months"),
        (730, "2 years"),
        (1500, "4 years 1 month"),
    ],
)
def test_a_number_of_days_is_said_in_whole_units_that_hide_little(days, words):
    assert span_in_words(days) == words
