"""What became of the dates agreed for a lead body: each kind of end, the counts and their words."""

import datetime
from collections import Counter

import pytest
from django.db import transaction
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recommendations.date_outcomes import (
    Outcome,
)
from recommendations.position import board_position
from recommendations.tests.factories import (
    make_action,
    make_due_date,
    make_recommendation,
)
from recommendations.tests.histories import (
    AS_FOUND,
    DAYS,
    LAST_DAY,
    OPEN,
    START,
    Said,
    Visible,
    day,
    histories,
    make_board,
    replay,
    store,
)
from recommendations.tests.stories import (
    AGREED,
    KEPT_ROWS,
    MISSED_ROWS,
    ON_TRACK,
    correction,
    due,
    several,
    tell,
    update,
    withdrawal,
)
from recommendations.track_record import track_records, track_records_on
from record.dates import end_of
from record.tests.factories import noon, on
from visits.tests.factories import make_finding

pytestmark = pytest.mark.again

TODAY = datetime.date(2023, 6, 30)
MISSED, KEPT, SILENT, MOVED, CLOSED, LATE = Outcome
SO_FAR = "7 months, so far"


def record_on(day=TODAY, known=None):
    (record,) = track_records(board_position(on(day, known))).all
    return record


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rows", "cases"),
    [
        ([AGREED, ON_TRACK], [(MISSED, "on_track", 212, SO_FAR)]),
        ([AGREED], [(SILENT, None, None, "Not counted")]),
        # A first report after its day is a forecast of nothing.
        ([AGREED, update("2022-12-10", "at_risk")], [(MISSED, None, 212, SO_FAR)]),
        ([AGREED, ON_TRACK, update("2022-11-30", "complete")], [(KEPT, "on_track", None, "Not late")]),
        ([AGREED, ON_TRACK, update("2022-11-20", "done")], [(MISSED, "on_track", 212, SO_FAR)]),
        # Accepted for its day, but recorded later.
        (
            [AGREED, ON_TRACK, update("2022-11-30", "complete", recorded="2022-12-02")],
            [(MISSED, "on_track", 0, "Not counted: accepted later, for a day by then")],
        ),
        (
            [AGREED, ON_TRACK, update("2022-12-18", "complete"), update("2023-03-20", "embedded")],
            [(MISSED, "on_track", 18, "18 days")],
        ),
        # Reopened, it was not complete after all.
        (
            [AGREED, ON_TRACK, update("2022-12-18", "complete"), update("2023-01-20", "off_track")],
            [(MISSED, "on_track", 212, SO_FAR)],
        ),
        # Finished and reported on track on one day: which came last does not change with a word of the first.
        (
            [
                AGREED,
                update("2022-12-18", "on_track"),
                update("2022-12-18", "complete"),
                correction("2022-12-18", "on_track", recorded="2023-01-05"),
            ],
            [(MISSED, None, 18, "18 days")],
        ),
        (
            [AGREED, ON_TRACK, update("2022-12-18", "closed")],
            [(MISSED, "on_track", None, "Never: closed, not done")],
        ),
        ([AGREED, ON_TRACK, update("2022-11-18", "closed")], [(CLOSED, "on_track", None, "Not counted")]),
        # Moved on its last day, and on the day after.
        ([AGREED, ON_TRACK, due("2022-11-30", "2023-12")], [(MOVED, "on_track", None, "Not counted")]),
        ([AGREED, ON_TRACK, due("2022-12-01", "2023-12")], [(MISSED, "on_track", 212, SO_FAR)]),
        # Moved before it came is said at once, and so is what followed it.
        (
            [AGREED, due("2022-11-01", "2024-01"), due("2022-11-02", "2024-02")],
            [(MOVED, None, None, "Not counted"), (MOVED, None, None, "Not counted")],
        ),
        # Only agreed again, on the same last day.
        ([AGREED, ON_TRACK, due("2022-11-01", "2022-11-30")], [(MISSED, "on_track", 212, SO_FAR)]),
        # Entered when its day was past and another stood, and one that was withdrawn.
        (
            [due("2022-10-01", "2022-11", recorded="2022-12-05"), due("2022-12-05", "2023-12")],
            [(LATE, None, None, "Not counted")],
        ),
        # Entered when its day was past: complete by now, which is not complete by then; and never reported.
        (
            [ON_TRACK, update("2022-12-03", "complete"), due("2022-10-01", "2022-11", recorded="2022-12-05")],
            [(LATE, "on_track", None, "Not counted")],
        ),
        (
            [due("2022-10-01", "2022-11", recorded="2022-12-05")],
            [(SILENT, None, None, "Not counted")],
        ),
        ([AGREED, ON_TRACK, withdrawal("2023-01-01", "2022-11")], []),
        # Still to come, or with no last day.
        ([due("2022-10-01", "2023-06-30"), ON_TRACK], []),
        ([due("2022-10-01", "2022~"), ON_TRACK], []),
        # The last forecast counts, if it was made in the ninety days before, and recorded by then.
        ([AGREED, ON_TRACK, update("2022-11-30", "at_risk")], [(MISSED, "at_risk", 212, SO_FAR)]),
        (
            [AGREED, ON_TRACK, update("2022-11-30", "at_risk", recorded="2022-12-01")],
            [(MISSED, "on_track", 212, SO_FAR)],
        ),
        # As it was worded then, though it was corrected since; but not if it was withdrawn.
        (
            [AGREED, ON_TRACK, correction("2022-10-03", "off_track", recorded="2023-01-05")],
            [(MISSED, "on_track", 212, SO_FAR)],
        ),
        (
            [AGREED, ON_TRACK, update("2022-11-01", "at_risk"), withdrawal("2023-01-05", "at_risk")],
            [(MISSED, "on_track", 212, SO_FAR)],
        ),
        ([AGREED, update("2022-09-01", "on_track")], [(MISSED, "on_track", 212, SO_FAR)]),
        ([AGREED, update("2022-08-31", "on_track", recorded="2022-09-01")], [(MISSED, None, 212, SO_FAR)]),
    ],
)
def test_what_became_of_a_date(rows, cases):
    tell({"A01": rows})
    told = [
        (case.outcome, case.forecast and case.forecast.status, case.days_late, case.late_words)
        for case in record_on().cases
    ]
    assert told == cases


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("stories", "record_words", "forecast_words", "apart_words", "short_words"),
    [
        (
            several(),
            "No date that is counted here has come yet.",
            "",
            "",
            "no date that is counted here has come yet",
        ),
        (
            several(silent=1),
            "Too few to say: no date came and was reported on.",
            "",
            "Counted as neither: 1 passed without a report.",
            "no date came and was reported on, too few to say",
        ),
        (
            several(missed=1),
            "Too few to say: 1 date came and was reported on.",
            "",
            "",
            "1 date came and was reported on, too few to say",
        ),
        (
            # What passed in silence is no fifth, nor is what was moved.
            several(missed=3, kept=1, silent=2, moved=1),
            "Too few to say: 4 dates came and were reported on.",
            "",
            "Counted as neither: 2 passed without a report; 1 was moved before it came.",
            "4 dates came and were reported on, too few to say",
        ),
        (
            several(missed=4, kept=1),
            "5 dates came and were reported on: 4 missed (median 7 months late so far), 1 kept.",
            "Of 5 dates last forecast On track in the 90 days before, 4 were missed.",
            "",
            "4 of 5 dates missed, median 7 months late so far",
        ),
        (
            several(kept=5),
            "5 dates came and were reported on: 0 missed, 5 kept.",
            "Of 5 dates last forecast On track in the 90 days before, 0 were missed.",
            "",
            "0 of 5 dates missed",
        ),
        (
            # What was closed has no lateness, nor has what was accepted for a day in time but recorded later:
            # the median is of the rest.
            {
                **{
                    ref: [
                        AGREED,
                        update("2022-10-03", "at_risk"),
                        ("update", ended, ended, "complete"),
                    ]
                    for ref, ended in {
                        "A01": "2022-12-10",
                        "A02": "2022-12-20",
                        "A03": "2023-01-20",
                        "A04": "2023-02-20",
                        "A05": "2023-03-20",
                    }.items()
                },
                "A06": [*MISSED_ROWS, update("2022-12-18", "closed")],
                "A07": [
                    AGREED,
                    update("2022-10-03", "at_risk"),
                    update("2022-11-30", "complete", recorded="2022-12-02"),
                ],
            },
            "7 dates came and were reported on: 7 missed (median 2 months late; 1 of them closed, not done; "
            "1 of them accepted later, for a day by then), 0 kept.",
            "Only 1 of them was last forecast On track in the 90 days before: too few to say how many of "
            "those are missed.",
            "",
            "7 of 7 dates missed, median 2 months late",
        ),
    ],
)
def test_no_rate_is_given_of_fewer_than_five(stories, record_words, forecast_words, apart_words, short_words):
    make_recommendation(1)
    tell(stories)
    record = record_on()
    assert (record.words, record.forecast_words, record.apart_words, record.short_words) == (
        record_words,
        forecast_words,
        apart_words,
        short_words,
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("forecasts", "words"),
    [
        (0, "None of them was last forecast On track in the 90 days before."),
        (
            3,
            "Only 3 of them were last forecast On track in the 90 days before: too few to say how many of "
            "those are missed.",
        ),
    ],
)
def test_how_many_were_forecast_on_track_is_said_plainly_where_they_are_too_few(forecasts, words):
    make_recommendation(1)
    at_risk = [AGREED, update("2022-10-03", "at_risk")]
    tell({f"A{n:02}": MISSED_ROWS if n <= forecasts else at_risk for n in range(1, 6)})
    assert record_on().forecast_words == words


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("stories", "short_words"),
    [
        (several(), "no date that is counted here has come yet"),
        (several(missed=1), "1 date came and was reported on, too few to say"),
        (several(kept=5), "0 of 5 dates missed"),
    ],
)
def test_the_short_form_leaves_out_nothing_that_was_missed_before_the_record_began(stories, short_words):
    make_recommendation(1)
    make_action("A09", earlier_misses=1, recorded_at=noon("2022-08-01"))
    tell(stories)
    assert record_on().short_words == f"{short_words}; at least 1 missed earlier"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("bases", "words"),
    [
        (["stated", "stated"], ""),
        (["inferred", "inferred"], "(inferred)"),
        (["inferred", "stated"], "(inferred for recommendation 1)"),
        (["inferred", "stated", "inferred"], "(inferred for recommendations 1 and 3)"),
    ],
)
def test_it_is_said_of_which_recommendations_the_lead_is_inferred(bases, words):
    for number, basis in enumerate(bases, 1):
        make_recommendation(number, lead_body="The board", lead_basis=basis)
    (record,) = track_records_on(on(TODAY)).all
    assert record == track_records(board_position(on(TODAY))).all[0]
    assert record.inferred_words == words


@pytest.mark.django_db
def test_an_action_counts_once_for_each_lead_body_of_what_it_answers():
    first, second, third = (
        make_recommendation(number, lead_body=body)
        for number, body in ((1, "The council"), (2, "The board"), (3, "The council"))
    )
    tell({"A01": MISSED_ROWS, "A02": KEPT_ROWS}, A01=[first, third], A02=[first, second])
    records = track_records_on(on(TODAY))
    assert records == track_records(board_position(on(TODAY)))
    assert [(r.body, r.numbers, [case.action.ref for case in r.cases]) for r in records.all] == [
        ("The council", (1, 3), ["A01", "A02"]),
        ("The board", (2,), ["A02"]),
    ]
    assert [record.body for record in records.of((2, 3))] == ["The council", "The board"]
    assert records.of(()) == ()


@pytest.mark.django_db
def test_what_answers_findings_only_is_counted_by_itself():
    action = make_action("A01", findings=[make_finding("F01")], recorded_at=noon("2022-09-01"))
    make_due_date(action, "2022-11", recorded_at=noon("2022-10-01"))
    (record,) = track_records_on(on(TODAY)).of(())
    assert (record.body, record.anchor, len(record.cases)) == ("", "findings-only", 1)


@pytest.mark.django_db
def test_as_it_was_known_then_nothing_recorded_later_counts():
    tell({"A01": [*MISSED_ROWS, update("2022-12-05", "complete", recorded="2023-02-01")]})
    assert [case.late_words for case in record_on().cases] == ["5 days"]
    then = datetime.date(2023, 1, 10)
    assert [case.late_words for case in record_on(then).cases] == ["5 days"]
    assert [case.late_words for case in record_on(then, end_of(then)).cases] == ["1 month, so far"]
    assert record_on(datetime.date(2022, 11, 30)).cases == ()


def recount(rows, action, as_at, known):
    """By hand, {place of the row of a date: what became of it} of the action at the place ``action``."""
    seen, found = Visible(rows, as_at, known), replay(rows, action, as_at, known)
    said = [(row.said, i, row) for i, row in seen.said("update") if row.about == action]

    def counted(place):
        by = place
        if rows[place].is_proposal:
            by = next(
                i for i, row in seen.standing("decision") if row.about == place and row.value == "agreed"
            )
        return max(rows[by].said, rows[by].taken)

    ends = {}
    for order, place in enumerate(found.ledger):
        last = LAST_DAY[rows[place].value]
        if last is None:
            continue
        last_number = (last - START).days
        after = found.ledger[order + 1 :]
        moved_on = min(map(counted, after), default=None)
        if place in found.missed:
            ends[place] = MISSED
        elif moved_on is not None and moved_on <= last_number:
            if LAST_DAY[rows[after[0]].value] != last:
                ends[place] = MOVED
        elif last_number < as_at:
            deadline = min(max(last_number, counted(place)), as_at)
            told = [
                (number, i, row.value)
                for number, i, row in said
                if number <= deadline
                and (row.value in OPEN or (i not in seen.corrected and row.taken <= deadline))
            ]
            if place in found.silent:
                ends[place] = SILENT
            elif deadline > last_number:
                ends[place] = LATE
            else:
                ends[place] = CLOSED if max(told)[2] == "closed" else KEPT
    return ends


@settings(AS_FOUND, max_examples=25)
@example(
    rows=[Said("due", 0, 0, 40, "2022-09"), Said("due", 0, 40, 40, "2022-12-01")], number=100, is_then=True
)
@given(rows=histories(2, most=12), number=st.integers(0, DAYS + 20), is_then=st.booleans())
def test_the_counts_equal_a_naive_recount(db, rows, number, is_then):
    with transaction.atomic():
        actions, recommendation, user = make_board(2)
        made = store(rows, actions, recommendation, user)
        place_of = {row.pk: i for i, row in enumerate(made) if rows[i].kind == "due"}
        record = record_on(day(number), end_of(day(number)) if is_then else None)
        expected = [recount(rows, action, number, number if is_then else None) for action in (0, 1)]
        found = {place_of[case.line.pk]: case.outcome for case in record.cases}
        assert found == expected[0] | expected[1]
        ends = Counter(found.values())
        assert (len(record.missed), len(record.kept)) == (ends[MISSED], ends[KEPT])
        transaction.set_rollback(True)


@settings(AS_FOUND, max_examples=15)
@given(rows=histories(1, most=12), first=st.integers(0, DAYS), later=st.integers(0, 60))
def test_nothing_entered_later_makes_a_miss_go_away_but_a_withdrawal(db, rows, first, later):
    """Of the date, or of the report that the miss rests on: both go on to be shown."""
    with transaction.atomic():
        actions, recommendation, user = make_board(1)
        store(rows, actions, recommendation, user)
        then, now = (board_position(on(day(n), end_of(day(n)))) for n in (first, first + later))
        was, still = (track_records(board).all[0].missed for board in (then, now))
        (action,) = now.actions
        put_right = {line.pk for line in action.dates if line.withdrawn or line.was_missed}
        assert {case.line.pk for case in was} <= {case.line.pk for case in still} | put_right
        transaction.set_rollback(True)
