"""What a server in service writes to standard error: lines of JSON, and nothing that somebody sent."""

import json
import os
import signal
import socket
import time

import pytest
from django.conf import settings

from bcp_board.tests.serving import Site

pytestmark = [pytest.mark.once, pytest.mark.sweep]
SECRET = "a-secret-token"  # pragma: allowlist secret


@pytest.fixture
def logged(new_database, tmp_path):
    """A function that serves with these settings; the site's ``lines()`` are the log so far."""
    database, sites = new_database(), []

    def serve(**more):
        site = Site(database.url)
        site.env |= more
        written = tmp_path / f"{len(sites)}.log"
        site.log = written.open("w")
        site.lines = lambda: [json.loads(line) for line in written.read_text().splitlines()]
        sites.append(site)
        site.start()
        return site

    with database:
        yield serve
        for site in sites:
            site.kill()
            site.log.close()


def bare(line):
    """What a line says beside the time, the reference and where the request came from."""
    return {name: said for name, said in line.items() if name not in ("time", "request", "address", "user")}


def send(site, request):
    """Send these bytes and wait for the end of the answer."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as visitor:
        visitor.sendall(request)
        while visitor.recv(1000):
            pass


def test_the_first_line_says_which_version_starts_and_reading_adds_none(logged):
    site = logged()

    for path in ("/login/", "/healthz", "/", "/static/bcp_board/board.css"):
        site.ask("GET", path)
        answer = site.ask("HEAD", path)
        assert answer.body == b""

    assert [bare(line) for line in site.lines()] == [
        {"event": "start", "outcome": "ok", "version": settings.VERSION}
    ]


def test_a_request_that_cannot_be_read_is_not_quoted(logged):
    odd = {
        f"GET /login/MQ/{SECRET}/ HTTP/1.1 {SECRET}": "InvalidHTTPVersion",
        f"GET /login/MQ/{SECRET}/": "InvalidRequestLine",
        f"GET /login/MQ/{SECRET}/ HTTQ/1.1": "InvalidHTTPVersion",
        f"/login/MQ/{SECRET}/ GET HTTP/1.1": "InvalidRequestMethod",
        f"GET /login/MQ/{SECRET}/ HTTP/1.1\r\n{SECRET} here: x": "InvalidHeaderName",
        f"GET /login/MQ/{SECRET * 400}/ HTTP/1.1": "LimitRequestLine",
    }
    site = logged()

    for request_line in odd:
        send(site, f"{request_line}\r\nHost: 127.0.0.1\r\n\r\n".encode())

    refused = {"event": "request not read", "outcome": "refused", "address": "127.0.0.1"}
    for line, kind in zip(site.lines()[1:], odd.values(), strict=True):
        del line["time"]
        assert line == refused | {"kind": kind}


def test_a_worker_that_was_killed_is_told_in_json(logged):
    site = logged()

    os.kill(site.processes()[1].pid, signal.SIGKILL)

    give_up = time.monotonic() + 30
    while len(site.lines()) < 2:
        assert time.monotonic() < give_up
        time.sleep(0.05)
    (line,) = site.lines()[1:]
    assert line["event"] == "server"
    assert "SIGKILL" in line["said"]


def test_one_line_for_each_slow_request_says_which_page_and_how_slow_but_not_its_address(logged):
    site = logged(SLOW_REQUEST_SECONDS="0")
    before = len(site.lines())

    answer = site.get(f"/login/MQ/{SECRET}/?q={SECRET}")

    (line,) = site.lines()[before:]
    assert bare(line) == {
        "event": "slow request",
        "outcome": "200",
        "view": "one_time_link",
        "seconds": line["seconds"],
    }
    assert line["request"] == answer.headers["X-Request-ID"]
    assert 0 < line["seconds"] < 60
    assert SECRET not in json.dumps(line)


def test_what_is_quick_enough_is_not_called_slow(logged):
    site = logged(SLOW_REQUEST_SECONDS="60")

    site.get("/login/")

    assert [line["event"] for line in site.lines()] == ["start"]
