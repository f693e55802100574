"""The decisions that a meeting is asked for, numbered D1 to Dn, on its paper and wherever they are listed.

A published paper keeps the numbers that it printed. Whatever is asked for later follows on, and the number of
what is settled goes to nothing else, so that everybody at the table means the same thing by D7.
"""

from dataclasses import dataclass
from functools import cached_property

from meetings.held import published_by
from recommendations.action_position import ActionPosition
from recommendations.lateness import DueLine
from recommendations.status import Status
from recommendations.terms import TERMS


@dataclass(frozen=True)
class Wanted:
    """One decision that is asked for, on ``action``; ``proposal`` is the date asked for, if it is on one.

    ``key`` is the same wherever this decision is listed, and on no other.
    """

    number: int
    key: str
    action: ActionPosition
    proposal: DueLine | None = None

    @property
    def name(self):
        return f"D{self.number}"


@dataclass(frozen=True)
class Decisions:
    """The decisions asked for, by what they are on, each kind in the order of its numbers."""

    dates: tuple[Wanted, ...]
    completions: tuple[Wanted, ...]
    rechecks: tuple[Wanted, ...]
    late: tuple[Wanted, ...]
    settled: dict[str, int]

    @property
    def all(self):
        return self.dates + self.completions + self.rechecks + self.late

    def __len__(self):
        return len(self.all)

    @cached_property
    def numbers(self):
        """{key: number} of these and of those that an earlier paper numbered."""
        return self.settled | {wanted.key: wanted.number for wanted in self.all}

    @property
    def kinds(self):
        """(what is asked for, its Wanted) of every kind, those that nothing is asked for among them."""
        return (
            ("A. Dates asked for", self.dates),
            ("B. Completions to accept", self.completions),
            ("C. Re-checks due", self.rechecks),
            (f"D. {TERMS['late']}", self.late),
        )


def decisions_of(board, *, numbers):
    """The Decisions that ``board``, a BoardPosition, asks for; ``numbers`` is what earlier papers gave."""
    waiting, given = board.decisions, dict(numbers)

    def wanted(kind, row, action, proposal=None):
        key = f"{kind} {row.pk}"
        number = given.setdefault(key, max(given.values(), default=0) + 1)
        return Wanted(number, key, action, proposal)

    def in_order(found):
        return tuple(sorted(found, key=lambda each: each.number))

    return Decisions(
        dates=in_order([wanted("date", line, action, line) for action, line in waiting.proposals]),
        completions=in_order([wanted("completion", a.update, a) for a in waiting.to_accept]),
        rechecks=in_order([wanted("re-check", a.update, a) for a in waiting.to_recheck]),
        late=in_order([wanted("late", a.due, a) for a in late_without_a_date(board)]),
        settled=dict(numbers),
    )


def late_without_a_date(board):
    """The actions of ``board`` reported late of which nobody asks for a new date, or for acceptance."""
    return tuple(a for a in board.overdue if not a.proposals and a.status != Status.DONE)


def numbers_printed(meeting, at):
    """{key: number} of the decisions in the newest paper of ``meeting``, which may be None, by then."""
    if not meeting:
        return {}
    papers = published_by(at, meeting.papers).filter(decisions__isnull=False).order_by("-version")
    return papers.values_list("decisions", flat=True).first() or {}
