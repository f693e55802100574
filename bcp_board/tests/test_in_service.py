"""The site as gunicorn serves it: told to stop, kept waiting by the slow, and cut off from its database."""

import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from bcp_board.tests.serving import Site
from recommendations.models import ProgressUpdate
from recommendations.tests.factories import make_action
from record.tests.admin_forms import open_form
from record.tests.factories import make_user
from record.verification import first_fault


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
def site(database):
    site = Site(database.url)
    site.env["SECRET_KEY"] = settings.SECRET_KEY  # so that the test can sign people in
    with site:
        yield site


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


def wait_until(it_is_so):
    give_up = time.monotonic() + 60
    while not it_is_so():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_fifty_visitors_who_send_slowly_do_not_keep_the_others_out(site):
    with ExitStack() as stack:
        for _ in range(50):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", site.port), timeout=60))
            slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0")
        assert [site.get("/healthz").status for _ in range(4)] == [200] * 4


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
    assert statuses("/") + statuses("/readyz") == [200] * 12


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


@pytest.mark.once
@pytest.mark.parametrize("command", ["migrate", "seed", "unlock ann", "grants board_site", "check_backups"])
def test_a_command_without_its_database_ends_in_a_sentence(command):
    site = Site("postgres://board@127.0.0.1:1/board")
    site.env["BACKUP_FOLDER"] = "/nowhere"

    done = subprocess.run(
        [sys.executable, "manage.py", *command.split()],
        cwd=settings.BASE_DIR,
        env=site.env,
        capture_output=True,
        text=True,
    )

    told = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert (done.returncode, len(told)) == (1, 1)
    assert told[0].endswith(".")


@pytest.mark.once
def test_a_history_that_cannot_be_read_is_not_said_not_to_hold():
    site = Site("postgres://board@127.0.0.1:1/board")

    done = subprocess.run(
        [sys.executable, "manage.py", "verify_history"],
        cwd=settings.BASE_DIR,
        env=site.env,
        capture_output=True,
        text=True,
    )

    told = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert (done.returncode, told) == (
        2,
        ["CommandError: The history was not checked: the database cannot be reached."],
    )
