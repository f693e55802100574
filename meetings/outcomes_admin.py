"""Where the Chair and the Secretariat read, correct and withdraw what a meeting made of what it was asked."""

from django.contrib import admin

from meetings.outcome_forms import AskOutcomeForm, LateNoteForm
from meetings.outcomes import AskOutcome, LateNote
from recommendations.due_dates import DueDate
from recommendations.forms import BETWEEN_MEETINGS
from recommendations.models import Action
from recommendations.statements_admin import ActionStatementAdmin, independent, is_asked
from record.models import Ask, Meeting
from record.statement_admin import StatementAdmin


@admin.register(AskOutcome)
class AskOutcomeAdmin(StatementAdmin):
    form = AskOutcomeForm
    list_display = ["subject_in_words", "outcome", "dated_in_words", "meeting_in_words", "recorded_in_words"]
    list_select_related = ["ask", "meeting", "recorded_by", "document"]
    list_filter = ["outcome"]
    search_fields = ["ask__text", "words"]
    told = ("outcome", "words", "meeting_in_words")

    def already(self, addition):
        if addition.supersedes:
            return super().already(addition)
        return addition.subject.outcomes.in_force().first()

    def subjects(self, request):
        begun = Meeting.objects.begun_by(request.as_at.today)
        told = AskOutcome.objects.in_force().values("ask")
        return Ask.objects.filter(is_withdrawn=False, meeting__in=begun).exclude(pk__in=told)

    @admin.display(description="decided at", ordering="meeting__held_on")
    def meeting_in_words(self, row):
        return str(row.meeting or BETWEEN_MEETINGS)


@admin.register(LateNote)
class LateNoteAdmin(ActionStatementAdmin):
    form = LateNoteForm
    list_display = ["subject_in_words", "dated_in_words", "meeting_in_words", "recorded_in_words"]
    list_select_related = ["due_date__action", "meeting", "recorded_by", "document"]
    search_fields = ["due_date__action__ref", "due_date__action__title", "words"]
    told = ("words", "meeting_in_words")

    def action_of(self, subject):
        return subject.action

    def may_add(self, request, subject):
        return independent(request, subject.action)

    def may_supersede(self, request, row):
        may = super().may_supersede(request, row)
        return may and (not is_asked(request) or independent(request, row.about))

    def subjects(self, request):
        late = Action.objects.as_at(request.as_at).filter(is_overdue=True)
        return DueDate.objects.filter(pk__in=late.values("due_id")).select_related("action")

    @admin.display(description="decided at", ordering="meeting__held_on")
    def meeting_in_words(self, row):
        return str(row.meeting or BETWEEN_MEETINGS)
