"""What became of the agreed dates of an action: one list of words for its page, track record and file.

Each is said as far as it is known. A date entered after its day was no promise while the day was to come: it
can be missed by the rule of lateness.py, and it can pass in silence, but it is not kept.
"""

from enum import Enum

from recommendations.lateness import is_same_date
from recommendations.status import STATUS_WORDS, Status

COUNTS_NO_MORE = "Counts no more"
AGREED_AGAIN = "Agreed again, for the same day"
NO_LAST_DAY = "Never passes: it has no last day"
NOT_YET_DUE = "Not yet due"
FINISHED_BEFORE = "Its day has not come"


class Outcome(Enum):
    """What became of an agreed date that came, or that was moved before it did."""

    MISSED = "Missed"
    KEPT = "Kept"
    SILENT = "Passed without a report"
    MOVED = "Moved before it came"
    CLOSED = f"{STATUS_WORDS[Status.CLOSED]}, before it came"
    ENTERED_LATE = "Entered after its day"


def outcome_of(action, line):
    """The Outcome of ``line``, one of the agreed dates of ``action`` that count, or None if it is no case."""
    last, moved_on = line.due.last, line.replaced_on
    if line.is_missed:
        return Outcome.MISSED
    if last and moved_on and moved_on <= last:
        return None if _is_agreed_again(action, line) else Outcome.MOVED
    if not line.has_passed:
        return None
    if line.passed_in_silence:
        return Outcome.SILENT
    if line.row.deadline > last:
        return Outcome.ENTERED_LATE
    return Outcome.CLOSED if line.row.stood_then == Status.CLOSED else Outcome.KEPT


def became(action, line):
    """What became of ``line``, any of the dates of ``action`` that were ever agreed, in words."""
    if line.withdrawn:
        return COUNTS_NO_MORE
    if outcome := outcome_of(action, line):
        return outcome.value
    if not line.due.last:
        return NO_LAST_DAY
    if line.replaced_on:
        return AGREED_AGAIN
    return NOT_YET_DUE if action.is_open else FINISHED_BEFORE


def _is_agreed_again(action, line):
    following = action.ledger[action.ledger.index(line) + 1]
    return is_same_date(line.due, following.due)
