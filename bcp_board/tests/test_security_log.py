"""The security log: one line of JSON for each event, and nothing in it that must not be."""

import hashlib
import io
import json
import logging

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from bcp_board.tests.addresses import make_record
from meetings.publishing import what_is_read
from recommendations.models import ProgressUpdate
from record import triggers
from record.tests.admin_forms import fill_in
from record.tests.factories import make_meeting, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.once]
GOOD = "canary password of ours"


def person(role, username="", **fields):
    user = make_user(role, username, **fields)
    user.set_password(GOOD)
    user.save()
    return user


def facts(lines, *names):
    return [tuple(line.get(name) for name in ("event", "outcome", *names)) for line in lines]


def test_signing_in_and_out_and_failing_to_are_logged(log):
    ann, client = person("Board members", "ann"), Client()
    log()

    client.post("/login/", {"username": "ann", "password": "wrong"})
    client.post("/login/", {"username": "ann", "password": GOOD})
    client.post("/logout/")

    lines = log()
    assert facts(lines, "user", "address", "account") == [
        ("sign-in", "failed", None, "127.0.0.1", hashlib.sha256(b"ann").hexdigest()[:12]),
        ("sign-in", "ok", ann.pk, "127.0.0.1", None),
        ("sign-out", "ok", ann.pk, "127.0.0.1", None),
    ]
    assert {line["time"][-6:] for line in lines} == {"+00:00"}


def test_changing_a_password_and_failing_to_are_logged(log):
    ann, client = person("Board members", "ann"), Client()
    client.force_login(ann)
    typed = {"new_password1": "another canary of ours", "new_password2": "another canary of ours"}
    log()

    client.post("/password/", {**typed, "old_password": "canary wrong"})
    client.post("/password/", {**typed, "old_password": GOOD})

    text = log(raw=True)
    assert facts(map(json.loads, text.splitlines()), "user", "address") == [
        ("password change", "failed", ann.pk, "127.0.0.1"),
        ("password change", "ok", ann.pk, "127.0.0.1"),
    ]
    assert "canary" not in text


def test_what_is_refused_is_logged_with_who_asked_for_what(log):
    officer, member = person("Officers"), person("Board members")
    client = Client()
    client.force_login(officer)
    log()
    response = client.get("/admin/visits/visit/")
    (line,) = log()
    assert facts([line], "user", "path") == [("refused", "403", officer.pk, "/admin/visits/visit/")]
    assert line["request"] == response.headers["X-Request-ID"]
    assert f'<span class="hash">{line["request"]}</span>' in response.content.decode()

    client.force_login(member)
    log()
    client.get("/admin/visits/visit/")
    assert facts(log(), "user", "path") == [("refused", "404", member.pk, "/admin/visits/visit/")]
    client.get("/nowhere/")
    assert facts(log(), "user", "path") == [("not answered", "404", None, "/nowhere/")]

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(member)
    log()
    strict.post("/logout/")
    assert facts(log(), "user", "path") == [("form refused", "403", member.pk, "/logout/")]


def test_changes_of_rights_and_the_admins_changes_say_who_made_them(log):
    administrator, ann = person("Administrators"), person("Board members", "ann")
    client = Client()
    client.force_login(administrator)
    officers = Group.objects.get(name="Officers")
    page = f"/admin/auth/user/{ann.pk}/change/"
    log()

    fill_in(client, page, groups=[officers.pk])

    lines = log()
    who = {(line["user"], line["address"], len(line["request"])) for line in lines}
    assert who == {(administrator.pk, "127.0.0.1", 16)}
    assert facts(lines, "object", "name", "field", "was", "now") == [
        ("rights changed", "ok", f"user {ann.pk}", "ann", "groups", ["Board members"], []),
        ("rights changed", "ok", f"user {ann.pk}", "ann", "groups", [], ["Officers"]),
        ("admin changed", "ok", f"user {ann.pk}", None, None, None, None),
    ]

    client.post(f"/admin/auth/user/{ann.pk}/link/")
    assert facts(log(), "object", "name", "user") == [
        ("admin changed", "ok", f"user {ann.pk}", None, administrator.pk),
        ("one-time link made", "ok", f"user {ann.pk}", "ann", administrator.pk),
    ]


def test_a_change_of_rights_is_logged_with_what_they_were_and_are_from_whichever_side(log):
    ann, bob = person("Board members", "ann"), person("", "bob")
    officers = Group.objects.get(name="Officers")
    view = Permission.objects.get(codename="view_meeting")
    log()

    officers.user_set.add(ann, bob)
    officers.user_set.remove(ann)
    ann.groups.clear()
    bob.user_permissions.add(view)
    officers.user_set.clear()
    ann.groups.add(*[])
    ann.groups.remove(officers)
    Group.objects.create(name="Visitors").permissions.set([view])

    both = ["Board members", "Officers"]
    assert [tuple(line[name] for name in ("name", "field", "was", "now")) for line in log()] == [
        ("ann", "groups", ["Board members"], both),
        ("bob", "groups", [], ["Officers"]),
        ("ann", "groups", both, ["Board members"]),
        ("ann", "groups", ["Board members"], []),
        ("bob", "user_permissions", [], ["record.view_meeting"]),
        ("bob", "groups", ["Officers"], []),
        ("Visitors", "permissions", [], ["record.view_meeting"]),
    ]


def test_every_change_of_an_account_is_logged_with_what_it_was_and_is(log):
    root, ann = person("", "root", is_superuser=True), person("Board members", "ann")
    client = Client()
    client.force_login(root)
    page = f"/admin/auth/user/{ann.pk}/change/"

    for typed, event, change in (
        ({"is_active": ""}, "rights changed", ("is_active", True, False)),
        ({"is_superuser": "on"}, "rights changed", ("is_superuser", False, True)),
        ({"first_name": "Renamed"}, "account renamed", ("first_name", ann.first_name, "Renamed")),
        ({"email": "ann@example.gov.uk"}, "e-mail address changed", ("email", "", "ann@example.gov.uk")),
        ({"username": "renamed"}, "account renamed", ("username", "ann", "renamed")),
    ):
        log()
        assert fill_in(client, page, **typed).status_code == 302
        assert facts(log(), "user", "object", "field", "was", "now") == [
            (event, "ok", root.pk, f"user {ann.pk}", *change),
            ("admin changed", "ok", root.pk, f"user {ann.pk}", None, None, None),
        ]


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/nowhere/", 404),
        ("GET", "/?as_at=never", 400),
        ("PUT", "/help/", 405),
        ("GET", "/login/MQ/a-secret/x/", 404),
    ],
)
def test_the_reference_on_an_error_page_is_in_the_log(log, method, address, status):
    client = Client()
    client.force_login(person("Board members"))
    log()

    response = client.generic(method, address)

    (line,) = log()
    assert response.status_code == status
    assert f'<span class="hash">{line["request"]}</span>' in response.content.decode()
    assert (line["event"], line["outcome"], line["user"]) == ("not answered", str(status), None)
    assert "secret" not in line["path"]


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/login/MQ/a-secret/x/", "/login/…"),
        ("/Login/MQ/a-secret/", "/Login/…"),
        ("/board//LOGIN/MQ/a-secret/", "/board//LOGIN/…"),
        ("/login%0aMQ/a-secret/", "/login\n…"),
        ("/login/", "/login/"),
    ],
)
@pytest.mark.parametrize("root", ["", "/x"])
def test_a_one_time_link_is_not_in_the_log_however_it_was_mistyped(log, address, path, root):
    Client(enforce_csrf_checks=True).post(address, SCRIPT_NAME=root)

    assert [line["path"] for line in log()] == [path]


def test_publishing_a_paper_is_logged(log):
    secretariat = person("Secretariat")
    meeting = make_meeting(held_on="2022-12-01")
    client = Client()
    client.force_login(secretariat)
    log()

    client.post(f"/admin/record/meeting/{meeting.pk}/publish/", {"read": what_is_read(meeting)})

    paper = meeting.papers.get()
    assert facts(log(), "user", "object", "address") == [
        ("published", "ok", secretariat.pk, f"paper {paper.pk}", "127.0.0.1")
    ]


def test_commands_that_touch_the_whole_record_are_logged(log, tmp_path, new_database):
    file = tmp_path / "board.backup"
    with new_database("filled"):
        call_command("backup", str(file), "--unencrypted", stdout=io.StringIO())
        with pytest.raises(CommandError):
            call_command("backup", str(file), "--unencrypted")
        with pytest.raises(CommandError):
            call_command("restore", str(file))
        make_user("Officers", "ann")
        call_command("unlock", "ann", stdout=io.StringIO())
    lines = [line for line in log() if line["event"] not in ("rights changed",)]
    assert facts(lines) == [
        ("backup", "ok"),
        ("backup", "failed"),
        ("restore", "failed"),
        ("sign-in unlocked", "ok"),
    ]

    with new_database():
        call_command("restore", str(file), stdout=io.StringIO())
    assert facts(log(), "file")[-1] == ("restore", "ok", str(file))


def test_a_history_that_does_not_hold_is_logged(log):
    make_record(person("Officers"))
    connection.check_constraints()  # PostgreSQL alters no table that has a check to come
    triggers.drop(connection)
    ProgressUpdate.objects.update(narrative="Rewritten")
    log()

    with pytest.raises(CommandError):
        call_command("verify_history")

    (line,) = log()
    assert (line["event"], line["outcome"]) == ("verify history", "failed")
    assert "Rewritten" not in json.dumps(line)


def test_a_fault_is_logged_with_where_it_is_and_the_reference_on_its_page(log, settings):
    settings.ROOT_URLCONF = "bcp_board.tests.faults"
    client = Client(raise_request_exception=False)

    response = client.get("/fault/?q=canary-in-the-query")

    assert response.status_code == 500
    (line,) = log()
    assert (line["event"], line["outcome"], line["kind"]) == ("fault", "500", "ValueError")
    assert line["where"][-1].endswith(" fault")
    assert f'<span class="hash">{line["request"]}</span>' in response.content.decode()
    assert "canary" not in json.dumps(line)


def test_a_missing_stylesheet_and_a_missing_database_are_told_apart(log, settings, tmp_path, new_database):
    client = Client(raise_request_exception=False)
    settings.STATIC_ROOT = tmp_path
    storage = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}
    client.get("/login/")
    (line,) = log()
    assert facts([line], "kind", "cause") == [("fault", "500", "ValueError", "")]
    assert line["where"][-1].endswith(" stored_name")

    with new_database("empty"):
        client.post("/login/", {"username": "ann", "password": GOOD})
        (line,) = log()
    expected = {"sqlite": ("fault", "503", "SQLITE_ERROR"), "postgresql": ("fault", "500", "42P01")}
    assert facts([line], "code") == [expected[connection.vendor]]


def test_no_password_session_token_or_text_of_the_record_is_ever_in_it(log):
    administrator = person("Administrators")
    officer = person("Officers")
    action = make_record(officer)
    client = Client()
    client.post("/login/", {"username": GOOD, "password": "canary-second-password"})
    client.post("/login/", {"username": "officers", "password": GOOD})
    session, token = client.cookies["board"].value, client.get("/password/").context["csrf_token"]
    done = fill_in(
        client,
        f"/admin/recommendations/progressupdate/add/?action={action.pk}",
        status="on_track",
        narrative="canary-in-the-narrative",
    )
    assert done.status_code == 302
    wrong = {"status": "nonsense", "narrative": "canary-in-a-refused-form"}
    client.post(f"/admin/recommendations/progressupdate/add/?action={action.pk}", wrong)
    client.get("/admin/visits/visit/?q=canary-in-a-search")
    Client(enforce_csrf_checks=True).post("/password/", {"csrfmiddlewaretoken": str(token)})
    client.force_login(administrator)
    link = client.post(f"/admin/auth/user/{officer.pk}/link/").context["link"]
    secret = link.rstrip("/").rpartition("/")[2]
    Client(enforce_csrf_checks=True).post(link, {"new_password1": "canary-new-password"})

    text = log(raw=True)

    assert text.count("\n") > 8
    for canary in (GOOD, "canary", session, str(token), secret):
        assert canary not in text


def test_what_a_visitor_sends_cannot_break_a_line(log):
    odd = "ann\r\n{}\x1b[31m\u2028\x85" + "x" * 10_000
    client = Client()
    client.force_login(person("Officers"))
    log()

    client.post("/logout/")
    client.post("/login/", {"username": odd, "password": "x"}, headers={"User-Agent": odd})
    member = person("Board members")
    before = log(raw=True)
    client.force_login(member)
    log()
    client.get("/admin/%0d%1b%5b31m/")

    text = before + log(raw=True)
    events = [json.loads(line)["event"] for line in text.split("\n")[:-1]]
    assert [event for event in events if event != "rights changed"] == ["sign-out", "sign-in", "refused"]
    assert text.isascii()
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) < 1000


@pytest.mark.parametrize("name", ["psycopg", "psycopg.pool"])
def test_what_the_driver_ignored_on_the_way_is_no_line_of_it(log, name):
    """It warns of what follows from a fault, which has a line of its own, and only sometimes."""
    logging.getLogger(name).warning("error ignored terminating: canary")
    assert log() == []
