"""The pages of recommendations and actions, and the tags that every page says things with."""

import datetime
import re

import pytest
from django.template import Context, Template
from django.utils import timezone

from recommendations.history import history
from recommendations.models import Action
from recommendations.status import WORST_FIRST
from recommendations.templatetags import board
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_decision,
    make_due_date,
    make_recommendation,
    make_update,
)
from record import erasure
from record.as_at import AsAt
from record.sources import Source
from record.tests.factories import add, change, make_document, make_meeting, make_user, on, saved
from record.tests.pages import main_words as words
from record.tests.pages import words as words_of
from visits.models import Finding
from visits.tests.factories import make_finding

pytestmark = pytest.mark.once

TODAY = datetime.date(2026, 11, 22)


def say(template, **context):
    return Template("{% load board %}" + template).render(Context(context))


# One action ------------------------------------------------------------------------------------------


def test_an_action_shows_every_date_and_that_a_later_one_clears_no_miss(reader):
    action = make_action()
    make_due_date(action, due="2022-11", dated="2022-10-01")
    make_due_date(action, due="2023-02", dated="2023-01-10", reason_kind="resources", reason="No money")
    make_update(action, dated="2022-11-20", by=make_user("Officers"))
    text = words(reader.get("/actions/A01/?as_at=2023-01-31"))
    assert "November 2022 → February 2023: second date, 3 months later than the first date" in text
    assert "Deadlines missed 1" in text
    assert "Times the date moved 1" in text
    assert "Not enough people or money: No money" in text


def test_an_action_shows_a_refusal_with_its_reason(reader):
    chair = make_user("Chair")
    proposal = make_due_date(make_action(), due="2023-06", needs_decision=True, reason="More time")
    make_decision(proposal, "refused", by=chair, reason="It has waited long enough")
    text = words(reader.get("/actions/A01/"))
    assert "Proposed and refused June 2023" in text
    assert "Chair Person (Chair)" in text
    assert "It has waited long enough" in text


def test_an_action_shows_a_correction_and_the_entry_it_corrects(reader):
    action, officer = make_action(), make_user("Officers")
    wrong = make_update(action, "done", dated="2022-11-01", by=officer, narrative="All done")
    make_update(
        action,
        "on_track",
        dated="2022-11-01",
        by=officer,
        narrative="Half done",
        corrects=wrong,
        correction_reason="Wrong action",
    )
    response = reader.get("/actions/A01/")
    text = words(response)
    assert "This corrects an earlier entry: Wrong action" in text
    assert "by Officers Person : Wrong action It counts no more." in text
    # A reason often ends without a full stop.
    assert "<p>It counts no more.</p>" in response.content.decode()


def test_a_repeat_says_how_what_it_repeats_was_put_right_since(reader):
    officer = make_user("Officers")
    action = make_action("A01")
    said = make_update(action, dated="2022-10-01", by=officer)
    repeat = {"by": officer, "narrative": "No change since 1 October 2022."}
    make_update(action, dated="2022-11-01", **repeat)
    last = make_update(action, dated="2022-11-20", **repeat)

    def put_right():
        text = words(reader.get("/actions/A01/"))
        return text.partition("is as reported then. ")[2].partition(" Difference made")[0]

    assert "What it repeats" not in put_right()
    wrong = {"corrects": said, "correction_reason": "Not so"}
    now = make_update(action, "off_track", dated="2022-10-01", by=officer, **wrong)
    assert put_right().startswith("What it repeats was corrected since, from “On track” to “Off track”. ")
    assert "Not so" in put_right()
    add(now.withdrawal(by=officer, reason="Another action’s"))
    assert put_right().startswith("What it repeats was withdrawn since. Withdrawn")
    # One made once that was put right repeats what is right.
    add(last.withdrawal(by=officer, reason="Made anew"))
    make_update(action, "off_track", dated="2022-10-02", by=officer)
    make_update(action, "off_track", dated="2022-11-21", **repeat)
    assert "What it repeats" not in put_right()


def test_two_notices_are_no_repeat(reader):
    officer, action = make_user("Officers"), make_action("A01")
    rows = [make_update(action, dated=f"2022-{n}-01", by=officer, narrative=f"Bob {n}") for n in (10, 11)]
    places = [erasure.Place(type(row), row.pk, "narrative", row.narrative) for row in rows]
    erasure.erase(places, reason="A child’s name", approved_by="Person (Monitoring officer)")
    text = words(reader.get("/actions/A01/"))
    assert text.count(": A child’s name]") >= 2
    assert "Word for word what the update before it said" not in text


def test_an_account_renamed_later_is_named_as_it_was_and_what_it_is_now_only_on_todays_page(reader):
    officer = make_user("Officers")
    make_update(make_action(), dated="2022-11-01", by=officer)
    assert ", now " not in words(reader.get("/actions/A01/"))
    officer.first_name = "Olivia"
    officer.save()

    today, past = words(reader.get("/actions/A01/")), words(reader.get("/actions/A01/?as_at=2022-12-01"))

    assert today.count("Recorded by Officers Person (Officer) , now Olivia Person") == 2
    assert past.count("Recorded by Officers Person (Officer)") == 2
    assert "Olivia" not in past


def test_an_action_says_that_an_update_was_recorded_late(reader):
    officer = make_user("Officers")
    recorded = timezone.make_aware(datetime.datetime(2022, 10, 26, 12))
    make_update(make_action(), dated="2022-10-05", by=officer, recorded_at=recorded)
    text = words(reader.get("/actions/A01/"))
    assert "26 October 2022 at midday. Dated 5 October 2022, recorded 3 weeks later" in text


def test_an_action_shows_in_words_that_inspectors_disagree(reader):
    action = make_action()
    make_update(action, dated="2022-09-01", by=make_user("Officers"))
    letter = make_document("letter", published="2022-10-20")
    with saved(reason="It bears on this"):
        action.findings.add(
            Finding.objects.create(
                ref="F01",
                kind="concern",
                attribution="ofsted",
                text="It does not work.",
                document=letter,
                reference="p2",
            )
        )
    text = words(reader.get("/actions/A01/"))
    assert (
        "Recommendation 1 On track A01 1 of 1 reported Not assessed Not assessed Inspectors have recorded a "
        "concern since a report of On track or better. Ofsted: It does not work." in text
    )


@pytest.mark.parametrize(
    ("role", "is_owner", "may"),
    [
        ("Board members", False, False),
        ("Officers", False, False),
        ("Officers", True, True),
        ("Secretariat", False, True),
        ("Administrators", False, False),
    ],
)
def test_an_action_offers_recording_to_those_who_may(client, db, role, is_owner, may):
    user = make_user(role, username="someone")
    make_action(owner=user if is_owner else None)
    client.force_login(user)
    page = client.get("/actions/A01/").content.decode()
    assert ("Record progress on A01" in page) is may


def test_what_people_type_cannot_become_a_script_or_a_dangerous_link(reader):
    evil = '<script>alert(1)</script> javascript:alert(2) https://example.org/a"onclick=x'
    make_update(make_action(title="<b>Bold</b>"), narrative=evil, evidence="javascript:alert(3)")
    page = reader.get("/actions/A01/").content.decode()
    assert "<script>alert" not in page
    assert "<b>Bold" not in page
    assert (
        re.findall(r'href="(?!/|\?|#)([^"]*)"', page.partition("<main")[2]) == ["https://example.org/a"] * 2
    )


# One recommendation ----------------------------------------------------------------------------------


def test_a_recommendation_shows_three_views_and_that_they_differ(reader):
    recommendation = make_recommendation(1)
    make_update(make_action(), dated="2022-11-01", by=make_user("Officers"))
    make_assessment(recommendation, "off_track", dated="2022-11-02", narrative="No sign of it")
    text = words(reader.get("/recommendations/1/"))
    assert (
        "Recommendation 1 On track A01 1 of 1 reported Off track 2 November 2022 Not assessed "
        "Owners report better than the newest assessment." in text
    )
    views = [
        text.index(view) for view in ("What its owners report", "No sign of it", "What inspectors found")
    ]
    assert views == sorted(views)


def test_a_critical_recommendation_says_what_hangs_on_it_when_an_action_is_overdue(reader):
    make_recommendation(1, is_critical=True, consequence="The trust question comes nearer.")
    for ref in ("A01", "A02"):
        make_due_date(make_action(ref), due="2022-11", dated="2022-10-01")
    untold, nearer = (
        "be told: 1 date has passed without a report.",
        "What hangs on this recommendation is nearer",
    )

    def said(day):
        text = words(reader.get(f"/recommendations/1/?as_at={day}"))
        assert "The trust question comes nearer." in text
        return untold in text, nearer in text

    make_update(Action.objects.get(ref="A02"), "complete", dated="2022-11-20")
    assert [said(day) for day in ("2022-11-30", "2022-12-01")] == [(False, False), (True, False)]
    make_update(Action.objects.get(ref="A01"), dated="2022-12-02")
    assert [said(day) for day in ("2022-12-01", "2022-12-02")] == [(True, False), (False, True)]
    text = words(reader.get("/recommendations/1/?as_at=2022-12-02"))
    assert f"{nearer}, because: A01: Title of A01 is overdue (due November 2022). Deadlines missed" in text


def test_a_recommendation_that_is_not_critical_warns_of_no_consequence(reader):
    make_due_date(make_action("A01"), due="2022-11")
    make_update(make_action("A02"), "off_track")
    text = words(reader.get("/recommendations/1/"))
    assert "Date passed, nothing reported" in text
    assert ("What hangs on" in text, "be told" in text) == (False, False)


def test_links_between_pages_keep_the_day(reader):
    make_recommendation(1)
    make_action()
    page = reader.get("/recommendations/1/?as_at=2022-11-30&known=then").content.decode()
    links = re.findall(r'href="(/(?:actions|recommendations|visits|status|meetings)[^"]*)"', page)
    assert {link.partition("?")[2] for link in links} == {"as_at=2022-11-30&amp;known=then", ""}
    assert [link for link in links if not link.partition("?")[2]] == ["/recommendations/1/"]  # back to today


@pytest.mark.parametrize("size", [1, 10])
def test_a_recommendation_costs_the_same_however_long_its_history(reader, size, django_assert_num_queries):
    make_recommendation(1)
    for number in range(1, size + 1):
        action = make_action(f"A{number:02}")
        make_update(action)
        make_due_date(action)
    # session, user, the mark before and after;
    # of the position: actions, their recommendations, findings, updates, what was sent back,
    # decisions, due dates, then all findings, judgements, visits, events, risks, assessments,
    # recommendations, values, and apart from them, as they are or were then, the risks' links, the
    # recommendations' and the measures;
    # of the history: where the page is cut, by the actions and by the recommendation, updates, due dates,
    # decisions, what was sent back, owners, assessments; whether this is a demonstration; and what was
    # corrected of each of eleven kinds of rows, and of actions twice; for the record of
    # its lead body, what was foretold of dates, and since when what is done has been
    with django_assert_num_queries(46):
        reader.get("/recommendations/1/")


@pytest.mark.parametrize("size", [1, 10])
def test_an_action_costs_the_same_however_long_its_history(reader, size, django_assert_num_queries):
    action = make_action()
    for day in range(1, size + 1):
        make_update(action, dated=f"2022-11-{day:02}")
        make_due_date(action, dated=f"2022-11-{day:02}")
    # as for a recommendation, without its assessments and that record, and with the meeting at which it arose
    with django_assert_num_queries(43):
        reader.get("/actions/A01/")


def test_an_action_says_that_it_was_agreed_on_the_day_of_a_meeting_once_that_is_known(reader):
    make_action("A01", agreed_on="2022-11-22")
    make_action("A02", agreed_on="2022-11")
    make_action("A03", agreed_on="2022-11-23")
    make_meeting("2022-11-22")
    make_meeting("2022-11-23", state="cancelled")
    told = "Agreed by the board 22 November 2022 That was the day of a meeting of the board"
    assert told in words(reader.get("/actions/A01/"))
    for ref in ("A02", "A03"):
        assert "That was the day of a" not in words(reader.get(f"/actions/{ref}/"))


# The tags --------------------------------------------------------------------------------------------


def test_every_status_has_a_shape_of_its_own():
    drawn = [board.shape(status) for status in WORST_FIRST]
    assert len(set(drawn)) == len(WORST_FIRST)


def test_a_status_is_its_shape_and_its_word():
    tag = board.status_tag("at_risk")
    link = '<a class="tag tag--warning" href="/help/#status-at_risk">'
    assert tag == f"{link}{board.shape('at_risk')} At risk</a>"


def test_a_flag_is_its_shape_and_its_words():
    tag = board.flag_tag("No update since 1 May 2026", "stale")
    shape = board.shape("stale")
    link = '<a class="tag tag--flag tag--stale" href="/help/#flag-stale">'
    assert tag == f"{link}{shape} No update since 1 May 2026</a>"


def test_every_status_and_flag_leads_to_what_it_commits_us_to(client, db):
    page = client.get("/help/").content.decode()
    led_to = re.findall('<a class="tag[^"]*" href="/help/#([^"]*)"', page)
    assert len(led_to) == len(WORST_FIRST) + 6
    assert [anchor for anchor in led_to if f' id="{anchor}"' not in page] == []


@pytest.mark.parametrize(
    ("at", "address"),
    [
        (AsAt.now(TODAY), "/actions/A01/"),
        (AsAt(TODAY, datetime.date(2022, 11, 22), None), "/actions/A01/?as_at=2022-11-22"),
        (None, "/actions/A01/"),
    ],
)
def test_a_link_keeps_the_day_that_is_asked_about(at, address):
    assert say("{% board_url 'action' 'A01' %}", at=at) == address


def test_prose_links_only_web_addresses():
    link = '<a href="https://a.example/b?c=1&amp;d=2" rel="nofollow noreferrer" class="govuk-link">'
    said = say("{% prose text %}", text="See https://a.example/b?c=1&d=2, or ftp://x or javascript:y.")
    expected = f"See {link}https://a.example/b?c=1&amp;d=2</a>, or ftp://x or javascript:y."
    assert said == f'<bdi class="prose">{expected}</bdi>'


def test_a_term_is_spelled_out_where_the_page_first_uses_it():
    said = say("{% prose text %} {% prose text %}", text="The DCS")
    link = '<a href="/help/#dcs" class="govuk-link">director of children’s services</a>'
    assert said == f'<bdi class="prose">The DCS ({link})</bdi> <bdi class="prose">The DCS</bdi>'


def test_a_term_in_brackets_after_its_words_is_left_alone():
    text = "the multi-agency safeguarding hub (MASH)"
    assert say("{% prose text %}", text=text) == f'<bdi class="prose">{text}</bdi>'


def test_a_fact_without_a_source_says_so():
    assert say("{% source None %}") == '<span class="source">Source: no source recorded</span>'


def test_a_source_with_a_dangerous_address_is_not_a_link():
    found = Source("The report", "The adviser", "August 2022", "p1", "javascript:alert(1)")
    said = say("{% source found %}", found=found)
    where = "<cite><bdi>The report</bdi></cite>, August 2022. <bdi>p1</bdi>"
    assert said == f'<span class="source">Source: {where}</span>'


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ((2022, 11, 22, 17, 30), "22 November 2022 at 5:30pm"),
        ((2022, 7, 1, 9, 0), "1 July 2022 at 10am"),
        ((2022, 11, 23, 0, 0), "the end of 22 November 2022"),
    ],
)
def test_a_moment_is_said_in_london_time(at, said):
    assert board.moment(datetime.datetime(*at, tzinfo=datetime.UTC)) == said


# The history, followed to its end -----------------------------------------------------------------------


@pytest.mark.parametrize("count", [49, 50, 51, 101])
def test_history_is_followed_to_its_end_an_old_assessment_behind_newer_updates_included(db, count):
    action, officer = make_action(), make_user("Officers")
    recommendation = action.recommendations.get()
    make_assessment(recommendation, dated="2022-10-01", by=officer)
    first = datetime.date(2022, 11, 1)
    for number in range(count):
        day = first + datetime.timedelta(days=number)
        make_update(action, dated=day.isoformat(), by=officer, narrative=f"Update {number}")
    at, seen, before = on(datetime.date(2026, 11, 22)), [], None
    while True:
        page = history(at, actions=[action.pk], recommendation=recommendation.pk, before=before)
        seen += [line.text for line in page.entries]
        before = page.older
        if before is None:
            break
    assert seen == [*(f"Update {number}" for number in reversed(range(count))), "What was seen"]


def test_a_page_leads_on_where_only_the_day_just_before_it_is_left(db):
    action, officer = make_action(), make_user("Officers")
    first = datetime.date(2022, 11, 1)
    for number in range(51):
        day = first + datetime.timedelta(days=number)
        make_update(action, dated=day.isoformat(), by=officer, narrative=f"Update {number}")
    at = on(datetime.date(2026, 11, 22))
    page = history(at, actions=[action.pk])
    assert (len(page.entries), page.older) == (50, datetime.date(2022, 11, 2))
    rest = history(at, actions=[action.pk], before=page.older)
    assert ([line.text for line in rest.entries], rest.older) == (["Update 0"], None)


def test_a_recommendation_shows_the_last_five_entries_of_each_action_unless_asked_for_all(reader):
    often, seldom, officer = make_action("A01"), make_action("A02"), make_user("Officers")
    recommendation = often.recommendations.get()
    for number in range(1, 8):
        make_update(often, "at_risk" if number > 2 else "on_track", dated=f"2022-11-0{number}", by=officer)
        make_assessment(recommendation, dated=f"2022-10-0{number}", by=officer)
    make_update(seldom, dated="2021-11-01", by=officer)
    make_due_date(seldom, due="2023-01", dated="2021-12-01", by=officer)

    def shown(query):
        page = reader.get(f"/recommendations/1/{query}").content.decode()
        entries = re.findall('<p class="history__head">(.*?)</p>', page, re.DOTALL)
        return [words_of(entry) for entry in entries], "show all entries" in page, page

    newest = [f"{n} November 2022, A01" for n in range(7, 2, -1)]
    newest += [f"{n} October 2022" for n in range(7, 2, -1)]
    seldom_said = ["1 December 2021, A02", "1 November 2021, A02"]
    entries, is_cut, page = shown("")
    assert (entries, is_cut) == ([*newest, *seldom_said], True)
    # The oldest that is shown still says what it changed.
    assert re.findall(r"(On track|At risk) →", page.partition('id="history"')[2]) == ["On track"]
    entries, is_cut, _ = shown("?history=all")
    assert (len(entries), is_cut) == (16, False)
    assert shown("?as_at=2022-10-06")[:2] == ([*newest[6:], "2 October 2022", *seldom_said], True)
    assert shown("?as_at=2022-10-05")[:2] == (
        [*newest[7:], "2 October 2022", "1 October 2022", *seldom_said],
        False,
    )
    assert reader.get("/recommendations/1/?history=some").status_code == 400


def test_history_shows_an_entry_as_corrected_only_once_the_correction_was_known(db):
    action, later = make_action(), make_document("later", published="2022-12")
    first = make_update(action, dated="2022-11-01")
    again = {"corrects": first, "correction_reason": "A slip", "document": later}
    make_update(action, "at_risk", dated="2022-11-01", **again)

    told = {}
    for day in (datetime.date(2022, 11, 20), datetime.date(2022, 12, 20)):
        at = AsAt.then(day, today=TODAY)
        told[day.month] = (
            [(line.now, line.superseded is not None) for line in history(at, actions=[action.pk]).entries],
            Action.objects.as_at(at).get().status,
        )
    assert told == {
        11: ([("On track", False)], "on_track"),
        12: ([("At risk", False), ("On track", True)], "at_risk"),
    }


def test_a_recommendation_of_many_actions_is_shown_by_twenty_and_every_row_of_them_printed(reader):
    make_recommendation(1)
    officer = make_user("Officers")
    for number in range(1, 22):
        make_update(
            make_action(f"A{number:02}"), dated="2023-01-01", narrative=f"Said of {number}", by=officer
        )
    refs = [f"A{number:02}" for number in range(1, 22)]
    first, second = (reader.get(f"/recommendations/1/?as_at=2023-03-10{page}") for page in ("", "&page=2"))

    def parts(response):
        page = response.content.decode()
        reports, rows, history = re.split('id="(?:actions|history)"', page)
        on_paper = re.findall('<tbody class="print-only">.*?</tbody>', rows, re.DOTALL)
        on_screen = re.sub('<tbody class="print-only">.*?</tbody>', "", rows, flags=re.DOTALL)
        row = r'<th scope="row"[^>]*>.*?href="/actions/([^/]+)/'
        found = [re.findall(row, text, re.DOTALL) for text in (on_screen, "".join(on_paper))]
        told = [re.findall(r"\bSaid of (\d+)\b", text) for text in (reports, history)]
        return [*found, *told], words_of(reports), words_of(rows), words_of(history)

    found, reports, rows, history_words = parts(first)
    assert found[:3] == [refs[:20], refs[20:], [str(n) for n in range(1, 21)]]
    assert sorted(found[3], key=int) == found[2]
    assert "What its owners report (21 of 21 reported)" in reports
    assert "Here are A01 to A20, 20 of its 21 actions. Pages of the others" in reports
    assert "answer it: 21 on track Showing 1 to 20 of 21 Showing all 21" in rows
    assert (
        "Here is what was said of the recommendation itself and of A01 to A20, 20 of its 21 actions."
        in history_words
    )
    assert 'href="?as_at=2023-03-10&amp;page=2#actions"' in first.content.decode()
    first_look = 'href="/actions/?as_at=2023-03-10&amp;recommendation=1&amp;first=yes"'
    assert first_look in first.content.decode()
    found, reports, rows, history_words = parts(second)
    assert found == [refs[20:], refs[:20], ["21"], ["21"]]
    assert "Here is A21, 1 of its 21 actions." in reports
    assert [line.text for line in second.context["history"].entries] == ["Said of 21"]


def test_a_finding_that_was_withdrawn_stays_struck_through_on_the_page_of_what_it_led_to(reader):
    gone = make_finding("F01", text="Visits were late")
    make_recommendation(1, findings=[gone, make_finding("F02", text="Records were thin")])
    change(gone, is_withdrawn=True)

    page = words(reader.get("/recommendations/1/"))

    assert "No longer here, and counted nowhere here (1)" in page
    assert "Visits were late" in page.partition("No longer here")[2]
