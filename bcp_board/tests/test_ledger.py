"""The chain of history shows any row that was changed, taken away or slipped in, and which."""

import datetime
import threading

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, models, transaction
from django.utils import timezone

from bcp_board.tests.forging import different, run
from recommendations.models import Action, ProgressUpdate
from recommendations.tests.factories import make_action, make_update, signed
from record import ledger, triggers
from record.models import Erasure, LedgerEntry
from record.tests.admin_forms import fill_in
from record.tests.factories import make_user
from record.verification import first_fault

STATEMENTS = triggers.chained_models()


def verify(**options):
    call_command("verify_history", **options)


def test_clean_history_holds(unguarded, capsys):
    verify()
    now = ledger.anchor()
    erased = Erasure.objects.get()
    assert capsys.readouterr().out == (
        f"The history holds: {now.count} entries, head {now.digest}\n"
        f"recommendations.historicalrisk {erased.row}, text: {erased.notice} "
        "Approved by Mary Example (Monitoring officer).\n"
    )


@pytest.mark.parametrize("model", STATEMENTS, ids=lambda model: model.__name__)
@pytest.mark.again
@pytest.mark.sweep
def test_a_change_to_any_column_names_the_row(unguarded, model):
    """Whatever the column: what was said, of what, of which day, by whom, when it was taken."""
    row = model.objects.order_by("pk").first()
    table, key = model._meta.db_table, row.pk
    for field in model._meta.concrete_fields:
        if field.primary_key:
            continue
        was = getattr(row, field.attname)
        statement = f'UPDATE "{table}" SET "{field.column}" = %s WHERE "{model._meta.pk.column}" = %s'
        changed, back = (field.get_db_prep_save(v, connection) for v in (different(field, was), was))
        run(statement, changed, key)
        with pytest.raises(CommandError, match=rf"was changed: {model._meta.label_lower} {key}\.$"):
            verify()
        run(statement, back, key)
    assert first_fault() is None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("recorded_at", "late"),
        ("recorded_by_id", "x"),
        ("dated_first", "2022-13-45"),
        ("recheck_on", "never"),  # empty until then, and no date now: either way it reads as nothing
        ("recheck_on", "2022-13-45"),
        ("narrative", b"\xff"),
        # What reads as what was there, but is compared with other rows as something else.
        ("dated_first", 20221101),
        ("dated_first", "2022-W44-2"),
        ("dated_first", "2022-11-01\n"),
        ("recorded_by_id", 0),
        ("corrects_id", 0),
        ("document_id", 0),
        ("recorded_at", "9999-12-31 23:59:59-01:00"),
    ],
)
def test_a_value_that_the_site_would_not_have_written_names_the_row(unguarded, column, value):
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite takes any value in any column")
    key = update_keys()[1]
    run(f'UPDATE recommendations_progressupdate SET "{column}" = %s WHERE id = %s', value, key)
    with pytest.raises(CommandError, match=f"was changed: recommendations.progressupdate {key}\\."):
        verify()


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE recommendations_duedate SET needs_decision = 2 WHERE needs_decision = 1",
        "UPDATE recommendations_progressupdate SET recorded_at = replace(recorded_at, ' ', 'T')",
        "UPDATE recommendations_progressupdate SET narrative = CAST(X'ff' AS TEXT)",
        "UPDATE meetings_paper SET body = 'abc'",
    ],
)
def test_a_row_stored_in_another_form_is_named_though_it_reads_as_before(unguarded, tamper):
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite takes any value in any column")
    run(tamper)
    with pytest.raises(CommandError, match=r"was changed: \w+\.\w+ \d+\.$"):
        verify()


@pytest.mark.parametrize("column", ["document_id", "corrects_id", "on_behalf_of_id"])
def test_a_link_to_nothing_written_as_nought_names_the_row(unguarded, column):
    key = update_keys()[0]
    run(f"UPDATE recommendations_progressupdate SET {column} = 0 WHERE id = %s", key)
    with pytest.raises(CommandError, match=f"was changed: recommendations.progressupdate {key}\\."):
        verify()


@pytest.mark.parametrize("column", ["recorded_at", "recheck_on"])
def test_a_day_without_end_names_the_row(unguarded, column):
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has such a day")
    run(f"UPDATE recommendations_progressupdate SET {column} = 'infinity'")
    with pytest.raises(CommandError, match=r"was changed: recommendations\.progressupdate \d+\.$"):
        verify()


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("row", "9e999", "Entry 2 names a row that is gone|Entry 2 .* was changed|Entry 2 of the chain"),
        ("row", "1e300", "Entry 2 names a row that is gone|Entry 2 .* was changed|Entry 2 of the chain"),
        ("digest", "CAST(X'ff' AS TEXT)", "Entry 2 of the chain cannot be read"),
    ],
)
def test_an_entry_that_holds_what_is_no_number_or_no_text_is_named(unguarded, column, value, told):
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite takes any value in any column")
    run(f"UPDATE record_ledgerentry SET {column} = {value} WHERE sequence = 2")
    with pytest.raises(CommandError, match=told):
        verify()


@pytest.mark.parametrize("column", [field.column for field in LedgerEntry._meta.concrete_fields])
def test_a_change_to_the_chain_itself_names_the_entry(unguarded, column):
    odd = {"sequence": 1000, "row": 1000, "recorded_at": "2000-01-01 00:00:00+00:00"}
    value = odd.get(column, "0" * 60)
    run(f'UPDATE record_ledgerentry SET "{column}" = %s WHERE sequence = 2', value)
    with pytest.raises(CommandError, match=r"Entry 2 "):
        verify()


@pytest.mark.once
def test_a_change_far_down_a_long_chain_is_named(unguarded):
    """A chain is read in parts: what stands after the first of them counts as well."""
    action = Action.objects.earliest("pk")
    said = {"status": "on_track", "dated": "2022-11-01", "narrative": "Done", **signed(make_user())}
    rows = ledger.append([ProgressUpdate(action=action, **said) for _ in range(ledger.BATCH)])

    run("UPDATE recommendations_progressupdate SET narrative = 'Another' WHERE id = %s", rows[-1].pk)

    assert first_fault().endswith(f"was changed: recommendations.progressupdate {rows[-1].pk}.")


def update_keys():
    return list(ProgressUpdate.objects.order_by("pk").values_list("pk", flat=True))


@pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "middle", "last"])
def test_a_deleted_row_is_named(unguarded, place):
    make_update(Action.objects.get(), by=User.objects.get())
    assert len(update_keys()) > 2
    key = update_keys()[place]
    run("DELETE FROM recommendations_progressupdate WHERE id = %s", key)
    with pytest.raises(CommandError, match=f"a row that is gone: recommendations.progressupdate {key}\\."):
        verify()


def test_a_deleted_entry_is_named(unguarded):
    run("DELETE FROM record_ledgerentry WHERE sequence = 2")
    with pytest.raises(CommandError, match="Entry 2 of the chain is missing"):
        verify()


@pytest.mark.parametrize("model", STATEMENTS, ids=lambda model: model.__name__)
def test_a_row_of_any_kind_slipped_in_is_named_though_another_kind_has_an_entry_of_its_key(unguarded, model):
    label, row = model._meta.label_lower, model.objects.order_by("pk").first()
    own = LedgerEntry.objects.filter(kind=label).values("row")
    row.pk = LedgerEntry.objects.exclude(row__in=own).aggregate(key=models.Max("row"))["key"] or 1000
    for field in model._meta.concrete_fields:
        # What only one row may hold, that one goes on to hold.
        if field.unique and not field.primary_key and getattr(row, field.attname) is not None:
            setattr(row, field.attname, different(field, getattr(row, field.attname)))
    for name in ("version", "due_date_id", "row"):
        if hasattr(row, name):
            setattr(row, name, getattr(row, name) + 1000)
    row.save_base(raw=True, force_insert=True)
    with pytest.raises(CommandError, match=rf"{label} {row.pk} has no entry"):
        verify()


def test_two_rows_that_changed_places_are_found_at_the_first(unguarded):
    first, second, *_ = update_keys()
    for was, becomes in [(first, 1000), (second, first), (1000, second)]:
        run("UPDATE recommendations_progressupdate SET id = %s WHERE id = %s", becomes, was)
    with pytest.raises(CommandError, match=f"was changed: recommendations.progressupdate {first}\\."):
        verify()


def test_an_old_anchor_shows_that_the_newest_rows_were_cut_off(unguarded):
    old = ledger.anchor()
    last = LedgerEntry.objects.get(sequence=old.count)
    run(f"DELETE FROM {last.kind.replace('.', '_')} WHERE id = %s", last.row)
    run("DELETE FROM record_salt WHERE entry_id = %s", old.count)
    run("DELETE FROM record_ledgerentry WHERE sequence = %s", old.count)
    verify()
    with pytest.raises(CommandError, match=f"{old.count - 1} entries, fewer than the {old.count}"):
        verify(anchor=str(old))


def test_an_old_anchor_shows_that_the_whole_chain_was_made_anew(unguarded):
    old = ledger.anchor()
    entries = LedgerEntry.objects.exclude(kind="record.erasure").order_by("sequence")
    rows = [(entry.kind, entry.row) for entry in entries]
    run("DELETE FROM record_erasure")
    make_update(Action.objects.get())
    rows.append(("recommendations.progressupdate", update_keys()[-1]))
    run("UPDATE recommendations_progressupdate SET narrative = 'All is well'")
    run("DELETE FROM record_salt")
    run("DELETE FROM record_ledgerentry")
    ledger.chain([apps.get_model(kind).objects.get(pk=pk) for kind, pk in rows])
    verify()
    with pytest.raises(CommandError, match=f"Entry {old.count} does not have the digest"):
        verify(anchor=str(old))


def test_an_old_anchor_holds_after_more_rows(unguarded):
    old = ledger.anchor()
    make_update(Action.objects.get())
    assert ledger.anchor().count == old.count + 1
    verify(anchor=str(old))
    verify(anchor=str(ledger.anchor()))
    verify(anchor=f"0:{ledger.GENESIS}")


@pytest.mark.parametrize("text", ["", "5", "5:", ":abc", f"-1:{'0' * 64}", f"5:{'g' * 64}", "5:" + "A" * 64])
def test_a_malformed_anchor_is_a_clear_error(unguarded, text):
    with pytest.raises(CommandError, match="An anchor is a count and a digest"):
        verify(anchor=text)


def test_an_anchor_of_nothing_has_one_digest_only(unguarded):
    with pytest.raises(CommandError, match="does not have the digest"):
        verify(anchor=f"0:{'1' * 64}")


def test_writers_at_once_make_one_chain(new_database):
    with new_database("filled"):
        before, officer, action = ledger.anchor(), User.objects.get(), Action.objects.get()
        barrier = threading.Barrier(8)

        def write(writer):
            try:
                barrier.wait()
                for number in range(25):
                    make_update(action, by=officer, narrative=f"{writer}/{number}")
            finally:
                connections.close_all()

        threads = [threading.Thread(target=write, args=[writer]) for writer in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ledger.anchor().count == before.count + 8 * 25
        assert first_fault(expected=before) is None
        for writer in range(8):
            said = ProgressUpdate.objects.filter(narrative__startswith=f"{writer}/").order_by("pk")
            assert [row.narrative for row in said] == [f"{writer}/{number}" for number in range(25)]


def test_a_clock_that_is_set_back_stops_the_writing_with_a_sentence(db, client, monkeypatch):
    officer = make_user("Officers")
    action = make_action(owner=officer)
    newest = make_update(action, by=officer).recorded_at
    client.force_login(officer)
    client.raise_request_exception = False
    typed = {"status": "on_track", "dated": "01/11/2022"}

    for behind, status, said in (
        (datetime.timedelta(seconds=59), 302, ""),
        (datetime.timedelta(seconds=61), 503, "The clock of this server is behind the newest entry"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(timezone, "now", lambda behind=behind: newest - behind)
            address = f"/admin/recommendations/progressupdate/add/?action={action.pk}"
            response = fill_in(client, address, **typed, narrative=f"{behind} behind")
        assert (response.status_code, said in response.content.decode()) == (status, True)
    assert list(ProgressUpdate.objects.order_by("pk").values_list("recorded_at", flat=True)) == [newest] * 2


@pytest.mark.parametrize(
    ("recorded_at", "is_refused"),
    [
        (datetime.timedelta(seconds=-1), True),
        (datetime.timedelta(), False),
        (datetime.timedelta(seconds=60), True),
    ],
)
def test_the_database_refuses_a_row_or_an_entry_out_of_time(db, recorded_at, is_refused):
    """Whoever asks it: nobody signs anything for last year, or for tomorrow."""
    officer = make_user("Officers")
    row = make_update(make_action(owner=officer), by=officer)
    last = LedgerEntry.objects.order_by("-sequence").first()
    asked = last.recorded_at + recorded_at
    row.pk, row.recorded_at = None, asked
    entry = LedgerEntry(
        sequence=last.sequence + 1, recorded_at=asked, kind="x.y", row=1, content="", previous="p", digest="d"
    )
    for new in (row, entry):
        refused = False
        try:
            with transaction.atomic():
                new.save(force_insert=True)
        except DatabaseError as error:
            refused = "nothing is recorded before the newest entry, or in the future" in str(error)
        assert refused is is_refused


def test_a_row_that_names_one_that_is_not_there_is_named(unguarded):
    run("UPDATE recommendations_recommendation SET extends_id = 1000 WHERE number = 2")
    run("UPDATE recommendations_historicalrecommendation SET extends_id = 1000 WHERE number = 2")
    with pytest.raises(CommandError, match="was changed: recommendations.historicalrecommendation"):
        verify()
