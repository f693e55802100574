"""Let the site work in PostgreSQL as a role that cannot rewrite the history."""

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from bcp_board import grants
from record import security_log


class Command(BaseCommand):
    help = (
        "Give a PostgreSQL role what the site needs and no more: it may add to the history, never change "
        "it. Run it as the owner of the database, once; migrate and restore renew it for the same role."
    )

    def add_arguments(self, parser):
        parser.add_argument("role", help="made beforehand: CREATE ROLE board_site LOGIN PASSWORD '…'")

    def handle(self, *, role, **options):
        if connection.vendor != "postgresql":
            raise CommandError("SQLite has no roles; this is for PostgreSQL.")
        try:
            grants.grant(role)
        except DatabaseError as error:
            raise CommandError(f"Nothing was granted. The database says: {error}") from error
        security_log.record("grants", role=role)
        for statement in grants.statements(role):
            self.stdout.write(f"{statement};")
