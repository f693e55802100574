"""Every chart is numbers first: what a template draws is asserted here as positions."""

import datetime
from xml.etree import ElementTree

import pytest
from django.template.loader import render_to_string

from recommendations import charts
from recommendations.position import board_position
from recommendations.status import NOT_REPORTED, WORST_FIRST, Status
from recommendations.tests.factories import make_action, make_due_date, make_recommendation, make_update
from record.dates import read_edtf
from record.tests.factories import make_user, on
from visits.timeline import LABELS, WIDTH, Axis, Mark, TimelineItem, inspection_timeline, mark_of, timeline

pytestmark = pytest.mark.once

AS_AT = datetime.date(2022, 12, 31)
# One unit a day
AXIS = Axis(datetime.date(2021, 1, 1), datetime.date(2025, 1, 1), left=0, right=1461)


def drawn(name, **context):
    """The SVG of the chart ``name`` as parsed XML."""
    html = render_to_string(f"charts/{name}.html", context)
    return ElementTree.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])


@pytest.mark.parametrize(
    ("date", "shape", "x", "end"),
    [
        ("2022-01-01", "exact", 365, 369),
        ("2022-10-04/2022-10-05", "exact", 641, 645),
        ("2022-10-04?/2022-10-25?", "exact", 641, 663),
        ("2022-11", "within", 669, 699),
        ("2022-11?", "within", 669, 699),
        ("2022", "within", 365, 730),
        ("[2021-04..2021-12]", "within", 90, 365),
        ("2024~", "about", 1095, 1461),
        ("[2022-10-06..]", "after", 643, 679),
        ("[..2022-10-03]", "before", 605, 641),
    ],
)
def test_an_imprecise_date_is_drawn_over_every_day_it_may_mean(date, shape, x, end):
    mark = mark_of(read_edtf(date), AXIS)
    assert (mark.shape, mark.x, mark.end) == (shape, x, end)


def test_a_date_that_is_not_stated_is_not_drawn():
    assert mark_of(read_edtf(""), AXIS) == Mark("none", 0, 0)


def test_an_open_date_never_points_past_the_chart():
    assert mark_of(read_edtf("[2024-12-30..]"), AXIS).end == 1461
    assert mark_of(read_edtf("[..2021-01-05]"), AXIS).x == 0


def test_the_timeline_keeps_the_order_given_and_shows_a_gap_as_a_gap():
    entries = [
        TimelineItem("visit", "Monitoring visit 2", read_edtf("2022-10")),
        TimelineItem("gap", "Monitoring visits 3 and 4", None),
        TimelineItem("visit", "Monitoring visit 5", read_edtf("")),
    ]
    found = timeline(entries, as_at=AS_AT)
    assert [row.entry for row in found.rows] == entries
    assert [row.mark.shape for row in found.rows] == ["within", "gap", "gap"]
    assert [row.entry.words for row in found.rows] == ["October 2022", "no information held", "Not stated"]
    assert [(tick.label, tick.x) for tick in found.ticks] == [("2022", LABELS)]
    assert found.as_at_x == pytest.approx(WIDTH - (WIDTH - LABELS) / 365, abs=0.1)


def test_a_label_is_wrapped_and_never_cut():
    label = "First report by the DfE Improvement Adviser on BCP Council"
    (row,) = timeline([TimelineItem("report", label, read_edtf("2022-08"))], as_at=AS_AT).rows
    assert " ".join(line.text for line in row.lines) == label
    assert [line.y - row.y for line in row.lines] == [12, 27]


def test_words_that_would_run_off_the_chart_stand_before_their_mark():
    entries = [
        TimelineItem("visit", "A", read_edtf("2022-01")),
        TimelineItem("visit", "B", read_edtf("2022-12")),
    ]
    early, late = timeline(entries, as_at=AS_AT).rows
    assert (early.words_end, early.words_at) == (False, early.mark.end + 6)
    assert (late.words_end, late.words_at) == (True, late.mark.x - 6)


def test_the_strip_has_a_cell_for_each_action_worst_first(db):
    recommendation = make_recommendation(1)
    late = make_action("A02", recommendation)
    make_due_date(late, "2022-11")
    make_update(make_action("A01", recommendation), Status.ON_TRACK)
    make_update(make_action("A03", recommendation), Status.OFF_TRACK)
    overdue = make_action("A04", recommendation)
    make_due_date(overdue, "2022-11")
    make_update(overdue, Status.ON_TRACK)
    (found,) = board_position(on(AS_AT)).recommendations
    strip = charts.strip(found.actions)
    assert [(c.ref, c.status, c.is_overdue, c.is_silent, c.x, c.y) for c in strip.cells] == [
        ("A03", Status.OFF_TRACK, False, False, 0, 0),
        ("A02", NOT_REPORTED, False, True, 16, 0),
        ("A04", Status.ON_TRACK, True, False, 32, 0),
        ("A01", Status.ON_TRACK, False, False, 48, 0),
    ]
    said = "A03 Off track; A02 Not yet reported, date passed; A04 On track, overdue; A01 On track"
    assert strip.words == said
    assert (strip.width, strip.height) == (64, 19)
    assert drawn("strip", strip=strip)[1].text == strip.words


def test_a_long_strip_wraps(db):
    for number in range(1, 20):
        make_action(f"A{number:02}")
    (found,) = board_position(on(AS_AT)).recommendations
    strip = charts.strip(found.actions)
    assert (strip.width, strip.height) == (128, 57)
    assert [(c.x, c.y) for c in strip.cells[7:10]] == [(112, 0), (0, 19), (16, 19)]


def test_month_ends_are_the_last_days_of_months_and_then_the_day():
    assert charts.month_ends(datetime.date(2022, 3, 5), 4) == (
        datetime.date(2021, 12, 31),
        datetime.date(2022, 1, 31),
        datetime.date(2022, 2, 28),
        datetime.date(2022, 3, 5),
    )


def test_months_stack_the_worst_lowest_and_fill_the_scale():
    day = datetime.date(2022, 11, 30)
    chart = charts.draw_months([(day, {Status.ON_TRACK: 3, Status.OFF_TRACK: 1})])
    (month,) = chart.months
    assert [(s.status, s.count, s.y, s.height) for s in month.segments] == [
        (Status.OFF_TRACK, 1, 120.5, 37.5),
        (Status.ON_TRACK, 3, 8, 112.5),
    ]
    assert [(tick.label, tick.x) for tick in chart.scale] == [
        ("0", 158),
        ("1", 120.5),
        ("2", 83),
        ("3", 45.5),
        ("4", 8),
    ]
    assert [line.status for line in chart.key] == [Status.ON_TRACK, Status.OFF_TRACK]


def test_a_board_without_actions_has_months_of_nothing():
    chart = charts.draw_months([(datetime.date(2022, 11, 30), {})])
    assert (chart.key, chart.months[0].segments, chart.months[0].total) == ((), (), 0)


def test_each_month_counts_what_stood_at_its_end(db, django_assert_num_queries):
    action = make_action("A01")
    make_action("A02", agreed_on="2022-11-15")
    make_update(action, Status.ON_TRACK, dated="2022-10-20")
    make_update(action, Status.AT_RISK, dated="2022-12-01")
    with django_assert_num_queries(1):
        chart = charts.monthly_statuses(on(AS_AT), months=4)
    assert [month.counts for month in chart.months] == [
        {},
        {Status.ON_TRACK: 1},
        {Status.ON_TRACK: 1, NOT_REPORTED: 1},
        {Status.AT_RISK: 1, NOT_REPORTED: 1},
    ]
    assert [(line.status, line.counts) for line in chart.key] == [
        (Status.ON_TRACK, (0, 1, 1, 0)),
        (NOT_REPORTED, (0, 0, 1, 1)),
        (Status.AT_RISK, (0, 0, 0, 1)),
    ]


def test_every_status_has_a_pattern_of_its_own():
    patterns = {
        render_to_string("charts/_pattern.html", {"status": s}).replace(f"fill-{s}", "") for s in WORST_FIRST
    }
    assert len(patterns) == len(WORST_FIRST)


def test_slippage_runs_from_the_first_date_to_the_present_one(db):
    officer = make_user("Officers")
    moved, stayed = make_action("A01"), make_action("A02")
    make_due_date(stayed, "2023-03")
    make_due_date(moved, "2022-11")
    make_due_date(moved, "2023-02", dated="2022-11-10", reason_kind="resources")
    make_due_date(moved, "2023-06", dated="2022-12-10", reason_kind="resources")
    make_due_date(moved, "2023-09", by=officer, dated="2022-12-20", needs_decision=True)
    chart = charts.slippage(board_position(on(AS_AT)))
    (row,) = chart.rows
    axis = Axis(datetime.date(2022, 1, 1), datetime.date(2024, 1, 1), left=52)
    assert row.action.ref == "A01"
    assert row.first.x == axis.at(datetime.date(2022, 11, 1))
    assert [mark.x for mark in row.between] == [axis.at(datetime.date(2023, 2, 1))]
    assert row.last.end == axis.at(datetime.date(2023, 7, 1))
    assert (row.starts, row.ends) == (row.first.end, row.last.x)


def test_slippage_starts_from_the_date_that_the_words_start_from(db):
    """One entered later for an earlier day stands beside the first one, and does not take its place."""
    action = make_action("A01")
    make_due_date(action, "2023-03", dated="2022-11-01")
    make_due_date(action, "2022-12", dated="2022-10-01")
    make_due_date(action, "2023-06", dated="2022-11-10", reason_kind="resources")
    (row,) = charts.slippage(board_position(on(AS_AT))).rows
    assert row.action.ledger_words.startswith("March 2023 → June 2023: second date")
    axis = Axis(datetime.date(2022, 1, 1), datetime.date(2024, 1, 1), left=52)
    assert (row.first.x, row.between) == (axis.at(datetime.date(2023, 3, 1)), ())
    assert row.last.end == axis.at(datetime.date(2023, 7, 1))


def test_no_chart_needs_an_inline_style_or_a_script(db):
    make_due_date(make_action("A01"), "2022-11")
    make_due_date(board_action(), "2023-02", dated="2022-11-10")
    board = board_position(on(AS_AT))
    shown = [
        drawn("timeline", timeline=inspection_timeline(board.inspections, as_at=AS_AT)),
        drawn("months", months=charts.monthly_statuses(on(AS_AT))),
        drawn("strip", strip=charts.strip(board.actions)),
    ]
    for svg in shown:
        assert svg.get("role") == "img"
        assert [child.tag for child in svg][:2] == ["title", "desc"]
        assert not [part for part in svg.iter() if part.get("style") or part.tag in ("style", "script")]


def board_action():
    from recommendations.models import Action

    return Action.objects.get(ref="A01")
