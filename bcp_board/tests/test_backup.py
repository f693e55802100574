"""A backup holds the whole record, and a restore puts all of it back or nothing."""

import datetime
import hashlib
import json
import os
import stat
import threading
import time
from contextlib import closing

import dj_database_url
import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from bcp_board import backup_files, backups
from bcp_board.backup_files import Trust
from bcp_board.private_sqlite3.base import DatabaseWrapper
from bcp_board.tests.scratch import tables_whose_next_key_is_taken
from meetings.models import Paper
from recommendations.models import Action, ProgressUpdate
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_decision,
    make_due_date,
    make_recommendation,
    make_update,
)
from record import triggers
from record.tests.factories import make_document, make_meeting, make_user
from record.verification import first_fault

pytestmark = pytest.mark.sweep

ANYBODY = Trust(unsigned=True)


def leave_a_trigger():
    """Do what somebody who got into the database may have done to outlive a restore of its rows."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute('CREATE TRIGGER "left" AFTER INSERT ON auth_user BEGIN SELECT 1; END')
        else:
            cursor.execute(
                'CREATE TRIGGER "left" BEFORE UPDATE ON auth_user FOR EACH ROW '
                "EXECUTE FUNCTION suppress_redundant_updates_trigger()"
            )
            cursor.execute('ALTER TABLE auth_user ENABLE ALWAYS TRIGGER "left"')


def sealed(lines):
    """``lines`` of a backup with the SHA-256 that they would end with."""
    closing = {"sha256": hashlib.sha256(b"".join(lines)).hexdigest()}
    return b"".join(lines) + json.dumps(closing, separators=(",", ":")).encode() + b"\n"


def add_update(narrative):
    """Record an update on the first action, signed by the officer."""
    action, officer = Action.objects.get(ref="A01"), User.objects.get(username="officers")
    return make_update(action, by=officer, narrative=narrative)


@pytest.mark.parametrize("batch", [backups.BATCH, 1, 2])
def test_a_restored_record_is_the_one_that_was_saved(
    filled_record, new_database, tmp_path, backup_key, monkeypatch, batch
):
    """Also where tables are longer than what is read or written at once, or just as long."""
    monkeypatch.setattr(backups, "BATCH", batch)
    with filled_record:
        before = backups.digest(connection)
        saved = backups.save(tmp_path / "backup")
    with new_database():
        backups.restore(saved.path, identity=backup_key)
        assert backups.digest(connection) == before
        assert first_fault(expected=saved.anchor) is None
        assert bytes(Paper.objects.get().body) == bytes(range(256))
        assert Group.objects.get(name="Officers").user_set.get().username == "officers"
        assert Action.history.first().title == Action.objects.get().title
        assert Action.history.last().title == "Title of A01"


def test_a_digest_sees_any_change_but_not_a_sign_in(filled_record):
    with filled_record:
        before = backups.digest(connection)
        User.objects.update(last_login=timezone.now())
        assert backups.digest(connection) == before
        triggers.drop(connection)
        assert backups.digest(connection) != before
        triggers.install(connection)
        assert backups.digest(connection) == before
        User.objects.update(first_name="Other")
        assert backups.digest(connection) != before


def test_after_a_restore_postgresql_knows_how_much_each_table_holds(
    filled_record, new_database, tmp_path, backup_key
):
    """Else it answers the first pages as if there were next to nothing, for minutes."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite does not plan by it")
    with filled_record:
        saved = backups.save(tmp_path / "backup")
    with new_database() as database:
        backups.restore(saved.path, identity=backup_key)
        with database.cursor() as cursor:
            cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'recommendations_progressupdate'")
            assert cursor.fetchone() == (ProgressUpdate.objects.count(),)


def test_a_restored_database_takes_its_first_row_in_every_table(
    filled_record, new_database, tmp_path, backup_key
):
    with filled_record:
        saved = backups.save(tmp_path / "backup")
    with new_database():
        backups.restore(saved.path, identity=backup_key)
        assert tables_whose_next_key_is_taken() == []
        officer = make_user("Officers", username="second")
        action = make_action("A99", make_recommendation(99, document=make_document("new")))
        make_update(action, by=officer)
        make_decision(make_due_date(action, by=officer, needs_decision=True), by=officer)
        make_assessment(make_recommendation(98))
        make_meeting(held_on=datetime.date(2023, 1, 5))
        assert first_fault(expected=saved.anchor) is None


def test_a_restored_history_cannot_be_rewritten(filled_record, new_database, tmp_path, backup_key):
    with filled_record:
        saved = backups.save(tmp_path / "backup")
    with new_database():
        backups.restore(saved.path, identity=backup_key)
        assert_guarded()


def assert_guarded():
    assert triggers.check_installed(None, ["default"]) == []
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        ProgressUpdate.objects.update(status="embedded")
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert cursor.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_backup_of_a_busy_record_holds_what_was_acknowledged_and_nothing_half(
    filled_record, new_database, tmp_path, backup_key
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

    with filled_record:
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
    with new_database():
        backups.restore(saved.path, identity=backup_key)
        assert had <= set(ProgressUpdate.objects.values_list("narrative", flat=True))
        assert first_fault(expected=saved.anchor) is None


def test_a_backup_is_for_its_owner_only_and_never_overwritten(filled_record, tmp_path):
    path = tmp_path / "backup"
    with filled_record:
        call_command("backup", str(path))
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        before = path.read_bytes()
        with pytest.raises(CommandError, match="there already"):
            call_command("backup", str(path))
        assert path.read_bytes() == before


def test_a_backup_that_fails_leaves_no_file(filled_record, tmp_path, monkeypatch):
    folder = tmp_path / "backups"
    folder.mkdir()
    with filled_record:
        with pytest.raises(CommandError, match="cannot be written"):
            call_command("backup", str(tmp_path / "missing" / "backup"))
        monkeypatch.setattr(backup_files, "_closing_line", lambda *_: 1 / 0)
        for unencrypted in (False, True):
            with pytest.raises(ZeroDivisionError):
                backups.save(folder / "backup", unencrypted=unencrypted)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("unencrypted", [False, True])
def test_a_backup_with_any_byte_changed_is_refused(
    filled_record, new_database, tmp_path, backup_key, unencrypted
):
    path = tmp_path / "backup"
    with filled_record:
        backups.save(path, unencrypted=unencrypted)
    whole = path.read_bytes()
    places = [0, 9, whole.index(b"\n") + 1, len(whole) // 2]
    places += [len(whole) - back for back in (130, 110, 77, 70, 3, 1)]
    damaged = [whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in places]
    sentence = "not a whole backup|signature .* does not hold|not signed with a key"
    with new_database("empty"):
        for content in [*damaged, whole[:-1], whole[:-200], whole + b"\n", b""]:
            path.write_bytes(content)
            with pytest.raises(CommandError, match=sentence):
                call_command("restore", str(path), identity=backup_key)
        assert connection.introspection.table_names() == []


@pytest.fixture
def open_umask():
    """What is made inside is for everyone, unless it says otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_what_a_backup_and_a_restore_write_is_for_its_owner_only_whatever_the_umask(
    filled_record, new_database, settings, tmp_path, backup_key, open_umask
):
    settings.BACKUP_FOLDER = tmp_path / "var" / "of its own" / "backups"
    with filled_record:
        call_command("backup")
    (path,) = settings.BACKUP_FOLDER.iterdir()
    with new_database():
        make_user("Chair")
        call_command("restore", str(path), "--force", identity=backup_key)
    call_command("backup_key", str(tmp_path / "second key"))
    made = [settings.VAR_DIR, *settings.VAR_DIR.rglob("*"), tmp_path / "second key"]
    rights = {path: stat.S_IMODE(path.stat().st_mode) for path in made}
    # The folders "var", "of its own" and "backups"; a backup, what was replaced and a key.
    assert sorted(rights.values()) == [0o600] * 3 + [0o700] * 3
    assert {path for path in made if path.is_dir()} == {path for path in made if rights[path] == 0o700}


@pytest.mark.once
@pytest.mark.django_db
@pytest.mark.parametrize("is_there", [False, True])
def test_a_sqlite_database_and_what_is_beside_it_is_for_its_owner_only(tmp_path, open_umask, is_there):
    path = tmp_path / "board.sqlite3"
    if is_there:
        for name in (path, path.with_name("board.sqlite3-wal"), path.with_name("board.sqlite3-shm")):
            name.touch(0o644)
    assert connection.vendor != "sqlite" or isinstance(connections["default"], DatabaseWrapper)
    connected = DatabaseWrapper(
        connection.settings_dict | dj_database_url.parse(f"sqlite:///{path}") | {"OPTIONS": {}}
    )
    with closing(connected), connected.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("CREATE TABLE something (id integer)")
        assert {found.name: stat.S_IMODE(found.stat().st_mode) for found in tmp_path.iterdir()} == {
            "board.sqlite3": 0o600,
            "board.sqlite3-wal": 0o600,
            "board.sqlite3-shm": 0o600,
        }


# A database that is there already ---------------------------------------------------------------------------


def test_a_database_that_is_not_empty_is_left_alone_unless_forced(
    filled_record, new_database, tmp_path, capsys, backup_key
):
    path = tmp_path / "backup"
    with filled_record:
        before = backups.digest(connection)
        backups.save(path)
    with new_database() as other:
        make_user("Chair")
        theirs = backups.digest(other)
        leave_a_trigger()
        tampered = backups.digest(other)
        with pytest.raises(CommandError, match="not empty"):
            call_command("restore", str(path), identity=backup_key)
        assert backups.digest(other) == tampered

        call_command("restore", str(path), "--force", identity=backup_key)
        (kept,) = (tmp_path / "var").iterdir()
        assert str(kept) in capsys.readouterr().out
        assert backups.digest(other) == before
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert backup_files.read(kept, trust=backups.trust()).recipients != ()
    with new_database():
        backups.restore(kept, identity=backup_key)
        assert backups.digest(connection) == theirs


def test_a_backup_whose_history_does_not_hold_changes_nothing(
    filled_record, new_database, tmp_path, backup_key
):
    with filled_record:
        triggers.drop(connection)
        first = ProgressUpdate.objects.earliest("pk").pk
        ProgressUpdate.objects.filter(pk=first).update(narrative="Rewritten by an owner of the database")
        triggers.install(connection)
        saved = backups.save(tmp_path / "backup")
    with new_database() as other:
        theirs = backups.digest(other)
        with pytest.raises(
            backups.Refused, match=r"Entry \d+ .* was changed: recommendations.progressupdate"
        ):
            backups.restore(saved.path, identity=backup_key)
        assert backups.digest(other) == theirs
        make_user("Chair")
        theirs = backups.digest(other)
        with pytest.raises(
            backups.Refused, match=r"Entry \d+ .* was changed: recommendations.progressupdate"
        ):
            backups.restore(saved.path, force=True, identity=backup_key)
        assert backups.digest(other) == theirs


def test_a_backup_of_a_history_that_does_not_hold_is_kept_and_whoever_makes_it_is_told(
    filled_record, tmp_path, log
):
    with filled_record:
        triggers.drop(connection)
        ProgressUpdate.objects.all().update(narrative="Rewritten by an owner of the database")
        triggers.install(connection)
        path = tmp_path / "backup"
        log()
        with pytest.raises(CommandError, match="^It cannot be restored, .* Entry [0-9]+ .* was changed"):
            call_command("backup", str(path))
    assert [(line["event"], line["outcome"]) for line in log()] == [
        ("backup", "ok"),
        ("verify history", "failed"),
    ]
    assert backup_files.read(path, trust=ANYBODY).anchor.count > 0


def test_a_backup_that_cannot_read_the_record_says_so_and_is_logged(filled_record, tmp_path, log):
    with filled_record:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE record_salt")
            cursor.execute("DROP TABLE record_ledgerentry")
        log()
        with pytest.raises(CommandError, match="Nothing was saved: the record cannot be reached"):
            call_command("backup", str(tmp_path / "backup"))
    assert [(line["event"], line["outcome"]) for line in log()] == [("backup", "failed")]
    assert not (tmp_path / "backup").exists()


def wrong_status(lines):
    return [line.replace(b'"on_track"', b'"splendid"') for line in lines]


def a_row_short(lines):
    return [line for line in lines if b"Wrong day" not in line]


def no_such_table(lines):
    return [line.replace(b'"record.meeting"', b'"meetings.seance"') for line in lines]


def one_line_more(lines):
    return [*lines, b'{"table": "auth.user"}\n']


@pytest.mark.parametrize("spoil", [wrong_status, a_row_short, no_such_table, one_line_more])
def test_a_file_that_is_no_whole_record_is_refused_without_quoting_it(
    filled_record, new_database, tmp_path, spoil, log, capsys
):
    """The checksum is right: somebody made it anew."""
    with filled_record:
        saved = backups.save(tmp_path / "backup", unencrypted=True)
    heading, *lines, _ = saved.path.read_bytes().splitlines(keepends=True)
    spoilt = spoil(lines)
    assert spoilt != lines
    (tmp_path / "spoilt").write_bytes(sealed([heading, *spoilt]))
    with new_database() as other:
        theirs = backups.digest(other)
        log()
        with pytest.raises(CommandError, match=r"Nothing was restored\.") as refusal:
            call_command("restore", str(tmp_path / "spoilt"), "--unsigned")
        assert backups.digest(other) == theirs
    assert "Line one" not in str(refusal.value)
    assert [(line["event"], line["outcome"]) for line in log()] == [("restore", "failed")]


def test_an_older_backup_is_brought_up_to_date_and_a_newer_one_refused(new_database, tmp_path):
    with new_database():
        make_update(make_action())
        before = backups.digest(connection)
        MigrationRecorder(connection).record_unapplied("meetings", "0002_chain_papers")
        saved = backups.save(tmp_path / "older", unencrypted=True)
    newer = saved.path.read_bytes().replace(b'"meetings","0001_initial"', b'"meetings","0999_later"')
    *lines, _ = newer.splitlines(keepends=True)
    path = tmp_path / "newer"
    path.write_bytes(sealed(lines))
    with new_database("empty"):
        with pytest.raises(backups.Refused, match="newer copy of the site"):
            backups.restore(path, unsigned=True)
        assert connection.introspection.table_names() == []
        backups.restore(saved.path)
        assert backups.digest(connection) == before
        assert_guarded()
