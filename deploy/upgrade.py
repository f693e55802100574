#!/usr/bin/env python3
"""Bring the site to another version in one command, as root, in its checkout: `deploy/upgrade.py v1.1.0`.

Each step says in a sentence what it does. The first that fails ends it, and prints the commands that go back.
From before the backup until the end nobody can save, so that to go back loses nothing that anybody wrote.
"""

import argparse
import json
import os
import pwd
import shlex
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[1]
MANAGE = [".venv/bin/python", "manage.py"]


class Stopped(Exception):
    """A step failed; the text says what is wrong."""


class Upgrade:
    """One upgrade: what it was told, what it found before it began, and the way back from where it is."""

    def __init__(self, told):
        self.told, self.way_back = told, []
        owner = ROOT.stat().st_uid
        self.account = [] if os.geteuid() == owner else ["runuser", "-u", pwd.getpwuid(owner).pw_name, "--"]

    # The steps, in their order; the first line of each is what is printed

    def look(self):
        """Look whether there is anything to do, and anything in the way"""
        self.site, self.owner = settings_in(self.told.settings[:1]), settings_in(self.told.settings)
        if self.run("git", "status", "--porcelain", "--untracked-files=no").strip():
            raise Stopped("Files of this checkout were changed by hand: `git status` names them.")
        self.old = self.run("git", "rev-parse", "HEAD").strip()
        self.new = self.run("git", "rev-parse", "--verify", f"{self.told.version}^{{commit}}").strip()
        if self.old == self.new:
            raise Stopped(f"{self.told.version} is what is checked out here already.")
        self.version = version_in(self.run("git", "show", f"{self.new}:pyproject.toml"))
        self.before = self.manage("showmigrations", "--plan")
        if "[ ]" in self.before:
            raise Stopped(
                "The database is of an earlier version than this checkout. Check out the version that was "
                "served last, and begin again."
            )
        print(f"   from {version_in((ROOT / 'pyproject.toml').read_text())} to {self.version}")

    def stop(self):
        """Stop the site"""
        self.way_back = [self.service("start")]
        self.run(*shlex.split(self.service("stop")), as_root=True)

    def backup(self):
        """Make a backup"""
        said = self.manage("backup")
        self.kept = said.partition("Saved the record to ")[2].partition("\n")[0].removesuffix(".")
        print(f"   in {self.kept}")

    def take(self):
        """Take the new version"""
        collect = self.by_hand(*MANAGE, "collectstatic", "--no-input")
        checkout = self.by_hand("git", "checkout", "--detach", self.old)
        self.way_back = [checkout, self.by_hand("make", "build"), collect, *self.way_back]
        self.run("git", "checkout", "--quiet", "--detach", self.new)

    def build(self):
        """Install its packages, and build its stylesheet"""
        self.run("make", "build")
        self.manage("collectstatic", "--no-input", "--verbosity", "0")

    def migrate(self):
        """Migrate the database, as the owner of its tables"""
        try:
            self.manage("migrate", "--no-input", "--verbosity", "0")
        finally:
            self.way_back[-1:-1] = self.database_put_back()
        if role := self.role():
            self.manage("grants", role)

    def check(self):
        """Check that it is fit for service, and that the history holds"""
        self.manage("check", "--deploy", "--fail-level", "WARNING", "--database", "default")
        self.manage("verify_history")

    def start(self):
        """Start the site, and wait until it can serve"""
        self.way_back.insert(0, self.service("stop"))
        self.run(*shlex.split(self.service("start")), as_root=True)
        give_up = time.monotonic() + self.told.wait
        while (said := answer_of(f"{self.told.address}/readyz")) is None or not (
            said["ready"] and said["version"] == self.version
        ):
            if time.monotonic() > give_up:
                raise Stopped(f"It does not serve {self.version}. /readyz says: {json.dumps(said)}")
            time.sleep(0.5)

    STEPS = (look, stop, backup, take, build, migrate, check, start)

    # How commands are run

    def run(self, *command, settings=None, as_root=False):
        """Run a command here as the account that owns the checkout; return what it says, or raise Stopped."""
        command = [*([] if as_root else self.account), *command]
        env = os.environ | (settings or {})
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=env, capture_output=True, text=True, errors="replace"
            )
        except OSError as error:
            raise Stopped(f"{command[0]}: {error.strerror}") from error
        if done.returncode:
            said = (done.stdout.rstrip() + "\n" + done.stderr.rstrip()).strip().splitlines()
            raise Stopped("\n".join([f"{shlex.join(command)} failed:", *said[-20:]]))
        return done.stdout

    def manage(self, *command):
        """Run a command of the site with the settings of the owner of its tables."""
        return self.run(*MANAGE, *command, settings=self.owner)

    def by_hand(self, *command):
        """The command as somebody types it."""
        return shlex.join([*self.account, *command])

    def service(self, verb):
        return f"{self.told.service} {verb} board.service"

    def role(self):
        """The role by which the site reaches the database, or None where it owns the tables."""
        names = [urlsplit(found.get("DATABASE_URL", "")).username for found in (self.site, self.owner)]
        return unquote(names[0]) if names[0] != names[1] else None

    # The way back of the database

    def database_put_back(self):
        """The commands that leave the database as it was before it was migrated."""
        try:
            if applied(self.manage("showmigrations", "--plan")) == applied(self.before):
                return [self.by_hand(*MANAGE, "migrate")]
        except Stopped:
            pass  # what cannot be asked may have changed
        restore = [*MANAGE, "restore", self.kept]
        lines = [self.database_put_aside()]
        if self.owner.get("BACKUP_RECIPIENTS"):
            lines.append("# board.key is not kept on this server: bring it for the next line only")
            restore += ["--identity", "board.key"]
        if not self.owner.get("BACKUP_SIGNING_KEY"):
            restore.append("--unsigned")
        lines.append(self.by_hand(*restore))
        if role := self.role():
            lines.append(self.by_hand(*MANAGE, "grants", role))
        return lines

    def database_put_aside(self):
        """The command that keeps what was migrated, under another name: an older version cannot read it."""
        url = urlsplit(self.owner.get("DATABASE_URL") or "sqlite:///var/board.sqlite3")
        aside = f"left_{time.strftime('%Y%m%d_%H%M%S', time.gmtime())}"
        if url.scheme == "sqlite":
            file = unquote(url.path.removeprefix("/"))
            code = f'for part in "" -wal -shm; do test ! -e "$0$part" || mv "$0$part" "$0.{aside}$part"; done'
            return self.by_hand("sh", "-c", code, file)
        sql = f"ALTER SCHEMA public RENAME TO {aside}; CREATE SCHEMA public"
        code = f'from django.db import connection; connection.cursor().execute("{sql}")'
        return self.by_hand(*MANAGE, "shell", "--no-imports", "--command", code)


def settings_in(paths):
    """{name: value} of files of settings, of which the later decide; raise Stopped if it cannot be read."""
    found = {}
    for path in paths:
        try:
            lines = [line.strip() for line in Path(path).read_text().splitlines()]
        except OSError as error:
            raise Stopped(f"{path} cannot be read: {error.strerror}.") from error
        pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
        found |= {name: "".join(shlex.split(value)) for name, _, value in pairs}
    return found


def version_in(text):
    return tomllib.loads(text)["project"]["version"]


def applied(plan):
    """The migrations that `showmigrations --plan` says were applied."""
    return {line for line in plan.splitlines() if line.startswith("[X]")}


def answer_of(address):
    """What /readyz says, or None where nobody answers."""
    straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with straight.open(address, timeout=20) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error) if error.code == 503 else None
    except (OSError, ValueError):
        return None


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0] + ".")
    parser.add_argument("version", help="a tag that `git fetch --tags` brought")
    parser.add_argument(
        "--settings",
        nargs="+",
        metavar="FILE",
        default=["/etc/board/board.env", "/etc/board/owner.env"],
        help="the site's settings, and after them what the owner of the tables has otherwise",
    )
    parser.add_argument("--service", default="systemctl", help="the program that stops and starts the site")
    parser.add_argument("--address", default="http://127.0.0.1:8000", help="where /readyz answers")
    parser.add_argument("--wait", type=float, default=60, metavar="SECONDS", help="for /readyz")
    told = parser.parse_args(arguments)
    upgrade, done = Upgrade(told), []
    for step in Upgrade.STEPS:
        says = step.__doc__
        print(f"{says}.", flush=True)
        try:
            step(upgrade)
        except (Stopped, KeyboardInterrupt) as reason:
            left = [other.__doc__ for other in Upgrade.STEPS[len(done) + 1 :]]
            sys.exit(report(upgrade, reason, done=done, failed=says, left=left))
        done.append(says)
    print(f"Done. The site serves {upgrade.version}. The backup from before is {upgrade.kept}.")


def report(upgrade, reason, *, done, failed, left):
    """What is said where a step failed: why, how far it came, and the way back."""
    lines = ["", f"STOPPED. {str(reason) or 'Somebody ended it.'}", "", f"Failed: {failed}."]
    lines += [f"Done: {'; '.join(done) or 'nothing'}.", f"Not done: {'; '.join(left) or 'nothing else'}."]
    if not upgrade.way_back:
        return "\n".join([*lines, "Nothing was changed, and the site was not stopped."])
    files = " ".join(f". {shlex.quote(file)};" for file in upgrade.told.settings)
    lines += ["The site may be down. To go back, run these lines, one after another:", ""]
    lines += [f"set -a; {files} set +a; cd {shlex.quote(str(ROOT))}", *upgrade.way_back]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
