"""The filters of the list of actions."""

import django_filters
from django import forms
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce

from recommendations.models import Action, ProgressUpdate, Recommendation
from recommendations.received import reported_this_round
from recommendations.search import places_of
from recommendations.status import FLAGS, RANK, STATUS_WORDS, WORST_FIRST, Status
from recommendations.terms import TERMS
from record.prepared import ask
from record.rows import links_as_at
from record.versions import recorded, rows_of

NO_SUCH = {"invalid_choice": "“%(value)s” is not one of the choices. Choose one from the list."}
TOO_LONG = "Use 100 characters or fewer."
NOBODY = "nobody"
# In which order the actions may stand. Those that an order says nothing of come last, but for what was never
# reported on, of which nothing has been heard for the longest.
SORTS = {
    "ref": ("Reference number", ()),
    "status": ("Status, worst first", (Case(*(When(status=s, then=Value(r)) for s, r in RANK.items())),)),
    "due": (
        "Due date, earliest first",
        (Coalesce("due_last", "agreed__due_first").asc(nulls_last=True),),
    ),
    "updated": ("Last update, longest ago first", (F("updated_on").asc(nulls_first=True),)),
}


# What is asked most, which the form shows; the rest it shows once somebody wants more.
ASKED_MOST = ("status", "recommendation", "q", "sort")
# The fields whose choices are those of the day.
OFFERED_BY_DAY = ("owner", "person", "recommendation")


class Boxes(forms.CheckboxSelectMultiple):
    """A box for each choice. An address that asks for "" asks for none in particular."""

    def value_from_datadict(self, data, files, name):
        return [value for value in super().value_from_datadict(data, files, name) or [] if value]


class ActionFilter(django_filters.FilterSet):
    """Filter and sort the actions on the board that day, of which ``actions`` are the positions.

    A value that is not offered is an error of its field. A person is the account that owned an action that
    day, by the name it had then.
    """

    status = django_filters.MultipleChoiceFilter(
        choices=[(status, STATUS_WORDS[status]) for status in WORST_FIRST],
        label="Status",
        widget=Boxes,
        distinct=False,
        error_messages=NO_SUCH,
    )
    recommendation = django_filters.ChoiceFilter(
        method="answering",
        label="Recommendation",
        empty_label="Any recommendation, or none",
        error_messages=NO_SUCH,
    )
    owner = django_filters.ChoiceFilter(
        method="in_the_role", label=TERMS["owner_role"], empty_label="Any owner role", error_messages=NO_SUCH
    )
    person = django_filters.ChoiceFilter(
        method="owned_by", label="Person", empty_label="Any person, or nobody", error_messages=NO_SUCH
    )
    overdue = django_filters.ChoiceFilter(
        field_name="is_overdue",
        method="flagged",
        choices=[("yes", "Overdue only")],
        label=FLAGS["overdue"].word,
        empty_label="Overdue or not",
        error_messages=NO_SUCH,
    )
    silent = django_filters.ChoiceFilter(
        field_name="is_silent",
        method="flagged",
        choices=[("yes", "Date passed, nothing reported only")],
        label=FLAGS["silent"].word,
        empty_label="Passed with or without a report",
        error_messages=NO_SUCH,
    )
    stale = django_filters.ChoiceFilter(
        field_name="is_stale",
        method="flagged",
        choices=[("yes", "No recent update only")],
        label=TERMS["stale"],
        empty_label="Updated recently or not",
        error_messages=NO_SUCH,
    )
    round = django_filters.ChoiceFilter(
        method="not_reported_this_round",
        choices=[("yes", "Not reported on since the last meeting only")],
        label=TERMS["unreported"],
        empty_label="Reported on since then or not",
        error_messages=NO_SUCH,
    )
    first = django_filters.ChoiceFilter(
        method="to_look_at_first",
        choices=[("yes", "Those to look at first only")],
        label=TERMS["exceptions"],
        empty_label="To look at first or not",
        error_messages=NO_SUCH,
    )
    q = django_filters.CharFilter(
        method="matching",
        label="Words in the action, its history, findings or documents",
        max_length=100,
        error_messages={"max_length": TOO_LONG},
    )
    sort = django_filters.ChoiceFilter(
        method="sorted_by",
        choices=[(name, words) for name, (words, _) in SORTS.items() if name != "ref"],
        label="Order",
        empty_label=SORTS["ref"][0],
        error_messages=NO_SUCH,
    )

    class Meta:
        model = Action
        fields = []

    def __init__(self, data, *, at, actions):
        super().__init__(data)
        self.actions = actions
        # What the actions said, which are asked apart from how they stood: their own columns are today's.
        self.said = recorded(Action, at)
        self.at = at
        # {key of an action: the Places at which the words that are searched for stand}, once that is asked.
        self.places = {}
        roles = sorted({action.owner_role for action in actions})
        owners = {action.owner_id: action.owner for action in actions if action.owner_id}
        people = sorted((name, str(key)) for key, name in owners.items())
        asked = rows_of(ask(_recommendations, at))
        self.filters["owner"].extra["choices"] = [(name, name) for name in roles]
        self.filters["person"].extra["choices"] = [
            *((key, name) for name, key in people),
            (NOBODY, "Nobody is named"),
        ]
        self.filters["recommendation"].extra["choices"] = [(row.number, str(row)) for row in asked]

    @property
    def qs(self):
        """The actions that were asked for, annotated with how each stood: not put together before."""
        self.queryset = Action.objects.as_at(self.at).order_by("ref")
        return super().qs

    @property
    def positions(self):
        """Those of the actions that were asked for, in their order, once that is known to be right."""
        if not self.asked:
            return self.actions
        by_key = {action.pk: action for action in self.actions}
        return [by_key[key] for key in self.qs.values_list("pk", flat=True)]

    @property
    def asked(self):
        """What was asked for, in words, once it is known to be right: ["Status: At risk or Off track"]."""
        said = []
        for name, field in self.form.fields.items():
            chosen = self.form.cleaned_data.get(name)
            words = {str(key): label for key, label in getattr(field, "choices", ())}
            values = chosen if isinstance(chosen, list) else [chosen]
            if chosen == "yes":
                said.append(words[chosen])
            elif chosen:
                said.append(f"{field.label}: {' or '.join(str(words.get(str(v), v)) for v in values)}")
        return said

    @property
    def told(self):
        """All that the form shows: what its fields offer where that may change, and what is asked."""
        offered = tuple(tuple(self.filters[name].extra["choices"]) for name in OFFERED_BY_DAY)
        return offered, tuple((name, tuple(self.data.getlist(name))) for name in self.filters)

    @property
    def shown(self):
        """The fields of the form that everybody sees."""
        return [self.form[name] for name in ASKED_MOST]

    @property
    def folded(self):
        """The other fields of the form."""
        return [field for field in self.form if field.name not in ASKED_MOST]

    @property
    def folded_is_faulty(self):
        return any(field.errors for field in self.folded)

    @property
    def folded_asked(self):
        """How many of the folded fields were asked for."""
        return sum(bool(field.value()) for field in self.folded)

    def get_form_class(self):
        """The form, its fields dressed as the rest of the site's."""
        form = super().get_form_class()
        for field in form.base_fields.values():
            of_kind = {forms.Select: "govuk-select", Boxes: "govuk-checkboxes__input"}
            field.widget.attrs["class"] = of_kind.get(type(field.widget), "govuk-input")
        return form

    def flagged(self, queryset, name, value):
        return queryset.filter(**{name: True}) if value else queryset

    def not_reported_this_round(self, queryset, name, value):
        if not value:
            return queryset
        return queryset.filter(is_open=True).exclude(pk__in=reported_this_round(self.at))

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

    def owned_by(self, queryset, name, value):
        return queryset.filter(owner_id=None if value == NOBODY else int(value))

    def sorted_by(self, queryset, name, value):
        return queryset.order_by(*SORTS[value][1], "ref")

    def matching(self, queryset, name, value):
        self.places = places_of(value, self.at)
        return queryset.filter(pk__in=self.places)


def _recommendations(at):
    return recorded(Recommendation, at).filter(is_withdrawn=False).order_by("number")
