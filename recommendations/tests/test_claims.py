"""What the board claims is no larger than what was said: late or silent, and where views differ."""

import datetime

import pytest

from recommendations.history import history
from recommendations.models import Recommendation
from recommendations.position import board_position
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_due_date,
    make_recommendation,
    make_update,
)
from record.signing import signature
from record.tests.factories import add, make_document, make_user, on, saved
from record.tests.pages import main_words as words
from visits.models import Finding

pytestmark = [pytest.mark.django_db, pytest.mark.again]

LATER = datetime.date(2023, 1, 31)


def flags(day, ref="A01"):
    return board_position(on(datetime.date.fromisoformat(day))).by_ref[ref].flags


# Accepted, in whose words -----------------------------------------------------------------------------


@pytest.mark.parametrize("embedded", [False, True])
def test_what_was_accepted_in_the_words_of_its_report_stays_the_claim_of_who_reported(client, embedded):
    action, officer, chair = make_action("A01"), make_user("Officers"), make_user("Chair")
    said = {"narrative": "All is done", "difference_made": "Plans are seen sooner"}
    make_update(action, "done", dated="2022-11-01", by=officer, **said)
    make_update(action, "complete", dated="2022-11-15", by=chair, **said)
    own = {"narrative": "I saw it hold", "difference_made": ""}
    if embedded:
        make_update(action, "embedded", dated="2023-01-10", by=chair, **own)

    found = board_position(on(LATER)).by_ref["A01"]
    accepts = "Accepts what was reported for 1 November 2022."
    assert found.update.narrative == ("I saw it hold" if embedded else accepts)
    claim = (found.claim.difference_made, found.claim.signed, found.claim.dated)
    assert claim == ("Plans are seen sooner", signature(officer), "2022-11-01")
    assert (found.update.difference_made, found.repeats_commentary) == ("", False)
    told = [
        (line.text, line.update.difference_made) for line in history(on(LATER), actions=[action.pk]).entries
    ]
    assert told[-2:] == [(accepts, ""), ("All is done", "Plans are seen sooner")]


def test_the_evidence_of_the_very_first_report_on_the_first_day_there_is_is_not_lost():
    action = make_action("A01", agreed_on="2019-01-01")
    make_update(action, "done", dated="2019-01-01", evidence="The minutes", pk=1)

    assert board_position(on(LATER)).by_ref["A01"].completion.evidence == "The minutes"


def test_an_acceptance_put_right_goes_on_accepting_what_it_accepted_and_not_what_was_said_after_it():
    action, officer, chair = make_action("A01"), make_user("Officers"), make_user("Chair")
    said = {"narrative": "All is done"}
    make_update(action, "done", dated="2022-11-01", by=officer, **said)
    accepted = make_update(action, "complete", dated="2022-11-15", by=chair, **said)
    make_update(action, "off_track", dated="2022-11-15", by=officer, narrative="It did not hold")
    again = {"corrects": accepted, "correction_reason": "Another day for the re-check"}
    make_update(action, "complete", dated="2022-11-15", by=chair, **said, **again)

    told = [line.text for line in history(on(LATER), actions=[action.pk]).entries]
    accepts = "Accepts what was reported for 1 November 2022."
    assert sorted(told) == [*[accepts] * 2, "All is done", "It did not hold"]


# Late, or passed in silence --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due", "before", "the_day", "after"),
    [
        ("2022-11-15", "2022-11-14", "2022-11-15", "2022-11-16"),
        ("2022-11", "2022-11-29", "2022-11-30", "2022-12-01"),
        ("2022", "2022-12-30", "2022-12-31", "2023-01-01"),
        ("2022-11?", "2022-11-29", "2022-11-30", "2022-12-01"),
    ],
)
def test_a_date_passes_the_day_after_its_last_overdue_by_report_and_else_in_silence(
    due, before, the_day, after
):
    for ref in ("A01", "A02"):
        make_due_date(make_action(ref), due=due, dated="2022-10-01")
    reported = board_position(on(LATER)).by_ref["A02"].row
    make_update(reported, dated="2022-11-10")
    found = [(flags(day), flags(day, "A02")) for day in (before, the_day, after)]
    silent, overdue = {"silent": "Date passed, nothing reported"}, {"overdue": "Overdue"}
    assert [(a, {k: v for k, v in b.items() if k != "stale"}) for a, b in found] == [
        ({}, {}),
        ({}, {}),
        (silent, overdue),
    ]


@pytest.mark.parametrize("due", ["2022~", "[2022-10-06..]"])
def test_a_date_without_a_last_day_passes_neither_way(due):
    make_due_date(make_action("A01"), due=due, dated="2022-10-01")
    assert flags("2023-12-31") == {}


def test_silence_is_counted_as_silence_and_the_first_report_makes_it_overdue():
    action = make_action("A01")
    make_due_date(action, due="2022-11", dated="2022-10-01")
    make_update(action, dated="2022-12-10")

    def counted(day):
        board = board_position(on(day))
        found = board.by_ref["A01"]
        return len(board.silent), len(board.overdue), found.misses, found.untold_words

    untold = "1 date passed with nothing reported"
    assert [counted(datetime.date(2022, 12, day)) for day in (9, 10)] == [(1, 0, 0, untold), (0, 1, 1, "")]


def test_an_action_whose_only_report_was_withdrawn_is_in_silence_again():
    action, officer = make_action("A01"), make_user("Officers")
    make_due_date(action, due="2022-11", dated="2022-10-01")
    update = make_update(action, dated="2022-11-10", by=officer)
    assert flags("2022-12-01") == {"overdue": "Overdue"}
    add(update.withdrawal(by=officer, reason="The wrong action"))
    assert flags("2022-12-01") == {"silent": "Date passed, nothing reported"}


def test_a_new_date_takes_it_out_of_the_silent_and_it_is_named_beside_them_until_a_report(client):
    action, still = make_action("A01"), make_action("A02")
    for row in (action, still):
        make_due_date(row, due="2022-11", dated="2022-10-01")
    make_due_date(action, due="2023-03", dated="2022-12-05")
    make_update(action, dated="2022-12-10")
    beside = "not counted: A01, given a new date since, and still not reported on"

    def counted(day):
        board = board_position(on(day))
        return [a.ref for a in board.silent], board.silent_before_words

    days = [datetime.date(2022, 12, day) for day in (4, 5, 10)]
    assert [counted(day) for day in days] == [(["A01", "A02"], ""), (["A02"], beside), (["A02"], "")]
    client.force_login(make_user())
    told = "A new date since one passed with nothing reported, and still nothing is"
    pages = [words(client.get(f"/actions/A01/?as_at={day}")) for day in days]
    assert [told in page for page in pages] == [False, True, False]


# Where views differ ----------------------------------------------------------------------------------


BETTER = "Owners report better than the newest assessment."
WORSE = "Owners report worse than the newest assessment."
APART = "The adviser and the board differ."
SINCE = "Inspectors have recorded a concern since a report of On track or better."


@pytest.mark.parametrize(
    ("reported", "adviser", "board", "differences"),
    [
        (["on_track", None], "off_track", None, [BETTER]),
        (["off_track", None], "on_track", None, [WORSE]),
        (["off_track", "on_track"], "off_track", None, []),
        (["on_track", "at_risk"], "at_risk", None, []),
        (["done", "on_track"], "on_track", None, []),
        (["at_risk", None], None, None, []),
        ([None, None], "off_track", None, []),
        ([None, None], "off_track", "on_track", [APART]),
        (["on_track", None], "off_track", "on_track", [APART]),
        (["at_risk", None], "off_track", "on_track", [WORSE, APART]),
        (["closed", "on_track"], "on_track", None, []),
        # Closed without being done: no owner reports it, and it is no better than off track.
        (["closed", "closed"], "off_track", None, []),
        (["complete", None], "at_risk", None, ["What was accepted is better than the newest assessment."]),
    ],
)
def test_views_differ_both_ways_by_the_worst_that_is_reported(reported, adviser, board, differences):
    officer, recommendation = make_user("Officers"), make_recommendation(1)
    for ref, status in zip(("A01", "A02"), reported, strict=True):
        action = make_action(ref, recommendation)
        if status:
            make_update(action, status, dated="2022-11-01", by=officer)
    # The board's is the newer of the two.
    for whose, status, day in (("adviser", adviser, "2022-11-02"), ("board", board, "2022-11-03")):
        if status:
            make_assessment(recommendation, status, dated=day, whose=whose)
    position = board_position(on(LATER))
    (views,) = position.views
    heard = sum(status is not None for status in reported)
    # An acceptance or a closure while nobody has reported is no report.
    decided = sum(status in ("complete", "closed") for status in reported)
    beside = f", {decided} accepted or closed without a report" if decided else ""
    assert list(views.differences) == differences
    assert views.reported_words == f"{heard - decided} of 2 reported{beside}"
    assert (views.cannot_be_judged, [r.number for r in position.not_judged]) == (not heard, [1] * (not heard))


def test_a_critical_recommendation_is_shown_for_a_report_against_it_and_for_silence_alike():
    officer = make_user("Officers")
    for number, is_critical in ((1, True), (2, True), (3, True), (4, False)):
        made = make_recommendation(number, is_critical=is_critical, consequence="A trust takes over")
        action = make_action(f"A0{number}", made)
        make_due_date(action, due="2022-11" if number == 2 else "2099", dated="2022-10-01")
        if number != 2:
            make_update(action, "on_track" if number == 3 else "off_track", dated="2022-11-01", by=officer)

    assert [r.number for r in board_position(on(LATER)).endangered] == [1, 2]


def test_the_worst_is_the_owners_where_one_of_them_reports_it_beside_a_document():
    recommendation = make_recommendation(1)
    for ref, by in (("A01", None), ("A02", make_user("Officers"))):
        make_update(make_action(ref, recommendation), "on_track", dated="2022-11-01", by=by)
    make_assessment(recommendation, "at_risk", dated="2022-11-02")

    (views,) = board_position(on(LATER)).views
    assert views.in_words == "owners on track, adviser at risk"


def test_a_report_that_a_document_gives_is_told_as_the_documents_until_its_owner_reports(client):
    officer, recommendation = make_user("Officers"), make_recommendation(1)
    action = make_action("A01", recommendation, owner=officer)
    make_action("A02", recommendation)
    make_update(action, "done", dated="2022-11-01")
    make_assessment(recommendation, "at_risk", dated="2022-11-02")
    client.force_login(officer)

    def told():
        (views,) = board_position(on(LATER)).views
        pages = [words(client.get(url)) for url in ("/actions/A01/", "/recommendations/1/")]
        marks = ("What a document says: its owner has reported nothing since", "From a document, and not its")
        found = [mark in page for mark, page in zip(marks, pages, strict=True)]
        return views.reported_words, views.differences[0], views.in_words, found

    assert told() == (
        "1 of 2 reported, 1 of them only in a document",
        "A document reports better than the newest assessment.",
        "a document done, evidence awaited, adviser at risk",
        [True, True],
    )
    make_update(action, "done", dated="2022-11-03", by=officer)
    assert told() == (
        "1 of 2 reported",
        "Owners report better than the newest assessment.",
        "owners done, evidence awaited, adviser at risk",
        [False, False],
    )


def concern(published, kind="concern", attribution="ofsted", ref="F01"):
    """A finding published on a day of 2022 or 2023."""
    letter = make_document(f"letter-{published}", published=published)
    with saved(reason="It bears on this"):
        return Finding.objects.create(
            ref=ref, kind=kind, attribution=attribution, text="It fails.", document=letter, reference="p2"
        )


@pytest.mark.parametrize(
    ("published", "kind", "attribution", "differences"),
    [
        ("2022-11-09", "concern", "ofsted", []),
        ("2022-11-10", "concern", "ofsted", []),
        ("2022-11-11", "concern", "ofsted", [SINCE]),
        ("2022-11-11", "priority", "ofsted", [SINCE]),
        ("2022-11-11", "strength", "ofsted", []),
        ("2022-11-11", "concern", "adviser", []),
    ],
)
@pytest.mark.parametrize("is_linked_to", ["recommendation", "action"])
def test_a_concern_since_the_newest_good_report_is_a_difference(
    published, kind, attribution, differences, is_linked_to
):
    recommendation = make_recommendation(1)
    action = make_action("A01", recommendation)
    make_update(action, "on_track", dated="2022-11-10")
    make_update(make_action("A02", recommendation), "at_risk", dated="2022-11-20")
    found = concern(published, kind, attribution)
    linked = recommendation if is_linked_to == "recommendation" else action
    with saved(reason="It bears on this"):
        linked.findings.add(found)
    (views,) = board_position(on(LATER)).views
    assert list(views.differences) == differences
    assert [a.ref for c in views.concerns for a in c.actions] == ["A01"] * len(differences)


@pytest.mark.parametrize("newer", ["report", "assessment"])
def test_a_newer_good_report_or_assessment_ends_a_difference_over_a_concern(newer):
    recommendation = make_recommendation(1)
    make_update(make_action("A01", recommendation), "on_track", dated="2022-11-01")
    found = concern("2022-11-11")
    with saved(reason="It bears on this"):
        recommendation.findings.add(found)
    other = make_action("A02", recommendation)
    if newer == "report":
        make_update(other, "on_track", dated="2022-11-12")
    else:
        make_assessment(recommendation, "on_track", dated="2022-11-12")

    def differences(day):
        return list(board_position(on(datetime.date.fromisoformat(day))).views[0].differences)

    assert [differences(day) for day in ("2022-11-11", "2022-11-12")] == [[SINCE], []]


def test_a_concern_of_the_day_of_the_newest_assessment_was_before_those_who_assessed():
    recommendation = make_recommendation(1)
    make_update(make_action("A01", recommendation), "on_track", dated="2022-11-01")
    found = concern("2022-11-11")
    with saved(reason="It bears on this"):
        recommendation.findings.add(found)

    def concerns_after(assessed_on):
        make_assessment(recommendation, "on_track", dated=assessed_on)
        return len(board_position(on(LATER)).views[0].concerns)

    assert [concerns_after(day) for day in ("2022-11-10", "2022-11-11")] == [1, 0]


def test_of_several_concerns_the_newest_is_the_one_that_is_named():
    recommendation = make_recommendation(1)
    make_update(make_action("A01", recommendation), "on_track", dated="2022-11-01")
    found = [concern("2022-12-01", ref="F01"), concern("2022-11-11", ref="F02")]
    with saved(reason="They bear on this"):
        recommendation.findings.set(found)
    (views,) = board_position(on(LATER)).views
    assert (len(views.concerns), views.newest_concern.finding.ref) == (2, "F01")


def test_an_action_that_answers_findings_only_differs_by_itself():
    action, other = make_action("A01"), make_action("A02")
    for each in (action, other):
        make_update(each, "on_track", dated="2022-11-01")
    found = concern("2022-11-11")
    with saved(reason="They answer findings only"):
        action.findings.add(found)
        other.findings.add(concern_of_strength())
        for each in (action, other):
            each.recommendations.clear()
    board = board_position(on(LATER))
    assert [(v.about, v.differ) for v in board.views] == [
        ("Recommendation 1", False),
        ("Action A01", True),
        ("Action A02", False),
    ]
    assert Recommendation.objects.count() == 1


def concern_of_strength():
    return Finding.objects.create(
        ref="F02",
        kind="strength",
        attribution="ofsted",
        text="It works.",
        document=make_document(),
        reference="p1",
    )
