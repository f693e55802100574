"""Words removed by law are gone from every page, row, version, paper and file; the rest is still proved."""

import datetime
import io
import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from bcp_board import backups
from meetings.models import Paper
from meetings.publishing import publish, what_is_read
from recommendations.models import Action, ProgressUpdate
from recommendations.tests.factories import make_action, make_update
from record import erasure, ledger
from record.models import Ask, Erasure, Salt
from record.tests.admin_forms import open_form
from record.tests.factories import make_document, make_meeting, make_user, saved
from record.verification import first_fault

NAME = "Zebedee Quillfeather"
REASON = "A child’s name, UK GDPR article 17"
APPROVED = "Mary Example (Monitoring officer)"
# As a narrative, a title, a page and JSON may hold it.
SPELLINGS = ("Zebedee Quillfeather", "ZEBEDEE  quillfeather", "Zébedee\nQuillfeather")


def notice():
    today = timezone.localdate()
    return f"[Removed on {today.day} {today:%B %Y}: {REASON}]"


def write_the_name_everywhere():
    """Put it into an update, its correction, a version, a paper, a line of the admin's log and a session."""
    officer = make_user("Officers", "olu")
    clerk = make_user("Secretariat", "clerk")
    meeting = make_meeting(datetime.date(2099, 1, 15))
    action = make_action("A05", owner=officer)
    action.title = f"Help {SPELLINGS[1]}"
    with saved(reason=f"For {SPELLINGS[0]}"):
        action.save()
    first = make_update(action, by=officer, narrative=f"We met {SPELLINGS[0]} & others", evidence="Minutes")
    make_update(
        action, by=officer, narrative=f"We saw {SPELLINGS[2]}", corrects=first, correction_reason="A slip"
    )
    make_update(action, by=officer, narrative="Nothing to do with it")
    publish(meeting.pk, by=clerk, read=what_is_read(meeting))
    message = json.dumps([{"changed": {"name": "action", "object": SPELLINGS[2]}}])
    LogEntry.objects.log_actions(clerk.pk, [action], CHANGE, message, single_object=True)
    session = SessionStore()
    session["_messages"] = json.dumps([f"Saved: {SPELLINGS[0]}"])
    session.save()
    other = SessionStore()
    other["began"] = 1
    other.save()
    return first


@pytest.fixture
def written(new_database, settings, tmp_path):
    settings.VAR_DIR = tmp_path / "var"
    settings.BACKUP_FOLDER = tmp_path / "var" / "backups"
    settings.BACKUP_FOLDER.mkdir(parents=True)
    with new_database() as database:
        yield write_the_name_everywhere()
        database.close()


def erase(row, monkeypatch, *, typed=f"{NAME}\n", field="narrative", **options):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    told = io.StringIO()
    options = {"reason": REASON, "approved_by": APPROVED, **options}
    call_command("erase", row._meta.label_lower, str(row.pk), field, stdout=told, **options)
    return told.getvalue()


def files():
    """The bytes of the files of the database in which rows are kept."""
    if connection.vendor == "sqlite":
        name = Path(connection.settings_dict["NAME"])
        return {path.name: path.read_bytes() for path in name.parent.glob(f"{name.name}*")}
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
        cursor.execute(
            "SELECT relname, pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class "
            "WHERE relkind IN ('r', 't', 'i') AND relnamespace = 'public'::regnamespace"
        )
        return {name: bytes(content) for name, content in cursor.fetchall()}


def add(client, name, **typed):
    """Add a row in the admin, on the page of the model called ``name``."""
    address = reverse(f"admin:{name}_add")
    answer = client.post(address, open_form(client, address) | typed)
    assert answer.status_code == 302, answer.context["errors"]


def holding(content):
    return sorted(name for name, held in content.items() if re.search(rb"(?i)quillfeather", held))


@pytest.mark.sweep
def test_the_words_go_from_every_row_version_paper_log_and_file(written, client, monkeypatch):
    assert holding(files()) != []
    old = Paper.objects.get().sha256

    told = erase(written, monkeypatch, yes=True)

    for _ in range(30):
        # PostgreSQL's own cleaning, much of it where many tests run, may still look at the old rows.
        if holding(files()):
            time.sleep(1)
            call_command("erase", clean=True)
    assert holding(files()) == []
    assert "The files of the database hold no page of what was removed." in told
    assert first_fault() is None
    assert erasure.search([NAME]) == erasure.Found((), (), ())
    updates = ProgressUpdate.objects.order_by("pk")
    assert [(u.narrative, u.evidence) for u in updates] == [
        (notice(), "Minutes"),
        (notice(), updates[1].evidence),
        ("Nothing to do with it", updates[2].evidence),
    ]
    assert Action.objects.get().title == notice()
    versions = Action.history.order_by("history_id").values_list("title", "history_change_reason")
    assert list(versions)[-1] == (notice(), notice())
    assert LogEntry.objects.get().get_change_message() == notice()
    assert LogEntry.objects.get().object_repr == notice()
    assert [s.get_decoded() for s in Session.objects.all()] == [{"began": 1}]
    assert Paper.objects.get().sha256 == old
    client.force_login(make_user("Secretariat", "reader"))
    for address in ("/actions/A05/", "/meetings/2099-01-15/", "/meetings/2099-01-15/paper/"):
        page = client.get(address).content.decode()
        assert (notice() in page, "Quillfeather" in page) == (True, False), address
    assert old in page  # the paper's own, beside what stands in its place


def test_the_chain_says_what_was_erased_and_still_proves_the_rest(written, monkeypatch, capsys):
    before = ledger.anchor()
    erase(written, monkeypatch, yes=True)
    call_command("verify_history", anchor=str(before))
    line = f"recommendations.progressupdate {written.pk}, narrative: {notice()} Approved by {APPROVED}."
    assert line in capsys.readouterr().out.splitlines()


def run(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def entered(row, field):
    """Enter that ``field`` of ``row`` is erased, but erase nothing; return the notice."""
    made = Erasure(
        kind=row._meta.label_lower,
        row=row.pk,
        field=field,
        notice=notice(),
        reason=REASON,
        approved_by=APPROVED,
    )
    ledger.append([made])
    return made.notice


def change(row, **columns):
    type(row).objects.filter(pk=row.pk).update(**columns)


def refused(act, *arguments, **options):
    with transaction.atomic(), pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        act(*arguments, **options)
    return True


def test_the_database_lets_through_nothing_but_that_notice_in_that_column_once(written):
    row, other = ProgressUpdate.objects.order_by("pk")[::2]
    assert refused(change, row, narrative=notice())  # before the entry
    entered(row, "narrative")
    assert refused(change, row, narrative="Other words")
    assert refused(change, row, evidence=notice())
    assert refused(change, other, narrative=notice())
    assert refused(change, row, narrative=notice(), status="off_track")
    assert refused(change, row, narrative=notice(), id=1000)
    assert refused(type(row).objects.filter(pk=row.pk)._raw_delete, using="default")
    change(row, narrative=notice())
    assert refused(change, row, narrative=notice())  # twice
    assert refused(change, row, narrative="Other words")


def test_no_erasure_reaches_a_column_that_holds_no_words(written):
    row, paper = ProgressUpdate.objects.first(), Paper.objects.get()
    for each, field in ((row, "status"), (row, "dated"), (paper, "sha256")):
        entered(each, field)
        with connection.constraint_checks_disabled():
            assert refused(change, each, **{field: notice()[: each._meta.get_field(field).max_length]})
    assert refused(change, paper, body=notice().encode())
    entered(paper, "body")
    assert refused(change, paper, body=b"Other bytes")
    change(paper, body=notice().encode())
    entered(Erasure.objects.first(), "reason")
    assert refused(change, Erasure.objects.first(), reason=notice()[:60])


def test_only_the_salt_of_what_was_erased_can_go(written):
    row = ProgressUpdate.objects.first()
    salts = Salt.objects.filter(entry__kind=row._meta.label_lower)
    assert refused(salts.get(entry__row=row.pk).delete)
    entered(row, "narrative")
    for salt in salts.exclude(entry__row=row.pk):
        assert refused(salt.delete)
    assert refused(Salt.objects.get(entry__kind="record.erasure").delete)
    salts.get(entry__row=row.pk).delete()


def test_a_second_erasure_of_a_row_proves_what_is_left_of_it(written, monkeypatch):
    erase(written, monkeypatch, yes=True)
    erase(written, monkeypatch, typed="minutes\n", field="evidence", yes=True)
    assert first_fault() is None
    row = ProgressUpdate.objects.get(pk=written.pk)
    assert (row.narrative, row.evidence) == (notice(), notice())
    first = Erasure.objects.get(kind=row._meta.label_lower, row=row.pk, field="narrative")
    assert not Salt.objects.filter(entry__kind="record.erasure", entry__row=first.pk).exists()


@pytest.mark.parametrize(
    ("typed", "options", "said"),
    [
        (f"{NAME}\n\n\nno\n", {}, "It was not confirmed"),
        (f"{NAME}\n\n1 99\nyes\n", {}, "Give the numbers of some of the places listed"),
        ("Nobody Such\n", {"yes": True}, "These words are not in recommendations.progressupdate"),
        ("Z\n", {"yes": True}, "Give 3 letters or more"),
        (f"{NAME}\n", {"yes": True, "reason": ""}, "Name the kind, the row and the field"),
        (f"{NAME}\n", {"yes": True, "reason": "x" * 66}, "Give the reason in 65 characters or fewer"),
        (f"{NAME}\n", {"yes": True, "reason": f"Of {NAME}"}, "must not hold the words themselves"),
    ],
)
@pytest.mark.again
def test_what_is_not_confirmed_or_not_whole_removes_nothing(written, monkeypatch, typed, options, said):
    before = backups.digest(connection)
    with pytest.raises(CommandError, match=said):
        erase(written, monkeypatch, typed=typed, **options)
    assert backups.digest(connection) == before


def test_the_places_are_shown_before_and_those_left_out_keep_their_words(written, monkeypatch):
    found = erasure.search([NAME])
    number = 1 + next(n for n, p in enumerate(found.places) if p.kind == "admin.logentry")
    told = erase(written, monkeypatch, typed=f"{NAME}\n\n{number}\nyes\n")
    shown = [line for line in told.splitlines() if re.match(r"\d+\. ", line)]
    assert [line.partition(": ")[0] for line in shown] == [
        f"{n}. {place}" for n, place in enumerate(found.places, 1)
    ]
    left = erasure.search([NAME]).places
    assert [str(place) for place in left] == [str(found.places[number - 1])]


def test_without_words_all_that_the_column_says_is_looked_for(written, monkeypatch):
    copied = make_update(Action.objects.get(), narrative=written.narrative)
    erase(written, monkeypatch, typed="", yes=True)
    assert ProgressUpdate.objects.get(pk=copied.pk).narrative == notice()
    assert ProgressUpdate.objects.get(corrects=written.pk).narrative != notice()


def test_a_part_of_the_words_at_which_a_text_was_cut_is_found_and_other_words_are_not(db):
    clerk, rows = make_user("Secretariat", "clerk"), {}
    kind = ContentType.objects.get_for_model(clerk)
    for name, called in {
        "where the column ends": f"{'x' * 195} Zebe",
        "too few letters": f"{'x' * 196} Zeb",
        "where events were cut": f"E99: {'x' * 66} Zebedee Quill",
        "before a mark": "Was with Zebedee… and is not",
        "after a mark": "Was … Quillfeather needs it",
        "between marks": "Was … feath… now",
        "not cut": "Zebedee",
        "of others": "Was Zeb… and … feather",
    }.items():
        entry = {"action_flag": CHANGE, "content_type": kind, "object_repr": called}
        rows[LogEntry.objects.create(user=clerk, **entry).pk] = name
    assert [rows[place.key] for place in erasure.search(["Zebedee Quillfeather"]).places] == [
        "where the column ends",
        "where events were cut",
        "before a mark",
        "after a mark",
        "between marks",
    ]


def test_the_admins_log_calls_nothing_by_a_part_of_its_text(db, client):
    client.force_login(make_user("Secretariat", "clerk"))
    report = make_document("report")
    meeting = make_meeting(datetime.date(2099, 1, 15))
    for length, ref in ((66, "E98"), (180, "E99")):
        event = {"ref": ref, "date": "22/11/2022", "document": report.pk, "reference": "Page 1"}
        add(client, "visits_event", **event, text=f"{'x' * length} {NAME} went")
    add(client, "record_ask", meeting=meeting.pk, kind="decide", text=f"{'x' * 173} {NAME} went")
    whole = f"E98: {'x' * 66} {NAME} went"
    called = LogEntry.objects.order_by("pk").values_list("object_repr", flat=True)
    assert list(called) == [whole, "E99", f"Ask {Ask.objects.get().pk}"]


def test_letters_with_a_stroke_hide_nothing():
    assert erasure.letters("Łukasz Đorđe Þór Sørensen Ægir") == erasure.letters(
        "lukasz dorde thor sorensen aegir"
    )


def test_backups_made_before_are_listed_until_they_are_gone(written, monkeypatch, settings):
    old = backups.save(settings.BACKUP_FOLDER / "old.backup", unencrypted=True).path
    replaced = backups.save(settings.VAR_DIR / "replaced-1.backup", unencrypted=True).path
    told = erase(written, monkeypatch, yes=True)
    for path in (old, replaced):
        assert f"Delete it, and every copy of it: {path}" in told
    new = backups.save(settings.BACKUP_FOLDER / "new.backup", unencrypted=True).path
    assert b"Quillfeather" in old.read_bytes()
    assert b"Quillfeather" not in new.read_bytes()
    with pytest.raises(CommandError, match=f"words that were erased since: {old}, {replaced}"):
        call_command("check_backups")
    old.unlink()
    replaced.unlink()
    call_command("check_backups")


def test_what_was_restored_says_what_was_erased(written, monkeypatch, new_database, tmp_path):
    erase(written, monkeypatch, yes=True)
    path = backups.save(tmp_path / "saved.backup", unencrypted=True).path
    with new_database():
        backups.restore(path)
        assert first_fault() is None
        assert Erasure.objects.count() > 5


def test_a_file_that_others_read_is_said_to_be_unclean_until_it_is_cleaned(written, monkeypatch):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL waits for its readers, for ten seconds")
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM record_ledgerentry").fetchone()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 100")
        with pytest.raises(CommandError, match="Stop the site and run: manage.py erase --clean"):
            erase(written, monkeypatch, yes=True)
    call_command("erase", clean=True)
    assert holding(files()) == []


def test_the_security_log_says_which_places_and_none_of_the_words(written, monkeypatch, log):
    erase(written, monkeypatch, yes=True)
    (line,) = [line for line in log() if line["event"] == "erasure"]
    assert f"recommendations.progressupdate {written.pk} narrative" in line["objects"]
    assert "uillfeather" not in json.dumps(line)


def test_the_next_version_of_an_erased_paper_shows_what_that_one_showed(written, monkeypatch):
    erase(written, monkeypatch, yes=True)
    officer = ProgressUpdate.objects.first().recorded_by
    make_update(Action.objects.get(), "off_track", by=officer, reason="Said since the erased paper")
    clerk = make_user("Secretariat", "second")
    meeting = Paper.objects.get().meeting
    second = publish(meeting.pk, by=clerk, read=what_is_read(meeting), reason="A name was removed")
    assert b"Said since the erased paper" not in bytes(second.body)
    assert notice().encode() in bytes(second.body)
    third = publish(meeting.pk, by=clerk, read=what_is_read(meeting), reason="Newer")
    assert b"Said since the erased paper" in bytes(third.body)
