"""A database that fails in the middle of a save: all of it is there or none, and the page says which."""

import json
import logging
import os
import random
import shutil
import string
import subprocess
import sys
from collections import Counter
from itertools import count
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bcp_board.backups import LEFT_OUT, digest
from bcp_board.tests.addresses import cast, make_record
from recommendations.due_dates import DueDate
from recommendations.models import Action, Recommendation
from recommendations.tests.factories import make_decision, make_due_date, make_recommendation
from record.models import Meeting
from record.tests.admin_forms import fields_of, open_form
from record.verification import first_fault

pytestmark = pytest.mark.sweep


class Fault:
    """Inside its block the ``number``-th of the statements and commits fails, before it reaches the driver.

    With ``but``, statements that begin with one of those words are not counted. ``struck`` says whether it
    came to that.
    """

    def __init__(self, connection, number, but=()):
        self.connection, self.left, self.but, self.struck = connection, number, but, False

    def __enter__(self):
        self.commit = self.connection._commit
        self.connection._commit = lambda: self.step("COMMIT", self.commit)
        self.statements = self.connection.execute_wrapper(self.statement)
        self.statements.__enter__()
        return self

    def __exit__(self, *raised):
        self.statements.__exit__(*raised)
        self.connection._commit = self.commit

    def statement(self, execute, sql, *more):
        return self.step(sql, execute, sql, *more)

    def step(self, sql, do, *arguments):
        self.left -= not sql.startswith(self.but)
        if self.left == 0 and not self.struck:
            self.struck = True
            raise OperationalError("could not extend file: No space left on device")
        return do(*arguments)


@pytest.fixture
def board(new_database):
    """{role: User}, and the database with a record in it under "database"."""
    # A line for each of some hundred faults would be all that anybody saw of a failure.
    logging.disable()
    with new_database() as connection:
        people = cast()
        make_record(people["officer"])
        yield {**people, "database": connection}
    logging.disable(logging.NOTSET)


def signed_in(user):
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def address(name, *keys, query=""):
    return reverse(f"admin:{name}", args=keys) + query


def an_update(client, turn):
    page = address("recommendations_progressupdate_add", query=f"?action={Action.objects.get().pk}")
    typed = {"status": "at_risk", "narrative": f"Turn {turn}", "reason": "Why", "recovery_step": "What next"}
    return page, {**open_form(client, page), **typed}


def a_proposed_date(client, turn):
    page = address("recommendations_duedate_add", query=f"?action={Action.objects.get().pk}")
    for waiting in DueDate.objects.filter(needs_decision=True, decisions=None):
        make_decision(waiting, "refused", by=waiting.recorded_by)
    typed = {"due": f"March {2060 + turn}", "reason_kind": "dependency", "reason": "The supplier is late"}
    return page, {**open_form(client, page), **typed}


def a_decision(client, turn):
    last = DueDate.objects.latest("pk")
    proposal = make_due_date(last.action, by=last.recorded_by, needs_decision=True)
    page = address("recommendations_decision_add", query=f"?due_date={proposal.pk}")
    return page, {**open_form(client, page), "outcome": "agreed", "reason": "Because"}


def an_assessment(client, turn):
    key = Recommendation.objects.get(number=1).pk
    page = address("recommendations_assessment_add", query=f"?recommendation={key}")
    typed = {"whose": "board", "status": "at_risk", "narrative": f"What was seen {turn}"}
    return page, {**open_form(client, page), **typed}


def an_edited_action(client, turn):
    page = address("recommendations_action_change", Action.objects.get().pk)
    other = make_recommendation(2 + turn)
    return page, {**open_form(client, page), "title": f"Title {turn}", "recommendations": [other.pk]}


def an_account(client, turn):
    page = address("auth_user_add")
    typed = {"username": f"ann{turn}", "first_name": "Ann", "last_name": "Person"}
    form = open_form(client, page)
    return page, {**form, **typed, "groups": [Group.objects.get(name="Officers").pk]}


def a_paper(client, turn):
    page = address("meetings_publish", Meeting.objects.get().pk)
    return page, {**fields_of(client.get(page).context["form"]), "reason": "A name was wrong"}


def rows():
    kept = [m for m in apps.get_models(include_auto_created=True) if m._meta.label_lower not in LEFT_OUT]
    return Counter({model._meta.label: model._default_manager.count() for model in kept})


SAVEPOINTS = "SAVEPOINT", "RELEASE"
READS = "SELECT", *SAVEPOINTS


# Of an update every statement fails in turn; of the others, to be quick, those that write and the commits.
@pytest.mark.parametrize(
    ("role", "form", "but"),
    [
        ("officer", an_update, SAVEPOINTS),
        pytest.param("officer", a_proposed_date, READS, marks=pytest.mark.again),
        pytest.param("chair", a_decision, READS, marks=pytest.mark.again),
        pytest.param("chair", an_assessment, READS, marks=pytest.mark.again),
        pytest.param("secretariat", an_edited_action, READS, marks=pytest.mark.again),
        pytest.param("administrator", an_account, READS, marks=pytest.mark.again),
        pytest.param("secretariat", a_paper, READS, marks=pytest.mark.again),
    ],
)
def test_a_form_is_saved_whole_or_its_page_says_that_nothing_was(board, role, form, but):
    client, refusals, saved, is_open = signed_in(board[role]), [], [], False
    for number in count(1):
        if not is_open:
            page, typed = form(client, len(saved))
            before, rows_before, is_open = digest(board["database"]), rows(), True
        with Fault(board["database"], number, but) as fault:
            response = client.post(page, typed)
        # Whoever makes an account is shown its link.
        is_done = response.status_code == 302 or " is made.</strong>" in response.content.decode()
        if is_done:
            # It came to the end, or what failed is a check that the database makes once more by itself.
            saved.append(rows() - rows_before)
            is_open = False
        else:
            assert "Nothing was saved" in response.content.decode(), (number, response.status_code)
            assert digest(board["database"]) == before, (number, response.status_code)
            refusals.append(response.status_code)
        if not fault.struck:
            break

    assert is_done
    assert saved == [saved[-1]] * len(saved)
    assert sum(saved[-1].values()) > 1
    # The answer with a new account's link leaves nothing in the session that could not be saved.
    assert set(refusals) == ({503} if form is an_account else {400, 503})
    assert first_fault() is None


def test_a_password_is_changed_with_its_session_or_its_page_says_that_nothing_was(board):
    officer, old, new = board["officer"], "three unrelated words", "another three words"
    officer.set_password(old)
    officer.save()
    client, before = signed_in(officer), digest(board["database"])
    typed = {"old_password": old, "new_password1": new, "new_password2": new}
    for number in count(1):
        with Fault(board["database"], number) as fault:
            response = client.post("/password/", typed)
        if not fault.struck:
            break
        assert "Nothing was saved" in response.content.decode(), (number, response.status_code)
        assert digest(board["database"]) == before, (number, response.status_code)

    officer.refresh_from_db()
    assert (response.status_code, officer.check_password(new)) == (302, True)
    assert client.get("/password/").status_code == 200


def test_the_record_is_loaded_whole_or_not_at_all(new_database):
    # Some hundred writes: the first, the fourth, the sixteenth and so on, until there is none left to fail.
    logging.disable()
    with new_database() as connection:
        before = digest(connection)
        for number in (4**power for power in count()):
            with Fault(connection, number, READS) as fault:
                try:
                    call_command("seed", verbosity=0)
                except CommandError as error:
                    assert str(error).endswith("Nothing was loaded."), number
            if not fault.struck:
                break
            assert digest(connection) == before, number

        assert number > 100
        assert Action.objects.count() == 27
        assert first_fault() is None
    logging.disable(logging.NOTSET)


def refuse_writes(execute, sql, *more):
    if sql.startswith(("INSERT", "UPDATE", "DELETE")):
        raise OperationalError("could not extend file: No space left on device")
    return execute(sql, *more)


def test_while_nothing_can_be_written_people_read_and_are_told_that_nothing_was_saved(board, log):
    client, before = signed_in(board["officer"]), digest(board["database"])
    page, typed = an_update(client, 0)
    # The next page would note in the session that its owner is still there.
    session = client.session
    session["began"] = session["seen"] = int(timezone.now().timestamp()) - 300
    session.save()

    with board["database"].execute_wrapper(refuse_writes):
        logging.disable(logging.NOTSET)
        read = [client.get(address).status_code for address in ("/", "/actions/A01/", "/status/", "/admin/")]
        noted = [(line["event"], line["outcome"], line["kind"]) for line in log()]
        logging.disable()
        refused = client.post(page, typed)
        no_entry = Client(raise_request_exception=False).post("/login/", {"username": "officer"})
        ready = client.get("/readyz").status_code

    assert (read, ready) == ([200] * 4, 503)
    assert noted == [("fault", "200", "OperationalError")] * 4
    assert (refused.status_code, no_entry.status_code) == (503, 503)
    assert "Nothing was saved" in refused.content.decode()
    assert digest(board["database"]) == before
    assert client.post(page, typed).status_code == 302


@pytest.fixture
def disk(board):
    """Two functions: one leaves no room for the progress updates, the other makes room again."""
    with board["database"].cursor() as cursor:
        if board["database"].vendor == "sqlite":
            yield from limited_file(cursor)
        else:
            yield from small_disk(cursor)


def limited_file(cursor):
    def pragma(text):
        return cursor.execute(f"PRAGMA {text}").fetchone()[0]

    room = pragma("max_page_count")
    yield (
        lambda: pragma(f"max_page_count = {pragma('page_count')}"),
        lambda: pragma(f"max_page_count = {room}"),
    )


def small_disk(cursor):
    server = Path(cursor.execute("SHOW data_directory").fetchone()[0])
    disk = server.with_name("small_disk")
    disk.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")

    def fill():
        with (disk / "filler").open("ab") as file:
            while shutil.disk_usage(disk).free:
                file.write(bytes(4096))
                file.flush()

    try:
        os.chown(disk, server.stat().st_uid, server.stat().st_gid)
        cursor.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")
        cursor.execute("ALTER TABLE recommendations_progressupdate SET TABLESPACE small")
        yield fill, (disk / "filler").unlink
        cursor.execute("ALTER TABLE recommendations_progressupdate SET TABLESPACE pg_default")
        cursor.execute("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_full_disk_is_told_in_words_and_works_again_when_there_is_room(board, disk, log):
    client, before, (fill, make_room) = signed_in(board["officer"]), digest(board["database"]), disk
    page, typed = an_update(client, 0)
    # PostgreSQL would make short work of one letter repeated.
    typed["narrative"] = "".join(random.choices(string.ascii_letters + string.digits, k=9_000))

    fill()
    logging.disable(logging.NOTSET)
    log()
    refused = [client.post(page, typed) for _ in range(3)]
    faults = log(raw=True)
    read = [client.get(address).status_code for address in ("/", "/actions/A01/", "/healthz")]
    held = digest(board["database"])
    make_room()

    assert [response.status_code for response in refused] == [503] * 3
    assert "Nothing was saved" in refused[0].content.decode()
    code = {"sqlite": "SQLITE_FULL", "postgresql": "53100"}[board["database"].vendor]
    assert [json.loads(line)["code"] for line in faults.splitlines()] == [code] * 3
    assert typed["narrative"][:40] not in faults
    assert read == [200] * 3
    assert held == before
    assert client.post(page, typed).status_code == 302
    assert first_fault() is None


@pytest.mark.once
def test_a_damaged_file_is_out_of_order_for_the_site_and_for_commands(new_database):
    with new_database() as database:
        if database.vendor != "sqlite":
            pytest.skip("A file of SQLite's")
        file = Path(database.settings_dict["NAME"])
        database.close()
        file.write_bytes(b"This is no database. " * 100)
        client = Client(raise_request_exception=False)
        assert [client.get(path).status_code for path in ("/login/", "/help/")] == [200, 200]
        client.cookies[settings.SESSION_COOKIE_NAME] = "x" * 32
        assert [client.get(path).status_code for path in ("/login/", "/help/")] == [503, 503]
        with pytest.raises(CommandError, match="was not checked: .* or damaged") as raised:
            call_command("verify_history")
        assert raised.value.returncode == 2
        database.close()
        done = subprocess.run(
            [sys.executable, "manage.py", "unlock", "ann"],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DATABASE_URL": f"sqlite:///{file}"},
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr.startswith("Stopped: the database cannot be")) == (1, True)
