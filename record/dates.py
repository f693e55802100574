"""Dates from the outside world, as imprecise as they were said: stored, bounded, printed and typed.

A date is an EDTF string (ISO 8601-2:2019). We use the part of it that the record needs: a day, a month
or a year, each perhaps inferred (``2022-11?``) or approximate (``2024~``); an interval (``a/b``); one day
of a set (``[a..b]``, ``[a..]``, ``[..b]``); and the empty string for a date that is not stated.
"""

import calendar
import datetime
import re
from dataclasses import dataclass
from functools import lru_cache

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from record.texts import so_many

YEARS = range(1990, 2100)
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
ACCEPTED_FORMS = "Enter a date like 22/11/2022, November 2022 or 2024."
EXAMPLE_DAYS = "22/11/2022 or 22 November 2022."
ACCEPTED_YEARS = f"Enter a date from {YEARS[0]} to {YEARS[-1]}."
# How to write a date that is none of ACCEPTED_FORMS, for whoever may enter one: as pages print it.
LESS_EXACT = (
    "A less exact date may be in words: about 2024; November 2022, year inferred; 4 to 5 October 2022; "
    "between April 2019 and December 2021; after 5 October 2022; before 1 April 2019; 2022 or later."
)

SINGLE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?([?~]?)", re.ASCII)
# What is in the notation of EDTF, rightly or not, and in no form that people type.
NOTATED = re.compile(r"\[.*|.*[?~]|\d{4}-\d\d|\d{4}.*/\d{4}.*", re.ASCII)
TYPED = [
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        r"(?P<day>\d\d?)([/. -])(?P<month>\d\d?)(\2(?P<year>\d{4}))?",
        r"(?P<day>\d\d?)([/. ])(?P<month>\d\d?)\2(?P<year>\d\d)",
        r"(?P<year>\d{4})([/. -])(?P<month>\d\d?)\2(?P<day>\d\d?)",
        r"(?P<day>\d\d?)(st|nd|rd|th)?[ -](?P<month>[a-z]+)([ -](?P<year>\d{4}|\d\d))?",
        r"(?P<month>[a-z]+)[ -](?P<day>\d\d?)(st|nd|rd|th)?([ -](?P<year>\d{4}))?",
        r"(?P<day>)(?P<month>[a-z]+)([ -](?P<year>\d{4}))?",
        r"(?P<day>)(?P<month>)(?P<year>\d{4})",
    )
]
# A month and its year in numbers look like a span of years, "2010-11"; 01-02-03 may begin with its year.
FROM_TO = re.compile(r"(?P<start>.+?)(?: to | ?[–—] ?| - )(?P<end>.+)", re.IGNORECASE)
UNCLEAR = {
    r"\d\d?(st|nd|rd|th)?[/. -]\d{4}|\d{4}[/. -]\d\d?": "Say which month, as a word",
    r"\d\d?-\d\d?-\d\d": "Write the year in full",
    r"q[1-4][ /-]?\d\d(\d\d)?|\d{4}[ /-]?q[1-4]": "Say which month, not which quarter",
}


class OutsideYears(ValueError):
    """A real date, but none that an improvement board can mean."""


@dataclass(frozen=True)
class PartialDate:
    """A date as it was said. ``first`` and ``last`` are the days it may mean, None where unbounded.

    Approximate, open and missing dates have no ``last`` day, so nothing that rests on one can ever
    be overdue.
    """

    text: str
    first: datetime.date | None
    last: datetime.date | None
    precision: str
    words: str

    def __str__(self):
        return self.words

    def __bool__(self):
        return bool(self.text)

    @property
    def month_words(self):
        """It where room is short and the day does not matter: "Aug 2026"; as it was said if no single day."""
        is_a_day = self.first == self.last and self.text == str(self.first)
        return f"{MONTHS[self.first.month - 1][:3]} {self.first.year}" if is_a_day else self.words


@lru_cache(maxsize=4096)
def read_edtf(text):
    """The PartialDate that the EDTF string ``text`` stands for; a ValueError says why it is none."""
    if not text:
        return PartialDate("", None, None, "", "Not stated")
    if text.startswith("[") and text.endswith("]") and text.count("..") == 1:
        return _one_of_a_set(text)
    if text.count("/") == 1:
        return _interval(text)
    return _single(text)


def _single(text):
    match = SINGLE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a date that this record can hold")
    year, month, day = (part and int(part) for part in match.group(1, 2, 3))
    if year not in YEARS:
        raise OutsideYears(f"{year} is outside {YEARS[0]} to {YEARS[-1]}")
    if month not in (None, *range(1, 13)):
        raise ValueError(f"There is no month {month}")
    last_of_month = calendar.monthrange(year, month or 12)[1]
    if day not in (None, *range(1, last_of_month + 1)):
        if (day, month) == (29, 2):
            raise ValueError(f"{year} has no 29 February")
        raise ValueError(f"{day} {MONTHS[month - 1]} does not exist")
    words = " ".join(str(part) for part in (day, month and MONTHS[month - 1], year) if part)
    first = datetime.date(year, month or 1, day or 1)
    last = datetime.date(year, month or 12, day or last_of_month)
    if match[4] == "?":
        words += ", year inferred"
    if match[4] == "~":
        words, last = f"about {words}", None
    return PartialDate(text, first, last, "day" if day else "month" if month else "year", words)


def _interval(text):
    start, end = (_single(part) for part in text.split("/"))
    if start.first > end.first:
        raise ValueError(f"{text!r} ends before it starts")
    inferred = ", year inferred" if start.text.endswith("?") or end.text.endswith("?") else ""
    left, right = (part.words.removesuffix(", year inferred").split() for part in (start, end))
    # "4 October 2022 to 5 October 2022" is said as "4 to 5 October 2022".
    while len(left) > 1 and len(left) <= len(right) and left[-1] == right[len(left) - 1]:
        left.pop()
    words = " ".join(left + ["to"] + right) + inferred
    return PartialDate(text, start.first, end.last, start.precision, words)


def _one_of_a_set(text):
    start_text, end_text = text[1:-1].split("..")
    if not start_text and not end_text:
        raise ValueError(f"{text!r} names no day")
    start = _single(start_text) if start_text else None
    end = _single(end_text) if end_text else None
    if start and end:
        if start.first > (end.last or end.first):
            raise ValueError(f"{text!r} ends before it starts")
        words = f"between {start} and {end}"
    elif start:
        words = _boundary(start, -1, "after", "or later")
    else:
        words = _boundary(end, 1, "before", "or earlier")
    first, last = start and start.first, end and end.last
    return PartialDate(text, first, last, "", words)


def _boundary(date, step, preposition, alternative):
    if date.precision == "day":
        beside = say_day(date.first + datetime.timedelta(days=step))
        return f"{preposition} {beside}, exact date not stated"
    return f"{date} {alternative}, exact date not stated"


def say(text):
    """The EDTF string ``text`` in plain words: "4 to 5 October 2022", "Not stated"."""
    return read_edtf(text).words


def say_day(day):
    """The calendar day ``day`` in GOV.UK style: "22 November 2022"."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def say_moment(moment):
    """An aware datetime in London and GOV.UK style: "22 November 2022 at 5:30pm".

    Midnight is the end of the day before: "12am" leaves a reader guessing which day is meant.
    """
    local = timezone.localtime(moment)
    if local.time() == datetime.time():
        return f"the end of {say_day(local - datetime.timedelta(days=1))}"
    if local.time() == datetime.time(12):
        return f"{say_day(local)} at midday"
    minutes = f":{local.minute:02}" if local.minute else ""
    half = "am" if local.hour < 12 else "pm"
    return f"{say_day(local)} at {local.hour % 12 or 12}{minutes}{half}"


def end_of(day):
    """The moment at which ``day`` ends in London, an aware datetime."""
    return start_of(day + datetime.timedelta(days=1))


def start_of(day):
    """The moment at which ``day`` begins in London, an aware datetime."""
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time()))


def typed_date(text):
    """The EDTF string for a day, a month or a year as a person types it.

    Takes each form that can be read in one way only, in any capitals: 22/11/2022, 22.11.22, 22-11-2022,
    2022-11-22, 1 Nov 2022, 1st November 2022, November 2022 and 2024. A year of two digits is one of this
    century. A ValueError says why anything else is refused: "31 November does not exist".
    """
    text = " ".join(text.replace(",", " ").split())
    for form, reason in UNCLEAR.items():
        if re.fullmatch(form, text, re.ASCII | re.IGNORECASE):
            raise ValueError(reason)
    match = next(filter(None, (form.fullmatch(text) for form in TYPED)), None)
    if not match:
        raise ValueError("This is not a day, a month or a year")
    day, month, year = match.group("day", "month", "year")
    if month.isalpha():
        month = _number_of_month(month)
    if not year:
        raise ValueError("Say which year")
    year = year if len(year) == 4 else f"20{year}"
    edtf = "-".join(str(part).zfill(2) for part in (year, month, day) if part)
    read_edtf(edtf)
    return edtf


def typed_dates(text):
    """As ``typed_date``, or from one date to another: 4 to 5 October 2022, 30 September – 2 October 2022.

    What is not said of the first is that of the last.
    """
    match = FROM_TO.fullmatch(" ".join(text.split()))
    if not match:
        return typed_date(text)
    start, end = match["start"].split(), match["end"].split()
    if not re.fullmatch(r"\d{4}", start[-1]):
        start += end[len(start) :]
    first, last = typed_date(" ".join(start)), typed_date(" ".join(end))
    if read_edtf(first).first > read_edtf(last).first:
        raise ValueError("It ends before it begins")
    return f"{first}/{last}"


def typed_in_words(text):
    """As ``typed_dates``, or less exact, in the words of ``say``: about 2024, after 5 October 2022."""
    text = re.sub(r",? exact date not stated$", "", " ".join(text.split()))
    for form, written in LESS_EXACTLY:
        if match := form.fullmatch(text):
            return written(*match.groups())
    return typed_dates(text)


def _between(start, end):
    first, last = typed_date(start), typed_date(end)
    if read_edtf(first).first > read_edtf(last).last:
        raise ValueError("It ends before it begins")
    return f"[{first}..{last}]"


def _day_beside(text, step):
    date = read_edtf(typed_date(text))
    if date.precision != "day":
        raise ValueError(f"Say which day, or write “{date} or {'later' if step > 0 else 'earlier'}”")
    return date.first + datetime.timedelta(days=step)


LESS_EXACTLY = [
    (re.compile(form, re.IGNORECASE), written)
    for form, written in (
        (r"about (.+)", lambda date: f"{typed_date(date)}~"),
        (r"(.+?),? year inferred", lambda date: "/".join(f"{d}?" for d in typed_dates(date).split("/"))),
        (r"between (.+) and (.+)", _between),
        (r"after (.+)", lambda day: f"[{_day_beside(day, 1)}..]"),
        (r"before (.+)", lambda day: f"[..{_day_beside(day, -1)}]"),
        (r"(.+) or later", lambda date: f"[{typed_date(date)}..]"),
        (r"(.+) or earlier", lambda date: f"[..{typed_date(date)}]"),
    )
]


def _number_of_month(name):
    """1 for "January", "jan" and whatever else of three letters or more it begins with."""
    for number, month in enumerate(MONTHS, start=1):
        if len(name) >= 3 and month.lower().startswith(name.lower()):
            return number
    raise ValueError(f"“{name}” is not a month")


def _cleaned(read, text, accepted):
    """What ``read`` makes of ``text``. A ValidationError gives the reason it has none, then ``accepted``."""
    try:
        return read(text)
    except OutsideYears as error:
        raise ValidationError(ACCEPTED_YEARS, code="outside_years") from error
    except ValueError as error:
        raise ValidationError(f"{error}. {accepted}", code="imprecise_date") from error


class EdtfBox(forms.BoundField):
    def value(self):
        # Django would have what was typed prepared too, and "2024~" would come back as words.
        return self.data if self.form.is_bound and not self.field.disabled else super().value()


class EdtfFormField(forms.CharField):
    """A text box for an imprecise date. It shows one in words, and cleans to an EDTF string.

    ``as_printed`` is for the forms that edit old rows: a date left as it was shown is kept as it is stored,
    whatever it is, and a less exact one may be entered in words or in the notation of EDTF.
    """

    bound_field_class = EdtfBox

    def __init__(self, *, as_printed=False, **kwargs):
        self.as_printed = as_printed
        example = ACCEPTED_FORMS.replace("Enter a date like", "For example")
        if as_printed:
            kwargs["help_text"] = f"{kwargs.get('help_text') or example} {LESS_EXACT}"
        super().__init__(**{"help_text": example, **kwargs})

    def prepare_value(self, value):
        try:
            return say(value) if value else value
        except ValueError:
            return value

    def to_python(self, value):
        value = super().to_python(value)
        if value in self.empty_values:
            return ""
        if self.as_printed and NOTATED.fullmatch(value):
            return _cleaned(read_edtf, value, LESS_EXACT).text
        return _cleaned(typed_in_words if self.as_printed else typed_date, value, ACCEPTED_FORMS)

    def has_changed(self, initial, data):
        return not self._is_as_shown(initial, data) and super().has_changed(initial, data)

    def _clean_bound_field(self, bf):
        if self._is_as_shown(bf.initial, bf.data):
            return bf.initial
        return super()._clean_bound_field(bf)

    def _is_as_shown(self, stored, typed):
        """Whether ``typed`` is what the box showed for the EDTF string ``stored``.

        A box may also begin with a date as people type it, which is shown as it is and read like any other.
        """
        shown = self.prepare_value(stored)
        return self.as_printed and shown != stored and shown == " ".join((typed or "").split())


class DayFormField(forms.DateField):
    """A text box for one exact day, typed as ``typed_date`` takes it. It cleans to a datetime.date."""

    def to_python(self, value):
        if value in self.empty_values or isinstance(value, datetime.date):
            return super().to_python(value)
        date = read_edtf(_cleaned(typed_date, value, f"Enter a date like {EXAMPLE_DAYS}"))
        if date.precision != "day":
            raise ValidationError(f"Give the day: {EXAMPLE_DAYS}", code="imprecise_date")
        return date.first


class EdtfField(models.CharField):
    """An EDTF string; before each save it fills ``<name>_first`` and ``<name>_last`` beside it.

    Declare those two, with first_day() and last_day(), after this field: rows are written in the order
    of declaration, so that save, create and bulk_create all store the same bounds.
    """

    description = "A date as imprecise as it was said (EDTF, ISO 8601-2)"

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("max_length", 40)
        super().__init__(*args, **kwargs)

    def pre_save(self, model_instance, add):
        text = super().pre_save(model_instance, add)
        self._fill_bounds(model_instance, text)
        return text

    def clean(self, value, model_instance):
        text = super().clean(value, model_instance)
        # Constraints on the bounds are checked by full_clean too, which runs before pre_save.
        self._fill_bounds(model_instance, text)
        return text

    def _fill_bounds(self, model_instance, text):
        date = read_edtf(text)
        setattr(model_instance, f"{self.name}_first", date.first)
        setattr(model_instance, f"{self.name}_last", date.last)

    def validate(self, value, model_instance):
        super().validate(value, model_instance)
        try:
            read_edtf(value)
        except ValueError as error:
            raise ValidationError(ACCEPTED_FORMS, code="imprecise_date") from error

    def formfield(self, **kwargs):
        return super(models.CharField, self).formfield(
            **{"form_class": EdtfFormField, "as_printed": True, "max_length": 60, **kwargs}
        )


def first_day():
    """The column for the first day an EdtfField may mean; empty where there is none."""
    return models.DateField(null=True, blank=True, editable=False, db_index=True)


last_day = first_day


def years_and_months(months):
    """A number of months, 1 or more: "1 year 11 months", "2 years", "7 months"."""
    parts = zip(divmod(months, 12), ("year", "month"), strict=True)
    return " ".join(so_many(count, unit) for count, unit in parts if count)
