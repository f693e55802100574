"""Each meeting that was held, with what had changed by it and what it decided, in a phrase."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from meetings.held import had_with
from recommendations.models import Action, newest_updates
from recommendations.status import NOT_REPORTED
from record.models import Meeting
from record.rows import keys_as_at
from record.statements import statement_kinds


@dataclass(frozen=True)
class Listed:
    """A meeting, how many decisions are recorded as made at it, and {what became of actions: how many}.

    ``changes`` compares the position that it had before it with that of the meeting before; None for the
    first.
    """

    meeting: Meeting
    decided: int
    changes: dict[str, int] | None

    @property
    def decided_words(self):
        if not self.decided:
            return "No decision is recorded."
        return f"{self.decided} decision{'' if self.decided == 1 else 's'}."

    @property
    def changes_words(self):
        if self.changes is None:
            return "No meeting before it to compare with."
        said = [f"{count} {what}" for what, count in self.changes.items() if count]
        return f"Actions: {', '.join(said)}." if said else "No action changed its status."


def listed(held, at):
    """A Listed for each of the meetings ``held``, the latest first, as known ``at``.

    ``papers`` of each are those published by then. It takes a fixed number of queries.
    """
    decided = Counter()
    for kind in statement_kinds():
        if hasattr(kind, "meeting"):
            rows = kind.objects.standing(at).filter(meeting__in=[meeting.pk for meeting in held])
            decided.update(rows.values_list("meeting", flat=True))
    changes = changes_at(held, at)
    return [Listed(meeting, decided[meeting.pk], changes.get(meeting.pk)) for meeting in held]


def changes_at(held, at):
    """{key of each of the meetings ``held``, the latest first, but the first of all: the changes by it}."""
    if not held:
        return {}
    columns = {}
    for place, meeting in enumerate(held):
        had = had_with(list(meeting.papers.all()), meeting, at)
        newest = newest_updates(had).values("status")[:1]
        columns[f"here_{place}"] = Exists(keys_as_at(Action, had).filter(id=OuterRef("pk")))
        columns[f"status_{place}"] = Coalesce(Subquery(newest), Value(NOT_REPORTED))
    rows = list(Action.objects.annotate(**columns).values(*columns))
    stood = [
        [row[f"status_{place}"] if row[f"here_{place}"] else None for row in rows]
        for place in range(len(held))
    ]
    ends = zip(held, stood, stood[1:], strict=False)
    return {meeting.pk: _compared(was, now) for meeting, now, was in ends}


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
        elif then == NOT_REPORTED:
            found["first reported on"] += 1
        else:
            found["changed status"] += 1
    return found
