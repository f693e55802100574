"""Who answers for an action: a change of owner never takes the last one off the record."""

import datetime
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from recommendations.models import Action
from recommendations.ownership import Ownership
from record.tests.admin_forms import errors_of, fill_in, sign_in
from record.tests.factories import make_user, on
from record.verification import first_fault

pytestmark = [pytest.mark.django_db, pytest.mark.again]


def page_of(client, action):
    return client.get(reverse("admin:recommendations_action_change", args=[action.pk])).content.decode()


def the_way_to_a_new_owner(client, action):
    return re.search(r'<a href="([^"]*)">Change the owner</a>', page_of(client, action))[1]


def test_the_page_of_an_action_leads_to_changing_its_owner(client, officer, action):
    other = make_user("Officers", username="successor")
    sign_in(client, make_user("Secretariat"))

    response = fill_in(client, the_way_to_a_new_owner(client, action), owner=other.pk, dated="1/11/2022")

    assert response.status_code == 302, errors_of(response)
    assert action.owner_on(on(datetime.date(2022, 10, 31))) == officer
    assert action.owner_on(on(datetime.date(2022, 11, 1))) == other
    assert "Successor Person" in page_of(client, action)
    assert first_fault() is None


def test_an_action_may_be_left_with_no_owner_and_says_so(client, action):
    sign_in(client, make_user("Secretariat"))

    response = fill_in(client, the_way_to_a_new_owner(client, action), owner="", dated="1/11/2022")

    assert response.status_code == 302, errors_of(response)
    assert "No owner" in page_of(client, action)
    assert [row.owner_signed for row in Ownership.objects.order_by("pk")] == ["Officers Person (Officer)", ""]


def test_a_rename_of_the_owner_does_not_change_whom_the_record_names(officer, action):
    officer.last_name = "Another"
    officer.save()

    (row,) = Ownership.objects.all()
    assert row.owner_signed == "Officers Person (Officer)"


def test_an_owner_is_not_offered_to_hand_over_their_own_action(client, officer, action):
    assert "Change the owner" not in page_of(sign_in(client, officer), action)
    assert Action.objects.owned_by(officer, on(timezone.localdate())).get() == action
