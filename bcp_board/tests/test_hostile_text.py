"""What people type is text on every page and on paper, whatever it looks like."""

import re
from html.parser import HTMLParser

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import models

from bcp_board.tests.addresses import cast, example, make_record, routes
from recommendations.models import ProgressUpdate
from recommendations.tests.admin_forms import fill_in
from recommendations.tests.factories import make_action, make_update

CALLS = ["alert(1)", "confirm`1`", "top[`al`+`ert`](1)"]
SHAPES = [
    "<script>{}</script>",
    "<ScRiPt/x>{}</sCrIpT>",
    "</script><script>{}</script>",
    "<img src=x onerror={}>",
    "<img/src=x/onerror={}//",
    '"><svg onload={}>',
    "'><svg/onload={}>",
    "<svg><script>{}</script></svg>",
    "<svg><animate onbegin={} attributeName=x dur=1s>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror={}>",
    "<body onload={}>",
    "<iframe srcdoc='<script>{}</script>'></iframe>",
    "<iframe src=javascript:{}></iframe>",
    '<a href="javascript:{}">x</a>',
    '<a href="data:text/html,<script>{}</script>">x</a>',
    "[x](javascript:{})",
    "![x](x){{onerror={}}}",
    "javascript:{}",
    'https://example.org/" onmouseover="{}',
    "https://example.org/<script>{}</script>",
    "https://javascript:{}@example.org/",
    '" autofocus onfocus={} x="',
    "' style=animation-name:x onanimationstart={} '",
    "--><script>{}</script><!--",
    "</title><script>{}</script>",
    "</textarea><script>{}</script>",
    "</style><script>{}</script>",
    "]]><script>{}</script>",
    "<style>@import 'javascript:{}';</style>",
    "<meta http-equiv=refresh content='0;url=javascript:{}'>",
    "<base href=javascript:{}//>",
    "<form action=javascript:{}><button>x</button></form>",
    "<details open ontoggle={}>",
    "<object data=javascript:{}></object>",
    "<template><script>{}</script></template>",
]
PAYLOADS = [
    shape.replace("{}", call).replace("{{", "{").replace("}}", "}") for call in CALLS for shape in SHAPES
]
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
    """The elements of a page with the names of their attributes, and the addresses it leads to."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.leads_to = set(), set()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        names = tuple(sorted(name for name, _ in attributes))
        self.elements.add((tag, names))
        self.leads_to |= {
            value.strip().partition(":")[0].lower()
            for name, value in attributes
            if name in ("href", "src", "action", "formaction", "xlink:href", "data") and ":" in (value or "")
        }


def hostile(names):
    """Return {field: text} that gives each of the ``names`` a share of the payloads, one to a line."""
    return {name: "\n".join(PAYLOADS[at :: len(names)]) for at, name in enumerate(names)}


def make_hostile_record(people):
    """Put every payload into every field of text that the record has; return the action."""
    officer = people["officer"]
    action = make_record(officer)
    words = "\n".join(PAYLOADS)
    for status, fields in (
        ("at_risk", ["narrative", "reason", "recovery_step", "difference_made", "evidence"]),
        ("complete", ["narrative", "evidence", "difference_made"]),
    ):
        first = make_update(action, status, by=officer, **dict.fromkeys(fields, words))
    make_update(action, by=officer, narrative=words, corrects=first, correction_reason=PAYLOADS[7])
    for number, payload in enumerate(PAYLOADS):
        make_update(
            make_action(f"A{number + 10}", title=payload[:200], owner=officer, note=words),
            "off_track",
            by=officer,
            narrative=payload,
            reason=payload,
            recovery_step=payload,
        )
    User.objects.filter(pk=officer.pk).update(first_name=PAYLOADS[0], last_name=PAYLOADS[3])
    short = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
    texts = {models.CharField: short, models.TextField: words, models.URLField: "javascript:alert(1)"}
    for model in (model for model in apps.get_models() if hasattr(model, "history")):
        for row in model.objects.all()[:3]:
            for field in model._meta.concrete_fields:
                # A date is a CharField of its own kind, and the type of a field of ours is none of these.
                if type(field) in texts and not field.choices and not field.unique:
                    setattr(row, field.name, texts[type(field)][: field.max_length])
            row.save()
    return action


def everything(client, action):
    """Yield (address, page) for all that the signed-in person can read."""
    for route in routes():
        address = example(route)
        response = client.get(address)
        if response.status_code == 200 and "html" in response.headers["Content-Type"]:
            yield address, response.content.decode()


def skeletons(client, action):
    return {address: Skeleton(page) for address, page in everything(client, action)}


@pytest.mark.django_db
def test_hostile_text_adds_no_element_attribute_or_address_to_any_page(client):
    people = cast()
    action = make_hostile_record(people)
    client.force_login(people["superuser"])
    assert len(PAYLOADS) > 100

    pages = skeletons(client, action)

    assert len(pages) > 60
    written = {name for page in pages.values() for tag, names in page.elements for name in names}
    assert sorted(name for name in written if name.startswith("on") or name in ("style", "srcdoc")) == []
    tags = {tag for page in pages.values() for tag, names in page.elements}
    assert tags & {"iframe", "object", "embed", "base", "math", "template", "animate", "img", "mglyph"} <= {
        "img"
    }
    scripts = {names for page in pages.values() for tag, names in page.elements if tag == "script"}
    assert [names for names in scripts if "src" not in names and "data-popup-response" not in names] == []
    assert {lead for page in pages.values() for lead in page.leads_to} <= {"https", "http", "mailto"}


@pytest.mark.django_db
def test_hostile_text_is_shown_and_not_dropped(client):
    people = cast()
    make_hostile_record(people)
    client.force_login(people["secretariat"])

    page = client.get("/actions/A01/").content.decode()

    for payload in PAYLOADS:
        first = re.split(r"[&<>\"']|https?:", payload)[-1]
        assert first in page


@pytest.mark.django_db
@pytest.mark.parametrize("text", KINDS)
def test_any_writing_comes_back_byte_for_byte_from_form_to_page_and_paper(client, text):
    people = cast()
    action = make_record(people["officer"])
    client.force_login(people["officer"])
    narrative = f"[{text}]"

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
    shown = narrative.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").replace("'", "&#x27;")
    for page in ("/actions/A01/", "/status/"):
        assert shown in client.get(page).content.decode(), page


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


def test_hostile_text_runs_nothing_in_a_browser(page, live_server, client, transactional_db):
    people = cast()
    action = make_hostile_record(people)
    client.force_login(people["superuser"])
    wrong = []
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda said: wrong.append(said.text) if is_wrong(said) else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    elsewhere = []
    page.on(
        "request",
        lambda asked: elsewhere.append(asked.url) if not asked.url.startswith(live_server.url) else None,
    )
    page.context.add_cookies(
        [{"name": "board", "value": client.cookies["board"].value, "url": live_server.url}]
    )
    addresses = [address for address, _ in everything(client, action)]
    for address in addresses:
        page.goto(live_server.url + address)

    assert (wrong, elsewhere) == ([], [])
    assert len(addresses) > 60
