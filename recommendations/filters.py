"""The filters of the list of actions."""

import django_filters
from django import forms
from django.db.models import Q

from recommendations.models import Action, ProgressUpdate, Recommendation
from recommendations.search import places_of
from recommendations.status import STATUS_WORDS, WORST_FIRST, Status
from record.rows import links_as_at
from record.versions import recorded, rows_of

NO_SUCH = {"invalid_choice": "“%(value)s” is not one of the choices. Choose one from the list."}
TOO_LONG = "Use 100 characters or fewer."


class ActionFilter(django_filters.FilterSet):
    """Filter actions that ``Action.objects.as_at`` has annotated; a value not offered is a form error."""

    status = django_filters.ChoiceFilter(
        choices=[(status, STATUS_WORDS[status]) for status in WORST_FIRST],
        label="Status",
        empty_label="Any status",
        error_messages=NO_SUCH,
    )
    recommendation = django_filters.ChoiceFilter(
        method="answering",
        label="Recommendation",
        empty_label="Any recommendation, or none",
        error_messages=NO_SUCH,
    )
    owner = django_filters.ChoiceFilter(
        method="in_the_role", label="Owner role", empty_label="Any owner role", error_messages=NO_SUCH
    )
    overdue = django_filters.ChoiceFilter(
        field_name="is_overdue",
        method="flagged",
        choices=[("yes", "Overdue only")],
        label="Overdue",
        empty_label="Overdue or not",
        error_messages=NO_SUCH,
    )
    silent = django_filters.ChoiceFilter(
        field_name="is_silent",
        method="flagged",
        choices=[("yes", "Date passed, nothing reported")],
        label="Date passed in silence",
        empty_label="Passed in silence or not",
        error_messages=NO_SUCH,
    )
    stale = django_filters.ChoiceFilter(
        field_name="is_stale",
        method="flagged",
        choices=[("yes", "No recent update only")],
        label="Not updated",
        empty_label="Updated recently or not",
        error_messages=NO_SUCH,
    )
    first = django_filters.ChoiceFilter(
        method="to_look_at_first",
        choices=[("yes", "Those to look at first only")],
        label="Look at first",
        empty_label="To look at first or not",
        error_messages=NO_SUCH,
    )
    q = django_filters.CharFilter(
        method="matching",
        label="Words in the action, its history, findings or documents",
        max_length=100,
        error_messages={"max_length": TOO_LONG},
    )

    class Meta:
        model = Action
        fields = []

    def __init__(self, data, queryset, *, at):
        super().__init__(data, queryset)
        # What the actions said, which are asked apart from how they stood: their own columns are today's.
        self.said = recorded(Action, at)
        self.at = at
        # {key of an action: the Places at which the words that are searched for stand}, once that is asked.
        self.places = {}
        roles = self.said.begun(at).order_by("owner_role").values_list("owner_role", flat=True).distinct()
        asked = rows_of(recorded(Recommendation, at).filter(is_withdrawn=False).order_by("number"))
        self.filters["owner"].extra["choices"] = [(name, name) for name in roles]
        self.filters["recommendation"].extra["choices"] = [(row.number, str(row)) for row in asked]

    def get_form_class(self):
        """The form, its fields dressed as the rest of the site's."""
        form = super().get_form_class()
        for field in form.base_fields.values():
            is_select = isinstance(field.widget, forms.Select)
            field.widget.attrs["class"] = "govuk-select" if is_select else "govuk-input"
        return form

    def flagged(self, queryset, name, value):
        return queryset.filter(**{name: True}) if value else queryset

    def to_look_at_first(self, queryset, name, value):
        """Those that are an exception: see ActionPosition.is_exception."""
        if not value:
            return queryset
        rechecks = ProgressUpdate.objects.filter(status=Status.COMPLETE, recheck_on__lte=self.at.day)
        flagged = Q(is_overdue=True) | Q(is_silent=True) | Q(is_stale=True)
        failing = Q(status__in=(Status.OFF_TRACK, Status.AT_RISK))
        return queryset.filter(flagged | failing | Q(update_id__in=rechecks.values("pk")))

    def answering(self, queryset, name, value):
        numbers = links_as_at(Action, "recommendations", self.at, of="number")
        return queryset.filter(pk__in=[key for key, linked in numbers.items() if int(value) in linked])

    def in_the_role(self, queryset, name, value):
        return queryset.filter(pk__in=self.said.filter(owner_role=value).values("id"))

    def matching(self, queryset, name, value):
        self.places = places_of(value, self.at)
        return queryset.filter(pk__in=self.places)
