"""Where officers record progress, the board's decisions are entered, and the secretariat keeps the rest."""

import re

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, Subquery
from django.forms import CheckboxSelectMultiple, ModelForm
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst

from recommendations.forms import (
    ACCEPT,
    RECORD_FOR_OWNER,
    ActionForm,
    AssessmentForm,
    DecisionForm,
    DueDateForm,
    Entry,
    ProgressUpdateForm,
    proposals_to_decide,
)
from recommendations.ledger import append
from recommendations.models import (
    Action,
    Assessment,
    Decision,
    DueDate,
    Measure,
    ProgressUpdate,
    Recommendation,
    Risk,
)
from recommendations.position import action_positions
from recommendations.statements import ACCEPTED, STATUS_WORDS
from visits.admin import SOURCE, BoardAdmin, RecordAdmin
from visits.dates import say, say_day
from visits.forms import name_of, say_moment


def sees_every_action(user):
    """Return whether ``user`` works on all actions here, and not only on those they own."""
    return user.has_perm(ACCEPT) or user.has_perm("recommendations.change_action")


def chosen(model, key):
    """Return the row of ``model`` that an address names by ``key``; raise Http404 if there is none."""
    if not re.fullmatch("[0-9]{1,18}", key):
        raise Http404
    return get_object_or_404(model, pk=key)


class OwnRows(ChangeList):
    """A list that shows officers only what is about their own actions.

    The filter is here and not in get_queryset, so that the page of somebody else's row is a plain refusal.
    """

    def get_queryset(self, request, exclude_parameters=None):
        if not sees_every_action(request.user):
            own = self.model_admin.own_rows(request.user)
            self.root_queryset = self.root_queryset.filter(own)
        return super().get_queryset(request, exclude_parameters)


class ReadOnlyAdmin(BoardAdmin):
    """The pages of an append-only row: a list, each row to read, and a page of its own to add one.

    The add page is opened for one ``subject``, named in its address, or for one row to correct. Nobody
    changes a row, superusers included: the database would refuse it too.
    """

    subject = Action
    subject_field = "action"
    told = ()
    add_form_template = "admin/recommendations/add_statement.html"
    change_form_template = "admin/recommendations/read_statement.html"
    ordering = ["-dated_first", "-pk"]
    list_select_related = ["action", "recorded_by", "document"]
    list_display_links = ["subject_in_words"]
    search_fields = ["action__ref", "action__title"]

    def has_change_permission(self, request, obj=None):
        return False

    def has_view_permission(self, request, obj=None):
        if not super().has_view_permission(request, obj):
            return False
        return obj is None or sees_every_action(request.user) or self.action_of(obj).owner == request.user

    def action_of(self, row):
        """Return the action that a row is about."""
        return row.action

    def own_rows(self, user):
        """Return the condition that a row is about an action that ``user`` owns."""
        return Q(action__owner=user)

    def get_changelist(self, request, **kwargs):
        return OwnRows

    def already(self, entry):
        """Return the row that already says what ``entry`` would, or None."""
        return getattr(entry.corrects, "corrected_by", None)

    def may_add(self, user, subject):
        """Return whether ``user``, who may add such rows, may add one about ``subject``."""
        return True

    def may_correct(self, user, row):
        """Return whether ``user``, who may add such rows, may add one that corrects ``row``."""
        return user.has_perm(ACCEPT)

    def subjects(self, request):
        """Return the rows that this person may choose to add a statement about."""
        return self.subject.objects.all()

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        request.entry = entry = self.entry_of(request)
        if entry is None:
            return self.choose_subject(request)
        if request.method == "GET" and (row := self.already(entry)):
            self.message_user(request, "This has been done already. Here it is.", messages.WARNING)
            return HttpResponseRedirect(self.address("change", row.pk))
        verb = "Correct" if entry.corrects else "Add"
        context = {
            "title": f"{verb} {self.opts.verbose_name}: {entry.subject}",
            "entry": entry,
            "action_position": self.position_of(entry),
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            **(extra_context or {}),
        }
        return super().add_view(request, form_url, context)

    def entry_of(self, request):
        """Return the Entry that the address asks for, or None if it names nothing to write about.

        Raises Http404 for what does not exist and PermissionDenied for what this person may not do.
        """
        asked = {**request.POST.dict(), **request.GET.dict()}
        corrects = None
        if "corrects" in asked:
            corrects = chosen(self.model, asked["corrects"])
            subject = getattr(corrects, self.subject_field)
            allowed = self.may_correct(request.user, corrects)
        elif self.subject_field in asked:
            subject = chosen(self.subject, asked[self.subject_field])
            allowed = self.may_add(request.user, subject)
        else:
            return None
        if not allowed:
            raise PermissionDenied
        return Entry(request.user, request.asked.today, subject, corrects)

    def position_of(self, entry):
        """Return how the action that the form is about stands, for the reader beside the form."""
        action = (
            entry.subject if isinstance(entry.subject, Action) else getattr(entry.subject, "action", None)
        )
        if not action:
            return None
        actions = Action.objects.as_at(entry.today).filter(pk=action.pk)
        return next(iter(action_positions(actions, as_at=entry.today)), None)

    def choose_subject(self, request):
        """Return the page on which to choose what to write about."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"Add {self.opts.verbose_name}: choose the {self.subject._meta.verbose_name}",
            "opts": self.opts,
            "subject_field": self.subject_field,
            "label": capfirst(self.subject._meta.verbose_name),
            "subjects": list(self.subjects(request)),
        }
        return TemplateResponse(request, "admin/recommendations/choose_subject.html", context)

    def get_form(self, request, obj=None, change=False, **kwargs):
        if obj:
            return super().get_form(request, obj, change=change, **{**kwargs, "form": ModelForm})
        form = super().get_form(request, obj, change=change, **kwargs)
        form.entry = request.entry
        return form

    def get_changeform_initial_data(self, request):
        return {}

    def get_fieldsets(self, request, obj=None):
        if obj:
            common = ["dated_in_words", "recorded_in_words", "correction_in_words", "source_in_words"]
            return [(None, {"fields": ["subject_in_words", *self.told, *common]})]
        left_out = self.form.left_out(request.entry)
        return [(None, {"fields": [f for f in self.form.Meta.fields if f not in left_out]})]

    def save_model(self, request, obj, form, change):
        obj.recorded_at = timezone.now()
        obj.recorded_by = request.user
        obj.recorded_as = self.admin_site.role_of(request.user)
        append([obj])

    def response_add(self, request, obj, post_url_continue=None):
        subject = getattr(obj, self.subject_field)
        page = subject if hasattr(subject, "get_absolute_url") else self.action_of(obj)
        message = format_html(
            'Saved: {}. <a href="{}">View {} on the board</a>',
            obj,
            page.get_absolute_url(),
            getattr(page, "ref", "it"),
        )
        self.message_user(request, message, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:index"))

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """Show one row, with the way to correct it if this person may."""
        context = {"title": capfirst(self.opts.verbose_name), **(extra_context or {})}
        row = self.get_object(request, object_id)
        stands = row and not hasattr(row, "corrected_by")
        if stands and self.has_add_permission(request) and self.may_correct(request.user, row):
            context["correct_url"] = f"{self.address('add')}?corrects={row.pk}"
        return super().change_view(request, object_id, form_url, context)

    def address(self, page, *keys):
        """Return the address of one of this model's pages: "changelist", "add" or "change"."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=keys)

    @admin.display(description="about")
    def subject_in_words(self, row):
        return str(getattr(row, self.subject_field))

    @admin.display(description="dated", ordering="dated_first")
    def dated_in_words(self, row):
        return say(row.dated)

    @admin.display(description="recorded", ordering="recorded_at")
    def recorded_in_words(self, row):
        if row.document_id:
            return f"loaded from {row.document}"
        role = f" ({row.recorded_as})" if row.recorded_as else ""
        return f"{name_of(row.recorded_by)}{role}, {say_moment(row.recorded_at)}"

    @admin.display(description="correction")
    def correction_in_words(self, row):
        parts = []
        if row.corrects_id:
            parts.append(f"Corrects the entry “{row.corrects}”, because: {row.correction_reason}")
        if hasattr(row, "corrected_by"):
            parts.append(f"Corrected since, because: {row.corrected_by.correction_reason}")
        return "\n".join(parts)

    @admin.display(description="where it comes from")
    def source_in_words(self, row):
        return f"{row.document}, {row.reference}" if row.document_id else ""


def newest_before(model, *same):
    """Return the rows of ``model`` that stood before an outer row about the same thing, newest first."""
    earlier = Q(dated_first__lt=OuterRef("dated_first")) | Q(
        dated_first=OuterRef("dated_first"), pk__lt=OuterRef("pk")
    )
    about = {name: OuterRef(name) for name in same}
    return model.objects.filter(earlier, corrected_by=None, **about).newest_first()


@admin.register(ProgressUpdate)
class ProgressUpdateAdmin(ReadOnlyAdmin):
    form = ProgressUpdateForm
    list_display = ["subject_in_words", "change_in_words", "dated_in_words", "recorded_in_words"]
    list_filter = ["status"]
    told = (
        "change_in_words",
        "narrative",
        "reason",
        "recovery_step",
        "difference_made",
        "evidence",
        "recheck_on",
        "on_behalf_in_words",
    )

    def get_queryset(self, request):
        before = newest_before(ProgressUpdate, "action").values("status")[:1]
        return super().get_queryset(request).annotate(status_before=Subquery(before))

    def may_add(self, user, subject):
        return subject.owner_id == user.pk or user.has_perm(RECORD_FOR_OWNER) or user.has_perm(ACCEPT)

    def may_correct(self, user, row):
        # An owner may put right what was reported, not what the board accepted.
        owns = row.action.owner_id == user.pk and row.status not in ACCEPTED
        return owns or user.has_perm(ACCEPT)

    def subjects(self, request):
        actions = Action.objects.begun(as_at=request.asked.today).order_by("ref")
        return actions if sees_every_action(request.user) else actions.filter(owner=request.user)

    @admin.display(description="status", ordering="status")
    def change_in_words(self, row):
        before = STATUS_WORDS.get(row.status_before, "Not yet reported")
        return f"{before} → {row.get_status_display()}"

    @admin.display(description="on behalf of")
    def on_behalf_in_words(self, row):
        return name_of(row.on_behalf_of) if row.on_behalf_of else ""


@admin.register(DueDate)
class DueDateAdmin(ReadOnlyAdmin):
    form = DueDateForm
    list_display = [
        "subject_in_words",
        "change_in_words",
        "agreed_in_words",
        "dated_in_words",
        "recorded_in_words",
    ]
    list_filter = ["reason_kind", "needs_decision"]
    told = ("change_in_words", "reason_kind", "reason", "agreed_in_words")

    def get_queryset(self, request):
        before = newest_before(DueDate, "action").values("due")[:1]
        decisions = Decision.objects.filter(corrected_by=None, due_date=OuterRef("pk"))
        return (
            super()
            .get_queryset(request)
            .annotate(due_before=Subquery(before), outcome=Subquery(decisions.values("outcome")[:1]))
        )

    def may_add(self, user, subject):
        return subject.owner_id == user.pk or user.has_perm(ACCEPT)

    def may_correct(self, user, row):
        # An owner may put right a proposal until the board decides it, and never an agreed date.
        undecided = row.needs_decision and not row.decisions.exists()
        return (row.action.owner_id == user.pk and undecided) or user.has_perm(ACCEPT)

    def subjects(self, request):
        actions = Action.objects.begun(as_at=request.asked.today).order_by("ref")
        return actions if sees_every_action(request.user) else actions.filter(owner=request.user)

    def response_add(self, request, obj, post_url_continue=None):
        if obj.due_last and obj.due_last < request.asked.today:
            warning = f"The date you entered, {say(obj.due)}, is already past. Correct it if that is wrong."
            self.message_user(request, warning, messages.WARNING)
        return super().response_add(request, obj, post_url_continue)

    @admin.display(description="due", ordering="due_first")
    def change_in_words(self, row):
        before = say(row.due_before) if row.due_before else "No date set"
        return f"{before} → {say(row.due)}"

    @admin.display(description="agreed")
    def agreed_in_words(self, row):
        if not row.needs_decision:
            return "Counts from the day it is dated"
        return {"agreed": "Proposed, and agreed", "refused": "Proposed, and refused"}.get(
            row.outcome, "Proposed, not yet decided"
        )


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    form = DecisionForm
    subject = DueDate
    subject_field = "due_date"
    list_display = ["subject_in_words", "outcome", "dated_in_words", "meeting_in_words", "recorded_in_words"]
    list_select_related = ["due_date__action", "recorded_by", "document"]
    list_filter = ["outcome"]
    search_fields = ["due_date__action__ref", "due_date__action__title"]
    told = ("outcome", "meeting_in_words", "reason")

    def action_of(self, row):
        return row.due_date.action

    def own_rows(self, user):
        return Q(due_date__action__owner=user)

    def already(self, entry):
        if entry.corrects:
            return super().already(entry)
        return entry.subject.decisions.filter(corrected_by=None).first()

    def may_add(self, user, subject):
        if not subject.needs_decision:
            raise Http404
        return True

    def subjects(self, request):
        return proposals_to_decide(as_at=request.asked.today)

    @admin.display(description="at the meeting of", ordering="meeting_on")
    def meeting_in_words(self, row):
        return say_day(row.meeting_on) if row.meeting_on else "Between meetings"


@admin.register(Assessment)
class AssessmentAdmin(ReadOnlyAdmin):
    form = AssessmentForm
    subject = Recommendation
    subject_field = "recommendation"
    list_display = ["subject_in_words", "whose", "change_in_words", "dated_in_words", "recorded_in_words"]
    list_select_related = ["recommendation", "recorded_by", "document"]
    list_filter = ["whose", "status"]
    search_fields = ["recommendation__title", "narrative"]
    told = ("whose", "change_in_words", "narrative")

    def has_view_permission(self, request, obj=None):
        return super().has_view_permission(request)

    def get_queryset(self, request):
        before = newest_before(Assessment, "recommendation", "whose").values("status")[:1]
        return super().get_queryset(request).annotate(status_before=Subquery(before))

    @admin.display(description="assessment", ordering="status")
    def change_in_words(self, row):
        before = STATUS_WORDS[row.status_before] if row.status_before else "Not yet assessed"
        return f"{before} → {row.get_status_display()}"


@admin.register(Recommendation)
class RecommendationAdmin(RecordAdmin):
    list_display = ["number", "title", "lead_body", "is_critical"]
    list_display_links = ["title"]
    list_filter = ["is_critical", "theme"]
    search_fields = ["title", "summary"]
    never_changes = ("number",)
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "number",
                    "title",
                    "summary",
                    "official_wording",
                    "lead_body",
                    "lead_basis",
                    "theme",
                ],
                "description": "What the adviser asked for. The status is not set here: it is reported.",
            },
        ),
        ("If it is critical", {"fields": ["is_critical", "consequence"]}),
        ("What it answers", {"fields": ["extends", "findings"]}),
        SOURCE,
    ]

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        return super().formfield_for_manytomany(
            db_field, request, **{**kwargs, "widget": CheckboxSelectMultiple}
        )


@admin.register(Action)
class ActionAdmin(RecordAdmin):
    form = ActionForm
    change_form_template = "admin/recommendations/change_action.html"
    list_display = ["ref", "title", "owner_role", "owner_in_words", "agreed_in_words"]
    list_display_links = ["ref", "title"]
    list_select_related = ["owner"]
    list_filter = ["recommendations"]
    search_fields = ["ref", "title", "owner_role"]
    ordering = ["ref"]
    never_changes = ("ref",)
    fieldsets = [
        (
            None,
            {
                "fields": ["ref", "title", "recommendations", "findings"],
                "description": "What will be done, and the recommendations or findings that it answers.",
            },
        ),
        (
            "Who answers for it",
            {
                "fields": ["owner_role", "owner"],
                "description": "The board shows the role. The account is the one that may record progress.",
            },
        ),
        (
            "When it began",
            {
                "fields": ["agreed_on", "earlier_misses"],
                "description": "Due dates are not set here: they are added, so that none is ever lost.",
            },
        ),
        ("Where it comes from", {"fields": ["document", "reference", "note"]}),
    ]

    def has_view_permission(self, request, obj=None):
        if not super().has_view_permission(request, obj):
            return False
        return obj is None or sees_every_action(request.user) or obj.owner == request.user

    def get_changelist(self, request, **kwargs):
        return OwnRows

    def own_rows(self, user):
        """Return the condition that ``user`` owns an action."""
        return Q(owner=user)

    def get_fieldsets(self, request, obj=None):
        if obj is None or self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        told = ["ref", "title", "owner_role", "owner_in_words", "agreed_in_words", "note"]
        return [(None, {"fields": told})]

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        return super().formfield_for_manytomany(
            db_field, request, **{**kwargs, "widget": CheckboxSelectMultiple}
        )

    def save_model(self, request, obj, form, change):
        if not change:
            obj.recorded_at = timezone.now()
        super().save_model(request, obj, form, change)

    @admin.display(description="owner", ordering="owner__last_name")
    def owner_in_words(self, action):
        return name_of(action.owner) if action.owner else "No owner"

    @admin.display(description="agreed on", ordering="agreed_on_first")
    def agreed_in_words(self, action):
        return say(action.agreed_on)


@admin.register(Measure)
class MeasureAdmin(RecordAdmin):
    list_display = ["ref", "name", "value", "as_at_in_words"]
    list_display_links = ["ref", "name"]
    search_fields = ["ref", "name"]
    never_changes = ("ref",)
    fieldsets = [
        (
            None,
            {
                "fields": ["ref", "name", "value", "unit", "as_at", "caveat"],
                "description": "A figure as its source words it. Give a small count of children as “c”.",
            },
        ),
        SOURCE,
    ]

    @admin.display(description="as at", ordering="as_at_first")
    def as_at_in_words(self, measure):
        return say(measure.as_at)


@admin.register(Risk)
class RiskAdmin(RecordAdmin):
    list_display = ["ref", "text"]
    search_fields = ["ref", "text"]
    never_changes = ("ref",)
    fieldsets = [(None, {"fields": ["ref", "text", "recommendations"]}), SOURCE]

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        return super().formfield_for_manytomany(
            db_field, request, **{**kwargs, "widget": CheckboxSelectMultiple}
        )
