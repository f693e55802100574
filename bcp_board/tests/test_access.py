"""Who gets what at every address: the answers are written down in data/access.csv."""

import datetime
import re

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import Client

from bcp_board.backups import digest
from bcp_board.tests.addresses import MEETING, ROLES, routes, written_down
from meetings.models import Paper
from recommendations.due_dates import Decision, DueDate
from recommendations.models import Action, Assessment, ProgressUpdate
from record.models import Meeting
from record.tests.admin_forms import fill_in, held, open_form
from record.tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.again]


def client_of(user, **options):
    client = Client(**options)
    if user:
        client.force_login(user)
    return client


def answers(user, method, addresses):
    """{(route, method): status} as this person gets them."""
    found, client = {}, client_of(user)
    for route, address in addresses.items():
        found[route, method] = client.generic(method, address).status_code
        if route == "/logout/" and method == "POST":
            client = client_of(user)
    return found


@pytest.mark.once
def test_the_table_names_every_address_and_no_other():
    expected = sorted((route, method) for route in routes() for method in ("GET", "POST"))

    assert sorted(written_down()) == expected
    assert {len(statuses) for statuses in written_down().values()} == {len(ROLES)}


# What a role may do does not hang on the database: on a second one, whoever may do most is asked.
@pytest.mark.sweep
@pytest.mark.parametrize(
    "role", [pytest.param(role, marks=() if role == "superuser" else pytest.mark.once) for role in ROLES]
)
def test_every_address_answers_as_the_table_says_and_reading_changes_nothing(people, addresses, role):
    expected = {key: statuses[role] for key, statuses in written_down().items()}
    before = digest(connection)

    found = answers(people[role], "GET", addresses)
    assert digest(connection) == before
    found |= answers(people[role], "POST", addresses)

    assert found == expected


@pytest.mark.once
def test_only_these_addresses_are_open_to_anybody():
    # The two that end in z only where the tests ask from; see test_monitoring.py for elsewhere.
    table = written_down()

    assert sorted(
        route for (route, method), row in table.items() if (method, row["anonymous"]) == ("GET", 200)
    ) == [
        "/.well-known/security.txt",
        "/accessibility/",
        "/healthz",
        "/help/",
        "/help/tasks/",
        "/login/",
        "/login/<uidb64>/<token>/",
        "/readyz",
    ]


def page_of(response):
    """The status and the page without the reference that every page has to itself."""
    return response.status_code, re.sub("[0-9a-f]{16}", "", response.content.decode())


@pytest.mark.once
def test_to_a_member_what_is_forbidden_looks_like_what_is_not_there(people, addresses):
    client = client_of(people["member"])
    nothing = page_of(client.get("/zzz/"))
    assert nothing[0] == 404

    for route, address in addresses.items():
        if route.startswith("/admin"):
            assert page_of(client.get(address)) == nothing, route
    for missing in ("/actions/A99/", "/recommendations/11/", "/visits/none/", "/meetings/2022-12-02/paper/"):
        assert page_of(client.get(missing)) == nothing, missing


@pytest.mark.sweep
@pytest.mark.once
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "PROPFIND"])
def test_a_method_that_no_page_has_is_refused_everywhere_even_with_a_token(people, addresses, method):
    client = client_of(people["superuser"], enforce_csrf_checks=True)
    token = client.get("/password/").context["csrf_token"]
    before = digest(connection)

    found = {
        route: client.generic(method, address, headers={"X-CSRFToken": token}).status_code
        for route, address in addresses.items()
    }

    assert found == dict.fromkeys(routes(), 405)
    assert digest(connection) == before


@pytest.mark.sweep
@pytest.mark.once
@pytest.mark.parametrize("role", ["anonymous", "member", "superuser"])
def test_a_form_without_a_token_is_refused_everywhere(people, addresses, role):
    client = client_of(people[role], enforce_csrf_checks=True)

    found = {route: client.post(address).status_code for route, address in addresses.items()}

    assert found == dict.fromkeys(routes(), 403)
    assert {getattr(view, "csrf_exempt", False) for view in routes().values()} == {False}


@pytest.mark.once
@pytest.mark.parametrize(
    ("headers", "secure"),
    [({"Origin": "https://example.org"}, False), ({"Referer": "https://example.org/"}, True)],
)
def test_a_form_from_another_site_is_refused_even_with_a_token(people, addresses, headers, secure):
    client = client_of(people["superuser"], enforce_csrf_checks=True)
    data = {"csrfmiddlewaretoken": client.get("/password/").context["csrf_token"]}

    found = {
        route: client.post(address, data, secure=secure, headers=headers).status_code
        for route, address in addresses.items()
    }

    assert found == dict.fromkeys(routes(), 403)
    assert client.post("/logout/", data, headers={"Origin": "http://testserver"}).status_code == 302


@pytest.mark.sweep
@pytest.mark.once
@pytest.mark.parametrize("role", ["anonymous", "superuser"])
def test_asking_for_the_head_of_a_page_answers_as_the_page_and_changes_nothing(people, addresses, role):
    expected = {key[0]: row[role] for key, row in written_down().items() if key[1] == "GET"}
    before = digest(connection)

    heads = answers(people[role], "HEAD", addresses)
    found = {route: status for (route, _), status in heads.items()}

    assert found == expected
    assert digest(connection) == before


def test_what_an_officer_sends_a_member_cannot(people):
    stranger = client_of(make_user("Officers", "stranger"))
    member, before = client_of(people["member"]), digest(connection)
    action = Action.objects.get()
    page = f"/admin/recommendations/progressupdate/add/?action={action.pk}"
    filled = {"status": "on_track", "dated": "20/11/2022", "narrative": "Forged", "opened_on": "1"}

    assert member.post(page, filled).status_code == 404
    assert stranger.post(page, filled).status_code == 403
    assert digest(connection) == before


def test_a_form_takes_no_column_that_it_does_not_show(people):
    client, action = client_of(people["secretariat"]), Action.objects.get()
    before = Action.objects.values("id", "ref", "agreed_on_first", "agreed_on_last").get()
    extra = {
        "id": "77",
        "ref": "A77",
        "recorded_at": "2020-01-01",
        "agreed_on_first": "2020-01-01",
        "pk": "77",
    }

    done = fill_in(client, f"/admin/recommendations/action/{action.pk}/change/", title="Renamed", **extra)

    assert done.status_code == 302
    assert Action.objects.get().title == "Renamed"
    assert Action.objects.values("id", "ref", "agreed_on_first", "agreed_on_last").get() == before


def filled_forms(client, addresses):
    """{address: what a browser would send} of every form of the admin that ``client`` may open."""
    pages = dict.fromkeys(address for route, address in addresses.items() if route.startswith("/admin/"))
    about = {ProgressUpdate: "action", DueDate: "action", Decision: "due_date", Assessment: "recommendation"}
    for model, subject in about.items():
        row = model.objects.earliest("pk")
        pages[
            f"/admin/recommendations/{model._meta.model_name}/add/?{subject}={getattr(row, subject).pk}"
        ] = None
    found = {}
    for page in pages:
        response = client.get(page)
        if response.status_code == 200 and "inline_admin_formsets" in (response.context or {}):
            found[page] = held(response)
    return found


HIDDEN = {
    "id": "777",
    "pk": "777",
    "recorded_at": "2001-01-01 00:00",
    "recorded_at_0": "2001-01-01",
    "recorded_by": "777",
    "created_by": "777",
    "version": "777",
    "is_staff": "on",
    "is_superuser": "on",
    "frozen": "on",
    "sha256": "f" * 64,
}


@pytest.mark.once
def test_a_member_who_sends_the_officers_own_forms_is_told_that_there_are_none(people, addresses):
    forms = filled_forms(client_of(people["superuser"]), addresses)
    member, before = client_of(people["member"]), digest(connection)

    found = {page: member.post(page, fields).status_code for page, fields in forms.items()}

    assert len(forms) > 25
    assert found == dict.fromkeys(forms, 404)
    assert digest(connection) == before


@pytest.mark.once
def test_no_form_of_the_admin_takes_what_the_server_sets(people, addresses):
    """Nobody chooses a key, a time, a signature or, in an account's form, a right that it does not show."""
    client, since = client_of(people["secretariat"]), datetime.datetime(2002, 1, 1, tzinfo=datetime.UTC)
    administrator = client_of(people["administrator"])
    users = f"/admin/auth/user/{people['officer'].pk}/change/"
    forms = {**filled_forms(client, addresses), users: open_form(administrator, users)}
    saved = 0
    for page, fields in forms.items():
        sender = administrator if page == users else client
        point = transaction.savepoint()
        saved += (
            sender.post(page, {**fields, "narrative": "Said", "reason": "Why", **HIDDEN}).status_code == 302
        )
        for model in apps.get_models():
            assert not model.objects.filter(pk=777).exists() or model is Session, (page, model)
            if any(field.name == "recorded_at" for field in model._meta.fields):
                assert not model.objects.filter(recorded_at__lt=since).exists(), (page, model)
        assert not Paper.objects.filter(sha256="f" * 64).exists()
        assert list(User.objects.filter(is_superuser=True)) == [people["superuser"]], page
        transaction.savepoint_rollback(point)
    assert saved > 10


@pytest.mark.once
@pytest.mark.parametrize("role", ["member", "officer"])
def test_whatever_is_asked_for_a_reader_gets_no_draft(people, role):
    client, meeting = client_of(people[role]), Meeting.objects.get()
    paper = f"/meetings/{MEETING}/paper/"

    for number in range(1, meeting.pk + 51):
        publish = client.get(f"/admin/record/meeting/{number}/publish/")
        assert publish.status_code == (403 if role == "officer" else 404), number
    versions = {number: client.get(f"{paper}?version={number}").status_code for number in range(1, 51)}

    assert versions == {1: 200} | dict.fromkeys(range(2, 51), 404)
    assert client.get(f"{paper}?draft").content == bytes(meeting.papers.get().body)
