"""The meeting-day sheet: what is asked is decided row by row, under the numbers of the paper."""

import csv
import datetime
import re

import pytest
from django.db import transaction

from meetings.decisions import numbers_printed
from meetings.models import AskOutcome, LateNote
from meetings.publishing import publish, what_is_read
from meetings.tests.day_sheet import DAY, decide, held, make_agenda, problems, sheet, signed_in, slugs
from recommendations.due_dates import Decision, DueDate
from recommendations.models import Action, ProgressUpdate
from recommendations.ownership import Ownership
from recommendations.sent_back import SendBack
from recommendations.status import Status
from recommendations.tests.factories import make_action, make_decision, make_due_date, make_update
from record.as_at import AsAt
from record.dates import say_day
from record.ledger import anchor
from record.models import Meeting
from record.statements import span_in_words
from record.tests.admin_forms import errors_of, fill_in
from record.tests.factories import change, make_meeting, make_user
from record.tests.pages import main_words, words
from record.verification import first_fault

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def test_a_whole_agenda_is_decided_row_by_row_and_the_meeting_says_so_by_its_numbers(
    chair, clerk, officer, meeting, today
):
    make_agenda(officer, today)
    client = signed_in(chair)
    page = sheet(client, meeting)
    assert [(row.name, row.kind) for row in page.context["sheet"].rows] == [
        ("Ask 1", "ask"),
        ("Ask 2", "ask"),
        ("D1", "date"),
        ("D2", "completion"),
        ("D3", "re-check"),
        ("D4", "late"),
    ]
    assert "6 of 6 decisions still to record here." in main_words(page)
    kinds = "6 decisions, 2 asks, 1 date, 1 completion, 1 re-check, 1 late without a new date."
    assert f"Decisions wanted: {kinds}" in main_words(client.get(meeting.get_absolute_url()))
    assert f": 6 decisions {kinds.removeprefix('6 decisions, ')}" in main_words(client.get("/"))
    printed = words(client.get("/status/").content.decode())
    assert f": 6 decisions {kinds.removeprefix('6 decisions, ')}" in printed
    assert "Decisions wanted (6)" in main_words(client.get("/admin/"))
    assert kinds.replace(", ", ": ", 1) in main_words(signed_in(clerk).get("/round/"))

    later = f"{today + 200 * DAY:%d/%m/%Y}"
    sent = [
        decide(client, meeting, "Ask 1", "agreed", outcome__words="With a new clause"),
        decide(client, meeting, "Ask 2", "noted"),
        decide(client, meeting, "D1", "refused", decision__reason="Too late"),
        decide(client, meeting, "D2", "accepted", acceptance__recheck_on=later),
        decide(client, meeting, "D3", "held", embedding__narrative="Seen again"),
        decide(client, meeting, "D4", "no_date", note__words="Report in May"),
    ]
    names = slugs(client, meeting)
    path = f"/meetings/{today}/decide/"
    after = [names[name] for name in ("Ask 2", "D1", "D2", "D3", "D4")]
    assert [answer.headers["Location"] for answer in sent] == [
        *(f"{path}?row={slug}#{slug}" for slug in after),
        f"{path}#arising",
    ]
    complete, embedded = ProgressUpdate.objects.order_by("-pk")[:2][::-1]
    assert (complete.status, complete.narrative, complete.evidence, complete.difference_made) == (
        "complete",
        "Accepts what was reported for 1 November 2022.",
        "The audit",
        "",
    )
    made = [complete, embedded, Decision.objects.get(), LateNote.objects.get(), *AskOutcome.objects.all()]
    assert {(row.dated, row.meeting, row.signed) for row in made} == {
        (str(today), meeting, "Cara Chair (Chair)")
    }
    assert "Nothing is left for you to decide here." in main_words(sheet(client, meeting))

    change(meeting, state="held")
    text = main_words(client.get(meeting.get_absolute_url()))
    assert "To decide: Agree the plan Agreed : With a new clause Cara Chair (Chair)" in text
    assert "Decided at this meeting (6)" in text
    for line in (
        "D1 refused. A01: Title of A01 Proposed: June 2098 → refused Too late",
        "D2 complete, evidenced. A02: Title of A02 Accepts what was reported",
        "D3 embedded. A03: Title of A03 Seen again",
        "D4 no new date set. A04: Title of A04 Late, due November 2022 → no new date set Report in May",
        "To decide: Agree the plan Agreed With a new clause",
        "To decide: Note the letter Noted",
    ):
        assert line in text, line
    assert "6 decisions." in main_words(client.get("/meetings/"))
    assert first_fault() is None


@pytest.mark.parametrize("name", ["chair", "clerk"])
def test_a_date_that_is_set_and_a_recheck_that_failed_are_decisions_of_the_meeting_under_their_numbers(
    officer, meeting, today, name, request
):
    actions = make_agenda(officer, today)
    client = signed_in(request.getfixturevalue(name))
    decide(
        client,
        meeting,
        "D3",
        "not_held",
        report__status="at_risk",
        report__narrative="Two cases were missed",
        report__reason="New staff",
        report__recovery_step="Train them",
    )
    set_anew = {"date__due": "June 2098", "date__reason_kind": "resources", "date__reason": "Too few"}
    decide(client, meeting, "D4", "new_date", **set_anew)
    decide(client, meeting, "D2", "sent_back", evidence__wanted="The audit", evidence__wanted_by="1/6/2098")

    report = actions["A03"].newest_update(AsAt.now(today))
    date = DueDate.objects.latest("pk")
    assert (report.status, report.meeting, report.on_behalf_of) == ("at_risk", meeting, None)
    assert (date.due, date.needs_decision, date.dated, date.meeting) == (
        "2098-06",
        False,
        str(today),
        meeting,
    )
    assert SendBack.objects.get().wanted == "The audit"
    assert {"D1", "D2", "D3", "D4"} < set(slugs(client, meeting))
    # On its day what it decided is told, though nobody has said yet that it was held.
    planned = main_words(client.get(meeting.get_absolute_url()))
    assert ("Decided at this meeting (3)" in planned, "still to come" in planned) == (True, False)
    change(meeting, state="held")
    text = main_words(client.get(meeting.get_absolute_url()))
    assert ("Decided at this meeting (3)" in text, "Settled on the day" in text) == (True, False)
    assert "D2 evidence wanted by 1 June 2098. A02" in text
    assert "D3 has not held: at risk. A03" in text
    assert "D4 new date: June 2098. A04" in text
    assert "3 decisions." in main_words(client.get("/meetings/"))
    answered = sheet(client, meeting).context["sheet"].row(f"late-{actions['A04'].due_dates.first().pk}")
    assert [each.words for each in answered.decided] == ["new date: June 2098"]
    at_it = f"(Secretariat), at the meeting of {say_day(today)}" if name == "clerk" else "(Chair), at the"
    assert at_it in main_words(client.get("/actions/A04/")).replace(" ,", ",")
    dates, decisions = (
        list(csv.DictReader(client.get(f"/{file}.csv").getvalue().decode("utf-8-sig").splitlines()))
        for file in ("dates", "decisions")
    )
    assert [row["meeting"] for row in dates if row["due"] == "June 2098" and row["action"] == "A04"] == [
        str(today)
    ]
    assert sorted((row["action"], row["meeting"]) for row in decisions) == [
        ("A02", str(today)),
        ("A03", ""),
        ("A03", str(today)),
        ("A04", str(today)),
    ]


def test_a_date_and_a_failed_recheck_of_that_day_that_name_no_meeting_are_told_apart_from_its_decisions(
    chair, officer, meeting, today
):
    actions = make_agenda(officer, today)
    make_due_date(actions["A04"], "2098-06", dated=str(today), by=chair, reason_kind="resources")
    make_update(actions["A03"], Status.AT_RISK, dated=str(today), by=chair)
    change(meeting, state="held")

    text = main_words(signed_in(chair).get(meeting.get_absolute_url()))
    assert "no decision is recorded as made at this meeting" in text
    assert "Settled on the day of this meeting (2)" in text
    assert "No decision is recorded." in main_words(signed_in(chair).get("/meetings/"))


def test_the_numbers_are_those_of_the_published_paper_and_deciding_one_moves_no_other(
    chair, clerk, officer, meeting, today
):
    make_agenda(officer, today)
    publish(meeting.pk, by=clerk, read=what_is_read(meeting))
    make_update(make_action("A00", owner=officer), Status.DONE, by=officer, evidence="Late")
    client = signed_in(chair)

    def numbered():
        rows = sheet(client, meeting).context["sheet"].rows
        return {row.name: row.action.ref for row in rows if row.action}

    printed = numbers_printed(meeting, AsAt.now(today))
    expected = {"D1": "A01", "D2": "A02", "D3": "A03", "D4": "A04", "D5": "A00"}
    assert (sorted(printed.values()), numbered()) == ([1, 2, 3, 4], dict(sorted(expected.items())))
    for name, way, typed in (
        ("D5", "accepted", {"acceptance__recheck_on": f"{today + 200 * DAY}"}),
        ("D1", "agreed", {"decision__reason": "Yes"}),
    ):
        assert decide(client, meeting, name, way, **typed).status_code == 302
        assert numbered() == expected
    draft = words(signed_in(clerk).get(f"/meetings/{today}/paper/?draft").content.decode())
    assert ("D2 A02" in draft, "D3 A03" in draft, "D4 A04" in draft) == (True, True, True)
    publish_page = signed_in(clerk).get(f"/admin/record/meeting/{meeting.pk}/publish/")
    assert re.findall(
        r"<td(?: rowspan=\"2\")? data-label=\"Decision\"><strong>(D\d)", publish_page.content.decode()
    ) == [
        "D2",
        "D3",
        "D4",
    ]
    admin = main_words(client.get("/admin/"))
    assert ("D2. Accept" in admin, "D3. Check" in admin) == (True, True)


@pytest.mark.parametrize("is_published", [False, True])
def test_without_a_paper_the_numbers_are_those_of_before_the_first_decision(
    chair, officer, meeting, today, is_published
):
    make_agenda(officer, today)
    client = signed_in(chair)
    before = slugs(client, meeting)
    decide(client, meeting, "D1", "agreed", decision__reason="Yes")
    later = make_update(make_action("A00", owner=officer), Status.DONE, by=officer, evidence="Late")
    assert slugs(client, meeting) == {**before, "D5": f"completion-{later.pk}"}
    if is_published:
        publish(meeting.pk, by=make_user("Secretariat"), read=what_is_read(meeting))
        assert slugs(client, meeting) == {**before, "D5": f"completion-{later.pk}"}


def test_what_is_wrong_is_said_at_the_box_and_nothing_typed_is_lost(chair, officer, meeting, today):
    make_agenda(officer, today)
    client, before = signed_in(chair), anchor()
    response = decide(client, meeting, "D2", "", acceptance__evidence="Seen", evidence__wanted="More")
    assert problems(response) == ["Choose what the board decided."]
    assert (
        "<title>\n    Error: " in response.content.decode() or "<title>Error: " in response.content.decode()
    )
    body = response.content.decode()
    assert ("Seen</textarea>" in body, "More</textarea>" in body) == (True, True)

    soon = decide(client, meeting, "D2", "accepted", acceptance__recheck_on=f"{today + 20 * DAY}")
    assert problems(soon)[0].startswith("The re-check must be at least three months on: ")
    typed = {"evidence__wanted": "More", "evidence__wanted_by": str(today)}
    assert problems(decide(client, meeting, "D2", "sent_back", **typed)) == [
        "Give a day after the one on which it was sent back."
    ]
    assert problems(decide(client, meeting, "Ask 1", "deferred")) == ["Say why, or until when."]
    assert anchor() == before


def test_whoever_records_an_action_of_their_own_proposes_its_date(chair, clerk, meeting, today):
    make_action("A01")
    client = signed_in(clerk)
    typed = {"title": "Write to them", "owner_role": "Director", "owner": clerk.pk, "due": "1/6/2098"}
    typed["recommendations"] = [Action.objects.get().recommendations.get().pk]
    opened = held(sheet(client, meeting, "arising"))
    address = f"{meeting.get_absolute_url()}decide/?row=arising"

    text = main_words(client.post(address, {**opened, **typed}, follow=True))

    date = DueDate.objects.get()
    assert (date.due, date.needs_decision) == ("2098-06-01", True)
    assert date.reason.startswith("Given with the action at the meeting of ")
    assert "Saved: A02: Write to them. Its date is a proposal. You own A02, so somebody else decides" in text
    assert Ownership.objects.get().owner == clerk


def test_an_action_arises_with_its_owner_and_its_date_or_not_at_all(chair, clerk, officer, meeting, today):
    make_action("A01")
    client, before = signed_in(clerk), anchor()
    page = sheet(client, meeting, "arising")
    opened = held(page)
    recommendation = Action.objects.get().recommendations.get()
    typed = {
        "title": "Write to the partners",
        "owner_role": "Director",
        "owner": officer.pk,
        "due": "1/6/2020",
        "recommendations": [recommendation.pk],
    }
    address = f"{meeting.get_absolute_url()}decide/?row=arising"
    assert opened["ref"] == "A02"
    told = problems(client.post(address, {**opened, **typed}))
    assert told == [f"The action was agreed on {today:%-d %B %Y}. Enter that date or a later one."]
    assert anchor() == before

    typed["due"] = "1/6/2098"
    assert client.post(address, {**opened, **typed}).status_code == 302
    action = Action.objects.get(ref="A02")
    date, owner = DueDate.objects.get(), Ownership.objects.get()
    assert (action.agreed_on, date.due, date.dated, date.reason_kind, date.needs_decision) == (
        str(today),
        "2098-06-01",
        str(today),
        "first",
        False,
    )
    assert (owner.owner, owner.dated) == (officer, str(today))
    assert problems(client.post(address, {**opened, **typed})) == [
        "Another action has this reference number already."
    ]
    change(meeting, state="held")
    text = main_words(client.get(meeting.get_absolute_url()))
    assert "Actions arising (1)" in text
    assert "A02: Write to the partners Director: Olu Owner. Due 1 June 2098." in text
    assert first_fault() is None

    theirs = signed_in(chair)
    told = "The Secretariat adds the actions that the board agreed here."
    assert told in main_words(sheet(theirs, meeting))
    assert theirs.post(address, {**opened, **typed, "ref": "A03"}).status_code == 404


def test_who_was_there_is_entered_without_a_reason_at_first_and_with_one_where_more_is_changed(
    chair, clerk, meeting, today
):
    client = signed_in(clerk)
    opened = held(sheet(client, meeting, "present"))
    address = f"{meeting.get_absolute_url()}decide/?row=present"
    opened["change_reason"] = ""
    typed = {"attendance": "Chair\nDirector", "minutes_url": "https://council.example/minutes"}
    with transaction.atomic():
        assert client.post(address, {**opened, **typed}).status_code == 302
        page = main_words(client.get(meeting.get_absolute_url()))
        assert ("Who was there Chair" in page, "Changed since" in page) == (True, False)
        transaction.set_rollback(True)
    change(meeting, attendance="Chair")
    late = held(sheet(client, meeting, "present")) | typed | {"state": "held", "change_reason": ""}
    assert problems(client.post(address, late)) == ["Say why this is changed."]
    assert "Who was there Chair Director" not in main_words(sheet(client, meeting))
    typed |= {"state": "held", "change_reason": "After the meeting"}
    assert client.post(address, {**late, **typed}).status_code == 302
    row = Meeting.objects.get()
    assert (row.attendance, row.state) == ("Chair\nDirector", "held")
    told = problems(client.post(address, {**opened, **typed, "attendance": "Nobody"}))
    assert told[0].startswith("Sam Clerk changed who was there, link to the council’s minutes and state on ")
    text = main_words(client.get(meeting.get_absolute_url()))
    assert "Who was there Chair Director Minutes The council’s minutes of this meeting" in text
    theirs = signed_in(chair)
    assert theirs.post(address, {**opened, **typed}).status_code == 404
    assert "The Secretariat enters who was there." in main_words(sheet(theirs, meeting))


@pytest.mark.parametrize("size", [1, 10])
def test_a_sheet_costs_the_same_whatever_is_asked(size, chair, officer, meeting, django_assert_num_queries):
    for number in range(10, 10 + size):
        report = make_update(make_action(f"A{number}", owner=officer), Status.DONE, by=officer)
        make_update(make_action(f"A{number + 50}"), Status.DONE, by=officer)
    client = signed_in(chair)
    client.get("/help/")
    # session, user, 2 of permissions, the meeting; its position; what is claimed; the numbers of its paper;
    # which kinds of things were decided at it, and on its day, two; the last reports, owners and reporters;
    # what is asked in words; the two forms of the row that is open; what arose; is this a demonstration
    with django_assert_num_queries(37):
        assert sheet(client, meeting, f"completion-{report.pk}").status_code == 200


def test_a_date_that_was_agreed_and_then_found_late_keeps_both_its_numbers(chair, officer, meeting, today):
    action = make_action("A01", owner=officer)
    make_update(action, Status.AT_RISK, by=officer)
    asked = {"needs_decision": True, "reason_kind": "resources", "reason": "Too few people"}
    date = make_due_date(action, f"{today - DAY}", dated="2022-11-02", by=officer, **asked)
    client = signed_in(chair)

    assert decide(client, meeting, "D1", "agreed", decision__reason="Yes").status_code == 302
    set_anew = {"date__due": "June 2098", "date__reason_kind": "resources", "date__reason": "Too few"}
    assert decide(client, meeting, "D2", "new_date", **set_anew).status_code == 302

    rows = slugs(client, meeting)
    assert (rows["D1"], rows["D2"]) == (f"date-{date.pk}", f"late-{date.pk}")


def test_the_last_reports_beside_a_decision_are_in_the_order_in_which_they_were_first_said(
    chair, officer, meeting, today
):
    action = make_action("A01", owner=officer)
    make_due_date(action, "2098-06", by=officer, needs_decision=True)
    reports = [
        make_update(action, by=officer, narrative=text) for text in ("First", "Second", "Third", "Last")
    ]
    make_update(action, by=officer, narrative="First, spelt", corrects=reports[0], correction_reason="A slip")

    (row,) = [row for row in sheet(signed_in(chair), meeting).context["sheet"].rows if row.name == "D1"]

    assert [report.narrative for report in row.reports] == ["Last", "Third", "Second"]


def test_a_new_date_entered_anew_for_a_wrong_one_is_the_same_decision(chair, officer, meeting, today):
    make_agenda(officer, today)
    client = signed_in(chair)
    date = {"reason_kind": "resources", "reason": "Too few people"}
    typed = {f"date__{name}": text for name, text in {"due": "June 2098", **date}.items()}
    assert decide(client, meeting, "D4", "new_date", **typed).status_code == 302
    wrong = DueDate.objects.get(due="2098-06", needs_decision=False)
    response = fill_in(
        client,
        f"/admin/recommendations/duedate/add/?replaces={wrong.pk}",
        due="July 2098",
        correction_reason="It was July",
        **date,
    )
    assert response.status_code == 302, errors_of(response)

    row = next(row for row in sheet(client, meeting).context["sheet"].rows if row.name == "D4")
    assert [each.words for each in row.decided] == ["new date: July 2098"]
    assert {row.name for row in sheet(client, meeting).context["sheet"].rows if row.action} == {
        "D1",
        "D2",
        "D3",
        "D4",
    }
    assert "D4 new date: July 2098" in main_words(client.get(meeting.get_absolute_url()))


def test_what_a_meeting_sets_no_new_date_for_it_is_asked_no_more_and_the_next_one_is(
    chair, officer, meeting, today
):
    make_agenda(officer, today)
    client, coming = signed_in(chair), make_meeting("2098-01-15")
    assert decide(client, meeting, "D4", "no_date", note__words="Report in May").status_code == 302

    page, home = main_words(client.get(meeting.get_absolute_url())), main_words(client.get("/"))
    assert "D4 no new date set" in page
    assert ("Late, with no new date asked for" in page, "1 late without a new date" in home) == (False, False)
    assert "6 decisions" not in home and ": 5 decisions" in home
    asked = sheet(client, meeting).context["sheet"]
    assert asked.left_words == "5 of 6 decisions"
    assert "A04" in main_words(client.get(coming.get_absolute_url()))


def test_what_a_held_meeting_had_before_it_it_was_asked_whatever_it_decided(
    chair, clerk, officer, meeting, today
):
    make_agenda(officer, today)
    publish(meeting.pk, by=clerk, read=what_is_read(meeting))
    client = signed_in(chair)
    assert decide(client, meeting, "D4", "no_date", note__words="Report in May").status_code == 302
    change(meeting, state="held")

    page = main_words(client.get(meeting.get_absolute_url()))

    assert ("D4 no new date set" in page, "Late, with no new date asked for D4. A04" in page) == (True, True)


def test_the_sheet_says_how_long_ago_a_recheck_was_due_and_which_new_date_was_refused(
    chair, officer, meeting, today
):
    actions = make_agenda(officer, today)
    said = {"reason_kind": "resources", "reason": "Too few people", "needs_decision": True}
    proposal = make_due_date(actions["A04"], "2098-10", by=officer, **said)
    make_decision(proposal, "refused", dated="2022-11-18", by=chair)
    page = main_words(sheet(signed_in(chair), meeting))
    ago = span_in_words((today - datetime.date(2023, 6, 1)).days)
    assert f"To be checked on 1 June 2023, {ago} ago Accepted on this evidence" in page
    assert "Asked for before A date of October 2098 was refused on 18 November 2022. Dates" in page


def test_a_late_action_is_given_no_new_date_that_is_over(chair, officer, meeting, today):
    make_agenda(officer, today)
    date = {"date__reason_kind": "resources", "date__reason": "Too few people", "date__due": "June 2023"}

    response = decide(signed_in(chair), meeting, "D4", "new_date", **date)

    assert (response.status_code, DueDate.objects.filter(due="2023-06").exists()) == (200, False)
    assert problems(response) == [
        f"June 2023 was over on {say_day(today)}, from when it would count. Enter one that was to come."
    ]
