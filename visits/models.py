"""What inspectors found: documents, inspections and visits, judgements, findings and other events."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from record.dates import EdtfField, first_day, last_day
from record.fields import (
    NO_CHILD,
    NoteField,
    ReferenceField,
    WithdrawnField,
    not_blank,
    one_of,
    source_document,
)
from record.models import published_by
from record.versions import Versions, recorded

COUNCIL = "BCP Council"


class VisitQuerySet(models.QuerySet):
    def begun(self, at):
        """The visits on the board at that day.

        A visit is there from the first day its date may mean; with no date, from its document's.
        """
        begun = Q(dates_first__lte=at.day) | Q(dates_first=None, document__in=published_by(at))
        return self.filter(begun, is_withdrawn=False)


class VisitKind(models.TextChoices):
    FULL = "full", "Full inspection"
    SHORT = "short", "Short inspection"
    FOCUSED = "focused", "Focused visit"
    MONITORING = "monitoring", "Monitoring visit"
    DIAGNOSTIC = "diagnostic", "Sector-led diagnostic"


class Letter(models.TextChoices):
    HELD = "held", "Visit held"
    AWAITED = "awaited", "Letter awaited"
    RECEIVED = "received", "Letter received, not published"
    PUBLISHED = "published", "Letter or report published"


class Visit(models.Model):
    """An inspection or visit. Only a full or short inspection is graded."""

    GRADED = (VisitKind.FULL, VisitKind.SHORT)

    slug = models.SlugField(unique=True, help_text="The last part of its web address. Never changes.")
    kind = models.CharField(max_length=20, choices=VisitKind)
    number = models.PositiveSmallIntegerField(
        default=0,
        help_text="Its place among visits of its kind: 2 for the second. 0 if not numbered.",
    )
    authority = models.CharField(max_length=100, default=COUNCIL)
    dates = EdtfField(
        "visited",
        blank=True,
        help_text="For example 4 to 5 October 2022. Leave empty if not stated.",
    )
    dates_first = first_day()
    dates_last = last_day()
    published = EdtfField(blank=True, help_text="When the report or letter was published.")
    published_first = first_day()
    published_last = last_day()
    letter = models.CharField("report or letter", max_length=20, choices=Letter, blank=True)
    theme = models.CharField(max_length=200, blank=True)
    inspectors = models.CharField(max_length=200, blank=True)
    document = source_document()
    reference = ReferenceField()
    note = NoteField()
    is_withdrawn = WithdrawnField()
    history = Versions()

    objects = VisitQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("kind", VisitKind),
            models.UniqueConstraint(
                fields=["authority", "kind", "number"],
                condition=~Q(number=0) & Q(is_withdrawn=False),
                name="visits_visit_number_is_unique",
                violation_error_message="There is already a visit of this kind with this number.",
            ),
        ]

    def __str__(self):
        name = self.get_kind_display()
        if self.number:
            name = f"{name} {self.number}"
        return name if self.authority == COUNCIL else f"{name}, {self.authority}"

    def get_absolute_url(self):
        return reverse("visit", args=[self.slug])

    @property
    def is_graded(self):
        """Whether a visit of this kind is given grades (Ofsted's ILACS framework)."""
        return self.kind in self.GRADED

    def clean(self):
        if self.pk and not self.is_graded and self.judgements.exists():
            raise ValidationError(
                {"kind": f"A {self.get_kind_display().lower()} is not graded, and this has grades."}
            )
        priority = FindingKind.PRIORITY
        if self.pk and self.kind != VisitKind.FOCUSED and self.findings.filter(kind=priority).exists():
            raise ValidationError({"kind": "Only a focused visit can set an area for priority action."})


class Framework(models.Model):
    """The rules by which an authority is inspected in some years: what is graded, and on what scale."""

    key = models.SlugField(unique=True)
    name = models.CharField(max_length=100, help_text="As Ofsted names it.")
    ran = models.CharField("the years it ran", max_length=100, blank=True)
    history = Versions()

    class Meta:
        ordering = ["name", "ran", "pk"]

    def __str__(self):
        return f"{self.name}, {self.ran}" if self.ran else self.name


class GradeManager(models.Manager):
    def get_queryset(self):
        """Grades with their framework, without which their names say too little."""
        return super().get_queryset().select_related("framework")


class Grade(models.Model):
    """One step of a framework's scale. A new scale is new rows."""

    framework = models.ForeignKey(Framework, models.PROTECT, related_name="grades")
    key = models.SlugField(help_text="A short name that never changes.")
    name = models.CharField(max_length=100, help_text="Exactly as Ofsted names it.")
    order = models.PositiveSmallIntegerField(help_text="1 for the best.")
    history = Versions()

    objects = GradeManager()

    class Meta:
        ordering = ["framework", "order"]
        constraints = [
            models.UniqueConstraint(
                fields=["framework", "key"],
                name="visits_grade_is_unique_in_framework",
                violation_error_message="This framework already has a grade with this key.",
            ),
        ]

    def __str__(self):
        return f"{self.name} ({self.framework})"


class JudgementArea(models.Model):
    """What a framework grades, named as Ofsted named it in the years the framework ran."""

    key = models.SlugField(unique=True)
    framework = models.ForeignKey(Framework, models.PROTECT, related_name="areas")
    name = models.CharField(max_length=200, help_text="Exactly as Ofsted names it.")
    order = models.PositiveSmallIntegerField()
    history = Versions()

    class Meta:
        ordering = ["framework", "order"]
        constraints = [
            models.UniqueConstraint(
                fields=["framework", "name"],
                name="visits_area_is_unique_in_framework",
                violation_error_message="This framework already grades an area of this name.",
            ),
        ]

    def __str__(self):
        return self.name


def since(visit_day, at):
    """The condition on what a visit gave that it was on the board that day.

    It was from the ``visit_day`` of its visit, "dates" or "published", or from its document where that is not
    stated.
    """
    dated = recorded(Visit, at).filter(**{f"{visit_day}_first__isnull": False})
    by_then = dated.filter(**{f"{visit_day}_first__lte": at.day})
    return Q(visit__in=by_then.values("id")) | ~Q(visit__in=dated.values("id")) & Q(
        document__in=published_by(at)
    )


class JudgementQuerySet(models.QuerySet):
    def begun(self, at):
        """The grades on the board at that day: those whose inspection's result was published."""
        return self.filter(since("published", at), is_withdrawn=False)


class Judgement(models.Model):
    """A grade that an inspection gave to one area."""

    visit = models.ForeignKey(Visit, models.PROTECT, related_name="judgements")
    area = models.ForeignKey(JudgementArea, models.PROTECT, related_name="judgements")
    grade = models.ForeignKey(Grade, models.PROTECT, related_name="judgements")
    document = source_document()
    reference = ReferenceField()
    note = NoteField()
    is_withdrawn = WithdrawnField()
    history = Versions()

    objects = JudgementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["visit", "area"],
                condition=Q(is_withdrawn=False),
                name="visits_judgement_is_unique",
                violation_error_message="This inspection already has a grade for this area.",
            ),
        ]

    def __str__(self):
        return f"{self.area}: {self.grade.name}"

    def get_absolute_url(self):
        return self.visit.get_absolute_url()

    @property
    def in_full(self):
        """What it says, and of which inspection."""
        return f"{self}, {self.visit}"

    def clean(self):
        visit = getattr(self, "visit", None)  # a new visit has no key yet, but it has a kind
        if visit and not visit.is_graded:
            raise ValidationError(
                {
                    "grade": f"A {visit.get_kind_display().lower()} is not graded. "
                    "Only full and short inspections have grades."
                }
            )
        # Until both are chosen there is nothing to compare.
        if self.area_id and self.grade_id and self.area.framework_id != self.grade.framework_id:
            raise ValidationError({"grade": f"Choose a grade of {self.area.framework}."})


class FindingKind(models.TextChoices):
    STRENGTH = "strength", "Strength"
    CONCERN = "concern", "Concern"
    PRIORITY = "priority", "Area for priority action"
    CONTEXT = "context", "Context"


class Attribution(models.TextChoices):
    OFSTED = "ofsted", "Ofsted"
    COUNCIL = "council", "The council"
    ADVISER = "adviser", "The adviser"
    PEER = "peer", "A peer council"


class FindingQuerySet(models.QuerySet):
    def begun(self, at):
        """The findings on the board at that day: from the first day that their visit may have begun."""
        return self.filter(since("dates", at), is_withdrawn=False)


class Finding(models.Model):
    """Something found or claimed, in our words, with whose finding or claim it is."""

    ref = models.CharField("reference number", max_length=10, unique=True, help_text="F01, F02, …")
    visit = models.ForeignKey(Visit, models.PROTECT, null=True, blank=True, related_name="findings")
    kind = models.CharField(max_length=20, choices=FindingKind)
    attribution = models.CharField(
        "whose",
        max_length=20,
        choices=Attribution,
        help_text="Whose finding or claim this is. What the council says is never shown as Ofsted’s.",
    )
    text = models.TextField(help_text=f"In our own words. {NO_CHILD}")
    document = source_document()
    reference = ReferenceField()
    note = NoteField()
    is_withdrawn = WithdrawnField()
    history = Versions()

    objects = FindingQuerySet.as_manager()

    class Meta:
        ordering = ["ref"]
        constraints = [
            one_of("kind", FindingKind),
            one_of("attribution", Attribution),
            not_blank("text"),
            models.CheckConstraint(
                condition=~Q(kind="priority") | Q(attribution="ofsted"),
                name="visits_finding_priority_is_ofsteds",
                violation_error_message="Only Ofsted sets an area for priority action.",
            ),
        ]

    def __str__(self):
        return f"{self.ref}, {self.get_attribution_display()}: {self.text}"

    def get_absolute_url(self):
        return self.visit.get_absolute_url() if self.visit else reverse("visits")

    def clean(self):
        is_focused = self.visit and self.visit.kind == VisitKind.FOCUSED
        if self.kind == FindingKind.PRIORITY and not is_focused:
            raise ValidationError(
                {"kind": "Only a focused visit by Ofsted can set an area for priority action."}
            )


class EventQuerySet(models.QuerySet):
    def begun(self, at):
        """The events on the board at that day: from their date, or from the document that foretells them."""
        happened = Q(kind="event", date_first__lte=at.day)
        return self.filter(happened | Q(document__in=published_by(at)), is_withdrawn=False)


class EventKind(models.TextChoices):
    EVENT = "event", "Event"
    FORECAST = "forecast", "Forecast"


class Event(models.Model):
    """A fact of the timeline that no other row holds, or a forecast of one."""

    ref = models.CharField("reference number", max_length=10, unique=True, help_text="E01, E02, …")
    kind = models.CharField(max_length=20, choices=EventKind, default=EventKind.EVENT)
    date = EdtfField(blank=True)
    date_first = first_day()
    date_last = last_day()
    text = models.TextField(help_text=f"In our own words. {NO_CHILD}")
    document = source_document()
    reference = ReferenceField()
    note = NoteField()
    is_withdrawn = WithdrawnField()
    history = Versions()

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = [F("date_first").asc(nulls_last=True), "ref"]
        constraints = [one_of("kind", EventKind), not_blank("text")]

    def __str__(self):
        return f"{self.ref}: {self.text}"

    def get_absolute_url(self):
        return reverse("visits")
