"""Signing in and out, passwords, and the accounts that administrators keep."""

import datetime
import re

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from bcp_board.roles import IN_WORDS
from bcp_board.tests.test_access import client_of
from bcp_board.worklist import worklist
from recommendations.ownership import Ownership
from recommendations.tests.factories import make_action, make_update
from record.tests.admin_forms import errors_of, fill_in, open_form
from record.tests.factories import make_user, on
from record.tests.pages import main_words as words

pytestmark = [pytest.mark.django_db, pytest.mark.once]

GOOD = "three unrelated words"
OTHER = "another three words"


@pytest.fixture
def administrator(client):
    client.force_login(make_user("Administrators"))
    return client


def with_password(user, password=GOOD):
    user.set_password(password)
    user.save()
    return user


def sign_in(client, username, password=GOOD, **more):
    return client.post(reverse("login"), {"username": username, "password": password, **more})


def test_signing_in_goes_where_one_was_going():
    with_password(make_user("Board members", "ann"))

    assert sign_in(Client(), "ann").url == "/"
    assert sign_in(Client(), "ann", next="/actions/").url == "/actions/"
    for elsewhere in ("https://example.org/", "//example.org", "/\\example.org", "javascript:alert(1)"):
        assert sign_in(Client(), "ann", next=elsewhere).url == "/"


def test_the_sign_in_page_lets_password_managers_help(client):
    page = client.get(reverse("login")).content.decode()

    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page


@pytest.mark.parametrize("username", ["ann", "gone", "unset", "nobody"])
def test_every_failed_sign_in_looks_alike(client, username):
    with_password(make_user("Board members", "ann"))
    with_password(make_user("Board members", "gone", is_active=False))
    make_user("Board members", "unset").set_unusable_password()

    response = sign_in(client, username, "not the password" if username == "ann" else GOOD)

    assert response.status_code == 200
    assert response.context["form"].errors == {
        "__all__": ["The username or the password is wrong. Check both; capital letters count."]
    }
    page = response.content.decode()
    assert "<title>Error: Sign in" in page
    assert "There is a problem" in page


def test_the_admin_calls_an_account_by_the_word_of_every_other_page(administrator):
    page = words(administrator.get("/admin/auth/user/"))
    assert "Select account to change" in page
    assert "user" not in page.replace("Username", "").lower()


def test_signing_out_is_a_post_that_ends_the_session(client):
    client.force_login(make_user("Board members"))

    assert client.get(reverse("logout")).status_code == 405
    assert Session.objects.count() == 1
    response = client.post(reverse("logout"))
    assert (response.status_code, response.url) == (302, "/login/")
    assert response.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert Session.objects.count() == 0
    assert client.get("/").status_code == 302


def test_changing_a_password_ends_ones_other_sessions():
    with_password(make_user("Board members", "ann"))
    here, elsewhere = Client(), Client()
    sign_in(here, "ann")
    sign_in(elsewhere, "ann")

    wrong = here.post(
        reverse("password"), {"old_password": GOOD, "new_password1": "short", "new_password2": "short"}
    )
    assert list(wrong.context["form"].errors) == ["new_password2"]
    done = here.post(
        reverse("password"), {"old_password": GOOD, "new_password1": OTHER, "new_password2": OTHER}
    )

    assert (done.status_code, done.url) == (302, "/")
    assert here.get(reverse("password")).status_code == 200
    assert elsewhere.get(reverse("password")).url == "/login/?next=/password/"


def test_what_is_wrong_with_a_password_is_said_in_the_words_of_its_label(administrator):
    ann = with_password(make_user("Board members", "ann"))
    client, visitor = Client(), Client()
    client.force_login(ann)
    link = visitor.get(make_link(administrator, ann)).url
    differing = {"new_password1": OTHER, "new_password2": GOOD}
    again = ["“New password again” is not the same as “New password”. Type both again."]

    change = client.post(reverse("password"), {"old_password": "wrong", **differing})
    choice = visitor.post(link, differing)

    assert change.context["form"].errors == {
        "old_password": ["Your present password is wrong. Type it again; capital letters count."],
        "new_password2": again,
    }
    assert choice.context["form"].errors == {"new_password2": again}
    labels = ["Your present password", "New password", "New password again"]
    assert re.findall("<label[^>]*>(.*?)</label>", change.content.decode()) == labels
    assert re.findall("<label[^>]*>(.*?)</label>", choice.content.decode()) == labels[1:]
    assert client.post(reverse("password")).context["form"].errors == {
        "old_password": ["Enter your present password."],
        "new_password1": ["Enter a new password."],
        "new_password2": ["Enter the new password again."],
    }


def test_an_administrator_makes_an_account_without_a_password_and_its_role_opens_the_admin(administrator):
    officers = Group.objects.get(name="Officers")
    typed = {"username": "ann", "first_name": "Ann", "last_name": "Officer"}

    fill_in(
        administrator,
        reverse("admin:auth_user_add"),
        **typed,
        groups=[officers.pk],
        is_superuser="on",
        is_staff="on",
        password="x",
    )

    user = User.objects.get(username="ann")
    assert (user.get_full_name(), user.is_staff, user.is_superuser) == ("Ann Officer", True, False)
    assert not user.has_usable_password()

    fill_in(administrator, reverse("admin:auth_user_change", args=[user.pk]), groups=[])
    user.refresh_from_db()
    assert user.is_staff is False


def test_whoever_makes_an_account_is_shown_its_one_time_link_at_once_and_once(administrator, log):
    add = reverse("admin:auth_user_add")
    typed = {"username": "ann", "first_name": "Ann", "last_name": "Officer", "email": "ann@example.gov.uk"}
    typed["groups"] = [Group.objects.get(name="Officers").pk]
    log()

    response = fill_in(administrator, add, **typed)

    text, page, ann = words(response), response.content.decode(), User.objects.get(username="ann")
    assert "The account ann is made. Give this link to Ann Officer, and to nobody else" in text
    assert f'<a href="{add}">Make another account</a>' in page
    link = re.search(r'id="link" value="([^"]+)"', page)[1]
    assert [(line["event"], line.get("now")) for line in log()] == [
        ("rights changed", ["Officers"]),
        ("admin added", None),
        ("admin changed", None),
        ("one-time link made", None),
    ]
    theirs = Client()
    form = theirs.get(link, follow=True).redirect_chain[-1][0]
    theirs.post(form, {"new_password1": GOOD, "new_password2": GOOD})
    assert User.objects.get(pk=ann.pk).check_password(GOOD)

    assert "Save and" not in words(administrator.get(add))
    for username, button in (("bob", "_continue"), ("cat", "_addanother")):
        going_on = fill_in(administrator, add, **{**typed, "username": username}, **{button: "1"})
        assert f"The account {username} is made." in words(going_on)


def test_an_account_needs_a_full_name(administrator):
    response = fill_in(administrator, reverse("admin:auth_user_add"), username="ann")

    assert sorted(errors_of(response)) == ["first_name", "last_name"]


def test_an_administrator_neither_makes_nor_touches_a_superuser(administrator):
    root = with_password(make_user(username="root", is_superuser=True, is_staff=True))
    ann = make_user("Board members", "ann")

    fill_in(
        administrator,
        reverse("admin:auth_user_change", args=[ann.pk]),
        is_superuser="on",
        user_permissions=["1"],
    )
    ann.refresh_from_db()
    assert (ann.is_superuser, ann.user_permissions.count()) == (False, 0)
    me = User.objects.get(username="administrators")
    fill_in(administrator, reverse("admin:auth_user_change", args=[me.pk]), is_superuser="on")
    me.refresh_from_db()
    assert me.is_superuser is False

    page = reverse("admin:auth_user_change", args=[root.pk])
    assert administrator.get(page).status_code == 200
    assert administrator.post(page, {"username": "mine"}).status_code == 403
    link = reverse("admin:auth_user_link", args=[root.pk])
    assert administrator.get(link).status_code == 403
    assert administrator.post(link).status_code == 403


def test_a_form_opened_before_a_role_was_taken_away_does_not_give_it_back():
    person = make_user("Officers", "ann", first_name="Ann", last_name="Officer")
    page = reverse("admin:auth_user_change", args=[person.pk])
    first, second = Client(), Client()
    first.force_login(make_user("Administrators", "one", first_name="One", last_name="Admin"))
    second.force_login(make_user("Administrators", "two"))
    held = open_form(second, page)
    assert held["groups"] == [Group.objects.get(name="Officers").pk]
    assert fill_in(first, page, groups=[], is_active="").status_code == 302

    response = second.post(page, {**held, "first_name": "Anne"})

    assert errors_of(response)[""][0] == (
        "One Admin changed this account after you opened this form. "
        "It is now Ann Officer (ann), closed, with no role."
    )
    person.refresh_from_db()
    assert (person.first_name, person.is_active, person.groups.count()) == ("Ann", False, 0)
    assert 'value="Anne"' in response.content.decode()
    assert fill_in(second, page, first_name="Anne").status_code == 302
    assert errors_of(second.post(page, {**held, "opened_on": "x"}))[""][0] == "This form was not sent whole."


def test_a_superuser_may_make_another(client):
    client.force_login(make_user(username="root", is_superuser=True))
    ann = make_user("Administrators", "ann")

    fill_in(client, reverse("admin:auth_user_change", args=[ann.pk]), is_superuser="on")

    ann.refresh_from_db()
    assert ann.is_superuser is True


def test_the_form_says_what_each_role_may_do_and_lists_no_permissions(administrator):
    ann = make_user("Officers", "ann")
    page = reverse("admin:auth_user_change", args=[ann.pk])

    said = words(administrator.get(page))
    places = [said.index(f"{role}: {may}") for role, may in IN_WORDS.items()]
    assert places == sorted(places)
    assert set(IN_WORDS) == set(Group.objects.values_list("name", flat=True))
    root = Client()
    root.force_login(make_user(username="root", is_superuser=True))
    seen_by_root = words(root.get(page))
    assert "Runs the site May do all that any role may, and give that right to others." in seen_by_root
    assert "Runs the site" not in said
    for told in (said, seen_by_root):
        assert re.findall(r"(?i)superuser|staff status|can (?:add|view|change) ", told) == []


def test_a_right_that_no_role_gives_is_said_on_the_page_of_its_account(administrator):
    ann = make_user("Officers", "ann")
    page = reverse("admin:auth_user_change", args=[ann.pk])
    assert "of its own" not in words(administrator.get(page))

    ann.user_permissions.add(Permission.objects.get(codename="add_paper"))
    assert (
        "This account also holds 1 right of its own, beside what its roles may do. "
        "Only whoever runs the server can take it away."
    ) in words(administrator.get(page))


def test_no_page_shows_or_sets_another_persons_password(administrator):
    ann = with_password(make_user("Board members", "ann"))

    page = administrator.get(reverse("admin:auth_user_change", args=[ann.pk])).content.decode()

    assert ann.password not in page
    assert ann.password.split("$")[-1] not in page
    assert administrator.get(f"/admin/auth/user/{ann.pk}/password/").status_code != 200


def make_link(administrator, user):
    page = reverse("admin:auth_user_link", args=[user.pk])
    assert administrator.get(page).context["link"] == ""
    return administrator.post(page).context["link"]


def test_a_one_time_link_sets_a_password_once_and_signs_nobody_in(administrator):
    ann = make_user("Officers", "ann")
    ann.set_unusable_password()
    ann.save()
    link = make_link(administrator, ann)
    assert link.startswith("http://testserver/login/")
    visitor = Client()

    form = visitor.get(link)
    assert (form.status_code, form.url.endswith("/set-password/")) == (302, True)
    assert "ann" in visitor.get(form.url).content.decode()
    weak = visitor.post(form.url, {"new_password1": "password", "new_password2": "password"})
    assert list(weak.context["form"].errors) == ["new_password2"]
    done = visitor.post(form.url, {"new_password1": GOOD, "new_password2": GOOD})
    assert (done.status_code, done.url) == (302, "/login/")
    assert "_auth_user_id" not in visitor.session
    assert "Your password has been set." in visitor.get("/login/").content.decode()
    assert sign_in(visitor, "ann").status_code == 302

    assert "This link no longer works" in Client().get(link).content.decode()


def test_a_link_works_for_a_forgotten_password_and_dies_when_the_password_changes(administrator):
    ann = with_password(make_user("Officers", "ann"))
    link = make_link(administrator, ann)
    with_password(ann, OTHER)

    assert "This link no longer works" in Client().get(link).content.decode()
    assert Client().get(make_link(administrator, ann)).status_code == 302


@pytest.mark.parametrize("address", ["/login/zzz/zzz/", "/login/MQ/set-password/", f"/login/{'9' * 40}/a-b/"])
def test_a_made_up_link_does_not_work(client, address):
    response = client.get(address)

    assert response.status_code == 200
    assert "This link no longer works" in response.content.decode()


def test_only_administrators_make_links(client):
    ann = make_user("Board members", "ann")
    page = reverse("admin:auth_user_link", args=[ann.pk])

    for role in ("Officers", "Chair", "Secretariat"):
        client.force_login(make_user(role))
        assert client.get(page).status_code == 403
        assert client.post(page).status_code == 403
    client.force_login(ann)
    assert client.post(page).status_code == 404


def test_an_account_that_is_closed_is_out_at_its_next_request(administrator):
    ann = make_user("Officers", "ann")
    hers = Client()
    hers.force_login(ann)
    assert hers.get("/admin/").status_code == 200

    fill_in(administrator, reverse("admin:auth_user_change", args=[ann.pk]), is_active="")

    assert hers.get("/admin/").url == "/login/?next=/admin/"


@pytest.mark.parametrize("rows", [1, 10])
def test_the_list_of_accounts_takes_the_same_queries_however_long(
    administrator, django_assert_num_queries, rows
):
    for number in range(rows):
        make_user("Officers", f"person{number}")

    administrator.get("/admin/")  # the first page of a session also notes the time in it
    # session, user, 2 of permissions, 2 counts, rows, their groups, groups to filter by, a demonstration?
    with django_assert_num_queries(10):
        administrator.get(reverse("admin:auth_user_changelist"))


def test_local_accounts_are_made_once_and_then_get_the_new_password(settings):
    settings.DEBUG = True
    for ref in ("A05", "A06", "A07"):
        make_action(ref)

    call_command("local_accounts", password=OTHER)
    call_command("local_accounts", password=GOOD)

    made = {
        user.username: (user.get_full_name(), user.groups.get().name, user.is_staff, user.is_superuser)
        for user in User.objects.all()
    }
    assert made == {
        "member": ("Local member", "Board members", False, False),
        "officer": ("Local officer", "Officers", True, False),
        "secretariat": ("Local secretariat", "Secretariat", True, False),
        "chair": ("Local chair", "Chair", True, False),
        "admin": ("Local admin", "Administrators", True, True),
    }
    assert {user.check_password(GOOD) for user in User.objects.all()} == {True}
    said = Ownership.objects.order_by("action__ref").values_list("action__ref", "owner_signed", "signed")
    by = "Local secretariat (Secretariat)"
    assert list(said) == [(ref, "Local officer (Officer)", by) for ref in ("A05", "A07")]


def test_local_accounts_are_refused_on_a_real_site_or_with_a_weak_password(settings):
    with pytest.raises(CommandError, match="DEBUG=1"):
        call_command("local_accounts", password=GOOD)
    settings.DEBUG = True
    with pytest.raises(CommandError, match="at least 12 characters"):
        call_command("local_accounts", password="short")

    assert User.objects.count() == 0


def test_before_an_account_is_closed_the_actions_it_owns_are_listed_and_readers_see_it_afterwards(
    administrator,
):
    officer = make_user("Officers", "officer")
    action, finished = make_action("A01", owner=officer), make_action("A02", owner=officer)
    make_update(finished, "closed", by=officer)
    page = f"/admin/auth/user/{officer.pk}/change/"
    member = client_of(make_user("Board members"))
    assert "A01 <bdi>Title of A01</bdi>" in administrator.get(page).content.decode()
    assert "A02 <bdi>" not in administrator.get(page).content.decode()
    assert "records its progress" in member.get("/actions/A01/").content.decode()

    held = open_form(administrator, page)
    held.pop("is_active")
    assert administrator.post(page, held).status_code == 302

    said = "The account is closed: nobody but the secretariat can record progress at present"
    assert said in member.get("/actions/A01/").content.decode()
    assert said not in member.get("/actions/A01/?as_at=2022-12-01").content.decode()
    nobody = make_action("A03")
    work = worklist(make_user("Secretariat"), on(datetime.date.today()))
    assert [row.ref for row in work.unowned] == [action.ref, nobody.ref]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("Officer", "There is an account called officer already."),
        (
            "\u043efficer",
            "Use the letters A to Z, digits and @ . + - _ only: other letters can look the same.",
        ),
    ],
)
def test_no_name_can_be_taken_for_that_of_another_account(administrator, name, error):
    make_user("Officers", "officer")
    typed = {"username": name, "first_name": "Ann", "last_name": "Other"}

    response = administrator.post("/admin/auth/user/add/", typed)

    assert errors_of(response) == {"username": [error]}


@pytest.mark.django_db
def test_the_database_too_refuses_a_name_that_differs_in_capitals_only():
    make_user("Officers", "officer")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(username="OFFICER")


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["first_name", "last_name"])
def test_no_account_has_a_name_that_turns_its_role_round(field):
    client = client_of(make_user("Administrators"))
    address = "/admin/auth/user/add/"
    filled = {**open_form(client, address), "username": "new", "first_name": "Olu", "last_name": "Clerk"}

    response = client.post(address, {**filled, field: "Olu\u202e"})

    assert list(response.context["adminform"].form.errors) == [field]
    assert client.post(address, filled).status_code == 200
    assert User.objects.get(username="new").first_name == "Olu"
