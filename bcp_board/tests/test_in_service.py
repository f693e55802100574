"""The site as gunicorn serves it: told to stop, kept waiting by the slow, and cut off from its database."""

import json
import socket
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from bcp_board.tests.postgres import Missing, Postgres
from bcp_board.tests.serving import ROOT, Site, wait_until
from recommendations.models import ProgressUpdate
from recommendations.tests.factories import make_action
from record.tests.admin_forms import open_form
from record.tests.factories import make_user
from record.verification import first_fault

pytestmark = pytest.mark.service


@pytest.fixture
def database(new_database):
    scratch = new_database()
    with scratch:
        yield scratch


@pytest.fixture
def on_a_server(database):
    if database.is_file:
        pytest.skip("SQLite has no server that could go away")
    return database


@pytest.fixture
def site(database, tmp_path, request):
    """The site, with the settings that the test's mark `settings` names."""
    with (tmp_path / "log").open("wb") as log:
        site = Site(database.url, log=log)
        site.env["SECRET_KEY"] = settings.SECRET_KEY  # so that the test can sign people in
        for mark in request.node.iter_markers("settings"):
            site.env |= mark.kwargs
        with site:
            yield site


@pytest.fixture
def reader(database):
    """The cookie of somebody who has signed in to read."""
    client = Client()
    client.force_login(make_user("Board members"))
    return cookie_of(client)


def at_once(site, number, path, cookie=""):
    """[(status, seconds)] of ``number`` requests for ``path`` at one moment."""

    def ask(_):
        began = time.monotonic()
        return site.get(path, cookie, timeout=120).status, time.monotonic() - began

    with ThreadPoolExecutor(number) as visitors:
        return list(visitors.map(ask, range(number)))


def faults(site):
    """{(kind, cause, code): [milliseconds, ...]} of the faults in the site's log."""
    found = {}
    for line in map(json.loads, Path(site.log.name).read_text().splitlines()):
        if line["event"] == "fault":
            found.setdefault((line["kind"], line["cause"], line["code"]), []).append(line["ms"])
    return found


def cookie_of(client):
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def test_a_form_that_is_being_sent_when_the_site_is_told_to_stop_is_saved(site):
    officer, client, token = make_user("Officers"), Client(), "a" * 32
    client.force_login(officer)
    page = reverse("admin:recommendations_progressupdate_add")
    page = f"{page}?action={make_action(owner=officer).pk}"
    typed = {"status": "on_track", "narrative": "What was done", "csrfmiddlewaretoken": token}
    body = urlencode({**open_form(client, page), **typed}).encode()
    head = (
        f"POST {page} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\n"
        f"Cookie: {cookie_of(client)}; {settings.CSRF_COOKIE_NAME}={token}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", site.port), timeout=60) as visitor:
        visitor.sendall(head.encode())
        # gunicorn says so when one of its workers has begun with the request.
        assert visitor.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        visitor.sendall(body[:40])
        site.process.terminate()
        wait_until(lambda: len(site.processes()) == 2)  # the idle worker has gone
        visitor.sendall(body[40:])
        answer = visitor.recv(100)

    assert answer.startswith(b"HTTP/1.1 302 Found\r\n")
    assert [row.narrative for row in ProgressUpdate.objects.all()] == ["What was done"]
    assert first_fault() is None
    assert site.process.wait(timeout=60) == 0


def test_fifty_visitors_who_send_slowly_do_not_keep_the_others_out(site):
    with ExitStack() as stack:
        for _ in range(50):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", site.port), timeout=60))
            slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0")
        assert [site.get("/healthz").status for _ in range(4)] == [200] * 4


def test_fifty_visitors_who_send_a_form_slowly_hold_no_connection(site, reader):
    head = (
        f"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 90\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\n"
        f"Cookie: {reader}; {settings.CSRF_COOKIE_NAME}={'a' * 32}\r\n\r\nusername"
    )
    with ExitStack() as stack:
        for _ in range(50):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", site.port), timeout=60))
            slow.sendall(head.encode())
        assert [site.get("/", reader).status for _ in range(4)] == [200] * 4
    assert faults(site) == {}


def test_a_form_that_is_too_large_is_told_so_once_it_was_sent_and_the_next_is_read(site):
    for size, status in ((3_000_000, 413), (15_000_000, 413), (1_200_000, 403)):
        response = site.ask("POST", "/login/", body="x" * size)
        assert (response.status, b"<h1" in response.body) == (status, True)


def test_a_database_file_that_was_taken_away_is_not_called_ready(database, site):
    """Whoever has it open can read it still, and so could save into a file that nobody will find again."""
    if not database.is_file:
        pytest.skip("PostgreSQL is asked over its connection")
    assert site.get("/readyz").status == 200
    there, elsewhere = Path(database.name), Path(f"{database.name}.elsewhere")
    there.rename(elsewhere)
    assert [site.get("/readyz").status for _ in range(6)] == [503] * 6
    # Somebody who asks for a page has SQLite make an empty file there.
    there.touch()
    assert [site.get("/readyz").status for _ in range(6)] == [503] * 6
    elsewhere.rename(there)


def test_a_database_without_the_records_tables_is_not_called_ready(new_database):
    with new_database("empty"):
        assert Client().get("/readyz").status_code == 503


def test_a_database_that_went_away_is_told_in_words_and_the_first_request_after_it_is_answered(
    on_a_server, site
):
    client = Client()
    client.force_login(make_user("Board members"))
    cookie = cookie_of(client)

    def statuses(path):
        return [site.get(path, cookie).status for _ in range(6)]

    assert statuses("/help/") + statuses("/") == [200] * 12
    with on_a_server.away():
        pass  # and nobody asks for anything, so that the workers keep connections that are broken
    assert statuses("/") == [200] * 6
    with on_a_server.away():
        page = site.get("/", cookie)
        assert (page.status, statuses("/readyz"), statuses("/healthz")) == (503, [503] * 6, [200] * 6)
        assert "Sorry, the record cannot be reached" in page.body.decode()
    assert list(faults(site)) == [("OperationalError", "TurnedAway", "")]
    assert statuses("/") + statuses("/readyz") == [200] * 12


def test_a_crowd_is_answered_over_sixteen_connections(on_a_server, site, reader):
    seen = []
    with ThreadPoolExecutor(1) as crowd:
        answers = crowd.submit(at_once, site, 80, "/accessibility/", reader)
        while not answers.done():
            seen.append(on_a_server.connections())
            time.sleep(0.05)

    assert [status for status, _ in answers.result()] == [200] * 80
    # This test has one more.
    assert 4 < max(seen) <= 17
    assert faults(site) == {}


@contextmanager
def locked_actions():
    """Keep everybody else from reading the actions."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE recommendations_action")
        yield


LOCKED = ("OperationalError", "LockNotAvailable", "55P03")
TOO_LONG = ("OperationalError", "QueryCanceled", "57014")
NO_TURN = ("OperationalError", "PoolTimeout", "")


@pytest.mark.parametrize(
    "expected",
    [
        LOCKED,
        pytest.param(
            TOO_LONG,
            marks=pytest.mark.settings(DATABASE_LOCK_SECONDS="9", DATABASE_STATEMENT_SECONDS="1"),
        ),
    ],
)
def test_while_a_table_is_locked_readers_are_told_and_the_other_pages_answer(
    on_a_server, site, reader, expected
):
    with locked_actions():
        told = at_once(site, 6, "/", reader)
        others = [site.get(path).status for path in ("/healthz", "/login/", "/help/")]

    assert [status for status, _ in told] == [503] * 6
    assert max(seconds for _, seconds in told) < 10
    assert others == [200] * 3
    assert [status for status, _ in at_once(site, 6, "/", reader)] == [200] * 6
    assert list(faults(site)) == [expected]
    assert min(faults(site)[expected]) >= 1000


@pytest.mark.settings(DATABASE_CONNECTIONS="1", DATABASE_TURN_SECONDS="1", DATABASE_LOCK_SECONDS="3")
def test_who_gets_no_turn_in_time_is_told(on_a_server, site, reader):
    with locked_actions():
        told = at_once(site, 20, "/", reader)

    assert [status for status, _ in told] == [503] * 20
    assert set(faults(site)) == {LOCKED, NO_TURN}
    assert min(faults(site)[NO_TURN]) >= 1000
    assert [status for status, _ in at_once(site, 2, "/", reader)] == [200] * 2


@pytest.mark.settings(DATABASE_IDLE_SECONDS="1", DATABASE_SAVE_SECONDS="9", DATABASE_STATEMENT_SECONDS="9")
def test_a_save_that_stands_still_is_ended_and_its_sender_told(on_a_server, site, reader):
    cookies = f"{reader}; {settings.CSRF_COOKIE_NAME}={'a' * 32}"
    typed = urlencode({"csrfmiddlewaretoken": "a" * 32, "old_password": "wrong"})
    with ThreadPoolExecutor() as visitors:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE auth_user")
            saved = visitors.submit(site.ask, "POST", "/password/", cookies, typed)
            # Another test's database may be on this server, and somebody waiting in it.
            here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            is_waiting = f"SELECT count(*) FROM pg_locks WHERE NOT granted AND {here}"
            wait_until(lambda: cursor.execute(is_waiting).fetchone() == (1,))
            held = on_a_server.connections()
            for process in site.processes():
                process.suspend()
        wait_until(lambda: on_a_server.connections() < held)
        for process in site.processes():
            process.resume()

    assert saved.result().status == 503
    assert list(faults(site)) == [("OperationalError", "CutOff", "")]


def test_a_save_that_stood_still_before_it_asked_again_is_told_as_one_that_was_cut_off(on_a_server):
    still = "import gunicorn, time, bcp_board.wsgi\n"
    still += "from django.db import connection as c, transaction as t, Error\n"
    still += "k = c.cursor()\n"
    still += "try:\n"
    still += "    with t.atomic(): k.execute('SELECT 1'); time.sleep(2); k.execute('SELECT 2')\n"
    still += "except Error as error: print(type(error).__name__, type(error.__cause__).__name__)\n"
    still += "k = c.cursor(); print(k.execute('SELECT 3').fetchone())"
    env = Site(on_a_server.url).env | {"DATABASE_IDLE_SECONDS": "1"}
    done = subprocess.run([sys.executable, "-c", still], cwd=ROOT, env=env, capture_output=True, text=True)

    assert done.stdout == "OperationalError CutOff\n(3,)\n"


@pytest.mark.once
def test_while_the_server_is_stopped_in_its_tracks_readers_are_told_and_after_it_all_is_well(tmp_path):
    with ExitStack() as stack:
        try:
            server = stack.enter_context(Postgres())
        except Missing as reason:
            pytest.skip(str(reason))
        site = Site(server.url, log=stack.enter_context((tmp_path / "log").open("wb")))
        site.manage("migrate", "--verbosity", "0")
        make = "from record.tests.factories import make_user; make_user('Board members', 'member')"
        site.manage("shell", "--no-imports", "--command", make)
        reader = site.session("member")
        site.env |= {"DATABASE_STATEMENT_SECONDS": "2", "DATABASE_LOCK_SECONDS": "9"}
        stack.enter_context(site)
        before = at_once(site, 8, "/", reader)
        visitors = stack.enter_context(ThreadPoolExecutor())
        with server.connect() as other, other.transaction():
            # The one table of the record that is read even for a page which a worker has kept.
            other.execute("LOCK TABLE record_ledgerentry")
            halfway = visitors.submit(site.get, "/", reader)
            wait_until(lambda: other.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone())
            with server.paused():
                others = visitors.map(lambda path: site.get(path).status, ("/healthz", "/login/", "/help/"))
                told = at_once(site, 8, "/", reader)
                others, halfway = list(others), halfway.result().status
        # Who comes in that moment may still be told of a try that was given up.
        wait_until(lambda: [status for status, _ in at_once(site, 8, "/", reader)] == [200] * 8)

    assert [status for status, _ in before] == [200] * 8
    assert [status for status, _ in told] == [503] * 8
    assert max(seconds for _, seconds in told) < 10
    assert (others, halfway) == ([200] * 3, 503)
    causes = {("OperationalError", cause, "") for cause in ("ConnectionTimeout", "NoAnswer")}
    assert set(faults(site)) == causes


@pytest.mark.settings(DATABASE_SAVE_SECONDS="1")
def test_while_a_database_file_is_locked_people_read_and_are_told_that_nothing_is_saved(
    database, site, reader
):
    if not database.is_file:
        pytest.skip("PostgreSQL locks tables and rows")
    typed = urlencode({"username": "ann", "password": "wrong", "csrfmiddlewaretoken": "a" * 32})
    with closing(sqlite3.connect(database.name, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        read = [site.get(path, reader).status for path in ("/", "/healthz", "/login/", "/help/")]
        told = site.ask("POST", "/login/", f"{settings.CSRF_COOKIE_NAME}={'a' * 32}", typed)

    assert (read, told.status) == ([200, 200, 302, 200], 503)
    assert "Nothing was saved" in told.body.decode()
    # Three of the four pages that were given would have noted in the session that their reader was there.
    ((fault, waited),) = faults(site).items()
    assert (fault, len(waited)) == (("OperationalError", "OperationalError", "SQLITE_BUSY"), 4)
    assert 1000 <= min(waited) <= max(waited) < 10_000


def test_a_command_waits_ten_seconds_for_a_table_and_what_it_opened_is_closed_before_workers_part(
    on_a_server,
):
    show = "from django.db import connection as c; k = c.cursor(); "
    show += (
        "print(c.pool, [k.execute(f'SHOW {n}').fetchone()[0] for n in ('statement_timeout', 'lock_timeout')])"
    )
    asked = Site(on_a_server.url).manage("shell", "--no-imports", "--command", show)
    assert asked == "None ['0', '10s']\n"

    part = "import gunicorn, runpy, bcp_board.wsgi; from django.db import connection as c; c.cursor(); "
    part += "print(list(c._connection_pools)); runpy.run_path('gunicorn.conf.py')['pre_fork'](None, None); "
    part += "print(list(c._connection_pools), c.connection)"
    env = Site(on_a_server.url).env
    done = subprocess.run([sys.executable, "-c", part], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.stdout == "['default']\n[] None\n"
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["start"]


@pytest.mark.once
def test_a_locked_account_is_locked_in_every_worker_and_after_a_restart(site):
    right, token = "three unrelated words", "a" * 32
    ann = make_user("Board members", "ann")
    ann.set_password(right)
    ann.save()

    def sign_in(password):
        typed = {"username": "ann", "password": password, "csrfmiddlewaretoken": token}
        cookie = f"{settings.CSRF_COOKIE_NAME}={token}"
        return site.ask("POST", "/login/", cookie, urlencode(typed)).status

    assert sign_in(right) == 302
    assert [sign_in("wrong") for _ in range(5)] == [200] * 5
    assert [sign_in(right) for _ in range(8)] == [429] * 8
    site.kill()
    site.start()
    assert [sign_in(right) for _ in range(8)] == [429] * 8


def told_by(site, command):
    """How a command over the database of ``site`` ends, and the lines that it writes beside the log's."""
    done = subprocess.run(
        [sys.executable, "manage.py", *command.split()],
        cwd=ROOT,
        env=site.env,
        capture_output=True,
        text=True,
    )
    return done.returncode, [line for line in done.stderr.splitlines() if not line.startswith("{")]


@pytest.fixture
def nowhere():
    """A site whose database is not there."""
    site = Site("postgres://board@127.0.0.1:1/board")
    site.env["BACKUP_FOLDER"] = "/nowhere"
    return site


@pytest.mark.once
@pytest.mark.parametrize("command", ["migrate", "seed", "unlock ann", "grants board_site", "check_backups"])
def test_a_command_without_its_database_ends_in_a_sentence(nowhere, command):
    code, told = told_by(nowhere, command)

    assert (code, len(told)) == (1, 1)
    assert told[0].endswith(".")


@pytest.mark.once
def test_a_history_that_cannot_be_read_is_not_said_not_to_hold(nowhere):
    assert told_by(nowhere, "verify_history") == (
        2,
        [
            "CommandError: The history was not checked: the database cannot be reached, or is locked or "
            "damaged."
        ],
    )
