"""Files by a session or by a token: a token opens the one file it was made for, until it is revoked."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from icalendar import Calendar

from bcp_board import backups
from bcp_board.models import Token
from bcp_board.tokens import hashed
from record.tests.admin_forms import fill_in, open_form
from record.tests.factories import make_user
from record.tests.pages import words_of

pytestmark = [pytest.mark.django_db, pytest.mark.again]
OLD, NEW = "three unrelated words", "four other unrelated words"
FILES = (
    "/actions.csv",
    "/actions.xlsx",
    "/updates.csv",
    "/dates.csv",
    "/decisions.csv",
    "/position.json",
    "/calendar.ics",
)


@pytest.fixture
def ann():
    """A member, signed in."""
    client = Client()
    client.user = make_user("Board members", "ann")
    client.user.set_password(OLD)
    client.user.save()
    client.force_login(client.user)
    return client


def made(client, purpose):
    """The token that the form on the account's page makes and shows."""
    response = client.post("/account/", {"purpose": purpose, "do": "make"})
    assert response.status_code == 200
    pattern = {"position": r"Bearer ([\w-]{43})<", "calendar": r"/calendar\.ics\?token=([\w-]{43})<"}[purpose]
    (secret,) = re.findall(pattern, response.content.decode())
    return secret


def opened(secret, address="/position.json", scheme="Bearer"):
    """The status of ``address`` for a program that shows ``secret`` in the header."""
    return Client().get(address, headers={"Authorization": f"{scheme} {secret}"}).status_code


def subscribed(secret):
    return Client().get("/calendar.ics", {"token": secret}).status_code


@pytest.mark.parametrize("path", FILES)
@pytest.mark.again
def test_without_a_session_or_a_token_a_file_is_a_401_that_leads_nowhere(path, log):
    refused = Client().get(path)

    assert refused.status_code == 401
    scheme = "Bearer" if path in ("/position.json", "/calendar.ics") else "Session"
    assert refused.headers["WWW-Authenticate"] == f'{scheme} realm="board"'
    assert "Content-Disposition" not in refused.headers
    assert '<a href="/login/?next=%2Factions%2F">Sign in</a>' in refused.content.decode()
    (line,) = log()
    assert (line["event"], line["outcome"], line["path"]) == ("refused", "401", path)


@pytest.mark.parametrize("path", FILES)
def test_a_session_opens_every_file_which_no_browser_keeps_or_takes_for_a_page(ann, path, log):
    response = ann.get(path)
    response.getvalue()

    assert response.status_code == 200
    headers = response.headers
    assert headers["Content-Disposition"].startswith('attachment; filename="')
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "private, no-store"
    taken = [line for line in log() if line["event"] == "file taken"]
    assert [(line["user"], line["file"], line["by"]) for line in taken] == [
        (ann.user.pk, path[1:], "session")
    ]


@pytest.mark.again
def test_a_token_opens_the_position_and_nothing_else(ann, log):
    secret = made(ann, "position")
    log()

    assert opened(secret) == opened(secret, scheme="bearer") == 200
    used = [line for line in log() if line["event"] == "file taken"]
    told = [(line["user"], line["file"], line["by"]) for line in used]
    assert told == [(ann.user.pk, "position.json", "token")] * 2
    elsewhere = [path for path in FILES if path != "/position.json"]
    assert {path: opened(secret, path) for path in elsewhere} == dict.fromkeys(elsewhere, 401)
    assert opened(secret, "/") == opened(secret, "/actions/") == opened(secret, "/account/") == 302
    assert opened(secret, scheme="Basic") == subscribed(secret) == 401
    # Not from the address, which servers on the way write down.
    assert Client().get("/position.json", {"token": secret}).status_code == 401
    assert Client().post("/position.json", headers={"Authorization": f"Bearer {secret}"}).status_code == 405


def test_the_secret_address_of_a_calendar_opens_that_calendar_and_nothing_else(ann):
    secret = made(ann, "calendar")
    response = Client().get("/calendar.ics", {"token": secret})

    assert response.status_code == 200
    assert Calendar.from_ical(response.content)["version"] == "2.0"
    assert response.content == ann.get("/calendar.ics").content
    assert opened(secret) == opened(secret, "/actions.csv") == 401
    assert Client().get("/actions.csv", {"token": secret}).status_code == 401


def test_a_token_is_random_shown_once_and_kept_as_a_hash(ann, log):
    secret, other = made(ann, "position"), made(ann, "calendar")

    assert secret != other
    assert sorted(Token.objects.values_list("user", "purpose", "digest")) == sorted(
        [(ann.user.pk, "position", hashed(secret)), (ann.user.pk, "calendar", hashed(other))]
    )
    page, written = ann.get("/account/").content.decode(), log(raw=True)
    opened(secret), subscribed(other), opened(f"{secret}x"), subscribed(f"{other}x")
    for text in (page, written, log(raw=True), str(list(Token.objects.values()))):
        assert secret not in text and other not in text
    assert "Nobody can show it again, only make another." in words_of(ann.get("/account/"))


def test_a_token_that_was_shown_stays_on_the_page_while_another_is_made(ann):
    first = made(ann, "position")
    asked = {"purpose": "calendar", "do": "make"}

    both = ann.post("/account/", {**asked, "shown": first}).content.decode()

    assert re.findall(r"Bearer ([\w-]{43})<", both) == [first]
    assert len(re.findall(r"calendar\.ics\?token=([\w-]{43})<", both)) == 1
    assert f'name="shown" value="{first}"' in both
    revoked = ann.post("/account/", {"purpose": "calendar", "do": "revoke", "shown": first})
    assert re.findall(r"Bearer ([\w-]{43})<", revoked.content.decode()) == [first]
    # What is no token of theirs is not shown back.
    assert "x" * 43 not in ann.post("/account/", {**asked, "shown": "x" * 43}).content.decode()


def test_no_backup_holds_a_token(ann, tmp_path):
    """What was revoked would come back with one from before."""
    made(ann, "position")
    backups.save(tmp_path / "backup", unencrypted=True)
    (kept,) = Token.objects.values_list("digest", flat=True)

    whole = (tmp_path / "backup").read_bytes()
    assert ann.user.username.encode() in whole
    assert kept.encode() not in whole


def test_another_takes_the_place_of_the_one_before_and_each_person_has_their_own(ann):
    bob = Client()
    bob.force_login(make_user("Officers", "bob"))
    first, his = made(ann, "position"), made(bob, "position")
    second = made(ann, "position")

    assert (opened(first), opened(second), opened(his)) == (401, 200, 200)
    assert Token.objects.count() == 2


@pytest.mark.again
def test_what_is_revoked_opens_nothing_from_then_on(ann, log):
    position, calendar = made(ann, "position"), made(ann, "calendar")
    log()

    done = ann.post("/account/", {"purpose": "position", "do": "revoke"}, follow=True)

    assert "Figures for other programs: revoked." in words_of(done)
    assert [(line["event"], line["purpose"]) for line in log()] == [("token revoked", "position")]
    assert (opened(position), subscribed(calendar)) == (401, 200)
    assert ann.post("/account/", {"purpose": "position", "do": "revoke"}).status_code == 302


def test_what_opened_an_account_does_not_open_it_again_once_it_was_closed(ann):
    administrator, page = Client(), reverse("admin:auth_user_change", args=[ann.user.pk])
    administrator.force_login(make_user("Administrators", "admin"))
    link = administrator.post(f"/admin/auth/user/{ann.user.pk}/link/").content.decode()
    path = re.search(r"http://testserver(/login/[^\s<\"]+)", link)[1]
    position, calendar = made(ann, "position"), made(ann, "calendar")

    held = open_form(administrator, page)
    held.pop("is_active")
    assert administrator.post(page, held).status_code == 302
    fill_in(administrator, page, is_active="on")

    assert User.objects.get(pk=ann.user.pk).is_active
    assert (opened(position), subscribed(calendar), ann.get("/").status_code) == (401, 401, 302)
    assert not Client().login(username="ann", password=OLD)
    assert "This link no longer works" in Client().get(path, follow=True).content.decode()


@pytest.mark.parametrize("how", ["changed password", "one-time link", "closed account"])
def test_a_token_ends_with_the_password_and_with_the_account(ann, how):
    position, calendar = made(ann, "position"), made(ann, "calendar")
    assert (opened(position), subscribed(calendar)) == (200, 200)

    if how == "changed password":
        fields = {"old_password": OLD, "new_password1": NEW, "new_password2": NEW}
        assert ann.post("/password/", fields).status_code == 302
    elif how == "one-time link":
        client = Client()
        client.force_login(make_user("Administrators", "admin"))
        page = client.post(f"/admin/auth/user/{ann.user.pk}/link/").content.decode()
        path = re.search(r"http://testserver(/login/[^\s<\"]+)", page)[1]
        form = Client()
        at = form.get(path, follow=True).redirect_chain[-1][0]
        assert form.post(at, {"new_password1": NEW, "new_password2": NEW}).status_code == 302
    else:
        User.objects.filter(pk=ann.user.pk).update(is_active=False)

    assert (opened(position), subscribed(calendar)) == (401, 401)


def test_a_token_that_opens_nothing_is_logged_and_costs_what_one_that_does_costs(
    ann, log, django_assert_num_queries
):
    """The same look-up by its hash, whatever is shown; nothing before it tells one from another."""
    made(ann, "position")
    log()
    for wrong in ("x", "x" * 43, "x" * 6_000, "\xe9\xff", "' OR 1=1"):
        with django_assert_num_queries(1):
            assert opened(wrong) == 401
        failed, refused = log()
        assert (failed["event"], failed["outcome"], failed["purpose"]) == (
            "token refused",
            "failed",
            "position",
        )
        assert (refused["event"], refused["outcome"]) == ("refused", "401")
    for absent in ("", " "):
        with django_assert_num_queries(0):
            assert opened(absent) == 401
    for odd in ("%FF", "%ED%A0%BD", "x" * 3_000, "a&token=b"):
        assert Client().get(f"/calendar.ics?token={odd}").status_code == 401


@pytest.mark.parametrize(
    "fields",
    [{}, {"purpose": "position"}, {"purpose": "all", "do": "make"}, {"purpose": "position", "do": "show"}],
)
def test_a_form_that_asks_for_anything_else_is_a_400_and_makes_nothing(ann, fields):
    assert ann.post("/account/", fields).status_code == 400
    assert not Token.objects.exists()


def test_a_form_sent_by_whoever_was_signed_out_makes_nothing_and_says_so(ann):
    ann.logout()
    sent = ann.post("/account/", {"purpose": "position", "do": "make"})

    assert (sent.status_code, 'href="/login/?next=' in sent.content.decode()) == (403, True)
    assert not Token.objects.exists()
