"""Imprecise dates: what they may mean, how they print, what a person may type."""

import datetime

import pytest
from django import forms

from record.dates import EdtfFormField, end_of, printed_date, read_edtf, say, typed_date
from record.models import Document

DAY = datetime.date


@pytest.mark.parametrize(
    ("text", "first", "last", "words"),
    [
        ("", None, None, "Not stated"),
        ("2022-11-22", DAY(2022, 11, 22), DAY(2022, 11, 22), "22 November 2022"),
        ("2022-11", DAY(2022, 11, 1), DAY(2022, 11, 30), "November 2022"),
        ("2022-11?", DAY(2022, 11, 1), DAY(2022, 11, 30), "November 2022, year inferred"),
        ("2024", DAY(2024, 1, 1), DAY(2024, 12, 31), "2024"),
        ("2024-02", DAY(2024, 2, 1), DAY(2024, 2, 29), "February 2024"),
        ("2024~", DAY(2024, 1, 1), None, "about 2024"),
        ("2022-10-04/2022-10-05", DAY(2022, 10, 4), DAY(2022, 10, 5), "4 to 5 October 2022"),
        (
            "2022-10-04?/2022-10-05?",
            DAY(2022, 10, 4),
            DAY(2022, 10, 5),
            "4 to 5 October 2022, year inferred",
        ),
        ("2022-11-28/2022-12-02", DAY(2022, 11, 28), DAY(2022, 12, 2), "28 November to 2 December 2022"),
        ("2020/2022", DAY(2020, 1, 1), DAY(2022, 12, 31), "2020 to 2022"),
        ("[2019-04..2021-12]", DAY(2019, 4, 1), DAY(2021, 12, 31), "between April 2019 and December 2021"),
        (
            "[2022-10-06..2022-12]",
            DAY(2022, 10, 6),
            DAY(2022, 12, 31),
            "between 6 October 2022 and December 2022",
        ),
        ("[2022-10-06..]", DAY(2022, 10, 6), None, "after 5 October 2022, exact date not stated"),
        ("[..2019-03-31]", None, DAY(2019, 3, 31), "before 1 April 2019, exact date not stated"),
        ("[2022-10..]", DAY(2022, 10, 1), None, "October 2022 or later, exact date not stated"),
    ],
)
def test_a_date_means_no_more_than_was_said(text, first, last, words):
    date = read_edtf(text)
    assert (date.first, date.last, date.words) == (first, last, words)


@pytest.mark.parametrize(
    "text",
    [
        "2022-21",
        "2022-13",
        "2022-02-31",
        "1066",
        "2022-1X",
        "2022%",
        "22/11/2022",
        "[..]",
        "a/b",
        "2022-10-05/2022-10-04",
        "x",
    ],
)
def test_what_the_record_cannot_hold_is_refused(text):
    with pytest.raises(ValueError):
        read_edtf(text)


@pytest.mark.parametrize(
    ("typed", "edtf"),
    [
        ("22/11/2022", "2022-11-22"),
        ("1/2/2023", "2023-02-01"),
        ("22 November 2022", "2022-11-22"),
        ("November 2022", "2022-11"),
        ("  november   2022 ", "2022-11"),
        ("2024", "2024"),
        ("29/02/2024", "2024-02-29"),
    ],
)
def test_officers_type_a_day_a_month_or_a_year(typed, edtf):
    assert typed_date(typed) == edtf


@pytest.mark.parametrize(
    "typed",
    [
        "4-5 October 2022",
        "22/11",
        "11/2022",
        "22 November",
        "early 2023",
        "mid-2024",
        "about 2024",
        "31/02/2026",
        "29/02/2027",
        "0000",
        "00/00/0000",
        "2022-11-22",
        "٢٠٢٤",
        "Movember 2022",
        "22/11/22",
    ],
)
def test_anything_else_is_an_error_that_shows_the_accepted_forms(typed):
    class Form(forms.Form):
        due = EdtfFormField()

    form = Form({"due": typed})
    assert form.errors == {"due": ["Enter a date like 22/11/2022, November 2022 or 2024."]}


@pytest.mark.parametrize("typed", ["9999", "31/12/1989", "January 2100"])
def test_a_year_that_no_board_can_mean_is_an_error_that_says_which_can_be_meant(typed):
    class Form(forms.Form):
        due = EdtfFormField()

    assert Form({"due": typed}).errors == {"due": ["Enter a date from 1990 to 2099."]}


@pytest.mark.parametrize(
    "edtf",
    [
        "2022-11-22",
        "2022-11",
        "2022-11?",
        "2024",
        "2024~",
        "2022-10-04/2022-10-05",
        "2022-10-04?/2022-10-05?",
        "2022-11-28/2022-12-02",
        "[2019-04..2021-12]",
        "[2022-10-06..2022-12]",
        "[2022-10-06..]",
        "[..2019-03-31]",
        "[2022-10..]",
        "2020/2022",
    ],
)
def test_the_secretariat_can_save_a_date_as_it_prints(edtf):
    assert printed_date(say(edtf)) == edtf


@pytest.mark.django_db
def test_save_create_and_bulk_create_store_the_same_bounds():
    made = {"title": "Report", "publisher": "A newspaper", "reference": "Page 1"}
    saved = Document(key="saved", published="2022-11?", **made)
    saved.save()
    Document.objects.create(key="created", published="2022-11?", **made)
    Document.objects.bulk_create([Document(key="bulk", published="2022-11?", **made)])
    rows = Document.objects.order_by("key").values_list("key", "published_first", "published_last")
    november = (DAY(2022, 11, 1), DAY(2022, 11, 30))
    assert list(rows) == [("bulk", *november), ("created", *november), ("saved", *november)]


def test_a_day_ends_at_midnight_in_london_on_the_days_the_clocks_change():
    assert end_of(DAY(2026, 3, 29)).isoformat() == "2026-03-30T00:00:00+01:00"
    assert end_of(DAY(2026, 10, 25)).isoformat() == "2026-10-26T00:00:00+00:00"
    assert end_of(DAY(2026, 6, 30)).isoformat() == "2026-07-01T00:00:00+01:00"
