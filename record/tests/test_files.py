"""Files to take away: no text becomes a formula, no month a day, and what was written comes back."""

import csv
import datetime
import io

import openpyxl
import pytest
from openpyxl.utils.escape import unescape

from record.dates import read_edtf
from record.files import CUT, LONGEST_CELL, Column, csv_of, guarded, in_json, xlsx_of

pytestmark = pytest.mark.once

HOSTILE = [
    "=1+1",
    '=HYPERLINK("http://evil.example","x")',
    "+44 1202",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "'quoted'",
    'a "quoted", word\r\nand a line',
    "_x0041_",
    "http://example.org/",
    "\u202eturned",
    "Nguyễn, 😀",
]
TEXT = (Column("text", "What it says", lambda text: text),)


def read_back(body):
    """The lines of cells of the CSV file ``body``."""
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def in_excel(columns, rows):
    """The cells of the only sheet of the Excel file of ``rows``, below its heading."""
    body = xlsx_of(columns, rows, name="Rows", footer="OFFICIAL & more")
    (sheet,) = openpyxl.load_workbook(io.BytesIO(body)).worksheets
    return list(sheet.iter_rows(min_row=2)), sheet


def test_no_text_of_a_csv_begins_a_formula_and_taking_one_mark_off_gives_it_back():
    body = "".join(csv_of(TEXT, HOSTILE)).encode()
    heading, *lines = read_back(body)

    assert body.startswith(b"\xef\xbb\xbftext\r\n")
    assert heading == ["text"]
    cells = [cell for (cell,) in lines]
    assert [cell[0] for cell in cells if cell[0] in "=+-@\t\r\n＝＋－＠"] == []
    assert [cell.removeprefix("'") for cell in cells] == HOSTILE
    assert guarded("plain") == "plain"


def test_a_number_of_a_csv_stays_one_whatever_its_sign():
    assert read_back("".join(csv_of(TEXT, [-3])).encode()) == [["text"], ["-3"]]


def test_more_rows_than_are_sent_at_once_all_come_once():
    lines = read_back("".join(csv_of(TEXT, map(str, range(450)))).encode())

    assert lines[1:] == [[str(number)] for number in range(450)]


def test_excel_has_every_text_as_text_and_no_formula_or_link():
    rows, sheet = in_excel(TEXT, HOSTILE)

    told = [unescape(cell.value) for (cell,) in rows]
    # A line ends in Excel by one sign.
    assert told == [text.replace("\r\n", "\n").replace("\r", "\n") for text in HOSTILE]
    assert {cell.data_type for (cell,) in rows} == {"s"}
    assert [cell.hyperlink for (cell,) in rows if cell.hyperlink] == []
    assert sheet.freeze_panes == "B2"
    assert sheet.oddFooter.left.text == "OFFICIAL && more"


def test_excel_says_where_it_had_to_cut_a_text():
    ((cell,), (whole,)), _ = in_excel(TEXT, ["x" * (LONGEST_CELL + 1), "x" * LONGEST_CELL])

    assert cell.value.endswith(CUT)
    assert whole.value == "x" * LONGEST_CELL


@pytest.mark.parametrize(
    ("edtf", "text", "excel"),
    [
        ("2022-11-22", "2022-11-22", datetime.datetime(2022, 11, 22)),
        ("2022-11-22~", "about 22 November 2022", "about 22 November 2022"),
        ("2022-11-22?", "22 November 2022, year inferred", "22 November 2022, year inferred"),
        ("2022-11", "November 2022", "November 2022"),
        ("2024~", "about 2024", "about 2024"),
        ("2022-10-04/2022-10-05", "4 to 5 October 2022", "4 to 5 October 2022"),
        ("", "Not stated", "Not stated"),
    ],
)
def test_only_an_exact_day_is_a_day(edtf, text, excel):
    date = read_edtf(edtf)
    rows, _ = in_excel(TEXT, [date])

    assert read_back("".join(csv_of(TEXT, [date])).encode())[1:] == [[text]]
    assert [cell.value for (cell,) in rows] == [excel]


@pytest.mark.parametrize(
    ("value", "text", "json"),
    [
        (None, "", None),
        (True, "yes", True),
        (False, "no", False),
        (0, "0", 0),
        ((1, 2), "1, 2", [1, 2]),
        (datetime.date(2022, 11, 22), "2022-11-22", "2022-11-22"),
        (
            datetime.datetime(2022, 7, 1, 9, 30, tzinfo=datetime.UTC),
            "2022-07-01T10:30:00+01:00",
            "2022-07-01T10:30:00+01:00",
        ),
    ],
)
def test_each_kind_of_value_has_one_form(value, text, json):
    assert read_back("".join(csv_of(TEXT, [value])).encode())[1:] == [[text]]
    assert in_json(value) == json


def test_json_keeps_what_was_said_and_the_days_it_may_mean():
    assert in_json(read_edtf("2022-11")) == {
        "said": "November 2022",
        "edtf": "2022-11",
        "first": "2022-11-01",
        "last": "2022-11-30",
    }
