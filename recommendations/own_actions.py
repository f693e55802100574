"""The open actions of one owner, and what waits for them there."""

import datetime
from dataclasses import dataclass

from recommendations.action_position import ActionPosition
from recommendations.due_dates import DueDate
from recommendations.lateness import DueLine
from recommendations.no_change import why_not_repeat, words_after
from record.prepared import ask
from record.statements import Statement


@dataclass(frozen=True)
class Task:
    """An action of one's own, and what the board last said of its date.

    ``answer`` is the last date that its owner proposed and the board decided, ``note`` what the board says of
    the present date, which has passed and for which it set no other; each may be None.
    """

    action: ActionPosition
    answer: DueLine | None
    note: Statement | None
    today: datetime.date

    @property
    def date_set(self):
        """The present date, a DueLine, where the board set it at a meeting without being asked, or None."""
        due = self.action.due
        return due if due and due.meeting and not due.is_proposal else None

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

    @property
    def no_change(self):
        """What a report that nothing has changed would say today; "" where it would be no answer."""
        update = self.action.update
        if why_not_repeat(update, sent_back=self.action.sent_back, today=self.today):
            return ""
        return f"{words_after(update).removesuffix('.')}, still {self.action.words}"


def tasks_of(user, positions, at):
    """A Task for each open action that ``user`` owns among ``positions``, in that order."""
    key = user.pk  # asked once: the person of a request is looked up again at each
    own = [action for action in positions if action.owner_id == key and action.is_open]
    notes = {note.due_date_id: note for note in ask(_notes, at, keys=[a.due.pk for a in own if a.due])}
    tasks = [Task(a, last_answer(a), notes.get(a.due and a.due.pk), at.today) for a in own]
    return tuple(sorted(tasks, key=Task.place))


def _notes(at, dates):
    notes = DueDate.late_notes.field.model.objects.standing(at)
    return notes.filter(due_date__in=dates).order_by("dated_first", "pk")


def last_answer(action):
    """The last proposed date of ``action`` if the board has decided it, else None.

    The next proposal takes its place, so an owner sees an answer until they ask again.
    """
    decided = [line for line in (*action.ledger, *action.refused) if line.decided]
    asked = [*decided, *action.proposals]
    newest = max(asked, key=lambda line: (line.row.dated_first, line.pk), default=None)
    return newest if newest in decided else None
