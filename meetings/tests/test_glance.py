"""The four cells of the first page, and its line for each recommendation."""

import datetime
import re

import pytest
from django.utils import timezone

from meetings.changes import changes_since
from meetings.decided import agenda
from meetings.papers import glance_of
from meetings.publishing import freeze
from meetings.tests.test_paper_page import render
from recommendations.models import Action
from recommendations.position import board_position
from recommendations.status import Status
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_due_date,
    make_recommendation,
    make_update,
)
from record.held import meetings_held, next_meeting
from record.signing import signature
from record.tests.factories import make_meeting, make_user, noon, on
from visits.tests.factories import make_area, make_judgement, make_visit

pytestmark = [pytest.mark.django_db, pytest.mark.once]

TODAY = datetime.date(2022, 12, 31)
BEFORE, SINCE = (datetime.datetime(2022, *day, 12, tzinfo=datetime.UTC) for day in ((11, 1), (12, 5)))


def seen(day=TODAY):
    """The Glance on ``day``."""
    at = on(day)
    board, earlier = board_position(at), meetings_held(at)
    before = earlier[0] if earlier else None
    changes = changes_since(board, earlier)
    coming = next_meeting(at)
    decisions = agenda(coming, board, at).decisions
    return glance_of(board, changes=changes, before=before, coming=coming, decisions=decisions)


def test_where_nothing_is_recorded_every_cell_says_so():
    assert [(cell.heading, cell.lines) for cell in seen().cells] == [
        ("No judgement held", ("No graded inspection is on the board on this day.", "No source is held.")),
        ("No critical recommendation", ("None is marked critical on this day.",)),
        ("Since the last meeting", ("No meeting had been held by this day, so nothing can be compared.",)),
        ("No next meeting recorded", ("No decisions waiting.",)),
    ]


def test_a_meeting_that_was_cancelled_is_said_to_be_where_it_was_looked_for():
    make_meeting("2022-12-20", state="cancelled")
    assert seen().coming.lines == ("No decisions waiting.",)
    make_meeting("2023-01-17", state="cancelled")
    make_meeting("2023-02-14", state="cancelled")
    gone = "That of 17 January 2023 was cancelled."
    assert (seen().coming.heading, seen().coming.lines[0]) == ("No next meeting recorded", gone)
    make_meeting("2023-02-21")
    assert (seen().coming.heading, seen().coming.lines[0]) == ("21 February 2023: no decisions", gone)
    make_meeting("2023-01-16")
    assert seen().coming.heading == "16 January 2023: no decisions"
    assert gone not in seen().coming.lines
    assert seen(datetime.date(2023, 1, 17)).coming.lines[0] == gone


def test_the_judgement_held_is_dated_and_an_inspection_without_an_overall_grade_is_given_none():
    visit = make_visit("full-1", "full", dates="2021-12")
    make_judgement(visit, "good", make_area("leaders", "Leaders"))
    assert seen().judgement.heading == "No overall grade held"
    make_judgement(visit, "inadequate", make_area("overall", "Overall effectiveness"))
    judgement = seen().judgement
    assert (judgement.heading, judgement.lines[0]) == (
        "Inadequate",
        "Ofsted, December 2021: the latest judgement held.",
    )


def test_the_critical_recommendation_is_late_off_track_or_cannot_be_judged_and_says_what_hangs_on_it():
    critical = make_recommendation(6, is_critical=True, consequence="The trust question.")
    said = []

    def note():
        (cell,) = seen().critical
        said.append((cell.heading, *cell.lines))

    note()
    action = make_action("A01", critical)
    note()
    make_due_date(action, "2022-11")
    note()
    make_update(make_action("A02", critical), "off_track")
    note()
    make_update(action, "on_track")
    note()
    assert said == [
        ("Critical: recommendation 6 has no action", "What hangs on it: The trust question."),
        ("Critical: recommendation 6 is not yet reported on", "What hangs on it: The trust question."),
        (
            "Critical: recommendation 6 cannot be judged",
            "1 date has passed without a report.",
            "What hangs on it: The trust question.",
        ),
        (
            "Critical: recommendation 6 is off track",
            "A02 is off track.",
            "Of the rest it cannot be told: 1 date has passed without a report.",
            "What hangs on it is nearer: The trust question.",
        ),
        (
            "Critical: recommendation 6 is late",
            "A01 is overdue (due November 2022), and 1 more is overdue or off track.",
            "What hangs on it is nearer: The trust question.",
        ),
    ]


def test_a_new_date_does_not_hide_that_a_critical_recommendations_dates_were_missed():
    critical = make_recommendation(6, is_critical=True, consequence="The trust question.")
    action = make_action("A01", critical)
    make_due_date(action, "2022-11", dated="2022-11-01")
    make_update(action, "on_track", dated="2022-11-20")
    late = seen().critical[0]
    make_due_date(action, "2023-06", dated="2022-12-20", reason_kind="resources")
    moved = seen().critical[0]
    assert [(cell.heading, *cell.lines) for cell in (late, moved)] == [
        (
            "Critical: recommendation 6 is late",
            "A01 is overdue (due November 2022).",
            "What hangs on it is nearer: The trust question.",
        ),
        (
            "Critical: recommendation 6 has an action on track, at worst",
            "Deadlines missed: 1.",
            "What hangs on it: The trust question.",
        ),
    ]


def test_a_critical_recommendation_that_nothing_endangers_says_its_worst_status():
    critical = make_recommendation(6, is_critical=True, consequence="The trust question.")
    make_update(make_action("A01", critical), "at_risk")
    assert seen().critical[0].heading == "Critical: recommendation 6 has an action at risk, at worst"


def test_worse_and_better_count_actions_reported_at_both_ends_and_the_rest_of_the_open_are_told():
    officer = make_user("Officers")
    make_meeting("2022-11-22")
    make_meeting("2023-01-17", papers_due_on="2023-01-10")
    reports = {
        "A01": ("on_track", "off_track"),
        "A02": ("off_track", "on_track"),
        "A03": ("done", "complete"),
        "A04": ("on_track", None),
        "A05": (None, "at_risk"),
        # On track at both ends, and newly overdue.
        "A06": ("on_track", None),
    }
    actions = {ref: make_action(ref, recorded_at=BEFORE) for ref in reports}
    make_due_date(actions["A06"], "2022-12-01", recorded_at=BEFORE)
    for number, (recorded_at, dated) in enumerate(((BEFORE, "2022-11-01"), (SINCE, "2022-12-05"))):
        for ref, said in reports.items():
            if said[number]:
                make_update(actions[ref], said[number], dated, by=officer, recorded_at=recorded_at)

    now = seen()
    assert (now.since.heading, now.since.lines) == (
        "Since 22 November 2022",
        ("2 actions worse, 2 better. 3 of 5 open actions reported, 2 not.",),
    )
    assert (now.coming.heading, now.coming.lines) == (
        "17 January 2023: 1 decision",
        ("1 late without a new date.", "Papers go out on 10 January 2023."),
    )
    (line,) = now.lines
    assert (now.compared, line.change_words) == ("Since 22 Nov", "Worse, 1 first report")


def test_decisions_wanted_are_counted_by_kind():
    make_meeting("2023-01-17")
    for ref, status in (("A01", "done"), ("A02", "done"), ("A03", "on_track")):
        make_update(make_action(ref), status)
    make_due_date(Action.objects.get(ref="A03"), by=make_user("Officers"), needs_decision=True)
    coming = seen().coming
    assert (coming.heading, coming.lines) == ("17 January 2023: 3 decisions", ("1 date, 2 completions.",))


def test_a_line_says_the_adviser_the_dates_passed_and_in_a_sentence_what_the_shapes_show():
    first, second, third = (make_recommendation(number) for number in (1, 2, 3))
    make_assessment(first, Status.AT_RISK, dated="2022-08-11")
    make_assessment(second, Status.ON_TRACK, dated="2022-08", whose="board")
    for ref, status in (("A01", "off_track"), ("A02", None), ("A03", "on_track"), ("A04", "on_track")):
        action = make_action(ref, first)
        if ref != "A04":
            make_due_date(action, "2022-11")
        if status:
            make_update(action, status)
    for number in range(10, 24):
        action = make_action(f"A{number}", second)
        if number < 12:
            make_due_date(action, "2022-11")

    lines = seen().lines
    assert [line.recommendation.adviser_words for line in lines] == [
        "At risk, Aug 2022",
        "Not assessed",
        "Not assessed",
    ]
    assert [line.recommendation.past_words for line in lines] == ["2 late, 1 silent", "2 silent", "None"]
    assert [line.recommendation.in_words for line in lines] == [
        "1 off track; 1 not yet reported; 2 on track; A01, A02 and A03 past their date",
        "14 not yet reported; A10 and A11 past their date",
        "No action",
    ]
    assert [line.strip and len(line.strip.cells) for line in lines] == [4, None, 0]
    assert {line.change_words for line in lines} == {""}


def test_the_key_says_since_when_what_a_phone_calls_the_change_is_told(client):
    held = timezone.localdate() - datetime.timedelta(days=30)
    make_meeting(held)
    make_recommendation(1)
    client.force_login(make_user("Board members"))
    page = client.get("/").content.decode()
    heading = f"Since {held.day} {held:%b}"
    assert f'<th scope="col">{heading}</th>' in page
    # On a phone, where the heading would not fit beside each, the key says both.
    assert '<td data-label="Change">' in page
    assert f"<strong>Change since {held.day} {held:%b}:</strong>" in page


def test_what_changed_is_headed_by_what_it_is_compared_with(db):
    def headings():
        return re.findall(r'<h2 id="paper-changed">([^<]*)</h2>', render().decode())

    assert headings() == ["What changed since the last meeting"]
    meeting = make_meeting("2022-11-20")
    assert headings() == ["What changed since 20 November 2022"]
    by = make_user("Secretariat")
    freeze(meeting, None, by=by, signed=signature(by), now=noon("2022-11-10"), reason="")
    assert headings() == ["What changed since the paper of 10 November 2022"]
