"""Every status that an action may have, in one table: what pages, charts, forms and help say of it.

To add one, add its row here, make the migration, and say in a test what it does to a board.
"""

from dataclasses import dataclass
from enum import Enum

from django.db import models

from record.drawing import CIRCLE, CROSS, DISC, WHITE, Fill, Shape


class SetBy(Enum):
    """Who may give an action a status, in the words of the help page."""

    NOBODY = "Nobody. It ends with the first update"
    OWNER = (
        "The action’s owner, or the Secretariat on the owner’s behalf. "
        "After a re-check that failed, also the Chair"
    )
    ACCEPTED = "The Chair or Secretariat"


class Tone(Enum):
    """The colours of a tag: each has a rule of its own in the stylesheet. None is read without its word."""

    BAD = "bad"
    WARNING = "warning"
    UNKNOWN = "unknown"
    QUIET = "quiet"
    GOOD = "good"
    FINISHED = "finished"
    OVER = "over"


@dataclass(frozen=True)
class Row:
    """One status.

    ``meaning`` is what it commits us to. ``fill`` is its pattern in charts, which a printer without colour
    keeps apart. ``needs`` are the columns of an update that may not be empty. ``is_good`` says that an owner
    who gives it sees nothing wrong.
    """

    value: str
    word: str
    meaning: str
    shape: Shape
    fill: Fill
    tone: Tone
    set_by: SetBy = SetBy.OWNER
    is_open: bool = True
    is_good: bool = False
    needs: tuple[str, ...] = ()

    @property
    def name(self):
        return self.value.upper()

    @property
    def is_accepted(self):
        return self.set_by is SetBy.ACCEPTED


NOT_REPORTED = "not_reported"
# Worst first. Closed stands last: it is the worst of a recommendation's actions only if all are.
TABLE = (
    Row(
        value="off_track",
        word="Off track",
        meaning="Has missed or will miss what was agreed. Needs a reason and a recovery step.",
        shape=Shape(f"M1 1h14v14H1z{CROSS}", "filled"),
        fill=Fill('<path d="M0 0h8v8H0z" fill="#000"/>'),
        tone=Tone.BAD,
        needs=("reason", "recovery_step"),
    ),
    Row(
        value="at_risk",
        word="At risk",
        meaning="May miss what was agreed. Needs a reason and a recovery step.",
        shape=Shape("M8 .5l7.8 15H.2zM7 5.5v5h2v-5zM7 11.7v2h2v-2z", "filled"),
        fill=Fill(f'{WHITE}<path d="M-2 2l4 -4M0 8l8 -8M6 10l4 -4" stroke="#000" stroke-width="3"/>'),
        tone=Tone.WARNING,
        needs=("reason", "recovery_step"),
    ),
    Row(
        value=NOT_REPORTED,
        word="Not yet reported",
        meaning="No owner has said anything yet, so nothing is known and nothing is assumed.",
        shape=Shape(CIRCLE, "broken"),
        fill=Fill(f'{WHITE}<circle cx="4" cy="4" r="1" fill="#000"/>'),
        tone=Tone.UNKNOWN,
        set_by=SetBy.NOBODY,
    ),
    Row(
        value="not_started",
        word="Not started",
        meaning="The owner accepts the action. The work has not begun.",
        shape=Shape(CIRCLE, "line"),
        fill=Fill(WHITE),
        tone=Tone.QUIET,
    ),
    Row(
        value="on_track",
        word="On track",
        meaning="The owner expects to do what was agreed by the date agreed.",
        shape=Shape("M.5 5.5H8v-4L15.5 8 8 14.5v-4H.5z", "filled"),
        fill=Fill(f'{WHITE}<path d="M-2 6l4 4M0 0l8 8M6 -2l4 4" stroke="#000" stroke-width=".9"/>'),
        tone=Tone.GOOD,
        is_good=True,
    ),
    Row(
        value="done",
        word="Done, evidence awaited",
        meaning="The owner says it is finished. No evidence is accepted yet. It can be overdue.",
        shape=Shape(f"{DISC}M8 2.5v11a5.5 5.5 0 0 0 0-11z", "filled"),
        fill=Fill(f'{WHITE}<path d="M0 2h8M0 6h8" stroke="#000" stroke-width="1.2"/>'),
        tone=Tone.GOOD,
        is_good=True,
    ),
    Row(
        value="complete",
        word="Complete, evidenced",
        meaning="The Chair or Secretariat accepted evidence, and set a day to check that it has held.",
        shape=Shape(f"{CIRCLE}M4.6 8.2l2.4 2.4 4.4-4.9", "line"),
        fill=Fill('<path d="M0 0h8v8H0z" fill="#bbb"/>'),
        tone=Tone.FINISHED,
        set_by=SetBy.ACCEPTED,
        is_open=False,
        is_good=True,
        needs=("evidence", "recheck_on"),
    ),
    Row(
        value="embedded",
        word="Embedded",
        meaning="Checked again on or after that day, at least three months on, and it has held.",
        shape=Shape(f"{DISC}M3.6 8.4L7 11.8l5.6-6.1L11.2 4.4 6.9 9 5 7z", "filled"),
        fill=Fill(
            '<path d="M0 0h8v8H0z" fill="#777"/><path d="M0 0l8 8M8 0l-8 8" stroke="#fff" stroke-width="1"/>'
        ),
        tone=Tone.FINISHED,
        set_by=SetBy.ACCEPTED,
        is_open=False,
        is_good=True,
    ),
    Row(
        value="closed",
        word="Closed, not done",
        meaning="Stopped without being done, for a reason that the Chair or Secretariat accepted.",
        shape=Shape(f"{CIRCLE}M4.5 8h7", "line"),
        fill=Fill(f'{WHITE}<path d="M2 0v8M6 0v8" stroke="#000" stroke-width="1.2"/>'),
        tone=Tone.OVER,
        set_by=SetBy.ACCEPTED,
        is_open=False,
        needs=("reason",),
    ),
)
ROWS = {row.value: row for row in TABLE}
RANK = {row.value: place for place, row in enumerate(TABLE)}
# What may be said of an action: all but that nothing has been said.
Status = models.TextChoices(
    "Status", [(row.name, (row.value, row.word)) for row in TABLE if row.set_by is not SetBy.NOBODY]
)
Status.__module__ = __name__

WORST_FIRST = tuple(row.value for row in TABLE)
STATUS_WORDS = {row.value: row.word for row in TABLE}
OPEN = tuple(row.value for row in TABLE if row.is_open)
ACCEPTED = tuple(row.value for row in TABLE if row.is_accepted)
GOOD = tuple(row.value for row in TABLE if row.is_good)
# What owners report, in the order in which work goes.
REPORTABLE = (Status.NOT_STARTED, Status.ON_TRACK, Status.AT_RISK, Status.OFF_TRACK, Status.DONE)


def is_acceptance():
    """The condition that a row has one of ACCEPTED.

    It is written out and not given beside the SQL, or SQLite would not see which index holds such rows only.
    """
    words = ", ".join(f"'{value}'" for value in ACCEPTED)
    return models.Func(
        models.F("status"), template=f"%(expressions)s IN ({words})", output_field=models.BooleanField()
    )


@dataclass(frozen=True)
class Flag:
    """What is worked out and stands beside a status. Nobody chooses a flag."""

    word: str
    meaning: str
    shape: Shape

    def means(self, *, update_every_days):
        """What it means where an action is to be reported on so often."""
        return self.meaning.format(update_every_days=update_every_days)


OVERDUE = Flag(
    word="Overdue",
    meaning="Reported, and still open after the last day that its date may mean: November 2022 is overdue "
    "from 1 December 2022. A date that is approximate or missing is never overdue.",
    shape=Shape(f"{DISC}M7 3.2v5.2l3.2 3.2 1.4-1.4L9 7.6V3.2z", "filled"),
)
SILENT = Flag(
    word="Date passed, nothing reported",
    meaning="The last day that its date may mean has passed, and nobody has ever reported on it. Whether the "
    "date was met cannot be told, so it is counted as neither overdue nor missed.",
    shape=Shape("M4 1h8v2c0 2-1.5 3.5-3 5 1.5 1.5 3 3 3 5v2H4v-2c0-2 1.5-3.5 3-5-1.5-1.5-3-3-3-5z", "line"),
)
STALE = Flag(
    word="No update since",
    meaning="Open, and last reported on more than {update_every_days} days ago.",
    shape=Shape("M1.5 2.5h13v8.5H8L4.5 14.5V11h-3z", "line"),
)
RECHECK = Flag(
    word="Re-check due",
    meaning="Complete, and the day set for checking that it has held has come.",
    shape=Shape("M13.4 8.6a5.5 5.5 0 1 1-1.6-4.5M12.4.8v3.8H8.6", "line"),
)
FLAGS = {"overdue": OVERDUE, "silent": SILENT, "recheck": RECHECK, "stale": STALE}


def needing(column):
    """The statuses that need ``column`` of an update."""
    return tuple(row.value for row in TABLE if column in row.needs)
