"""What was on the board of inspections on a day, and in what order."""

import datetime

import pytest

from record.dates import read_edtf
from record.tests.factories import make_document, on, saved
from visits.models import Event
from visits.position import inspection_position
from visits.tests.factories import make_area, make_finding, make_judgement, make_visit
from visits.timeline import (
    LABELS,
    LETTER,
    LINE,
    WIDTH,
    Row,
    axis_over,
    inspection_timeline,
    mark_of,
)

TODAY = datetime.date(2026, 11, 22)


def numbered(number, dates="", published="2022-08", **fields):
    """A monitoring visit with a document of its own."""
    document = make_document(f"of-{number}", published=published)
    return make_visit(f"visit-{number}", number=number, dates=dates, document=document, **fields)


def slugs_on(day=TODAY):
    return [visit.slug for visit in inspection_position(on(day)).ofsted_visits]


def rows_on(day=TODAY):
    """The visits by number with the words of the gap before each."""
    return [(v.number, gap and gap.words) for v, gap in inspection_position(on(day)).visits_and_gaps]


@pytest.mark.django_db
def test_a_visit_of_today_is_the_newest_though_an_earlier_one_has_no_date():
    numbered(5, published="2024~")
    make_visit("full", kind="full", dates="2026-11")
    position = inspection_position(on(TODAY))
    assert [visit.slug for visit in position.ofsted_visits] == ["visit-5", "full"]
    assert position.latest_visit.slug == "full"
    assert inspection_position(on(datetime.date(2026, 10, 31))).latest_visit.slug == "visit-5"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("visits", "order"),
    [
        # (number, dates, its document's date): by date, else by the document’s.
        ([(1, "2022-06", "2024"), (2, "", "2023"), (3, "2024-02", "2022")], [1, 2, 3]),
        # A late document does not move the second after the third, nor an early one before the first.
        ([(1, "2022-06", "2022"), (2, "", "2026"), (3, "2024-02", "2024")], [1, 2, 3]),
        ([(1, "2022-06", "2022"), (2, "", "2019"), (3, "2024-02", "2024")], [1, 2, 3]),
        # Two without a date stay in the order of their numbers, whatever their documents.
        ([(1, "", "2024"), (2, "", "2023"), (3, "2024-02", "2024")], [1, 2, 3]),
        # Dates that are stated come before numbers.
        ([(1, "2024-02", "2024"), (2, "2022-06", "2022")], [2, 1]),
    ],
)
def test_visits_are_in_the_order_of_their_dates_and_one_without_in_that_of_its_number(visits, order):
    for number, dates, published in visits:
        numbered(number, dates, published)
    assert [visit.number for visit in inspection_position(on(TODAY)).ofsted_visits] == order


@pytest.mark.django_db
def test_a_visit_without_a_date_does_not_come_before_one_of_another_kind_because_of_a_lower_number():
    numbered(2, "2022-10")
    make_visit("full", kind="full", dates="2023-03")
    numbered(3, published="2024")
    assert slugs_on() == ["visit-2", "full", "visit-3"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (["concern", "concern", "concern", "strength"], ["F01", "F02", "F04"]),
        (["concern", "concern", "concern", "concern"], ["F01", "F02", "F03"]),
        (["concern", "strength", "strength", "context"], ["F01", "F02", "F03"]),
        (["context"], ["F01"]),
    ],
)
def test_of_what_a_visit_found_three_are_shown_first_and_a_strength_among_them(found, shown):
    visit = make_visit()
    for number, kind in enumerate(found, 1):
        make_finding(f"F{number:02}", visit=visit, kind=kind)
    (read,) = inspection_position(on(TODAY)).ofsted_visits
    assert [finding.ref for finding in read.voices.first_three] == shown


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("visits", "rows"),
    [
        (
            [(1, "2022-06"), (2, "2022-10"), (5, "2024")],
            [(1, None), (2, None), (5, "Monitoring visits 3 and 4")],
        ),
        ([(2, "2022-06"), (4, "2022-10")], [(2, "Monitoring visit 1"), (4, "Monitoring visit 3")]),
        ([(1, "2022-06"), (2, "2022-10"), (3, "2023")], [(1, None), (2, None), (3, None)]),
        # The third was before the second, and none is missing.
        ([(1, "2022-06"), (2, "2023"), (3, "2022-10")], [(1, None), (3, None), (2, None)]),
        # A visit that is not numbered says nothing of others.
        ([(0, "2021"), (1, "2022-06"), (2, "2023")], [(0, None), (1, None), (2, None)]),
    ],
)
def test_a_gap_stands_before_the_visit_that_shows_it_and_nowhere_else(visits, rows):
    for number, dates in visits:
        numbered(number, dates)
    make_visit("elsewhere", authority="Dorset Council", number=9)
    make_visit("diagnostic", kind="diagnostic", number=7)
    assert rows_on() == rows
    gaps = [gap.words for gap in inspection_position(on(TODAY)).gaps]
    assert gaps == [words for _, words in rows if words]


@pytest.mark.django_db
def test_the_judgement_held_last_is_that_of_the_latest_graded_inspection():
    area = make_area("overall", "Overall effectiveness")
    for slug, dates, published, grade in (
        ("old", "2021-12", "2022-02", "inadequate"),
        ("new", "2024-12", "2025-01", "good"),
    ):
        make_judgement(make_visit(slug, kind="full", dates=dates, published=published), grade, area)
    make_visit("later", dates="2025-06")
    by_day = {
        day: [visit.slug for visit in inspection_position(on(day)).inspected]
        for day in (
            datetime.date(2022, 1, 31),
            datetime.date(2022, 2, 1),
            datetime.date(2024, 12, 31),
            datetime.date(2025, 1, 1),
        )
    }
    # Inspected in December, an authority has its old grade until the new one is published.
    assert list(by_day.values()) == [[], ["old"], ["old"], ["new", "old"]]
    assert inspection_position(on(TODAY)).latest_graded.overall.grade == "good"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("visit", "is_there"),
    [
        # From the first day of its visit, whenever its document came out.
        ({"dates": "2022-10-04/2022-10-05"}, {"2022-10-03": False, "2022-10-04": True, "2022-10-05": True}),
        ({"dates": "2020"}, {"2019-12-31": False, "2020-01-01": True}),
        # From its document where the visit has no date, or there is no visit.
        ({"dates": ""}, {"2023-02-28": False, "2023-03-01": True}),
        (None, {"2023-02-28": False, "2023-03-01": True}),
    ],
)
def test_a_finding_counts_from_the_first_day_of_its_visit(visit, is_there):
    document = make_document("letter", published="2023-03")
    made = make_visit("visit", document=document, **visit) if visit else None
    make_finding("F01", visit=made, document=document)
    days = {day: datetime.date.fromisoformat(day) for day in is_there}
    found = {day: "F01" in inspection_position(on(moment)).findings for day, moment in days.items()}
    assert found == is_there


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("published", "is_there"),
    [
        ("2022-02-14", {"2022-02-13": False, "2022-02-14": True}),
        ("", {"2023-02-28": False, "2023-03-01": True}),
    ],
)
def test_a_judgement_counts_from_its_publication_else_from_its_document(published, is_there):
    document = make_document("letter", published="2023-03")
    make_judgement(make_visit("full", kind="full", dates="2021-12", published=published, document=document))
    found = {
        day: bool(inspection_position(on(datetime.date.fromisoformat(day))).inspected) for day in is_there
    }
    assert found == is_there


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("event", "is_there"),
    [
        # Foretold, it is known from the report that names it; past, from when it was.
        ({"date": "2023-05"}, {"2022-07-31": False, "2022-08-01": True}),
        ({"date": "2019-04"}, {"2019-03-31": False, "2019-04-01": True}),
        ({"date": ""}, {"2022-07-31": False, "2022-08-01": True}),
        ({"date": "2019-04", "kind": "forecast"}, {"2022-07-31": False, "2022-08-01": True}),
    ],
)
def test_an_event_is_there_from_its_date_or_from_the_document_that_foretells_it(event, is_there):
    with saved():
        Event.objects.create(ref="E01", text="It", document=make_document(), reference="p1", **event)
    found = {day: bool(inspection_position(on(datetime.date.fromisoformat(day))).events) for day in is_there}
    assert found == is_there


def drawn(day=TODAY):
    """{label: the row of the timeline} on a day."""
    return {row.entry.label: row for row in inspection_timeline(inspection_position(on(day)), as_at=day).rows}


@pytest.mark.django_db
def test_a_gap_on_the_timeline_lies_between_its_neighbours_and_one_without_a_date_after_its_lower_one():
    numbered(2, "2022-10-04/2022-10-05")
    numbered(5, published="2024~")
    numbered(7, "2025-06")
    rows = drawn()
    second, gap, fifth, later_gap, seventh = (
        rows[label]
        for label in (
            "Monitoring visit 2",
            "Monitoring visits 3 and 4",
            "Monitoring visit 5",
            "Monitoring visit 6",
            "Monitoring visit 7",
        )
    )
    assert list(rows)[0] == "Monitoring visit 1"
    assert second.mark.x <= gap.mark.x <= second.mark.end
    assert gap.mark.end <= seventh.mark.x
    assert fifth.mark.shape == "gap"
    assert second.mark.x <= fifth.mark.x < fifth.mark.end <= seventh.mark.end
    assert later_gap.mark.end <= seventh.mark.end
    assert fifth.entry.words == "Not stated, reported about 2024"


@pytest.mark.django_db
def test_a_visit_without_a_date_is_drawn_from_the_last_day_that_the_one_below_it_may_have_been():
    numbered(2, "2022")
    numbered(3, published="2024~")
    rows = drawn()
    before, undated = rows["Monitoring visit 2"].mark, rows["Monitoring visit 3"].mark

    assert before.width > 20
    assert undated.x == pytest.approx(before.end, abs=0.5)


@pytest.mark.django_db
@pytest.mark.parametrize("published", ["2019~", "2024~", "2026-11", "[2026-10..]", "2026-11-22"])
def test_the_words_of_a_date_lie_within_the_axis(published):
    numbered(3, published=published)
    with saved():
        document = make_document("of-3")
        Event.objects.create(ref="E01", kind="forecast", text="It", document=document, reference="p1")
    for label, row in drawn().items():
        length = LETTER * len(row.entry.words)
        left = row.words_at - length if row.words_end else row.words_at
        assert (label, left >= LABELS, left + length <= WIDTH) == (label, True, True)


@pytest.mark.django_db
@pytest.mark.parametrize(("is_narrow", "width"), [(False, 720), (True, 340)])
def test_rows_of_a_timeline_stand_apart_whatever_its_width(is_narrow, width):
    numbered(2, "2022-10-04/2022-10-05")
    numbered(5, published="2024~")
    position = inspection_position(on(TODAY))
    drawing = inspection_timeline(position, as_at=TODAY, is_narrow=is_narrow)
    assert (drawing.width, drawing.is_narrow) == (width, is_narrow)
    for before, row in zip(drawing.rows, drawing.rows[1:], strict=False):
        words_begin = row.lines[0].y - LINE
        assert words_begin >= (before.bottom if is_narrow else before.lines[-1].y) - 1
        assert row.top >= (row.lines[-1].y if is_narrow else words_begin)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("published", "after"),
    [
        ("2022-07-12", "Monitoring visit 3"),
        ("2022-05-20", "Monitoring visit 2"),
        # Never before the visit itself, whatever is said of it.
        ("2022-04-01", "Monitoring visit 2"),
        ("[..2022-08]", "Monitoring visit 2"),
    ],
)
def test_what_was_published_stands_after_the_visit_where_its_own_day_puts_it(published, after):
    report = make_document("of-2", published="2022-08")
    make_visit("visit-2", number=2, dates="2022-05-10", document=report, published=published)
    numbered(3, "2022-06-01")
    labels = list(drawn())
    assert labels[labels.index("Monitoring visit 2: published") - 1] == after


def test_a_mark_is_as_high_as_its_row_says_and_its_point_half_way():
    row = Row(None, (), 10, 20, None, 0, False)
    assert (row.top, row.middle, row.bottom) == (12, 17.5, 23)


def test_what_is_after_the_last_year_of_an_axis_or_before_its_first_is_drawn_at_its_end():
    axis = axis_over([datetime.date(2022, 5, 1)], as_at=datetime.date(2023, 5, 1))
    days = (
        datetime.date(2021, 1, 1),
        datetime.date(2022, 1, 1),
        datetime.date(2024, 1, 1),
        datetime.date(2030, 1, 1),
    )
    assert [axis.at(day) for day in days] == [LABELS, LABELS, WIDTH, WIDTH]


@pytest.mark.parametrize(
    ("date", "shape", "first", "end"),
    [
        ("2022-10-04", "exact", "2022-10-04", "2022-10-05"),
        ("2022-10-04/2022-12-05", "exact", "2022-10-04", "2022-12-06"),
        ("2022-10/2022-12", "within", "2022-10-01", "2023-01-01"),
        ("2022-11?", "within", "2022-11-01", "2022-12-01"),
        ("2022", "within", "2022-01-01", "2023-01-01"),
        ("2022~", "about", "2022-01-01", "2023-01-01"),
        ("2024-02-29~", "about", "2024-02-29", "2025-02-28"),
        ("[2022-10-06..2022-12-08]", "within", "2022-10-06", "2022-12-09"),
    ],
)
def test_a_date_is_drawn_from_its_first_day_to_the_end_of_its_last_and_as_exact_as_it_was_said(
    date, shape, first, end
):
    axis = axis_over([datetime.date(2022, 1, 1)], as_at=datetime.date(2025, 12, 31))
    mark = mark_of(read_edtf(date), axis)
    begin, over = (axis.at(datetime.date.fromisoformat(day)) for day in (first, end))
    assert (mark.shape, mark.x) == (shape, begin)
    assert mark.width == pytest.approx(max(over - begin, 4), abs=0.05)
