"""The files of the actions say what the pages say, row by row, on every day and with every filter."""

import csv
import datetime
import html
import io
import re
from itertools import pairwise

import openpyxl
import pytest

from recommendations.due_dates import DueDate
from recommendations.exports import EXPORTS
from recommendations.models import Action, ProgressUpdate
from recommendations.tests.factories import (
    make_action,
    make_decision,
    make_due_date,
    make_owner,
    make_recommendation,
    make_send_back,
    make_update,
)
from record import erasure
from record.dates import say_day
from record.tests.factories import add, change, make_meeting, make_user, noon, on
from record.tests.pages import words

pytestmark = pytest.mark.once

DAY = "2023-03-10"


def body_of(response):
    assert response.status_code == 200, response.content
    return response.getvalue()


def csv_rows(reader, address):
    """A dict for each row of the CSV file at ``address``."""
    text = body_of(reader.get(address)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def xlsx_rows(reader, address):
    """The same of an Excel file; a day is a datetime.date."""
    (sheet,) = openpyxl.load_workbook(io.BytesIO(body_of(reader.get(address)))).worksheets
    heading, *lines = sheet.iter_rows(values_only=True)
    as_day = [[v.date() if isinstance(v, datetime.datetime) else v for v in line] for line in lines]
    return [dict(zip(heading, line, strict=True)) for line in as_day]


def screen_rows(reader, address):
    """(reference and title, owner role, status with its flags, due, updated) of each row of the page."""
    page = reader.get(address).content.decode()
    table = re.search(r'<table class="list-of-actions">(.*?)</table>', page, re.DOTALL)
    found = []
    for row in re.findall(r"<tr>(.*?)</tr>", table[1] if table else "", re.DOTALL):
        heading = re.search(r'<a class="govuk-link" href="/actions/[^>]*>(.*?)</a>', row, re.DOTALL)
        cells = re.findall(
            r"<td[^>]*>(.*?)</td>", re.sub(r'<span class="meta">.*?</span>', "", row, flags=re.S), re.S
        )
        if heading:
            _, owner_role, status, due, updated = [html.unescape(words(cell)) for cell in cells]
            found.append((html.unescape(words(heading[1])), owner_role, status, due, updated))
    return found


FLAGS = {
    "is_overdue": "Overdue",
    "is_silent": "Date passed, nothing reported",
    "is_recheck_due": "Re-check due",
}


def as_on_screen(row, say):
    """The row of a file as the page says it; ``say`` gives a date that is a day in words."""
    flags = [words for name, words in FLAGS.items() if row[name] == "yes"]
    if row["is_stale"] == "yes":
        flags.append(f"No update since {say(row['updated'])}")
    return (
        f"{row['ref']}: {row['title']}",
        row["owner_role"],
        " ".join([row["status"], *flags]),
        say(row["due"]) or "No date set",
        say(row["updated"]) or "Not yet reported",
    )


def say_csv(text):
    return say_day(datetime.date.fromisoformat(text)) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text


def say_xlsx(value):
    return say_day(value) if isinstance(value, datetime.date) else value


@pytest.fixture
def board(db):
    """Actions of every kind, one of whose reports was corrected after the day that is asked about."""
    officer = make_user("Officers", "owner")
    titles = {"A01": "<b>Pay & “grading”</b>", "A04": "Review the paper"}
    a01, a02, a03, a04, a05, a06 = (
        make_action(
            ref,
            *([make_recommendation(2)] if ref == "A04" else []),
            title=titles.get(ref, f"Title of {ref}"),
            owner_role="=Cabinet" if ref == "A02" else "Director",
            owner=officer if ref == "A02" else None,
            recorded_at=noon("2022-10-01"),
        )
        for ref in ("A01", "A02", "A03", "A04", "A05", "A06")
    )
    said = {"dated": "2023-03-02", "by": officer}
    first = make_update(a05, "on_track", recorded_at=noon("2023-03-02"), **said)
    put_right = {"corrects": first, "correction_reason": "It was not", "recorded_at": noon("2023-04-01")}
    make_update(a05, "at_risk", **said, **put_right)
    make_due_date(a01, due="2022-12-24")
    make_update(a01, "off_track", dated="2023-03-01", by=officer)
    make_update(a02, dated="2022-11-01")
    make_due_date(a03, due="2022-11")
    make_due_date(a04, due="2024~")
    make_update(a06, "complete", dated="2023-03-01", recheck_on=datetime.date(2023, 3, 9))


@pytest.mark.parametrize(
    ("query", "refs"),
    [
        ("", ["A01", "A02", "A03", "A04", "A05", "A06"]),
        ("known=then", ["A01", "A02", "A03", "A04", "A05", "A06"]),
        ("status=at_risk", ["A05"]),
        ("status=at_risk&known=then", []),
        ("status=off_track&status=not_reported&sort=due", ["A03", "A01", "A04"]),
        ("overdue=yes", ["A01"]),
        ("silent=yes", ["A03"]),
        ("stale=yes", ["A02"]),
        ("first=yes&sort=status", ["A01", "A05", "A03", "A02", "A06"]),
        ("recommendation=2", ["A04"]),
        ("owner=%3DCabinet&person=nobody", []),
        ("q=review", ["A04"]),
        ("q=nothing+like+it", []),
        ("page=7", ["A01", "A02", "A03", "A04", "A05", "A06"]),
    ],
)
def test_the_files_have_the_rows_of_the_page(reader, board, query, refs):
    asked = f"?as_at={DAY}&{query}"
    screen = screen_rows(reader, f"/actions/{asked}")
    text, excel = csv_rows(reader, f"/actions.csv{asked}"), xlsx_rows(reader, f"/actions.xlsx{asked}")

    assert [row["ref"] for row in text] == refs
    undone = [{name: value.removeprefix("'") for name, value in row.items()} for row in text]
    assert [as_on_screen(row, say_csv) for row in undone] == screen
    assert [as_on_screen(row, say_xlsx) for row in excel] == screen


def test_the_files_are_named_by_their_day_and_how_much_they_know(reader, board):
    names = {
        f"/actions.csv?as_at={DAY}": f"actions-{DAY}.csv",
        f"/actions.xlsx?as_at={DAY}&known=then": f"actions-{DAY}-as-known-then.xlsx",
        f"/dates.csv?as_at={DAY}": f"dates-{DAY}.csv",
    }
    found = {address: reader.get(address).headers["Content-Disposition"] for address in names}

    assert found == {address: f'attachment; filename="{name}"' for address, name in names.items()}


@pytest.mark.parametrize("file", ["actions.csv", "actions.xlsx", "updates.csv", "dates.csv", "decisions.csv"])
def test_what_the_page_refuses_is_a_400_page_in_its_words(reader, board, file):
    refused = reader.get(f"/{file}?status=purple&q={'x' * 101}")
    page = html.unescape(words(refused.content.decode()))

    assert refused.status_code == 400
    assert "Status: “purple” is not one of the choices. Choose one from the list." in page
    assert "Words in the action, its history, findings or documents: Use 100 characters or fewer." in page
    assert reader.get(f"/{file}?as_at=2018-12-31").status_code == 400
    assert reader.get(f"/{file}?as_at={DAY}&known=now").status_code == 400


REPORT = ("reported", "reported_status", "reported_signed", "reported_for", "reported_narrative")
ACCEPTED = ("accepted", "accepted_signed", "accepted_at")
DIFFERENCE = ("difference_made_dated", "difference_made_signed")


def test_a_row_says_apart_whose_the_report_is_and_who_accepted_it(reader, db):
    officer, chair, clerk = make_user("Officers"), make_user("Chair"), make_user("Secretariat")
    accepted, closed, reopened, _ = (make_action(f"A0{number}") for number in range(1, 5))
    meeting = make_meeting("2022-12-01")
    said = {"narrative": "All is done", "difference_made": "Plans are seen sooner", "dated": "2022-11-01"}
    done = make_update(accepted, "done", by=officer, **said)
    put_right = {"narrative": "All of it is done", "corrects": done, "correction_reason": "A slip"}
    right = make_update(accepted, "done", by=clerk, **{**said, **put_right})
    took = make_update(accepted, "complete", dated="2022-12-01", by=chair, meeting=meeting)
    make_update(closed, "closed", dated="2022-12-01", by=chair)
    make_update(reopened, "done", dated="2022-11-01", by=officer)
    make_update(reopened, "complete", dated="2022-12-01", by=chair)
    behalf = {"on_behalf_of": officer, "on_behalf_of_signed": "Olu Owner (Officer)"}
    make_update(reopened, "off_track", dated="2022-12-05", by=clerk, narrative="It did not hold", **behalf)

    rows = csv_rows(reader, "/actions.csv?as_at=2023-01-31")

    secretariat, by_chair = "Secretariat Person (Secretariat)", "Chair Person (Chair)"
    assert [tuple(row[name] for name in REPORT) for row in rows] == [
        ("2022-11-01", "Done, evidence awaited", secretariat, "", "All of it is done"),
        ("", "", "", "", ""),
        ("2022-12-05", "Off track", secretariat, "Olu Owner (Officer)", "It did not hold"),
        ("", "", "", "", ""),
    ]
    assert [tuple(row[name] for name in ACCEPTED) for row in rows] == [
        ("2022-12-01", by_chair, "2022-12-01"),
        ("2022-12-01", by_chair, ""),
        ("", "", ""),
        ("", "", ""),
    ]
    of_the_first, *others = (tuple(row[name] for name in DIFFERENCE) for row in rows)
    assert (of_the_first, others) == (("2022-11-01", secretariat), [("", "")] * 3)
    # The entries of its page say the same.
    entries = {row["entry"]: row for row in csv_rows(reader, "/updates.csv?as_at=2023-01-31")}
    for update, name in ((right, "reported"), (took, "accepted")):
        entry = entries[f"update-{update.pk}"]
        said = (rows[0][name], rows[0][f"{name}_signed"], rows[0][f"{name}_recorded_at"])
        assert said == (entry["dated"], entry["signed"], entry["recorded_at"])
    before = csv_rows(reader, "/actions.csv?as_at=2022-11-30")[0]
    assert (before["reported"], before["accepted"]) == ("2022-11-01", "")


@pytest.fixture
def told(db):
    """An action with updates, dates and decisions of every kind, some of them corrected or withdrawn."""
    officer, chair = make_user("Officers", "owner"), make_user("Chair", "chair")
    meeting = make_meeting("2022-12-01")
    action = make_action("A01", owner=officer)
    make_action("A02")
    first = make_update(action, dated="2022-11-01", by=officer, narrative="=First")
    put_right = {"corrects": first, "correction_reason": "The wrong month"}
    make_update(action, "at_risk", dated="2022-11-02", by=officer, **put_right)
    twice = make_update(action, dated="2022-11-03", by=officer, narrative="Typed twice")
    add(twice.withdrawal(by=chair, reason="Typed twice"))
    make_due_date(action, due="2022-12", by=chair)
    agreed = make_due_date(action, due="2023-02-01", dated="2022-11-20", by=officer, needs_decision=True)
    make_decision(agreed, dated="2022-12-01", by=chair, meeting=meeting)
    refused = make_due_date(action, due="2024~", dated="2022-12-10", by=officer, needs_decision=True)
    make_decision(refused, "refused", dated="2022-12-12", by=chair)
    wrong = make_due_date(action, due="2023-09", dated="2022-12-13", by=chair)
    add(wrong.withdrawal(by=chair, reason="Another action’s"))
    make_due_date(action, due="2023-10", dated="2022-12-14", by=officer, needs_decision=True)
    done = make_update(action, "done", dated="2022-12-15", by=officer)
    make_send_back(done, dated="2022-12-16", by=chair, wanted_by=datetime.date(2023, 1, 9))
    make_update(action, "complete", dated="2022-12-20", by=chair, narrative="Shown")
    make_owner(action, None, dated="2022-12-21")
    return action


def test_updates_have_every_report_as_its_page_does_with_what_counts_no_more(reader, told):
    rows = csv_rows(reader, "/updates.csv")
    page = reader.get("/actions/A01/?history=all").content.decode()
    on_page = re.findall(r'id="(update-\d+)"', page)

    assert [row["entry"] for row in rows] == on_page
    assert len(rows) == 5
    assert [(r["status"], r["standing"], r["superseded_reason"], r["superseded_by"]) for r in rows] == [
        ("Complete, evidenced", "Stands", "", ""),
        ("Done, evidence awaited", "Stands", "", ""),
        ("On track", "Withdrawn", "Typed twice", "Chair Person"),
        ("At risk", "Stands", "", ""),
        ("On track", "Corrected", "The wrong month", "Owner Person"),
    ]
    assert rows[3]["corrects"] == rows[4]["entry"]
    assert rows[4]["narrative"] == "'=First"
    assert {row["signed"] for row in rows} == {"Owner Person (Officer)", "Chair Person (Chair)"}
    assert {row["action"] for row in rows} == {"A01"}


def test_dates_have_every_date_with_what_became_of_it(reader, told):
    rows = csv_rows(reader, "/dates.csv")

    assert [(r["due"], r["due_last_day"], r["became"], r["is_first"], r["agreed_by"]) for r in rows] == [
        ("December 2022", "2022-12-31", "Replaced", "yes", "Chair Person (Chair)"),
        ("2023-02-01", "2023-02-01", "Stands", "no", "Chair Person (Chair)"),
        ("about 2024", "", "Refused", "no", ""),
        ("September 2023", "2023-09-30", "Withdrawn", "no", "Chair Person (Chair)"),
        ("October 2023", "2023-10-31", "Ended undecided", "no", ""),
    ]
    assert len(rows) == DueDate.objects.filter(withdraws=None).count()
    assert rows[3]["superseded_reason"] == "Another action’s"
    page = reader.get("/actions/A01/").content.decode()
    assert [row["entry"] for row in rows if f'id="{row["entry"]}"' not in page] == []


def test_dates_say_of_a_decision_that_was_put_right_what_stands_now_and_what_was_said(reader):
    officer, chair = make_user("Officers", "owner"), make_user("Chair", "chair")
    corrected, withdrawn = (
        make_due_date(make_action(ref), dated="2022-09-05", by=officer, needs_decision=True)
        for ref in ("A01", "A02")
    )
    first, second = (make_decision(asked, dated="2022-09-10", by=chair) for asked in (corrected, withdrawn))
    wrong_box = {"corrects": first, "correction_reason": "Wrong box"}
    make_decision(corrected, "refused", dated="2022-09-10", by=chair, reason="Too late", **wrong_box)
    add(second.withdrawal(by=chair, reason="Wrong action"))

    names = ("became", "decision", "undone_decision", "outcome", "standing", "superseded_reason")
    was = f"Agreed: {first.reason}"
    assert [tuple(row[name] for name in names) for row in csv_rows(reader, "/dates.csv")] == [
        ("Refused", "Refused: Too late", was, "Counts no more", "Corrected", "Wrong box"),
        ("Not yet decided", "", was, "Counts no more", "Withdrawn", "Wrong action"),
    ]


def test_decisions_have_all_that_was_decided_and_where(reader, told):
    rows = csv_rows(reader, "/decisions.csv")

    assert [(r["kind"], r["on"], r["outcome"], r["meeting"], r["signed"]) for r in rows] == [
        ("A status", "Done, evidence awaited", "Complete, evidenced", "", "Chair Person (Chair)"),
        (
            "A report of completion",
            "Done, evidence awaited",
            "evidence wanted by 9 January 2023",
            "",
            "Chair Person (Chair)",
        ),
        ("A proposed date", "proposed: about 2024", "refused", "", "Chair Person (Chair)"),
        ("A proposed date", "proposed: 1 February 2023", "agreed", "2022-12-01", "Chair Person (Chair)"),
    ]


def test_what_was_not_known_then_is_in_no_file(reader, told):
    for name in EXPORTS:
        found = csv_rows(reader, f"/{name}.csv?as_at=2022-12-31&known=then")
        # All of it was recorded today, but for what came with the document.
        assert [row for row in found if row.get("recorded_at")] == [], name
    assert len(csv_rows(reader, "/updates.csv?as_at=2022-11-02")) == 2


def test_an_action_says_how_often_it_was_corrected(reader, told):
    change(told, title="Another title")

    rows = csv_rows(reader, "/actions.csv")
    found = [(row["ref"], row["title"], row["times_corrected"]) for row in rows]
    assert found == [("A01", "Another title", "1"), ("A02", "Title of A02", "0")]


def test_removed_words_show_their_notice(reader, told):
    update = ProgressUpdate.objects.get(status="complete")
    place = erasure.Place(ProgressUpdate, update.pk, "narrative", update.narrative)
    erasure.erase([place], reason="a name", approved_by="The Chair")

    (row,) = [row for row in csv_rows(reader, "/updates.csv") if row["status_code"] == "complete"]
    (shown,) = [row for row in csv_rows(reader, "/actions.csv") if row["ref"] == "A01"]
    assert re.fullmatch(r"\[Removed on .*: a name\]", row["narrative"])
    assert shown["narrative"] == row["narrative"]


def test_every_column_has_a_name_of_its_own_and_says_what_it_means():
    for export in EXPORTS.values():
        names = [column.name for column in export.columns]
        assert len(names) == len(set(names))
        assert [name for name in names if not re.fullmatch("[a-z]+(_[a-z]+)*", name)] == []
        assert [column.name for column in export.columns if not column.means[:1].isupper()] == []


def test_the_help_page_lists_every_column_of_every_file(reader):
    page = html.unescape(words(reader.get("/help/").content.decode()))

    for export in EXPORTS.values():
        assert export.holds in page
        for before, after in pairwise(export.columns):
            assert f"{before.name} {before.means} {after.name} {after.means}" in page


@pytest.mark.parametrize("size", [1, 10])
@pytest.mark.parametrize(("file", "queries"), [("actions.csv", 11), ("actions.xlsx", 12), ("dates.csv", 11)])
def test_files_of_positions_cost_the_same_however_many(
    reader, size, file, queries, django_assert_num_queries
):
    for number in range(1, size + 1):
        action = make_action(f"A{number:02}")
        make_update(action)
        make_due_date(action)
    # session, user; recommendations to choose from; actions, their recommendations,
    # findings, updates, what was sent back, decisions, due dates; corrections; in Excel, whether this is a
    # demonstration
    with django_assert_num_queries(queries):
        body_of(reader.get(f"/{file}"))


@pytest.mark.parametrize("file", ["updates.csv", "decisions.csv"])
def test_files_of_entries_cost_the_same_for_each_action_however_long_its_history(
    reader, file, django_assert_max_num_queries
):
    counts = []
    for size in (1, 10):
        for _ in range(size):
            action = Action.objects.first() or make_action()
            make_update(action)
        with django_assert_max_num_queries(60) as asked:
            body_of(reader.get(f"/{file}"))
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_long_history_is_never_whole_in_memory(db):
    """The entries of one action are let go before those of the next are asked for."""
    at, export = on(datetime.date(2023, 3, 10)), EXPORTS["updates"]
    sent = []

    def actions():
        for action in Action.objects.order_by("ref"):
            sent.append(action.ref)
            yield action

    for number in (1, 2, 3):
        action = make_action(f"A{number:02}")
        for _ in range(3):
            make_update(action)
    rows = export.rows(actions(), at)
    next(rows)
    assert sent == ["A01"]
    assert len(list(rows)) == 8
