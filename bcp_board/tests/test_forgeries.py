"""Whoever lifts what guards the record can change it, and what they did to any table of it is named."""

import datetime
import shutil
import subprocess
from itertools import starmap

import psycopg
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from simple_history.models import HistoricalChanges

from bcp_board.tests.forging import different, run
from recommendations.due_dates import DueDate
from recommendations.models import Action, Recommendation
from record import triggers
from record.ledger import entry_digest, link_table
from record.models import Erasure, LedgerEntry, Salt
from record.tests.factories import saved
from record.verification import first_fault
from visits.models import Finding

pytestmark = pytest.mark.sweep

# Accounts and what they may do, who is signed in and tried to, their tokens, the log of edits, the mails that
# people were sent, and what Django counts with.
NOT_IN_THE_CHAIN = {
    "admin.logentry",
    "auth.group",
    "auth.group_permissions",
    "auth.permission",
    "auth.user",
    "auth.user_groups",
    "auth.user_user_permissions",
    "bcp_board.mail",
    "bcp_board.readupto",
    "bcp_board.signintry",
    "bcp_board.token",
    "contenttypes.contenttype",
    "sessions.session",
}


@pytest.mark.again
def test_what_somebody_did_to_a_row_of_any_table_is_named(unguarded):
    """Whoever lifts the triggers, as any program may that opens the file of SQLite."""
    with saved(reason="What it rests on"):
        finding = Finding.objects.get()
        for row in (Action.objects.get(), Recommendation.objects.get(number=1)):
            row.findings.add(finding)
    of_the_record = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.label_lower not in NOT_IN_THE_CHAIN
    ]

    told = {model._meta.label_lower: forgeries(model) for model in of_the_record}

    assert told == {model._meta.label_lower: expected(model) for model in of_the_record}
    assert first_fault() is None


@pytest.mark.again
@pytest.mark.parametrize("kind", ["record.erasure", "recommendations.progressupdate"])
def test_a_row_that_the_chain_gives_another_time_is_named_though_every_digest_after_it_is_right(
    unguarded, kind
):
    """As by somebody who can work out digests, and would have it that something was done at another time."""
    own = LedgerEntry.objects.filter(kind=kind).latest("sequence")
    previous = own.previous
    for entry in LedgerEntry.objects.filter(sequence__gte=own.sequence).order_by("sequence"):
        entry.previous = previous
        if entry == own:
            entry.recorded_at += datetime.timedelta(microseconds=1)
        entry.digest = previous = entry_digest(entry)
        told = stored(entry._meta.get_field("recorded_at"), entry.recorded_at)
        table = f'"{LedgerEntry._meta.db_table}"'
        said = "previous = %s, digest = %s, recorded_at = %s"
        run(
            f"UPDATE {table} SET {said} WHERE sequence = %s",
            entry.previous,
            entry.digest,
            told,
            entry.sequence,
        )

    assert (
        first_fault() == f"Entry {own.sequence} does not match its row, which was changed: {kind} {own.row}."
    )


def forgeries(model):
    """What is said of the newest row of ``model`` changed, taken out, and copied under a new key."""
    row, key = model._base_manager.order_by("-pk").first(), model._meta.pk
    table = f'"{model._meta.db_table}"'
    unique = [c.fields[-1] for c in model._meta.constraints if hasattr(c, "fields")]
    unique += [names[-1] for names in model._meta.unique_together]
    # What a version keeps as the `id` of a link is the key that this had, which nothing reads.
    field = [f for f in model._meta.concrete_fields if not (f.column == "id" or f.primary_key)][-1]
    copied = {
        f: different(f, value) if value and (f.unique or f.name in unique) else value
        for f in model._meta.concrete_fields
        for value in [getattr(row, f.attname)]
    }
    names, marks = ", ".join(f'"{f.column}"' for f in copied), ", ".join(["%s"] * len(copied))
    changed = stored(field, different(field, getattr(row, field.attname)))
    where = f'WHERE "{key.column}" = %s'
    return (
        told_after(f'UPDATE {table} SET "{field.column}" = %s {where}', changed, row.pk),
        told_after(f"DELETE FROM {table} {where}", row.pk),
        told_after(f"INSERT INTO {table} ({names}) VALUES ({marks})", *starmap(stored, copied.items())),
    )


def expected(model):
    label, key = model._meta.label_lower, model._base_manager.latest("pk").pk
    said_otherwise = "{} is not what its newest version says."
    entry = "Entry {e.sequence} does not match its row, which was changed: {e.kind} {e.row}."
    last = LedgerEntry.objects.latest("sequence")
    if model is LedgerEntry:
        return (
            f"Entry {key} ({last.kind} {last.row}) was changed: it does not have the digest of what it says.",
            f"{last.kind} {last.row} has no entry in the chain.",
            f"Entry {key + 1} of the chain is missing; the next is {key + 1000}.",
        )
    if model is Salt:
        lost = f"Entry {key} has lost its salt, without which {last.kind} {last.row} cannot be checked."
        return entry.format(e=last), lost, f"{label} {key + 1000} names what is not there as its entry."
    if hasattr(model, "history") and not issubclass(model, HistoricalChanges):
        gone, more = f"{label} {key} is gone, though its versions are there.", f"{label} {key + 1000}"
        return said_otherwise.format(f"{label} {key}"), gone, said_otherwise.format(more)
    if model._meta.auto_created:
        row = getattr(model.objects.latest("pk"), model._meta.auto_created._meta.model_name)
        return (said_otherwise.format(f"{row._meta.label_lower} {row.pk}"),) * 3
    if not hasattr(model, "time_field"):
        version = model.objects.latest("pk").history
        of_it = LedgerEntry.objects.get(kind=version._meta.label_lower, row=version.pk)
        return (entry.format(e=of_it),) * 3
    own = LedgerEntry.objects.get(kind=label, row=key)
    gone = f"Entry {own.sequence} names a row that is gone: {label} {key}."
    if model is Erasure:
        erased = LedgerEntry.objects.get(kind="recommendations.historicalrisk")
        lost = f"Entry {erased.sequence} has lost its salt, without which"
        gone = f"{lost} {erased.kind} {erased.row} cannot be checked."
    return entry.format(e=own), gone, f"{label} {key + 1000} has no entry in the chain."


def stored(field, value):
    return field.get_db_prep_save(value, connection)


def told_after(sql, *parameters):
    """What is said of the history while it is as ``sql`` leaves it."""
    with transaction.atomic():
        run(sql, *parameters)
        fault = first_fault()
        transaction.set_rollback(True)
    return fault


def test_a_table_that_was_taken_away_is_named(unguarded):
    run("DROP TABLE recommendations_sendback")
    assert first_fault() == "The table recommendations_sendback is not there."


def test_a_link_that_a_version_holds_of_another_row_is_named(unguarded):
    versions = Action.history.filter(historicalaction_recommendations__isnull=False)
    version = versions.earliest("historicalaction_recommendations")
    run("UPDATE recommendations_historicalaction_recommendations SET action_id = 1000")
    told = f"recommendations.historicalaction {version.pk} has a link that is of another row."
    assert first_fault() == told


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (
            "UPDATE recommendations_historicalaction_recommendations "
            "SET recommendation_id = CAST(X'ff' AS TEXT)",
            "recommendations.historicalaction_recommendations {link} was changed: "
            "it links what has no number.",
        ),
        (
            "UPDATE record_salt SET salt = CAST(X'ff' AS TEXT) WHERE entry_id = 2",
            "Entry 2 has lost its salt, without which {second} cannot be checked.",
        ),
        (
            "DELETE FROM auth_user",
            "recommendations.duedate {date} names what is not there as its recorded_by.",
        ),
    ],
)
def test_a_shell_of_sqlite_can_lift_the_triggers_and_what_it_then_did_is_named(filled_record, sql, told):
    """As it can leave what names nothing, since SQLite does not check that unless it is asked to."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL lets nobody do so who does not own the tables")
    if not shutil.which("sqlite3"):
        pytest.skip("sqlite3 is not installed")
    with filled_record as database:
        second = LedgerEntry.objects.get(sequence=2)
        named = {
            "link": link_table(Action.history.model, Action._meta.get_field("recommendations"))
            .objects.earliest("pk")
            .pk,
            "second": f"{second.kind} {second.row}",
            "date": DueDate.objects.earliest("pk").pk,
        }
        shell = ["sqlite3", database.settings_dict["NAME"]]
        refused = subprocess.run([*shell, sql], capture_output=True, text=True)
        assert ("append-only" in refused.stderr) is (not sql.endswith("auth_user"))
        lifted = subprocess.run([*shell, ".dbconfig enable_trigger off", sql], capture_output=True, text=True)
        assert lifted.stderr == ""
        assert first_fault() == told.format(**named)
        assert triggers.check_installed(None, ["default"]) == []


def test_a_history_that_somebody_keeps_locked_is_not_said_not_to_hold(new_database):
    scratch = new_database("filled")
    if scratch.is_file:
        pytest.skip("SQLite lets everybody read")
    with scratch as database, psycopg.connect(scratch.url) as other:
        other.execute("LOCK TABLE recommendations_progressupdate")
        with database.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        with pytest.raises(CommandError, match="was not checked") as told:
            call_command("verify_history")
        assert told.value.returncode == 2
