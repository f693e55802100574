"""What every test stands on: the right database, a flush append-only tables allow, a browser."""

import datetime
import gc
import os
import shutil
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import TransactionTestCase

# The same browser without windows opens a page in about half the time; either will do.
CHROMIUM = shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
pytest_plugins = ["bcp_board.tests.site_in_browser"]
# Longer than any test takes.
BEFORE_MIDNIGHT = datetime.timedelta(minutes=2)


def in_browser(item):
    return item.get_closest_marker("browser") is not None


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
            item.add_marker(pytest.mark.needs(CHROMIUM))
    result = yield  # -m chooses by marker, and pytest-django sorts
    # Playwright leaves an event loop running, in which Django refuses later tests their database. The
    # longest file in a browser is not begun last, to run on alone.
    tests_in = Counter(item.path for item in items)
    items.sort(key=lambda item: (in_browser(item), in_browser(item) and -tests_in[item.path]))
    others = {item.path for item in items if not in_browser(item)}
    for item in items:
        if in_browser(item) and item.path in others:
            item.add_marker("mixed")
    return result


def pytest_collection_finish():
    """Look less often for what can be thrown away: of what is there by now, nothing ever can."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if item.get_closest_marker("mixed"):
        pytest.fail("a file is run as a whole, so a test in a browser needs one without any others")
    for marker in item.iter_markers("needs"):
        if not shutil.which(marker.args[0]):
            missing = f"{marker.args[0]} is not installed"
            pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    # A page before midnight and one after it rightly differ, so no test has the day turn under it.
    if (left := day_has_left()) < BEFORE_MIDNIGHT:
        time.sleep(left.total_seconds())


def day_has_left():
    """How long the site's today goes on."""
    from django.utils import timezone

    now = timezone.localtime()
    midnight = datetime.datetime.combine(now.date() + datetime.timedelta(days=1), datetime.time.min)
    return timezone.make_aware(midnight) - now


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Let browser tests, and only those, use the database beside Playwright's event loop."""
    if not in_browser(item):
        return (yield)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        return (yield)
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def pytest_unconfigure():
    """Take away what SQLite leaves beside a test database that somebody still had open at the end."""
    from django.conf import settings

    if file := settings.DATABASES["default"].get("TEST", {}).get("NAME"):
        for left in Path(file).parent.glob(f"{Path(file).name}*"):
            left.unlink()


@pytest.fixture(scope="session", autouse=True)
def expected_database():
    """Fail at once if the tests are not on the database they were started for."""
    from django.db import connection

    expected = os.environ.get("EXPECT_DB_VENDOR", connection.vendor)
    assert connection.vendor == expected, f"tests for {expected} are running on {connection.vendor}"


@pytest.fixture(scope="session", autouse=True)
def flush_append_only_tables():
    """Lift the triggers that refuse deletion for the flush after a test that committed."""
    from django.db import connection

    from record import triggers

    flush = TransactionTestCase._fixture_teardown

    def lifted_flush(self):
        triggers.drop(connection)
        try:
            flush(self)
        finally:
            triggers.install(connection)

    TransactionTestCase._fixture_teardown = lifted_flush
    yield
    TransactionTestCase._fixture_teardown = flush


@pytest.fixture(autouse=True)
def nothing_kept():
    """Let no test be shown a page that another one's record gave."""
    from record.kept import shelf

    shelf.clear()


@pytest.fixture
def record(db):
    """The record as `manage.py seed` loads it, for tests of any room."""
    from bcp_board.tests.record import load_record

    load_record()


@pytest.fixture
def secretariat(client, db):
    """A client in which somebody of the Secretariat has signed in."""
    from record.tests.factories import make_user

    client.force_login(make_user("Secretariat"))
    return client


@pytest.fixture(scope="session")
def templates(tmp_path_factory, django_db_setup, django_db_blocker):
    """A migrated database, and one with rows in it, that others are copied from."""
    from django.core.management import call_command
    from django.db import connection

    from bcp_board.tests.scratch import Scratch, fill

    with django_db_blocker.unblock():
        folder, name = tmp_path_factory.mktemp("templates"), connection.settings_dict["NAME"]
        if name == connection.creation._get_test_db_name():
            connection.close()  # PostgreSQL copies no database that somebody is connected to
            migrated = Scratch(folder, template=SimpleNamespace(name=name))
        else:  # no test of this run needs a database of pytest-django's, so it made none
            with (migrated := Scratch(folder)):
                call_command("migrate", verbosity=0)
        with (filled := Scratch(folder, template=migrated)):
            fill()
        yield {"migrated": migrated, "filled": filled, "empty": None}
        migrated.drop()
        filled.drop()


@pytest.fixture
def new_database(tmp_path, templates, django_db_blocker):
    """A function that makes a database for this test alone: see bcp_board/tests/scratch.py."""
    from bcp_board.tests.scratch import Scratch

    made = []

    def make(content="migrated"):
        made.append(Scratch(tmp_path, template=templates[content]))
        return made[-1]

    with django_db_blocker.unblock():
        yield make
        for scratch in made:
            scratch.drop()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Debian's Chromium, able to run as root, that speaks to nothing but the site under test."""
    quiet = ["gpu", "quic", "background-networking", "component-update", "sync"]
    return {
        **browser_type_launch_args,
        "executable_path": CHROMIUM,
        "args": ["--no-sandbox", "--no-first-run", *(f"--disable-{name}" for name in quiet)],
    }
