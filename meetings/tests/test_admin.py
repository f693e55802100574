"""Meetings, as the secretariat keeps them."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from meetings.models import Paper
from record.ledger import append
from record.models import Meeting
from record.tests.admin_forms import errors_of, fill_in
from record.tests.factories import make_meeting, make_user

pytestmark = pytest.mark.django_db

ADD = reverse("admin:record_meeting_add")


def test_the_secretariat_adds_a_meeting(secretariat):
    fill_in(secretariat, ADD, held_on="22 Nov 2022", papers_due_on="15/11/2022", asks="Decide")

    meeting = Meeting.objects.get()
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


def test_the_day_is_fixed_once_a_paper_is_published(secretariat):
    meeting = make_meeting(held_on=datetime.date(2022, 11, 22))
    page = reverse("admin:record_meeting_change", args=[meeting.pk])
    fill_in(secretariat, page, held_on="23/11/2022")
    meeting.refresh_from_db()
    assert meeting.held_on == datetime.date(2022, 11, 23)
    append(
        [
            Paper(
                meeting=meeting,
                version=1,
                as_at=meeting.held_on,
                published_at=timezone.now(),
                published_by=make_user("Chair"),
                signed="Ann Clerk (Secretariat)",
                body=b"paper",
                sha256="0" * 64,
            )
        ]
    )

    fill_in(secretariat, page, held_on="24/11/2022", covering_note="Changed")

    meeting.refresh_from_db()
    assert (meeting.held_on, meeting.covering_note) == (datetime.date(2022, 11, 23), "Changed")
    assert errors_of(fill_in(secretariat, page, papers_due_on="24/11/2022")) == {
        "papers_due_on": ["The papers must be due on or before the day of the meeting."]
    }


@pytest.mark.parametrize("rows", [1, 10])
def test_the_list_takes_the_same_queries_however_long(secretariat, django_assert_num_queries, rows):
    for day in range(1, rows + 1):
        make_meeting(held_on=datetime.date(2022, 11, day))

    secretariat.get("/admin/")  # the first page of a session also notes the time in it
    # session, user, 2 of permissions, 2 counts, rows, is this a demonstration
    with django_assert_num_queries(8):
        secretariat.get(reverse("admin:record_meeting_changelist"))
