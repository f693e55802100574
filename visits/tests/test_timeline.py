"""Where the parts of the timeline are drawn: nothing over anything else, on a desk and on a phone."""

import datetime

from record.dates import read_edtf
from visits.timeline import Mark, TimelineItem, timeline

AS_AT = datetime.date(2026, 11, 22)


def drawn(*labels, is_narrow):
    """(where its lines of words stand, where its mark begins and ends, how high it is) for each row."""
    entries = [TimelineItem("visit", label, read_edtf("2025-06")) for label in labels]
    rows = timeline(entries, as_at=AS_AT, is_narrow=is_narrow).rows
    return [([line.y for line in row.lines], row.top, row.bottom, row.height) for row in rows]


# On a phone the date follows: ": June 2025", eleven letters of the fifty that a line may have.
FULL_LINE = "x" * 39


def test_on_a_phone_the_words_stand_above_their_mark_and_below_the_one_before():
    assert drawn(FULL_LINE, f"{FULL_LINE[1:]} y", "Short", is_narrow=True) == [
        ([30], 37, 48, 37),
        ([67, 82], 89, 100, 52),
        ([119], 126, 137, 37),
    ]


def test_on_a_desk_the_words_stand_beside_their_mark_and_a_long_name_makes_its_row_higher():
    assert drawn("x" * 36, f"{'x' * 35} y", "Short", is_narrow=False) == [
        ([30], 20, 31, 18),
        ([48, 63], 38, 49, 33),
        ([81], 71, 82, 18),
    ]


def test_the_pointed_ends_of_a_mark_that_is_about_a_day_meet_in_its_middle_where_it_is_narrow():
    marks = (Mark("about", 100, 40), Mark("about", 100, 18), Mark("about", 100.1, 5))
    assert [mark.shoulders for mark in marks] == [(109, 131), (109, 109), (102.6, 102.6)]
