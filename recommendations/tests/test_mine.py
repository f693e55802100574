"""An owner's own page: several reports saved together, each by itself, and “no change” an honest repeat."""

import datetime
import html
import re

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import ProgressUpdate
from recommendations.no_change import is_repeat
from recommendations.tests.factories import (
    make_action,
    make_decision,
    make_due_date,
    make_owner,
    make_send_back,
    make_update,
    position,
)
from record.tests.admin_forms import fields_of, fill_in, sign_in
from record.tests.factories import make_meeting, make_user
from record.tests.pages import main_words
from record.verification import first_fault

pytestmark = [pytest.mark.django_db, pytest.mark.once]
SAID = {"dated": "2022-11-19", "narrative": "Ten posts are filled.", "difference_made": "Fewer moves."}


def held(response):
    """What a browser would send of the page if nothing were typed."""
    found = {}
    for row in response.context["rows"]:
        found |= fields_of(row.form)
        found.pop(f"{row.slug}-dated")
        found[f"initial-{row.slug}-status"] = row.was
        if row.is_ticked:
            found[f"{row.slug}-no_change"] = "on"
    return found


def send(client, **typed):
    """Open the page, type over it by "A01_narrative" and the like, and save."""
    return client.post("/mine/", {**held(client.get("/mine/")), **named(typed)})


def named(typed):
    return {name.replace("_", "-", 1): value for name, value in typed.items()}


def narratives():
    return list(ProgressUpdate.objects.order_by("pk").values_list("action__ref", "narrative"))


def errors_of(response):
    return [problem.words for problem in response.context["problems"]]


def text_of(response):
    words = re.sub("<[^>]*>", " ", response.content.decode())
    return " ".join(html.unescape(words).split())


def test_several_reports_are_saved_together_each_an_entry_of_its_own(client, officer, action):
    make_action("A02", owner=officer)
    untouched = make_action("A03", owner=officer)
    sign_in(client, officer)

    response = send(
        client,
        A01_status="on_track",
        A01_narrative="Begun",
        A02_status="off_track",
        A02_narrative="Stopped",
        A02_reason="Nobody came",
        A02_recovery_step="Ask again on Monday",
        A02_difference_made="None yet",
    )

    assert (response.status_code, response.url) == (302, "/mine/")
    first, second = ProgressUpdate.objects.order_by("pk")
    assert (first.action.ref, first.status, first.narrative, first.reason) == ("A01", "on_track", "Begun", "")
    assert (second.status, second.reason, second.recovery_step) == (
        "off_track",
        "Nobody came",
        "Ask again on Monday",
    )
    assert {row.dated for row in (first, second)} == {timezone.localdate().isoformat()}
    assert {row.signed for row in (first, second)} == {"Officers Person (Officer)"}
    assert "Saved: A01 and A02." in text_of(client.get("/mine/"))
    assert not untouched.updates.exists()
    assert first_fault() is None


def test_an_owner_is_led_only_to_what_they_may_put_right(client, officer, action):
    report = make_update(action, "on_track", by=officer, dated="2022-11-02")
    sent_back = make_update(make_action("A02", owner=officer), "done", by=officer, dated="2022-11-02")
    make_send_back(sent_back)
    sign_in(client, officer)

    links = re.findall(
        'href="(/admin/recommendations/progressupdate/.*?)"', client.get("/mine/").content.decode()
    )
    found = [link for link in links if link.endswith("/change/")]

    assert found == [f"/admin/recommendations/progressupdate/{report.pk}/change/"]
    assert client.get(f"/admin/recommendations/progressupdate/add/?corrects={report.pk}").status_code == 200
    assert (
        client.get(f"/admin/recommendations/progressupdate/add/?corrects={sent_back.pk}").status_code == 403
    )


def test_what_is_right_is_saved_and_what_is_not_comes_back_as_it_was_typed(client, officer, action):
    make_action("A02", owner=officer)
    sign_in(client, officer)

    response = send(
        client,
        A01_status="at_risk",
        A01_narrative="Late & <b>thin</b>",
        A02_status="on_track",
        A02_narrative="Going",
    )

    assert response.status_code == 200
    assert narratives() == [("A02", "Going")]
    assert errors_of(response) == [
        "A01: At risk needs a reason. Say why.",
        "A01: At risk needs a recovery step. Say what will be done about it.",
    ]
    assert "1 saved, 1 not saved Saved: A02. " in text_of(response)
    assert "Not saved: A01. What you typed is still here." in text_of(response)
    assert "Late &amp; &lt;b&gt;thin&lt;/b&gt;</textarea>" in response.content.decode()
    assert "<title>Error: Your actions" in " ".join(response.content.decode().split())

    again = client.post(
        "/mine/", {**held(response), **named({"A01_reason": "No people", "A01_recovery_step": "Hire"})}
    )
    assert again.status_code == 302
    assert narratives() == [("A02", "Going"), ("A01", "Late & <b>thin</b>")]


def test_no_change_is_a_dated_repeat_of_the_day_that_something_was_last_said(client, officer, action):
    said = {**SAID, "reason": "Few people", "recovery_step": "Hire"}
    make_update(action, "at_risk", by=officer, **said)
    sign_in(client, officer)
    assert "No change since 19 November 2022, still At risk" in text_of(client.get("/mine/"))

    response = send(client, A01_no_change="on")

    assert response.status_code == 302
    repeat = ProgressUpdate.objects.latest("pk")
    assert (repeat.narrative, repeat.status, repeat.dated) == (
        "No change since 19 November 2022.",
        "at_risk",
        timezone.localdate().isoformat(),
    )
    assert (repeat.reason, repeat.recovery_step, repeat.difference_made) == (
        "Few people",
        "Hire",
        "Fewer moves.",
    )
    now = position(action, timezone.localdate())
    assert (now.says_no_change, now.repeats_commentary, now.is_stale) == (True, True, False)
    page = text_of(client.get("/actions/A01/"))
    assert "A repeat: it says that nothing has changed, and the rest of it is as reported then." in page


def test_of_several_repeats_each_names_the_day_on_which_something_was_said(client, officer, action):
    make_update(action, by=officer, **SAID)
    yesterday = timezone.localdate() - datetime.timedelta(days=1)
    make_update(action, by=officer, narrative="No change since 19 November 2022.", dated=f"{yesterday}")
    sign_in(client, officer)

    assert send(client, A01_no_change="on").status_code == 302
    assert [is_repeat(row) for row in ProgressUpdate.objects.order_by("pk")] == [False, True, True]
    assert narratives()[-1] == ("A01", "No change since 19 November 2022.")


@pytest.mark.parametrize(
    ("narrative", "repeats"),
    [
        ("No change since 19 November 2022.", True),
        ("No change since 19 November 2022. Ten posts are filled.", False),
        ("No change since 19 November 2022.\nTen posts", False),
        ("There is no change since 19 November 2022.", False),
    ],
)
def test_only_a_report_that_says_nothing_else_is_a_repeat(narrative, repeats):
    assert is_repeat(ProgressUpdate(narrative=narrative)) is repeats


def test_no_change_is_offered_only_where_it_answers(client, officer, action):
    done = make_update(action, "done", by=officer, dated="2022-11-19")
    make_action("A02", owner=officer)
    make_update(make_action("A03", owner=officer), by=officer, dated=timezone.localdate().isoformat())
    sent_back = make_action("A04", owner=officer)
    make_send_back(make_update(sent_back, "done", by=officer, dated="2022-11-02"))
    make_update(make_action("A05", owner=officer), by=officer, **SAID)
    sign_in(client, officer)

    response = client.get("/mine/")
    offered = re.findall(r'name="(A\d+)-no_change"', response.content.decode())
    assert offered == ["A05"]
    refused = send(client, A01_no_change="on", A02_no_change="on", A03_no_change="on", A04_no_change="on")
    assert sorted(errors_of(refused)) == [
        "A01: It is reported done, and waits for the board. Report on it only if that has changed.",
        "A02: Nothing has been reported on it yet. Say how it stands.",
        "A03: The last report on it is of today.",
        "A04: Its last report was sent back. Answer what was asked.",
    ]
    assert ProgressUpdate.objects.count() == 4
    assert ProgressUpdate.objects.filter(action=action).get() == done


def test_no_change_and_words_of_ones_own_are_not_both_saved(client, officer, action):
    make_update(action, by=officer, **SAID)
    sign_in(client, officer)

    response = send(client, A01_no_change="on", A01_narrative="Two more posts")

    assert ProgressUpdate.objects.count() == 1
    assert errors_of(response) == [
        "A01: You ticked “no change” and gave a status or words of your own. Untick it, or take the others "
        "out again."
    ]
    assert "Two more posts</textarea>" in response.content.decode()
    assert 'name="A01-no_change" checked' in response.content.decode()


@pytest.mark.parametrize("typed", [{"A01_narrative": "More"}, {"A01_no_change": "on"}])
def test_what_is_sent_twice_is_saved_once(client, officer, action, typed):
    make_update(action, by=officer, **SAID)
    sign_in(client, officer)
    sent = {**held(client.get("/mine/")), **named(typed)}
    assert client.post("/mine/", sent).status_code == 302

    response = client.post("/mine/", sent, follow=True)

    page = main_words(response)
    assert "A01: You saved exactly this on " in page
    assert "It is on the record once, and nothing more was saved." in page
    assert (errors_of(response), "Nothing was saved" in page) == ([], False)
    assert ProgressUpdate.objects.count() == 2


@pytest.mark.parametrize("typed", [{"A01_narrative": "Mine"}, {"A01_no_change": "on"}])
def test_an_owner_is_told_what_somebody_else_saved_meanwhile(client, officer, action, typed):
    make_update(action, by=officer, **SAID)
    sign_in(client, officer)
    sent = {**held(client.get("/mine/")), **named(typed)}
    theirs = make_update(action, by=make_user("Secretariat"), narrative="Theirs", dated="2022-11-20")

    response = client.post("/mine/", sent)

    told, advice = errors_of(response)
    assert told.startswith("A01: Secretariat Person saved this on ")
    assert "On track: Theirs" in told
    assert "Nothing is saved yet, and what you typed is still here." in advice
    assert ProgressUpdate.objects.latest("pk") == theirs
    assert client.post("/mine/", held(response)).status_code == 302
    assert narratives()[-1][1] == (
        "Mine" if "A01_narrative" in typed else "No change since 20 November 2022."
    )


def test_what_one_saved_already_is_told_beside_what_is_saved_and_what_is_wrong(client, officer, action):
    """One goes back to the page on which one row was saved, and fills in more."""
    make_action("A02", owner=officer)
    make_action("A03", owner=officer)
    sign_in(client, officer)
    sent = held(client.get("/mine/")) | {"A01-status": "on_track", "A01-narrative": "Begun"}
    client.post("/mine/", sent)

    response = client.post("/mine/", sent | {"A02-status": "at_risk", "A02-narrative": "Late"})

    page = main_words(response)
    assert page.count("A01: You saved exactly this on ") == 1
    assert "Not saved: A02. What you typed is still here." in page
    assert errors_of(response) == [
        "A02: At risk needs a reason. Say why.",
        "A02: At risk needs a recovery step. Say what will be done about it.",
    ]
    sent |= {"A03-status": "on_track", "A03-narrative": "Begun too"}
    page = main_words(client.post("/mine/", sent, follow=True))
    told = ("Saved: A03.", "A01: You saved exactly this on ", "Not saved")
    assert [said in page for said in told] == [True, True, False]
    assert [ref for ref, _ in narratives()] == ["A01", "A03"]


def test_of_ones_own_other_window_one_is_not_told_that_it_is_somebody_elses(client, officer, action):
    sign_in(client, officer)
    sent = held(client.get("/mine/")) | {"A01-status": "on_track", "A01-narrative": "Mine"}
    client.post("/mine/", sent | {"A01-narrative": "Mine of before"})

    told, advice = errors_of(client.post("/mine/", sent))

    assert told.startswith("A01: You saved this on ")
    assert advice == (
        "A01: Nothing is saved yet, and what you typed is still here. Check it against what you saved; to "
        "save this as well, choose Save again."
    )


def test_a_row_that_nobody_touched_is_not_saved_though_its_status_changed_meanwhile(client, officer, action):
    make_update(action, by=officer, **SAID)
    make_action("A02", owner=officer)
    sign_in(client, officer)
    sent = held(client.get("/mine/"))
    make_update(action, "at_risk", by=make_user("Secretariat"), dated="2022-11-20")

    sent |= {"A02-status": "on_track", "A02-narrative": "Begun"}

    assert client.post("/mine/", sent).status_code == 302
    assert narratives()[-1] == ("A02", "Begun")


def test_on_an_action_of_somebody_else_nothing_is_saved_and_nothing_typed_is_lost(client, officer, action):
    other = make_action("A02", owner=make_user("Officers", "other"), title="Not to be told")
    sign_in(client, officer)
    page = client.get("/mine/")
    assert "A02" not in page.content.decode()

    response = send(
        client,
        A01_status="on_track",
        A01_narrative="Own",
        A02_status="at_risk",
        A02_narrative="<i>Forged</i>",
    )

    assert narratives() == [("A01", "Own")]
    assert not other.updates.exists()
    shown = text_of(response)
    assert "You do not own an open action A02 now, so nothing was saved on it." in shown
    assert "Status At risk What has happened <i>Forged</i>" in shown
    assert "Not to be told" not in shown


def test_an_action_handed_over_while_the_page_was_open_is_not_reported_on(client, officer, action):
    sign_in(client, officer)
    sent = {**held(client.get("/mine/")), "A01-status": "on_track", "A01-narrative": "Too late"}
    make_owner(action, make_user("Officers", "other"), dated="2022-11-02")

    response = client.post("/mine/", sent)

    assert "Too late" in text_of(response)
    assert ProgressUpdate.objects.count() == 0


def test_nothing_filled_in_is_said_to_be_nothing_saved(client, officer, action):
    make_update(action, by=officer, **SAID)
    sign_in(client, officer)

    response = send(client)

    assert response.status_code == 200
    assert "Nothing was saved Nothing was filled in." in text_of(response)
    assert ProgressUpdate.objects.count() == 1


def test_the_page_shows_what_was_answered_and_asked_and_never_copies_the_last_words(client, officer, action):
    make_meeting(
        held_on=timezone.localdate() + datetime.timedelta(days=9),
        papers_due_on=timezone.localdate() + datetime.timedelta(days=2),
    )
    report = make_update(action, "done", by=officer, **SAID)
    make_send_back(report, dated="2022-11-20", wanted="The audit of June")
    proposal = make_due_date(action, "2023-04", by=officer, needs_decision=True)
    make_decision(proposal, "refused", reason="Too late for the children")
    closed = make_action("A02", owner=officer)
    make_update(closed, "complete", by=make_user("Chair"))
    sign_in(client, officer)

    page = client.get("/mine/")

    shown = text_of(page)
    for words in ("The audit of June", "Too late for the children", "Ten posts are filled.", "Fewer moves."):
        assert shown.count(words) == 1, words
    assert re.findall("<textarea[^>]*>([^<]*)</textarea>", page.content.decode()) == ["\n"] * 5
    assert f"papers are due on {timezone.localdate() + datetime.timedelta(days=2):%-d %B %Y}" in shown
    assert [row.slug for row in page.context["rows"]] == ["A01"]


@pytest.mark.parametrize("role", ["Chair", "Secretariat"])
def test_who_decides_only_reports_on_their_own(client, role):
    user = make_user(role)
    make_action("A01", owner=user)
    sign_in(client, user)

    response = send(client, A01_status="complete", A01_narrative="Done", A01_evidence="The minutes")

    assert ProgressUpdate.objects.count() == 0
    assert errors_of(response)[0].startswith("A01: Choose one of the listed statuses.")


def test_whatever_day_the_address_asks_for_it_is_about_today(client, officer, action):
    sign_in(client, officer)
    sent = {**held(client.get("/mine/")), "A01-status": "on_track", "A01-narrative": "Now"}

    assert client.post("/mine/?as_at=2022-11-01&known=then", sent).status_code == 302
    assert ProgressUpdate.objects.get().dated == timezone.localdate().isoformat()


@pytest.mark.parametrize(
    ("group", "leads"),
    [("Officers", True), ("Chair", True), ("Administrators", False), ("Board members", False)],
)
def test_the_first_page_leads_there_only_those_who_may_report(client, group, leads):
    page = sign_in(client, make_user(group)).get("/").content.decode()

    assert ('<a href="/mine/">Your actions</a>' in page) is leads


@pytest.mark.parametrize("actions", [1, 10])
def test_the_page_takes_the_same_queries_however_many_actions(
    client, officer, django_assert_num_queries, actions
):
    for number in range(10, 10 + actions):
        action = make_action(f"A{number}", owner=officer)
        make_update(action, by=officer, **SAID)
        make_due_date(action, by=officer, needs_decision=True)
    sign_in(client, officer)
    client.get("/mine/")  # the first page of a session also notes the time in it

    with django_assert_num_queries(15):
        client.get("/mine/")


def test_whoever_was_signed_out_gets_back_what_they_typed_under_the_number_of_each_action(officer, action):
    make_update(action, by=officer, **SAID)
    make_action("A02", owner=officer)
    client = sign_in(Client(), officer)
    sent = {**held(client.get("/mine/")), "A02-status": "off_track", "A02-narrative": "Two left"}
    sent |= {"A01-narrative": "Going <on>"}
    client.logout()

    response = client.post("/mine/", sent)

    page = response.content.decode()
    assert response.status_code == 403
    labels, texts = re.findall("<h2>(.*?)</h2>", page), re.findall('<p class="typed">(.*?)</p>', page)
    assert dict(zip(labels, texts, strict=True)) == {
        "A01: What has happened": "Going &lt;on&gt;",
        "A02: Status": "Off track",
        "A02: What has happened": "Two left",
    }


def test_who_went_from_this_page_to_propose_a_date_or_report_for_another_day_comes_back_to_it(
    client, officer, action
):
    make_due_date(action)
    sign_in(client, officer)
    report = {"status": "on_track", "narrative": "Now"}
    ask = {"due": "June 2098", "reason_kind": "resources", "reason": "Too few"}
    for name, typed in (("progressupdate", report), ("duedate", ask), ("decision", {"reason": "Too soon"})):
        page = client.get("/mine/").content.decode()
        (link,) = re.findall(f'href="(/admin/recommendations/{name}/add/[^"]*)"', page)
        saved = fill_in(client, html.unescape(link), **typed)
        assert (saved.status_code, saved.headers["Location"]) == (302, "/mine/")
    elsewhere = fill_in(
        client, f"/admin/recommendations/duedate/add/?action={action.pk}", **{**ask, "due": "July 2098"}
    )
    assert elsewhere.headers["Location"] == "/admin/"
