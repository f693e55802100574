"""Where the secretariat keeps the board's meetings."""

from django.contrib import admin

from meetings.models import Meeting
from visits.admin import RecordAdmin
from visits.dates import say_day


@admin.register(Meeting)
class MeetingAdmin(RecordAdmin):
    list_display = ["__str__", "papers_due_in_words"]
    ordering = ["-held_on"]
    fieldsets = [
        (
            None,
            {
                "fields": ["held_on", "papers_due_on"],
                "description": (
                    "The day is part of the address of the meeting’s papers, so it is fixed once one is "
                    "published."
                ),
            },
        ),
        ("The status paper", {"fields": ["covering_note", "asks"]}),
    ]

    def get_readonly_fields(self, request, obj=None):
        fixed = super().get_readonly_fields(request, obj)
        return (*fixed, "held_on") if obj and obj.papers.exists() else fixed

    @admin.display(description="papers due", ordering="papers_due_on")
    def papers_due_in_words(self, meeting):
        return say_day(meeting.papers_due_on) if meeting.papers_due_on else "Not set"
