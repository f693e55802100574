"""Does exactly one of several people who save one form at one moment succeed, and is there one chain?

Part of `make torture`: too many rounds for the tests, which try each of these once.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from .postgres import Missing, Postgres
from .serving import Site
from .torture import ACTIONS, STORED, Postgresql, Sqlite, attempt
from .writers import Form, Lost

SECONDS = 240  # after which no further round begins, and a writer of the chain gives up
WRITERS, UPDATES = 8, 200
WRITE = """
import time
from django.contrib.auth.models import User
from record.ledger import append
from recommendations.models import Action, ProgressUpdate
action, user = Action.objects.order_by("ref")[{writer}], User.objects.get(username="secretariat")
give_up = time.monotonic() + {seconds}
for count in range({updates}):
    assert time.monotonic() < give_up, "too slow"
    words = f"Writer {writer}, update {{count}}"
    signed = dict(dated="2022-11-01", recorded_by=user, signed="Ann Clerk (Secretariat)")
    append([ProgressUpdate(action=action, status="on_track", narrative=words, **signed)])
"""
CHAIN = 'SELECT count(*), max(sequence), count(DISTINCT "previous") FROM record_ledgerentry'


def save_one_form(database, rounds):
    """Have 2 to 8 writers save one opened form at one moment, ``rounds`` times; return what was seen."""
    site = Site(database.url)
    site.fill()
    cookie, give_up = site.session("secretariat"), time.monotonic() + SECONDS
    address = f"/admin/recommendations/progressupdate/add/?action={database.ask(ACTIONS)[0][0]}"
    saved = set()
    with site:
        while len(saved) < rounds and time.monotonic() < give_up:
            page = site.get(address, cookie)
            cookies = f"{cookie}; {page.headers['Set-Cookie'].split(';')[0]}"
            fields = Form(page.body.decode()).fields | {"status": "on_track"}
            names = [f"Round {len(saved)}, writer {n}" for n in range(random.randint(2, WRITERS))]
            barrier = threading.Barrier(len(names))

            def save(narrative, cookies=cookies, fields=fields, barrier=barrier):
                barrier.wait()
                return site.ask("POST", address, cookies, urlencode(fields | {"narrative": narrative})).status

            with ThreadPoolExecutor(len(names)) as people:
                answers = dict(zip(names, people.map(save, names), strict=True))
            if sorted(answers.values()) != [200] * (len(names) - 1) + [302]:
                raise Lost(f"one save of {len(names)} should have been taken: {answers}")
            saved |= {name for name, status in answers.items() if status == 302}
            if {narrative for (narrative,) in database.ask(STORED)} != saved:
                raise Lost(f"what was taken is not what is there: {answers}")
    site.manage("verify_history")
    return f"{len(saved)} of {rounds} rounds of 2 to {WRITERS} writers on one form, exactly one saved in each"


def extend_one_chain(database):
    """Have 8 programs add 200 updates each at once; return how long a chain they made."""
    site = Site(database.url)
    site.fill()
    ((before, *_),) = database.ask(CHAIN)

    def write(writer):
        code = WRITE.format(writer=writer, updates=UPDATES, seconds=SECONDS)
        site.manage("shell", "--no-imports", "--command", code)

    with ThreadPoolExecutor(WRITERS) as programs:
        try:
            list(programs.map(write, range(WRITERS)))
        except RuntimeError as error:
            raise Lost(f"a writer was refused: {error}") from error
    expected = before + WRITERS * UPDATES
    if (found := database.ask(CHAIN)) != [(expected,) * 3]:
        raise Lost(f"the chain should have {expected} entries, each with one before it: {found}")
    stored = {narrative for (narrative,) in database.ask(STORED) if narrative.startswith("Writer ")}
    if len(stored) != WRITERS * UPDATES:
        raise Lost("an update is missing")
    site.manage("verify_history")
    return f"{WRITERS} writers x {UPDATES} updates made one chain of {WRITERS * UPDATES}"


def race(database, rounds):
    return [
        attempt(f"{database.name}, one form", save_one_form, database, rounds),
        attempt(f"{database.name}, one chain", extend_one_chain, database),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200, help="saves of one form (at most 1,000)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    rounds = max(1, min(options.rounds, 1000))
    random.seed(options.seed)
    print(f"{rounds} rounds, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        failed = race(Sqlite(folder), rounds)
    try:
        with Postgres() as server:
            failed += race(Postgresql(server), rounds)
    except Missing as reason:
        print(f"PostgreSQL: not tried, {reason}")
    print("FAILED" if any(failed) else "Exactly one of each race was saved, in one chain")
    return any(failed)


if __name__ == "__main__":
    sys.exit(main())
