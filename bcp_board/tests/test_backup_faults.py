"""What an operator reads where a disk is full, a database is gone or is shared with others."""

import secrets
import shutil
import subprocess
import sys
import tempfile

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone

from bcp_board import backup_files, backups
from bcp_board.tests.serving import ROOT, Site
from record.tests.factories import make_user

pytestmark = pytest.mark.sweep


@pytest.fixture
def full_disk(tmp_path):
    """A folder on a disk of its own, which has no room left."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    try:
        with (disk / "filler").open("ab", buffering=0) as file:
            while shutil.disk_usage(disk).free:
                file.write(bytes(4096))
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def said(*arguments, **more):
    """The sentence with which the command ends."""
    with pytest.raises(CommandError) as refusal:
        call_command(*map(str, arguments), **more)
    return str(refusal.value)


def outcomes(log):
    return [(line["event"], line["outcome"]) for line in log()]


def test_a_full_temporary_disk_is_no_damaged_backup(
    filled_record, new_database, tmp_path, backup_key, monkeypatch, full_disk, log
):
    with filled_record:
        path = backups.save(tmp_path / "backup").path
    monkeypatch.setattr(tempfile, "tempdir", str(full_disk))
    with new_database() as other:
        before = backups.digest(other)
        log()
        assert said("restore", path, identity=backup_key) == (
            "The decrypted record does not fit into the folder for temporary files: No space left on device. "
            "Make room there, or name another folder in TMPDIR."
        )
        assert outcomes(log) == [("restore", "failed")]
        assert backups.digest(other) == before


def test_a_missing_temporary_folder_is_told_in_words(
    filled_record, new_database, tmp_path, backup_key, monkeypatch
):
    with filled_record:
        path = backups.save(tmp_path / "backup").path
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with new_database("empty"):
        assert said("restore", path, identity=backup_key) == (
            "The decrypted record does not fit into the folder for temporary files: No such file or "
            "directory. Make room there, or name another folder in TMPDIR."
        )


@pytest.mark.parametrize("unencrypted", [False, True])
def test_a_full_disk_for_backups_is_told_in_words_and_left_as_it_was(
    filled_record, settings, full_disk, unencrypted, log
):
    before = list(full_disk.iterdir())
    with filled_record:
        log()
        path = full_disk / "board.backup"
        sentence = said("backup", path, unencrypted=unencrypted)
        assert sentence == f"{path} cannot be written: No space left on device."
        settings.BACKUP_FOLDER = full_disk
        assert said("backup").endswith("cannot be written: No space left on device.")
    assert outcomes(log) == [("backup", "failed")] * 2
    assert list(full_disk.iterdir()) == before


def test_a_disk_that_fills_while_a_long_record_is_encrypted_is_told_in_words(full_disk, settings, backup_key):
    path = full_disk / "board.backup"
    heading = {"made_at": timezone.now(), "anchor": f"0:{'0' * 64}", "migrations": []}
    lines = (secrets.token_bytes(1000) for _ in range(1000))
    with pytest.raises(backups.Refused) as refusal:
        backup_files.write(path, heading, lines, recipients=settings.BACKUP_RECIPIENTS, signing_key="")
    assert str(refusal.value) == f"{path} cannot be written: No space left on device."
    assert [found.name for found in full_disk.iterdir()] == ["filler"]


def test_where_what_is_replaced_cannot_be_kept_nothing_is_replaced(
    filled_record, new_database, settings, tmp_path, backup_key, full_disk
):
    with filled_record:
        path = backups.save(tmp_path / "backup").path
    with new_database() as other:
        make_user("Chair")
        before = backups.digest(other)
        settings.VAR_DIR = full_disk
        assert said("restore", path, "--force", identity=backup_key).endswith(
            "cannot be written: No space left on device."
        )
        settings.VAR_DIR = full_disk / "filler" / "var"
        assert said("restore", path, "--force", identity=backup_key) == (
            f"{settings.VAR_DIR} cannot be made: Not a directory."
        )
        assert backups.digest(other) == before


def test_a_database_without_room_is_no_damaged_backup(filled_record, new_database, tmp_path, backup_key, log):
    with filled_record:
        path = backups.save(tmp_path / "backup").path
    with new_database() as other:
        if other.vendor == "postgresql":
            with pytest.raises(OperationalError) as full, other.cursor() as cursor:
                cursor.execute("DO $$ BEGIN RAISE disk_full; END $$")
            assert backups.what_failed(full.value) == "the disk of the database is full"
            return
        before = backups.digest(other)
        with other.cursor() as cursor:
            cursor.execute("PRAGMA page_count")
            cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")
        log()
        assert said("restore", path, identity=backup_key) == (
            "Nothing was restored: the disk of the database is full."
        )
        assert outcomes(log) == [("restore", "failed")]
        assert backups.digest(other) == before


@pytest.mark.once
@pytest.mark.parametrize("url", ["sqlite:////nowhere/board.sqlite3", "postgres://nobody@127.0.0.1:1/board"])
def test_a_database_that_cannot_be_reached_is_told_in_one_sentence(
    filled_record, tmp_path, backup_key, settings, url
):
    with filled_record:
        path = backups.save(tmp_path / "backup").path
    for arguments, sentence in [
        (["backup", tmp_path / "new", "--unencrypted"], "Nothing was saved: the record cannot be reached."),
        (["restore", path, "--identity", backup_key], "Nothing was restored: the record cannot be reached."),
    ]:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=Site(url).env, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (1, "")
        assert [line for line in done.stderr.splitlines() if line[0] != "{"] == [f"CommandError: {sentence}"]
    assert not (tmp_path / "new").exists()


def test_a_database_that_goes_away_meanwhile_is_told_in_words(filled_record, tmp_path, backup_key, log):
    def gone(execute, sql, *more):
        if "recommendations_progressupdate" in sql:
            raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, *more)

    with filled_record as record:
        log()
        with record.execute_wrapper(gone):
            for unencrypted in (False, True):
                assert said("backup", tmp_path / "new", unencrypted=unencrypted) == (
                    "Nothing was saved: the record cannot be reached."
                )
    assert outcomes(log) == [("backup", "failed")] * 2
    assert list(tmp_path.glob("*new*")) == []


def test_a_database_without_room_to_sort_in_is_told_in_words(filled_record, tmp_path, backup_key):
    def full(execute, sql, params, many, context):
        if "recommendations_progressupdate" in sql:
            sql, params = "DO $$ BEGIN RAISE disk_full; END $$", None
        return execute(sql, params, many, context)

    with filled_record as record:
        if record.vendor != "postgresql":
            pytest.skip("SQLite is asked for no room in which to read")
        with record.execute_wrapper(full):
            for unencrypted in (False, True):
                assert said("backup", tmp_path / "new", unencrypted=unencrypted) == (
                    "Nothing was saved: the disk of the database is full."
                )


# A database that others use too -----------------------------------------------------------------------------


def leave_a_table(view_of):
    """Make what another program may have in the same database."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE theirs (words text)")
        cursor.execute("INSERT INTO theirs VALUES ('Not the board’s')")
        cursor.execute(f"CREATE VIEW their_view AS SELECT * FROM {view_of}")


def theirs():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM their_view")
        cursor.execute("SELECT words FROM theirs")
        return cursor.fetchall()


@pytest.mark.parametrize("is_forced", [False, True])
def test_a_restore_leaves_alone_what_others_keep_in_the_database(
    filled_record, new_database, tmp_path, backup_key, is_forced
):
    with filled_record:
        before = backups.digest(connection)
        path = backups.save(tmp_path / "backup").path
    with new_database() as other:
        leave_a_table(view_of="theirs")
        if is_forced:
            make_user("Chair")
        call_command("restore", str(path), force=is_forced, identity=backup_key)
        assert theirs() == [("Not the board’s",)]
        assert backups.digest(other) == before


def test_what_others_made_of_the_boards_tables_is_never_dropped_with_them(
    filled_record, new_database, tmp_path, backup_key
):
    with filled_record:
        path = backups.save(tmp_path / "backup").path
    with new_database() as other:
        make_user("Chair")
        leave_a_table(view_of="auth_user")
        before = backups.digest(other)
        if other.vendor == "postgresql":
            assert said("restore", path, "--force", identity=backup_key) == (
                "Nothing was restored. Somebody made a table or view of their own in this database that "
                "depends on one of the board's. Drop theirs first."
            )
            assert backups.digest(other) == before
        else:
            call_command("restore", str(path), "--force", identity=backup_key)
        assert theirs() == [("Not the board’s",)]


def test_a_restore_replaces_nothing_while_somebody_is_connected(filled_record, tmp_path, backup_key):
    if filled_record.is_file:
        pytest.skip("on SQLite people read the old record until the new one is there")
    with filled_record as database:
        path = backups.save(tmp_path / "backup").path
        make_user("Officers", "later")
        before = backups.digest(database)
        with psycopg.connect(filled_record.url):
            assert said("restore", path, identity=backup_key, force=True) == (
                "Nothing was restored. Nobody can read while the record is replaced, and somebody is "
                "connected to the database (1). Stop the site first."
            )
        assert backups.digest(database) == before
        call_command("restore", str(path), identity=str(backup_key), force=True)
        assert backups.digest(database) != before
