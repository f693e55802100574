"""Each meeting that was held, with what had changed by it and what it decided, in a phrase."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Coalesce

from recommendations.models import Action, newest_updates
from recommendations.status import ACCEPTED, NOT_REPORTED
from record.held import had_with
from record.models import Meeting
from record.rows import keys_as_at
from record.statements import first_of, statement_kinds
from record.texts import so_many


@dataclass(frozen=True)
class Listed:
    """A meeting, how many decisions are recorded as made at it, and {what became of actions: how many}.

    ``changes`` compares the position that it had before it with that of the meeting before, as its own page
    does; None where none was held before that position.
    """

    meeting: Meeting
    decided: int
    changes: dict[str, int] | None

    @property
    def decided_words(self):
        if not self.decided:
            return "No decision is recorded."
        return f"{so_many(self.decided, 'decision')}."

    @property
    def changes_words(self):
        if self.changes is None:
            return "No meeting before it to compare with."
        said = [f"{count} {what}" for what, count in self.changes.items() if count]
        return f"Actions: {', '.join(said)}." if said else "No action changed its status."


def listed(held, at):
    """A Listed for each of the meetings ``held``, the latest first, as known ``at``.

    ``papers`` of each are those published by then. It takes a fixed number of queries,
    and one less with nothing to compare.
    """
    decided = Counter()
    for kind in statement_kinds():
        if hasattr(kind, "meeting"):
            rows = kind.objects.standing(at).filter(meeting__in=[meeting.pk for meeting in held])
            decided.update(rows.values_list("meeting", flat=True))
    changes = changes_at(held, at)
    return [Listed(meeting, decided[meeting.pk], changes.get(meeting.pk)) for meeting in held]


def changes_at(held, at):
    """{key of each of the meetings ``held``, the latest first, but those with none before: its changes}."""
    ends = _ends(held, at)
    if not ends:
        return {}
    # Most positions are the end of one comparison and the beginning of the next.
    places = {moment: f"{place}" for place, moment in enumerate(dict.fromkeys(sum(ends.values(), ())))}
    columns = {}
    for moment, place in places.items():
        columns[f"here_{place}"] = Exists(keys_as_at(Action, moment).filter(id=OuterRef("pk")))
        columns[f"status_{place}"] = Coalesce(first_of(newest_updates(moment), "status"), Value(NOT_REPORTED))
    rows = list(Action.objects.annotate(**columns).values(*columns))
    stood = {
        moment: [row[f"status_{place}"] if row[f"here_{place}"] else None for row in rows]
        for moment, place in places.items()
    }
    return {key: _compared(stood[since], stood[had]) for key, (since, had) in ends.items()}


def _ends(held, at):
    """{key of a meeting: the AsAt of the position before, and of its own}, where there is one before.

    The one before is that of the last meeting held by the day that its own position is of: a paper may be
    older than the meeting before, and nothing is compared with what came later.
    """
    ends = {}
    for place, meeting in enumerate(held):
        had = had_with(list(meeting.papers.all()), meeting, at)
        before = next((m for m in held[place + 1 :] if m.was_held_by(had.day)), None)
        if before:
            papers = [paper for paper in before.papers.all() if paper.published_at < had.until]
            ends[meeting.pk] = (had_with(papers, before, had), had)
    return ends


def _compared(was, now):
    """{what became of actions: how many}, given the status of each then and now, None where it was not."""
    found = dict.fromkeys(["changed status", "first reported on", "added", "off the board"], 0)
    for then, status in zip(was, now, strict=True):
        if then == status:
            continue
        if then is None:
            found["added"] += 1
        elif status is None:
            found["off the board"] += 1
        elif then == NOT_REPORTED and status not in ACCEPTED:
            found["first reported on"] += 1
        else:
            found["changed status"] += 1
    return found
