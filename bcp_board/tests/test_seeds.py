"""The seeded record: every row sourced, every sentence ours, loaded once and never changed."""

import hashlib
import html
import re
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import models

from bcp_board.tests.record import load_record
from bcp_board.tests.scratch import tables_whose_next_key_is_taken
from recommendations.due_dates import DueDate
from recommendations.models import Action, ProgressUpdate, Recommendation
from recommendations.tests.factories import make_due_date, make_update
from record import ledger
from record.tests.factories import make_user
from record.verification import first_fault
from visits.models import Finding, JudgementArea, Visit

SEEDS = settings.BASE_DIR / "seeds"
DATA = Path(__file__).parent / "data"
RUN = 6


def rows_by_file():
    for path in sorted(SEEDS.glob("*.toml")):
        for table, rows in tomllib.loads(path.read_text(encoding="utf-8")).items():
            for number, row in enumerate(rows, start=1):
                yield f"{path.name}, {table} row {number}", table, row


def words_of(text):
    return re.findall(r"[a-z0-9£%]+", text.lower())


def fingerprints(name):
    content = (DATA / name).read_bytes()
    return {content[i : i + 6] for i in range(0, len(content), 6)}


def fingerprint(kind, words):
    return hashlib.sha256(f"{kind} {' '.join(words)}".encode()).digest()[:6]


def words_on(client, page):
    """What a reader reads on a page, outside its style."""
    body = re.sub(r"<style>.*?</style>", "", client.get(page).content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def counts():
    return {
        model._meta.label: model._base_manager.count()
        for model in apps.get_models()
        if model._meta.app_label in ("visits", "recommendations", "meetings")
    }


def test_every_row_names_a_document_and_a_place_in_it():
    documents = {row["key"] for _, table, row in rows_by_file() if table == "documents"}
    unsourced = [
        place
        for place, table, row in rows_by_file()
        if table not in ("documents", "frameworks", "grades", "areas")
        and (row.get("document") not in documents or not row.get("reference", "").strip())
    ]
    assert unsourced == []
    assert len(documents) == 5


def test_no_sentence_shares_six_words_in_a_row_with_a_source():
    # The sources are not ours to copy, so what is kept of them is a fingerprint of each run of six words.
    known = fingerprints("six_word_runs.bin")
    official = {row["name"] for _, table, row in rows_by_file() if table == "areas"}
    shared = []
    for place, _, row in rows_by_file():
        for field, value in row.items():
            if isinstance(value, str) and value not in official:
                words = words_of(value)
                runs = (words[i : i + RUN] for i in range(len(words) - RUN + 1))
                shared += [(place, field, run) for run in runs if fingerprint("runs", run) in known]
    assert shared == []


def test_the_six_word_check_knows_a_sentence_of_a_source():
    words = words_of("experiences and progress of children who need help and protection")
    assert fingerprint("runs", words[:RUN]) in fingerprints("six_word_runs.bin")


def test_no_child_named_in_a_source_appears_in_the_seeds():
    known = fingerprints("names_not_to_appear.bin")
    found = []
    for place, _, row in rows_by_file():
        words = words_of(" ".join(str(value) for value in row.values()))
        for size in (2, 3):
            runs = (words[i : i + size] for i in range(len(words) - size + 1))
            found += [place for run in runs if fingerprint("name", run) in known]
    assert found == []


@pytest.mark.django_db
def test_seeding_twice_changes_nothing_and_loads_the_whole_record(capsys):
    call_command("seed", verbosity=0)
    assert tables_whose_next_key_is_taken() == []
    first, anchor = counts(), ledger.anchor()
    call_command("seed")
    assert (counts(), ledger.anchor()) == (first, anchor)
    assert list(Recommendation.objects.values_list("number", flat=True)) == list(range(1, 11))
    assert list(Recommendation.objects.filter(is_critical=True).values_list("number", flat=True)) == [6]
    assert list(Action.objects.order_by("ref").values_list("ref", flat=True)) == [
        f"A{number:02}" for number in range(1, 28)
    ]
    assert list(ProgressUpdate.objects.values_list("action__ref", "status")) == [("A18", "done")]
    dates = DueDate.objects.order_by("action__ref").values_list("action__ref", "due")
    assert list(dates) == [("A01", "2022-11?"), ("A02", "2024"), ("A04", "2023-04")]
    assert first_fault() is None
    assert capsys.readouterr().out.splitlines() == ["The record is loaded; nothing to add."]


@pytest.mark.django_db
def test_seeding_leaves_an_officers_update_and_an_edited_row_and_says_what_differs(capsys):
    load_record()
    officer = make_user("Officers")
    make_update(Action.objects.get(ref="A05"), "at_risk", by=officer)
    Action.objects.filter(ref="A05").update(title="As the board now words it")
    before = counts()
    call_command("seed")
    assert counts() == before
    assert Action.objects.get(ref="A05").title == "As the board now words it"
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("Left as it is: actions.toml, actions row 5 (A05): title is As the board now")


@pytest.mark.once
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("file", "was", "wrong", "named"),
    [
        ("actions.toml", 'ref = "A05"', 'ref = "five"', "actions.toml, actions row 5 (five)"),
        ("actions.toml", 'due = "2024"', 'due = "mid-2024"', "actions.toml, due_dates row 2 (A02 mid-2024"),
        ("visits.toml", 'kind = "focused"', 'kind = "unannounced"', "visits.toml, visits row"),
        ("risks.toml", 'document = "adviser-report"', 'document = "nowhere"', "risks.toml, risks row 1"),
        ("events.toml", "[[events]]", "[[occasions]]", "events.toml: there is no table called occasions"),
        ("measures.toml", 'name = "', 'naem = "', "measures.toml, measures row 1 (M01): there is no field"),
        ("measures.toml", "[[measures]]", "[measures", "measures.toml: "),
    ],
)  # fmt: skip
def test_a_wrong_row_is_named_and_nothing_is_loaded(tmp_path, file, was, wrong, named):
    for path in SEEDS.glob("*.toml"):
        text = path.read_text(encoding="utf-8")
        if path.name == file:
            assert was in text
            text = text.replace(was, wrong, 1)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    with pytest.raises(CommandError) as refusal:
        call_command("seed", folder=tmp_path)
    assert str(refusal.value).startswith(named)
    assert str(refusal.value).endswith("Nothing was loaded.")
    assert set(counts().values()) == {0}


@pytest.mark.django_db
def test_a_later_visit_cannot_be_graded_and_no_finding_is_an_area_for_priority_action():
    load_record()
    assert not Finding.objects.filter(kind="priority").exists()
    graded = set(Visit.objects.filter(judgements__isnull=False).values_list("kind", flat=True))
    assert graded == {"full"}
    assert JudgementArea.objects.filter(framework__name="ILACS").count() == 4


def test_no_field_can_hold_a_childs_name_birth_date_or_case_number():
    names = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.Field)
        and any(word in field.name for word in ("child", "birth", "dob", "case", "surname", "nhs"))
    }
    assert names == set()


# What a page may say of agreement though the board agreed nothing: a source, a term, a definition.
NOT_THE_BOARDS = (
    "the adviser agreed",
    "no agreed way of working",
    "one agreed way of doing social work",
    "miss what was agreed",
    "to do what was agreed by the date agreed",
    "Who agreed it",
    "The day the board agreed this date: at a meeting, its day. Of a proposal, the day you make it.",
)


@pytest.mark.again
def test_nothing_of_the_seeded_record_is_shown_as_agreed_by_a_board_that_agreed_nothing(client, record):
    client.force_login(make_user("Secretariat"))
    actions = dict(Action.objects.values_list("ref", "pk"))
    pages = ["/", "/trends/", "/visits/", "/actions/", "/status/", "/meetings/"]
    pages += [f"/actions/{ref}/" for ref in actions]
    pages += [f"/recommendations/{number}/" for number in range(1, 11)]
    pages += [
        f"/admin/recommendations/{kind}/add/?action={actions['A02']}"
        for kind in ("progressupdate", "duedate")
    ]
    texts = {page: words_on(client, page) for page in pages}
    for page, text in texts.items():
        for words in NOT_THE_BOARDS:
            text = text.replace(words, "")
        assert (page, re.findall(r".{0,60}\bagreed\b.{0,60}", text, re.IGNORECASE)) == (page, [])
    for ref, due in (("A01", "November 2022, year inferred"), ("A02", "2024"), ("A04", "April 2023")):
        assert f"{due} First date, given in a report" in texts[f"/actions/{ref}/"]
        assert "No board: a report gives it" in texts[f"/actions/{ref}/"]
    make_due_date(Action.objects.get(ref="A05"), "2023-05", by=make_user("Chair", "chair"))
    assert "May 2023 First agreed date" in words_on(client, "/actions/A05/")
