"""What changed between two meetings of the board, in counts that reconcile."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Q

from meetings.corrections import Correction, corrections
from meetings.held import MEETINGS_LOOKED_BACK, had_before_it, published_by
from recommendations.action_position import ActionPosition
from recommendations.board import BoardPosition, ProgressPosition, RecommendationPosition
from recommendations.lateness import DueLine
from recommendations.models import Action, Assessment, ProgressUpdate
from recommendations.position import board_position, progress_position
from recommendations.status import RANK, Status
from record.as_at import AsAt
from record.versions import read


def changes_since_paper(meeting, shown, at):
    """The Changes since the paper that ``meeting`` has in front of it, or None if it has none.

    They go up to the position ``shown``, a BoardPosition, until the meeting has been held, then to the end
    of its day. Nothing that is shown later than the paper is in the paper.
    """
    if not published_by(at, meeting.papers).exists():
        return None
    since = had_before_it(meeting, at)
    end = AsAt.then(meeting.held_on, today=at.today)
    now = board_position(end) if meeting.was_held_by(at.day) else shown
    return changes_between(progress_position(since), now, since=since)


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
        """Whether it was reported on at both ends, by reports that stand."""
        ends = (self.was, self.action)
        return bool(self.was) and not self.was_put_right and not any(a.is_never_reported for a in ends)

    @property
    def is_date_moved(self):
        """Whether it is overdue no more only because another date is agreed for it."""
        return bool(
            self.was
            and self.was.is_overdue
            and not self.action.is_overdue
            and self.action.status == self.was.status
        )

    @property
    def is_first_report(self):
        """Whether it was on the board at the meeting before, and has been reported on only since."""
        return bool(self.was) and self.was.is_never_reported and not self.action.is_never_reported


@dataclass(frozen=True)
class Received:
    """What was reported on one action since the meeting before, as it stands now, the newest first."""

    action: ActionPosition
    was: ActionPosition | None
    updates: tuple[ProgressUpdate, ...]

    @property
    def words(self):
        """What the newest of them says, and whether that is new: "First report: At risk"."""
        now = self.updates[0]
        if self.was is None or self.was.is_never_reported:
            return f"First report: {now.words}"
        if now != self.action.update:
            return f"{now.words}, for an earlier day"
        if now.status == self.was.status:
            return f"Still {now.words[0].lower()}{now.words[1:]}"
        return f"{self.was.words} → {now.words}"


@dataclass(frozen=True)
class Refusal:
    """A proposed due date that the board has refused since."""

    action: ActionPosition
    line: DueLine


@dataclass(frozen=True)
class Assessed:
    """A new assessment of a recommendation, and the same body's one before it, or None."""

    recommendation: RecommendationPosition
    line: Assessment
    was: Assessment | None


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
class Movement:
    """Where one recommendation has gone since the meeting before, in a ``word``, and what else happened."""

    word: str
    first_reports: tuple[ActionPosition, ...] = ()
    added: tuple[ActionPosition, ...] = ()
    corrected: tuple[ActionPosition, ...] = ()
    moved: tuple[ActionPosition, ...] = ()

    @property
    def words(self):
        """It in full: "Same. First report: A01, A04. Added: A05"."""
        named = (
            ("First report", self.first_reports),
            ("Added", self.added),
            ("Corrected", self.corrected),
            ("No more overdue because its date was moved", self.moved),
        )
        notes = [f"{what}: {', '.join(a.ref for a in those)}" for what, those in named if those]
        return ". ".join([self.word, *notes])

    @property
    def short(self):
        """It in a line: "Same, 2 first reports, 1 added"."""
        several = "first report" if len(self.first_reports) == 1 else "first reports"
        counted = (
            (self.first_reports, several),
            (self.added, "added"),
            (self.corrected, "corrected"),
            (self.moved, "date moved" if len(self.moved) == 1 else "dates moved"),
        )
        return ", ".join([self.word, *(f"{len(those)} {what}" for those, what in counted if those)])


@dataclass(frozen=True)
class Changes:
    """Everything that moved since the meeting before; lists of Change unless said otherwise."""

    since: AsAt
    now: BoardPosition
    before: ProgressPosition
    pairs: tuple[Change, ...]
    received: tuple[Received, ...]
    not_reported: tuple[ActionPosition, ...]
    added: tuple[Change, ...]
    first_reports: tuple[Change, ...]
    newly_overdue: tuple[Change, ...]
    worsened: tuple[Change, ...]
    improved: tuple[Change, ...]
    completed: tuple[Change, ...]
    embedded: tuple[Change, ...]
    closed: tuple[Change, ...]
    reopened: tuple[Change, ...]
    moved: tuple[Change, ...]
    repeated: tuple[Change, ...]
    refused: tuple[Refusal, ...]
    assessed: tuple[Assessed, ...]
    sent_back: tuple[Change, ...]
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
            (self.moved, "with another due date"),
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
    def reported_words(self):
        """On how many of the open actions something was reported, in a sentence."""
        count = len(self.now.open)
        if not count:
            return "No action is open."
        heard = count - len(self.not_reported)
        return f"{heard or 'None'} of {count} open action{'' if count == 1 else 's'} reported on since."

    @property
    def worse(self):
        """The actions that stand worse than they were reported then."""
        return self._compared(self.newly_overdue, self.worsened, self.reopened)

    @property
    def better(self):
        """The actions that stand better than they were reported then, and in nothing worse."""
        worse = {action.ref for action in self.worse}
        better = self._compared(self.improved, self.completed, self.embedded)
        return tuple(action for action in better if action.ref not in worse)

    def _compared(self, *kinds):
        """The actions of some kinds of change that were reported on at both ends, each once."""
        moved = {pair.action.ref for pairs in kinds for pair in pairs}
        return tuple(p.action for p in self.pairs if p.is_comparable and p.action.ref in moved)

    @property
    def movement_words(self):
        """How many actions moved, and how many of the open ones were reported on, in a line."""
        number = len(self.worse)
        movement = f"{number} action{'' if number == 1 else 's'} worse, {len(self.better)} better"
        if not self.now.open:
            return f"{movement}. No action is open."
        count, silent = len(self.now.open), len(self.not_reported)
        heard = f"{count - silent} of {count} open action{'' if count == 1 else 's'} reported"
        return f"{movement}. {heard}, {silent} not."

    def direction(self, number):
        """Where recommendation ``number`` has gone, in words: see ``movement``."""
        return self.movement(number).words

    def movement(self, number):
        """The Movement of recommendation ``number``: Improved, Worse or Same, and what else happened.

        Only actions reported on at both ends are compared, and none whose report then was since put right.
        First reports, added actions, corrected ones and those whose date was moved are named, and are neither
        better nor worse: an action is not less late because a later date was agreed for it.
        """
        if number not in {r.number for r in self.before.recommendations}:
            return Movement("New")
        here = [p for p in self.pairs if number in p.action.recommendations]
        both = [p for p in here if p.is_comparable]
        moved = tuple(p.action for p in both if p.is_date_moved)
        if both:
            then = (min(RANK[p.was.status] for p in both), -sum(p.was.is_overdue for p in both))
            late = sum(p.action.is_overdue for p in both) + len(moved)
            now = (min(RANK[p.action.status] for p in both), -late)
            word = "Same" if then == now else "Improved" if now > then else "Worse"
        return Movement(
            word if both else "Cannot be compared",
            first_reports=tuple(p.action for p in here if p.is_first_report),
            added=tuple(p.action for p in here if not p.was),
            corrected=tuple(p.action for p in here if p.was_put_right),
            moved=moved,
        )


def changes_between(before, now, *, since):
    """The Changes from the ProgressPosition ``before``, taken at ``since``, to ``now``."""
    earlier = before.by_ref
    heard = updates_since(since, now)
    put_right = put_right_by(heard)

    def change(action):
        was = earlier.get(action.ref)
        return Change(action, was, bool(was and was.update and was.update.pk in put_right))

    pairs = tuple(change(action) for action in now.actions)
    received = reports_received(pairs, heard)
    heard_of = {each.action.pk for each in received}
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
        reopened=reopened,
        moved=tuple(p for p in earlier_too if due_date_moved(p)),
        repeated=tuple(
            p for p in pairs if p.action.repeats_commentary and (not p.was or p.was.update != p.action.update)
        ),
        refused=tuple(
            Refusal(p.action, line)
            for p in pairs
            for line in p.action.refused
            if line.pk not in {earlier.pk for earlier in (p.was.refused if p.was else ())}
        ),
        assessed=assessed_since(before, now),
        sent_back=tuple(
            p for p in pairs if p.action.sent_back and (not p.was or p.was.sent_back != p.action.sent_back)
        ),
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


def updates_since(since, now):
    """The ProgressUpdates that became known between ``since`` and the position ``now``, in their order.

    Corrections and withdrawals of earlier ones are among them.
    """
    end = Q(known_from__lt=now.at.known) if now.at.known else Q()
    rows = ProgressUpdate.objects.filter(end, known_from__gte=since.until, dated_first__lte=now.at.day)
    return read(rows.order_by("pk"), now.at, "document")


def reports_received(pairs, heard):
    """A Received for each action of ``pairs`` that was reported on in ``heard``, from ``updates_since``.

    What was put right is shown as it stands now; what corrects a report of an earlier time is no new one.
    """
    put_right = put_right_by(heard)
    new, reports = set(), {}
    for row in heard:
        if row.withdraws_id or (row.corrects_id and row.corrects_id not in new):
            continue
        new.add(row.pk)
        if row.pk not in put_right and not row.is_acceptance:
            reports.setdefault(row.action_id, []).append(row)
    return tuple(
        Received(p.action, p.was, tuple(sorted(reports[p.action.pk], key=in_order, reverse=True)))
        for p in pairs
        if p.action.pk in reports
    )


def put_right_by(heard):
    """The keys of the updates that those of ``heard`` correct or withdraw."""
    return {row.corrects_id for row in heard} | {row.withdraws_id for row in heard}


def in_order(statement):
    """What statements are sorted by: the day they speak of, then the order in which they were added."""
    return (statement.dated_first, statement.pk)


def _left_the_open(pairs):
    return sum(pair.was is None or pair.was.is_open for pair in pairs)


def actions_gone(before, now):
    """A Gone for each action that was on the board then and is not now."""
    withdrawn = {each.row.pk for each in now.lost_actions if each.is_withdrawn}
    return tuple(Gone(a, a.pk in withdrawn) for a in before.actions if a.ref not in now.by_ref)


def assessed_since(before, now):
    """An Assessed for each assessment that stands now and did not then."""
    earlier = {r.number: {line.whose: line for line in r.assessments} for r in before.recommendations}
    return tuple(
        Assessed(r, line, was)
        for r in now.recommendations
        for line in r.assessments
        if (was := earlier.get(r.number, {}).get(line.whose)) is None or was.pk != line.pk
    )


def due_date_moved(change):
    """Whether the agreed date is another one, and not because the one before was withdrawn as wrong."""
    was, now = change.was.due, change.action.due
    if was is None or now is None:
        return was is not None or now is not None
    return was.pk != now.pk and not any(line.pk == was.pk and line.withdrawn for line in change.action.dates)


def unchanged(now, meetings):
    """An Unchanged for each open action of the position ``now`` that has not moved.

    ``meetings`` are those before it, the latest first. At most MEETINGS_LOOKED_BACK are looked at, in one
    light query each.
    """
    waiting = {a.pk: (a.status, a.due and a.due.pk) for a in now.open}
    counted = dict.fromkeys(waiting, 0)
    looked_at = meetings[:MEETINGS_LOOKED_BACK]
    for meeting in looked_at:
        then = Action.objects.as_at(had_before_it(meeting, now.at)).filter(pk__in=list(waiting))
        same = {
            pk
            for pk, status, due in then.values_list("pk", "status", "due_id")
            if waiting[pk] == (status, due)
        }
        waiting = {pk: value for pk, value in waiting.items() if pk in same}
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
