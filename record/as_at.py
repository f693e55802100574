"""The day that a page is asked about, and how much it may know: made once at the edge, passed down whole."""

import datetime
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from django.core.exceptions import BadRequest

from record.dates import EXAMPLE_DAYS, end_of, read_edtf, say_day, typed_date

# The board's record begins with the council itself, in 2019. No day before it can be asked about or entered.
EARLIEST = datetime.date(2019, 1, 1)
LATEST = datetime.date(2099, 12, 31)


@dataclass(frozen=True)
class AsAt:
    """What is asked: how things stood at the end of ``day``, asked on the day ``today``.

    ``known`` is a moment, an aware datetime: only what had been recorded before it counts. None means
    everything that is recorded by now.
    """

    today: datetime.date
    day: datetime.date
    known: datetime.datetime | None

    @classmethod
    def now(cls, today):
        """How things stand today, with all that is recorded."""
        return cls(today=today, day=today, known=None)

    @classmethod
    def then(cls, day, *, today):
        """How things stood at the end of ``day``, as was known by then."""
        return cls(today=today, day=day, known=end_of(day))

    @property
    def until(self):
        """The moment before which all of it happened: ``known`` or, without that, the end of the day."""
        return self.known or end_of(self.day)

    @property
    def is_past(self):
        return self.day != self.today

    @property
    def is_as_known_then(self):
        """Whether nothing is shown that was recorded after the day asked about."""
        return self.is_past and self.known is not None and self.known <= end_of(self.day)

    @cached_property
    def query(self):
        """The query string, with its question mark, that keeps the day on a link; "" for today."""
        if not self.is_past:
            return ""
        known = {"known": "then"} if self.known else {}
        return "?" + urlencode({"as_at": self.day.isoformat(), **known})


def read_as_at(parameters, *, today):
    """The AsAt that the query ``parameters`` ask for; raises BadRequest, in plain words, if they cannot."""
    text, known = parameters.get("as_at"), parameters.get("known")
    day = today if text is None else day_typed(text)
    if day > today:
        raise BadRequest(
            f"{say_day(day)} is in the future. The board’s record runs up to today, {say_day(today)}."
        )
    if day < EARLIEST:
        raise BadRequest(
            f"{say_day(day)} is before the record begins. The earliest date is {say_day(EARLIEST)}."
        )
    if known not in (None, "then"):
        raise BadRequest("The address may say known=then, and nothing else after known.")
    return AsAt.then(day, today=today) if known and day != today else AsAt(today, day, None)


def day_typed(text):
    """The day that somebody typed, in an address or in a box; raises BadRequest, in plain words, if none."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        pass  # as a person types it, then
    try:
        date = read_edtf(typed_date(text))
        if date.precision != "day":
            raise ValueError("This is a month or a year, and a page is about a day")
    except ValueError as error:
        raise BadRequest(f"{error}. Enter a date like {EXAMPLE_DAYS}") from None
    return date.first
