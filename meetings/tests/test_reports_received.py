"""What was reported between two meetings: which reports are told, in which order and in which words."""

import datetime

import pytest

from meetings.changes import changes_between, received_in_full
from meetings.tests.between import TODAY, at, changes_at, tell
from recommendations.models import ProgressUpdate
from recommendations.position import board_position, progress_position
from recommendations.received import READ_WHOLE
from recommendations.tests.factories import (
    make_action,
    make_recommendation,
    make_update,
    signed,
)
from record import ledger
from record.tests.factories import add, on

pytestmark = [pytest.mark.django_db, pytest.mark.again]


def test_an_update_with_the_same_status_is_a_report_received_and_is_never_hidden(two_meetings, officer):
    actions = [make_action(ref, recorded_at=at(2022, 10, 1)) for ref in ("A01", "A02")]
    for action in actions:
        make_update(action, dated="2022-10-02", by=officer, recorded_at=at(2022, 10, 2))
    for hour, narrative in ((9, "Forty homes were visited"), (10, "As above")):
        recorded = at(2022, 10, 20, hour)
        make_update(actions[0], dated="2022-10-20", by=officer, narrative=narrative, recorded_at=recorded)
    changes = changes_at(two_meetings[1])
    assert changes.is_empty
    assert changes.summary == "no status or date moved. 1 of 2 open actions reported on since."
    (received,) = changes.received
    assert (received.action.ref, received.words) == ("A01", "Still on track")
    ((_, updates, more, at_least),) = received_in_full(changes)
    assert [update.narrative for update in updates] == ["As above", "Forty homes were visited"]
    assert (more, at_least) == (0, False)
    assert [(role, [a.ref for a in those]) for role, those in changes.not_reported_by.items()] == [
        ("Director", ["A02"])
    ]


def test_years_of_reports_entered_at_once_the_newest_first_are_told_from_the_newest(two_meetings, officer):
    many, few, silent = (make_action(ref, recorded_at=at(2022, 10, 1)) for ref in ("A01", "A02", "A03"))
    days = [datetime.date(2022, 10, 19) - datetime.timedelta(days=days) for days in range(READ_WHOLE // 2)]
    fields = {"narrative": "What was done", "recorded_at": at(2022, 10, 20), **signed(officer)}
    needed = {"reason": "Why", "recovery_step": "What next", **fields}
    rows = [ProgressUpdate(action=many, status="off_track", dated=f"{day}", **needed) for day in days]
    rows += [ProgressUpdate(action=many, status="at_risk", dated=f"{day}", **needed) for day in days]
    on_few = [ProgressUpdate(action=few, status="on_track", dated=f"{day}", **fields) for day in days[:7]]
    ledger.append([*rows, *on_few])
    newest = ProgressUpdate.objects.get(action=many, status="at_risk", dated=f"{days[0]}")
    again = {"corrects": newest, "correction_reason": "A slip", "dated": newest.dated}
    make_update(many, "on_track", by=officer, recorded_at=at(2022, 10, 21), **again)

    changes = changes_at(two_meetings[1])
    told = received_in_full(changes)

    assert [(each.received.action.ref, each.received.words) for each in told] == [
        ("A01", "First report: On track"),
        ("A02", "First report: On track"),
    ]
    assert [[update.status for update in each.updates] for each in told] == [
        ["on_track", "off_track", *["at_risk"] * 3],
        ["on_track"] * 5,
    ]
    # Of the first the last to be recorded, the newest, put right, and the one before it are read.
    assert [(each.more, each.at_least) for each in told] == [(3, True), (2, True)]
    assert [[a.ref for a in those] for those in changes.not_reported_by.values()] == [[silent.ref]]


@pytest.mark.parametrize(("count", "more", "at_least"), [(1500, 1495, False), (1501, 3, True)])
def test_fifteen_hundred_reports_are_counted_and_of_more_it_is_said_that_there_are_at_least_so_many(
    two_meetings, officer, count, more, at_least
):
    action = make_action("A01", recorded_at=at(2022, 10, 1))
    said = {"narrative": "What was done", "recorded_at": at(2022, 10, 20), **signed(officer)}
    days = [datetime.date(2022, 10, 19) - datetime.timedelta(days=days) for days in range(count)]
    ledger.append([ProgressUpdate(action=action, status="on_track", dated=f"{d}", **said) for d in days])

    (told,) = received_in_full(changes_at(two_meetings[1]))

    assert (told.more, told.at_least) == (more, at_least)


def test_a_report_for_an_earlier_day_than_the_newest_says_so_and_changes_nothing(two_meetings, officer):
    action = make_action("A01", recorded_at=at(2022, 10, 1))
    tell([("2022-10-04", action, "on_track")], officer)
    make_update(action, "off_track", dated="2022-10-03", by=officer, recorded_at=at(2022, 10, 20))

    changes = changes_at(two_meetings[1])

    assert [each.words for each in changes.received] == ["Off track, for an earlier day"]
    assert changes.movement_words == "0 actions worse, 0 better. 1 of 1 open action reported, 0 not."


def test_a_report_that_was_accepted_the_same_day_says_so_and_not_that_it_is_of_an_earlier_one(
    two_meetings, officer
):
    action = make_action("A01", recorded_at=at(2022, 10, 1))
    tell([("2022-10-02", action, "on_track"), ("2022-11-01", action, "done")], officer)
    make_update(action, "complete", dated="2022-11-01", by=officer, recorded_at=at(2022, 11, 1, 13))
    assert [each.words for each in changes_at(two_meetings[1]).received] == [
        "Done, evidence awaited, then accepted: Complete, evidenced"
    ]


def test_what_was_closed_after_a_report_is_not_said_to_be_accepted(two_meetings, officer):
    action = make_action("A01", recorded_at=at(2022, 10, 1))
    tell([("2022-10-02", action, "on_track"), ("2022-11-01", action, "done")], officer)
    make_update(action, "closed", dated="2022-11-01", by=officer, recorded_at=at(2022, 11, 1, 13))
    assert [each.words for each in changes_at(two_meetings[1]).received] == [
        "Done, evidence awaited, then closed, not done"
    ]


def test_a_word_put_right_in_the_first_report_of_a_day_leaves_the_second_the_newest(two_meetings, officer):
    action = make_action("A01", recorded_at=at(2022, 10, 1))
    tell([("2022-11-01", action, "on_track"), ("2022-11-01", action, "at_risk")], officer)
    first = ProgressUpdate.objects.get(status="on_track")
    again = {"corrects": first, "correction_reason": "A slip", "recorded_at": at(2022, 11, 2)}
    make_update(action, "on_track", dated="2022-11-01", by=officer, **again)
    (received,) = changes_at(two_meetings[1]).received
    assert (received.words, [each.status for each in received.updates]) == (
        "First report: At risk",
        ["at_risk", "on_track"],
    )


def test_a_word_put_right_in_what_was_accepted_makes_it_no_report_of_an_earlier_day(two_meetings, officer):
    action = make_action("A01", recorded_at=at(2022, 10, 1))
    tell([("2022-10-02", action, "on_track"), ("2022-11-01", action, "done")], officer)
    done = ProgressUpdate.objects.get(status="done")
    make_update(action, "complete", dated="2022-11-01", by=officer, recorded_at=at(2022, 11, 1, 13))
    again = {"corrects": done, "correction_reason": "A slip", "recorded_at": at(2022, 11, 2)}
    make_update(action, "done", dated="2022-11-01", by=officer, **again)
    assert [each.words for each in changes_at(two_meetings[1]).received] == [
        "Done, evidence awaited, then accepted: Complete, evidenced"
    ]


def test_a_report_after_one_that_was_withdrawn_is_not_told_as_a_change_from_it(two_meetings, officer):
    first, second = (make_action(ref, recorded_at=at(2022, 9, 1)) for ref in ("A01", "A02"))
    make_update(second, "on_track", dated="2022-09-02", by=officer, recorded_at=at(2022, 9, 2))
    actions = (first, second)
    tell([("2022-10-02", action, "off_track") for action in actions], officer)
    for action in actions:
        wrong = action.updates.get(status="off_track")
        add(wrong.withdrawal(by=officer, reason="Of another action"), recorded_at=at(2022, 10, 10))
    tell([("2022-10-12", action, "on_track") for action in actions], officer)
    assert [each.words for each in changes_at(two_meetings[1]).received] == [
        "First report: On track",
        "On track. What was reported before was put right",
    ]


def test_what_is_closed_while_nobody_has_reported_is_no_first_report(two_meetings, officer):
    action = make_action("A01", make_recommendation(1), recorded_at=at(2022, 10, 1))
    tell([("2022-10-20", action, "closed")], officer)
    changes = changes_at(two_meetings[1])
    assert (changes.direction(1), changes.first_reports) == (
        "Cannot be compared. Closed, not done: A01",
        (),
    )


def test_of_many_reports_on_one_action_the_newest_five_are_told_and_the_others_counted(two_meetings, officer):
    action = make_action("A01", recorded_at=at(2022, 10, 1))
    make_update(action, dated="2022-10-02", by=officer, recorded_at=at(2022, 10, 2))
    for october in range(20, 27):
        said = {"dated": f"2022-10-{october}", "narrative": f"Week {october}"}
        make_update(action, by=officer, recorded_at=at(2022, 10, october), **said)
    ((_, updates, more, _),) = received_in_full(changes_at(two_meetings[1]))
    assert [update.narrative for update in updates] == [f"Week {october}" for october in (26, 25, 24, 23, 22)]
    assert more == 2


def test_what_was_put_right_within_the_round_is_shown_as_it_stands_and_an_older_one_is_no_report(
    two_meetings, officer
):
    old, new = (make_action(ref, recorded_at=at(2022, 10, 1)) for ref in ("A01", "A02"))
    earlier = make_update(old, dated="2022-10-02", by=officer, recorded_at=at(2022, 10, 2))
    wrong = make_update(new, "done", dated="2022-10-20", by=officer, recorded_at=at(2022, 10, 20))
    again = {"by": officer, "correction_reason": "A slip"}
    earlier = make_update(
        old, "at_risk", dated="2022-10-02", corrects=earlier, recorded_at=at(2022, 10, 21), **again
    )
    make_update(old, "done", dated="2022-10-02", corrects=earlier, recorded_at=at(2022, 10, 22), **again)
    make_update(new, "at_risk", dated="2022-10-20", corrects=wrong, recorded_at=at(2022, 10, 22), **again)
    assert [(each.action.ref, each.words) for each in changes_at(two_meetings[1]).received] == [
        ("A02", "First report: At risk")
    ]


@pytest.mark.parametrize(("hour", "refs"), [(11, []), (12, ["A01"]), (13, ["A01"])])
def test_a_report_is_received_by_the_meeting_after_the_moment_the_last_one_knew(hour, refs, officer):
    action = make_action(recorded_at=at(2022, 10, 1))
    moment = at(2022, 10, 20, hour)
    make_update(action, dated="2022-10-20", by=officer, recorded_at=moment)
    since, now = on(datetime.date(2022, 10, 20), at(2022, 10, 20)), on(TODAY)
    changes = changes_between(progress_position(since), board_position(now), since=since)
    assert [each.action.ref for each in changes.received] == refs
