"""Actions, owners and dates from a spreadsheet: read row by row first, then added whole or not at all."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from openpyxl import Workbook

from recommendations import importing
from recommendations.due_dates import DueDate
from recommendations.models import Action
from recommendations.ownership import Ownership
from recommendations.tests.factories import make_action, make_due_date, make_recommendation, make_update
from record.models import LedgerEntry
from record.tests.factories import change, make_document, make_user
from record.tests.pages import words_of
from record.verification import first_fault

pytestmark = [pytest.mark.django_db, pytest.mark.once]
HEADINGS = "ref,title,recommendations,owner_role,agreed_on,due,owner"
NEW = "A31,Hire ten social workers,1;2,Director,22/11/2022,31/03/2098,Officers Person"


@pytest.fixture
def keeper(client):
    user = make_user("Secretariat")
    client.force_login(user)
    make_user("Officers")
    make_recommendation(1)
    make_recommendation(2)
    return user


def send(client, *rows, headings=HEADINGS):
    text = "\n".join([headings, *rows])
    return client.post("/import/", {"file": SimpleUploadedFile("actions.csv", text.encode())})


def confirm(client, page):
    return client.post("/import/", {"seen_rows": page.context["carried"]})


def faults_of(page):
    return [str(fault) for fault in page.context["outcomes"].faults]


def does(page):
    return [" ".join(row.words) for row in page.context["outcomes"].rows]


def differs(page):
    return [difference for row in page.context["outcomes"].rows for difference in row.differs]


def added():
    return (
        Action.objects.count(),
        Ownership.objects.count(),
        DueDate.objects.count(),
        LedgerEntry.objects.count(),
    )


def test_a_new_action_is_read_first_and_then_added_with_its_owner_and_date(client, keeper):
    before = added()

    page = send(client, NEW)

    said = ["Action A31 added. Owner set: Officers Person, from today on. Date set: due 31 March 2098."]
    assert (does(page), faults_of(page), added()) == (said, [], before)
    assert "1 action added, 1 owner set, 1 date set. Nothing is imported yet." in words_of(page)

    done = confirm(client, page)

    assert (done.status_code, done.url) == (302, "/actions/")
    assert "Imported: 1 action added, 1 owner set, 1 date set." in words_of(client.get("/actions/"))
    action = Action.objects.get()
    today = f"{timezone.localdate():%Y-%m-%d}"
    assert (action.title, action.owner_role, action.agreed_on) == (
        "Hire ten social workers",
        "Director",
        "2022-11-22",
    )
    assert [r.number for r in action.recommendations.order_by("number")] == [1, 2]
    assert action.history.get().signed == "Secretariat Person (Secretariat)"
    owner, due = Ownership.objects.get(), DueDate.objects.get()
    assert (owner.owner_signed, owner.dated, owner.recorded_by) == (
        "Officers Person (Officer)",
        today,
        keeper,
    )
    assert (due.due, due.dated, due.recorded_by, due.needs_decision) == ("2098-03-31", today, keeper, False)
    assert (due.reason_kind, due.reason) == ("first", "As in row 2 of the spreadsheet that was imported.")
    assert first_fault() is None


def test_a_workbook_with_a_title_merged_over_it_is_read_as_a_person_reads_it(client, keeper):
    book = Workbook()
    for row in (["Improvement plan"], HEADINGS.split(","), NEW.split(",")):
        book.active.append(row)
    book.active.merge_cells("A1:G1")
    file = io.BytesIO()
    book.save(file)

    page = client.post("/import/", {"file": SimpleUploadedFile("actions.xlsx", file.getvalue())})

    assert faults_of(page) == []
    assert "The headings are in row 2; what is above it was not read." in words_of(page)


def test_of_an_action_that_is_there_what_is_missing_is_added_and_what_differs_is_told(client, keeper):
    action = make_action("A01", title="Hire", owner=make_user("Officers", "other", first_name="Other"))
    row = "a01 ,Hire more,2,Director,2 October 2022,March 2098,officers"

    page = send(client, row)

    assert does(page) == ["Owner set: Officers Person, from today on. Date set: due March 2098."]
    assert differs(page) == [
        "title: the record says “Hire”, the file “Hire more”.",
        "recommendations: the record says “1”, the file “2”.",
        "agreed_on: the record says “1 October 2022”, the file “2 October 2022”.",
    ]
    assert confirm(client, page).status_code == 302
    action.refresh_from_db()
    assert (action.title, action.history.count()) == ("Hire", 1)
    assert send(client, row).context["outcomes"].in_words == ""
    assert "Nothing: all that could be imported is on the record already." in words_of(send(client, row))


def test_a_date_that_is_set_is_not_moved_by_a_file(client, keeper):
    make_due_date(make_action("A01"), due="2098-03")

    page = send(client, "A01,April 2098", "A01,", headings="ref,due")
    assert faults_of(page) == [
        "“A01” in row 3, column ref: Row 2 is about A01 already. Leave one row for each action."
    ]
    page = send(client, "A01,April 2098", headings="ref,due")
    assert (does(page), differs(page)) == (
        ["Nothing to change."],
        ["due: the record says “March 2098”, the file “April 2098”."],
    )
    for same in ("March 2098", "2098-03"):
        assert differs(send(client, f"A01,{same}", headings="ref,due")) == []


@pytest.mark.parametrize(
    ("row", "faults"),
    [
        (
            NEW.replace("31/03/2098", "Q3 2023"),
            ["“Q3 2023” in row 2, column due: Say which month, not which quarter."],
        ),
        (
            NEW.replace("31/03/2098", "TBC"),
            ["“TBC” in row 2, column due: This is not a day, a month or a year. Leave"],
        ),
        (
            NEW.replace("31/03/2098", "46112"),
            ["“46112” in row 2, column due: This is a number, perhaps of a day"],
        ),
        (
            NEW.replace("22/11/2022", "44887"),
            ["“44887” in row 2, column agreed_on: This is a number, perhaps"],
        ),
        (NEW.replace("22/11/2022", "soon"), ["“soon” in row 2, column agreed_on: “soon” is not a month."]),
        (NEW.replace("22/11/2022", ""), ["Row 2, column agreed_on: Enter the date the board agreed this"]),
        (
            NEW.replace("1;2", "1;11"),
            ["“1;11” in row 2, column recommendations: There is no recommendation 11."],
        ),
        (
            NEW.replace("1;2", ""),
            ["Row 2, column recommendations: Choose at least one recommendation or finding."],
        ),
        (NEW.replace("Hire ten social workers", ""), ["Row 2, column title: Enter the title."]),
        (NEW.replace("A31", "31"), ["“31” in row 2, column ref: Write it like A28."]),
        (
            NEW.replace("A31", ""),
            ["Row 2, column ref: Enter the reference number of the action, such as A28"],
        ),
        (
            NEW.replace("A31", "Total: 31"),
            ["“Total: 31” in row 2, column ref: This looks like a row of totals."],
        ),
        (
            NEW.replace("Officers Person", "Nobody Known"),
            ["“Nobody Known” in row 2, column owner: No open account"],
        ),
        (
            NEW.replace("Officers Person", "TBC"),
            ["“TBC” in row 2, column owner: No open account has this name. Leave"],
        ),
        (
            NEW.replace("Officers Person", "member"),
            ["“member” in row 2, column owner: That is not one of the choices. Choose one from the list."],
        ),
        (NEW.replace("A31", "=A31"), ["“=A31” in row 2, column ref: This is a formula."]),
        (
            "A31,=1,7,Director,22/11/2022,31/11/2098,Nobody Known",
            [
                "“=1” in row 2, column title: This is a formula.",
                "“7” in row 2, column recommendations: There is no recommendation 7.",
                "“Nobody Known” in row 2, column owner: No open account",
                "“31/11/2098” in row 2, column due: ",
            ],
        ),
        (
            "A31,Hire,7,Director,22/11/2022,Spring 2098,member",
            [
                "“7” in row 2, column recommendations: There is no recommendation 7.",
                "“member” in row 2, column owner: That is not one of the choices. Choose one from the list.",
                "“Spring 2098” in row 2, column due: ",
            ],
        ),
        (
            "A31,Hire,7,Director,22/11/2022,October 2022,",
            [
                "“7” in row 2, column recommendations: There is no recommendation 7.",
                "“October 2022” in row 2, column due: The action was agreed on 22 November 2022.",
            ],
        ),
    ],
)
def test_what_a_row_cannot_say_is_told_by_row_and_column_and_nothing_is_added(client, keeper, row, faults):
    make_user("Board members", "member")
    before = added()

    page = send(client, row)

    found = faults_of(page)
    assert [said[: len(wanted)] for said, wanted in zip(found, faults, strict=True)] == faults
    assert ("carried" in page.context, added()) == (False, before)
    assert "Error: Import from a spreadsheet" in page.content.decode()


def test_of_two_open_accounts_with_one_name_the_username_is_asked(client, keeper):
    make_user("Officers", "second", first_name="Officers")

    assert "2 open accounts have this name" in faults_of(send(client, NEW))[0]
    assert faults_of(send(client, NEW.replace("Officers Person", "second"))) == []


def test_one_wrong_row_keeps_all_the_others_out(client, keeper):
    before = added()

    page = send(client, NEW, NEW.replace("A31", "A32").replace("1;2", "77"))

    assert (len(faults_of(page)), "carried" in page.context, added()) == (1, False, before)


def test_who_owns_the_action_themselves_proposes_and_does_not_set(client, keeper):
    page = send(client, NEW.replace("Officers Person", "secretariat"))

    assert does(page) == [
        "Action A31 added. Owner set: Secretariat Person, from today on. Date proposed: due 31 March 2098."
    ]
    assert confirm(client, page).status_code == 302
    assert DueDate.objects.get().needs_decision


def test_whoever_made_the_last_report_sets_no_date(client, keeper):
    make_update(make_action("A01"), by=keeper)

    (fault,) = faults_of(send(client, "A01,March 2098", headings="ref,due"))

    assert fault.startswith("“March 2098” in row 2, column due: The last report on A01 is yours")


def test_a_withdrawn_action_and_a_moved_date_are_refused(client, keeper):
    change(make_action("A01"), is_withdrawn=True)
    make_action("A02")

    page = send(client, "A01,,", "A02,March 2098,January 2098", headings="ref,due,first_due")

    assert [said.partition(": ")[0] for said in faults_of(page)] == [
        "“A01” in row 2, column ref",
        "“January 2098” in row 3, column first_due",
    ]


def test_confirming_twice_adds_once_and_says_what_happened_meanwhile(client, keeper):
    page = send(client, NEW)
    assert confirm(client, page).status_code == 302
    before = added()

    again = confirm(client, page)

    assert again.status_code == 200
    text = words_of(again)
    assert "Nothing was imported, because the record moved on since you checked the file." in text
    assert "Secretariat Person added the action “A31: Hire ten social workers”" in text
    assert (does(again), added()) == (["Nothing to change."], before)


def test_what_somebody_else_added_meanwhile_is_shown_before_anything_is_confirmed(client, keeper):
    page = send(client, NEW)
    make_action("A31", title="Another")

    again = confirm(client, page)

    assert "title: the record says “Another”, the file “Hire ten social workers”." in differs(again)
    assert Action.objects.get().title == "Another"
    # What is there now was read, so that it can be confirmed.
    assert confirm(client, again).status_code == 302
    assert (Action.objects.get().title, Ownership.objects.count(), DueDate.objects.count()) == (
        "Another",
        1,
        1,
    )


def test_what_is_confirmed_is_what_was_read_by_the_same_person(client, keeper):
    carried = send(client, NEW).context["carried"]
    before = added()
    for forged in ("", "x", carried[:-1], carried.replace(":", ".", 1)):
        page = client.post("/import/", {"seen_rows": forged})
        assert "This form was not sent whole" in words_of(page)
    client.force_login(make_user("Secretariat", "another"))
    assert "This form was not sent whole" in words_of(client.post("/import/", {"seen_rows": carried}))
    assert added() == before


def test_no_file_or_one_that_is_no_table_is_an_error_at_the_box(client, keeper):
    for sent, why in (
        ({}, "Choose a file."),
        ({"file": SimpleUploadedFile("a.pdf", b"%PDF-1")}, "This is a PDF."),
    ):
        page = client.post("/import/", sent)
        assert f'<a href="#id_file">{why}' in page.content.decode()
    assert "There is no row below the headings." in words_of(send(client, ""))


def test_the_document_of_an_action_may_be_named_by_its_title_or_its_key(client, keeper):
    make_document()
    headings = "ref,title,recommendations,owner_role,document,reference"
    for number, name in enumerate(("The report", "report"), start=1):
        page = send(client, f"A1{number},Hire,1,Director,{name},p3", headings=headings)
        assert faults_of(page) == []
        confirm(client, page)
    assert {action.document.key for action in Action.objects.all()} == {"report"}
    (fault,) = faults_of(send(client, "A13,Hire,1,Director,Another,p3", headings=headings))[:1]
    assert fault.startswith("“Another” in row 2, column document: No document has this title or key.")


def test_what_our_own_export_guards_comes_back_as_it_was(client, keeper):
    page = send(client, NEW.replace("Hire ten social workers", "'=Hire"))
    confirm(client, page)

    assert Action.objects.get().title == "=Hire"


def test_more_than_can_be_added_at_once_is_refused_by_the_row_from_which_on(client, keeper, monkeypatch):
    monkeypatch.setattr(importing, "MOST_ADDED", 1)
    make_action("A01")

    page = send(client, NEW, "A01,,,,,March 2098,", NEW.replace("A31", "A32"))

    assert [said.partition(": ")[0] for said in faults_of(page)] == [
        "“March 2098” in row 3, column due",
        "“A32” in row 4, column ref",
    ]


@pytest.mark.parametrize("size", [1, 10])
def test_checking_costs_the_same_for_each_row(client, keeper, size, django_assert_num_queries):
    rows = [NEW.replace("A31", f"A{number}") for number in range(31, 31 + size)]

    with django_assert_num_queries(43 + 51 * size):
        send(client, *rows)
