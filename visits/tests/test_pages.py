"""The pages of inspections and visits."""

import re

import pytest

from record.tests.factories import make_document, make_user
from record.tests.pages import main_words as words
from visits.models import Finding, Visit
from visits.tests.factories import make_area, make_judgement

pytestmark = pytest.mark.once


@pytest.fixture
def reader(client, db):
    client.force_login(make_user("Board members"))
    client.get("/help/")  # the first page notes when the session was last used
    return client


def make_visit(slug, kind="monitoring", number=0, **fields):
    values = {"dates": "2022-06", "document": make_document(), "reference": "p1", **fields}
    return Visit.objects.create(slug=slug, kind=kind, number=number, **values)


def make_finding(ref, visit, attribution="ofsted", kind="concern"):
    values = {"text": f"Text of {ref}", "document": make_document(), "reference": "p1"}
    return Finding.objects.create(ref=ref, visit=visit, attribution=attribution, kind=kind, **values)


def test_visits_show_the_four_judgements_of_2021_as_ofsted_named_them(reader, record):
    page = reader.get("/visits/").content.decode()
    table = page[page.index("Ofsted’s latest judgements held") :].partition("</table>")[0]
    areas = re.findall(r'<th scope="row">\s*<bdi>([^<]+)</bdi>', table)
    grades = re.findall(r'data-label="Grade">\s*<strong>([^<]+)<', table)
    assert list(zip(areas, grades, strict=True)) == [
        ("Overall effectiveness", "Inadequate"),
        ("Impact of leaders on social work practice with children and families", "Inadequate"),
        ("Experiences and progress of children who need help and protection", "Inadequate"),
        ("Experiences and progress of children in care and care leavers", "Requires improvement to be good"),
    ]


def test_visits_say_how_old_the_newest_source_is(reader):
    make_visit("first", number=1)
    letter = make_document("letter", published="2024~")
    make_visit("second", number=2, dates="", document=letter)
    said = "Newest source{}: {}."
    for day, age in (
        ("", said.format("", "about 2024") + " Nothing later is held."),
        ("?as_at=2024-01-01", said.format(" by 1 January 2024", "about 2024")),
        ("?as_at=2023-12-31", said.format(" by 31 December 2023", "August 2022")),
        ("?as_at=2021-01-01", "No source is held."),
        # Between the visit and the publication of its report.
        ("?as_at=2022-07-01", said.format(" by 1 July 2022", "none")),
    ):
        text = words(reader.get(f"/visits/{day}"))
        assert text.partition("Inspections and visits ")[2].startswith(age)
        assert ("Nothing later" in text) is (day == "")


def test_of_a_visit_whose_date_is_not_stated_it_is_said_when_it_was_reported(reader):
    letter = make_document("letter", published="2024~")
    make_visit("first", number=1, dates="", document=letter)
    make_finding("F01", Visit.objects.get(slug="first"))
    assert "Date not stated, reported about 2024" in words(reader.get("/visits/"))
    assert "Visited Date not stated, reported about 2024 Published" in words(reader.get("/visits/first/"))


def test_visits_lead_to_the_newest_first_though_the_oldest_is_listed_first(reader, record):
    page = reader.get("/visits/").content.decode()
    lead = page.partition("<table")[0].partition("Newest visit held:")[2]
    assert re.findall(r'href="([^"]*)">([^<]*)', lead) == [
        ("/visits/monitoring-visit-5/", "Monitoring visit 5")
    ]


def test_visits_show_the_gap_in_the_numbering_in_its_place(reader, record):
    text = words(reader.get("/visits/")).partition("oldest first")[2]
    before, gap, after = (
        text.index(said)
        for said in (
            "Monitoring visit 2",
            "Monitoring visits 3 and 4: no information held",
            "Monitoring visit 5",
        )
    )
    assert before < gap < after


def test_the_page_of_the_record_has_every_table_with_every_row_and_one_gap(reader, record):
    page = reader.get("/visits/").content.decode()
    tables = re.findall(r"<caption[^>]*>(.*?)</caption>(.*?)</table>", page, re.DOTALL)
    found = {
        " ".join(caption.split()).partition(":")[0]: [
            " ".join(re.sub(r"<[^>]+>", " ", row).split())
            for row in re.findall(
                r'<a class="govuk-link" href="/visits/[^>]*>([^<]*)|class="gap"[^>]*>([^<]*)', body
            )
            for row in row
            if row
        ]
        for caption, body in tables
    }
    judged = found.pop(next(iter(found)))
    assert judged == []
    assert found == {
        "Inspections and visits by Ofsted, oldest first": [
            "Focused visit 1",
            "Focused visit 2",
            "Full inspection",
            "Monitoring visit 1",
            "Monitoring visit 2",
            "Monitoring visits 3 and 4: no information held",
            "Monitoring visit 5",
        ],
        "Sector-led diagnostics": ["Sector-led diagnostic"],
        "Other authorities": [
            "Full inspection, Bournemouth Borough Council",
            "Full inspection, Borough of Poole",
            "Full inspection, Dorset County Council",
            "Full inspection, Dorset Council",
        ],
    }


def test_visits_say_of_a_monitoring_visit_that_it_is_not_graded(reader):
    make_visit("first", number=1)
    table = reader.get("/visits/").content.decode()
    assert re.findall(r'data-label="Grade">\s*([^<]+?)\s*<', table) == ["Not graded"]


def test_a_visit_sets_claims_apart_from_findings(reader):
    visit = make_visit("first", number=1)
    make_finding("F01", visit)
    make_finding("F02", visit, attribution="council", kind="context")
    text = words(reader.get("/visits/first/"))
    apart = text.index("What the council said (not a finding of Ofsted’s)")
    assert text.index("Text of F01") < apart < text.index("Text of F02")


def test_a_visit_says_when_it_was_inspected_and_published_separately(reader):
    make_visit("full", kind="full", dates="2021-12", published="2022-02")
    text = words(reader.get("/visits/full/"))
    assert "Visited December 2021 Published February 2022" in text


def test_a_visit_not_yet_made_is_not_found_at_that_date(reader):
    make_visit("first", number=1)
    assert reader.get("/visits/first/?as_at=2022-05-31").status_code == 404
    assert reader.get("/visits/first/?as_at=2022-06-01").status_code == 200


@pytest.mark.parametrize("size", [1, 10])
def test_visits_cost_the_same_however_many(reader, size, django_assert_num_queries):
    area = make_area("overall", "Overall effectiveness")
    for number in range(1, size + 1):
        visit = make_visit(f"full-{number}", kind="full", number=number)
        make_finding(f"F{number:02}", visit)
        make_judgement(visit, area=area)
    # session, user, the mark before and after;
    # findings, visits, judgements, events, and what was corrected of each, of documents,
    # grades and areas; whether this is a demonstration
    with django_assert_num_queries(16):
        reader.get("/visits/")
