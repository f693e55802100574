"""A demonstration is invented, complete, the same each time, and never mixed with the record."""

import datetime
import io
import itertools
import re

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import F
from django.test import override_settings
from django.utils import timezone

from bcp_board.tests.record import load_record
from bcp_board.tests.scratch import Scratch
from demonstration.management.commands.demo import FIRST_MOMENT, FOLDER, tell
from demonstration.script import read_script
from demonstration.story import meeting_days
from meetings.changes import changes_since
from meetings.models import AskOutcome, Paper
from recommendations.due_dates import Decision, DueDate, Outcome
from recommendations.history import history
from recommendations.models import Action, Assessment, ProgressUpdate, Recommendation, Whose
from recommendations.position import board_position
from recommendations.sent_back import SendBack
from recommendations.status import ACCEPTED, Status
from record import ledger
from record.held import had_before_it, meetings_held
from record.models import Demonstration, Document, LedgerEntry, Meeting
from record.signing import role_in
from record.tests.factories import make_meeting, make_user, on
from record.verification import first_fault
from visits.models import Finding

pytestmark = [pytest.mark.once, pytest.mark.sweep]

FIRST_DAY, AS_AT = datetime.date(2022, 9, 1), datetime.date(2025, 6, 30)
STATEMENTS = (ProgressUpdate, DueDate, Decision, Assessment)


@pytest.fixture(autouse=True)
def debug(settings):
    settings.DEBUG = True


@pytest.fixture(scope="module")
def demonstration(templates, tmp_path_factory, django_db_blocker):
    """A database with one demonstration, for the tests that only look at it."""
    folder = tmp_path_factory.mktemp("demonstration")
    with django_db_blocker.unblock(), override_settings(DEBUG=True):
        with (scratch := Scratch(folder, template=templates["migrated"])):
            scratch.line = make_demo(updates=24)
        yield scratch
        scratch.drop()


@pytest.fixture
def made(demonstration, django_db_blocker):
    with django_db_blocker.unblock(), demonstration:
        yield


def make_demo(*, actions=2, updates=12, as_at=AS_AT):
    """Run the command; return the last line that it writes."""
    output = io.StringIO()
    call_command("demo", actions=actions, updates=updates, as_at=as_at.isoformat(), stdout=output)
    return output.getvalue().splitlines()[-1]


def tell_story(*, actions=2, updates=12, as_at=AS_AT):
    """What the command makes but its papers, on a copy of the record instead of one that is loaded."""
    load_record(at=FIRST_MOMENT)
    tell(read_script(FOLDER), actions=actions, updates=updates, as_at=as_at, publishes=False)


def recommended():
    return Action.objects.filter(recommendations__isnull=False).distinct()


def invented(model):
    return model.objects.filter(recorded_by__isnull=False)


# What is asked for is what is made ----------------------------------------------------------------------


def test_it_says_in_one_line_what_it_made(demonstration, made):
    words = re.fullmatch(
        r"Made a demonstration as at 30 June 2025: 5 actions added, 5 owners, 624 updates, (\d+) due dates, "
        r"(\d+) assessments, (\d+) decisions, (\d+) reports sent back, "
        r"(\d+) outcomes of what was asked, 35 meetings, 4 papers\.",
        demonstration.line,
    )
    counts = [invented(model).count() for model in (DueDate, Assessment, Decision, SendBack, AskOutcome)]
    assert [int(number) for number in words.groups()] == counts


def test_actions_are_topped_up_to_the_number_for_each_recommendation(db):
    with transaction.atomic():
        load_record()
        before = {r.number: r.actions.count() for r in Recommendation.objects.all()}
        transaction.set_rollback(True)
    for wanted in (1, 5):
        with transaction.atomic():
            tell_story(actions=wanted, updates=1)
            after = {r.number: r.actions.count() for r in Recommendation.objects.all()}
            assert after == {number: max(count, wanted) for number, count in before.items()}
            new = Action.objects.filter(document=None)
            refs = sorted(int(ref[1:]) for ref in new.values_list("ref", flat=True))
            assert refs == list(range(28, 28 + len(refs)))
            assert new.values("title").distinct().count() == len(refs)
            transaction.set_rollback(True)


def test_new_actions_are_agreed_over_time_and_valid(db):
    tell_story(actions=4, updates=1)
    new = Action.objects.filter(document=None)
    for action in new:
        action.full_clean()
    assert new.values("agreed_on").distinct().count() > 9


@pytest.mark.parametrize("count", [1, 2, 9, 10, 24, 75])
def test_each_action_has_its_updates_every_tenth_recorded_one_to_six_weeks_late(db, count):
    tell_story(updates=count)
    actions, updates = recommended(), invented(ProgressUpdate)
    assert updates.count() == len(actions) * count
    for action in actions:
        rows = updates.filter(action=action)
        assert len(rows) == count
        assert all(FIRST_DAY <= row.dated_first <= AS_AT for row in rows)
        assert all(timezone.localdate(row.recorded_at) <= AS_AT for row in rows)
        late = [days for row in rows if (days := row.signature.days_late)]
        assert len(late) == count // 10
        assert set(late) <= {7, 14, 21, 28, 35, 42}


def test_nothing_is_recorded_after_the_day_asked_about(made):
    for model in STATEMENTS:
        recorded = invented(model).values_list("recorded_at", flat=True)
        assert max(timezone.localdate(at) for at in recorded) <= AS_AT
    assert Demonstration.objects.get().as_at == AS_AT


def test_statements_are_added_in_the_order_in_which_they_were_recorded(made):
    for model in STATEMENTS:
        recorded = list(invented(model).order_by("pk").values_list("recorded_at", flat=True))
        assert recorded == sorted(recorded)


def test_meetings_are_monthly_to_the_next_one_and_say_that_they_are_invented(made):
    held = list(Meeting.objects.values_list("held_on", flat=True))
    assert held == meeting_days(AS_AT)
    assert (held[0], held[-2], held[-1]) == (
        datetime.date(2022, 9, 20),
        datetime.date(2025, 6, 17),
        datetime.date(2025, 7, 15),
    )
    for meeting in Meeting.objects.all():
        assert meeting.papers_due_on < meeting.held_on
        asks = [(ask.kind, ask.text) for ask in meeting.asks.all()]
        for line in [meeting.covering_note, *(text for _, text in asks)]:
            assert line.startswith("Demonstration: ")
        assert [kind for kind, _ in asks] == ["decide", "challenge", "note"]


def test_its_last_three_papers_are_published_one_in_two_versions_and_say_that_they_are_invented(made):
    papers = list(Paper.objects.order_by("published_at"))
    assert [(str(p.meeting.held_on), p.version, str(p.as_at)) for p in papers] == [
        ("2025-04-15", 1, "2025-04-08"),
        ("2025-05-20", 1, "2025-05-13"),
        ("2025-05-20", 2, "2025-05-15"),
        ("2025-06-17", 1, "2025-06-10"),
    ]
    for paper in papers:
        assert paper.is_intact() and b"DEMONSTRATION" in bytes(paper.body)
    assert [paper.reason.partition(":")[0] for paper in papers] == ["", "", "Demonstration", ""]


def test_something_moved_between_its_last_three_meetings(made):
    at = on(AS_AT)
    for meeting in Meeting.objects.filter(held_on__lte=AS_AT).order_by("-held_on")[:2]:
        now = board_position(had_before_it(meeting, at))
        changes = changes_since(now, meetings_held(now.at, before=meeting))
        assert not changes.is_empty and changes.received


@pytest.mark.parametrize("updates", [1, 60])
def test_the_shortest_demonstration_works_too(db, updates):
    tell_story(updates=updates, as_at=datetime.date(2022, 10, 1))
    assert first_fault() is None
    assert board_position(on(datetime.date(2022, 10, 1))).count(Status.ON_TRACK) > 0


# It is invented, and marked for good --------------------------------------------------------------------


def test_the_record_itself_is_untouched(db, demonstration):
    def said(rows):
        """What they say, without their keys and the time of loading."""
        return [
            {name: value for name, value in row.items() if not re.search("(^|_)id$|^recorded_at$", name)}
            for row in rows.order_by("pk").values()
        ]

    def record():
        rows = [said(m.objects.all()) for m in (Document, Finding, Recommendation)]
        rows += [said(m.objects.exclude(document=None)) for m in (Action, DueDate, ProgressUpdate)]
        links = Action.recommendations.through.objects.filter(action__document__isnull=False)
        return [*rows, list(links.order_by("pk").values_list("action__ref", "recommendation__number"))]

    with transaction.atomic():
        load_record()
        loaded = record()
    with demonstration:
        assert record() == loaded


def test_actions_that_answer_only_findings_are_left_alone(db):
    tell_story()
    alone = Action.objects.filter(recommendations=None)
    assert sorted(alone.values_list("ref", flat=True)) == ["A22", "A23", "A24", "A25", "A26", "A27"]
    assert not ProgressUpdate.objects.filter(action__in=alone).exists()
    assert not DueDate.objects.filter(action__in=alone).exists()


def test_every_invented_text_says_so(made):
    texts = set(Action.objects.filter(document=None).values_list("title", flat=True))
    for model in STATEMENTS:
        names = {"narrative", "reason", "recovery_step", "difference_made", "evidence", "correction_reason"}
        for name in names & {field.name for field in model._meta.fields}:
            texts |= set(invented(model).values_list(name, flat=True))
    assert [text for text in texts if text and not text.startswith("Demonstration: ")] == []


def test_nobody_invented_can_sign_in_or_be_taken_for_somebody(made):
    people = get_user_model().objects.all()
    assert people.count() == 12
    for person in people:
        assert not person.has_usable_password()
        assert not person.groups.exists()
        assert person.username.startswith("demo-")
        assert person.get_full_name().startswith("Demo ")


def roles_in(rows):
    return {role_in(signed) for signed in rows.values_list("signed", flat=True)}


def test_owners_report_and_others_accept_and_decide(made):
    accepted = ProgressUpdate.objects.filter(status__in=ACCEPTED)
    assert roles_in(accepted) == {"Chair", "Secretariat"}
    reports = invented(ProgressUpdate).exclude(status__in=ACCEPTED)
    owned = reports.filter(action__ownerships__isnull=False)
    assert not owned.exclude(recorded_by=F("action__ownerships__owner")).exists()
    assert roles_in(owned) == {"Officer"}
    without = reports.filter(action__ownerships=None)
    assert roles_in(without) == {"Secretariat"}
    assert not without.filter(on_behalf_of=None).exists()
    assert roles_in(DueDate.objects.filter(needs_decision=True)) == {"Officer"}
    assert roles_in(Decision.objects.all()) == {"Chair", "Secretariat"}


def test_an_embedded_action_was_complete_until_its_recheck(made):
    embedded = ProgressUpdate.objects.filter(status=Status.EMBEDDED)
    assert embedded.exists()
    for row in embedded:
        complete = row.action.updates.filter(status=Status.COMPLETE).latest("dated_first", "pk")
        assert row.dated_first >= complete.recheck_on


# The same command makes the same rows -------------------------------------------------------------------


def story():
    """The rows of the demonstration, without their keys, and its entries."""
    rows = [
        list(
            ProgressUpdate.objects.order_by("pk").values_list("action__ref", "status", "dated", "narrative")
        ),
        list(DueDate.objects.order_by("pk").values_list("action__ref", "due", "dated", "reason")),
        list(Decision.objects.order_by("pk").values_list("due_date__action__ref", "outcome", "dated")),
        list(Assessment.objects.order_by("pk").values_list("recommendation__number", "status", "dated")),
        [list(invented(m).order_by("pk").values_list("recorded_at", flat=True)) for m in STATEMENTS],
    ]
    return rows, list(LedgerEntry.objects.order_by("sequence").values_list("kind", "recorded_at"))


def test_the_same_command_on_the_same_day_makes_the_same_rows(db, demonstration):
    make_demo(updates=24)
    again = story()
    with demonstration:
        assert again == story()


def final_state(**options):
    with transaction.atomic():
        tell_story(**options)
        position = board_position(on(AS_AT))
        state = [
            (
                a.ref,
                a.status,
                a.flags,
                a.ledger_words,
                [line.is_missed for line in a.ledger],
                len(a.proposals),
                len(a.refused),
                a.repeats_commentary,
                a.update and (a.update.signature.dated, a.update.narrative, a.update.recheck_on),
            )
            for a in position.actions
        ]
        counts = [m.objects.count() for m in (DueDate, Decision, Assessment, Meeting)]
        disagreements = [(v.about, v.differences) for v in position.differing]
        transaction.set_rollback(True)
    return state, counts, disagreements


def test_more_updates_tell_the_same_story(db):
    assert final_state(updates=24) == final_state(updates=120)


def test_one_update_leaves_actions_in_the_same_status(db):
    def statuses(**options):
        state, counts, disagreements = final_state(**options)
        return [row[:3] for row in state], counts, disagreements

    assert statuses(updates=1) == statuses(updates=24)


# There is something of everything to look at ------------------------------------------------------------


def test_it_holds_one_of_everything_a_board_has_to_deal_with(db):
    tell_story()
    position, last = board_position(on(AS_AT)), Meeting.objects.get(held_on="2025-06-17")
    found = {
        "overdue": position.overdue,
        "off track": position.off_track,
        "at risk": position.at_risk,
        "silent": position.stale,
        "silent for months": [
            a for a in position.stale if (AS_AT - a.update.signature.dated.first).days > 90
        ],
        "difference": position.differing,
        "agreement": [r for r in position.recommendations if not r.views.differ and r.assessments],
        "proposal undecided": position.decisions.proposals,
        "proposal refused": [a for a in position.actions if a.refused],
        "awaiting acceptance": position.decisions.to_accept,
        "sent back": position.decisions.sent_back,
        "re-check due": position.decisions.to_recheck,
        "embedded": [a for a in position.actions if a.status == Status.EMBEDDED],
        "closed": [a for a in position.actions if a.status == Status.CLOSED],
        "repeated commentary": [a for a in position.actions if a.repeats_commentary],
        "missed twice": [a for a in position.actions if sum(line.is_missed for line in a.ledger) > 1],
        "moved before the deadline": [
            a for a in position.actions if a.revisions and not a.ledger[0].is_missed
        ],
        "brought forward": [a for a in position.actions if a.slip and (a.slip.days or 0) < 0],
        "no date set": [a for a in position.actions if a.update and not a.ledger],
        "assessed by the board": Assessment.objects.filter(whose=Whose.BOARD),
        "agreed": Decision.objects.filter(outcome=Outcome.AGREED),
        "ask agreed, at the last meeting": AskOutcome.objects.filter(outcome="agreed", meeting=last),
        "ask put off": AskOutcome.objects.filter(outcome="deferred", ask__meeting=last),
        "ask left open": last.asks.filter(outcomes=None),
    }
    assert [name for name, rows in found.items() if not rows] == []


def test_dates_move_between_every_precision(made):
    pairs = {
        (was.due.precision, now.due.precision)
        for action in board_position(on(AS_AT)).actions
        for was, now in itertools.pairwise(action.ledger)
    }
    assert pairs == {
        ("month", "month"),
        ("day", "day"),
        ("year", "year"),
        ("year", "month"),
        ("month", "day"),
    }


def test_actions_are_reopened_one_by_its_owner_after_its_recheck_was_due(made):
    actions = list(recommended().values_list("pk", flat=True))
    turns = {entry.turn for pk in actions for entry in history(on(AS_AT), actions=[pk]).entries}
    assert turns == {"", "Reopened", "Reopened after its re-check was due"}


def test_updates_and_an_assessment_are_corrected_and_a_due_date_withdrawn_and_entered_anew(made):
    (withdrawal,) = DueDate.objects.filter(withdraws__isnull=False)
    (anew,) = DueDate.objects.in_force().filter(action=withdrawal.action, dated=withdrawal.dated)
    assert withdrawal.recorded_at > withdrawal.withdraws.recorded_at
    assert (anew.recorded_at, anew.due != withdrawal.due) == (withdrawal.recorded_at, True)
    for model in (ProgressUpdate, Assessment):
        corrections = model.objects.filter(corrects__isnull=False)
        assert corrections.exists()
        for row in corrections:
            assert row.dated == row.corrects.dated
            assert row.recorded_at > row.corrects.recorded_at
            assert row.in_words() != row.corrects.in_words()


# The board works on it ----------------------------------------------------------------------------------


def test_the_chain_holds_and_the_board_can_be_read_on_any_day(db):
    tell_story(actions=2, updates=24)
    assert first_fault() is None
    for day in (datetime.date(2019, 1, 1), datetime.date(2022, 9, 1), datetime.date(2024, 2, 29), AS_AT):
        assert len(board_position(on(day)).recommendations) in (0, 10)


# It is refused where it could do harm -------------------------------------------------------------------


def saved():
    """Enough of what the database holds to show that nothing was added."""
    counted = (Action, Meeting, Demonstration, get_user_model())
    return ledger.anchor(), [model.objects.count() for model in counted]


def refusal(**options):
    """Why a demonstration is refused; fail if anything was saved."""
    before = saved()
    with pytest.raises(CommandError) as refused:
        call_command("demo", **options)
    assert saved() == before
    return str(refused.value)


def test_it_is_refused_without_debug(db, settings):
    settings.DEBUG = False
    assert refusal() == "A demonstration is for local use: set DEBUG=1 to make one. Nothing was saved."


def test_it_is_refused_a_second_time(made):
    assert refusal() == "This database is a demonstration already. Nothing was saved."


def test_it_is_refused_where_there_is_a_record(db):
    load_record()
    assert refusal() == (
        "This database holds a record, with which nothing invented may be mixed: choose an empty one. "
        "Nothing was saved."
    )


def test_it_is_refused_where_anybody_has_entered_anything(db):
    make_meeting(held_on=AS_AT)
    assert refusal().startswith("This database holds a record, with which nothing invented may be mixed")


def test_it_is_refused_where_its_people_have_accounts(db):
    make_user(username="demo-chair")
    assert refusal() == (
        "This database holds accounts whose names start with demo-, which its people would need. "
        "Nothing was saved."
    )


@pytest.mark.parametrize("value", ["0", "101", "-1", "1.5", "six", "", "٣"])
def test_a_bad_number_of_actions_is_refused(db, value):
    assert refusal(actions=value) == (
        f"--actions must be a whole number from 1 to 100, not '{value}'. Nothing was saved."
    )


@pytest.mark.parametrize("value", ["0", "2401", "1e3", "many"])
def test_a_bad_number_of_updates_is_refused(db, value):
    assert refusal(updates=value) == (
        f"--updates must be a whole number from 1 to 2400, not '{value}'. Nothing was saved."
    )


@pytest.mark.parametrize("value", ["2022-09-30", "30/6/2025", "20250630", "2025-02-30", "2025-6-1", "today"])
def test_a_bad_day_is_refused(db, value):
    assert refusal(as_at=value) == (
        f"--as-at must be a day from 2022-10-01 to {timezone.localdate()}, written like 2022-10-01, "
        f"not '{value}'. Nothing was saved."
    )


def test_a_day_to_come_is_refused(db):
    tomorrow = timezone.localdate() + datetime.timedelta(days=1)
    assert f"not '{tomorrow}'" in refusal(as_at=tomorrow.isoformat())


def test_where_it_fails_half_way_nothing_is_saved(db, monkeypatch):
    monkeypatch.setattr("demonstration.management.commands.demo.story.statements", lambda *a, **k: 1 / 0)
    before = saved()
    with pytest.raises(ZeroDivisionError):
        make_demo()
    assert saved() == before
