"""Whether the newest backup will do, and that nothing done here touches one that is there."""

import datetime
import os
import re
import stat
import tracemalloc

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from bcp_board import backup_files, backups
from bcp_board.management.commands.backup import new_file
from record.tests.factories import make_user


def backup_made_at(path, made_at):
    """Write to ``path`` a whole backup that says it was made then."""
    heading = {"made_at": made_at, "anchor": f"0:{'0' * 64}", "migrations": []}
    return backup_files.write(path, heading, [], recipients=[], signing_key=settings.BACKUP_SIGNING_KEY)


@pytest.fixture
def folder(settings, tmp_path, backup_key):
    """The folder of backups, empty."""
    settings.BACKUP_FOLDER = tmp_path / "backups"
    settings.BACKUP_FOLDER.mkdir()
    return settings.BACKUP_FOLDER


NONE = "There is no whole backup of this record."
NOW = datetime.datetime(2023, 7, 3, 12, 0, tzinfo=datetime.UTC)


def hours_ago(hours):
    return NOW - datetime.timedelta(hours=hours)


def test_a_backup_is_old_after_26_hours_by_what_it_says_itself(folder):
    assert backups.why_newest_will_not_do(now=NOW) == NONE
    old = backup_made_at(folder / "z.backup", hours_ago(26.01))
    os.utime(old.path, (NOW.timestamp(), NOW.timestamp()))
    assert backups.why_newest_will_not_do(now=NOW) == (
        "The newest backup of this record was made on 2 July 2023 at 10:59am, more than 26 hours ago."
    )
    new = backup_made_at(folder / "a.backup", hours_ago(26))
    os.utime(new.path, (0, 0))
    assert backups.why_newest_will_not_do(now=NOW) is None


def test_what_is_damaged_or_foreign_or_from_the_future_is_no_backup(folder):
    damaged = backup_made_at(folder / "damaged.backup", hours_ago(1)).path
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-100] + b"x" + whole[-99:])
    backup_made_at(folder / "future.backup", hours_ago(-1))
    (folder / "empty.backup").write_bytes(b"")
    (folder / "list.backup").write_bytes(b"[]\n")
    (folder / "wrong.backup").write_bytes(b'{"format":1}\n')
    (folder / "folder.backup").mkdir()
    assert backups.why_newest_will_not_do(now=NOW) == NONE
    backup_made_at(folder / "older.backup", hours_ago(2))
    assert backups.why_newest_will_not_do(now=NOW) is None


def test_a_file_without_the_end_of_a_line_is_never_in_memory_whole(folder):
    made = backup_made_at(folder / "a.backup", NOW)
    with made.path.open("ab") as file:
        file.write(bytes(50_000_000))
    tracemalloc.start()
    assert backups.why_newest_will_not_do(now=NOW) == NONE
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


def test_a_backup_without_a_name_gets_a_dated_one_and_the_check_passes(filled_record, folder, capsys, log):
    folder.rmdir()
    with pytest.raises(CommandError) as failure:
        call_command("check_backups")
    assert str(failure.value) == NONE
    (line,) = log()
    assert (line["event"], line["outcome"], line["folder"]) == ("backup check", "failed", str(folder))

    with filled_record:
        call_command("backup")

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (made,) = folder.iterdir()
    assert re.fullmatch(r"board-\d{8}T\d{12}Z\.backup", made.name)
    call_command("check_backups")
    assert capsys.readouterr().out.endswith("The newest backup is whole, and less than 26 hours old.\n")


def test_nothing_that_is_done_here_touches_a_backup_that_is_there(
    filled_record, new_database, folder, backup_key
):
    path = folder / "board.backup"
    with filled_record:
        call_command("backup", str(path))
        before = (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
        for arguments in ([str(path)], [str(path), "--unencrypted"], [str(folder)]):
            with pytest.raises(CommandError):
                call_command("backup", *arguments)
        with pytest.raises(CommandError):
            call_command("backup_key", str(path))
        call_command("backup")
        call_command("check_backups")
    with new_database():
        call_command("restore", str(path), identity=backup_key)
    assert (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes()) == before
    assert len(list(folder.iterdir())) == 2


def test_the_check_fails_on_a_newest_backup_that_somebody_else_made(folder, settings):
    ours = settings.BACKUP_SIGNING_KEY
    backup_made_at(folder / "a.backup", timezone.now() - datetime.timedelta(hours=1))
    call_command("check_backups")
    for theirs in ("", "another key"):
        settings.BACKUP_SIGNING_KEY = theirs
        forged = backup_made_at(folder / f"b{theirs}.backup", timezone.now()).path
        settings.BACKUP_SIGNING_KEY = ours
        with pytest.raises(CommandError) as failure:
            call_command("check_backups")
        assert str(failure.value) == (
            f"{forged} is not signed with a key that is known here, so whoever could write to its folder may "
            "have made it. Give its key (BACKUP_SIGNING_KEY, or --identity to restore), or add --unsigned if "
            "you know who made it."
        )
        call_command("check_backups", "--unsigned")


def test_two_backups_that_begin_within_a_second_have_two_names(folder):
    assert len({new_file() for _ in range(10)}) == 10


def test_old_backups_are_deleted_only_when_told_to_and_never_the_newest_nor_one_that_cannot_be_read(
    folder, settings, capsys, log
):
    ours = settings.BACKUP_SIGNING_KEY
    now = timezone.now()
    year_3000 = datetime.datetime(3000, 1, 1, tzinfo=datetime.UTC)
    kept = backup_made_at(folder / "newest.backup", now).path
    # Five in one week three years ago, of which no rule keeps any.
    week = [datetime.datetime(2023, 7, day, 12, tzinfo=datetime.UTC) for day in (3, 4, 5, 6, 7)]
    old = [backup_made_at(folder / f"old-{day:%d}.backup", day).path for day in week]
    whole = old[3].read_bytes()
    old[3].write_bytes(whole[:-100] + b"x" + whole[-99:])
    settings.BACKUP_SIGNING_KEY = "another key"
    old[4].unlink()
    backup_made_at(old[4], week[4])
    settings.BACKUP_SIGNING_KEY = ours
    later = backup_made_at(folder / "z.backup", year_3000).path
    before = {path: path.read_bytes() for path in folder.iterdir()}
    left_alone = "".join(
        f"Left alone, because it is damaged, not signed here or of the future: {path}\n"
        for path in (*old[3:], later)
    )

    log()
    call_command("prune_backups")
    assert capsys.readouterr().out == left_alone + (
        "".join(f"Not needed: {path}\n" for path in old[:3]) + "Backups that are kept: 1\n"
    )
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert log() == []

    call_command("prune_backups", "--delete")
    assert capsys.readouterr().out == left_alone + (
        "".join(f"Deleted: {path}\n" for path in old[:3]) + "Backups that are kept: 1\n"
    )
    assert sorted(folder.iterdir()) == [kept, *old[3:], later]
    assert [(line["event"], line["outcome"], line["file"]) for line in log()] == [
        ("delete backup", "ok", str(path)) for path in old[:3]
    ]


def test_a_backup_that_somebody_else_deleted_first_is_told_in_words(folder):
    path = backup_made_at(folder / "a.backup", NOW).path
    backup_files.delete(path)
    with pytest.raises(backups.Refused) as refusal:
        backup_files.delete(path)
    assert str(refusal.value) == f"{path} cannot be deleted: No such file or directory."


@pytest.mark.django_db
def test_who_runs_the_site_is_warned_on_the_first_page_where_backups_are_expected(folder, settings, client):
    def warned(user):
        client.force_login(user)
        return NONE in client.get("/admin/").content.decode()

    administrator = make_user("Administrators")
    superuser = User.objects.create_superuser("root")
    others = [make_user(role) for role in ("Officers", "Chair", "Secretariat")]

    assert [warned(user) for user in (administrator, superuser)] == [False, False]
    settings.BACKUPS_ARE_EXPECTED = True
    assert [warned(user) for user in (administrator, superuser)] == [True, True]
    assert [warned(user) for user in others] == [False] * 3
    backup_made_at(folder / "a.backup", timezone.now())
    assert [warned(user) for user in (administrator, superuser)] == [False, False]
