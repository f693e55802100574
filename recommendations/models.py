"""What was asked and what is being done: recommendations, actions and the statements about them.

By when an action is due stands in due_dates.py.
"""

import datetime
from dataclasses import replace

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Case, F, FilteredRelation, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Least
from django.urls import reverse

from recommendations import acceptance
from recommendations.due_dates import DueDate
from recommendations.lateness import overdue, passed_in_silence
from recommendations.ownership import Ownership
from recommendations.status import ACCEPTED, NOT_REPORTED, OPEN, ROWS, STATUS_WORDS, Status, needing
from record.dates import EdtfField, first_day, last_day, say
from record.fields import (
    NO_CHILD,
    NoteField,
    ReferenceField,
    WithdrawnField,
    made_at_meeting,
    not_blank,
    one_of,
    source_document,
)
from record.models import Document, FromDocumentQuerySet, published_by
from record.prepared import ask
from record.rows import keys_as_at
from record.signing import name_in
from record.statements import Said, Statement, first_of, its_place, place_of
from record.versions import Versions, recorded
from visits.models import Finding


class LeadBasis(models.TextChoices):
    STATED = "stated", "Stated in the report"
    INFERRED = "inferred", "Inferred by us"


class Recommendation(models.Model):
    """One of the adviser's recommendations."""

    number = models.PositiveSmallIntegerField(unique=True)
    title = models.CharField(max_length=120)
    summary = models.TextField(help_text="In our own words; it must make sense alone.")
    official_wording = models.TextField(
        blank=True,
        help_text="The exact words of the report, copied by an officer who has checked them.",
    )
    lead_body = models.CharField(max_length=200)
    lead_basis = models.CharField(
        max_length=10,
        choices=LeadBasis,
        help_text="Does the report name the lead body, or do we infer it?",
    )
    theme = models.CharField(max_length=100)
    is_critical = models.BooleanField("critical", default=False)
    consequence = models.TextField(
        blank=True, help_text="What hangs on it, in our own words. Needed if it is critical."
    )
    extends = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="extended_by")
    findings = models.ManyToManyField(Finding, blank=True, related_name="recommendations")
    document = source_document()
    reference = ReferenceField()
    note = NoteField()
    is_withdrawn = WithdrawnField()
    history = Versions(m2m_fields=[findings])

    objects = FromDocumentQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [
            one_of("lead_basis", LeadBasis),
            models.CheckConstraint(
                condition=Q(is_critical=False) | ~Q(consequence=""),
                name="recommendations_recommendation_critical_has_consequence",
                violation_error_message="Say what hangs on a critical recommendation.",
            ),
        ]

    def __str__(self):
        return f"Recommendation {self.number}: {self.title}"

    def get_absolute_url(self):
        return reverse("recommendation", args=[self.number])


class ActionQuerySet(models.QuerySet):
    def begun(self, at):
        """The actions, or the versions of them, that began by the day asked about: agreed, else published."""
        return self.filter(
            Q(agreed_on_first__lte=at.day) | Q(agreed_on_first=None, document__in=published_by(at)),
            is_withdrawn=False,
        )

    def on_the_board(self, at):
        """The actions on the board that day; with ``at.known``, as what was known of them then says."""
        if at.known is None:
            return self.begun(at)
        return self.filter(pk__in=keys_as_at(self.model, at))

    def owned_by(self, user, at):
        """The actions that ``user`` owned on the day asked about."""
        return self.filter(pk__in=Ownership.objects.of_the_day(at).filter(owner=user).values("action"))

    def statuses_on(self, days, at):
        """For each of ``days``, the statuses of the actions on the board that day, in one query.

        ``at`` says what may be known; its own day is the last of them.
        """
        rows = ask(_statuses_on, at, days=days)
        return [[row[place] for row in rows if row[0] <= day] for place, day in enumerate(days, start=1)]

    def as_at(self, at):
        """The actions on the board that day, annotated with how each stood that day.

        Annotates ``owner_id``, ``owner_signed`` and ``owner_is_open`` (today), ``update_id``,
        ``previous_update_id``, ``status`` (a Status value or NOT_REPORTED), ``updated_on``, ``due_id``,
        ``due_last``, and the claims ``is_open``, ``is_overdue`` (reported open, and the agreed date's last
        day has passed), ``is_silent`` (never reported, and that day has passed) and ``is_stale`` (open,
        reported before, and the last update more than UPDATE_EVERY_DAYS old). With ``at.known``, only what
        had been recorded before that moment is used.
        """
        updates = newest_updates(at, most=2).values("pk")
        due_dates = DueDate.objects.agreed(at).filter(action=OuterRef("pk"))
        owners = Ownership.objects.standing(at).filter(action=OuterRef("pk")).newest_first()
        oldest_fresh = at.day - datetime.timedelta(days=settings.UPDATE_EVERY_DAYS)
        return (
            self.on_the_board(at)
            # Joined, so that each is looked for once, however much is claimed of it.
            .alias(
                newest=FilteredRelation("updates", condition=Q(updates__pk=Subquery(updates[:1]))),
                agreed=FilteredRelation("due_dates", condition=Q(due_dates__pk=first_of(due_dates, "pk"))),
                owned=FilteredRelation("ownerships", condition=Q(ownerships__pk=first_of(owners, "pk"))),
            )
            .annotate(
                owner_id=F("owned__owner"),
                owner_signed=Coalesce("owned__owner_signed", Value("")),
                owner_is_open=Coalesce("owned__owner__is_active", Value(False)),
                status=Coalesce("newest__status", Value(NOT_REPORTED)),
                update_id=F("newest__pk"),
                previous_update_id=Subquery(updates[1:2]),
                updated_on=F("newest__dated_first"),
                due_id=F("agreed__pk"),
                due_last=F("agreed__due_last"),
            )
            .annotate(is_open=true_where(Q(status__in=OPEN)))
            .annotate(
                is_overdue=true_where(overdue(at)),
                is_silent=true_where(passed_in_silence(at)),
                is_stale=true_where(Q(is_open=True, updated_on__lt=oldest_fresh)),
            )
        )


def newest_updates(at, *, most=None):
    """The standing updates of the action of the query that this is put into, newest first.

    With ``most``, 1 or 2, only the newest so many are sure to be among them: with ``at.known`` they are
    found without walking past all that was said of earlier days and entered only later.
    """
    standing = ProgressUpdate.objects.standing(at).filter(action=OuterRef("id"))
    if at.known and most:
        standing = standing.filter(dated_first__gte=_no_older_than(at, most))
    return standing.newest_first()


def _no_older_than(at, most):
    """A day such that ``most`` of the updates that stand ``at``, if there are as many, are of it or later.

    It is the earliest day that the last so many to be recorded speak of.
    """
    standing = ProgressUpdate.objects.standing(at).filter(action=OuterRef(OuterRef("id")))
    days = standing.order_by("-known_from", "-pk").values("dated_first")
    floor = Subquery(days[:1])
    return floor if most == 1 else Least(floor, Coalesce(Subquery(days[1:2]), floor))


def _statuses_on(at, days):
    """The day on which each action on the board began, and its status on each of ``days``."""
    documents = recorded(Document, at).filter(id=OuterRef("document_id")).values("published_first")
    newest = {
        f"on_{place}": Coalesce(first_of(newest_updates(replace(at, day=day)), "status"), Value(NOT_REPORTED))
        for place, day in enumerate(days)
    }
    actions = recorded(Action, at).begun(at)
    actions = actions.annotate(began=Coalesce("agreed_on_first", Subquery(documents)), **newest)
    return actions.values_list("began", *newest)


def true_where(condition):
    """A database expression that is True where ``condition`` holds, and False otherwise."""
    return Case(When(condition, then=True), default=False, output_field=models.BooleanField())


class Action(models.Model):
    """Something an owner does to answer recommendations, or findings."""

    ref = models.CharField(
        "reference number",
        max_length=10,
        unique=True,
        validators=[RegexValidator(r"^A\d{2,4}$", "Write it like A28.")],
        help_text="A28, A29 and so on. Never changes and is never used again.",
    )
    title = models.CharField(max_length=200, help_text=f"What will be done. {NO_CHILD}")
    recommendations = models.ManyToManyField(Recommendation, blank=True, related_name="actions")
    findings = models.ManyToManyField(Finding, blank=True, related_name="actions")
    owner_role = models.CharField(max_length=120, help_text="The role that answers for it.")
    agreed_on = EdtfField(
        blank=True,
        help_text="The date the board agreed it. Leave empty only if it comes from a document.",
    )
    agreed_on_first = first_day()
    agreed_on_last = last_day()
    earlier_misses = models.PositiveSmallIntegerField(
        "deadlines missed before this record began",
        default=0,
        help_text="At least this many, as the document says. Never lowered.",
    )
    document = source_document(null=True, blank=True)
    reference = models.CharField(max_length=200, blank=True, help_text="Where in the document.")
    note = NoteField()
    is_withdrawn = WithdrawnField()
    history = Versions(m2m_fields=[recommendations, findings])

    objects = ActionQuerySet.as_manager()

    class Meta:
        constraints = [
            not_blank("owner_role"),
            models.CheckConstraint(
                condition=~Q(agreed_on="") | Q(document__isnull=False),
                name="recommendations_action_has_beginning",
                violation_error_message="Enter the date the board agreed this, or the document it is from.",
            ),
        ]

    def __str__(self):
        return f"{self.ref}: {self.title}"

    def get_absolute_url(self):
        return reverse("action", args=[self.ref])

    def owner_on(self, at):
        """The account that owned it on the day asked about, or None."""
        newest = ask(_newest_ownership, at, keys=[self.pk])
        return newest[0].owner if newest else None

    def newest_update(self, at):
        """The update that stands on the day asked about, or None."""
        return next(iter(ask(_newest_update, at, keys=[self.pk])), None)

    def clean(self):
        if not self.agreed_on and not self.document_id:
            raise ValidationError(
                {"agreed_on": "Enter the date the board agreed this, or choose its document."}
            )
        if self.pk and not self.recommendations.exists() and not self.findings.exists():
            raise ValidationError("Choose at least one recommendation or finding that it answers.")


def _newest_ownership(at, actions):
    owned = Ownership.objects.standing(at).filter(action__in=actions)
    return owned.select_related("owner").newest_first()[:1]


def _newest_update(at, actions):
    return ProgressUpdate.objects.standing(at).filter(action__in=actions).newest_first()[:1]


def needs(column, *, given):
    """The database constraint that ``given`` holds of an update whose status needs ``column``."""
    words = " and ".join(STATUS_WORDS[status] for status in needing(column))
    label = column.replace("_", " ").replace("recheck on", "later re-check date")
    return models.CheckConstraint(
        condition=~Q(status__in=needing(column)) | given,
        name=f"recommendations_progressupdate_{column}_is_given",
        violation_error_message=f"The {label} is needed for: {words}.",
    )


class ProgressUpdate(Statement):
    """A dated, signed statement of how an action is going."""

    subject_field, same_by = "action", "status"

    action = models.ForeignKey(Action, models.PROTECT, related_name="updates")
    status = models.CharField(max_length=20, choices=Status)
    narrative = models.TextField(
        "what has happened",
        help_text=f"What has been done since the last update. {NO_CHILD}",
    )
    reason = models.TextField(
        blank=True,
        help_text=f"Why it is at risk, off track or closed. Needed for those statuses. {NO_CHILD}",
    )
    recovery_step = models.TextField(
        blank=True,
        help_text=f"What will be done, by whom and by when. Needed for at risk and off track. {NO_CHILD}",
    )
    difference_made = models.TextField(
        "difference made for children",
        blank=True,
        help_text=f"What is better for children because of this, and how you know. {NO_CHILD}",
    )
    evidence = models.TextField(
        blank=True, help_text=f"A link or a reference to what shows it. Needed for complete. {NO_CHILD}"
    )
    recheck_on = models.DateField(
        "re-check on",
        null=True,
        blank=True,
        help_text="The day the board will check that it has held: at least three months after acceptance.",
    )
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    on_behalf_of_signed = models.CharField(
        max_length=200, blank=True, editable=False, help_text="The owner’s name and role at the time."
    )

    meeting = made_at_meeting()

    class Meta(Statement.Meta):
        verbose_name = "progress update"
        permissions = [
            ("accept_progressupdate", "Can accept completion, embedding and closure"),
            ("record_for_owner", "Can record progress on any action, for its owner"),
        ]
        indexes = [
            # Action.objects.as_at reads the newest row of each action from the end of this index. What was
            # not known at the moment asked about is passed over without a look at its row.
            models.Index(fields=["action", "dated_first", "id", "known_from"], name="update_newest"),
            # With a moment asked about, as_at reads what was last recorded of each from the end of this one.
            # Which of those speak of a day is in it too.
            models.Index(fields=["action", "known_from", "id", "dated_first"], name="update_last_heard"),
            # What changed between two meetings looks for what became known since, and among that for the
            # few rows that correct or withdraw others. Of a past day is told how much became known later.
            models.Index(fields=["known_from", "dated_first"], name="update_heard"),
            models.Index(
                fields=["recorded_at"],
                condition=Q(corrects__isnull=False) | Q(withdraws__isnull=False),
                name="update_superseding",
            ),
            # The few that correct one, and the few that finish an action, among very many of it.
            models.Index(
                fields=["action", "dated_first"],
                condition=Q(corrects__isnull=False),
                name="update_correcting",
            ),
            models.Index(
                fields=["action", "recorded_at"],
                condition=Q(status__in=ACCEPTED),
                name="update_finishing",
            ),
        ]
        constraints = [
            *Statement.Meta.constraints,
            one_of("status", Status),
            not_blank("narrative"),
            models.CheckConstraint(
                condition=Q(on_behalf_of=None, on_behalf_of_signed="")
                | Q(on_behalf_of__isnull=False) & ~Q(on_behalf_of_signed=""),
                name="recommendations_progressupdate_on_behalf_is_named",
            ),
            needs("reason", given=~Q(reason="")),
            needs("recovery_step", given=~Q(recovery_step="")),
            needs("evidence", given=~Q(evidence="")),
            needs("recheck_on", given=Q(recheck_on__gt=F("dated_first"))),
            models.CheckConstraint(
                condition=Q(meeting=None) | Q(on_behalf_of=None),
                name="recommendations_progressupdate_for_owner_at_no_meeting",
                violation_error_message="What is reported for an owner is decided at no meeting.",
            ),
        ]

    def __str__(self):
        return f"{self.action.ref}, {self.get_status_display()}, {say(self.dated)}"

    @classmethod
    def told(cls, rows):
        return acceptance.told(rows)

    @property
    def decides_from(self):
        """The day of the update that stood when it was made, which it accepts, closes or reopens."""
        said = ProgressUpdate.objects.in_force().filter(action=self.action_id)
        before = said.alias(place=place_of(ProgressUpdate)).filter(
            place__lt=its_place(self), dated_first__lte=self.dated_first
        )
        newest = before.newest_first().first()
        return newest.dated_first if newest else self.action.agreed_on_first

    def embedded_upon_it(self):
        """The later acceptance that the action is embedded which stands on this one alone, or None."""
        said = list(ProgressUpdate.objects.in_force().filter(action=self.action_id).oldest_first())
        if self.status != Status.COMPLETE or self not in said:
            return None
        place = said.index(self)
        before = said[place - 1] if place else None
        if before and before.status in (Status.COMPLETE, Status.EMBEDDED):
            return None
        later = next((row for row in said[place + 1 :] if row.is_acceptance), None)
        return later if later and later.status == Status.EMBEDDED else None

    @property
    def words(self):
        return STATUS_WORDS[self.status]

    @property
    def is_explained(self):
        """Whether its status is one that has to be explained, by the reason it gives."""
        return "reason" in ROWS[self.status].needs

    @property
    def is_acceptance(self):
        """Whether this is the Chair's or Secretariat's acceptance, and not an owner's report."""
        return self.status in ACCEPTED

    def waits_for_acceptance(self, at):
        """Whether it reports that the action is done, and is the newest report that stands."""
        return self.status == Status.DONE and self.action.newest_update(at) == self

    @property
    def on_whose_behalf(self):
        """The name, at the time, of the owner it was recorded for, or ""."""
        return name_in(self.on_behalf_of_signed)

    def in_words(self):
        """What it says, without saying of what."""
        return f"{self.get_status_display()}: {self.narrative}"


class Whose(models.TextChoices):
    ADVISER = "adviser", "The adviser"
    BOARD = "board", "The board"


class Assessment(Statement):
    """What the adviser or the board makes of a recommendation, whatever its owners report."""

    subject_field, same_by = "recommendation", "status"

    recommendation = models.ForeignKey(Recommendation, models.PROTECT, related_name="assessments")
    whose = models.CharField(max_length=10, choices=Whose)
    status = models.CharField("assessment", max_length=20, choices=Status)
    narrative = models.TextField("why", help_text=f"What the assessment rests on. {NO_CHILD}")

    class Meta(Statement.Meta):
        indexes = [models.Index(fields=["recommendation", "dated_first", "id"], name="assessment_newest")]
        constraints = [
            *Statement.Meta.constraints,
            one_of("whose", Whose),
            one_of("status", Status),
            not_blank("narrative"),
        ]

    def __str__(self):
        return f"{self.get_whose_display()}, {self.get_status_display()}, {say(self.dated)}"

    @property
    def words(self):
        return STATUS_WORDS[self.status]

    @property
    def whose_words(self):
        return self.get_whose_display()

    def as_said(self):
        return Said(was="", now=f"{self.whose_words}: {self.words}", text=self.narrative)

    def in_words(self):
        """What it says, without saying of what."""
        return f"{self.get_status_display()}: {self.narrative}"


class Risk(models.Model):
    """A risk that a document names. No source gives scores, so there are none."""

    ref = models.CharField("reference number", max_length=10, unique=True, help_text="R01, R02, …")
    text = models.TextField(help_text=f"In our own words. {NO_CHILD}")
    recommendations = models.ManyToManyField(Recommendation, blank=True, related_name="risks")
    document = source_document()
    reference = ReferenceField()
    note = NoteField()
    is_withdrawn = WithdrawnField()
    history = Versions(m2m_fields=[recommendations])

    objects = FromDocumentQuerySet.as_manager()

    class Meta:
        ordering = ["ref"]
        constraints = [not_blank("text")]

    def __str__(self):
        return f"{self.ref}: {self.text}"
