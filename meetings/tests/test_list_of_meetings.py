"""The list of meetings, by year, with a phrase of what each decided and what had changed by it."""

import datetime
import re

import pytest
from django.test import Client
from django.utils import timezone

from meetings.publishing import publish, what_is_read
from recommendations.tests.factories import make_action, make_decision, make_due_date, make_update
from record.dates import say_day
from record.tests.factories import make_meeting, make_user, noon, saved
from record.tests.pages import main_words as words

EARLIER = datetime.datetime(2022, 10, 1, tzinfo=datetime.UTC)


@pytest.fixture
def reader(client, db):
    client.force_login(make_user("Board members"))
    return client


def test_the_list_of_meetings_says_by_year_what_each_decided_and_what_its_own_page_says_had_changed(reader):
    actions = [make_action(f"A0{number}", recorded_at=EARLIER) for number in range(1, 6)]
    chair, officer = make_user("Chair"), make_user("Officers")
    held = [make_meeting(day) for day in ("2022-11-22", "2022-12-20", "2023-01-24")]

    def report(action, status, day, **more):
        make_update(actions[action], status, dated=day, by=officer, recorded_at=noon(day), **more)

    report(0, "on_track", "2022-11-01")
    report(0, "at_risk", "2022-12-01")
    report(1, "done", "2022-12-01")
    make_action("A09", agreed_on="2022-12-05", recorded_at=noon("2022-12-05"))
    with saved(at=noon("2022-12-19"), reason="Entered twice"):
        actions[4].is_withdrawn = True
        actions[4].save()
    report(2, "on_track", "2022-12-21")
    report(0, "at_risk", "2023-01-02")
    for number, meeting in ((0, held[1]), (1, held[1]), (2, held[2])):
        proposal = make_due_date(actions[number], dated="2022-11-01", needs_decision=True)
        make_decision(proposal, "agreed", dated=f"{meeting.held_on}", meeting=meeting, by=chair)

    page = reader.get("/meetings/?as_at=2023-02-01")
    text = words(page)
    assert re.findall(r'<caption class="heading">(\d+)<', page.content.decode()) == ["2023", "2022"]
    assert "24 January 2023 1 decision. Actions: 1 first reported on. None had been" in text
    assert (
        "20 December 2022 2 decisions. Actions: 1 changed status, 1 first reported on, 1 added, "
        "1 off the board. None had been" in text
    )
    assert "22 November 2022 No decision is recorded. No meeting before it to compare with." in text
    coming = make_meeting("2023-02-21")
    to_come = reader.get("/meetings/?as_at=2023-02-01")
    assert "21 February 2023 Its paper is not published yet: see it as it stands (DRAFT)" in words(to_come)
    link = re.search(rf'href="(/meetings/{coming.held_on}/paper/[^"]*)"', to_come.content.decode())[1]
    assert link == "/meetings/2023-02-21/paper/?as_at=2023-02-01"
    assert reader.get(link).status_code == 200
    for day in ("2022-12-20", "2023-01-24"):
        changes = reader.get(f"/meetings/{day}/?as_at=2023-02-01").context["changes"]
        became = {row.meeting.held_on.isoformat(): row.changes for row in page.context["held"]}[day]
        differing = [p for p in changes.pairs if p.was and p.was.status != p.action.status]
        assert became == {
            "changed status": len([p for p in differing if not p.is_first_report]),
            "first reported on": len([p for p in differing if p.is_first_report]),
            "added": len(changes.added),
            "off the board": len(changes.gone),
        }


def test_a_meeting_whose_paper_is_older_than_the_meeting_before_is_not_compared_with_what_came_later(
    reader, monkeypatch
):
    officer, action = make_user("Officers"), make_action("A01", recorded_at=EARLIER)
    *_, last = (make_meeting(day) for day in ("2022-11-09", "2022-12-03", "2022-12-05"))
    make_update(action, "off_track", dated="2022-11-20", by=officer, recorded_at=noon("2022-11-20"))
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: noon("2022-12-01"))
        publish(last.pk, by=make_user("Secretariat"), read=what_is_read(last))
    make_update(action, "on_track", dated="2022-12-02", by=officer, recorded_at=noon("2022-12-02"))
    make_action("A02", agreed_on="2022-12-02", recorded_at=noon("2022-12-02"))

    text = words(reader.get("/meetings/?as_at=2022-12-10"))

    assert "5 December 2022 No decision is recorded. Actions: 1 first reported on." in text
    assert "3 December 2022 No decision is recorded. Actions: 1 first reported on, 1 added." in text


def test_a_paper_that_is_published_before_its_meeting_is_named_and_leads_to_it(reader):
    make_action()
    coming = make_meeting("2098-02-21")
    publish(coming.pk, by=make_user("Secretariat"), read=what_is_read(coming), has_annex=False)

    page = reader.get("/meetings/")

    assert "21 February 2098 Its paper: Version 1 of the paper for 21 February 2098 , as at" in words(page)
    assert f'href="/meetings/{coming.held_on}/paper/?version=1"' in page.content.decode()


def test_todays_meeting_is_told_as_today_and_those_who_may_plan_another_are_led_there(db):
    today = timezone.localdate()
    make_meeting(today)
    shown = {}
    for role in ("Chair", "Secretariat"):
        client = Client()
        client.force_login(make_user(role, f"of {role}"))
        shown[role] = words(client.get("/meetings/"))
        page = words(client.get(f"/meetings/{today}/"))
        assert ("The meeting is today." in page, "Decided: nothing yet." in page) == (True, True)
        assert "still to come" not in page
    listed = f"Today {say_day(today)} Its paper is not published yet"
    assert [listed in text for text in shown.values()] == [True, True]
    after = f"To come No meeting is recorded after {say_day(today)}."
    assert [f"{after} Plan a meeting" in text for text in shown.values()] == [False, True]
    assert [after in text for text in shown.values()] == [True, True]
