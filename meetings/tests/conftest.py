"""Who is at a meeting of today, and the meeting."""

import pytest
from django.utils import timezone

from meetings.tests.between import FIRST, SECOND
from record.tests.factories import make_meeting, make_user


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def chair():
    return make_user("Chair", first_name="Cara", last_name="Chair")


@pytest.fixture
def clerk():
    return make_user("Secretariat", first_name="Sam", last_name="Clerk")


@pytest.fixture
def officer():
    return make_user("Officers", first_name="Olu", last_name="Owner")


@pytest.fixture
def meeting(today):
    return make_meeting(today, asks=["Agree the plan", "Note the letter"])


@pytest.fixture
def two_meetings():
    return make_meeting(held_on=FIRST), make_meeting(held_on=SECOND)
