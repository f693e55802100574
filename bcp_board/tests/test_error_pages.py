"""Error pages come whole and in plain words, whatever has failed: static files, the session, the database."""

import re

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection
from django.http import Http404
from django.templatetags.static import static
from django.test import Client, RequestFactory
from django.utils.functional import SimpleLazyObject

from bcp_board import errors
from bcp_board.tests.test_headers import ALWAYS, of, policy_for
from record.tests.factories import make_user

pytestmark = pytest.mark.once

# What is asked of a site that works, and the page it gets.
ASKED = [
    ("GET", "/help/?as_at=never", 400, "There is a problem with this request"),
    ("GET", "/help/?%00", 400, "There is a problem with this request"),
    ("POST", "/login/", 403, "This form could not be accepted"),
    ("GET", "/zzz", 404, "Page not found"),
    ("PUT", "/help/", 405, "This cannot be asked of this site"),
    ("GET", "/fault/?q=x", 500, "Sorry, something went wrong"),
]
LINKS = ["#main", "/", "/", "/help/", "/accessibility/"]


@pytest.fixture
def visitor(settings):
    settings.ROOT_URLCONF = "bcp_board.tests.faults"
    settings.BOARD_NAME, settings.MARKING = "The board", "OFFICIAL-SENSITIVE"
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


def check_whole(response, status, title):
    """Fail unless ``response`` is the whole page of an error, which asks for nothing but itself."""
    page = response.content.decode()
    text = " ".join(re.sub(r"<[^>]+>", " ", page.partition("</style>")[2]).split())

    assert (response.status_code, re.search("<h1>(.*)</h1>", page)[1]) == (status, title)
    assert re.search(r"^\s*<!doctype html>.*</html>\s*$", page, re.DOTALL)
    assert f"<title>{title} – The board</title>" in page
    assert page.count('<p class="marking">OFFICIAL-SENSITIVE</p>') == 2
    assert f"quote the reference {response.headers['X-Request-ID']} ." in text
    assert re.findall(r'\b(?:href|src|action)="([^"]*)"', page) == LINKS
    assert re.findall(r"url\(|@import|<script|<img|<form|Traceback|Error\b", page) == []
    assert of(response, ALWAYS) == ALWAYS
    assert response.headers["Content-Security-Policy"] == policy_for(response.content)


@pytest.mark.parametrize(("method", "path", "status", "title"), ASKED)
def test_an_error_page_comes_whole_without_static_files(
    visitor, settings, tmp_path, db, method, path, status, title
):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    with pytest.raises(ValueError, match="Missing staticfiles manifest entry"):
        static("bcp_board/board.css")

    check_whole(visitor.generic(method, path), status, title)
    check_whole(visitor.get("/login/"), 500, "Sorry, something went wrong")


@pytest.mark.parametrize(("method", "path", "status", "title"), ASKED)
def test_an_error_page_asks_nothing_of_the_database(
    visitor, new_database, django_assert_num_queries, method, path, status, title
):
    with new_database("empty"):
        with pytest.raises(DatabaseError):
            User.objects.exists()
        with django_assert_num_queries(0):
            response = visitor.generic(method, path)

    check_whole(response, status, title)


def test_a_page_that_fails_gives_back_what_was_typed(visitor, db):
    response = Client(raise_request_exception=False).post("/fault/", {"narrative": "Two <words>"})

    assert response.status_code == 500
    assert '<p class="typed">Two &lt;words&gt;</p>' in response.content.decode()


@pytest.mark.parametrize(("method", "path", "status", "title"), ASKED)
def test_an_error_page_comes_whole_to_somebody_whose_session_cannot_be_read(
    visitor, settings, new_database, method, path, status, title
):
    with new_database("empty"):
        visitor.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
        # SQLite calls a missing table an outage, PostgreSQL a mistake.
        unread = {
            "sqlite": (503, "Sorry, the record cannot be reached"),
            "postgresql": (500, "Sorry, something went wrong"),
        }[connection.vendor]
        is_refused_unread = method == "PUT" or path == "/help/?%00"

        check_whole(visitor.generic(method, path), *((status, title) if is_refused_unread else unread))


def test_an_error_page_keeps_the_navigation_of_whoever_is_signed_in(client, db, django_assert_num_queries):
    def navigation(page):
        found = re.search("<nav.*?</nav>", page, re.DOTALL)
        return found and re.findall(r'<a href="([^"]*)"[^>]*>([^<]*)<', found[0])

    assert navigation(client.get("/zzz").content.decode()) is None
    client.force_login(make_user("Board members"))
    on_every_page = navigation(client.get("/help/").content.decode())

    assert len(on_every_page) > 5
    # session, user
    with django_assert_num_queries(2):
        assert navigation(client.get("/zzz").content.decode()) == on_every_page
    assert navigation(client.get("/actions/?status=purple&as_at=never").content.decode()) == on_every_page


@pytest.mark.parametrize(
    ("answer", "status", "title"),
    [
        (
            lambda request: errors.forbidden(request, PermissionDenied()),
            403,
            "You do not have the right to do this",
        ),
        (errors.csrf_failure, 403, "This form could not be accepted"),
        (lambda request: errors.not_found(request, errors.Hidden()), 404, "Page not found"),
        (lambda request: errors.not_found(request, Http404()), 404, "Page not found"),
    ],
)
def test_a_refusal_is_shown_and_logged_where_nobody_can_learn_who_asked(
    answer, status, title, caplog, new_database
):
    request = RequestFactory().get("/zzz")
    request.user = SimpleLazyObject(lambda: User.objects.get(pk=1))

    with new_database("empty"):
        response = answer(request)

    assert (response.status_code, f"<h1>{title}</h1>" in response.content.decode()) == (status, True)
    logged = [record.facts["user"] for record in caplog.records if record.name == "bcp_board.security"]
    assert logged == [None]
