"""The position on any day equals a naive replay of the history."""

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommendations import ledger
from recommendations.position import board_position
from recommendations.tests.histories import DAYS, Replayed, day, histories, make_board, replay, store
from visits.dates import end_of


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    rows=histories(),
    moments=st.lists(st.tuples(st.integers(0, DAYS + 20), st.booleans()), min_size=2, max_size=3),
)
def test_the_position_equals_a_naive_replay(db, rows, moments):
    with transaction.atomic():
        actions, recommendation, user = make_board()
        store(rows, actions, recommendation, user)
        for as_at, is_then in moments:
            position = board_position(as_at=day(as_at), known=end_of(day(as_at)) if is_then else None)
            for number, action in enumerate(position.actions):
                expected = replay(rows, number, as_at, as_at if is_then else None)
                found = Replayed(
                    action.status,
                    action.update and action.update.signature.dated.first,
                    action.due and action.due.due.text,
                    action.is_overdue,
                    action.is_stale,
                    [line.due.text for line in action.ledger],
                    [line.is_missed for line in action.ledger],
                )
                assert found == expected
        assert ledger.first_fault() is None
        transaction.set_rollback(True)
