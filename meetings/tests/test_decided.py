"""What a meeting decided, what was put right by a day, and what a cancelled meeting has none of."""

import datetime
import re

import pytest
from django.test import Client
from django.urls import reverse

from meetings.decided import settled_on
from meetings.publishing import what_is_read
from recommendations.tests.factories import (
    make_action,
    make_decision,
    make_due_date,
    make_send_back,
    make_update,
)
from record import ledger
from record.dates import start_of
from record.tests.factories import make_meeting, make_user, noon, on
from record.tests.pages import words_of

EARLIER = datetime.datetime(2022, 10, 1, tzinfo=datetime.UTC)


@pytest.fixture
def reader(db):
    client = Client()
    client.force_login(make_user("Board members"))
    return client


def test_a_meeting_shows_what_was_decided_at_it_however_late_it_was_recorded(reader):
    held, other = make_meeting("2022-11-22"), make_meeting("2022-12-20")
    action, chair = make_action(recorded_at=EARLIER), make_user("Chair", first_name="Cara", last_name="Chair")
    proposal = make_due_date(action, "2023-04", dated="2022-11-01", needs_decision=True, recorded_at=EARLIER)
    make_decision(
        proposal,
        "refused",
        dated="2022-11-22",
        meeting=held,
        by=chair,
        reason="Too late",
        recorded_at=noon("2026-11-23"),
    )
    report = make_update(action, "done", dated="2022-11-20")
    make_send_back(report, dated="2022-12-20", wanted_by="2023-01-31", meeting=other, by=chair)

    page = reader.get("/meetings/2022-11-22/")
    assert [each.row.in_words() for each in page.context["agenda"].standing] == ["Refused: Too late"]
    text = words_of(page)
    assert "Decided at this meeting (1)" in text
    assert (
        "D1 refused. A01: Title of A01 Proposed: April 2023 → refused Too late Cara Chair (Chair) , at the "
        "meeting of 22 November 2022, recorded 4 years later"
    ) in text
    assert len(reader.get("/meetings/2022-12-20/").context["agenda"].standing) == 1
    then = reader.get("/meetings/2022-11-22/?as_at=2022-12-01&known=then")
    assert "Decided: no decision is recorded as made at this meeting." in words_of(then)


def test_a_decision_that_was_moved_to_another_day_leaves_its_trace_at_the_meeting_it_was_said_of(reader):
    held, other = make_meeting("2022-11-22"), make_meeting("2022-12-20")
    action, chair = make_action(recorded_at=EARLIER), make_user("Chair", first_name="Cara", last_name="Chair")
    proposal = make_due_date(
        action, "2023-04", dated="2022-11-01", needs_decision=True, recorded_at=noon("2022-11-01")
    )
    wrong = make_decision(
        proposal, dated="2022-11-22", meeting=held, by=chair, recorded_at=noon("2022-11-23")
    )
    why = "It was decided in December"
    make_decision(
        proposal,
        dated="2022-12-20",
        meeting=other,
        by=chair,
        corrects=wrong,
        correction_reason=why,
        recorded_at=noon("2022-12-20"),
    )

    text = words_of(reader.get("/meetings/2022-11-22/"))
    assert "Decided: no decision is recorded as made at this meeting." in text
    assert "Once recorded as decided here, and put right since (1)" in text
    assert f"agreed Because Corrected on 20 December 2022 by Cara Chair : {why}" in text
    since = reader.get("/meetings/2022-12-20/")
    assert "Once recorded" not in words_of(since)
    then = words_of(reader.get("/meetings/2022-11-22/?as_at=2022-12-01&known=then"))
    assert ("Decided at this meeting (1)" in then, "Once recorded" in then) == (True, False)
    [correction] = since.context["changes"].corrections
    assert (correction.was, correction.now) == (
        "decided: at the meeting of 22 November 2022",
        "decided: at the meeting of 20 December 2022",
    )


def test_what_named_no_meeting_was_never_recorded_as_decided_at_one_of_its_day(reader):
    action, chair = make_action(recorded_at=EARLIER), make_user("Chair")
    day = {"dated": "2022-11-22", "by": chair}
    make_update(
        action, "complete", "2022-11-01", chair, recheck_on=datetime.date(2022, 11, 10),
        recorded_at=noon("2022-11-01"),
    )  # fmt: skip
    wrong = make_update(action, "off_track", recorded_at=noon("2022-11-22"), **day)
    make_meeting("2022-11-22")
    put_right = {"corrects": wrong, "correction_reason": "A slip"}
    make_update(action, "at_risk", recorded_at=noon("2022-11-25"), **put_right, **day)

    page = reader.get("/meetings/2022-11-22/")

    assert [each.row.status for each in page.context["agenda"].that_day] == ["at_risk"]
    assert page.context["agenda"].put_right == ()
    assert "Once recorded as decided here" not in words_of(page)


@pytest.mark.parametrize(("recheck_on", "count"), [("2022-11-21", 1), ("2022-11-22", 1), ("2022-11-23", 0)])
def test_that_an_action_did_not_hold_answers_its_recheck_from_the_day_set_for_it(db, recheck_on, count):
    action, chair = make_action(recorded_at=EARLIER), make_user("Chair")
    day = datetime.date.fromisoformat(recheck_on)
    make_update(action, "complete", "2022-11-01", chair, recheck_on=day, recorded_at=noon("2022-11-01"))
    make_update(action, "off_track", "2022-11-22", chair, recorded_at=noon("2022-11-22"))

    found = settled_on([datetime.date(2022, 11, 22)], on(datetime.date(2022, 12, 1)))

    assert [(row.status, asked_at) for row, _, asked_at in found] == [("off_track", start_of(day))] * count


def test_a_date_that_was_refused_before_the_last_meeting_is_no_news_since_it(reader):
    make_meeting("2022-11-22")
    action, chair = make_action(recorded_at=EARLIER), make_user("Chair")
    for due, day in (("2023-04", "2022-11-10"), ("2023-05", "2022-11-30")):
        said = {"dated": day, "by": chair, "recorded_at": noon(day)}
        make_decision(make_due_date(action, due, needs_decision=True, **said), "refused", **said)

    refused = reader.get("/?as_at=2022-12-05").context["changes"].refused
    assert [str(each.line.due) for each in refused] == ["May 2023"]


def test_corrections_made_after_the_day_asked_about_are_not_counted_by_it(reader):
    make_meeting("2022-11-22")
    action, officer = make_action(recorded_at=EARLIER), make_user("Officers")
    wrong = make_update(action, dated="2022-11-23", by=officer, recorded_at=noon("2022-11-23"))
    make_update(
        action,
        "at_risk",
        dated="2022-11-23",
        by=officer,
        corrects=wrong,
        correction_reason="It was wrong",
        recorded_at=noon("2022-12-05"),
    )

    told = {
        day: len(reader.get(f"/?as_at={day}").context["changes"].corrections)
        for day in ("2022-11-30", "2022-12-05")
    }
    assert told == {"2022-11-30": 0, "2022-12-05": 1}


def test_a_cancelled_meeting_has_no_paper_to_publish_or_to_draft(reader, secretariat):
    meeting = make_meeting("2027-11-22", state="cancelled")

    response = secretariat.get(reverse("admin:meetings_publish", args=[meeting.pk]))
    assert response.status_code == 403
    assert "The meeting of 22 November 2027 was cancelled, so no paper is published for it." in words_of(
        response
    )
    assert "Publish the status paper" not in words_of(
        secretariat.get(reverse("admin:record_meeting_change", args=[meeting.pk]))
    )
    assert "See the paper as it stands" not in words_of(reader.get("/meetings/2027-11-22/"))


def test_the_page_on_which_a_paper_is_published_says_how_much_it_would_hold(secretariat):
    meeting = make_meeting("2027-11-22")
    count = ledger.anchor().count

    text = words_of(secretariat.get(reverse("admin:meetings_publish", args=[meeting.pk])))
    assert f"The paper would hold this much: Record up to entry {count}, of " in text


@pytest.mark.once
def test_the_sheets_are_read_on_the_page_that_publishes_them_with_the_annex_where_it_is_wanted(secretariat):
    meeting = make_meeting("2027-11-22")
    address = reverse("admin:meetings_publish", args=[meeting.pk])

    def sheets(response):
        return re.findall(r'<section class="sheet".*?</section>', response.content.decode(), re.DOTALL)

    def said(query):
        return [
            " ".join(each.split())
            for each in sheets(secretariat.get(f"{meeting.get_absolute_url()}paper/?{query}"))
        ]

    opened = secretariat.get(address)
    asked = secretariat.post(address, {"has_annex": "on", "show": "Show the sheets again"})

    assert [" ".join(each.split()) for each in sheets(opened)] == said("draft")
    assert [" ".join(each.split()) for each in sheets(asked)] == said("draft&annex")
    assert len(said("draft")) < len(said("draft&annex"))
    assert asked.context["form"]["has_annex"].value() is True
    assert asked.context["form"]["read"].value() == what_is_read(meeting)
    assert not meeting.papers.exists()
    policy = opened.headers["Content-Security-Policy"]
    assert "style-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2022-12-13", "20 December 2022: no decisions Papers go out on 13 December 2022"),
        ("2022-12-14", "20 December 2022: no decisions Papers were due on 13 December 2022"),
    ],
)
def test_papers_that_should_have_gone_out_are_not_still_to_come(reader, day, words):
    make_meeting("2022-12-20", papers_due_on="2022-12-13")

    assert words in words_of(reader.get(f"/?as_at={day}"))


def test_each_decision_leads_those_who_decide_to_where_it_is_put_right_and_nobody_else(reader, chair, client):
    held, action = make_meeting("2022-11-22"), make_action(recorded_at=EARLIER)
    proposal = make_due_date(action, "2023-04", dated="2022-11-01", needs_decision=True)
    decision = make_decision(proposal, dated="2022-11-22", meeting=held, by=chair)
    client.force_login(chair)

    page, link = held.get_absolute_url(), f'href="{decision.admin_address}"'
    assert link in client.get(page).content.decode()
    assert "Correct or withdraw : decision of A01 , 22 November 2022, recorded " in words_of(client.get(page))
    assert link not in client.get(f"{page}?as_at=2022-12-01").content.decode()
    assert link not in reader.get(page).content.decode()
