"""Where officers record progress, and the Chair and the Secretariat decide, assess and name owners."""

from functools import partial

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.text import Truncator

from recommendations.date_forms import DecisionForm, DueDateForm, TakeBackForm
from recommendations.deciding import ACCEPT, may_date, may_report, why_not
from recommendations.due_dates import Decision, DueDate, Outcome
from recommendations.forms import (
    BETWEEN_MEETINGS,
    AssessmentForm,
    MeasureValueForm,
    OwnershipForm,
    ProgressUpdateForm,
    SendBackForm,
    UpdateWithdrawalForm,
)
from recommendations.measures import MeasureValue
from recommendations.models import Action, Assessment, ProgressUpdate
from recommendations.ownership import Ownership
from recommendations.position import positions_of, proposals_to_decide
from recommendations.sent_back import SendBack
from recommendations.status import ACCEPTED, NOT_REPORTED, STATUS_WORDS, Status
from recommendations.track_record import track_records_on
from record.dates import say
from record.signing import Refused, name_in
from record.statement_admin import KEEPS_THE_RECORD, StatementAdmin, asks, newest_before
from record.statements import first_of, its_place, place_of

ONLY_ONES_OWN = (
    "Of what is said of such an action you correct or withdraw only what you entered yourself, and only "
    "until a decision rests on it."
)


def sees_every_action(user):
    """Whether ``user`` works on all actions here, and not only on those they own."""
    return user.has_perm(ACCEPT) or user.has_perm("recommendations.change_action")


def owns(request, action):
    """Whether the person who asks is the owner of ``action`` today."""
    return action.owner_on(request.as_at) == request.user


OF_A_DECISION = "Only those who decide for the board may say that a decision of theirs was wrong."


def independent(request, action):
    """True where the person who asks may decide about ``action``; raise Refused if it is their own work."""
    if why := why_not(request.user, action, request.as_at):
        raise Refused(why)
    return True


def barred(addition):
    """Why whoever makes ``addition`` may not decide about its action, for the page; "" if they may.

    To withdraw an entry decides nothing.
    """
    user = addition.user
    if addition.withdraws and not addition.anew:
        return ""
    return why_not(user, addition.subject, addition.as_at) if user.has_perm(ACCEPT) else ""


def takes_back(addition):
    """Whether ``addition`` takes a proposal back: of its owner no other decision is taken."""
    if addition.corrects:
        return addition.corrects.outcome == Outcome.TAKEN_BACK
    return addition.subject.about.owner_on(addition.as_at) == addition.user


def is_asked(request):
    """Whether what is asked for would do away with a row, and not only whether somebody could."""
    return asks(request, "corrects") or asks(request, "withdraws")


def may_put_decision_right(request, row):
    """Whether the person who asks decides for the board; raise Refused if ``row`` is about their own work."""
    may = request.user.has_perm(ACCEPT)
    return may and (not is_asked(request) or independent(request, row.about))


class OwnRows(ChangeList):
    """A list that shows officers only what is about their own actions.

    The filter is here and not in get_queryset, so that the page of somebody else's row is a plain refusal.
    """

    def get_queryset(self, request, exclude_parameters=None):
        if not sees_every_action(request.user):
            own = self.model_admin.own_rows(request)
            self.root_queryset = self.root_queryset.filter(own)
        return super().get_queryset(request, exclude_parameters)


class ActionStatementAdmin(StatementAdmin):
    """The pages of statements about actions: officers see those about their own, and how each stands."""

    add_form_template = "admin/recommendations/add_about_action.html"
    list_select_related = ["action", "recorded_by", "document"]
    search_fields = ["action__ref", "action__title"]
    not_theirs = "You do not own this action now. Officers work only on the actions they own."
    # What those who only work on their own actions do here, where they may do less than add any such row.
    owners_add = ""

    def add_words(self, request):
        own = "" if sees_every_action(request.user) else self.owners_add
        return own or super().add_words(request)

    def has_view_permission(self, request, obj=None):
        if not super().has_view_permission(request, obj):
            return False
        return obj is None or sees_every_action(request.user) or owns(request, obj.about)

    def own_rows(self, request):
        """The condition that a row is about an action of the person who asks."""
        owned = Action.objects.owned_by(request.user, request.as_at)
        return Q(**{f"{self.model.about_path()}__in": owned})

    def get_changelist(self, request, **kwargs):
        return OwnRows

    def response_add(self, request, obj, post_url_continue=None):
        response = super().response_add(request, obj, post_url_continue)
        return HttpResponseRedirect(reverse("mine")) if request.GET.get("from") == "mine" else response

    def may_supersede(self, request, row):
        """Also raises Refused for whoever would change what others said, or decided, of their own work."""
        user, decided = request.user, self.is_decided_upon(row)
        may = user.has_perm(ACCEPT) if decided else super().may_supersede(request, row)
        is_own = row.recorded_by_id == user.pk and not decided
        if not may or is_own or not any(asks(request, how) for how in ("corrects", "withdraws", "replaces")):
            return may
        perm = ACCEPT if decided else KEEPS_THE_RECORD
        if why := why_not(user, row.about, request.as_at, perm=perm):
            # Their own it may well be, where a decision rests on it.
            raise Refused(f"{self.why_it_stands(row)} {why}" if decided else f"{why} {ONLY_ONES_OWN}")
        return True

    def why_it_stands(self, row):
        if self.is_decided_upon(row):
            return "A decision rests on this entry, so only those who decide may say that it was wrong."
        return super().why_it_stands(row)

    def is_decided_upon(self, row):
        """Whether a decision rests on ``row``, so that only those who decide may say that it was wrong."""
        return False

    def subjects(self, request):
        actions = Action.objects.begun(request.as_at).order_by("ref")
        return actions if sees_every_action(request.user) else actions.owned_by(request.user, request.as_at)

    def add_context(self, addition):
        # A statement that is saved is answered without it.
        return {"action_position": SimpleLazyObject(partial(self.position_of, addition))}

    def position_of(self, addition):
        """How the action that the form is about stands, for the reader beside the form."""
        action = self.action_of(addition.subject)
        return next(iter(positions_of([action.pk], addition.as_at)), None)

    def action_of(self, subject):
        """The action that a row about ``subject`` is about."""
        return subject


@admin.register(ProgressUpdate)
class ProgressUpdateAdmin(ActionStatementAdmin):
    form = ProgressUpdateForm
    withdrawal_form = UpdateWithdrawalForm
    owners_add = "Report progress"
    list_display = [
        "subject_in_words",
        "change_in_words",
        "narrative_in_short",
        "dated_in_words",
        "recorded_in_words",
    ]
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
        "meeting",
    )

    def get_queryset(self, request):
        before = first_of(newest_before(ProgressUpdate, "action"), "status")
        rows = super().get_queryset(request).alias(place=place_of(ProgressUpdate))
        return rows.annotate(status_before=before)

    def may_add(self, request, subject):
        return may_report(request.user, subject, request.as_at)

    def add_context(self, addition):
        def last_three():
            standing = ProgressUpdate.objects.standing(addition.as_at).filter(action=addition.subject)
            return list(standing.select_related("document").newest_first()[:3])

        return {
            **super().add_context(addition),
            "reports": SimpleLazyObject(last_three),
            "accepts": addition.user.has_perm(ACCEPT),
            "barred": SimpleLazyObject(partial(barred, addition)),
        }

    def is_decided_upon(self, row):
        accepted = ProgressUpdate.objects.in_force().filter(action=row.action, status__in=ACCEPTED)
        later = accepted.alias(place=place_of(ProgressUpdate)).filter(place__gt=its_place(row))
        return row.status in ACCEPTED or later.exists() or SendBack.in_force_of(row).exists()

    @admin.display(description="status", ordering="status")
    def change_in_words(self, row):
        before = STATUS_WORDS[row.status_before or NOT_REPORTED]
        return f"{before} → {row.get_status_display()}"

    @admin.display(description=ProgressUpdate._meta.get_field("narrative").verbose_name)
    def narrative_in_short(self, row):
        return Truncator(" ".join(row.narrative.split())).chars(80)

    @admin.display(description="on behalf of")
    def on_behalf_in_words(self, row):
        return name_in(row.on_behalf_of_signed)


@admin.register(DueDate)
class DueDateAdmin(ActionStatementAdmin):
    form = DueDateForm
    owners_add = "Propose a date"
    is_replaced = True
    list_display = [
        "subject_in_words",
        "change_in_words",
        "agreed_in_words",
        "dated_in_words",
        "recorded_in_words",
    ]
    list_filter = ["reason_kind", "needs_decision"]
    told = ("change_in_words", "reason_kind", "reason", "agreed_in_words", "meeting")

    def get_queryset(self, request):
        # What was only proposed, or refused, was never the date of anything.
        agreed = Decision.objects.in_force().filter(due_date=OuterRef("pk"), outcome=Outcome.AGREED)
        counted = newest_before(DueDate, "action").filter(Q(needs_decision=False) | Exists(agreed))
        decisions = Decision.objects.in_force().filter(due_date=OuterRef("pk"))
        return (
            super()
            .get_queryset(request)
            .alias(place=place_of(DueDate))
            .annotate(due_before=first_of(counted, "due"), outcome=first_of(decisions, "outcome"))
        )

    def may_add(self, request, subject):
        return may_date(request.user, subject, request.as_at)

    def add_context(self, addition):
        context = {
            **super().add_context(addition),
            "barred": SimpleLazyObject(partial(barred, addition)),
            "records": SimpleLazyObject(partial(track_records_on, addition.as_at)),
        }
        is_proposal = not addition.user.has_perm(ACCEPT) or context["barred"]
        if is_proposal and not addition.supersedes:
            context["title"] = f"{self.owners_add}: {addition.subject}"
        return context

    def is_decided_upon(self, row):
        return not row.needs_decision or row.decisions.in_force().exists()

    def response_add(self, request, obj, post_url_continue=None):
        if obj.due_last and obj.due_last < request.as_at.today:
            warning = f"The date you entered, {say(obj.due)}, is already past. Replace it if that is wrong."
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
        if not row.outcome:
            return "Proposed, not yet decided"
        return f"Proposed, and {Outcome(row.outcome).label.lower()}"


@admin.register(Decision)
class DecisionAdmin(ActionStatementAdmin):
    form = DecisionForm
    owners_add = "Take back a date you proposed"
    list_display = ["subject_in_words", "outcome", "dated_in_words", "meeting_in_words", "recorded_in_words"]
    list_select_related = ["due_date__action", "meeting", "recorded_by", "document"]
    list_filter = ["outcome"]
    search_fields = ["due_date__action__ref", "due_date__action__title"]
    told = ("outcome", "meeting_in_words", "reason")

    def action_of(self, subject):
        return subject.action

    def add_context(self, addition):
        records = SimpleLazyObject(partial(track_records_on, addition.as_at))
        return {**super().add_context(addition), "records": records}

    def already(self, addition):
        if addition.supersedes:
            return super().already(addition)
        return addition.subject.decisions.in_force().first()

    def may_add(self, request, subject):
        if not subject.needs_decision:
            raise Http404
        if owns(request, subject.action):
            return True  # to take it back
        return request.user.has_perm(ACCEPT) and independent(request, subject.action)

    def may_supersede(self, request, row):
        if row.outcome == Outcome.TAKEN_BACK:
            return super().may_supersede(request, row)
        return may_put_decision_right(request, row)

    def why_it_stands(self, row):
        return super().why_it_stands(row) if row.outcome == Outcome.TAKEN_BACK else OF_A_DECISION

    def form_for(self, addition):
        form = super().form_for(addition)
        if form is self.form and takes_back(addition):
            return TakeBackForm
        return form

    def verb(self, addition):
        if not addition.supersedes and takes_back(addition):
            return "Take back", "taking back"
        return super().verb(addition)

    def subjects(self, request):
        waiting = proposals_to_decide(request.as_at)
        if request.user.has_perm(ACCEPT):
            return waiting
        return waiting.filter(action__in=Action.objects.owned_by(request.user, request.as_at))

    @admin.display(description="decided at", ordering="meeting__held_on")
    def meeting_in_words(self, row):
        return str(row.meeting or BETWEEN_MEETINGS)


@admin.register(SendBack)
class SendBackAdmin(ActionStatementAdmin):
    form = SendBackForm
    list_display = [
        "subject_in_words",
        "wanted_by",
        "dated_in_words",
        "meeting_in_words",
        "recorded_in_words",
    ]
    list_select_related = ["report__action", "meeting", "recorded_by", "document"]
    search_fields = ["report__action__ref", "report__action__title", "wanted"]
    told = ("wanted", "wanted_by", "meeting_in_words")

    def action_of(self, subject):
        return subject.action

    def already(self, addition):
        if addition.supersedes:
            return super().already(addition)
        report, newest = addition.subject, addition.subject.action.newest_update(addition.as_at)
        return SendBack.in_force_of(report).first() or (newest if newest != report else None)

    def may_add(self, request, subject):
        if subject.status != Status.DONE:
            raise Http404
        return independent(request, subject.action)

    def may_supersede(self, request, row):
        return may_put_decision_right(request, row)

    def why_it_stands(self, row):
        return OF_A_DECISION

    def subjects(self, request):
        actions = Action.objects.as_at(request.as_at).filter(status=Status.DONE)
        return ProgressUpdate.objects.filter(pk__in=actions.values("update_id")).select_related("action")

    @admin.display(description="decided at")
    def meeting_in_words(self, row):
        return str(row.meeting or BETWEEN_MEETINGS)


@admin.register(Assessment)
class AssessmentAdmin(StatementAdmin):
    form = AssessmentForm
    list_display = ["subject_in_words", "whose", "change_in_words", "dated_in_words", "recorded_in_words"]
    list_select_related = ["recommendation", "recorded_by", "document"]
    list_filter = ["whose", "status"]
    search_fields = ["recommendation__title", "narrative"]
    told = ("whose", "change_in_words", "narrative")

    def get_queryset(self, request):
        before = first_of(newest_before(Assessment, "recommendation", "whose"), "status")
        rows = super().get_queryset(request).alias(place=place_of(Assessment))
        return rows.annotate(status_before=before)

    @admin.display(description="assessment", ordering="status")
    def change_in_words(self, row):
        before = STATUS_WORDS[row.status_before] if row.status_before else "Not yet assessed"
        return f"{before} → {row.get_status_display()}"


@admin.register(Ownership)
class OwnershipAdmin(ActionStatementAdmin):
    form = OwnershipForm
    list_display = ["subject_in_words", "owner_in_words", "dated_in_words", "recorded_in_words"]
    told = ("owner_in_words",)

    @admin.display(description="owner", ordering="owner_signed")
    def owner_in_words(self, row):
        return name_in(row.owner_signed) or "Nobody"


@admin.register(MeasureValue)
class MeasureValueAdmin(StatementAdmin):
    form = MeasureValueForm
    list_display = ["subject_in_words", "value", "as_at_in_words", "recorded_in_words"]
    list_select_related = ["measure", "recorded_by", "document"]
    search_fields = ["measure__ref", "measure__name", "value"]
    told = ("value", "as_at_in_words", "caveat")

    @admin.display(description="as at", ordering="as_at_first")
    def as_at_in_words(self, row):
        return say(row.as_at)
