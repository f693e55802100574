"""The month's round: who has reported since the last meeting held, by person, and who cannot."""

import datetime

import pytest
from django.contrib.auth.models import User

from meetings.changes import changes_since
from meetings.round import round_of
from recommendations.models import Action
from recommendations.position import board_position
from recommendations.tests.factories import make_action, make_due_date, make_owner, make_update
from record.as_at import AsAt
from record.held import meetings_held
from record.tests.factories import make_meeting, make_user, noon, saved

pytestmark = [pytest.mark.django_db, pytest.mark.again]
BEGAN = noon("2022-10-02")
TODAY = datetime.date(2022, 12, 10)


def at(day=TODAY):
    return AsAt.now(day)


def refs(actions):
    return [action.ref for action in actions]


def told(month):
    return {
        person.name: (refs(person.not_reported), refs(person.reported), refs(person.silent))
        for person in month.people
    }


def action(ref, owner=None, **fields):
    return make_action(ref, owner=owner, recorded_at=BEGAN, **fields)


def report(row, by, day, status="on_track", **more):
    return make_update(row, status, dated=day, by=by, recorded_at=noon(day), **more)


@pytest.fixture
def ann(db):
    return make_user("Officers", "ann")


@pytest.fixture
def bob(db):
    return make_user("Officers", "bob")


def test_each_person_has_reported_or_not_since_the_last_meeting_that_was_held(ann, bob):
    first, second, third, done = (action(f"A0{n}", ann) for n in (1, 2, 3, 4))
    make_due_date(third, due="2022-11-01", recorded_at=BEGAN)
    theirs = action("A05", bob, owner_role="Cabinet")
    make_meeting("2022-11-22")
    make_meeting("2022-12-05", state="cancelled")
    coming = make_meeting("2022-12-20")
    report(first, ann, "2022-11-10")
    report(second, ann, "2022-12-01")
    report(done, ann, "2022-12-02", "closed")
    secretariat = make_user("Secretariat")
    report(theirs, secretariat, "2022-12-03", on_behalf_of=bob, on_behalf_of_signed="Bob Person (Officer)")

    month = round_of(at())

    assert (month.meeting, month.before.held_on) == (coming, datetime.date(2022, 11, 22))
    assert told(month) == {
        "Bob Person": ([], ["A05"], []),
        "Ann Person": (["A01", "A03"], ["A02"], ["A03"]),
    }
    assert [person.name for person in month.owing] == ["Ann Person"]
    assert month.reported_words == "2 of 4 open actions reported on"


@pytest.mark.parametrize(
    ("day", "missing"), [("2022-11-21", ["A01"]), ("2022-11-22", ["A01"]), ("2022-11-23", [])]
)
def test_a_report_of_the_day_of_the_meeting_is_one_of_the_round_before(ann, day, missing):
    reported = action("A01", ann)
    make_meeting("2022-11-22")
    report(reported, ann, day)

    assert refs(round_of(at()).not_reported) == missing


def test_it_says_the_same_as_the_comparison_with_the_last_meeting(ann, bob):
    rows = [action(f"A{n:02}", (ann, bob, None)[n % 3]) for n in range(1, 10)]
    make_meeting("2022-11-22")
    for number, row in enumerate(rows):
        report(row, ann, f"2022-11-{19 + number}")
    board = board_position(at())

    assert refs(round_of(at()).not_reported) == refs(changes_since(board, meetings_held(at())).not_reported)
    assert len(round_of(at()).not_reported) == 4


def test_before_any_meeting_was_held_whoever_never_reported_has_not(ann):
    reported, _ = action("A01", ann), action("A02", ann)
    report(reported, ann, "2022-10-10")

    month = round_of(at())

    assert (month.meeting, month.before) == (None, None)
    assert told(month) == {"Ann Person": (["A02"], ["A01"], [])}


@pytest.mark.parametrize("meetings", [(), ("2022-09-01",)])
def test_a_report_loaded_from_a_document_is_not_its_owners_before_a_meeting_or_after(ann, meetings):
    for day in meetings:
        make_meeting(day)
    told_of, reported = action("A01", ann), action("A02", ann)
    make_update(told_of, "done", dated="2022-11-10", recorded_at=noon("2022-11-10"))
    report(reported, ann, "2022-11-10")

    (person,) = round_of(at()).people

    assert (refs(person.not_reported), refs(person.from_documents)) == (["A01"], ["A01"])
    assert round_of(at()).reported_words == "1 of 2 open actions reported on"
    board = board_position(at())
    if changes := changes_since(board, meetings_held(at())):
        assert refs(changes.not_reported) == ["A01"]


def test_actions_that_nobody_can_report_on_are_apart_and_those_of_nobody_before_those_of_closed_accounts(
    ann, bob
):
    action("A01", ann)
    action("A02", bob)
    left, _ = action("A03", ann), action("A04")
    make_owner(left, None, dated="2022-11-01", recorded_at=noon("2022-11-01"))
    User.objects.filter(pk=bob.pk).update(is_active=False)

    month = round_of(at())

    assert refs(month.unowned) == ["A03", "A04"]
    assert refs(month.closed) == ["A02"]
    assert list(told(month)) == ["Ann Person"]
    assert refs(month.not_reported) == ["A01", "A02", "A03", "A04"]


def test_people_who_answer_for_the_same_role_stand_together_through_others_too(ann, bob):
    cy, dee = make_user("Officers", "cy"), make_user("Officers", "dee")
    for ref, owner, role in (
        ("A01", ann, "Director"),
        ("A02", bob, "Cabinet"),
        ("A03", cy, "Head of finance"),
        ("A04", dee, "Director"),
        ("A05", dee, "Cabinet"),
        ("A08", dee, "Housing"),
    ):
        action(ref, owner, owner_role=role)

    eve = make_user("Officers", "eve")
    for ref, role in (("A06", "Internal audit"), ("A07", "Adviser")):
        action(ref, eve, owner_role=role)

    groups = [
        (group.heading, [(person.name, person.roles_in_order) for person in group.people])
        for group in round_of(at()).groups
    ]

    assert groups == [
        ("One person for 2 roles", [("Eve Person", ["Adviser", "Internal audit"])]),
        (
            "3 people, because some share a role: Cabinet; Director",
            [
                ("Ann Person", ["Director"]),
                ("Bob Person", ["Cabinet"]),
                ("Dee Person", ["Cabinet", "Director", "Housing"]),
            ],
        ),
        ("Head of finance", [("Cy Person", ["Head of finance"])]),
    ]


def test_somebodys_action_given_a_new_date_in_silence_is_told_beside_the_silent(ann):
    for ref in ("A01", "A02"):
        make_due_date(action(ref, ann), due="2022-11-01", recorded_at=BEGAN)
    moved = Action.objects.get(ref="A02")
    make_due_date(moved, due="2023-03", dated="2022-11-20", recorded_at=noon("2022-11-20"))

    (person,) = round_of(at()).people

    assert (refs(person.silent), refs(person.silent_before)) == (["A01"], ["A02"])


def test_a_withdrawn_action_is_nobodys(ann):
    gone = action("A01", ann)
    with saved(at=noon("2022-11-01"), reason="Entered twice"):
        gone.is_withdrawn = True
        gone.save()

    assert Action.objects.count() == 1
    assert told(round_of(at())) == {}


def test_what_the_meeting_is_asked_to_decide_is_said_by_its_numbers(ann):
    first, second = action("A01", ann), action("A02", ann)
    for row, due in ((first, "2023-03"), (second, "2023-04")):
        make_due_date(row, due, by=ann, needs_decision=True)

    assert round_of(at()).decisions_in_words == [
        ("A. Dates asked for", "2 (D1 on A01, D2 on A02)"),
        ("B. Completions to accept", "none"),
        ("C. Re-checks due", "none"),
        ("D. Late, with no new date asked for", "none"),
    ]


@pytest.mark.parametrize("rows", [1, 10])
def test_it_takes_the_same_queries_however_many_people_and_actions(django_assert_num_queries, rows):
    make_meeting("2022-11-22")
    make_meeting("2022-12-20")
    for number in range(rows):
        person = make_user("Officers", f"person{number}")
        action(f"A{number:02}", person)
        action(f"B{number:02}", person)
    for row in Action.objects.filter(ref__startswith="A"):
        report(row, None, "2022-12-01")

    month = round_of(at())
    assert len(month.people) == rows
    # the position of the board, the meetings twice, what was reported, accounts, the paper's numbers, asks
    with django_assert_num_queries(39):
        round_of(at())
