"""Lays a paper out on sheets of A4 by itself, because browsers do not agree on how to.

Only one engine prints words at the head of every sheet, another cuts rows of a table in two and repeats no
heading. So a paper is cut into pieces here: a row, a paragraph, a heading with what follows it. As many go on
a sheet as fit, by the widths of Arial's letters, and each sheet says what it is in words of its own. A long
text goes on overleaf after the end of a sentence.
"""

import re
from bisect import bisect
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from html import unescape
from itertools import groupby, takewhile

# What a sheet holds, in millimetres, and the type that styles/_paper.scss sets; a test holds them together.
WIDTH, HEIGHT = 190.0, 260.0
POINT, PIXEL = 25.4 / 72, 25.4 / 96
SIZES = {"h1": 17, "h2": 12, "h3": 9.5, "small": 8}
SIZE, LINE = 9.0, 1.14
ABOVE = dict.fromkeys(("h4", "p", "ul", "ol", "table", "dl", "div"), 1.2) | {"h1": 1, "h2": 2.4, "h3": 1.6}
INDENT = 4.5
# A paragraph higher than this is cut to fill a sheet, if so much of it fits; a row only where it must be.
LONG, ENOUGH = 26.0, 13.0
CELL_GAP, ROW_PADDING, FRAME = 2.2, 1.0, 3.5

VOID = ("br", "col", "path", "circle", "line", "input")
INLINE = ("strong", "span", "bdi", "s", "a")
BOLD = ("strong", "th", "h1", "h2", "h3", "dt")
HEADINGS = ("h1", "h2", "h3")

# Thousandths of the size of the type that each letter of Arial takes.
WIDTHS = {
    letter: width
    for width, letters in {
        222: "ijl’‘",
        278: " !,./:;I[]tf\xa0",
        333: "()-r“”",
        500: "ckvxyzsJ",
        556: "abdeghnopquL0123456789$#?_–£",
        584: "+<=>~",
        611: "FTZ",
        667: "ABEKPSVXY&",
        722: "CDHNRUw",
        778: "GOQ",
        833: "mM",
        889: "%",
        944: "W",
    }.items()
    for letter in letters
}
OTHER = 1200
# Bold letters, and those of an engine that rounds their widths to its screen's.
HEAVIER, WIDER = 1.06, 1.025


@dataclass(eq=False)
class Element:
    """An element of a paper's HTML, with where it starts and ends in it, and what its start tag says."""

    tag: str
    said: str
    start: int
    inside: int = 0
    ends_inside: int = 0
    end: int = 0
    children: list = field(default_factory=list)

    @cached_property
    def attributes(self):
        return {name: unescape(one or other) for name, one, other in ATTRIBUTE.findall(self.said)}

    @cached_property
    def classes(self):
        return self.attributes.get("class", "").split()

    @property
    def elements(self):
        """The elements that stand in it directly."""
        return [child for child in self.children if isinstance(child, Element)]

    def own(self, tag):
        """Those of them of that ``tag``."""
        return [child for child in self.elements if child.tag == tag]

    def all(self, tag):
        """The elements of that ``tag`` in it, in order."""
        return [each for child in self.elements for each in ([child] if child.tag == tag else child.all(tag))]


# As our own templates write them. What anybody typed is escaped in there, so it can hold no tag.
_A_TAG = r"""<!--.*?-->|<(/?)(%s)((?:[^>"']|"[^"]*"|'[^']*')*?)(/?)>"""
TAG = re.compile(_A_TAG % r"\w+", re.DOTALL)
# But those that stand only in a row or a line, which most do: a paper is cut into pieces by the others.
OF_PIECES = re.compile(_A_TAG % r"(?!(?:td|th|bdi|strong|span|s|br|path)\b)\w+", re.DOTALL)
ATTRIBUTE = re.compile(r"""([\w-]+)=(?:"([^"]*)"|'([^']*)')""")


def read(html, tags=TAG):
    """HTML of our own templates, every element of which is closed, as the Element that it all stands in.

    Only what ``tags`` finds is taken for the tag of an element. A library's reader of any HTML took half the
    time of a whole paper.
    """
    root = Element("root", "", 0)
    open_elements, place = [root], 0
    for found in tags.finditer(html):
        start, end = found.span()
        if start > place:
            open_elements[-1].children.append(unescape(html[place:start]))
        place = end
        is_end, tag, said, is_whole = found.groups()
        if not tag or is_end and tag in VOID:  # a comment, or what is empty
            continue
        if is_end:
            element = open_elements.pop()
            element.ends_inside, element.end = start, end
            continue
        element = Element(tag, said, start, inside=end, ends_inside=end, end=end)
        open_elements[-1].children.append(element)
        if not is_whole and tag not in VOID:
            open_elements.append(element)
    if place < len(html):
        root.children.append(unescape(html[place:]))
    return root


@dataclass(frozen=True)
class Piece:
    """What stays together on a sheet if it can: its HTML, and what it stands in, as a row stands in a table.

    ``measure`` says how high HTML like its own is; ``columns``, of a row, how many it has.
    """

    html: str
    measure: Callable[[str], float]
    opens: str = ""
    closes: str = ""
    opens_height: float = 0
    is_heading: bool = False
    columns: int = 0

    @cached_property
    def height(self):
        return self.measure(self.html)

    @property
    def may_be_cut(self):
        return not self.is_heading and not self.columns and self.height > LONG

    def cut(self, room):
        """It as two Pieces, the first as much of it as ``room`` holds, or None if it holds nothing of it.

        Of a row, the rest of its longest cell goes on as a row of its own, across the table.
        """
        (whole,) = read(self.html).children
        longest = max(
            (cell for tag in ("td", "th") for cell in whole.all(tag)) if self.columns else [whole],
            key=lambda element: element.ends_inside - element.inside,
        )
        best = None
        for places in places_to_cut(self.html, longest):
            fit = bisect(places, room, key=lambda at: self.measure(parted(self.html, longest, at)[0]))
            if fit:
                best = parted(self.html, longest, places[fit - 1])
            # One short sentence would leave the sheet as good as blank.
            if best and self.measure(best[0]) > room / 2:
                break
        if not best:
            return None
        first, rest = best
        if not self.columns:
            rest = f"{self.html[: longest.inside]}{rest}{self.html[longest.ends_inside :]}"
        elif whole.tag == "tbody":
            rest = f'<tbody><tr><td colspan="{self.columns}">{rest}</td></tr></tbody>'
        else:
            rest = f'<tr><td colspan="{self.columns}">{rest}</td></tr>'
        return replace(self, html=first), replace(self, html=rest)


ENDS = (re.compile(r"(?<=[.!?;])\s+"), re.compile(r"\s+"), re.compile("(?=.)"))
MARKUP = re.compile(r"<svg.*?</svg>|<[^>]*>|&[^;\s]*;", re.DOTALL)


def places_to_cut(html, element):
    """Where the text in ``element`` may be cut: after its sentences, between its words, within them."""
    start, end = element.inside, element.ends_inside
    # A letter written in several may be cut before, a tag nowhere.
    text = MARKUP.sub(
        lambda found: ("\x03" if found[0][0] == "&" else "\x02").ljust(len(found[0]), "\x02"), html[:end]
    )
    first = re.compile(r"[\s\x02]*").match(text, start).end()
    for ends in ENDS:
        found = [each.end() for each in ends.finditer(text, first + 1)]
        yield [at for at in found if at < end and (text[at] != "\x02" or text[at - 1].isspace())]


def parted(html, element, place):
    """``html`` as far as ``place`` in ``element``, with what follows the element, and what else was in it."""
    opened, within = [], element
    while within := next(
        (e for e in within.children if isinstance(e, Element) and e.inside <= place <= e.ends_inside), None
    ):
        opened.append(within)
    closing = "".join(f"</{each.tag}>" for each in reversed(opened))
    opening = "".join(html[each.start : each.inside] for each in opened)
    return (
        f"{html[:place].rstrip()}{closing}{html[element.ends_inside :]}",
        f"{opening}{html[place : element.ends_inside]}",
    )


def sheets_of(parts):
    """The HTML of each sheet of a paper; each of ``parts``, HTML, begins a sheet."""
    return [sheet for html in parts if html.strip() for sheet in packed(pieces_of(html))]


def packed(pieces):
    """The HTML of as few sheets as hold ``pieces`` in their order; a heading ends none of them."""
    sheets, used = [[]], 0
    waiting = deque(with_headings(pieces))
    while waiting:
        *headings, last = together = waiting.popleft()
        height = height_together(together, after=sheets[-1][-1] if sheets[-1] else None)
        room = HEIGHT - used - height + last.height
        if used + height > HEIGHT:
            if sheets[-1] and not (last.may_be_cut and room > ENOUGH):
                sheets.append([])
                used = 0
                waiting.appendleft(together)
                continue
            if parts := last.cut(room):
                together = [*headings, parts[0]]
                waiting.appendleft([parts[1]])
                height += parts[0].height - last.height
        sheets[-1] += together
        used += height
    return ["".join(_joined(sheet)) for sheet in sheets]


def with_headings(pieces):
    """``pieces`` in lists of what stays together.

    A heading with what follows it and, where that introduces a table or a list, with the first of its rows;
    the first row of a table with its second, unless its rows stand in groups.
    """
    waiting, within = [], ""
    pieces = [*pieces, None]
    for place, piece in enumerate(pieces[:-1]):
        waiting.append(piece)
        following = pieces[place + 1]
        begins = piece.html.startswith("<tr") and piece.opens != within and piece.height < LONG
        within = piece.opens
        is_kept = (
            piece.is_heading
            or (begins and following and following.opens == piece.opens)
            or (waiting[0].is_heading and _introduce(pieces[place:]))
        )
        if not is_kept:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _introduce(pieces):
    """Whether the first of ``pieces`` lead up to a table or a list, and are short enough to stay with it."""
    leading = list(takewhile(lambda piece: piece and not (piece.opens or piece.is_heading), pieces))
    after = pieces[len(leading)]
    return bool(leading and after and after.opens) and sum(piece.height for piece in leading) <= LONG


def height_together(pieces, *, after=None):
    """How high ``pieces`` are below the Piece ``after``, or at the head of a sheet."""
    height, opens = 0, after.opens if after else ""
    for piece in pieces:
        height += piece.height + (piece.opens_height if piece.opens != opens else 0)
        opens = piece.opens
    return height


def _joined(pieces):
    for (opens, closes), rows in groupby(pieces, key=lambda piece: (piece.opens, piece.closes)):
        yield f"{opens}{''.join(row.html for row in rows)}{closes}"


def pieces_of(html):
    """The Pieces of ``html`` in order: rows of tables, items of lists, and whatever else stands by itself."""
    return tuple(piece for section in SECTION.split(html) for piece in _pieces_of_section(section))


# A section begins with its heading, which stands in nothing else.
SECTION = re.compile("(?=<h2[ >])")


# Most sections of a paper are as they were on the one before.
@lru_cache(maxsize=64)
def _pieces_of_section(html):
    return tuple(piece for element in read(html, OF_PIECES).elements for piece in _pieces(element, html))


def _pieces(element, html):
    whole = html[element.start : element.end]
    if element.tag == "table":
        bodies = element.own("tbody")
        rows = bodies if "grouped" in element.classes else bodies[0].own("tr")
        if not rows:
            return
        opens, closes = html[element.start : rows[0].start], html[rows[-1].end : element.end]
        (above_rows,) = read(opens).elements
        widths = columns_of(above_rows)
        head = ABOVE["table"] + sum(height_of(each, WIDTH) for each in above_rows.own("caption"))
        head += sum(group_height(each, widths) for each in above_rows.own("thead"))
        measure, widths = group_height if rows[0].tag == "tbody" else row_height, tuple(widths)
        for row in rows:
            yield Piece(
                html[row.start : row.end],
                lambda html: height_alone(measure, html, widths),
                opens,
                closes,
                head,
                columns=len(widths),
            )
    elif element.tag in ("ul", "ol"):
        opens, closes = html[element.start : element.inside], html[element.ends_inside : element.end]
        for item in element.own("li"):
            yield Piece(
                html[item.start : item.end],
                lambda html: height_alone(height_of, html, WIDTH - INDENT),
                opens,
                closes,
                ABOVE[element.tag],
            )
    else:
        above = ABOVE.get(element.tag, 0)
        yield Piece(
            whole,
            lambda html: height_alone(height_of, html, WIDTH) + above,
            is_heading=element.tag in HEADINGS,
        )


# Most of what is on a paper was on the one before, and on the page of the day before.
@lru_cache(maxsize=2048)
def height_alone(measure, html, width):
    """How high the one element of ``html`` is in that ``width``, or those widths, as ``measure`` says."""
    return measure(read(html).children[0], width)


def columns_of(table):
    """The widths of a table's columns in millimetres: "w30" is 30, and one without a class has the rest."""
    columns = [column for group in table.own("colgroup") for column in group.own("col")]
    heads = columns or table.own("thead")[0].all("th")
    widths = [next((float(c[1:]) for c in head.classes if re.fullmatch(r"w\d+", c)), None) for head in heads]
    rest = (WIDTH - sum(width or 0 for width in widths)) / max(1, widths.count(None))
    return [rest if width is None else width for width in widths]


def group_height(group, widths):
    """How high the rows of one ``tbody`` are, of which the second stands close below the first."""
    rows = group.own("tr")
    high = sum(row_height(row, widths) for row in rows) - ROW_PADDING / 2 * (len(rows) - 1)
    return max(high, *(row_height(row, widths, spans=True) for row in rows))


def row_height(row, widths, *, spans=False):
    """How high a row of a table is, or what in it spans the rows of its group would have it be.

    It may begin after a cell of the row above that spans both.
    """
    cells = row.elements
    across = [int(cell.attributes.get("colspan", 1)) for cell in cells]
    # Where cells of the row above span this one too, the first of them is the first column.
    place, heights = int(sum(across) < len(widths)), [0]
    for cell, span in zip(cells, across, strict=True):
        width = sum(widths[place : place + span]) - CELL_GAP
        if ("rowspan" in cell.attributes) == spans:
            heights.append(height_of(cell, width))
        place += span
    return max(heights) + ROW_PADDING


def height_of(element, width, *, size=None):
    """How high ``element`` is in a column of that ``width``, without what is left free above it."""
    if element.tag == "svg":
        return float(element.attributes["height"]) * PIXEL
    size = SIZES.get(element.tag, size or SIZE)
    if "small" in element.classes:
        size = SIZES["small"]
    if "framed" in element.classes:
        width -= 2 * FRAME
    if "four" in element.classes:
        cells = element.elements
        return max(height_of(cell, width / len(cells) - 2 * FRAME, size=size) for cell in cells) + FRAME
    if "pairs" in element.classes:
        values = element.elements[1::2]
        return sum(max(height_of(value, width - 42, size=size), size * LINE * POINT) for value in values)
    height, line = 0.0, Line(width, size)
    for child in runs(element, is_bold=element.tag in BOLD):
        if isinstance(child, Element):
            height += line.height + ABOVE.get(child.tag, 0)
            inner = width - INDENT if child.tag in ("ul", "ol") else width
            height += height_of(child, inner, size=size)
            line = Line(width, size)
        else:
            line.add(*child)
    extra = {"framed": FRAME, "h2": 0.8}
    return height + line.height + sum(extra.get(name, 0) for name in (*element.classes, element.tag))


def runs(element, *, is_bold, keeps_lines=False):
    """The text in ``element`` as (words, whether bold), and the Elements in it that begin a line."""
    keeps_lines = keeps_lines or "said" in element.classes
    for child in element.children:
        if isinstance(child, str):
            text = child if keeps_lines else " ".join(child.split("\n"))
            yield from _lines(text, is_bold)
        elif child.tag == "br":
            yield "\n", is_bold
        elif child.tag == "svg":
            if "strip" in child.classes:
                yield child
            else:
                yield SHAPE, False
        elif "tick" in child.classes:
            yield SHAPE, False
        elif child.tag in INLINE and "row" not in child.classes:
            heavy = (is_bold or child.tag in BOLD) and "light" not in child.classes
            yield from runs(child, is_bold=heavy, keeps_lines=keeps_lines)
        else:
            yield child


# Stands for the shape of a status or a box to tick, and can be typed by nobody.
SHAPE = "\x01"


def _lines(text, is_bold):
    for number, words in enumerate(text.split("\n")):
        if number:
            yield "\n", is_bold
        yield words, is_bold


class Line:
    """Words set in lines of a ``width``; ``height`` is that of those begun so far."""

    def __init__(self, width, size):
        self.room = width / (size * POINT) * 1000
        self.step = size * LINE * POINT
        self.count, self.used, self.was_space = 0, 0.0, True

    def add(self, text, is_bold):
        """Set ``text``, which may be a line's end, after what is set."""
        if text == "\n":
            self.count, self.used = self.count + (self.used == 0), 0
            return
        for word in re.findall(r"[ \t]+|[^ \t]+", text):
            if word.isspace():
                self.used += WIDTHS[" "] if self.used and not self.was_space else 0
                self.was_space = True
                continue
            self.was_space = False
            width = sum(WIDTHS.get(letter, OTHER) for letter in word) * WIDER * (HEAVIER if is_bold else 1)
            if self.used == 0:
                self.count += 1
            elif self.used + width > self.room:
                self.count, self.used = self.count + 1, 0
            self.used += width
            while self.used > self.room:
                self.count, self.used = self.count + 1, self.used - self.room

    @property
    def height(self):
        return self.count * self.step
