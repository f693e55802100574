"""What became of an ask, and that a late action gets no new date: statements like every other."""

import datetime

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from meetings.decided import agenda, outcomes_of
from meetings.models import AskOutcome, LateNote
from meetings.tests.factories import make_late_note, make_outcome
from recommendations.position import board_position
from recommendations.tests.factories import make_action, make_due_date, make_update
from record.as_at import AsAt
from record.fields import words_of
from record.tests.admin_forms import errors_of, fill_in, sign_in
from record.tests.factories import make_meeting, make_user, noon, on
from record.tests.pages import main_words
from record.verification import first_fault

pytestmark = [pytest.mark.django_db, pytest.mark.again]
OUTCOME, NOTE = (reverse(f"admin:meetings_{name}_add") for name in ("askoutcome", "latenote"))
HELD = "2022-12-01"


@pytest.fixture
def chair():
    return make_user("Chair", first_name="Cara", last_name="Chair")


@pytest.fixture
def meeting():
    return make_meeting(HELD, asks=["Agree the plan"])


def test_an_outcome_is_entered_corrected_and_withdrawn_and_the_meeting_shows_each(client, chair, meeting):
    ask, page = meeting.asks.get(), meeting.get_absolute_url()
    sign_in(client, chair)
    typed = {"outcome": "agreed", "words": "With a new clause", "meeting": meeting.pk}
    assert fill_in(client, f"{OUTCOME}?ask={ask.pk}", **typed).status_code == 302
    first = AskOutcome.objects.get()
    assert (first.dated, first.signed) == (HELD, "Cara Chair (Chair)")
    assert "To decide: Agree the plan Agreed : With a new clause" in main_words(client.get(page))

    fixed = {"outcome": "deferred", "words": "Until May", "correction_reason": "A slip"}
    assert fill_in(client, f"{OUTCOME}?corrects={first.pk}", **fixed).status_code == 302
    text = main_words(client.get(page))
    assert "To decide: Agree the plan Deferred : Until May" in text
    assert "Once recorded as decided here, and put right since (1)" in text
    again, second = client.get(f"{OUTCOME}?ask={ask.pk}"), AskOutcome.objects.latest("pk")
    assert again.headers["Location"] == f"/admin/meetings/askoutcome/{second.pk}/change/"

    why = {"correction_reason": "Not said at all"}
    assert fill_in(client, f"{OUTCOME}?withdraws={second.pk}", **why).status_code == 302
    text = main_words(client.get(page))
    assert "Decided: no decision is recorded as made at this meeting." in text
    assert "deferred Until May Withdrawn on " in text
    assert first_fault() is None


@pytest.mark.parametrize(
    ("typed", "field", "told"),
    [
        ({"outcome": "not_agreed"}, "words", "Say why, or until when."),
        (
            {"outcome": "agreed", "dated": "30/11/2022"},
            "dated",
            "It is asked on 1 December 2022. Enter that day or a later one.",
        ),
        ({"outcome": ""}, "outcome", "“Outcome” is needed."),
    ],
)
def test_an_outcome_that_says_too_little_or_too_early_is_refused(client, chair, meeting, typed, field, told):
    sign_in(client, chair)
    assert errors_of(fill_in(client, f"{OUTCOME}?ask={meeting.asks.get().pk}", **typed)) == {field: [told]}


def test_the_database_asks_why_not_too(meeting):
    ask = meeting.asks.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_outcome(ask, "deferred")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_outcome(ask, "perhaps")
    make_outcome(ask, "noted")


def test_only_an_action_that_is_late_by_report_is_noted_and_by_one_meeting_once(client, chair, meeting):
    action = make_action()
    late = make_due_date(action, "2022-11", dated="2022-10-01")
    sign_in(client, chair)
    said = {"words": "Report in May", "meeting": meeting.pk}

    def refused():
        return errors_of(fill_in(client, f"{NOTE}?due_date={late.pk}", **said))

    assert refused() == {"": ["A01 is not late by report."]}
    make_update(action, "at_risk", dated="2022-11-20")
    assert fill_in(client, f"{NOTE}?due_date={late.pk}", **said).status_code == 302
    said["words"] = "Report in June"
    assert refused() == {"": ["This meeting has said so already."]}
    make_due_date(action, "2099", dated="2022-12-01")
    said["meeting"] = ""
    assert refused() == {"": ["November 2022 is not the date of A01 any more."]}
    history = main_words(client.get("/actions/A01/"))
    assert "Note on a late action: late, due November 2022 → no new date set" in history
    owner = make_user("Officers")
    mine = make_due_date(make_action("A02", owner=chair), "2022-11", dated="2022-10-01")
    make_update(mine.action, "at_risk", dated="2022-11-20", by=owner)
    assert client.get(f"{NOTE}?due_date={mine.pk}").status_code == 403


def test_as_it_was_known_then_an_outcome_recorded_later_is_not_there(client, chair, meeting):
    ask = meeting.asks.get()
    said = {"dated": "2022-10-01", "recorded_at": noon("2022-10-01")}
    late = make_due_date(make_action(recorded_at=noon("2022-10-01")), "2022-11", **said)
    outcome = make_outcome(ask, by=chair, words="Yes", recorded_at=noon("2022-12-20"))
    make_late_note(late, meeting, by=chair, recorded_at=noon("2022-12-20"))
    today = datetime.date(2022, 12, 31)
    then, now = AsAt.then(datetime.date(2022, 12, 5), today=today), on(today)
    assert (outcomes_of([ask], then), outcomes_of([ask], now)) == ({}, {ask.pk: outcome})
    made = [len(agenda(meeting, board_position(at), at).decided) for at in (then, now)]
    assert made == [0, 2]
    sign_in(client, make_user("Board members"))
    page = meeting.get_absolute_url()
    assert "Yes" not in main_words(client.get(f"{page}?as_at=2022-12-05&known=then"))
    assert "To decide: Agree the plan Agreed : Yes" in main_words(client.get(page))


def test_the_words_of_an_outcome_and_of_a_note_can_be_removed_by_law():
    named = [[column.name for column in words_of(kind)] for kind in (AskOutcome, LateNote)]
    assert [("words" in columns, "signed" in columns) for columns in named] == [(True, True)] * 2


def test_what_the_board_said_of_a_late_action_stands_where_its_owner_looks(client, chair, meeting):
    officer = make_user("Officers")
    action = make_action(owner=officer)
    late = make_due_date(action, "2022-11", dated="2022-10-01")
    make_update(action, "at_risk", by=officer)
    make_late_note(late, words="Said in error", dated=HELD, meeting=meeting, by=chair)
    wrong = LateNote.objects.get()
    make_late_note(
        late,
        words="Report in May",
        dated=HELD,
        meeting=meeting,
        by=chair,
        corrects=wrong,
        correction_reason="Slip",
    )
    sign_in(client, officer)
    note = "The board set no new date 1 December 2022: Report in May"
    said = [main_words(client.get(path)) for path in ("/mine/", "/admin/")]
    assert [(text.count(note), text.count("Said in error")) for text in said] == [(1, 0)] * 2

    make_due_date(action, "2098-06", dated=HELD, meeting=meeting, by=chair, reason="The supplier is late")
    date_set = "The board set this date 1 December 2022: The supplier is late"
    said = [main_words(client.get(path)) for path in ("/mine/", "/admin/")]
    assert [(text.count(note), text.count(date_set)) for text in said] == [(0, 1)] * 2
