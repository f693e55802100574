"""What every page of the admin has in common, and the pages of rows that are edited."""

import json
from collections import namedtuple
from functools import partial
from itertools import pairwise

from django.contrib import admin, messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.admin.utils import (
    display_for_field,
    flatten_fieldsets,
    label_for_field,
    lookup_field,
    unquote,
)
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import BadRequest, FieldDoesNotExist, PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import Q
from django.forms import CheckboxSelectMultiple, modelform_factory
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.text import capfirst, smart_split, unescape_string_literal
from simple_history.admin import SimpleHistoryAdmin

from record import versions
from record.dates import EdtfField, say
from record.forms import RecordForm, WithdrawForm, box, fields_changed, in_words, rows_of
from record.models import Document
from record.signing import Refused
from record.statements import Statement
from record.texts import folded

Change = namedtuple("Change", "label was now")
LONGEST_SEARCH = 200


class KeysFirst(Paginator):
    """Pages of rows, of which the keys are looked for first.

    What a list works out about each row is then worked out for those of its page, and not for all that the
    database passes over on the way to it.
    """

    def page(self, number):
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        keys = list(self.object_list.values_list("pk", flat=True)[start : start + self.per_page])
        return self._get_page(self.object_list.filter(pk__in=keys), number, self)


def called_in_the_log(row):
    """What the admin's log calls ``row``: its whole name, or where that is long its reference number."""
    whole = str(row)
    if len(whole) <= LogEntry._meta.get_field("object_repr").max_length:
        return whole
    return getattr(row, "ref", "") or f"{capfirst(row._meta.verbose_name)} {row.pk}"


class BoardAdmin(admin.ModelAdmin):
    """What every model's pages have in common: nothing is deleted, and odd addresses are refused."""

    list_per_page = 50
    paginator = KeysFirst
    show_facets = admin.ShowFacets.NEVER
    ADD = "Add"

    def add_words(self, request):
        """What the menu calls to this person what they do on the page that adds a row."""
        return self.ADD

    def has_delete_permission(self, request, obj=None):
        return False

    def view_on_site(self, obj):
        """The address of the row's page on the board, or None if it has none."""
        return obj.get_absolute_url() if hasattr(obj, "get_absolute_url") else None

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        make = partial(super().formfield_for_dbfield, request=request)
        return box(make, db_field, **kwargs)

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        form.opener = request.user
        return form

    def log_addition(self, request, obj, message):
        return self._log(request, obj, ADDITION, message)

    def log_change(self, request, obj, message):
        return self._log(request, obj, CHANGE, message)

    def _log(self, request, row, flag, message):
        """Log it as Django does, but never under a part of its text, in which cut words are hard to find."""
        return LogEntry.objects.create(
            user=request.user,
            content_type=ContentType.objects.get_for_model(row, for_concrete_model=False),
            object_id=row.pk,
            object_repr=called_in_the_log(row),
            action_flag=flag,
            change_message=json.dumps(message) if isinstance(message, list) else message,
        )

    def get_search_results(self, request, queryset, search_term):
        """The rows that have all of the words, as the board's own search finds them: see texts.folded.

        Databases differ in what they make alike, so that the words are looked for here. It is quick because
        long histories are searched by what they are about: each row of that is looked at once.
        """
        # Each word is a condition of its own, and databases refuse a query with thousands.
        if len(search_term) > LONGEST_SEARCH:
            raise BadRequest(f"Search for {LONGEST_SEARCH} characters or fewer.")
        columns, said = {}, {}
        for name in self.get_search_fields(request):
            path, _, column = name.rpartition("__")
            columns.setdefault(path, []).append(column)
        for path, names in columns.items():
            model = self.model
            for part in filter(None, path.split("__")):
                model = model._meta.get_field(part).related_model
            rows = model._base_manager.values_list("pk", *names) if search_term.strip() else []
            said[f"{path or 'pk'}__in"] = [(key, folded("\n".join(texts))) for key, *texts in rows]
        # Apart, because for the entries about one row alone SQLite would go by an index that does not help.
        rows = self.model._base_manager.all()
        for bit in smart_split(search_term):
            is_phrase = len(bit) > 1 and bit[0] in "\"'" and bit[0] == bit[-1]
            word = folded(unescape_string_literal(bit) if is_phrase else bit)
            keys = {
                path: [key for key, text in texts if word and word in text] for path, texts in said.items()
            }
            rows = rows.filter(Q(*keys.items(), _connector=Q.OR))
        return queryset.filter(pk__in=rows.values("pk")) if search_term.strip() else queryset, False

    def lookup_allowed(self, lookup, value, request):
        """Whether one of the list's own filters asks this.

        Django would take any lookup of any column: a pattern can keep a worker busy for half a minute, a
        range can fail, and what is not shown could be guessed letter by letter.
        """
        endings = ("", "__exact", "__id__exact", "__isnull")
        return any(lookup == name + ending for name in self.get_list_filter(request) for ending in endings)

    def changelist_view(self, request, extra_context=None):
        try:
            return super().changelist_view(request, extra_context)
        except (DisallowedModelAdminLookup, OverflowError, ValueError, DataError):
            raise BadRequest("The filter in the address cannot be read.") from None

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        if "_saveasnew" in request.POST:
            # Django would take a change for an addition, whether or not the page offers that.
            raise BadRequest("A row cannot be saved as a new one.")
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except FieldDoesNotExist:
            raise BadRequest("The address names a field that is not there.") from None
        except (OverflowError, DataError):
            raise BadRequest("The form holds a number that is too large.") from None

    def get_object(self, request, object_id, from_field=None):
        """The row; raise Http404 if there is none. Django would say that perhaps it was deleted."""
        try:
            found = super().get_object(request, object_id, from_field)
        except OverflowError:
            found = None
        if found is None:
            raise Http404
        return found


class RecordAdmin(BoardAdmin, SimpleHistoryAdmin):
    """The pages of an editable row: its form notices other people's saves, its history is read-only."""

    form = RecordForm
    # The package's own has an inline style, which the content security policy forbids.
    object_history_list_template = "admin/history_list.html"
    object_history_form_template = "admin/history_version.html"
    never_changes = ()
    # What is withdrawn with it, by the names of its accessors; and whether nothing may rest on it.
    withdrawn_with = ()
    withdrawn_last = False

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not getattr(obj, "is_withdrawn", False)

    def refuse_withdrawn(self, request, row):
        """Say of a ``row`` that was withdrawn meanwhile that it was, to whoever might have changed it."""
        if getattr(row, "is_withdrawn", False) and super().has_change_permission(request, row):
            raise Refused("It was withdrawn, so nothing in it can be changed.")

    def get_readonly_fields(self, request, obj=None):
        fixed = self.never_changes if obj else ()
        return (*super().get_readonly_fields(request, obj), *fixed)

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        # In Django's own box, one click without a key held down takes off every other choice.
        return super().formfield_for_manytomany(
            db_field, request, **{**kwargs, "widget": CheckboxSelectMultiple}
        )

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        form.formsets_beside = [
            inline.get_formset(request, obj) for inline in self.get_inline_instances(request, obj)
        ]
        form.beside = [(rows.model, rows.fk.name) for rows in form.formsets_beside]
        return form

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        return [*fieldsets, WHY] if obj and self.has_change_permission(request, obj) else fieldsets

    @property
    def can_be_withdrawn(self):
        return hasattr(self.model, "is_withdrawn")

    def get_urls(self):
        if not self.can_be_withdrawn:
            return super().get_urls()
        name = f"{self.opts.app_label}_{self.opts.model_name}_withdraw"
        view = self.admin_site.admin_view(self.withdraw_view)
        return [path("<path:object_id>/withdraw/", view, name=name), *super().get_urls()]

    def withdraw_view(self, request, object_id):
        """Ask why the row is withdrawn, and withdraw it with what stands or falls with it."""
        self._refuse_unreadable(object_id)
        row = self.get_object(request, object_id)
        self.refuse_withdrawn(request, row)
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        make = modelform_factory(self.model, form=WithdrawForm, fields=[])
        with versions.saving(by=request.user) as save:
            form = make(request.POST or None, instance=row)
            form.resting = self.resting_on(row)
            if request.method == "POST" and form.is_valid():
                save.reason = form.cleaned_data["change_reason"]
                for each in (row, *self.falling_with(row)):
                    each.is_withdrawn = True
                    each.save(update_fields=["is_withdrawn"])
                self.log_change(request, row, "Withdrawn.")
                self.message_user(request, f"Withdrawn: {row}.", messages.SUCCESS)
                return HttpResponseRedirect(self.list_address)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{'Error: ' if form.errors else ''}Withdraw {self.opts.verbose_name}",
            "opts": self.opts,
            "original": row,
            "form": form,
            "changelist_url": self.list_address,
            "falling": self.falling_with(row),
        }
        return TemplateResponse(request, "admin/record/withdraw.html", context)

    @property
    def list_address(self):
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def falling_with(self, row):
        """The rows that are withdrawn with ``row``."""
        return [
            each for name in self.withdrawn_with for each in getattr(row, name).filter(is_withdrawn=False)
        ]

    def resting_on(self, row):
        """The rows of the record that rest on ``row``, where that keeps it from being withdrawn."""
        if not self.withdrawn_last:
            return []
        found = []
        for link in self.opts.get_fields(include_hidden=True):
            kind = link.related_model if link.auto_created and not link.concrete else None
            if kind is None or not (hasattr(kind, "history") or issubclass(kind, Statement)):
                continue
            rows = kind._default_manager.filter(**{link.field.name: row})
            found += rows.filter(is_withdrawn=False) if hasattr(kind, "is_withdrawn") else rows
        return found

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        extra_context = {"can_be_withdrawn": self.can_be_withdrawn, **(extra_context or {})}
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        if object_id:
            self.refuse_withdrawn(request, self.get_object(request, unquote(object_id)))
        with versions.saving(by=request.user) as request.save:
            return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if change and request.method == "POST":
            # What was sent and refused is in the boxes; the page is headed by what is saved.
            saved = self.model._default_manager.get(pk=obj.pk)
            context |= {"original": saved, "subtitle": str(saved)}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_model(self, request, obj, form, change):
        request.save.reason = form.cleaned_data.get("change_reason", "")
        # A version of the row in which nothing differs would only hide the others.
        if not change or form.changes_the_row():
            super().save_model(request, obj, form, change)

    def response_post_save_add(self, request, obj):
        self.lead_to_the_board(request, obj)
        return super().response_post_save_add(request, obj)

    def response_post_save_change(self, request, obj):
        self.lead_to_the_board(request, obj)
        return super().response_post_save_change(request, obj)

    def lead_to_the_board(self, request, row):
        """Tell whoever saved ``row`` where readers see it, if it has a page of its own there."""
        if address := self.view_on_site(row):
            link = format_html('<a href="{}">View it on the board</a>', address)
            self.message_user(request, link, messages.SUCCESS)

    def history_view(self, request, object_id, extra_context=None):
        self._refuse_unreadable(object_id)
        return super().history_view(request, object_id, extra_context)

    def set_history_delta_changes(self, request, historical_records, foreign_keys_are_objs=True):
        """Give each version on a page what changed since the one before it, whole and in plain words."""
        for record, before in pairwise(historical_records):
            record.history_delta_changes = [
                Change(capfirst(field.verbose_name), in_words(before, field), in_words(record, field))
                for field in fields_changed(before, record)
            ]
            if getattr(record, "is_withdrawn", False) and not before.is_withdrawn:
                record.history_delta_changes.append(Change("Withdrawn", "No", "Yes"))

    def history_form_view(self, request, object_id, version_id, extra_context=None):
        """Show what an earlier version of the row said. Posting would put it back, so nobody may."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        self._refuse_unreadable(object_id, version_id)
        record = get_object_or_404(self.model.history, id=object_id, history_id=version_id)
        context = {"record": record, "told": self._told(request, record), **(extra_context or {})}
        return super().history_form_view(request, object_id, version_id, context)

    def _told(self, request, record):
        """Yield the label of each field on the row's page, and what ``record`` says in it."""
        row = record.instance
        columns = {field.name for field in self.opts.get_fields()}
        for name in flatten_fieldsets(super().get_fieldsets(request, row)):
            if name not in columns:  # what is said beside the row, such as who owns it, is in no version
                continue
            field, _, value = lookup_field(name, row, self)
            if isinstance(field, EdtfField):
                value = say(value)
            elif field and field.many_to_many:
                value = "\n".join(str(other) for other in rows_of(record, field))
            elif field:
                value = display_for_field(value, field, "")
            yield label_for_field(name, self.model, model_admin=self), value
        if record.history_change_reason:
            yield "Why it was changed", record.history_change_reason

    def revert_disabled(self, request, obj=None):
        return True

    def _refuse_unreadable(self, *keys):
        try:
            for key in keys:
                self.opts.pk.to_python(key)
        except ValidationError:
            raise Http404 from None


SOURCE = (
    "Where this comes from",
    {
        "fields": ["document", "reference", "note"],
        "description": "Every fact names its document, and where in it, so that anyone can check it.",
    },
)
WHY = ("Why it is changed", {"fields": ["change_reason"]})


@admin.register(Document)
class DocumentAdmin(RecordAdmin):
    list_display = ["title", "publisher", "published_in_words", "key"]
    search_fields = ["title", "publisher", "key"]
    never_changes = ("key",)
    withdrawn_last = True
    fieldsets = [
        (
            None,
            {
                "fields": ["key", "title", "publisher", "published"],
                "description": "A report, letter or article that the board’s facts come from.",
            },
        ),
        ("How to find it", {"fields": ["url", "reference", "note"]}),
    ]

    @admin.display(description="published", ordering="published_first")
    def published_in_words(self, document):
        return say(document.published)
