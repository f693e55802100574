"""What a reader is told of edited rows: what each said before, who corrected it, when and why."""

import datetime
import re
from itertools import count

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import models

from bcp_board.management.commands.seed import load_all
from bcp_board.tests.addresses import make_record
from meetings.changes import changes_since, meetings_before
from recommendations.measures import Measure
from recommendations.models import Action, Recommendation, Risk
from recommendations.position import board_position
from recommendations.tests.factories import make_action, make_recommendation, make_update
from record.dates import EdtfField
from record.edits import edits_of, excerpt, value_in_words
from record.models import Document
from record.tests.factories import make_document, make_meeting, make_user, on, saved
from visits.models import Event, Finding, Grade, Judgement, JudgementArea, Visit
from visits.tests.factories import make_area, make_finding, make_grade, make_judgement, make_visit

pytestmark = pytest.mark.django_db

# What an address, or the order of rows, hangs on never changes.
FIXED = {"key", "slug", "ref", "number", "order", "framework"}
PAGES = {
    Action: ["/actions/A01/", "/status/"],
    Recommendation: ["/recommendations/1/", "/status/"],
    Visit: ["/visits/full-1/", "/visits/", "/", "/status/"],
    Judgement: ["/visits/full-1/", "/visits/", "/", "/status/"],
    Grade: ["/visits/full-1/", "/visits/", "/", "/status/"],
    JudgementArea: ["/visits/full-1/", "/visits/", "/", "/status/"],
    Finding: ["/visits/full-1/", "/", "/status/"],
    Event: ["/visits/"],
    Measure: ["/", "/status/"],
    Risk: ["/recommendations/1/", "/status/"],
    Document: ["/actions/A01/", "/status/"],
}
EARLIER = datetime.datetime(2022, 10, 1, tzinfo=datetime.UTC)


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
    main = re.search(r"<main.*</main>", response.content.decode(), re.DOTALL)[0]
    main = " ".join(re.sub(r"<[^>]+>", " ", main).split())
    return re.sub(r" (?=[;:.,”])|(?<=“) ", "", main)


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
    if column.choices:
        return [value for value, _ in column.choices if value not in (was, "priority")][-1]
    if isinstance(column, models.BooleanField):
        return not was
    if isinstance(column, models.IntegerField):
        return was + 1
    return f"https://www.example.org/{number}" if column.name == "url" else f"Words {number}"


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model.__name__)
def test_every_page_that_shows_a_row_says_what_it_said_before_whatever_was_edited(board, reader, model):
    row, expected, numbers = model.objects.first(), [], count(1)
    if model is Recommendation:
        edit(row, consequence="What hangs on it")  # a critical one must say so
    if model is Grade:
        row = make_grade("inadequate")
    today = f"{datetime.date.today():%-d %B %Y}"
    for column in columns(model):
        was = getattr(row, column.name)
        said = str(getattr(was, "name", was)) if column.many_to_one else value_in_words(column, was)
        said = f"“{said}”" if was not in (None, "") else "empty"
        reason = f"Reason {next(numbers)}"
        edit(row, reason, **{column.name: another(row, column, next(numbers))})
        when = row.history.first().history_date
        expected.append(
            (f"Corrected {when:%-d %B %Y} by", f": {column.verbose_name} was {said}. Why: {reason}")
        )
    assert today
    for page in PAGES[model]:
        text, person = (
            words(reader.get(page)),
            "the Secretariat" if page == "/status/" else "Clerk Person (Secretariat)",
        )
        missing = [f"{who} {person}{what}" for who, what in expected if f"{who} {person}{what}" not in text]
        assert missing == [], page
