"""Where the secretariat keeps what inspectors found, and what every page of the admin has in common."""

from django.contrib import admin

from record.admin import SOURCE, RecordAdmin
from record.dates import say
from record.inlines import OnPageInline
from visits.models import Event, Finding, Framework, Grade, Judgement, JudgementArea, Visit


class JudgementInline(OnPageInline):
    model = Judgement
    fields = ["area", "grade", "document", "reference", "note"]


class FindingInline(OnPageInline):
    model = Finding
    fields = ["ref", "kind", "attribution", "text", "document", "reference", "note"]


@admin.register(Visit)
class VisitAdmin(RecordAdmin):
    list_display = ["__str__", "dates_in_words", "letter", "theme"]
    list_filter = ["kind", "letter"]
    search_fields = ["slug", "theme", "inspectors", "authority"]
    ordering = ["-dates_first", "kind", "-number"]
    never_changes = ("slug",)
    inlines = [JudgementInline, FindingInline]
    withdrawn_with = ("judgements", "findings")
    fieldsets = [
        (
            None,
            {
                "fields": ["slug", "kind", "number", "authority", "dates", "theme", "inspectors"],
                "description": (
                    "Only full and short inspections are graded; only a focused visit can set an "
                    "area for priority action."
                ),
            },
        ),
        ("Report or letter", {"fields": ["letter", "published"]}),
        SOURCE,
    ]

    @admin.display(description="visited", ordering="dates_first")
    def dates_in_words(self, visit):
        return say(visit.dates)


@admin.register(Framework)
class FrameworkAdmin(RecordAdmin):
    list_display = ["name", "ran"]
    search_fields = ["name"]
    never_changes = ("key",)
    fieldsets = [(None, {"fields": ["key", "name", "ran"]})]


@admin.register(Grade)
class GradeAdmin(RecordAdmin):
    list_display = ["name", "framework", "order"]
    list_select_related = ["framework"]
    list_filter = ["framework"]
    search_fields = ["name"]
    never_changes = ("framework", "key")
    fieldsets = [
        (
            None,
            {
                "fields": ["framework", "key", "name", "order"],
                "description": "One step of the scale by which a framework grades, the best first.",
            },
        )
    ]


@admin.register(JudgementArea)
class JudgementAreaAdmin(RecordAdmin):
    list_display = ["name", "framework", "order"]
    list_select_related = ["framework"]
    list_filter = ["framework"]
    search_fields = ["name"]
    never_changes = ("key",)
    fieldsets = [
        (
            None,
            {
                "fields": ["key", "framework", "name", "order"],
                "description": (
                    "What Ofsted grades, named as Ofsted named it under one framework. When the "
                    "framework changes, add new areas; leave the old ones as they were."
                ),
            },
        )
    ]


@admin.register(Judgement)
class JudgementAdmin(RecordAdmin):
    list_display = ["visit", "area", "grade"]
    list_select_related = ["visit", "area", "grade__framework"]
    list_filter = ["grade"]
    search_fields = ["area__name", "visit__slug"]
    never_changes = ("visit",)
    fieldsets = [(None, {"fields": ["visit", "area", "grade"]}), SOURCE]


@admin.register(Finding)
class FindingAdmin(RecordAdmin):
    list_display = ["ref", "kind", "attribution", "text", "visit"]
    list_display_links = ["ref"]
    list_select_related = ["visit"]
    list_filter = ["kind", "attribution"]
    search_fields = ["ref", "text"]
    never_changes = ("ref",)
    fieldsets = [
        (
            None,
            {
                "fields": ["ref", "visit", "kind", "attribution", "text"],
                "description": (
                    "What someone found or claims, in our own words. Say whose it is: what the "
                    "council says is never shown as Ofsted’s."
                ),
            },
        ),
        SOURCE,
    ]


@admin.register(Event)
class EventAdmin(RecordAdmin):
    list_display = ["ref", "date_in_words", "kind", "text"]
    list_filter = ["kind"]
    search_fields = ["ref", "text"]
    never_changes = ("ref",)
    fieldsets = [
        (
            None,
            {
                "fields": ["ref", "kind", "date", "text"],
                "description": "A fact of the timeline that nothing else here holds, or a forecast.",
            },
        ),
        SOURCE,
    ]

    @admin.display(description="date", ordering="date_first")
    def date_in_words(self, event):
        return say(event.date)
