"""A page that uses only what was known on its day stays as it was, whatever is entered or edited later."""

import datetime
import re

import pytest
from django.apps import apps
from django.db import models, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from bcp_board.tests.record import load_record
from recommendations.measures import Measure
from recommendations.models import Action, Recommendation, Risk
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_decision,
    make_due_date,
    make_measure_value,
    make_owner,
    make_recommendation,
    make_update,
)
from recommendations.tests.histories import AS_FOUND, DAYS, day, histories, make_board, noon, store
from record.as_at import AsAt
from record.dates import EdtfField, start_of
from record.models import Ask, Document, Meeting
from record.rows import known_later
from record.tests.factories import make_meeting, make_user, saved
from record.tests.pages import main_of
from record.tests.pages import words as text_of
from record.versions import Version, saving
from visits.models import Event, Judgement
from visits.tests.factories import make_area, make_finding, make_judgement, make_visit

pytestmark = pytest.mark.again

LOADED, EARLIER = (start_of(datetime.date(2025, 2, day)) for day in (1, 3))
THEN = "as_at=2025-03-01&known=then"
# What a row is called in an address never changes, and two grades of one kind would be refused.
FIXED = {"slug", "key", "ref", "framework", "area"}


def pages():
    """A page of every kind that shows a position, as it was known then."""
    names = ("home", "trends", "track_record", "visits", "actions", "status", "meetings", "proof")
    addresses = [reverse(name) for name in names]
    addresses += ["/meetings/2025-02-01/", "/meetings/2025-06-01/", "/meetings/2025-06-01/paper/"]
    addresses += [f"/visits/{slug}/" for slug in ("full-inspection-2021", "monitoring-visit-5")]
    addresses += ["/actions/A01/", "/actions/A02/", "/recommendations/6/", "/recommendations/8/"]
    searches = ("q=single", "recommendation=6", "owner=Corporate+leadership+and+IT")
    return [f"{address}?{THEN}" for address in addresses] + [
        f"/actions/?{THEN}&{words}" for words in searches
    ]


def mains(client, addresses):
    """{address: what stands in the main part of its page}, but when a sheet was printed."""
    found = {}
    for address in addresses:
        response = client.get(address)
        assert (address, response.status_code) == (address, 200)
        found[address] = re.sub(r"[0-9]+ \w+ [0-9]{4} at [0-9:]+[ap]m", "(a moment)", main_of(response))
    return found


def edited_models():
    return [versions.instance_type for versions in apps.get_models() if issubclass(versions, Version)]


def otherwise(field, row):
    """Something else that ``field`` of ``row`` may hold, or None where it is left as it is."""
    value = getattr(row, field.attname)
    if field.name in FIXED or not field.editable and field.name != "is_withdrawn" or field.primary_key:
        return None
    if (type(row), field.name) in ((Judgement, "visit"), (Meeting, "state")):
        return None
    if isinstance(field, EdtfField):
        return "2019-05" if value else "2019-06"
    if isinstance(field, models.ForeignKey):
        other = field.related_model.objects.exclude(pk=value or 0).order_by("pk").last()
        return other and other.pk
    if isinstance(field, models.DateField):
        return value and value.replace(day=value.day + 1)
    if field.choices:
        return next(key for key, _ in field.flatchoices if key != value)
    if isinstance(field, models.BooleanField):
        return None
    if isinstance(field, models.IntegerField):
        return value + 100 * row.pk
    return f"Altered {value}"[: field.max_length] if field.get_internal_type() != "URLField" else None


def edit(row, *, by):
    """Change all that can be changed of ``row``, its links too."""
    with saving(by=by, reason="Wrong"):
        for field in row._meta.concrete_fields:
            if (value := otherwise(field, row)) is not None:
                setattr(row, field.attname, value)
        row.save()
        for linking in row._meta.many_to_many:
            linked = getattr(row, linking.name)
            linked.set(linking.related_model.objects.exclude(pk__in=linked.all()).order_by("pk")[:2])


@pytest.fixture
def board(client, db):
    """The record with something of every kind said of it in February 2025; the client is a member's."""
    load_record(at=LOADED)
    officer, chair = make_user("Officers"), make_user("Chair")
    by = {"by": officer, "recorded_at": EARLIER}
    for ref, status in (("A01", "off_track"), ("A02", "on_track"), ("A27", "at_risk")):
        action = Action.objects.get(ref=ref)
        make_owner(action, officer, dated="2025-02-01", **by)
        make_update(action, status, dated="2025-02-01", **by)
        make_update(action, status, dated="2025-02-02", narrative="Still so", **by)
    make_due_date(Action.objects.get(ref="A27"), "2025-02", dated="2025-02-01", **by)
    make_assessment(Recommendation.objects.get(number=6), dated="2025-02-02", by=chair, recorded_at=EARLIER)
    for held_on in ("2025-02-01", "2025-06-01"):
        with saving(at=EARLIER):
            meeting = Meeting.objects.create(held_on=held_on, covering_note="Note")
            meeting.asks.create(kind="decide", text="Ask")
    client.force_login(make_user("Board members"))
    return client


def test_nothing_edited_or_entered_later_changes_a_page_that_shows_what_was_known_then(board):
    addresses, secretariat = pages(), make_user("Secretariat")
    before = mains(board, addresses)
    for model in edited_models():
        for row in model.objects.order_by("pk")[:12]:
            edit(row, by=secretariat)
    enter_one_of_each(by=secretariat)
    after = mains(board, addresses)
    assert [address for address in addresses if after[address] != before[address]] == []
    today = board.get("/?as_at=2025-03-01").content.decode()
    assert "Altered " in today
    assert "Entered late" in today


def enter_one_of_each(*, by):
    """Enter a row and a statement of each kind today, about a day long past and from an old document."""
    document = Document.objects.get(key="adviser-report")
    old = {"document": document}
    visit = make_visit("late", kind="full", dates="2025-02-20", published="2025-02-21", **old)
    make_judgement(visit, "good", make_area(), **old)
    make_finding("F99", visit=visit, text="Entered late", **old)
    recommendation = make_recommendation(99, **old)
    action = make_action("A99", recommendation, agreed_on="2022-11", title="Entered late")
    with saved():
        Event.objects.create(ref="E99", date="2024-05", text="Entered late", reference="p1", **old)
        Risk.objects.create(ref="R99", text="Entered late", reference="p1", **old)
    for held_on in ("2025-02-20", "2025-03-05"):
        make_meeting(held_on)
    for about in (action, Action.objects.get(ref="A01")):
        make_owner(about, by, dated="2025-02-20", by=by)
        make_update(about, "off_track", dated="2025-02-20", by=by)
        make_decision(
            make_due_date(about, "2025-02-21", dated="2025-02-20", by=by, needs_decision=True), by=by
        )
    make_assessment(Recommendation.objects.order_by("pk").first(), dated="2025-02-20", by=by)
    with saved():
        measure = Measure.objects.create(ref="M99", name="Entered late", reference="p1", **old)
    for counted in (measure, Measure.objects.get(ref="M01")):
        make_measure_value("99%", "2025-02-20", counted, by=by)


# What is said of "now", or of a past day because it is past: no part of the position.
OF_NOW = [
    r", now [\w ]+?(?=,| on )",
    r"(?<=Newest source) by [^:]+(?=:)",
    r"(?<=\.) Nothing later is held\.",
    r"The newest paper None has been published here",
    r"The paper the board had by this day None had been published here",
    r", using only what had been recorded by the end of that day",
    r"This is not today’s position\. It shows the board as at [^.]+\.",
    r"(?<=Nobody’s account is named): nobody but the secretariat can record progress at present",
    r"(?<=Nobody’s account is named) to record its progress",
]


def words_of(client, addresses):
    """{address: the words in the main part of its page}, but for those of ``OF_NOW``."""
    found = {}
    for address, main in mains(client, addresses).items():
        words = text_of(main).replace(" ,", ",")
        for pattern in OF_NOW:
            words = " ".join(re.sub(pattern, "", words).split())
        found[address.partition("?")[0]] = words
    return found


@settings(AS_FOUND, max_examples=3)
@given(rows=histories(2, most=10), number=st.integers(40, DAYS))
def test_as_known_then_every_page_is_as_it_was_rendered_on_that_day(db, rows, number):
    """Whatever is entered, corrected, withdrawn, edited, renamed or moved afterwards."""
    addresses = [
        "/",
        "/trends/",
        "/trends/record/",
        "/visits/",
        "/actions/",
        "/status/",
        "/meetings/2022-09-20/",
        "/actions/A001/",
        "/proof/",
        "/recommendations/1/",
    ]
    with transaction.atomic(), pytest.MonkeyPatch.context() as clock:
        by_then, now = noon(number) + datetime.timedelta(hours=11), noon(DAYS + 60)
        actions, recommendation, officer = make_board(2)
        meeting = make_meeting("2022-09-20")
        client, member = Client(), make_user("Board members")
        already = store([row for row in rows if row.taken <= number], actions, recommendation, officer)
        clock.setattr(timezone, "now", lambda: by_then)
        client.force_login(member)
        was = words_of(client, addresses)

        store(rows, actions, recommendation, officer, already=already)
        with saving(at=now, by=officer, reason="Wrong"):
            actions[0].title = "Another title"
            actions[0].save()
            meeting.covering_note = "Another note"
            meeting.save()
        officer.first_name = "Renamed"
        officer.save()
        clock.setattr(timezone, "now", lambda: now)
        client.force_login(member)
        then = day(number).isoformat()
        assert words_of(client, [f"{address}?as_at={then}&known=then" for address in addresses]) == was
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("day", "later"),
    [
        # The second monitoring visit was on 4 and 5 October 2022, and known from the 6th at the earliest.
        ("2022-10-05", True),
        ("2026-11-01", False),
    ],
)
def test_a_page_says_what_became_known_later_and_counts_none_of_it(client, record, day, later):
    client.force_login(make_user("Board members"))
    page = client.get(f"/visits/?as_at={day}&known=then")
    said = re.findall(
        r"Became known later</strong>, and so is not counted on this page: ([^<]*)</p>", page.content.decode()
    )
    assert bool(said) is later
    assert ("Monitoring visit 2" in main_of(page)) is not later
    if later:
        assert said == ["2 visits, 10 findings, 1 event."]
    assert "Became known later" not in client.get(f"/visits/?as_at={day}").content.decode()
    empty = client.get("/visits/monitoring-visit-1/?as_at=2022-10-06&known=then").content.decode()
    assert "Concerns</h3>" in empty
    assert "(0)" not in empty
    assert "None recorded" not in empty


def test_what_a_meeting_still_to_come_is_asked_did_not_become_known_later_of_the_day(db):
    of_a_meeting = [
        (make_meeting("2022-09-20"), ["Agree it"]),
        (make_meeting("2022-12-01"), ["Fund it", "Read it"]),
    ]
    with saving(at=noon(300)):
        for meeting, texts in of_a_meeting:
            for text in texts:
                Ask.objects.create(meeting=meeting, kind="decide", text=text)
    days = (datetime.date(2022, month, 30) for month in (8, 9, 12))

    said = [known_later(AsAt.then(day, today=datetime.date(2024, 1, 31))) for day in days]
    assert said == [[], ["1 ask"], ["3 asks"]]
