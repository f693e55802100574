"""The connection over which pages ask PostgreSQL: it waits for no answer for ever, and tells what failed.

PostgreSQL ends a statement that takes too long by itself. A server that was stopped in its tracks does not:
it takes what is sent to it and never answers.
"""

import time

import psycopg
from django.conf import settings
from django.db import connection as this_threads
from psycopg.pq import TransactionStatus


class NoAnswer(psycopg.OperationalError):
    """The server took a statement and said nothing, for longer than it would let any statement take."""


class Impatient(psycopg.Connection):
    @classmethod
    def connect(cls, *arguments, **options):
        """Connect, or log why it could not be: a page that waits for its turn does not learn it."""
        from record import security_log  # which needs the settings, and they need this

        began = time.monotonic()
        try:
            return super().connect(*arguments, **options)
        except psycopg.Error as error:
            security_log.record(
                "database not reached",
                outcome="failed",
                cause=type(error).__name__,
                code=error.sqlstate or "",
                ms=security_log.ms_since(began),
            )
            raise

    def wait(self, *arguments, **options):
        options.setdefault("timeout", settings.DATABASE_STATEMENT_SECONDS + 1)
        try:
            return super().wait(*arguments, **options)
        except psycopg.OperationalError as error:
            is_unanswered = self.info.transaction_status == TransactionStatus.ACTIVE
            if is_unanswered:
                self.close()
            if self.closed:
                # What cut this one off cut off those that nobody uses just now as well.
                this_threads.pool.drain()
            if is_unanswered:
                raise NoAnswer("The database server does not answer.") from error
            raise
