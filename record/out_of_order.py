"""Whether the database is out of order, whatever it was asked, or something of ours is wrong."""

from django.db import InterfaceError, OperationalError

# What SQLite and PostgreSQL call a file that is damaged, or is none of theirs.
DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "XX001", "XX002")


def is_out_of_order(error):
    """Whether ``error`` is that of a database that is not reached, busy, full or damaged.

    Django has no kind of its own for a damaged one: it is among those that mean a fault of a statement.
    """
    if isinstance(error, InterfaceError | OperationalError):
        return True
    cause = getattr(error, "__cause__", None)
    name = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", "")
    return name.startswith(DAMAGED)
