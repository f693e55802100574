"""Where what somebody wrote stands before a sentence of ours, it ends with a stop."""

import pytest

from record.texts import ended


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("CS/2026/118", "CS/2026/118."),
        ("Supplier answered \n", "Supplier answered."),
        ("It was (as agreed)", "It was (as agreed)."),
        ("Done.", "Done."),
        ("Is it?", "Is it?"),
        ("He said “no.”", "He said “no.”"),
        ("Two posts […]", "Two posts […]"),
        ("", ""),
    ],
)
def test_a_text_that_ends_with_no_stop_is_given_one(text, shown):
    assert ended(text) == shown
