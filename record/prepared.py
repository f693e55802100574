"""Questions that are put into SQL once, and asked again and again for other days and rows.

Django takes many times as long to put a question of a position into SQL as the database takes to answer it,
and the SQL is the same for every day and row that it is asked about.
"""

import copy
import datetime
import re
from functools import cache, lru_cache

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.utils import timezone

from record.as_at import AsAt
from record.dates import end_of, start_of

# Days, moments and keys that no record holds: what they leave in the SQL shows what is to be put in their
# place. The second of each shows that nothing depends on them in another way. They are a century apart, so
# that none is another's.
DAYS = (datetime.date(7001, 3, 1), datetime.date(8112, 11, 30))
TODAYS = (datetime.date(7150, 7, 9), datetime.date(8264, 2, 3))
MOMENTS = tuple(datetime.datetime(year, 5, 17, 11, 13, tzinfo=datetime.UTC) for year in (7503, 8615))
FIRST_KEYS = (7_000_000_001, 8_000_000_001)
FIRST_DAYS = (datetime.date(7301, 1, 1), datetime.date(8401, 1, 1))
LONGEST = 80 * 365  # days that one may be before or after the one asked about, and the most days or keys
OF_NO_RECORD = re.compile(r"(69|7\d)\d\d-\d\d-\d\d")


def ask(question, at, *others, keys=None, days=None):
    """The list that the queryset ``question(at, *others, keys, days)`` gives, without those that are None.

    Both are lists. The last of each may be there several times, the same number of times.

    ``question`` is a function of a module, and what it gives depends on nothing but its arguments: ``others``
    can be hashed, and what it makes of the day is a number of days before or after it, or the moment at which
    it ends; of the first of ``days`` also that at which it begins. Where that is not so it raises ValueError:
    always where settings.PREPARED_IS_PROVED, as in the tests, and else if the values show it. Of no keys it
    gives no rows.
    """
    if keys is not None:
        if not keys:
            return []
        # So that a few questions do for every number of keys. A key asked for twice is found once.
        more = (1 << (len(keys) - 1).bit_length()) - len(keys)
        keys = [*keys, *[keys[-1]] * more]
        # A day by itself is asked of all of them.
        days = days and [*days, *[days[-1]] * (more if len(days) > 1 else 0)]
    numbers = tuple(listed and len(listed) for listed in (keys, days))
    zone = timezone.get_current_timezone_name()
    is_as_known = at.known is not None
    rows, compiler, sql, values, converters = _prepared(question, others, is_as_known, numbers, zone)
    compiler = copy.copy(compiler)
    # Itself, and not what stands for the connection of whatever thread: it is asked for each column.
    compiler.connection = connections[DEFAULT_DB_ALIAS]
    compiler.get_converters = lambda _: converters
    parameters = tuple(value(at, keys, days) for value in values)
    compiler.as_sql = lambda: (sql, parameters)
    rows = rows.all()
    rows.query.get_compiler = lambda *_, **__: compiler
    return list(rows)


@lru_cache(maxsize=1024)
def _prepared(question, others, is_as_known, numbers, zone):
    """The queryset of a question, its compiler, its SQL, for each value a function of what is asked.

    And how what the database gives in each column is converted, which takes long to find out too. What asks
    for one key in a list is put into SQL for one, and made longer for more, which takes no time.
    """
    keys, days = numbers
    if keys and keys > 1 and days in (None, 1):
        of_one = _put_into_sql(question, others, is_as_known, (1, days), zone)
        if _is_longer(of_one):
            return _for_keys(of_one, keys)
    return _put_into_sql(question, others, is_as_known, numbers, zone)


LISTED = ("IN (", ")")


def _is_longer(prepared):
    """Whether each key in ``prepared``, a question asked of one, stands in a list that may be made longer."""
    _, _, sql, values, _ = prepared
    parts = sql.split("%s")
    return len(parts) == len(values) + 1 and all(
        before.endswith(LISTED[0]) and after.startswith(LISTED[1])
        for before, after, value in zip(parts, parts[1:], values, strict=False)
        if value is FIRST_KEY
    )


def _for_keys(of_one, number):
    """A question that was ``of_one`` key for that ``number`` of them."""
    rows, compiler, sql, values, converters = of_one
    parts, longer, told = sql.split("%s"), [], []
    for part, value in zip(parts, values, strict=False):
        wanted = [_key_at(place) for place in range(number)] if value is FIRST_KEY else [value]
        longer += [part, ", ".join(["%s"] * len(wanted))]
        told += wanted
    return rows, compiler, "".join([*longer, parts[-1]]), told, converters


@lru_cache(maxsize=1024)
def _put_into_sql(question, others, is_as_known, numbers, zone):
    """What _prepared gives, for these ``numbers`` of keys and days."""

    # Itself, as above: it is asked tens of thousands of times.
    itself = connections[DEFAULT_DB_ALIAS]

    def stand_in(which):
        at = AsAt(TODAYS[which], DAYS[which], MOMENTS[which] if is_as_known else None)
        keys = numbers[0] and [FIRST_KEYS[which] + place for place in range(numbers[0])]
        days = numbers[1] and [_later(FIRST_DAYS[which], place) for place in range(numbers[1])]
        with itself.execute_wrapper(_refuse):
            rows = question(at, *others, *filter(None, [keys, days]))
            compiler = rows.query.get_compiler(connection=itself)
            return (at, keys, days), rows, compiler, *compiler.as_sql()

    _, rows, compiler, sql, found = stand_in(0)
    values = [_value(one) for one in found]
    if settings.PREPARED_IS_PROVED:
        told, _, _, other_sql, wanted = stand_in(1)
        if (sql, [value(*told) for value in values]) != (other_sql, list(wanted)):
            raise ValueError(f"{question.__name__} asks something else of another day.")
    converters = compiler.get_converters([column for column, *_ in compiler.select[: compiler.col_count]])
    compiler.connection = None
    return rows, compiler, sql, values, converters


def _refuse(*_):
    raise ValueError("A question that is prepared once may not depend on what the database holds now.")


def _value(one):
    """A function of what is asked that gives what ``one`` stands for."""
    for place_of in (_key, _moment, _end, _start, _day, _listed_day):
        if (found := place_of(one)) is not None:
            return found
    if OF_NO_RECORD.match(str(one)):
        raise ValueError(f"{one!r} can be had in no known way of a day, a moment or a key.")
    return lambda at, keys, days: one


def _key(one):
    if isinstance(one, int) and 0 <= (place := one - FIRST_KEYS[0]) < LONGEST:
        return _key_at(place)
    return None


@cache  # the same function each time, by which it is known
def _key_at(place):
    return lambda at, keys, days: keys[place]


FIRST_KEY = _key_at(0)


def _moment(one):
    adapted = connection.ops.adapt_datetimefield_value
    return (lambda at, keys, days: adapted(at.known)) if one == adapted(MOMENTS[0]) else None


def _end(one):
    adapted = connection.ops.adapt_datetimefield_value
    return (lambda at, keys, days: adapted(end_of(at.day))) if one == adapted(end_of(DAYS[0])) else None


def _start(one):
    adapted = connection.ops.adapt_datetimefield_value
    is_it = one == adapted(start_of(FIRST_DAYS[0]))
    return (lambda at, keys, days: adapted(start_of(days[0]))) if is_it else None


def _day(one):
    adapted, after = connection.ops.adapt_datefield_value, _days_after(one, DAYS[0])
    if after is None or abs(after) > LONGEST:
        return None
    return lambda at, keys, days: adapted(_later(at.day, after))


def _listed_day(one):
    adapted, place = connection.ops.adapt_datefield_value, _days_after(one, FIRST_DAYS[0])
    if place is None or not 0 <= place < LONGEST:
        return None
    return lambda at, keys, days: adapted(days[place])


def _later(day, number):
    return day + datetime.timedelta(days=number)


def _days_after(one, day):
    """How many days after ``day`` the value ``one`` is, or None where it is no day."""
    try:
        return (datetime.date.fromisoformat(str(one)) - day).days
    except ValueError:
        return None
