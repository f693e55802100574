"""Run every test: on SQLite, those in a browser among them, and on PostgreSQL.

Settings are read before any test is, so the database must be chosen outside pytest: a DATABASE_URL
set in conftest.py would leave the run on SQLite without a word. Name parts to run only those:

    python -m bcp_board.tests.run_suite postgresql

What tries all there is, at every page, row or fault, what is printed, and what another database could hardly
change is left to the part `rest`, and the site with its real parts that is broken, upgraded or extended to
`service`. `make test` leaves these two out and `.ci/run` does not.
"""

import os
import signal
import subprocess
import sys
import time

from .postgres import Missing, Postgres

# As many at a time as there are processors, but each of more than six has a database and a browser too.
AT_A_TIME = min(max(os.cpu_count(), 2), 6)
# A file at a time, so that what its tests share is made once. Those in a browser come last.
BY_FILE = ("--dist", "loadfile", "--no-loadscope-reorder")
# One file of these takes longer than all others together, and each of its tests makes what it needs.
BY_TEST = ("--dist", "worksteal")


def pytest(title, url, vendor, which, shared_out=BY_FILE):
    print(f"\n=== {title}", flush=True)
    arguments = ("-n", str(AT_A_TIME), *shared_out, "-m", which)
    env = os.environ | {"DATABASE_URL": url, "EXPECT_DB_VENDOR": vendor}
    # What one part has compiled, tests included, the next need not.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], env=env).returncode


def sqlite(chosen="not sweep and not printed and not service", shared_out=BY_FILE):
    return pytest("Tests on SQLite, and in Chromium", "sqlite://:memory:", "sqlite", chosen, shared_out)


def postgresql(chosen="not sweep and not again and not service", shared_out=BY_FILE):
    try:
        with Postgres() as server:
            which = f"not browser and not once and {chosen}"
            return pytest("Tests on PostgreSQL", server.url, "postgresql", which, shared_out)
    except Missing as reason:
        print(f"\n=== Tests on PostgreSQL: skipped, {reason}", flush=True)
        return None


def rest():
    return sqlite("(sweep or printed) and not service") or postgresql("(sweep or again) and not service")


def service():
    return sqlite("service", BY_TEST) or postgresql("service", BY_TEST)


def main(names):
    # However the run is ended, leave through the `with` block that stops PostgreSQL.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    lines, failed = [], False
    in_make_test = {"sqlite": sqlite, "postgresql": postgresql}
    parts = in_make_test | {"rest": rest, "service": service}
    for name in names or in_make_test:
        began = time.monotonic()
        status = parts[name]()
        skipped = status is None and os.environ.get("CI") != "true"
        failed |= status != 0 and not skipped
        verdict = "passed" if status == 0 else "skipped" if skipped else "FAILED"
        lines.append(f"{name:<11} {verdict:<8} {time.monotonic() - began:5.0f} s")
    print("\n=== Summary", *lines, sep="\n")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
