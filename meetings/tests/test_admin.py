"""Meetings, as the secretariat keeps them."""

import datetime
import hashlib
import re

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from meetings.models import Paper
from meetings.tests.factories import make_outcome
from recommendations.due_dates import Decision
from recommendations.tests.factories import make_action, make_decision, make_due_date, make_update
from record.dates import say_day
from record.ledger import append
from record.models import ANSWERED, Meeting
from record.tests.admin_forms import errors_of, fill_in, open_form
from record.tests.factories import add, change, make_meeting, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.once]

ADD = reverse("admin:record_meeting_add")


def test_the_secretariat_adds_a_meeting(secretariat):
    asks = {"asks-TOTAL_FORMS": "1", "asks-0-kind": "challenge", "asks-0-text": "Challenge what is overdue"}
    fill_in(secretariat, ADD, held_on="22 Nov 2022", papers_due_on="15/11/2022", **asks)

    meeting = Meeting.objects.get()
    assert [str(ask) for ask in meeting.asks.all()] == ["To challenge: Challenge what is overdue"]
    assert (meeting.held_on, meeting.papers_due_on) == (
        datetime.date(2022, 11, 22),
        datetime.date(2022, 11, 15),
    )
    page = secretariat.get(reverse("admin:record_meeting_change", args=[meeting.pk])).content.decode()
    assert '<a href="/meetings/2022-11-22/" class="viewsitelink">' in page


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"held_on": "31/02/2022"}, "held_on"),
        ({"held_on": "22/11/9999"}, "held_on"),
        ({"held_on": "01/01/2018"}, "held_on"),
        ({"held_on": "22/11/2022", "papers_due_on": "23/11/2022"}, "papers_due_on"),
    ],
)
def test_a_meeting_on_a_day_that_cannot_be_is_refused(secretariat, typed, field):
    assert list(errors_of(fill_in(secretariat, ADD, **typed))) == [field]
    assert Meeting.objects.count() == 0


@pytest.fixture
def meeting():
    return make_meeting(held_on="2022-11-22")


def page_of(meeting):
    return reverse("admin:record_meeting_change", args=[meeting.pk])


def publish_paper(meeting):
    paper = Paper(
        meeting=meeting,
        version=1,
        as_at=meeting.held_on,
        published_at=timezone.now(),
        published_by=make_user("Chair"),
        signed="Ann Clerk (Secretariat)",
        body=b"paper",
        sha256=hashlib.sha256(b"paper").hexdigest(),
    )
    append([paper])


def test_a_meeting_is_moved_and_put_right_and_its_old_addresses_lead_to_the_new(secretariat, meeting):
    publish_paper(meeting)
    for day in ("23/11/2022", "24/11/2022"):
        assert fill_in(secretariat, page_of(meeting), held_on=day, change_reason="Moved").status_code == 302

    for old in ("2022-11-22", "2022-11-23"):
        assert (secretariat.get(f"/meetings/{old}/?a=1&b").url, secretariat.get(f"/meetings/{old}/").url) == (
            "/meetings/2022-11-24/?a=1&b",
            "/meetings/2022-11-24/",
        )
        paper = secretariat.get(f"/meetings/{old}/paper/?version=1", follow=True)
        assert paper.redirect_chain == [("/meetings/2022-11-24/paper/?version=1", 302)]
        assert paper.content == b"paper"
    shown = secretariat.get("/meetings/2022-11-24/").content.decode()
    assert "Changed since it was entered: 2 times" in shown
    assert secretariat.get("/meetings/2022-11-25/").status_code == 404
    # As known then it had not been moved, and the address that it came to have leads to the one it had.
    then = "as_at=2022-11-25&known=then"
    assert secretariat.get(f"/meetings/2022-11-22/?{then}").status_code == 200
    assert secretariat.get(f"/meetings/2022-11-24/?{then}").url == f"/meetings/2022-11-22/?{then}"


def test_two_planned_meetings_may_swap_their_days(secretariat):
    one, two = (make_meeting(held_on=day) for day in ("2090-03-01", "2090-03-08"))
    assert errors_of(fill_in(secretariat, page_of(one), held_on="8/3/2090")) == {
        "held_on": ["There is already a meeting on that day."]
    }
    for row, day in ((one, "2/3/2090"), (two, "1/3/2090"), (one, "8/3/2090")):
        assert fill_in(secretariat, page_of(row), held_on=day).status_code == 302

    assert [str(m.pk) for m in Meeting.objects.order_by("held_on")] == [str(two.pk), str(one.pk)]
    assert secretariat.get("/meetings/2090-03-01/").status_code == 200
    assert secretariat.get("/meetings/2090-03-02/").url == "/meetings/2090-03-08/"


def test_no_meeting_takes_the_address_of_a_day_on_which_another_was_on_record_as_held(secretariat, meeting):
    fill_in(secretariat, page_of(meeting), held_on="24/11/2022")
    refused = fill_in(secretariat, ADD, held_on="22/11/2022")

    assert errors_of(refused) == {
        "held_on": [
            "On record, the meeting of 24 November 2022 was once held on that day, and its address "
            "leads there. Choose another day."
        ]
    }
    assert fill_in(secretariat, page_of(meeting), held_on="22/11/2022").status_code == 302


@pytest.mark.parametrize(
    ("days", "state", "said"),
    [
        (1, "held", ["{} is still to come, so it cannot have been held."]),
        (0, "held", None),
        (-1, "held", None),
        (1, "cancelled", None),
        (-1, "cancelled", None),
        (1, "planned", None),
    ],
)
def test_what_may_be_said_of_a_meeting_on_the_day_before_it_its_day_and_the_next(
    secretariat, days, state, said
):
    day = timezone.localdate() + datetime.timedelta(days=days)
    done = fill_in(secretariat, page_of(make_meeting(held_on=day)), state=state)

    if said:
        assert errors_of(done) == {"state": [words.format(say_day(day)) for words in said]}
    else:
        assert (done.status_code, Meeting.objects.get().state) == (302, state)


def test_a_meeting_at_which_something_was_decided_is_neither_cancelled_nor_still_to_come(
    secretariat, meeting
):
    proposal = make_due_date(make_action(), needs_decision=True)
    make_decision(proposal, dated="2022-11-22", meeting=meeting)
    decided = "Agreed: A01, proposed due date March 2023, 22 November 2022"
    said = [f"It was held: {decided} cite it. Correct those first."]

    cancelled = fill_in(secretariat, page_of(meeting), state="cancelled")
    assert errors_of(cancelled) == {"state": said}
    assert errors_of(fill_in(secretariat, page_of(meeting), held_on="1/3/2090")) == {"held_on": said}
    assert fill_in(secretariat, page_of(meeting), held_on="23/11/2022").status_code == 302
    assert Decision.objects.get().dated == "2022-11-22"


def test_a_meeting_is_not_put_right_to_a_day_before_what_it_decided(secretariat, meeting):
    officer = make_user("Officers", "officer")
    one, two = make_action("A01"), make_action("A02", agreed_on="2022-11-10")
    make_update(one, "on_track", dated="2022-11-01", by=officer)
    make_update(one, "done", dated="2022-11-20", by=officer)
    make_update(one, "complete", dated="2022-11-22", by=officer, meeting=meeting)
    proposal = make_due_date(one, dated="2022-11-02", by=officer, needs_decision=True)
    make_decision(proposal, dated="2022-11-22", meeting=meeting)
    make_due_date(two, dated="2022-11-22", by=officer, meeting=meeting)
    accepted, due = "A01, Complete, evidenced, 22 November 2022", "A02, due March 2023"

    def refused(what, since):
        return {
            "held_on": [
                f"What was decided there speaks of a later day, {since}: {what}. Enter that day or a later "
                "one, or correct those first."
            ]
        }

    agreed = "Agreed: A01, proposed due date March 2023, 22 November 2022"
    for day, what, since in (
        ("19/11/2022", accepted, "20 November 2022"),
        ("09/11/2022", f"{accepted} and {due}", "20 November 2022"),
        ("01/11/2022", f"{accepted}, {agreed} and {due}", "20 November 2022"),
    ):
        assert errors_of(fill_in(secretariat, page_of(meeting), held_on=day)) == refused(what, since)
    assert fill_in(secretariat, page_of(meeting), held_on="20/11/2022").status_code == 302


def test_a_meeting_that_answered_what_an_earlier_one_was_asked_stays_after_that(secretariat, meeting):
    earlier = make_meeting("2022-11-01", asks=["Agree the plan"])
    make_outcome(earlier.asks.get(), dated="2022-11-22", meeting=meeting)
    own = make_meeting("2022-12-01", asks=["Note the risks"])
    make_outcome(own.asks.get())

    said = (
        "What was decided there speaks of a later day, 1 November 2022: Agreed: Agree the plan, "
        "22 November 2022. Enter that day or a later one, or correct those first."
    )
    assert errors_of(fill_in(secretariat, page_of(meeting), held_on="31/10/2022")) == {"held_on": [said]}
    assert fill_in(secretariat, page_of(own), held_on="30/11/2022").status_code == 302


def test_the_day_of_a_cancelled_meeting_leads_back_to_it(secretariat):
    meeting = make_meeting(held_on="2098-11-22", state="cancelled")

    again = fill_in(secretariat, reverse("admin:record_meeting_add"), held_on="22/11/2098")

    assert errors_of(again) == {
        "held_on": [
            "The meeting of 22 November 2098 was cancelled, and is on record under that day. If it is held "
            "after all, open it and change its state to “Planned”. Else choose another day."
        ]
    }
    assert fill_in(secretariat, page_of(meeting), state="planned").status_code == 302


def test_nobody_was_at_a_cancelled_meeting(meeting):
    with pytest.raises(IntegrityError), transaction.atomic():
        change(meeting, state="cancelled", attendance="The Chair")
    with pytest.raises(IntegrityError), transaction.atomic():
        change(meeting, state="perhaps", attendance="")


def test_what_the_board_is_asked_is_changed_and_withdrawn_with_a_reason_which_readers_see(secretariat):
    meeting = make_meeting(held_on="2022-11-22", asks=["Decide the dates", "Note it"])
    assert (
        fill_in(
            secretariat, page_of(meeting), **{"asks-0-text": "Decide two dates", "change_reason": "Too wide"}
        ).status_code
        == 302
    )
    note = meeting.asks.get(text="Note it")
    withdrawn = {"change_reason": "Asked twice", "opened_on": str(note.history.latest().pk)}
    secretariat.post(reverse("admin:record_ask_withdraw", args=[note.pk]), withdrawn)

    page = " ".join(secretariat.get("/meetings/2022-11-22/").content.decode().split())
    asked = re.findall("<li> ?<strong>To decide:</strong> (?:<[^>]*>)*(.*?)<", page)
    assert asked == ["Decide two dates"]
    assert "Decide the dates" in page and "Too wide" in page and "Asked twice" in page


def test_what_the_board_has_answered_is_not_reworded_under_its_answer(secretariat):
    meeting = make_meeting(held_on="2022-11-22", asks=["Decide the dates"])
    ask, reworded = meeting.asks.get(), {"change_reason": "A slip"}
    answer = make_outcome(ask, dated="2022-11-22")
    alone = reverse("admin:record_ask_change", args=[ask.pk])

    assert errors_of(fill_in(secretariat, alone, text="Agree the dates", **reworded))["text"] == [ANSWERED]
    assert errors_of(fill_in(secretariat, alone, kind="note", **reworded))["kind"] == [ANSWERED]
    beside = fill_in(secretariat, page_of(meeting), **{"asks-0-text": "Agree the dates"}, **reworded)
    assert beside.context["inline_admin_formsets"][0].formset.errors == [{"text": [ANSWERED]}]
    assert meeting.asks.get().text == "Decide the dates"

    add(answer.withdrawal(by=make_user("Chair"), reason="Not yet"))
    assert fill_in(secretariat, alone, text="Agree the dates", **reworded).status_code == 302
    assert meeting.asks.get().text == "Agree the dates"


def test_a_form_without_all_its_parts_saves_nothing_and_is_told_so_in_our_own_words(secretariat, meeting):
    sent = open_form(secretariat, page_of(meeting)) | {"apologies": "The Chair"}

    response = secretariat.post(page_of(meeting), {k: v for k, v in sent.items() if "_FORMS" not in k})

    said = "This form was not sent whole. Nothing is saved. Open the page again and enter it there."
    assert said in response.context["errors"]
    assert said in response.content.decode()
    assert Meeting.objects.get().apologies == ""


@pytest.mark.parametrize("rows", [1, 10])
def test_the_list_takes_the_same_queries_however_long(secretariat, django_assert_num_queries, rows):
    for day in range(1, rows + 1):
        make_meeting(held_on=datetime.date(2022, 11, day))

    secretariat.get("/admin/")  # the first page of a session also notes the time in it
    # session, user, 2 of permissions, 2 counts, rows, is this a demonstration
    with django_assert_num_queries(8):
        secretariat.get(reverse("admin:record_meeting_changelist"))


def test_nobody_was_at_a_meeting_that_is_still_to_come(secretariat):
    meeting = make_meeting("2098-12-16")
    refused = fill_in(secretariat, page_of(meeting), attendance="The Chair", history_change_reason="Known")
    assert errors_of(refused) == {
        "attendance": ["16 December 2098 is still to come. Say who was there once it was held."]
    }


def test_what_is_filled_in_added_or_marked_as_held_needs_no_reason_and_what_was_said_is_changed_with_one(
    secretariat,
):
    meeting = make_meeting("2022-11-22", asks=["Decide the dates"])
    page, said = page_of(meeting), {"change_reason": ["Say why this is changed."]}
    hint = secretariat.get(page).context["adminform"].form.fields["change_reason"].help_text
    assert hint.startswith(
        "Not asked where an empty box is filled in, an ask is added or the meeting is marked as held."
    )
    unsaid = {"change_reason": " "}
    added = {**unsaid, "asks-TOTAL_FORMS": "2", "asks-1-kind": "note", "asks-1-text": "Note the letter"}

    held = fill_in(
        secretariat, page, state="held", attendance="The Chair", papers_due_on="15/11/2022", **added
    )

    assert held.status_code == 302
    meeting.refresh_from_db()
    assert (meeting.state, meeting.attendance, meeting.asks.count()) == ("held", "The Chair", 2)
    assert "Changed since it was entered" not in secretariat.get(meeting.get_absolute_url()).content.decode()
    again = {**unsaid, "asks-TOTAL_FORMS": "3", "asks-2-kind": "note", "asks-2-text": "One more"}
    for changed in (
        {"attendance": "The Chair, the adviser"},
        {"state": "cancelled", "attendance": ""},
        {"state": "planned"},
        {"asks-0-text": "Decide two dates", **again},
        {},
    ):
        assert errors_of(fill_in(secretariat, page, **{**unsaid, **changed})) == said
    assert fill_in(secretariat, page, **again).status_code == 302
    other = page_of(make_meeting("2022-12-20"))
    assert errors_of(fill_in(secretariat, other, state="cancelled", **unsaid)) == said


def test_a_move_that_is_refused_is_headed_by_the_day_that_is_saved(secretariat):
    meeting = make_meeting("2098-12-17")
    make_meeting("2022-11-22")
    refused = fill_in(secretariat, page_of(meeting), held_on="22/11/2022")

    assert list(errors_of(refused)) == ["held_on"]
    assert (refused.context["subtitle"], str(refused.context["original"])) == (
        "Meeting of 17 December 2098",
    ) * 2
    assert refused.context["adminform"].form["held_on"].value() == "22/11/2022"
