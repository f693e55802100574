"""The list of meetings, by year, with a phrase of what each decided and what had changed by it."""

import datetime
import re

import pytest

from recommendations.tests.factories import make_action, make_decision, make_due_date, make_update
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
