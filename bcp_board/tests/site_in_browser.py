"""What the browser tests stand on: a running site, databases to show on it, and a watched browser.

A plugin of pytest's, named in conftest.py. It is read before Django is ready, so it imports within.
"""

import fcntl
import os
from types import SimpleNamespace

import pytest


@pytest.fixture(scope="session")
def served(django_db_setup):
    """The address of the site, whichever database is the default while it answers."""
    from pytest_django.live_server_helper import LiveServer

    server = LiveServer("127.0.0.1")
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def filled(tmp_path_factory, templates):
    """A function that gives the database filled by ``fill``, a file to copy others from.

    Processes that share out the tests among them share it too: the first makes it.
    """
    from bcp_board.tests.scratch import Scratch

    own = tmp_path_factory.mktemp("filled")
    folder = tmp_path_factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def get(fill):
        file = folder / f"{fill.__name__}.sqlite3"
        with open(folder / f"{file.name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not file.exists():
                with (scratch := Scratch(own, template=templates["migrated"])):
                    fill()
                os.rename(Scratch(own, template=scratch).name, file)
        return SimpleNamespace(name=file)

    return get


def showing(fill, folder, served, filled, django_db_blocker):
    from bcp_board.tests.browsing import Site
    from bcp_board.tests.scratch import Scratch

    with django_db_blocker.unblock(), Scratch(folder, template=filled(fill)):
        yield Site(served)


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory, served, filled, django_db_blocker):
    """The site with invented progress, one for all tests of a module: for reading only."""
    from bcp_board.tests.browsing import fill_demonstration

    folder = tmp_path_factory.mktemp("demonstration")
    yield from showing(fill_demonstration, folder, served, filled, django_db_blocker)


@pytest.fixture(scope="module")
def keys(demonstration):
    from bcp_board.tests.browsing import keys_of

    return keys_of()


@pytest.fixture
def record_site(tmp_path, served, filled, django_db_blocker):
    """The site with the real record and somebody of every role, for this test alone."""
    from bcp_board.tests.browsing import fill_record

    yield from showing(fill_record, tmp_path, served, filled, django_db_blocker)


@pytest.fixture
def browse(new_context, served):
    """A function that gives somebody a browser, as a page of Playwright's.

    The test fails if anything is written to its console, a content security policy's refusal
    included, or if it asks another host for anything.
    """
    from bcp_board.tests.browsing import Watch, cookie_of

    watches = []

    def give(username="", **options):
        context = new_context(base_url=served, **{"viewport": {"width": 1280, "height": 900}, **options})
        context.set_default_timeout(20_000)
        watches.append(Watch(context, served))
        if username:
            context.add_cookies([{**cookie_of(username), "url": served}])
        return context.new_page()

    yield give
    assert [wrong for watch in watches for wrong in watch.wrong] == []
