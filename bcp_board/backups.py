"""The whole record in one file, and a database put back from it.

A backup is a text file of JSON lines, the same for SQLite and PostgreSQL: a heading, every table with its
rows, and last the SHA-256 of all the lines above. It needs no program of either database, a person can read
it, and it carries the record from one kind of database to the other.
"""

import base64
import datetime
import hashlib
import json
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from bcp_board import grants
from recommendations import ledger, triggers

FORMAT = 1
BATCH = 500
# Who is signed in, and who failed to: neither is part of the record.
LEFT_OUT = {"sessions.session", "bcp_board.signintry"}
# What `migrate` itself writes: a database that holds nothing else is empty.
WRITTEN_BY_MIGRATE = {"django_content_type", "auth_permission", "django_migrations"}


class Refused(Exception):
    """The backup or the restore was not done, and nothing was changed; the message says why."""


@dataclass(frozen=True)
class Backup:
    """What one file holds. ``anchor`` is where the chain of history stood."""

    path: Path
    made_at: str
    migrations: frozenset
    anchor: ledger.Anchor
    rows: int


def digest(connection):
    """Return the SHA-256 of every row and of the names of the triggers: equal digests, equal records.

    Sessions and the times of signing in are not part of the record.
    """
    found = hashlib.sha256(json.dumps(sorted(triggers.installed(connection))).encode())
    for line in _tables(apps, connection.alias, without={"last_login"}):
        found.update(line)
    return found.hexdigest()


def save(path):
    """Write the whole record to the new file ``path``, for its owner only, and return the Backup.

    The file is complete when it appears under its name. Raises Refused if it is there already, or if
    the database was migrated by a newer copy of the site.
    """
    path = Path(path).absolute()
    if path.exists():
        raise Refused(f"{path} is there already, and a backup is never overwritten. Choose another name.")
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(handle, "wb") as file:
                _write(file)
                file.flush()
                os.fsync(file.fileno())
            os.rename(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error
    return read(path)


def read(path):
    """Return the Backup at ``path``, or raise Refused unless every byte is as it was written."""
    found, last, lines = hashlib.sha256(), b"", 0
    try:
        with open(path, "rb") as file:
            for line in file:
                found.update(last)
                last, lines = line, lines + 1
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error
    if last != _closing_line(found):
        raise Refused(f"{path} is not a whole backup: it does not match the SHA-256 in its last line.")
    with open(path, "rb") as file:
        heading = json.loads(file.readline())
    if heading["format"] != FORMAT:
        raise Refused(f"{path} has the format {heading['format']}; this copy of the site reads {FORMAT}.")
    return Backup(
        path=Path(path),
        made_at=heading["made_at"],
        migrations=frozenset(tuple(name) for name in heading["migrations"]),
        anchor=ledger.Anchor.read(heading["anchor"]),
        rows=lines - 2 - heading["tables"],
    )


def restore(path, *, force=False):
    """Put the record at ``path`` into the database; return it and the Backup of what was there, or None.

    All or nothing, in one transaction. Raises Refused if the file is damaged or its history does not
    hold, or, without ``force``, if the database is not empty.
    """
    backup = read(path)
    try:
        with connection.constraint_checks_disabled(), transaction.atomic():
            return backup, _replace_everything(backup, force=force)
    except DatabaseError as error:
        raise Refused(f"Nothing was restored. The database says: {error}") from error


def _replace_everything(backup, *, force):
    """Put ``backup`` in the place of all that is there; return the Backup of that, or None if empty."""
    kept = None
    _keep_others_out()
    if not _is_empty():
        if not force:
            raise Refused("The database is not empty. With --force a copy of it is kept and it is replaced.")
        now = datetime.datetime.now(datetime.UTC)
        settings.VAR_DIR.mkdir(mode=0o700, exist_ok=True)
        kept = save(settings.VAR_DIR / f"replaced-{now:%Y%m%dT%H%M%S%f}.jsonl")
    roles = grants.granted_roles()
    _drop_tables()
    _load(backup)
    call_command("migrate", verbosity=0)  # from its day to ours, and the triggers
    for role in roles:
        grants.grant(role)
    fault = ledger.first_fault(expected=backup.anchor)
    unguarded = triggers.check_installed(None, [DEFAULT_DB_ALIAS])
    if fault or unguarded:
        raise Refused(f"Nothing was restored. {fault or unguarded[0].msg}")
    return kept


def _closing_line(found):
    return _line({"sha256": found.hexdigest()})


def _line(value):
    return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _plain(value):
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    raise TypeError(f"A backup has no form for {type(value).__name__}.")


@contextmanager
def _one_moment():
    """Show the block the database as it stands now, while others go on writing."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        # Django's own transactions take SQLite's only write lock, and would hold every writer up.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


def _stored(registry):
    models = registry.get_models(include_auto_created=True)
    kept = [
        m for m in models if m._meta.managed and m._meta.label_lower not in LEFT_OUT and not m._meta.proxy
    ]
    return sorted(kept, key=lambda model: model._meta.label_lower)


def _tables(registry, using, without=frozenset()):
    """Yield a line for each table of ``registry`` followed by a line for each of its rows."""
    for model in _stored(registry):
        names = [field.attname for field in model._meta.concrete_fields if field.attname not in without]
        rows = model._base_manager.using(using).order_by("pk").values_list(*names)
        yield _line({"table": model._meta.label_lower, "columns": names, "rows": rows.count()})
        for row in rows.iterator(chunk_size=BATCH):
            yield _line(row)


def _write(file):
    found = hashlib.sha256()
    with _one_moment():
        loader = MigrationLoader(connection)
        if newer := sorted(set(loader.applied_migrations) - set(loader.graph.nodes)):
            raise Refused(f"The database was migrated by a newer copy of the site: {'.'.join(newer[0])}.")
        registry = loader.project_state(list(loader.applied_migrations)).apps
        heading = {
            "format": FORMAT,
            "made_at": datetime.datetime.now(datetime.UTC),
            "anchor": str(ledger.anchor()),
            "tables": len(_stored(registry)),
            "migrations": sorted(loader.applied_migrations),
        }
        file.write(line := _line(heading))
        found.update(line)
        for line in _tables(registry, connection.alias):
            file.write(line)
            found.update(line)
    file.write(_closing_line(found))


def _sync_folder(folder):
    """Have the new name survive a power cut, as the content of the file already does."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _quoted_tables():
    return {name: connection.ops.quote_name(name) for name in connection.introspection.table_names()}


def _keep_others_out():
    """Wait for the writers of now and stop those to come; SQLite's IMMEDIATE transaction does it alone."""
    if connection.vendor == "postgresql" and (tables := _quoted_tables()):
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {', '.join(tables.values())}")


def _is_empty():
    with connection.cursor() as cursor:
        for name, quoted in _quoted_tables().items():
            if name not in WRITTEN_BY_MIGRATE:
                cursor.execute(f"SELECT 1 FROM {quoted} LIMIT 1")
                if cursor.fetchone():
                    return False
    return True


def _drop_tables():
    with connection.cursor() as cursor:
        for quoted in _quoted_tables().values():
            cursor.execute(connection.SchemaEditorClass.sql_delete_table % {"table": quoted})


def _load(backup):
    """Make the tables as they were when ``backup`` was made, and fill them."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)
    plan = [step for step in plan if (step[0].app_label, step[0].name) in backup.migrations]
    if len(plan) < len(backup.migrations):
        raise Refused(f"{backup.path} was made by a newer copy of the site. Nothing was restored.")
    registry = executor.migrate(None, plan=plan).apps
    with connection.cursor() as cursor, open(backup.path, "rb") as file:
        lines = (json.loads(line) for line in file)
        next(lines)
        for table in islice(lines, len(_stored(registry))):
            model = registry.get_model(table["table"])
            fields = [model._meta.get_field(name) for name in table["columns"]]
            columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
            insert = (
                f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({columns}) "
                f"VALUES ({', '.join(['%s'] * len(fields))})"
            )
            rows = islice(lines, table["rows"])
            while batch := list(islice(rows, BATCH)):
                cursor.executemany(insert, [_values(fields, row) for row in batch])
        for statement in connection.ops.sequence_reset_sql(no_style(), _stored(registry)):
            cursor.execute(statement)
    connection.check_constraints()


def _values(fields, row):
    return [
        field.get_db_prep_save(field.to_python(value), connection)
        for field, value in zip(fields, row, strict=True)
    ]
