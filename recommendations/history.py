"""What was ever said of an action or a recommendation, newest first, superseded statements included.

A page of history is cut at a day, never inside one, so that it costs the same however long the history
is and no entry can fall between two pages.
"""

import datetime
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from recommendations.due_dates import Decision, DueDate
from recommendations.models import Action, Assessment, ProgressUpdate
from recommendations.status import NOT_REPORTED, OPEN, STATUS_WORDS, Status
from record.dates import read_edtf
from record.signing import name_in
from record.statements import Signature

PAGE = 50


@dataclass(frozen=True)
class Superseded:
    """That an entry counts no more: who corrected it, when and why."""

    by: str
    recorded_at: datetime.datetime
    reason: str


@dataclass(frozen=True)
class Entry:
    """One statement as history shows it: who, when, from what, to what, and why.

    ``turn`` says where a status change is more than that: "Reopened", "Re-check failed: reopened".
    """

    kind: str
    pk: int
    action: str
    signature: Signature
    was: str
    now: str
    text: str
    turn: str = ""
    update: ProgressUpdate | None = None
    superseded: Superseded | None = None

    @property
    def late_words(self):
        """Return the day it speaks of where it was recorded later than that, else ""."""
        late = self.signature.lateness
        return f"Dated {self.signature.dated}, {late}" if late else ""

    @property
    def anchor(self):
        """Return the entry's identifier in a page."""
        return f"{self.kind.replace(' ', '-')}-{self.pk}"


@dataclass(frozen=True)
class Page:
    """A run of Entries, newest first. ``older`` is the day before which the next page looks, or None."""

    entries: tuple[Entry, ...]
    older: datetime.date | None


def history(at, *, actions=(), recommendation=None, before=None):
    """Return the Page of the statements on ``actions`` (primary keys), and on the ``recommendation``.

    Only what is dated by the day asked about, and before the day ``before`` where that is given, is on it;
    with ``at.known`` only what had been recorded before that moment.
    """
    last = min(at.day, before - datetime.timedelta(days=1)) if before else at.day
    edge = _edge(actions, last)

    def on_page(model, *also, **about):
        rows = model.objects.filter(dated_first__lte=last, **about)
        rows = rows.filter(dated_first__gte=edge) if edge else rows
        rows = rows.filter(known_from__lt=at.known) if at.known else rows
        return rows.select_related("document", "corrected_by", *also).order_by("dated_first", "pk")

    updates = on_page(ProgressUpdate, "action", action__in=actions)
    entries = _updates(updates, _statuses_before(actions, edge, at), at)
    for row in on_page(DueDate, "action", action__in=actions):
        entries.append(_due_date(row, at))
    for row in on_page(Decision, "due_date__action", due_date__action__in=actions):
        entries.append(_decision(row, at))
    if recommendation:
        for row in on_page(Assessment, recommendation=recommendation):
            entries.append(_assessment(row, at))
    entries.sort(key=lambda e: (e.signature.dated.first, e.signature.recorded_at, e.pk), reverse=True)
    return Page(tuple(entries), edge if edge and _is_older(actions, edge) else None)


def _edge(actions, last):
    """Return the earliest day of a page that ends on ``last``, or None where all of it fits."""
    newest = ProgressUpdate.objects.filter(action=OuterRef("pk"), dated_first__lte=last).newest_first()
    edges = (
        Action.objects.filter(pk__in=actions)
        .annotate(edge=Subquery(newest.values("dated_first")[PAGE - 1 : PAGE]))
        .values_list("edge", flat=True)
    )
    return max((edge for edge in edges if edge), default=None)


def _is_older(actions, edge):
    return any(
        model.objects.filter(dated_first__lt=edge, **{f"{path}__in": actions}).exists()
        for model, path in ((ProgressUpdate, "action"), (DueDate, "action"))
    )


def _statuses_before(actions, edge, at):
    """Return {action pk: its status just before the day ``edge``}."""
    if not edge:
        return {}
    earlier = (
        ProgressUpdate.objects.standing(at).filter(action=OuterRef("pk"), dated_first__lt=edge).newest_first()
    )
    return dict(
        Action.objects.filter(pk__in=actions)
        .annotate(before=Subquery(earlier.values("status")[:1]))
        .values_list("pk", "before")
    )


def _superseded(row, at):
    correction = getattr(row, "corrected_by", None)
    if correction is None or (at.known and not correction.document_id and correction.recorded_at >= at.known):
        return None
    return Superseded(name_in(correction.signed), correction.recorded_at, correction.correction_reason)


def _updates(rows, statuses, at):
    """Return an Entry for each update, oldest first, each knowing the status it changed."""
    current, rechecks, entries = dict(statuses), {}, []
    for row in rows:
        superseded = _superseded(row, at)
        was = current.get(row.action_id) or NOT_REPORTED
        turn = ""
        if was not in OPEN and row.status in OPEN:
            recheck = rechecks.get(row.action_id)
            failed = was == Status.COMPLETE and recheck and row.dated_first >= recheck
            turn = "Re-check failed: reopened" if failed else "Reopened"
        if not superseded:
            current[row.action_id] = row.status
            rechecks[row.action_id] = row.recheck_on
        entries.append(
            Entry(
                "update",
                row.pk,
                row.action.ref,
                row.signature,
                STATUS_WORDS[was],
                STATUS_WORDS[row.status],
                row.narrative,
                turn,
                row,
                superseded,
            )
        )
    return entries


def _due_date(row, at):
    proposal = "proposed: " if row.needs_decision else ""
    return Entry(
        "due date",
        row.pk,
        row.action.ref,
        row.signature,
        "",
        f"{proposal}{read_edtf(row.due)}",
        f"{row.get_reason_kind_display()}. {row.reason}",
        superseded=_superseded(row, at),
    )


def _decision(row, at):
    return Entry(
        "decision",
        row.pk,
        row.due_date.action.ref,
        row.signature,
        f"proposed: {read_edtf(row.due_date.due)}",
        row.get_outcome_display().lower(),
        row.reason,
        superseded=_superseded(row, at),
    )


def _assessment(row, at):
    return Entry(
        "assessment",
        row.pk,
        "",
        row.signature,
        "",
        f"{row.get_whose_display()}: {STATUS_WORDS[row.status]}",
        row.narrative,
        superseded=_superseded(row, at),
    )
