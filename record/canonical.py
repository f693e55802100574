"""What a row holds, as text that is the same on every database, and whether SQLite holds it as it should."""

import datetime
import hashlib
import json
from contextlib import suppress

from django.core.exceptions import ValidationError
from django.db import DataError, OperationalError, connection, models

# Raised for what an owner of the database wrote into a column, which the site never would have: on SQLite
# anything at all, on PostgreSQL a day without end. See also unless_away().
ODD = (ValueError, TypeError, AttributeError, OverflowError, DataError)


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
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        with suppress(ValidationError):  # what an owner wrote into a column of SQLite may be anything
            value = field.to_python(value)
        if isinstance(field, models.DateTimeField) and value is not None:
            value = value.astimezone(datetime.UTC).isoformat(timespec="microseconds")
        elif isinstance(field, models.DateField) and value is not None:
            value = value.isoformat()
        elif isinstance(field, models.BinaryField):
            value = hashlib.sha256(bytes(value)).hexdigest()
        if not (value is None or value is False or value == ""):
            content[field.attname] = value
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def stored_otherwise(model, rows):
    """The keys of those of ``rows``, {key: row}, that SQLite holds in another form than the site would write.

    A date written as a number reads as the same date, but is sorted and compared as something else.
    """
    fields, key = model._meta.concrete_fields, model._meta.pk.column
    held = ", ".join(f'typeof("{field.column}"), hex("{field.column}")' for field in fields)
    marks = ", ".join(["%s"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT "{key}", {held} FROM "{model._meta.db_table}" WHERE "{key}" IN ({marks})', [*rows]
        )
        return {pk for pk, *found in cursor.fetchall() if found != _as_the_site_would(fields, rows[pk])}


def first_with_no_number(model):
    """The place in its table of SQLite of the first row with a column that holds no number, or None."""
    is_odd = " OR ".join(f"typeof(\"{f.column}\") <> 'integer'" for f in model._meta.concrete_fields)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT rowid FROM "{model._meta.db_table}" WHERE {is_odd} ORDER BY rowid')
        found = cursor.fetchone()
    return found and found[0]


def _as_the_site_would(fields, row):
    try:
        return [part for field in fields for part in _as_stored(field, row)]
    except ODD:
        return None


def _as_stored(field, row):
    """What SQLite's typeof() and hex() say of the value of ``field`` where the site wrote it."""
    held = getattr(row, field.attname)
    # Nothing is nothing in a column of JSON too, where it would otherwise be the word for it.
    value = held if held is None else field.get_db_prep_value(held, connection)
    if value is None:
        return "null", ""
    if isinstance(value, int):
        return "integer", str(int(value)).encode().hex().upper()
    if isinstance(value, str):
        return "text", value.encode().hex().upper()
    return "blob", bytes(value).hex().upper()
