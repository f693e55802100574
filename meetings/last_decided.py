"""What the last meeting held decided, and what became of each of it since: what a paper tells the next one.

Nothing here asks a clock, and what stands elsewhere on the same paper is only pointed to: what was recorded
after the moment that the paper knows is not among it, nor is what was put right by then.
"""

from dataclasses import dataclass
from typing import NamedTuple

from meetings.arising import arising_among
from meetings.decided import Decided, outcomes_of
from meetings.decisions import asks_of
from meetings.outcomes import AskOutcome, LateNote
from recommendations.action_position import ActionPosition
from recommendations.due_dates import Decision, DueDate, Outcome
from recommendations.lateness import has_passed
from recommendations.models import Action, ProgressUpdate
from recommendations.sent_back import SendBack
from recommendations.status import Status
from recommendations.terms import TERMS
from record.dates import say
from record.held import decided_at
from record.models import Ask, Meeting
from record.statements import Statement

GONE = "It is no longer on the board."


@dataclass(frozen=True)
class Settled:
    """One thing that was decided: of which action, what in our words, what was said, and what came of it.

    ``row`` is the statement that decided it; ``why`` is why its owner asked for it, where that is told. An
    ``action`` that is no longer on the board is its row.
    """

    row: Statement
    action: ActionPosition | Action
    said: str
    why: str
    text: str
    since: str


class SettledKind(NamedTuple):
    title: str
    settled: tuple[Settled, ...]


class Answered(NamedTuple):
    """An ask, and the AskOutcome that says what became of it, or None."""

    ask: Ask
    outcome: AskOutcome | None


@dataclass(frozen=True)
class LastDecided:
    """What ``meeting`` decided, by kind, the kinds that nothing is among left out.

    ``asks`` are those it was asked and those of earlier meetings that it settled; ``arising`` the actions
    that were agreed at it.
    """

    meeting: Meeting
    asks: tuple[Answered, ...]
    kinds: tuple[SettledKind, ...]
    arising: tuple[ActionPosition, ...]

    @property
    def answered(self):
        return tuple(each for each in self.asks if each.outcome)

    @property
    def unanswered(self):
        return tuple(each.ask for each in self.asks if not each.outcome)

    @property
    def is_empty(self):
        return not (self.answered or self.kinds or self.arising)

    @property
    def sent_back(self):
        """The keys of what it sent back for evidence, which nothing else on the paper tells of again."""
        rows = (each.row for kind in self.kinds for each in kind.settled)
        return {row.pk for row in rows if isinstance(row, SendBack)}

    @property
    def proposals(self):
        """The keys of the due dates that were decided on, which nothing else on the paper tells of again."""
        rows = (each.row for kind in self.kinds for each in kind.settled)
        return {row.pk if isinstance(row, DueDate) else row.due_date_id for row in rows if _sets_a_date(row)}


def last_decided(meeting, board, at):
    """The LastDecided of the ``meeting`` before, which may be None, seen from the position ``board``."""
    if meeting is None:
        return None
    rows = decided_at(meeting, at)
    asked = asks_of(meeting, at)
    outcomes = outcomes_of(asked, at)
    others = [row for row in rows if isinstance(row, AskOutcome) and row.ask_id not in outcomes]
    arising = arising_among(board.actions, meeting)
    # The date and the owner that an action arose with are told with it.
    arose = {action.pk for action in arising}
    actions = {action.pk: action for action in board.actions}
    kinds = {title: [] for title in ORDER}
    for row in rows:
        if isinstance(row, AskOutcome) or row.about.pk in arose:
            continue
        title, settled = _settled(row, actions.get(row.about.pk), at)
        kinds[title].append(settled)
    return LastDecided(
        meeting=meeting,
        asks=(
            *(Answered(each, outcomes.get(each.pk)) for each in asked),
            *(Answered(row.ask, row) for row in others),
        ),
        kinds=tuple(
            SettledKind(title, tuple(sorted(found, key=lambda each: each.action.ref)))
            for title, found in kinds.items()
            if found
        ),
        arising=arising,
    )


AGREED, NO_DATE, FAILED = "Dates agreed", "Late, and no new date set", "Found not to have held"
ACCEPTED = "Accepted or closed"
ORDER = (AGREED, TERMS["refused"], ACCEPTED, TERMS["sent_back"], FAILED, NO_DATE)


def _settled(row, action, at):
    """What the statement ``row`` is told under, and its Settled; ``action`` is None if it has gone."""
    title, since = _kind_of(row)
    came = since(row, action, at) if action else GONE
    return title, Settled(row, action or row.about, *_said(row, action), came)


def _kind_of(row):
    if isinstance(row, ProgressUpdate):
        return (ACCEPTED, _since_accepted) if row.is_acceptance else (FAILED, _since_accepted)
    if isinstance(row, SendBack):
        return TERMS["sent_back"], _since_sent_back
    if isinstance(row, LateNote):
        return NO_DATE, _since_late
    if isinstance(row, Decision) and row.outcome == Outcome.REFUSED:
        return TERMS["refused"], _since_refused
    return AGREED, _since_agreed


def _said(row, action):
    """What was decided, in our words, why its owner asked for it, and what whoever decided it said."""
    if isinstance(row, LateNote):
        return f"due {say(row.due_date.due)}", "", row.words
    if isinstance(row, SendBack):
        # What is still awaited is told in full among the decisions wanted.
        return ("", "", "") if _is_awaited(row, action) else ("", "", f"Wanted: {row.wanted}")
    if isinstance(row, Decision):
        asked = row.due_date
        why = asked.as_said().text if row.outcome == Outcome.AGREED else ""
        return f"{say(asked.due)}{_instead_of(asked.pk, action)}", why, row.reason
    if isinstance(row, DueDate):
        return f"{say(row.due)}{_instead_of(row.pk, action)}", "", row.as_said().text
    return Decided(row, None).words, "", row.reason if row.status == Status.CLOSED else ""


def _is_awaited(row, action):
    return bool(action and action.sent_back and action.sent_back.pk == row.pk)


def _sets_a_date(row):
    return isinstance(row, Decision | DueDate)


def _instead_of(key, action):
    """Which agreed date the one with that ``key`` took the place of, or ""."""
    dates = action.ledger if action else ()
    place = next((place for place, line in enumerate(dates) if line.pk == key), 0)
    return f" instead of {dates[place - 1].due}" if place else ""


def _ended(action):
    """That an action is open no more, in a sentence, or ""."""
    return "" if action.is_open else f"Now {action.words.lower()}."


def _since_agreed(row, action, at):
    key = row.pk if isinstance(row, DueDate) else row.due_date_id
    if action.due is None or action.due.pk != key:
        return f"Now due {action.due.due}." if action.due else "It was withdrawn since."
    return _ended(action) or ("It has passed since." if has_passed(action.due.due, at) else "")


def _since_refused(row, action, at):
    proposed = [line for line in action.proposals if line.pk > row.due_date_id]
    return f"{proposed[-1].due} is asked for now." if proposed else _dated_since(row, action)


def _dated_since(row, action):
    """Which date was set since, or that the action is open no more, or ""."""
    if action.due and action.due.row.agreed_at > row.recorded_at:
        return f"Since set to {action.due.due}."
    return _ended(action)


def _since_late(row, action, at):
    proposed = action.proposals[-1:]
    if proposed:
        return f"{proposed[0].due} is asked for now."
    if action.status == Status.DONE:
        return f"Now {action.words.lower()}."
    return _dated_since(row, action) or "No new date since."


def _since_sent_back(row, action, at):
    if _is_awaited(row, action):
        return f"{'not answered in time' if row.wanted_by < at.day else 'not yet answered'}, see above."
    return action.answer_to(row)


def _since_accepted(row, action, at):
    return "" if action.status == row.status else f"Now {action.words.lower()}."
