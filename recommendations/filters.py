"""The filters of the list of actions."""

import django_filters
from django import forms
from django.db.models import Q

from recommendations.models import Action, Recommendation
from recommendations.statements import STATUS_WORDS, WORST_FIRST

YES = [("yes", "Yes")]


class ActionFilter(django_filters.FilterSet):
    """Filter actions that ``Action.objects.as_at`` has annotated; a value not offered is a form error."""

    status = django_filters.ChoiceFilter(
        choices=[(status, STATUS_WORDS[status]) for status in WORST_FIRST], empty_label="Any status"
    )
    recommendation = django_filters.ModelChoiceFilter(
        field_name="recommendations",
        queryset=Recommendation.objects.order_by("number"),
        to_field_name="number",
        empty_label="Any recommendation",
    )
    owner = django_filters.ChoiceFilter(
        field_name="owner_role", label="Owner role", empty_label="Any owner role"
    )
    overdue = django_filters.ChoiceFilter(
        field_name="is_overdue",
        method="flagged",
        choices=YES,
        label="Overdue only",
        empty_label=None,
        widget=forms.CheckboxInput,
    )
    stale = django_filters.ChoiceFilter(
        field_name="is_stale",
        method="flagged",
        choices=YES,
        label="Not updated only",
        empty_label=None,
    )
    q = django_filters.CharFilter(method="matching", label="Words in the action", max_length=100)

    class Meta:
        model = Action
        fields = []

    def __init__(self, data, queryset, *, as_at):
        super().__init__(data, queryset)
        roles = queryset.model.objects.begun(as_at=as_at).order_by("owner_role")
        names = roles.values_list("owner_role", flat=True).distinct()
        self.filters["owner"].extra["choices"] = [(name, name) for name in names]

    def flagged(self, queryset, name, value):
        return queryset.filter(**{name: True}) if value else queryset

    def matching(self, queryset, name, value):
        """Return the actions with every word of ``value`` in their reference, title, role or note."""
        for word in value.split():
            queryset = queryset.filter(
                Q(ref__iexact=word)
                | Q(title__icontains=word)
                | Q(owner_role__icontains=word)
                | Q(note__icontains=word)
            )
        return queryset
