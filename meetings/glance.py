"""Where the board stands at a glance: four cells, and a line for each recommendation.

Screens and papers print the same. Nothing here asks a database, a clock, a request or a setting.
"""

from dataclasses import dataclass
from functools import cached_property

from django.utils.text import capfirst

from meetings.changes import Changes, Movement
from meetings.decisions import Decisions
from recommendations import charts
from recommendations.board import BoardPosition, RecommendationPosition
from recommendations.terms import TERMS
from record.dates import MONTHS, say_day
from record.models import Meeting

# More actions than this are shown as a count for each status.
MOST_SHAPES = 12


@dataclass(frozen=True)
class Cell:
    """What is to be known first of one thing: a heading of a few words, and a sentence or two under it.

    ``ref`` is that of the action with which its first line begins, or "".
    """

    heading: str
    lines: tuple[str, ...]
    ref: str = ""


@dataclass(frozen=True)
class Line:
    """One recommendation. ``movement`` is None where no meeting was held before."""

    recommendation: RecommendationPosition
    movement: Movement | None

    @cached_property
    def strip(self):
        """A shape for every action, a charts.Strip, or None where there are too many for a line."""
        actions = self.recommendation.actions
        return charts.strip(actions) if len(actions) <= MOST_SHAPES else None

    @property
    def change_words(self):
        return self.movement.short if self.movement else ""


@dataclass(frozen=True)
class Glance:
    """The four cells, and the recommendations a line each, in their order.

    ``judgement`` is Ofsted's latest held, with the record's age; ``critical`` has a Cell for each critical
    recommendation, or one that says that there is none; ``since`` is the last meeting held, and ``coming``
    the next one. ``since_words`` say what it is compared with: "since the paper of 10 November 2026".
    ``compared`` heads the column of what changed: "Since 10 Nov"; it is "" before any meeting.
    """

    judgement: Cell
    critical: tuple[Cell, ...]
    since: Cell
    since_words: str
    coming: Cell
    compared: str
    lines: tuple[Line, ...]

    @property
    def cells(self):
        return (self.judgement, *self.critical, self.since, self.coming)


def glance(
    board: BoardPosition,
    *,
    changes: Changes | None,
    before: Meeting | None,
    coming: Meeting | None,
    decisions: Decisions,
    papers: str = "",
    moved_from: str = "",
    cancelled: Meeting | None = None,
):
    """The Glance of ``board``, with its ``changes`` since the meeting ``before``, and the one to come.

    ``decisions`` are those wanted of that one. In words, ``papers`` says when its papers go out, where that
    is told, and ``moved_from`` is the day on which it was to be held before, if it was moved.
    ``cancelled`` is one that was to be held before it.
    """
    held = "since the last meeting"
    if before:
        paper = "the paper of " if changes.since.day != before.held_on else ""
        held = f"since {paper}{say_day(changes.since.day)}"
    day = changes.since.day if before else None
    return Glance(
        judgement=judgement_held(board),
        critical=tuple(critical_cell(r) for r in board.critical)
        or (Cell("No critical recommendation", ("None is marked critical on this day.",)),),
        since=since_meeting(capfirst(held), changes, before),
        since_words=held,
        coming=next_to_come(
            board, coming, decisions, papers=papers, moved_from=moved_from, cancelled=cancelled
        ),
        compared=f"Since {day.day} {MONTHS[day.month - 1][:3]}" if before else "",
        lines=tuple(Line(r, changes.movement(r.number) if changes else None) for r in board.recommendations),
    )


def judgement_held(board):
    """The grade of the latest graded inspection held, when that was, and the record's age."""
    inspection = board.inspections.latest_graded
    if not inspection:
        return Cell(
            "No judgement held", ("No graded inspection is on the board on this day.", board.age_words)
        )
    said = f"Ofsted, {inspection.visited}: the latest judgement held."
    heading = inspection.overall.grade_words if inspection.overall else "No overall grade held"
    return Cell(heading, (said, board.age_words))


def critical_cell(recommendation):
    """How a critical recommendation stands, and what hangs on it."""
    failing, lines = recommendation.endangers, []
    if failing:
        first, rest = failing[0], len(failing) - 1
        more = f", and {rest} more {'is' if rest == 1 else 'are'} overdue or off track" if rest else ""
        lines.append(f"{first.ref} {first.failing_words}{more}.")
    if recommendation.cannot_be_told:
        told = "Of the rest it cannot be told: " if failing else ""
        lines.append(f"{told}{recommendation.cannot_be_told}.")
    # Once a new date is agreed nothing is overdue any more, which is not to say that nothing was missed.
    if recommendation.misses and not recommendation.overdue:
        lines.append(f"{TERMS['misses']}: {recommendation.misses_words}.")
    nearer = " is nearer" if failing else ""
    lines.append(f"What hangs on it{nearer}: {recommendation.consequence}")
    heading = f"Critical: recommendation {recommendation.number} {recommendation.standing_words}"
    return Cell(heading, tuple(lines), ref=failing[0].ref if failing else "")


def since_meeting(held, changes, before):
    """What moved since the last meeting held, and how much of what is open was reported on."""
    if not changes:
        said = "No meeting had been held by this day, so nothing can be compared."
        return Cell(held, (said,))
    is_paper = changes.since.day != before.held_on
    paper = (f"It was for the meeting of {say_day(before.held_on)}.",) if is_paper else ()
    return Cell(held, (changes.movement_words, *paper))


def next_to_come(board, meeting, decisions, *, papers, moved_from, cancelled):
    """The next meeting, what is to be decided, and when its papers go out."""
    lines = [f"That of {say_day(cancelled.held_on)} was cancelled."] if cancelled else []
    if not meeting:
        wanted = f"{decisions.counted.capitalize()} waiting{': ' if decisions else ''}{decisions.words}."
        return Cell("No next meeting recorded", (*lines, wanted))
    lines += [f"Moved from {moved_from}."] if moved_from else []
    lines += [f"{decisions.words}."] if decisions else []
    if papers:
        lines.append(f"{papers}.")
    return Cell(f"{say_day(meeting.held_on)}: {decisions.counted}", tuple(lines))


def papers_due(meeting, at, went_out=None):
    """When the papers of a meeting go out or, once that day is past, were due; "" where none is set.

    Once they ``went_out``, that day is told, whichever was set.
    """
    if went_out:
        return f"Papers went out on {say_day(went_out)}"
    if not meeting.papers_due_on:
        return ""
    words = "go out" if meeting.papers_due_on >= at.day else "were due"
    return f"Papers {words} on {say_day(meeting.papers_due_on)}"
