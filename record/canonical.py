"""What a row holds, as text that is the same on every database, and whether SQLite holds it as it should."""

import datetime
import hashlib
import json
from contextlib import suppress
from functools import cache

from django.core.exceptions import ValidationError
from django.db import DataError, OperationalError, connection, models

# Raised for what an owner of the database wrote into a column, which the site never would have: on SQLite
# anything at all, on PostgreSQL a day without end. See also unless_away().
ODD = (ValueError, TypeError, AttributeError, OverflowError, DataError)
# What is said and stored as it is: a text in a column of texts, a number in one of numbers.
_PLAIN = {
    str: (models.CharField, models.TextField),
    int: (models.IntegerField, models.ForeignKey),
}
_JSON = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def unless_away(error):
    """Raise the ``error`` of reading a row anew where it tells that the database does not let itself be read.

    That, like a lock, has nothing to do with what the row holds. SQLite has no name of its own for what
    cannot be decoded, and calls a column that is gone its plainest.
    """
    if isinstance(error, OperationalError):
        if connection.vendor != "sqlite":
            raise error
        if getattr(error.__cause__, "sqlite_errorname", "SQLITE_ERROR") != "SQLITE_ERROR":
            raise error


def canonical(row, links=()):
    """The content of ``row``, and of its ``links``, pairs of a name and the keys it links to, as text.

    Empty values are left out, so that a column added later, empty on old rows, keeps their digests.
    """
    content = {name: keys for name, keys in links if keys}
    for field, name, plain in _columns(type(row)):
        value = getattr(row, name)
        if value is not None and type(value) is not plain:
            value = _said(field, value)
        if not (value is None or value is False or value == ""):
            content[name] = value
    return _JSON.encode(content)


@cache  # a long history has millions of values, most of them plain
def _columns(model):
    """Each field of ``model``, the name of its value, and the type of what is plain in it, or None."""
    return [
        (field, field.attname, next((kind for kind, of in _PLAIN.items() if isinstance(field, of)), None))
        for field in model._meta.concrete_fields
    ]


def _said(field, value):
    """What ``canonical`` has of a ``value`` that is not plain."""
    with suppress(ValidationError):  # what an owner wrote into a column of SQLite may be anything
        value = field.to_python(value)
    if isinstance(field, models.BinaryField):
        return hashlib.sha256(bytes(value)).hexdigest()
    if isinstance(field, models.DateTimeField) and value is not None:
        return value.astimezone(datetime.UTC).isoformat(timespec="microseconds")
    if isinstance(field, models.DateField) and value is not None:
        return value.isoformat()
    return value


def stored_otherwise(model, rows):
    """The keys of those of ``rows``, {key: row}, that SQLite holds in another form than the site would write.

    A date written as a number reads as the same date, but is sorted and compared as something else.
    """
    key = model._meta.pk.column
    # With a plus it has no type declared, by which it would be converted.
    held = ", ".join(f'+"{field.column}"' for field in model._meta.concrete_fields)
    marks = ", ".join(["%s"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT "{key}", {held} FROM "{model._meta.db_table}" WHERE "{key}" IN ({marks})', [*rows]
        )
        return {pk for pk, *found in cursor.fetchall() if not _is_as_the_site_would(rows[pk], found)}


def first_with_no_number(model):
    """The place in its table of SQLite of the first row with a column that holds no number, or None."""
    is_odd = " OR ".join(f"typeof(\"{f.column}\") <> 'integer'" for f in model._meta.concrete_fields)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT rowid FROM "{model._meta.db_table}" WHERE {is_odd} ORDER BY rowid')
        found = cursor.fetchone()
    return found and found[0]


def _is_as_the_site_would(row, found):
    """Whether the values ``found`` of ``row`` are of the kinds, and the same, as the site wrote them."""
    try:
        written = [
            # Nothing is nothing in a column of JSON too, where it would otherwise be the word for it.
            value if value is None or type(value) is plain else _as_stored(field, value)
            for field, name, plain in _columns(type(row))
            for value in [getattr(row, name)]
        ]
    except ODD:
        return False
    return found == written and [*map(type, found)] == [*map(type, written)]


def _as_stored(field, value):
    """What SQLite gives back of the ``value`` of ``field``, which is not plain, where the site wrote it."""
    value = field.get_db_prep_value(value, connection)
    if value is None:
        return None
    for kind in (int, str):
        if isinstance(value, kind):
            return kind(value)
    return bytes(value)
