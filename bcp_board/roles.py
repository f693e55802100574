"""The groups that people belong to, and exactly what each may do.

The rest of the code asks for permissions, never for a group or a person. Nobody may delete anything, so
no group holds a delete permission.
"""

from django.contrib.auth.models import Group, Permission
from django.db import transaction

# Board members read the board's pages, which need no permission; the others work in the admin too.
STAFF = ("Secretariat", "Chair", "Officers", "Administrators")


def permissions(verbs, *models):
    """The names of permissions: ``permissions("view add", "app.model")``."""
    names = (model.split(".") for model in models)
    return {f"{app}.{verb}_{model}" for app, model in names for verb in verbs.split()}


RECORD = (
    "record.document",
    "visits.visit",
    "visits.framework",
    "visits.grade",
    "visits.judgementarea",
    "visits.judgement",
    "visits.finding",
    "visits.event",
    "recommendations.recommendation",
    "recommendations.action",
    "recommendations.measure",
    "recommendations.risk",
    "record.meeting",
    "record.ask",
)
REPORTS = ("recommendations.progressupdate", "recommendations.duedate")
# Owners see what was decided about their work, and take back a date that they proposed.
OFFICERS = permissions("view", "recommendations.action", "recommendations.sendback") | permissions(
    "view add", *REPORTS, "recommendations.decision"
)
CHAIR = (
    OFFICERS
    | permissions("view", "recommendations.recommendation")
    | permissions("view add", "recommendations.sendback", "recommendations.assessment")
    | permissions("view add", "meetings.askoutcome", "meetings.latenote")
    | {"recommendations.accept_progressupdate"}
)
PERMISSIONS = {
    "Secretariat": CHAIR
    | permissions("view add change", *RECORD)
    | permissions("view add", "meetings.paper", "recommendations.ownership", "recommendations.measurevalue")
    | {"recommendations.record_for_owner"},
    "Chair": CHAIR,
    "Officers": OFFICERS,
    "Administrators": permissions("view add change", "auth.user"),
    "Board members": set(),
}

# What a holder of each may do, for whoever gives it.
IN_WORDS = {
    "Board members": "read the board’s pages, and change nothing.",
    "Officers": "report progress and propose dates, on the actions that they own and on no others.",
    "Chair": "accepts what is complete or sends it back, decides dates, and records assessments.",
    "Secretariat": "keeps the record: enters and corrects everything in it with a reason, names owners, "
    "reports for them, decides as the Chair does, and publishes papers.",
    "Administrators": "make and close accounts, give others their roles, and change nothing in the record.",
}


@transaction.atomic
def create_groups():
    """Make the groups, each with its permissions and no others; raise KeyError for one that is unknown."""
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    for name, wanted in PERMISSIONS.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set([known[permission] for permission in wanted])


def after_migrations(sender, using, **kwargs):
    """Make the groups once every room has its permissions: this one's turn comes last."""
    create_groups()


def works_in_admin(user):
    """Whether the groups of ``user`` give them something to do in the admin."""
    return user.is_superuser or user.groups.filter(name__in=STAFF).exists()
