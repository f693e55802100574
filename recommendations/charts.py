"""The charts of actions: positions in numbers, worked out from the board's position; templates draw."""

import datetime
from collections import Counter
from dataclasses import dataclass, replace

from recommendations.action_position import ActionPosition
from recommendations.board import STATUS_WORDS
from recommendations.models import Action
from recommendations.status import RANK, ROWS, WORST_FIRST
from record.dates import MONTHS
from visits.timeline import (
    NARROW,
    WIDTH,
    Mark,
    Tick,
    axis_over,
    mark_of,
)

CELL, CELLS_IN_ROW, CELL_ROW = 16, 8, 19
KEY_LINE = 16
MONTHS_SHOWN = 12
PLOT_HEIGHT, PLOT_LEFT, PLOT_RIGHT, PLOT_TOP, KEY_LEFT = 150, 28, 530, 8, 546
# So that few actions among many are tall enough for their number, where a page has room.
TALL = 260
LABEL_HEIGHT = 12
# From the foot of the columns to a key below them, past the names of the months.
BELOW = 42


@dataclass(frozen=True)
class Cell:
    """One action in a strip: the shape of its status, and the line under it if its date has passed.

    The line is whole where it is overdue and broken where nothing has been reported.
    """

    ref: str
    status: str
    path: str
    drawn: str
    is_overdue: bool
    is_silent: bool
    x: int
    y: int


@dataclass(frozen=True)
class Strip:
    """The actions of one recommendation, a cell each, worst first."""

    cells: tuple[Cell, ...]
    width: int
    height: int

    @property
    def words(self):
        """The whole strip in words: "A01 Off track, overdue; A05 On track"."""
        return "; ".join(
            f"{c.ref} {STATUS_WORDS[c.status]}"
            f"{', overdue' if c.is_overdue else ', date passed' if c.is_silent else ''}"
            for c in self.cells
        )


def strip(actions):
    """The Strip of ``actions``."""
    in_order = sorted(actions, key=lambda a: (RANK[a.status], not (a.is_overdue or a.is_silent), a.ref))
    cells = []
    for place, action in enumerate(in_order):
        row, column = divmod(place, CELLS_IN_ROW)
        drawn = ROWS[action.status].shape
        at = (CELL * column, CELL_ROW * row)
        passed = (action.is_overdue, action.is_silent)
        cells.append(Cell(action.ref, action.status, drawn.path, drawn.drawn, *passed, *at))
    rows = -(-len(cells) // CELLS_IN_ROW)
    return Strip(tuple(cells), CELL * min(len(cells), CELLS_IN_ROW), CELL_ROW * rows)


@dataclass(frozen=True)
class Segment:
    """The actions with one status at the end of one month."""

    status: str
    count: int
    y: float
    height: float

    @property
    def words(self):
        return STATUS_WORDS[self.status]

    @property
    def middle(self):
        return round(self.y + self.height / 2, 1)

    @property
    def is_labelled(self):
        """Whether there is room for the count inside it."""
        return self.height >= LABEL_HEIGHT


@dataclass(frozen=True)
class Month:
    """One column: every action on the board at the end of ``day``."""

    day: datetime.date
    counts: dict
    x: float
    width: float
    segments: tuple[Segment, ...]
    is_first: bool = False

    @property
    def name(self):
        return MONTHS[self.day.month - 1][:3]

    @property
    def year(self):
        """The year, where it begins or the chart does and there is room for it; else ""."""
        is_told = self.day.month == 1 or (self.is_first and self.day.month < 11)
        return str(self.day.year) if is_told else ""

    @property
    def middle(self):
        return round(self.x + self.width / 2, 1)

    @property
    def total(self):
        return sum(self.counts.values())


@dataclass(frozen=True)
class KeyLine:
    """A status in the key: its swatch, and its count at the end of each month for the table."""

    status: str
    counts: tuple[int, ...]
    y: float

    @property
    def words(self):
        return STATUS_WORDS[self.status]


@dataclass(frozen=True)
class MonthlyStatuses:
    """How many actions had each status at the end of each month, the last as at the day."""

    months: tuple[Month, ...]
    key: tuple[KeyLine, ...]
    scale: tuple[Tick, ...]
    left: float
    right: float
    base: float
    key_left: float
    width: float
    height: float

    @property
    def as_at(self):
        return self.months[-1].day

    @property
    def is_narrow(self):
        return self.width == NARROW

    @property
    def rows(self):
        """Each month with its (words, count) in the order of the key, for a table."""
        return tuple(
            (month, tuple((line.words, line.counts[place]) for line in self.key))
            for place, month in enumerate(self.months)
        )

    @property
    def lines(self):
        """Each status with its (month, count) pairs: ``rows`` turned, for the table of a sheet."""
        return tuple((line.words, tuple(zip(self.months, line.counts, strict=True))) for line in self.key)

    @property
    def flat_words(self):
        """The counts of the first month as they read inside a sentence; "" if there are no actions."""
        return "; ".join(f"{line.counts[0]} {line.words[0].lower()}{line.words[1:]}" for line in self.key)

    @property
    def is_flat(self):
        """Whether every month has the same counts, which a sentence says better than a chart."""
        return all(month.counts == self.months[0].counts for month in self.months)


def month_ends(day, count):
    """The last days of the ``count`` - 1 months before ``day``, then ``day`` itself."""
    days = [day]
    while len(days) < count:
        days.append(days[-1].replace(day=1) - datetime.timedelta(days=1))
    return tuple(reversed(days))


def monthly_statuses(at, *, months=MONTHS_SHOWN, is_narrow=False):
    """The MonthlyStatuses up to the day asked about, in one query."""
    days = month_ends(at.day, months)
    statuses = Action.objects.statuses_on(days, at)
    counts = [(day, Counter(those)) for day, those in zip(days, statuses, strict=True)]
    return draw_months(counts, is_narrow=is_narrow)


def draw_months(counts, *, is_narrow=False):
    """The MonthlyStatuses for (day, {status: count}) pairs, oldest first; the worst stands lowest.

    The key stands beside the columns or, where the drawing ``is_narrow``, below them.
    """
    most = max((sum(c.values()) for _, c in counts), default=0)
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, most or 1) if s * 4 >= most)
    top = max(step * -(-most // step), 1)
    plot_height = TALL if is_narrow else PLOT_HEIGHT
    base = PLOT_TOP + plot_height
    right = NARROW if is_narrow else PLOT_RIGHT
    pitch = (right - PLOT_LEFT) / len(counts)
    months = []
    for place, (day, count) in enumerate(counts):
        segments, y = [], base
        for status in WORST_FIRST:
            if count.get(status):
                height = round(plot_height * count[status] / top, 1)
                y = round(y - height, 1)
                segments.append(Segment(status, count[status], y, height))
        x = round(PLOT_LEFT + pitch * (place + 0.1), 1)
        months.append(Month(day, dict(count), x, round(pitch * 0.8, 1), tuple(segments), place == 0))
    shown = [s for s in WORST_FIRST if any(count.get(s) for _, count in counts)]
    key_left, key_top = (0, base + BELOW) if is_narrow else (KEY_LEFT, PLOT_TOP)
    key = tuple(
        KeyLine(status, tuple(count.get(status, 0) for _, count in counts), key_top + KEY_LINE * place)
        for place, status in enumerate(reversed(shown))
    )
    scale = tuple(
        Tick(round(base - plot_height * value / top, 1), str(value)) for value in range(0, top + 1, step)
    )
    width, height = (NARROW, key_top + KEY_LINE * len(key)) if is_narrow else (WIDTH, base + 34)
    return MonthlyStatuses(tuple(months), key, scale, PLOT_LEFT, right, base, key_left, width, height)


@dataclass(frozen=True)
class Slipped:
    """One action whose agreed date moved: the marks of its first date, of those between, of the present."""

    action: ActionPosition
    first: Mark
    between: tuple[Mark, ...]
    last: Mark

    @property
    def starts(self):
        """Where the line from the first date to the present one starts."""
        return self.first.end if self.last.x >= self.first.x else self.first.x

    @property
    def ends(self):
        return self.last.x if self.last.x >= self.first.x else self.last.end


@dataclass(frozen=True)
class Slippage:
    """Every action whose agreed date has moved, the one that moved most first."""

    rows: tuple[Slipped, ...]
    ticks: tuple[Tick, ...]
    as_at: datetime.date
    as_at_x: float
    width: float


def slippage(board, *, left=52, width=WIDTH):
    """The Slippage of ``board``, ``width`` wide; it has no rows where no date has moved."""
    moved = [a for a in board.actions if a.revisions]
    return draw_slippage(moved, as_at=board.at.day, left=left, width=width)


def draw_slippage(actions, *, as_at, left=52, width=WIDTH):
    """The Slippage of ``actions``, each of which has had two dates or more."""
    days = [
        d for a in actions for line in a.counted_since_first for d in (line.due.first, line.due.last) if d
    ]
    axis = axis_over(days, as_at=as_at)
    axis = replace(axis, left=left, right=width)

    def moved(action):
        first, last = (line.due.last or line.due.first for line in (action.baseline, action.due))
        return (last - first).days if first and last else 0

    rows = []
    for action in sorted(actions, key=lambda a: (-moved(a), a.ref)):
        marks = [mark_of(line.due, axis) for line in action.counted_since_first]
        rows.append(Slipped(action, marks[0], tuple(marks[1:-1]), marks[-1]))
    return Slippage(tuple(rows), axis.years, as_at, axis.at(as_at), width)
