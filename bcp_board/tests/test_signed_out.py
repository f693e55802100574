"""What somebody typed into a form of the admin is shown to them again if they were signed out meanwhile."""

import html
import re
from urllib.parse import urlencode

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from bcp_board.tests.test_access import client_of
from bcp_board.tests.test_sessions import age
from recommendations.models import ProgressUpdate
from recommendations.tests.factories import make_action
from record.tests.admin_forms import open_form
from record.tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.once]
TYPED = {
    "status": "at_risk",
    "narrative": "Two people left.\nNobody <b>came</b>.",
    "reason": "Hiring is slow",
}
SHOWN = "Two people left.\nNobody &lt;b&gt;came&lt;/b&gt;."


@pytest.fixture
def officer():
    return make_user("Officers")


@pytest.fixture
def address(officer):
    return f"{reverse('admin:recommendations_progressupdate_add')}?action={make_action(owner=officer).pk}"


def test_a_form_sent_after_an_idle_hour_is_shown_to_its_sender_and_not_saved(officer, address, log):
    client = client_of(officer)
    filled = {**open_form(client, address), **TYPED}
    age(client, seen=61, began=61)
    log()

    response = client.post(address, filled)

    assert response.status_code == 403
    text = response.content.decode()
    assert "You were signed out before you saved this" in text
    assert SHOWN in text
    assert "Hiring is slow" in text
    assert ProgressUpdate.objects.count() == 0
    lines = log(raw=True)
    assert "form refused" in lines
    assert "Two people left" not in lines
    assert client.get("/admin/").status_code == 302


def shown_in(response):
    """{label: text} of what the page gives back."""
    text = response.content.decode()
    labels, texts = (
        re.findall("<h2>(.*?)</h2>", text),
        re.findall('<p class="typed">(.*?)</p>', text, re.DOTALL),
    )
    return dict(zip(labels, texts, strict=True))


def test_every_field_comes_back_under_its_label_whatever_it_holds_with_the_way_back(officer, address):
    client = client_of(officer)
    filled = open_form(client, address) | {
        "about": "A01: Title of A01",
        "status": "done",
        "dated": "22/11/2022",
        "narrative": "Completed.",
        "evidence": "https://example.org/minutes",
        "difference_made": "減少",
    }
    Session.objects.all().delete()

    response = client.post(address, filled)

    assert shown_in(response) == {
        "What it is about": "A01: Title of A01",
        "Status": "Done, evidence awaited",
        "Dated": "22/11/2022",
        "What has happened": "Completed.",
        "Evidence": "https://example.org/minutes",
        "Difference made for children": "減少",
    }
    link = re.search('<p><a href="([^"]*)">Open the form again</a></p>', response.content.decode())[1]
    assert html.unescape(link) == f"/login/?{urlencode({'next': address})}"


def test_the_form_says_what_it_is_about_so_that_the_page_can(officer, address):
    page = client_of(officer).get(address).content.decode()

    assert '<input type="hidden" name="about" value="A01: Title of A01">' in page


def test_somebody_signed_out_who_typed_nothing_is_led_to_the_sign_in_page(officer, address):
    client = client_of(officer)
    open_form(client, address)
    Session.objects.all().delete()

    response = client.post(address, {"csrfmiddlewaretoken": "x", "opened_on": "0", "_save": "Save"})

    assert (response.status_code, response.headers["Location"].partition("?")[0]) == (302, "/login/")


@pytest.mark.parametrize(
    ("origin", "shown"), [("http://testserver", 1), ("https://example.org", 0), (None, 0)]
)
def test_a_form_refused_for_its_token_is_shown_to_its_sender_but_words_of_another_site_are_not(
    officer, address, origin, shown
):
    client = client_of(officer, enforce_csrf_checks=True)

    response = client.post(address, TYPED, headers={"Origin": origin} if origin else {})

    assert response.status_code == 403
    assert response.content.decode().count(SHOWN) == shown
    assert ProgressUpdate.objects.count() == 0


def test_no_password_is_shown_again(officer):
    client = Client(enforce_csrf_checks=True)
    secret = {"password": "three unrelated words", "new_password1": "three unrelated words"}

    for place in ("/admin/auth/user/add/", "/login/", "/password/"):
        response = client.post(place, secret, headers={"Origin": "http://testserver"})
        assert response.status_code == 403
        assert "three unrelated words" not in response.content.decode()
    assert "three unrelated words" not in Client().post("/admin/auth/user/add/", secret).content.decode()


@pytest.mark.parametrize("is_checked", [True, False])
def test_a_form_that_cannot_be_read_is_a_page_all_the_same(address, is_checked):
    many = "&".join(f"f{number}=two words" for number in range(1001))
    client = Client(enforce_csrf_checks=is_checked, raise_request_exception=False)
    origin = {"Origin": "http://testserver"}

    response = client.post(address, many, "application/x-www-form-urlencoded", headers=origin)

    assert response.status_code == 400
    assert "<h1" in response.content.decode()
    assert "Content-Security-Policy" in response.headers
