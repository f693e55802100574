"""When a date is missed, and when it passed in silence: the day before, the day and the day after.

The action is due in November 2022, agreed on 1 October and reported On track on 3 October, unless a row says
otherwise; a row is "kind, day it speaks of, day it was recorded, what it says".
"""

import datetime

import pytest

from recommendations.due_dates import DueDate
from recommendations.lateness import is_same_date, slip_between
from recommendations.models import Action
from recommendations.position import board_position, progress_position
from recommendations.tests.factories import (
    WINTER,
    make_action,
    make_decision,
    make_due_date,
    make_update,
    position,
)
from record.dates import end_of, read_edtf
from record.tests.factories import add, make_meeting, make_user, noon, on
from record.tests.pages import words_of

pytestmark = [pytest.mark.django_db, pytest.mark.again]

LAST = datetime.date(2022, 11, 30)
DAY_BEFORE, LAST_DAY, DAY_AFTER, NEXT = "2022-11-29", "2022-11-30", "2022-12-01", "2022-12-02"
AGREED = ("due", "2022-10-01", "2022-10-01", "2022-11")
REPORTED = ("update", "2022-10-03", "2022-10-03", "on_track")
TOGETHER, MOMENT = datetime.timedelta(0), datetime.timedelta(microseconds=1)
MISSED, SILENT, NEITHER = "missed", "silent", ""


def tell(rows, apart=MOMENT):
    """Make the action, and add ``rows`` to it in the order in which they were recorded, so far ``apart``."""
    action = make_action(agreed_on="2022-09-01", recorded_at=noon("2022-09-01"))
    person, made = make_user("Chair"), {}
    for place, (kind, said, recorded, value) in enumerate(sorted(rows, key=lambda row: row[2])):
        moment = noon(recorded) + place * apart
        by = {"by": person, "dated": said, "recorded_at": moment}
        if kind == "update":
            made[value] = make_update(action, value, **by)
        elif kind == "due":
            made[value] = make_due_date(action, value, **by)
        elif kind == "proposed":
            made[value] = make_due_date(action, value, needs_decision=True, **by)
        elif kind == "agreed":
            make_decision(made[value], **by)
        elif kind == "withdrawn":
            add(made[value].withdrawal(by=person, reason="In error"), recorded_at=moment)
        elif kind == "corrected":
            old, new = value.split()
            again = {"corrects": made[old], "correction_reason": "A slip"}
            made[new] = make_update(action, new, **by, **again)


def judged(day):
    """What became of the date of November 2022, as it is known now of ``day``."""
    (action,) = progress_position(on(datetime.date.fromisoformat(day))).actions
    (line,) = [line for line in action.dates if line.row.due == "2022-11"] or [None]
    if line is None:
        return NEITHER
    assert not (line.is_missed and line.was_missed)
    if line.withdrawn or line.was_missed:
        return "struck, missed" if line.is_missed or line.was_missed else "struck"
    return MISSED if line.is_missed else SILENT if line.passed_in_silence else NEITHER


@pytest.mark.parametrize(
    ("rows", "before", "the_day", "after", "later"),
    [
        # Nothing else happens.
        ([AGREED, REPORTED], NEITHER, NEITHER, MISSED, MISSED),
        ([AGREED], NEITHER, NEITHER, SILENT, SILENT),
        # First reported on the last day, or on the day after: it was reported open past its date.
        ([AGREED, ("update", LAST_DAY, LAST_DAY, "on_track")], NEITHER, NEITHER, MISSED, MISSED),
        ([AGREED, ("update", DAY_AFTER, DAY_AFTER, "on_track")], NEITHER, NEITHER, MISSED, MISSED),
        ([AGREED, ("update", NEXT, NEXT, "on_track")], NEITHER, NEITHER, SILENT, MISSED),
        # Replaced on the last day it was not missed; on the day after, or if recorded then, it was.
        ([AGREED, REPORTED, ("due", LAST_DAY, LAST_DAY, "2023-03")], NEITHER, NEITHER, NEITHER, NEITHER),
        ([AGREED, REPORTED, ("due", DAY_AFTER, DAY_AFTER, "2023-03")], NEITHER, NEITHER, MISSED, MISSED),
        ([AGREED, REPORTED, ("due", LAST_DAY, DAY_AFTER, "2023-03")], NEITHER, NEITHER, MISSED, MISSED),
        ([AGREED, ("due", DAY_AFTER, DAY_AFTER, "2023-03")], NEITHER, NEITHER, SILENT, SILENT),
        ([AGREED, ("due", LAST_DAY, LAST_DAY, "2023-03")], NEITHER, NEITHER, NEITHER, NEITHER),
        # Reported open on the day on which it was replaced: before that, or only afterwards.
        (
            [AGREED, ("update", NEXT, NEXT, "on_track"), ("due", NEXT, NEXT, "2023-03")],
            NEITHER,
            NEITHER,
            SILENT,
            MISSED,
        ),
        (
            [AGREED, ("due", NEXT, NEXT, "2023-03"), ("update", NEXT, NEXT, "on_track")],
            NEITHER,
            NEITHER,
            SILENT,
            SILENT,
        ),
        # Accepted, or closed, on the last day; on the day after; for the last day, but recorded a day later.
        ([AGREED, REPORTED, ("update", LAST_DAY, LAST_DAY, "complete")], NEITHER, NEITHER, NEITHER, NEITHER),
        ([AGREED, REPORTED, ("update", DAY_AFTER, DAY_AFTER, "complete")], NEITHER, NEITHER, MISSED, MISSED),
        ([AGREED, REPORTED, ("update", LAST_DAY, DAY_AFTER, "complete")], NEITHER, NEITHER, MISSED, MISSED),
        ([AGREED, REPORTED, ("update", LAST_DAY, DAY_AFTER, "closed")], NEITHER, NEITHER, MISSED, MISSED),
        # Only claimed as done is open.
        ([AGREED, REPORTED, ("update", LAST_DAY, LAST_DAY, "done")], NEITHER, NEITHER, MISSED, MISSED),
        # A report that was corrected into a closure afterwards is still a report.
        (
            [AGREED, REPORTED, ("corrected", "2022-10-03", NEXT, "on_track closed")],
            NEITHER,
            NEITHER,
            MISSED,
            MISSED,
        ),
        # A proposal counts from its agreement, however late that was recorded.
        (
            [
                AGREED,
                REPORTED,
                ("proposed", "2022-11-01", "2022-11-01", "2023-03"),
                ("agreed", LAST_DAY, LAST_DAY, "2023-03"),
            ],
            NEITHER,
            NEITHER,
            NEITHER,
            NEITHER,
        ),
        (
            [
                AGREED,
                REPORTED,
                ("proposed", "2022-11-01", "2022-11-01", "2023-03"),
                ("agreed", LAST_DAY, DAY_AFTER, "2023-03"),
            ],
            NEITHER,
            NEITHER,
            MISSED,
            MISSED,
        ),
        # Entered when it had passed already, for a day before that.
        ([REPORTED, ("due", "2022-10-01", NEXT, "2022-11")], NEITHER, NEITHER, MISSED, MISSED),
        # And replaced that day: it was overdue from its entry, or from a report, or never.
        *(
            ([*before, ("due", NEXT, NEXT, "2022-11"), *between, ("due", NEXT, NEXT, "2023-03")], *became)
            for before, between, became in (
                ([REPORTED], [], [NEITHER, NEITHER, NEITHER, MISSED]),
                ([], [("update", NEXT, NEXT, "on_track")], [NEITHER, NEITHER, NEITHER, MISSED]),
                ([], [("update", "2022-10-03", NEXT, "on_track")], [NEITHER, NEITHER, NEITHER, MISSED]),
                ([REPORTED, ("update", "2022-10-04", "2022-10-04", "closed")], [], [NEITHER] * 4),
                ([], [], [NEITHER] * 4),
            )
        ),
        # The date, or the report that its miss rests on, is withdrawn a day later, or just in time.
        (
            [AGREED, REPORTED, ("withdrawn", "", DAY_AFTER, "2022-11")],
            *["struck"] * 2,
            *["struck, missed"] * 2,
        ),
        ([AGREED, REPORTED, ("withdrawn", "", LAST_DAY, "2022-11")], *["struck"] * 4),
        (
            [AGREED, REPORTED, ("withdrawn", "", DAY_AFTER, "on_track")],
            NEITHER,
            NEITHER,
            *["struck, missed"] * 2,
        ),
        ([AGREED, REPORTED, ("withdrawn", "", LAST_DAY, "on_track")], NEITHER, NEITHER, SILENT, SILENT),
    ],
)
def test_what_became_of_a_date(rows, before, the_day, after, later):
    tell(rows)

    assert [judged(day) for day in (DAY_BEFORE, LAST_DAY, DAY_AFTER, NEXT)] == [before, the_day, after, later]


@pytest.mark.parametrize("status", ["on_track", "off_track"])
def test_a_report_entered_together_with_the_date_that_replaces_one_tells_of_no_day_on_which_it_was_late(
    status,
):
    tell([AGREED, ("update", NEXT, NEXT, status), ("due", NEXT, NEXT, "2023-03")], apart=TOGETHER)

    assert [judged(day) for day in (LAST_DAY, DAY_AFTER, NEXT)] == [NEITHER, SILENT, SILENT]


@pytest.mark.parametrize(("kind", "value"), [("due", "2023-06"), ("update", "closed")])
@pytest.mark.parametrize(("apart", "waiting"), [(TOGETHER, ["2023-03"]), (MOMENT, [])])
def test_a_proposal_is_ended_by_what_is_entered_after_it_and_not_together_with_it(
    kind, value, apart, waiting
):
    tell([AGREED, ("proposed", NEXT, NEXT, "2023-03"), (kind, NEXT, NEXT, value)], apart=apart)

    proposals = position(Action.objects.get()).proposals
    assert [line.row.due for line in proposals if line.is_waiting] == waiting


@pytest.mark.parametrize(("apart", "became"), [(TOGETHER, NEITHER), (MOMENT, MISSED)])
def test_a_date_is_not_late_on_account_of_the_entry_that_holds_the_one_after_it_too(apart, became):
    """As where somebody enters all that was agreed before there was a record."""
    first, second = ("due", "2022-10-01", NEXT, "2022-11"), ("due", "2022-11-15", NEXT, "2023-03")
    tell([REPORTED, first, second], apart=apart)

    assert judged(NEXT) == became


def test_of_two_dates_set_at_one_moment_the_one_entered_last_is_the_agreed_one():
    tell([AGREED, ("due", NEXT, NEXT, "2023-06"), ("due", NEXT, NEXT, "2023-03")], apart=TOGETHER)

    action = position(Action.objects.get())
    assert [line.row.due for line in action.dates] == ["2022-11", "2023-06", "2023-03"]
    assert action.due.row.due == DueDate.objects.agreed(on(WINTER)).first().due == "2023-03"


@pytest.mark.parametrize("due", ["2022~", "[2022-10-06..]"])
def test_a_date_without_a_last_day_is_never_missed_and_never_passes_in_silence(due):
    tell([("due", "2022-10-01", "2022-10-01", due), REPORTED])

    (action,) = progress_position(on(datetime.date(2030, 1, 1))).actions
    assert [(line.is_missed, line.passed_in_silence) for line in action.dates] == [(False, False)]


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2022-11", "2023-02", "3 months later than the first date"),
        ("2022-11?", "2026-07", "3 years 8 months later than the first date"),
        ("2023-01", "2024-02", "1 year 1 month later than the first date"),
        ("2024", "2027", "3 years later than the first date"),
        ("2024", "2023", "1 year earlier than the first date"),
        ("2025-03-18", "2025-04-05", "18 days later than the first date"),
        ("2025-03-18", "2025-03-17", "1 day earlier than the first date"),
        ("2025-03-18", "2026-04-18", "1 year 1 month later than the first date"),
        ("2025-03-18", "2026-04-25", "about 1 year 1 month later than the first date"),
        ("2025-03-18", "2025-05-10", "about 2 months later than the first date"),
        ("2025-03-31", "2025-05-01", "about 1 month later than the first date"),
        ("2025-01-01", "2025-02-16", "about 1 month later than the first date"),
        ("2025-01-01", "2025-02-17", "about 2 months later than the first date"),
        ("2024", "2025-04", "about 1 year 3 months later than the first date"),
        ("2024-06", "2027~", "about 2 years 7 months later than the first date"),
        ("2024", "2024-01-01", "about the same as the first date"),
        ("2024-06", "[..2025-01-01]", "slippage not computed, because a date has no first day"),
    ],
)
def test_slippage_is_told_in_years_and_months_and_as_about_so_long_where_it_is_no_more_exact(
    first, last, words
):
    assert slip_between(read_edtf(first), read_edtf(last)).words == words


@pytest.mark.parametrize("way", ["corrected", "withdrawn"])
def test_a_date_counts_no_more_once_its_agreement_was_put_right_and_did_before(way):
    action, chair = make_action(recorded_at=noon("2022-10-01")), make_user("Chair")
    first = make_due_date(action, "2023-03", dated="2022-10-01", by=chair, recorded_at=noon("2022-10-01"))
    asked = {"dated": "2022-11-01", "needs_decision": True, "recorded_at": noon("2022-11-01")}
    proposed = make_due_date(action, "2023-09", by=chair, **asked)
    agreed = make_decision(proposed, dated="2022-11-15", by=chair, recorded_at=noon("2022-11-15"))
    later = {"by": chair, "recorded_at": noon("2022-12-01")}
    if way == "corrected":
        make_decision(
            proposed, "refused", dated="2022-11-15", corrects=agreed, correction_reason="It was not", **later
        )
    else:
        add(agreed.withdrawal(by=chair, reason="It was not"), recorded_at=noon("2022-12-01"))

    def standing(at):
        return list(DueDate.objects.agreed(at).filter(action=action))

    day = datetime.date(2022, 11, 30)
    assert standing(on(day)) == [first]
    assert standing(on(day, end_of(day))) == [proposed, first]


def test_dates_to_come_are_in_the_order_of_the_last_day_that_each_may_mean():
    for ref, due in (("A01", "2023-03"), ("A02", "2023-03-15"), ("A03", "2023-02")):
        make_due_date(make_action(ref, agreed_on="2022-09-01"), due, dated="2022-10-01")
    upcoming = progress_position(on(LAST)).upcoming
    assert [action.ref for action in upcoming] == ["A03", "A02", "A01"]


def test_a_date_that_may_have_passed_is_never_the_next_one_and_is_named_beside_it():
    """Nobody can tell whether about 2021 is over, so it neither passes nor stands before what is to come."""
    dates = {
        "A01": "2021~",
        "A02": "[2022-10-06..]",
        "A03": "[..2023-03]",
        "A04": "2024~",
        "A05": "2022-12-31",
    }
    for ref, due in dates.items():
        make_due_date(make_action(ref, agreed_on="2022-09-01"), due, dated="2022-09-01")

    def told(day):
        (found,) = board_position(on(datetime.date.fromisoformat(day))).recommendations
        return [action.ref for action in found.upcoming], found.next_due_words

    both = "May have passed: about 2021 (A01); after 5 October 2022, exact date not stated (A02)"
    assert told("2022-10-06") == (
        ["A02", "A05", "A03", "A04"],
        "after 5 October 2022, exact date not stated (A02). May have passed: about 2021 (A01)",
    )
    assert told("2022-12-31") == (["A05", "A03", "A04"], f"31 December 2022 (A05). {both}")
    assert told("2023-01-01")[1] == f"March 2023 or earlier, exact date not stated (A03). {both}"
    assert told("2024-01-01") == (["A04"], f"about 2024 (A04). {both}")
    assert told("2024-01-02") == ([], f"{both}; about 2024 (A04)")
    for number in range(11, 15):
        make_due_date(make_action(f"A{number}", agreed_on="2022-09-01"), "2021~", dated="2022-09-01")
    assert told("2024-01-02")[1] == (
        "May have passed: about 2021 (A01); about 2021 (A11); about 2021 (A12); 4 more"
    )


def test_the_pages_say_of_a_date_without_a_last_day_that_it_may_have_passed(client):
    owner = make_user("Officers", "owner")
    make_due_date(make_action("A01", owner=owner, agreed_on="2022-09-01"), "2021~", dated="2022-09-01")
    finished = make_action("A02", agreed_on="2022-09-01")
    make_due_date(finished, "2021~", dated="2022-09-01")
    make_update(finished, "complete", by=make_user("Chair"))
    client.force_login(owner)
    told = "May have passed: it has no last day"
    pages = {
        address: words_of(client.get(address)) for address in ("/actions/", "/mine/", "/recommendations/1/")
    }
    assert {address: text.count(told) for address, text in pages.items()} == {
        "/actions/": 1,
        "/mine/": 1,
        "/recommendations/1/": 1,
    }
    assert "Next due May have passed: about 2021 (A01)" in pages["/recommendations/1/"]
    paper = words_of(client.get("/status/?annex"))
    assert (
        "No open action has a date that is sure to be still to come. May have passed: about 2021 (A01)"
        in paper
    )


def test_a_date_names_the_meeting_that_set_it_or_that_agreed_it(client):
    first, second = make_meeting("2022-10-04"), make_meeting("2022-11-15")
    action = make_action(agreed_on="2022-09-01")
    make_due_date(action, "2022-11", dated="2022-10-04", meeting=first)
    asked = make_due_date(action, "2023-03", dated="2022-11-10", needs_decision=True, reason_kind="resources")
    make_decision(asked, dated="2022-11-15", meeting=second)

    assert [line.meeting for line in position(action).ledger] == [first, second]
    client.force_login(make_user())
    page = words_of(client.get(f"/actions/{action.ref}/"))
    # In the table of its dates, and in its history.
    days = ("4 October 2022", "15 November 2022")
    assert [page.count(f"at the meeting of {day}") for day in days] == [2, 2]


def test_the_page_of_an_action_says_how_often_its_date_moved_and_for_which_reasons(client):
    action = make_action(agreed_on="2022-09-01")
    for due, kind in (
        ("2022-11", "first"),
        ("2022-12", "dependency"),
        ("2022-12-31", "scope"),  # the same last day: it moved nothing
        ("2023-01", "resources"),
        ("2023-02", "dependency"),
    ):
        make_due_date(action, due, dated="2022-10-04", reason_kind=kind)

    client.force_login(make_user())
    said = words_of(client.get(f"/actions/{action.ref}/"))
    assert (
        "Times the date moved 3: waiting on someone else (2 times), not enough people or money "
        "Each date, and what became of it"
    ) in said


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("[2022-10-06..]", "[2022-10-06..]", True),
        ("[2022-10-06..]", "[2022-10-07..]", False),
        ("[2022-10-06..]", "2022-12-31", False),
        ("2022-12", "2022-12-31", True),
        ("2022-12", "2022-12-30", False),
    ],
)
def test_two_dates_are_the_same_by_their_last_day_or_where_they_have_none_by_their_words(one, other, is_same):
    assert is_same_date(read_edtf(one), read_edtf(other)) is is_same
