"""Figures as their sources give them: a measure, and its values, one for each time that it was taken."""

from django.db import models
from django.urls import reverse

from record.dates import EdtfField, first_day, last_day, say
from record.fields import NO_CHILD, NoteField, ReferenceField, WithdrawnField, not_blank, source_document
from record.statements import Statement
from record.versions import Versions


class MeasureQuerySet(models.QuerySet):
    def begun(self, at):
        """The measures on the board at that day: those that had a value, be it one withdrawn since."""
        measured = MeasureValue.objects.said(at).values("measure")
        return self.filter(is_withdrawn=False, id__in=measured)


class Measure(models.Model):
    """Something that is counted. What it was counted to be on a day is a value."""

    ref = models.CharField("reference number", max_length=10, unique=True, help_text="M01, M02, …")
    name = models.CharField(max_length=200)
    unit = models.CharField(max_length=100, blank=True)
    shows_safety = models.BooleanField(
        "shows whether children are safer",
        default=False,
        help_text="Until a measure says so, the page of trends opens with the words that none does.",
    )
    document = source_document()
    reference = ReferenceField()
    note = NoteField()
    is_withdrawn = WithdrawnField()
    history = Versions()

    objects = MeasureQuerySet.as_manager()

    class Meta:
        ordering = ["ref"]

    def __str__(self):
        return f"{self.ref}: {self.name}"

    def get_absolute_url(self):
        return f"{reverse('trends')}#measures"


class MeasureValue(Statement):
    """A value of a measure. A new month is a new value, never an edit; one figure is not a trend."""

    subject_field = "measure"

    measure = models.ForeignKey(Measure, models.PROTECT, related_name="values")
    value = models.CharField(max_length=100, help_text="As the source words it: over 80%.")
    as_at = EdtfField(blank=True, editable=False, help_text="When it was so; empty if not stated.")
    as_at_first = first_day()
    as_at_last = last_day()
    caveat = models.TextField(blank=True, help_text=f"What the figure does not show. {NO_CHILD}")

    class Meta(Statement.Meta):
        verbose_name = "value of a measure"
        verbose_name_plural = "values of measures"
        indexes = [models.Index(fields=["measure", "dated_first", "id"], name="measure_value_newest")]
        constraints = [*Statement.Meta.constraints, not_blank("value")]

    def __str__(self):
        return f"{self.measure.ref}, {self.value}, {say(self.as_at)}"

    def in_words(self):
        """What it says, without saying of what."""
        return f"{self.value}, as at {say(self.as_at)}" if self.as_at else f"{self.value}, its day not stated"
