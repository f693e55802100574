"""What the site may do in PostgreSQL when it signs in as a role that does not own the tables.

The role that owns the database migrates, backs up and restores. The site's own role can then add to the
history but not rewrite it, nor lift the triggers that refuse to: not even a fault in our code can.
"""

from django.db import connection, transaction

from record.triggers import guarded_models

ADD_ONLY, CHANGE = "SELECT, INSERT", "SELECT, INSERT, UPDATE, DELETE"


def statements(role):
    """The SQL that gives ``role`` exactly what the site needs in the tables there now."""
    name = connection.ops.quote_name(role)
    add_only = {model._meta.db_table for model in guarded_models()}
    # Words are removed by the owner alone.
    read_only = {"django_migrations", "record_erasure"}
    found = [
        f"GRANT USAGE ON SCHEMA public TO {name}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}",
    ]
    for table in sorted(connection.introspection.table_names()):
        rights = "SELECT" if table in read_only else ADD_ONLY if table in add_only else CHANGE
        found.append(f"GRANT {rights} ON {connection.ops.quote_name(table)} TO {name}")
    return found


@transaction.atomic
def grant(role):
    """Give ``role`` exactly what ``statements`` says; raise ProgrammingError if there is no such role."""
    with connection.cursor() as cursor:
        for statement in statements(role):
            cursor.execute(statement)


def granted_roles():
    """The roles, other than the tables' owner, that may add to the history; none on SQLite."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT grantee FROM information_schema.role_table_grants "
            "WHERE table_name = 'record_ledgerentry' AND privilege_type = 'INSERT' "
            "AND grantee <> (SELECT tableowner FROM pg_tables WHERE schemaname = table_schema "
            "AND tablename = table_name) ORDER BY grantee"
        )
        return [role for (role,) in cursor.fetchall()]


def after_migrations(sender, using, **kwargs):
    """Give the same roles what they need in the tables that a migration has just made."""
    for role in granted_roles():
        grant(role)
