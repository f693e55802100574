"""A timeline of dates as imprecise as they were said: positions in numbers, for a template to draw."""

import datetime
import textwrap
from dataclasses import dataclass, replace

from record.dates import PartialDate, read_edtf

# Units of the drawing, which is scaled to the page.
WIDTH = 720
# Of one that a phone shows as it is.
NARROW, NARROW_LETTERS = 340, 50
LABELS = 236
LABEL_LETTERS = 36
LETTER = 6.3
LINE = 15
PADDING = 3
BAR = 11
ARROW = 36
POINT = 9
LEAST = 4


@dataclass(frozen=True)
class Axis:
    """Days from the start of one year to the end of another, laid along the drawing."""

    start: datetime.date
    end: datetime.date
    left: float = LABELS
    right: float = WIDTH

    def at(self, day):
        """Where ``day`` begins, within the axis."""
        share = (day - self.start) / (self.end - self.start)
        return round(self.left + min(max(share, 0), 1) * (self.right - self.left), 1)

    @property
    def years(self):
        """A Tick at the start of each year."""
        first, last = self.start.year, self.end.year
        return tuple(Tick(self.at(datetime.date(y, 1, 1)), str(y)) for y in range(first, last))


@dataclass(frozen=True)
class Tick:
    x: float
    label: str


def axis_over(days, *, as_at):
    """The Axis of the whole years that hold all of ``days`` and ``as_at``."""
    years = [day.year for day in (*days, as_at)]
    return Axis(datetime.date(min(years), 1, 1), datetime.date(max(years) + 1, 1, 1))


@dataclass(frozen=True)
class Mark:
    """How one date is drawn.

    ``shape`` is "exact" (a day or some days), "within" (some day in a longer span), "about", "after" or
    "before" (open at one end), "gap" (some day along it, without a date), or "none" where nothing is known.
    """

    shape: str
    x: float
    width: float

    @property
    def end(self):
        return round(self.x + self.width, 1)

    @property
    def shoulders(self):
        """Where the pointed ends of an "about" mark reach its full height."""
        point = min(POINT, self.width / 2)
        return round(self.x + point, 1), round(self.end - point, 1)


def mark_of(date, axis):
    """The Mark of the PartialDate ``date`` on ``axis``; nothing that was not said is drawn."""
    after = datetime.timedelta(days=1)
    if date.first and date.last:
        shape = "exact" if date.precision == "day" else "within"
        left, right = axis.at(date.first), axis.at(date.last + after)
    elif date.text.endswith("~"):
        shape = "about"
        left, right = axis.at(date.first), axis.at(year_after(date.first))
    elif date.first:
        shape, left = "after", axis.at(date.first)
        right = min(left + ARROW, axis.right)
    elif date.last:
        shape, right = "before", axis.at(date.last + after)
        left = max(right - ARROW, axis.left)
    else:
        return Mark("none", 0, 0)
    width = round(max(right - left, LEAST), 1)
    return Mark(shape, min(left, axis.right - width), width)


def year_after(day):
    """The same day of the next year, or the day before where it has no 29 February."""
    is_leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year + 1, day=28 if is_leap_day else day.day)


def span(shape, within, axis):
    """The Mark of something without a date, which was ``within`` two days, either of them None if open."""
    first, last = within
    left = axis.at(first) if first else axis.left
    right = axis.at(last + datetime.timedelta(days=1)) if last else axis.right
    return Mark(shape, left, round(max(right - left, 0), 1))


@dataclass(frozen=True)
class TimelineItem:
    """Something to place on a timeline. A ``gap`` is known to have happened, and nothing more.

    ``within`` are the first and the last day between which one without a date was, None where that is open.
    ``reported`` is when a document told of it.
    """

    kind: str
    label: str
    date: PartialDate | None
    within: tuple[datetime.date | None, datetime.date | None] = (None, None)
    reported: PartialDate | None = None

    @property
    def words(self):
        if self.date is None:
            return "no information held"
        return f"{self.date}, reported {self.reported}" if self.reported and not self.date else str(self.date)


@dataclass(frozen=True)
class LabelLine:
    text: str
    y: float


@dataclass(frozen=True)
class Row:
    """A TimelineItem in its place; ``words_at`` and ``words_end`` say where the words of its date stand.

    ``y`` is where its mark begins, and ``lines`` what stands beside that or, on a phone, above it.
    """

    entry: TimelineItem
    lines: tuple[LabelLine, ...]
    y: float
    height: float
    mark: Mark
    words_at: float
    words_end: bool

    @property
    def top(self):
        return self.y + 2

    @property
    def middle(self):
        return self.top + BAR / 2

    @property
    def bottom(self):
        return self.top + BAR


@dataclass(frozen=True)
class Timeline:
    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    as_at: datetime.date
    as_at_x: float
    width: float
    height: float

    @property
    def is_narrow(self):
        return self.width == NARROW


def timeline(entries, *, as_at, is_narrow=False):
    """The Timeline of ``entries``, in the order given; for a phone its words stand above its marks."""
    dates = [e.date for e in entries if e.date]
    days = [day for date in dates for day in (date.first, date.last) if day]
    days += [day for e in entries if not e.date for day in e.within if day]
    axis = axis_over(days, as_at=as_at)
    if is_narrow:
        axis = replace(axis, left=0, right=NARROW)
    rows, y = [], LINE + PADDING
    for entry in entries:
        label = f"{entry.label}: {entry.words}" if is_narrow else entry.label
        texts = textwrap.wrap(label, NARROW_LETTERS if is_narrow else LABEL_LETTERS)
        above = LINE * len(texts) + 2 if is_narrow else 0
        height = above + BAR + 3 * PADDING if is_narrow else LINE * len(texts) + PADDING
        shape = "none" if entry.kind == "forecast" else "gap"
        mark = mark_of(entry.date, axis) if entry.date else span(shape, entry.within, axis)
        begin = mark.end if entry.date else mark.x
        is_late = axis.right - begin - 6 < LETTER * len(entry.words)
        words_at = (mark.x if entry.date else mark.end) - 6 if is_late else begin + 6
        rows.append(
            Row(
                entry,
                tuple(LabelLine(text, y + 12 + LINE * i) for i, text in enumerate(texts)),
                y + above,
                height,
                mark,
                round(words_at, 1),
                is_late,
            )
        )
        y += height
    return Timeline(tuple(rows), axis.years, as_at, axis.at(as_at), NARROW if is_narrow else WIDTH, y)


def entries_of(inspections):
    """(day, TimelineItem) for each of the council's visits, published results, diagnostics and forecasts.

    The day is for order only.
    """
    entries = [
        (v.dates.first, TimelineItem("visit", v.name, v.dates)) for v in inspections.diagnostics if v.dates
    ]
    for visit, gap in inspections.visits_and_gaps:
        if gap:
            within = (gap.after and not_before(gap.after), last_of(gap.before))
            entries.append((visit.place, TimelineItem("gap", gap.words, None, within)))
        lower, higher = inspections.neighbours(visit)
        ends = [day for day in (last_of(visit), higher and last_of(higher)) if day]
        entries.append(
            (
                visit.place,
                TimelineItem(
                    "visit",
                    visit.name,
                    visit.dates,
                    within=(lower and not_before(lower), min(ends, default=None)),
                    reported=read_edtf(visit.document.published),
                ),
            )
        )
        if visit.published:
            label = f"{visit.name}: published"
            day = max(visit.place, visit.published.first or visit.place)
            entries.append((day, TimelineItem("published", label, visit.published)))
    for event in inspections.forecasts:
        day = event.date.first or datetime.date.max
        within = (event.document.published_first, None)
        entries.append((day, TimelineItem("forecast", "Next inspection, forecast", event.date, within)))
    return entries


def not_before(visit):
    """The first day after which the next visit of its kind was, as far as is known."""
    return visit.dates.last or visit.place


def last_of(visit):
    """The last day by which a visit was over: its own or, without a date, that of the document about it."""
    date = visit.dates or read_edtf(visit.document.published)
    if date.last or not date.first:
        return date.last
    return year_after(date.first) if date.text.endswith("~") else None


def inspection_timeline(inspections, *, as_at, is_narrow=False):
    """The Timeline of ``inspections``."""
    pairs = sorted(entries_of(inspections), key=lambda pair: pair[0])
    return timeline([entry for _, entry in pairs], as_at=as_at, is_narrow=is_narrow)
