"""What people type is text on every page and on paper, whatever it looks like."""

import re
from collections import Counter, deque
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import models, transaction
from django.utils.html import escape

from bcp_board.tests.addresses import cast, examples, make_record, written_down
from recommendations.models import Action, ProgressUpdate
from recommendations.tests.admin_forms import fill_in
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_decision,
    make_document,
    make_due_date,
    make_update,
)
from recommendations.triggers import guarded_models
from visits.models import Event

LINES = (Path(__file__).parent / "data" / "hostile_texts.txt").read_text().splitlines()
HOSTILE = [line for line in LINES if line and not line.startswith("# ")]
# The same, but for the characters that mean something in HTML
HARMLESS = [re.sub("[<>\"'&`]", "x", text) for text in HOSTILE]
# Those that begin as an address does, or end the attribute that an address stands in
ADDRESSES = [
    at for at, text in enumerate(HOSTILE) if re.match(r"[a-z ]+[:&]|//|[\"'`\\]|&", text, re.IGNORECASE)
]
DRAFT = "/meetings/2022-12-01/paper/?draft"
KINDS = [
    "emoji \U0001f600",
    "joined \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "comb\u0301i\u0308ning",
    "café",
    "cafe\u0301",
]
KINDS += [
    "astral \U00020000",
    "\u05e9\u05dc\u05d5\u05dd",
    "\u202eevil\u202c",
    "a\u00a0b\u2028c",
    "tab\tand 'quotes' \"& <",
]


class Skeleton(HTMLParser):
    """How often each element with its attributes is on a page, and the kinds of address it leads to."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.leads_to = Counter(), set()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        names = tuple(sorted(name for name, _ in attributes))
        self.elements[tag, names] += 1
        self.leads_to |= {
            value.strip().partition(":")[0].lower()
            for name, value in attributes
            if name in ("href", "src", "action", "formaction", "xlink:href", "data") and ":" in (value or "")
        }


class Turns:
    """Texts dealt out to short fields: each as many as it holds, and on with the next where it stopped."""

    def __init__(self, texts):
        self.waiting, self.unseen = deque(texts), set(texts)

    def take(self, length):
        """Return texts that together are no longer than ``length``."""
        while len(self.waiting[0]) > length:
            self.waiting.rotate(-1)
        taken = []
        while len(" ".join([*taken, self.waiting[0]])) <= length:
            taken.append(self.waiting[0])
            self.waiting.rotate(-1)
        self.unseen -= set(taken)
        return " ".join(taken)


def make_record_of(texts, officer):
    """Put ``texts`` into every field of text that the record has: long ones take all of them.

    Short ones take turns, until each of the texts has been in one; of those that are fit to be an
    address, each is the address of a document.
    """
    action, words, turns = make_record(officer), "\n".join(texts), Turns(texts)
    for status, fields in (
        ("at_risk", ["narrative", "reason", "recovery_step", "difference_made", "evidence"]),
        ("complete", ["narrative", "evidence", "difference_made"]),
    ):
        first = make_update(action, status, by=officer, **dict.fromkeys(fields, words))
    make_update(action, by=officer, narrative=words, corrects=first, correction_reason=turns.take(500))
    make_decision(
        make_due_date(action, "2023-05", by=officer, needs_decision=True, reason=words), reason=words
    )
    make_assessment(action.recommendations.get(), by=officer, narrative=words)
    names = {"first_name": turns.take(150), "last_name": turns.take(150)}
    User.objects.filter(pk=officer.pk).update(**names)
    for at in ADDRESSES:
        document = make_document(f"document-{at}", url=texts[at], title=turns.take(200))
        Event.objects.create(ref=f"E{at + 100}", date="2022-03", text=texts[at], document=document)
    guarded = guarded_models()
    for model in (m for m in apps.get_models() if hasattr(m, "history") and m not in guarded):
        for row in model.objects.order_by("pk")[:2]:
            for field in model._meta.concrete_fields:
                # A date is a CharField of its own kind.
                if type(field) is models.TextField:
                    setattr(row, field.name, words)
                elif type(field) is models.CharField and not field.choices and not field.unique:
                    setattr(row, field.name, turns.take(field.max_length))
            row.save()
    while turns.unseen:
        ref = f"A{Action.objects.count() + 10}"
        make_action(ref, title=turns.take(200), owner_role=turns.take(120), owner=officer)


def everything(client):
    """Yield (route, address, page) for all that the signed-in person can read."""
    for route, address in {**examples(), "draft": DRAFT}.items():
        response = client.get(address)
        if response.status_code == 200 and "html" in response.headers["Content-Type"]:
            yield route, address, response.content.decode()


@pytest.mark.once
@pytest.mark.django_db
def test_hostile_text_is_shown_and_adds_no_element_attribute_or_address_to_any_page(client):
    people = cast()
    client.force_login(people["superuser"])
    pages = {}
    for texts in (HARMLESS, HOSTILE):
        point = transaction.savepoint()
        make_record_of(texts, people["officer"])
        pages[texts is HOSTILE] = {route: page for route, _, page in everything(client)}
        transaction.savepoint_rollback(point)
    plain = {route: Skeleton(page) for route, page in pages[False].items()}
    found = {route: Skeleton(page) for route, page in pages[True].items()}

    assert (len(set(HOSTILE)), len(found) > 60, found.keys()) == (200, True, plain.keys())
    added = {route: page.elements - plain[route].elements for route, page in found.items()}
    assert {route: elements for route, elements in added.items() if elements} == {}
    assert {lead for page in found.values() for lead in page.leads_to} <= {"https", "http", "mailto"}
    for route in ("/actions/<slug:ref>/", "/status/", "draft"):
        shown = unescape(re.sub("<[^>]*>", "", pages[True][route]))
        assert [text for text in HOSTILE if text not in shown] == [], route


@pytest.mark.django_db
def test_any_writing_comes_back_byte_for_byte_from_form_to_page_and_paper(client):
    people = cast()
    action = make_record(people["officer"])
    client.force_login(people["officer"])
    narrative = " ".join(f"[{text}]" for text in KINDS)

    done = fill_in(
        client,
        f"/admin/recommendations/progressupdate/add/?action={action.pk}",
        status="off_track",
        narrative=narrative,
        reason=narrative,
        recovery_step="Next",
    )

    assert done.status_code == 302
    assert ProgressUpdate.objects.latest("pk").narrative.encode() == narrative.encode()
    for address in ("/actions/A01/", "/status/"):
        page = client.get(address).content.decode()
        assert [text for text in KINDS if f"[{escape(text)}]" not in page] == [], address


@pytest.mark.django_db
def test_text_that_turns_direction_cannot_reorder_its_neighbours(client):
    people = cast()
    action = make_record(people["officer"])
    make_update(action, by=people["officer"], narrative="\u202eevil")
    client.force_login(people["member"])

    page = client.get("/actions/A01/").content.decode()

    before = page[: page.index("\u202eevil")]
    opened = re.findall(r"<[^>]+>", before)[-1]
    assert opened.startswith(("<bdi", "<p", "<dd", "<div", "<blockquote", "<td", "<li"))


def is_wrong(said):
    # Chromium asks for an icon that no page speaks of.
    is_icon = said.location["url"].endswith("/favicon.ico")
    return said.type in ("error", "warning") and not is_icon


def test_hostile_text_runs_nothing_in_a_browser(page, served, client, transactional_db):
    people = cast()
    make_record_of(HOSTILE, people["officer"])
    client.force_login(people["superuser"])
    wrong, elsewhere = [], []
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda said: wrong.append(said.text) if is_wrong(said) else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request",
        lambda asked: elsewhere.append(asked.url) if not asked.url.startswith(served) else None,
    )
    page.context.add_cookies([{"name": "board", "value": client.cookies["board"].value, "url": served}])
    answers, found = written_down(), examples()
    addresses = [found[route] for route in found if answers[route, "GET"]["superuser"] == 200]
    for address in [*addresses, DRAFT]:
        assert page.goto(served + address).status == 200

    assert (wrong, elsewhere) == ([], [])
    assert len(addresses) > 60
