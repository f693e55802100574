"""Is an update that the site has acknowledged still there, whole, whatever is killed? `make torture` tries.

Writers record progress through the admin's own form over HTTP while the web server, or PostgreSQL itself, is
killed. After each restart every update that was answered with a redirect must be there with its entry in the
chain, and nothing may be half saved. Then the torture shows that it could have seen a loss.
"""

import argparse
import http.client
import random
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode

from .postgres import Missing, Postgres
from .serving import Site

WRITERS = 6
SECONDS = 120  # after which a part begins no further round
UNANSWERED = OSError, http.client.HTTPException
STORED = """
SELECT stored.narrative FROM recommendations_progressupdate AS stored
JOIN recommendations_ledgerentry AS entry
ON entry.kind = 'recommendations.progressupdate' AND entry."row" = stored.id
WHERE stored.recorded_by_id IS NOT NULL
"""
LOGGED = """
SELECT count(*) FROM django_admin_log AS log
JOIN django_content_type AS kind ON kind.id = log.content_type_id
WHERE kind.model = 'progressupdate' AND log.action_flag = 1
"""
ACTIONS = "SELECT id FROM recommendations_action ORDER BY id"


class Lost(Exception):
    """The record is not what was acknowledged; the message says in what."""


class Form(HTMLParser):
    """What a browser would send for the page's main form if nothing were typed."""

    def __init__(self, page):
        super().__init__()
        self.fields, self.inside, self.name, self.text = {}, False, None, ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form":
            self.inside = given.get("id") == "progressupdate_form"
        if not self.inside:
            return
        if tag == "input" and given.get("name") and given.get("type") not in ("submit", "checkbox", "radio"):
            self.fields[given["name"]] = given.get("value", "")
        if tag in ("textarea", "select"):
            self.name, self.text = given.get("name"), ""
        if tag == "option" and "selected" in given:
            self.fields[self.name] = given.get("value", "")

    def handle_data(self, data):
        self.text += data

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        if tag == "textarea" and self.inside:
            self.fields[self.name] = self.text.removeprefix("\n")


class Writers:
    """People who record progress as fast as they are answered, each on an action of their own."""

    def __init__(self, site, cookie, actions):
        self.site, self.cookie, self.actions = site, cookie, actions[:WRITERS]
        self.acknowledged, self.number, self.stop = set(), 0, threading.Event()

    def __enter__(self):
        self.stop.clear()
        self.number += 1
        self.threads = [threading.Thread(target=self.write, args=[action]) for action in self.actions]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def write(self, action):
        for count in range(100_000):
            if self.stop.is_set():
                return
            try:
                self.record(action, f"Round {self.number}, action {action}, update {count}")
            except UNANSWERED:
                time.sleep(0.05)

    def record(self, action, narrative):
        """Save one update; remember it if the site answers that it is saved."""
        address = f"/admin/recommendations/progressupdate/add/?action={action}"
        page = self.site.get(address, self.cookie, timeout=10)
        if page.status != 200:
            return
        token = page.headers["Set-Cookie"].split(";")[0]
        fields = Form(page.body.decode()).fields | {"status": "on_track", "narrative": narrative}
        cookies = f"{self.cookie}; {token}"
        answer = self.site.ask("POST", address, cookies, urlencode(fields), timeout=10)
        if answer.status == 302:
            self.acknowledged.add(narrative)

    def wait_for(self, more):
        """Wait until ``more`` updates have been acknowledged; raise Lost if that takes a minute."""
        wanted, give_up = len(self.acknowledged) + more, time.monotonic() + 60
        while len(self.acknowledged) < wanted:
            if time.monotonic() > give_up:
                raise Lost("the site acknowledges no updates")
            time.sleep(0.01)


class Sqlite:
    name = "SQLite"

    def __init__(self, folder):
        self.path = Path(folder) / "torture.sqlite3"
        self.url = f"sqlite:///{self.path}"

    def ask(self, query):
        with closing(sqlite3.connect(self.path, timeout=20)) as connection:
            return connection.execute(query).fetchall()

    def check(self):
        if (found := self.ask("PRAGMA integrity_check")) != [("ok",)]:
            raise Lost(f"integrity_check: {found[0][0]}")


class Postgresql:
    name = "PostgreSQL"

    def __init__(self, server):
        self.server, self.url = server, server.url

    def ask(self, query):
        with self.server.connect() as connection:
            return connection.execute(query).fetchall()

    def check(self):
        """PostgreSQL verifies the checksum of every page it reads; nothing more to ask."""


def within(rounds):
    """Yield 1, 2, … up to ``rounds``, or until SECONDS have passed."""
    began = time.monotonic()
    for number in range(1, rounds + 1):
        if time.monotonic() - began > SECONDS:
            return
        yield number


def prepare(database):
    site = Site(database.url)
    site.fill()
    return site, Writers(site, site.session("secretariat"), [key for (key,) in database.ask(ACTIONS)])


def verify(database, site, writers):
    """Raise Lost unless all that was acknowledged is there, whole, and nothing is half saved."""
    stored = [narrative for (narrative,) in database.ask(STORED)]
    if missing := writers.acknowledged - set(stored):
        raise Lost(f"{len(missing)} acknowledged updates are gone, such as {min(missing)!r}")
    if len(stored) != len(set(stored)):
        raise Lost("an update was saved twice")
    ((logged,),) = database.ask(LOGGED)
    if logged != len(stored):
        raise Lost(f"{len(stored)} updates were saved and {logged} logged")
    database.check()
    try:
        site.manage("verify_history")  # every row has its entry, every entry its row
    except RuntimeError as error:
        raise Lost(str(error)) from error


def kill_the_web_server(database, rounds):
    """Kill every process of gunicorn in the middle of ``rounds`` bursts of writing; return what was seen."""
    site, writers = prepare(database)
    with site:
        for number in within(rounds):  # noqa: B007 (how many there were is told below)
            with writers:
                writers.wait_for(random.randint(3, 20))
                site.kill()
            site.start()
            verify(database, site, writers)
    return f"{number} kills, {len(writers.acknowledged)} updates acknowledged, 0 lost"


def kill_postgresql(database, rounds):
    """Do the same to PostgreSQL; the site must say so, and recover by itself. Return what was seen."""
    site, writers = prepare(database)
    with site:
        for number in within(rounds):  # noqa: B007 (how many there were is told below)
            with writers:
                writers.wait_for(random.randint(3, 20))
                database.server.crash()
            expect(site, "/healthz", "", 503, "while PostgreSQL is away")
            database.server.start()
            # More requests than there are threads, so that each thread's own connection is tried.
            for _ in range(16):
                expect(site, "/", writers.cookie, 200, "as soon as PostgreSQL is back")
            expect(site, "/healthz", "", 200, "as soon as PostgreSQL is back")
            verify(database, site, writers)
    return f"{number} kills, {len(writers.acknowledged)} updates acknowledged, 0 lost"


def expect(site, page, cookie, status, when):
    asked = time.monotonic()
    found = site.get(page, cookie).status
    if found != status or time.monotonic() - asked > 5:
        raise Lost(f"{page} answered {found} in {time.monotonic() - asked:.1f} s {when}, not {status}")


def lose_on_purpose(database, rounds):
    """Let PostgreSQL acknowledge before it has written, and see whether the torture notices the loss."""
    database.url += "?options=-c%20synchronous_commit%3Doff"
    site, writers = prepare(database)
    with site:
        for number in within(rounds):
            with writers:
                writers.wait_for(10)
                database.server.crash()
            database.server.start()
            try:
                verify(database, site, writers)
            except Lost as loss:
                return f"seen after {number} kills: {loss}"
    return "NOT SEEN: this machine's disk was too quick, so these runs could not have shown a loss"


def count_syncs(database):
    """Count how often the web server waits for the disk; raise Lost if less than once for each update."""
    site, writers = prepare(database)
    asked = site.manage(
        "shell", "--no-imports", "--command",
        "from django.db import connection as c; k = c.cursor(); k.execute('PRAGMA synchronous'); "
        "print(k.fetchone()[0])",
    )  # fmt: skip
    if asked.strip() != "2":
        raise Lost(f"PRAGMA synchronous is {asked.strip()}, not 2 (FULL)")
    if not shutil.which("strace"):
        return "PRAGMA synchronous is FULL; strace is not installed, so no sync was counted"
    trace = database.path.with_suffix(".strace")
    site.wrapper = ["strace", "--follow-forks", "--quiet=all", "--trace=fsync,fdatasync", f"--output={trace}"]
    try:
        site.start()
    except RuntimeError:
        return "PRAGMA synchronous is FULL; strace may not trace here, so no sync was counted"
    before = syncs(trace)
    try:
        with writers:
            writers.wait_for(40)
    finally:
        site.kill()
    seen, acknowledged = syncs(trace) - before, len(writers.acknowledged)
    if seen < acknowledged:
        raise Lost(f"{seen} syncs for {acknowledged} acknowledged updates")
    return f"PRAGMA synchronous is FULL; {seen} syncs for {acknowledged} acknowledged updates"


def syncs(trace):
    return sum("sync(" in line for line in trace.read_text().splitlines())


def attempt(title, what, *arguments):
    """Do one part and print what it saw; return whether it failed."""
    began = time.monotonic()
    try:
        seen, failed = what(*arguments), False
    except Lost as loss:
        seen, failed = f"FAILED: {loss}", True
    print(f"{title}: {seen} ({time.monotonic() - began:.0f} s)", flush=True)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12, help="kills of each kind (at most 500)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    rounds = max(1, min(options.rounds, 500))
    random.seed(options.seed)
    print(f"{rounds} rounds of each kind, seed {options.seed}", flush=True)
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        failed.append(attempt("SQLite, web server killed", kill_the_web_server, Sqlite(folder), rounds))
    with tempfile.TemporaryDirectory() as folder:
        failed.append(attempt("SQLite, waiting for the disk", count_syncs, Sqlite(folder)))
    try:
        with Postgres(fsync=True) as server:
            failed.append(
                attempt("PostgreSQL, web server killed", kill_the_web_server, Postgresql(server), rounds)
            )
        with Postgres(fsync=True) as server:
            failed.append(attempt("PostgreSQL, killed itself", kill_postgresql, Postgresql(server), rounds))
        with Postgres(fsync=True) as server:
            failed.append(
                attempt("PostgreSQL, made to lose on purpose", lose_on_purpose, Postgresql(server), rounds)
            )
    except Missing as reason:
        print(f"PostgreSQL: not tried, {reason}")
    print("FAILED" if any(failed) else "Nothing acknowledged was lost")
    return any(failed)


if __name__ == "__main__":
    sys.exit(main())
