"""Does the site stay as quick when an action's history grows a hundredfold? `make bench` measures it.

For each kind of database, two sites are served side by side, as in service: one whose actions have 24
updates each, one whose actions have 2,400. The same pages are asked of both in turn, so that whatever else
the machine does falls on both. It fails if the median of a page grows by more than RATIO, or a worker needs
more than MEMORY.

It also measures whether the time that a failed sign-in takes tells which accounts there are, and whether
forms as long as anybody can send leave a worker with less memory.
"""

import argparse
import datetime
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlencode

import psycopg

from .postgres import Missing, Postgres
from .serving import Site
from .writers import Form

SIZES = 24, 2400
RATIO, MEMORY = 1.3, 250
SECONDS, FEWEST = 90, 15
TRIES, TELLING = 100, 1.1
FORMS, GROWTH = 40, 50
TWO_MORE_ACCOUNTS = """
from django.contrib.auth.models import User
User.objects.create_user("closed", password="a scratch password", is_active=False)
User.objects.create_user("without")
"""


def pages():
    year_ago = datetime.date.today() - datetime.timedelta(days=365)  # noqa: DTZ011 (any day would do)
    return ["/", f"/?as_at={year_ago}", "/actions/", "/recommendations/3/"]


def measure(sites, repetitions):
    """{(updates, page): [seconds, ...]}, the pages asked in turn, within SECONDS in all."""
    cookies = {updates: site.session("member") for updates, site in sites.items()}
    taken = {(updates, page): [] for page in pages() for updates in sites}
    began, warm_up = time.monotonic(), 8
    for repetition in range(warm_up + repetitions):
        if repetition >= warm_up + FEWEST and time.monotonic() - began > SECONDS:
            break
        for updates, page in taken:
            asked = time.perf_counter()
            response = sites[updates].get(page, cookies[updates])
            if repetition >= warm_up:
                taken[updates, page].append(time.perf_counter() - asked)
            if response.status != 200:
                sys.exit(f"{page} answered {response.status} with {updates} updates")
    return taken


def bench(name, urls, repetitions):
    """Print the table for one kind of database; return whether it is within the limits."""
    with ExitStack() as stack:
        sites = {}
        for updates, url in urls.items():
            sites[updates] = Site(url)
            sites[updates].fill("demo", "--actions", "6", "--updates", str(updates))
            if url.startswith("postgres"):
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute("VACUUM ANALYZE")  # as it does of itself within minutes
            stack.enter_context(sites[updates])
        taken = measure(sites, repetitions)
        peak = max(site.peak_memory() for site in sites.values())
    few, many = sites
    print(f"\n{name}: medians of {len(taken[few, '/'])} requests each")
    print(f"{'page':<28}{f'{few} updates':>14}{f'{many} updates':>15}{'ratio':>8}")
    within = peak <= MEMORY
    for page in pages():
        medians = [statistics.median(taken[updates, page]) for updates in sites]
        ratio = medians[1] / medians[0]
        within &= ratio <= RATIO
        verdict = "" if ratio <= RATIO else f"  more than {RATIO}"
        print(f"{page:<28}{medians[0] * 1000:>11.1f} ms{medians[1] * 1000:>12.1f} ms{ratio:>8.2f}{verdict}")
    verdict = "" if peak <= MEMORY else f", more than {MEMORY}"
    print(f"peak memory of a worker: {peak:.0f} MB{verdict}", flush=True)
    return within


def filled(folder):
    """A site over a new SQLite database, and the path of that."""
    path = Path(folder) / f"{random.randrange(10**9)}.sqlite3"
    site = Site(f"sqlite:///{path}")
    site.fill()
    return site, path


def bench_sign_in(folder):
    """Print how long sign-ins that fail for different reasons take; return whether that tells them apart."""
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
    return ratio <= TELLING


def bench_memory(folder):
    """Print by how much a worker grows under the longest forms; return whether that is within the limit."""
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
    return growth <= GROWTH


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=60, help="of each page, fewer if slow")
    parts = ["sqlite", "postgresql", "sign-in", "memory"]
    parser.add_argument("parts", nargs="*", default=parts, help=f"only some of: {', '.join(parts)}")
    options = parser.parse_args()
    within = []
    with tempfile.TemporaryDirectory() as folder:
        if "sqlite" in options.parts:
            urls = {updates: f"sqlite:///{Path(folder) / str(updates)}.sqlite3" for updates in SIZES}
            within.append(bench("SQLite", urls, options.repetitions))
        if "postgresql" in options.parts:
            try:
                with Postgres(fsync=True) as server:
                    urls = {}
                    for updates in SIZES:
                        with server.connect("postgres") as connection:
                            connection.execute(f"CREATE DATABASE updates_{updates}")
                        urls[updates] = f"{server.url.rpartition('/')[0]}/updates_{updates}"
                    within.append(bench("PostgreSQL", urls, options.repetitions))
            except Missing as reason:
                print(f"\nPostgreSQL: not measured, {reason}")
        if "sign-in" in options.parts:
            within.append(bench_sign_in(folder))
        if "memory" in options.parts:
            within.append(bench_memory(folder))
    return not all(within)


if __name__ == "__main__":
    sys.exit(main())
