"""The whole record in one file, and a database put back from it.

A backup is lines of JSON, the same for SQLite and PostgreSQL: every table with its rows, in a file that
backup_files.py writes and reads. It needs no program of either database, and it carries the record from one
kind of database to the other.
"""

import datetime
import hashlib
import json
from contextlib import contextmanager
from itertools import islice

from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    InterfaceError,
    InternalError,
    connection,
    transaction,
)
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Max

from bcp_board import backup_files, grants
from bcp_board.backup_files import Refused, Trust, line_of
from record import ledger, triggers
from record.dates import say_moment
from record.out_of_order import is_out_of_order
from record.planning import take_stock
from record.progress import counted, progress
from record.verification import first_fault

BATCH = 500
# A day, and two hours for a night on which it took longer.
OLD = datetime.timedelta(hours=26)
# Who is signed in, who failed to, and the tokens that open a file: none is part of the record, and what was
# revoked must not come back with a backup from before.
LEFT_OUT = {"sessions.session", "bcp_board.signintry", "bcp_board.token"}
# Raised by a file that says it is a backup and is not, or by a database that refuses what it holds.
MALFORMED = (
    ArithmeticError,
    AttributeError,
    DatabaseError,
    FieldDoesNotExist,
    LookupError,
    RecursionError,
    TypeError,
    ValidationError,
    ValueError,
)
# What `migrate` itself writes: a database that holds nothing else is empty.
WRITTEN_BY_MIGRATE = {
    "django_content_type",
    "django_migrations",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
}


def digest(connection):
    """The SHA-256 of every row and of what the triggers do: equal digests, equal records.

    Sessions and the times of signing in are not part of the record.
    """
    found = hashlib.sha256(json.dumps(sorted(triggers.installed(connection).items())).encode())
    for line in _tables(apps, connection.alias, without={"last_login"}):
        found.update(line)
    return found.hexdigest()


def save(path, *, unencrypted=False):
    """Write the whole record to the new file ``path``, for its owner only, and return its Backup.

    It is encrypted to the keys in the settings, and signed with the one there. Raises Refused if there is
    none to encrypt it to on a real site, unless ``unencrypted``; if the file is there already; or if a newer
    copy of the site migrated the database.
    """
    recipients = [] if unencrypted else settings.BACKUP_RECIPIENTS
    if not (recipients or unencrypted or settings.DEBUG):
        raise Refused(
            "There is no key to encrypt the backup to. Set BACKUP_RECIPIENTS, or add --unencrypted if "
            "whoever can read the file may read the record."
        )
    with _one_moment(), progress("Saving the record", "lines") as done:
        heading, lines = _content()
        return backup_files.write(
            path,
            heading,
            counted(lines, done),
            recipients=recipients,
            signing_key=settings.BACKUP_SIGNING_KEY,
        )


def trust(*, unsigned=False):
    """Whose backups this site takes: its own, and with ``unsigned`` those that nobody it knows signed."""
    keys = (settings.BACKUP_SIGNING_KEY,) if settings.BACKUP_SIGNING_KEY else ()
    return Trust(keys=keys, unsigned=unsigned)


def what_failed(error):
    """What is wrong with the database that raised ``error``, without its words, which may quote a row."""
    said = {getattr(error.__cause__, name, None) for name in ("sqlite_errorname", "sqlstate")}
    if said & {"SQLITE_FULL", "53100"}:
        return "the disk of the database is full"
    is_held = said & {"SQLITE_BUSY", "55P03"}
    return "somebody else is using the record" if is_held else "the record cannot be reached"


def why_newest_will_not_do(*, now, unsigned=False):
    """The sentence that warns of a missing, old or forged backup at the moment ``now``, or None."""
    try:
        newest = backup_files.newest(settings.BACKUP_FOLDER, now=now, trust=trust(unsigned=unsigned))
    except backup_files.NotSigned as refusal:
        return str(refusal)
    if newest is None:
        return "There is no whole backup of this record."
    if now - newest.made_at > OLD:
        made_at = say_moment(newest.made_at)
        return f"The newest backup of this record was made on {made_at}, more than 26 hours ago."
    return None


def whole_ones(*, now):
    """The whole Backups in their folder that were signed here before ``now``, and the paths of the others."""
    whole, others = [], []
    paths = sorted(settings.BACKUP_FOLDER.glob(f"*{backup_files.SUFFIX}"))
    with progress("Reading the backups", "files", of=len(paths)) as done:
        for path in counted(paths, done):
            try:
                backup = backup_files.read(path, trust=trust())
            except Refused:
                backup = None
            if backup and backup.made_at <= now:
                whole.append(backup)
            else:
                others.append(path)
    return whole, others


def made_before(moment):
    """The backups made before ``moment``, in their folder and where a restore keeps what it replaced."""
    folders = dict.fromkeys([settings.BACKUP_FOLDER, settings.VAR_DIR])
    return [
        backup.path
        for folder in folders
        for backup in backup_files.headings(folder)
        if backup.made_at < moment
    ]


def still_holding(*, unsigned=False):
    """The sentence on backups made before words were erased, by what the newest one says, or None."""
    now = datetime.datetime.now(datetime.UTC)
    newest = backup_files.newest(settings.BACKUP_FOLDER, now=now, trust=trust(unsigned=unsigned))
    if newest is None or newest.erased_at is None:
        return None
    old = ", ".join(map(str, made_before(newest.erased_at)))
    return f"Delete these backups, which hold words that were erased since: {old}." if old else None


def restore(path, *, force=False, identity=None, unencrypted=False, unsigned=False):
    """Put the record at ``path`` into the database; return it and the Backup of what was there, or None.

    All or nothing, in one transaction. ``identity`` is the key file of an encrypted backup. Raises Refused if
    the file is damaged or cannot be decrypted; if no key that is known here signed it, unless ``unsigned``;
    if its history does not hold; if the database is out of order; or, without ``force``, if the database is
    not empty; with it, if what is there cannot be saved: see ``save``.
    """
    with backup_files.opened(path, identity=identity, trust=trust(unsigned=unsigned)) as (backup, lines):
        try:
            with connection.constraint_checks_disabled(), transaction.atomic():
                return backup, _replace_everything(backup, lines, force=force, unencrypted=unencrypted)
        except (InterfaceError, *MALFORMED) as error:
            if is_out_of_order(error):
                raise Refused(f"Nothing was restored: {what_failed(error)}.") from error
            # Without what the error says, which may quote the row.
            kind = type(error).__name__
            raise Refused(
                f"Nothing was restored. {path} does not hold what a backup does ({kind})."
            ) from error


def _replace_everything(backup, lines, *, force, unencrypted):
    """Put ``backup`` in the place of all that is there; return the Backup of that, or None if empty."""
    kept = None
    _keep_others_out()
    if not (is_empty := _is_empty()):
        if not force:
            raise Refused("The database is not empty. With --force a copy of it is kept and it is replaced.")
        now = datetime.datetime.now(datetime.UTC)
        backup_files.make_private_folder(settings.VAR_DIR)
        name = f"replaced-{now:%Y%m%dT%H%M%S%f}{backup_files.SUFFIX}"
        kept = save(settings.VAR_DIR / name, unencrypted=unencrypted)
    roles = grants.granted_roles()
    _load(backup, lines, keep_tables=is_empty)
    call_command("migrate", verbosity=0)  # from its day to ours, and the triggers
    for role in roles:
        grants.grant(role)
    take_stock()
    fault = first_fault(expected=backup.anchor)
    unguarded = triggers.check_installed(None, [DEFAULT_DB_ALIAS])
    if fault or unguarded:
        raise Refused(f"Nothing was restored. {fault or unguarded[0].msg}")
    return kept


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
        # Most tables are so short that one query reads them whole. The others are never in memory whole.
        first = list(rows[: BATCH + 1])
        is_whole = len(first) <= BATCH
        number = len(first) if is_whole else rows.count()
        yield line_of({"table": model._meta.label_lower, "columns": names, "rows": number})
        for row in first if is_whole else rows.iterator(chunk_size=BATCH):
            yield line_of(row)


def _content():
    """The facts that head a backup, and the lines it holds, read while they are written."""
    loader = MigrationLoader(connection)
    if newer := sorted(set(loader.applied_migrations) - set(loader.graph.nodes)):
        raise Refused(f"The database was migrated by a newer copy of the site: {'.'.join(newer[0])}.")
    registry = loader.project_state(list(loader.applied_migrations)).apps
    heading = {
        "made_at": datetime.datetime.now(datetime.UTC),
        "anchor": str(ledger.anchor()),
        "erased_at": _last_erasure(registry),
        "migrations": sorted(loader.applied_migrations),
    }
    return heading, _tables(registry, connection.alias)


def _last_erasure(registry):
    """When words were last erased, or None; a database that has not been migrated yet has no erasures."""
    try:
        erasures = registry.get_model("record", "Erasure")
    except LookupError:
        return None
    return erasures._base_manager.aggregate(last=Max("erased_at"))["last"]


def _quoted_tables():
    """{name: quoted name} of the board's own tables that are there; others may share the database."""
    there = connection.introspection.table_names()
    return {name: connection.ops.quote_name(name) for name in sorted(_own_tables().intersection(there))}


def _own_tables():
    """The tables of our models, as they are and as the migrations that were applied made them."""
    loader = MigrationLoader(connection)
    applied = [name for name in loader.applied_migrations if name in loader.graph.nodes]
    registries = [apps, loader.project_state(applied).apps]
    models = [m for registry in registries for m in registry.get_models(include_auto_created=True)]
    return {MigrationRecorder.Migration._meta.db_table, *(m._meta.db_table for m in models)}


def _keep_others_out():
    """Stop those to come; SQLite's IMMEDIATE transaction does it alone, and lets people read the old record.

    PostgreSQL lets nobody read until it is done. So the site must not be running: raises Refused if it is.
    """
    if connection.vendor == "postgresql" and (tables := _quoted_tables()):
        with connection.cursor() as cursor:
            # Those of its own workers, such as autovacuum, have no role.
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND usesysid IS NOT NULL AND pid <> pg_backend_pid()"
            )
            if (others := cursor.fetchone()[0]) and not _is_empty():
                raise Refused(
                    "Nothing was restored. Nobody can read while the record is replaced, and somebody is "
                    f"connected to the database ({others}). Stop the site first."
                )
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
    """Drop the board's own tables, and nothing that somebody else made of them or made to point at them."""
    tables = list(_quoted_tables().values())
    # SQLite drops one at a time; PostgreSQL drops those that point at one another only together.
    together = [", ".join(tables)] if connection.vendor == "postgresql" and tables else tables
    with connection.cursor() as cursor:
        try:
            for names in together:
                cursor.execute(f"DROP TABLE {names}")
        except InternalError as error:
            raise Refused(
                "Nothing was restored. Somebody made a table or view of their own in this database that "
                "depends on one of the board's. Drop theirs first."
            ) from error


def _make_tables(backup):
    """Make the tables as the migrations of ``backup`` do; return the registry of their models."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)
    plan = [step for step in plan if (step[0].app_label, step[0].name) in backup.migrations]
    return executor.migrate(None, plan=plan).apps


def _empty_tables():
    """Take out what `migrate` wrote into tables that hold nothing else."""
    tables = [name for name in _quoted_tables() if name != "django_migrations"]
    triggers.drop(connection)  # they refuse TRUNCATE; `migrate` puts them back, and then they are counted
    with connection.cursor() as cursor:
        for statement in connection.ops.sql_flush(no_style(), tables):
            cursor.execute(statement)


def _load(backup, lines, *, keep_tables):
    """Have the tables as they were when ``backup`` was made, and fill them from ``lines``."""
    loader = MigrationLoader(connection)
    if not backup.migrations <= set(loader.graph.nodes):
        raise Refused(f"{backup.path} was made by a newer copy of the site. Nothing was restored.")
    # Tables in which somebody worked may hold more than rows, such as a trigger of theirs: those go.
    if keep_tables and backup.migrations == set(loader.applied_migrations):
        registry = loader.project_state(list(backup.migrations)).apps
        _empty_tables()
    else:
        _drop_tables()
        registry = _make_tables(backup)
    lines = (json.loads(line) for line in lines)
    with connection.cursor() as cursor, progress("Restoring the record", "rows") as done:
        if connection.vendor == "postgresql":
            # To add a foreign key to a table, as a migration may have, has it checked at once from then on.
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        restored = 0
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
                restored += len(batch)
                done(restored)
        if [[*line][:1] for line in islice(lines, 2)] != [["sha256"]]:
            raise Refused(f"{backup.path} holds more than its tables. Nothing was restored.")
        for statement in connection.ops.sequence_reset_sql(no_style(), _stored(registry)):
            cursor.execute(statement)
    connection.check_constraints()


def _values(fields, row):
    return [
        field.get_db_prep_save(field.to_python(value), connection)
        for field, value in zip(fields, row, strict=True)
    ]
