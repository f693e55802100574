"""The journeys the site exists for, on the real record: read, report, decide, print."""

import datetime
import re
from html import unescape

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from bcp_board.tests.record import load_record
from recommendations.models import Action, ProgressUpdate
from recommendations.tests.factories import make_owner
from record.signing import role_in
from record.tests.admin_forms import sign_in
from record.tests.factories import make_meeting, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.once]
ADD = reverse("admin:recommendations_progressupdate_add")


@pytest.fixture
def record():
    load_record()


@pytest.fixture
def member(record, client):
    client.force_login(make_user("Board members"))
    return client


def words(response):
    """The text a reader sees in a page, in one line."""
    body = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(strip_tags(body.replace("<", " <"))).split())


def post_update(client, action, **typed):
    """Fill in the progress form as it was opened, with what is ``typed``, and send it."""
    return post_form(client, f"{ADD}?action={action.pk}", **typed)


def post_form(client, address, **typed):
    """Fill in the admin's form at ``address`` as it was opened, with what is ``typed``, and send it."""
    form = client.get(address).context["adminform"].form
    filled = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    data = {name: "" if value is None else value for name, value in {**filled, **typed}.items()}
    return client.post(address, data)


def test_a_member_sees_ten_recommendations_in_order_and_six_alone_is_critical(member):
    page = member.get("/?as_at=2022-11-22")
    lines = page.context["glance"].lines
    assert [line.recommendation.number for line in lines] == list(range(1, 11))
    critical = [r.number for r in page.context["board"].recommendations if r.is_critical]
    assert critical == [6]
    shown = words(page)
    for line in lines:
        assert line.recommendation.title in shown
    never = {line.recommendation.number for line in lines if line.recommendation.words == "Not yet reported"}
    assert never >= {2, 4, 8, 10}


def test_the_evidence_on_the_practice_model_is_dated_as_far_as_it_is_known(member):
    shown = words(member.get("/recommendations/9/?as_at=2022-11-22"))
    assert "after 5 October 2022, exact date not stated" in shown
    assert "Done, evidence awaited" in shown


def test_the_client_systems_date_passes_in_silence_the_day_after_november_ends_and_not_before(member):
    for day, is_silent in (("2022-11-22", False), ("2022-11-30", False), ("2022-12-01", True)):
        board = member.get(f"/?as_at={day}").context["board"]
        action = board.by_ref["A01"]
        assert (action.is_silent, action.is_overdue, day) == (is_silent, False, day)
    shown = words(member.get("/actions/A01/?as_at=2022-11-22"))
    assert "November 2022, year inferred" in shown
    assert "at least 1" in shown.lower()
    assert board.exceptions[0].ref == "A01"


def test_a_year_has_passed_only_when_the_year_is_over(member):
    for day, is_silent in (("2024-12-31", False), ("2025-01-01", True)):
        assert member.get(f"/?as_at={day}").context["board"].by_ref["A02"].is_silent is is_silent


def test_the_full_inspection_shows_its_four_judgements_and_a_monitoring_visit_none(member):
    page = member.get("/visits/full-inspection-2021/")
    judgements = [(j.area.name, j.grade_words) for j in page.context["visit"].judgements]
    assert judgements == [
        ("Overall effectiveness", "Inadequate"),
        ("Impact of leaders on social work practice with children and families", "Inadequate"),
        ("Experiences and progress of children who need help and protection", "Inadequate"),
        ("Experiences and progress of children in care and care leavers", "Requires improvement to be good"),
    ]
    assert "December 2021" in words(page)
    assert "February 2022" in words(page)
    assert "Not graded" in words(member.get("/visits/monitoring-visit-2/"))
    shown = words(member.get("/visits/"))
    assert "Monitoring visits 3 and 4" in shown
    assert "o information held" in shown


def test_an_officer_records_progress_and_a_member_reads_it(record, client):
    officer, member = make_user("Officers"), make_user("Board members")
    action = Action.objects.get(ref="A05")
    make_owner(action, officer)
    sign_in(client, officer)

    refused = post_update(client, action, status="at_risk", narrative="Reports begin in March.")
    form = refused.context["adminform"].form
    assert (refused.status_code, set(form.errors)) == (200, {"reason", "recovery_step"})
    assert "Reports begin in March." in refused.content.decode()
    assert ProgressUpdate.objects.filter(action=action).count() == 0

    accepted = post_update(
        client,
        action,
        status="at_risk",
        narrative="Reports begin in March.",
        reason="The finance team is short of people.",
        recovery_step="An interim starts on Monday.",
    )
    assert accepted.status_code == 302
    row = ProgressUpdate.objects.get(action=action)
    assert (row.recorded_by, role_in(row.signed), row.status) == (officer, "Officer", "at_risk")

    shown = words(sign_in(client, member).get("/actions/A05/"))
    for told in (
        "At risk",
        "Reports begin in March.",
        "The finance team is short of people.",
        "Officers Person",
    ):
        assert told in shown
    assert "A05" in words(client.get("/"))


def test_an_officer_may_not_open_or_post_an_action_of_somebody_else(record, client):
    officer = make_user("Officers")
    make_owner(Action.objects.get(ref="A05"), officer)
    other = Action.objects.get(ref="A01")
    sign_in(client, officer)
    for address in (
        f"{ADD}?action={other.pk}",
        reverse("admin:recommendations_action_change", args=[other.pk]),
    ):
        assert client.get(address).status_code == 403
        assert client.post(address, {"status": "on_track"}).status_code == 403
    sign_in(client, make_user("Board members"))
    assert client.post(f"{ADD}?action={other.pk}", {"status": "on_track"}).status_code == 404
    client.logout()
    # What somebody typed who was signed out is given back to them on a page.
    assert client.post(f"{ADD}?action={other.pk}", {"status": "on_track"}).status_code == 403
    assert client.post(f"{ADD}?action={other.pk}").status_code == 302
    assert ProgressUpdate.objects.filter(recorded_by__isnull=False).count() == 0


def test_the_secretariat_moves_a_date_and_both_dates_are_on_the_page_and_the_paper(record, client):
    secretariat = make_user("Secretariat")
    action = Action.objects.get(ref="A04")
    sign_in(client, secretariat)
    address = f"{reverse('admin:recommendations_duedate_add')}?action={action.pk}"
    response = post_form(
        client,
        address,
        due="September 2098",
        reason_kind="dependency",
        reason="The supplier is late.",
    )
    assert response.status_code == 302
    position = client.get("/actions/A04/").context["action"]
    assert (str(position.baseline.due), str(position.due.due), position.revisions) == (
        "April 2023",
        "September 2098",
        1,
    )
    assert (position.misses_words, position.untold_words) == ("0", "1 date passed with nothing reported")
    for address in ("/actions/A04/", "/status/?annex"):
        shown = words(client.get(address))
        assert "April 2023" in shown
        assert "September 2098" in shown


def test_the_secretariat_prints_the_status_page_for_the_next_meeting(record, client):
    make_meeting(
        held_on=datetime.date(2099, 1, 15),
        covering_note="This paper replaces the spreadsheet.",
        asks=["Note the position."],
    )
    sign_in(client, make_user("Secretariat"))
    response = client.get("/status/")
    shown = words(response)
    for told in ("OFFICIAL", "15 January 2099", "This paper replaces the spreadsheet.", "Note the position."):
        assert told in shown
    for recommendation in client.get("/").context["board"].recommendations:
        assert recommendation.title in shown
    body = response.content.decode()
    assert [mark in body for mark in ("<form", "<nav", "csrf", "Sign out", "style=")] == [False] * 5


def test_a_grade_on_a_monitoring_visit_is_refused_and_nothing_is_saved(record, client):
    from visits.models import Judgement, JudgementArea, Visit

    visit = Visit.objects.get(slug="monitoring-visit-2")
    sign_in(client, make_user("Secretariat"))
    before = Judgement.objects.count()
    response = client.post(
        reverse("admin:visits_judgement_add"),
        {
            "visit": visit.pk,
            "area": JudgementArea.objects.first().pk,
            "grade": "good",
            "document": visit.document_id,
            "reference": "p1",
        },
    )
    assert response.status_code == 200
    assert "is not graded" in words(response)
    assert Judgement.objects.count() == before
