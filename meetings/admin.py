"""Where the secretariat keeps the board's meetings, and publishes their papers."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxLengthValidator
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html

from meetings import papers
from meetings.forms import MeetingForm
from meetings.outcomes_admin import AskOutcomeAdmin, LateNoteAdmin
from meetings.publishing import MovedOn, decided_already, draft, publish, what_is_read
from record import ledger, security_log
from record.admin import RecordAdmin
from record.dates import say_day
from record.forms import NOT_WHOLE
from record.inlines import OnPageInline
from record.models import Ask, Meeting
from record.signing import Refused
from record.texts import LinesField

__all__ = ["AskAdmin", "AskOutcomeAdmin", "LateNoteAdmin", "MeetingAdmin"]
LONGEST_REASON = 500


class PublishForm(forms.Form):
    """Confirms that the paper is to be frozen; a later version says why there is one."""

    read = forms.CharField(required=False, widget=forms.HiddenInput)
    has_annex = forms.BooleanField(
        label="With the annex",
        required=False,
        help_text=(
            "After the paper’s own sheets: the other actions, every date, measures, risks and months. "
            "Tick it and choose Show the sheets again to read it above."
        ),
    )
    reason = LinesField(
        label="Why there is a new version",
        required=False,
        # Not max_length: a browser that is told the limit cuts what is pasted, without a word.
        validators=[MaxLengthValidator(LONGEST_REASON, f"Use {LONGEST_REASON} characters or fewer.")],
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=(
            "Printed on the meeting’s page, beside the earlier version, which stays as it is. "
            f"Up to {LONGEST_REASON} characters."
        ),
    )

    def __init__(self, *args, newest, is_now, has_annex=False, reason="", **kwargs):
        self.is_now = is_now
        initial = {"read": is_now, "has_annex": has_annex, "reason": reason}
        super().__init__(*args, initial=initial, **kwargs)
        if not newest:
            del self.fields["reason"]

    def clean(self):
        cleaned = super().clean()
        # Whoever read what has changed since is told of that instead.
        if cleaned.get("read") == self.is_now and "reason" in cleaned and not cleaned["reason"]:
            self.add_error("reason", "Say why there is a new version.")
        return cleaned


class AskInline(OnPageInline):
    model = Ask
    verbose_name, verbose_name_plural = "question for the board", "what the board is asked"
    fields = ["kind", "text"]


@admin.register(Meeting)
class MeetingAdmin(RecordAdmin):
    form = MeetingForm
    change_form_template = "admin/meetings/change_meeting.html"
    list_display = ["__str__", "state_in_words", "papers_due_in_words"]
    ordering = ["-held_on"]
    inlines = [AskInline]
    fieldsets = [
        (
            None,
            {
                "fields": ["held_on", "state", "papers_due_on"],
                "description": (
                    "The day is part of the addresses of the meeting and its papers. If it is moved or put "
                    "right, the old addresses lead to the new ones, decisions keep their own day, and "
                    "published papers keep what they printed."
                ),
            },
        ),
        ("The status paper", {"fields": ["covering_note"]}),
        ("Once it was held", {"fields": ["attendance", "apologies", "minutes_url"]}),
    ]

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        form.today = request.as_at.today
        return form

    def get_urls(self):
        publishing = path(
            "<int:pk>/publish/", self.admin_site.admin_view(self.publish_view), name="meetings_publish"
        )
        return [publishing, *super().get_urls()]

    def publish_view(self, request, pk):
        """Show the sheets of the meeting's paper, ask whether to freeze them as they were read, and do so.

        Nothing is published if anything changed since: the page tells what, and asks again.
        """
        if not request.user.has_perm("meetings.add_paper"):
            raise PermissionDenied
        meeting = self.get_object(request, str(pk))
        if meeting.is_cancelled:
            raise Refused(
                f"The meeting of {say_day(meeting.held_on)} was cancelled, so no paper is published for it."
            )
        form, moved_on = self.publish_form(meeting, request.POST or None), None
        if "show" in request.POST:
            # Whoever asks for the sheets anew reads the newest.
            wanted = {"has_annex": "has_annex" in request.POST, "reason": request.POST.get("reason", "")}
            form = self.publish_form(meeting, **wanted)
        elif request.method == "POST" and form.is_valid():
            wanted = {
                "has_annex": form.cleaned_data["has_annex"],
                "reason": form.cleaned_data.get("reason", ""),
            }
            try:
                paper = publish(meeting.pk, by=request.user, read=form.cleaned_data["read"], **wanted)
            except MovedOn as error:
                moved_on = error.told or [NOT_WHOLE]
                meeting.refresh_from_db()
                form = self.publish_form(meeting, **wanted)
            else:
                security_log.record("published", request=request, object=f"paper {paper.pk}")
                message = format_html(
                    'Published version {}. <a href="{}">View it on the board</a>',
                    paper.version,
                    paper.get_absolute_url(),
                )
                self.message_user(request, message, messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:record_meeting_change", args=[meeting.pk]))
        # After the form: what is added from here on makes what was read no longer the newest.
        paper = draft(meeting, has_annex=bool(form["has_annex"].value()))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{'Error: ' if form.errors or moved_on else ''}Publish the status paper",
            "opts": self.opts,
            "original": meeting,
            "form": form,
            "newest": meeting.papers.defer("body").order_by("-version").first(),
            "moved_on": moved_on,
            "decided_already": decided_already(meeting),
            "extent": papers.extent(ledger.newest()),
            "paper": paper,
            "sheets": papers.laid_out(paper),
        }
        status = 409 if moved_on else 200
        return TemplateResponse(request, "admin/meetings/publish.html", context, status=status)

    def publish_form(self, meeting, *data, **wanted):
        newest = meeting.papers.defer("body").order_by("-version").first()
        return PublishForm(*data, newest=newest, is_now=what_is_read(meeting), **wanted)

    @admin.display(description="papers due", ordering="papers_due_on")
    def papers_due_in_words(self, meeting):
        return say_day(meeting.papers_due_on) if meeting.papers_due_on else "Not set"

    @admin.display(description="state", ordering="state")
    def state_in_words(self, meeting):
        return meeting.words_on(timezone.localdate())


@admin.register(Ask)
class AskAdmin(RecordAdmin):
    list_display = ["text", "kind", "meeting"]
    list_select_related = ["meeting"]
    list_filter = ["kind"]
    search_fields = ["text"]
    never_changes = ("meeting",)
    fieldsets = [(None, {"fields": ["meeting", "kind", "text"]})]
