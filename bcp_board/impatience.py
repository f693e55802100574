"""The connection over which pages ask PostgreSQL, and how long they put up with being kept waiting.

PostgreSQL ends a statement that takes too long by itself. A server that was stopped in its tracks does not:
it takes whatever it is sent, and never answers.
"""

import psycopg
from django.conf import settings
from django.db import connection
from psycopg.pq import TransactionStatus


class NoAnswer(psycopg.OperationalError):
    """The server took a statement and said nothing, for longer than it would let any statement take."""


class CutOff(psycopg.OperationalError):
    """The connection was ended in the middle: the server stopped, or a save had stood still for too long."""


class TurnedAway(psycopg.OperationalError):
    """The server is there, and takes no connection: it has none left, or knows no such role or database."""


class Impatient(psycopg.Connection):
    """One of the pool's connections, each of which waits for no answer for ever."""

    @classmethod
    def connect(cls, *arguments, **options):
        try:
            return super().connect(*arguments, **options)
        except psycopg.Error as error:
            # Of a connection that was not made, the server's own word is all that tells it from silence.
            tell_who_waits(TurnedAway if "FATAL" in str(error) else type(error), str(error))
            raise

    def wait(self, *arguments, **options):
        options.setdefault("timeout", settings.DATABASE_STATEMENT_SECONDS + 1)
        try:
            return super().wait(*arguments, **options)
        except psycopg.Error as error:
            is_unanswered = self.info.transaction_status == TransactionStatus.ACTIVE
            if is_unanswered:
                self.close()
            if not self.closed:
                raise
            # What cut this one off cut off those that nobody uses just now as well.
            connection.pool.drain()
            # A save that stood still was ended: the server's word for that is one for a fault of ours.
            if error.sqlstate and isinstance(error, psycopg.OperationalError):
                raise
            raise (NoAnswer if is_unanswered else CutOff)(str(error)) from error


def tell_who_waits(kind, message):
    """Have whoever waits for a connection fail with that error now, and not when their time is up.

    The pool has no call for it: it would let them wait for another try.
    """
    pool = connection.pool
    with pool._lock:
        waiting = list(pool._waiting)
        pool._waiting.clear()
    for client in waiting:
        client.fail(kind(message))


def wait_for_others_saves():
    """Let this transaction wait for what others are saving, for longer than anyone should wait to read."""
    if "pool" in connection.settings_dict["OPTIONS"]:
        with connection.cursor() as cursor:
            limit = f"{settings.DATABASE_SAVE_SECONDS}s"
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [limit])
