"""Imprecise dates: what they may mean, how they print, what a person may type."""

import datetime

import pytest
from django import forms
from hypothesis import assume, example, given
from hypothesis import strategies as st

from record.dates import YEARS, DayFormField, EdtfFormField, end_of, read_edtf, say, typed_date, typed_dates
from record.models import Document

DAY = datetime.date

FORMS = "Enter a date like 22/11/2022, November 2022 or 2024."


class OfficersForm(forms.Form):
    due = EdtfFormField()


class SecretariatsForm(forms.Form):
    """With the box that the admin shows for a date of a row."""

    published = Document._meta.get_field("published").formfield()


class DayForm(forms.Form):
    day = DayFormField()


def held(text):
    """Whether the record can hold ``text``: an interval may end before it starts."""
    try:
        return bool(read_edtf(text))
    except ValueError:
        return False


def dates_of_the_record():
    """Every kind of EDTF string that the record can hold."""
    days = st.dates(DAY(YEARS[0], 1, 2), DAY(YEARS[-1], 12, 30)).map(str)
    length = st.sampled_from([len("2022"), len("2022-11"), len("2022-11-22")])
    plain = st.builds(lambda day, length: day[:length], days, length)
    single = st.builds(str.__add__, plain, st.sampled_from(["", "?", "~"]))
    edge = st.just("") | single
    return st.one_of(
        single,
        st.builds("{}/{}".format, single, single),
        st.builds("[{}..{}]".format, edge, edge),
    ).filter(held)


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
        ("[1990-01-01..]", DAY(1990, 1, 1), None, "after 31 December 1989, exact date not stated"),
        ("[..2099-12-31]", None, DAY(2099, 12, 31), "before 1 January 2100, exact date not stated"),
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
        ("22.11.2022", "2022-11-22"),
        ("22.11.22", "2022-11-22"),
        ("22/11/22", "2022-11-22"),
        ("22-11-2022", "2022-11-22"),
        ("22 11 2022", "2022-11-22"),
        ("2022-11-22", "2022-11-22"),
        ("2022/11/22", "2022-11-22"),
        ("22 November 2022", "2022-11-22"),
        ("1 Nov 2022", "2022-11-01"),
        ("1st November 2022", "2022-11-01"),
        ("2nd NOV 22", "2022-11-02"),
        ("22-Nov-2022", "2022-11-22"),
        ("November 22nd, 2022", "2022-11-22"),
        ("November 2022", "2022-11"),
        ("Nov 2022", "2022-11"),
        ("Sept 2022", "2022-09"),
        ("  november   2022 ", "2022-11"),
        ("2024", "2024"),
        ("29/02/2024", "2024-02-29"),
    ],
)
def test_officers_type_a_day_a_month_or_a_year_in_any_form_that_reads_one_way(typed, edtf):
    assert typed_date(typed) == edtf
    assert OfficersForm({"due": typed}).is_valid()


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("31 November 2022", "31 November does not exist"),
        ("31/02/2026", "31 February does not exist"),
        ("0/11/2022", "0 November does not exist"),
        ("29/02/2027", "2027 has no 29 February"),
        ("29 Feb 2023", "2023 has no 29 February"),
        ("11/22/2022", "There is no month 22"),
        ("00/00/2022", "There is no month 0"),
        ("22/11", "Say which year"),
        ("22 November", "Say which year"),
        ("November", "Say which year"),
        ("Nov 22", "Say which year"),
        ("22 2022", "Say which month, as a word"),
        ("11/2022", "Say which month, as a word"),
        ("2010-11", "Say which month, as a word"),
        ("01-02-03", "Write the year in full"),
        ("Movember 2022", "“Movember” is not a month"),
        ("Ma 2022", "“Ma” is not a month"),
        ("early 2023", "“early” is not a month"),
        ("mid-2024", "“mid” is not a month"),
        ("about 2024", "“about” is not a month"),
        ("4-5 October 2022", "This is not a day, a month or a year"),
        ("22/11-2022", "This is not a day, a month or a year"),
        ("2022-10-04/2022-10-05", "This is not a day, a month or a year"),
        ("2024~", "This is not a day, a month or a year"),
        ("٢٠٢٤", "This is not a day, a month or a year"),
    ],
)
def test_anything_else_stays_as_typed_with_the_reason_and_the_accepted_forms(typed, reason):
    with pytest.raises(ValueError) as error:
        typed_date(typed)
    assert str(error.value) == reason
    form = OfficersForm({"due": typed})
    assert form.errors == {"due": [f"{reason}. {FORMS}"]}
    assert form["due"].value() == typed


@pytest.mark.parametrize("typed", ["9999", "31/12/1989", "January 2100", "0000", "00/00/0000"])
def test_a_year_that_no_board_can_mean_is_an_error_that_says_which_can_be_meant(typed):
    assert OfficersForm({"due": typed}).errors == {"due": ["Enter a date from 1990 to 2099."]}


@given(dates_of_the_record())
def test_a_date_left_as_it_was_shown_is_saved_as_it_is_stored(text):
    before = {"published": text}
    shown = SecretariatsForm(initial=before)["published"].value()
    assert shown == say(text)

    form = SecretariatsForm({"published": shown}, initial=before)

    assert (form.is_valid(), form.cleaned_data, form.changed_data) == (True, before, [])


@given(dates_of_the_record(), dates_of_the_record())
def test_the_secretariat_can_enter_any_date_in_the_notation_it_is_stored_in(before, text):
    form = SecretariatsForm({"published": text}, initial={"published": before})

    assert (form.is_valid(), form.cleaned_data) == (True, {"published": text})
    assert form["published"].value() == text
    assert form.changed_data == ([] if before == text else ["published"])


@given(st.dates(DAY(YEARS[0], 1, 1), DAY(YEARS[-1], 12, 31)))
def test_a_day_is_the_same_in_every_form_it_may_be_typed_in(day):
    forms_of_it = ["%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y-%m-%d", "%d %b %Y", "%d %B %Y", "%B %d, %Y"]
    assert {typed_date(day.strftime(form)) for form in forms_of_it} == {day.isoformat()}


def test_a_date_whose_words_say_less_than_is_stored_keeps_the_rest():
    before = {"published": "2022-10-04?/2022-10-05"}

    form = SecretariatsForm({"published": "4 to 5 October 2022, year inferred "}, initial=before)

    assert (form.is_valid(), form.cleaned_data, form.changed_data) == (True, before, [])


def test_a_box_that_begins_with_a_typed_date_cleans_to_what_is_stored_for_it():
    form = SecretariatsForm({"published": "01/11/2022"}, initial={"published": "01/11/2022"})

    assert (form.is_valid(), form.cleaned_data) == (True, {"published": "2022-11-01"})


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("2022-10-05/2022-10-04", "'2022-10-05/2022-10-04' ends before it starts"),
        ("[..]", "'[..]' names no day"),
        ("2022-13", "There is no month 13"),
        ("November 2022?", "'November 2022?' is not a date that this record can hold"),
    ],
)
def test_a_mistake_in_the_notation_is_an_error_that_says_how_it_is_written(typed, reason):
    errors = SecretariatsForm({"published": typed}).errors
    assert errors == {
        "published": [
            f"{reason}. A less exact date may be in words: about 2024; November 2022, year inferred; 4 to 5 "
            "October 2022; between April 2019 and December 2021; after 5 October 2022; before 1 April 2019; "
            "2022 or later."
        ]
    }


@pytest.mark.once
@example("2024", "2000/2000-01")
@example("2024", "2000-01/2000-05-05")
@given(dates_of_the_record(), dates_of_the_record())
def test_the_secretariat_can_enter_any_date_in_the_words_in_which_pages_print_it(before, text):
    # The day beside the first or the last of all, and a span of which an end is itself not exact, are not.
    assume("1989" not in say(text) and "2100" not in say(text))
    assume(not (set("~?") & set(text) and set("/[") & set(text)))
    form = SecretariatsForm({"published": say(text)}, initial={"published": before})

    assert form.is_valid(), form.errors
    assert say(form.cleaned_data["published"]) == say(text)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("about 2023", "2023~"),
        ("About Nov 2022", "2022-11~"),
        ("November 2022, year inferred", "2022-11?"),
        ("4 to 5 October 2022, year inferred", "2022-10-04?/2022-10-05?"),
        ("between April 2019 and December 2021", "[2019-04..2021-12]"),
        ("after 5 October 2022", "[2022-10-06..]"),
        ("before 1 April 2019", "[..2019-03-31]"),
        ("2022 or later", "[2022..]"),
        ("March 2019 or earlier, exact date not stated", "[..2019-03]"),
    ],
)
def test_a_less_exact_date_is_typed_in_words(typed, stored):
    form = SecretariatsForm({"published": typed}, initial={"published": "2024~"})
    assert (form.is_valid(), form.cleaned_data) == (True, {"published": stored})


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("about spring", "“spring” is not a month"),
        ("between May 2022 and April 2022", "It ends before it begins"),
        ("after November 2022", "Say which day, or write “November 2022 or later”"),
        ("before 2022", "Say which day, or write “2022 or earlier”"),
        ("between April and December 2021", "Say which year"),
    ],
)
def test_words_that_leave_open_which_date_is_meant_are_refused_with_the_reason(typed, reason):
    assert SecretariatsForm({"published": typed}).errors == {"published": [f"{reason}. {FORMS}"]}


def test_a_box_for_a_day_takes_a_day_by_the_same_rule():
    form = DayForm({"day": "22 Nov 2022"}, initial={"day": DAY(2022, 11, 22)})
    assert (form.is_valid(), form.cleaned_data, form.changed_data) == (True, {"day": DAY(2022, 11, 22)}, [])


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("November 2022", "Give the day: 22/11/2022 or 22 November 2022."),
        ("2022", "Give the day: 22/11/2022 or 22 November 2022."),
        (
            "31/11/2022",
            "31 November does not exist. Enter a date like 22/11/2022 or 22 November 2022.",
        ),
        ("22/11/1066", "Enter a date from 1990 to 2099."),
        ("", "This field is required."),
    ],
)
def test_a_box_for_a_day_refuses_what_is_none_and_says_why(typed, error):
    assert DayForm({"day": typed}).errors == {"day": [error]}


def test_a_box_for_a_day_may_be_left_empty_where_none_is_required():
    assert DayFormField(required=False).clean("") is None


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


@pytest.mark.parametrize(
    ("typed", "edtf", "words"),
    [
        ("4 to 5 October 2022", "2022-10-04/2022-10-05", "4 to 5 October 2022"),
        ("4–5 Oct 2022", "2022-10-04/2022-10-05", "4 to 5 October 2022"),
        ("4 - 5 October 2022", "2022-10-04/2022-10-05", "4 to 5 October 2022"),
        ("4 October 2022 to 5 October 2022", "2022-10-04/2022-10-05", "4 to 5 October 2022"),
        ("30 September TO 2 October 2022", "2022-09-30/2022-10-02", "30 September to 2 October 2022"),
        ("4/10/2022 to 5/10/2022", "2022-10-04/2022-10-05", "4 to 5 October 2022"),
        ("22-11-2022", "2022-11-22", "22 November 2022"),
    ],
)
def test_the_days_from_one_to_another_are_read_as_people_type_them(typed, edtf, words):
    assert (typed_dates(typed), say(typed_dates(typed))) == (edtf, words)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("5 to 4 October 2022", "It ends before it begins"),
        ("30 to 31 November 2022", "31 November does not exist"),
        ("4 to 5 October", "Say which year"),
        ("then to now", "“then” is not a month"),
    ],
)
def test_days_that_cannot_be_read_from_one_to_another_are_refused_with_the_reason(typed, reason):
    with pytest.raises(ValueError, match=reason):
        typed_dates(typed)
