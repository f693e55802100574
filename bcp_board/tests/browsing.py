"""The site in a browser: databases to look at, every page there is to see, and a watch kept on each.

A Page is opened by somebody at an address. Some are seen only after a form is sent: ``fill`` is what is
typed, by the names of its fields, and ``press`` the button that sends it. In an address, the words in
braces stand for the keys of rows: see ``keys_of``.
"""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.management import call_command
from django.test import Client, override_settings
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from meetings.publishing import publish, what_is_read
from recommendations.due_dates import Decision, DueDate
from recommendations.models import Action, Assessment, ProgressUpdate
from recommendations.tests.factories import make_decision, make_due_date, make_update
from record.models import Meeting
from record.tests.factories import make_user
from visits.models import Visit

PASSWORD = "three unrelated words"
SAVE = "[name=_save]"
SEND = "main [type=submit], #content-main [type=submit]"


@dataclass(frozen=True)
class Page:
    who: str
    address: str
    press: str = ""
    fill: dict = field(default_factory=dict, hash=False)

    def __str__(self):
        return f"{self.who or 'nobody'} {self.address}{' sent' if self.press else ''}"


WRONG_SIGN_IN = {"username": "nobody", "password": "wrong"}
TWO_PASSWORDS = {"new_password1": "one", "new_password2": "another"}
UPDATES, DATES = "/admin/recommendations/progressupdate/", "/admin/recommendations/duedate/"
DECISIONS, ASSESSMENTS = "/admin/recommendations/decision/", "/admin/recommendations/assessment/"
OUTCOMES = "/admin/meetings/askoutcome/"
ACTIONS, USERS = "/admin/recommendations/action/", "/admin/auth/user/"

BOARD_PAGES = [
    *(
        Page("member", address)
        for address in (
            "/",
            "/?as_at=2022-11-22",
            "/?as_at=2024-06-01&known=then",
            "/?as_at=2020-01-01",
            "/?as_at=never",
            "/trends/",
            "/trends/record/",
            "/trends/?as_at=2022-11-22",
            "/trends/?as_at=2020-01-01",
            "/recommendations/4/",
            "/recommendations/6/",
            "/recommendations/9/?as_at=2022-11-22",
            "/actions/",
            "/actions/?q=nothing+says+this",
            "/actions/?status=purple&overdue=perhaps",
            "/actions/A01/?as_at=2022-12-01",
            "/actions/A05/",
            "/visits/",
            "/visits/{graded}/",
            "/visits/{not_graded}/",
            "/meetings/",
            "/meetings/{held_on}/",
            "/meetings/{held_on}/paper/",
            "/meetings/{next_on}/",
            "/meetings/{next_on}/paper/",
            "/proof/",
            "/new/",
            "/new/?page=2",
            "/status/",
            "/status/?as_at=2022-11-22",
            "/help/",
            "/help/tasks/",
            "/accessibility/",
            "/account/",
            "/password/",
            "/nowhere/",
        )
    ),
    Page("member", "/password/", SEND, TWO_PASSWORDS),
    Page("secretariat", "/round/"),
    Page("secretariat", "/round/", "[name=_note]", {"note-covering_note": "What is new"}),
    Page("officer", "/"),
    Page("officer", "/actions/A05/"),
    Page("officer", "/mine/"),
    Page("officer", "/mine/", SEND, {"A05-narrative": ""}),
    Page("secretariat", "/assign/"),
    Page("secretariat", "/assign/", SEND, {"A01-due": "soon", "All-reason": "Why"}),
    Page("", "/help/"),
    Page("", "/login/"),
    Page("", "/login/", SEND, WRONG_SIGN_IN),
    Page("", "/login/{uid}/{token}/"),
    Page("", "/login/{uid}/{token}/", SEND, TWO_PASSWORDS),
    Page("", "/login/{uid}/used-before/"),
]
ADMIN_PAGES = [
    *(
        Page("officer", address)
        for address in (
            "/admin/",
            "/admin/nowhere/",
            f"{ACTIONS}{{other}}/change/",
            f"{UPDATES}add/",
            f"{UPDATES}add/?action={{action}}",
            f"{UPDATES}add/?corrects={{update}}",
            UPDATES,
            f"{UPDATES}{{update}}/change/",
            f"{DATES}add/?action={{action}}",
            DATES,
            f"{DATES}{{proposal}}/change/",
            ACTIONS,
            f"{ACTIONS}{{action}}/change/",
            f"{ACTIONS}{{action}}/history/",
        )
    ),
    Page("officer", f"{UPDATES}add/?action={{action}}", SAVE, {"status": "at_risk"}),
    Page("officer", f"{DATES}add/?action={{action}}", SAVE, {"due": "soon"}),
    *(
        Page("chair", address)
        for address in (
            "/admin/",
            "/admin/recommendations/",
            f"{UPDATES}add/?action={{action}}",
            f"{DECISIONS}add/",
            f"{DECISIONS}add/?due_date={{proposal}}",
            DECISIONS,
            f"{DECISIONS}{{decision}}/change/",
            f"{ASSESSMENTS}add/",
            f"{ASSESSMENTS}add/?recommendation={{recommendation}}",
            ASSESSMENTS,
            f"{ASSESSMENTS}{{assessment}}/change/",
            f"{OUTCOMES}add/?ask={{ask}}",
            "/meetings/{held_on}/decide/",
            "/meetings/{next_on}/decide/",
        )
    ),
    Page("chair", "/meetings/{held_on}/decide/", SEND),
    Page("chair", f"{DECISIONS}add/?due_date={{proposal}}", SAVE),
    Page("chair", f"{ASSESSMENTS}add/?recommendation={{recommendation}}", SAVE),
    *(
        Page("secretariat", address)
        for address in (
            "/admin/",
            f"{ACTIONS}?q=A0&recommendations__id__exact={{recommendation}}",
            f"{ACTIONS}add/",
            f"{ACTIONS}{{action}}/change/",
            f"{ACTIONS}{{action}}/history/",
            f"{ACTIONS}{{action}}/history/{{version}}/",
            UPDATES,
            "/admin/recommendations/recommendation/{recommendation}/change/",
            "/admin/recommendations/measure/",
            "/admin/recommendations/risk/add/",
            "/admin/visits/visit/",
            "/admin/visits/visit/add/",
            "/admin/visits/visit/{visit}/change/",
            "/admin/record/document/add/",
            "/admin/visits/finding/",
            "/admin/visits/event/?q=nothing+says+this",
            "/admin/record/meeting/",
            "/admin/record/meeting/{held}/change/",
            "/admin/record/meeting/{next}/change/",
            "/admin/record/meeting/{next}/publish/",
            "/meetings/{held_on}/decide/?row=arising",
            "/meetings/{held_on}/decide/?row=present",
        )
    ),
    Page("secretariat", f"{ACTIONS}add/", SAVE),
    Page("secretariat", "/import/"),
    Page("secretariat", "/import/", SEND),
    Page("secretariat", "/admin/visits/visit/{visit}/change/", SAVE, {"dates": "soon"}),
    Page("secretariat", "/admin/record/meeting/{held}/publish/", SEND),
    *(
        Page("administrator", address)
        for address in (
            "/admin/",
            USERS,
            f"{USERS}add/",
            f"{USERS}{{user}}/change/",
            f"{USERS}{{user}}/link/",
        )
    ),
    Page("administrator", f"{USERS}add/", SAVE),
    Page("administrator", f"{USERS}{{user}}/link/", SEND),
    Page("admin", f"{USERS}{{user}}/change/"),
]


def fill_record():
    """Load the real record, and make somebody of every role; the officer owns A05 and A07."""
    call_command("seed", verbosity=0)
    add_people()


def add_people():
    with override_settings(DEBUG=True, PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        call_command("local_accounts", "--password", PASSWORD, verbosity=0)
    make_user("Administrators", "administrator")
    make_user("Officers", "newcomer")  # who never signs in, which would end a one-time link


def fill_demonstration():
    """Load the record with invented progress, so that every page has something on it."""
    with override_settings(DEBUG=True):
        call_command("demo", "--actions", "3", "--updates", "6", verbosity=0)
    add_people()
    today = timezone.localdate()
    officer, secretariat = (User.objects.get(username=name) for name in ("officer", "secretariat"))
    action = Action.objects.get(ref="A05")
    said = {"dated": str(today), "by": officer}
    wrong = make_update(action, **said)
    make_update(action, **said, narrative="Put right", corrects=wrong, correction_reason="Wrong action")
    refused = make_due_date(action, "2098", **said, needs_decision=True, reason_kind="scope")
    make_decision(refused, "refused", **said)
    make_due_date(action, "2099-06", **said, needs_decision=True, reason_kind="scope")
    held = Meeting.objects.filter(held_on__lte=today).latest("held_on")
    publish(held.pk, by=secretariat, read=what_is_read(held), reason="Put right")


def keys_of():
    """What the words in braces in the addresses stand for."""
    today = timezone.localdate()
    action, user = Action.objects.get(ref="A05"), User.objects.get(username="newcomer")
    held = Meeting.objects.filter(held_on__lte=today).latest("held_on")
    to_come = Meeting.objects.filter(held_on__gt=today).earliest("held_on")
    visit = Visit.objects.exclude(judgements=None).first()
    return {
        "action": action.pk,
        "other": Action.objects.get(ref="A01").pk,
        "update": ProgressUpdate.objects.filter(action=action).latest("pk").pk,
        "proposal": DueDate.objects.latest("pk").pk,
        "decision": Decision.objects.latest("pk").pk,
        "assessment": Assessment.objects.latest("pk").pk,
        "recommendation": action.recommendations.first().pk,
        "version": action.history.latest().pk,
        "ask": held.asks.first().pk,
        "visit": visit.pk,
        "graded": visit.slug,
        "not_graded": "monitoring-visit-2",
        "held": held.pk,
        "held_on": held.held_on,
        "next": to_come.pk,
        "next_on": to_come.held_on,
        "user": user.pk,
        "uid": urlsafe_base64_encode(force_bytes(user.pk)),
        "token": default_token_generator.make_token(user),
    }


def cookie_of(username):
    """The session of ``username``, signed in this moment, as a cookie for Playwright."""
    client = Client()
    client.force_login(User.objects.get(username=username))
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value}


class Watch:
    """What went wrong on the pages of one browser: words on its console, and calls to other hosts."""

    def __init__(self, context, url):
        self.host, self.opened, self.wrong = urlsplit(url).netloc, set(), []
        context.on("console", self.hear)
        context.on("weberror", lambda error: self.wrong.append(str(error.error)))
        context.on("request", self.see)

    def see(self, request):
        if request.is_navigation_request():
            self.opened.add(request.url)
        parts = urlsplit(request.url)
        if parts.scheme != "data" and parts.netloc != self.host:
            self.wrong.append(f"asked {request.url}")

    def hear(self, message):
        # A page that says 404 is a page; a stylesheet that does is a fault. Papers can name no icon.
        address = message.location["url"]
        is_page = address in self.opened or address.endswith("/favicon.ico")
        refused = message.text.startswith("Failed to load resource") and is_page
        if message.type in ("error", "warning") and not refused:
            self.wrong.append(f"{message.text} ({address})")


class Site:
    """The running site, over the database that is now the default."""

    def __init__(self, url):
        self.url = url

    def open(self, browser_page, page, keys):
        """Open ``page``, send its form if it has one to send, and return the response."""
        response = browser_page.goto(page.address.format(**keys))
        if page.press:
            for name, value in page.fill.items():
                box = browser_page.locator(f"[name={name}]")
                is_list = box.evaluate("box => box.tagName") == "SELECT"
                box.select_option(value) if is_list else box.fill(value)
            with browser_page.expect_navigation() as sent:
                browser_page.locator(page.press).first.click()
            response = sent.value
        return response
