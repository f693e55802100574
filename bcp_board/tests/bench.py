"""Does the site stay as quick when an action's history grows a hundredfold? `make bench` measures it.

For each kind of database, two sites are served side by side, as in service: one whose actions have 24
updates each, one whose actions have 2,400. The same pages are asked of both in turn, so that whatever else
the machine does falls on both. It fails if the median of a page grows by more than RATIO, or a worker needs
more than MEMORY.
"""

import argparse
import datetime
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psycopg

from .postgres import Missing, Postgres
from .serving import Site

SIZES = 24, 2400
RATIO, MEMORY = 1.3, 250
SECONDS, FEWEST = 90, 15


def pages():
    year_ago = datetime.date.today() - datetime.timedelta(days=365)  # noqa: DTZ011 (any day would do)
    return ["/", f"/?as_at={year_ago}", "/actions/", "/recommendations/3/"]


def measure(sites, repetitions):
    """Return {(updates, page): [seconds, ...]}, the pages asked in turn, within SECONDS in all."""
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
            sites[updates].fill()
            sites[updates].manage("demo", "--actions", "6", "--updates", str(updates), debug=True)
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=60, help="of each page, fewer if slow")
    parser.add_argument("databases", nargs="*", default=["sqlite", "postgresql"])
    options = parser.parse_args()
    within = []
    with tempfile.TemporaryDirectory() as folder:
        if "sqlite" in options.databases:
            urls = {updates: f"sqlite:///{Path(folder) / str(updates)}.sqlite3" for updates in SIZES}
            within.append(bench("SQLite", urls, options.repetitions))
        if "postgresql" in options.databases:
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
    return not all(within)


if __name__ == "__main__":
    sys.exit(main())
