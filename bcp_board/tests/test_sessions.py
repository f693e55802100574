"""Staying signed in, and what ends it."""

import secrets

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from bcp_board.tests.test_sign_in import GOOD, OTHER, is_in, sign_in, signed_in, with_password

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return with_password("ann")


def test_signing_in_changes_the_session_and_never_takes_one_that_was_planted(ann):
    planted = secrets.token_hex(16)
    client = Client()
    client.cookies["board"] = planted
    sign_in("ann", client=client)
    first = client.cookies["board"].value

    assert first != planted
    assert not Session.objects.filter(session_key=planted).exists()
    again = Client()
    again.cookies["board"] = first
    again.post("/logout/")
    sign_in("ann", client=again)
    assert again.cookies["board"].value not in (first, planted)


def test_a_cookie_is_worthless_once_its_session_was_signed_out(ann):
    client, replay = signed_in(), Client()
    replay.cookies["board"] = client.cookies["board"].value
    assert client.get("/logout/").status_code == 405
    assert is_in(replay)

    done = client.post("/logout/")

    assert done.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert replay.get("/password/").url == "/login/?next=/password/"


def test_a_changed_password_ends_every_other_session(ann):
    here, elsewhere = signed_in(), signed_in()

    done = here.post("/password/", {"old_password": GOOD, "new_password1": OTHER, "new_password2": OTHER})

    assert done.status_code == 302
    assert (is_in(here), is_in(elsewhere)) == (True, False)
    assert sorted(here.cookies) == ["board", "csrf"]  # the message that says so is in the session


@pytest.mark.parametrize("change", ["closed", "taken out of its role"])
def test_an_account_closed_or_taken_out_of_its_role_is_stopped_at_its_next_request(change):
    officer = with_password("olu", role="Officers")
    client, page = signed_in("olu"), "/admin/recommendations/progressupdate/"
    assert client.get(page).status_code == 200

    if change == "closed":
        User.objects.filter(pk=officer.pk).update(is_active=False)
    else:
        officer.groups.clear()

    assert client.get(page).status_code == (302 if change == "closed" else 403)


def age(client, **ago):
    """Let the session of ``client`` have begun, and been seen, so many minutes ago."""
    session = client.session
    for name, minutes in ago.items():
        session[name] = int(timezone.now().timestamp()) - minutes * 60
    session.save()


@pytest.mark.parametrize(
    ("ago", "stays"),
    [
        ({"seen": 59, "began": 59}, True),
        ({"seen": 61, "began": 61}, False),
        ({"seen": 1, "began": 11 * 60 + 59}, True),
        ({"seen": 1, "began": 12 * 60 + 1}, False),
    ],
)
def test_a_session_ends_after_an_idle_hour_and_after_twelve_hours(ann, ago, stays):
    client = signed_in()
    age(client, **ago)

    assert is_in(client) is stays
    assert Session.objects.count() == (1 if stays else 0)


def test_the_idle_hour_begins_with_signing_in_itself(ann):
    session = signed_in().session

    assert {"began", "seen"} <= set(session.keys())


def test_a_used_session_goes_on_but_never_begins_again(ann):
    client = signed_in()
    age(client, seen=30, began=600)
    assert is_in(client)

    now = timezone.now().timestamp()
    assert now - client.session["seen"] < 60
    assert now - client.session["began"] > 590 * 60


def test_a_new_secret_key_signs_nobody_out_while_the_old_one_is_a_fallback(ann, settings):
    client, old = signed_in(), settings.SECRET_KEY

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a-new-key-" * 6, [old]
    assert is_in(client)
    stranger = signed_in()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the-third-key-" * 6, []
    assert [c.get("/password/").status_code for c in (client, stranger)] == [302, 302]
