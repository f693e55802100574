"""No way into the database changes a row of history or takes one away, whoever asks."""

import re
import sqlite3
from contextlib import closing
from uuid import uuid4

import psycopg
import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.core.management.sql import emit_post_migrate_signal
from django.core.serializers import serialize
from django.db import DatabaseError, IntegrityError, connection, migrations, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.models import ProtectedError
from simple_history.models import HistoricalChanges

from bcp_board import grants
from bcp_board.backups import digest
from recommendations.models import Action, ProgressUpdate, Recommendation
from recommendations.tests.factories import make_update
from record import ledger, triggers
from record.models import Meeting
from record.tests.factories import make_user, saved
from record.verification import first_fault

# Versions and the logs of packages are guarded alike: those of actions, with the links they held, and the
# admin's log stand for the rest.
STATEMENTS = [m for m in triggers.append_only_models() if not issubclass(m, HistoricalChanges)]
LINKS = ledger.link_table(Action.history.model, Action._meta.get_field("recommendations"))
MODELS = [*STATEMENTS, Action.history.model, LINKS, LogEntry]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


@pytest.fixture
def filled(new_database):
    with new_database("filled") as database:
        yield database


@pytest.fixture
def rolled_back(templates, django_db_blocker):
    """The database that others are copied from, in a transaction that is rolled back."""
    with django_db_blocker.unblock(), templates["filled"] as database, transaction.atomic():
        yield database
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def untouched(templates, django_db_blocker):
    """The digest of the database that others are copied from."""
    with django_db_blocker.unblock(), templates["filled"] as database:
        return digest(database)


def columns_of(model):
    """The names of the columns, the key first, as SQL may use them."""
    names = [f.column for f in model._meta.concrete_fields]
    return sorted(names, key=lambda name: name != model._meta.pk.column)


def other_field(model):
    """A field that no key includes, or else the last."""
    fields = [f for f in model._meta.concrete_fields if not f.unique]
    return fields[-1]


def run(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def raw_update(model, row, path):
    table, column = model._meta.db_table, other_field(model).column
    run(f'UPDATE "{table}" SET "{column}" = "{column}"')


def raw_delete(model, row, path):
    run(f'DELETE FROM "{model._meta.db_table}"')


def raw_upsert(model, row, path):
    table, (key, *_) = model._meta.db_table, columns_of(model)
    column = other_field(model).column
    run(
        f'INSERT INTO "{table}" SELECT * FROM "{table}" WHERE true '
        f'ON CONFLICT ("{key}") DO UPDATE SET "{column}" = excluded."{column}"'
    )


def raw_replace_or_truncate(model, row, path):
    if connection.vendor != "sqlite":
        run(f'TRUNCATE "{model._meta.db_table}" CASCADE')
    run(f'INSERT OR REPLACE INTO "{model._meta.db_table}" SELECT * FROM "{model._meta.db_table}"')


def queryset_update(model, row, path):
    model.objects.filter(pk=row.pk).update(**{other_field(model).name: None})


def queryset_delete(model, row, path):
    model.objects.all().delete()


def queryset_raw_delete(model, row, path):
    model.objects.all()._raw_delete(using="default")


def row_delete(model, row, path):
    row.delete()


def row_save(model, row, path):
    row.save()


def bulk_update(model, row, path):
    model.objects.bulk_update([row], [other_field(model).name])


def bulk_upsert(model, row, path):
    model.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=[model._meta.pk.name],
        update_fields=[other_field(model).name],
    )


def insert_again(model, row, path):
    row._state.adding = True
    row.save(force_insert=True)


def load_fixture(model, row, path):
    fixture = path / "fixture.json"
    fixture.write_text(serialize("json", [row]))
    call_command("loaddata", str(fixture), verbosity=0)


def flush(model, row, path):
    call_command("flush", interactive=False, verbosity=0)


REWRITES = [
    raw_update,
    raw_delete,
    raw_upsert,
    raw_replace_or_truncate,
    queryset_update,
    queryset_delete,
    queryset_raw_delete,
    row_delete,
    row_save,
    bulk_update,
    bulk_upsert,
    insert_again,
    load_fixture,
    flush,
]


@each_model
def test_history_cannot_be_rewritten(rolled_back, untouched, tmp_path, model):
    for rewrite in REWRITES:
        row = model.objects.order_by("pk").first()
        assert row, f"no {model.__name__} to try it on: add one to fill() in bcp_board/tests/scratch.py"
        with pytest.raises((IntegrityError, CommandError)), transaction.atomic():
            rewrite(model, row, tmp_path)
            pytest.fail(f"{rewrite.__name__} was not refused")
    assert digest(rolled_back) == untouched


@pytest.mark.parametrize(
    ("model", "key"),
    [(Action, {"ref": "A01"}), (Recommendation, {"number": 2}), (Meeting, {"held_on": "2022-12-01"})],
    ids=["action", "recommendation", "meeting"],
)
def test_what_history_is_about_cannot_be_deleted(rolled_back, untouched, model, key):
    row = model.objects.get(**key)
    for delete in (row.delete, model.objects.filter(pk=row.pk).delete, model.objects.all().delete):
        with pytest.raises(ProtectedError), transaction.atomic():
            delete()
        assert digest(rolled_back) == untouched
    for statement in (
        f"DELETE FROM {model._meta.db_table} WHERE id = {row.pk}",
        f"DELETE FROM {model._meta.db_table}",
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            run(statement)
            rolled_back.check_constraints()  # as a commit would
        assert digest(rolled_back) == untouched


def test_every_log_of_who_changed_what_is_guarded():
    versions = {m.__name__ for m in apps.get_models() if m.__name__.startswith("Historical")}
    guarded = {m.__name__ for m in triggers.guarded_models()}
    assert guarded == {m.__name__ for m in triggers.append_only_models()} | versions | {"LogEntry"}


def test_a_person_who_has_acted_cannot_be_deleted(rolled_back):
    """Not even by the program, which would take the admin's log of what they did with them."""
    officer, editor, clerk = (make_user("Secretariat", name) for name in ("a", "b", "c"))
    make_update(Action.objects.first(), by=officer)
    action = Action.objects.first()
    with saved(by=editor, reason="It was wrong"):
        action.save()
    LogEntry.objects.log_actions(clerk.pk, [action], CHANGE, "Changed", single_object=True)
    before = digest(rolled_back)
    for person in (officer, editor, clerk):
        with pytest.raises(IntegrityError), transaction.atomic():
            person.delete()
    assert digest(rolled_back) == before
    make_user("Secretariat", "d").delete()
    assert not User.objects.filter(username="d").exists()


@each_model
def test_a_bare_sqlite_connection_cannot_replace_a_row(filled, model):
    """Not even by another of its keys, and without the site's settings, under which deletes go unseen."""
    if filled.vendor != "sqlite":
        pytest.skip("INSERT OR REPLACE is SQLite's")
    table, (key, *others) = model._meta.db_table, columns_of(model)
    names = ", ".join(f'"{name}"' for name in others)
    with closing(sqlite3.connect(filled.settings_dict["NAME"], isolation_level=None)) as bare:
        assert bare.execute("PRAGMA recursive_triggers").fetchone() == (0,)
        before = set(bare.execute(f'SELECT * FROM "{table}"'))
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            bare.execute(f'INSERT OR REPLACE INTO "{table}" SELECT * FROM "{table}"')
        try:
            bare.execute(
                f'INSERT OR REPLACE INTO "{table}" ("{key}", {names}) '
                f'SELECT "{key}" + 1000, {names} FROM "{table}"'
            )
        except sqlite3.IntegrityError as error:
            assert "append-only" in str(error)  # noqa: PT017 (where no other key collides, rows are added)
        assert before <= set(bare.execute(f'SELECT * FROM "{table}"'))


@each_model
def test_a_bare_sqlite_connection_cannot_replace_a_row_by_its_place_in_the_table(filled, model):
    """SQLite gives each row of a table a number of its own, beside the key, by which it can be replaced."""
    if filled.vendor != "sqlite":
        pytest.skip("INSERT OR REPLACE is SQLite's")
    table, columns = model._meta.db_table, columns_of(model)
    names = ", ".join(f'"{name}"' for name in columns)
    with closing(sqlite3.connect(filled.settings_dict["NAME"], isolation_level=None)) as bare:
        read = f'SELECT rowid, {names} FROM "{table}" ORDER BY rowid'
        before = bare.execute(read).fetchall()
        place, *values = before[-1]
        # Nothing is as in any row but its place, and the key where that is the same thing.
        other = [f"{v}x" if isinstance(v, str) else v + 500 if isinstance(v, int) else v for v in values]
        if isinstance(model._meta.pk, models.AutoField):
            other[0] = place
        marks = ", ".join("?" * (1 + len(other)))
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            bare.execute(f'REPLACE INTO "{table}" (rowid, {names}) VALUES ({marks})', [place, *other])
        assert bare.execute(read).fetchall() == before


@each_model
@pytest.mark.service
def test_protections_survive_migrations(filled, model, monkeypatch):
    """SQLite makes a table anew for most of these, and with it drops the triggers."""
    label, name = model._meta.app_label, model.__name__
    kinds = models.CharField | models.DateField
    links = [f for f in model._meta.concrete_fields if isinstance(f, models.ForeignKey)]
    field = next((f for f in model._meta.concrete_fields if isinstance(f, kinds)), links and links[0])
    wider = field.clone()
    wider.db_comment, wider.null, wider.unique = "Synthetic", not field.null, False
    wider.db_index = True
    constraint = models.CheckConstraint(condition=~models.Q(pk=None), name="synthetic")
    operations = [
        migrations.AlterField(name, field.name, wider),
        migrations.AddField(name, "extra", models.CharField(max_length=5, default="x")),
        migrations.AddConstraint(name, constraint),
        migrations.RenameModel(name, "Renamed"),
    ]
    state = MigrationLoader(connection).project_state()
    for operation in operations:
        after = state.clone()
        operation.state_forwards(label, after)
        with connection.schema_editor() as editor:
            operation.database_forwards(label, editor, state, after)
        state = after
        if isinstance(operation, migrations.RenameModel):
            # As in the code that comes with such a migration.
            renamed = after.apps.get_model(label, "Renamed")
            monkeypatch.setattr(model._meta, "db_table", renamed._meta.db_table)
        emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
        assert triggers.check_installed(None, ["default"]) == []
        assert model._meta.db_table in filled.introspection.table_names()
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            raw_update(model, None, None)
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            raw_replace_or_truncate(model, None, None)


def test_the_command_that_checks_a_database_fails_while_a_trigger_is_missing(rolled_back):
    call_command("check", databases=["default"])
    name = next(iter(triggers.triggers_for(ProgressUpdate, rolled_back.vendor)))
    on_table = ' ON "recommendations_progressupdate"' if rolled_back.vendor == "postgresql" else ""
    run(f'DROP TRIGGER "{name}"{on_table}')
    missing = f"The table recommendations_progressupdate can be rewritten: it lacks {name}."
    with pytest.raises(SystemCheckError, match=re.escape(missing)):
        call_command("check", databases=["default"])


def test_a_migration_that_fails_leaves_history_guarded(new_database):
    with new_database():
        call_command("migrate", "meetings", "zero", verbosity=0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(MigrationExecutor, "apply_migration", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                call_command("migrate", verbosity=0)
        assert triggers.check_installed(None, ["default"]) == []


@each_model
def test_a_missing_trigger_is_reported(rolled_back, model):
    table = model._meta.db_table
    names = triggers.triggers_for(model, rolled_back.vendor)
    postgresql = rolled_back.vendor == "postgresql"
    weakened = [(name, f'DROP TRIGGER "{name}"' + (f' ON "{table}"' if postgresql else "")) for name in names]
    if postgresql:
        # Enabled for replication roles too, or a session could pose as one and go unguarded.
        weakened += [(name, f'ALTER TABLE "{table}" DISABLE TRIGGER "{name}"') for name in names]
        weakened += [(name, f'ALTER TABLE "{table}" ENABLE TRIGGER "{name}"') for name in names]
    for name, weaken in weakened:
        run(weaken)
        (error,) = triggers.check_installed(None, ["default"])
        assert error.id == "record.E001"
        assert error.msg == f"The table {table} can be rewritten: it lacks {name}."
        triggers.install(connection)
        assert triggers.check_installed(None, ["default"]) == []


def test_a_trigger_that_only_has_the_name_of_ours_is_reported(rolled_back):
    table = "recommendations_progressupdate"
    if rolled_back.vendor == "postgresql":
        name, call = f"{table}_no_rewrite", "EXECUTE FUNCTION refuse_rewriting_history()"
        begin = f'DROP TRIGGER "{name}" ON "{table}"; CREATE TRIGGER "{name}" '
        always = f'; ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER "{name}"'
        posing = [
            f'{begin} BEFORE INSERT ON "{table}" FOR EACH ROW {call} {always}',
            f'{begin} BEFORE UPDATE OR DELETE ON "{table}" FOR EACH ROW WHEN (OLD.id = 0) {call} {always}',
            f'{begin} BEFORE DELETE OR UPDATE OF note ON "{table}" FOR EACH ROW {call} {always}',
            "CREATE OR REPLACE FUNCTION refuse_rewriting_history() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN RETURN NEW; END$$",
        ]
    else:
        name = f"{table}_no_update"
        run(f'DROP TRIGGER "{name}"')
        posing = [f'CREATE TRIGGER "{name}" BEFORE UPDATE ON "{table}" BEGIN SELECT 1; END']
    for statement in posing:
        run(statement)
        reported = [error.msg for error in triggers.check_installed(None, ["default"])]
        assert f"The table {table} can be rewritten: it lacks {name}" in " ".join(reported)
        triggers.install(connection)
        assert triggers.check_installed(None, ["default"]) == []


def test_migrating_puts_missing_triggers_back_though_its_own_checks_would_stop_it(filled):
    triggers.drop(filled)
    with pytest.raises(SystemCheckError, match="can be rewritten"):
        call_command("check", databases=["default"])
    call_command("migrate", plan=True, verbosity=0)
    assert len(triggers.check_installed(None, ["default"])) == len(triggers.guarded_models())

    call_command("migrate", skip_checks=False, verbosity=0)

    assert triggers.check_installed(None, ["default"]) == []


@pytest.fixture
def site_role(filled):
    """A PostgreSQL role that owns nothing and has what `grants` gives."""
    if filled.vendor != "postgresql":
        pytest.skip("SQLite has no roles")
    role = f"site_{uuid4().hex}"
    run(f"CREATE ROLE {role} LOGIN")
    call_command("grants", role)
    yield role
    run("RESET SESSION AUTHORIZATION")
    run(f"DROP OWNED BY {role}")
    run(f"DROP ROLE {role}")


def test_the_owner_of_the_tables_is_no_role_of_the_site_whoever_migrates(site_role):
    """Or a superuser's `migrate` would take from the owner what it needs to restore."""
    owner = f"owner_{uuid4().hex}"
    run(f"CREATE ROLE {owner}")
    try:
        run(f"ALTER TABLE record_ledgerentry OWNER TO {owner}")
        assert grants.granted_roles() == [site_role]
    finally:
        run("ALTER TABLE record_ledgerentry OWNER TO CURRENT_USER")
        run(f"DROP ROLE {owner}")


def test_the_site_works_as_a_role_that_cannot_rewrite_history(filled, site_role):
    before, owner = ledger.anchor(), ProgressUpdate.objects.first().recorded_by
    run(f"SET SESSION AUTHORIZATION {site_role}")
    with transaction.atomic():
        action = Action.objects.select_for_update().get(ref="A01")
        make_update(action, by=owner)
    action.title = "Changed in the admin"
    with saved(by=owner, reason="It was wrong"):
        action.save()
    assert first_fault(expected=before) is None
    assert ledger.anchor().count == before.count + 2


@each_model
def test_the_role_of_the_site_is_denied_what_would_rewrite_history(filled, site_role, model):
    before, table = digest(filled), model._meta.db_table
    run(f"SET SESSION AUTHORIZATION {site_role}")
    for attempt in [
        f'UPDATE "{table}" SET "{columns_of(model)[0]}" = 1',
        f'DELETE FROM "{table}"',
        f'TRUNCATE "{table}" CASCADE',
        f'DROP TABLE "{table}" CASCADE',
        f'DROP TRIGGER "{table}_no_rewrite" ON "{table}"',
        f'ALTER TABLE "{table}" DISABLE TRIGGER ALL',
        f'ALTER TABLE "{table}" DISABLE TRIGGER "{table}_no_rewrite"',
        f'CREATE TRIGGER mine BEFORE INSERT ON "{table}" EXECUTE FUNCTION refuse_rewriting_history()',
        "CREATE OR REPLACE FUNCTION refuse_rewriting_history() RETURNS trigger LANGUAGE sql AS ''",
        "SET session_replication_role = replica",
        "DELETE FROM django_admin_log",
        "UPDATE recommendations_historicalaction SET title = ''",
        "DELETE FROM django_migrations",
        "CREATE TABLE mine (id int)",
    ]:
        with pytest.raises(DatabaseError) as refusal, transaction.atomic():
            run(attempt)
        assert isinstance(refusal.value.__cause__, psycopg.errors.InsufficientPrivilege), attempt
    run("RESET SESSION AUTHORIZATION")
    assert digest(filled) == before


def test_migrations_renew_what_the_role_of_the_site_may_do(filled, site_role):
    run("CREATE TABLE made_by_a_migration (id int)")
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    run(f"SET SESSION AUTHORIZATION {site_role}")
    run("INSERT INTO made_by_a_migration VALUES (1)")
    run("UPDATE made_by_a_migration SET id = 2")
