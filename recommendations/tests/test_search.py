"""Where words are found, on whatever keyboard they are typed, and never before they were known."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recommendations.search import places_of
from recommendations.tests.factories import (
    make_action,
    make_decision,
    make_due_date,
    make_recommendation,
    make_update,
)
from record.dates import end_of
from record.tests.factories import add, make_document, make_user, noon, on
from visits.tests.factories import make_finding

pytestmark = pytest.mark.django_db

DAY = datetime.date(2023, 1, 31)


def found(words, at=None):
    """[(where, excerpt)] of the only action."""
    places = places_of(words, at or on(DAY))
    return [(place.where, place.excerpt) for some in places.values() for place in some]


def test_words_are_found_in_an_action_its_history_its_findings_and_its_document():
    finding = make_finding("F07", text="Records were lost.")
    action = make_action(
        "A10", make_recommendation(1), findings=[finding], title="Mend the roof", note="A note on slates",
        document=make_document("survey", title="The survey"), reference="p1",
    )  # fmt: skip
    make_update(action, "at_risk", dated="2022-11-01", narrative="The crane came.", reason="Strong gales")
    proposal = make_due_date(action, dated="2022-11-02", needs_decision=True, reason="Nails are scarce")
    make_decision(proposal, dated="2022-11-15", reason="Granted grudgingly")

    assert {words: found(words) for words in ("roof", "slates", "survey", "lost", "crane", "gales")} == {
        "roof": [("title", "Mend the roof")],
        "slates": [("note", "A note on slates")],
        "survey": [("document", "The survey")],
        "lost": [("finding F07", "Records were lost.")],
        "crane": [("progress update of 1 November 2022", "The crane came.")],
        "gales": [("progress update of 1 November 2022", "Strong gales")],
    }
    assert found("nails") == [("due date of 2 November 2022", "Nails are scarce")]
    assert found("grudgingly") == [("decision of 15 November 2022", "Granted grudgingly")]
    # Each word somewhere, not all in one place; a reference number is found whole.
    assert found("roof crane") == [
        ("title", "Mend the roof"),
        ("progress update of 1 November 2022", "The crane came."),
    ]
    assert found("roof elephants") == []
    assert found("a10") == [("reference number", "A10")]
    assert found("a1") == []


@pytest.mark.parametrize(
    ("typed", "stands"),
    [
        ("children's", "The children’s team"),
        ("children’s", "The children's team"),
        ("nguyễn", "NGUYỄN"),
        ("nguyen", "Nguyễn"),
        ("NGUYỄN", "nguyễn"),
        ('"so-called"', "“so–called” help"),
        ("straße", "STRASSE"),
        ("sørensen æ", "SORENSEN AE"),
        ("improvement", "improve\u00adment"),
        ("improve\u200bment", "improvement"),
    ],
)
def test_quotes_dashes_case_and_accents_are_the_same(typed, stands):
    make_update(make_action(), narrative=stands)

    assert found(typed) == [("progress update of 1 November 2022", stands)]


@pytest.mark.parametrize("typed", ["\u0301", "\u00ad", "\u200b"])
def test_what_is_no_word_is_found_nowhere(typed):
    make_update(make_action(), narrative="e\u0301cole, improve\u00adment")

    assert found(typed) == []


def test_what_was_not_yet_said_or_known_or_counts_no_more_is_not_found():
    action, officer = make_action(recorded_at=noon("2022-10-01")), make_user("Officers")
    make_update(
        action, dated="2022-11-01", by=officer, narrative="Early bird", recorded_at=noon("2022-12-01")
    )
    wrong = make_update(
        action, dated="2022-11-02", by=officer, narrative="Wrong bird", recorded_at=noon("2022-12-01")
    )
    add(wrong.withdrawal(by=officer, reason="Another action"), recorded_at=noon("2022-12-20"))
    told = {}
    for day in ("2022-10-31", "2022-11-30", "2022-12-10", "2022-12-25"):
        date = datetime.date.fromisoformat(day)
        told[day] = [len(found("bird", on(date))), len(found("bird", on(date, end_of(date))))]

    assert told == {"2022-10-31": [0, 0], "2022-11-30": [1, 0], "2022-12-10": [1, 2], "2022-12-25": [1, 1]}


def test_a_long_text_is_shown_around_the_word():
    make_update(make_action(), narrative=f"{'Before it. ' * 20}The needle. {'After it. ' * 40}")

    ((_, excerpt),) = found("needle")
    assert excerpt == f"… {'Before it. ' * 5}The needle. {'After it. ' * 11}…"


def test_a_search_takes_the_same_queries_however_much_there_is():
    def asked():
        with CaptureQueriesContext(connection) as queries:
            found("bird")
        return len(queries)

    make_update(make_action("A01"), narrative="One bird")
    one = asked()
    for number in range(2, 11):
        make_update(make_action(f"A{number:02}"), narrative="Another bird")
    assert asked() == one


def test_the_page_says_where_the_words_stand(client):
    make_update(make_action(), narrative="A <b>bird</b> came")
    make_action("A02", title="Another")
    client.force_login(make_user("Board members"))

    page = client.get("/actions/?q=BIRD").content.decode()

    assert "Progress update of 1 November 2022:</bdi> <bdi>A &lt;b&gt;bird&lt;/b&gt; came</bdi>" in page
    assert "A02" not in page
