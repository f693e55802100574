"""How PostgreSQL plans its answers after a great deal was loaded at once."""

from django.apps import apps
from django.db import connection


def take_stock():
    """Have PostgreSQL look how much each table holds, by which it plans how to answer.

    It does so by itself, but minutes later, and never inside the transaction that loads. Until then the first
    page of a large record took seconds. SQLite's plans do not depend on it.
    """
    if connection.vendor == "postgresql":
        models = apps.get_models(include_auto_created=True)
        tables = (connection.ops.quote_name(model._meta.db_table) for model in models if model._meta.managed)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(sorted(tables))}")
