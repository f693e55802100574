"""What every dated, signed statement has in common.

Statements are only ever added. What stands on a day is worked out from them, so nothing is overwritten.
"""

import datetime
from dataclasses import dataclass
from typing import NamedTuple

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from record.dates import EdtfField, first_day, last_day, read_edtf, years_and_months
from record.fields import NoteField, source_document
from record.signing import name_in, name_of, role_in, signature
from record.sources import source_of
from record.texts import so_many

SAY_WHAT_WAS_WRONG = "Say what was wrong with the earlier entry."


# How many corrections of corrections are followed back to the entry that all of them correct.
FOLLOWED = 4
KEY = models.BigIntegerField()


def place_of(model, path=""):
    """Where a statement stands among others, which come in the order of the ledger: a key, to compare.

    A correction stands in the place of what it corrects: to put a word right makes nothing newer. ``path`` is
    that to the statement, which is of the kind ``model``, from another row: "report__" for instance.
    """
    corrected, earlier = f"{path}corrects_id", []
    for _ in range(FOLLOWED - 1):
        earlier.insert(0, _corrected_by(model, corrected, len(earlier)))
    # Looked up for the few that correct something, and not joined: a database may join by reading all.
    found = Coalesce(*earlier, F(corrected), output_field=KEY)
    return Case(When(**{f"{corrected}__isnull": False}, then=found), default=F(f"{path}id"), output_field=KEY)


def _corrected_by(model, column, further):
    """What is corrected by the row that ``column`` names or, ``further`` on, by what that corrects."""
    rows = model.objects.filter(pk=OuterRef(column))
    if further:
        rows = rows.values(found=_corrected_by(model, "corrects_id", further - 1))
        return Subquery(rows, output_field=KEY)
    return Subquery(rows.values("corrects_id"), output_field=KEY)


def first_of(rows, column):
    """The ``column`` of the first of ``rows``, a queryset, in a query of something else."""
    return Subquery(rows.values(column)[:1])


def its_place(row):
    """The place of one statement that is stored."""
    model = type(row)
    return model.objects.filter(pk=row.pk).values_list(place_of(model), flat=True).get()


def since_it_said(column, path="", followed=FOLLOWED, **said):
    """The ``column`` of the first of a statement, what that corrects and so on, that have ``said`` the same.

    So what was agreed goes on being agreed from the moment that somebody said so, whatever word of it is put
    right afterwards.
    """
    if not followed:
        return F(f"{path}{column}")
    before = f"{path}corrects__"
    same = When(
        **{f"{before}{name}": value for name, value in said.items()},
        then=since_it_said(column, before, followed - 1, **said),
    )
    return Case(same, default=F(f"{path}{column}"))


def with_who_said_first(rows):
    """The statements ``rows``, each that puts words of another among them right with what said so first."""
    by_key = {(row._meta.label, row.pk): row for row in rows}
    for row in rows:
        before = row
        while before.corrects_id and (before := by_key.get((row._meta.label, before.corrects_id))):
            if row.same_by and getattr(before, row.same_by) != getattr(row, row.same_by):
                break
            row.said_first = before
    return rows


class StatementQuerySet(models.QuerySet):
    """The vocabulary of append-only rows: which of them count on a day."""

    def standing(self, at):
        """The rows that count on the day that day: dated by then and neither corrected nor withdrawn.

        Such a row counts on no day, except that with ``at.known`` only what had been recorded before that
        moment is looked at, corrections and withdrawals included.
        """
        rows = self.said(at)
        return rows.filter(~rows.superseding("corrects", at), ~rows.superseding("withdraws", at))

    def said(self, at):
        """The rows that were said by that day, those that count no more among them, but no withdrawal."""
        # Said the other way round, or SQLite would look for the rows that withdraw nothing, which is nearly
        # all of them, by the index that makes ``withdraws`` unique.
        rows = self.filter(~Q(withdraws__isnull=False), dated_first__lte=at.day)
        return rows.filter(known_from__lt=at.known) if at.known else rows

    def standing_since(self, moment, day):
        """The rows that count on ``day``, as is known now, and became known from ``moment`` on.

        They may be very many, so the few that do not count are listed once, and not looked for beside each.
        """
        withdrawals, corrections = (
            self.model.objects.filter(**{f"{how}__isnull": False}).order_by()
            for how in ("withdraws", "corrects")
        )
        out = (withdrawals.values("pk"), withdrawals.values("withdraws"), corrections.values("corrects"))
        rows = self.filter(known_from__gte=moment, dated_first__lte=day)
        return rows.filter(*(~Q(pk__in=keys) for keys in out))

    def putting_right(self):
        """The rows that correct or withdraw another."""
        return self.filter(Q(corrects__isnull=False) | Q(withdraws__isnull=False))

    def superseding(self, how, at):
        """The condition on a row that one which ``how`` ("corrects", "withdraws") is known ``at``."""
        later = self.model.objects.filter(**{how: OuterRef("pk")})
        return Exists(later.filter(known_from__lt=at.known) if at.known else later)

    def in_force(self):
        """The rows, of whatever day, that nobody has corrected or withdrawn by now."""
        return self.filter(withdraws=None, corrected_by=None, withdrawn_by=None)

    def newest_of_each(self, *same):
        """Of these rows the newest, by ``newest_first``, for each value of the columns ``same``."""
        rows = self.alias(place=place_of(self.model))
        later = Q(dated_first__gt=OuterRef("dated_first")) | Q(
            dated_first=OuterRef("dated_first"), place__gt=OuterRef("place")
        )
        return rows.filter(~Exists(rows.filter(later, **{name: OuterRef(name) for name in same})))

    def newest_first(self):
        """The rows by the first day they may be dated, then in the order of their places."""
        return self.order_by("-dated_first", place_of(self.model).desc(), "-pk")

    def oldest_first(self):
        """The same the other way round; of an entry and its corrections what is corrected comes first."""
        return self.order_by("dated_first", place_of(self.model), "pk")


@dataclass(frozen=True)
class Signature:
    """Who stated something, for which day, and when the server took it."""

    row: "Statement"

    @property
    def dated(self):
        return read_edtf(self.row.dated)

    @property
    def recorded_at(self):
        return self.row.recorded_at

    @property
    def correction_reason(self):
        return self.row.correction_reason

    @property
    def source(self):
        return source_of(self.row)

    @property
    def first(self):
        """The statement that said so first: whoever puts a word of it right does not say it in its place."""
        return self.row.said_first or self.row

    @property
    def by(self):
        """Who stated it, in words."""
        return f"loaded from {self.first.document.title}" if self.first.document_id else self.first.signed

    @property
    def put_right_by(self):
        """Who put words of it right, in words, if that is not who stated it; else ""."""
        return self.row.signed if self.row.signed != self.first.signed else ""

    @property
    def name_now(self):
        """What the account that stated it is called today, if that is another name than then, else ""."""
        name = name_of(self.first.recorded_by)
        return name if name != name_in(self.first.signed) else ""

    @property
    def role(self):
        """The role in which it was stated, a word, or "" where it was loaded from a document."""
        return role_in(self.first.signed)

    @property
    def days_late(self):
        """How many days after the last day it speaks of it was recorded; 0 if not late."""
        if self.row.document_id or self.row.dated_last is None:
            return 0
        return max(0, (timezone.localdate(self.first.recorded_at) - self.row.dated_last).days)

    @property
    def lateness(self):
        """Words like "recorded 3 weeks later" where it was recorded after the day it speaks of, else ""."""
        return f"recorded {span_in_words(self.days_late)} later" if self.days_late else ""


def span_in_words(days):
    """A number of days, 1 or more, in whole units: "12 days", "3 weeks", "4 months", "1 year 11 months"."""
    if days >= 365:
        return years_and_months(12 * (days // 365) + min(days % 365 // 30, 11))
    for least, size, unit in ((30, 30, "month"), (14, 7, "week"), (1, 1, "day")):
        if days >= least:
            return so_many(days // size, unit)
    return "0 days"


@dataclass(frozen=True)
class Superseded:
    """That an entry counts no more: who corrected or withdrew it, when and why."""

    by: str
    recorded_at: datetime.datetime
    reason: str
    is_withdrawn: bool

    @property
    def words(self):
        return "Withdrawn" if self.is_withdrawn else "Corrected"


class Said(NamedTuple):
    """What a statement says in history: what it was before, what it is now, and why or how."""

    was: str
    now: str
    text: str


class Statement(models.Model):
    """The columns of every append-only row: what day it speaks of, who recorded it and when.

    ``dated`` is what the board means by "as at"; ``recorded_at`` is the server's clock. A row that
    ``corrects`` an earlier one takes its place, and says why. A row that ``withdraws`` one says that it was
    made in error: it repeats what that one said, and says nothing itself.
    """

    append_only = True
    time_field = "recorded_at"
    # The foreign key to what it is about; each kind says its own.
    subject_field = ""
    # The column by which a correction says the same as what it corrects, so that only words were put right.
    same_by = ""
    # The first of what it corrects that said the same, where `with_who_said_first` found one.
    said_first = None

    dated = EdtfField(help_text="The day this speaks of. It cannot be in the future.")
    dated_first = first_day()
    dated_last = last_day()
    recorded_at = models.DateTimeField(editable=False)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    signed = models.CharField(
        max_length=200, blank=True, editable=False, help_text="The recorder’s name and role at the time."
    )
    known_from = models.DateTimeField(
        editable=False,
        help_text="When it became known: when it was recorded or, if first loaded, when its document "
        "may first have been published.",
    )
    corrects = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="corrected_by"
    )
    withdraws = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, editable=False, related_name="withdrawn_by"
    )
    correction_reason = models.TextField(
        "why it is corrected",
        max_length=500,
        blank=True,
        help_text="What was wrong with the earlier entry. It stays on the record, struck through.",
    )
    document = source_document(null=True, blank=True)
    reference = models.CharField(max_length=200, blank=True)
    note = NoteField()

    objects = StatementQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(recorded_by=None, signed="", document__isnull=False)
                | Q(recorded_by__isnull=False, document=None) & ~Q(signed=""),
                name="%(app_label)s_%(class)s_has_recorder_or_document",
                violation_error_message="An entry is recorded by a person or loaded from a document.",
            ),
            models.CheckConstraint(
                condition=Q(corrects=None, withdraws=None, correction_reason="")
                | Q(corrects__isnull=False, withdraws=None) & ~Q(correction_reason="")
                | Q(corrects=None, withdraws__isnull=False) & ~Q(correction_reason=""),
                name="%(app_label)s_%(class)s_correction_has_reason",
                violation_error_message=SAY_WHAT_WAS_WRONG,
            ),
            models.CheckConstraint(
                condition=Q(dated_first__isnull=False),
                name="%(app_label)s_%(class)s_is_dated",
                violation_error_message="Enter the day this speaks of.",
            ),
        ]

    @classmethod
    def about_path(cls):
        """The look-up from a row of this kind to the row of the record that it is about in the end."""
        subject = cls._meta.get_field(cls.subject_field).related_model
        further = f"__{subject.about_path()}" if issubclass(subject, Statement) else ""
        return f"{cls.subject_field}{further}"

    @classmethod
    def path_to(cls, model):
        """The look-up from a row of this kind to a row of ``model``, or None if it is about no such row."""
        field = None
        for name in cls.about_path().split("__"):
            field = (field.related_model if field else cls)._meta.get_field(name)
        return cls.about_path() if field.related_model is model else None

    @classmethod
    def told(cls, rows):
        """``rows`` of this kind, in their order, as they are shown. Each kind may say more."""
        return list(rows)

    @property
    def subject(self):
        """What it is about, which may be another statement."""
        return getattr(self, self.subject_field)

    @property
    def about(self):
        """The row of the record that it is about in the end, whose page shows it."""
        return self.subject.about if isinstance(self.subject, Statement) else self.subject

    @property
    def admin_address(self):
        """The address at which it is read, corrected and withdrawn."""
        return reverse(f"admin:{self._meta.app_label}_{self._meta.model_name}_change", args=[self.pk])

    def as_said(self):
        """How history shows it, a Said. Each kind may say more."""
        return Said(was="", now=self.in_words(), text="")

    @property
    def signature(self):
        return Signature(self)

    @property
    def decides_from(self):
        """The first day on which it can have been decided: that of what it decides about, or None."""
        return self.subject.dated_first if isinstance(self.subject, Statement) else None

    def superseded(self, at):
        """The Superseded of this row as known ``at``, or None; a withdrawal says more than a correction."""
        for name in ("withdrawn_by", "corrected_by"):
            later = getattr(self, name, None)
            if later and (at.known is None or later.known_from < at.known):
                return Superseded(
                    by=name_in(later.signed),
                    recorded_at=later.recorded_at,
                    reason=later.correction_reason,
                    is_withdrawn=name == "withdrawn_by",
                )
        return None

    def withdrawal(self, *, by, reason):
        """A new row, not saved, by which the account ``by`` withdraws this one for a ``reason``."""
        own = {"recorded_at", "recorded_by", "signed", "known_from", "corrects", "withdraws", "document"}
        said = {
            field.attname: getattr(self, field.attname)
            for field in self._meta.concrete_fields
            if not field.primary_key and field.name not in {*own, "reference", "correction_reason"}
        }
        return type(self)(
            withdraws=self, correction_reason=reason, recorded_by=by, signed=signature(by), **said
        )

    def clean(self):
        supersedes = self.corrects_id or self.withdraws_id
        if supersedes and not self.correction_reason:
            raise ValidationError({"correction_reason": SAY_WHAT_WAS_WRONG})
        if self.correction_reason and not supersedes:
            raise ValidationError({"correction_reason": "Only a correction has a reason here."})


def statement_kinds():
    """Every kind of statement there is: whatever inherits one, so that none can be forgotten."""
    return [model for model in apps.get_models() if issubclass(model, Statement)]


def labels_among(rows_of_kinds):
    """The labels of those of the querysets, each of another kind of statement, that have any row."""
    first, *others = (
        rows.order_by().annotate(kind=Value(rows.model._meta.label)).values_list("kind", flat=True)
        for rows in rows_of_kinds
    )
    return first.union(*others)
