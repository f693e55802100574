"""What is true of every page of the site."""

import datetime
import re

import pytest
from django.conf import settings
from django.urls import URLPattern, get_resolver
from django.utils import timezone

from bcp_board.tests.record import load_record
from recommendations.tests.factories import make_recommendation
from record.ledger import append
from record.models import Demonstration
from record.tests.factories import make_meeting, make_user
from record.tests.pages import main_words, words

pytestmark = pytest.mark.once

# An address for every name in the site's own urls; one without an example here fails a test below.
ADDRESSES = {
    "home": "/",
    "trends": "/trends/",
    "track_record": "/trends/record/",
    "status": "/status/",
    "meetings": "/meetings/",
    "meeting": "/meetings/2022-11-22/",
    "decide": "/meetings/2022-11-22/decide/",
    "paper": "/meetings/2022-11-22/paper/",
    "proof": "/proof/",
    "recommendation": "/recommendations/6/",
    "actions": "/actions/",
    "action": "/actions/A01/",
    "visits": "/visits/",
    "visit": "/visits/monitoring-visit-2/",
    "round": "/round/",
    "new": "/new/",
    "import": "/import/",
    "account": "/account/",
    "assign": "/assign/",
    "mine": "/mine/",
    "password": "/password/",
    "help": "/help/",
    "tasks": "/help/tasks/",
    "accessibility": "/accessibility/",
    "login": "/login/",
    "one_time_link": "/login/MQ/abc-def/",
    "logout": "/logout/",
    "healthz": "/healthz",
    "readyz": "/readyz",
    "metrics": "/metrics",
    "security_txt": "/.well-known/security.txt",
    "actions_csv": "/actions.csv",
    "updates_csv": "/updates.csv",
    "dates_csv": "/dates.csv",
    "decisions_csv": "/decisions.csv",
    "actions_xlsx": "/actions.xlsx",
    "position_json": "/position.json",
    "calendar": "/calendar.ics",
}
# Whoever is not signed in is told so there, and not led away: see test_tokens.py.
FILES = {
    "actions_csv",
    "updates_csv",
    "dates_csv",
    "decisions_csv",
    "actions_xlsx",
    "position_json",
    "calendar",
}
# The monitors' pages are open to the address of this machine, from which tests ask.
MONITORS = {"healthz", "readyz", "metrics"}
OPEN_TO_ALL = {"help", "tasks", "accessibility", "login", "one_time_link", "security_txt"} | MONITORS
# Pages of work, each of which has tests of its own: to readers they are not there.
OF_WORK = {"assign", "decide", "import", "mine", "round"}
# Not our pages with head and foot: the paper and status page stand alone, and the last are not HTML.
NOT_IN_THE_FRAME = {"status", "paper", "logout", "security_txt"} | OF_WORK | MONITORS | FILES
FRAMED_AT_A_DAY = (
    *("home", "trends", "track_record", "recommendation", "actions", "action"),
    *("visits", "visit", "meetings", "proof"),
)
FRAMED = [*(ADDRESSES.keys() - NOT_IN_THE_FRAME - {"login", "one_time_link"})]


@pytest.fixture
def record(db):
    """The seeded record, with a meeting."""
    load_record()
    make_meeting(held_on=datetime.date(2022, 11, 22))


@pytest.fixture
def reader(client, record):
    client.force_login(make_user("Board members"))
    return client


def title_of(page):
    return re.search(r"<title>([^<]*)</title>", page)[1]


def ids_in(page):
    return re.findall(r'\bid="([^"]*)"', page)


def test_every_address_has_an_example_here():
    names = {p.name for p in _patterns(get_resolver().url_patterns) if p.name}
    assert names == ADDRESSES.keys()


def _patterns(patterns):
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        elif pattern.app_name != "admin":
            yield from _patterns(pattern.url_patterns)


def test_every_address_needs_signing_in_but_those_open_to_all(client, record):
    asked_to_sign_in = {
        name
        for name, address in ADDRESSES.items()
        if client.get(address).headers.get("Location") == f"/login/?next={address}"
    }
    assert asked_to_sign_in == ADDRESSES.keys() - OPEN_TO_ALL - FILES


def test_every_page_has_the_frame_that_people_and_machines_find_their_way_by(reader):
    titles = []
    for name in FRAMED:
        response = reader.get(ADDRESSES[name])
        page = response.content.decode()
        assert response.status_code == 200, name
        assert page.count("<h1") == 1, name
        assert '<html lang="en-GB"' in page, name
        assert re.search(r"<body[^>]*>\s*<a href=\"#main\" class=\"govuk-skip-link\">", page), name
        assert re.findall(r"<main[^>]*id=\"(\w+)\"", page) == ["main"], name
        assert page.count(f'<p class="marking">{settings.MARKING}</p>') == 2, name
        assert page.count('href="/accessibility/"') == 1, name
        assert len(ids_in(page)) == len(set(ids_in(page))), name
        titles.append(title_of(page))
    assert all(title.endswith(f" – {settings.BOARD_NAME}") for title in titles)
    assert len(set(titles)) == len(FRAMED)


def test_no_page_has_a_style_or_script_inside_it(reader):
    for name in FRAMED:
        page = reader.get(ADDRESSES[name]).content.decode()
        assert re.findall(r"<style|<script(?![^>]*\bsrc=)|\s(?:style|on\w+)=", page) == [], name


def test_every_table_has_a_caption_and_every_heading_cell_a_scope(reader):
    for name in FRAMED:
        page = reader.get(ADDRESSES[name]).content.decode()
        assert page.count("<table") == page.count("<caption"), name
        assert re.findall(r"<th(?![^>]*\bscope=)[ >]", page) == [], name


def test_every_cell_says_its_heading_where_the_table_becomes_a_list(reader):
    for name in FRAMED:
        page = reader.get(ADDRESSES[name]).content.decode()
        assert re.findall(r"<td(?![^>]*(?:data-label|colspan)=)[ >]", page) == [], name


def test_every_page_about_a_past_day_says_so_and_leads_back_to_today(reader):
    for name in FRAMED_AT_A_DAY:
        page = reader.get(f"{ADDRESSES[name]}?as_at=2022-12-25").content.decode()
        assert title_of(page).endswith(f", as at 25 December 2022 – {settings.BOARD_NAME}"), name
        main = words(re.search("<main.*</main>", page, re.DOTALL)[0])
        assert main.startswith("As at 25 December 2022 As we know it now"), name
        assert f'href="{ADDRESSES[name]}">Go back to today' in page, name
        assert "The board’s record, as at 25 December 2022." in page, name


@pytest.mark.parametrize(
    ("query", "shown", "other", "address"),
    [
        ("", "As we know it now", "As it was known then", "?as_at=2022-12-25&amp;q=a&amp;known=then"),
        ("&known=then", "As it was known then", "As we know it now", "?as_at=2022-12-25&amp;q=a"),
    ],
)
def test_of_a_past_day_two_choices_are_offered_and_the_one_shown_is_named(
    reader, query, shown, other, address
):
    page = reader.get(f"/actions/?as_at=2022-12-25&q=a{query}").content.decode()
    assert re.findall(r"<strong>([^<]*)</strong>, which is shown here:", page) == [shown]
    assert f'<a class="govuk-link" href="{address}">{other}</a>:' in page
    assert (", as it was known then –" in title_of(page)) is (query != "")


@pytest.mark.parametrize("typed", ["25/12/2022", "25 Dec 22", "25 December 2022", "25-12-2022"])
def test_a_day_may_be_typed_like_any_other_date_and_leads_to_its_one_address(reader, typed):
    response = reader.get("/actions/", {"as_at": typed, "status": ["done", "closed"]})
    assert response.status_code == 302
    assert response.url == "/actions/?as_at=2022-12-25&status=done&status=closed"


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("as_at=31/11/2022", "31 November does not exist. Enter a date like 22/11/2022"),
        ("as_at=December+2022", "This is a month or a year, and a page is about a day."),
        ("as_at=", "This is not a day, a month or a year."),
        ("as_at=2999-01-01", "1 January 2999 is in the future."),
        ("as_at=2018-12-31", "31 December 2018 is before the record begins."),
        ("known=now", "The address may say known=then, and nothing else after known."),
    ],
)
def test_a_day_that_cannot_be_shown_is_a_400_page_that_says_why(reader, query, why):
    response = reader.get(f"/?{query}")
    page = response.content.decode()
    assert response.status_code == 400
    assert why in words(page)
    assert title_of(page) == f"There is a problem with this request – {settings.BOARD_NAME}"
    assert page.count("<h1") == 1


def test_a_page_that_is_not_there_is_branded(reader):
    response = reader.get("/recommendations/99/")
    page = response.content.decode()
    assert response.status_code == 404
    assert title_of(page) == f"Page not found – {settings.BOARD_NAME}"
    assert f'<p class="marking">{settings.MARKING}</p>' in page


def test_every_page_of_a_demonstration_says_that_it_is_one(reader):
    quiet = [reader.get(ADDRESSES[name]).content.decode().count("is invented") for name in FRAMED]
    append([Demonstration(made_at=timezone.now(), as_at=datetime.date(2022, 11, 22))])
    said = [reader.get(ADDRESSES[name]).content.decode().count("is invented") for name in FRAMED]
    assert quiet == [0] * len(FRAMED)
    assert said == [1] * len(FRAMED)


@pytest.mark.parametrize(("role", "is_shown"), [("Board members", False), ("Officers", True)])
def test_only_those_who_work_in_the_admin_see_the_way_there(client, record, role, is_shown):
    client.force_login(make_user(role))
    page = client.get("/").content.decode()
    assert ('<a href="/admin/">Your work</a>' in page) is is_shown


def test_everyones_own_page_says_who_they_are_and_lets_them_out(client, record):
    found = {}
    for name, role in {"ann": "Officers", "bob": "Board members", "cy": ""}.items():
        client.force_login(make_user(role, name, first_name="<b>Given</b>"))
        response = client.get("/account/")
        assert "<bdi>&lt;b&gt;Given&lt;/b&gt; Person</bdi>" in response.content.decode()
        found[name] = re.sub("Reading without signing in .* (?=This site)", "", main_words(response))
    told = (
        "Your account Name &lt;b&gt;Given&lt;/b&gt; Person Username {} Role {} E-mail None, so you are not "
        f"reminded Password Change your password {{}} Sign out This site is version {settings.VERSION}."
    )
    for_good = (
        "What you record is signed with this name and role, for good. If either is wrong, or your e-mail "
        "address, tell an"
    )
    wrong = "If your name, role or e-mail address is wrong, tell an administrator."
    assert found == {
        "ann": told.format("ann", "Officer", f"{for_good} administrator before you record anything."),
        "bob": told.format("bob", "Board member", wrong),
        "cy": told.format("cy", "None yet", wrong),
    }
    page = response.content.decode()
    # The way out, and two tokens that could be made.
    forms = re.findall('<form method="post" action="([^"]*)">', page)
    assert forms == ["/logout/", "/account/#position", "/account/#calendar"]
    assert page.count("csrfmiddlewaretoken") == 3


@pytest.mark.parametrize("group", ["Board members", "Secretariat"])
def test_no_other_page_names_its_reader_or_carries_a_token(client, record, group):
    """So that what one reader prints or saves is what another would."""
    client.force_login(make_user(group, "zyxwv", first_name="Qfirst", last_name="Qlast"))
    make_meeting(held_on=timezone.localdate() + datetime.timedelta(days=30))
    telling = re.compile('zyxwv|qfirst|qlast|csrf|method="post"')

    def told(address):
        return set(telling.findall(client.get(address).getvalue().decode(errors="replace").lower()))

    token = {"csrf", 'method="post"'}
    # Among all who can own an action, the reader is named as others are; of those they own they have none.
    of_work = dict.fromkeys(OF_WORK - {"mine"}, token) | {"assign": {"zyxwv", "qfirst", "qlast", *token}}
    of_work = of_work if group == "Secretariat" else {}
    assert {name: found for name, address in ADDRESSES.items() if (found := told(address))} == {
        "account": {"zyxwv", "qfirst", "qlast", *token},
        "password": token,
        "new": token,
        **of_work,
    }
    assert [told("/nowhere/"), told("/?as_at=nonsense"), told("/actions/?status=purple")] == [set()] * 3


def test_help_explains_every_term_that_pages_link_to(reader):
    linked = set()
    for name in FRAMED:
        linked |= set(re.findall(r'href="/help/#([^"]*)"', reader.get(ADDRESSES[name]).content.decode()))
    assert linked - set(ids_in(reader.get("/help/").content.decode())) == set()


def test_every_page_reminds_people_never_to_enter_a_child(reader):
    for name in FRAMED:
        page = reader.get(ADDRESSES[name]).content.decode()
        assert page.count("Never enter a child’s name, birth date or case number") == 1, name


def test_a_recommendation_without_an_action_is_nowhere_said_to_be_not_yet_reported(client, db):
    """But that there is none: nobody can have been silent on what nobody was given to do."""
    client.force_login(make_user())
    make_recommendation(1)
    make_meeting(held_on=datetime.date(2022, 11, 22))

    said = {
        page: [
            word for word in ("No action recorded", "Not yet reported") if word in lines_about(client, page)
        ]
        for page in ("/", "/status/", "/meetings/2022-11-22/")
    }

    assert said == dict.fromkeys(said, ["No action recorded"])


def lines_about(client, page):
    """The rows of tables that name the recommendation, in words."""
    html = client.get(page).content.decode()
    return " ".join(re.findall(r"<tr>(?:(?!</tr>).)*Title 1.*?</tr>", html, re.DOTALL))
