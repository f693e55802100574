"""What every page of the admin has in common: edited rows, their versions, and rows that are only added."""

import datetime
import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from simple_history.admin import SimpleHistoryAdmin

from bcp_board.tests.addresses import make_record
from meetings.tests.factories import make_late_note, make_outcome
from recommendations.models import Action
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_decision,
    make_due_date,
    make_measure_value,
    make_recommendation,
    make_send_back,
    make_update,
)
from record.as_at import AsAt
from record.forms import fields_changed, in_words
from record.models import Document
from record.statement_admin import StatementAdmin
from record.tests.admin_forms import errors_of, fill_in, open_form
from record.tests.factories import make_document, make_meeting, make_user, on, saved
from visits.models import Event
from visits.tests.factories import make_area, make_finding, make_grade, make_judgement, make_visit

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def test_a_short_text_that_is_too_long_is_refused_whole(secretariat):
    """A box that says how much it takes has a browser cut what is pasted, and nobody is told."""
    page = reverse("admin:visits_visit_change", args=[make_visit().pk])
    assert "maxlength" not in secretariat.get(page).content.decode()

    response = fill_in(secretariat, page, theme="x" * 3_000)

    assert errors_of(response) == {"theme": ["Use 200 characters or fewer."]}
    assert "x" * 3_000 in response.content.decode()


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("école", 1),
        ("ECOLE", 1),
        ("children's", 1),
        ("homes - review", 1),
        ("'homes – École'", 1),
        ("'école homes'", 0),
        ("homes prison", 0),
        ("a01 homes", 1),
        ("\u0301", 0),
        ("", 2),
    ],
)
def test_a_list_is_searched_as_the_boards_own_list_is(secretariat, typed, found):
    for ref, title in (("A01", "Children’s homes – École review"), ("A02", "Prisons")):
        make_update(make_action(ref, title=title))

    for name in ("action", "progressupdate"):
        page = reverse(f"admin:recommendations_{name}_changelist")
        assert secretariat.get(page, {"q": typed}).context["cl"].result_count == found


def test_a_row_that_is_not_there_is_not_said_to_have_been_deleted(secretariat):
    for model in admin.site._registry:
        address = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        if model is not User:
            assert secretariat.get(reverse(f"{address}_change", args=[99_999])).status_code == 404
            assert secretariat.get(reverse(f"{address}_history", args=[99_999])).status_code == 404


def test_saving_what_was_not_changed_makes_no_version(secretariat):
    visit, action = make_visit(), make_action()
    for row, typed in ((visit, {"note": "Changed"}), (action, {"note": "Changed"})):
        page = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        before = row.history.count()

        assert fill_in(secretariat, page).status_code == 302
        assert row.history.count() == before

        assert fill_in(secretariat, page, **typed).status_code == 302
        assert row.history.count() == before + 1


def test_history_shows_old_and_new_and_cannot_be_put_back(secretariat):
    document = make_document()
    document.title = "A better title"
    with saved(reason="It was short"):
        document.save()
    history = reverse("admin:record_document_history", args=[document.pk])
    earlier = f"{history}{document.history.earliest().pk}/"

    page = secretariat.get(history).content.decode()
    assert "The report" in page
    assert "A better title" in page
    assert "Revert" not in secretariat.get(earlier).content.decode()
    typed = {
        "key": "report",
        "title": "Back",
        "publisher": "The adviser",
        "published": "2022",
        "reference": "x",
    }
    assert secretariat.post(earlier, typed).status_code == 403
    assert Document.objects.get().title == "A better title"


def test_history_says_each_change_whole_and_in_plain_words(secretariat):
    action = make_action(agreed_on="2022-11", note="")
    found = [make_finding("F19"), make_finding("F07")]
    long = "Line one, " * 100
    action.agreed_on, action.note = "2022-11-22?", long
    with saved(reason="More is known"):
        action.save()
    with saved(reason="It answers these"):
        action.findings.set(found)
    action.note = "Short <now>"
    with saved(reason="Too long"):
        action.save()
    document = make_document()
    with saved(reason="Read again", at=datetime.datetime(2026, 3, 2, 19, 17, tzinfo=datetime.UTC)):
        document.save()

    pages = [
        f"/admin/{page}/history/"
        for page in (f"recommendations/action/{action.pk}", f"record/document/{document.pk}")
    ]
    history, documents = (secretariat.get(page).content.decode() for page in pages)

    said = [re.sub("<[^>]+>", "", change) for change in re.findall("<li><strong>(.*?)</li>", history)]
    assert said == [
        f"Note: was “{long}”, now “Short &lt;now&gt;”",
        "Findings: was empty, now “F07, F19”",
        "Agreed on: was “November 2022”, now “22 November 2022, year inferred”",
        f"Note: was empty, now “{long}”",
    ]
    assert "2 March 2026 at 7:17pm" in documents


def versions():
    """How many versions of its rows each editable model has, those with none left out."""
    histories = [(m.__name__, m.history.count()) for m in admin.site._registry if hasattr(m, "history")]
    return {name: count for name, count in histories if count}


def test_a_save_adds_one_version_that_says_who_changed_what_and_a_refused_one_adds_none(secretariat):
    action, visit = make_action(), make_visit(kind="full")
    judgement = make_judgement(visit)
    action_page = reverse("admin:recommendations_action_change", args=[action.pk])
    visit_page = reverse("admin:visits_visit_change", args=[visit.pk])
    began, before = timezone.now(), versions()

    assert fill_in(secretariat, action_page, title="").status_code == 200
    assert (
        fill_in(secretariat, visit_page, theme="Refused", **{"judgements-0-grade": "zzz"}).status_code == 200
    )
    assert versions() == before

    assert fill_in(secretariat, action_page, title="Another title").status_code == 302
    assert versions() == {**before, "Action": before["Action"] + 1}
    changes = {"theme": "Front door", "judgements-0-grade": make_grade("outstanding").pk}
    assert fill_in(secretariat, visit_page, **changes).status_code == 302
    assert versions() == {
        name: count + (name in ("Action", "Visit", "Judgement")) for name, count in before.items()
    }

    said = []
    for row in (action, visit, judgement):
        new, old, *_ = row.history.all()
        said += [(f.name, in_words(old, f), in_words(new, f)) for f in fields_changed(old, new)]
        assert (new.history_change_reason, new.signed) == ("It was wrong", "Secretariat Person (Secretariat)")
        assert (new.history_type, new.history_user.username) == ("~", "secretariat")
        assert began <= new.history_date <= timezone.now()
    assert said == [
        ("title", "Title of A01", "Another title"),
        ("theme", "", "Front door"),
        ("grade", "Good (ILACS)", "Outstanding (ILACS)"),
    ]


def everything():
    """Make a row of every model that has pages, by way of an action with a decided date."""
    officer = make_user("Officers")
    visit = make_visit(kind="full")
    make_finding(visit=visit)
    make_judgement(visit)
    Event.objects.create(ref="E01", text="It happened", document=make_document(), reference="p1")
    action = make_action(owner=officer)
    make_send_back(make_update(action, by=officer), by=officer)
    date = make_due_date(action, by=officer, needs_decision=True)
    make_decision(date)
    make_assessment(action.recommendations.get())
    make_measure_value()
    make_late_note(date)
    make_outcome(make_meeting(asks=["Agree the plan"]).asks.get())


def pages_of(model_admin):
    opts = model_admin.opts
    return f"/admin/{opts.app_label}/{opts.model_name}/"


def typed_in(response):
    """The tags of what can be filled in on a page, apart from the token of each form."""
    found = re.findall(r"<(?:input|select|textarea)\b[^>]*", response.content.decode())
    return [tag for tag in found if 'name="csrfmiddlewaretoken"' not in tag]


def test_nothing_can_be_typed_on_the_page_of_an_append_only_row_or_of_an_earlier_version(client):
    make_record(make_user("Officers"))
    client.force_login(make_user(username="root", is_superuser=True))
    seen = {"row": 0, "version": 0}
    for model, model_admin in admin.site._registry.items():
        row = model.objects.first()
        address = f"{pages_of(model_admin)}{row and row.pk}"
        if isinstance(model_admin, StatementAdmin):
            assert (model, typed_in(client.get(f"{address}/change/"))) == (model, [])
            seen["row"] += 1
        elif isinstance(model_admin, SimpleHistoryAdmin):
            assert typed_in(client.get(f"{address}/change/")) != []
            version = client.get(f"{address}/history/{row.history.latest().pk}/")
            assert (model, version.status_code, typed_in(version)) == (model, 200, [])
            seen["version"] += 1
    assert seen == {"row": 9, "version": 14}


def test_an_earlier_version_shows_what_was_said_and_linked_then(client):
    client.force_login(make_user(username="root", is_superuser=True))
    action = make_action(agreed_on="2022-11?", note="Line one\nLine <two>")
    then = action.history.latest()
    other = make_recommendation(2)
    with saved(reason="It answers another"):
        action.recommendations.set([other])
    Action.objects.update(title="A later title", agreed_on="2023")

    page = client.get(f"/admin/recommendations/action/{action.pk}/history/{then.pk}/").content.decode()

    rows = re.findall(r'<tr>\s*<th scope="row">(.*?)</th>\s*<td>(.*?)</td>\s*</tr>', page)
    assert [row for row in rows if row[1] != "(empty)"] == [
        ("Reference number", "A01"),
        ("Title", "Title of A01"),
        ("Recommendations", "Recommendation 1: Title 1"),
        ("Owner role", "Director"),
        ("Agreed on", "November 2022, year inferred"),
        ("Deadlines missed before this record began", "0"),
        ("Note", "Line one<br>Line &lt;two&gt;"),
    ]


def test_nobody_deletes_anything_and_there_are_no_bulk_actions(client):
    everything()
    superuser = make_user(username="root", is_superuser=True)
    client.force_login(superuser)
    kept = {model: model.objects.count() for model in admin.site._registry}

    for model, model_admin in admin.site._registry.items():
        pages = pages_of(model_admin)
        chosen = {"action": "delete_selected", "_selected_action": "1", "post": "yes"}
        assert "_selected_action" not in client.get(pages).content.decode()
        client.post(pages, chosen)
        for row in model.objects.all():
            address = f"{pages}{row.pk}/delete/"
            assert (address, client.get(address).status_code) == (address, 403)
            assert (address, client.post(address, {"post": "yes"}).status_code) == (address, 403)

    assert {model: model.objects.count() for model in admin.site._registry} == kept


def test_nobody_changes_an_append_only_row(client):
    everything()
    client.force_login(make_user(username="root", is_superuser=True))
    tried = []

    for model, model_admin in admin.site._registry.items():
        if getattr(model, "append_only", False):
            row = model.objects.get()
            page = client.get(f"{pages_of(model_admin)}{row.pk}/change/")
            assert page.status_code == 200
            assert 'name="_save"' not in page.content.decode()
            assert client.post(f"{pages_of(model_admin)}{row.pk}/change/", {"reason": "x"}).status_code == 403
            tried.append(model._meta.model_name)

    assert sorted(tried) == [
        "askoutcome",
        "assessment",
        "decision",
        "duedate",
        "latenote",
        "measurevalue",
        "ownership",
        "progressupdate",
        "sendback",
    ]


@pytest.mark.parametrize("rows", [1, 10])
def test_the_lists_take_the_same_queries_however_long(secretariat, django_assert_num_queries, rows):
    for number in range(1, rows + 1):
        make_document(f"doc{number}")
        visit = make_visit(f"visit{number}", kind="full", number=number)
        make_finding(f"F{number:02}", visit=visit)
        make_judgement(visit, area=make_area(f"a{number}", f"N{number}"))
        Event.objects.create(ref=f"E{number:02}", text="It", document=visit.document, reference="p1")

    secretariat.get("/admin/")  # the first page of a session also notes the time in it
    # session, user, 2 of permissions, 2 counts, rows, is this a demonstration; areas and judgements also what
    # their filter offers
    for name, queries in {
        "record_document": 8,
        "visits_visit": 8,
        "visits_judgementarea": 9,
        "visits_judgement": 9,
        "visits_finding": 8,
        "visits_event": 8,
    }.items():
        with django_assert_num_queries(queries):
            secretariat.get(reverse(f"admin:{name}_changelist"))


def test_change_pages_link_to_the_board(secretariat):
    visit, action = make_visit(), make_action()
    recommendation = make_recommendation(2)

    for address, page in (
        (reverse("admin:visits_visit_change", args=[visit.pk]), "/visits/visit/"),
        (reverse("admin:recommendations_action_change", args=[action.pk]), "/actions/A01/"),
        (
            reverse("admin:recommendations_recommendation_change", args=[recommendation.pk]),
            "/recommendations/2/",
        ),
    ):
        assert f'<a href="{page}" class="viewsitelink">' in secretariat.get(address).content.decode()


def test_an_action_answers_a_recommendation_or_a_finding(secretariat):
    add = reverse("admin:recommendations_action_add")
    make_recommendation(1)
    finding = make_finding()
    typed = {"ref": "A28", "title": "New", "owner_role": "Director", "agreed_on": "1/11/2022"}

    refused = fill_in(secretariat, add, **typed)
    assert errors_of(refused) == {"recommendations": ["Choose at least one recommendation or finding."]}

    assert fill_in(secretariat, add, **typed, findings=[finding.pk]).status_code == 302
    action = Action.objects.get()
    assert (action.agreed_on, list(action.findings.all())) == ("2022-11-01", [finding])
    assert errors_of(fill_in(secretariat, add, **typed, findings=[finding.pk])) == {
        "ref": ["Another action has this reference number already."]
    }


def test_earlier_misses_are_never_lowered(secretariat):
    action = make_action(earlier_misses=1)
    page = reverse("admin:recommendations_action_change", args=[action.pk])

    assert errors_of(fill_in(secretariat, page, earlier_misses="0")) == {
        "earlier_misses": ["This count is never lowered."]
    }
    assert fill_in(secretariat, page, earlier_misses="2").status_code == 302


def test_an_owner_is_chosen_by_name_from_those_who_can_record(secretariat):
    make_user("Board members")
    officer = make_user("Officers", first_name="Ann", last_name="Officer")
    make_user("Officers", "gone", is_active=False)
    action, today = make_action(), AsAt.now(timezone.localdate())
    page = f"{reverse('admin:recommendations_ownership_add')}?action={action.pk}"

    choices = secretariat.get(page).context["adminform"].form.fields["owner"].choices

    assert [label for _, label in choices] == ["Nobody", "Ann Officer", "Secretariat Person"]
    assert fill_in(secretariat, page, owner=officer.pk).status_code == 302
    assert action.owner_on(today) == officer
    User.objects.filter(pk=officer.pk).update(is_active=False)
    assert fill_in(secretariat, page, owner="").status_code == 302
    assert action.owner_on(today) is None


def test_an_owner_answers_from_their_day_on_under_the_name_they_had_then(secretariat):
    first, second = (make_user("Officers", name, first_name=name) for name in ("Ann", "Ben"))
    action = make_action(owner=first)
    page = f"{reverse('admin:recommendations_ownership_add')}?action={action.pk}"
    assert fill_in(secretariat, page, owner=second.pk, dated="20/03/2023").status_code == 302
    User.objects.filter(pk=first.pk).update(first_name="Renamed")

    before, after = on(datetime.date(2023, 3, 19)), on(datetime.date(2023, 3, 20))
    assert [action.owner_on(at) for at in (before, after)] == [first, second]
    assert [Action.objects.as_at(at).get().owner_signed for at in (before, after)] == [
        "Ann Person (Officer)",
        "Ben Person (Officer)",
    ]


def test_whoever_saves_a_row_with_a_page_on_the_board_is_led_there(secretariat):
    visit = make_visit()
    page = reverse("admin:visits_visit_change", args=[visit.pk])

    saved_page = secretariat.post(page, {**open_form(secretariat, page), "theme": "Front door"}, follow=True)

    link = f'<a href="{visit.get_absolute_url()}">View it on the board</a>'
    assert saved_page.content.decode().count(link) == 1
