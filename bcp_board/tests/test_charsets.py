"""Whatever character set a visitor names, the site reads UTF-8 and answers with a page of its own."""

from urllib.parse import quote

import pytest
from django.test import Client

from bcp_board.tests.test_headers import ALWAYS, of, policy_for

pytestmark = [pytest.mark.django_db, pytest.mark.once]
# Ours; one of bytes, one of half characters, one that makes them, one that is none, and oddities.
CHARSETS = ["utf-8", "hex", "utf-16", "unicode_escape", "nope", '"', "x" * 3_000]
# Other ways to name one, and other parameters that have one of their own.
PARAMETERS = [
    *(f"; charset={charset}" for charset in CHARSETS),
    ';CHARSET="hex"',
    "; charset*=utf-8''hex",
    "; charset*0=he; charset*1=x",
    "; odd*=undefined''x",
    "; boundary*=hex''xx",
    ", text/plain; charset=hex",
]
FORM, MULTIPART, TEXT = "application/x-www-form-urlencoded", "multipart/form-data; boundary=xx", "text/plain"
PART = "--xx\r\nContent-Disposition: form-data; {}\r\n\r\n{}\r\n--xx--\r\n"
HALF = r"\ud800+2AA-"  # half of a character, in two of the sets


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_whatever_character_set_is_named_the_answer_is_a_page_with_every_header(people, parameters):
    reader, stranger = (Client(raise_request_exception=False, enforce_csrf_checks=True) for _ in range(2))
    reader.force_login(people["superuser"])
    token = stranger.get("/login/").cookies["csrf"].value
    found = [
        reader.get(address, CONTENT_TYPE=TEXT + parameters)
        for address in ("/help/?x=1", "/actions/?q=%5Cud800", "/admin/auth/user/?q=%5Cud800")
    ]
    for kind, body in (
        (FORM, f"username={quote(HALF)}&password=x"),
        (MULTIPART, PART.format('name="username"', HALF)),
        (TEXT, HALF),
    ):
        for headers in ({}, {"X-CSRFToken": token}):
            found.append(stranger.generic("POST", "/login/", body, kind + parameters, headers=headers))

    for response in found:
        assert response.status_code in (200, 400, 403)
        assert of(response, ALWAYS) == ALWAYS
        assert response.headers["Content-Security-Policy"] == policy_for(response.content)
        assert "no-store" in response.headers["Cache-Control"]
        assert len(response.headers["X-Request-ID"]) == 16
        assert "<h1" in response.content.decode()


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "hex", "unicode_escape"])
@pytest.mark.parametrize(
    ("kind", "body"),
    [(FORM, f"username={quote('é–字')}"), (MULTIPART, PART.format('name="username"', "é–字"))],
)
def test_a_form_is_read_as_utf_8_whatever_it_says(kind, body, charset):
    page = Client().generic("POST", "/login/", body, f"{kind}; charset={charset}").content.decode()

    assert 'value="é–字"' in page


@pytest.mark.parametrize("charset", ["hex", "rot13", "undefined", "nope", "unicode_escape"])
def test_a_field_that_names_a_character_set_of_its_own_never_fails(charset):
    for says in (
        f"name*={charset}''%5Cud800",
        f'name="username"\r\nContent-Type: text/plain; charset={charset}',
    ):
        assert Client().generic("POST", "/login/", PART.format(says, HALF), MULTIPART).status_code == 200


def test_too_many_parameters_are_a_page_whatever_character_set_is_named(settings):
    many = "&" * settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    response = Client().get(f"/help/?{many}", CONTENT_TYPE="text/plain; charset=utf-8")

    assert (response.status_code, of(response, ALWAYS)) == (400, ALWAYS)
