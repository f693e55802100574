"""What an owner of the database may do to the record, who has lifted what guards it."""

import datetime

from django.db import connection, models
from django.utils import timezone


def drop_constraints():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass, conname FROM pg_constraint "
            "WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace"
        )
        for table, name in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')


def run(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def different(field, value):
    """Another value that ``field`` can hold."""
    if isinstance(field, models.BooleanField):
        return not value
    if isinstance(field, models.DateTimeField):
        return (value or timezone.now()) + datetime.timedelta(microseconds=1)
    if isinstance(field, models.DateField):
        return (value or datetime.date(2022, 11, 22)) + datetime.timedelta(days=1)
    if isinstance(field, models.BinaryField):
        return bytes(value) + b"\0"
    if isinstance(field, models.IntegerField | models.ForeignKey):
        return (value or 0) + 1000
    if isinstance(field, models.JSONField):
        return {**(value or {}), "another": 1000}
    return f"{value[:-1]}~"
