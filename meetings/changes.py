"""What changed between two meetings of the board, in counts that reconcile."""

from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from recommendations.board import (
    ActionPosition,
    BoardPosition,
    ProgressPosition,
    RecommendationPosition,
)
from recommendations.lateness import DueLine
from recommendations.models import Action, Assessment
from recommendations.position import progress_position
from recommendations.status import RANK, Status
from record.as_at import AsAt
from record.dates import end_of
from record.models import Meeting
from record.signing import name_in
from record.statements import statement_kinds

MEETINGS_LOOKED_BACK = 6


def had_before_it(meeting, at):
    """The AsAt of the position that ``meeting`` had before it, asked on the day on which ``at`` is.

    It is that of the paper the meeting had in front of it; without one, the end of the day it was held;
    and for a meeting that is today or still to come, today.
    """
    papers = list(meeting.papers.defer("body").order_by("version"))
    if papers:
        in_time = [p for p in papers if timezone.localdate(p.published_at) <= meeting.held_on]
        paper = (in_time or papers[:1])[-1]
        return AsAt(at.today, paper.as_at, min(paper.published_at, end_of(paper.as_at)))
    if meeting.held_on >= at.today:
        return AsAt.now(at.today)
    return AsAt.then(meeting.held_on, today=at.today)


@dataclass(frozen=True)
class Change:
    """An action as it stands now, and as it stood at the meeting before (None if it is new)."""

    action: ActionPosition
    was: ActionPosition | None


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
class Correction:
    """A statement that replaced an earlier one since the meeting before, or an edit of a row."""

    kind: str
    about: str
    link: str
    was: str
    now: str
    reason: str
    by: str


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
    added: tuple[Change, ...]
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
    corrections: tuple[Correction, ...]
    gone: tuple[Gone, ...]
    balance: Balance

    @property
    def is_empty(self):
        """Whether nothing at all moved."""
        return not any(
            (
                self.added,
                self.newly_overdue,
                self.worsened,
                self.improved,
                self.completed,
                self.embedded,
                self.closed,
                self.reopened,
                self.moved,
                self.refused,
                self.assessed,
                self.corrections,
                self.gone,
            )
        )

    @property
    def summary(self):
        """What moved, in one sentence of counts; what did not happen is left out."""
        counts = (
            (self.newly_overdue, "newly overdue"),
            (self.worsened, "worse"),
            (self.reopened, "reopened"),
            (self.improved, "improved"),
            (self.completed, "complete"),
            (self.embedded, "embedded"),
            (self.closed, "closed"),
            (self.moved, "with another due date"),
            (self.added, "added"),
            (self.corrections, "corrected or withdrawn"),
        )
        said = [f"{len(rows)} {words}" for rows, words in counts if rows]
        return f"{', '.join(said)}." if said else "nothing moved."

    def direction(self, number):
        """The direction of recommendation ``number``: Improved, Worse, Same or New."""
        was = next((r for r in self.before.recommendations if r.number == number), None)
        now = next(r for r in self.now.recommendations if r.number == number)
        if was is None:
            return "New"
        then, here = ((RANK[r.worst], -len(r.overdue)) for r in (was, now))
        return "Same" if then == here else "Improved" if here > then else "Worse"


def changes_between(before, now, *, since):
    """The Changes from the ProgressPosition ``before``, taken at ``since``, to ``now``."""
    earlier = before.by_ref
    pairs = [Change(action, earlier.get(action.ref)) for action in now.actions]
    earlier_too = [pair for pair in pairs if pair.was]
    stayed_open = [pair for pair in earlier_too if pair.action.is_open and pair.was.is_open]

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
        added=added,
        newly_overdue=tuple(
            pair for pair in pairs if pair.action.is_overdue and not (pair.was and pair.was.is_overdue)
        ),
        worsened=tuple(p for p in stayed_open if RANK[p.action.status] < RANK[p.was.status]),
        improved=tuple(p for p in stayed_open if RANK[p.action.status] > RANK[p.was.status]),
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


def corrections(*, since, now):
    """The Corrections, of statements and of edited rows, made after ``since`` and known in ``now``."""
    return (*_of_statements(since, now), *_of_edited_rows(since, now))


def _of_edited_rows(since, now):
    start = since.known or end_of(since.day)
    return tuple(
        Correction(
            kind=edit.kind,
            about=edit.name,
            link=edit.link,
            was="; ".join(f"{change.label}: {change.excerpt or 'empty'}" for change in edit.changes)
            or edit.name,
            now="nothing: it is withdrawn"
            if edit.withdraws
            else "; ".join(f"{change.label}: {change.excerpt_now or 'empty'}" for change in edit.changes),
            reason=edit.reason,
            by=edit.by,
        )
        for edit in sorted(now.edits, key=lambda edit: edit.at)
        if edit.at >= start
    )


def _of_statements(since, now):
    end = Q(recorded_at__lt=now.at.known) if now.at.known else Q()
    start = Q(recorded_at__gte=since.known) if since.known else Q(dated_first__gt=since.day)
    superseding = Q(corrects__isnull=False) | Q(withdraws__isnull=False)
    return tuple(
        Correction(
            kind=kind._meta.verbose_name,
            about=str(row.about),
            link=row.about.get_absolute_url(),
            was=(row.withdraws or row.corrects).in_words(),
            now="nothing: it is withdrawn" if row.withdraws_id else row.in_words(),
            reason=row.correction_reason,
            by=name_in(row.signed),
        )
        for kind in statement_kinds()
        for row in kind.objects.filter(start, end, superseding, dated_first__lte=now.at.day)
        .select_related("corrects", "withdraws", kind.about_path())
        .order_by("recorded_at", "pk")
    )


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


def meetings_before(day):
    """The meetings before ``day``, the latest first: as many as are ever looked back on, and one more."""
    return list(Meeting.objects.filter(held_on__lt=day).order_by("-held_on")[: MEETINGS_LOOKED_BACK + 1])


def changes_since(now, earlier):
    """The Changes in the position ``now`` since the first of the meetings ``earlier``, or None."""
    if not earlier:
        return None
    since = had_before_it(earlier[0], now.at)
    return changes_between(progress_position(since), now, since=since)
