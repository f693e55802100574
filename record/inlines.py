"""Rows edited on the page of what they belong to, as findings on a visit's and asks on a meeting's."""

import re
from functools import partial

from django import forms
from django.contrib import admin

from record.error_words import say_plainly
from record.forms import NOT_WHOLE, box, merge, offer_what_stands, seeing_what_is_withdrawn


class OnPageForm(forms.ModelForm):
    """A row on the page of what it belongs to, checked against that as it is about to be saved.

    The form of the page watches all of it for what others save, and is told which version of these rows the
    page was opened on: ``place`` is where its token says that.
    """

    def __init__(self, *args, belongs_to, place, **kwargs):
        super().__init__(*args, **kwargs)
        name, row = belongs_to
        setattr(self.instance, name, row)
        self.place = place
        for name, field in self.fields.items():
            offer_what_stands(field, self.initial.get(name))

    def full_clean(self):
        say_plainly(self)
        super().full_clean()

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


class OnPageFormSet(forms.BaseInlineFormSet):
    """The rows of one kind on a page; the admin sets their ``place`` in its token."""

    place = 0
    # Django's own sentences speak of its forms.
    default_error_messages = {
        **forms.BaseInlineFormSet.default_error_messages,
        "missing_management_form": f"{NOT_WHOLE} Nothing is saved. Open the page again and enter it there.",
        "too_many_forms": "A page takes at most %(num)d of these. Nothing is saved.",
    }

    def get_form_kwargs(self, index):
        belongs_to = (self.fk.name, self.instance)
        return {**super().get_form_kwargs(index), "belongs_to": belongs_to, "place": self.place}


class OnPageInline(admin.StackedInline):
    """The rows of one kind on the page of what they belong to, at most as many as anybody would enter."""

    form = OnPageForm
    formset = OnPageFormSet
    extra = 0
    max_num = 60
    can_delete = False
    show_change_link = True
    view_on_site = False

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        return box(partial(super().formfield_for_dbfield, request=request), db_field, **kwargs)

    def get_queryset(self, request):
        return super().get_queryset(request).filter(is_withdrawn=False)

    def get_formset(self, request, obj=None, **kwargs):
        # Django would build two thousand forms for whoever claims to send so many.
        formset = super().get_formset(request, obj, absolute_max=self.max_num, **kwargs)
        formset.place = 1 + self.admin_site.get_model_admin(self.parent_model).inlines.index(type(self))
        return formset
