"""What does a page cost the processor, and is the site as quick at a hundred times the size?

`make bench` measures it. For each kind of database three sites are served side by side, as in service but
by one worker each: Board, whose 60 actions have 24 updates each; Large, whose actions have 2,400; and Wide,
which has ten times as many actions. The same pages are asked of each in turn, so that whatever else the
machine does falls on all of them; of Wide those that tell of many actions. Each is asked for afresh, as the
first that anybody opens after somebody recorded progress, and then again, when it is kept.

A unit is what Django takes to render a table of 200 rows and 5 columns, measured meanwhile: the same page
takes about as many units on any machine. The floor is a page that asks nothing of the database and renders
nothing. What is over a limit is said in words; only what cannot be measured is a failure.

It also measures whether the time that a failed sign-in takes tells which accounts there are, whether forms as
long as anybody can send leave a worker with less memory, and how long loading, checking and starting take.
"""

import argparse
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

import psycopg
from django.template import Context, Engine

from .bench_loading import bench_loading
from .postgres import Missing, Postgres
from .serving import ROOT, Site
from .writers import Form

# How many actions answer each recommendation, and how many updates each has.
SIZES = {"Board": (6, 24), "Large": (6, 2400), "Wide": (60, 24)}
MEMORY = 200
SECONDS, FEWEST = 150, 7
TRIES, TELLING = 100, 1.1
FORMS, GROWTH = 40, 50
# The most units that a page may take which is rendered afresh, and one that is kept.
LIMITS = {
    "/": 10,
    "/actions/": 8,
    "/actions/A01/": 8,
    "/recommendations/3/": 8,
    "the last meeting": 8,
    "/status/": 14,
    "/admin/": None,
}
# How many times as much as of Board a page may take that is rendered afresh; of Wide these are asked.
RATIO = 1.3
WIDE = {"/": 4, "/actions/": 2, "/actions/A01/": 1.5, "/recommendations/3/": 3, "/admin/": 1.5}
MOST_KEPT = 1
FLOOR = "/healthz"
NOT_KEPT = ("/admin/", FLOOR)
KEPT_ASKED = 5
CELLS = "{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}"
TABLE = Engine().from_string(CELLS)
ROWS = [[f"cell {number} <{column}>" for column in range(5)] for number in range(200)]
# What somebody records between two readers.
REPORT = """
import datetime, sys
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from recommendations.models import Action, ProgressUpdate
from record import ledger
from record.signing import signature
by, today = User.objects.get(username="officer"), timezone.localdate()
actions = list(Action.objects.order_by("pk"))
for number, line in enumerate(sys.stdin):
    update = ProgressUpdate(
        action=actions[number % len(actions)], status="on_track", narrative=f"More was done, {number}",
        dated=today.isoformat(), dated_first=today, dated_last=today, recorded_by=by, signed=signature(by),
    )
    ledger.append([update])
    print("recorded", flush=True)
"""
LAST_MEETING = """
from django.utils import timezone
from record.models import Meeting
print(Meeting.objects.held_by(timezone.localdate()).first().get_absolute_url())
"""
TWO_MORE_ACCOUNTS = """
from django.contrib.auth.models import User
User.objects.create_user("closed", password="a scratch password", is_active=False)
User.objects.create_user("without")
"""


def unit():
    """The seconds of processor that one unit takes now."""
    began = time.process_time()
    TABLE.render(Context({"rows": ROWS}))
    return time.process_time() - began


class Recorder:
    """A process beside the site in which somebody records progress whenever told to."""

    def __init__(self, site):
        command = [sys.executable, ROOT / "manage.py", "shell", "--no-imports", "--command", REPORT]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, cwd=ROOT, env=site.env, stderr=subprocess.DEVNULL, **pipes)

    def record(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        if self.process.stdout.readline() != "recorded\n":
            sys.exit("Nothing could be recorded meanwhile")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def asked(site, address, cookie):
    """The seconds of processor that the site spends on one request, and the bytes that it sends."""
    before = site.processor_time()
    response = site.get(address, cookie, **{"Accept-Encoding": "gzip"})
    if response.status != 200:
        sys.exit(f"{address} answered {response.status}")
    return site.processor_time() - before, len(response.body)


def measure(sites, repetitions):
    """{(size, page, "afresh" or "kept"): [seconds, ...]}, {(size, page): bytes}, [seconds of a unit, ...]."""
    taken, sizes, units = defaultdict(list), {}, []
    with ExitStack() as stack:
        recorders = {size: stack.enter_context(Recorder(site)) for size, site in sites.items()}
        members = {size: site.session("member") for size, site in sites.items()}
        admins = {size: site.session("admin") for size, site in sites.items()}
        show = ("shell", "--no-imports", "--command", LAST_MEETING)
        last = {size: site.manage(*show).strip() for size, site in sites.items()}
        began, warm_up = time.monotonic(), 2
        for repetition in range(warm_up + repetitions):
            if repetition >= warm_up + FEWEST and time.monotonic() - began > SECONDS:
                break
            for page in (*LIMITS, FLOOR):
                for size, site in sites.items():
                    if size == "Wide" and page not in WIDE:
                        continue
                    address = last[size] if page == "the last meeting" else page
                    cookie = (admins if page == "/admin/" else members)[size]
                    recorders[size].record()
                    found = {"afresh": asked(site, address, cookie)}
                    many = [asked(site, address, cookie) for _ in range(KEPT_ASKED)]
                    found["kept"] = (sum(seconds for seconds, _ in many) / KEPT_ASKED, many[0][1])
                    units.append(unit())
                    if repetition >= warm_up:
                        sizes[size, page] = found["kept"][1]
                        for how, (seconds, _) in found.items():
                            taken[size, page, how].append(seconds)
    return taken, sizes, units


def over(found, most):
    return f" more than {most}" if most and found > most else ""


def bench(name, urls, repetitions):
    """Print the table for one kind of database."""
    with ExitStack() as stack:
        sites = {}
        for size, url in urls.items():
            sites[size] = Site(url, options=["--workers", "1"])
            actions, updates = SIZES[size]
            sites[size].fill("demo", "--actions", str(actions), "--updates", str(updates))
            if url.startswith("postgres"):
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute("VACUUM ANALYZE")  # as it does of itself within minutes
            stack.enter_context(sites[size])
        taken, sizes, units = measure(sites, repetitions)
        peaks = {size: site.peak_memory() for size, site in sites.items()}
    one = statistics.median(units)
    medians = {what: statistics.median(seconds) for what, seconds in taken.items()}
    print(
        f"\n{name}: medians of {len(units) // len(medians) * 2} requests each; a unit is {one * 1000:.1f} ms"
    )
    print(f"{'page':<22}{'size':<7}{'afresh':>20}{'kept':>20}{'sent':>10}")
    for page in (*LIMITS, FLOOR):
        for size in (size for size in sites if (size, page) in sizes):
            afresh, kept = (medians[size, page, how] for how in ("afresh", "kept"))
            most = LIMITS.get(page) if size == "Board" else None
            cells = (f"{seconds / one:>6.1f} units{seconds * 1000:>6.1f} ms" for seconds in (afresh, kept))
            said = over(afresh / one, most) + over(kept / one, page not in NOT_KEPT and MOST_KEPT)
            if size != "Board" and "Board" in sites and page != FLOOR:
                times = afresh / medians["Board", page, "afresh"]
                said += over(times, WIDE[page] if size == "Wide" else RATIO).replace("than", "times than")
            print(f"{page:<22}{size:<7}{''.join(cells)}{sizes[size, page] / 1000:>7.1f} kB{said}")
    for size, peak in peaks.items():
        print(f"peak memory of a worker: {size} {peak:.0f} MB{over(peak, MEMORY)}", flush=True)


def filled(folder):
    """A site over a new SQLite database, and the path of that."""
    path = Path(folder) / f"{random.randrange(10**9)}.sqlite3"
    site = Site(f"sqlite:///{path}")
    site.fill()
    return site, path


def bench_sign_in(folder):
    """Print how long sign-ins that fail for different reasons take, and whether that tells them apart."""
    site, path = filled(folder)
    site.manage("shell", "--no-imports", "--command", TWO_MORE_ACCOUNTS)
    tried = {
        "a wrong password": "member",
        "no such account": "nobody",
        "a closed account": "closed",
        "an account without a password": "without",
    }
    taken = {why: [] for why in tried}
    with site, closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as database:
        page = site.get("/login/")
        token = page.headers["Set-Cookie"].split(";")[0]
        field = {"csrfmiddlewaretoken": token.partition("=")[2]}
        for _ in range(TRIES):
            for why in random.sample(list(tried), len(tried)):
                database.execute("DELETE FROM bcp_board_signintry")  # or the account would lock
                body = urlencode({**field, "username": tried[why], "password": "not the right one"})
                asked = time.perf_counter()
                response = site.ask("POST", "/login/", token, body)
                taken[why].append(time.perf_counter() - asked)
                if response.status != 200:
                    sys.exit(f"Signing in with {why} answered {response.status}")
    medians = {why: statistics.median(times) for why, times in taken.items()}
    ratio = max(medians.values()) / min(medians.values())
    print(f"\nSigning in: medians of {TRIES} tries each")
    for why, median in medians.items():
        print(f"{why:<30}{median * 1000:>8.1f} ms")
    verdict = "" if ratio <= TELLING else f", more than {TELLING}"
    print(f"the slowest takes {ratio:.3f} times as long as the quickest{verdict}", flush=True)


def bench_memory(folder):
    """Print by how much a worker grows under the longest forms."""
    site, _ = filled(folder)
    cookie, address = site.session("secretariat"), "/admin/recommendations/progressupdate/add/?action=1"
    with site:
        page = site.get(address, cookie)
        fields = Form(page.body.decode()).fields | {"status": "on_track"}
        cookies = f"{cookie}; {page.headers['Set-Cookie'].split(';')[0]}"

        def send(letters):
            body = urlencode({**fields, "narrative": "x" * letters})
            return site.ask("POST", address, cookies, body).status

        def resident():
            return {worker.pid: worker.memory_info().rss / 2**20 for worker in site.processes()[1:]}

        for _ in range(8):  # until each worker has all its code loaded
            send(0)
        before = resident()
        for _ in range(FORMS):
            # A megabyte of text is an error at its field; a form much longer is not read at all.
            if (found := [send(1_000_000), send(2_600_000), send(3_000_000)]) != [200, 413, 413]:
                sys.exit(f"Forms of 1, 2.6 and 3 MB answered {found}")
        growth = max(size - before[worker] for worker, size in resident().items())
    verdict = "" if growth <= GROWTH else f", more than {GROWTH}"
    print(f"\nMemory: a worker grew by {growth:.1f} MB over {FORMS} forms each of 1, 2.6 and 3 MB{verdict}")


def new_database(server, name):
    """Make the database ``name`` on a PostgreSQL server, and give its URL."""
    with server.connect("postgres") as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server.url.rpartition('/')[0]}/{name}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=25, help="of each page, fewer if slow")
    parts = ["sqlite", "postgresql", "sign-in", "memory", "loading"]
    parser.add_argument("parts", nargs="*", default=parts, help=f"only some of: {', '.join(parts)}")
    parser.add_argument("--size", choices=SIZES, help="only one of these")
    options = parser.parse_args()
    sizes = [options.size] if options.size else list(SIZES)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        if "sqlite" in options.parts:
            urls = {size: f"sqlite:///{Path(folder) / size}.sqlite3" for size in sizes}
            bench("SQLite", urls, options.repetitions)
        if "postgresql" in options.parts:
            try:
                with Postgres(fsync=True) as server:
                    urls = {size: new_database(server, f"bench_{size.lower()}") for size in sizes}
                    bench("PostgreSQL", urls, options.repetitions)
            except Missing as reason:
                failed = True
                print(f"\nPostgreSQL: not measured, {reason}")
        if "sign-in" in options.parts:
            bench_sign_in(folder)
        if "memory" in options.parts:
            bench_memory(folder)
        if "loading" in options.parts:
            numbers = count()
            bench_loading("SQLite", lambda: f"sqlite:///{folder}/loading-{next(numbers)}.sqlite3")
            try:
                with Postgres(fsync=True) as server:
                    bench_loading("PostgreSQL", lambda: new_database(server, f"loading_{next(numbers)}"))
            except Missing as reason:
                failed = True
                print(f"\nPostgreSQL: not measured, {reason}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
