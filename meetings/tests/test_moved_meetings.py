"""What pages say of a meeting that was moved, of one whose paper is out, and of what it was asked."""

import datetime
import re

import pytest
from django.utils import timezone

from meetings.decided import in_runs
from meetings.models import Paper
from meetings.publishing import publish, what_is_read
from recommendations.status import Status
from recommendations.tests.factories import make_action, make_due_date, make_update
from record import ledger
from record.as_at import AsAt
from record.dates import say_day
from record.held import published_by
from record.tests.factories import make_meeting, make_user, noon, saved
from record.tests.pages import main_words

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


def paper_of(meeting, *, version, by, at, decisions):
    return Paper(
        meeting=meeting,
        version=version,
        reason="Late reports" if version > 1 else "",
        as_at=at.date(),
        published_at=at,
        published_by=by,
        signed="Sam Clerk (Secretariat)",
        body=b"",
        sha256="0" * 64,
        decisions=decisions,
    )


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
