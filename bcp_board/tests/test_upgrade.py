"""An upgrade by deploy/upgrade.py, from the last release that is kept to a version made here, and back again.

The checkout is a copy of this one in git, and the database, the site and the commands are real. Only `make
build`, which asks registries, and what systemd does are small programs of the test's own.
"""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from bcp_board import backups
from bcp_board.tests import keep_release as kept
from bcp_board.tests.scratch import Scratch
from bcp_board.tests.serving import free_port, wait_until
from bcp_board.tests.test_releases import VERSIONS
from meetings.models import Paper
from recommendations.models import Action, ProgressUpdate
from recommendations.tests.factories import make_update
from record.verification import first_fault

pytestmark = [pytest.mark.needs("git"), pytest.mark.service]

ROOT = Path(settings.BASE_DIR)
NOT_COPIED = (".*", "node_modules", "var", "staticfiles", "docs", "__pycache__")
NEW = "99.0.0"
MIGRATION = """
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("bcp_board", "{before}")]
    operations = [{does}]
"""
FAILING_MIGRATION = MIGRATION.format(before="9998_new", does="migrations.RunPython(lambda *_: 1 / 0)")
# What stops and starts the site, in place of systemd
SERVICE = """#!/bin/sh -e
cd {folder}
test "$2" = board.service && test ! -e broken-$1
case $1 in
stop) test ! -e pid || {{ kill $(cat pid); while test -e pid; do sleep 0.1; done; }} ;;
start) test ! -e pid || exit 0
    set -a; . ./site.env; set +a
    exec .venv/bin/python -m gunicorn --bind 127.0.0.1:{port} --daemon --pid pid --error-logfile log ;;
esac
"""
# For each step that may fail, lines of a shell that make it so: on the machine, or in the new version
ON_THE_MACHINE = {
    "Look whether": "echo '# by hand' >> manage.py",
    "Stop the site": "touch broken-stop",
    "Make a backup": "echo BACKUP_FOLDER=/dev/null/here >> site.env",
    "Take the new": "echo 'in the way' > NEW.txt",
}
IN_THE_NEW_VERSION = {
    "Install its": "printf 'build:\\n\\t@false\\n' > Makefile",
    "Migrate the": f"cat > bcp_board/migrations/9999_newer.py <<'END'{FAILING_MIGRATION}END",
    "Check that": "echo 'SECURE_HSTS_SECONDS = 0' >> bcp_board/settings.py",
    "Start the": "echo 'raise SystemExit(1)' >> gunicorn.conf.py",
}
# The steps at which another database could fail in another way
OF_THE_DATABASE = {"Make a backup", "Migrate the"}
NEWEST = "Said on the day of the upgrade."


def shell(folder, script):
    """Run lines of a shell in the ``folder``, all of which must succeed, without the settings of tests."""
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["bash", "-e", "-c", script], cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def git(folder, *arguments):
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder, tag):
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", tag)
    git(folder, "tag", tag)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A copy of this checkout in git, with its static files: what every test copies."""
    folder = tmp_path_factory.mktemp("installed") / "board"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
    shutil.copy(ROOT / ".gitignore", folder)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "Makefile").write_text("build:\n\t@echo built >> built\n")
    git(folder, "init", "--quiet")
    (folder / ".git" / "info" / "exclude").write_text(".venv\nbuilt\nlog\npid\nbroken-*\n*.env\nservice\n")
    commit(folder, "old")
    key = f"SECRET_KEY={settings.SECRET_KEY} ALLOWED_HOSTS=board.example"
    shell(folder, f"{key} .venv/bin/python manage.py collectstatic --no-input -v0")
    return folder


@pytest.fixture(scope="module")
def last_release(tmp_path_factory, templates, django_db_blocker):
    """Let new_database make one as the last release that is kept left it."""
    folder = tmp_path_factory.mktemp("last_release")
    (folder / "kept").write_bytes(gzip.decompress((kept.RELEASES / VERSIONS[-1] / kept.BACKUP).read_bytes()))
    with django_db_blocker.unblock():
        templates["last release"] = database = Scratch(folder)
        with database:
            call_command("restore", str(folder / "kept"), unsigned=True, verbosity=0)
        yield
        templates.pop("last release").drop()


class Checkout:
    """A copy of the one ``installed``, whose site works in ``database`` as ``role``."""

    def __init__(self, installed, folder, database, *, role):
        self.folder, self.database, self.port = folder, database, free_port()
        shutil.copytree(installed, folder, symlinks=True)
        (folder / "service").write_text(SERVICE.format(folder=folder, port=self.port))
        (folder / "service").chmod(0o755)
        site = {
            "DATABASE_URL": database.url.replace("//board@", f"//{role}@"),
            "SECRET_KEY": settings.SECRET_KEY,
            "ALLOWED_HOSTS": "board.example",
            "HSTS_DAYS": "730",
            "HSTS_SUBDOMAINS": "1",
            "HSTS_PRELOAD": "1",
            "BACKUP_FOLDER": f"{folder}-backups",
            "BACKUP_RECIPIENTS": settings.BACKUP_RECIPIENTS[0],
            "BACKUP_SIGNING_KEY": settings.BACKUP_SIGNING_KEY,
            "MONITOR_ADDRESSES": "127.0.0.1 ::1",
        }
        lines = [f'{name}="{value}"' for name, value in site.items()]
        (folder / "site.env").write_text("# The site\n" + "\n".join(lines) + "\n")
        (folder / "owner.env").write_text(f"DATABASE_URL={database.url}\n")
        self.shell("./service start board.service")

    def shell(self, script):
        return shell(self.folder, script)

    def make_new_version(self, *, worse=""):
        """Commit version NEW, with one migration more and what the lines ``worse`` of a shell make of it."""
        project = self.folder / "pyproject.toml"
        project.write_text(project.read_text().replace(f'"{settings.VERSION}"', f'"{NEW}"'))
        migrations = self.folder / "bcp_board" / "migrations"
        newest = max(file.stem for file in migrations.glob("[0-9]*.py"))
        (migrations / "9998_new.py").write_text(MIGRATION.format(before=newest, does=""))
        (self.folder / "NEW.txt").write_text("new\n")
        self.shell(worse)
        commit(self.folder, "new")
        git(self.folder, "checkout", "--quiet", "old")

    def upgrade(self, to="new", wait=60):
        """Run the upgrade; return its code, what it printed, and what it said where it stopped."""
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        told = [to, "--settings", "site.env", "owner.env", "--service", "./service", "--wait", str(wait)]
        command = [sys.executable, "deploy/upgrade.py", *told, "--address", f"http://127.0.0.1:{self.port}"]
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def served(self):
        """The version that is served and ready, once it is."""

        def answer():
            with suppress(OSError), urlopen(f"http://127.0.0.1:{self.port}/readyz") as found:
                return json.load(found)["version"]

        wait_until(answer)
        return answer()


@pytest.fixture
def checkout(installed, last_release, new_database, backup_key, tmp_path):
    """The last release that is kept, served, with an officer's newest word in its database."""
    database, role = new_database("last release"), "board"
    with database:
        make_update(Action.objects.get(ref="A05"), by=User.objects.get(username="olive"), narrative=NEWEST)
        if not database.is_file:
            role = f"site_{uuid4().hex}"
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE ROLE {role} LOGIN")
            call_command("grants", role, verbosity=0)
    checkout = Checkout(installed, tmp_path / "board", database, role=role)
    yield checkout
    checkout.shell("rm -f broken-*; ./service stop board.service")
    if not database.is_file:
        with database, connection.cursor() as cursor:
            cursor.execute(f"DROP OWNED BY {role}")
            cursor.execute(f"DROP ROLE {role}")


def state(database):
    """What the database holds: the digest of all of it, and the fault of its history or None."""
    with database:
        return backups.digest(connection), first_fault()


def paper(checkout):
    """The digest of the published paper, and the one that was taken when it was published."""
    with checkout.database:
        found = Paper.objects.get()
        return hashlib.sha256(bytes(found.body)).hexdigest(), found.sha256


def test_one_command_brings_the_last_release_to_the_next_version(checkout):
    checkout.make_new_version()
    before = state(checkout.database)
    assert checkout.served() == settings.VERSION

    code, printed, stopped = checkout.upgrade()

    kept_in = next(Path(f"{checkout.folder}-backups").glob("*.backup"))
    assert (code, stopped) == (0, "")
    assert printed.splitlines() == [
        "Look whether there is anything to do, and anything in the way.",
        f"   from {settings.VERSION} to {NEW}",
        "Stop the site.",
        "Make a backup.",
        f"   in {kept_in}",
        "Take the new version.",
        "Install its packages, and build its stylesheet.",
        "Migrate the database, as the owner of its tables.",
        "Check that it is fit for service, and that the history holds.",
        "Start the site, and wait until it can serve.",
        f"Done. The site serves {NEW}. The backup from before is {kept_in}.",
    ]
    assert checkout.served() == NEW
    assert (checkout.folder / "built").read_text() == "built\n"
    with checkout.database:
        assert ("bcp_board", "9998_new") in MigrationRecorder(connection).applied_migrations()
        assert ProgressUpdate.objects.latest("pk").narrative == NEWEST
    assert state(checkout.database) == before
    assert checkout.upgrade()[2].splitlines()[1] == "STOPPED. new is what is checked out here already."


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(step, marks=() if step in OF_THE_DATABASE else pytest.mark.once)
        for step in (*ON_THE_MACHINE, *IN_THE_NEW_VERSION)
    ],
)
def test_a_fault_at_any_step_stops_it_and_the_lines_that_it_prints_go_back(checkout, step, tmp_path):
    checkout.make_new_version(worse=IN_THE_NEW_VERSION.get(step, ""))
    before, first = state(checkout.database), paper(checkout)
    checkout.shell("cp site.env site.whole")
    checkout.shell(ON_THE_MACHINE.get(step, ""))

    code, printed, stopped = checkout.upgrade()

    assert (code, printed.splitlines()[-1].startswith(step)) == (1, True), printed + stopped
    said, _, way_back = stopped.partition("To go back, run these lines, one after another:\n")
    assert f"\nFailed: {step}" in said
    if step == "Look whether":
        assert said.endswith("Nothing was changed, and the site was not stopped.\n")
    checkout.shell("rm -f broken-*; mv site.whole site.env")
    checkout.shell(way_back.replace("board.key", str(tmp_path / "key")))
    assert checkout.served() == settings.VERSION
    assert (state(checkout.database), paper(checkout)) == (before, first)
    git(checkout.folder, "diff", "--exit-code", "old", "--", ":!manage.py")
