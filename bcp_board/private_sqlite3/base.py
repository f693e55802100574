"""Django's SQLite, with a database that only its owner can read, whatever the umask."""

import os
import stat
from contextlib import suppress

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params):
        if not self.is_in_memory_db():
            keep_private(str(conn_params["database"]))
        return super().get_new_connection(conn_params)


def keep_private(path):
    """Let nobody else read the database at ``path``, which may be new, nor what SQLite keeps beside it.

    Whatever SQLite makes beside a database later has the rights of the database.
    """
    # What hinders this hinders SQLite too, which says so, or is another owner's to put right.
    with suppress(OSError):
        # Never one that is there: to close it would take from this program every lock that it has on it.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    for name in (path, f"{path}-wal", f"{path}-shm"):
        with suppress(OSError):
            if stat.S_IMODE(os.stat(name).st_mode) != 0o600:
                os.chmod(name, 0o600)
