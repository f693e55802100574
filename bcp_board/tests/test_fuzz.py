"""Odd input in every address, parameter, cookie and field: an answer in plain words, never a failure."""

import itertools
import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from bcp_board.backups import digest
from bcp_board.tests.addresses import cast, example, make_record, routes
from recommendations.models import Assessment, Decision, DueDate, ProgressUpdate

pytestmark = pytest.mark.django_db
# 301 adds the slash at the end of an address.
FINE = {200, 301, 302, 400, 403, 404, 405, 409, 413, 414, 422, 429, 431}
PAYLOADS = [
    "",
    "a\0b",
    "\0",
    "0",
    "-1",
    "1e9",
    str(10**20),
    "9" * 400,
    "٣",
    "²",
    "true",
    "abc",
    "None",
    "0000-00-00",
    "0001-01-01",
    "2022-02-30",
    "2027-02-29",
    "9999-12-31",
    "2022-11-22T00:00",
    "29/03/2026",
    "31/12/9999",
    "30/09/2122",
    "' OR '1'='1",
    "1; DROP TABLE auth_user --",
    "%(x)s %s %%",
    "{{7*7}}{% debug %}",
    "{0.__class__}",
    "${7*7}#{7*7}",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "\u202eevil\u2066\u2069",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "e\u0301\u200d\u0489" * 50,
    "../../etc/passwd",
    "\r\nSet-Cookie: a=b",
    "x" * 3_000,
    "1,2,3",
    "1.2.-3.99.x",
    "__class__",
    "password",
    "id",
]
BOARD = [
    "as_at",
    "known",
    "page",
    "before",
    "version",
    "status",
    "recommendation",
    "owner",
    "overdue",
    "stale",
    "q",
    "next",
]
ADMIN = [
    "o",
    "p",
    "q",
    "e",
    "all",
    "_to_field",
    "_popup",
    "_changelist_filters",
    "_facets",
    "id",
    "id__in",
    "id__isnull",
    "pk__gt",
    "dated_first__year",
    "recorded_at__year",
    "held_on__year",
    "recorded_at__date",
    "agreed_on_first__gte",
    "status__exact",
    "is_critical__exact",
    "last_login__year",
    "password__startswith",
    "action",
    "due_date",
    "corrects",
    "recommendation",
    "app_label",
    "model_name",
    "field_name",
    "term",
]


@pytest.fixture
def visitor():
    """Return a function that asks as the secretariat and undoes what was done, and one that asks to read."""
    people = cast()
    make_record(people["officer"])
    client = Client(raise_request_exception=False)
    client.force_login(people["secretariat"])
    return client


def asked(client, method, *arguments, undo=False, **more):
    """Return the status of the answer; a statement that failed spoils no other, and ``undo`` all of them."""
    point = transaction.savepoint()
    status = client.generic(method, *arguments, **more).status_code
    try:
        (transaction.savepoint_rollback if undo else transaction.savepoint_commit)(point)
    except DatabaseError:
        transaction.savepoint_rollback(point)
    return status


def failures(found):
    return {key: status for key, status in found.items() if status not in FINE}


def dealt(addresses, names, share=1):
    """Yield (address, name, payload): every name meets one payload in ``share``, each on another address."""
    turn = itertools.cycle(addresses)
    for number, name in enumerate(names):
        for payload in PAYLOADS[number % share :: share]:
            yield next(turn), name, payload


def test_odd_parameters_never_fail_and_change_nothing(visitor):
    before, found = digest(connection), {}
    pages = [route for route in routes() if route not in ("/logout/",)]
    board = [example(route) for route in pages if not route.startswith("/admin/")]
    admin = [example(route) for route in pages if re.fullmatch(r"/admin/\w+/\w+/(add/)?|/admin/\w+/", route)]
    lists = [example(route) for route in pages if re.fullmatch(r"/admin/\w+/\w+/", route)]

    def ask(address, name, payload):
        address = f"{address}?{urlencode({name: payload})}"
        found[address] = asked(visitor, "GET", address)

    for case in dealt(board, BOARD, share=2):
        ask(*case)
    for case in dealt(admin, ADMIN, share=6):
        ask(*case)
    for case in dealt(lists, ["o", "p", "q", "recorded_at__year", "id"], share=3):
        ask(*case)

    assert failures(found) == {}
    assert digest(connection) == before


def test_every_link_that_the_pages_hold_leads_somewhere(visitor):
    seen, waiting, shapes = {}, ["/", "/admin/"], {}
    while waiting and len(seen) < 400:
        address = waiting.pop()
        parts = urlsplit(address)
        shape = (re.sub(r"\d+", "0", parts.path), tuple(name for name, _ in parse_qsl(parts.query)))
        if address in seen or shapes.get(shape, 0) > 0:
            continue
        shapes[shape] = shapes.get(shape, 0) + 1
        response = visitor.get(address)
        seen[address] = response.status_code
        if "html" not in response.headers.get("Content-Type", ""):
            continue
        for link in re.findall(r'(?:href|action)="([^"#]*)', response.content.decode()):
            link = link.replace("&amp;", "&")
            if link.startswith("?"):
                link = parts.path + link
            if link.startswith("/") and not link.startswith(("/static/", "/logout/")):
                waiting.append(link)

    assert len(seen) > 60
    assert {address: status for address, status in seen.items() if status != 200} == {}


def test_odd_addresses_never_fail(visitor):
    found, payloads = {}, itertools.cycle(PAYLOADS)
    for route in routes():
        whole = example(route)
        parts = whole.split("/")
        places = [at for at, part in enumerate(route.split("/")) if "<" in part or "(" in part]
        for at in [place for place in places if place < len(parts)] * 8:
            payload = next(payloads)
            address = "/".join([*parts[:at], quote(payload[:300], safe=""), *parts[at + 1 :]])
            found[address] = asked(visitor, "GET", address)
    for number in [*range(-1, 12), 2**31, 2**63, 10**30]:
        for page in ("/recommendations/{}/", "/actions/{}/", "/admin/recommendations/action/{}/history/"):
            found[page.format(number)] = asked(visitor, "GET", page.format(number))

    assert failures(found) == {}


@pytest.mark.parametrize(
    "cookie",
    [
        'board="abcdefgh\\000ijkl"',
        "board=a\0b",
        'csrf="\\000\\000"',
        "board=" + "x" * 4000,
        "board=é\xff",
        "board; =; ==;;;",
        "messages=[[[",
        "__Host-board=x",
    ],
)
def test_odd_cookies_never_fail(cookie):
    for address, method in (("/", "GET"), ("/login/", "GET"), ("/login/", "POST"), ("/healthz", "GET")):
        client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        assert asked(client, method, address, HTTP_COOKIE=cookie) in FINE


def fields_of(page):
    """Return {name: value} of what the last form on a page with method post would send."""
    forms = re.findall(r'<form[^>]*method="post".*?</form>', page, re.DOTALL)
    forms = [form for form in forms if "/logout/" not in form]
    found = {}
    for form in forms:
        for tag in re.findall(r"<(?:input|select|textarea)[^>]*>", form):
            name = re.search(r'\sname="([^"]*)"', tag)
            value = re.search(r'\svalue="([^"]*)"', tag)
            if name and name[1] != "csrfmiddlewaretoken":
                found.setdefault(name[1], value[1] if value else "")
    return found


def forms(visitor):
    """Return {address: {field: value}} of every form that the secretariat or a visitor may send."""
    pages = {ProgressUpdate: "action", DueDate: "action", Decision: "due_date", Assessment: "recommendation"}
    addresses = [example(route) for route in routes() if "history" not in route]
    for model, subject in pages.items():
        row = model.objects.earliest("pk")
        add = f"/admin/recommendations/{model._meta.model_name}/add/"
        addresses += [f"{add}?{subject}={getattr(row, subject).pk}", f"{add}?corrects={row.pk}"]
    found = {}
    for address in addresses:
        response = visitor.get(address)
        if response.status_code == 200 and "html" in response.headers["Content-Type"]:
            found[address] = fields_of(response.content.decode())
    return {address: fields for address, fields in found.items() if fields}


def test_odd_fields_never_fail(visitor):
    found, payloads = {}, itertools.cycle(PAYLOADS)
    known = forms(visitor)
    assert len(known) > 30
    for address, fields in known.items():
        for name in [*fields, "action", "_selected_action", "_popup", "_to_field", "_saveasnew"]:
            payload = next(payloads)
            body = urlencode({**fields, "index": "0", name: payload})
            kind = "application/x-www-form-urlencoded"
            found[address, name, payload] = asked(visitor, "POST", address, body, kind, undo=True)

    assert failures(found) == {}


def test_signing_in_with_odd_names_never_fails():
    found = {}
    for name, payload in itertools.product(("username", "password", "next"), PAYLOADS):
        body = urlencode({"username": "a", "password": "b", name: payload})
        client = Client(raise_request_exception=False, REMOTE_ADDR=f"10.0.0.{len(found) % 250}")
        kind = "application/x-www-form-urlencoded"
        found[name, payload] = asked(client, "POST", "/login/", body, kind, undo=True)

    assert failures(found) == {}


MULTIPART = "multipart/form-data; boundary=xx"
BODIES = {
    "a thousand and one fields": (
        "&".join(f"f{n}=1" for n in range(1001)),
        "application/x-www-form-urlencoded",
    ),
    "more than the site takes": ("narrative=" + "x" * 2_700_000, "application/x-www-form-urlencoded"),
    "a million characters": ("narrative=" + "x" * 1_000_000, "application/x-www-form-urlencoded"),
    "a billion rows": (
        "judgements-TOTAL_FORMS=1000000000&findings-TOTAL_FORMS=-5",
        "application/x-www-form-urlencoded",
    ),
    "no such character set": ("narrative=x", "application/x-www-form-urlencoded; charset=nope"),
    "bytes that are no text": (
        b"narrative=%ff%fe\xff\xc3&\xe9=1",
        "application/x-www-form-urlencoded; charset=utf-8",
    ),
    "a form cut short": (b'--xx\r\nContent-Disposition: form-data; name="narrative"\r\n\r\nabc', MULTIPART),
    "a form without a boundary": (b"--xx\r\n", "multipart/form-data"),
    "a file": (
        b'--xx\r\nContent-Disposition: form-data; name="narrative"; filename="a\x00b/../../c.svg"\r\n\r\n'
        b"x\r\n--xx--\r\n",
        MULTIPART,
    ),
    "json": ('{"narrative": 1', "application/json"),
    "nothing": ("", ""),
    "a strange kind": ("x", "text/é; charset=\x7f"),
    "a name with a NUL": ("narrat%00ive=%00", "application/x-www-form-urlencoded"),
    "a choice that is no number": (
        "action=delete_selected&_selected_action=abc",
        "application/x-www-form-urlencoded",
    ),
}


@pytest.mark.parametrize("body", BODIES)
def test_odd_bodies_never_fail(visitor, body):
    content, kind = BODIES[body]
    found = {
        address: asked(visitor, "POST", address, content, kind, undo=True)
        for address in (
            "/login/",
            "/password/",
            "/actions/",
            "/admin/visits/visit/",
            "/admin/visits/visit/add/",
            example("/admin/visits/visit/<path:object_id>/change/"),
            example("/admin/meetings/meeting/<int:pk>/publish/"),
            f"/admin/recommendations/progressupdate/add/?action={example('/admin/x/action/<pk>/').split('/')[-2]}",
        )
    }
    anonymous = Client(raise_request_exception=False)
    found |= {("nobody", "/login/"): asked(anonymous, "POST", "/login/", content, kind, undo=True)}

    assert failures(found) == {}


def test_what_is_too_long_is_an_error_at_its_field_that_keeps_what_was_typed(visitor):
    address = example("/admin/recommendations/action/<path:object_id>/change/")
    fields = fields_of(visitor.get(address).content.decode())
    before = digest(connection)

    response = visitor.post(address, {**fields, "title": "Kept " + "x" * 200})

    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == ["title"]
    assert "Kept " + "x" * 200 in response.content.decode()
    assert digest(connection) == before
