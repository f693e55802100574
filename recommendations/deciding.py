"""Who may decide about an action, date it or report on it: nobody accepts their own work."""

from django.contrib.auth import get_user_model
from django.db.models import OuterRef
from django.utils.text import get_text_list

from recommendations.models import ProgressUpdate
from recommendations.ownership import Ownership
from recommendations.status import REPORTABLE, Status
from record.prepared import ask
from record.signing import Refused, name_of
from record.statements import first_of, place_of

ACCEPT = "recommendations.accept_progressupdate"
RECORD_FOR_OWNER = "recommendations.record_for_owner"


def why_not(user, action, at, *, perm=ACCEPT):
    """Why ``user`` may decide nothing about ``action`` today, in sentences that name who can; "" if they may.

    Nobody accepts, agrees, refuses, sends back or sets a date for an action that they own, or whose last
    report they made; nor do they withdraw what others said of it, which takes ``perm``.
    """
    return reasons_against(user, [action], at, perm=perm).get(action.pk, "")


def records_progress(user):
    """Whether ``user`` works in the admin and records progress at all."""
    return user.is_staff and user.has_perm("recommendations.add_progressupdate")


def may_add_actions(user):
    """Whether ``user`` adds actions, and says who owns them."""
    return user.has_perms(["recommendations.add_action", "recommendations.add_ownership"])


def may_date(user, action, at):
    """Whether ``user`` may set a date for ``action``, or propose one; raise Refused where others decide."""
    if action.owner_on(at) == user:
        return True
    if not user.has_perm(ACCEPT):
        return False
    if why := why_not(user, action, at):
        raise Refused(why)
    return True


def may_report(user, action, at):
    """Whether ``user`` may report on ``action``, or accept a report; raise Refused where others do."""
    reports = action.owner_on(at) == user or user.has_perm(RECORD_FOR_OWNER)
    if not (reports or user.has_perm(ACCEPT)):
        return False
    newest = action.newest_update(at)
    if not user.has_perm(ACCEPT) and newest and newest.status == Status.CLOSED:
        closed = f"{action.ref} is closed. Only the Chair or the Secretariat reopen it."
        raise Refused(f"{closed} {who_can(without=set())}")
    if not reports and not (newest and newest.is_acceptance) and (why := why_not(user, action, at)):
        raise Refused(why)
    return True


def reasons_against(user, actions, at, *, perm=ACCEPT):
    """{key: why not} for those of ``actions`` about which ``user`` may decide nothing today."""
    keys = [action.pk for action in actions]
    owners = dict(ask(_owners, at, keys=keys))
    reporters = {key: {*by} - {None} for key, *by in ask(_reporters, at, keys=keys)}
    found, able = {}, None
    for action in actions:
        owner, reported = owners.get(action.pk), reporters.get(action.pk, set())
        if user.pk == owner:
            why = f"You own {action.ref}, so somebody else decides about it."
        elif user.pk in reported:
            why = f"The last report on {action.ref} is yours, so somebody else decides about it."
        else:
            continue
        able = able or list(who_decide(perm))
        found[action.pk] = f"{why} {who_can(able, without={user.pk, owner, *reported})}"
    return found


def _owners(at, actions):
    owned = Ownership.objects.standing(at).filter(action__in=actions).newest_of_each("action")
    return owned.values_list("action", "owner")


def _reporters(at, actions):
    """Whose the last report is: who recorded it, for whom, and who made it before any word was put right."""
    reports = ProgressUpdate.objects.standing(at).filter(action__in=actions, status__in=REPORTABLE)
    newest = reports.newest_of_each("action").alias(its_place=place_of(ProgressUpdate))
    first = ProgressUpdate.objects.filter(pk=OuterRef("its_place"))
    made_by = first_of(first, "recorded_by")
    return newest.annotate(made_by=made_by).values_list("action", "recorded_by", "on_behalf_of", "made_by")


def who_decide(perm=ACCEPT):
    """The open accounts that may decide, or whatever else ``perm`` lets them do, by name."""
    able = get_user_model().objects.with_perm(perm, include_superusers=False).filter(is_active=True)
    return able.order_by("last_name", "pk")


def who_can(able=None, *, without=()):
    """A sentence that names those of the accounts ``able`` who may decide, but for the keys ``without``."""
    names = [name_of(user) for user in able or who_decide() if user.pk not in without][:5]
    if not names:
        return "Nobody else can at present: an administrator gives somebody the role of Chair or Secretariat."
    return f"Ask {get_text_list(names, 'or')}."
