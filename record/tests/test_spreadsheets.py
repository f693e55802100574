"""Spreadsheets as people have them: rows of text from whatever they save, and a plain answer to the rest."""

import datetime
import io
import time
import zipfile

import pytest
from openpyxl import Workbook

from record.files import csv_lines
from record.spreadsheets import MOST_BYTES, Unreadable, read_table

pytestmark = pytest.mark.once

COLUMNS = ("ref", "title", "due")


def read(content):
    return read_table(content, columns=COLUMNS, key="ref")


def rows_of(content):
    return [(row.number, row.cells) for row in read(content).rows]


def saved(book):
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def workbook(*rows, title="Sheet"):
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    return book


def packed(replaced):
    """A workbook of one row, with other text in some of its parts."""
    file = io.BytesIO(saved(workbook(["ref"], ["A01"])))
    with zipfile.ZipFile(file) as old:
        parts = {part: old.read(part) for part in old.namelist()} | replaced
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for part, content in parts.items():
            new.writestr(part, content)
    return file.getvalue()


def why_not(content):
    with pytest.raises(Unreadable) as refusal:
        read(content)
    return str(refusal.value)


@pytest.mark.parametrize(
    "content",
    [
        "ref,title,due\nA01,Réfer – each child,\n".encode(),
        "\ufeffref,title,due\r\nA01,Réfer – each child,\r\n".encode(),
        "ref;title;due\r\nA01;Réfer – each child;\r\n".encode("cp1252"),
        "sep=;\r\nref;title;due\r\nA01;Réfer – each child;\r\n".encode("cp1252"),
        "ref\ttitle\tdue\r\nA01\tRéfer – each child\t\r\n".encode("utf-16"),
        'Ref ,"Title", DUE\n A01 ,"  Réfer – each child ",\n'.encode(),
        saved(workbook(["ref", "title", "due"], ["A01", "Réfer – each child", None])),
    ],
    ids=["utf-8", "with a mark", "windows-1252 with semicolons", "sep", "utf-16 with tabs", "spaces", "xlsx"],
)
def test_one_table_is_read_alike_however_it_was_saved(content):
    assert rows_of(content) == [(2, {"ref": "A01", "title": "Réfer – each child", "due": ""})]


def test_what_is_above_the_headings_is_passed_over_and_rows_keep_the_numbers_that_people_see():
    book = workbook(
        ["Improvement plan"], [], ["ref", "Title", "RAG", "Due"], ["A01", "One", "Red", None], [], ["A02"]
    )
    book.active.merge_cells("A1:D1")
    book.create_sheet("Notes")

    table = read(saved(book))

    assert [(row.number, row["ref"]) for row in table.rows] == [(4, "A01"), (6, "A02")]
    assert (table.heading, table.ignored, table.sheet, table.sheets) == (3, ("rag",), "Sheet", ("Notes",))


def test_a_text_of_several_lines_is_one_row():
    assert rows_of(b'ref,title\n"A01","One\r\ntwo"\nA02,Three\n') == [
        (2, {"ref": "A01", "title": "One\ntwo"}),
        (3, {"ref": "A02", "title": "Three"}),
    ]


def test_the_days_and_numbers_of_a_workbook_are_read_as_people_type_them():
    days = [datetime.datetime(2023, 3, 31), datetime.date(2023, 3, 31), datetime.datetime(2023, 3, 31, 9, 30)]
    book = workbook(["ref", "due"], *([6.0, day] for day in [*days, 45016, True, 1.5]))

    assert [row["due"] for row in read(saved(book)).rows] == [
        "31/03/2023",
        "31/03/2023",
        "31/03/2023 09:30",
        "45016",
        "Yes",
        "1.5",
    ]
    assert {row["ref"] for row in read(saved(book)).rows} == {"6"}


def test_a_formula_counts_by_what_it_came_to_and_is_a_fault_where_nobody_worked_it_out():
    formula = {"ref": "=…", "title": ""}
    content = saved(workbook(["ref", "title"], ["=1+1", ""]))
    (row,) = read(content).rows
    assert (row.cells, [*row.faults]) == (formula, ["ref"])

    sheet = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = archive.read(sheet)
    assert b"<v></v>" in xml or b"<v />" in xml or b"<v/>" in xml
    for empty in (b"<v></v>", b"<v />", b"<v/>"):
        xml = xml.replace(empty, b"<v>2</v>")
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w") as new:
        for part in old.namelist():
            new.writestr(part, xml if part == sheet else old.read(part))
    assert rows_of(file.getvalue()) == [(2, {"ref": "2", "title": ""})]

    (row,) = read(b"ref,title\n=A7,x\n").rows
    assert [*row.faults] == ["ref"]


def test_the_quote_before_what_would_be_a_formula_in_our_own_exports_is_taken_off():
    (row,) = read(b"ref,title,due\nA01,'=HYPERLINK(1),'twas\n").rows

    assert (row.cells, row.faults) == ({"ref": "A01", "title": "=HYPERLINK(1)", "due": "'twas"}, {})


def test_errors_and_control_characters_are_faults_of_their_cells():
    (row,) = read(saved(workbook(["ref", "title"], ["#REF!", "One"]))).rows
    assert [*row.faults] == ["ref"]
    (row,) = read(b"ref,title\nA01,bell\x07\n").rows
    assert "bell (U+0007)" in row.faults["title"]


SHEET = b"""<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData>
</worksheet>"""
ENTITIES = (
    b'<!DOCTYPE x [<!ENTITY a "ref">]>' + SHEET % b'<row><c t="inlineStr"><is><t>&a;</t></is></c></row>'
)
FAR = SHEET % b'<row r="99999999999"><c r="A99999999999" t="inlineStr"><is><t>ref</t></is></c></row>'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "The file is empty."),
        (b" \n", "The file is empty."),
        (b"a" * (MOST_BYTES + 1), "larger than 1 MB"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", "an old Excel file, or one with a password"),
        (b"%PDF-1.7", "This is a PDF"),
        (b"PK\x03\x04 cut off", "damaged, or not one of Excel"),
        (packed({"xl/workbook.xml": b"<broken"}), "damaged, or not one of Excel"),
        (packed({"xl/worksheets/sheet1.xml": b"<broken"}), "damaged, or not one of Excel"),
        (packed({"xl/worksheets/sheet1.xml": ENTITIES}), "damaged, or not one of Excel"),
        (packed({"xl/media/x": b"0" * 50_000_000}), "holds more than 8 MB"),
        (packed({"xl/worksheets/sheet1.xml": FAR}), "No row of headings"),
        (saved(workbook(["number", "title"], ["A01", "One"])), "must have a column headed “ref”"),
        (b"number,title\nA01,One\n", "must have a column headed “ref”"),
        (b"ref,title,Title\nA01,One,Two\n", "Two columns are headed “title”"),
        (b"ref\n" + b"A01\n" * 501, "more than 500 rows"),
        (b'ref,title\nA01,"' + b"x" * 200_000, "a quotation mark may be missing"),
        (b"\0\1\2\3", "no spreadsheet that can be read"),
        (b"ref\n\x81\x8d", "no spreadsheet that can be read"),
    ],
)
def test_what_is_no_such_table_is_refused_in_words_and_soon(content, why):
    began = time.monotonic()

    assert why in why_not(content)

    assert time.monotonic() - began < 3


def test_another_kind_of_office_file_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("content.xml", "<office/>")

    assert why_not(file.getvalue()).startswith("This is no Excel workbook.")


def test_a_sheet_that_goes_on_for_ever_is_refused_and_not_read():
    book = workbook(["ref"], ["A01"])
    book.active["A900000"] = "A02"

    assert "goes below row 5,000" in why_not(saved(book))


@pytest.mark.parametrize("text", ["=1+1", "-", "@all", "＝1", "＠home", "'quoted'", "plain"])
def test_what_our_own_csv_guards_is_read_back_as_it_was(text):
    ours = "".join(csv_lines(["ref", "title"], [["A01", text]])).encode()
    (row,) = read_table(ours, columns=("ref", "title"), key="ref").rows
    assert row["title"] == text
