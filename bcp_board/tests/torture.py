"""Is an update that the site has acknowledged still there, whole, whatever is killed? `make torture` tries.

Writers record progress through the admin's own form over HTTP while the web server, or PostgreSQL itself, is
killed. After each restart every update that was answered with a redirect must be there with its entry in the
chain, and nothing may be half saved. Then the torture shows that it could have seen a loss. It also has a
crowd read and write for a minute, a burst of readers, visitors who send as slowly as they can, and people who
read on while a table is locked or PostgreSQL is stopped in its tracks.
"""

import argparse
import os
import random
import shutil
import socket
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from .postgres import Missing, Postgres
from .serving import Site
from .writers import UNANSWERED, Lost, Writers

WRITERS = 6
SECONDS = 10  # for each round: a part that took as long as all of them may begins no further one
# A reader opens a page every 10 seconds and a writer saves every 40, each time give or take the half.
READERS, READER_THINKS = 100, (5, 15)
CROWD_WRITERS, WRITER_THINKS = 20, (20, 60)
# How long they first read while nobody writes, and how many times as long a page may then take as alone: what
# there is between two measurements of the same thing on a machine that is quiet.
UNCHANGED_FOR, NO_WORSE = 30, 1.25
# Between the requests of the one who reads alone: a processor that is asked without a pause is quicker.
PAUSE = 0.1
SLOW, PATIENCE = 50, 2
MOST_CONNECTIONS = 20
# For as long the database gives nothing; whoever asks is told so within that many seconds.
WITHHELD, TOLD_WITHIN = 55, 10
PAGES = (
    "/",
    "/actions/",
    "/actions/A01/",
    "/recommendations/3/",
    "/visits/",
    "/meetings/",
    "/status/",
    "/?as_at=2022-11-22",
)
# With a meeting held and one to come, the first page also works out what changed since.
TWO_MEETINGS = """
import datetime
from django.utils import timezone
from meetings.models import Meeting
today = timezone.localdate()
Meeting.objects.create(held_on=today - datetime.timedelta(days=20))
Meeting.objects.create(held_on=today + datetime.timedelta(days=10))
"""
STORED = """
SELECT stored.narrative FROM recommendations_progressupdate AS stored
JOIN record_ledgerentry AS entry
ON entry.kind = 'recommendations.progressupdate' AND entry."row" = stored.id
WHERE stored.recorded_by_id IS NOT NULL
"""
LOGGED = """
SELECT count(*) FROM django_admin_log AS log
JOIN django_content_type AS kind ON kind.id = log.content_type_id
WHERE kind.model = 'progressupdate' AND log.action_flag = 1
"""
ACTIONS = "SELECT id FROM recommendations_action ORDER BY id"


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

    def connections(self):
        """How many there are, apart from the one that asks."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        ((number,),) = self.ask(query + "AND pid <> pg_backend_pid()")
        return number

    def check(self):
        """PostgreSQL verifies the checksum of every page it reads; nothing more to ask."""


def within(rounds):
    """Yield 1, 2, … up to ``rounds``, or until SECONDS have passed for each of them."""
    began = time.monotonic()
    for number in range(1, rounds + 1):
        if time.monotonic() - began > SECONDS * rounds:
            return
        yield number


def prepare(database, number=WRITERS, kind=Site, **more):
    site = kind(database.url)
    site.fill()
    cookies = site.sessions("secretariat", number)
    return site, Writers(site, cookies, [key for (key,) in database.ask(ACTIONS)], **more)


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
            expect(site, "/", writers.cookies[0], 503, "while PostgreSQL is away")
            expect(site, "/readyz", "", 503, "while PostgreSQL is away")
            database.server.start()
            # More requests than there were writers, so that each thread's own connection is tried.
            for _ in range(3 * WRITERS):
                expect(site, "/", writers.cookies[0], 200, "as soon as PostgreSQL is back")
            expect(site, "/readyz", "", 200, "as soon as PostgreSQL is back")
            verify(database, site, writers)
    return f"{number} kills, {len(writers.acknowledged)} updates acknowledged, 0 lost"


def expect(site, page, cookie, status, when, within=5):
    asked, found = time.monotonic(), 0
    with suppress(*UNANSWERED):
        found = site.get(page, cookie).status
    if found != status or time.monotonic() - asked > within:
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


class Timed(Site):
    """A site that notes how each request was answered, 0 for not at all, and after how many seconds."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.seen = []

    def ask(self, method, *args, **kwargs):
        status, asked = 0, time.monotonic()
        try:
            response = super().ask(method, *args, **kwargs)
            status = response.status
            return response
        finally:
            self.seen.append((method, status, time.monotonic() - asked))


def read(site, cookie, until):
    """Open one page after the other, with time to read each, until the time is up."""
    while (pause := random.uniform(*READER_THINKS)) < until - time.monotonic():
        time.sleep(pause)
        with suppress(*UNANSWERED):
            site.get(random.choice(PAGES), cookie)


def waited_by(cookies, site, *, seconds):
    """The seconds that each page, or form, took while readers with these ``cookies`` read for so long."""
    before, until = len(site.seen), time.monotonic() + seconds
    readers = [threading.Thread(target=read, args=[site, cookie, until]) for cookie in cookies]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    time.sleep(max(0, until - time.monotonic()))
    return [took for method, _, took in site.seen[before:] if method == "GET"]


def read_alone(site, writers, cookie):
    """The median seconds of the PAGES for one reader alone: just after a save, and when nothing changed."""
    afresh, kept = [], []
    for count in range(5):
        for page in PAGES:
            writers.record(writers.cookies[0], writers.actions[0], f"Before the crowd, {count}, {page}")
            # Every worker renders it once for itself.
            for found, times in ((afresh, 1), (None, 8), (kept, 1)):
                for _ in range(times):
                    time.sleep(PAUSE)
                    began = time.monotonic()
                    site.get(page, cookie)
                    if found is not None:
                        found.append(time.monotonic() - began)
    return statistics.median(afresh), statistics.median(kept)


def serve_a_crowd(database, seconds):
    """Have READERS people read and CROWD_WRITERS write for ``seconds``; return how long they waited."""
    site, writers = prepare(database, CROWD_WRITERS, Timed, think=WRITER_THINKS)
    cookies = site.sessions("member", READERS)
    site.manage("shell", "--no-imports", "--command", TWO_MEETINGS)
    with site:
        afresh, kept = read_alone(site, writers, cookies[0])
        for cookie in cookies:
            site.get("/", cookie)  # which notes that its session has begun, as signing in does
        unchanged = statistics.median(waited_by(cookies, site, seconds=UNCHANGED_FOR))
        site.seen.clear()
        worked = site.processor_time()
        with writers:
            read_in = waited_by(cookies, site, seconds=seconds)
        worked = site.processor_time() - worked
        if refused := sorted({status for _, status, _ in site.seen} - {200, 302}):
            raise Lost(f"answers with {refused}, where 0 is none at all")
        verify(database, site, writers)
    stored, acknowledged = len(database.ask(STORED)), len(writers.acknowledged)
    if stored != acknowledged:
        raise Lost(f"{acknowledged} updates acknowledged and {stored} stored")
    saved_in = [took for method, _, took in site.seen if method == "POST"]
    alone = (
        f"alone {afresh * 1000:.0f} ms after a save and {kept * 1000:.1f} ms of a page that is kept, which "
        f"{READERS} readers wait {unchanged * 1000:.1f} ms for where nobody writes"
    )
    for waited, usual in ((read_in, afresh), (saved_in, statistics.median(saved_in))):
        if quantiles(waited)[98] > 10 * usual or statistics.median(waited) > usual:
            raise Lost(f"some waited more than ten times as long as alone: {waits(waited)}, {alone}")
    if unchanged > NO_WORSE * kept:
        raise Lost(f"pages that had not changed took longer than alone: {alone}")
    return (
        f"{READERS} readers and {CROWD_WRITERS} writers for {seconds} s: {len(site.seen)} answers, none an "
        f"error; {acknowledged} updates acknowledged and stored; reading {waits(read_in)}, {alone}; "
        f"saving {waits(saved_in)}; {worked / len(site.seen) * 1000:.0f} ms of processor for each answer"
    )


def serve_a_burst(database, number=360):
    """Have ``number`` people ask for a page at one moment; return how long they waited, and what was held.

    No more connections than that may be held meanwhile, or be left a minute after.
    """
    site = Timed(database.url)
    site.fill()
    cookie, held = site.session("member"), []
    with site:
        site.seen.clear()
        with ThreadPoolExecutor(number) as readers:
            asked = [readers.submit(site.get, "/", cookie, timeout=300) for _ in range(number)]
            while not all(one.done() for one in asked):
                held.append(database.connections())
                time.sleep(0.1)
        if refused := sorted({status for _, status, _ in site.seen} - {200}):
            raise Lost(f"answers with {refused}, where 0 is none at all")
        time.sleep(60)
        left = database.connections()
    if max(held) >= MOST_CONNECTIONS or left:
        raise Lost(f"{max(held)} connections were held, and {left} a minute after")
    waited = waits([took for *_, took in site.seen])
    return f"{number} at once, none an error; {waited}; {max(held)} connections, a minute after {left}"


def quantiles(seconds):
    return statistics.quantiles(seconds, n=100, method="inclusive")


def waits(seconds):
    parts = quantiles(seconds)
    return ", ".join(f"p{n} {parts[n - 1] * 1000:.0f} ms" for n in (50, 95, 99))


def put_up_with_the_slow(database):
    """Answer promptly while SLOW others have each sent half a request; return how promptly."""
    site = Timed(database.url)
    site.fill()
    with site, ExitStack() as stack:
        for _ in range(SLOW):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", site.port)))
            slow.sendall(b"GET / HTTP/1.1\r\nHost: 127.0")
        site.seen.clear()
        for _ in range(50):
            expect(site, "/healthz", "", 200, f"beside {SLOW} half-sent requests", within=PATIENCE)
    longest = max(took for _, _, took in site.seen)
    return f"50 of 50 answered beside {SLOW} half-sent requests, in at most {longest * 1000:.0f} ms"


@contextmanager
def locked(database):
    with database.server.connect() as connection, connection.transaction():
        # The one table of the record that is read even for a page which a worker has kept.
        connection.execute("LOCK TABLE record_ledgerentry")
        yield


def stopped(database):
    return database.server.paused()


def tell_who_cannot_be_served(database, withheld, readers=8):
    """Have people read while the database is ``withheld``; return how soon they were told, and read again."""
    site = Timed(database.url)
    site.fill()
    cookie = site.session("member")

    def ask(pages):
        until, asked = time.monotonic() + WITHHELD, 0
        while time.monotonic() < until:
            for page, whose, status in pages:
                expect(site, page, whose, status, "meanwhile", within=TOLD_WITHIN)
                asked += 1
            time.sleep(0.2)
        return asked

    with site, ThreadPoolExecutor(readers + 1) as people:
        for _ in range(readers):
            expect(site, "/", cookie, 200, "before")
        site.seen.clear()
        with withheld(database):
            told = [people.submit(ask, [("/", cookie, 503)]) for _ in range(readers)]
            rest = people.submit(ask, [(page, "", 200) for page in ("/healthz", "/login/", "/help/")])
            told, rest = sum(one.result() for one in told), rest.result()
        longest, over = max(took for *_, took in site.seen), time.monotonic()
        while site.get("/", cookie).status != 200:
            if time.monotonic() - over > TOLD_WITHIN:
                raise Lost(f"{TOLD_WITHIN} s after it the page is still not given")
        again = time.monotonic() - over
        for _ in range(readers):
            expect(site, "/", cookie, 200, "after it")
    return (
        f"{readers} readers told {told} times in {WITHHELD} s, {rest} other pages given, in at most "
        f"{longest:.1f} s; read again {again:.1f} s after it"
    )


def attempt(title, what, *arguments):
    """Do one part and print what it saw; return whether it failed."""
    began = time.monotonic()
    try:
        seen, failed = what(*arguments), False
    except Lost as loss:
        seen, failed = f"FAILED: {loss}", True
    # What a crowd waits for is mostly the processor, which others may be using too.
    load = os.getloadavg()[1]
    print(f"{title}: {seen} ({time.monotonic() - began:.0f} s, load {load:.1f})", flush=True)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=6, help="kills of each kind (at most 500)")
    parser.add_argument("--minutes", type=int, default=1, help="how long the crowd stays (at most 5)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("parts", nargs="*", help="only the parts with one of these words in the title")
    options = parser.parse_args()
    rounds, seconds = max(1, min(options.rounds, 500)), 60 * max(1, min(options.minutes, 5))
    random.seed(options.seed)
    print(f"{rounds} rounds of each kind, seed {options.seed}", flush=True)
    parts = [
        ("SQLite, web server killed", kill_the_web_server, rounds),
        ("SQLite, waiting for the disk", count_syncs),
        ("SQLite, slow visitors", put_up_with_the_slow),
        ("SQLite, a crowd", serve_a_crowd, seconds),
        ("PostgreSQL, web server killed", kill_the_web_server, rounds),
        ("PostgreSQL, killed itself", kill_postgresql, rounds),
        ("PostgreSQL, made to lose on purpose", lose_on_purpose, rounds),
        ("PostgreSQL, a crowd", serve_a_crowd, seconds),
        ("PostgreSQL, a burst", serve_a_burst),
        ("PostgreSQL, a table locked", tell_who_cannot_be_served, locked),
        ("PostgreSQL, stopped in its tracks", tell_who_cannot_be_served, stopped),
    ]
    failed = []
    for title, what, *arguments in parts:
        if options.parts and not any(word in title for word in options.parts):
            continue
        with ExitStack() as stack:
            try:
                if title.startswith("SQLite"):
                    database = Sqlite(stack.enter_context(tempfile.TemporaryDirectory()))
                else:
                    database = Postgresql(stack.enter_context(Postgres(fsync=True)))
            except Missing as reason:
                print(f"{title}: not tried, {reason}")
                continue
            failed.append(attempt(title, what, database, *arguments))
    print("FAILED" if any(failed) else "Nothing acknowledged was lost")
    return any(failed)


if __name__ == "__main__":
    sys.exit(main())
