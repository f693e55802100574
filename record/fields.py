"""Columns and constraints that many rows of the record have in common."""

from functools import partial

from django.db import models
from django.db.models import Q

NO_CHILD = "Never enter a child’s name, birth date or case number."

ReferenceField = partial(
    models.CharField,
    max_length=200,
    help_text="Where in the document: a heading, a page or a paragraph, so that anyone can find it.",
)


NoteField = partial(
    models.TextField,
    blank=True,
    help_text=f"Anything a reader should know, such as sources that disagree. {NO_CHILD}",
)

# Set by nobody's form: the admin's page for withdrawing a row asks why.
WithdrawnField = partial(
    models.BooleanField,
    "withdrawn",
    default=False,
    editable=False,
    help_text="Entered by mistake: from then on it counts on no day, and stays to be read, struck through.",
)


def source_document(**options):
    """The foreign key to the document that a fact comes from; documents cannot be deleted."""
    return models.ForeignKey(
        "record.Document",
        models.PROTECT,
        related_name="+",
        help_text="The document that this fact comes from.",
        **options,
    )


def made_at_meeting():
    """The foreign key to the meeting at which something was decided; empty if between meetings."""
    return models.ForeignKey(
        "record.Meeting",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="decided at",
        help_text="The meeting of the board at which it was decided. Its day is the day of the decision.",
    )


def one_of(field, choices):
    """The database constraint that ``field`` holds one of ``choices``."""
    return models.CheckConstraint(
        condition=Q(**{f"{field}__in": choices.values}),
        name=f"%(app_label)s_%(class)s_{field}_is_known",
        violation_error_message=f"Choose one of the listed values for {field.replace('_', ' ')}.",
    )


def not_blank(field):
    """The database constraint that the text ``field`` is not empty."""
    return models.CheckConstraint(
        condition=~Q(**{field: ""}),
        name=f"%(app_label)s_%(class)s_{field}_is_given",
        violation_error_message=f"Enter the {field.replace('_', ' ')}.",
    )


# What stands in the place of words that were removed has room in a column of this length or more. A shorter
# one holds a key, a reference number, a date or a digest.
LONGEST_NOTICE = 100


def words_of(model):
    """The columns of ``model`` that hold words somebody chose, which the law may ask to remove."""
    texts = models.CharField | models.TextField | models.BinaryField
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, texts)
        and not (field.choices or field.unique)
        and (field.max_length or LONGEST_NOTICE) >= LONGEST_NOTICE
    ]
