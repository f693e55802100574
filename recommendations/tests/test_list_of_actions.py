"""The list of actions: filtered, sorted, shown by the page and printed whole."""

import datetime
import re

import pytest

from recommendations.models import Action
from recommendations.position import board_position
from recommendations.tests.factories import (
    make_action,
    make_due_date,
    make_owner,
    make_recommendation,
    make_update,
)
from recommendations.views import by_page
from record.as_at import AsAt
from record.tests.factories import make_user, on
from record.tests.pages import main_words as words
from record.tests.pages import words as words_of

ROW = r'<th scope="row"[^>]*><a class="govuk-link" href="/actions/([^/]+)/'


def listed(response):
    """The references of the actions in the rows of a table, in order."""
    return re.findall(ROW, response.content.decode())


@pytest.mark.parametrize(
    ("title", "query", "is_found"),
    [
        ("Children\u2019s services", "children's", True),
        ("Children's services", "CHILDREN\u2019S", True),
        ("Mr Nguyễn\u2013Ørsted", "NGUYỄN-orsted", True),
        ("Mr Nguye\u0302\u0303n", "nguyen", True),
        ("Straße", "STRASSE", True),
        ("Children\u2019s services", "childrens", False),
        ("100% paid", "100_", False),
    ],
)
def test_words_are_found_whatever_their_quotes_dashes_capitals_and_accents(reader, title, query, is_found):
    make_action("A01", title=title)

    assert listed(reader.get("/actions/", {"q": query})) == (["A01"] if is_found else [])


@pytest.fixture
def four(db):
    """A01 overdue and off track, A02 not updated, A03 past its date in silence, A04 of another one."""
    owner = make_user("Officers", "owner")
    make_due_date(make_action("A01"), due="2022-12")
    make_update(Action.objects.get(ref="A01"), "off_track", dated="2023-03-01", by=owner)
    make_update(make_action("A02", owner_role="Cabinet", owner=owner), dated="2022-11-01", by=owner)
    make_due_date(make_action("A03"), due="2022-11")
    make_due_date(make_action("A04", make_recommendation(2), title="Review the paper"), due="2024~")


@pytest.mark.parametrize(
    ("query", "refs"),
    [
        ("", ["A01", "A02", "A03", "A04"]),
        ("status=off_track", ["A01"]),
        ("status=not_reported", ["A03", "A04"]),
        ("status=not_reported&status=off_track", ["A01", "A03", "A04"]),
        ("status=&status=off_track", ["A01"]),
        ("person=nobody", ["A01", "A03", "A04"]),
        ("sort=status", ["A01", "A03", "A04", "A02"]),
        ("sort=due", ["A03", "A01", "A04", "A02"]),
        ("sort=updated", ["A03", "A04", "A02", "A01"]),
        ("sort=updated&status=not_reported", ["A03", "A04"]),
        ("recommendation=2", ["A04"]),
        ("owner=Cabinet", ["A02"]),
        ("overdue=yes", ["A01"]),
        ("silent=yes", ["A03"]),
        ("silent=yes&overdue=yes", []),
        ("stale=yes", ["A02"]),
        ("overdue=yes&stale=yes", []),
        ("first=yes", ["A01", "A02", "A03"]),
        ("round=yes", ["A03", "A04"]),
        ("round=yes&silent=yes", ["A03"]),
        ("q=review+paper", ["A04"]),
        ("q=a03", ["A03"]),
    ],
)
def test_actions_are_filtered(reader, four, query, refs):
    assert listed(reader.get(f"/actions/?as_at=2023-03-10&{query}")) == refs


def test_those_to_look_at_first_are_the_exceptions_of_the_board(reader, four):
    for ref, status in (("A05", "complete"), ("A06", "at_risk"), ("A07", "complete"), ("A08", "on_track")):
        recheck = {"recheck_on": datetime.date(2023, 3, 10 + (ref == "A07"))} if status == "complete" else {}
        make_update(make_action(ref), status, dated="2023-03-01", **recheck)

    day = datetime.date(2023, 3, 10)
    exceptions = sorted(action.ref for action in board_position(on(day)).exceptions)
    assert exceptions == ["A01", "A02", "A03", "A05", "A06"]
    assert listed(reader.get(f"/actions/?as_at={day}&first=yes")) == exceptions


def test_actions_say_how_many_are_shown_of_how_many(reader, four):
    assert "Showing 1 of 4 actions" in words(reader.get("/actions/?as_at=2023-03-10&overdue=yes"))


def test_a_list_that_was_asked_for_says_so_first_and_leads_past_the_filters(reader, four):
    asked, all_of_them = (reader.get(f"/actions/{query}").content.decode() for query in ("?overdue=yes", ""))

    assert "Actions 1 of 4 actions . Overdue only. Status" in words_of(asked)
    assert (asked.count('href="#found"'), asked.count('id="found"')) == (1, 1)
    assert ('action="#found"' in asked, 'href="#found"' in all_of_them) == (True, False)


@pytest.mark.parametrize(
    ("query", "summary"),
    [
        ("", "<details>More ways to choose</details>"),
        ("?status=at_risk&recommendation=1", "<details>More ways to choose</details>"),
        ("?overdue=yes&stale=yes&status=at_risk", "<details>More ways to choose (2 chosen)</details>"),
        ("?overdue=no", "<details open>More ways to choose (1 chosen)</details>"),
    ],
)
def test_what_is_asked_seldom_is_folded_away_unless_it_is_at_fault(reader, four, query, summary):
    page = reader.get(f"/actions/{query}").content.decode()
    folded = re.search(r'<details class="filters__more[^"]*"\s*(open|)\s*>(.*?)</summary>', page, re.S)
    is_open = f" {folded[1]}" if folded[1] else ""
    assert f"<details{is_open}>{words_of(folded[2])}</details>" == summary


def test_a_list_in_which_nothing_was_found_says_so_before_the_filters(reader, four):
    page = reader.get("/actions/?as_at=2023-03-10&q=nothing+like+it").content.decode()

    said = "Words in the action, its history, findings or documents: nothing like it."
    assert f"Actions None of 4 actions. {said} Status" in words_of(page)
    # The form's button leads past the filters, to what is said of what it found.
    assert ('action="#found"' in page, page.count('id="found"')) == (True, 1)


def test_actions_say_when_none_match(reader, four):
    text = words(reader.get("/actions/?as_at=2023-03-10&q=nothing+like+it"))
    assert "No actions match, of 4. Clear the filters" in text


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("status", "purple", "“purple” is not one of the choices. Choose one from the list."),
        ("recommendation", "99999999999999999999", "“99999999999999999999” is not one of the choices."),
        ("recommendation", "six", "“six” is not one of the choices. Choose one from the list."),
        ("owner", "Nobody", "“Nobody” is not one of the choices. Choose one from the list."),
        ("overdue", "1", "“1” is not one of the choices. Choose one from the list."),
        ("silent", "no", "“no” is not one of the choices. Choose one from the list."),
        ("round", "no", "“no” is not one of the choices. Choose one from the list."),
        ("stale", "no", "“no” is not one of the choices. Choose one from the list."),
        ("person", "999", "“999” is not one of the choices. Choose one from the list."),
        ("sort", "colour", "“colour” is not one of the choices. Choose one from the list."),
        ("q", "x" * 101, "Use 100 characters or fewer."),
    ],
)
@pytest.mark.again
def test_a_bad_filter_is_a_400_with_the_error_at_its_field(reader, four, name, value, error):
    response = reader.get("/actions/", {name: value, "as_at": "2023-03-10"})
    page = response.content.decode()
    assert response.status_code == 400
    assert re.search(r"<title>(.*?) –", page)[1] == "Error: Actions, as at 10 March 2023"
    first_of_many = "_0" if name == "status" else ""
    assert f'<a href="#id_{name}{first_of_many}">{error}' in page
    assert f'<p class="govuk-error-message" id="id_{name}_error">' in page
    control = re.search(rf'<(?:select|input|fieldset)[^>]*id="id_{name}"[^>]*>', page)[0]
    assert f'aria-describedby="id_{name}_error"' in control
    assert listed(response) == []


def test_a_bad_filter_keeps_what_was_typed_in_the_others(reader, four):
    page = reader.get("/actions/?status=purple&q=kept+words&overdue=yes&as_at=2023-03-10").content.decode()
    assert 'value="kept words"' in page
    assert '<option value="yes" selected>Overdue only</option>' in page
    assert '<input type="hidden" name="as_at" value="2023-03-10">' in page


def test_a_person_is_who_owned_the_action_on_the_day_and_is_offered_by_the_name_of_then(reader, four):
    action = Action.objects.get(ref="A02")
    then, now = action.owner_on(AsAt.now(datetime.date(2023, 3, 10))), make_user("Officers", "new")
    make_owner(action, now, dated="2023-03-05")

    def offered(query):
        page = reader.get(f"/actions/?as_at={query}").content.decode()
        box = re.search('<select name="person".*?</select>', page, re.DOTALL)[0]
        return re.findall('<option value="([^"]+)"', box), listed(reader.get(f"/actions/?as_at={query}"))

    assert offered(f"2023-03-04&person={then.pk}") == ([str(then.pk), "nobody"], ["A02"])
    assert offered(f"2023-03-10&person={now.pk}") == ([str(now.pk), "nobody"], ["A02"])
    assert reader.get(f"/actions/?as_at=2023-03-10&person={then.pk}").status_code == 400


def test_actions_are_shown_by_fifty_and_printed_all_with_the_filter_and_the_day_kept(reader, db):
    make_update(make_action("A60"))
    for number in range(1, 52):
        make_action(f"A{number:02}")
    asked = "/actions/?as_at=2023-03-10&status=not_reported"
    first = reader.get(asked).content.decode()
    second = reader.get(f"{asked}&page=2").content.decode()

    assert 'href="?as_at=2023-03-10&amp;status=not_reported&amp;page=2"' in first
    assert "Showing 1 to 50 of 51 Showing all 51 that match, of 52 actions" in words_of(first)
    assert "Only those asked for. Status: Not yet reported." in words_of(first)
    for page, on_screen in ((first, [f"A{number:02}" for number in range(1, 51)]), (second, ["A51"])):
        on_paper = re.findall('<tbody class="print-only">.*?</tbody>', page, re.DOTALL)
        shown = re.search("<tbody>.*?</tbody>", page, re.DOTALL)[0]
        assert re.findall(ROW, shown) == on_screen
        assert sorted(re.findall(ROW, " ".join([shown, *on_paper]))) == [f"A{n:02}" for n in range(1, 52)]


@pytest.mark.parametrize("size", [1, 10])
def test_actions_cost_the_same_however_many(reader, size, django_assert_num_queries):
    for number in range(1, size + 1):
        action = make_action(f"A{number:02}")
        make_update(action)
        make_due_date(action)
    # session, user, the mark before and after; actions, their recommendations, findings, updates, what was
    # sent back, decisions, due dates; whether this is a demonstration; recommendations to choose from; what
    # was corrected of actions, twice
    with django_assert_num_queries(15):
        reader.get("/actions/")


def test_a_list_too_long_for_a_printer_is_printed_by_the_page():
    def printed(number, count):
        listed = by_page(tuple(range(count)), 50, number)
        return [len(listed[part]) for part in ("before", "page", "after")]

    assert printed("2", 200) == [50, 50, 100]
    assert printed("2", 201) == [0, 50, 0]
    assert printed("1", 0) == [0, 0, 0]
