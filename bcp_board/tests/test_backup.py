"""A backup holds the whole record, and a restore puts all of it back or nothing."""

import datetime
import hashlib
import json
import stat
import threading
import time

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from bcp_board import backups
from meetings.models import Meeting, Paper
from recommendations import ledger, triggers
from recommendations.models import Action, ProgressUpdate
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_decision,
    make_document,
    make_due_date,
    make_recommendation,
    make_update,
    make_user,
)


@pytest.fixture
def filled(new_database, settings, tmp_path):
    """A database with a row in each kind of table; what a restore replaces is kept in tmp_path."""
    settings.VAR_DIR = tmp_path / "var"
    return new_database("filled")


def add_update(narrative):
    """Record an update on the first action, signed by the officer."""
    action, officer = Action.objects.get(ref="A01"), User.objects.get(username="officers")
    return make_update(action, by=officer, narrative=narrative)


def test_a_restored_record_is_the_one_that_was_saved(filled, new_database, tmp_path):
    with filled:
        before = backups.digest(connection)
        saved = backups.save(tmp_path / "backup")
    with new_database("empty"):
        backups.restore(saved.path)
        assert backups.digest(connection) == before
        assert ledger.first_fault(expected=saved.anchor) is None
        assert bytes(Paper.objects.get().body) == bytes(range(256))
        assert Group.objects.get(name="Officers").user_set.get().username == "officers"
        assert Action.history.first().title == Action.objects.get().title
        assert Action.history.last().title == "Title of A01"


def test_a_digest_sees_any_change_but_not_a_sign_in(filled):
    with filled:
        before = backups.digest(connection)
        User.objects.update(last_login=timezone.now())
        assert backups.digest(connection) == before
        triggers.drop(connection)
        assert backups.digest(connection) != before
        triggers.install(connection)
        assert backups.digest(connection) == before
        User.objects.update(first_name="Other")
        assert backups.digest(connection) != before


def test_a_restored_database_takes_its_first_row_in_every_table(filled, new_database, tmp_path):
    with filled:
        saved = backups.save(tmp_path / "backup")
    with new_database("empty"):
        backups.restore(saved.path)
        officer = make_user("Officers", username="second")
        action = make_action("A99", recommendation=make_recommendation(99, document=make_document("new")))
        make_update(action, by=officer)
        make_decision(make_due_date(action, by=officer, needs_decision=True), by=officer)
        make_assessment(make_recommendation(98))
        Meeting.objects.create(held_on=datetime.date(2023, 1, 5))
        assert ledger.first_fault(expected=saved.anchor) is None


def test_a_restored_history_cannot_be_rewritten(filled, new_database, tmp_path):
    with filled:
        saved = backups.save(tmp_path / "backup")
    with new_database("empty"):
        backups.restore(saved.path)
        assert triggers.check_installed(None, ["default"]) == []
        with pytest.raises(IntegrityError, match="append-only"):
            ProgressUpdate.objects.update(status="embedded")
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
                assert cursor.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_backup_of_a_busy_record_holds_what_was_acknowledged_and_nothing_half(
    filled, new_database, tmp_path
):
    acknowledged, stop = [], threading.Event()

    def write(writer):
        try:
            for number in range(1000):
                if stop.is_set():
                    return
                add_update(f"{writer}/{number}")
                acknowledged.append(f"{writer}/{number}")
        finally:
            connections.close_all()

    with filled:
        threads = [threading.Thread(target=write, args=[writer]) for writer in range(4)]
        for thread in threads:
            thread.start()
        try:
            while len(acknowledged) < 20:
                assert any(thread.is_alive() for thread in threads)
                time.sleep(0.01)
            had = set(acknowledged)
            saved = backups.save(tmp_path / "backup")
            during = len(acknowledged) - len(had)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert during, "the writers waited for the backup"
    with new_database("empty"):
        backups.restore(saved.path)
        assert had <= set(ProgressUpdate.objects.values_list("narrative", flat=True))
        assert ledger.first_fault(expected=saved.anchor) is None


def test_a_backup_is_for_its_owner_only_and_never_overwritten(filled, tmp_path):
    path = tmp_path / "backup"
    with filled:
        call_command("backup", str(path))
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        before = path.read_bytes()
        with pytest.raises(CommandError, match="there already"):
            call_command("backup", str(path))
        assert path.read_bytes() == before


def test_a_backup_that_fails_leaves_no_file(filled, tmp_path, monkeypatch):
    folder = tmp_path / "backups"
    folder.mkdir()
    with filled:
        with pytest.raises(CommandError, match="cannot be written"):
            call_command("backup", str(tmp_path / "missing" / "backup"))
        monkeypatch.setattr(backups, "_closing_line", lambda found: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            backups.save(folder / "backup")
    assert list(folder.iterdir()) == []


def test_a_backup_with_any_byte_changed_is_refused(filled, new_database, tmp_path):
    path = tmp_path / "backup"
    with filled:
        backups.save(path)
    whole = path.read_bytes()
    places = [0, 9, len(whole) // 2, len(whole) - 70, len(whole) - 3, len(whole) - 1]
    damaged = [whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in places]
    with new_database("empty"):
        for content in [*damaged, whole[:-1], whole[:-200], whole + b"\n", b""]:
            path.write_bytes(content)
            with pytest.raises(CommandError, match="not a whole backup"):
                call_command("restore", str(path))
        assert connection.introspection.table_names() == []


def test_a_database_that_is_not_empty_is_left_alone_unless_forced(filled, new_database, tmp_path, capsys):
    path = tmp_path / "backup"
    with filled:
        backups.save(path)
        with new_database() as other:
            make_user("Chair")
            theirs = backups.digest(other)
            with pytest.raises(CommandError, match="not empty"):
                call_command("restore", str(path))
            assert backups.digest(other) == theirs

            call_command("restore", str(path), "--force")
            (kept,) = (tmp_path / "var").iterdir()
            assert str(kept) in capsys.readouterr().out
            restored = backups.digest(other)
            assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert restored == backups.digest(connection)
    with new_database("empty"):
        backups.restore(kept)
        assert backups.digest(connection) == theirs


def test_a_backup_whose_history_does_not_hold_changes_nothing(filled, new_database, tmp_path):
    with filled:
        triggers.drop(connection)
        ProgressUpdate.objects.filter(pk=1).update(narrative="Rewritten by an owner of the database")
        triggers.install(connection)
        saved = backups.save(tmp_path / "backup")
    with new_database() as other:
        make_user("Chair")
        theirs = backups.digest(other)
        with pytest.raises(backups.Refused, match="Entry 1 .* was changed"):
            backups.restore(saved.path, force=True)
        assert backups.digest(other) == theirs


def test_an_older_backup_is_brought_up_to_date_and_a_newer_one_refused(new_database, tmp_path):
    with new_database():
        make_update(make_action())
        before = backups.digest(connection)
        MigrationRecorder(connection).record_unapplied("meetings", "0002_chain_papers")
        saved = backups.save(tmp_path / "older")
    newer = saved.path.read_bytes().replace(b'"meetings","0001_initial"', b'"meetings","0999_later"')
    *lines, _ = newer.splitlines(keepends=True)
    closing = {"sha256": hashlib.sha256(b"".join(lines)).hexdigest()}
    path = tmp_path / "newer"
    path.write_bytes(b"".join(lines) + json.dumps(closing, separators=(",", ":")).encode() + b"\n")
    with new_database("empty"):
        with pytest.raises(backups.Refused, match="newer copy of the site"):
            backups.restore(path)
        assert connection.introspection.table_names() == []
        backups.restore(saved.path)
        assert backups.digest(connection) == before
