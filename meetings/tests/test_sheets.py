"""A paper is laid out on sheets by rules of its own: nothing is cut, lost or left standing alone."""

import re

import pytest

from meetings.sheets import HEIGHT, Reader, height_of, height_together, pieces_of, sheets_of

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


@pytest.mark.parametrize("before", range(40, 70))
def test_no_heading_is_the_last_of_a_sheet_and_no_sheet_is_too_full(before):
    html = "<p>One line of words.</p>" * before + "<h2>Next</h2><h3>And this</h3><ul><li>First</li></ul>"
    sheets = sheets_of([html])
    assert not any(re.search(r"</h[1-4]>$", sheet) for sheet in sheets)
    assert all(height_together(pieces_of(sheet)) <= HEIGHT for sheet in sheets)
    assert "".join(sheets) == html


def test_each_part_begins_a_sheet_and_one_without_anything_has_none():
    assert sheets_of(["<p>First</p>", " \n", "<p>Annex</p>"]) == ["<p>First</p>", "<p>Annex</p>"]


def test_rows_of_one_group_stay_together_even_where_there_is_one_group_alone():
    group = "<tbody><tr><td rowspan=2>1</td><td>What</td></tr><tr><td>Why</td></tr></tbody>"
    table = TABLE.replace("<table>", '<table class="grouped">').replace("<tbody>{rows}</tbody>", group)
    (piece,) = pieces_of(table)
    assert piece.html == group


def test_what_takes_more_than_a_sheet_has_one_of_its_own():
    long = f"<p>{'many words ' * 3000}</p>"
    assert sheets_of([f"<p>Before</p>{long}<p>After</p>"]) == ["<p>Before</p>", long, "<p>After</p>"]


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
    (element,) = Reader(html).root.children
    assert round(height_of(element, 190) / (9 * 1.17 * 25.4 / 72), 1) == lines
