"""What the history of a row says of each version: which fields changed, from what to what, in plain words."""

from collections import namedtuple
from itertools import zip_longest

from django import template
from django.contrib.auth.models import User
from django.db import models
from django.utils.text import capfirst
from simple_history.models import DeletedObject
from simple_history.utils import get_m2m_reverse_field_name

from visits.dates import EdtfField, say, say_day
from visits.forms import name_of

register = template.Library()

Change = namedtuple("Change", "label was now")


@register.filter
def with_changes(records):
    """Yield each of ``records``, newest first, with its Changes since the one after it.

    The package's own are cut in the middle when long, and show values as Python writes them.
    """
    records = list(records)
    for record, before in zip_longest(records, records[1:]):
        delta = record.diff_against(before, foreign_keys_are_objs=True) if before else None
        yield record, [in_words(record, change) for change in delta.changes] if delta else []


def in_words(record, change):
    field = record.instance_type._meta.get_field(change.field)
    return Change(
        capfirst(field.verbose_name), value_in_words(field, change.old), value_in_words(field, change.new)
    )


def value_in_words(field, value):
    """Return what a version said in ``field``, or "" if that was nothing."""
    if field.many_to_many:
        name = get_m2m_reverse_field_name(field)
        return ", ".join(str(getattr(link[name], "ref", link[name])) for link in value)
    if value is None or value == "" or isinstance(value, DeletedObject) and value.pk is None:
        return ""
    if isinstance(field, EdtfField):
        return say(value)
    if isinstance(field, models.DateField):
        return say_day(value)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, User):
        return name_of(value)
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    return str(value)
