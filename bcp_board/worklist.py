"""What waits for a person when they open the admin: their own actions, and decisions wanted of them."""

from dataclasses import dataclass, replace

from meetings.decided import agenda
from meetings.decisions import Decisions
from recommendations.action_position import ActionGroup, ActionPosition
from recommendations.deciding import ACCEPT
from recommendations.own_actions import Task, tasks_of
from recommendations.position import actions_on_the_board
from record.as_at import AsAt
from record.held import next_meeting
from record.models import Meeting

# How many decisions of a kind are listed, and how many actions that nobody can record progress on.
MOST_OF_A_KIND, MOST_UNOWNED = 10, 25


@dataclass(frozen=True)
class Worklist:
    """What waits for somebody. ``decides`` says whether decisions are theirs to make at all.

    ``decisions`` have the numbers that they have at the ``meeting`` to come, which may be None.
    ``unowned`` are the open actions on which no account can record progress, those of closed accounts first.
    """

    at: AsAt
    mine: tuple[Task, ...]
    decides: bool
    assigns: bool
    unowned: tuple[ActionPosition, ...]
    meeting: Meeting | None
    decisions: Decisions

    @property
    def first_decisions(self):
        """The first of each kind, which are what the page lists."""
        asked = self.decisions
        return replace(
            asked,
            dates=asked.dates[:MOST_OF_A_KIND],
            completions=asked.completions[:MOST_OF_A_KIND],
            rechecks=asked.rechecks[:MOST_OF_A_KIND],
            sent_back=asked.sent_back[:MOST_OF_A_KIND],
        )

    @property
    def first_unowned(self):
        return self.unowned[:MOST_UNOWNED]


def worklist(user, at):
    """The Worklist of ``user`` on the day asked about, in a fixed number of queries."""
    decides = user.has_perm(ACCEPT)
    assigns = user.has_perm("recommendations.change_action")
    positions = actions_on_the_board(at)
    meeting = next_meeting(at) if decides else None
    return Worklist(
        at=at,
        mine=tasks_of(user, positions, at),
        decides=decides,
        assigns=assigns,
        unowned=tuple(
            sorted(
                (a for a in positions if assigns and a.is_open and not a.owner_is_open),
                key=lambda a: (a.owner_id is None, a.ref),
            )
        ),
        meeting=meeting,
        decisions=agenda(meeting, ActionGroup(positions if decides else ()), at).decisions,
    )
