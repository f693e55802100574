"""A backup holds the whole record, and a restore puts all of it back or nothing."""

import datetime
import gzip
import hashlib
import json
import os
import re
import stat
import subprocess
import tempfile
import threading
import time
from contextlib import closing, nullcontext

import dj_database_url
import pyrage
import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from pyrage import x25519

from bcp_board import backup_files, backup_keys, backups
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


# Signing ----------------------------------------------------------------------------------------------------


def restoring(path, *options, **more):
    """What the command says to whoever restores ``path``, or None if it does."""
    try:
        call_command("restore", str(path), *options, **more)
    except CommandError as refusal:
        return str(refusal)


@pytest.mark.parametrize("unencrypted", [False, True])
def test_what_somebody_without_the_signing_key_puts_in_the_folder_is_not_restored(
    filled_record, new_database, settings, tmp_path, backup_key, unencrypted
):
    """Encrypted to the right key, with the right SHA-256: made by whoever can write to the folder."""
    path, ours = tmp_path / "backup", settings.BACKUP_SIGNING_KEY
    unknown = (
        f"{path} is not signed with a key that is known here, so whoever could write to its folder may "
        "have made it. Give its key (BACKUP_SIGNING_KEY, or --identity to restore), or add --unsigned if "
        "you know who made it."
    )
    with filled_record:
        for theirs in ("", "another key"):
            settings.BACKUP_SIGNING_KEY = theirs
            path.unlink(missing_ok=True)
            backups.save(path, unencrypted=unencrypted)
            settings.BACKUP_SIGNING_KEY = ours
            with new_database("empty"):
                assert restoring(path, identity=backup_key) == unknown
                assert connection.introspection.table_names() == []
    with new_database():
        assert restoring(path, "--unsigned", identity=backup_key) is None
        assert Action.objects.get().ref == "A01"


def test_a_signature_that_does_not_hold_is_refused_whatever_is_asked(
    filled_record, new_database, tmp_path, backup_key
):
    path = tmp_path / "backup"
    with filled_record:
        backups.save(path)
    heading, *body, closing = path.read_bytes().splitlines(keepends=True)
    forged = b"".join([heading.replace(b'"made_at":"20', b'"made_at":"21'), *body])
    renewed = json.loads(closing) | {"sha256": hashlib.sha256(forged).hexdigest()}
    path.write_bytes(forged + backup_files.line_of(renewed))
    with new_database("empty"):
        for options in ([], ["--unsigned"]):
            assert restoring(path, *options, identity=backup_key) == (
                f"The signature of {path} does not hold: somebody altered it or made another."
            )
        assert connection.introspection.table_names() == []


def test_where_the_server_was_lost_the_key_file_is_enough(
    filled_record, new_database, settings, tmp_path, backup_key
):
    with filled_record:
        before = backups.digest(connection)
        path = backups.save(tmp_path / "backup").path
    settings.BACKUP_SIGNING_KEY, settings.BACKUP_RECIPIENTS = "", []
    with new_database():
        assert restoring(path, identity=backup_key) is None
        assert backups.digest(connection) == before


def test_a_backup_from_before_they_were_signed_and_compressed_is_restored_if_told_to(
    filled_record, new_database, settings, tmp_path, backup_key
):
    settings.BACKUP_SIGNING_KEY = ""
    with filled_record:
        before = backups.digest(connection)
        plain = backups.save(tmp_path / "plain", unencrypted=True).path.read_bytes()
    heading = json.loads(plain.splitlines()[0]) | {"format": 2, "recipients": settings.BACKUP_RECIPIENTS}
    recipient = x25519.Recipient.from_str(settings.BACKUP_RECIPIENTS[0])
    path = tmp_path / "old"
    path.write_bytes(
        sealed([backup_files.line_of(heading), pyrage.encrypt(plain, [recipient], armored=True)])
    )
    with new_database():
        assert restoring(path, identity=backup_key).startswith(f"{path} is not signed with a key")
        assert restoring(path, "--unsigned", identity=backup_key) is None
        assert backups.digest(connection) == before


def test_whoever_makes_a_backup_without_a_signing_key_is_told(filled_record, settings, tmp_path, capsys):
    settings.BACKUP_SIGNING_KEY = ""
    with filled_record:
        call_command("backup", str(tmp_path / "backup"))
    assert [line.partition(",")[0] for line in capsys.readouterr().err.splitlines() if line[0] != "{"] == [
        "It is not signed",
        "Set BACKUP_SIGNING_KEY",
    ]


# Encryption -------------------------------------------------------------------------------------------------


def test_an_encrypted_backup_shows_when_it_was_made_and_nothing_of_the_record(filled_record, tmp_path):
    with filled_record:
        encrypted = backups.save(tmp_path / "encrypted").path.read_bytes()
        plain = backups.save(tmp_path / "plain", unencrypted=True).path.read_bytes()
    words = [b"officers", b"Line one", b"Title since changed", b"recommendations.progressupdate"]
    assert [word in plain for word in words] == [True] * 4
    assert [word in encrypted for word in words] == [False] * 4
    heading, begin, *_, end, closing = encrypted.splitlines()
    assert sorted(json.loads(heading)) == [
        "anchor",
        "erased_at",
        "format",
        "made_at",
        "migrations",
        "recipients",
    ]
    assert (begin, end) == (b"-----BEGIN AGE ENCRYPTED FILE-----", b"-----END AGE ENCRYPTED FILE-----")


def test_what_is_encrypted_opens_without_this_program_and_is_a_plain_backup(
    filled_record, tmp_path, backup_key
):
    with filled_record:
        saved = backups.save(tmp_path / "backup")
    armoured = subprocess.run(["sed", "1d;$d", saved.path], capture_output=True, check=True).stdout
    private_key = x25519.Identity.from_str(backup_key.read_text().splitlines()[-1])
    with (tmp_path / "plain").open("wb") as file:
        subprocess.run(["gunzip"], input=pyrage.decrypt(armoured, [private_key]), stdout=file, check=True)
    plain = backup_files.read(tmp_path / "plain", trust=backups.trust())
    assert (plain.made_at, plain.anchor, plain.recipients) == (saved.made_at, saved.anchor, ())


def test_each_of_several_keys_opens_a_backup(filled_record, settings, tmp_path, backup_key):
    second = tmp_path / "second"
    settings.BACKUP_RECIPIENTS = [*settings.BACKUP_RECIPIENTS, backup_keys.new(second)[0]]
    with filled_record:
        saved = backups.save(tmp_path / "backup")
    contents = []
    for identity in (backup_key, second):
        with backup_files.opened(saved.path, identity=identity, trust=backups.trust()) as (_, lines):
            contents.append(lines.read())
    assert contents[0] == contents[1]
    assert b"Line one" in contents[0]


def test_without_the_right_key_nothing_is_restored_and_one_sentence_says_why(
    filled_record, new_database, settings, tmp_path, backup_key
):
    path, other, public = tmp_path / "backup", tmp_path / "other", settings.BACKUP_RECIPIENTS[0]
    backup_keys.new(other)
    no_key = tmp_path / "no key"
    no_key.write_text(f"# public key: {public}\n{public}\n")
    with filled_record:
        backups.save(path)
    sentences = {
        None: f"{path} is encrypted. Name the file of its private key: --identity FILE.",
        other: f"{other} holds another key than that of {path}, which is encrypted to {public}.",
        tmp_path
        / "no key": f"{tmp_path}/no key holds no private key; such a key begins with AGE-SECRET-KEY-1.",
        tmp_path / "missing": f"{tmp_path}/missing cannot be read: No such file or directory.",
    }
    with new_database("empty"):
        for identity, sentence in sentences.items():
            with pytest.raises(CommandError) as refusal:
                call_command("restore", str(path), identity=identity)
            assert str(refusal.value) == sentence
        assert connection.introspection.table_names() == []


def test_a_backup_altered_by_somebody_who_renewed_its_checksum_is_refused(
    filled_record, tmp_path, backup_key
):
    with filled_record:
        saved = backups.save(tmp_path / "backup")
    heading, *body, _ = saved.path.read_bytes().splitlines(keepends=True)
    later = heading.replace(b'"made_at":"20', b'"made_at":"21')
    middle = len(body) // 2
    swapped = [*body[:middle], body[middle + 1], body[middle], *body[middle + 2 :]]
    forged = tmp_path / "forged"
    for lines, sentence in [
        ([heading, *swapped], f"{forged} was altered after it was encrypted."),
        ([later, *body], f"The heading of {forged} is not that of what is encrypted in it."),
    ]:
        forged.write_bytes(sealed(lines))
        with (
            pytest.raises(backups.Refused) as refusal,
            backup_files.opened(forged, identity=backup_key, trust=ANYBODY),
        ):
            pass
        assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    ("compressed", "sentence"),
    [
        (gzip.compress(bytes(100_000_000)), "{} was made to fill the disk: what it holds is far too large."),
        (b"not compressed", "{} was altered after it was encrypted."),
        (
            gzip.compress(b"")[:-1],
            "{} is not a whole backup: it does not match the SHA-256 in its last line.",
        ),
        (gzip.compress(b"") + b"more", "{} was altered after it was encrypted."),
    ],
    ids=["too large", "not compressed", "short", "more"],
)
def test_what_is_not_compressed_as_it_should_be_is_refused_and_fills_no_disk(
    settings, tmp_path, backup_key, monkeypatch, compressed, sentence
):
    path, recipient = tmp_path / "backup", settings.BACKUP_RECIPIENTS[0]
    heading = {"made_at": timezone.now(), "anchor": f"0:{'0' * 64}", "migrations": []}
    heading |= {"format": backup_files.COMPRESSED, "recipients": [recipient]}
    encrypted = pyrage.encrypt(compressed, [x25519.Recipient.from_str(recipient)], armored=True)
    path.write_bytes(sealed([backup_files.line_of(heading), encrypted]))
    with tempfile.TemporaryFile() as plain:
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda: nullcontext(plain))
        with (
            pytest.raises(backups.Refused) as refusal,
            backup_files.opened(path, identity=backup_key, trust=ANYBODY),
        ):
            pass
        assert str(refusal.value) == sentence.format(path)
        assert plain.tell() < 201 * path.stat().st_size + 2 * backup_files.AT_ONCE


def test_a_real_site_without_a_key_makes_no_backup_unless_told_to(filled_record, settings, tmp_path):
    path, settings.BACKUP_RECIPIENTS = tmp_path / "backup", []
    with filled_record:
        with pytest.raises(CommandError) as refusal:
            call_command("backup", str(path))
        assert str(refusal.value) == (
            "There is no key to encrypt the backup to. Set BACKUP_RECIPIENTS, or add --unencrypted if "
            "whoever can read the file may read the record."
        )
        call_command("backup", str(path), "--unencrypted")
        assert backup_files.read(path, trust=ANYBODY).recipients == ()
        # Nor the copy of what a restore replaces.
        before = backups.digest(connection)
        with pytest.raises(CommandError, match="There is no key to encrypt the backup to"):
            call_command("restore", str(path), "--force")
        assert backups.digest(connection) == before
        settings.DEBUG = True
        assert backups.save(tmp_path / "local").recipients == ()
    assert list((tmp_path / "var").iterdir()) == []


def test_nothing_is_left_in_plain_text(filled_record, new_database, tmp_path, monkeypatch, backup_key):
    """The one temporary file has no name, so that not even a killed program leaves it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with filled_record:
        saved = backups.save(tmp_path / "backup")
    there = {path for path in tmp_path.rglob("*") if path.is_file() and "sqlite3" not in path.name}
    with backup_files.opened(saved.path, identity=backup_key, trust=backups.trust()) as (_, lines):
        assert b"recommendations.progressupdate" in lines.read()
        assert stat.S_IMODE(os.fstat(lines.fileno()).st_mode) == 0o600
        assert os.fstat(lines.fileno()).st_nlink == 0
        assert list(folder.iterdir()) == []
    assert {path for path in tmp_path.rglob("*") if path.is_file() and "sqlite3" not in path.name} == there
    assert there == {saved.path, backup_key}


def test_a_new_key_is_for_its_owner_only_and_replaces_none(tmp_path, capsys):
    path = tmp_path / "key"
    call_command("backup_key", str(path))
    secret = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    form = r"# public key: (age1\w+)\n# signing key: ([0-9a-f]{64})\n(AGE-SECRET-KEY-1\w+)\n"
    public, signing, private = re.fullmatch(form, secret).groups()
    said = capsys.readouterr()
    assert said.out == f"BACKUP_RECIPIENTS={public}\nBACKUP_SIGNING_KEY={signing}\n"
    assert [private in said.err, signing in said.err] == [False, False]
    with pytest.raises(CommandError, match="cannot be written: File exists"):
        call_command("backup_key", str(path))
    assert path.read_text() == secret


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
