"""That pages look rows up, and do not walk past the more of them the longer history grows."""

import datetime
import itertools
import re
from dataclasses import replace

import pytest
from django.db import connection, transaction
from django.db.models import Subquery
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from meetings.corrections import corrections
from recommendations.completions import completions_of
from recommendations.history import history
from recommendations.models import Action, ProgressUpdate, newest_updates
from recommendations.position import positions_of
from recommendations.received import updates_since
from recommendations.status import Status
from recommendations.tests.factories import make_action, make_due_date, make_update, signed
from record import ledger
from record.as_at import AsAt
from record.dates import end_of
from record.rows import known_later
from record.tests.admin_forms import sign_in
from record.tests.factories import make_user
from record.tests.pages import words

pytestmark = [pytest.mark.django_db, pytest.mark.again, pytest.mark.sweep]
TODAY = datetime.date(2023, 6, 30)
UPDATES = "recommendations_progressupdate"
counts_steps = pytest.mark.skipif(connection.vendor != "sqlite", reason="Only SQLite counts its steps.")
PAGE = reverse("admin:recommendations_progressupdate_changelist")
DAYS = [datetime.date(2022, 11, 1) + datetime.timedelta(days=days) for days in range(0, 60, 10)]


@pytest.fixture
def officer():
    return make_user("Officers")


def append_reports(actions, officer, number, *, recorded_at=None, status="on_track"):
    """Add so many reports on each of ``actions``, for each day from 1 January 2022, recorded as it ended."""
    days = [datetime.date(2022, 1, 1) + datetime.timedelta(days=days) for days in range(number)]
    ledger.append(
        ProgressUpdate(
            action=action,
            status=status,
            narrative=f"Said on {day}",
            dated=day.isoformat(),
            recorded_at=recorded_at or end_of(day),
            **signed(officer),
        )
        for day in days
        for action in actions
    )


def plan_of(rows):
    """How the database would find ``rows``, once it has looked at what its tables hold."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return rows.explain()


def scans_of(plan):
    """The lines of ``plan`` by which it reads all updates."""
    return re.findall(rf"(?:SCAN|Seq Scan on) .*{UPDATES}.*|SCAN [UVW]0\b.*", plan)


def indexes_in(plan):
    return set(re.findall(r"update_(?:newest|last_heard|heard|superseding)\b", plan))


def steps_of(asking):
    """How many hundreds of steps SQLite takes to answer all that ``asking`` asks."""
    steps = itertools.count()
    connection.connection.set_progress_handler(lambda: next(steps) and 0, 100)
    try:
        asking()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return next(steps)


def steps_with(number, at, officer, *, entered):
    """What it takes to ask how three actions stand ``at``, with so many reports on each, and what came later.

    One was then accepted, of one a date has been asked for since the beginning, and one has been late since.
    """
    with transaction.atomic():
        accepted, asked, late = actions = [make_action(f"A0{place}") for place in range(3)]
        began = {"dated": "2022-01-01", "by": officer, "recorded_at": end_of(datetime.date(2022, 1, 1))}
        make_due_date(late, "2022-03", **began)
        make_due_date(asked, "2023-03", needs_decision=True, **began)
        append_reports(actions, officer, number, recorded_at=entered)
        fields = {"dated": "2023-06-01", "recorded_at": end_of(datetime.date(2023, 6, 1))}
        make_update(accepted, Status.COMPLETE, by=officer, recheck_on=datetime.date(2023, 12, 1), **fields)
        keys = [action.pk for action in actions]

        def ask():
            assert len(positions_of(keys, at)) == 3

        ask()  # which puts its questions into SQL
        steps, later = steps_of(ask), steps_of(lambda: known_later(at))
        transaction.set_rollback(True)
    return steps, later


@counts_steps
@pytest.mark.parametrize("entered", [None, end_of(datetime.date(2023, 5, 1))])
@pytest.mark.parametrize("day", [datetime.date(2022, 12, 31), datetime.date(2023, 4, 30), TODAY])
@pytest.mark.parametrize("is_then", [False, True])
def test_how_actions_stand_takes_as_long_however_much_was_reported(officer, is_then, day, entered):
    at = AsAt.then(day, today=TODAY) if is_then else AsAt(TODAY, day, None)

    (few, few_later), (many, later) = (
        steps_with(number, at, officer, entered=entered) for number in (12, 480)
    )
    # Of what was entered later each date passes over each report in an index; how many those are is counted.
    passed_over = 2 * 480 / 100 if is_then and entered and day < TODAY else 0

    assert many <= 1.3 * few + 4 * passed_over
    assert later <= few_later + (35 * 3 * 480 / 100 if is_then else 0)


@counts_steps
def test_to_find_where_a_claim_began_each_report_of_it_is_passed_over_once(officer):
    at = AsAt.now(datetime.date(2025, 6, 10))

    def steps(number):
        with transaction.atomic():
            claimed = [make_action(f"A0{place}") for place in range(3)]
            append_reports(claimed, officer, number, status="done")
            reports = [positions_of([action.pk], at)[0].update.pk for action in claimed]
            completions_of(reports, at)  # which puts its question into SQL
            try:
                return steps_of(lambda: completions_of(reports, at))
            finally:
                transaction.set_rollback(True)

    found = [steps(number) for number in (240, 480, 960)]
    assert found[2] - found[1] <= 2.2 * (found[1] - found[0])


@counts_steps
def test_what_was_heard_takes_as_long_however_much_was_entered_since_the_meeting(officer):
    since, now = AsAt.then(datetime.date(2022, 1, 1), today=TODAY), AsAt.now(datetime.date(2025, 6, 10))

    def steps(number):
        with transaction.atomic():
            append_reports([make_action(f"A0{place}") for place in range(3)], officer, number)
            updates_since(since, now)  # which puts its questions into SQL
            try:
                return steps_of(lambda: updates_since(since, now))
            finally:
                transaction.set_rollback(True)

    assert steps(1200) <= 1.1 * steps(600)


@pytest.mark.parametrize("is_late", [False, True])
def test_how_actions_stand_is_looked_up_in_indexes(officer, is_late):
    late = end_of(TODAY) if is_late else None
    append_reports([make_action(f"A0{number}") for number in range(3)], officer, 300, recorded_at=late)
    at = AsAt.then(datetime.date(2022, 9, 1), today=TODAY)

    def plan(at):
        return plan_of(Action.objects.annotate(newest=Subquery(newest_updates(at, most=1).values("pk")[:1])))

    now, then = plan(replace(at, known=None)), plan(at)

    assert (scans_of(now), scans_of(then)) == ([], [])
    # PostgreSQL chooses among its indexes by what it has seen in the tables.
    if connection.vendor == "sqlite":
        assert indexes_in(now) == {"update_newest"}
        assert indexes_in(then) == {"update_newest", "update_last_heard"}


def test_what_was_heard_or_put_right_since_a_meeting_is_looked_up_in_indexes(officer):
    append_reports([make_action()], officer, 900)
    since, now = AsAt.then(datetime.date(2024, 6, 1), today=TODAY), AsAt.now(datetime.date(2024, 6, 10))
    found = []

    class Now:
        at, edits = now, ()

    with CaptureQueriesContext(connection) as asked:
        heard = updates_since(since, now).updates
        put_right = corrections(since=since, now=Now)
    is_sqlite = connection.vendor == "sqlite"
    explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
    with connection.cursor() as cursor:
        if not is_sqlite:  # which looks into its tables of itself; SQLite never does
            cursor.execute("ANALYZE")
        for query in asked.captured_queries:
            if f'FROM "{UPDATES}"' in query["sql"]:
                cursor.execute(f"{explain} {query['sql']}".replace("%", "%%"))
                found.append("\n".join(" ".join(map(str, row)) for row in cursor.fetchall()))

    days = [datetime.date(2024, 6, day) for day in range(1, 11)]
    assert ([row.dated_first for row in heard], put_right) == (days, ())
    assert [scans_of(plan) for plan in found] == [[], []]
    assert [indexes_in(plan) for plan in found] == [{"update_heard"}, {"update_superseding"}]


def test_what_is_found_by_what_was_last_heard_is_what_stands(officer):
    """Whatever the order in which days are spoken of, and whatever was put right by then or later."""
    orders = [(0, 1, 2, 3), (1, 0, 2, 0), (0, 0, 1, 3), (1, 2, 0, 1)]
    actions = [make_action(f"A0{number}") for number in range(len(orders))]
    said = [{} for _ in actions]
    for place, (action, order, rows) in itertools.product(range(4), zip(actions, orders, said, strict=True)):
        moment = end_of(DAYS[place + 1])
        rows[place] = make_update(action, by=officer, dated=f"{DAYS[order[place]]}", recorded_at=moment)
    last = {"by": officer, "recorded_at": end_of(DAYS[5]), "correction_reason": "Wrong"}
    for action, order, rows in zip(actions, orders, said, strict=True):
        make_update(action, dated=f"{DAYS[order[3]]}", withdraws=rows[3], **last)
        make_update(action, dated=f"{DAYS[0]}", corrects=rows[1], **last)
    compared = 0
    for day, until in itertools.product(DAYS, DAYS):
        at = AsAt(TODAY, day, end_of(until) + datetime.timedelta(seconds=1))
        for number, action in enumerate(Action.objects.order_by("ref")):
            stand = list(ProgressUpdate.objects.standing(at).filter(action=action).newest_first()[:2])
            keys = [row.pk for row in stand]

            def found(action=action, at=at, place=0, **asked):
                newest = newest_updates(at, **asked).values("pk")[place : place + 1]
                return Action.objects.annotate(newest=Subquery(newest)).get(pk=action.pk).newest

            here = [found(most=2), found(most=2, place=1), found(most=1), found()]
            wanted = [*keys, None, None][:2]
            assert here == [*wanted, wanted[0], wanted[0]], (number, day, until)
            compared += bool(keys)
    assert compared > 60


def test_the_pages_of_a_list_work_out_what_is_said_of_their_own_rows_only(client, officer):
    append_reports([make_action()], officer, 120)
    sign_in(client, make_user("Secretariat"))

    with CaptureQueriesContext(connection) as asked:
        page = client.get(PAGE, {"p": 3}).content.decode()
    passing = [query["sql"] for query in asked.captured_queries if "OFFSET 100" in query["sql"]]

    assert [query.count("SELECT") for query in passing] == [1]
    assert re.findall(r"Said on ([0-9-]+)", page) == [f"2022-01-{day:02}" for day in range(20, 0, -1)]
    assert page.count("On track → On track") == 19
    assert page.count("Not yet reported → On track") == 1


def test_the_admin_opens_on_the_first_ten_decisions_and_reads_anew_only_what_was_reported_on(client, officer):
    actions = [make_action(f"A{number:02}", owner=officer) for number in range(1, 12)]
    for action in actions:
        make_due_date(action, due="2027", needs_decision=True, by=officer)
    sign_in(client, make_user("Secretariat"))
    page = words(client.get("/admin/").content.decode())
    make_update(actions[0], by=officer)

    with CaptureQueriesContext(connection) as asked:
        client.get("/admin/")
    read = [
        query["sql"] for query in asked.captured_queries if 'FROM "recommendations_action"' in query["sql"]
    ]

    assert re.findall(r"D(\d+)\. Agree or refuse a date", page) == [f"{number}" for number in range(1, 11)]
    assert "of 11 dates, 0 completions, 0 re-checks and 0 sent back. As these are decided" in page
    assert [f'"id" IN ({actions[0].pk})' in sql for sql in read] == [True]


def test_what_stood_before_a_page_of_many_actions_is_looked_up_in_indexes(officer):
    actions = [make_action(f"A{number:02}") for number in range(20)]
    append_reports(actions, officer, 60)

    with CaptureQueriesContext(connection) as asked:
        page = history(AsAt.now(TODAY), actions=[action.pk for action in actions], most=5)
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    found = []
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        for query in asked.captured_queries:
            if UPDATES in query["sql"]:
                cursor.execute(f"{explain} {query['sql']}".replace("%", "%%"))
                found.append("\n".join(" ".join(map(str, row)) for row in cursor.fetchall()))

    assert (len(page.entries), {line.was for line in page.entries}) == (100, {"On track"})
    # where the page is cut, the updates on it and what was sent back, what stood before, twice
    assert len(found) == 5
    assert [scans_of(plan) for plan in found] == [[]] * 5
