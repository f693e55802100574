"""What every dated, signed statement has in common, and the statuses that statements may give.

Statements are only ever added. What stands on a day is worked out from them, so nothing is overwritten.
"""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from record.dates import EdtfField, first_day, last_day
from record.fields import NoteField, source_document


class StatementQuerySet(models.QuerySet):
    """The vocabulary of append-only rows: which of them count on a day."""

    def standing(self, at):
        """Return the rows that count on the day that day: dated by then and not superseded.

        A superseded row counts on no day, except that with ``at.known`` only what had been recorded before that
        moment is looked at, corrections included.
        """
        corrections = self.model.objects.filter(corrects=OuterRef("pk"))
        rows = self.filter(dated_first__lte=at.day)
        if at.known:
            rows, corrections = (r.filter(known_from__lt=at.known) for r in (rows, corrections))
        return rows.filter(~Exists(corrections))

    def newest_first(self):
        """Return the rows by the first day they may be dated, then in the order they were added."""
        return self.order_by("-dated_first", "-pk")


class Statement(models.Model):
    """The columns of every append-only row: what day it speaks of, who recorded it and when.

    ``dated`` is what the board means by "as at"; ``recorded_at`` is the server's clock. A row that
    ``corrects`` an earlier one supersedes it, and says why.
    """

    append_only = True
    time_field = "recorded_at"
    # The foreign key to what it is about; each kind says its own.
    subject_field = ""

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
    correction_reason = models.CharField(
        "why it is corrected",
        max_length=500,
        blank=True,
        help_text="What was wrong with the earlier entry. It stays on the record, marked as corrected.",
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
                condition=Q(corrects=None, correction_reason="")
                | Q(corrects__isnull=False) & ~Q(correction_reason=""),
                name="%(app_label)s_%(class)s_correction_has_reason",
                violation_error_message="Say why the earlier entry is corrected.",
            ),
            models.CheckConstraint(
                condition=Q(dated_first__isnull=False),
                name="%(app_label)s_%(class)s_is_dated",
                violation_error_message="Enter the day this speaks of.",
            ),
        ]

    @property
    def subject(self):
        """What it is about."""
        return getattr(self, self.subject_field)

    def days_late(self):
        """Return how many days after the last day it speaks of this was recorded; 0 if not late."""
        if self.document_id or self.dated_last is None:
            return 0
        return max(0, (timezone.localdate(self.recorded_at) - self.dated_last).days)

    def clean(self):
        if self.corrects_id and not self.correction_reason:
            raise ValidationError({"correction_reason": "Say why the earlier entry is corrected."})
        if self.correction_reason and not self.corrects_id:
            raise ValidationError({"correction_reason": "Only a correction has a reason here."})
