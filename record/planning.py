"""How PostgreSQL plans its answers after a great deal was loaded at once."""

from django.db import connection


def take_stock():
    """Have PostgreSQL look how much each table holds, by which it plans how to answer.

    It does so by itself, but minutes later, and never inside the transaction that loads. Until then the first
    page of a large record took seconds. SQLite's plans do not depend on it.
    """
    if connection.vendor == "postgresql":
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(map(connection.ops.quote_name, tables))}")
