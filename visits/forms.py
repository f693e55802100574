"""Forms that refuse to write over what somebody else saved while they were open."""

import re

from django import forms
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.text import Truncator, get_text_list

from visits.dates import say_moment

ADVICE = (
    "Nothing is saved yet, and what you typed is still here. Check it against theirs; "
    "to save yours as well, choose Save again."
)
NOT_WHOLE = "This form was not sent whole."


def name_of(user):
    """Return how a person is named to others, or "Somebody" for nobody."""
    return (user.get_full_name() or user.get_username()) if user else "Somebody"


def hold(rows):
    """Keep others from changing ``rows``, a queryset, until this transaction ends."""
    # NO KEY, because others may add rows that point at these meanwhile.
    list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk"))


class TokenField(forms.CharField):
    """What a form was opened on: nothing that its sender changes."""

    widget = forms.HiddenInput

    def has_changed(self, initial, data):
        return False


class OpenedForm(forms.ModelForm):
    """A form that carries a token of what was on the record when it was opened.

    Each kind of form says what to ``lock``, what its ``newest`` token is and how to describe
    ``what_happened`` since. The comparison is made under the lock, in the transaction that saves, so of
    two people who save at once, or one who presses Save twice, only the first is not told of the other.
    """

    opened_on = TokenField(required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.is_bound:
            self.initial["opened_on"] = self.newest()

    def clean(self):
        cleaned = super().clean()
        self.lock()
        opened_on, newest = self.data.get("opened_on", ""), self.newest()
        if opened_on != newest:
            # The page shown next has seen the other save, so saving again is a deliberate act.
            self.data = self.data.copy()
            self.data["opened_on"] = newest
            self.add_error(None, [*self.what_happened(opened_on, newest), ADVICE])
        return cleaned


class RecordForm(OpenedForm):
    """The form of an editable row, perhaps with rows of other models edited on the same page.

    Its token is the newest history of the row and of the rows of each of ``beside``, pairs of a model and
    its foreign key to this one, which the admin sets.
    """

    beside = ()

    def _parts(self):
        return ((self._meta.model, "id"), *self.beside)

    def lock(self):
        if self.instance.pk:
            for model, key in self._parts():
                hold(model.objects.filter(**{key: self.instance.pk}))

    def newest(self):
        if not self.instance.pk:
            return ""
        latest = [
            model.history.filter(**{key: self.instance.pk}).aggregate(newest=models.Max("history_id"))
            for model, key in self._parts()
        ]
        return "-".join(str(part["newest"] or 0) for part in latest)

    def what_happened(self, opened_on, newest):
        """Return a sentence for each part of the page that was saved since it was opened."""
        before, now = opened_on.split("-"), newest.split("-")
        if len(before) != len(now) or not all(re.fullmatch("[0-9]{1,18}", part) for part in before + now):
            return [NOT_WHOLE]
        return [
            self._change(model, was, is_now)
            for (model, _), was, is_now in zip(self._parts(), before, now, strict=True)
            if was != is_now
        ]

    def _change(self, model, was, is_now):
        record = model.history.select_related("history_user").filter(history_id=is_now).first()
        earlier = model.history.filter(history_id=was).first()
        if record is None:
            return NOT_WHOLE
        if model is not self._meta.model:
            changes = [str(model._meta.verbose_name_plural)]
        elif earlier:
            changes = [_in_words(model, change) for change in record.diff_against(earlier).changes]
        else:
            changes = []
        what = get_text_list(changes, "and") or "this page"
        return (
            f"{name_of(record.history_user)} changed {what} on {say_moment(record.history_date)}, "
            "after you opened this form."
        )


def _in_words(model, change):
    """Return a changed field and, where it is plain text, what it now says."""
    try:
        field = model._meta.get_field(change.field)
    except FieldDoesNotExist:
        return change.field
    if field.is_relation or change.new in (None, ""):
        return str(field.verbose_name)
    now = dict(field.flatchoices).get(change.new, change.new)
    return f"{field.verbose_name} (now “{Truncator(now).chars(200)}”)"


class OnVisitForm(forms.ModelForm):
    """A judgement or finding on its visit's page, checked against the visit as it is about to be saved.

    The visit's own form watches the whole page for what others save.
    """

    def __init__(self, *args, visit, **kwargs):
        super().__init__(*args, **kwargs)
        self.instance.visit = visit


class OnVisitFormSet(forms.BaseInlineFormSet):
    """The judgements or the findings on a visit's page."""

    def get_form_kwargs(self, index):
        return {**super().get_form_kwargs(index), "visit": self.instance}
