"""The paper tells the board what the last meeting decided and what became of it, each thing once."""

import datetime

import pytest

from meetings import papers
from meetings.publishing import freeze
from meetings.tests.factories import make_late_note, make_outcome
from meetings.tests.test_paper_page import text_of
from recommendations.tests.factories import (
    make_action,
    make_decision,
    make_due_date,
    make_send_back,
    make_update,
)
from record.as_at import AsAt
from record.signing import signature
from record.tests.factories import make_meeting, make_user, noon

pytestmark = pytest.mark.django_db
HELD, TODAY = "2022-11-22", datetime.date(2022, 12, 15)
HEADING = "What the meeting of 22 November 2022 decided, and what became of it"
NEXT = "What changed since"


@pytest.fixture
def meeting():
    return make_meeting(HELD, asks=["Agree the plan", "Note the letter"])


@pytest.fixture
def at_it(meeting):
    """What every decision made at the meeting has in common."""
    return {"dated": HELD, "meeting": meeting, "by": make_user("Chair"), "recorded_at": noon(HELD)}


@pytest.fixture
def actions():
    return [make_action(f"A{n:02}", recorded_at=noon("2022-10-01")) for n in range(1, 9)]


def told(*, day=TODAY, known=None):
    """What the paper says of the last meeting, and the whole of what it says."""
    paper = papers.status_paper(AsAt(TODAY, day, known), meeting=None)
    text = text_of(papers.render_paper(paper)).replace(" :", ":")
    return text.partition(f" {HEADING} ")[2].partition(f" {NEXT} ")[0], text


def said_on(day):
    return {"dated": day, "recorded_at": noon(day)}


def proposed(action, due, day="2022-11-01"):
    said = {"reason_kind": "resources", "reason": f"Why {due}", "needs_decision": True}
    return make_due_date(action, due, **said_on(day), **said)


def test_each_kind_of_decision_is_told_with_what_became_of_it(meeting, at_it, actions):
    a01, a02, a03, a04, a05, a06, a07, _ = actions
    first, before, since = (said_on(day) for day in ("2022-10-05", "2022-11-01", "2022-12-01"))
    make_due_date(a01, "2023-03", **first)
    late = make_due_date(a06, "2022-10", **first)
    make_update(a06, "on_track", **first)
    make_update(a07, "complete", **first)
    dates = proposed(a01, "2098-06"), proposed(a02, "2098-07")
    reports = [make_update(action, "done", **before) for action in (a03, a04, a05)]

    make_decision(dates[0], reason="Once only", **at_it)
    make_decision(dates[1], "refused", reason="Too late", **at_it)
    make_update(a03, "complete", **at_it, recheck_on=datetime.date(2098, 1, 1))
    by_when = {"wanted_by": datetime.date(2022, 12, 1)}
    make_send_back(reports[1], wanted="The audit", **by_when, **at_it)
    make_send_back(reports[2], wanted="The rota", **by_when, **at_it)
    make_late_note(late, words="Report in May", **at_it)
    make_update(a07, "off_track", **at_it)
    arisen = {"agreed_on": HELD, "recorded_at": noon(HELD)}
    a09, a10 = make_action("A09", **arisen), make_action("A10", **arisen)
    make_due_date(a09, "2098-04", **at_it)
    make_outcome(meeting.asks.first(), "deferred", words="Until May", **at_it)

    proposed(a02, "2098-05", "2022-12-01")
    make_update(a05, "done", **since)
    make_update(a10, "on_track", **since)

    section, whole = told()
    assert section == (
        "What it was asked: 2. To decide: Agree the plan. Deferred: Until May. Of the others no outcome is "
        "recorded. "
        "Dates agreed: 1. A01 Title of A01: June 2098 instead of March 2023. Not enough people or money. Why "
        "2098-06. Once only. "
        "Proposed dates refused: 1. A02 Title of A02: July 2098. Too late. May 2098 is asked for now. "
        "Accepted or closed: 1. A03 Title of A03: complete, evidenced. "
        "Sent back for evidence: 2. A04: not answered in time, see above. A05 Title of A05: Wanted: "
        "The rota. Reported since: done, evidence awaited, 1 December 2022. "
        "Found not to have held: 1. A07: has not held: off track. "
        "Late, and no new date set: 1. A06: due October 2022. Report in May. No new date since. "
        "Actions arising: 2. A09 Title of A09: Director, due April 2098; nothing reported yet. A10 Title of "
        "A10: Director, no date set; on track, 1 December 2022."
    )
    # What is told there is told nowhere else.
    words = ("Why 2098-06", "Too late", "Until May", "Once only", "The audit", "Report in May")
    assert [whole.count(each) for each in words] == [1] * len(words)
    assert ("Due dates set or moved" in whole, whole.count("Proposed dates refused")) == (False, 1)


def test_a_date_that_another_way_moved_is_told_apart_and_one_that_moved_again_says_so(
    meeting, at_it, actions
):
    a01, a02, *_ = actions
    for action in (a01, a02):
        make_due_date(action, "2098-03", **said_on("2022-10-05"))
    proposal = proposed(a01, "2098-06")
    by = make_user("Secretariat")
    # What it had before it, so that what it decided itself is among what moved since.
    freeze(meeting, None, by=by, signed=signature(by), now=noon("2022-11-15"), reason="")
    make_decision(proposal, **at_it)
    later = said_on("2022-12-01")
    make_due_date(a02, "2098-08", **later)
    section, whole = told()
    assert "A01 Title of A01: June 2098 instead of March 2098." in section
    assert "Due dates set or moved otherwise: 1 A02" in whole
    assert whole.count("Why 2098-06") == 1

    make_due_date(a01, "2098-09", **later)
    section, whole = told()
    assert section.endswith("Now due September 2098.")
    assert "Due dates set or moved otherwise: 2 A01" in whole


def test_what_was_recorded_after_the_moment_that_it_knows_is_not_on_it(meeting, at_it, actions):
    made_later = at_it | {"recorded_at": noon("2022-12-10")}
    make_decision(proposed(actions[0], "2098-06"), **made_later)
    for ask in meeting.asks.all():
        make_outcome(ask, words="In full", **made_later)

    day = datetime.date(2022, 12, 1)
    nothing = "Nothing is recorded as decided at it, and no action arose. "
    asked = "What it was asked: 2. No outcome is recorded."
    assert told(day=day, known=noon("2022-12-01"))[0] == f"{nothing}{asked}"
    assert told()[0].count("In full") == 2
    assert "Dates agreed: 1. A01" in told(day=day)[0]


def test_what_was_put_right_by_then_is_told_as_it_stands(meeting, at_it, actions):
    proposal = proposed(actions[0], "2098-06")
    wrong = make_decision(proposal, **at_it)
    right = at_it | {"recorded_at": noon("2022-11-30"), "correction_reason": "A slip"}
    make_decision(proposal, "refused", reason="Too late", corrects=wrong, **right)

    assert "Dates agreed: 1." in told(day=datetime.date(2022, 11, 25), known=noon("2022-11-25"))[0]
    section, _ = told()
    assert ("Dates agreed" in section, "Proposed dates refused: 1. A01" in section) == (False, True)


def test_before_any_meeting_nothing_is_said_of_one():
    make_action("A01")
    assert "decided, and what became of it" not in told()[1]


@pytest.mark.parametrize("count", [1, 4])
def test_it_costs_the_same_however_much_was_decided(
    meeting, at_it, actions, count, django_assert_num_queries
):
    for proposal in [proposed(action, "2098-06") for action in actions[:count]]:
        make_decision(proposal, **at_it)
    for ask in list(meeting.asks.all())[:count]:
        make_outcome(ask, **at_it)
    with django_assert_num_queries(57):
        told()
