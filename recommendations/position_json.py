"""How the whole board stands, for other programs: docs/position.md says what each part means.

A name stands for the same thing for good. New ones may come; if one has to go, SCHEMA goes up by one.
"""

from django.urls import reverse

from recommendations.exports import ACTIONS
from recommendations.status import TABLE
from record.files import in_json

SCHEMA = 2


def position_in_json(
    board, *, decisions_wanted, newest, is_demonstration, board_name, marking, update_every_days
):
    """The BoardPosition ``board`` as JSON holds it, of which so many ``decisions_wanted``.

    ``newest`` is the last entry it rests on, or None.
    """
    at = board.at
    return {
        "schema": SCHEMA,
        "board": board_name,
        "marking": marking,
        "is_demonstration": is_demonstration,
        "as_at": in_json(at.day),
        "known": in_json(at.known),
        "update_every_days": update_every_days,
        "record": {
            "entries": newest.sequence if newest else 0,
            "recorded_at": in_json(newest.recorded_at) if newest else None,
            "digest": newest.digest if newest else None,
        },
        "counts": {
            "actions": len(board.actions),
            "open": len(board.open),
            "overdue": len(board.overdue),
            "silent": len(board.silent),
            "stale": len(board.stale),
            "never_reported": len(board.never_reported),
            "to_look_at_first": len(board.exceptions),
            "decisions_wanted": decisions_wanted,
            "by_status": {row.value: board.count(row.value) for row in TABLE},
        },
        "recommendations": [_recommendation(r) for r in board.recommendations],
        "actions": [{column.name: in_json(column.of(a)) for column in ACTIONS} for a in board.actions],
        "measures": [_measure(m) for m in board.measures if m.newest],
        "risks": [
            {"ref": risk.ref, "text": risk.text, "recommendations": list(risk.recommendations)}
            for risk in board.risks
        ],
    }


def _recommendation(position):
    views = position.views
    return {
        "number": position.number,
        "title": position.title,
        "lead_body": position.lead_body,
        "lead_is_inferred": position.lead_is_inferred,
        "is_critical": position.is_critical,
        "consequence": position.consequence,
        "worst_status": position.worst,
        "actions": [action.ref for action in position.actions],
        "reported": len(position.reported),
        "overdue": [action.ref for action in position.overdue],
        "silent": [action.ref for action in position.silent],
        "deadlines_missed": position.misses,
        "missed_is_at_least": any(action.earlier_misses for action in position.actions),
        "consequence_is_nearer": bool(position.endangers),
        "consequence_cannot_be_told": bool(position.cannot_be_told),
        "adviser": _assessment(views.adviser),
        "board": _assessment(views.board),
        "views_differ": bool(views.differ),
        "page": reverse("recommendation", args=[position.number]),
    }


def _assessment(said):
    if not said:
        return None
    return {
        "status": said.status,
        "narrative": said.narrative,
        "dated": in_json(said.signature.dated),
        "signed": said.signature.by,
    }


def _measure(position):
    return {
        "ref": position.ref,
        "name": position.name,
        "unit": position.unit,
        "shows_safety": position.shows_safety,
        "value": position.value,
        "as_at": in_json(position.as_at) if position.as_at else None,
        "caveat": position.caveat,
    }
