"""Where what became of earlier dates is told: its page, an action's page, a file and two forms."""

import csv
import io
import re
from collections import Counter, defaultdict

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from recommendations.date_outcomes import (
    AGREED_AGAIN,
    FINISHED_BEFORE,
    NO_LAST_DAY,
    NOT_YET_DUE,
)
from recommendations.tests.factories import (
    make_action,
    make_due_date,
    make_recommendation,
)
from recommendations.tests.stories import (
    AGREED,
    KEPT_ROWS,
    MISSED_ROWS,
    ON_TRACK,
    due,
    several,
    tell,
    update,
)
from record.tests.admin_forms import sign_in
from record.tests.factories import make_user, noon
from record.tests.pages import main_words
from visits.tests.factories import make_finding

pytestmark = pytest.mark.once


def test_the_page_lists_every_case_under_its_lead_body(reader):
    make_recommendation(1, lead_body="The council", lead_basis="inferred")
    make_action("A02", earlier_misses=2, recorded_at=noon("2022-08-01"))
    tell({"A01": MISSED_ROWS})
    text = main_words(reader.get("/trends/record/?as_at=2023-06-30"))
    assert (
        "Actions answering recommendations led by The council (inferred) Too few to say: 1 date came and was "
        "reported on. At least 2 more were missed before this record began, not counted here. Leads "
        "recommendation 1 (inferred by us) 1 date, the latest first Action "
        "Date Last forecast in the 90 days before What became of it How late A01: Title of A01 "
        "November 2022 On track, 3 October 2022 Missed 7 months, so far"
    ) in text


def test_the_pages_that_tell_it_in_short_say_whose_dates_they_are_and_what_was_missed_before(reader):
    make_recommendation(1, lead_body="The council", lead_basis="inferred")
    make_action("A02", earlier_misses=1, recorded_at=noon("2022-08-01"))
    tell({"A01": MISSED_ROWS})
    told = (
        "Actions answering recommendations led by The council (inferred): Too few to say: 1 date came "
        "and was reported on. At least 1 more was missed before this record began, not counted here. "
        "Every date"
    )
    pages = [
        main_words(reader.get(f"{path}?as_at=2023-06-30")) for path in ("/trends/", "/recommendations/1/")
    ]
    found = [page[page.index("Actions answering") :][: len(told)] for page in pages]
    assert found == [told, told]


def test_dates_for_findings_only_are_told_of_no_lead_body(reader):
    action = make_action("A01", findings=[make_finding("F01")], recorded_at=noon("2022-09-01"))
    make_due_date(action, "2022-11", recorded_at=noon("2022-10-01"))
    text = main_words(reader.get("/trends/record/?as_at=2023-06-30"))
    assert "Actions answering findings only, with no lead body Too few to say" in text


def test_the_page_of_the_action_and_the_file_say_what_became_of_each_date_in_the_same_words(reader):
    make_recommendation(1)
    tell(
        {
            "A01": MISSED_ROWS,
            "A02": KEPT_ROWS,
            "A03": [AGREED],
            "A04": [AGREED, due("2022-11-01", "2024-01")],
            "A05": [AGREED, ON_TRACK, update("2022-11-18", "closed")],
            # Set for another day, and nobody ever reported.
            "A06": [due("2022-12-01", "2024-03"), due("2022-10-01", "2022-11", recorded="2022-12-05")],
            "A07": [due("2022-10-01", "2022~")],
            "A08": [AGREED, due("2022-11-01", "2022-11-30")],
            "A09": [due("2022-10-01", "2024-01"), ON_TRACK, update("2022-11-30", "complete")],
        }
    )
    expected = {
        "A01": ["Missed"],
        "A02": ["Kept"],
        "A03": ["Passed without a report"],
        "A04": ["Moved before it came", "Not yet due"],
        "A05": ["Closed, not done, before it came"],
        "A06": ["Entered after its day", "Not yet due"],
        "A07": ["Never passes: it has no last day"],
        "A08": ["Agreed again, for the same day", "Passed without a report"],
        "A09": ["Its day has not come"],
    }

    def cells(address):
        found = re.findall(r'<td data-label="What became of it">(.*?)</td>', page(address), re.DOTALL)
        return [" ".join(re.sub("<[^>]*>", "", cell).split()) for cell in found]

    def page(address):
        return reader.get(f"{address}?as_at=2023-06-30").content.decode()

    assert {ref: cells(f"/actions/{ref}/") for ref in expected} == expected
    file = reader.get("/dates.csv?as_at=2023-06-30").getvalue().decode("utf-8-sig")
    rows = defaultdict(list)
    for row in csv.DictReader(io.StringIO(file, newline="")):
        rows[row["action"]].append(row["outcome"])
    assert {ref: sorted(words) for ref, words in rows.items()} == {
        ref: sorted(words) for ref, words in expected.items()
    }
    cases = Counter(words for of_action in expected.values() for words in of_action)
    for no_case in (NOT_YET_DUE, NO_LAST_DAY, AGREED_AGAIN, FINISHED_BEFORE):
        assert cases.pop(no_case)
    assert Counter(cells("/trends/record/")) == cases


@pytest.mark.parametrize("size", [1, 10])
def test_the_page_costs_the_same_however_many_dates(reader, size, django_assert_num_queries):
    stories = several(missed=size)
    bodies = {
        ref: [make_recommendation(number, lead_body=f"Body {number}")]
        for number, ref in enumerate(stories, 1)
    }
    tell(stories, **bodies)
    # session, user; the position, eighteen, and what was corrected, twelve; the last forecast of each date,
    # and since when what is done has been; whether this is a demonstration
    with django_assert_num_queries(35):
        reader.get("/trends/record/")


@pytest.mark.django_db
def test_the_record_stands_where_a_date_is_proposed_and_where_it_is_decided(client):
    make_recommendation(1, lead_body="The council")
    tell(several(missed=5))
    officer = make_user("Officers")
    action = make_action("A09", owner=officer)
    proposal = make_due_date(action, "2027-03", needs_decision=True, by=officer)
    said = (
        "What became of earlier dates Actions answering recommendations led by The council : "
        "5 dates came and were reported on: 5 missed (median"
    )

    def page(kind, about):
        return main_words(client.get(f"{reverse(f'admin:recommendations_{kind}_add')}?{about}"))

    sign_in(client, officer)
    assert said in page("duedate", f"action={action.pk}")
    assert "What became of" not in page("progressupdate", f"action={action.pk}")
    sign_in(client, User.objects.get(groups__name="Chair"))
    assert said in page("decision", f"due_date={proposal.pk}")
