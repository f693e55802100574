"""From a wrong entry on a page of the board, those who may enter such find where it is put right."""

import re

import pytest
from django.test import Client

from recommendations.tests.factories import make_action, make_due_date, make_update
from record.tests.admin_forms import sign_in
from record.tests.factories import make_user
from record.tests.pages import words_of

pytestmark = pytest.mark.django_db
LINK = re.compile(r'<a class="govuk-link" href="([^"]*)">(Correct or withdraw<span.*?</span>)</a>')


@pytest.fixture
def officer():
    return make_user("Officers", "owner", first_name="Olu", last_name="Owner")


@pytest.fixture
def action(officer):
    return make_action("A01", owner=officer)


@pytest.fixture
def update(action, officer):
    return make_update(action, by=officer)


def links(user, address="/actions/A01/"):
    """{where each link leads: what it is called} on a page, as ``user`` sees it."""
    return dict(LINK.findall(sign_in(Client(), user).get(address).content.decode()))


def test_each_entry_leads_those_who_may_enter_such_to_where_it_is_put_right(update, action):
    date = make_due_date(action, by=make_user("Chair", "chair"))
    pages = {
        f"/admin/recommendations/{kind}/{row.pk}/change/"
        for kind, row in (("progressupdate", update), ("duedate", date))
    }

    for role in ("Officers", "Chair"):
        assert set(links(make_user(role, f"another {role}"))) == pages
    assert set(links(make_user("Secretariat"))) > pages
    for role in ("Board members", "Administrators"):
        assert links(make_user(role)) == {}
    shown = links(make_user("Chair", "one more"))
    assert len(set(shown.values())) == len(shown) == 2


def test_an_entry_that_counts_no_more_and_a_page_of_the_past_lead_nowhere(update, action, officer):
    right = make_update(action, "at_risk", by=officer, corrects=update, correction_reason="A slip")
    assert list(links(officer)) == [right.admin_address]
    assert links(officer, "/actions/A01/?as_at=2022-12-01") == {}


def test_what_it_leads_to_corrects_it_for_whoever_made_it(client, update, officer):
    (address,) = links(officer)
    page = sign_in(client, officer).get(address).content.decode()
    for way in ("corrects", "withdraws"):
        assert f'href="/admin/recommendations/progressupdate/add/?{way}={update.pk}"' in page


def test_what_it_leads_to_says_who_can_put_it_right_where_the_reader_cannot(client, update):
    """An officer reads nothing of others' work there; the Chair reads it, and did not enter it."""
    who = "Only whoever recorded this entry, and the Secretariat, may say that it was wrong."
    other = sign_in(client, make_user("Officers", "other")).get(update.admin_address)
    assert other.status_code == 403
    assert f"You do not own this action now. Officers work only on the actions they own. {who}" in words_of(
        other
    )
    chair = sign_in(client, make_user("Chair")).get(update.admin_address)
    assert (chair.status_code, who in words_of(chair)) == (200, True)
    clerk = sign_in(client, make_user("Secretariat")).get(update.admin_address)
    assert (who in words_of(clerk), "Withdraw this entry" in words_of(clerk)) == (False, True)


@pytest.mark.parametrize("count", [1, 4])
def test_the_links_cost_the_same_however_many(action, officer, count, django_assert_num_queries):
    for _ in range(count):
        make_update(action, by=officer)
    client = sign_in(Client(), officer)
    client.get("/actions/A01/")
    with django_assert_num_queries(16):
        client.get("/actions/A01/?before=2030-01-01")
