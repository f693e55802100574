"""Where recommendations and their actions have gone between two meetings, by one rule for both."""

import pytest

from meetings.tests.between import at, changes_at, tell
from recommendations.tests.factories import make_action, make_due_date, make_recommendation, make_update
from record.tests.factories import add

pytestmark = pytest.mark.django_db


def test_direction_is_a_word_for_each_recommendation(two_meetings, officer):
    worse, better, same, at_worst = (make_recommendation(number) for number in (1, 2, 3, 4))
    updates = []
    for ref, recommendation, was, now in (
        ("A01", worse, "on_track", "at_risk"),
        ("A02", better, "at_risk", "on_track"),
        ("A03", same, "on_track", "on_track"),
        # By its worst action, whatever became of the others.
        ("A04", at_worst, "off_track", "off_track"),
        ("A05", at_worst, "on_track", "at_risk"),
    ):
        action = make_action(ref, recommendation, recorded_at=at(2022, 10, 1))
        updates += [("2022-10-02", action, was), ("2022-10-20", action, now)]
    tell(updates, officer)
    changes = changes_at(two_meetings[1])
    assert [changes.direction(number) for number in (1, 2, 3, 4)] == ["Worse", "Improved", "Same", "Same"]
    assert changes.movement_words == "2 actions worse, 1 better. 5 of 5 open actions reported, 0 not."


@pytest.mark.parametrize(
    ("status", "due", "said", "short"),
    [
        (
            "on_track",
            "2022-12-31",
            "Same. No longer overdue, because its date was moved: A01",
            "Same, 1 date moved",
        ),
        ("on_track", "2022-09-30", "Same", "Same"),
        ("complete", "2022-12-31", "Improved", "Improved"),
    ],
)
def test_a_later_date_makes_no_recommendation_better(two_meetings, officer, status, due, said, short):
    """Overdue at the first meeting, and no more at the second: by another date alone, or by its report."""
    recommendation = make_recommendation(1)
    late, other = (make_action(ref, recommendation, recorded_at=at(2022, 8, 1)) for ref in ("A01", "A02"))
    make_due_date(late, "2022-08-31", dated="2022-08-02", by=officer, recorded_at=at(2022, 8, 2))
    tell([("2022-08-03", late, "on_track"), ("2022-08-03", other, "on_track")], officer)
    make_due_date(late, due, dated="2022-10-20", by=officer, recorded_at=at(2022, 10, 20))
    done = {"evidence": "The audit", "recheck_on": "2023-04-01"} if status == "complete" else {}
    make_update(late, status, dated="2022-10-20", by=officer, recorded_at=at(2022, 10, 20, 13), **done)

    movement = changes_at(two_meetings[1]).movement(1)

    assert (movement.words, movement.short) == (said, short)


@pytest.mark.parametrize(
    ("then", "since", "said", "counted"),
    [
        # Its worst action was closed without being done, and no work got better by that.
        (["off_track"], ["closed"], "Same. Closed, not done: A01", "0 actions worse, 0 better"),
        (["closed"], ["on_track", "complete"], "Same. No longer closed: A01", "0 actions worse, 0 better"),
        (["embedded"], ["off_track", "complete"], "Worse", "1 action worse, 0 better"),
        (["done"], ["complete"], "Improved", "0 actions worse, 1 better"),
    ],
)
def test_a_recommendation_goes_where_its_actions_do_and_one_that_is_closed_goes_nowhere(
    two_meetings, officer, then, since, said, counted
):
    recommendation = make_recommendation(1)
    one, other = (make_action(ref, recommendation, recorded_at=at(2022, 10, 1)) for ref in ("A01", "A02"))
    make_update(other, "embedded", dated="2022-10-02", by=officer, recorded_at=at(2022, 10, 2))
    for month, date, status in [(10, 2, *then), *((10, 20 + n, status) for n, status in enumerate(since))]:
        make_update(
            one, status, dated=f"2022-{month}-{date:02}", by=officer, recorded_at=at(2022, month, date, 13)
        )
    changes = changes_at(two_meetings[1])
    assert changes.direction(1) == said
    assert changes.movement_words.startswith(counted)


def test_a_recommendation_with_more_overdue_does_not_improve(two_meetings, officer):
    recommendation = make_recommendation(1)
    action = make_action("A01", recommendation, recorded_at=at(2022, 10, 1))
    make_due_date(action, "2022-10", dated="2022-10-01", by=officer, recorded_at=at(2022, 10, 1))
    tell([("2022-10-02", action, "off_track"), ("2022-10-20", action, "on_track")], officer)
    changes = changes_at(two_meetings[1])
    assert changes.direction(1) == "Worse"
    assert changes.movement_words.startswith("1 action worse, 0 better")


def test_a_date_that_was_withdrawn_is_named_as_withdrawn_and_not_as_moved(two_meetings, officer):
    action = make_action("A01", make_recommendation(1), recorded_at=at(2022, 8, 1))
    date = make_due_date(action, "2022-08-31", dated="2022-08-02", by=officer, recorded_at=at(2022, 8, 2))
    tell([("2022-08-03", action, "on_track")], officer)
    add(date.withdrawal(by=officer, reason="Of another action"), recorded_at=at(2022, 10, 20))
    changes = changes_at(two_meetings[1])
    assert (changes.moved, len(changes.corrections)) == ((), 1)
    movement = changes.movement(1)
    assert (movement.words, movement.short) == (
        "Same. No longer overdue, because its date was withdrawn: A01",
        "Same, 1 date withdrawn",
    )
