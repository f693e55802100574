"""Questions that are put into SQL once, and asked again and again for other days and rows.

Django takes many times as long to put a question of a position into SQL as the database takes to answer it,
and the SQL is the same for every day and row that it is asked about.
"""

import copy
import datetime
from functools import lru_cache

from django.db import connection
from django.utils import timezone

from record.as_at import AsAt

# Days, moments and keys that no record holds, two of each: what they leave in the SQL shows what is to be
# put in their place, and what depends on them in another way.
DAYS = (datetime.date(7001, 3, 1), datetime.date(8112, 11, 30))
TODAYS = (datetime.date(7002, 7, 9), datetime.date(8114, 2, 3))
MOMENTS = tuple(datetime.datetime(year, 5, 17, 11, 13, tzinfo=datetime.UTC) for year in (7003, 8115))
FIRST_KEYS = (7_000_000_001, 8_000_000_001)


def ask(question, at, *others, keys=None):
    """The list that the queryset ``question(at, *others, keys)`` gives; ``keys`` are left out where None.

    ``question`` is a function of a module, and what it gives depends on nothing but its arguments: ``others``
    can be hashed, and what it makes of the day is a number of days before or after it. It raises ValueError
    where that is not so. Of no keys it gives no rows.
    """
    if keys is None:
        return _answer(question, at, others, None)
    if not keys:
        return []
    # So that a few questions do for every number of keys. A key asked for twice is found once.
    keys = [*keys, *[keys[-1]] * ((1 << (len(keys) - 1).bit_length()) - len(keys))]
    return _answer(question, at, others, keys)


def _answer(question, at, others, keys):
    number = None if keys is None else len(keys)
    zone = timezone.get_current_timezone_name()
    rows, compiler, sql, values = _prepared(question, others, at.known is not None, number, zone)
    compiler = copy.copy(compiler)
    compiler.connection = connection
    parameters = tuple(value(at, keys) for value in values)
    compiler.as_sql = lambda: (sql, parameters)
    rows = rows.all()
    rows.query.get_compiler = lambda *_, **__: compiler
    return list(rows)


@lru_cache(maxsize=256)
def _prepared(question, others, is_as_known, number, zone):
    """The queryset of a question, its compiler, its SQL, and a function of AsAt and keys for each value."""

    def stand_in(which):
        at = AsAt(TODAYS[which], DAYS[which], MOMENTS[which] if is_as_known else None)
        keys = None if number is None else list(range(FIRST_KEYS[which], FIRST_KEYS[which] + number))
        with connection.execute_wrapper(_refuse):
            rows = question(at, *others) if keys is None else question(at, *others, keys)
            compiler = rows.query.get_compiler(connection=connection)
            return rows, compiler, *compiler.as_sql()

    (rows, compiler, sql, values), (_, _, other_sql, other_values) = stand_in(0), stand_in(1)
    if sql != other_sql:
        raise ValueError(f"{question.__name__} asks something else of another day.")
    compiler.connection = None
    return rows, compiler, sql, [_value(*pair) for pair in zip(values, other_values, strict=True)]


def _refuse(*_):
    raise ValueError("A question that is prepared once may not depend on what the database holds now.")


def _value(one, other):
    """A function of an AsAt and keys that gives what stands where ``one`` and ``other`` stood for them."""
    if one == other:
        return lambda at, keys: one
    for place_of in (_key, _moment, _day):
        if (found := place_of(one, other)) is not None:
            return found
    raise ValueError(f"{one!r} can be had in no known way of a day, a moment or a key.")


def _key(one, other):
    if isinstance(one, int) and one - FIRST_KEYS[0] == other - FIRST_KEYS[1]:
        place = one - FIRST_KEYS[0]
        return lambda at, keys: keys[place]
    return None


def _moment(one, other):
    adapted = connection.ops.adapt_datetimefield_value
    if (one, other) == tuple(adapted(moment) for moment in MOMENTS):
        return lambda at, keys: adapted(at.known)
    return None


def _day(one, other):
    adapted = connection.ops.adapt_datefield_value
    try:
        after, other_after = (
            datetime.date.fromisoformat(str(value)) - day
            for value, day in zip((one, other), DAYS, strict=True)
        )
    except ValueError:
        return None
    return (lambda at, keys: adapted(at.day + after)) if after == other_after else None
