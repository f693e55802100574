"""Who may decide on the meeting-day sheet and when, and what becomes of what several people send at once."""

import pytest

from meetings.decided import agenda
from meetings.tests.day_sheet import DAY, decide, held, make_agenda, problems, send, sheet, signed_in, slugs
from recommendations.due_dates import Decision
from recommendations.models import ProgressUpdate
from recommendations.position import board_position
from recommendations.status import Status
from recommendations.tests.factories import make_action, make_due_date, make_update
from record.dates import say_day
from record.ledger import anchor
from record.tests.factories import change, make_meeting, make_user, on, saved
from record.tests.pages import main_words, words

pytestmark = [pytest.mark.django_db, pytest.mark.again]


def test_what_was_sent_twice_is_on_the_record_once(chair, officer, meeting, today):
    make_agenda(officer, today)
    client = signed_in(chair)
    for name, way, typed in (
        ("Ask 1", "agreed", {"outcome__words": "Yes"}),
        ("D1", "agreed", {"decision__reason": "Yes"}),
        ("D2", "sent_back", {"evidence__wanted": "More", "evidence__wanted_by": "1/6/2098"}),
        ("D3", "held", {"embedding__narrative": "Seen"}),
        ("D4", "no_date", {"note__words": "Report in May"}),
    ):
        slug = slugs(client, meeting)[name]
        opened = held(sheet(client, meeting, slug))
        assert send(client, meeting, opened, slug, way, **typed).status_code == 302
        after = anchor()
        response = send(client, meeting, opened, slug, way, **typed)
        told = problems(response)
        assert told[0].startswith("You saved exactly this on "), (name, told)
        assert "You saved this already" in main_words(response)
        assert "not saved" not in main_words(response)
        assert anchor() == after, name


def test_of_what_was_withdrawn_while_the_sheet_was_open_it_is_told_and_what_was_typed_is_kept(
    chair, clerk, officer, meeting, today
):
    actions, client = make_agenda(officer, today), signed_in(chair)
    for name, way, typed, row in (
        ("Ask 1", "agreed", {"outcome__words": "With a <b>clause</b>"}, meeting.asks.first()),
        ("D1", "refused", {"decision__reason": "With a <b>clause</b>"}, actions["A01"]),
    ):
        slug = slugs(client, meeting)[name]
        opened = held(sheet(client, meeting, slug))
        with saved(by=clerk, reason="Asked twice"):
            row.is_withdrawn = True
            row.save()
        after = anchor()
        response = send(client, meeting, opened, slug, way, **typed)
        assert (response.status_code, anchor()) == (200, after)
        text, page = main_words(response), response.content.decode()
        assert f"The {row._meta.verbose_name} was withdrawn on " in text
        told = "by Sam Clerk (Secretariat): Asked twice. Nothing was saved about it. What you typed is below."
        assert told in text
        assert ("<dd>With a &lt;b&gt;clause&lt;/b&gt;</dd>" in page, "<title>Error: " in page) == (True, True)
        assert send(client, meeting, {"_row": slug}, slug, way).status_code == 404
    never = {"_row": "ask-999999", "about": "Ask 9"}
    assert send(client, meeting, never, "ask-999999", "agreed").status_code == 404
    for none in ("ask-x", "ask-", "date-x", "completion-", "re-check-y", "ask"):
        assert sheet(client, meeting, none).status_code == 404
        assert send(client, meeting, {"_row": none, "about": "Ask 9"}, none, "agreed").status_code == 404


def test_the_second_of_two_who_decide_is_told_what_the_first_did_and_decides_nothing(
    chair, clerk, officer, meeting, today
):
    make_agenda(officer, today)
    first, second = signed_in(chair), signed_in(clerk)
    later = f"{today + 200 * DAY}"
    for name, way, typed, other, others, told in (
        ("Ask 1", "agreed", {}, "noted", {}, "What became of this is recorded already."),
        ("D1", "agreed", {"decision__reason": "A"}, "refused", {"decision__reason": "B"}, "already decided"),
        (
            "D2",
            "accepted",
            {"acceptance__recheck_on": later},
            "sent_back",
            {"evidence__wanted": "More", "evidence__wanted_by": "1/6/2098"},
            "not the newest report",
        ),
        (
            "D3",
            "held",
            {"embedding__narrative": "Seen"},
            "not_held",
            {"report__status": "on_track", "report__narrative": "Not seen"},
            "It waits for no decision any more",
        ),
        (
            "D4",
            "no_date",
            {"note__words": "Report in May"},
            "no_date",
            {"note__words": "Report in June"},
            "This meeting has said so already.",
        ),
    ):
        slug = slugs(second, meeting)[name]
        opened = held(sheet(second, meeting, slug))
        assert decide(first, meeting, name, way, **typed).status_code == 302
        after = anchor()
        response = send(second, meeting, opened, slug, other, **others)
        assert any(
            error.startswith("Cara Chair saved this on ") or told in error for error in problems(response)
        ), (name, problems(response))
        again = send(second, meeting, held(response), slug, other, **others)
        assert any(told in error for error in problems(again)), (name, problems(again))
        assert anchor() == after, name


def test_nobody_decides_their_own_and_the_row_names_who_can(clerk, chair, meeting, today):
    mine = make_action("A01", owner=clerk)
    report = make_update(mine, Status.DONE, by=clerk, evidence="The audit")
    late = make_action("A02", owner=clerk)
    date = make_due_date(late, "2022-11", dated="2022-10-01")
    make_update(late, Status.AT_RISK, by=clerk)
    client, before = signed_in(clerk), anchor()
    text = main_words(sheet(client, meeting))
    assert "You own A01, so somebody else decides about it. Ask Cara Chair." in text
    assert "You own A02, so somebody else decides about it. Ask Cara Chair." in text
    assert "Decide D1" not in text

    others, new = signed_in(chair), {"date__due": "2098", "date__reason_kind": "other"}
    for slug, way, typed in (
        (f"completion-{report.pk}", "accepted", {"acceptance__recheck_on": "1/6/2098"}),
        (f"late-{date.pk}", "new_date", {**new, "date__reason": "Why"}),
        (f"late-{date.pk}", "no_date", {"note__words": "No"}),
    ):
        opened = held(sheet(others, meeting, slug))
        assert "You own A0" in " ".join(problems(send(client, meeting, opened, slug, way, **typed)))
    assert anchor() == before


def test_a_report_made_meanwhile_keeps_a_completion_from_being_accepted(chair, officer, meeting, today):
    actions = make_agenda(officer, today)
    client = signed_in(chair)
    slug = slugs(client, meeting)["D2"]
    opened = held(sheet(client, meeting, slug))
    make_update(actions["A02"], Status.AT_RISK, dated=str(today), by=officer)
    typed = {"acceptance__evidence": "The audit", "acceptance__recheck_on": "1/6/2098"}
    response = send(client, meeting, opened, slug, "accepted", **typed)
    assert problems(response)[0].startswith("Olu Owner saved this on ")
    again = send(client, meeting, held(response), slug, "accepted", **typed)
    assert problems(again) == ["It waits for no decision any more: see what stands, above."]
    assert "A02: Title of A02 At risk" in main_words(again)
    assert "A02. A02" not in main_words(again)


@pytest.mark.parametrize("way", ["accepted", "sent_back"])
def test_words_put_right_meanwhile_are_read_before_they_are_decided_on_under_the_same_number(
    chair, officer, meeting, today, way
):
    action = make_agenda(officer, today)["A02"]
    client, report = signed_in(chair), ProgressUpdate.objects.get(action=action)
    typed = {
        "accepted": {"acceptance__evidence": "The audit", "acceptance__recheck_on": "1/6/2098"},
        "sent_back": {"evidence__wanted": "More", "evidence__wanted_by": "1/6/2098"},
    }[way]
    slug = slugs(client, meeting)["D2"]
    opened = held(sheet(client, meeting, slug))
    right = {"corrects": report, "correction_reason": "Half of it", "evidence": "Half an audit"}
    make_update(action, Status.DONE, dated=report.dated, by=officer, **right)
    before = anchor()

    response = send(client, meeting, opened, slug, way, **typed)
    while problems(response)[0].startswith("Olu Owner saved this on "):
        response = send(client, meeting, held(response), slug, way, **typed)

    accepted = (
        "The report was put right, or made anew, after you opened this. "
        "Open D2 again, and read what it says now."
    )
    sent_back = "This is not the newest report any more. Read the newer one first."
    assert problems(response) == [accepted if way == "accepted" else sent_back]
    assert anchor() == before
    assert decide(client, meeting, "D2", way, **typed).status_code == 302
    assert "D2 " in main_words(client.get(meeting.get_absolute_url()))
    decided = agenda(meeting, board_position(on(today)), on(today)).standing
    assert [(each.name, each.key) for each in decided] == [("D2", f"completion {report.pk}")]


def test_what_is_reported_done_again_after_the_meeting_is_said_to_wait_still_and_where(chair, officer, today):
    action = make_agenda(officer, today - 20 * DAY)["A02"]
    past, to_come = make_meeting(today - 10 * DAY), make_meeting(today + DAY)
    client = signed_in(chair)
    assert [row.waits for row in sheet(client, past).context["sheet"].rows] == [True] * 4
    make_update(action, Status.DONE, dated=str(today - 5 * DAY), by=officer, evidence="")

    page = sheet(client, past)
    rows = {
        row.name: (row.waits, row.asked_again and row.asked_again.name) for row in page.context["sheet"].rows
    }

    assert rows == {"D1": (True, None), "D2": (False, "D2"), "D3": (True, None), "D4": (True, None)}
    said = main_words(page)
    assert said.count("It still waits.") == 1
    assert (
        f"It was reported done again after this meeting, on {say_day(today - 5 * DAY)}, "
        "and nothing is recorded as decided of it at this one. "
        f"It is D2 of the meeting of {say_day(to_come.held_on)}."
    ) in said
    assert "waits for no decision any more" not in said


def test_before_its_day_a_meeting_decides_nothing_and_afterwards_what_was_asked_by_then(
    chair, officer, today
):
    make_agenda(officer, today)
    to_come, past = make_meeting(today + DAY, asks=["Agree"]), make_meeting(today - 10 * DAY)
    client = signed_in(chair)
    page = sheet(client, to_come)
    assert "The meeting is still to come." in main_words(page)
    assert ('method="post"' in page.content.decode(), "Decide D" in main_words(page)) == (False, False)
    assert [row.name for row in page.context["sheet"].rows] == ["Ask 1", "D1", "D2", "D3", "D4"]
    slug = slugs(client, to_come)["D1"]
    refused = send(client, to_come, {"_row": slug}, slug, "agreed", decision__reason="Yes")
    assert refused.status_code == 403
    assert "is still to come. Nothing can have been decided at it yet." in words(refused.content.decode())

    make_update(make_action("A00"), Status.DONE, dated=str(today - 5 * DAY), evidence="Since")
    assert [row.name for row in sheet(client, past).context["sheet"].rows] == ["D1", "D2", "D3", "D4"]
    assert decide(client, past, "D1", "agreed", decision__reason="Yes").status_code == 302
    assert Decision.objects.get().dated == str(today - 10 * DAY)
    cancelled = make_meeting(today - 3 * DAY, state="cancelled")
    assert sheet(client, cancelled).status_code == 403


def test_the_sheet_is_todays_whatever_day_the_address_asks_for(chair, officer, meeting, today):
    make_agenda(officer, today)
    client = signed_in(chair)
    at_a_past_day = client.get(f"{meeting.get_absolute_url()}decide/?as_at=2022-12-01&known=then")
    assert main_words(at_a_past_day) == main_words(sheet(client, meeting))


def test_a_meeting_that_was_moved_while_its_sheet_was_open_takes_what_was_typed(
    chair, officer, meeting, today
):
    make_agenda(officer, today)
    client = signed_in(chair)
    slug = slugs(client, meeting)["D1"]
    opened, address = held(sheet(client, meeting, slug)), f"/meetings/{today}/decide/?row={slug}"
    change(meeting, held_on=today - DAY)
    typed = {f"{slug}-decided": "agreed", f"{slug}-decision-reason": "Yes"}
    assert client.post(address, {**opened, **typed}).status_code == 302
    assert Decision.objects.get().dated == str(today - DAY)
    assert client.get(address).headers["Location"] == f"/meetings/{today - DAY}/decide/?row={slug}"


def test_only_those_who_decide_find_the_sheet(officer, meeting, today):
    make_agenda(officer, today)
    asked = {
        role: signed_in(make_user(role, f"a-{role}")).get(f"{meeting.get_absolute_url()}decide/").status_code
        for role in ("Board members", "Officers", "Chair", "Secretariat", "Administrators")
    }
    assert asked == {
        "Board members": 404,
        "Officers": 403,
        "Chair": 200,
        "Secretariat": 200,
        "Administrators": 403,
    }
    link = f'href="/meetings/{today}/decide/"'
    pages = {
        role: link in signed_in(make_user(role, f"b-{role}")).get(meeting.get_absolute_url()).content.decode()
        for role in ("Board members", "Officers", "Chair", "Secretariat")
    }
    assert pages == {"Board members": False, "Officers": False, "Chair": True, "Secretariat": True}
