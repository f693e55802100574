"""A question prepared once gives what the queryset itself would, whatever day and rows are asked for."""

import datetime
from threading import Thread

import pytest
from django.db.models import F

from record import prepared
from record.as_at import AsAt
from record.models import Document, Meeting
from record.prepared import ask
from record.tests.factories import make_document, make_meeting, make_user
from record.versions import as_known

TODAY = datetime.date(2026, 11, 28)
DAYS = [datetime.date(2022, 8, 1), datetime.date(2023, 2, 1), datetime.date(2024, 2, 29), TODAY]


def published_since(at, days_before, keys=None):
    """Documents published by the day, and no more than so many days before it."""
    rows = Document.objects.filter(
        published_first__lte=at.day, published_first__gt=at.day - datetime.timedelta(days=days_before)
    )
    return rows if keys is None else rows.filter(pk__in=keys)


def known_documents(at):
    return as_known(Document, at).order_by("id")


def titles(at):
    return Document.objects.filter(published_first__lte=at.day).values_list("title", flat=True)


def with_their_keys(at, keys):
    return Document.objects.filter(pk__in=keys).annotate(place=F("pk") + 1).values_list("key", "place")


def asked_of_today(at):
    return Document.objects.filter(published_first__lte=at.today)


def looked_up_first(at):
    return Document.objects.filter(pk__in=list(Meeting.objects.values_list("pk", flat=True)))


def at_the_end_of(day):
    return AsAt(today=TODAY, day=day, known=None)


@pytest.fixture
def documents(db):
    return [make_document(key=f"T{n}", published=f"{2022 + n}-01-31") for n in range(5)]


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("days_before", [200, 800])
def test_any_day_gives_what_the_queryset_gives(documents, day, days_before):
    at = at_the_end_of(day)
    assert ask(published_since, at, days_before) == list(published_since(at, days_before))


@pytest.mark.parametrize("day", DAYS)
def test_any_moment_gives_what_the_queryset_gives(documents, day):
    at = AsAt.then(day, today=TODAY)
    assert ask(known_documents, at) == list(known_documents(at))


@pytest.mark.parametrize("number", [0, 1, 2, 3, 5])
def test_any_number_of_keys_gives_what_the_queryset_gives(documents, number):
    keys = [document.pk for document in documents][:number]
    assert sorted(ask(with_their_keys, at_the_end_of(TODAY), keys=keys)) == [
        (document.key, document.pk + 1) for document in documents[:number]
    ]
    asked = ask(published_since, at_the_end_of(TODAY), 20_000, keys=keys)
    assert {row.pk for row in asked} == set(keys)


def test_what_is_made_longer_for_more_keys_is_what_the_queryset_asks(client, record, monkeypatch):
    """Of every question that the pages of the board ask of several rows."""
    longer, really = set(), prepared._prepared

    def compared(question, others, is_as_known, numbers, zone):
        found = really(question, others, is_as_known, numbers, zone)
        number, days = numbers
        if number and number > 1 and days in (None, 1):
            asked = prepared._put_into_sql(question, others, is_as_known, numbers, zone)
            told = AsAt.then(TODAY, today=TODAY), [17 * place for place in range(number)], DAYS[:1]
            (sql, values), (whole, wanted) = found[2:4], asked[2:4]
            assert sql == whole
            assert [value(*told) for value in values] == [value(*told) for value in wanted]
            longer.add((question, *others[:1]))
        return found

    monkeypatch.setattr(prepared, "_prepared", compared)
    make_meeting("2022-11-22")
    client.force_login(make_user("Secretariat"))
    assert client.get("/meetings/2022-11-22/").status_code == 200
    for address in ("/", "/actions/", "/recommendations/6/", "/status/", "/trends/"):
        for asked in ("", "?as_at=2022-12-01", "?as_at=2022-12-01&known=then"):
            assert client.get(address + asked).status_code == 200
    assert len(longer) > 8


def test_single_columns_come_as_such(documents):
    at = at_the_end_of(datetime.date(2023, 1, 31))
    assert ask(titles, at) == [document.title for document in documents[:2]]


def test_a_row_added_or_changed_since_is_found(documents):
    at = at_the_end_of(TODAY)
    before = ask(published_since, at, 20_000)
    added = make_document(key="T9", published="2026-06-01")
    assert ask(published_since, at, 20_000) == [*before, added]


def test_a_question_that_asks_for_another_day_than_that_of_the_page_is_refused(documents):
    with pytest.raises(ValueError, match="can be had in no known way"):
        ask(asked_of_today, at_the_end_of(TODAY))


def test_a_question_that_looks_something_up_first_is_refused(documents):
    make_meeting("2023-01-01")
    with pytest.raises(ValueError, match="may not depend on what the database holds"):
        ask(looked_up_first, at_the_end_of(TODAY))


@pytest.mark.django_db(transaction=True)
def test_each_thread_asks_over_a_connection_of_its_own():
    from django.db import connection

    make_document(key="T1", published="2022-01-31")
    at, found = at_the_end_of(TODAY), []
    assert len(ask(titles, at)) == 1

    def ask_elsewhere():
        found.extend(ask(titles, at))
        connection.close()

    thread = Thread(target=ask_elsewhere)
    thread.start()
    thread.join()
    assert found == ask(titles, at)
