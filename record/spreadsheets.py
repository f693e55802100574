"""Tables that people keep in a spreadsheet: the rows of a CSV or XLSX file as text, each with its number.

A file is whatever somebody chose: every one that is not such a table is refused in a sentence, and soon.
"""

import csv
import datetime
import io
import re
import zipfile
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from record.files import unguarded
from record.texts import refuse_controls

MOST_BYTES = 1_000_000
MOST_ROWS = 500
# Of a workbook, unpacked: its text may be a thousand times as long as the file.
MOST_UNPACKED = 8_000_000
# A sheet says how far it goes; one of its rows may claim to be the billionth.
LAST_ROW = 5_000
LAST_COLUMN = 100
# Above its headings a table may have a title, a date and whom to ask.
LAST_ROW_OF_HEADINGS = 30
OTHER_KINDS = {
    b"\xd0\xcf\x11\xe0": "an old Excel file, or one with a password",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}
SAVE_AS = "Save it as an Excel workbook (.xlsx) without a password, or as CSV, and choose that file."


class Unreadable(Exception):
    """Why a file is no table that can be read, in sentences."""


@dataclass(frozen=True)
class Cell:
    """What a cell says, and why it cannot be taken, a sentence, or ""."""

    text: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Row:
    """One row: its number in the file, what it says in each column, and what is wrong there."""

    number: int
    cells: dict
    faults: dict = field(default_factory=dict)

    def __getitem__(self, column):
        return self.cells.get(column, "")


@dataclass(frozen=True)
class Table:
    """The rows below the headings, none of them empty, and what was passed over.

    ``columns`` are those that were looked for and found, ``ignored`` the headings of the others; ``heading``
    is the number of the row that they stand in; ``sheets`` are the names of a workbook's other sheets.
    """

    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    ignored: tuple[str, ...]
    heading: int
    sheet: str = ""
    sheets: tuple[str, ...] = ()


def read_table(content, *, columns, key):
    """The Table in the bytes of a file that has some of ``columns``, the column ``key`` for one.

    Raises Unreadable.
    """
    if len(content) > MOST_BYTES:
        raise Unreadable(
            f"The file is larger than {MOST_BYTES // 1_000_000} MB. Take out what is not needed."
        )
    if not content.strip():
        raise Unreadable("The file is empty.")
    for beginning, kind in OTHER_KINDS.items():
        if content.startswith(beginning):
            raise Unreadable(f"This is {kind}. {SAVE_AS}")
    if content.startswith(b"PK"):
        return _of_workbook(content, columns, key)
    return _of_csv(content, columns, key)


def heading(text):
    """What a column is called in the program: "Owner role " is owner_role."""
    return re.sub(r"[\s_-]+", "_", text.strip().lower())


def _table(rows, columns, key, **of_workbook):
    """The Table in ``rows``, lists of Cells, or None if no row near the top has the heading ``key``."""
    found = None
    for number, cells in enumerate(rows, start=1):
        names = [heading(cell.text) for cell in cells]
        if key in names:
            found = number
            break
        if number == LAST_ROW_OF_HEADINGS:
            return None
    if found is None:
        return None
    twice = next((name for name in columns if names.count(name) > 1), None)
    if twice:
        raise Unreadable(f"Two columns are headed “{twice}”. Take one of them out.")
    places = {name: names.index(name) for name in columns if name in names}
    below = []
    for number, cells in enumerate(rows, start=found + 1):
        if not any(cell.text or cell.fault for cell in cells):
            continue
        if len(below) == MOST_ROWS:
            raise Unreadable(f"There are more than {MOST_ROWS} rows. Import them in parts.")
        said = {name: cells[place] for name, place in places.items() if place < len(cells)}
        below.append(
            Row(
                number,
                {name: cell.text for name, cell in said.items()},
                {name: cell.fault for name, cell in said.items() if cell.fault},
            )
        )
    return Table(
        rows=tuple(below),
        columns=tuple(places),
        ignored=tuple(name for name in dict.fromkeys(names) if name and name not in places),
        heading=found,
        **of_workbook,
    )


def _no_headings(key):
    return Unreadable(
        f"No row of headings was found: one of the first {LAST_ROW_OF_HEADINGS} rows must have a column "
        f"headed “{key}”."
    )


def _of_csv(content, columns, key):
    text = _decoded(content)
    if sep := re.match("sep=(.)\r?\n", text):  # which Excel reads and does not show
        text = text[sep.end() :]
    tables = []
    for sign in ",;\t":
        try:
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=sign))
        except csv.Error as error:
            raise Unreadable("A cell is far too long: a quotation mark may be missing.") from error
        cells = ([_csv_cell(value) for value in row] for row in rows)
        tables.append(_table(cells, columns, key))
    # The sign between the columns is the one by which the most of them are found.
    best = max(filter(None, tables), key=lambda table: len(table.columns), default=None)
    if best is None:
        raise _no_headings(key)
    return best


def _decoded(content):
    """The text of a CSV file: in UTF-8, in UTF-16 that says so, or in what Excel writes without asking."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ("utf-16",)
    elif b"\0" in content:
        encodings = ()
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable(f"This is no spreadsheet that can be read. {SAVE_AS}")


def _csv_cell(value):
    text = value.strip()
    if text.startswith("="):
        return Cell(text, "This is a formula. Enter what it comes to instead.")
    return _text_cell(text)


def _text_cell(text):
    text = unguarded(text.strip())
    try:
        refuse_controls(text, allowed="\t\n\r")
    except ValidationError as error:
        return Cell(text, error.messages[0])
    return Cell(text.replace("\r\n", "\n").replace("\r", "\n"))


def _of_workbook(content, columns, key):
    try:
        _refuse_what_is_no_workbook(content)
        return _of_sheets(content, columns, key)
    except Unreadable:
        raise
    except Exception as error:  # whatever somebody put into the file, it is answered
        raise Unreadable(f"The workbook is damaged, or not one of Excel’s. {SAVE_AS}") from error


def _refuse_what_is_no_workbook(content):
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = packed.infolist()
    if "xl/workbook.xml" not in {part.filename for part in parts}:
        raise Unreadable(f"This is no Excel workbook. {SAVE_AS}")
    if sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise Unreadable(
            f"The workbook holds more than {MOST_UNPACKED // 1_000_000} MB. Copy the rows that are needed "
            "into a new one."
        )


def _workbook(content, **options):
    from openpyxl import load_workbook  # a sixth of what a start reads, and seldom asked for

    return load_workbook(io.BytesIO(content), read_only=True, keep_links=False, **options)


def _of_sheets(content, columns, key):
    book = _workbook(content)
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    for sheet in sheets:
        if (sheet.max_row or 0) > LAST_ROW:
            raise Unreadable(
                f"The sheet “{sheet.title}” goes below row {LAST_ROW:,}, perhaps in nothing but colours. "
                "Copy the rows that are needed into a new workbook."
            )
        others = tuple(other.title for other in sheets if other is not sheet)
        rows = _worked_out(content, sheet)
        if table := _table(rows, columns, key, sheet=sheet.title, sheets=others):
            return table
    raise _no_headings(key)


def _worked_out(content, sheet):
    """Yield the rows of ``sheet`` as lists of Cells; what formulas came to is read only if there are any."""
    worked_out = None
    for number, cells in enumerate(sheet.iter_rows(max_row=LAST_ROW, max_col=LAST_COLUMN), start=1):
        found = []
        for place, cell in enumerate(cells):
            value = cell.value
            if cell.data_type == "f":
                worked_out = worked_out or _values(content, sheet.title)
                value = worked_out.get((number, place))
                if value is None:
                    fault = (
                        "This is a formula, and the file does not say what it comes to. Enter that instead."
                    )
                    found.append(Cell("=…", fault))
                    continue
            found.append(_cell(value, is_error=isinstance(value, str) and value in ERRORS))
        yield found


ERRORS = {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA"}


def _values(content, title):
    """{(number of a row, place in it): what the file says that its formula came to}."""
    book = _workbook(content, data_only=True)
    rows = book[title].iter_rows(max_row=LAST_ROW, max_col=LAST_COLUMN, values_only=True)
    return {
        (number, place): value
        for number, row in enumerate(rows, start=1)
        for place, value in enumerate(row)
        if value is not None
    }


def _cell(value, *, is_error):
    if is_error:
        return Cell(value, "This is an error that the spreadsheet shows. Put it right there.")
    return _text_cell(in_words(value))


def in_words(value):
    """The ``value`` of a cell as a person would type it: a day as 31/03/2023, the number 6.0 as 6."""
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return f"{value:%d/%m/%Y}" if value.time() == datetime.time() else f"{value:%d/%m/%Y %H:%M}"
    if isinstance(value, datetime.date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
