"""What pages say of a meeting that was moved, of one whose paper is out, and of what it was asked."""

import datetime
import re

import pytest
from django.utils import timezone

from meetings.decided import in_runs
from meetings.models import Paper
from meetings.publishing import publish, what_is_read
from meetings.tests.factories import paper_of
from recommendations.status import Status
from recommendations.tests.factories import make_action, make_due_date, make_update
from record import ledger
from record.as_at import AsAt
from record.dates import say_day
from record.held import published_by
from record.tests.factories import make_meeting, make_user, noon, saved
from record.tests.pages import main_words

pytestmark = pytest.mark.again

TO_COME = "2098-12-15"


@pytest.fixture
def reader(client, db):
    client.force_login(make_user("Board members"))
    return client


def move(meeting, day):
    with saved(timezone.now(), reason="It was wrong"):
        meeting.held_on = datetime.date.fromisoformat(day)
        meeting.save()


def said_on(client, *addresses):
    return [main_words(client.get(address)) for address in addresses]


def test_a_moved_meeting_says_from_which_day_it_was_moved_and_when_and_why(reader):
    meeting = make_meeting(TO_COME)
    home, listed, page = said_on(reader, "/", "/meetings/", f"/meetings/{TO_COME}/")
    assert ["oved from" in text for text in (home, listed, page)] == [False] * 3

    move(meeting, "2098-12-18")
    move(meeting, "2098-12-29")
    home, listed, page = said_on(reader, "/", "/meetings/", "/meetings/2098-12-29/")

    assert "29 December 2098: no decisions Moved from 18 December 2098." in home
    assert "29 December 2098 Moved from 18 December 2098" in listed
    today = say_day(timezone.localdate())
    for was in ("15 December 2098", "18 December 2098"):
        assert f"Moved from {was} on {today} by the system . Why: It was wrong" in page


def test_a_paper_published_before_its_meeting_was_moved_says_for_which_day_it_is_headed(reader):
    secretariat, meeting = make_user("Secretariat"), make_meeting(TO_COME)
    publish(meeting.pk, by=secretariat, read=what_is_read(meeting))
    words = "It was published before the meeting was moved, and is headed"
    assert words not in said_on(reader, f"/meetings/{TO_COME}/")[0]

    move(meeting, "2098-12-18")
    publish(meeting.pk, by=secretariat, read=what_is_read(meeting), reason="The new day")
    page = said_on(reader, "/meetings/2098-12-18/")[0].partition(" Papers ")[2]

    newest, _, first = page.partition("version 1")
    assert (words in newest, f"{words} 15 December 2098." in first) == (False, True)


def test_once_a_paper_is_out_nothing_says_that_papers_will_go_out(reader):
    meeting, today = make_meeting(TO_COME, papers_due_on="2098-12-08"), say_day(timezone.localdate())
    addresses = ("/", "/status/", "/meetings/")
    assert ["Papers go out on 8 December 2098" in text for text in said_on(reader, *addresses)] == [True] * 3

    publish(meeting.pk, by=make_user("Secretariat"), read=what_is_read(meeting))
    home, sheet, listed = said_on(reader, *addresses)

    assert ["8 December 2098" in text for text in (home, sheet, listed)] == [False] * 3
    assert [f"Papers went out on {today}." in text for text in (home, sheet)] == [True, True]
    assert "Its paper: Version 1" in listed


def test_no_paper_says_of_itself_when_papers_go_out(reader):
    clerk, meeting = make_user("Secretariat"), make_meeting(TO_COME, papers_due_on="2098-12-08")
    paper = f"/meetings/{TO_COME}/paper/"
    versions = []
    assert "Papers go out on 8 December 2098." in said_on(reader, "/status/")[0]
    versions += said_on(reader, paper)

    publish(meeting.pk, by=clerk, read=what_is_read(meeting))
    publish(meeting.pk, by=clerk, read=what_is_read(meeting), reason="A figure")
    versions += said_on(reader, f"{paper}?version=1", f"{paper}?version=2")

    assert ["15 December 2098: no decisions" in text for text in versions] == [True] * 3
    assert ["Papers " in text for text in versions] == [False] * 3


def test_what_a_meeting_held_was_asked_and_has_no_decision_on_is_named(reader):
    chair, owner, meeting = make_user("Chair"), make_user("Officers"), make_meeting("2022-12-01")
    *asked, done = [make_action(f"A0{number}") for number in range(1, 5)]
    that_day = {"dated": "2022-11-20", "by": owner, "recorded_at": noon("2022-11-20")}
    for action in asked:
        make_due_date(action, "2099", needs_decision=True, **that_day)
    make_update(done, Status.DONE, **that_day)
    at_it = {"dated": "2022-12-01", "by": chair, "recorded_at": noon("2022-12-01"), "meeting": meeting}
    make_update(done, Status.COMPLETE, recheck_on=datetime.date(2023, 3, 1), **at_it)
    (page,) = said_on(reader, "/meetings/2022-12-01/")

    assert "D4 complete, evidenced." in page
    assert (
        "No decision recorded: D1 to D3. What the board made of these at this meeting is not on the record."
        in page
    )
    make_meeting("2098-01-01")
    assert "No decision recorded" not in said_on(reader, "/meetings/2098-01-01/")[0]


def test_a_version_that_came_out_after_a_meeting_adds_nothing_that_the_meeting_left_undecided(reader):
    owner, clerk, meeting = make_user("Officers"), make_user("Secretariat"), make_meeting("2022-12-01")
    dates = []
    for ref, day in (("A01", "2022-11-20"), ("A02", "2022-12-03")):
        asked = {"dated": day, "by": owner, "recorded_at": noon(day)}
        dates.append(
            make_due_date(make_action(ref, recorded_at=noon(day)), "2099", needs_decision=True, **asked)
        )
        keys = {f"date {date.pk}": number for number, date in enumerate(dates, 1)}
        ledger.append([paper_of(meeting, version=len(dates), by=clerk, at=noon(day), decisions=keys)])
        (page,) = said_on(reader, "/meetings/2022-12-01/")
        assert "No decision recorded: D1. What the board made" in page, ref


@pytest.mark.parametrize(
    ("query", "is_cancelled"),
    [
        ("?as_at=2022-12-01&known=then", False),
        ("?as_at=2022-12-01", True),
        ("?as_at=2022-12-10&known=then", True),
        ("", True),
    ],
)
def test_wherever_a_paper_is_named_with_its_meeting_it_is_said_that_it_was_cancelled_since(
    reader, monkeypatch, query, is_cancelled
):
    meeting, clerk = make_meeting("2099-01-15"), make_user("Secretariat")
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: noon("2022-11-21"))
        publish(meeting.pk, by=clerk, read=what_is_read(meeting))
    with saved(at=noon("2022-12-05"), reason="Snow"):
        meeting.state = "cancelled"
        meeting.save()

    home, proof = (said_on(reader, f"{page}{query}")[0] for page in ("/", "/proof/"))
    says, mark = (" That meeting was cancelled.", " (cancelled)") if is_cancelled else ("", "")
    published = "published 21 November 2022 at midday"
    assert f"the meeting of 15 January 2099, version 1 , {published}{says} Proof of version 1" in home
    assert f"Meeting of 15 January 2099{mark}, version 1 P{published[1:]}" in proof


def test_decisions_that_follow_on_are_named_as_one_run():
    assert [in_runs(numbers) for numbers in ([], [4], [1, 2, 3, 7, 9, 10])] == [
        "",
        "D4",
        "D1 to D3, D7, D9 to D10",
    ]


def test_what_was_accepted_again_is_named_wherever_it_is_counted(reader):
    chair, action = make_user("Chair"), make_action("A09", agreed_on="2022-01-01")
    make_meeting("2022-11-01"), make_meeting("2022-12-01")
    for day, recheck in (
        ("2022-10-01", datetime.date(2023, 2, 1)),
        ("2022-11-20", datetime.date(2023, 3, 1)),
    ):
        make_update(action, Status.COMPLETE, dated=day, by=chair, recorded_at=noon(day), recheck_on=recheck)
    (page,) = said_on(reader, "/meetings/2022-12-01/")

    assert "In short: 0 actions worse, 0 better; 1 accepted again. No action is open." in page
    assert (
        "Accepted again (1) A09: Title of A09 Complete, evidenced To be checked again on 1 March 2023."
        in page
    )


@pytest.mark.parametrize(
    ("role", "led_to"),
    [
        ("Board members", []),
        ("Chair", ["Meeting-day sheet: record what it decides"]),
        (
            "Secretariat",
            [
                "Meeting-day sheet: record what it decides",
                "Publish its status paper",
                "Move it, cancel it or put it right",
            ],
        ),
    ],
)
def test_a_meeting_leads_each_role_to_what_they_may_do_with_it(client, db, role, led_to):
    client.force_login(make_user(role))
    make_meeting(TO_COME)
    page = client.get(f"/meetings/{TO_COME}/")
    offered = re.findall(
        r'<a\s+class="govuk-link"\s+href="(/[^"]*(?:admin|decide)[^"]*)"\s*>(.*?)</a>',
        page.content.decode(),
        re.S,
    )

    assert [" ".join(words.split()) for _, words in offered] == led_to
    assert [client.get(address).status_code for address, _ in offered] == [200] * len(led_to)


def test_a_cancelled_meeting_is_neither_decided_nor_published(client, db):
    client.force_login(make_user("Secretariat"))
    make_meeting(TO_COME, state="cancelled")
    page = main_words(client.get(f"/meetings/{TO_COME}/"))
    assert ("Move it, cancel it or put it right" in page, "Publish its" in page, "record what" in page) == (
        True,
        False,
        False,
    )


def test_the_first_page_leads_to_what_the_last_meeting_held_decided(reader):
    assert "what was decided then" not in said_on(reader, "/")[0]
    make_meeting("2022-12-01")
    page = reader.get("/").content.decode()
    assert re.findall(r'href="([^"]*)"\s*>what was decided then', page) == ["/meetings/2022-12-01/#decided"]
    assert 'id="decided"' in reader.get("/meetings/2022-12-01/").content.decode()


def test_once_the_paper_is_out_no_owner_is_told_that_a_report_is_still_in_it(client, db):
    officer = make_user("Officers")
    make_action(owner=officer)
    meeting = make_meeting("2098-01-15", papers_due_on=datetime.date(2098, 1, 8))
    client.force_login(officer)
    assert "papers are due on 8 January 2098 : what you report by" in main_words(client.get("/mine/"))
    publish(meeting.pk, by=make_user("Secretariat"), read=what_is_read(meeting))

    said = main_words(client.get("/mine/"))

    today = timezone.localdate()
    assert f"Its papers went out on {today:%-d %B %Y} : what you report now is told" in said
    assert "papers are due" not in said


def test_on_a_day_before_it_a_meeting_that_was_held_is_still_to_come_and_nobody_was_there(reader):
    row = make_meeting(
        "2022-11-22", state="held", attendance="Chair", apologies="Police", minutes_url="https://example.org/"
    )
    days = ("2022-11-21", "2022-11-22", "2022-11-23")
    pages = [main_words(reader.get(f"{row.get_absolute_url()}?as_at={day}")) for day in days]
    there = "Who was there Chair Apologies Police Minutes"
    assert [there in page for page in pages] == [False, True, True]
    heading = "Meeting of 22 November 2022"
    opened = [page.partition(f"{heading} ")[2].partition(".")[0] for page in pages]
    assert opened == ["Planned", "Held", "Held"]
    assert [word for word in ("Chair", "Police", "minutes", "Held") if word in pages[0]] == []
    lists = [main_words(reader.get(f"/meetings/?as_at={day}")) for day in days]
    assert ["No meeting had been held by" in page for page in lists] == [True, False, False]


def test_a_paper_was_there_only_after_the_moment_at_which_it_was_published(db):
    meeting, moment = make_meeting("2022-12-01"), noon("2022-11-20")
    ledger.append([paper_of(meeting, version=1, by=make_user("Secretariat"), at=moment, decisions=None)])
    day, known = datetime.date(2022, 11, 20), (moment, moment + datetime.timedelta(microseconds=1))
    asked = [AsAt(datetime.date(2022, 12, 31), day, at) for at in known]
    assert [published_by(at, Paper.objects.all()).count() for at in asked] == [0, 1]
