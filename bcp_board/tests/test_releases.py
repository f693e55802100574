"""What an earlier release kept is still there after the migrations since: every row, page and paper.

The databases are in releases/, a folder for each version: see keep_release.py.
"""

import gzip
import hashlib
import json
import re

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils.html import escape

from bcp_board import backup_files, backups
from bcp_board.tests import keep_release as kept
from bcp_board.tests.test_backup import ANYBODY
from meetings.models import Paper
from record.tests.pages import main_words

pytestmark = pytest.mark.sweep

VERSIONS = sorted(folder.name for folder in kept.RELEASES.iterdir())
# What is added by migrating, beside what people did
NOT_THE_RECORD = ("auth.group", "auth.permission", "contenttypes.")
TEXTS = [kept.REPORTED, kept.WRONG, kept.RIGHT, kept.WHY_WRONG, kept.WHY_LATER, kept.WHY_AGREED]
TEXTS += ["June 2027", kept.ASKED]
# On days of November 2026, what each page of the board shows of what people said
PAGES = {
    "/actions/A05/?as_at=2026-11-20": [kept.REPORTED, kept.WHY_LATER, "June 2027"],
    "/actions/A05/?as_at=2026-11-26": [kept.REPORTED, kept.WHY_LATER, kept.WHY_AGREED, "June 2027"],
    "/actions/A07/?as_at=2026-11-20": [kept.WRONG, kept.RIGHT, kept.WHY_WRONG],
    "/actions/A07/?as_at=2026-11-05&known=then": [kept.WRONG],
    f"/meetings/{kept.HELD_ON}/": [kept.WHY_LATER, "June 2027", kept.ASKED],
    "/status/?as_at=2026-11-20": [kept.REPORTED, kept.WHY_LATER, "June 2027", kept.ASKED],
    "/recommendations/4/?as_at=2026-11-20": [
        kept.REPORTED,
        kept.WRONG,
        kept.RIGHT,
        kept.WHY_WRONG,
        kept.WHY_LATER,
        "June 2027",
    ],
    "/actions/?as_at=2026-11-20": [],
    "/meetings/?as_at=2026-11-20": [],
    "/visits/?as_at=2026-11-20": [],
    "/?as_at=2026-11-20": [],
}


@pytest.fixture(params=VERSIONS)
def release(request):
    return kept.RELEASES / request.param


@pytest.fixture
def backup(release, tmp_path):
    """The Backup that was kept of a release."""
    path = tmp_path / "kept.backup"
    path.write_bytes(gzip.decompress((release / kept.BACKUP).read_bytes()))
    return backup_files.read(path, trust=ANYBODY)


def rows_in(path):
    """{(table, key): {column: value}} of a backup."""
    found = {}
    with backup_files.opened(path, trust=ANYBODY) as (_, lines):
        for line in map(json.loads, lines):
            if isinstance(line, dict) and "table" in line:
                table, columns = line["table"], line["columns"]
            elif isinstance(line, list):
                found[table, line[0]] = dict(zip(columns, line, strict=True))
    return {key: row for key, row in found.items() if not key[0].startswith(NOT_THE_RECORD)}


def test_what_a_release_kept_is_there_after_the_migrations_since(backup, new_database, tmp_path):
    """Each row with what it said, the history as it was, and the paper to the last byte."""
    with new_database():
        call_command("restore", str(backup.path), unsigned=True, verbosity=0)
        call_command("migrate", check_unapplied=True, verbosity=0)
        call_command("verify_history", anchor=str(backup.anchor), verbosity=0)
        before, now = rows_in(backup.path), rows_in(backups.save(tmp_path / "now", unencrypted=True).path)
        lost = {
            key: (row, now.get(key))
            for key, row in before.items()
            if any(now.get(key, {}).get(column) != value for column, value in row.items())
        }
        assert lost == {}
        assert len(before) > 700

        client = Client()
        client.force_login(User.objects.get(username="olive"))
        paper = Paper.objects.get()
        served = client.get(f"/meetings/{kept.HELD_ON}/paper/").content
        assert served == bytes(paper.body)
        assert hashlib.sha256(served).hexdigest() == paper.sha256
        said = {address: what_is_said(client, address) for address in PAGES}

    assert said == PAGES


def what_is_said(client, address):
    """Which of the texts a page shows; it must be there."""
    response = client.get(address)
    assert (address, response.status_code) == (address, 200)
    shown = main_words(response)
    return [text for text in TEXTS if " ".join(escape(text).split()) in shown]


@pytest.mark.once
def test_no_migration_of_a_release_was_changed_since(release):
    released = (release / kept.MIGRATIONS).read_text().splitlines()
    changed = sorted(set(released) - set(kept.digests_of_migrations()))
    assert not changed, (
        f"Version {release.name} was released with these migrations: {changed}. Databases in service have "
        "run them and will not run them again, so a change never reaches those. Put them back as they were, "
        "and add a migration."
    )


@pytest.mark.once
def test_the_version_that_is_made_ready_for_release_is_kept_or_still_in_the_making(settings):
    release, _, in_the_making = settings.VERSION.partition(".dev")
    assert re.fullmatch(r"\d+\.\d+\.\d+", release)
    if not in_the_making:
        assert release in VERSIONS, "run `python -m bcp_board.tests.keep_release`, and add what it keeps"
