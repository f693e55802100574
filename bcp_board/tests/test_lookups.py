"""What an address may ask of a list of the admin: what the list's own filters ask, and nothing else."""

import itertools
import re
from html import unescape

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from recommendations.models import Recommendation
from recommendations.tests.factories import make_recommendation
from visits.models import JudgementArea
from visits.tests.factories import make_area, make_framework

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]
# The pattern takes some databases minutes.
ODD = {
    "": "1",
    "__range": "1",
    "__regex": "^(([a-zA-Z ,-]+)+)+[!]$",
    "__iregex": "(",
    "__startswith": "p",
    "__gt": "1",
    "__in": "1,2",
    "__year__range": "2022",
    "__date__range": "2022-01-01",
    "__isnull__isnull": "True",
    "__nothing": "1",
}
REFUSED = "The filter in the address cannot be read."


def lists(user):
    """[(ModelAdmin, address)] of the lists that ``user`` may see."""
    return [
        (model_admin, reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
        for model, model_admin in admin.site._registry.items()
        if user.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}")
    ]


@pytest.mark.once
@pytest.mark.parametrize("role", ["officer", "superuser"])  # a few lists, and all of them
def test_a_list_answers_no_question_but_those_of_its_own_filters(people, role):
    client, odd, found = Client(), itertools.cycle(ODD.items()), {}
    client.force_login(people[role])

    for model_admin, address in lists(people[role]):
        columns = [field.name for field in model_admin.model._meta.get_fields() if field.concrete]
        for column in ["pk", "password", "action__owner__password", *columns]:
            ending, value = next(odd)
            if ending or column not in model_admin.list_filter:
                response = client.get(address, {column + ending: value})
                found[address, column + ending] = response.status_code, REFUSED in response.content.decode()

    assert len(found) > 10
    assert {asked: answer for asked, answer in found.items() if answer != (400, True)} == {}


@pytest.mark.parametrize("role", ["superuser"])
def test_every_filter_that_a_list_shows_works_also_with_a_search_an_order_and_a_page(people, role):
    make_area("other", "Other", 2)
    make_framework("other")
    make_recommendation(2, theme="Other")  # a list shows no filter with only one thing to choose
    client, found, shown = Client(), {}, set()
    client.force_login(people[role])

    for _, address in lists(people[role]):
        page = client.get(address).content.decode()
        links = re.findall(r'href="(\?(?!o=)[^"]+)"', page)
        for link, more in zip(links, itertools.cycle(["", "&q=a&o=1&p=1"]), strict=False):
            asked = f"{address}{unescape(link)}{more}"
            found[asked] = client.get(asked).status_code
        shown |= {(address, re.match(r"\?(.*?)(__|=)", link)[1]) for link in links}

    assert {address: status for address, status in found.items() if status != 200} == {}
    assert shown == {
        (address, name) for model_admin, address in lists(people[role]) for name in model_admin.list_filter
    }


def test_a_list_is_narrowed_by_a_filter(people):
    client, one, area = Client(), Recommendation.objects.get(), JudgementArea.objects.get()
    client.force_login(people["superuser"])

    make_framework("other")  # a list with only one thing to choose has no such filter

    def rows(address):
        return client.get(address).context["cl"].result_count

    for address, own, other in (
        (
            "/admin/recommendations/action/",
            f"recommendations__id__exact={one.pk}",
            "recommendations__id__exact=0",
        ),
        ("/admin/visits/visit/", "kind__exact=full", "kind__exact=short"),
        (
            "/admin/visits/judgementarea/",
            f"framework__id__exact={area.framework_id}",
            "framework__id__exact=0",
        ),
        ("/admin/auth/user/", "is_active__exact=1", "is_active__exact=0"),
    ):
        assert (rows(f"{address}?{own}"), rows(f"{address}?{other}")) == (rows(address), 0), address
