"""What changed between two meetings of the board, in counts that reconcile."""

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Q

from meetings.corrections import Correction, corrections
from meetings.movement import Change, Movement, movement_of
from recommendations.action_position import ActionPosition
from recommendations.board import BoardPosition, ProgressPosition, RecommendationPosition
from recommendations.lateness import DueLine
from recommendations.models import Assessment, ProgressUpdate
from recommendations.position import board_position, progress_position, stood, updates_with
from recommendations.received import (
    READ_OF_EACH,
    Heard,
    put_right_by,
    reports_in,
    said_anew,
    somebody_reported,
    updates_since,
)
from recommendations.sent_back import SendBack
from recommendations.status import RANK, STATUS_WORDS, Status
from record.as_at import AsAt
from record.held import MEETINGS_LOOKED_BACK, had_before_each, had_before_it, published_by
from record.statements import place_of
from record.texts import so_many
from record.versions import read_asked

# So many reports on one action since a meeting are told in full; the others stand in its history.
MOST_IN_FULL = 5


def changes_since_paper(meeting, shown, at):
    """The Changes since the paper that ``meeting`` has in front of it, or None if it has none.

    They go up to the position ``shown``, a BoardPosition, until the meeting has been held, then to the end
    of its day. Nothing that is shown later than the paper is in the paper. None too if that day ended before
    the paper: its day was put right, or the paper came late, and nothing came after the one by the other.
    """
    if not published_by(at, meeting.papers).exists():
        return None
    since = had_before_it(meeting, at)
    end = AsAt.then(meeting.held_on, today=at.today)
    is_held = meeting.was_held_by(at.day)
    if is_held and end.until < since.until:
        return None
    now = board_position(end) if is_held else shown
    return changes_between(progress_position(since), now, since=since)


@dataclass(frozen=True)
class Received:
    """What was reported on one action since the meeting before, as it stands now, the newest first."""

    action: ActionPosition
    was: ActionPosition | None
    updates: tuple[Heard, ...]
    was_put_right: bool = False

    @property
    def words(self):
        """What the newest of them says, and whether that is new: "First report: At risk"."""
        now, newest, before = self.updates[0], self.action.update, self.action.previous
        said = STATUS_WORDS[now.status]
        is_newest = newest is not None and now.id == newest.pk
        if self.was is None or self.was.is_never_reported or self.was_put_right and is_newest and not before:
            return f"First report: {said}"
        if not is_newest:
            if newest and newest.is_acceptance and newest.place > now.place:
                if newest.status == Status.CLOSED:
                    return f"{said}, then {STATUS_WORDS[Status.CLOSED].lower()}"
                return f"{said}, then accepted: {STATUS_WORDS[newest.status]}"
            return f"{said}, for an earlier day"
        if self.was_put_right:
            return f"{said}. What was reported before was put right"
        if now.status == self.was.status:
            return f"Still {said[0].lower()}{said[1:]}"
        return f"{self.was.words} → {said}"


class InFull(NamedTuple):
    """What was Received on one action, with the newest of the updates in full, and how many are before.

    ``at_least`` is whether there may be more still: of very many not all are read.
    """

    received: Received
    updates: tuple[ProgressUpdate, ...]
    more: int
    at_least: bool


@dataclass(frozen=True)
class Refusal:
    """A proposed due date that the board has refused since."""

    action: ActionPosition
    line: DueLine


@dataclass(frozen=True)
class SentBack:
    """A report on an action that was sent back for evidence since, whatever has come of that."""

    action: ActionPosition
    line: SendBack

    @property
    def since(self):
        """What came of it, in a sentence, or "" while the evidence is awaited."""
        return self.action.answer_to(self.line)


@dataclass(frozen=True)
class Assessed:
    """A new assessment of a recommendation, and the same body's one before it, or None.

    One that is not its body's newest was overtaken since, or speaks of an earlier day.
    """

    recommendation: RecommendationPosition
    line: Assessment
    was: Assessment | None

    @property
    def is_newest(self):
        return self.line.pk in {line.pk for line in self.recommendation.assessments}


@dataclass(frozen=True)
class Unchanged:
    """An open action whose status and due date have been the same at each of the last meetings."""

    action: ActionPosition
    meetings: int
    at_least: bool

    @property
    def words(self):
        more = " or more" if self.at_least else ""
        return f"unchanged for {self.meetings}{more} meeting{'' if self.meetings == 1 else 's'}"


@dataclass(frozen=True)
class Gone:
    """An action that was on the board at the meeting before and is no more: withdrawn, or by a correction."""

    action: ActionPosition
    is_withdrawn: bool


@dataclass(frozen=True)
class Balance:
    """Open actions then and now, with everything that makes the difference."""

    before: int
    added: int
    reopened: int
    completed: int
    embedded: int
    closed: int
    withdrawn: int
    taken_off: int
    now: int

    @property
    def reconciles(self):
        """Whether the sum on the page comes out: it must, for any history."""
        there = self.before + self.added + self.reopened
        gone = self.completed + self.embedded + self.closed + self.withdrawn + self.taken_off
        return there - gone == self.now


@dataclass(frozen=True)
class Changes:
    """Everything that moved since the meeting before; lists of Change unless said otherwise."""

    since: AsAt
    now: BoardPosition
    before: ProgressPosition
    pairs: tuple[Change, ...]
    received: tuple[Received, ...]
    received_is_whole: bool
    not_reported: tuple[ActionPosition, ...]
    added: tuple[Change, ...]
    first_reports: tuple[Change, ...]
    newly_overdue: tuple[Change, ...]
    worsened: tuple[Change, ...]
    improved: tuple[Change, ...]
    completed: tuple[Change, ...]
    embedded: tuple[Change, ...]
    closed: tuple[Change, ...]
    accepted_again: tuple[Change, ...]
    reopened: tuple[Change, ...]
    moved: tuple[Change, ...]
    repeated: tuple[Change, ...]
    refused: tuple[Refusal, ...]
    assessed: tuple[Assessed, ...]
    sent_back: tuple[SentBack, ...]
    corrections: tuple[Correction, ...]
    gone: tuple[Gone, ...]
    balance: Balance

    @property
    def what_moved(self):
        """(rows, what became of them) for each kind of change, worst first."""
        return (
            (self.newly_overdue, "newly overdue"),
            (self.worsened, "worse"),
            (self.reopened, "reopened"),
            (self.improved, "improved"),
            (self.completed, "complete"),
            (self.embedded, "embedded"),
            (self.closed, "closed"),
            (self.accepted_again, "accepted again"),
            (self.moved, "with a due date set or moved"),
            (self.refused, "with a proposed date refused"),
            (self.sent_back, "sent back for evidence"),
            (self.assessed, "newly assessed"),
            (self.first_reports, "reported on for the first time"),
            (self.added, "added"),
            (self.gone, "off the board"),
            (self.corrections, "corrected or withdrawn"),
        )

    @property
    def is_empty(self):
        """Whether nothing at all moved. Reports may have been received all the same."""
        return not any(rows for rows, _ in self.what_moved)

    @property
    def summary(self):
        """What moved, in a sentence of counts that leaves out what did not, and how much was reported on."""
        said = [f"{len(rows)} {words}" for rows, words in self.what_moved if rows]
        return f"{', '.join(said) or 'no status or date moved'}. {self.reported_words}"

    @property
    def not_reported_by(self):
        """{the role that owns them: the open actions that nothing was reported on}, by role."""
        owners = defaultdict(list)
        for action in sorted(self.not_reported, key=lambda a: (a.owner_role, a.ref)):
            owners[action.owner_role].append(action)
        return dict(owners)

    @property
    def nobody_could(self):
        """Those that nothing was reported on of which nobody owns an open account today."""
        return tuple(action for action in self.not_reported if not action.owner_is_open)

    @property
    def reported_words(self):
        """On how many of the open actions something was reported, in a sentence."""
        count = len(self.now.open)
        if not count:
            return "No action is open."
        heard = count - len(self.not_reported)
        return f"{heard or 'None'} of {so_many(count, 'open action')} reported on since."

    @property
    def worse(self):
        """The actions that stand worse than they were reported then."""
        return tuple(p.action for p in self.pairs if p.is_worse)

    @property
    def better(self):
        """The actions that stand better than they were reported then, and in nothing worse."""
        return tuple(p.action for p in self.pairs if p.is_better)

    @property
    def movement_words(self):
        """How many actions moved, and how many of the open ones were reported on, in a line."""
        if not self.now.open:
            return f"{self.worse_and_better}. No action is open."
        count, silent = len(self.now.open), len(self.not_reported)
        heard = f"{count - silent} of {so_many(count, 'open action')} reported"
        return f"{self.worse_and_better}. {heard}, {silent} not."

    @property
    def worse_and_better(self):
        return f"{so_many(len(self.worse), 'action')} worse, {len(self.better)} better"

    def direction(self, number):
        """Where recommendation ``number`` has gone, in words: see ``movement``."""
        return self.movement(number).words

    def movement(self, number):
        """The Movement of recommendation ``number``."""
        if number not in {r.number for r in self.before.recommendations}:
            return Movement("New")
        return movement_of([p for p in self.pairs if number in p.action.recommendations])


def changes_between(before, now, *, since):
    """The Changes from the ProgressPosition ``before``, taken at ``since``, to ``now``."""
    earlier = before.by_ref
    shown = (row for action in now.actions for row in (action.update, action.previous, action.report) if row)
    news = updates_since(since, now.at, named={key for row in shown for key in (row.pk, row.place)})
    heard = news.updates
    put_right = put_right_by(heard)

    def change(action):
        was = earlier.get(action.ref)
        return Change(action, was, bool(was and was.update and was.update.pk in put_right))

    pairs = tuple(change(action) for action in now.actions)
    received = reports_received(pairs, heard)
    heard_of = {each.action.pk for each in received if somebody_reported(each.updates)}
    earlier_too = [pair for pair in pairs if pair.was]
    compared = [p for p in earlier_too if p.is_comparable and p.action.is_open and p.was.is_open]

    def newly(status):
        return tuple(p for p in pairs if p.action.status == status and (not p.was or p.was.status != status))

    added = tuple(pair for pair in pairs if not pair.was)
    completed, embedded, closed = (newly(s) for s in (Status.COMPLETE, Status.EMBEDDED, Status.CLOSED))
    reopened = tuple(pair for pair in earlier_too if pair.action.is_open and not pair.was.is_open)
    gone = actions_gone(before, now)
    open_gone = [each for each in gone if each.action.is_open]
    return Changes(
        since=since,
        now=now,
        before=before,
        pairs=pairs,
        received=received,
        received_is_whole=news.is_whole,
        not_reported=tuple(action for action in now.open if action.pk not in heard_of),
        added=added,
        first_reports=tuple(p for p in earlier_too if p.is_first_report and p.action.is_open),
        # Of one whose date had passed in silence, nobody knows since when it has been overdue.
        newly_overdue=tuple(
            p for p in pairs if p.action.is_overdue and not (p.was and (p.was.is_overdue or p.was.is_silent))
        ),
        worsened=tuple(p for p in compared if RANK[p.action.status] < RANK[p.was.status]),
        improved=tuple(p for p in compared if RANK[p.action.status] > RANK[p.was.status]),
        completed=completed,
        embedded=embedded,
        closed=closed,
        accepted_again=tuple(p for p in pairs if p.is_accepted_again),
        reopened=reopened,
        moved=tuple(p for p in pairs if p.is_date_moved),
        repeated=tuple(
            p for p in pairs if p.action.repeats_commentary and (not p.was or p.was.update != p.action.update)
        ),
        refused=tuple(
            Refusal(p.action, line)
            for p in pairs
            for line in p.action.refused
            if line.pk not in {earlier.pk for earlier in (p.was.refused if p.was else ())}
        ),
        assessed=assessed_since(before, now, since=since),
        sent_back=sent_back_since(now, since=since),
        corrections=corrections(since=since, now=now),
        gone=gone,
        balance=Balance(
            before=len(before.open),
            added=len(added),
            reopened=len(reopened),
            completed=_left_the_open(completed),
            embedded=_left_the_open(embedded),
            closed=_left_the_open(closed),
            withdrawn=sum(each.is_withdrawn for each in open_gone),
            taken_off=sum(not each.is_withdrawn for each in open_gone),
            now=len(now.open),
        ),
    )


def reports_received(pairs, heard):
    """A Received for each action of ``pairs`` that was reported on in ``heard``, from ``updates_since``."""
    reports = reports_in(heard)
    return tuple(
        Received(
            p.action,
            p.was,
            tuple(sorted(reports[p.action.pk], key=in_order, reverse=True)),
            p.was_put_right,
        )
        for p in pairs
        if p.action.pk in reports
    )


def received_in_full(changes):
    """An InFull for each of what was received in ``changes``, in one query."""
    shown = [(each, [update.id for update in each.updates[:MOST_IN_FULL]]) for each in changes.received]
    keys = sorted(pk for _, pks in shown for pk in pks)
    rows = {row.pk: row for row in read_asked(updates_with, changes.now.at, related=("document",), keys=keys)}
    return [
        InFull(
            received=each,
            updates=tuple(rows[pk] for pk in pks),
            more=len(each.updates) - len(pks),
            at_least=not changes.received_is_whole and len(each.updates) >= READ_OF_EACH,
        )
        for each, pks in shown
    ]


def in_order(statement):
    """What statements are sorted by: the day they speak of, then their place among those of that day."""
    return (statement.dated_first, statement.place, statement.id)


def _left_the_open(pairs):
    return sum(pair.was is None or pair.was.is_open for pair in pairs)


def actions_gone(before, now):
    """A Gone for each action that was on the board then and is not now."""
    withdrawn = {each.row.pk for each in now.lost_actions if each.is_withdrawn}
    return tuple(Gone(a, a.pk in withdrawn) for a in before.actions if a.ref not in now.by_ref)


def sent_back_since(now, *, since):
    """A SentBack for each report that was sent back since, by action, in the order of the record.

    What corrects an earlier one is not new: the corrections tell of it.
    """
    rows = read_asked(_known_since, now.at, SendBack, since.until, related=("meeting", "report"))
    actions = {action.pk: action for action in now.actions}
    found = [
        SentBack(actions[line.report.action_id], line)
        for line in said_anew(rows)
        if line.dated_first <= now.at.day and line.report.action_id in actions
    ]
    return tuple(sorted(found, key=lambda sent: (sent.action.ref, sent.line.pk)))


def assessed_since(before, now, *, since):
    """An Assessed for each assessment that was recorded since and stands, the newest of its body or not.

    What comes to stand again by a withdrawal, and what corrects an earlier one, is not new: the corrections
    tell of it. Of an earlier one that was itself put right since, nothing is said as of what it said before.
    """
    rows = read_asked(_known_since, now.at, Assessment, since.until, related=("document",))
    put_right = put_right_by(rows)
    earlier = {
        r.number: [line for line in r.assessments if line.pk not in put_right] for r in before.recommendations
    }
    new = defaultdict(list)
    for line in said_anew(rows):
        if line.dated_first <= now.at.day:
            new[line.recommendation_id].append(line)
    return tuple(
        Assessed(r, line, _one_before(line, earlier.get(r.number, []) + new[r.pk]))
        for r in now.recommendations
        for line in sorted(new[r.pk], key=lambda line: (line.whose, in_order(line)))
    )


def _one_before(line, others):
    """Of ``others`` the newest that is the same body's, and before the assessment ``line``, or None."""
    earlier = [each for each in others if each.whose == line.whose and in_order(each) < in_order(line)]
    return max(earlier, key=in_order, default=None)


def _known_since(at, kind, since):
    """The rows of ``kind`` that became known since, of whatever day: a later one may put an earlier right."""
    end = Q(known_from__lt=at.known) if at.known else Q()
    rows = kind.objects.filter(end, known_from__gte=since).annotate(place=place_of(kind))
    return rows.order_by("pk")


def unchanged(now, meetings):
    """An Unchanged for each open action of the position ``now`` that has not moved.

    ``meetings`` are those before it, the latest first. At most MEETINGS_LOOKED_BACK are looked at, in one
    light query each, and one for them all.
    """
    waiting = {a.pk: (a.status, a.due and a.due.pk) for a in now.open}
    counted = dict.fromkeys(waiting, 0)
    looked_at = meetings[:MEETINGS_LOOKED_BACK]
    for had in had_before_each(looked_at, now.at):
        then = stood(had)
        waiting = {pk: value for pk, value in waiting.items() if then.get(pk) == value}
        for pk in waiting:
            counted[pk] += 1
        if not waiting:
            break
    more = len(meetings) > len(looked_at)
    rows = [
        Unchanged(action, counted[action.pk], more and action.pk in waiting)
        for action in now.open
        if counted[action.pk]
    ]
    return tuple(sorted(rows, key=lambda row: (-row.meetings, row.action.ref)))


def changes_since(now, earlier):
    """The Changes in the position ``now`` since the first of the meetings ``earlier``, or None."""
    if not earlier:
        return None
    since = had_before_it(earlier[0], now.at)
    return changes_between(progress_position(since), now, since=since)
