"""What changed between two meetings, and counts that reconcile whatever the history."""

import datetime

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from meetings.changes import changes_between, changes_since
from meetings.publishing import publish, what_is_read
from meetings.tests.between import TODAY, at, changes_at, tell
from recommendations.filters import ActionFilter
from recommendations.position import board_position
from recommendations.status import Status
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_decision,
    make_due_date,
    make_recommendation,
    make_send_back,
    make_update,
)
from recommendations.tests.histories import AS_FOUND, DAYS, day, histories, make_board, store
from record.dates import end_of
from record.held import meetings_held
from record.tests.factories import add, make_document, make_meeting, make_user, noon, on, saved
from record.tests.pages import main_words

pytestmark = [pytest.mark.django_db, pytest.mark.again]


def refs(changes):
    return [change.action.ref for change in changes]


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    print_blob=True,
)
@given(rows=histories(3, most=20), days=st.tuples(st.integers(0, DAYS), st.integers(0, DAYS)))
def test_open_actions_before_and_after_reconcile_for_any_history(rows, days):
    with transaction.atomic():
        store(rows, *make_board(3))
        first, second = (day(number) for number in sorted(days))
        before = board_position(on(first, end_of(first)))
        now = board_position(on(second, end_of(second)))
        balance = changes_between(before, now, since=on(first, end_of(first))).balance
        assert balance.reconciles
        assert (balance.before, balance.now) == (len(before.open), len(now.open))
        transaction.set_rollback(True)


@settings(AS_FOUND, max_examples=15)
@given(
    rows=histories(3, most=20),
    days=st.sets(st.integers(0, DAYS - 1), max_size=3),
    asked=st.integers(0, DAYS),
    is_then=st.booleans(),
)
def test_the_filter_finds_what_the_comparison_says_was_not_reported_for_any_history(
    rows, days, asked, is_then
):
    with transaction.atomic():
        store(rows, *make_board(3))
        for number in days:
            make_meeting(day(number))
        moment = on(day(asked), end_of(day(asked)) if is_then else None)
        now = board_position(moment)
        changes = changes_since(now, meetings_held(moment))
        missing = changes.not_reported if changes else [a for a in now.open if a.is_never_reported]
        found = ActionFilter({"round": "yes"}, at=moment, actions=now.actions)
        assert found.is_valid(), found.errors
        assert sorted(found.qs.values_list("ref", flat=True)) == sorted(a.ref for a in missing)
        transaction.set_rollback(True)


def test_an_update_recorded_late_is_a_change_of_the_meeting_that_could_first_see_it(two_meetings, officer):
    action = make_action(recorded_at=at(2022, 10, 1))
    make_update(action, "on_track", dated="2022-10-02", by=officer, recorded_at=at(2022, 10, 2))
    make_update(action, "off_track", dated="2022-10-03", by=officer, recorded_at=at(2022, 10, 20))
    changes = changes_at(two_meetings[1])
    assert [(c.action.ref, c.was.status, c.action.status) for c in changes.worsened] == [
        ("A01", "on_track", "off_track")
    ]


def test_each_kind_of_change_is_listed_once_where_it_belongs(two_meetings, officer):
    recommendation = make_recommendation(1)
    stories = {
        "A01": [("on_track", "2022-10-02"), ("at_risk", "2022-10-20")],
        "A02": [("at_risk", "2022-10-02"), ("on_track", "2022-10-20")],
        "A03": [("done", "2022-10-02"), ("complete", "2022-10-20")],
        "A04": [("complete", "2022-10-02"), ("off_track", "2022-10-20")],
        "A05": [("on_track", "2022-10-02"), ("closed", "2022-10-20")],
        "A06": [("on_track", "2022-10-02")],
    }
    actions = {ref: make_action(ref, recommendation, recorded_at=at(2022, 10, 1)) for ref in stories}
    tell(
        [(dated, actions[ref], status) for ref, story in stories.items() for status, dated in story[:1]],
        officer,
    )
    make_due_date(actions["A06"], "2022-10", dated="2022-10-02", by=officer, recorded_at=at(2022, 10, 2))
    make_action("A07", recommendation, agreed_on="2022-10-05", recorded_at=at(2022, 10, 7))
    tell(
        [(dated, actions[ref], status) for ref, story in stories.items() for status, dated in story[1:]],
        officer,
    )
    changes = changes_at(two_meetings[1])
    found = {
        name: refs(getattr(changes, name))
        for name in (
            "added", "newly_overdue", "worsened", "improved", "completed", "embedded", "closed", "reopened",
            "moved", "repeated",
        )
    }  # fmt: skip
    assert found == {
        "added": ["A07"],
        "newly_overdue": ["A06"],
        "worsened": ["A01"],
        "improved": ["A02"],
        "completed": ["A03"],
        "embedded": [],
        "closed": ["A05"],
        "reopened": ["A04"],
        "moved": [],
        # What accepts or closes repeats nothing, whatever its words.
        "repeated": ["A01", "A02", "A04"],
    }
    balance = changes.balance
    assert (balance.before, balance.added, balance.reopened) == (5, 1, 1)
    assert (balance.completed, balance.embedded, balance.closed, balance.now) == (1, 0, 1, 5)


def test_a_moved_date_is_listed_with_both_dates_and_a_replaced_one_only_as_a_correction(
    two_meetings, officer
):
    moved, corrected = (make_action(ref, recorded_at=at(2022, 10, 1)) for ref in ("A01", "A02"))
    make_due_date(moved, "2023-03", dated="2022-10-02", by=officer, recorded_at=at(2022, 10, 2))
    wrong = make_due_date(corrected, "2023-03", dated="2022-10-02", by=officer, recorded_at=at(2022, 10, 2))
    proposal = make_due_date(
        moved, "2023-06", dated="2022-10-20", by=officer, needs_decision=True, recorded_at=at(2022, 10, 20)
    )
    add(wrong.withdrawal(by=officer, reason="A slip"), recorded_at=at(2022, 10, 20))
    make_due_date(corrected, "2023-04", dated="2022-10-02", by=officer, recorded_at=at(2022, 10, 20))
    make_decision(proposal, dated="2022-11-01", by=officer, recorded_at=at(2022, 11, 1))
    changes = changes_at(two_meetings[1])
    assert [(c.action.ref, str(c.was.due.due), str(c.action.due.due)) for c in changes.moved] == [
        ("A01", "March 2023", "June 2023")
    ]
    assert [(c.kind, c.about[:3], c.reason) for c in changes.corrections] == [("due date", "A02", "A slip")]
    assert board_position(on(TODAY)).by_ref["A02"].revisions == 0


def test_a_refused_date_and_a_new_assessment_are_among_the_changes(two_meetings, officer):
    recommendation = make_recommendation(1)
    action = make_action("A01", recommendation, recorded_at=at(2022, 10, 1))
    make_assessment(recommendation, "at_risk", dated="2022-10-02", by=officer, recorded_at=at(2022, 10, 2))
    proposal = make_due_date(
        action, "2023-06", dated="2022-10-20", by=officer, needs_decision=True, recorded_at=at(2022, 10, 20)
    )
    make_decision(proposal, "refused", dated="2022-11-01", by=officer, recorded_at=at(2022, 11, 1))
    make_assessment(recommendation, "off_track", dated="2022-11-02", by=officer, recorded_at=at(2022, 11, 2))
    changes = changes_at(two_meetings[1])
    assert [(refusal.action.ref, str(refusal.line.due)) for refusal in changes.refused] == [
        ("A01", "June 2023")
    ]
    assert [(new.recommendation.number, new.was.status, new.line.status) for new in changes.assessed] == [
        (1, "at_risk", "off_track")
    ]


def test_every_assessment_recorded_since_is_told_though_it_is_not_the_newest(two_meetings, officer):
    recommendation = make_recommendation(1)
    said = [
        ("at_risk", "2022-10-02", 10, 2),
        # For an earlier day than the one that was known, then two for later ones.
        ("on_track", "2022-09-10", 10, 20),
        ("off_track", "2022-10-21", 10, 21),
        ("complete", "2022-10-25", 10, 25),
    ]
    for status, dated, month, recorded in said:
        make_assessment(recommendation, status, dated, officer, recorded_at=at(2022, month, recorded))
    changes = changes_at(two_meetings[1])
    assert [
        (str(new.line.signature.dated), new.was and new.was.status, new.line.status, new.is_newest)
        for new in changes.assessed
    ] == [
        ("10 September 2022", None, "on_track", False),
        ("21 October 2022", "at_risk", "off_track", False),
        ("25 October 2022", "off_track", "complete", True),
    ]
    assert changes.what_moved[11] == (changes.assessed, "newly assessed")


def test_what_is_known_from_the_day_after_a_meeting_is_new_since_it_and_was_not_before_it(db):
    """A document is known from the first moment of its day, at which the day of the meeting is over."""
    meetings = [make_meeting(day) for day in ("2022-10-05", "2022-11-08", "2022-12-06")]
    letter = make_document("letter", published="2022-11-09")
    make_assessment(make_recommendation(1), "on_track", "2022-11-01", document=letter)

    told = [changes_at(meeting, datetime.date(2022, 12, 10)).assessed for meeting in meetings[1:]]

    assert [[new.line.status for new in assessed] for assessed in told] == [[], ["on_track"]]


def test_an_assessment_put_right_since_is_told_once_as_it_stands(two_meetings, officer):
    recommendation = make_recommendation(1)
    said = {"by": officer, "recorded_at": at(2022, 10, 20)}
    wrong, slip = (
        make_assessment(recommendation, "at_risk", day, **said) for day in ("2022-10-19", "2022-10-20")
    )
    make_assessment(
        recommendation, "off_track", "2022-10-19", officer, corrects=wrong, correction_reason="A slip",
        recorded_at=at(2022, 10, 21),
    )  # fmt: skip
    add(slip.withdrawal(by=officer, reason="Another body's"), recorded_at=at(2022, 10, 22))
    assert [new.line.status for new in changes_at(two_meetings[1]).assessed] == ["off_track"]


@pytest.mark.parametrize(
    ("later", "words"),
    [
        ("nothing", ""),
        ("report", "Reported since: at risk, 25 October 2022."),
        ("claim", "Reported since: done, evidence awaited, 25 October 2022."),
        ("acceptance", "Decided since: complete, evidenced, 25 October 2022."),
        ("closing", "Decided since: closed, not done, 25 October 2022."),
        ("words put right", ""),
        ("report put right", "Its report was put right since."),
        ("report withdrawn", "Its report was put right since."),
    ],
)
def test_what_was_sent_back_since_is_told_though_it_is_awaited_no_more(two_meetings, officer, later, words):
    action, day = make_action(recorded_at=at(2022, 10, 1)), {"by": officer, "recorded_at": at(2022, 10, 25)}
    make_update(action, "on_track", "2022-10-02", officer, recorded_at=at(2022, 10, 2))
    report = make_update(action, "done", "2022-10-20", officer, recorded_at=at(2022, 10, 20))
    make_send_back(report, "2022-10-21", officer, recorded_at=at(2022, 10, 21))
    put_right = {"corrects": report, "correction_reason": "A slip", **day}
    match later:
        case "report":
            make_update(action, "at_risk", "2022-10-25", **day)
        case "claim":
            make_update(action, "done", "2022-10-25", **day)
        case "acceptance":
            make_update(action, "complete", "2022-10-25", **day)
        case "closing":
            make_update(action, "closed", "2022-10-25", **day)
        case "words put right":
            make_update(action, "done", "2022-10-20", narrative="As meant", **put_right)
        case "report put right":
            make_update(action, "on_track", "2022-10-20", **put_right)
        case "report withdrawn":
            add(report.withdrawal(by=officer, reason="A slip"), recorded_at=at(2022, 10, 25))

    changes = changes_at(two_meetings[1])

    assert [(sent.action.ref, sent.line.wanted, sent.since) for sent in changes.sent_back] == [
        ("A01", "The minutes", words)
    ]
    assert "1 sent back for evidence" in changes.summary


@pytest.mark.parametrize("is_withdrawn", [True, False])
def test_nothing_is_sent_back_anew_by_what_puts_right_an_earlier_time(two_meetings, officer, is_withdrawn):
    """Its words are corrected, or the report that had answered it is withdrawn: corrections tell of it."""
    action = make_action(recorded_at=at(2022, 9, 1))
    report = make_update(action, "done", "2022-09-02", officer, recorded_at=at(2022, 9, 2))
    sent = make_send_back(report, "2022-09-03", officer, recorded_at=at(2022, 9, 3))
    if is_withdrawn:
        answer = make_update(action, "done", "2022-09-04", officer, recorded_at=at(2022, 9, 4))
        add(answer.withdrawal(by=officer, reason="A slip"), recorded_at=at(2022, 10, 20))
    else:
        make_send_back(
            report, "2022-09-03", officer, wanted="The audit", corrects=sent, correction_reason="A slip",
            recorded_at=at(2022, 10, 20),
        )  # fmt: skip
    changes = changes_at(two_meetings[1])
    assert (changes.now.by_ref["A01"].sent_back is None, changes.sent_back) == (False, ())
    assert len(changes.corrections) == 1


@pytest.mark.parametrize("is_withdrawn", [True, False])
def test_no_assessment_is_new_by_the_withdrawal_or_correction_of_another(two_meetings, officer, is_withdrawn):
    recommendation, other = make_recommendation(1), make_recommendation(2)
    make_assessment(recommendation, "on_track", dated="2022-09-02", by=officer, recorded_at=at(2022, 9, 2))
    wrong = [
        make_assessment(each, "off_track", dated="2022-10-01", by=officer, recorded_at=at(2022, 10, 1))
        for each in (recommendation, other)
    ]
    for each in wrong:
        if is_withdrawn:
            add(each.withdrawal(by=officer, reason="A slip"), recorded_at=at(2022, 10, 20))
        else:
            make_assessment(
                each.recommendation, "off_track", dated="2022-10-01", narrative="As meant", by=officer,
                corrects=each, correction_reason="A slip", recorded_at=at(2022, 10, 20),
            )  # fmt: skip
    make_assessment(other, "at_risk", dated="2022-10-21", by=officer, recorded_at=at(2022, 10, 21))
    changes = changes_at(two_meetings[1])
    # What an entry that was put right said is not told as what was said before.
    assert [(new.recommendation.number, new.was, new.line.status) for new in changes.assessed] == [
        (2, None, "at_risk")
    ]
    assert len(changes.corrections) == 2


def test_a_corrected_decision_is_listed_with_what_it_said_before(two_meetings, officer):
    action = make_action("A01", recorded_at=at(2022, 10, 1))
    proposal = make_due_date(
        action, "2023-06", dated="2022-10-20", by=officer, needs_decision=True, recorded_at=at(2022, 10, 20)
    )
    wrong = make_decision(proposal, "refused", dated="2022-11-01", by=officer, recorded_at=at(2022, 11, 1))
    make_decision(
        proposal, "agreed", dated="2022-11-01", by=officer, recorded_at=at(2022, 11, 2),
        corrects=wrong, correction_reason="The minutes say agreed",
    )  # fmt: skip
    (found,) = changes_at(two_meetings[1]).corrections
    assert (found.kind, found.about, found.was, found.now, found.reason) == (
        "decision",
        "A01: Title of A01",
        "outcome: Refused",
        "outcome: Agreed",
        "The minutes say agreed",
    )


def test_a_first_report_is_neither_better_nor_worse(two_meetings, officer):
    recommendation = make_recommendation(1)
    first, worse, quiet, late = (
        make_action(ref, recommendation, recorded_at=at(2022, 10, 1)) for ref in ("A01", "A02", "A03", "A04")
    )
    make_due_date(late, "2022-09", dated="2022-10-01", by=officer, recorded_at=at(2022, 10, 1))
    tell(
        [
            ("2022-10-02", worse, "on_track"),
            ("2022-10-20", first, "off_track"),
            ("2022-10-21", worse, "at_risk"),
            ("2022-10-22", late, "on_track"),
        ],
        officer,
    )
    make_action("A05", recommendation, agreed_on="2022-10-07", recorded_at=at(2022, 10, 22))
    changes = changes_at(two_meetings[1])
    assert (refs(changes.first_reports), refs(changes.worsened), refs(changes.improved)) == (
        ["A01", "A04"],
        ["A02"],
        [],
    )
    # Its date had passed before anybody reported, so it is overdue, but did not fall overdue since.
    assert (changes.now.by_ref["A04"].is_overdue, refs(changes.newly_overdue)) == (True, [])
    assert [(each.action.ref, each.words) for each in changes.received] == [
        ("A01", "First report: Off track"),
        ("A02", "On track → At risk"),
        ("A04", "First report: On track"),
    ]
    assert changes.direction(1) == "Worse. First report: A01, A04. Added: A05"
    assert [action.ref for action in changes.not_reported] == [quiet.ref, "A05"]
    assert changes.balance.reconciles


def test_of_a_recommendation_nobody_reported_on_at_both_ends_no_direction_is_told(two_meetings, officer):
    silent, heard, none = (make_recommendation(number) for number in (1, 2, 3))
    make_action("A01", silent, recorded_at=at(2022, 10, 1))
    make_update(
        make_action("A02", heard, recorded_at=at(2022, 10, 1)),
        dated="2022-10-20",
        by=officer,
        recorded_at=at(2022, 10, 20),
    )
    changes = changes_at(two_meetings[1])
    assert [changes.direction(r.number) for r in (silent, heard, none)] == [
        "Cannot be compared",
        "Cannot be compared. First report: A02",
        "Cannot be compared",
    ]


def test_a_corrected_or_withdrawn_report_is_neither_better_nor_worse(two_meetings, officer):
    recommendation = make_recommendation(1)
    corrected, withdrawn, same = (
        make_action(ref, recommendation, recorded_at=at(2022, 10, 1)) for ref in ("A01", "A02", "A03")
    )
    wrong = [
        make_update(action, "off_track", dated="2022-10-02", by=officer, recorded_at=at(2022, 10, 2))
        for action in (corrected, withdrawn)
    ]
    make_update(same, dated="2022-10-02", by=officer, recorded_at=at(2022, 10, 2))
    make_update(
        corrected, "on_track", dated="2022-10-02", by=officer, recorded_at=at(2022, 10, 20),
        corrects=wrong[0], correction_reason="The wrong box",
    )  # fmt: skip
    add(wrong[1].withdrawal(by=officer, reason="The wrong action"), recorded_at=at(2022, 10, 20))
    changes = changes_at(two_meetings[1])
    assert (changes.improved, changes.worsened, changes.first_reports, changes.received) == ((), (), (), ())
    assert changes.direction(1) == "Same. Corrected: A01, A02"
    assert [action.ref for action in changes.not_reported] == ["A01", "A02", "A03"]


def test_what_is_accepted_anew_with_a_later_re_check_is_among_the_changes(two_meetings, officer):
    action = make_action("A01", recorded_at=at(2022, 6, 1))
    make_update(action, "done", dated="2022-06-01", by=officer, recorded_at=at(2022, 6, 1))
    for month, recheck_on in ((7, datetime.date(2022, 10, 10)), (10, datetime.date(2023, 5, 20))):
        make_update(
            action, "complete", dated=f"2022-{month:02}-20", recheck_on=recheck_on, by=officer,
            recorded_at=at(2022, month, 20),
        )  # fmt: skip
    changes = changes_at(two_meetings[1])
    assert (refs(changes.accepted_again), refs(changes.completed), changes.is_empty) == (["A01"], [], False)
    assert changes.summary.startswith("1 accepted again.")


# What every page says of the last meeting, once a paper is out -----------------------------------------


@pytest.fixture
def reader(client, db):
    client.force_login(make_user("Board members"))
    return client


def said_since(response):
    """The sentences that a page says of what changed: since the last meeting, and since the paper."""
    context = response.context
    return [context[name] and context[name].summary for name in ("changes", "since_paper") if name in context]


def test_once_a_paper_is_out_the_board_the_meeting_and_the_link_between_them_say_the_same(reader, officer):
    today = timezone.localdate()
    past, coming = (today + datetime.timedelta(days=days) for days in (-30, 5))
    make_meeting(past)
    meeting, action = make_meeting(coming), make_action("A01")
    make_update(action, dated=str(today), by=officer)
    clerk = make_user("Secretariat")
    before = [said_since(reader.get(page)) for page in ("/", f"/meetings/{coming}/")]
    publish(meeting.pk, by=clerk, read=what_is_read(meeting))
    make_update(action, Status.OFF_TRACK, dated=str(today), by=officer)

    home, page = reader.get("/"), reader.get(f"/meetings/{coming}/")
    assert before[1] == [before[0][0], None]
    assert said_since(page)[0] == said_since(home)[0]
    assert said_since(page)[1] == "1 worse. 1 of 1 open action reported on since."
    assert f'href="/meetings/{coming}/#changes">Since {past:%-d %B %Y}</a>' in home.content.decode()
    assert "What changed since the paper" in page.content.decode()


@pytest.mark.parametrize(
    ("asked", "shown", "since_paper"),
    [
        ("2022-12-19", "2022-12-19", "no status or date moved. None of 1 open action reported on since."),
        ("2022-12-20", "2022-12-20", "1 worse. 1 of 1 open action reported on since."),
        # Once it has been held the page shows what the meeting had before it, and what came until its end.
        ("2022-12-21", "2022-12-15", "1 worse. 1 of 1 open action reported on since."),
    ],
)
def test_a_meeting_with_a_paper_says_what_changed_since_the_day_before_it_that_day_and_the_next(
    reader, officer, monkeypatch, asked, shown, since_paper
):
    meeting, action = make_meeting("2022-12-20"), make_action("A01", recorded_at=at(2022, 10, 1))
    make_update(action, dated="2022-11-01", by=officer, recorded_at=at(2022, 11, 1))
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: at(2022, 12, 15))
        publish(meeting.pk, by=make_user("Secretariat"), read=what_is_read(meeting))
    make_update(action, Status.AT_RISK, dated="2022-12-20", by=officer, recorded_at=at(2022, 12, 20))
    make_update(action, Status.OFF_TRACK, dated="2022-12-21", by=officer, recorded_at=at(2022, 12, 21))

    response = reader.get(f"/meetings/2022-12-20/?as_at={asked}")
    assert str(response.context["had"].day) == shown
    assert said_since(response) == [None, since_paper]


def test_the_meeting_and_its_paper_tell_what_was_answered_since_and_an_assessment_of_an_earlier_day(
    reader, officer
):
    make_meeting("2022-11-09"), make_meeting("2022-12-20")
    chair = make_user("Chair", first_name="Cara", last_name="Chair")
    action = make_action("A01", recorded_at=at(2022, 10, 1))
    recommendation = action.recommendations.get()
    make_assessment(recommendation, "at_risk", "2022-11-01", chair, recorded_at=at(2022, 11, 1))
    report = make_update(action, "done", "2022-11-10", officer, recorded_at=at(2022, 11, 10))
    make_send_back(report, "2022-11-11", chair, recorded_at=at(2022, 11, 11))
    make_update(action, "at_risk", "2022-11-15", officer, recorded_at=at(2022, 11, 15))
    make_assessment(recommendation, "on_track", "2022-10-20", chair, recorded_at=at(2022, 11, 16))

    page = main_words(reader.get("/meetings/2022-12-20/?as_at=2022-11-20"))
    paper = main_words(reader.get("/meetings/2022-12-20/paper/?as_at=2022-11-20"))

    assert "Sent back for evidence (1) A01: Title of A01 Wanted by 1 December 2022: The minutes" in page
    assert "Reported since: at risk, 15 November 2022." in page
    assert "New assessments (1) Recommendation 1: Title 1 The adviser: On track What was seen" in page
    assert "Cara Chair (Chair) , 20 October 2022, recorded 3 weeks later" in page
    assert "It is not the newest that stands." in page
    assert "no new assessment" not in page
    assert "nothing sent back" not in page
    assert (
        "Sent back for evidence, no longer waiting: 1 A01 : The minutes. Wanted by 1 December 2022. "
        "Sent back by the Chair , 11 November 2022. Reported since: at risk, 15 November 2022."
    ) in paper
    assert (
        "New assessments: 1 Recommendation 1: the adviser says on track (20 October 2022, recorded by "
        "the Chair ). It is not the newest that stands."
    ) in paper


def test_what_the_last_meeting_sent_back_is_told_on_the_paper_once(reader, officer):
    last = make_meeting("2022-11-09")
    make_meeting("2022-12-20")
    chair, action = make_user("Chair"), make_action("A01", recorded_at=at(2022, 10, 1))
    report = make_update(action, "done", "2022-11-01", officer, recorded_at=at(2022, 11, 1))
    make_send_back(report, "2022-11-09", chair, meeting=last, recorded_at=at(2022, 11, 10))
    make_update(action, "at_risk", "2022-11-15", officer, recorded_at=at(2022, 11, 15))

    paper = main_words(reader.get("/meetings/2022-12-20/paper/?as_at=2022-11-20"))

    assert paper.count("Sent back for evidence") == 1
    assert paper.count("Reported since: at risk, 15 November 2022.") == 1


def test_what_is_sent_back_and_awaited_is_told_on_the_paper_once_among_the_decisions(reader, officer):
    make_meeting("2022-11-09"), make_meeting("2022-12-20")
    report = make_update(make_action("A01"), "done", "2022-11-10", officer, recorded_at=at(2022, 11, 10))
    make_send_back(report, "2022-11-11", make_user("Chair"), recorded_at=at(2022, 11, 11))

    paper = main_words(reader.get("/meetings/2022-12-20/paper/?as_at=2022-11-20"))

    assert "Sent back, and waiting for the owner’s evidence: 1 A01" in paper
    assert (paper.count("The minutes"), paper.count("no longer waiting")) == (1, 0)


def test_a_meeting_without_a_paper_says_nothing_of_one(reader):
    make_meeting("2022-12-20")
    assert "since the paper" not in reader.get("/meetings/2022-12-20/?as_at=2022-12-19").content.decode()


def test_nothing_is_told_as_changed_since_a_paper_that_is_later_than_its_meeting(
    reader, officer, monkeypatch
):
    """Its day was put right to one before the report that the paper already tells of."""
    meeting, action = make_meeting("2022-11-09"), make_action("A01", recorded_at=at(2022, 10, 1))
    for dated, status in (("2022-10-02", "on_track"), ("2022-11-07", "off_track")):
        make_update(action, status, dated=dated, by=officer, recorded_at=noon(dated))
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: at(2022, 11, 7, 13))
        publish(meeting.pk, by=make_user("Secretariat"), read=what_is_read(meeting))
    with saved(at=noon("2022-11-20"), reason="It was held earlier"):
        meeting.held_on = datetime.date(2022, 11, 6)
        meeting.save()

    response = reader.get("/meetings/2022-11-06/?as_at=2022-11-25")

    assert response.context["since_paper"] is None
    assert "Since the paper: nothing to show." in main_words(response)


def test_what_was_sent_back_since_the_last_meeting_is_told_once_and_not_at_the_next(db):
    first, second, third = (make_meeting(f"2022-{day}") for day in ("10-05", "11-09", "12-14"))
    officer, action = make_user("Officers"), make_action("A01", recorded_at=at(2022, 9, 1))
    done = make_update(
        action, "done", dated="2022-09-20", by=officer, evidence="A plan", recorded_at=at(2022, 9, 20)
    )
    make_send_back(done, dated="2022-10-20", by=make_user("Chair"), recorded_at=at(2022, 10, 20))

    told = [changes_at(meeting, on_day) for meeting, on_day in ((second, TODAY), (third, third.held_on))]
    assert [[pair.action.ref for pair in changes.sent_back] for changes in told] == [["A01"], []]
    assert first in meetings_held(on(TODAY))
