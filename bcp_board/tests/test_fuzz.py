"""Odd input in every address, parameter, cookie and field: an answer in plain words, never a failure."""

import itertools
import re
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import pytest
from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils.html import escape

from bcp_board.backups import digest
from bcp_board.tests.crawling import Page, follow
from recommendations.models import Action
from record.tests.admin_forms import errors_of, fill_in

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]
# 301 adds the slash at the end of an address.
FINE = {200, 301, 302, 400, 403, 404, 405, 409, 413, 414, 422, 429, 431}
PAYLOADS = [
    "",
    "a\0b",
    "0",
    "-1",
    "1e9",
    str(10**20),
    "9" * 400,
    "٣",
    "²",
    "abc",
    "None",
    "0000-00-00",
    "0001-01-01",
    "2022-02-30",
    "9999-12-31",
    "2022-11-22T00:00",
    "31/12/9999",
    "' OR '1'='1",
    "%(x)s %s %%",
    "{{7*7}}{% debug %}",
    "{0.__class__}",
    '"><img src=x onerror=alert(1)>',
    "\u202eevil\u2066\u2069",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "e\u0301\u200d\u0489" * 50,
    "../../etc/passwd",
    "\r\nSet-Cookie: a=b",
    "x" * 3_000,
    "a " * 1_500,
    "1_5F",
    "1,2,3",
    "1.2.-3.99.x",
    "__class__",
]
# Those that one database takes and another may refuse, with which the second is asked
REFUSED_BY_SOME = [
    *["a\0b", "-1", "1e9", str(10**20), "9" * 400, "٣", "²", "None", "2022-02-30", "0001-01-01"],
    *["9999-12-31", "' OR '1'='1", "%(x)s %s %%", "\U0001f600", "x" * 3_000],
]
# What Django's admin reads without a page that links to it: on every list, and on every form.
LISTS = ["o", "p", "q", "e", "all", "_to_field", "_popup", "_changelist_filters", "_facets"]
FORMS = ["_to_field", "_popup", "_changelist_filters"]
LOOKUPS = [
    "id",
    "id__in",
    "id__isnull",
    "id__year",
    "pk__gt",
    "dated_first__year",
    "recorded_at__year",
    "recorded_at__date",
    "held_on__year",
    "agreed_on_first__gte",
    "status__exact",
    "is_critical__exact",
    "last_login__year",
    "password__startswith",
]
# Whether they are there is all that is read of these.
FLAGS = {"draft", "_popup"}
# What no page of so small a record links to
UNLINKED = {
    "/login/": ["next"],
    "/actions/": ["page", "q"],
    "/meetings/2022-12-01/paper/": ["draft", "version"],
    "/calendar.ics": ["token"],
    **dict.fromkeys(("/actions/A01/", "/recommendations/1/"), ["before", "history"]),
    "/admin/recommendations/progressupdate/add/": ["from"],
    "/admin/autocomplete/": ["app_label", "model_name", "field_name", "term"],
}


@pytest.fixture(scope="module")
def crawl(whole_record):
    client = Client()
    client.force_login(whole_record["superuser"])
    found = follow(client, ["/", "/admin/"])
    for address, names in UNLINKED.items():
        found.note(address, names)
    lists = [path for path in found.statuses if re.fullmatch(r"/admin/\w+/\w+/", path)]
    for path in lists:
        found.note(path, LISTS)
        found.note(f"{path}add/", FORMS)
        model = apps.get_model(*path.split("/")[2:4])
        found.note(path, [name for name in LOOKUPS if has_field(model, name.partition("__")[0])])
    for names in [names for names in found.parameters if len(names) > 1]:
        for name in names:
            if found.parameters.get((name,), {}).keys() <= found.parameters[names].keys():
                found.parameters.pop((name,), None)
    return found


def has_field(model, name):
    try:
        return name == "pk" or bool(model._meta.get_field(name))
    except FieldDoesNotExist:
        return False


def tried():
    return PAYLOADS if connection.vendor == "sqlite" else REFUSED_BY_SOME


@pytest.fixture
def visitor(people):
    """Somebody who may do whatever anybody may, and who sees a failure as a page."""
    client = Client(raise_request_exception=False)
    client.force_login(people["superuser"])
    return client


def answer(client, method, *arguments, undo=False, **more):
    """The answer; a statement that failed spoils no other, and ``undo`` takes all of them back."""
    point = transaction.savepoint()
    response = client.generic(method, *arguments, **more)
    try:
        (transaction.savepoint_rollback if undo else transaction.savepoint_commit)(point)
    except DatabaseError:
        transaction.savepoint_rollback(point)
    return response


def asked(*arguments, **more):
    return answer(*arguments, **more).status_code


def sent(client, address, fields):
    body = urlencode(fields)
    return answer(client, "POST", address, body, "application/x-www-form-urlencoded", undo=True)


def failures(found):
    return {key: status for key, status in found.items() if status not in FINE}


@pytest.mark.once
def test_every_link_that_the_pages_hold_leads_somewhere(crawl):
    assert len(crawl.statuses) > 60
    assert {address: status for address, status in crawl.statuses.items() if status != 200} == {}


@pytest.mark.once
def test_every_parameter_that_the_source_reads_is_among_those_tried(crawl):
    apps_of_ours = ("record", "visits", "recommendations", "meetings", "bcp_board")
    root = Path(__file__).resolve().parents[2]
    source = "".join(path.read_text() for app in apps_of_ours for path in (root / app).glob("*.py"))
    read = re.findall(r'\b(?:GET|parameters)(?:\.get\(|\[)"(\w+)"|"(\w+)" in \w+\.GET', source)
    names = {name for pair in read for name in pair if name}

    assert len(names) >= 5
    assert names - set(itertools.chain(*crawl.parameters)) == set()


@pytest.mark.again
def test_odd_parameters_never_fail_and_change_nothing(visitor, crawl):
    before, found = digest(connection), {}

    for names, pages in crawl.parameters.items():
        payloads = tried()[::10] if FLAGS.issuperset(names) else tried()
        for page, payload in zip(itertools.cycle(pages.values()), payloads, strict=False):
            address = f"{page}?{urlencode(dict.fromkeys(names, payload))}"
            found[address] = asked(visitor, "GET", address)

    assert failures(found) == {}
    assert digest(connection) == before


@pytest.mark.again
def test_odd_beginnings_of_a_form_never_fail(visitor, crawl):
    """A form of the admin starts with what its address says of each field."""
    payloads, found = itertools.cycle(PAYLOADS), {}
    for address, form in crawl.forms.values():
        if "/add/" in address:
            odd = {name: next(payloads) for name in form.fields if name not in form.hidden}
            asking = "&".join([urlsplit(address).query, urlencode(odd)])
            found[address] = asked(visitor, "GET", f"{address.partition('?')[0]}?{asking}")

    assert len(found) > 10
    assert failures(found) == {}


@pytest.mark.once
def test_odd_addresses_never_fail(visitor, addresses):
    found, payloads = {}, itertools.cycle(PAYLOADS)
    for route, whole in addresses.items():
        parts = whole.split("/")
        places = [at for at, part in enumerate(route.split("/")) if "<" in part or "(" in part]
        for at in [place for place in places if place < len(parts)] * 8:
            address = "/".join([*parts[:at], quote(next(payloads)[:300], safe=""), *parts[at + 1 :]])
            found[address] = asked(visitor, "GET", address)
    for number in [*range(-1, 12), 2**31, 2**63, 10**30]:
        for page in ("/recommendations/{}/", "/actions/{}/", "/admin/recommendations/action/{}/history/"):
            found[page.format(number)] = asked(visitor, "GET", page.format(number))

    assert failures(found) == {}


@pytest.mark.again
def test_a_nul_is_refused_in_every_part_of_an_address_and_every_field(visitor, crawl, addresses):
    """PostgreSQL keeps no NUL, so one that got as far as a query would be a failure."""
    before, found = digest(connection), {}
    for route, whole in addresses.items():
        parts = whole.split("/")
        for at, part in enumerate(route.split("/")):
            if ("<" in part or "(" in part) and at < len(parts):
                address = "/".join([*parts[:at], "a%00b", *parts[at + 1 :]])
                found[address] = asked(visitor, "GET", address)
    assert len(found) > 40
    assert {address: status for address, status in found.items() if status not in (400, 404)} == {}

    for address, form in crawl.forms.values():
        shown = {name: "a\0b" for name in form.fields if name not in form.hidden}
        unseen = dict.fromkeys(form.hidden, "a\x00b")
        for odd in filter(None, (shown, unseen)):
            found[address, *odd] = sent(visitor, address, {**form.fields, **odd}).status_code
    assert failures(found) == {}
    assert digest(connection) == before


@pytest.mark.parametrize(
    "text", ["' OR '1'='1", "x' OR 1=1 --", "%", "_", "{{7*7}}", "{0.__class__}", "%(x)s", "${7*7}", "A01'"]
)
def test_what_is_searched_for_is_taken_literally(visitor, text):
    response = visitor.get("/actions/", {"q": text})

    assert response.status_code == 200
    assert f'value="{escape(text)}"' in response.content.decode()
    assert list(response.context["page"]) == []
    assert [a.ref for a in visitor.get("/actions/", {"q": "A01"}).context["page"]] == ["A01"]


@pytest.mark.parametrize(
    "order", ["password", "-password", "1;drop", "99", "-99", "id--", "1.2.-3.99.x", "٣"]
)
def test_a_list_is_sorted_by_its_columns_and_nothing_else(visitor, order):
    def rows(**asked):
        return [row.pk for row in visitor.get("/admin/auth/user/", asked).context["cl"].result_list]

    by_name = rows(o="1")
    assert rows(o="-1") == by_name[::-1] != by_name
    assert rows(o=order) in (rows(), by_name)


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


@pytest.mark.again
def test_odd_fields_never_fail(visitor, crawl):
    """Each field meets three payloads, or one on the second database.

    It meets them with all others at once, then with those that its form took, then with what nobody sees.
    """
    found, payloads = {}, itertools.cycle(tried())
    turns = 3 if tried() is PAYLOADS else 1
    assert len(crawl.forms) > 30
    for turn, (address, form) in itertools.product(range(turns), crawl.forms.values()):
        odd = {name: next(payloads) for name in form.fields}
        seen = {name: text for name, text in odd.items() if name not in form.hidden}
        unseen = {name: odd[name] for name in [*form.hidden]} | {"_popup": next(payloads)}
        response = sent(visitor, address, {**form.fields, **seen})
        refused = Page(response).faulty
        taken = {name: text for name, text in seen.items() if name not in refused}
        found[address, turn, "all"] = response.status_code
        if taken != seen:
            found[address, turn, "taken"] = sent(visitor, address, {**form.fields, **taken}).status_code
        found[address, turn, "unseen"] = sent(visitor, address, {**form.fields, **unseen}).status_code

    assert failures(found) == {}


def test_signing_in_with_odd_names_never_fails(people):
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
    "a row that is not there": (
        "judgements-TOTAL_FORMS=1&judgements-INITIAL_FORMS=1&judgements-0-id=x&findings-TOTAL_FORMS=abc",
        "application/x-www-form-urlencoded",
    ),
    "a column that is not there": ("_to_field=zzz", "application/x-www-form-urlencoded"),
    "a row saved as a new one": (
        "_saveasnew=1&_popup=1&_to_field=id&_continue=1",
        "application/x-www-form-urlencoded",
    ),
}


@pytest.mark.once
@pytest.mark.parametrize("body", BODIES)
def test_odd_bodies_never_fail(visitor, crawl, addresses, body):
    content, kind = BODIES[body]
    # Each body goes to these, and to a third of all other forms and lists, other thirds than the next body.
    always = ["/login/", "/password/", "/actions/", "/admin/visits/visit/", "/admin/visits/visit/add/"]
    always += [addresses[route] for route in addresses if route.endswith("/publish/")]
    others = sorted({address for address, form in crawl.forms.values()} | {*crawl.parameters["p",].values()})
    found = {
        address: asked(visitor, "POST", address, content, kind, undo=True)
        for address in {*always, *others[list(BODIES).index(body) % 3 :: 3]}
    }
    anonymous = Client(raise_request_exception=False)
    found |= {("nobody", "/login/"): asked(anonymous, "POST", "/login/", content, kind, undo=True)}

    assert failures(found) == {}


def test_what_is_too_long_is_an_error_at_its_field_that_keeps_what_was_typed(visitor, addresses):
    address = addresses["/admin/recommendations/action/<path:object_id>/change/"]
    before = digest(connection)

    response = fill_in(visitor, address, title="Kept " + "x" * 200)

    assert response.status_code == 200
    assert list(errors_of(response)) == ["title"]
    assert "Kept " + "x" * 200 in response.content.decode()
    assert digest(connection) == before


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/admin/recommendations/progressupdate/add/?action={action}", "narrative"),
        ("/admin/recommendations/duedate/add/?action={action}", "reason"),
        ("/admin/recommendations/assessment/add/?recommendation={recommendation}", "narrative"),
        ("/admin/record/meeting/add/", "covering_note"),
    ],
)
def test_a_million_letters_are_an_error_at_their_field_and_ten_thousand_are_not(visitor, address, field):
    action, before = Action.objects.get(), digest(connection)
    address = address.format(action=action.pk, recommendation=action.recommendations.get().pk)
    letters = {number: "x" * number for number in (10_000, 10_001, 1_000_000)}

    errors = {}
    for number, text in letters.items():
        response = visitor.post(address, {field: text})
        assert text in response.content.decode()
        errors[number] = response.context["adminform"].form.errors.get(field)

    refused = ["Use 10,000 characters or fewer."]
    assert errors == {10_000: None, 10_001: refused, 1_000_000: refused}
    assert digest(connection) == before
