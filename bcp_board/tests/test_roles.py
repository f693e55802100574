"""What each role may do, and what the admin shows it."""

import datetime
import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from bcp_board.roles import create_groups
from bcp_board.worklist import worklist
from recommendations.tests.factories import make_action, make_decision, make_due_date, make_update
from record.kept import shelf
from record.signing import role_of
from record.tests.factories import make_user, on

pytestmark = [pytest.mark.django_db, pytest.mark.once]

TODAY = datetime.date(2022, 11, 22)
ROLES = ["Administrators", "Board members", "Chair", "Officers", "Secretariat"]


def permissions_of(role):
    return {
        f"{p.content_type.app_label}.{p.codename}"
        for p in Group.objects.get(name=role).permissions.select_related("content_type")
    }


def test_making_the_groups_again_takes_away_what_was_added_by_hand():
    create_groups()
    before = {role: permissions_of(role) for role in ROLES}
    Group.objects.get(name="Officers").permissions.add(Permission.objects.get(codename="delete_user"))

    create_groups()

    assert {role: permissions_of(role) for role in ROLES} == before
    assert sorted(Group.objects.values_list("name", flat=True)) == ROLES


def test_each_role_holds_exactly_these_permissions():
    create_groups()

    assert permissions_of("Board members") == set()
    assert permissions_of("Administrators") == {"auth.view_user", "auth.add_user", "auth.change_user"}
    assert permissions_of("Officers") == {
        "recommendations.view_action",
        "recommendations.view_decision",
        "recommendations.add_decision",
        "recommendations.view_sendback",
        "recommendations.view_progressupdate",
        "recommendations.add_progressupdate",
        "recommendations.view_duedate",
        "recommendations.add_duedate",
    }
    assert permissions_of("Chair") - permissions_of("Officers") == {
        "recommendations.view_recommendation",
        "recommendations.add_sendback",
        "recommendations.view_assessment",
        "recommendations.add_assessment",
        "recommendations.accept_progressupdate",
        "meetings.view_askoutcome",
        "meetings.add_askoutcome",
        "meetings.view_latenote",
        "meetings.add_latenote",
    }
    record = {
        "record": ["ask", "document", "meeting"],
        "visits": ["event", "finding", "framework", "grade", "judgement", "judgementarea", "visit"],
        "recommendations": ["action", "measure", "recommendation", "risk"],
    }
    kept = {f"{app}.{verb}_{m}" for app in record for m in record[app] for verb in ("view", "add", "change")}
    assert permissions_of("Secretariat") == permissions_of("Chair") | kept | {
        "recommendations.record_for_owner",
        "recommendations.view_ownership",
        "recommendations.add_ownership",
        "recommendations.view_measurevalue",
        "recommendations.add_measurevalue",
        "meetings.view_paper",
        "meetings.add_paper",
    }


@pytest.mark.parametrize(
    ("role", "word"),
    [
        ("Secretariat", "Secretariat"),
        ("Chair", "Chair"),
        ("Officers", "Officer"),
        ("Administrators", "Administrator"),
        ("Board members", "Board member"),
        ("", ""),
    ],
)
def test_a_role_signs_with_its_own_word(role, word):
    assert role_of(make_user(role)) == word


def test_a_superuser_without_a_group_signs_as_administrator():
    assert role_of(make_user(is_superuser=True)) == "Administrator"


def pages():
    found = ["/admin/", "/admin/jsi18n/", "/admin/autocomplete/", "/admin/zzz/", "/admin/login/"]
    for model in admin.site._registry:
        path = f"/admin/{model._meta.app_label}/"
        found += [path] + [
            f"{path}{model._meta.model_name}/{page}"
            for page in ("", "add/", "1/change/", "1/history/", "1/delete/")
        ]
    return found


def test_the_admin_does_not_exist_for_those_with_nothing_to_do_in_it(client):
    client.force_login(make_user("Board members"))

    assert {page: client.get(page).status_code for page in pages()} == dict.fromkeys(pages(), 404)
    assert {page: client.post(page, {"action": "1"}).status_code for page in pages()} == dict.fromkeys(
        pages(), 404
    )


def test_anonymous_visitors_are_sent_to_the_one_way_in(client):
    for page in pages():
        response = client.get(page)
        assert (response.status_code, response.url) == (302, f"/login/?next={page}")


@pytest.mark.parametrize("role", ["Officers", "Chair", "Secretariat", "Administrators"])
def test_staff_see_pages_of_their_own_and_are_refused_the_rest(client, role):
    user = make_user(role)
    client.force_login(user)

    assert client.get("/admin/").status_code == 200
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        view, add = (
            user.has_perm(f"{model._meta.app_label}.{verb}_{model._meta.model_name}")
            for verb in ("view", "add")
        )
        assert client.get(reverse(f"admin:{name}_changelist")).status_code == (200 if view else 403), name
        assert client.get(reverse(f"admin:{name}_add")).status_code == (200 if add else 403), name


def test_taking_a_role_away_tells_at_the_next_request(client):
    officer = make_user("Officers")
    client.force_login(officer)
    page = reverse("admin:recommendations_progressupdate_changelist")
    assert client.get(page).status_code == 200

    officer.groups.clear()

    assert client.get(page).status_code == 403


def test_my_actions_are_those_due_an_update_then_overdue_then_the_rest():
    officer = make_user("Officers")
    fresh = {"dated": "2022-11-20", "by": officer}
    rest = make_action("A01", owner=officer)
    make_update(rest, **fresh)
    overdue = make_action("A02", owner=officer)
    make_update(overdue, **fresh)
    make_due_date(overdue, "2022-10")
    make_update(make_action("A03", owner=officer), dated="2022-10-02", by=officer)
    make_action("A04", owner=officer)
    make_update(make_action("A05", owner=officer), "complete", **fresh)
    make_action("A06", owner=make_user("Officers", "other"))

    work = worklist(officer, on(TODAY))

    assert [task.action.ref for task in work.mine] == ["A03", "A04", "A02", "A01"]
    assert (work.decides, work.assigns, work.unowned, len(work.decisions)) == (False, False, (), 0)


def test_an_owner_sees_the_answer_to_a_proposal_until_the_next_proposal():
    officer = make_user("Officers")
    action = make_action(owner=officer)
    proposal = make_due_date(action, "2023-04", dated="2022-11-01", by=officer, needs_decision=True)
    assert worklist(officer, on(TODAY)).mine[0].answer is None

    make_decision(proposal, "refused", dated="2022-11-15", reason="Too late for the children")
    answer = worklist(officer, on(TODAY)).mine[0].answer
    assert (answer.due.text, answer.is_refused, answer.decided.reason) == (
        "2023-04",
        True,
        "Too late for the children",
    )

    make_due_date(action, "2023-02", dated="2022-11-16", by=officer, needs_decision=True)
    assert worklist(officer, on(TODAY)).mine[0].answer is None


@pytest.mark.parametrize(("role", "assigns"), [("Chair", False), ("Secretariat", True)])
def test_chair_and_secretariat_see_the_decisions_wanted_of_them(client, role, assigns):
    officer = make_user("Officers")
    proposal = make_due_date(make_action("A01", owner=officer), by=officer, needs_decision=True)
    make_update(make_action("A02", owner=officer), "done")
    make_update(make_action("A03", owner=officer), "complete", recheck_on=TODAY)
    make_action("A04")
    user = make_user(role)

    work = worklist(user, on(TODAY))

    assert [(wanted.action.ref, wanted.proposal) for wanted in work.decisions.dates] == [
        ("A01", work.decisions.dates[0].action.proposals[0])
    ]
    assert [(wanted.name, wanted.action.ref) for wanted in work.decisions.waiting] == [
        ("D1", "A01"),
        ("D2", "A02"),
        ("D3", "A03"),
    ]
    assert [action.ref for action in work.unowned] == (["A04"] if assigns else [])
    client.force_login(user)
    page = client.get("/admin/").content.decode()
    assert f'href="/admin/recommendations/decision/add/?due_date={proposal.pk}"' in page
    assert "Decisions wanted (3)" in page


@pytest.mark.parametrize("actions", [1, 10])
def test_the_landing_page_takes_the_same_queries_however_many_actions(
    client, django_assert_num_queries, actions
):
    officer, secretariat = make_user("Officers"), make_user("Secretariat")
    for number in range(10, 10 + actions):
        action = make_action(f"A{number}", owner=officer)
        make_update(action, by=officer)
        make_due_date(action, by=officer, needs_decision=True)
        make_action(f"A{number + 50}")

    # session, user, 2 of permissions, the mark before and after, 8 of actions and 1 of what was corrected of
    # them, is this a demonstration; for those who decide, the meeting to come
    for user, queries in ((officer, 16), (secretariat, 17)):
        client.force_login(user)
        client.get("/admin/")  # the first page of a session also notes the time in it
        shelf.clear()
        with django_assert_num_queries(queries):
            client.get("/admin/")


@pytest.mark.parametrize(
    ("role", "offered"),
    [
        ("Officers", ["Take back a date you proposed", "Propose a date", "Report progress"]),
        ("Chair", ["Add"] * 7),
    ],
)
def test_the_menu_calls_what_one_adds_by_what_one_can_do_there(client, role, offered):
    client.force_login(make_user(role))
    menu = client.get(reverse("admin:index")).content.decode()

    found = re.findall(r'class="addlink"[^>]*>([^<]*)</a>', menu)
    assert found == offered


def test_what_an_officer_chooses_from_is_called_the_same(client):
    client.force_login(make_user("Officers"))
    page = client.get(reverse("admin:recommendations_decision_add"))
    assert page.context["title"] == "Take back a date you proposed: choose the due date"
