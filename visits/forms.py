"""The forms of rows that are edited on their visit's page."""

import re

from django import forms

from record.forms import merge, offer_what_stands, seeing_what_is_withdrawn


class OnVisitForm(forms.ModelForm):
    """A judgement or finding on its visit's page, checked against the visit as it is about to be saved.

    The visit's own form watches the whole page for what others save, and is told which version of these rows
    the page was opened on: ``place`` is where its token says that.
    """

    def __init__(self, *args, visit, place, **kwargs):
        super().__init__(*args, **kwargs)
        self.instance.visit, self.place = visit, place
        for name, box in self.fields.items():
            offer_what_stands(box, self.initial.get(name))

    def _get_validation_exclusions(self):
        return seeing_what_is_withdrawn(super()._get_validation_exclusions())

    def clean(self):
        cleaned = super().clean()
        opened_on = self.data.get("opened_on", "").split("-")[self.place :][:1]
        if self.instance.pk and opened_on and re.fullmatch("[0-9]{1,18}", opened_on[0]):
            versions = self._meta.model.history.filter(id=self.instance.pk)
            earlier = versions.filter(history_id__lte=opened_on[0]).order_by("history_id").last()
            now = versions.order_by("history_id").last()
            if earlier and now.history_id != earlier.history_id:
                for sentence in merge(self, earlier, now)[1]:
                    self.add_error(None, sentence)
        return cleaned


class OnVisitFormSet(forms.BaseInlineFormSet):
    """The judgements or the findings on a visit's page; the admin sets their ``place`` in its token."""

    place = 0

    def get_form_kwargs(self, index):
        return {**super().get_form_kwargs(index), "visit": self.instance, "place": self.place}
