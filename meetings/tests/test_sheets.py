"""A paper is laid out on sheets by rules of its own: nothing is cut, lost or left standing alone."""

import itertools
import re

import pytest

from meetings.sheets import HEIGHT, height_of, height_together, pieces_of, read, sheets_of

pytestmark = pytest.mark.once

TABLE = (
    '<table><caption>Every action</caption><thead><tr><th class="w30">No.</th><th>What</th></tr></thead>'
    "<tbody>{rows}</tbody></table>"
)


def rows(count):
    return "".join(f"<tr><td>{number}</td><td>Row {number} &amp; more</td></tr>" for number in range(count))


def test_a_table_goes_on_with_its_headings_on_the_next_sheet_and_loses_no_row():
    sheets = sheets_of([f"<h2>All</h2>{TABLE.format(rows=rows(200))}"])
    assert len(sheets) > 3
    assert [sheet.count("<caption>Every action</caption><thead>") for sheet in sheets] == [1] * len(sheets)
    assert [sheet.count("</tbody></table>") for sheet in sheets] == [1] * len(sheets)
    assert re.findall(r"Row (\d+) &amp; more</td>", "".join(sheets)) == [str(n) for n in range(200)]


def test_no_heading_is_the_last_of_a_sheet_and_no_sheet_is_too_full():
    for before in range(40, 70):
        html = "<p>One line of words.</p>" * before + "<h2>Next</h2><h3>And this</h3><ul><li>First</li></ul>"
        sheets = sheets_of([html])
        assert not any(re.search(r"</h[1-4]>$", sheet) for sheet in sheets)
        assert all(height_together(pieces_of(sheet)) <= HEIGHT for sheet in sheets)
        assert "".join(sheets) == html


def test_no_row_of_a_table_is_left_alone_with_its_headings_at_the_end_of_a_sheet():
    for before in range(40, 56):
        first, *_ = sheets_of(["<p>One line of words.</p>" * before + TABLE.format(rows=rows(30))])
        assert first.count("</td></tr>") != 1


LINE_OF_WORDS = "<p>One line of words.</p>"
INTRODUCTION = "<p>Every action that is overdue, off track or at risk.</p>"
GROUPS = TABLE.replace("<table>", '<table class="grouped">').replace(
    "<tbody>{rows}</tbody>",
    "".join(
        f"<tbody><tr><td rowspan=2>{n}</td><td>What</td></tr><tr><td>Why</td></tr></tbody>" for n in range(30)
    ),
)
HEADINGS = ["<h2>Look at these</h2>", "<h2>Look</h2><h3>At these</h3>"]
INTRODUCED_BY = ["", INTRODUCTION, INTRODUCTION * 3, "<div class='framed'><p>One</p></div>"]


@pytest.mark.parametrize(
    ("follows", "first_of_it"),
    [
        (TABLE.format(rows=rows(30)), "Row 1 "),
        (GROUPS, "Why"),
        (f"<ul>{'<li>Item</li>' * 30}</ul>", "Item"),
    ],
    ids=["rows", "groups", "items"],
)
def test_a_heading_and_what_introduces_a_table_stand_on_one_sheet_with_the_beginning_of_it(
    follows, first_of_it
):
    for before, headings, introduced_by in itertools.product(range(36, 56), HEADINGS, INTRODUCED_BY):
        sheets = sheets_of([LINE_OF_WORDS * before + headings + introduced_by + follows])
        (sheet,) = [sheet for sheet in sheets if "<h2>" in sheet]
        assert first_of_it in sheet[sheet.index("<h2>") :]
        assert headings + introduced_by in sheet
        assert all(height_together(pieces_of(sheet)) <= HEIGHT for sheet in sheets)
        # A blank is left only where so little would have gone into it.
        assert all(height_together(pieces_of(sheet)) > HEIGHT - 45 for sheet in sheets[:-1])


def test_what_stands_below_a_heading_and_is_long_is_not_kept_with_the_table_after_it():
    for before in range(40, 53):
        html = f"{LINE_OF_WORDS * before}<h2>Next</h2>{LINE_OF_WORDS * 8}{TABLE.format(rows=rows(30))}"
        first, *_ = sheets_of([html])
        assert height_together(pieces_of(first)) > HEIGHT - 18
        assert not first.endswith("</h2>")


def test_each_part_begins_a_sheet_and_one_without_anything_has_none():
    assert sheets_of(["<p>First</p>", " \n", "<p>Annex</p>"]) == ["<p>First</p>", "<p>Annex</p>"]


def test_rows_of_one_group_stay_together_even_where_there_is_one_group_alone():
    group = "<tbody><tr><td rowspan=2>1</td><td>What</td></tr><tr><td>Why</td></tr></tbody>"
    table = TABLE.replace("<table>", '<table class="grouped">').replace("<tbody>{rows}</tbody>", group)
    (piece,) = pieces_of(table)
    assert piece.html == group


def said(html):
    """The words in ``html`` without its spaces, which a line's end may take."""
    return re.sub(r"<[^>]*>|\s", "", html)


LONG_TEXTS = {
    "sentences": "A sentence of a few words. " * 600,
    "words": "many words " * 3000,
    "one word": "W" * 12000,
    "letters that are written in several": "&amp;&lt;" * 12000,
    "lines": "line\n" * 400,
    "a sentence and then one word": f"First. {'unbroken' * 3000}",
}


@pytest.mark.parametrize("text", LONG_TEXTS.values(), ids=LONG_TEXTS)
@pytest.mark.parametrize(
    "html",
    [
        "<p><strong>Note.</strong> <bdi class='said'>{text}</bdi> <span>[1]</span></p>",
        "<ul><li>One</li><li><bdi class='said'>{text}</bdi></li><li>Three</li></ul>",
        TABLE.format(rows="<tr><td>1</td><td><span class='said'>{text}</span></td></tr><tr><td>2</td></tr>"),
        TABLE.replace("<table>", '<table class="grouped">').replace(
            "<tbody>{rows}</tbody>",
            "<tbody><tr><td rowspan=2>1</td><td>What</td></tr><tr><td class='said'>{text}</td></tr></tbody>",
        ),
        "<div class='framed'><p>One</p><p class='said'>{text}</p></div>",
    ],
    ids=["paragraph", "item", "row", "group", "frame"],
)
def test_what_takes_more_than_a_sheet_goes_on_overleaf_and_loses_no_letter(html, text):
    whole = f"<h2>Before</h2>{html.replace('{text}', text)}<p>After</p>"
    sheets = sheets_of([whole])
    assert len(sheets) > 1
    assert all(height_together(pieces_of(sheet)) <= HEIGHT for sheet in sheets)
    # As full as they can be: a text that has begun is not left for a blank.
    assert all(height_together(pieces_of(sheet)) > HEIGHT / 2 for sheet in sheets[:-1])
    head = TABLE[: TABLE.index("<tbody>")] if "<table" in html else ""
    assert "".join(map(said, sheets)).replace(said(head), "") == said(whole).replace(said(head), "")


def test_a_long_paragraph_goes_on_overleaf_after_a_sentence_and_a_short_one_or_a_row_stays_whole():
    lines = "<p>One line of words.</p>" * 45
    sentences = f"<p>{'A sentence with a few words in it. ' * 60}</p>"
    first, second = sheets_of([lines + sentences])
    assert re.search(r"in it\.</p>$", first)
    assert second.startswith("<p>A sentence with")
    for short in ("<p>{}</p>".format("A sentence with a few words in it. " * 15), TABLE.format(rows=rows(1))):
        assert sheets_of(["<p>One line of words.</p>" * 53 + short])[1] == short


@pytest.mark.parametrize(
    ("html", "lines"),
    [
        ("<p>One</p>", 1),
        ("<p>One<br>two</p>", 2),
        ("<p><span class='said'>One\ntwo\n\nfour</span></p>", 4),
        (f"<p>{'unbroken' * 40}</p>", 3),
        (f"<p><strong>{'MMMM ' * 40}</strong></p>", 3),
        ("<p><!-- nothing --></p>", 0),
    ],
)
def test_lines_are_counted_as_they_are_set(html, lines):
    (element,) = read(html).children
    assert round(height_of(element, 190) / (9 * 1.14 * 25.4 / 72), 1) == lines
