"""What somebody typed is shown to them again if they were signed out meanwhile, or may save it no more."""

import html
import io
import re
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bcp_board.tests.test_access import client_of
from bcp_board.tests.test_sessions import age
from recommendations.models import ProgressUpdate
from recommendations.tests.factories import make_action, make_owner, make_update
from record.tests.admin_forms import open_form
from record.tests.factories import change, make_meeting, make_user

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


def test_of_a_row_of_a_page_of_work_comes_back_which_it_was_and_what_was_typed(officer):
    meeting = make_meeting(timezone.localdate())
    report = make_update(make_action(owner=officer), "done", by=officer)
    client, slug = client_of(make_user("Chair")), f"completion-{report.pk}"
    address = f"{meeting.get_absolute_url()}decide/?row={slug}"
    page = client.get(address).content.decode()
    filled = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)) | {
        f"{slug}-decided": "sent_back",
        f"{slug}-evidence-wanted": "The audit",
        f"{slug}-evidence-wanted_by": "1/6/2098",
    }
    Session.objects.all().delete()

    response = client.post(address, filled)

    assert shown_in(response) == {
        "What it is about": "D1, A01: Title of A01",
        "Chosen": "Send it back for evidence",
        "What evidence is wanted": "The audit",
        "By when": "1/6/2098",
    }


def test_the_form_says_what_it_is_about_so_that_the_page_can(officer, address):
    page = client_of(officer).get(address).content.decode()

    assert '<input type="hidden" name="about" value="A01: Title of A01">' in page


def test_somebody_signed_out_who_typed_nothing_is_told_that_what_they_confirmed_was_not_done():
    for sent in ({"seen_rows": "sealed"}, {"file": io.BytesIO(b"ref")}, {"csrfmiddlewaretoken": "x"}):
        response = Client().post("/import/", sent)

        assert (response.status_code, shown_in(response)) == (403, {})
        text = response.content.decode()
        assert "Nothing was saved." in text
        assert "Sign in, then do it again." in text
        assert '<a href="/login/?next=%2Fimport%2F">Open the form again</a>' in text
    assert Client().post("/logout/", {"csrfmiddlewaretoken": "x"}).status_code == 302


def test_what_was_chosen_from_a_list_comes_back_in_its_words_to_whoever_opened_the_form_alone(officer):
    secretary, action = make_user("Secretariat"), make_action("A01")
    ann = make_user("Officers", "ann", first_name="Ann", last_name="Bee")
    gone = make_user("Officers", "gone", first_name="Old", last_name="Name", is_active=False)
    client = client_of(secretary)
    own = f"{reverse('admin:recommendations_ownership_add')}?action={action.pk}"
    change = reverse("admin:recommendations_action_change", args=[action.pk])
    owner, links = open_form(client, own) | {"owner": ann.pk}, open_form(client, change)
    Session.objects.all().delete()

    def told(address, label, sent, **more):
        return shown_in(client.post(address, sent | more))[label]

    assert told(own, "Owner", owner) == "Ann Bee"
    assert told(change, "Recommendations", links) == "Recommendation 1: Title 1"
    hidden = "Chosen from a list that cannot be shown here"
    assert told(own, "Owner", owner, opened_by="") == hidden
    assert told(own, "Owner", owner, opened_by=f"{owner['opened_by']}x") == hidden
    assert told(own, "Owner", owner, owner=gone.pk) == hidden
    assert told(own, "Recorded by", owner, recorded_by=ann.pk) == hidden
    secretary.groups.clear()
    assert told(own, "Owner", owner) == hidden


def test_so_does_what_was_chosen_for_an_action_that_arose_at_a_meeting():
    chair, ann = make_user("Secretariat"), make_user("Officers", "ann")
    recommendation = make_action("A01").recommendations.get()
    address = f"{make_meeting(timezone.localdate()).get_absolute_url()}decide/?row=arising"
    client = client_of(chair)
    filled = {
        "_row": "arising",
        "owner": ann.pk,
        "recommendations": recommendation.pk,
        "title": "Hire six people",
    }
    filled |= {"opened_by": client.get(address).context["form"]["opened_by"].value()}
    Session.objects.all().delete()

    told = {"Owner": "Ann Person", "Recommendations": "Recommendation 1: Title 1", "Title": "Hire six people"}
    assert shown_in(client.post(address, filled)) == told
    hidden = dict.fromkeys(["Owner", "Recommendations"], "Chosen from a list that cannot be shown here")
    assert shown_in(client.post(address, filled | {"opened_by": ""})) == told | hidden


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
    many = "&".join(f"f{number}=two words" for number in range(4001))
    client = Client(enforce_csrf_checks=is_checked, raise_request_exception=False)
    origin = {"Origin": "http://testserver"}

    response = client.post(address, many, "application/x-www-form-urlencoded", headers=origin)

    assert response.status_code == 400
    assert "may hold 4,000 boxes, and this holds more. Nothing was saved." in response.content.decode()
    assert "Content-Security-Policy" in response.headers


def test_what_was_typed_for_several_actions_comes_back_under_the_action_and_the_label(officer, log):
    client = client_of(officer)
    filled = {}
    for ref in ("A01", "A02"):
        make_action(ref, owner=officer)
    for row in client.get("/mine/").context["rows"]:
        filled[row.form["opened_on"].html_name] = row.form["opened_on"].value()
    filled |= {"A01-narrative": "Two people left.", "A02-status": "at_risk", "A02-reason": "Hiring is slow"}
    age(client, seen=61, began=61)
    log()

    response = client.post("/mine/", filled)

    assert response.status_code == 403
    assert shown_in(response) == {
        "A01: What has happened": "Two people left.",
        "A02: Status": "At risk",
        "A02: Reason": "Hiring is slow",
    }
    assert ProgressUpdate.objects.count() == 0


def reassigned(officer, action):
    make_owner(action, None, dated=str(timezone.localdate()))


def withdrawn(officer, action):
    change(action, is_withdrawn=True)


def out_of_the_role(officer, action):
    officer.groups.clear()


def out_of_the_admin(officer, action):
    User.objects.filter(pk=officer.pk).update(is_staff=False)


@pytest.mark.parametrize(
    ("meanwhile", "status", "why"),
    [
        (reassigned, 403, "You do not own this action now. Officers work only on the actions they own."),
        (withdrawn, 403, "It was withdrawn, so nothing is added to it."),
        (out_of_the_role, 403, "Your role does not include it."),
        (out_of_the_admin, 404, "The page that would take this form is not there, or not for you any more."),
    ],
)
def test_whoever_is_refused_what_they_could_do_when_they_began_gets_back_what_they_typed_and_is_told_why(
    officer, meanwhile, status, why
):
    action, client = make_action("A01", owner=officer), client_of(officer)
    address = f"{reverse('admin:recommendations_progressupdate_add')}?action={action.pk}"
    filled = open_form(client, address) | TYPED
    meanwhile(officer, action)

    response = client.post(address, filled)

    assert response.status_code == status
    assert shown_in(response) == {
        "Status": "At risk",
        "Dated": f"{timezone.localdate():%d/%m/%Y}",
        "What has happened": SHOWN,
        "Reason": "Hiring is slow",
    }
    text = response.content.decode()
    assert f"<p>{why}" in text
    assert text.count("Nothing was saved.") == 1
    assert ProgressUpdate.objects.count() == 0


def test_so_is_whoever_decides_at_a_cancelled_meeting_changes_what_was_withdrawn_or_sends_to_an_odd_address():
    meeting = make_meeting(timezone.localdate(), asks=["Agree it"])
    client, slug = client_of(make_user("Chair")), f"ask-{meeting.asks.get().pk}"
    sent = {"_row": slug, "about": "Ask 1, Agree it", f"{slug}-decided": "agreed"}
    change(meeting, state="cancelled")

    response = client.post(f"{meeting.get_absolute_url()}decide/", sent | {f"{slug}-outcome-words": "Yes"})

    assert (response.status_code, shown_in(response)) == (
        403,
        {"What it is about": "Ask 1, Agree it", "Chosen": "Agreed", "In words": "Yes"},
    )
    action = make_action("A01")
    client = client_of(make_user("Secretariat"))
    page = reverse("admin:recommendations_action_change", args=[action.pk])
    filled = open_form(client, page) | {"title": "Hire six people"}
    change(action, is_withdrawn=True)
    refused = client.post(page, filled)
    assert (refused.status_code, shown_in(refused)["Title"]) == (403, "Hire six people")
    assert "It was withdrawn, so nothing in it can be changed." in refused.content.decode()

    for address, status in (("/mine/?as_at=never", 400), ("/zzz/", 404)):
        for origin, words in (("http://testserver", ["Two words"]), ("https://example.org", [])):
            odd = client.post(address, {"narrative": "Two words"}, headers={"Origin": origin})
            assert (odd.status_code, list(shown_in(odd).values())) == (status, words)
