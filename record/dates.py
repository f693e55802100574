"""Dates from the outside world, as imprecise as they were said: stored, bounded, printed and typed.

A date is an EDTF string (ISO 8601-2:2019). We use the part of it that the record needs: a day, a month
or a year, each perhaps inferred (``2022-11?``) or approximate (``2024~``); an interval (``a/b``); one day
of a set (``[a..b]``, ``[a..]``, ``[..b]``); and the empty string for a date that is not stated.
"""

import datetime
import re
import threading
from dataclasses import dataclass
from functools import lru_cache

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from edtf import parse_edtf
from edtf.parser.edtf_exceptions import EDTFParseException

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
ACCEPTED_YEARS = f"Enter a date from {YEARS[0]} to {YEARS[-1]}."

# Or each of the first readers after a restart would have the same dates parsed, all at once.
ONE_AT_A_TIME = threading.Lock()
SINGLE = re.compile(r"(?P<date>\d{4}(-\d\d(-\d\d)?)?)(?P<mark>[?~]?)")


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


@lru_cache(maxsize=4096)
def read_edtf(text):
    """Return the PartialDate that the EDTF string ``text`` stands for; raise ValueError if it is none."""
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
    try:
        first, last = _bounds(text)
    except (EDTFParseException, ValueError) as error:
        raise ValueError(f"{text!r} is not a real date") from error
    parts = match["date"].count("-")
    if parts == 1 and not 1 <= int(text[5:7]) <= 12:
        raise ValueError(f"{text!r} is a season, not a month")
    if first.year not in YEARS:
        raise OutsideYears(f"{text!r} is outside {YEARS[0]} to {YEARS[-1]}")
    words = (
        f"{first.year}",
        f"{MONTHS[first.month - 1]} {first.year}",
        f"{first.day} {MONTHS[first.month - 1]} {first.year}",
    )[parts]
    if match["mark"] == "?":
        words += ", year inferred"
    if match["mark"] == "~":
        words = f"about {words}"
        last = None
    return PartialDate(text, first, last, ("year", "month", "day")[parts], words)


def _bounds(text):
    if len(text) == len("2022-11-22"):
        # A plain day needs no grammar, and the parser takes milliseconds over each.
        day = datetime.date.fromisoformat(text)
        return day, day
    with ONE_AT_A_TIME:
        return _parsed(text)


@lru_cache(maxsize=4096)
def _parsed(text):
    parsed = parse_edtf(text)
    return tuple(datetime.date(*day[:3]) for day in (parsed.lower_strict(), parsed.upper_strict()))


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
        beside = _single((date.first + datetime.timedelta(days=step)).isoformat())
        return f"{preposition} {beside}, exact date not stated"
    return f"{date} {alternative}, exact date not stated"


def say(text):
    """Return the EDTF string ``text`` in plain words: "4 to 5 October 2022", "Not stated"."""
    return read_edtf(text).words


def say_day(day):
    """Return the calendar day ``day`` in GOV.UK style: "22 November 2022"."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def say_moment(moment):
    """Return an aware datetime in London and GOV.UK style: "22 November 2022 at 5:30pm".

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
    """Return the moment at which ``day`` ends in London, an aware datetime."""
    return start_of(day + datetime.timedelta(days=1))


def start_of(day):
    """The moment at which ``day`` begins in London, an aware datetime."""
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time()))


def typed_date(text):
    """Return the EDTF string for a day, month or year as a person types it; raise ValueError otherwise.

    Accepts 22/11/2022, 22 November 2022, November 2022 and 2024, in any capitals. A number without a
    month name ("22/11") and two numbers ("11/2022") are refused: neither says which day is meant.
    """
    text = " ".join(text.split())
    months = "|".join(MONTHS)
    match = re.fullmatch(
        rf"(?:(?P<d>\d\d?)/(?P<m>\d\d?)/|(?:(?P<day>\d\d?) )?(?P<month>{months}) |)(?P<year>\d{{4}})",
        text,
        re.IGNORECASE | re.ASCII,
    )
    if not match:
        raise ValueError(f"{text!r} is not in a form that is accepted")
    edtf = match["year"]
    month = match["m"] or (match["month"] and MONTHS.index(match["month"].capitalize()) + 1)
    if month:
        edtf += f"-{int(month):02}"
    if day := match["d"] or match["day"]:
        edtf += f"-{int(day):02}"
    read_edtf(edtf)
    return edtf


def printed_date(text):
    """Return the EDTF string for a date as this record prints it, or as ``typed_date`` takes it.

    This lets the secretariat save a row whose date is a span, open, inferred or approximate without
    changing it; raise ValueError for anything else.
    """
    text = " ".join(text.split())
    plain = text.removesuffix(", exact date not stated")
    mark = "?" if plain.endswith(", year inferred") else ""
    plain = plain.removesuffix(", year inferred")
    if match := re.fullmatch(r"between (.+) and (.+)", plain):
        edtf = f"[{typed_date(match[1])}..{typed_date(match[2])}]"
    elif match := re.fullmatch(r"(.+) to (.+)", plain):
        end = match[2].split()
        start = match[1].split()
        whole = start + end[len(start) :] if len(start) < len(end) else start
        edtf = f"{typed_date(' '.join(whole))}{mark}/{typed_date(match[2])}{mark}"
    elif match := re.fullmatch(r"(after|before) (.+)", plain):
        beside = read_edtf(typed_date(match[2]))
        if beside.precision != "day":
            raise ValueError(f"{text!r} names no day")
        step = datetime.timedelta(days=1 if match[1] == "after" else -1)
        day = (beside.first + step).isoformat()
        edtf = f"[{day}..]" if match[1] == "after" else f"[..{day}]"
    elif match := re.fullmatch(r"(.+) or (later|earlier)", plain):
        edge = typed_date(match[1])
        edtf = f"[{edge}..]" if match[2] == "later" else f"[..{edge}]"
    elif plain.startswith("about "):
        edtf = typed_date(plain.removeprefix("about ")) + "~"
    else:
        edtf = typed_date(plain) + mark
    read_edtf(edtf)
    return edtf


class EdtfFormField(forms.CharField):
    """A text box for an imprecise date. It cleans to an EDTF string.

    ``as_printed`` also takes back whatever this record prints, for the forms that edit old rows.
    """

    def __init__(self, *, as_printed=False, **kwargs):
        self.read = printed_date if as_printed else typed_date
        kwargs.setdefault("help_text", ACCEPTED_FORMS.replace("Enter a date like", "For example"))
        super().__init__(**kwargs)

    def prepare_value(self, value):
        try:
            return say(value) if value else value
        except ValueError:
            return value

    def to_python(self, value):
        value = super().to_python(value)
        if value in self.empty_values:
            return ""
        try:
            return self.read(value)
        except OutsideYears as error:
            raise ValidationError(ACCEPTED_YEARS, code="outside_years") from error
        except ValueError as error:
            raise ValidationError(ACCEPTED_FORMS, code="imprecise_date") from error


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
    """Return the column for the first day an EdtfField may mean; empty where there is none."""
    return models.DateField(null=True, blank=True, editable=False, db_index=True)


last_day = first_day
