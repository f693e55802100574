"""On a terminal long commands say how far they are; elsewhere they say no more than they did."""

import io
import shutil

import pytest
from django.core.management import call_command

from bcp_board.management.commands.seed import TABLES
from record import ledger, progress

pytestmark = pytest.mark.once


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def said(monkeypatch):
    """A function that gives what is said to ``errors`` from then on, a line each time."""
    monkeypatch.setattr(progress, "SECONDS", 0)

    def to(errors):
        monkeypatch.setattr("sys.stderr", errors)
        return lambda: errors.getvalue().split(progress.ERASE_LINE)

    return to


@pytest.fixture
def documents(tmp_path, settings):
    """A folder of a record in which there are documents and nothing else."""
    folder = tmp_path / "seeds"
    folder.mkdir()
    for table in TABLES:
        (folder / f"{table.file}.toml").touch()
    shutil.copy(settings.BASE_DIR / "seeds" / "documents.toml", folder)
    return folder


def test_a_terminal_is_told_how_far_long_commands_are(
    said, filled_record, new_database, settings, documents, tmp_path, backup_key
):
    settings.BACKUP_FOLDER, file = tmp_path, tmp_path / "one.backup"
    lines = said(Terminal())
    with filled_record:
        call_command("seed", folder=documents)
        call_command("backup", file)
        call_command("prune_backups")
        entries = ledger.anchor().count
    with new_database():
        call_command("restore", file, identity=backup_key)
    found = [line.partition(": ") for line in lines()]
    assert list(dict.fromkeys(doing for doing, _, _ in found)) == [
        "",
        "Loading the record",
        "Saving the record",
        "Checking the history",
        "Reading the backups",
        "Restoring the record",
    ]
    last = {doing: how_far for doing, _, how_far in found}
    assert (last["Loading the record"], last["Reading the backups"]) == ("5 of 5 rows", "1 of 1 files")
    assert last["Checking the history"] == f"{entries} of {entries} entries"
    assert lines()[-1] == ""


def test_nothing_is_said_where_there_is_no_terminal(said):
    lines = said(io.StringIO())
    with progress.progress("Saving", "rows") as done:
        done(1)
    assert lines() == [""]
