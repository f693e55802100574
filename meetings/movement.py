"""Where an action, and a recommendation, has gone since the meeting before: one rule for better and worse."""

from dataclasses import dataclass

from recommendations.action_position import ActionPosition
from recommendations.status import RANK, Status


@dataclass(frozen=True)
class Change:
    """An action as it stands now, and as it stood at the meeting before (None if it is new).

    ``was_put_right`` says that what was reported of it then has since been corrected or withdrawn.
    """

    action: ActionPosition
    was: ActionPosition | None
    was_put_right: bool = False

    @property
    def is_comparable(self):
        """Whether it was reported on at both ends, by reports that stand, and is closed at neither.

        What was closed without being done got neither better nor worse by that.
        """
        ends = (self.was, self.action)
        return (
            bool(self.was)
            and not self.was_put_right
            and not any(a.is_never_reported or a.status == Status.CLOSED for a in ends)
        )

    @property
    def is_worse(self):
        """Whether it stands worse than it was reported then, or is overdue only since."""
        if not self.is_comparable:
            return False
        is_late = self.action.is_overdue and not self.was.is_overdue
        return is_late or RANK[self.action.status] < RANK[self.was.status]

    @property
    def is_better(self):
        """Whether it stands better than it was reported then, and in nothing worse."""
        return self.is_comparable and not self.is_worse and RANK[self.action.status] > RANK[self.was.status]

    @property
    def is_accepted_again(self):
        """Whether it was accepted as what it was accepted as then: its re-check was put off, as a rule."""
        was, now = self.was and self.was.update, self.action.update
        return (
            bool(was and now)
            and now.is_acceptance
            and was.pk != now.pk
            and was.status == now.status
            and not self.was_put_right
        )

    @property
    def is_closing(self):
        """Whether it is closed, and was not then."""
        is_closed = self.action.status == Status.CLOSED
        return is_closed and not (self.was and self.was.status == Status.CLOSED)

    @property
    def is_closed_no_more(self):
        """Whether it was closed then, and is no more."""
        return bool(self.was) and self.was.status == Status.CLOSED and self.action.status != Status.CLOSED

    @property
    def is_late_no_more(self):
        """Whether it is overdue no more while it is still open: its date is another one, or none."""
        return bool(self.was) and self.was.is_overdue and self.action.is_open and not self.action.is_overdue

    @property
    def is_date_withdrawn(self):
        """Whether the date that it had then was withdrawn since, as entered in error."""
        was = self.was and self.was.due
        return bool(was) and any(line.pk == was.pk and line.withdrawn for line in self.action.dates)

    @property
    def is_date_moved(self):
        """Whether the agreed date is another one, and not because the one before was withdrawn."""
        if not self.was or self.is_date_withdrawn:
            return False
        was, now = self.was.due, self.action.due
        return (was and was.pk) != (now and now.pk)

    @property
    def is_first_report(self):
        """Whether it was on the board at the meeting before, and has been reported on only since."""
        return bool(self.was) and self.was.is_never_reported and self.action.has_report


@dataclass(frozen=True)
class Movement:
    """Where one recommendation has gone since the meeting before, in a ``word``, and what else happened.

    ``moved`` and ``withdrawn`` are the actions that are overdue no more because their date was.
    """

    word: str
    first_reports: tuple[ActionPosition, ...] = ()
    added: tuple[ActionPosition, ...] = ()
    corrected: tuple[ActionPosition, ...] = ()
    closed: tuple[ActionPosition, ...] = ()
    closed_no_more: tuple[ActionPosition, ...] = ()
    moved: tuple[ActionPosition, ...] = ()
    withdrawn: tuple[ActionPosition, ...] = ()

    @property
    def words(self):
        """It in full: "Same. First report: A01, A04. Added: A05"."""
        named = (
            ("First report", self.first_reports),
            ("Added", self.added),
            ("Corrected", self.corrected),
            ("Closed, not done", self.closed),
            ("No longer closed", self.closed_no_more),
            ("No longer overdue, because its date was moved", self.moved),
            ("No longer overdue, because its date was withdrawn", self.withdrawn),
        )
        notes = [f"{what}: {', '.join(a.ref for a in those)}" for what, those in named if those]
        return ". ".join([self.word, *notes])

    @property
    def short(self):
        """It in a line: "Same, 2 first reports, 1 added"."""
        counted = (
            (self.first_reports, _several(self.first_reports, "first report")),
            (self.added, "added"),
            (self.corrected, "corrected"),
            (self.closed, "closed, not done"),
            (self.closed_no_more, "no longer closed"),
            (self.moved, f"{_several(self.moved, 'date')} moved"),
            (self.withdrawn, f"{_several(self.withdrawn, 'date')} withdrawn"),
        )
        return ", ".join([self.word, *(f"{len(those)} {what}" for those, what in counted if those)])


def _several(rows, what):
    return what if len(rows) == 1 else f"{what}s"


def movement_of(changes):
    """The Movement of a recommendation, of whose actions ``changes`` are: Improved, Worse or Same.

    Only actions that can be compared are, by the worst of them and by how many are overdue. First reports,
    added actions, corrected and closed ones and those whose date was moved or withdrawn are named, and are
    neither better nor worse: an action is not less late because a later date was agreed for it.
    """
    both = [change for change in changes if change.is_comparable]
    return Movement(
        _word(both) if both else "Cannot be compared",
        first_reports=tuple(c.action for c in changes if c.is_first_report),
        added=tuple(c.action for c in changes if not c.was),
        corrected=tuple(c.action for c in changes if c.was_put_right),
        closed=tuple(c.action for c in changes if c.is_closing),
        closed_no_more=tuple(c.action for c in changes if c.is_closed_no_more),
        moved=tuple(c.action for c in both if c.is_late_no_more and not c.is_date_withdrawn),
        withdrawn=tuple(c.action for c in both if c.is_late_no_more and c.is_date_withdrawn),
    )


def _word(changes):
    """Worse in either is worse, so that no recommendation improves while more of it is overdue."""
    then = min(RANK[change.was.status] for change in changes)
    now = min(RANK[change.action.status] for change in changes)
    late_then = sum(change.was.is_overdue for change in changes)
    late_now = sum(change.action.is_overdue or change.is_late_no_more for change in changes)
    if now < then or late_now > late_then:
        return "Worse"
    return "Improved" if now > then or late_now < late_then else "Same"
