"""Only who holds the keys of a backup reads it, and only what the site signed is restored."""

import gzip
import hashlib
import json
import os
import re
import stat
import subprocess
import tempfile
from contextlib import nullcontext

import pyrage
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pyrage import x25519

from bcp_board import backup_files, backup_keys, backups
from bcp_board.tests.test_backup import ANYBODY, sealed
from recommendations.models import Action

pytestmark = pytest.mark.sweep

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
