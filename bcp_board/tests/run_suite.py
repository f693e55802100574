"""Run every test: on SQLite, those in a browser among them, and on PostgreSQL.

Settings are read before any test is, so the database must be chosen outside pytest: a DATABASE_URL
set in conftest.py would leave the run on SQLite without a word. Name parts to run only those:

    python -m bcp_board.tests.run_suite postgresql

What another database could hardly change, what is printed, and the site with its real parts that is broken,
upgraded or extended, is left to the parts `again`, `printed` and `service`, which `make test` leaves out and
`.ci/run` does not.
"""

import os
import signal
import subprocess
import sys
import time

from .postgres import Missing, Postgres

# Two files at a time, so that what the tests of a file share is made once. Those in a browser come last.
TWO_AT_A_TIME = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")


def pytest(title, url, vendor, *arguments):
    print(f"\n=== {title}", flush=True)
    arguments = (*TWO_AT_A_TIME, *arguments)
    env = os.environ | {"DATABASE_URL": url, "EXPECT_DB_VENDOR": vendor}
    # What one part has compiled, tests included, the next need not.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], env=env).returncode


def sqlite(chosen="not printed and not service"):
    return pytest("Tests on SQLite, and in Chromium", "sqlite://:memory:", "sqlite", "-m", chosen)


def printed():
    return sqlite("printed")


def postgresql(chosen="not again and not service"):
    try:
        with Postgres() as server:
            which = f"not browser and not once and {chosen}"
            return pytest("Tests on PostgreSQL", server.url, "postgresql", "-m", which)
    except Missing as reason:
        print(f"\n=== Tests on PostgreSQL: skipped, {reason}", flush=True)
        return None


def again():
    return postgresql("again and not service")


def service():
    return sqlite("service") or postgresql("service")


def main(names):
    # However the run is ended, leave through the `with` block that stops PostgreSQL.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    lines, failed = [], False
    in_make_test = {"sqlite": sqlite, "postgresql": postgresql}
    parts = in_make_test | {"again": again, "printed": printed, "service": service}
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
