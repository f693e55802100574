"""The headers of every answer, the site in service behind https, and what a strange request gets."""

import base64
import datetime
import gzip
import hashlib
import http.client
import re
import secrets
import socket
import sqlite3
from collections import Counter
from contextlib import closing

import pytest
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404
from django.test import Client, RequestFactory

from bcp_board import errors
from bcp_board.middleware import FEATURES
from bcp_board.tests.serving import Site

pytestmark = pytest.mark.again

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in FEATURES),
    "X-Robots-Tag": "noindex, nofollow",
}


def of(response, names):
    return {name: response.headers.get(name) for name in names}


def policy_for(body):
    """The policy of a page with these bytes: a stylesheet that it carries is allowed by its hash."""
    styles = re.findall(rb"<style>(.*?)</style>", body, re.DOTALL)
    hashes = (base64.b64encode(hashlib.sha256(style).digest()).decode() for style in styles)
    return POLICY.replace(
        "style-src 'self'", " ".join(["style-src 'self'", *(f"'sha256-{h}'" for h in hashes)])
    )


@pytest.mark.sweep
@pytest.mark.once
@pytest.mark.parametrize("role", ["anonymous", "secretariat"])
def test_every_answer_carries_the_headers_and_is_kept_nowhere(people, addresses, role):
    client = Client()
    if people[role]:
        client.force_login(people[role])

    for route, address in addresses.items():
        response = client.get(address)
        assert of(response, ALWAYS) == ALWAYS, route
        stored = response.headers["Cache-Control"].replace(" ", "").split(",")
        assert {"private", "no-store"} <= set(stored), route
        assert response.headers["Content-Security-Policy"] == policy_for(response.getvalue()), route


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"path": "/static/bcp_board/board.css"}, 200),
        ({"path": "/zzz"}, 404),
        ({"path": "/?as_at=never"}, 302),
        ({"path": "/help/?as_at=never"}, 400),
        ({"path": "/help/?%00"}, 400),
        ({"path": "/help/", "method": "PUT"}, 405),
        ({"path": "/login/", "method": "POST", "data": "x" * 3_000_000}, 413),
        ({"path": "/help/", "headers": {"Host": "evil.example"}}, 400),
        ({"path": "/help"}, 301),
        ({"path": "/fault/?q=x"}, 500),
    ],
)
def test_errors_redirects_and_static_files_carry_them_too(db, settings, asked, status):
    settings.ROOT_URLCONF = "bcp_board.tests.faults"
    client = Client(raise_request_exception=False)

    response = client.generic(asked.pop("method", "GET"), **asked)

    assert response.status_code == (400 if asked["path"] == "/?as_at=never" else status)
    assert of(response, ALWAYS) == ALWAYS
    body = response.getvalue()  # which closes a file
    assert response.headers["Content-Security-Policy"] == policy_for(body)


@pytest.mark.once
def test_a_form_that_cannot_be_read_does_not_fail_its_error_page_too():
    token = "a" * 32
    kind = "application/x-www-form-urlencoded; charset=latin-1"
    pages = {
        400: lambda request: errors.bad_request(request, BadRequest()),
        404: lambda request: errors.not_found(request, Http404()),
        403: lambda request: errors.forbidden(request, PermissionDenied()),
        500: errors.server_error,
    }
    for status, page in pages.items():
        request = RequestFactory().post("/login/", "a=b", kind, headers={"Cookie": f"csrf={token}"})
        with pytest.raises(BadRequest):
            request.POST  # noqa: B018 (reading it is what fails)
        assert page(request).status_code == status


@pytest.mark.once
@pytest.mark.sweep
def test_nothing_that_holds_a_token_is_compressed(people, addresses):
    client, found = Client(headers={"accept-encoding": "gzip"}), Counter()
    client.force_login(people["secretariat"])
    client.get("/help/")
    for address in addresses.values():
        response = client.get(address)
        is_compressed = response.headers.get("Content-Encoding") == "gzip"
        body = gzip.decompress(response.getvalue()) if is_compressed else response.getvalue()
        has_token = b"csrfmiddlewaretoken" in body
        assert not (is_compressed and has_token), address
        found[is_compressed, has_token] += 1
    assert found[True, False] > 12
    assert found[False, True] > 12


def test_a_page_with_a_style_for_its_tail_is_not_there(people):
    client = Client()
    client.force_login(people["superuser"])

    for page in (
        "/actions/A01/x.css",
        "/actions/x.css",
        "/actions/A01.css",
        "/x.css",
        "/admin/x.js",
        "/status/x.png",
    ):
        assert client.get(page).status_code == 404, page


def test_a_strange_host_is_refused_without_repeating_it_and_a_forwarded_one_ignored(db):
    refused = Client().get("/help/", headers={"Host": "evil.example"})
    assert refused.status_code == 400
    assert "evil" not in refused.content.decode() + str(refused.headers)

    told = Client().get("/.well-known/security.txt", headers={"X-Forwarded-Host": "evil.example"})
    assert "http://testserver/help/" in told.content.decode()
    assert "evil" not in told.content.decode()


def test_security_txt_says_where_to_report_and_until_when(db, settings):
    settings.SECURITY_CONTACT = "mailto:security@example.org"
    response = Client().get("/.well-known/security.txt")

    assert response.headers["Content-Type"] == "text/plain"
    contact, expires, language = response.content.decode().splitlines()
    assert (contact, language) == ("Contact: mailto:security@example.org", "Preferred-Languages: en")
    until = datetime.datetime.fromisoformat(expires.removeprefix("Expires: "))
    left = until - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(days=30) < left < datetime.timedelta(days=366)


def test_an_error_says_nothing_of_the_inside(db, settings):
    settings.ROOT_URLCONF = "bcp_board.tests.faults"
    for path in ("/zzz", "/fault/?q=x", "/help/?%00"):
        page = Client(raise_request_exception=False).get(path).content.decode()
        assert "<h1" in page
        for inside in (
            "Traceback",
            "Django",
            "django",
            "urlpatterns",
            "SECRET",
            ".py",
            "ValueError",
            settings.SECRET_KEY,
        ):
            assert inside not in page, (path, inside)


class InService(Site):
    """The site with the settings it has in service, https included, seen through a trusted proxy."""

    def __init__(self, url):
        super().__init__(url)
        key = {
            "DJANGO_SETTINGS_MODULE": "bcp_board.settings",
            "SECRET_KEY": secrets.token_urlsafe(64),
            "SECRET_KEY_FALLBACKS": "",
        }
        self.env |= {"HTTPS": "1", "ALLOWED_HOSTS": "board.example,127.0.0.1", **key}

    def get(self, path, cookie="", timeout=30):
        return self.send("GET", path, {"X-Forwarded-Proto": "https", "Cookie": cookie})

    def send(self, method, path, headers, body=None, source="127.0.0.1"):
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30, source_address=(source, 0))
        with closing(asking):
            asking.request(method, path, body, headers)
            response = asking.getresponse()
            response.body = response.read().decode()
        return response

    def raw(self, request):
        """The first line of the answer to the bytes ``request``."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as sock:
            sock.sendall(request)
            return sock.recv(200).split(b"\r\n")[0].decode()


PREPARE = """
from django.contrib.auth.models import User
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("collectstatic", interactive=False, verbosity=0)
User.objects.create_user("ann", password="three unrelated words")
"""


@pytest.fixture(scope="module")
def in_service(tmp_path_factory):
    file = tmp_path_factory.mktemp("served") / "board.sqlite3"
    site = InService(f"sqlite:///{file}")
    assert site.manage("shell", "--no-imports", "--command", PREPARE) == ""
    with file.with_suffix(".log").open("w") as site.log, site:
        site.file = file
        yield site


def style_of(site):
    """The address of the stylesheet that its pages name."""
    return re.search(r"/static/bcp_board/board\.[0-9a-f]+\.css", site.get("/login/").body)[0]


@pytest.mark.once
def test_plain_http_is_sent_to_https_on_the_same_host(in_service):
    response = in_service.send("GET", "/help/?as_at=2022-11-22", {"Host": "board.example"})

    found = (response.status, response.headers["Location"])
    assert found == (301, "https://board.example/help/?as_at=2022-11-22")


@pytest.mark.once
def test_a_strange_host_gets_every_header_by_plain_http_too_and_no_file(in_service):
    for path in ("/help/", "/zzz", style_of(in_service)):
        for proto in ("http", "https"):
            asked = {"Host": "evil.example", "X-Forwarded-Proto": proto}
            refused = in_service.send("GET", path, asked)
            assert (refused.status, of(refused, ALWAYS)) == (400, ALWAYS)
            assert refused.headers["Content-Security-Policy"] == policy_for(refused.body.encode())
            assert ("Strict-Transport-Security" in refused.headers) is (proto == "https")
            assert "evil" not in refused.body + str(refused.headers)


@pytest.mark.once
def test_https_is_believed_only_of_a_trusted_proxy(in_service):
    claim = {"Host": "board.example", "X-Forwarded-Proto": "https"}

    assert in_service.send("GET", "/login/", claim).status == 200
    assert in_service.send("GET", "/login/", claim, source="127.0.0.2").status == 301


@pytest.mark.once
def test_no_header_moves_the_site_elsewhere_not_even_a_trusted_proxys(in_service):
    moved = {"X-Forwarded-Proto": "https", "SCRIPT_NAME": "/login", "PATH_INFO": "/zzz"}

    page = in_service.send("GET", "/login/", moved)

    assert page.status == 200
    assert 'href="/help/"' in page.body


@pytest.mark.once
def test_every_answer_by_https_holds_the_browser_to_https(in_service):
    style = style_of(in_service)

    asked = {path: in_service.get(path) for path in ("/login/", "/", "/zzz", "/help/?%00", style)}
    for method in ("POST", "PUT"):
        asked[method] = in_service.send(method, "/logout/", {"X-Forwarded-Proto": "https"})

    assert [response.status for response in asked.values()] == [200, 302, 404, 400, 200, 403, 405]
    for response in asked.values():
        held = response.headers["Strict-Transport-Security"]
        assert held == "max-age=2592000"
        assert response.headers["Content-Security-Policy"] == policy_for(response.body.encode())
        assert response.headers["Server"] == "gunicorn"
        assert "X-Powered-By" not in response.headers


@pytest.mark.once
def test_a_file_is_served_by_the_name_that_holds_its_hash_and_may_be_kept(in_service):
    style = style_of(in_service)
    hashed, plain = in_service.get(style), in_service.get("/static/bcp_board/board.css")

    assert hashed.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert plain.status == 404
    for kind in ("br", "gzip"):
        asked = {"X-Forwarded-Proto": "https", "Accept-Encoding": kind}
        assert in_service.send("HEAD", style, asked).headers["Content-Encoding"] == kind
    assert {hashed.headers["Access-Control-Allow-Origin"], hashed.headers["Set-Cookie"]} == {None}


@pytest.mark.once
def test_the_cookies_are_two_and_bound_to_this_host(in_service):
    page = in_service.get("/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.body)[1]
    csrf = page.headers["Set-Cookie"]
    headers = {
        "X-Forwarded-Proto": "https",
        "Cookie": csrf.split(";")[0],
        "Origin": f"https://127.0.0.1:{in_service.port}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    body = f"csrfmiddlewaretoken={token}&username=ann&password=three+unrelated+words"
    signed_in = in_service.send("POST", "/login/", headers, body)

    cookies = [csrf, *signed_in.headers.get_all("Set-Cookie")]
    found = {}
    for cookie in cookies:
        name, *attributes = cookie.split("; ")
        kept = [a for a in attributes if not a.lower().startswith(("expires", "max-age"))]
        found[name.partition("=")[0]] = sorted(kept)
    assert signed_in.status == 302
    bound = ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]
    assert found == {"__Host-csrf": bound, "__Host-board": bound}


@pytest.mark.once
def test_what_is_too_long_is_refused_by_the_server(in_service):
    host = b"Host: 127.0.0.1\r\nX-Forwarded-Proto: https\r\n"

    def ask(path, more=b""):
        return in_service.raw(b"GET " + path + b" HTTP/1.1\r\n" + host + more + b"\r\n").split()[1]

    assert ask(b"/healthz") == "200"
    assert ask(b"/help/?q=" + b"x" * 5_000) == "414"
    assert ask(b"/help/", b"X-Long: " + b"x" * 9_000 + b"\r\n") == "431"


@pytest.mark.once
def test_a_database_that_is_gone_is_a_page_that_says_so(in_service):
    def answers():
        page = in_service.get("/", cookie=f"__Host-board={'x' * 32}")
        return page.status, in_service.get("/readyz").status, "cannot be reached" in page.body

    assert answers() == (302, 200, False)
    with closing(sqlite3.connect(in_service.file)) as connection:
        connection.execute("ALTER TABLE django_session RENAME TO away")
        try:
            status, _, says_so = answers()
            assert (status, says_so) == (503, True)
        finally:
            connection.execute("ALTER TABLE away RENAME TO django_session")
    assert answers() == (302, 200, False)


@pytest.mark.once
def test_no_character_set_has_the_server_answer_in_place_of_the_site_or_log_a_one_time_link(in_service):
    for parameter in ("charset=hex", "charset=undefined", "odd*=nope''x"):
        headers = {"X-Forwarded-Proto": "https", "Content-Type": f"text/plain; {parameter}"}
        response = in_service.send("GET", "/login/MQ/a-secret/?x=1", headers)
        assert (response.status, of(response, ALWAYS)) == (200, ALWAYS)
        assert response.headers["Content-Security-Policy"] == POLICY

    assert "secret" not in in_service.file.with_suffix(".log").read_text()
