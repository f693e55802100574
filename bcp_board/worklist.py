"""What waits for a person when they open the admin: their own actions, and decisions wanted of them."""

from dataclasses import dataclass

from recommendations.action_position import ActionPosition
from recommendations.board import DecisionsWanted, decisions_wanted
from recommendations.deciding import ACCEPT
from recommendations.lateness import DueLine
from recommendations.models import Action
from recommendations.position import action_positions
from record.as_at import AsAt


@dataclass(frozen=True)
class Task:
    """An action of one's own, and the last answer to a date one proposed for it."""

    action: ActionPosition
    answer: DueLine | None

    def place(self):
        """Where it stands in the list: what was sent back first, then what is due an update."""
        return (not self.action.sent_back, not self.needs_update, not self.is_late, self.action.ref)

    @property
    def needs_update(self):
        """Whether the next thing to do is to say how it is going."""
        return self.action.is_never_reported or self.action.is_stale

    @property
    def is_late(self):
        """Whether its date has passed, reported on or not."""
        return self.action.is_overdue or self.action.is_silent


@dataclass(frozen=True)
class Worklist:
    """What waits for somebody. ``decides`` says whether decisions are theirs to make at all.

    ``unowned`` are the open actions on which no account can record progress, those of closed accounts first.
    """

    at: AsAt
    mine: tuple[Task, ...]
    decides: bool
    assigns: bool
    unowned: tuple[ActionPosition, ...]
    decisions: DecisionsWanted


def worklist(user, at):
    """The Worklist of ``user`` on the day asked about, in a fixed number of queries."""
    decides = user.has_perm(ACCEPT)
    assigns = user.has_perm("recommendations.change_action")
    actions = Action.objects.as_at(at).order_by("ref")
    if not (decides or assigns):
        actions = actions.filter(owner_id=user.pk)
    positions = action_positions(actions, at)
    tasks = [Task(a, last_answer(a)) for a in positions if a.owner_id == user.pk and a.is_open]
    return Worklist(
        at=at,
        mine=tuple(sorted(tasks, key=Task.place)),
        decides=decides,
        assigns=assigns,
        unowned=tuple(
            sorted(
                (a for a in positions if assigns and a.is_open and not a.owner_is_open),
                key=lambda a: (a.owner_id is None, a.ref),
            )
        ),
        decisions=decisions_wanted(positions if decides else ()),
    )


def last_answer(action):
    """The last proposed date of ``action`` if the board has decided it, else None.

    The next proposal takes its place, so an owner sees an answer until they ask again.
    """
    decided = [line for line in (*action.ledger, *action.refused) if line.decided]
    asked = [*decided, *action.proposals]
    newest = max(asked, key=lambda line: (line.row.dated_first, line.pk), default=None)
    return newest if newest in decided else None
