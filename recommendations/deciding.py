"""Who may decide about an action: nobody accepts their own work."""

from django.contrib.auth import get_user_model
from django.utils.text import get_text_list

from recommendations.models import ProgressUpdate
from recommendations.status import REPORTABLE
from record.signing import name_of

ACCEPT = "recommendations.accept_progressupdate"


def why_not(user, action, at):
    """Why ``user`` may decide nothing about ``action`` today, in sentences that name who can; "" if they may.

    Nobody accepts, agrees, refuses, sends back or sets a date for an action that they own, or whose last
    report they made.
    """
    owner, reporter = action.owner_on(at), last_reporter(action, at)
    if user == owner:
        why = f"You own {action.ref}, so somebody else decides about it."
    elif user.pk == reporter:
        why = f"The last report on {action.ref} is yours, so somebody else decides about it."
    else:
        return ""
    return f"{why} {who_can(without={user.pk, reporter, owner and owner.pk})}"


def last_reporter(action, at):
    """The key of the account that made the last report on ``action``, or None."""
    reports = ProgressUpdate.objects.standing(at).filter(action=action, status__in=REPORTABLE)
    return reports.newest_first().values_list("recorded_by", flat=True).first()


def who_can(*, without):
    """A sentence that names the accounts that may decide, but for the keys ``without``."""
    able = get_user_model().objects.with_perm(ACCEPT, include_superusers=False).filter(is_active=True)
    names = [name_of(user) for user in able.exclude(pk__in=without - {None}).order_by("last_name", "pk")[:5]]
    if not names:
        return "Nobody else can at present: an administrator gives somebody the role of Chair or Secretariat."
    return f"Ask {get_text_list(names, 'or')}."
