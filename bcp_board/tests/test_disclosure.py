"""What is written for whoever has a right to ask: as it was known, whole, and provable."""

import csv
import hashlib
import io
import re

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from recommendations.tests.factories import make_action, make_due_date, make_recommendation, make_update
from record import ledger, triggers
from record.tests.factories import change, make_document, make_user, noon
from record.tests.pages import words
from visits.models import Finding, Visit

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def written(tmp_path, monkeypatch, capsys):
    """A function that writes a disclosure, and gives {name of a file: its text}."""
    monkeypatch.chdir(tmp_path)

    def write(*arguments, folder):
        call_command("disclose", *arguments)
        return {file.name: file.read_bytes().decode("utf-8-sig") for file in (tmp_path / folder).iterdir()}

    return write


def lines_of(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def action():
    officer = make_user("Officers")
    action = make_action("A05", title="Hire <ten>", recorded_at=noon("2022-10-01"))
    wrong = make_update(action, by=officer, narrative="=Ten were hired", recorded_at=noon("2022-11-02"))
    make_update(
        action,
        by=officer,
        narrative="Nine were",
        corrects=wrong,
        correction_reason="One left",
        recorded_at=noon("2022-11-03"),
    )
    make_update(action, "done", dated="2022-12-01", by=officer, recorded_at=noon("2022-12-01"))
    return change(action, title="Hire nine")


def test_the_folder_holds_what_was_known_then_and_nothing_later(written, action):
    files = written("a05", "--as-known", "2022-11-10", folder="disclosure-A05-2022-11-10")

    assert sorted(files) == [
        "README.txt",
        "history.csv",
        "index.html",
        "page.html",
        "proof.txt",
        "sources.csv",
        "versions.csv",
    ]
    assert [
        (line["dated"], line["after"], line["what was said"], line["superseded"])
        for line in lines_of(files["history.csv"])
    ] == [
        ("1 November 2022", "On track", "Nine were", ""),
        (
            "1 November 2022",
            "On track",
            "'=Ten were hired",
            "Corrected by Officers Person, 3 November 2022 at midday: One left",
        ),
    ]
    page = words(files["page.html"])
    assert "as it was known at the end of 10 November 2022" in page
    assert "Done, not yet accepted" not in page
    titles = [line["says"] for line in lines_of(files["versions.csv"]) if line["column"] == "title"]
    assert titles == ["Hire <ten>"]
    assert f"manage.py verify_history --anchor {ledger.anchor(noon('2022-11-11'))}" in files["proof.txt"]


def test_the_page_stands_alone(written, action):
    page = written("A05", folder=f"disclosure-A05-{timezone.localdate()}")["page.html"]

    assert "<style>" in page
    assert "Hire &lt;ten&gt;" in page
    assert re.findall(r'(?:href|src)="(?!#|https://)[^"]*"', page) == []
    assert "<script" not in page
    assert "<form" not in page


def test_each_file_is_listed_with_its_hash(written, action, tmp_path):
    files = written("A05", "--to", "asked", folder="asked")

    for name in set(files) - {"README.txt"}:
        sha256 = hashlib.sha256((tmp_path / "asked" / name).read_bytes()).hexdigest()
        assert f"{name}\n" in files["README.txt"]
        assert sha256 in files["README.txt"], name
        assert name == "index.html" or sha256 in files["index.html"], name


def test_nothing_is_written_over_and_what_cannot_be_is_said(written, action, tmp_path):
    written("A05", "--to", "asked", folder="asked")
    before = {file: file.read_bytes() for file in (tmp_path / "asked").iterdir()}
    refusals = {
        ("A05", "--to", "asked"): "asked is there already",
        ("A99",): "A99 was not on the board on",
        ("11",): "11 was not on the board on",
        ("",): "Name an action, such as A05",
        ("A05", "--as-known", "2022-09-01"): "A05 was not on the board on 1 September 2022.",
        ("A05", "--as-known", "2099-01-01"): "is in the future",
        ("A05", "--as-known", "soon"): "Enter a date like",
        ("A05", "--to", "no/such/folder"): "could not be written",
    }
    for arguments, why in refusals.items():
        with pytest.raises(CommandError, match=re.escape(why)):
            call_command("disclose", *arguments)
    assert {file: file.read_bytes() for file in (tmp_path / "asked").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["asked"]


def test_a_record_that_does_not_hold_is_not_disclosed(written, action):
    with connection.cursor() as cursor:
        triggers.drop(connection)
        cursor.execute("UPDATE recommendations_progressupdate SET narrative = 'Twenty were'")

    with pytest.raises(CommandError, match="The history does not hold, so nothing is disclosed"):
        call_command("disclose", "A05")


def make_finding(document):
    source = {"document": document, "reference": "p2"}
    visit = Visit.objects.create(slug="full-1", kind="full", number=1, dates="2021-12", **source)
    return Finding.objects.create(
        ref="F01", visit=visit, attribution="ofsted", kind="concern", text="Found", **source
    )


def test_a_recommendation_is_written_with_the_history_of_its_actions(written):
    document = make_document("letter", title="A letter")
    finding = make_finding(document)
    recommendation = make_recommendation(6, findings=[finding])
    for number in (1, 2):
        make_due_date(make_action(f"A0{number}", recommendation))

    files = written("6", "--to", "asked", folder="asked")

    assert "Recommendation 6: what is in this folder" in files["index.html"]
    assert {line["about"] for line in lines_of(files["history.csv"])} == {"A01", "A02"}
    assert [line["title"] for line in lines_of(files["sources.csv"])] == ["The report", "A letter"]


def test_a_long_history_is_written_whole(written):
    action = make_action("A01")
    for day in range(1, 29):
        for month in ("10", "11", "12"):
            make_update(action, dated=f"2022-{month}-{day:02}")

    files = written("A01", "--to", "asked", folder="asked")

    assert len(lines_of(files["history.csv"])) == 84
    assert files["page.html"].count('id="update-') == 84
    assert set(re.findall("<details( open)?", files["page.html"])) == {" open"}


def test_what_was_withdrawn_is_written_as_its_page_shows_it(written, action):
    change(action, is_withdrawn=True)

    files = written("A05", "--to", "asked", folder="asked")

    assert "This was entered by mistake and is withdrawn." in words(files["page.html"])
    assert [line["says"] for line in lines_of(files["versions.csv"]) if line["column"] == "withdrawn"] == [
        "No",
        "No",
        "Yes",
    ]
