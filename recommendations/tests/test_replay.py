"""The position on any day equals a naive replay of the history."""

import datetime
from collections import Counter

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommendations.board import RecommendationProgress
from recommendations.history import history
from recommendations.models import Action, ProgressUpdate
from recommendations.position import action_positions, board_position, progress_position
from recommendations.tests.factories import make_action, make_update
from recommendations.tests.histories import (
    DAYS,
    Replayed,
    by_action,
    day,
    histories,
    make_board,
    replay,
    store,
)
from record import ledger
from record.dates import end_of
from record.tests.factories import make_user, on
from record.verification import first_fault

ACTIONS = 100


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=histories(ACTIONS),
    moments=st.lists(st.tuples(st.integers(0, DAYS + 20), st.booleans()), min_size=50, max_size=50),
)
def test_the_position_equals_a_naive_replay(db, rows, moments):
    """Five hundred histories, a hundred on a board, each looked at on fifty days."""
    with transaction.atomic():
        actions, recommendation, user = make_board(ACTIONS)
        store(rows, actions, recommendation, user)
        rows_of_each = by_action(rows, ACTIONS)
        for as_at, is_then in moments:
            known = end_of(day(as_at)) if is_then else None
            on_the_day = Action.objects.as_at(on(day(as_at), known)).order_by("ref")
            positions = action_positions(on_the_day, on(day(as_at), known))
            found = [
                Replayed(
                    action.status,
                    action.update and action.update.signature.dated.first,
                    action.due and action.due.due.text,
                    action.is_overdue,
                    action.is_stale,
                    [line.due.text for line in action.ledger],
                    [line.is_missed for line in action.ledger],
                )
                for action in positions
            ]
            assert found == [replay(own, as_at, as_at if is_then else None) for own in rows_of_each]
            (statuses,) = Action.objects.statuses_on([day(as_at)], on(day(as_at), known))
            assert Counter(statuses) == Counter(action.status for action in found)
        board, earlier = (f(on(day(as_at), known)) for f in (board_position, progress_position))
        assert earlier.actions == board.actions
        assert earlier.recommendations == tuple(
            RecommendationProgress(number=r.number, actions=r.actions, assessments=r.assessments)
            for r in board.recommendations
        )
        assert first_fault() is None
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
    # A page of history that is full asks five things more: how the action stood before it, and of each of
    # the four kinds of statement on it whether there is an older one. However long the history, it asks
    # nothing else.
    assert (short[0], short[1] + 5) == long
