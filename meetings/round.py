"""The month's round: who has reported for the next meeting, who has not, and what it is asked to decide."""

import datetime
from collections import Counter
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser

from meetings.decided import agenda
from meetings.decisions import Decisions
from recommendations.action_position import ActionPosition
from recommendations.board import BoardPosition
from recommendations.position import board_position
from recommendations.received import reported_this_round
from record.dates import say_day
from record.held import had_before_it, meetings_held, next_meeting
from record.models import Ask, Meeting
from record.signing import name_of
from record.texts import so_many


@dataclass(frozen=True)
class Person:
    """Somebody with an open account, and the open actions that they own: reported on this round, or not."""

    account: AbstractUser
    reported: tuple[ActionPosition, ...]
    not_reported: tuple[ActionPosition, ...]

    @property
    def name(self):
        return name_of(self.account)

    @property
    def address(self):
        return self.account.email

    @property
    def actions(self):
        return self.reported + self.not_reported

    @property
    def roles(self):
        """The owner roles of their actions: what they answer for."""
        return {action.owner_role for action in self.actions}

    @property
    def roles_in_order(self):
        return sorted(self.roles)

    @property
    def from_documents(self):
        """Those not reported on of which a document tells how they stand: that is no report of theirs."""
        return tuple(action for action in self.not_reported if action.is_from_document)

    @property
    def silent(self):
        """Their actions whose date has passed while nobody has ever reported on them."""
        return tuple(action for action in self.actions if action.is_silent)

    @property
    def silent_before(self):
        """Those that only a new date keeps from being among them."""
        return tuple(action for action in self.actions if action.is_silent_before)


@dataclass(frozen=True)
class Together:
    """The people who answer for a role or, where somebody answers for several, for all of these."""

    roles: tuple[str, ...]
    people: tuple[Person, ...]

    @property
    def shared(self):
        """The roles that more than one of them answer for; of a role or a person alone, all there are."""
        counted = Counter(role for person in self.people for role in person.roles)
        return tuple(role for role in self.roles if counted[role] > 1) or self.roles

    @property
    def heading(self):
        """What stands above them: the role or, where there are several, why they stand together."""
        if len(self.roles) == 1:
            return self.roles[0]
        if len(self.people) == 1:
            return f"One person for {len(self.roles)} roles"
        return f"{len(self.people)} people, because some share a role: {'; '.join(self.shared)}"


@dataclass(frozen=True)
class Round:
    """Where the round stands. ``meeting`` is the next one, ``before`` the last one held; each may be None.
    ``since`` is the day after which reports count: that of its paper or, without one, its own.

    ``unowned`` are the open actions that no account owns, ``closed`` those whose owner's account is closed.
    """

    meeting: Meeting | None
    before: Meeting | None
    since: datetime.date | None
    board: BoardPosition
    groups: tuple[Together, ...]
    not_reported: tuple[ActionPosition, ...]
    unowned: tuple[ActionPosition, ...]
    closed: tuple[ActionPosition, ...]
    decisions: Decisions
    asks: tuple[Ask, ...]

    @property
    def at(self):
        return self.board.at

    @property
    def people(self):
        return tuple(person for group in self.groups for person in group.people)

    @property
    def owing(self):
        """The people who have not reported on all that they own."""
        return tuple(person for person in self.people if person.not_reported)

    @property
    def unreachable(self):
        """The people who have not reported on all that they own, and have no e-mail address."""
        return tuple(person for person in self.owing if not person.address)

    @property
    def decisions_in_words(self):
        """(what is asked for, how many and which) of every kind: "2 (D1 on A01, D4 on A07)"; "none"."""
        kinds = [
            (what, [f"{w.name} on {w.action.ref}" for w in wanted]) for what, wanted in self.decisions.kinds
        ]
        return [(what, f"{len(named)} ({', '.join(named)})" if named else "none") for what, named in kinds]

    @property
    def since_words(self):
        """From what reports are counted: "since the meeting of 22 November 2022"; "" where none was held."""
        if not self.before:
            return ""
        held = f"meeting of {say_day(self.before.held_on)}"
        if self.since == self.before.held_on:
            return f"since the {held}"
        return f"since the paper of {say_day(self.since)}, which was for the {held}"

    @property
    def reported_words(self):
        """How many of the open actions were reported on: "9 of 24 open actions reported on"."""
        count = len(self.board.open)
        heard = count - len(self.not_reported)
        return f"{heard or 'None'} of {so_many(count, 'open action')} reported on"


def round_of(at):
    """The Round as it stands ``at``, in a fixed number of queries."""
    board, meeting = board_position(at), next_meeting(at)
    heard, on_it = reported_this_round(at), agenda(meeting, board, at)
    before = next(iter(meetings_held(at)), None)
    return Round(
        meeting=meeting,
        before=before,
        since=had_before_it(before, at).day if before else None,
        board=board,
        groups=together(_people(board.open, heard)),
        not_reported=tuple(action for action in board.open if action.pk not in heard),
        unowned=tuple(action for action in board.open if action.owner_id is None),
        closed=tuple(action for action in board.open if action.owner_id and not action.owner_is_open),
        decisions=on_it.decisions,
        asks=on_it.asks,
    )


def _people(actions, heard):
    """A Person for each open account that owns some of ``actions``, by name."""
    accounts = get_user_model().objects.in_bulk({a.owner_id for a in actions if a.owner_is_open})
    people = [
        Person(
            account=account,
            reported=tuple(a for a in actions if a.owner_id == key and a.pk in heard),
            not_reported=tuple(a for a in actions if a.owner_id == key and a.pk not in heard),
        )
        for key, account in accounts.items()
    ]
    return sorted(people, key=lambda person: (person.name, person.account.pk))


def together(people):
    """A Together for those of ``people`` who answer for the same, in the order of the roles they share."""
    groups = []
    for person in people:
        same = [group for group in groups if person.roles & set(group.roles)]
        roles = person.roles.union(*(group.roles for group in same))
        joined = (*(each for group in same for each in group.people), person)
        groups = [group for group in groups if group not in same]
        groups.append(Together(tuple(sorted(roles)), tuple(sorted(joined, key=lambda each: each.name))))
    return tuple(sorted(groups, key=lambda group: group.shared))
