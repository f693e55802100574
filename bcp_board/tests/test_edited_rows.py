"""What a reader is told of edited rows: what each said before, who corrected it, when and why."""

import datetime
import re
from dataclasses import replace
from itertools import count

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.urls import reverse
from django.utils import timezone

from bcp_board.management.commands.seed import load_all
from bcp_board.tests.addresses import make_record
from meetings.changes import changes_since
from recommendations.measures import Measure
from recommendations.models import Action, Recommendation, Risk
from recommendations.position import board_position
from recommendations.tests.factories import make_action, make_recommendation
from record.as_at import AsAt
from record.dates import EdtfField
from record.edits import edits_of, excerpt, value_in_words
from record.held import meetings_held
from record.models import Ask, Document, Meeting
from record.tests.admin_forms import fields_of
from record.tests.factories import make_document, make_meeting, make_user, on, saved
from record.tests.pages import main_words
from visits.models import Event, Finding, Grade, Judgement, JudgementArea, Visit
from visits.position import inspection_position
from visits.tests.factories import make_area, make_finding, make_grade, make_judgement, make_visit

pytestmark = [pytest.mark.django_db, pytest.mark.once]

# What an address, or the order of rows, hangs on never changes.
FIXED = {"key", "slug", "ref", "number", "order", "framework", "held_on", "meeting"}
PAGES = {
    Action: ["/actions/A01/", "/status/"],
    Recommendation: ["/recommendations/1/", "/status/"],
    Visit: ["/visits/full-1/", "/visits/", "/", "/status/"],
    Judgement: ["/visits/full-1/", "/visits/", "/", "/status/"],
    Grade: ["/visits/full-1/", "/visits/", "/", "/status/"],
    JudgementArea: ["/visits/full-1/", "/visits/", "/", "/status/"],
    Finding: ["/visits/full-1/", "/", "/status/"],
    Event: ["/visits/", "/status/"],
    Measure: ["/trends/", "/status/?annex"],
    Risk: ["/recommendations/1/", "/status/?annex"],
    Document: ["/actions/A01/", "/status/"],
    Meeting: ["/meetings/2022-12-01/"],
    Ask: ["/meetings/2022-12-01/"],
}
TODAY = datetime.date(2022, 12, 20)


@pytest.fixture
def board(db):
    return make_record(make_user("Officers"))


@pytest.fixture
def reader(client):
    client.force_login(make_user("Board members"))
    return client


def words(response):
    """The text of a page's main part, its tags taken out and its spaces made single."""
    assert response.status_code == 200
    return re.sub(r" (?=[;:.,”])|(?<=“) ", "", main_words(response))


def moment(*day):
    return datetime.datetime(*day, 12, tzinfo=datetime.UTC)


def clerk():
    return User.objects.filter(username="clerk").first() or make_user("Secretariat", "clerk")


def edit(row, reason="It was wrong", **values):
    """Save ``row`` with other ``values`` as the secretariat would, links included."""
    with saved(by=clerk(), reason=reason):
        for name, value in values.items():
            if isinstance(value, list):
                getattr(row, name).set(value)
            else:
                setattr(row, name, value)
        row.save()


def columns(model):
    return [
        f for f in model._meta.concrete_fields if f.editable and not f.primary_key and f.name not in FIXED
    ]


def another(row, column, number):
    """Another value than ``row`` has in ``column``, which the board still shows."""
    was = getattr(row, column.name)
    if column.many_to_one:
        made = {
            Document: lambda: make_document("second", title="Another report"),
            Visit: lambda: make_visit("short-1", "short", dates="2021-11"),
            Grade: lambda: make_grade("outstanding"),
            JudgementArea: lambda: make_area(),
            Recommendation: lambda: make_recommendation(2),
        }
        return made[column.related_model]()
    if isinstance(column, EdtfField):
        return f"2021-{number % 9 + 1:02}"
    if isinstance(column, models.DateField):
        return datetime.date(2022, 11, 20)
    if column.choices:
        return [value for value, _ in column.choices if value not in (was, "priority")][-1]
    if isinstance(column, models.BooleanField):
        return not was
    if isinstance(column, models.IntegerField):
        return was + 1
    return f"https://www.example.org/{number}" if column.name == "url" else f"Words {number}"


@pytest.mark.sweep
@pytest.mark.parametrize("model", PAGES, ids=lambda model: model.__name__)
def test_every_page_that_shows_a_row_says_what_it_said_before_whatever_was_edited(board, reader, model):
    row, expected, numbers = model.objects.first(), [], count(1)
    if model is Recommendation:
        edit(row, consequence="What hangs on it")  # a critical one must say so
    if model is Grade:
        row = make_grade("inadequate")
    for column in columns(model):
        was = getattr(row, column.name)
        said = str(getattr(was, "name", was)) if column.many_to_one else value_in_words(column, was)
        said = f"“{said}”" if was not in (None, "") else "empty"
        reason = f"Reason {next(numbers)}"
        edit(row, reason, **{column.name: another(row, column, next(numbers))})
        when = f"{timezone.localdate(row.history.first().history_date):%-d %B %Y}"
        expected.append((f"Corrected {when} by ", f": {column.verbose_name} was {said}. Why: {reason}"))
    assert expected
    for page in PAGES[model]:
        # What does not fit on a sheet goes on after the head of the next.
        text = re.sub(r"OFFICIAL [^.]* Sheet \d+ of \d+ .*? ending \w{8}\. ", "", words(reader.get(page)))
        by = "the Secretariat" if page.startswith("/status/") else "Clerk Person (Secretariat)"
        assert [by.join(told) for told in expected if by.join(told) not in text] == [], page


def test_rows_that_nobody_edited_say_nothing_and_a_later_load_edits_nothing(reader, record):
    pages = ["/", "/trends/", "/status/", "/visits/", "/recommendations/6/", "/actions/A01/"]
    for again in (False, True):
        if again:
            load_all(settings.BASE_DIR / "seeds")
        told = {page: "orrected" in words(reader.get(page)) for page in pages}
        assert told == dict.fromkeys(pages, False)
        assert {model: edits_of(model, on(TODAY)).all for model in PAGES} == dict.fromkeys(PAGES, ())


def test_the_first_page_lists_the_rows_that_were_corrected_last(board, reader):
    assert "corrected or withdrawn so far" not in words(reader.get("/"))
    finding = Finding.objects.get()
    for number in range(21):
        edit(finding, note=f"Note {number}")

    text, today = words(reader.get("/")), f"{timezone.localdate():%-d %B %Y}"
    line = f"F01, Ofsted: What was found, finding: corrected {today} by Clerk Person (Secretariat)"
    assert ("corrected or withdrawn so far: 21" in text, text.count(line)) == (True, 20)
    assert "These are the last 20." in text


def test_links_that_were_changed_are_named(board, reader):
    second = make_recommendation(2)
    edit(board, recommendations=[second], findings=[Finding.objects.get()])

    told = (
        "recommendations: taken off “Recommendation 1: Title 1”, added “Recommendation 2: Title 2”; "
        "findings: added “F01, Ofsted: What was found”. Why: It was wrong"
    )
    assert told in words(reader.get("/actions/A01/"))


def test_an_action_taken_off_a_recommendation_is_seen_on_the_page_that_lost_it(board, reader):
    second = make_recommendation(2)
    other = make_action("A02", second)
    assert "No longer here" not in words(reader.get("/recommendations/1/"))

    edit(board, recommendations=[second])

    lost, gained = words(reader.get("/recommendations/1/")), words(reader.get("/recommendations/2/"))
    told = "No longer here, and counted nowhere here (1) Action: A01: Title of A01 Corrected"
    assert (told in lost, told in gained) == (True, False)
    assert "A01: Title of A01 (corrected " in gained
    home = words(reader.get("/"))
    rows = {n: home[home.index(f" {n}. Title {n}") :][:90] for n in (1, 2)}
    assert ["(corrected" in row for row in rows.values()] == [True, True]

    # A later edit of other links leaves it lost.
    edit(board, recommendations=[second, make_recommendation(3)])
    assert "No longer here, and counted nowhere here (1) Action: A01" in words(
        reader.get("/recommendations/1/")
    )

    # Put back, it is there again and not lost.
    edit(board, recommendations=[second, Recommendation.objects.get(number=1)])
    assert "No longer here" not in words(reader.get("/recommendations/1/"))
    assert other.ref in gained


def test_a_finding_moved_to_another_visit_is_seen_on_the_visit_that_lost_it(board, reader):
    edit(Finding.objects.get(), visit=make_visit("short-1", "short", dates="2021-11"))

    told = "Finding: F01, Ofsted: What was found Corrected"
    assert [told in words(reader.get(f"/visits/{slug}/")) for slug in ("full-1", "short-1")] == [True, False]


def test_a_finding_no_longer_ofsteds_is_seen_where_only_ofsteds_were(board, reader):
    finding = Finding.objects.get()
    edit(finding, attribution="adviser")

    assert "whose was “Ofsted”. Why: It was wrong" in words(reader.get("/"))


def test_an_inspection_given_to_another_authority_is_seen_where_it_was(board, reader):
    edit(Visit.objects.get(), authority="Dorset")

    for page in ("/", "/visits/", "/status/"):
        assert "authority was “BCP Council”. Why: It was wrong" in words(reader.get(page)), page


def test_a_recommendation_that_was_critical_is_seen_where_the_critical_ones_are(board, reader):
    recommendation = Recommendation.objects.get()
    edit(recommendation, is_critical=True, consequence="The trust question")
    assert "critical no more" not in words(reader.get("/"))

    edit(recommendation, "A mistake", is_critical=False)
    for page in ("/", "/status/"):
        text = words(reader.get(page))
        assert "arked critical no more: recommendation 1" in text
        assert "critical was “Yes”. Why: A mistake" in text


def test_as_known_then_a_row_says_what_it_said_and_is_not_yet_corrected():
    judgement = make_judgement(make_visit("full-1", "full"), "inadequate")
    known = moment(2022, 12, 1)
    with saved(at=moment(2022, 12, 5), by=clerk(), reason="Misread"):
        judgement.grade = make_grade("outstanding")
        judgement.save()

    told = {}
    for then in (known, None):
        visit = inspection_position(replace(on(TODAY), known=then)).visits[0]
        told[then] = [(j.grade_words, [e.reason for e in j.corrections]) for j in visit.judgements]
    assert told == {known: [("Inadequate", [])], None: [("Outstanding", ["Misread"])]}


def test_a_corrected_grade_is_marked_wherever_it_is_only_named(reader):
    visit = make_visit("full-1", "full", number=1, dates="2021-12")
    judgement = make_judgement(visit, "inadequate", make_area("overall", "Overall effectiveness"))
    with saved(at=timezone.now(), by=clerk(), reason="Misread"):
        judgement.grade = make_grade("outstanding")
        judgement.save()

    mark = f"Outstanding (corrected {timezone.localdate():%-d %B %Y})"
    assert [mark in words(reader.get(page)) for page in ("/visits/", "/status/")] == [True, True]
    assert "Overall effectiveness: Outstanding, Full inspection 1, judgement: corrected" in words(
        reader.get("/")
    )


def test_edits_since_the_last_meeting_are_listed_and_those_before_it_are_not():
    action = make_action("A01")
    make_meeting(held_on="2022-12-01")
    for month, reason in ((11, "Before"), (12, "After")):
        with saved(at=moment(2022, month, 10), by=clerk(), reason=reason):
            action.title = f"Title {reason}"
            action.save()

    changes = changes_since(board_position(AsAt.now(TODAY)), meetings_held(AsAt.now(TODAY)))
    assert [(c.kind, c.about, c.was, c.now, c.reason, c.by) for c in changes.corrections] == [
        ("action", "A01: Title After", "title: Title Before", "title: Title After", "After", "Clerk Person")
    ]


@pytest.mark.parametrize("times", [1, 10])
def test_corrections_cost_the_same_however_many(board, django_assert_num_queries, times):
    for n in range(times):
        edit(make_action(f"A{n + 10}"), title=f"Title {n}", findings=[make_finding(f"F{n + 10}")])
        edit(make_finding(f"F{n + 30}"), text=f"Text {n}")

    # which were edited, their versions, and two kinds of links; findings have none
    with django_assert_num_queries(6):
        assert len(edits_of(Action, on(TODAY)).of) == times
        assert len(edits_of(Finding, on(TODAY)).of) == times


def test_a_long_text_is_cut_to_where_it_differs():
    words = [f"word{n}" for n in range(100)]
    was, now = " ".join(words), " ".join([*words[:50], "other", *words[51:]])

    cut = excerpt(was, now)
    assert cut.startswith("… word45 word46 word47 word48 word49 word50 word51")
    assert len(cut) <= 165
    assert excerpt("short", "other") == "short"
    assert excerpt(f"first {was}", was).startswith("first word0 word1")
    assert excerpt(f"{was} end", was) == "… word95 word96 word97 word98 word99 end"


# Withdrawing -----------------------------------------------------------------------------------------


WITHDRAWN = {
    # each kind that may be withdrawn: where it stood, what is struck through there, and its own page
    Action: ("/recommendations/1/", "Action: A01: Title of A01", "/actions/A01/"),
    Visit: ("/visits/", "Visit: Full inspection 1", "/visits/full-1/"),
    Judgement: ("/visits/full-1/", "Judgement: Overall: Inadequate", None),
    Finding: ("/visits/full-1/", "Finding: F01, Ofsted: What was found", None),
    Event: ("/visits/", "Event: E01: What was found", None),
    Measure: ("/", "Measure: M01: Vacancies", None),
    Risk: ("/recommendations/1/", "Risk: R01: What was found", None),
}


def address(row, page="withdraw"):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk])


def withdraw(client, row, reason="Entered twice"):
    """Withdraw ``row`` as the page in the admin does; return the response."""
    page = client.get(address(row))
    assert page.status_code == 200
    return client.post(address(row), {**fields_of(page.context["form"]), "change_reason": reason})


@pytest.fixture
def secretariat(client):
    client.force_login(clerk())
    return client


@pytest.mark.parametrize("model", WITHDRAWN, ids=lambda model: model.__name__)
def test_a_withdrawn_row_is_struck_through_where_it_stood_and_counts_nowhere(board, secretariat, model):
    page, struck, own = WITHDRAWN[model]
    row = model.objects.get()
    before = words(secretariat.get(page))
    assert "Withdrawn" not in before

    response = withdraw(secretariat, row)

    assert response.status_code == 302
    after, today = secretariat.get(page), f"{timezone.localdate():%-d %B %Y}"
    told = f"{struck} Withdrawn {today} by Clerk Person (Secretariat). Why: Entered twice"
    assert told in words(after)
    name = struck.partition(": ")[2]
    assert f"<s><bdi>{name}</bdi></s>" in after.content.decode()
    assert "Withdrawn" in words(secretariat.get("/status/"))
    if own:
        assert "It counts on no day" in words(secretariat.get(own))
    at = on(TODAY)
    position = board_position(at)
    standing = {
        Action: position.actions,
        Visit: position.inspections.visits,
        Judgement: [j for v in position.inspections.visits for j in v.judgements],
        Finding: tuple(position.inspections.findings),
        Event: position.inspections.events,
        Measure: position.measures,
        Risk: position.risks,
    }
    assert list(standing[model]) == []


def test_a_visit_takes_its_grades_and_findings_with_it(board, secretariat):
    withdraw(secretariat, Visit.objects.get())

    for model in (Visit, Judgement, Finding):
        assert [row.is_withdrawn for row in model.objects.all()] == [True], model
        assert [v.history_change_reason for v in model.history.filter(is_withdrawn=True)] == ["Entered twice"]


def test_a_row_without_a_reason_is_not_withdrawn(board, secretariat):
    response = withdraw(secretariat, board, reason=" ")

    assert response.context["form"].errors == {"change_reason": ["Say why this is withdrawn."]}
    assert not Action.objects.get().is_withdrawn


def test_one_on_which_others_rest_is_not_withdrawn_and_they_are_named(board, secretariat):
    recommendation, document = Recommendation.objects.get(), Document.objects.get()
    for row, resting in ((recommendation, "A01: Title of A01"), (document, "Recommendation 1: Title 1")):
        page = secretariat.get(address(row)).content.decode()
        assert ("It cannot be withdrawn while these rest on it:" in page, resting in page) == (True, True)
        secretariat.post(address(row), {"change_reason": "Entered twice", "opened_on": ""})
        row.refresh_from_db()
        assert not row.is_withdrawn

    alone, unused = make_recommendation(2), make_document("unused")
    for row in (alone, unused):
        assert withdraw(secretariat, row).status_code == 302
        row.refresh_from_db()
        assert row.is_withdrawn
    assert "Recommendation: Recommendation 2: Title 2" in words(secretariat.get("/"))
    assert "It counts on no day" in words(secretariat.get("/recommendations/2/"))


def test_what_somebody_saved_meanwhile_is_read_before_it_is_withdrawn(board, secretariat):
    opened = fields_of(secretariat.get(address(board)).context["form"])
    edit(board, title="Another title")

    response = secretariat.post(address(board), {**opened, "change_reason": "Entered twice"})

    assert "changed title on" in str(response.context["form"].non_field_errors())
    assert not Action.objects.get().is_withdrawn


def test_what_is_withdrawn_can_neither_be_changed_nor_put_back_nor_added_to_nor_chosen(board, secretariat):
    withdraw(secretariat, board)
    withdraw(secretariat, Finding.objects.get())

    assert secretariat.get(address(board)).status_code == 403
    page = secretariat.get(address(board, "change"))
    assert "This was withdrawn." in page.content.decode()
    assert 'name="_save"' not in page.content.decode()
    add = reverse("admin:recommendations_progressupdate_add")
    assert secretariat.get(f"{add}?action={board.pk}").status_code == 403
    form = secretariat.get(reverse("admin:recommendations_action_add")).context["adminform"].form
    assert list(form.fields["findings"].queryset) == []
    again = secretariat.post(
        reverse("admin:recommendations_action_add"),
        {
            **fields_of(form),
            "ref": "A01",
            "title": "Again",
            "owner_role": "Director",
            "agreed_on": "1/10/2022",
        },
    )
    assert "ref" in again.context["adminform"].form.errors


def test_a_grade_may_be_entered_anew_once_the_wrong_one_is_withdrawn(board, secretariat):
    wrong = Judgement.objects.get()
    withdraw(secretariat, wrong)

    make_judgement(wrong.visit, "good", wrong.area)

    told = words(secretariat.get("/visits/full-1/"))
    assert ("Judgement: Overall: Inadequate Withdrawn" in told, "Overall Source" in told) == (True, True)


def test_a_withdrawn_action_is_named_in_the_sum_of_open_actions_and_known_then_it_still_stood(secretariat):
    start = moment(2022, 10, 1)
    for ref in ("A00", "A01", "A02", "A03"):
        make_action(ref, recorded_at=start)
    make_meeting(held_on="2022-11-01")
    withdrawn = Action.objects.get(ref="A02")
    for moved in Action.objects.filter(ref__in=["A00", "A01"]):
        with saved(at=moment(2022, 11, 10), by=clerk(), reason="Agreed later"):
            moved.agreed_on = "2022-12-25"
            moved.save()
    with saved(at=moment(2022, 11, 11), by=clerk(), reason="Entered twice"):
        withdrawn.is_withdrawn = True
        withdrawn.save()

    changes = changes_since(board_position(AsAt.now(TODAY)), meetings_held(AsAt.now(TODAY)))
    sum_ = changes.balance
    assert (sum_.before, sum_.withdrawn, sum_.taken_off, sum_.now, sum_.reconciles) == (4, 1, 2, 1, True)
    gone = [("A00", False), ("A01", False), ("A02", True)]
    assert [(each.action.ref, each.is_withdrawn) for each in changes.gone] == gone
    then = board_position(AsAt.then(datetime.date(2022, 11, 5), today=TODAY))
    assert ([a.ref for a in then.actions], then.lost_actions) == (["A00", "A01", "A02", "A03"], ())
    now = board_position(AsAt(TODAY, datetime.date(2022, 11, 5), None))
    assert [(each.row.ref, each.is_withdrawn) for each in now.lost_actions] == gone
