"""Owners and dates of many actions on one page: each row an entry of its own, with a check of its own."""

import datetime
import html
import re

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.due_dates import DueDate
from recommendations.ownership import Ownership
from recommendations.tests.factories import make_action, make_due_date, make_owner, make_update
from record.tests.admin_forms import fields_of, sign_in
from record.tests.factories import change, make_user, on
from record.verification import first_fault

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def secretary(client):
    user = make_user("Secretariat")
    sign_in(client, user)
    return user


def held(response):
    """What a browser would send of the page if nothing were typed."""
    found = fields_of(response.context["shared"])
    for row in response.context["rows"]:
        found |= {f"{row.slug}-owner": row.owner, f"{row.slug}-due": row.due}
        found |= {f"seen_{row.slug}-{box}": token for box, token in row.tokens.items()}
        if row.is_ticked:
            found[f"{row.slug}-tick"] = "on"
    return found


def send(client, address="/assign/", **typed):
    """Open the page, type over it by "A01_owner" and the like, and save."""
    return client.post(address, {**held(client.get(address)), **named(typed)})


def named(typed):
    return {name.replace("_", "-", 1): value for name, value in typed.items()}


def owners():
    """What was said of owners on the page, in order."""
    rows = Ownership.objects.filter(document=None).order_by("pk")
    return [(row.action.ref, row.owner and row.owner.username) for row in rows]


def dates():
    return [(row.action.ref, row.due, row.reason) for row in DueDate.objects.order_by("pk")]


def errors_of(response):
    return [problem.words for problem in response.context["problems"]]


def text_of(response):
    words = re.sub("<[^>]*>", " ", response.content.decode())
    return " ".join(html.unescape(words).split())


def test_owners_and_dates_are_set_in_one_go_each_an_entry_of_its_own(client, secretary):
    for number in (1, 2, 3):
        make_action(f"A0{number}")
    make_user("Officers", "ann")
    make_user("Officers", "ben")

    response = send(
        client,
        A01_owner="ann",
        A01_due="31/3/2027",
        A02_owner="ben",
        A03_due="2027",
        All_reason="Agreed with the plan",
        All_dated="15/11/2022",
    )

    assert (response.status_code, response.url) == (302, "/assign/")
    assert owners() == [("A01", "ann"), ("A02", "ben")]
    assert dates() == [("A01", "2027-03-31", "Agreed with the plan"), ("A03", "2027", "Agreed with the plan")]
    first = DueDate.objects.earliest("pk")
    assert (first.dated, first.reason_kind, first.needs_decision) == ("2022-11-15", "first", False)
    assert Ownership.objects.earliest("pk").signed == "Secretariat Person (Secretariat)"
    assert (
        "Saved: A01 (Ann Person), A01 (due 31 March 2027), A02 (Ben Person) and A03 (due 2027)."
        in text_of(client.get("/assign/"))
    )
    assert first_fault() is None


def test_every_ticked_action_gets_one_owner_but_one_whose_own_was_chosen(client, secretary):
    for number in (1, 2, 3, 4):
        make_action(f"A0{number}")
    make_user("Officers", "ann")
    make_user("Officers", "ben")

    send(client, A01_tick="on", A02_tick="on", A02_owner="ben", A03_tick="on", All_owner="ann")

    assert owners() == [("A01", "ann"), ("A02", "ben"), ("A03", "ann")]


def test_all_of_a_leavers_actions_go_to_somebody_else(client, secretary):
    leaver, other = make_user("Officers", "leaver"), make_user("Officers", "other")
    make_user("Officers", "successor")
    make_action("A01", owner=leaver)
    make_update(make_action("A02", owner=leaver), "complete")
    make_action("A03", owner=other)
    leaver.is_active = False
    leaver.save()

    response = send(client, All_leaver="leaver", All_successor="successor")

    assert response.status_code == 302, errors_of(response)
    assert owners() == [("A01", "successor"), ("A02", "successor")]


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ({"All_leaver": "ann"}, "Choose both people, or neither."),
        ({"All_successor": "ann"}, "Choose both people, or neither."),
        ({"All_leaver": "ann", "All_successor": "ann"}, "Choose somebody else."),
        ({"All_leaver": "secretariat", "All_successor": "ann"}, "Secretariat Person owns no action now."),
        ({"A01_tick": "on"}, "You ticked actions. Choose who is to own them, or untick them."),
        ({"All_owner": "ann"}, "Tick the actions that are to have this owner."),
        ({"A01_due": "2027"}, "Say why these dates. It is recorded with each."),
        ({"A01_owner": "ann", "All_dated": "soon"}, None),
    ],
)
def test_what_is_not_clear_is_asked_for_before_anything_is_saved(client, secretary, typed, error):
    make_action("A01")
    make_action("A02")
    make_user("Officers", "ann")

    response = send(client, **{"A02_owner": "ann", **typed})

    assert response.status_code == 200
    if error:
        assert errors_of(response) == [error]
    else:
        assert len(errors_of(response)) == 1
    assert (owners(), dates()) == ([], [])
    assert {row.slug: row.owner for row in response.context["rows"]}["A02"] == "ann"


def test_what_is_right_is_saved_and_what_is_not_comes_back_as_it_was_typed(client, secretary):
    make_action("A01")
    make_action("A02")
    make_user("Officers", "ann")

    response = send(
        client,
        A01_owner="ann",
        A01_due="<soon>",
        A02_owner="nobody-like-that",
        A02_due="2027",
        All_reason="Why",
    )

    assert response.status_code == 200
    assert (owners(), dates()) == ([("A01", "ann")], [("A02", "2027", "Why")])
    assert {words[:5] for words in errors_of(response)} == {"A01: ", "A02: "}
    assert "A02: Choose one of the people listed." in errors_of(response)
    assert 'value="&lt;soon&gt;"' in response.content.decode()
    assert "Saved: A01 (Ann Person), A02 (due 2027)." in text_of(response)

    again = client.post("/assign/", {**held(response), **named({"A01_due": "2028", "A02_owner": "ann"})})
    assert again.status_code == 302, errors_of(again)
    assert owners() == [("A01", "ann"), ("A02", "ann")]
    assert dates()[-1] == ("A01", "2028", "Why")


def test_nobody_sets_a_date_for_an_action_of_their_own_nor_proposes_one_unawares(client, secretary):
    make_action("A01", owner=secretary)
    make_update(make_action("A02"), by=secretary)
    make_action("A03")

    response = send(
        client, A01_due="2027", A02_due="2027", A03_due="2027", A03_owner="secretariat", All_reason="Why"
    )

    assert dates() == []
    assert owners() == [("A03", "secretariat")]
    assert sorted(words.split(", so")[0] for words in errors_of(response)) == [
        "A01: You own A01",
        "A02: The last report on A02 is yours",
        "A03: You own A03",
    ]


def test_a_date_that_replaces_another_says_what_kind_of_reason_it_has(client, secretary):
    make_due_date(make_action("A01"), "2027-03")

    asked = send(client, A01_due="May 2027", All_reason="Slow")
    assert errors_of(asked) == ["A01: It has a date already. Choose the kind of reason, above."]
    assert DueDate.objects.count() == 1

    response = client.post(
        "/assign/", {**held(asked), "A01-due": "June 2027", "All-reason_kind": "resources"}
    )
    assert response.status_code == 302, errors_of(response)
    assert DueDate.objects.latest("pk").reason_kind == "resources"


def test_a_date_that_is_past_is_saved_with_a_warning(client, secretary):
    make_action("A01")

    send(client, A01_due="November 2022", All_reason="Why")

    assert DueDate.objects.get().due == "2022-11"
    page = text_of(client.get("/assign/"))
    assert "Already past: A01 (due November 2022). Replace a date that is wrong." in page


@pytest.mark.parametrize("typed", [{"A01_owner": "ann"}, {"A01_due": "2027", "All_reason": "Why"}])
def test_what_is_sent_twice_is_saved_once(client, secretary, typed):
    make_action("A01")
    make_user("Officers", "ann")
    sent = {**held(client.get("/assign/")), **named(typed)}
    assert client.post("/assign/", sent).status_code == 302

    page = text_of(client.post("/assign/", sent, follow=True))

    assert Ownership.objects.count() + DueDate.objects.count() == 1
    assert "A01: You saved exactly this on " in page
    assert "Nothing was saved" not in page


def test_the_second_of_two_people_is_told_what_the_first_saved(client, secretary):
    action = make_action("A01")
    ann = make_user("Officers", "ann")
    make_user("Officers", "ben")
    sent = {**held(client.get("/assign/")), "A01-owner": "ben"}
    make_owner(action, ann, dated="2022-11-20", by=make_user("Secretariat", "second"))

    response = client.post("/assign/", sent)

    told, advice = errors_of(response)
    assert told.startswith("A01: Second Person saved this on ")
    assert "owner: Ann Person" in told
    assert "Nothing is saved yet" in advice
    assert client.post("/assign/", held(response)).status_code == 302
    assert owners() == [("A01", "ann"), ("A01", "ben")]


def test_a_row_that_is_left_alone_is_not_saved_whatever_was_saved_of_it_meanwhile(client, secretary):
    first, second = make_action("A01"), make_action("A02")
    ann = make_user("Officers", "ann")
    sent = {**held(client.get("/assign/")), "A02-owner": "ann"}
    make_owner(first, ann, dated="2022-11-20", by=make_user("Secretariat", "second"))

    assert client.post("/assign/", sent).status_code == 302
    assert owners() == [("A01", "ann"), ("A02", "ann")]
    assert second.owner_on(on(timezone.localdate())) == ann


def test_whoever_owns_it_already_is_not_put_on_the_record_again(client, secretary):
    make_action("A01", owner=make_user("Officers", "ann"))
    make_action("A02")

    response = send(client, A01_tick="on", A02_tick="on", All_owner="ann")

    assert owners() == [("A02", "ann")]
    assert errors_of(response) == ["A01: Ann Person owns it already. Nothing is saved of that."]


def test_nobody_is_a_choice_and_leaving_it_is_another(client, secretary):
    ann = make_user("Officers", "ann")
    make_action("A01", owner=ann)
    make_action("A02", owner=ann)

    assert send(client, A01_owner="-").status_code == 302
    assert owners() == [("A01", None)]


def test_the_page_shows_the_unowned_first_and_only_what_is_asked_for(client, secretary):
    ann, gone = make_user("Officers", "ann"), make_user("Officers", "gone")
    make_due_date(make_action("A01", owner=ann))
    make_action("A02", owner=gone)
    make_action("A03")
    make_update(make_action("A04"), "complete")
    gone.is_active = False
    gone.save()

    def shown(query):
        return [row.slug for row in client.get(f"/assign/{query}").context["rows"]]

    assert shown("") == ["A03", "A02", "A01"]
    assert shown("?show=unowned") == ["A03"]
    assert shown("?show=closed") == ["A02"]
    assert shown("?show=undated") == ["A03", "A02"]
    assert client.get("/assign/?show=purple").status_code == 400
    assert send(client, "/assign/?show=unowned", A03_owner="ann").url == "/assign/?show=unowned"


def test_nothing_changed_is_said_to_be_nothing_saved(client, secretary):
    make_action("A01")

    assert "Nothing was saved Nothing was changed." in text_of(send(client))


def test_an_action_that_is_not_on_the_board_is_refused_and_the_rest_saved(client, secretary):
    make_action("A01")
    make_user("Officers", "ann")
    later = (timezone.localdate() + datetime.timedelta(days=9)).isoformat()
    make_action("A02", agreed_on=later)

    response = send(client, A01_owner="ann", A02_owner="ann", A99_owner="ann")

    assert owners() == [("A01", "ann")]
    assert sorted(errors_of(response)) == [
        "A02: There is no such action on the board now.",
        "A99: There is no such action on the board now.",
    ]


@pytest.mark.parametrize(
    ("typed", "saved"),
    [
        ({"All_dated": "31/11/2026"}, []),
        ({"All_reason": ""}, []),
        ({}, [("A02", "2096-05", "Why")]),
    ],
)
def test_what_was_typed_of_an_action_that_left_the_board_meanwhile_is_shown_and_not_saved(
    client, secretary, typed, saved
):
    done, _, withdrawn = (make_action(f"A0{number}") for number in (1, 2, 3))
    make_user("Officers", "ann")
    typed = {"A01_due": "June 2098", "A02_due": "May 2096", "A03_owner": "ann", "All_reason": "Why"} | typed
    sent = {**held(client.get("/assign/")), **named(typed)}
    make_update(done, "complete", by=make_user("Chair"))
    change(withdrawn, is_withdrawn=True)

    response = client.post("/assign/", sent)

    assert response.status_code == 200
    assert (owners(), dates()) == ([], saved)
    assert [(row.ref, row.typed) for row in response.context["lost"]] == [
        ("A01", [("New date", "June 2098")]),
        ("A03", [("New owner", "Ann Person")]),
    ]
    told = [
        "A01: It is not open any more. Nothing was saved of this row.",
        "A03: There is no such action on the board now.",
    ]
    assert errors_of(response)[-2:] == told
    page = text_of(response)
    assert "New date June 2098" in page
    assert "New owner Ann Person" in page


def test_of_somebody_who_cannot_be_chosen_any_more_it_is_said_who_was_meant(client, secretary):
    make_action("A01")
    ann = make_user("Officers", "ann")
    sent = {**held(client.get("/assign/")), "A01-owner": "ann"}
    ann.is_active = False
    ann.save()

    told = "A01: Ann Person has a closed account now. Choose one of the people listed."
    assert errors_of(client.post("/assign/", sent)) == [told]
    assert errors_of(client.post("/assign/", sent | {"All-dated": "soon"}))[1:] == [told]
    for_all = client.post("/assign/", sent | {"A01-owner": "", "A01-tick": "on", "All-owner": "ann"})
    assert errors_of(for_all) == ["The account “ann” cannot be chosen now. Choose one of the people listed."]
    assert owners() == []


def test_six_hundred_open_actions_can_be_sent_at_once(client, secretary, settings):
    fields = []
    for ref in ("A01", "A02"):
        make_action(ref)
        fields.append(len(held(client.get("/assign/"))))
    more_for_each = fields[1] - fields[0] + 1  # its tick, which is sent if it is set

    assert fields[1] + 600 * more_for_each < settings.DATA_UPLOAD_MAX_NUMBER_FIELDS


@pytest.mark.parametrize("actions", [1, 10])
def test_the_page_takes_the_same_queries_however_many_actions(
    client, secretary, django_assert_num_queries, actions
):
    for number in range(10, 10 + actions):
        action = make_action(f"A{number}", owner=make_user("Officers", f"owner{number}"))
        make_due_date(action)
    client.get("/assign/")  # the first page of a session also notes the time in it

    with django_assert_num_queries(13):
        client.get("/assign/")


def test_whoever_was_signed_out_gets_back_what_they_typed_under_the_number_of_each_action(secretary):
    make_action("A01")
    make_action("A02")
    make_user("Officers", "ann")
    client = sign_in(Client(), secretary)
    sent = {**held(client.get("/assign/")), "A01-owner": "ann", "A02-due": "31/3/2027", "All-reason": "Why"}
    client.logout()

    page = client.post("/assign/", sent).content.decode()

    labels, texts = re.findall("<h2>(.*?)</h2>", page), re.findall('<p class="typed">(.*?)</p>', page)
    assert dict(zip(labels, texts, strict=True)) == {
        "All: Dated": f"{timezone.localdate():%d/%m/%Y}",
        "All: Reason": "Why",
        "A01: Owner": "ann",
        "A02: Due": "31/3/2027",
    }
