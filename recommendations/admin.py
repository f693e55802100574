"""Where the secretariat keeps what is edited: recommendations, actions, measures and risks."""

from django.contrib import admin
from django.db.models import OuterRef, Q

from recommendations.forms import ActionForm
from recommendations.measures import Measure
from recommendations.models import Action, Recommendation, Risk
from recommendations.ownership import Ownership
from recommendations.statements_admin import OwnRows, owns, sees_every_action
from record.admin import SOURCE, RecordAdmin
from record.dates import say
from record.signing import name_in
from record.statements import first_of


@admin.register(Recommendation)
class RecommendationAdmin(RecordAdmin):
    list_display = ["number", "title", "lead_body", "is_critical"]
    list_display_links = ["title"]
    list_filter = ["is_critical", "theme"]
    search_fields = ["title", "summary"]
    never_changes = ("number",)
    withdrawn_last = True
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


@admin.register(Action)
class ActionAdmin(RecordAdmin):
    form = ActionForm
    change_form_template = "admin/recommendations/change_action.html"
    list_display = ["ref", "title", "owner_role", "owner_in_words", "agreed_in_words"]
    list_display_links = ["ref", "title"]
    list_filter = ["recommendations"]
    search_fields = ["ref", "title", "owner_role"]
    ordering = ["ref"]
    readonly_fields = ["owner_in_words", "agreed_in_words"]
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
                "fields": ["owner_role", "owner_in_words"],
                "description": "The board shows the role. The owner is the account that may record progress; "
                "it is not set here but added, so that who answered for it on any day stays on the record.",
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
        return obj is None or sees_every_action(request.user) or owns(request, obj)

    def get_changelist(self, request, **kwargs):
        return OwnRows

    def own_rows(self, request):
        """The condition that the person who asks owns an action."""
        return Q(pk__in=Action.objects.owned_by(request.user, request.as_at).values("pk"))

    def get_fieldsets(self, request, obj=None):
        if obj is None or self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        told = ["ref", "title", "owner_role", "owner_in_words", "agreed_in_words", "note"]
        return [(None, {"fields": told})]

    def get_queryset(self, request):
        newest = Ownership.objects.of_the_day(request.as_at).filter(action=OuterRef("pk"))
        return super().get_queryset(request).annotate(owner_signed=first_of(newest, "owner_signed"))

    @admin.display(description="owner", ordering="owner_signed")
    def owner_in_words(self, action):
        return name_in(action.owner_signed or "") or "No owner"

    @admin.display(description="agreed on", ordering="agreed_on_first")
    def agreed_in_words(self, action):
        return say(action.agreed_on)


@admin.register(Measure)
class MeasureAdmin(RecordAdmin):
    change_form_template = "admin/recommendations/change_measure.html"
    list_display = ["ref", "name", "unit"]
    list_display_links = ["ref", "name"]
    search_fields = ["ref", "name"]
    never_changes = ("ref",)
    fieldsets = [
        (
            None,
            {
                "fields": ["ref", "name", "unit", "shows_safety"],
                "description": "What is counted. Its values are added, not set here, so that none is lost.",
            },
        ),
        SOURCE,
    ]


@admin.register(Risk)
class RiskAdmin(RecordAdmin):
    list_display = ["ref", "text"]
    search_fields = ["ref", "text"]
    never_changes = ("ref",)
    fieldsets = [(None, {"fields": ["ref", "text", "recommendations"]}), SOURCE]
