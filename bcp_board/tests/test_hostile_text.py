"""What people type is text on every page and on paper, whatever it looks like."""

import re
from collections import Counter
from html import unescape
from html.parser import HTMLParser

import pytest
from django.db import transaction
from django.utils.html import escape

from bcp_board.tests.addresses import cast, examples, make_record
from bcp_board.tests.hostile_texts import DRAFT, HARMLESS, HOSTILE, make_record_of
from recommendations.models import ProgressUpdate
from record.tests.admin_forms import fill_in

pytestmark = pytest.mark.sweep

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
    # On sheets a longer text goes on overleaf, in one more element of the kind in which it began.
    for route in ("/status/", "draft"):
        found[route].elements = Counter(set(found[route].elements) - set(plain[route].elements))
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


# Each is a paragraph of its own, in which turned text ends.
BLOCKS = "p li td th dd dt h1 h2 h3 h4 div caption option summary label legend title textarea button section"
BLOCKS = {*BLOCKS.split(), "main", "ul", "ol", "dl", "body", "text"}


class Turned(HTMLParser):
    """Collects what follows text that turns direction in one block, so that it is turned as well."""

    def __init__(self, page):
        super().__init__()
        self.open, self.loose = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag in ("br", "input", "meta", "link", "img", "hr"):
            return
        classes = (dict(attributes).get("class") or "").split()
        # The description of a drawing is read out and not drawn.
        self.open.append((tag, tag in ("bdi", "desc") or "said" in classes, []))

    def handle_endtag(self, tag):
        while self.open:
            name, _, texts = self.open.pop()
            said = " ".join(texts)
            _, turns, after = said.partition("\u202e")
            if turns and name != "title" and f"{turns}{after}".replace("\u202eevil", "").strip(" \n…\u202e"):
                self.loose.append(" ".join(said.split()))
            if name == tag:
                return

    def handle_data(self, text):
        for name, isolates, texts in reversed(self.open):
            if isolates:
                return
            if name in BLOCKS:
                texts.append(text)
                return


@pytest.mark.django_db
@pytest.mark.once
def test_text_that_turns_direction_is_isolated_by_itself_on_every_page_of_the_board(client):
    people = cast()
    make_record_of(["\u202eevil"] * len(HOSTILE), people["officer"])
    client.force_login(people["superuser"])

    pages = ((address, page) for _, address, page in everything(client) if not address.startswith("/admin/"))
    found = {address: Turned(page).loose for address, page in pages}

    assert {address: loose for address, loose in found.items() if loose} == {}
    assert Turned("<p>A \u202eevil B</p>").loose == ["A \u202eevil B"]
    assert Turned("<p>A <bdi>\u202eevil</bdi> B</p>").loose == []
