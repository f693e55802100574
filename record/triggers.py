"""The database triggers that make append-only tables append-only, for SQLite and PostgreSQL.

A model whose class says ``append_only = True`` refuses UPDATE, DELETE, TRUNCATE, upserts and
INSERT OR REPLACE whoever asks: the site, the ORM, the admin, or a person at a database prompt. So do the
links that versions of edited rows held and the admin's log of who changed them, which packages keep.

One thing is let through: where an erasure and its entry stand, the column that it names may become the notice
that it gives, once, and the salt of what the row said before may go.

What has an entry in the chain, and the entries themselves, also refuse a time before the newest entry's, or
more than five seconds ahead of the database's own clock: nobody signs anything for last year.

On PostgreSQL only the owner of the tables can lift them. On SQLite whoever can open the file can: a shell
switches triggers off (``.dbconfig enable_trigger off``), drops a table, and does not look after foreign keys
unless it is asked to. Neither database stops its owner. What they did, verification.py finds.
"""

from django.apps import apps
from django.core.checks import Error
from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from simple_history.models import HistoricalChanges

from record.fields import words_of

REFUSAL = "this history is append-only: add a correction instead"
OUT_OF_TIME = "this history is append-only: nothing is recorded before the newest entry, or in the future"

# An erasure counts once its entry stands. Whoever makes a table of their own of that name is not asked.
_ERASURE = """
SELECT 1 FROM {schema}"{erasures}" AS "erasure" JOIN {schema}"{entries}" AS "entry"
ON "entry"."kind" = 'record.erasure' AND "entry"."row" = "erasure"."id"
WHERE """
# That the entry of the salt is of a row which was erased since, or of an erasure before that row's newest.
_SALT_OF_ERASED = f"""
EXISTS (SELECT 1 FROM {{schema}}"{{entries}}" AS "proved" WHERE "proved"."sequence" = OLD."entry_id"
AND EXISTS ({_ERASURE} "erasure"."kind" = "proved"."kind" AND "erasure"."row" = "proved"."row"
OR "proved"."kind" = 'record.erasure' AND EXISTS (SELECT 1 FROM {{schema}}"{{erasures}}" AS "earlier"
WHERE "earlier"."id" = "proved"."row" AND "earlier"."kind" = "erasure"."kind"
AND "earlier"."row" = "erasure"."row" AND "earlier"."id" < "erasure"."id")))
"""
# Each trigger tells it the kind of row, the name of its key, and the columns whose words may be removed.
_POSTGRES_BODY = f"""
BEGIN
    IF TG_OP = 'UPDATE' AND EXISTS ({_ERASURE}
        "erasure"."kind" = TG_ARGV[0] AND "erasure"."row" = (to_jsonb(OLD) ->> TG_ARGV[1])::bigint
        AND "erasure"."field" = ANY (TG_ARGV[2:]) AND to_jsonb(NEW) <> to_jsonb(OLD)
        AND to_jsonb(NEW) = to_jsonb(OLD) || jsonb_build_object("erasure"."field", CASE
            WHEN (SELECT atttypid = 'bytea'::regtype FROM pg_catalog.pg_attribute
                  WHERE attrelid = TG_RELID AND attname = "erasure"."field")
            THEN to_jsonb(convert_to("erasure"."notice", 'UTF8')) ELSE to_jsonb("erasure"."notice") END)
    ) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND TG_ARGV[0] = 'record.salt' THEN
        IF {_SALT_OF_ERASED} THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION '%: {REFUSAL}', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END """


def _with_tables(sql, *, schema=""):
    """``sql`` with the names that the tables of erasures and of entries have now."""
    erasures, entries = (apps.get_model("record", name) for name in ("Erasure", "LedgerEntry"))
    return sql.format(schema=schema, erasures=erasures._meta.db_table, entries=entries._meta.db_table)


def _postgres_body():
    return _with_tables(_POSTGRES_BODY, schema="public.")


# What PostgreSQL does: on which table and event, whether always and for every row and column, and how.
POSTGRES_TRIGGERS = """
SELECT tgname, relname, tgtype, tgenabled = 'A' AND tgqual IS NULL AND tgattr = ''::int2vector,
    prosrc, encode(tgargs, 'hex')
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid
WHERE NOT tgisinternal
"""
# For each row before it is updated or deleted is 1 + 2 + 8 + 16; before a statement that truncates, 2 + 32;
# for each row before it is inserted, 1 + 2 + 4.
POSTGRES_EVENTS = {"no_rewrite": 27, "no_truncate": 34, "in_time": 7}


def append_only_models():
    """Every installed model whose rows may only ever be added."""
    return [model for model in apps.get_models() if getattr(model, "append_only", False)]


def chained_models():
    """The append-only models whose rows have an entry each in the chain: statements, papers, versions."""
    return [model for model in append_only_models() if hasattr(model, "time_field")]


def guarded_models():
    """Every model with triggers: the append-only ones, and the logs that packages keep."""
    ours = append_only_models()
    links = [m for m in apps.get_models() if issubclass(m, HistoricalChanges) and m not in ours]
    return [*ours, *links, apps.get_model("admin", "LogEntry")]


def time_column(model):
    """The column that says when a row was added, or None where nothing holds it to the order of the chain."""
    if name := getattr(model, "time_field", None):
        return model._meta.get_field(name).column
    return "recorded_at" if model._meta.label_lower == "record.ledgerentry" else None


def _newest():
    """SQL for the time of the newest entry, which is null where there is none."""
    entries = apps.get_model("record", "LedgerEntry")._meta.db_table
    return f'(SELECT recorded_at FROM "{entries}" ORDER BY sequence DESC LIMIT 1)'


def _postgres_time_body(column):
    return f"""
BEGIN
    IF NEW.{column} < {_newest()} OR NEW.{column} > clock_timestamp() + interval '5 seconds' THEN
        RAISE EXCEPTION '%: {OUT_OF_TIME}', TG_TABLE_NAME USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END """


def triggers_for(model, vendor):
    """{trigger name: CREATE statement} for ``model`` on the database ``vendor``."""
    return _no_rewrite(model, vendor) | (_in_time(model, vendor) if time_column(model) else {})


def _in_time(model, vendor):
    table, column = model._meta.db_table, time_column(model)
    create = f'CREATE TRIGGER "{table}_in_time" BEFORE INSERT ON "{table}"'
    if vendor == "postgresql":
        return {f"{table}_in_time": f"{create} FOR EACH ROW EXECUTE FUNCTION keep_order_of_{column}()"}
    ahead = "strftime('%Y-%m-%d %H:%M:%f', 'now', '+5 seconds')"
    return {
        f"{table}_in_time": f'{create} WHEN NEW."{column}" < {_newest()} OR NEW."{column}" > {ahead} '
        f"BEGIN SELECT RAISE(ABORT, '{table}: {OUT_OF_TIME}'); END"
    }


def _no_rewrite(model, vendor):
    table = model._meta.db_table
    if vendor == "postgresql":
        call = "EXECUTE FUNCTION refuse_rewriting_history({})"
        told = ", ".join(f"'{word}'" for word in _told(model, "no_rewrite"))
        return {
            f"{table}_no_rewrite": (
                f'CREATE TRIGGER "{table}_no_rewrite" BEFORE UPDATE OR DELETE ON "{table}" '
                f"FOR EACH ROW {call.format(told)}"
            ),
            f"{table}_no_truncate": (
                f'CREATE TRIGGER "{table}_no_truncate" BEFORE TRUNCATE ON "{table}" FOR EACH STATEMENT '
                f"{call.format('')}"
            ),
        }
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table}: {REFUSAL}'); END"
    return {
        f"{table}_no_update": (
            f'CREATE TRIGGER "{table}_no_update" BEFORE UPDATE ON "{table}" {_unless_erased(model)}{refuse}'
        ),
        f"{table}_no_delete": (
            f'CREATE TRIGGER "{table}_no_delete" BEFORE DELETE ON "{table}" {_unless_its_row(model)}{refuse}'
        ),
        # INSERT OR REPLACE deletes without firing a delete trigger unless the connection asks for
        # it, so an insert that would collide with a row is refused before it can replace it.
        f"{table}_no_replace": (
            f'CREATE TRIGGER "{table}_no_replace" BEFORE INSERT ON "{table}" '
            f'WHEN EXISTS (SELECT 1 FROM "{table}" WHERE {_collision(model)}) {refuse}'
        ),
    }


def erasable(model):
    """The columns of a guarded ``model`` whose words may be removed by law; the chain's own have none."""
    label = model._meta.label_lower
    return [] if label in ("record.ledgerentry", "record.salt", "record.erasure") else words_of(model)


def _told(model, kind):
    """What PostgreSQL's trigger of this ``kind`` is told of ``model``."""
    if kind != "no_rewrite":
        return []
    return [model._meta.label_lower, model._meta.pk.column, *(field.column for field in erasable(model))]


def _unless_erased(model):
    """SQLite's condition of the trigger that refuses an update: that it is no erasure that stands."""
    fields = erasable(model)
    if not fields:
        return ""
    words = [field.column for field in fields]
    fixed = ["rowid"] + [f'"{f.column}"' for f in model._meta.concrete_fields if f.column not in words]
    same = [f"NEW.{column} IS OLD.{column}" for column in fixed]
    for field in fields:
        notice = '"erasure"."notice"'
        if isinstance(field, models.BinaryField):
            notice = f"CAST({notice} AS BLOB)"
        # EXISTS, which is never null: with a condition that is null no trigger would act.
        same.append(
            f'(NEW."{field.column}" IS OLD."{field.column}" OR EXISTS ({_with_tables(_ERASURE)}'
            f'"erasure"."kind" = \'{model._meta.label_lower}\' '
            f'AND "erasure"."row" = OLD."{model._meta.pk.column}" '
            f'AND "erasure"."field" = \'{field.column}\' AND {notice} = NEW."{field.column}"))'
        )
    other = " OR ".join(f'NEW."{column}" IS NOT OLD."{column}"' for column in words)
    return f"WHEN NOT ({' AND '.join(same)} AND ({other})) "


def _unless_its_row(model):
    """SQLite's condition of the trigger that refuses a deletion: that it is no salt of what was erased."""
    return f"WHEN NOT {_with_tables(_SALT_OF_ERASED)} " if model._meta.label_lower == "record.salt" else ""


def _collision(model):
    """SQL that is true of an existing row which shares a key with the row being inserted.

    SQLite has a key of its own for each row, the rowid, which an insert may name. Where it does not, and the
    table's key is another, NEW.rowid is -1, which no row has.
    """
    keys = [([field], None) for field in model._meta.concrete_fields if field.unique]
    for constraint in model._meta.total_unique_constraints + [
        c for c in model._meta.constraints if getattr(c, "condition", None) and hasattr(c, "fields")
    ]:
        fields = [model._meta.get_field(name) for name in constraint.fields]
        keys.append((fields, constraint.condition))
    clauses = ["(rowid = NEW.rowid)"]
    for fields, condition in keys:
        same = [f'"{field.column}" = NEW."{field.column}"' for field in fields]
        for name, value in condition.children if condition else ():
            if value is not None:
                raise ValueError(f"{model.__name__}: a key's condition must be that a field is null")
            column = model._meta.get_field(name).column
            same += [f'"{column}" IS NULL', f'NEW."{column}" IS NULL']
        clauses.append(f"({' AND '.join(same)})")
    return " OR ".join(clauses)


def installed(connection):
    """{name: what it does} of the triggers that ``connection``'s database holds."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            return _definitions(cursor)
        cursor.execute(POSTGRES_TRIGGERS)
        return {name: does for name, *does in cursor.fetchall()}


def _guards(does, model, name, statement):
    """Whether a trigger that ``does`` what installed() says is ours, not just one of that name."""
    kind = name.removeprefix(f"{model._meta.db_table}_")
    body = _postgres_time_body(time_column(model)) if kind == "in_time" else _postgres_body()
    told = "".join(f"{word}\0" for word in _told(model, kind)).encode().hex()
    return does in (statement, [model._meta.db_table, POSTGRES_EVENTS.get(kind), True, body, told])


def _models_and_triggers(connection, app_config=None):
    tables = set(connection.introspection.table_names())
    for model in guarded_models():
        if model._meta.db_table in tables and app_config in (None, model._meta.app_config):
            yield model, triggers_for(model, connection.vendor)


def install(connection, app_config=None):
    """Create the triggers of every append-only table of ``connection``'s database, or of one app's.

    Those that differ from ours are made anew, in one transaction: no table is unguarded meanwhile.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        unchanged = _definitions(cursor) if connection.vendor == "sqlite" else {}
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE OR REPLACE FUNCTION refuse_rewriting_history() RETURNS trigger "
                f"LANGUAGE plpgsql AS $${_postgres_body()}$$"
            )
            for column in {time_column(model) for model in guarded_models()} - {None}:
                body = _postgres_time_body(column)
                cursor.execute(
                    f"CREATE OR REPLACE FUNCTION keep_order_of_{column}() RETURNS trigger "
                    f"LANGUAGE plpgsql AS $${body}$$"
                )
        for model, triggers in _models_and_triggers(connection, app_config):
            table = model._meta.db_table
            for name in _left_over(cursor, table, triggers):
                _drop_one(cursor, table, name)
            for name, statement in triggers.items():
                if unchanged.get(name) == statement:
                    continue
                _drop_one(cursor, table, name)
                cursor.execute(statement)
                if connection.vendor == "postgresql":
                    cursor.execute(f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER "{name}"')


def _left_over(cursor, table, triggers):
    """The triggers of ours that a table of SQLite was given under an earlier name, which they still use."""
    if cursor.db.vendor != "sqlite":
        return []
    cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table])
    ours = ("_no_update", "_no_delete", "_no_replace", "_in_time")
    return [name for (name,) in cursor.fetchall() if name not in triggers and name.endswith(ours)]


def _definitions(cursor):
    """{name: CREATE statement} of the triggers that a SQLite database holds."""
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return dict(cursor.fetchall())


def drop(connection):
    """Drop the triggers. For test teardown only: until ``install``, history is unguarded."""
    with connection.cursor() as cursor:
        for model, triggers in _models_and_triggers(connection):
            for name in triggers:
                _drop_one(cursor, model._meta.db_table, name)


def _drop_one(cursor, table, name):
    on_table = f' ON "{table}"' if cursor.db.vendor == "postgresql" else ""
    cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"{on_table}')


def after_migrations(sender, using, **kwargs):
    """Put the triggers of an app's tables in place once every app has migrated."""
    if sender.name in {model._meta.app_config.name for model in guarded_models()}:
        install(connections[using], sender)


def check_installed(app_configs, databases, **kwargs):
    """An Error for each append-only table whose triggers are missing, or are not those we make."""
    errors = []
    for alias in databases or [DEFAULT_DB_ALIAS]:
        connection = connections[alias]
        present = installed(connection)
        for model, triggers in _models_and_triggers(connection):
            table = model._meta.db_table
            if missing := sorted(
                name for name, sql in triggers.items() if not _guards(present.get(name), model, name, sql)
            ):
                errors.append(
                    Error(
                        f"The table {table} can be rewritten: it lacks {', '.join(missing)}.",
                        hint="Run 'manage.py migrate', which installs the triggers.",
                        id="record.E001",
                    )
                )
    return errors
