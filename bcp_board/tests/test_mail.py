"""How the mails go out: by a server or Notify, once each, and what is said where they cannot; addresses."""

import base64
import datetime
import hashlib
import hmac
import http.server
import io
import json
import re
import socket
import threading

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils import timezone

from bcp_board import notify
from bcp_board.backups import digest
from bcp_board.models import Mail, Why
from bcp_board.owed_mail import old_addresses
from bcp_board.sending import ABANDONED, claim, send
from bcp_board.tests.mails import BEFORE, DUE, owed, person, send_on, sent_now
from bcp_board.tests.test_access import client_of
from bcp_board.tests.test_accounts import GOOD, with_password
from recommendations.tests.factories import (
    make_action,
)
from record.ledger import append
from record.models import Demonstration
from record.tests.admin_forms import errors_of, fill_in, open_form
from record.tests.factories import make_user, noon

pytestmark = [pytest.mark.django_db, pytest.mark.again, pytest.mark.usefixtures("mails_go")]


# Sending -----------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    def at(moment):
        monkeypatch.setattr(timezone, "now", lambda: noon(moment))

    return at


def remind(*arguments):
    out = io.StringIO()
    call_command("remind", *arguments, stdout=out)
    return out.getvalue()


def test_a_dry_run_prints_what_would_be_sent_and_writes_nothing(month, clock):
    clock("2022-12-08")
    before = digest(connection)

    said = remind("--dry-run")

    assert said.startswith(
        "To: ann@example.gov.uk\nSubject: Reports are due for the board’s meeting of 20 December"
    )
    assert said.endswith("Nothing was sent.\n")
    assert (mail.outbox, Mail.objects.count(), digest(connection)) == ([], 0, before)
    assert remind() == "Mails sent: 1\n"
    assert remind("--dry-run") == "Nothing was sent.\n"


@pytest.mark.parametrize("is_demonstration", [False, True])
def test_where_no_mail_server_is_set_or_progress_is_invented_nothing_counts_as_sent(
    month, clock, settings, is_demonstration
):
    if is_demonstration:
        append([Demonstration(made_at=timezone.now(), as_at=DUE)])
    else:
        settings.SENDS_MAIL = False
    clock("2022-12-08")

    assert "To: ann@example.gov.uk\n" in remind()
    assert (mail.outbox, Mail.objects.count()) == ([], 0)


def test_whoever_has_no_address_is_named(month, ann, clock):
    ann.email = ""
    ann.save()
    clock("2022-12-08")

    assert "To: nobody, for Ann Person has no e-mail address\n" in remind("--dry-run")
    assert remind() == "Mails sent: 0\nHas no e-mail address: Ann Person\n"
    assert Mail.objects.count() == 0


@pytest.mark.again
def test_what_failed_is_named_and_sent_at_the_next_run(month, clock, settings, log):
    with socket.socket() as bound:  # nobody listens at a port that is only bound
        bound.bind(("127.0.0.1", 0))
        settings.EMAIL_HOST, settings.EMAIL_PORT = bound.getsockname()
        settings.EMAIL_USE_TLS = False
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        clock("2022-12-08")
        log()
        with pytest.raises(CommandError) as failure:
            remind()
    named = (
        "Not sent, and tried again at the next run:\nAnn Person, “Reports are due”: ConnectionRefusedError"
    )
    assert str(failure.value) == named
    (line,) = log()
    assert [line[name] for name in ("event", "outcome", "why", "kind")] == [
        "mail",
        "failed",
        "before",
        "ConnectionRefusedError",
    ]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    assert remind() == "Mails sent: 1\n"
    assert sent_now() == [BEFORE]


def smtp_server(refused):
    """A mail server that refuses the address ``refused``; return its port and the list of what it took."""
    listening, took = socket.create_server(("127.0.0.1", 0)), []

    def serve():
        with listening:
            while True:
                try:
                    conversation(*listening.accept())
                except OSError:
                    return

    def conversation(peer, _):
        with peer, peer.makefile("rwb") as wire:
            wire.write(b"220 hello\r\n")
            wire.flush()
            for line in wire:
                answer = b"250 ok\r\n"
                if line.upper().startswith(b"RCPT") and refused.encode() in line:
                    answer = b"550 nobody of that name\r\n"
                elif line.upper().startswith(b"DATA"):
                    wire.write(b"354 go on\r\n")
                    wire.flush()
                    took.append(b"".join(iter(wire.readline, b".\r\n")).decode())
                elif line.upper().startswith(b"QUIT"):
                    answer = b"221 bye\r\n"
                wire.write(answer)
                wire.flush()

    threading.Thread(target=serve, daemon=True).start()
    return listening, took


def test_one_address_that_is_refused_keeps_no_mail_from_the_others(month, settings):
    for name, ref in (("bob", "A07"), ("cy", "A08")):
        make_action(ref, owner=person("Officers", name), recorded_at=noon("2022-12-02"))
    server, took = smtp_server("bob@example.gov.uk")
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
    settings.EMAIL_USE_TLS, settings.EMAIL_TIMEOUT = False, 5
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

    sent = send_on("2022-12-08")

    server.close()
    assert (sent.count, sent.failed) == (2, ("Bob Person, “Reports are due”: SMTPRecipientsRefused",))
    assert [re.search("^To: (.*)\r$", text, re.MULTILINE)[1] for text in took] == [
        "ann@example.gov.uk",
        "cy@example.gov.uk",
    ]


@pytest.mark.parametrize("forged", ["ann@example.org\nBcc: all@example.org", "ann@example.org\r\n\r\nHi"])
def test_a_line_break_in_an_address_is_refused_and_one_in_a_name_adds_no_heading(month, ann, forged):
    cy = person("Secretariat", "cy")
    ann.email, ann.first_name = forged, "Ann\nBcc: all@example.org\n\nReports"
    ann.save()

    sent = send_on("2022-12-14")

    assert (sent.count, len(sent.failed)) == (1, 1)
    (message,) = mail.outbox
    assert message.recipients() == [cy.email]
    assert "bcc" not in {name.lower() for name in message.message()}
    assert "\nAnn Bcc: all@example.org Reports Person: 1\n" in message.body


def test_a_mail_whose_sender_died_is_sent_after_an_hour_and_not_before(month):
    (reminder,) = owed("2022-12-08")
    began = noon("2022-12-08")
    assert len(claim(reminder, now=began)) == 1

    for late, count in ((datetime.timedelta(minutes=59), 0), (ABANDONED, 1)):
        assert send(owed("2022-12-08"), now=began + late).count == count


@pytest.mark.django_db(transaction=True)
@pytest.mark.again
def test_of_two_runs_at_once_one_sends(month):
    found, barrier, counts = owed("2022-12-08"), threading.Barrier(4), []

    def run():
        try:
            barrier.wait()
            counts.append(send(found, now=noon("2022-12-08")).count)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(counts) == [0, 0, 0, 1]
    assert sent_now() == [BEFORE]


# GOV.UK Notify -----------------------------------------------------------------------------------------

SERVICE, SECRET = "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f", "ffffffff-0a1b-0a1b-0a1b-0a1b2c3d4e5f"


@pytest.fixture
def notify_server(settings, monkeypatch):
    """GOV.UK Notify, as far as we ask it: what it was sent, each with its headers; refuses bob."""
    sent = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            sent.append((self.headers["Authorization"], body))
            self.send_response(400 if "bob" in body["email_address"] else 201)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(notify.EmailBackend, "address", f"http://127.0.0.1:{server.server_port}/v2")
    settings.EMAIL_BACKEND, settings.EMAIL_TIMEOUT = "bcp_board.notify.EmailBackend", 5
    settings.NOTIFY_API_KEY, settings.NOTIFY_TEMPLATE = f"board-{SERVICE}-{SECRET}", "template"
    yield sent
    server.shutdown()
    server.server_close()


def decoded(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_notify_is_given_each_mail_with_a_token_signed_by_our_key(month, notify_server):
    for name, ref in (("bob", "A07"), ("cy", "A08")):
        make_action(ref, owner=person("Officers", name), recorded_at=noon("2022-12-02"))

    sent = send_on("2022-12-08")

    assert (sent.count, sent.failed) == (2, ("Bob Person, “Reports are due”: NotTaken",))
    assert [body["email_address"].partition("@")[0] for _, body in notify_server] == ["ann", "bob", "cy"]
    authorization, body = notify_server[0]
    assert body["template_id"] == "template"
    assert body["personalisation"]["subject"] == BEFORE[1]
    assert body["personalisation"]["body"].startswith("You own 1 open action")
    head, claims, proof = authorization.removeprefix("Bearer ").split(".")
    assert decoded(head) == {"typ": "JWT", "alg": "HS256"}
    assert decoded(claims)["iss"] == SERVICE
    assert abs(decoded(claims)["iat"] - timezone.now().timestamp()) < 30
    signed = hmac.digest(SECRET.encode(), f"{head}.{claims}".encode(), hashlib.sha256)
    assert proof == base64.urlsafe_b64encode(signed).rstrip(b"=").decode()


def test_notify_out_of_reach_fails_every_mail_and_asks_once(month, notify_server, monkeypatch):
    make_action("A07", owner=person("Officers", "bob"), recorded_at=noon("2022-12-02"))
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        monkeypatch.setattr(notify.EmailBackend, "address", f"http://127.0.0.1:{bound.getsockname()[1]}/")
        sent = send_on("2022-12-08")

    assert (sent.count, len(sent.failed)) == (0, 2)
    assert list(Mail.objects.values_list("claimed_at", "sent_at")) == [(None, None)] * 2


# Addresses ---------------------------------------------------------------------------------------------


@pytest.mark.again
def test_the_earlier_address_is_told_that_it_was_changed_and_then_forgotten(
    ann, django_capture_on_commit_callbacks
):
    client = client_of(make_user("Administrators"))
    page = f"/admin/auth/user/{ann.pk}/change/"

    with django_capture_on_commit_callbacks(execute=True):
        assert fill_in(client, page, email="new@example.gov.uk").status_code == 302

    assert sent_now() == [("ann@example.gov.uk", "Your e-mail address was changed")]
    assert [(m.account, m.why, m.address) for m in Mail.objects.all()] == [(ann, Why.ADDRESS, "")]
    with django_capture_on_commit_callbacks(execute=True):
        assert fill_in(client, page, first_name="Anne").status_code == 302
    assert sent_now() == []


def test_an_earlier_address_that_could_not_be_told_is_told_at_the_next_run(
    ann, settings, clock, django_capture_on_commit_callbacks
):
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1"
    settings.EMAIL_PORT = 1
    with django_capture_on_commit_callbacks(execute=True):
        fill_in(client_of(make_user("Administrators")), f"/admin/auth/user/{ann.pk}/change/", email="")
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert [each.address for each in old_addresses()] == ["ann@example.gov.uk"]

    assert remind() == "Mails sent: 1\n"
    assert sent_now() == [("ann@example.gov.uk", "Your e-mail address was changed")]
    assert old_addresses() == []


@pytest.mark.parametrize("sends", [True, False])
def test_whoever_signs_in_is_told_for_30_days_that_their_address_was_changed(ann, settings, sends):
    settings.SENDS_MAIL = sends
    with_password(ann)
    fill_in(
        client_of(make_user("Administrators")), f"/admin/auth/user/{ann.pk}/change/", email="new@example.org"
    )
    assert Mail.objects.get().address == ("ann@example.gov.uk" if sends else "")

    def told():
        client = client_of(None)
        client.post("/login/", {"username": "ann", "password": GOOD})
        return "Your e-mail address was changed on " in client.get("/").content.decode()

    assert told()
    assert told()
    Mail.objects.update(asked_at=timezone.now() - datetime.timedelta(days=31))
    assert not told()


@pytest.mark.parametrize(
    "typed", ["ann", "ann@", "ann@example.org\nBcc: x@example.org", "\u0430nn@example.org"]
)
def test_what_is_no_address_is_refused_at_its_field(ann, typed):
    response = fill_in(
        client_of(make_user("Administrators")), f"/admin/auth/user/{ann.pk}/change/", email=typed
    )

    assert list(errors_of(response)) == ["email"]


def test_two_who_change_one_address_are_told_of_each_other(ann):
    page = f"/admin/auth/user/{ann.pk}/change/"
    first, second = (client_of(make_user("Administrators", name)) for name in ("one", "two"))
    held = open_form(second, page)
    fill_in(first, page, email="first@example.gov.uk")

    assert list(errors_of(second.post(page, {**held, "email": "second@example.gov.uk"}))) == [""]
