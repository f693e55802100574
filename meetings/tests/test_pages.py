"""The pages of the board's position and of its meetings."""

import datetime
import re

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.asserts import assertInHTML

from meetings.models import Paper
from meetings.publishing import publish, what_is_read
from recommendations.models import Action, ProgressUpdate
from recommendations.tests.factories import (
    make_action,
    make_due_date,
    make_measure_value,
    make_recommendation,
    make_update,
)
from record import erasure
from record.dates import say_day
from record.ledger import anchor, append
from record.models import Meeting
from record.tests.factories import make_meeting, make_user, noon, saved
from record.tests.pages import main_words as words
from record.tests.pages import words as text_of
from record.verification import first_fault

pytestmark = pytest.mark.once

EARLIER = datetime.datetime(2022, 10, 1, tzinfo=datetime.UTC)


@pytest.fixture
def reader(client, db):
    client.force_login(make_user("Board members"))
    client.get("/help/")  # the first page notes when the session was last used
    return client


def recommendation_rows(response):
    """The text of each row of the table of recommendations."""
    page = response.content.decode()
    table = page[page.index('id="recommendations"') :].partition("<tbody")[2].partition("</tbody>")[0]
    rows = table.split("<tr")[1:]
    return [text_of(row.partition(">")[2]) for row in rows]


# Where we stand --------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_planned", [True, False])
def test_every_place_on_a_page_to_which_the_first_page_leads_is_there(reader, is_planned):
    make_meeting("2022-11-09", state="held")
    if is_planned:
        make_meeting("2098-12-15")
    make_due_date(make_action("A01"), "2023-04", needs_decision=True)
    make_update(make_action("A02"), "off_track", dated="2022-11-20")
    page = reader.get("/").content.decode()
    leads = {place for place in re.findall(r'href="([^"#]*#[^"]+)"', page) if not place.startswith("#main")}
    there = {}
    for address, _, place in (lead.partition("#") for lead in sorted(leads)):
        shown = reader.get(address).content.decode() if address else page
        there[f"{address}#{place}"] = f'id="{place}"' in shown
    assert len(leads) >= 3
    assert [lead for lead, is_there in there.items() if not is_there] == []


def test_the_ten_recommendations_stand_in_order_and_one_is_critical(reader, record):
    rows = recommendation_rows(reader.get("/?as_at=2022-11-22"))
    assert [int(row.partition(".")[0]) for row in rows] == list(range(1, 11))
    assert [row.partition(".")[0] for row in rows if "Critical" in row] == ["6"]
    assert rows[5] == (
        "6. Settle pay differences and finish the single record system Critical "
        "Not yet reported Not assessed 3 not yet reported None"
    )


def test_the_record_system_is_overdue_from_the_first_of_december_and_not_before(reader, record):
    before, after = (words(reader.get(f"/?as_at=2022-{day}")) for day in ("11-30", "12-01"))
    missed = "Deadlines missed: at least 1. What hangs on it: Failing to make progress"
    told = f"Critical: recommendation 6 is not yet reported on {missed}"
    untold = f"Critical: recommendation 6 cannot be judged 1 date has passed without a report. {missed}"
    assert [told in text for text in (before, after)] == [True, False]
    assert [untold in text for text in (before, after)] == [False, True]
    # Nobody had reported on A01 when its date passed, so nothing says that it was missed.
    pages = [words(reader.get(f"/recommendations/6/?as_at=2022-{day}")) for day in ("11-30", "12-01")]
    assert ["Deadlines missed: at least 1" in page for page in pages] == [True, True]


def test_the_first_screen_leads_to_the_action_that_endangers_and_to_who_did_not_report(reader):
    critical = make_recommendation(6, is_critical=True, consequence="The trust question.")
    make_update(make_action("A07", critical), "off_track", dated="2022-10-02")
    make_meeting("2022-12-01")
    make_meeting("2098-01-01")

    cells = reader.get("/").content.decode().partition('<div class="cells">')[2].partition("<table")[0]

    links = re.findall(r'<a class="govuk-link" href="([^"]*)"\s*>\s*([^<]*?)\s*</a>', cells)
    assert links == [
        ("/actions/A07/", "A07"),
        ("/meetings/2098-01-01/#changes", "Since 1 December 2022"),
        ("/meetings/2098-01-01/#reported", "Who did not report"),
        ("/meetings/2022-12-01/#decided", "what was decided then"),
        ("/meetings/2098-01-01/#asked", "1 January 2098: no decisions"),
    ]


def test_a_meeting_to_come_says_on_which_actions_nobody_could_have_reported(reader):
    """Until it is held, of today alone: whether an account is open is nobody's history."""
    open_one, closed = make_user("Officers", "olu"), make_user("Officers", "sam", is_active=False)
    for ref, owner in (("A01", open_one), ("A02", closed), ("A03", None)):
        make_action(ref, owner=owner, recorded_at=noon("2022-10-01"))
    make_meeting("2022-12-01")
    make_meeting("2098-01-01")

    said = "On 2 of these nobody but the secretariat can record progress at present"
    pages = [words(reader.get(f"/meetings/2098-01-01/{query}")) for query in ("", "?as_at=2022-12-20")]

    assert ["(3) Director : A01 , A02 , A03" in page for page in pages] == [True, True]
    assert [said in page for page in pages] == [True, False]
    assert f"{said}: no account is named, or it is closed. A02 , A03" in pages[0]


def test_the_position_before_any_recommendation_still_makes_sense(reader, record):
    text = words(reader.get("/?as_at=2021-06-01"))
    assert "No recommendation had been made by this day" in text
    assert "No judgement held No graded inspection is on the board on this day." in text


def test_the_records_age_is_that_of_its_newest_source_or_of_what_somebody_said_since(reader):
    action = make_action()
    make_update(action)  # from the report, of August 2022
    source = "Newest source: August 2022."
    assert f"{source} Nothing later is held. No critical" in words(reader.get("/"))
    make_update(action, dated="2022-07-31", by=make_user("Officers"))
    assert f"{source} Nothing later is held. No critical" in words(reader.get("/"))
    make_update(action, dated="2022-12-05", by=User.objects.get(username="officers"))
    text = words(reader.get("/"))
    assert f"{source} Newest progress report: 5 December 2022. No critical" in text
    assert "Nothing later" not in text


def test_figures_lead_to_the_actions_they_count_on_the_same_day(reader):
    for ref in ("A01", "A02", "A03"):
        make_due_date(make_action(ref), due="2022-11")
    make_update(Action.objects.get(ref="A03"))
    page = reader.get("/?as_at=2022-12-01").content.decode()
    for query, said in (
        ("overdue=yes", "1 late"),
        ("silent=yes", "2 silent"),
        ("stale=yes", "No recent update"),
    ):
        link = f'<a class="govuk-link" href="/actions/?as_at=2022-12-01&amp;{query}#found">{said}</a>'
        assertInHTML(link, page, count=1)


def test_an_action_given_a_new_date_in_silence_is_named_beside_the_figure_it_left(reader):
    make_due_date(make_action("A01"), due="2022-11", dated="2022-10-01")
    make_due_date(Action.objects.get(), due="2023-03", dated="2022-12-05")
    beside = "not counted: A01, given a new date since, and still not reported on."
    assert f"Silent, {beside}" in words(reader.get("/?as_at=2022-12-06"))
    assert f"Date passed, nothing reported: {beside}" in words(reader.get("/status/?as_at=2022-12-06"))


@pytest.mark.parametrize("size", [1, 10])
def test_the_position_costs_the_same_however_many_actions(reader, size, django_assert_num_queries):
    make_meeting("2022-11-22")
    for number in range(1, size + 1):
        action = make_action(f"A{number:02}", make_recommendation(number))
        make_update(action, recorded_at=EARLIER)
        make_due_date(action, recorded_at=EARLIER)
    # session, user, the mark before and after;
    # of the position, eighteen: actions, their recommendations, findings, updates,
    # what was sent back, decisions, due dates, then all findings, judgements, visits, events, risks and
    # their links, assessments, recommendations and their findings, measures and their values; the meeting
    # before, its papers, what of it can change as at that meeting with the documents and names known then,
    # of which kinds anything was corrected since, and one for what was reported; the meeting before for
    # its date; the next meeting; the newest paper; whether this is a demonstration; what was corrected of
    # each of eleven kinds of rows, and of actions again, now and as at that meeting; the newest entry, to
    # see whether that is over
    with django_assert_num_queries(60):
        reader.get("/")


def publish_at(at, held_on, monkeypatch):
    """Publish the next version of a meeting's paper at ``at``; return it, and the chain's anchor before."""
    moment = timezone.make_aware(datetime.datetime.fromisoformat(at))
    secretariat = User.objects.get(username="secretariat")
    meeting = Meeting.objects.filter(held_on=held_on).first() or make_meeting(held_on)
    make_update(Action.objects.get(), by=secretariat, recorded_at=moment)
    before, seen = anchor(), meeting.papers.count()
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: moment)
        read = what_is_read(meeting)
        return publish(meeting.pk, by=secretariat, read=read, reason="A slip" * seen), before


def test_a_past_day_names_the_paper_the_board_had_and_leads_to_its_bytes(reader, monkeypatch):
    make_action()
    make_user("Secretariat")
    first, second, third, fourth = [
        publish_at(at, held_on, monkeypatch)
        for at, held_on in [
            ("2022-11-15T10:00", "2022-11-22"),
            ("2022-11-30T16:30", "2022-11-22"),
            ("2022-12-13T12:00", "2022-12-20"),
            ("2023-01-24T23:59", "2023-01-24"),
        ]
    ]
    says_none = words(reader.get("/?as_at=2022-11-14"))
    assert "The paper the board had by this day None had been published here." in says_none
    for day, (paper, before), named in [
        ("2022-11-15", first, "22 November 2022, version 1 , published 15 November 2022 at 10am"),
        ("2022-11-22", first, "22 November 2022, version 1 , published 15 November 2022 at 10am"),
        ("2022-12-05", second, "22 November 2022, version 2 , published 30 November 2022 at 4:30pm"),
        ("2022-12-13", third, "20 December 2022, version 1 , published 13 December 2022 at midday"),
        ("2023-01-23", third, "20 December 2022, version 1 , published 13 December 2022 at midday"),
        ("2023-01-24", fourth, "24 January 2023, version 1 , published 24 January 2023 at 11:59pm"),
    ]:
        response = reader.get(f"/?as_at={day}")
        said = words(response).partition("The paper the board had by this day ")[2]
        proof = f"Proof of version {paper.version} that it is unchanged"
        assert said.startswith(f"Status paper for the meeting of {named} {proof}")
        assert f'href="/proof/#paper-{paper.pk}"' in response.content.decode()
        assert str(before) not in said
        address = f"/meetings/{paper.meeting.held_on}/paper/?version={paper.version}"
        assert f'href="{address}"' in response.content.decode()
        assert reader.get(address).content == paper.body
        assert str(before) in paper.body.decode()
    assert [first_fault(expected=before) for _, before in (first, second, third, fourth)] == [None] * 4

    page = reader.get("/proof/").content.decode()
    shown = re.findall(r'<span class="hash">(\d+:\w+)</span>', page)
    assert shown == [str(before) for _, before in (fourth, third, second, first)]
    page = reader.get("/meetings/2022-11-22/").content.decode()
    proofs = re.findall(r'href="/proof/#paper-(\d+)"', page)
    assert proofs == [str(paper.pk) for paper, _ in (second, first)]


def test_a_paper_that_the_history_does_not_hold_is_said_to_be_unreliable(reader):
    Paper.objects.create(
        meeting=make_meeting("2022-11-22"),
        version=1,
        as_at=datetime.date(2022, 11, 22),
        published_at=datetime.datetime(2022, 11, 22, tzinfo=datetime.UTC),
        published_by=make_user("Secretariat"),
        signed="Ann Clerk (Secretariat)",
        body=b"",
        sha256="0" * 64,
    )
    warning = "The history has no entry for this paper. Tell the secretariat: it should not be relied on."
    assert [warning in words(reader.get(page)) for page in ("/", "/meetings/2022-11-22/")] == [True, True]


# Meetings --------------------------------------------------------------------------------------------


def test_the_first_meeting_says_that_there_is_nothing_to_compare_with(reader):
    make_meeting("2022-11-22")
    text = words(reader.get("/meetings/2022-11-22/"))
    assert "no meeting had been held before, so there is nothing to compare with." in text


def test_a_meeting_shows_a_sum_of_open_actions_that_comes_out(reader):
    make_meeting("2022-11-22")
    make_meeting("2022-12-20")
    at = timezone.make_aware(datetime.datetime(2022, 12, 1))
    secretariat = make_user("Secretariat")
    done = make_action("A01", recorded_at=EARLIER)
    make_action("A02", recorded_at=EARLIER)
    make_action("A03", agreed_on="2022-12-01", recorded_at=at)
    make_update(done, "complete", dated="2022-12-01", by=secretariat, recorded_at=at)
    text = words(reader.get("/meetings/2022-12-20/"))
    assert "Open before 2 + added 1 + reopened 0 − completed 1 − embedded 0 − closed 0 = open now 2" in text


def test_a_meeting_where_nothing_moved_says_so(reader):
    make_meeting("2022-11-22")
    make_meeting("2022-12-20")
    text = words(reader.get("/meetings/2022-12-20/"))
    assert "Nothing moved: no status, no date, no new action, no correction." in text


def test_a_meeting_shows_a_date_that_moved_from_what_to_what_and_why(reader):
    make_meeting("2022-11-22")
    make_meeting("2022-12-20")
    action = make_action(recorded_at=EARLIER)
    chair = make_user("Chair")
    for dated, due in (("2022-11-01", "2022-12"), ("2022-12-05", "2023-02")):
        at = timezone.make_aware(datetime.datetime.fromisoformat(dated))
        make_due_date(action, due=due, dated=dated, by=chair, recorded_at=at, reason="A supplier left")
    text = words(reader.get("/meetings/2022-12-20/"))
    assert "A01: Title of A01 December 2022 February 2023" in text
    assert "First date: A supplier left Agreed by Chair Person (Chair)" in text


def test_links_of_a_past_meeting_lead_to_what_it_had_before_it(reader):
    make_meeting("2022-11-22")
    make_action(recorded_at=EARLIER)
    page = reader.get("/meetings/2022-11-22/").content.decode()
    assert 'href="/recommendations/1/?as_at=2022-11-22&amp;known=then"' in page


def test_a_paper_whose_bytes_were_changed_is_not_shown(reader):
    paper = Paper(
        meeting=make_meeting("2022-11-22"),
        version=1,
        as_at=datetime.date(2022, 11, 22),
        published_at=timezone.now(),
        published_by=make_user("Secretariat"),
        signed="Ann Clerk (Secretariat)",
        body=b"<p>Altered</p>",
        sha256="0" * 64,
    )
    append([paper])
    response = reader.get("/meetings/2022-11-22/paper/")
    assert response.status_code == 500
    assert "Altered" not in response.content.decode()
    assert "Nothing is shown in its place." in words(response)


def test_a_meeting_lists_each_version_of_its_paper_with_its_hash(reader):
    meeting, secretariat = make_meeting("2022-11-22"), make_user("Secretariat")
    for version, reason in ((1, ""), (2, "A wrong figure")):
        paper = Paper(
            meeting=meeting,
            version=version,
            reason=reason,
            as_at=meeting.held_on,
            published_at=datetime.datetime(2022, 11, 21, 9, 30, tzinfo=datetime.UTC),
            published_by=secretariat,
            signed="Ann Clerk (Secretariat)",
            body=b"",
            sha256=str(version) * 64,
        )
        append([paper])
    text = words(reader.get("/meetings/2022-11-22/"))
    newest, oldest = text.index("Status paper, version 2"), text.index("Status paper, version 1")
    assert newest < oldest
    assert "Why it replaced the one before: A wrong figure" in text
    assert "Published 21 November 2022 at 9:30am by Ann Clerk" in text
    proof = words(reader.get("/proof/"))
    assert re.findall(r"version (\d) Published .*? (\1{64}) ", proof) == [("2", "2" * 64), ("1", "1" * 64)]


def test_the_meetings_of_a_past_day_are_those_held_by_then_with_the_papers_it_had(reader, monkeypatch):
    make_action()
    make_user("Secretariat")
    make_meeting("2023-01-24")
    publish_at("2022-11-15T10:00", "2022-11-22", monkeypatch)
    publish_at("2022-11-30T16:30", "2022-11-22", monkeypatch)
    to_come, held = {}, {}
    paper = "Its paper: Version 1 of the paper for 22 November 2022 , as at 15 November 2022"
    for day in ("2022-11-22", "2022-11-29", "2022-11-30", "2023-02-01"):
        response = reader.get(f"/meetings/?as_at={day}")
        assert '<p class="as-at__day">As at' in response.content.decode()
        before, _, after = words(response).partition(" To come ")
        to_come[day], held[day] = after.split(" Held ")
        assert (f" On this day 22 November 2022 {paper}" in before) == (day == "2022-11-22")

    later = (
        "24 January 2023 Its paper is not published yet: see it as it stands (DRAFT) , for 24 January 2023"
    )
    assert to_come == {
        "2022-11-22": later,
        "2022-11-29": later,
        "2022-11-30": later,
        "2023-02-01": "No meeting is recorded from 1 February 2023 onwards.",
    }
    assert held["2022-11-22"] == "No meeting had been held by 22 November 2022."
    assert [day for day in held if "Version 1 " in held[day]] == ["2022-11-29", "2022-11-30", "2023-02-01"]
    assert [day for day in held if "Version 2 " in held[day]] == ["2022-11-30", "2023-02-01"]
    assert "Actions: 1 first reported on. None had been published here" in held["2023-02-01"]


@pytest.mark.parametrize(("size", "queries"), [(1, 14), (10, 15)])
def test_meetings_cost_the_same_however_many(reader, size, queries, django_assert_num_queries):
    for month in range(1, size + 1):
        make_meeting(f"2023-{month:02}-01")
    # session, user, the mark before and after;
    # meetings, their papers, which were edited; what was decided at them, six, and what had changed, which is
    # not asked of a single one; whether this is a demonstration
    with django_assert_num_queries(queries):
        reader.get("/meetings/")


@pytest.mark.parametrize("size", [1, 10])
def test_the_page_of_proofs_costs_the_same_however_many_papers(reader, size, django_assert_num_queries):
    for month in range(1, size + 1):
        paper = Paper(
            meeting=make_meeting(f"2023-{month:02}-01"),
            version=1,
            as_at=datetime.date(2022, 11, 22),
            published_at=datetime.datetime(2022, 11, 21, tzinfo=datetime.UTC),
            published_by=User.objects.get(),
            signed="Ann Clerk (Secretariat)",
            body=b"",
            sha256="0" * 64,
        )
        append([paper])
    # session, user, the mark before and after; the newest entry; the papers; whether this is a demonstration
    with django_assert_num_queries(7):
        assert words(reader.get("/proof/")).count("0" * 64) == size


def test_what_a_meeting_had_before_it_is_rendered_once_until_words_of_it_are_erased(reader):
    officer = make_user("Officers")
    for day in ("2022-11-22", "2023-01-24"):
        held = make_meeting(day)
    action = make_action("A01", recorded_at=noon("2022-11-01"))
    said = {"by": officer, "narrative": "Ten homes were visited"}
    told = make_update(action, "at_risk", dated="2023-01-10", recorded_at=noon("2023-01-10"), **said)
    make_update(action, "on_track", dated="2023-02-10", by=officer)

    def asked_for():
        with CaptureQueriesContext(connection) as asked:
            body = reader.get(held.get_absolute_url()).content.decode()
        return body, len(asked)

    whole, queries = asked_for()
    make_update(action, "on_track", dated="2023-02-11", by=officer)
    again, fewer = asked_for()
    place = erasure.Place(ProgressUpdate, told.pk, "narrative", told.narrative)
    erasure.erase([place], reason="A name, UK GDPR article 17", approved_by="Mary Example (Officer)")
    erased, _ = asked_for()

    assert again == whole
    assert (queries, fewer) == (75, 19)
    assert [body.count(told.narrative) for body in (whole, erased)] == [1, 0]


def test_after_a_restore_no_page_of_the_past_tells_of_what_was_lost(reader):
    action, officer = make_action("A01", recorded_at=noon("2022-11-01")), make_user("Officers")

    def reported_off_track():
        return reader.get("/actions/?as_at=2022-11-15&known=then").content.count(b"#status-off_track")

    with transaction.atomic():
        for day, status in (("2022-11-10", "off_track"), ("2022-11-20", "at_risk")):
            make_update(action, status, dated=day, recorded_at=noon(day), by=officer)
        before = reported_off_track()
        transaction.set_rollback(True)
    assert (before, reported_off_track()) == (1, 0)


@pytest.mark.parametrize("size", [1, 10])
def test_a_meeting_costs_the_same_however_many_actions(reader, size, django_assert_num_queries):
    make_meeting("2022-11-22")
    make_meeting("2022-12-20")
    for number in range(1, size + 1):
        action = make_action(f"A{number:02}", make_recommendation(number))
        make_update(action, recorded_at=EARLIER)
        make_due_date(action, recorded_at=EARLIER)
    # session, user, the mark before and after;
    # the meeting, its papers; its position, eighteen as above; the meeting before, its
    # papers, its position, what of it can change again; of which kinds anything was corrected since, what was
    # reported, and that in full;
    # the meeting before for its date; the last six, the papers and actions of the one there is, whether
    # there are more; whether this is a demonstration; the papers to list; what was corrected, eleven, and
    # of meetings; whether there is a paper since which to compare; the numbers of its paper, of which kinds
    # anything was decided at it, and on its day, two; what arose that day; what was corrected of actions,
    # twice more, and the newest entry, as above
    with django_assert_num_queries(80):
        reader.get("/meetings/2022-12-20/")


# Trends ----------------------------------------------------------------------------------------------


def test_trends_open_with_what_no_measure_shows_and_quote_the_newest_reports_on_the_difference(reader):
    text = words(reader.get("/trends/"))
    assert "Difference made for children No measure held shows whether children are safer. Nobody has" in text
    officer = make_user("Officers")
    for ref, first, second in (("A01", "Fewer moves", ""), ("A02", "", "Quicker visits"), ("A03", "", "")):
        action = make_action(ref)
        for dated, said in (("2022-11-01", first), ("2022-12-01", second)):
            make_update(action, dated=dated, by=officer, difference_made=said)
    text = words(reader.get("/trends/"))
    said = (
        "1 of 3 reported actions says something about it in the newest report on each. Some may say that "
        "there is no difference yet."
    )
    assert said in text
    assert ("Fewer moves" in text, "A02: Title of A02 On track" in text) == (False, True)


def test_a_claim_of_a_difference_on_trends_stands_beside_how_its_action_stands(reader):
    officer, action = make_user("Officers"), make_action("A01")
    make_update(action, dated="2022-11-01", by=officer, difference_made="More visits were on time")
    make_update(action, "closed", dated="2022-12-01", by=make_user("Chair"))
    text = words(reader.get("/trends/?as_at=2022-12-31"))
    assert "A01: Title of A01 Closed, not done More visits were on time" in text


def test_a_measure_that_shows_whether_children_are_safer_takes_the_place_of_the_words_that_none_does(reader):
    measure = make_measure_value("20%").measure
    none, told = (
        "No measure held shows whether children are safer.",
        "Held to show whether children are safer:",
    )
    assert [said in words(reader.get("/trends/")) for said in (none, told)] == [True, False]
    with saved(by=make_user("Secretariat"), reason="It counts children"):
        measure.shows_safety = True
        measure.save()
    text = words(reader.get("/trends/"))
    assert (none in text, f"{told} Vacancies : 20% , June 2022." in text) == (False, True)


def measured(client, address="/trends/"):
    return words(client.get(address)).partition("What it does not show")[2]


def test_a_value_of_a_measure_says_who_recorded_it_and_what_it_said_before_it_was_put_right(reader):
    clerk = make_user("Secretariat", first_name="Ann", last_name="Clerk")
    make_action()
    loaded = make_measure_value("20%", recorded_at=noon("2022-11-01"))
    said = {"as_at": "2022-11-30", "measure": loaded.measure, "by": clerk}
    wrong = make_measure_value("44%", recorded_at=noon("2022-12-14"), **said)
    signed_by = "Ann Clerk (Secretariat) , 30 November 2022, recorded 2 weeks later"
    assert f"Vacancies 44% 30 November 2022 {signed_by}" in measured(reader)

    right = make_measure_value(
        "54%", corrects=wrong, correction_reason="Misread", recorded_at=noon("2022-12-15"), **said
    )
    before = f"44% {signed_by} Corrected 15 December 2022 by Ann Clerk : Misread"
    after = f"54% 30 November 2022 {signed_by}"
    shown = measured(reader)
    assert (before in shown, after in shown) == (True, True)
    assert "<s><bdi>44% </bdi></s>" in reader.get("/trends/").content.decode()
    then = measured(reader, "/trends/?as_at=2022-12-14&known=then")
    assert (f"44% 30 November 2022 {signed_by}" in then, "Misread" in then) == (True, False)

    with saved(reason="It counts children", by=clerk):
        loaded.measure.shows_safety = True
        loaded.measure.save()
    append([right.withdrawal(by=clerk, reason="Typed twice")])
    today = say_day(timezone.localdate())
    gone = f"{before} 54% {signed_by} Withdrawn {today} by Ann Clerk : Typed twice"
    assert f"{gone} 20% June 2022" in measured(reader)
    assert gone in words(reader.get("/"))


def test_a_measure_of_which_no_value_stands_is_shown_with_what_it_said(reader):
    clerk = make_user("Secretariat")
    wrong = make_measure_value("44%", by=clerk)
    append([wrong.withdrawal(by=clerk, reason="Another council’s")])

    shown = words(reader.get("/trends/"))
    assert "Measures (1)" in shown
    assert "by Secretariat Person : Another council’s No value stands" in shown
    assert reader.get("/position.json").json()["measures"] == []


def test_trends_that_are_the_same_each_month_are_a_sentence_and_no_chart(reader):
    make_action(agreed_on="2020-01")
    flat, moving = (reader.get(f"/trends/?as_at={day}") for day in ("2022-10-31", "2020-03-31"))
    said = "The counts were the same at the end of each of the last 12 months: 1 not yet reported."
    assert [said in words(page) for page in (flat, moving)] == [True, False]
    assert ["<title>Status of all" in page.content.decode() for page in (flat, moving)] == [False, True]


def test_trends_show_every_date_that_moved_with_its_title(reader):
    action = make_action()
    for dated, due in (("2022-10-01", "2022-12"), ("2022-11-01", "2023-02")):
        make_due_date(action, due, dated=dated)
    text = words(reader.get("/trends/?as_at=2023-01-31"))
    moved = "A01: Title of A01 December 2022 → February 2023: second date, 2 months later than the first"
    assert ("Dates that have moved (1)" in text, moved in text) == (True, True)


@pytest.mark.parametrize("size", [1, 10])
def test_trends_cost_the_same_however_many_actions(reader, size, django_assert_num_queries):
    for number in range(1, size + 1):
        action = make_action(f"A{number:02}", make_recommendation(number))
        make_update(action, recorded_at=EARLIER)
        make_due_date(action, recorded_at=EARLIER)
    # session, user, the mark before and after;
    # the position, eighteen as above, and what was corrected, twelve; the statuses of twelve
    # months; what was foretold of dates, and since when what is done has been; whether this is a
    # demonstration
    with django_assert_num_queries(38):
        reader.get("/trends/")


def test_a_meeting_to_come_lists_the_late_actions_that_its_paper_numbers_after_the_decisions(reader):
    coming = make_meeting(timezone.localdate() + datetime.timedelta(days=30))
    for ref in ("A01", "A02"):
        make_due_date(make_action(ref), "2022-11")
        make_update(Action.objects.get(ref=ref), "at_risk")
    first, second = "A01: Title of A01 Due: November 2022", "A02: Title of A02 Due: November 2022"
    asked = f"Late, with no new date asked for D1. {first} D2. {second}"
    assert asked in words(reader.get(coming.get_absolute_url()))
    make_due_date(Action.objects.get(ref="A02"), "2027-06", by=make_user("Officers"), needs_decision=True)
    page = words(reader.get(coming.get_absolute_url()))
    assert (asked in page, f"Late, with no new date asked for D2. {first} Decided" in page) == (False, True)
