"""A report that nothing has changed since an earlier one: a dated repeat, shown as no more than that."""

import re
from dataclasses import dataclass

from django.db.models.functions import Coalesce

from recommendations.models import ProgressUpdate
from recommendations.status import Status
from record.as_at import EARLIEST
from record.dates import read_edtf, say
from record.statements import Superseded, first_of

BEGINS = "No change since "
WORDS = f"{BEGINS}{{day}}."
SAYS_SO = re.compile(r"No change since [^.\n]+\.")
# What is repeated with it: none of it was asked again, and none of it has changed.
REPEATED = ("status", "reason", "recovery_step", "difference_made", "evidence")


def is_repeat(update):
    """Whether ``update`` says that nothing has changed, and nothing else."""
    return SAYS_SO.fullmatch(update.narrative.strip()) is not None


def words_after(update):
    """What is said where nothing has changed since ``update``: of several repeats all name the same day."""
    return update.narrative.strip() if is_repeat(update) else WORDS.format(day=say(update.dated))


def repeat_of(update):
    """{column: value} of the report that nothing has changed since ``update``."""
    return {name: getattr(update, name) for name in REPEATED} | {"narrative": words_after(update)}


@dataclass(frozen=True)
class PutRight:
    """That what a report repeats, ``was``, counts no more: ``how``, and what says it ``now``, or None."""

    was: ProgressUpdate
    how: Superseded
    now: ProgressUpdate | None


def put_right_since(update, at):
    """The PutRight of what the repeat ``update`` rests on, since that was made, or None.

    Only what was said since the last report that says more is read, and what corrects the one found.
    """
    earlier = {"action": update.action_id, "pk__lt": update.pk, "dated_first__lte": update.dated_first}
    says_more = ProgressUpdate.objects.standing(at).filter(**earlier).exclude(narrative__startswith=BEGINS)
    since = first_of(says_more.order_by("-dated_first"), "dated_first")
    rows = ProgressUpdate.objects.said(at).filter(**earlier, dated_first__gte=Coalesce(since, EARLIEST))
    for row in rows.select_related("corrected_by", "withdrawn_by").newest_first():
        how = row.superseded(at)
        if how and how.recorded_at > update.recorded_at:
            return _put_right(row, at)
        if not how and not is_repeat(row):
            break
    return None


def _put_right(was, at):
    """The PutRight of the report ``was``, as the last of its corrections in a row left it."""
    how, now = None, was
    while now and (step := now.superseded(at)):
        how, now = step, None if step.is_withdrawn else now.corrected_by
    return PutRight(was, how, now)


def why_not_repeat(update, *, sent_back, today):
    """Why “no change” is no answer after ``update``, the last report or None, in a sentence; "" if it is."""
    if update is None:
        return "Nothing has been reported on it yet. Say how it stands."
    if update.is_acceptance:
        return "It was accepted or closed. Report on it only if that has changed, and say how."
    if sent_back:
        return "Its last report was sent back. Answer what was asked."
    if update.status == Status.DONE:
        return "It is reported done, and waits for the board. Report on it only if that has changed."
    if read_edtf(update.dated).last is None or read_edtf(update.dated).last >= today:
        return "The last report on it is of today."
    return ""
