"""Rows of the record as files to take away: text with commas for any program, and Excel.

A program that opens such a file must take no text in it for a formula, and no month for a day.
"""

import csv
import datetime
import io
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from django.utils import timezone

from record.dates import PartialDate

# What a program may take for the beginning of a formula, also in the wide letters of some keyboards, and the
# mark itself, so that to take one mark off each text that begins with one gives back what was written.
GUARDED = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠", "'")
MARK_OF_ORDER = "\ufeff"  # By which Excel knows that it is UTF-8.
AT_ONCE = 200
# Excel's own limit for a cell; it would cut what is longer, and say nothing.
LONGEST_CELL = 32_767
CUT = " [cut here: Excel holds no more. The page and the CSV have all of it.]"
NARROW, WIDE = 14, 50


@dataclass(frozen=True)
class Column:
    """A column of a file: its ``name``, which never changes, what it ``means``, and its value of a row.

    A value is a text, a number, a bool, a day, a moment, a PartialDate, a tuple of texts, or None.
    """

    name: str
    means: str
    of: Callable
    width: int = NARROW


def exact_day(date):
    """The day that the PartialDate ``date`` names exactly, or None."""
    return date.first if date.first and date.text == date.first.isoformat() else None


def in_a_cell(value):
    """``value`` as a cell holds it: a text, a whole number or a day."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, PartialDate):
        return exact_day(value) or value.words
    if isinstance(value, datetime.datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, int | datetime.date):
        return value
    return str(value or "")


def in_json(value):
    """``value`` as JSON holds it; a PartialDate keeps what was said and the days that it may mean."""
    if isinstance(value, PartialDate):
        days = {"first": in_json(value.first), "last": in_json(value.last)}
        return {"said": value.words, "edtf": value.text, **days}
    if isinstance(value, datetime.datetime):
        return in_a_cell(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    return [in_json(one) for one in value] if isinstance(value, tuple) else value


def guarded(text):
    """``text`` with a quote mark before it if a program might take it for a formula."""
    return f"'{text}" if text.startswith(GUARDED) else text


def unguarded(text):
    """What ``text`` was before it was guarded."""
    return text[1:] if text.startswith("'") and text[1:].startswith(GUARDED) else text


def csv_of(columns, rows):
    """The text of a CSV file, some rows at a time: a heading, then a line for each of ``rows``."""
    cells = ([in_a_cell(column.of(row)) for column in columns] for row in rows)
    return csv_lines([column.name for column in columns], cells)


def csv_lines(headings, lines):
    """The text of a CSV file of ``lines``, lists of cells, some at a time, no cell of which is a formula."""
    yield MARK_OF_ORDER + _lines([headings])
    lines = iter(lines)
    while some := list(islice(lines, AT_ONCE)):
        yield _lines([guarded(cell) if isinstance(cell, str) else cell for cell in line] for line in some)


def _lines(rows):
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def xlsx_of(columns, rows, *, name, footer):
    """The bytes of an Excel file with one sheet, ``name``, and a ``footer`` on each sheet of paper."""
    import xlsxwriter  # a start need not wait for it

    file = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet(name)
        text = book.add_format({"text_wrap": True, "valign": "top"})
        day = book.add_format({"num_format": "d mmmm yyyy", "valign": "top", "align": "left"})
        heading = book.add_format({"bold": True, "bottom": 1, "valign": "top"})
        for number, column in enumerate(columns):
            sheet.set_column(number, number, column.width)
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.set_footer(f"&L{footer.replace('&', '&&')}&R&P")
        for number, column in enumerate(columns):
            sheet.write_string(0, number, column.name, heading)
        for line, row in enumerate(rows, 1):
            for number, column in enumerate(columns):
                _write(sheet, line, number, in_a_cell(column.of(row)), text=text, day=day)
    return file.getvalue()


def _write(sheet, line, number, value, *, text, day):
    if isinstance(value, datetime.date):
        sheet.write_datetime(line, number, datetime.datetime.combine(value, datetime.time()), day)
    elif isinstance(value, int):
        sheet.write_number(line, number, value, text)
    elif value:
        value = value.replace("\r\n", "\n").replace("\r", "\n")  # its own end of a line
        # A sign beyond the first plane counts as two letters there.
        room = LONGEST_CELL - len(CUT)
        is_long = len(value.encode("utf-16-le")) // 2 > LONGEST_CELL
        sheet.write_string(line, number, f"{value[: room // 2]}{CUT}" if is_long else value, text)
