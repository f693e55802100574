"""Pages that are kept say what pages rendered afresh would, after whatever was written, and to whom."""

import datetime
import gzip
import re
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.http import Http404, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse

from bcp_board.tests.addresses import MEETING
from meetings.publishing import publish, what_is_read
from recommendations.measures import Measure
from recommendations.models import Action, ProgressUpdate, Recommendation
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_decision,
    make_due_date,
    make_measure_value,
    make_owner,
    make_send_back,
    make_update,
)
from record import erasure, kept, ledger
from record.as_at import AsAt
from record.models import Demonstration, Document, Meeting
from record.tests.admin_forms import fill_in
from record.tests.factories import change, make_meeting, make_user, saved
from record.triggers import guarded_models
from visits.models import Finding, Visit
from visits.tests.factories import make_finding

pytestmark = pytest.mark.again

PAGES = (
    "/",
    "/recommendations/1/",
    "/actions/A01/",
    "/actions/",
    "/actions/?q=no+such+words&status=complete",
    "/visits/full-1/",
    "/status/",
)
ALL_PAGES = (
    *PAGES,
    "/?as_at=2022-12-20&known=then",
    "/trends/",
    "/visits/",
    "/meetings/",
    f"/meetings/{MEETING}/",
    f"/meetings/{MEETING}/paper/",
    "/proof/",
)
# What a request needs beside its page: the session, the account, and the mark.
QUERIES = 3


@pytest.fixture
def reader(client, people):
    client.force_login(people["member"])
    client.get("/help/")  # the first page notes when the session was last used
    return client


def the_action():
    return Action.objects.get(ref="A01")


def bodies(client, pages=PAGES):
    return [client.get(page).content for page in pages]


def withdraw_the_last(people):
    last = ProgressUpdate.objects.order_by("-pk").first()
    ledger.append([last.withdrawal(by=people["officer"], reason="It was a slip")])


def correct_the_last(people):
    last = ProgressUpdate.objects.in_force().order_by("-pk").first()
    fields = {"corrects": last, "correction_reason": "It was a slip", "by": people["officer"]}
    make_update(the_action(), "off_track", dated="2022-12-21", **fields)


def erase_a_narrative(people):
    update = ProgressUpdate.objects.order_by("-pk").first()
    place = erasure.Place(ProgressUpdate, update.pk, "narrative", update.narrative)
    erasure.erase(
        [place], reason="A name, UK GDPR article 17", approved_by="Mary Example (Monitoring officer)"
    )


def decide_what_is_proposed(people):
    proposed = make_due_date(
        the_action(), "2027-05", dated="2022-12-22", by=people["officer"], needs_decision=True
    )
    make_decision(proposed, by=people["chair"], dated="2022-12-23")


def link_another_finding(people):
    finding = make_finding("F09", visit=Visit.objects.get())
    with saved(reason="It was left out"):
        Recommendation.objects.get().findings.add(finding)


def plan_a_meeting(people):
    make_meeting("2099-01-15")


def publish_its_paper(people):
    meeting = Meeting.objects.get(held_on="2099-01-15")
    publish(meeting.pk, by=people["secretariat"], read=what_is_read(meeting))


def report(people):
    make_update(the_action(), "at_risk", dated="2022-12-20", by=people["officer"])


def give_it_another_owner(people):
    clerk = people["secretariat"]
    make_owner(the_action(), clerk, dated="2022-12-24", by=clerk)


def assess(people):
    make_assessment(Recommendation.objects.get(), "off_track", dated="2022-12-20", by=people["chair"])


def send_a_completion_back(people):
    done = make_update(the_action(), "done", dated="2022-12-25", by=people["officer"])
    said = {"dated": "2022-12-26", "wanted_by": datetime.date(2023, 1, 31), "by": people["chair"]}
    make_send_back(done, **said)


def measure(people):
    make_measure_value("31%", "2022-12", Measure.objects.get(), by=people["officer"])


def change_its_title(people):
    change(the_action(), title="Another title")


def change_the_role_of_its_owner(people):
    change(the_action(), owner_role="Another role")


def change_a_recommendation(people):
    change(Recommendation.objects.get(), title="Another recommendation")


def add_an_action(people):
    make_action("A02", Recommendation.objects.get())


def change_a_finding(people):
    change(Finding.objects.get(ref="F01"), text="Something else was found")


def change_a_document(people):
    change(Document.objects.get(), title="Another report")


def close_an_account(people):
    people["olu"].is_active = False
    people["olu"].save()


def rename_an_account(people):
    people["officer"].first_name = "Another"
    people["officer"].save()


def decide_at_a_meeting(people):
    proposed = make_due_date(
        the_action(), "2027-07", dated="2022-12-27", by=people["officer"], needs_decision=True
    )
    held = Meeting.objects.get(held_on=MEETING)
    make_decision(proposed, by=people["chair"], dated="2022-12-28", meeting=held)


def put_right_the_day_of_the_meeting(people):
    change(Meeting.objects.get(held_on=MEETING), held_on=MEETING - datetime.timedelta(days=1))


def mark_a_demonstration(people):
    ledger.append([Demonstration(made_at=None, as_at=MEETING)])


WRITES = (
    report,
    correct_the_last,
    withdraw_the_last,
    decide_what_is_proposed,
    assess,
    send_a_completion_back,
    measure,
    change_its_title,
    change_the_role_of_its_owner,
    change_a_recommendation,
    add_an_action,
    change_a_finding,
    link_another_finding,
    change_a_document,
    erase_a_narrative,
    plan_a_meeting,
    publish_its_paper,
    close_an_account,
    give_it_another_owner,
    rename_an_account,
    decide_at_a_meeting,
    put_right_the_day_of_the_meeting,
    mark_a_demonstration,
)


@pytest.mark.sweep
def test_after_whatever_was_written_a_page_says_what_it_would_if_nothing_were_kept(reader, people):
    """In one history, so that what is kept of how the board stood is renewed again and again."""
    people = {**people, "olu": make_user("Officers", "olu")}
    make_owner(the_action(), people["olu"], dated="2022-12-01", by=people["secretariat"])
    before = bodies(reader)
    for write in WRITES:
        write(people)
        shown = bodies(reader)
        with override_settings(KEPT_PAGES_MEGABYTES=0):
            afresh = bodies(reader)
        assert [body.decode() for body in shown] == [body.decode() for body in afresh], write.__name__
        assert shown != before, write.__name__
        before = shown


def test_what_was_reported_is_shown_though_another_report_had_its_key_before_a_restore(
    reader, people, monkeypatch
):
    add_an_action(people)
    said = {"dated": "2022-12-29", "by": people["officer"]}
    with transaction.atomic():
        bodies(reader, ["/actions/"])
        lost = make_update(the_action(), "off_track", **said)
        bodies(reader, ["/actions/"])
        transaction.set_rollback(True)
    before = bodies(reader, ["/actions/"])
    told = make_update(Action.objects.get(ref="A02"), "off_track", **said)
    shown = bodies(reader, ["/actions/"])
    monkeypatch.setattr(kept, "shelf", kept.Shelf())

    assert connection.vendor == "postgresql" or told.pk == lost.pk
    assert before != shown == bodies(reader, ["/actions/"])


def test_a_page_that_is_kept_costs_three_queries_and_is_the_same(reader, django_assert_num_queries):
    before = bodies(reader, ALL_PAGES)
    for page, body in zip(ALL_PAGES, before, strict=True):
        with django_assert_num_queries(QUERIES):
            assert reader.get(page).content == body
        assert len(gzip.decompress(reader.get(page, headers={"accept-encoding": "gzip"}).content)) > 1000


def test_pages_are_compressed_where_that_is_understood_and_say_so(reader):
    body = reader.get("/").content
    for asks, is_compressed in (("gzip, br", True), ("br", False), ("gzip;q=0, br", False), ("", False)):
        response = reader.get("/", headers={"accept-encoding": asks})
        assert response.headers.get("Content-Encoding") == ("gzip" if is_compressed else None)
        assert (gzip.decompress(response.content) if is_compressed else response.content) == body
        assert response.headers["Content-Length"] == str(len(response.content))
        assert response.headers["Vary"] == "Accept-Encoding, Cookie"
        assert response.headers["Cache-Control"] == "private, no-store"


def test_a_kept_paper_allows_its_own_styles_and_each_answer_has_its_own_number(reader):
    first, second = (reader.get("/status/") for _ in range(2))
    policy = first.headers["Content-Security-Policy"]
    assert re.search("style-src 'self' 'sha256-", policy)
    assert second.headers["Content-Security-Policy"] == policy
    assert second.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert reader.head("/status/").headers["Content-Length"] == str(len(second.content))


def test_all_that_kept_pages_read_is_named_by_the_mark(reader):
    """It has an entry, or versions that have one, or is the name or standing of an account."""
    with CaptureQueriesContext(connection) as asked:
        bodies(reader, ALL_PAGES)
    words = set(re.findall(r"\w+", " ".join(query["sql"] for query in asked)))
    read = words & set(connection.introspection.table_names())
    guarded = guarded_models()
    edited = [model.instance_type for model in guarded if hasattr(model, "history_object")]
    links = [field.remote_field.through for model in edited for field in model._meta.many_to_many]
    named = {model._meta.db_table for model in (*guarded, *edited, *links)}
    assert len(read) > 30
    assert read - named == {"auth_user", "django_session"}


def test_what_is_kept_is_for_those_who_may_do_the_same(people):
    """Whoever works in the admin is led there, and is offered to record on the actions that are theirs."""
    another = make_user("Officers", "another")

    def offered(user):
        client = Client()
        client.force_login(user)
        body = client.get("/actions/A01/").content.decode()
        return ("/admin/" in body, "progressupdate/add" in body)

    for _ in range(2):  # afresh, then kept
        asked = [*(people[name] for name in ("member", "officer", "chair", "secretariat")), another]
        assert [offered(user) for user in asked] == [
            (False, False),
            (True, True),
            (True, False),
            (True, True),
            (True, False),
        ]


def test_a_message_is_for_one_reader_once(people):
    clerk, another = Client(), Client()
    for client in (clerk, another):
        client.force_login(people["secretariat"])
    action = the_action()
    typed = {"title": "Another title", "change_reason": "Too long"}
    fill_in(clerk, reverse("admin:recommendations_action_change", args=[action.pk]), **typed)
    said = "was changed successfully"
    assert [said in client.get("/").content.decode() for client in (another, clerk, clerk, another)] == [
        False,
        True,
        False,
        False,
    ]


def test_what_is_added_while_a_page_is_rendered_is_on_the_next(reader, people):
    asked = []

    def report_in_the_middle(execute, *query):
        asked.append(query)
        if len(asked) == 12:
            make_update(the_action(), "done", narrative="In the middle", by=people["officer"])
        return execute(*query)

    page = "/actions/A01/"
    with connection.execute_wrapper(report_in_the_middle):
        reader.get(page)
    assert len(asked) > 20
    assert "In the middle" in reader.get(page).content.decode()


def test_pages_take_no_more_memory_than_is_set_and_none_where_none_is(reader, settings):
    settings.KEPT_PAGES_MEGABYTES = 1
    for number in range(150):
        kept.shelf.keep(
            kept.Rendering(mark := kept.Mark.now()), number, kept.Page(b"x" * 9000, "text/html", None)
        )
    found = [number for number in range(150) if kept.shelf.page(number)[0]]
    assert len(found) == 104 and found[-1] == 149
    reader.get("/")
    assert kept.Mark.now() == mark
    settings.KEPT_PAGES_MEGABYTES = 0
    with CaptureQueriesContext(connection) as asked:
        reader.get("/")
    assert len(asked) > 40


def test_of_many_who_ask_for_a_page_at_once_one_has_it_rendered(new_database):
    """The others wait for it, also where it is not found."""
    rendered, others_came = [], Event()

    @kept.kept
    def page(request):
        rendered.append(request.path)
        others_came.wait(5)
        if request.path == "/nowhere/":
            raise Http404
        return HttpResponse("A page")

    def ask(path):
        request = RequestFactory().get(path)
        request.user, request.as_at = AnonymousUser(), AsAt.now(datetime.date(2026, 11, 28))
        try:
            return page(request).content
        except Http404:
            return "not found"
        finally:
            connection.close()

    with new_database(), ThreadPoolExecutor(8) as readers:
        for path, answer in (("/", b"A page"), ("/nowhere/", "not found")):
            others_came.clear()
            asked = [readers.submit(ask, path) for _ in range(8)]
            wait(asked, timeout=0.5)
            others_came.set()
            assert [each.result() for each in asked] == [answer] * 8
    assert rendered == ["/", "/nowhere/"]


def test_positions_make_room_by_how_much_they_hold_but_never_those_of_the_page_itself():
    shelf = kept.Shelf()

    def keep(number, rows):
        mark = kept.Mark(f"{number}", "past", number, "")
        rendering = kept.Rendering(mark)
        rendering.positions = {number: kept.Kept(mark, (None,) * rows, False)}
        shelf.keep_what_it_is_made_of(rendering)
        return [number for number in range(40) if shelf.position(number)]

    assert [keep(number, 60) for number in range(30)][-1] == list(range(6, 30))
    assert keep(30, 9_000) == [*range(14, 31)]
    assert keep(31, 20_000) == [31]
