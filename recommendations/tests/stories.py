"""Stories of actions, row by row in the order of the record: how each was dated, reported and put right."""

from recommendations.models import Action
from recommendations.tests.factories import (
    make_action,
    make_due_date,
    make_update,
)
from record.tests.factories import add, make_user, noon


def update(dated, status, *, recorded=None):
    return "update", dated, recorded or dated, status


def due(dated, date, *, recorded=None):
    return "due", dated, recorded or dated, date


def withdrawal(dated, date):
    return "withdrawn", dated, dated, date


def correction(dated, status, *, recorded):
    return "corrected", dated, recorded, status


AGREED = due("2022-10-01", "2022-11")
ON_TRACK = update("2022-10-03", "on_track")


MISSED_ROWS = [AGREED, ON_TRACK]
KEPT_ROWS = [AGREED, ON_TRACK, update("2022-11-30", "complete")]


def tell(stories, **answered):
    """Make the actions {ref: rows of its story}, all of them in the order of the record.

    A row is its kind, the day it speaks of, the day it was recorded, and what it says. ``answered`` says
    which recommendations an action answers.
    """
    for ref in stories:
        said = {"agreed_on": "2022-09-01", "recorded_at": noon("2022-09-01")}
        make_action(ref, *answered.get(ref, ()), **said)
    person, made = make_user("Chair"), {}
    told = [
        (recorded, ref, kind, said, value) for ref in stories for kind, said, recorded, value in stories[ref]
    ]
    for recorded, ref, kind, said, value in sorted(told, key=lambda row: row[0]):
        action = Action.objects.get(ref=ref)
        by = {"by": person, "dated": said, "recorded_at": noon(recorded)}
        if kind == "due":
            made[ref, value] = make_due_date(action, value, **by)
        elif kind == "withdrawn":
            add(made[ref, value].withdrawal(by=person, reason="In error"), recorded_at=noon(recorded))
        elif kind == "corrected":
            again = {"corrects": made[ref, "on_track"], "correction_reason": "A slip"}
            make_update(action, value, **by, **again)
        else:
            made[ref, value] = make_update(action, value, **by)


def several(**counts):
    """{ref: its story} for so many ``missed`` and ``kept``, silent and moved dates."""
    kinds = {
        "missed": MISSED_ROWS,
        "kept": KEPT_ROWS,
        "silent": [AGREED],
        "moved": [AGREED, due("2022-11-01", "2024-01")],
    }
    rows = [kinds[kind] for kind, count in counts.items() for _ in range(count)]
    return {f"A{number:02}": story for number, story in enumerate(rows, 1)}
