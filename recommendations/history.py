"""What was ever said of an action or a recommendation, newest first, superseded statements included.

A page of history is cut at a day, never inside one, so that it costs the same however long the history
is and no entry can fall between two pages.
"""

import datetime
from collections import Counter
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

from django.db.models import BigIntegerField, F, OuterRef, Q, Subquery
from django.db.models.functions import Cast

from recommendations.lateness import overruled
from recommendations.models import Action, ProgressUpdate, Recommendation
from recommendations.position import updates_with
from recommendations.status import NOT_REPORTED, OPEN, STATUS_WORDS, Status
from record.models import Meeting
from record.prepared import ask
from record.signing import role_in
from record.statements import Signature, Superseded, first_of, statement_kinds
from record.versions import read_asked

PAGE = 50


@dataclass(frozen=True)
class HistoryLine:
    """One statement as history shows it: who, when, from what, to what, and why.

    ``turn`` says where a status change is more than that: "Reopened", "Re-check failed: reopened"
    (by those who decide), "Reopened after its re-check was due".
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
    meeting: Meeting | None = None
    superseded: Superseded | None = None

    @property
    def late_words(self):
        """The day it speaks of where it was recorded later than that, else ""."""
        late = self.signature.lateness
        return f"Dated {self.signature.dated}, {late}" if late else ""

    @property
    def anchor(self):
        """The entry's identifier in a page."""
        return f"{self.kind.replace(' ', '-')}-{self.pk}"


@dataclass(frozen=True)
class Page:
    """A run of HistoryLines, newest first. ``older`` is the day before which the next page looks, or None.

    ``most`` is given where there are more, and only the newest so many of each action are here.
    """

    entries: tuple[HistoryLine, ...]
    older: datetime.date | None
    most: int | None = None


def history(at, *, actions=(), recommendation=None, before=None, most=None):
    """The Page of every kind of statement on ``actions`` and on the ``recommendation``, given by their keys.

    Only what is dated by the day asked about, and before the day ``before`` where that is given, is on it;
    with ``at.known`` only what had been recorded before that moment. With ``most`` it has the newest so many
    of each action, and of what is said of the recommendation itself.
    """
    last = min(at.day, before - datetime.timedelta(days=1)) if before else at.day
    about = [(Action, list(actions)), (Recommendation, [recommendation] if recommendation else [])]
    asked = [
        (kind, path, model, keys)
        for model, keys in about
        for kind in statement_kinds()
        if keys and (path := kind.path_to(model))
    ]
    edges = _edges(about, replace(at, day=last), place=most or PAGE - 1)
    edge = None if most else max(edges.values(), default=None)
    if edge:
        edges = {(model, key): edge for model, keys in about for key in keys}
    lines = []
    for kind, path, model, keys in asked:
        beside = ("meeting",) if hasattr(kind, "meeting") else ()
        days = [edges.get((model, key), datetime.date.min) for key in keys]
        related = ("document", path, *beside)
        rows = read_asked(_said_since, at, kind, path, related=related, keys=keys, days=[last, *days])
        rows = kind.told(rows)
        if kind is ProgressUpdate:
            lines += _updates(rows, _updates_before(keys, days, at), at)
        else:
            lines += [_line(row, at) for row in rows]
    lines.sort(key=lambda e: (e.signature.dated.first, e.signature.recorded_at, e.pk), reverse=True)
    if most:
        newest = _newest_of_each(lines, most)
        return Page(newest, None, most if len(newest) < len(lines) else None)
    is_older = edge and any(
        ask(_said_before, at, kind, path, keys=keys, days=[edge]) for kind, path, _, keys in asked
    )
    return Page(tuple(lines), edge if is_older else None)


def _newest_of_each(lines, most):
    """The first ``most`` of the lines of each action, and of those of none, in their order."""
    seen, found = Counter(), []
    for line in lines:
        seen[line.action] += 1
        found += [line] if seen[line.action] <= most else []
    return tuple(found)


def _about(kind, path, at):
    """The statements of the ``kind`` known at ``at``, with the key ``about`` of what ``path`` leads to.

    What is said of a report is found from itself, and no index of the many reports: SQLite, which is told
    nothing of how many rows there are, would begin with those, and uses no index for what is cast.
    """
    about = Cast(path, BigIntegerField()) if "__" in path else F(path)
    return kind.objects.said(at).alias(about=about)


def _said_since(at, kind, path, keys, days):
    """What was said of each of ``keys`` by the first of ``days``, and no earlier than its own of the rest."""
    last, *edges = days
    of_each = (Q(about=key, dated_first__gte=edge) for key, edge in zip(keys, edges, strict=True))
    rows = _about(kind, path, at).filter(reduce(or_, of_each), dated_first__lte=last)
    if kind is ProgressUpdate:
        rows = overruled(rows, kind.objects, at)
    return rows.select_related("corrected_by", "withdrawn_by", "recorded_by").oldest_first()


def _said_before(at, kind, path, keys, days):
    """One that was said of ``keys`` before the first of ``days``: its key, and no more."""
    rows = _about(kind, path, at).filter(about__in=keys, dated_first__lt=days[0])
    return rows.values_list("pk")[:1]


def _edges(about, until, *, place):
    """{(model, key): the day of the statement that has the ``place``, from 0, among the newest of its kind}.

    A row of which no kind of statement has as many is left out: all that is said of it fits.
    """
    edges = {}
    for model, keys in about:
        found = ask(_days_at, until, model, place, keys=keys)
        edges |= {(model, key): max(days) for key, *some in found if (days := [*filter(None, some)])}
    return edges


def _days_at(at, model, place, keys):
    """(key, for each kind the day of the statement of it that has the ``place``, or None)."""
    newest = {
        f"edge_{number}": Subquery(
            kind.objects.said(at)
            .filter(**{path: OuterRef("pk")})
            .order_by("-dated_first")
            .values("dated_first")[place : place + 1]
        )
        for number, kind in enumerate(statement_kinds())
        if (path := kind.path_to(model))
    }
    return model.objects.filter(pk__in=keys).annotate(**newest).values_list("pk", *newest)


def _updates_before(actions, days, at):
    """{action pk: the update that stood just before the day that is its edge}."""
    if max(days) == datetime.date.min:
        return {}
    # By their keys, or PostgreSQL reads all updates there are to find those of many actions among them.
    before = sorted({key for key in ask(_keys_before, at, keys=actions, days=days) if key})
    return {row.action_id: row for row in ask(updates_with, at, keys=before)}


def _keys_before(at, actions, days):
    of_each = (Q(action=key, dated_first__lt=day) for key, day in zip(actions, days, strict=True))
    earlier = ProgressUpdate.objects.standing(at).filter(reduce(or_, of_each), action=OuterRef("pk"))
    earlier = overruled(earlier, ProgressUpdate.objects, at).filter(is_overruled=False).newest_first()
    newest = Action.objects.filter(pk__in=actions).annotate(before=first_of(earlier, "pk"))
    return newest.values_list("before", flat=True)


def _updates(rows, before, at):
    """A HistoryLine for each update, oldest first, each knowing the status it changed.

    A report reopens only what had been accepted when it was recorded.
    """
    current, entries = dict(before), []
    for row in rows:
        superseded = row.superseded(at)
        stood = current.get(row.action_id)
        was = stood.status if stood else NOT_REPORTED
        turn = ""
        if row.is_overruled:
            turn = "Changed nothing: a later report was on the record"
        elif was not in OPEN and row.status in OPEN:
            turn = reopened(row, stood)
        if not superseded and not row.is_overruled:
            current[row.action_id] = row
        entries.append(
            HistoryLine(
                kind="update",
                pk=row.pk,
                action=row.action.ref,
                signature=row.signature,
                was=STATUS_WORDS[was],
                now=row.words,
                text=row.narrative,
                turn=turn,
                update=row,
                meeting=row.meeting,
                superseded=superseded,
            )
        )
    return entries


DECIDERS = ("Chair", "Secretariat")


def reopened(row, accepted):
    """How the report ``row`` reopened what was ``accepted``; only those who decide make a re-check."""
    if accepted.status != Status.COMPLETE or row.dated_first < accepted.recheck_on:
        return "Reopened"
    is_recheck = role_in(row.on_behalf_of_signed or row.signed) in DECIDERS
    return "Re-check failed: reopened" if is_recheck else "Reopened after its re-check was due"


def _line(row, at):
    said, about = row.as_said(), row.about
    return HistoryLine(
        kind=row._meta.verbose_name,
        pk=row.pk,
        action=about.ref if isinstance(about, Action) else "",
        signature=row.signature,
        was=said.was,
        now=said.now,
        text=said.text,
        meeting=getattr(row, "meeting", None),
        superseded=row.superseded(at),
    )
