"""The seeded record for tests: loaded once, and from then on copied row by row."""

from django.apps import apps
from django.conf import settings
from django.core.management.color import no_style
from django.db import connection

from bcp_board.management.commands.seed import load_all
from record.models import LedgerEntry, Salt

ROOMS = ("record", "visits", "recommendations")
copied = {}


def load_record(at=None):
    """Fill an empty test database with what `manage.py seed` loads, recorded at the moment ``at``, or now."""
    if at not in copied:
        load_all(settings.BASE_DIR / "seeds", at=at)
        copied[at] = _every_row()
        return
    with connection.cursor() as cursor:
        for table, (columns, rows) in copied[at].items():
            names = ", ".join(connection.ops.quote_name(column) for column in columns)
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)
        for statement in connection.ops.sequence_reset_sql(no_style(), _models()):
            cursor.execute(statement)


def _models():
    found = [m for m in apps.get_models(include_auto_created=True) if m._meta.app_label in ROOMS]
    # Entries last: nothing may be added that is older than the newest of them.
    return sorted(found, key=lambda model: model in (LedgerEntry, Salt))


def _every_row():
    found = {}
    with connection.cursor() as cursor:
        for model in _models():
            table = model._meta.db_table
            cursor.execute(f'SELECT * FROM "{table}"')
            if rows := cursor.fetchall():
                found[table] = ([column[0] for column in cursor.description], rows)
    return found
