"""The position on any day equals a naive replay of the history."""

import datetime
from collections import Counter
from dataclasses import fields, is_dataclass

import pytest
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recommendations.board import RecommendationProgress
from recommendations.history import history
from recommendations.models import Action, ProgressUpdate
from recommendations.position import board_position, progress_position
from recommendations.tests.factories import make_action, make_update
from recommendations.tests.histories import (
    AS_FOUND,
    DAYS,
    Replayed,
    Said,
    day,
    histories,
    make_board,
    replay,
    replay_assessments,
    store,
)
from record import ledger
from record.as_at import AsAt
from record.dates import end_of
from record.tests.factories import make_user, on

ACTIONS = 2
questions = st.lists(st.tuples(st.integers(0, DAYS + 20), st.booleans()), min_size=4, max_size=4)


def asked(number, is_then):
    """The AsAt of a day, and of what was known by its end if ``is_then``."""
    return on(day(number), end_of(day(number)) if is_then else None)


@settings(AS_FOUND, max_examples=25)
@given(rows=histories(ACTIONS), moments=questions)
def test_the_position_equals_a_naive_replay(db, rows, moments):
    with transaction.atomic():
        actions, recommendation, user = make_board(ACTIONS)
        made = store(rows, actions, recommendation, user)
        place_of = {row.pk: i for i, row in enumerate(made) if rows[i].kind == "due"}
        for number, is_then in moments:
            at, known = asked(number, is_then), number if is_then else None
            board = progress_position(at)
            found = [
                Replayed(
                    action.status,
                    action.update and action.update.signature.dated.first,
                    action.due and action.due.due.text,
                    action.is_overdue,
                    action.is_silent,
                    action.is_stale,
                    [place_of[line.pk] for line in action.ledger],
                    action.baseline and place_of[action.baseline.pk],
                    {place_of[line.pk] for line in action.ledger if line.is_missed},
                    {place_of[line.pk] for line in action.ledger if line.passed_in_silence},
                )
                for action in board.actions
            ]
            assert found == [replay(rows, action, number, known) for action in range(ACTIONS)]
            assert {a.whose: a.status for a in board.recommendations[0].assessments} == replay_assessments(
                rows, number, known
            )
            (statuses,) = Action.objects.statuses_on([day(number)], at)
            assert Counter(statuses) == Counter(action.status for action in board.actions)
        whole = board_position(at)
        assert board.actions == whole.actions
        assert board.recommendations == tuple(
            RecommendationProgress(number=r.number, actions=r.actions, assessments=r.assessments)
            for r in whole.recommendations
        )
        transaction.set_rollback(True)


AGREED = [
    Said("update", 0, 0, 0, "off_track"),
    Said("due", 0, 0, 0, "2022-09", is_proposal=True),
    Said("decision", 1, 0, 0, "agreed"),
    Said("decision", 1, 0, 50, "agreed", withdraws=2),
]


REPLACED_THAT_DAY = [
    Said("due", 0, 0, 0, "2022-09"),
    Said("update", 0, 60, 60, "off_track"),
    Said("due", 0, 60, 60, "2022"),
]
SET_TWICE_THAT_DAY = [
    Said("update", 0, 0, 0, "on_track"),
    Said("due", 0, 60, 60, "2022-09"),
    Said("due", 0, 60, 60, "2022"),
    Said("update", 0, 60, 60, "complete"),
]


@settings(AS_FOUND, max_examples=25)
@example(rows=AGREED, place=3, later=20)
@example(rows=REPLACED_THAT_DAY, place=2, later=0)
@example(rows=SET_TWICE_THAT_DAY, place=2, later=0)
@given(rows=histories(1, most=12), place=st.integers(1, 12), later=st.integers(0, 60))
def test_nothing_entered_later_takes_away_a_miss_or_a_first_date_that_was_shown(db, rows, place, later):
    """Not even within the same day, but to withdraw what it rests on, which the table goes on to show.

    That may be a date, a report or a decision. It was shown after the row before ``place``.
    """
    by_then, last = rows[:place], rows[-1].taken
    with transaction.atomic():
        actions, recommendation, user = make_board(1)
        already = store(by_then, actions, recommendation, user)
        (was,) = progress_position(AsAt.now(day(by_then[-1].taken))).actions
        store(rows, actions, recommendation, user, already=already)
        (is_now,) = progress_position(AsAt.now(day(last + later))).actions
        shown = {line.pk: line for line in is_now.dates}
        for line in was.ledger:
            assert line.pk in shown
            still = shown[line.pk]
            assert (str(still.due), still.signature) == (str(line.due), line.signature)
            if line.is_missed:
                assert still.is_missed or still.was_missed
        if was.baseline and not shown[was.baseline.pk].withdrawn:
            assert is_now.baseline.pk == was.baseline.pk
        transaction.set_rollback(True)


def told(value):
    """What a position says, without the question that it answers, so that two can be compared."""
    if isinstance(value, AsAt):
        return None
    if isinstance(value, models.Model):
        return value._meta.label, [getattr(value, field.attname) for field in value._meta.concrete_fields]
    if is_dataclass(value):
        return type(value).__name__, [told(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, dict):
        return {key: told(each) for key, each in value.items()}
    return [told(each) for each in value] if isinstance(value, list | tuple) else value


@settings(AS_FOUND, max_examples=15)
@given(rows=histories(2, most=12), number=st.integers(0, DAYS))
def test_as_known_then_a_day_is_as_it_was_on_that_day(db, rows, number):
    """Whatever is entered, corrected, withdrawn or decided afterwards, of that day or of an earlier one."""
    with transaction.atomic():
        board = make_board(2)
        by_then = [row for row in rows if row.taken <= number]
        already = store(by_then, *board)
        shown = board_position(AsAt.now(day(number)))
        store(rows, *board, already=already)
        later = board_position(AsAt.then(day(number), today=day(DAYS + 60)))
        assert told(later) == told(shown)
        transaction.set_rollback(True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("recorded_at", "day", "is_known"),
    [
        # Half past eleven at night in UTC is already the next day in a London summer.
        (datetime.datetime(2026, 6, 30, 23, 30, tzinfo=datetime.UTC), datetime.date(2026, 6, 30), False),
        (datetime.datetime(2026, 6, 30, 23, 30, tzinfo=datetime.UTC), datetime.date(2026, 7, 1), True),
        # The day the clocks go forward has 23 hours, and the day they go back has 25.
        (datetime.datetime(2026, 3, 29, 22, 30, tzinfo=datetime.UTC), datetime.date(2026, 3, 29), True),
        (datetime.datetime(2026, 3, 29, 23, 30, tzinfo=datetime.UTC), datetime.date(2026, 3, 29), False),
        (datetime.datetime(2026, 10, 25, 23, 30, tzinfo=datetime.UTC), datetime.date(2026, 10, 25), True),
        (datetime.datetime(2026, 10, 24, 23, 30, tzinfo=datetime.UTC), datetime.date(2026, 10, 24), False),
        # Half past midnight on those two days belongs to them, and not to the day before.
        (datetime.datetime(2026, 3, 29, 0, 30, tzinfo=datetime.UTC), datetime.date(2026, 3, 28), False),
        (datetime.datetime(2026, 3, 29, 0, 30, tzinfo=datetime.UTC), datetime.date(2026, 3, 29), True),
        (datetime.datetime(2026, 10, 24, 23, 30, tzinfo=datetime.UTC), datetime.date(2026, 10, 25), True),
    ],
)
def test_what_was_known_on_a_day_ends_at_midnight_in_london(recorded_at, day, is_known):
    action = make_action(recorded_at=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
    make_update(action, dated="2026-02-01", by=make_user("Officers"), recorded_at=recorded_at)
    position = board_position(on(day, end_of(day)))
    assert (position.by_ref["A01"].update is not None) is is_known


@pytest.mark.django_db
def test_a_history_a_hundred_times_as_long_costs_the_same_queries():
    officer = make_user("Officers")
    action = make_action(recorded_at=datetime.datetime(2022, 10, 1, tzinfo=datetime.UTC))

    def queries():
        with CaptureQueriesContext(connection) as position:
            board_position(on(datetime.date(2026, 11, 22)))
        with CaptureQueriesContext(connection) as page:
            history(on(datetime.date(2026, 11, 22)), actions=[action.pk])
        return len(position), len(page)

    make_update(action, dated="2022-11-01", by=officer)
    short = queries()
    days = (datetime.date(2022, 11, 2) + datetime.timedelta(days=number) for number in range(99))
    common = {"action": action, "status": "on_track", "narrative": "As said.", "recorded_by": officer}
    common |= {"signed": "Officers Person (Officer)"}
    ledger.append([ProgressUpdate(dated=day.isoformat(), **common) for day in days])
    long = queries()
    # A page of history that is full asks six things more: which update stood before it, what that says, and
    # of each of the four kinds of statement on it whether there is an older one. However long the history,
    # it asks nothing else.
    assert (short[0], short[1] + 6) == long
