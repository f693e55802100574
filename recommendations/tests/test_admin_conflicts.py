"""Two people with one form open: the second is told what the first saved, and loses nothing."""

import datetime
import threading

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.urls import reverse

from recommendations.due_dates import Decision, DueDate
from recommendations.measures import Measure
from recommendations.models import Action, Assessment, ProgressUpdate, Recommendation, Risk
from recommendations.tests.factories import make_action, make_due_date, make_recommendation
from record.admin import RecordAdmin
from record.models import Ask, Document, Meeting
from record.tests.admin_forms import errors_of, fill_in, held, open_form
from record.tests.factories import make_document, make_meeting, make_user
from visits.models import Event, Finding, Framework, Grade, Judgement, JudgementArea, Visit
from visits.tests.factories import make_area, make_grade

pytestmark = pytest.mark.again

ADD = reverse("admin:recommendations_progressupdate_add")


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.django_db
def test_the_second_of_two_reports_is_shown_the_first_and_saved_only_deliberately():
    officer, secretariat = make_user("Officers"), make_user("Secretariat")
    page = f"{ADD}?action={make_action(owner=officer).pk}"
    first, second = signed_in(officer), signed_in(secretariat)
    typed = {"status": "on_track", "dated": "01/11/2022"}
    held_by_first, held_by_second = open_form(first, page), open_form(second, page)
    first.post(page, {**held_by_first, **typed, "narrative": "What the officer did"})

    response = second.post(page, {**held_by_second, **typed, "narrative": "What the secretariat heard"})

    assert response.status_code == 200
    (told, advice) = errors_of(response)[""]
    assert told.startswith("Officers Person saved this on ")
    assert told.endswith("after you opened this form: “On track: What the officer did”")
    assert advice.startswith("Nothing is saved yet, and what you typed is still here.")
    assert "What the secretariat heard" in response.content.decode()
    assert [row.narrative for row in ProgressUpdate.objects.all()] == ["What the officer did"]

    held_now = open_form_of(response)
    assert second.post(page, held_now).status_code == 302
    assert [row.narrative for row in ProgressUpdate.objects.order_by("pk")] == [
        "What the officer did",
        "What the secretariat heard",
    ]


def open_form_of(response):
    form = response.context["adminform"].form
    return {field.html_name: field.value() or "" for field in form}


@pytest.mark.django_db
@pytest.mark.parametrize("model", [ProgressUpdate, DueDate, Decision, Assessment], ids=lambda m: m.__name__)
def test_a_form_sent_twice_makes_one_row(model):
    client, action = signed_in(make_user("Secretariat")), make_action()
    proposal = make_due_date(action, by=make_user("Officers"), needs_decision=True)
    subject = {
        Decision: f"due_date={proposal.pk}",
        Assessment: f"recommendation={action.recommendations.get().pk}",
    }.get(model, f"action={action.pk}")
    page = f"{reverse(f'admin:recommendations_{model._meta.model_name}_add')}?{subject}"
    typed = {
        "status": "on_track",
        "narrative": "Once",
        "due": "2027",
        "reason_kind": "other",
        "reason": "Once",
        "outcome": "agreed",
        "whose": "adviser",
        "dated": "15/11/2022",
    }
    held, before = {**open_form(client, page), **typed}, model.objects.count()

    assert [client.post(page, held).status_code for _ in range(3)] == [302, 200, 200]

    assert model.objects.count() == before + 1
    told = errors_of(client.post(page, held))
    assert list(told) == [""]
    assert told[""][0].startswith("You saved exactly this on ")


@pytest.mark.django_db
def test_going_back_and_saving_the_same_again_adds_nothing_but_another_day_or_word_does():
    """The page comes anew with what was typed, so that it has seen the row that it would repeat."""
    officer = make_user("Officers")
    client, page = signed_in(officer), f"{ADD}?action={make_action(owner=officer).pk}"
    typed = {"status": "on_track", "dated": "01/11/2022", "narrative": "Once"}

    answers = [
        fill_in(client, page, **{**typed, **other}).status_code
        for other in ({}, {}, {"reason": "More"}, {"reason": "More"}, {"dated": "02/11/2022"}, {})
    ]

    assert answers == [302, 200, 302, 200, 302, 302]
    assert ProgressUpdate.objects.count() == 4


@pytest.mark.django_db
def test_a_row_of_the_record_sent_twice_is_added_once():
    client, document = signed_in(make_user("Secretariat")), make_document()
    make_action()
    source = {"document": document.pk, "reference": "p1", "text": "What was found"}
    visit = Visit.objects.create(slug="one", kind="full", dates="2022", document=document, reference="p1")
    area = make_area("one", "One")
    typed = {
        Document: {"key": "two", "title": "Two", "publisher": "Us", "published": "2022", "reference": "p1"},
        Visit: {
            "slug": "two",
            "kind": "monitoring",
            "number": 2,
            "authority": "BCP",
            "dates": "2022",
            **source,
        },
        Framework: {"key": "two", "name": "Two"},
        Grade: {"framework": area.framework_id, "key": "two", "name": "Two", "order": 5},
        JudgementArea: {"key": "two", "framework": area.framework_id, "name": "Two", "order": 2},
        Judgement: {"visit": visit.pk, "area": area.pk, "grade": make_grade().pk, **source},
        Finding: {"ref": "F02", "kind": "concern", "attribution": "ofsted", **source},
        Event: {"ref": "E02", "kind": "event", "date": "2022", **source},
        Recommendation: {
            "number": 2,
            "title": "Two",
            "summary": "What to do",
            "lead_body": "The council",
            "lead_basis": "stated",
            "theme": "Leadership",
            **source,
        },
        Action: {
            "ref": "A02",
            "title": "Two",
            "owner_role": "Director",
            "agreed_on": "2022",
            "recommendations": [Recommendation.objects.get().pk],
        },
        Measure: {"ref": "M02", "name": "Two", **source},
        Risk: {"ref": "R02", **source},
        Meeting: {"held_on": "22/11/2022"},
        Ask: {"meeting": make_meeting().pk, "kind": "note", "text": "Note it"},
    }
    assert set(typed) == {m for m, shown in admin.site._registry.items() if isinstance(shown, RecordAdmin)}
    for model, values in typed.items():
        page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
        held, before = {**open_form(client, page), **values}, model.objects.count()
        answers = [client.post(page, held).status_code for _ in range(2)]
        assert (model, answers, model.objects.count()) == (model, [302, 200], before + 1)


@pytest.mark.django_db
@pytest.mark.parametrize("token", [None, "", "abc", "-1", "99999999", "9" * 5000, "٣"])
def test_a_form_without_a_sound_token_is_not_saved(token):
    officer = make_user("Officers")
    client, page = signed_in(officer), f"{ADD}?action={make_action(owner=officer).pk}"
    typed = {"status": "on_track", "dated": "01/11/2022", "narrative": "Once"}
    if token is not None:
        typed["opened_on"] = token

    response = client.post(page, typed)

    assert errors_of(response)[""][0] == "This form was not sent whole."
    assert ProgressUpdate.objects.count() == 0


@pytest.mark.django_db
def test_two_edits_of_one_row_name_what_the_first_changed_and_by_whom():
    make_recommendation(1)
    action = make_action("A01", title="First title")
    page = reverse("admin:recommendations_action_change", args=[action.pk])
    one, two = signed_in(make_user("Secretariat")), signed_in(make_user("Secretariat", "other"))
    held_by_one, held_by_two = open_form(one, page), open_form(two, page)
    one.post(page, {**held_by_one, "title": "Title by one", "owner_role": "Chief executive"})

    response = two.post(page, {**held_by_two, "title": "Title by two"})

    assert response.status_code == 200
    told = errors_of(response)[""][0]
    assert told.startswith("Secretariat Person changed owner role and title on ")
    assert told.endswith("You both changed title: theirs is “Title by one”. Saving replaces it.")
    assert 'value="Title by two"' in response.content.decode()
    assert Action.objects.get().title == "Title by one"

    assert two.post(page, held(response)).status_code == 302
    saved = Action.objects.get()
    assert (saved.title, saved.owner_role) == ("Title by two", "Chief executive")


@pytest.mark.django_db
def test_what_only_the_first_changed_is_kept_when_the_second_saves_as_well():
    """Links, a date and a text, none of which the second touched."""
    action, other = make_action("A01"), make_recommendation(2)
    page = reverse("admin:recommendations_action_change", args=[action.pk])
    one, two = signed_in(make_user("Secretariat")), signed_in(make_user("Secretariat", "other"))
    held_by_one, held_by_two = open_form(one, page), open_form(two, page)
    theirs = {"recommendations": [other.pk], "agreed_on": "March 2022", "title": "Theirs"}
    one.post(page, {**held_by_one, **theirs})

    response = two.post(page, {**held_by_two, "note": "Mine"})
    assert "You both" not in errors_of(response)[""][0]
    assert two.post(page, held(response)).status_code == 302

    saved = Action.objects.get()
    assert (saved.note, saved.title, saved.agreed_on) == ("Mine", "Theirs", "2022-03")
    assert list(saved.recommendations.all()) == [other]


@pytest.mark.django_db
def test_of_two_edits_of_a_meeting_neither_puts_the_others_back():
    meeting = make_meeting(held_on=datetime.date(2098, 1, 8), papers_due_on="2098-01-02")
    page = reverse("admin:record_meeting_change", args=[meeting.pk])
    one, two = signed_in(make_user("Secretariat")), signed_in(make_user("Secretariat", "other"))
    held_by_one, held_by_two = open_form(one, page), open_form(two, page)
    one.post(page, {**held_by_one, "papers_due_on": "", "covering_note": "Long " * 100})

    response = two.post(page, {**held_by_two, "apologies": "Mine", "covering_note": "Short"})
    assert f"theirs is “{('Long ' * 100).strip()}”" in errors_of(response)[""][0]
    assert two.post(page, held(response)).status_code == 302

    saved = Meeting.objects.get()
    assert (saved.apologies, saved.covering_note, saved.papers_due_on) == ("Mine", "Short", None)


@pytest.mark.django_db
def test_a_finding_that_only_the_first_changed_is_kept_when_the_second_saves_the_visits_page():
    source = {"document": make_document(), "reference": "p1"}
    visit = Visit.objects.create(slug="one", kind="full", authority="BCP", dates="2022", **source)
    texts = {"F01": "First", "F02": "Second", "F03": "Third"}
    for ref, text in texts.items():
        kind = {"kind": "concern", "attribution": "ofsted"}
        Finding.objects.create(ref=ref, text=text, visit=visit, **kind, **source)
    page = reverse("admin:visits_visit_change", args=[visit.pk])
    one, two = signed_in(make_user("Secretariat")), signed_in(make_user("Secretariat", "other"))
    held_by_one, held_by_two = open_form(one, page), open_form(two, page)
    one.post(page, {**held_by_one, "findings-0-text": "First, theirs", "findings-1-text": "Second, theirs"})

    mine = {"findings-1-text": "Second, mine", "findings-2-text": "Third, mine"}
    response = two.post(page, {**held_by_two, **mine})
    assert "You both changed text: theirs is “Second, theirs”." in response.content.decode()
    assert two.post(page, held(response)).status_code == 302

    saved = dict(Finding.objects.values_list("ref", "text"))
    assert saved == {"F01": "First, theirs", "F02": "Second, mine", "F03": "Third, mine"}


@pytest.mark.django_db
@pytest.mark.parametrize("token", [None, "", "abc", "1-2", "9" * 5000])
def test_an_edit_without_a_sound_token_is_not_saved(token):
    action = make_action("A01", title="First title")
    page = reverse("admin:recommendations_action_change", args=[action.pk])
    client = signed_in(make_user("Secretariat"))
    held = {**open_form(client, page), "title": "Another", "opened_on": token or ""}

    assert client.post(page, held).status_code == 200
    assert Action.objects.get().title == "First title"


@pytest.mark.django_db
def test_a_change_of_links_alone_is_noticed():
    action, other = make_action("A01"), make_recommendation(2)
    page = reverse("admin:recommendations_action_change", args=[action.pk])
    one, two = signed_in(make_user("Secretariat")), signed_in(make_user("Secretariat", "other"))
    held_by_one, held_by_two = open_form(one, page), open_form(two, page)
    one.post(page, {**held_by_one, "recommendations": [other.pk]})

    response = two.post(page, held_by_two)

    assert "changed recommendations on" in errors_of(response)[""][0]
    assert list(Action.objects.get().recommendations.all()) == [other]


def in_threads(work, arguments):
    """Run ``work`` once for each of ``arguments``, all at the same moment; return what each returned."""
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("threads that share a database in memory lock each other out: needs a file")
    barrier, results = threading.Barrier(len(arguments)), []

    def run(argument):
        try:
            barrier.wait()
            results.append(work(argument))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[argument]) for argument in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_of_people_who_save_one_row_at_one_moment_exactly_one_succeeds():
    action = make_action("A01", title="First title")
    page = reverse("admin:recommendations_action_change", args=[action.pk])
    clients = [signed_in(make_user("Secretariat", f"person{n}")) for n in range(4)]
    held = [open_form(client, page) for client in clients]

    answers = in_threads(
        lambda n: clients[n].post(page, {**held[n], "title": f"Title by {n}"}).status_code, range(4)
    )

    assert sorted(answers) == [200, 200, 200, 302]


@pytest.mark.django_db(transaction=True)
def test_of_people_who_report_at_one_moment_exactly_one_succeeds():
    action = make_action("A01")
    clients = [signed_in(make_user("Secretariat", f"person{n}")) for n in range(4)]
    update = f"{ADD}?action={action.pk}"
    due_date = reverse("admin:recommendations_duedate_add") + f"?action={action.pk}"
    typed = {"status": "on_track", "dated": "01/11/2022", "narrative": "Mine", "due": "2027", "reason": "Why"}

    # Dates first: whoever makes the last report sets none.
    for page in (due_date, update):
        held = [open_form(client, page) for client in clients]
        answers = in_threads(
            lambda n, page=page, held=held: clients[n].post(page, {**held[n], **typed}).status_code, range(4)
        )
        assert sorted(answers) == [200, 200, 200, 302]

    assert (ProgressUpdate.objects.count(), DueDate.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_a_report_on_another_action_is_no_conflict():
    officer = make_user("Officers")
    client = signed_in(officer)
    one, two = make_action("A01", owner=officer), make_action("A02", owner=officer)
    typed = {"status": "on_track", "dated": "01/11/2022", "narrative": "Mine"}
    held = open_form(client, f"{ADD}?action={one.pk}")
    fill_in(client, f"{ADD}?action={two.pk}", **typed)

    assert client.post(f"{ADD}?action={one.pk}", {**held, **typed}).status_code == 302
