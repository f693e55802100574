"""What the admin's pages of every append-only row have in common: a list, each row to read, one to add."""

import re

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q
from django.forms import ModelForm
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst

from record.admin import BoardAdmin
from record.dates import say, say_moment
from record.signing import Refused
from record.statement_forms import Addition, WithdrawalForm
from record.statements import place_of

# Whoever edits the documents that facts come from keeps the record: the Secretariat.
KEEPS_THE_RECORD = "record.change_document"


def asks(request, way):
    """Whether the address, or what was sent to it, asks for a ``way`` to write: "corrects", "replaces"."""
    return way in request.GET or way in request.POST


def chosen(model, key):
    """The row of ``model`` that an address names by ``key``; raise Http404 if there is none."""
    if not re.fullmatch("[0-9]{1,18}", key):
        raise Http404
    return get_object_or_404(model, pk=key)


class StatementAdmin(BoardAdmin):
    """The pages of an append-only row: a list, each row to read, and a page of its own to add one.

    The add page is opened for one ``subject``, named in its address, or for one row to correct, to withdraw
    or to replace. Nobody changes a row, superusers included: the database would refuse it too.
    """

    told = ()
    not_theirs = "You may add nothing about this."
    # Whether a wrong row is withdrawn and entered anew in one form, and never corrected.
    is_replaced = False
    withdrawal_form = WithdrawalForm
    add_form_template = "admin/record/add_statement.html"
    change_form_template = "admin/record/read_statement.html"
    ordering = ["-dated_first", "-pk"]
    list_display_links = ["subject_in_words"]

    def has_change_permission(self, request, obj=None):
        return False

    @property
    def subject(self):
        """The model of what these rows are about."""
        return self.model._meta.get_field(self.model.subject_field).related_model

    def already(self, addition):
        """The row that already says what ``addition`` would, or None."""
        earlier = addition.supersedes
        return getattr(earlier, "withdrawn_by", None) or getattr(earlier, "corrected_by", None)

    def may_add(self, request, subject):
        """Whether somebody who may add such rows may add one about ``subject``."""
        return True

    def may_supersede(self, request, row):
        """Whether somebody who may add such rows may add one by which ``row`` counts no more."""
        return row.recorded_by_id == request.user.pk or request.user.has_perm(KEEPS_THE_RECORD)

    def why_it_stands(self, row):
        """Why somebody who may add such rows may not add one by which ``row`` counts no more."""
        return "Only whoever recorded this entry, and the Secretariat, may say that it was wrong."

    def subjects(self, request):
        """The rows that this person may choose to add a statement about."""
        return self.subject.objects.all()

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        request.addition = addition = self.addition_of(request)
        if addition is None:
            return self.choose_subject(request)
        if request.method == "GET" and (row := self.already(addition)):
            words = "done already" if isinstance(row, self.model) else "overtaken by a newer entry"
            self.message_user(request, f"This has been {words}. Here it is.", messages.WARNING)
            name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
            return HttpResponseRedirect(reverse(name, args=[row.pk]))
        verb, doing = self.verb(addition)
        context = {
            "title": f"{verb} {self.opts.verbose_name}: {addition.subject}",
            "addition": addition,
            "doing": doing,
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            **self.add_context(addition),
            **(extra_context or {}),
        }
        return super().add_view(request, form_url, context)

    def verb(self, addition):
        """What ``addition`` does to the entries there are, as a verb and as it is being done."""
        if addition.corrects:
            return "Correct", "correcting"
        if addition.withdraws:
            return ("Replace", "replacing") if addition.anew else ("Withdraw", "withdrawing")
        return "Add", "adding"

    def add_context(self, addition):
        """What else the page on which ``addition`` is written shows."""
        return {}

    def addition_of(self, request):
        """The Addition that the address asks for, or None if it names nothing to write about.

        Raises Http404 for what does not exist and Refused for what this person may not do, or not any more.
        """
        asked = {**request.POST.dict(), **request.GET.dict()}
        ways = {"replaces": "withdraws"} if self.is_replaced else {"corrects": "corrects"}
        ways["withdraws"] = "withdraws"
        if way := next((name for name in ways if name in asked), None):
            row = chosen(self.model, asked[way])
            if row.withdraws_id:  # it says nothing that could be wrong
                raise Http404
            if not self.may_supersede(request, row):
                raise Refused(self.why_it_stands(row))
            superseded = {ways[way]: row}
            return Addition(request.user, request.as_at, row.subject, anew=way == "replaces", **superseded)
        if self.model.subject_field not in asked:
            return None
        subject = chosen(self.subject, asked[self.model.subject_field])
        if getattr(getattr(subject, "about", subject), "is_withdrawn", False):
            raise Refused("It was withdrawn, so nothing is added to it.")
        if not self.may_add(request, subject):
            raise Refused(self.not_theirs)
        return Addition(request.user, request.as_at, subject)

    def get_list_select_related(self, request):
        return [*super().get_list_select_related(request), "corrected_by", "withdrawn_by"]

    def get_list_display(self, request):
        return [*super().get_list_display(request), "standing_in_words"]

    @admin.display(description="entry")
    def standing_in_words(self, row):
        if row.withdraws_id:
            return "Withdraws another"
        if hasattr(row, "withdrawn_by"):
            return "Withdrawn"
        return "Corrected" if hasattr(row, "corrected_by") else "Stands"

    def choose_subject(self, request):
        """The page on which to choose what to write about."""
        doing = self.add_words(request)
        if doing == BoardAdmin.ADD:
            doing = f"{doing} {self.opts.verbose_name}"
        context = {
            **self.admin_site.each_context(request),
            "title": f"{doing}: choose the {self.subject._meta.verbose_name}",
            "opts": self.opts,
            "subject_field": self.model.subject_field,
            "label": capfirst(self.subject._meta.verbose_name),
            "subjects": list(self.subjects(request)),
        }
        return TemplateResponse(request, "admin/record/choose_subject.html", context)

    def get_form(self, request, obj=None, change=False, **kwargs):
        if obj:
            return super().get_form(request, obj, change=change, **{**kwargs, "form": ModelForm})
        form = self.form_for(request.addition)
        form = super().get_form(request, obj, change=change, **{**kwargs, "form": form})
        form.addition = request.addition
        return form

    def form_for(self, addition):
        """The class of the form by which ``addition`` is made."""
        return self.withdrawal_form if addition.withdraws and not addition.anew else self.form

    def get_changeform_initial_data(self, request):
        return {}

    def get_fieldsets(self, request, obj=None):
        if obj:
            common = ["dated_in_words", "recorded_in_words", "correction_in_words", "source_in_words"]
            told = ["subject_in_words", *self.told, *common]
            return [(None, {"fields": [name for name in told if self.says(obj, name)]})]
        form = self.form_for(request.addition)
        left_out = form.left_out(request.addition)
        return [(None, {"fields": [f for f in form.Meta.fields if f not in left_out]})]

    def says(self, row, name):
        """Whether ``row`` has anything to show for the field or the method of this admin ``name``."""
        in_words = getattr(self, name, None)
        return bool(in_words(row) if in_words else getattr(row, name))

    def save_model(self, request, obj, form, change):
        form.record()

    def response_add(self, request, obj, post_url_continue=None):
        page = obj.about
        message = format_html(
            '{}: {}. <a href="{}">View {} on the board</a>',
            "Withdrawn" if obj.withdraws_id else "Saved",
            obj,
            page.get_absolute_url(),
            getattr(page, "ref", "it"),
        )
        self.message_user(request, message, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:index"))

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """Show one row, with the ways to correct and to withdraw it if this person may, or who can."""
        if request.method not in ("GET", "HEAD"):
            # Django would take a posted "save as new" for an addition, which starts on the page for adding.
            raise PermissionDenied
        context = {"title": capfirst(self.opts.verbose_name), **(extra_context or {})}
        row = self.get_object(request, object_id)
        if row and self.has_view_permission(request) and not self.has_view_permission(request, row):
            raise Refused(f"{self.not_theirs} {self.why_it_stands(row)}")
        stands = row and self.model.objects.in_force().filter(pk=row.pk).exists()
        if stands and not self.may_supersede(request, row):
            context["why_it_stands"] = self.why_it_stands(row)
        elif stands and self.has_add_permission(request):
            way, words = ("replaces", "Replace") if self.is_replaced else ("corrects", "Correct")
            context["correct_words"] = f"{words} this entry"
            context["correct_url"] = f"{self.address('add')}?{way}={row.pk}"
            context["withdraw_url"] = f"{self.address('add')}?withdraws={row.pk}"
        return super().change_view(request, object_id, form_url, context)

    def address(self, page, *keys):
        """The address of one of this model's pages: "changelist", "add" or "change"."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=keys)

    @admin.display(description="about")
    def subject_in_words(self, row):
        return str(row.subject)

    @admin.display(description="dated", ordering="dated_first")
    def dated_in_words(self, row):
        return say(row.dated)

    @admin.display(description="recorded", ordering="recorded_at")
    def recorded_in_words(self, row):
        if row.document_id:
            return f"loaded from {row.document}"
        return f"{row.signed}, {say_moment(row.recorded_at)}"

    @admin.display(description="correction")
    def correction_in_words(self, row):
        parts = []
        if row.corrects_id:
            parts.append(f"Corrects the entry “{row.corrects}”, because: {row.correction_reason}")
        if row.withdraws_id:
            parts.append(f"Withdraws the entry “{row.withdraws}”, because: {row.correction_reason}")
        for name, words in (("corrected_by", "Corrected"), ("withdrawn_by", "Withdrawn")):
            if later := getattr(row, name, None):
                parts.append(f"{words} since, because: {later.correction_reason}")
        return "\n".join(parts)

    @admin.display(description="where it comes from")
    def source_in_words(self, row):
        return f"{row.document}, {row.reference}" if row.document_id else ""


def newest_before(model, *same):
    """The rows of ``model`` that stood before an outer row about the same thing, newest first.

    The outer row is annotated with its ``place``.
    """
    earlier = Q(dated_first__lt=OuterRef("dated_first")) | Q(
        dated_first=OuterRef("dated_first"), place__lt=OuterRef("place")
    )
    rows = model.objects.in_force().alias(place=place_of(model))
    return rows.filter(earlier, **{name: OuterRef(name) for name in same}).newest_first()
