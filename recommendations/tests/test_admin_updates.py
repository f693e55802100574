"""Recording progress: what each person may say of an action, and what the record takes."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from recommendations.models import ProgressUpdate
from recommendations.tests.factories import make_action, make_due_date, make_update
from record.forms import opener_of
from record.signing import role_in
from record.tests.admin_forms import errors_of, fields_of, fill_in, open_form, sign_in
from record.tests.factories import add, make_user
from record.verification import first_fault

pytestmark = [pytest.mark.django_db, pytest.mark.again]

ADD = reverse("admin:recommendations_progressupdate_add")
LIST = reverse("admin:recommendations_progressupdate_changelist")


def page_for(action):
    return f"{ADD}?action={action.pk}"


def statuses_offered(client, action):
    form = client.get(page_for(action)).context["adminform"].form
    return [value for value, _ in form.fields["status"].choices if value]


def test_owner_records_progress_and_the_server_signs_it(client, officer, action):
    before = timezone.now()
    response = fill_in(
        sign_in(client, officer),
        page_for(action),
        status="on_track",
        dated="01/11/2022",
        narrative="The first report went to the board.",
        recorded_at="2001-01-01",
        recorded_by="999",
        signed="Ann (Chair)",
        on_behalf_of="999",
    )

    assert (response.status_code, response.url) == (302, "/admin/")
    row = ProgressUpdate.objects.get()
    assert (row.action, row.status, row.dated) == (action, "on_track", "2022-11-01")
    assert (row.recorded_by, role_in(row.signed), row.on_behalf_of) == (officer, "Officer", None)
    assert before <= row.recorded_at <= timezone.now()
    assert first_fault() is None
    message = client.get(response.url).content.decode()
    assert "Saved: A01, On track, 1 November 2022." in message
    assert '<a href="/actions/A01/">View A01 on the board</a>' in message


def test_form_opens_with_the_last_status_and_today_and_no_text(client, officer, action):
    make_update(action, "at_risk", by=officer)

    held = open_form(sign_in(client, officer), page_for(action))

    assert opener_of(held.pop("opened_by")) == officer.pk
    assert held == {
        "status": "at_risk",
        "dated": f"{timezone.localdate():%d/%m/%Y}",
        "opened_on": str(ProgressUpdate.objects.get().pk),
    }


@pytest.mark.parametrize("status", ["at_risk", "off_track"])
def test_trouble_without_a_reason_or_a_recovery_step_saves_nothing_and_keeps_what_was_typed(
    client, officer, action, status
):
    response = fill_in(
        sign_in(client, officer),
        page_for(action),
        status=status,
        dated="01/11/2022",
        narrative="It has stopped.",
    )

    assert response.status_code == 200
    assert sorted(errors_of(response)) == ["reason", "recovery_step"]
    page = response.content.decode()
    assert "<title>Error: " in page
    assert "It has stopped." in page
    assert ProgressUpdate.objects.count() == 0

    fill_in(
        client,
        page_for(action),
        status=status,
        dated="01/11/2022",
        narrative="It has stopped.",
        reason="No one to do it",
        recovery_step="Hire by March",
    )
    row = ProgressUpdate.objects.get()
    assert (row.reason, row.recovery_step) == ("No one to do it", "Hire by March")


def test_narrative_is_required(client, officer, action):
    response = fill_in(sign_in(client, officer), page_for(action), status="on_track", dated="01/11/2022")

    assert errors_of(response) == {"narrative": ["“What has happened” is needed."]}


@pytest.mark.once
@pytest.mark.parametrize(
    ("dated", "error"),
    [
        ("01/11/2099", "This date is in the future. Enter today or an earlier date."),
        ("30/9/2022", "The action began on 1 October 2022. Enter that date or a later one."),
        ("31/12/2018", "The record begins on 1 January 2019. Enter a later date."),
        ("31/2/2022", "31 February does not exist. Enter a date like 22/11/2022, November 2022 or 2024."),
        ("22/11", "Say which year. Enter a date like 22/11/2022, November 2022 or 2024."),
        ("01/01/9999", "Enter a date from 1990 to 2099."),
        (
            "1/11/2022\0",
            "This is not a day, a month or a year. Enter a date like 22/11/2022, November 2022 or 2024.",
        ),
        ("", "“Dated” is needed."),
    ],
)
def test_a_day_that_cannot_be_is_refused_at_its_field(client, officer, action, dated, error):
    response = fill_in(
        sign_in(client, officer), page_for(action), status="on_track", dated=dated, narrative="Done"
    )

    assert errors_of(response) == {"dated": [error]}
    assert ProgressUpdate.objects.count() == 0


def test_a_late_entry_may_speak_of_a_day_before_the_last_update(client, officer, action):
    make_update(action, "on_track", dated="2022-11-20", by=officer)

    fill_in(
        sign_in(client, officer),
        page_for(action),
        status="not_started",
        dated="November 2022",
        narrative="Entered late",
    )

    assert list(ProgressUpdate.objects.order_by("pk").values_list("dated", flat=True)) == [
        "2022-11-20",
        "2022-11",
    ]


def test_owners_are_offered_the_reports_and_cannot_post_an_acceptance(client, officer, action):
    make_update(action, "done", by=officer)
    reports = ["not_started", "on_track", "at_risk", "off_track", "done"]

    assert statuses_offered(sign_in(client, officer), action) == reports
    for status in ("complete", "embedded", "closed"):
        response = fill_in(
            client,
            page_for(action),
            status=status,
            dated="02/11/2022",
            narrative="Mine",
            reason="Mine",
            evidence="Mine",
            recheck_on="01/06/2023",
        )
        assert errors_of(response) == {
            "status": [
                "Choose one of the listed statuses. Only the Chair or the Secretariat can accept that an "
                "action is complete, embedded or closed."
            ]
        }
    assert ProgressUpdate.objects.count() == 1


@pytest.mark.parametrize("dated", ["01/11/2022", "02/11/2022"])
def test_an_owner_reopens_a_completed_action_by_reporting_worse(client, officer, action, dated):
    """She is told first that it does, because she may have the wrong action before her."""
    make_update(action, "complete", by=make_user("Chair"))
    typed = {
        "status": "off_track",
        "dated": dated,
        "narrative": "It did not hold",
        "reason": "Why",
        "recovery_step": "What next",
    }

    told = fill_in(sign_in(client, officer), page_for(action), **typed)
    assert told.context["adminform"].form.non_field_errors() == [
        "A01 is “Complete, evidenced”, accepted for 1 November 2022. Saving this reopens it. Nothing is "
        "saved yet, and what you typed is still here. Check that it is the right action; to reopen it, "
        "choose Save again."
    ]
    assert ProgressUpdate.objects.latest("pk").status == "complete"

    client.post(page_for(action), {**fields_of(told.context["adminform"].form), **typed})
    assert ProgressUpdate.objects.latest("pk").status == "off_track"


def test_a_correction_that_says_the_same_is_refused(client, officer, action):
    wrong = make_update(action, by=officer)

    response = fill_in(sign_in(client, officer), f"{ADD}?corrects={wrong.pk}", correction_reason="Typing")

    assert response.context["adminform"].form.non_field_errors() == [
        "This is what the earlier entry says. Change what was wrong in it."
    ]
    assert ProgressUpdate.objects.count() == 1


def test_the_list_says_which_entries_stand(client, officer, action):
    corrected, withdrawn = make_update(action, by=officer), make_update(action, by=officer)
    make_update(action, "at_risk", corrects=corrected, correction_reason="Worse", by=officer)
    add(withdrawn.withdrawal(by=officer, reason="Twice"))

    sign_in(client, officer)
    listed = client.get(reverse("admin:recommendations_progressupdate_changelist")).content.decode()

    said = re.findall(r'<td class="field-standing_in_words">([^<]*)</td>', listed)
    assert sorted(said) == ["Corrected", "Stands", "Withdrawn", "Withdraws another"]


def test_the_secretariat_records_for_the_owner_and_it_shows_as_such(client, officer, action):
    secretariat = make_user("Secretariat")

    fill_in(
        sign_in(client, secretariat),
        page_for(action),
        status="on_track",
        dated="01/11/2022",
        narrative="By telephone",
    )

    row = ProgressUpdate.objects.get()
    assert (row.recorded_by, role_in(row.signed), row.on_behalf_of) == (secretariat, "Secretariat", officer)


def test_nobody_opens_the_form_of_an_action_they_may_not_record_on(client, officer):
    owner = make_user("Officers", "other")
    row = make_update(other := make_action("A02", owner=owner), by=owner)
    sign_in(client, officer)

    for address in (
        page_for(other),
        f"{ADD}?corrects={row.pk}",
        reverse("admin:recommendations_action_change", args=[other.pk]),
        reverse("admin:recommendations_progressupdate_change", args=[row.pk]),
        reverse("admin:recommendations_duedate_add") + f"?action={other.pk}",
    ):
        assert (address, client.get(address).status_code) == (address, 403)
        assert (address, client.post(address, {"status": "on_track"}).status_code) == (address, 403)
    assert ProgressUpdate.objects.count() == 1


def test_an_action_posted_in_the_body_cannot_replace_the_one_in_the_address(client, officer, action):
    other = make_action("A02", owner=make_user("Officers", "other"))

    fill_in(
        sign_in(client, officer),
        page_for(action),
        action=str(other.pk),
        status="on_track",
        dated="01/11/2022",
        narrative="Mine",
    )
    assert ProgressUpdate.objects.get().action == action

    assert client.post(ADD, {"action": other.pk}).status_code == 403


def test_without_an_action_the_page_offers_only_those_one_may_record_on(client, officer, action):
    make_action("A02", owner=make_user("Officers", "other"))

    response = sign_in(client, officer).get(ADD)

    assert [str(subject) for subject in response.context["subjects"]] == ["A01: Title of A01"]
    everything = sign_in(client, make_user("Secretariat")).get(ADD)
    assert [subject.ref for subject in everything.context["subjects"]] == ["A01", "A02"]


@pytest.mark.parametrize("key", ["abc", "0", "99999", "1e3", "9" * 30, "-1", ""])
def test_an_action_that_does_not_exist_is_not_found(client, officer, key):
    assert sign_in(client, officer).get(f"{ADD}?action={key}").status_code == 404
    assert client.get(f"{ADD}?corrects={key}").status_code == 404


def test_an_owner_corrects_their_report_by_a_new_row_that_says_why(client, officer, action):
    wrong = make_update(action, "done", narrative="Finised", by=officer)
    address = f"{ADD}?corrects={wrong.pk}"
    held = open_form(sign_in(client, officer), address)
    assert (held["status"], held["dated"], held["narrative"]) == ("done", "1 November 2022", "Finised")

    response = fill_in(client, address, narrative="Finished")
    assert errors_of(response) == {"correction_reason": ["Say what was wrong with the earlier entry."]}

    fill_in(client, address, narrative="Finished", correction_reason="Spelling")
    right = ProgressUpdate.objects.latest("pk")
    assert (right.corrects, right.narrative, right.correction_reason) == (wrong, "Finished", "Spelling")
    wrong.refresh_from_db()
    assert wrong.narrative == "Finised"

    again = client.get(address)
    assert (again.status_code, again.url) == (
        302,
        reverse("admin:recommendations_progressupdate_change", args=[right.pk]),
    )
    assert client.get(f"{ADD}?corrects={right.pk}").status_code == 200


def test_an_owner_cannot_correct_away_what_the_board_accepted(client, officer, action):
    accepted = make_update(action, "complete", by=make_user("Chair"))

    assert sign_in(client, officer).get(f"{ADD}?corrects={accepted.pk}").status_code == 403


def test_a_row_loaded_from_a_document_keeps_its_imprecise_day_when_corrected(client, action):
    loaded = make_update(action, "done", dated="[2022-10-06..]")

    fill_in(
        sign_in(client, make_user("Secretariat")),
        f"{ADD}?corrects={loaded.pk}",
        narrative="Better words",
        correction_reason="It was unclear",
    )

    assert ProgressUpdate.objects.get(corrects=loaded).dated == "[2022-10-06..]"


def test_the_form_shows_how_the_action_stands(client, officer, action):
    make_due_date(action, "2022-12", by=make_user("Secretariat"))
    make_update(action, "on_track", narrative="Said last time", by=officer)

    page = sign_in(client, officer).get(page_for(action)).content.decode()

    assert "Said last time" in page
    assert "December 2022" in page


def test_officers_list_only_their_own_rows(client, officer, action):
    owner = make_user("Officers", "other")
    other = make_action("A02", owner=owner)
    mine = make_update(action, by=officer)
    make_update(other, by=owner)

    page = sign_in(client, officer).get(reverse("admin:recommendations_progressupdate_changelist"))

    assert [row.pk for row in page.context["cl"].result_list] == [mine.pk]


def test_the_list_tells_updates_of_one_day_apart_by_how_they_begin(client, officer, action):
    make_update(action, by=officer, narrative="Ten posts are filled.\nFour are not.")
    make_update(action, by=officer, narrative="The system was tested " + "again and " * 20)

    page = sign_in(client, officer).get(reverse("admin:recommendations_progressupdate_changelist"))

    begun = re.findall(r'<td class="field-narrative_in_short">(.*?)</td>', page.content.decode())
    assert begun == [
        "The system was tested again and again and again and again and again and again a…",
        "Ten posts are filled. Four are not.",
    ]
    assert len(begun[0]) == 80


def test_the_work_of_an_owner_leads_to_the_last_update_and_to_correcting_it(client, officer, action):
    make_update(action, by=officer)
    last = make_update(action, by=officer)
    address = reverse("admin:recommendations_progressupdate_change", args=[last.pk])

    assert f'href="{address}"' in sign_in(client, officer).get("/mine/").content.decode()
    assert "Correct this entry" in client.get(address).content.decode()


def test_the_page_of_an_action_leads_to_all_of_its_updates(client, officer, action):
    make_update(make_action("A02", owner=officer), by=officer)
    own = make_update(action, by=officer)

    page = sign_in(client, officer).get(reverse("admin:recommendations_action_change", args=[action.pk]))
    address = re.search(r'<a\s+href="([^"]*)"\s*>Read or correct updates</a>', page.content.decode())[1]

    assert [row.pk for row in client.get(address).context["cl"].result_list] == [own.pk]


@pytest.mark.parametrize("rows", [1, 10])
def test_the_list_of_updates_takes_the_same_queries_however_long(client, django_assert_num_queries, rows):
    secretariat = make_user("Secretariat")
    for number in range(10, 10 + rows):
        make_update(make_action(f"A{number}", owner=secretariat), by=secretariat)
    sign_in(client, secretariat)

    client.get("/admin/")  # the first page of a session also notes the time in it
    # session, user, 2 of permissions, 2 counts, rows, is this a demonstration
    with django_assert_num_queries(8):
        client.get(reverse("admin:recommendations_progressupdate_changelist"))


def test_the_list_says_what_stood_before_what_was_put_right_and_not_before_it_was_put_right(
    client, officer, action
):
    first = make_update(action, "off_track", by=officer, narrative="First")
    make_update(action, "at_risk", by=officer, narrative="Second")
    make_update(action, "off_track", by=officer, corrects=first, correction_reason="A slip")

    page = sign_in(client, make_user("Secretariat")).get(LIST).content.decode()
    changed = re.findall(r"((?:Not yet reported|Off track|At risk) → (?:Off track|At risk))", page)

    assert changed == ["Not yet reported → Off track", "Off track → At risk", "Not yet reported → Off track"]
