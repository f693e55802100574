"""What was reported since a moment: the one rule by which somebody has reported, or has not.

A report that was loaded from a document tells how an action stands, and is nobody's answer to the board.
"""

import datetime
from collections import defaultdict
from typing import NamedTuple

from django.db.models import OuterRef, Q, Subquery

from recommendations.models import Action, ProgressUpdate
from recommendations.status import ACCEPTED
from record.held import had_before_it, meetings_held
from record.prepared import ask
from record.statements import place_of

# Updates that became known since a moment are read one and all up to so many, which is what sixty actions are
# reported on in two years of months. Where more were entered at once, so many of each action's are read: one
# more than pages tell in full.
READ_WHOLE = 1500
READ_OF_EACH = 6


class Heard(NamedTuple):
    """What is asked of each of very many updates: which action it is on, and what it says in a word."""

    id: int
    action_id: int
    status: str
    dated_first: datetime.date
    withdraws_id: int | None
    corrects_id: int | None
    document_id: int | None
    place: int

    @property
    def is_acceptance(self):
        """Whether it is the Chair's or Secretariat's acceptance, and not an owner's report."""
        return self.status in ACCEPTED


class News(NamedTuple):
    """The ``updates`` that became known since a moment, in their order, and whether those are all of them."""

    updates: list[Heard]
    is_whole: bool


def updates_since(since, at, *, named=()):
    """The News of what became known between ``since`` and ``at``, each an AsAt.

    Corrections and withdrawals of earlier ones are among them. Where more than READ_WHOLE became known, as
    when years of reports are entered at once, only the READ_OF_EACH reports on an action that were recorded
    last are read; besides, whatever puts another right, and those of the keys ``named``. What is told is told
    from its place on, so a correction is named with its place.
    """
    rows = ask(_updates_since, at, since.until)
    is_whole = len(rows) <= READ_WHOLE
    if not is_whole:
        last = {key for keys in ask(_last_of_each, at, since.until) for key in keys if key}
        rows = ask(_of_keys, at, since.until, keys=sorted(last.union(named)))
        rows += ask(_putting_right, at, since.until)
    return News(sorted({Heard(*row) for row in rows}), is_whole)


def _updates_since(at, since):
    # By the column that finds them: asked for them by their keys, SQLite would read all there are.
    return _heard(_new(at, since).order_by("known_from"))[: READ_WHOLE + 1]


def _last_of_each(at, since):
    """For each action the keys of the reports on it that are read, with None for those it lacks."""
    new = _new(at, since).filter(action=OuterRef("pk"), corrects=None, withdraws=None)
    new = new.filter(~new.superseding("withdraws", at))
    reports = new.filter(document=None).exclude(status__in=ACCEPTED)
    keys = reports.order_by("-known_from", "-pk").values("pk")
    return Action.objects.values_list(*(Subquery(keys[n : n + 1]) for n in range(READ_OF_EACH)))


def _of_keys(at, since, keys):
    return _heard(_new(at, since).filter(pk__in=keys))


def _putting_right(at, since):
    # What became known since was recorded since, by which the few of them are found.
    return _heard(_new(at, since).putting_right().filter(recorded_at__gte=since))


def _new(at, since):
    end = Q(known_from__lt=at.known) if at.known else Q()
    return ProgressUpdate.objects.filter(end, known_from__gte=since, dated_first__lte=at.day)


def _heard(rows):
    columns = [column for column in Heard._fields if column != "place"]
    return rows.values_list(*columns, place_of(ProgressUpdate))


def reports_in(heard):
    """{key of an action: the reports on it} in ``heard``, from ``updates_since``, in their order.

    What was put right is there as it stands now; what corrects a report of an earlier time is no new one.
    """
    reports = defaultdict(list)
    for row in said_anew(heard):
        if not row.is_acceptance:
            reports[row.action_id].append(row)
    return reports


def said_anew(rows):
    """Those of ``rows``, statements in the order of the record, that say something new and stand.

    What was put right is among them as it stands now; what corrects one that is not among ``rows`` is not.
    """
    put_right, new = put_right_by(rows), set()
    for row in rows:
        if row.withdraws_id or (row.corrects_id and row.corrects_id not in new):
            continue
        new.add(row.id)
        if row.id not in put_right:
            yield row


def put_right_by(rows):
    """The keys of the statements that those of ``rows`` correct or withdraw."""
    return {row.corrects_id for row in rows} | {row.withdraws_id for row in rows}


def somebody_reported(reports):
    """Whether any of ``reports`` was made by a person."""
    return any(not report.document_id for report in reports)


def reported_this_round(at):
    """The keys of the actions that somebody reported on since the last meeting held, as ``at`` sees it.

    Before any meeting was held they are those that somebody ever reported on.
    """
    held = meetings_held(at)
    if held:
        reports = reports_in(updates_since(had_before_it(held[0], at), at).updates)
        return {key for key, of_action in reports.items() if somebody_reported(of_action)}
    made = ProgressUpdate.objects.standing(at).filter(document=None)
    return set(made.values_list("action", flat=True))
