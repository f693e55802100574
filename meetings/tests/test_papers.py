"""A published paper is the same bytes for good; a draft says that it is one."""

import datetime
import hashlib
import re
import threading
from contextlib import suppress

import pytest
from django.contrib.staticfiles import finders
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from meetings import papers
from meetings.models import Paper
from meetings.publishing import MovedOn, publish, shown_next, what_is_read
from meetings.tests.factories import make_outcome
from recommendations.models import Action, ProgressUpdate
from recommendations.tests.factories import make_action, make_update
from record import ledger, triggers
from record.dates import say_day, say_moment
from record.held import had_before_it
from record.models import LedgerEntry
from record.tests.admin_forms import fields_of
from record.tests.factories import add, make_meeting, make_user, noon, on, saved
from record.tests.pages import main_words
from record.verification import first_fault

pytestmark = pytest.mark.again

ADDRESS = "/meetings/2099-01-15/paper/"


@pytest.fixture
def meeting(db):
    make_action("A05", title="Report finance to the board")
    return make_meeting(held_on=datetime.date(2099, 1, 15), covering_note="Read this first.")


@pytest.fixture
def secretariat(db):
    return make_user("Secretariat")


def publish_page(meeting):
    return reverse("admin:meetings_publish", args=[meeting.pk])


def open_form(client, address):
    return fields_of(client.get(address).context["form"])


def published(client, address=ADDRESS):
    response = client.get(address)
    assert response.status_code == 200
    return response.content


def test_before_publication_the_paper_is_live_and_says_draft(client, meeting, secretariat):
    client.force_login(secretariat)
    assert "DRAFT" in published(client).decode()
    make_update(meeting_action(), "at_risk", by=secretariat, reason="Money is short.")
    assert "Money is short." in published(client).decode()


def meeting_action():
    return Action.objects.get(ref="A05")


def test_a_correction_makes_version_2_and_version_1_stays_what_it_was(client, meeting, secretariat):
    client.force_login(secretariat)
    publish(meeting.pk, by=secretariat, read=what_is_read(meeting))
    first = published(client)
    make_update(meeting_action(), "off_track", by=secretariat)
    publish(meeting.pk, by=secretariat, read=what_is_read(meeting), reason="A05 was missing")
    second = published(client)
    assert first != second
    assert published(client, f"{ADDRESS}?version=1") == first
    assert published(client, f"{ADDRESS}?version=2") == second
    assert client.get(f"{ADDRESS}?version=3").status_code == 404
    assert client.get(f"{ADDRESS}?version=x").status_code == 404
    page = client.get("/meetings/2099-01-15/").content.decode()
    proof = client.get("/proof/").content.decode()
    hashes = [hashlib.sha256(body).hexdigest() for body in (first, second)]
    assert [digest in proof for digest in hashes] == [True, True]
    assert "A05 was missing" in page


def test_damaged_bytes_are_refused_and_never_replaced_by_live_data(client, meeting, secretariat):
    client.force_login(secretariat)
    paper = publish(meeting.pk, by=secretariat, read=what_is_read(meeting))
    # Only an owner of the database could do this; the end of the test puts the triggers back.
    triggers.drop(connection)
    Paper.objects.filter(pk=paper.pk).update(body=b"<p>forged</p>")
    for address in (ADDRESS, f"{ADDRESS}?version=1"):
        response = client.get(address)
        assert response.status_code == 500
        assert "forged" not in response.content.decode()
        assert "Report finance to the board" not in response.content.decode()


def test_the_anchor_on_the_paper_is_the_chain_at_publication(client, meeting, secretariat):
    client.force_login(secretariat)
    make_update(meeting_action(), by=secretariat)
    anchor = ledger.anchor()
    publish(meeting.pk, by=secretariat, read=what_is_read(meeting))
    assert str(anchor) in published(client).decode()
    make_update(meeting_action(), "at_risk", by=secretariat)
    assert first_fault(expected=anchor) is None


def test_the_paper_allows_its_own_stylesheet_and_no_other(client, meeting, secretariat):
    client.force_login(secretariat)
    publish(meeting.pk, by=secretariat, read=what_is_read(meeting))
    response = client.get(ADDRESS)
    source = papers.style_source(response.content)
    assert f"style-src 'self' {source};" in response.headers["Content-Security-Policy"]
    assert secretariat.username not in response.content.decode()
    assert "csrf" not in response.content.decode()
    assert finders.find("bcp_board/board.css")


def test_a_paper_published_in_time_is_what_the_next_meeting_compares_with(db, secretariat, client):
    today = timezone.localdate()
    held = make_meeting(held_on=datetime.date(2099, 1, 15))
    paper = publish(held.pk, by=secretariat, read=what_is_read(held))
    moment = had_before_it(held, on(today))
    assert (moment.day, moment.known) == (paper.as_at, paper.published_at)


def test_the_first_paper_of_a_past_meeting_shows_what_was_known_on_its_day_and_the_next_all_there_is(
    db, secretariat
):
    held, now = make_meeting(held_on=datetime.date(2022, 11, 22)), noon("2022-12-01")

    first = shown_next(held, None, now=now)
    paper = publish(held.pk, by=secretariat, read=what_is_read(held))
    second = shown_next(held, paper, now=now)

    assert (first.day, first.known) == (datetime.date(2022, 11, 22), noon("2022-11-23").replace(hour=0))
    assert (second.day, second.known) == (datetime.date(2022, 11, 22), noon("2022-12-01"))


def told(response):
    """What a page that published nothing says has changed, as a list of sentences."""
    assert response.status_code == 409
    return response.context["moved_on"]


def test_whoever_publishes_second_is_told_of_the_first_before_being_asked_why(client, meeting, secretariat):
    client.force_login(secretariat)
    address = publish_page(meeting)
    opened = open_form(client, address)
    assert (client.post(address, opened).status_code, Paper.objects.count()) == (302, 1)
    second = client.post(address, {**opened, "reason": "Again"})
    paper = Paper.objects.get()
    assert told(second) == [
        f"Secretariat Person added the paper “Meeting of 15 January 2099, paper version 1” on "
        f"{say_moment(paper.published_at)}."
    ]
    assert "Please correct" not in second.content.decode()
    assert "Again</textarea>" in second.content.decode()
    assert Paper.objects.count() == 1

    without_reason = client.post(address, open_form(client, address))
    assert (without_reason.status_code, Paper.objects.count()) == (200, 1)
    assert "Say why there is a new version." in without_reason.content.decode()
    again = {**second.context["form"].initial, "reason": "A slip"}
    assert (client.post(address, again).status_code, Paper.objects.count()) == (302, 2)


@pytest.mark.parametrize("change", ["update", "correction", "withdrawal", "meeting", "title", "many"])
def test_nothing_is_published_that_was_not_read_and_the_page_says_what_changed(
    client, meeting, secretariat, change
):
    action, client_at = meeting_action(), publish_page(meeting)
    wrong = make_update(action, by=secretariat, narrative="All well")
    client.force_login(secretariat)
    opened, more = open_form(client, client_at), []
    if change == "update":
        make_update(action, by=secretariat, narrative="Slipping")
        words = "recorded a progress update about A05: Report finance to the board: “On track: Slipping”"
    elif change == "correction":
        make_update(action, by=secretariat, narrative="Ill", corrects=wrong, correction_reason="A slip")
        words = "corrected a progress update about A05: Report finance to the board: “On track: Ill”"
    elif change == "withdrawal":
        add(wrong.withdrawal(by=secretariat, reason="Typed twice"))
        words = "withdrew a progress update about A05: Report finance to the board: “On track: All well”"
    elif change == "meeting":
        with saved(by=secretariat, reason="It was unclear"):
            meeting.covering_note = "Read that first."
            meeting.save()
        words = "changed the meeting “Meeting of 15 January 2099”"
    elif change == "title":
        with saved(by=secretariat, reason="It was unclear"):
            action.title = "Another title"
            action.save()
        words = "changed the action “A05: Another title”"
    else:
        for _ in range(22):
            make_update(action, by=secretariat, narrative="Slipping")
        words = "recorded a progress update about A05: Report finance to the board: “On track: Slipping”"
        more = ["And 2 more."]
    response = client.post(client_at, opened)
    sentences = told(response)
    assert sentences[0].startswith(f"Secretariat Person {words} on ")
    assert sentences[0].endswith(" Why: It was unclear") == (change in ("meeting", "title"))
    assert (len(sentences), sentences[20:]) == (20 + 1 if more else 1, more)
    assert Paper.objects.count() == 0

    assert client.post(client_at, response.context["form"].initial).status_code == 302
    assert Paper.objects.count() == 1


def test_a_paper_that_was_read_yesterday_is_not_published_today(client, meeting, secretariat):
    client.force_login(secretariat)
    opened = open_form(client, publish_page(meeting))
    today = timezone.localdate()
    entry, _ = opened["read"].split()
    yesterday = today - datetime.timedelta(days=1)
    response = client.post(publish_page(meeting), {**opened, "read": f"{entry} {yesterday}"})
    assert told(response) == [
        f"It is another day: you read the paper as at {say_day(yesterday)}, and it would now be as at "
        f"{say_day(today)}."
    ]
    assert Paper.objects.count() == 0


@pytest.mark.parametrize(
    "read", ["", "x", "1", "-1 2026-01-01", "999999 2099-12-31", "1 2026-13-45", "9" * 30, "1 x"]
)
def test_what_nobody_can_have_read_publishes_nothing(client, meeting, secretariat, read):
    client.force_login(secretariat)
    response = client.post(publish_page(meeting), {"read": read})
    assert (told(response)[-1], Paper.objects.count()) == ("This form was not sent whole.", 0)


def test_a_reason_that_is_too_long_is_refused_whole_and_kept_in_its_box(client, meeting, secretariat):
    """A box that says how much it takes has a browser cut what is pasted, and nobody is told."""
    client.force_login(secretariat)
    address = publish_page(meeting)
    assert client.post(address, open_form(client, address)).status_code == 302
    response = client.post(address, {**open_form(client, address), "reason": "y" * 501})
    assert (response.status_code, Paper.objects.count()) == (200, 1)
    assert "Use 500 characters or fewer." in response.content.decode()
    assert "y" * 501 in response.content.decode()
    assert "maxlength" not in response.content.decode()


@pytest.mark.parametrize("role", ["Officers", "Chair", "Administrators"])
def test_only_the_secretariat_publishes(client, meeting, role):
    client.force_login(make_user(role))
    assert client.post(publish_page(meeting), {"read": what_is_read(meeting)}).status_code == 403
    assert Paper.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_simultaneous_publications_make_one_paper_and_one_clear_refusal():
    secretariat = make_user("Secretariat")
    meeting = make_meeting(held_on=datetime.date(2099, 1, 15))
    barrier, outcomes, read = threading.Barrier(2), [], what_is_read(meeting)

    def attempt():
        barrier.wait()
        try:
            publish(meeting.pk, by=secretariat, read=read)
            outcomes.append("published")
        except MovedOn as refusal:
            outcomes.append(f"refused: {len(refusal.told)}")
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["published", "refused: 1"]
    assert Paper.objects.count() == 1
    assert first_fault() is None


def test_a_paper_shows_an_update_saved_meanwhile_exactly_if_its_anchor_covers_it(new_database):
    with new_database():
        secretariat = make_user("Secretariat")
        actions = [make_action(f"A{number}") for number in range(10, 70)]
        meeting = make_meeting(held_on=datetime.date(2099, 1, 15))
        under_way, is_published = threading.Event(), threading.Event()

        def write():
            try:
                for number, action in enumerate(actions):
                    if number == 10:
                        under_way.set()
                    if number == 50:
                        is_published.wait(timeout=60)
                    reason = f"Reason of {action.ref}."
                    make_update(action, "at_risk", by=secretariat, reason=reason, recorded_at=None)
            finally:
                under_way.set()
                connection.close()

        writer = threading.Thread(target=write)
        writer.start()
        under_way.wait(timeout=60)
        try:
            body = None
            while body is None:
                # Whatever was written since it was read has it read again.
                with suppress(MovedOn):
                    body = publish(meeting.pk, by=secretariat, read=what_is_read(meeting)).body.decode()
        finally:
            is_published.set()
            writer.join()

        anchor = Paper.objects.with_anchor().get().anchor
        assert str(anchor) in body
        entries = LedgerEntry.objects.filter(
            kind="recommendations.progressupdate", sequence__lte=anchor.count
        )
        covered = ProgressUpdate.objects.filter(pk__in=entries.values("row"))
        shown = re.findall(r"Reason of (A\d\d)\.", body)
        assert sorted(set(shown)) == sorted(update.action.ref for update in covered)
        assert (10 <= len(covered) <= 50, ProgressUpdate.objects.count()) == (True, 60)
        assert first_fault(expected=anchor) is None


def test_nothing_of_a_paper_is_kept_when_publishing_fails(meeting, secretariat):
    make_update(meeting_action(), by=secretariat)
    before = ledger.anchor()
    with pytest.raises(RuntimeError), transaction.atomic():
        publish(meeting.pk, by=secretariat, read=what_is_read(meeting))
        raise RuntimeError("the power went")
    assert (Paper.objects.count(), ledger.anchor()) == (0, before)


def test_the_annex_is_published_where_its_box_is_ticked_and_read_where_it_is_asked_for(
    client, meeting, secretariat
):
    annex = '<h2 id="paper-annex">Annex</h2>'
    client.force_login(secretariat)
    read = [published(client, f"{ADDRESS}{query}").decode() for query in ("?draft", "?draft&annex")]
    form = open_form(client, publish_page(meeting))
    client.post(publish_page(meeting), {**form, "has_annex": "on"})
    read.append(published(client).decode())
    form = open_form(client, publish_page(meeting))
    client.post(publish_page(meeting), {**form, "has_annex": "", "reason": "Without it"})
    read += [published(client, f"{ADDRESS}?annex").decode(), published(client, "/status/?annex").decode()]
    assert [annex in page for page in read] == [False, True, True, False, True]


def test_the_coming_version_can_be_read_as_a_draft_by_those_who_publish_it(client, meeting, secretariat):
    publish(meeting.pk, by=secretariat, read=what_is_read(meeting))
    make_update(meeting_action(), "at_risk", by=secretariat, reason="Money is short.")
    client.force_login(secretariat)
    coming = published(client, f"{ADDRESS}?draft").decode()
    assert ("DRAFT" in coming, "Money is short." in coming) == (True, True)
    frozen = published(client)
    client.force_login(make_user("Board members"))
    assert published(client, f"{ADDRESS}?draft") == frozen
    assert b"Money is short." not in frozen


@pytest.mark.parametrize("days_ago", [0, 1])
def test_whoever_publishes_after_decisions_is_warned_where_the_position_before_the_meeting_would_hold_them(
    db, client, secretariat, days_ago
):
    today = timezone.localdate()
    meeting = make_meeting(today - datetime.timedelta(days=days_ago), state="held", asks=["One", "Two"])
    other = make_meeting(today - datetime.timedelta(days=9), asks=["Three"])
    client.force_login(secretariat)
    day = {"dated": meeting.held_on.isoformat(), "by": secretariat}
    warned = (
        "so once you publish, the meeting’s page will show, as the position before the meeting, what this"
    )

    publish(meeting.pk, by=secretariat, read=what_is_read(meeting))
    make_outcome(other.asks.get(), **{**day, "dated": other.held_on.isoformat()})
    wrong = make_outcome(meeting.asks.first(), **day)
    add(wrong.withdrawal(by=secretariat, reason="A slip"))
    assert warned not in main_words(client.get(publish_page(meeting)))

    decided = make_outcome(meeting.asks.last(), **day)
    page = main_words(client.get(publish_page(meeting)))
    before = had_before_it(meeting, on(today))
    assert before.known <= decided.recorded_at
    publish(meeting.pk, by=secretariat, read=what_is_read(meeting), reason="A figure")
    moved = had_before_it(meeting, on(today)) != before
    assert (warned in page, moved) == ((True, True) if days_ago == 0 else (False, False))
    assert ("1 decision made at this meeting is already on the record , so once" in page) == moved
    assert ("new paper shows: the position after that decision." in page) == moved

    make_outcome(meeting.asks.first(), **day)
    page = main_words(client.get(publish_page(meeting)))
    assert ("2 decisions made at this meeting are already on the record" in page) == moved
    assert ("the position after those decisions." in page) == moved
