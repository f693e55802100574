"""Save the whole record to one file."""

from django.core.management.base import BaseCommand, CommandError

from bcp_board import backups, security_log


class Command(BaseCommand):
    help = "Save every row, accounts and history included, to one new file. Others may go on working."
    # Also where a trigger is missing: what is there must be saved all the same.
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("file")

    def handle(self, *, file, **options):
        try:
            backup = backups.save(file)
        except backups.Refused as refusal:
            security_log.record("backup", outcome="failed", file=file)
            raise CommandError(str(refusal)) from refusal
        security_log.record("backup", file=str(backup.path), rows=backup.rows, anchor=str(backup.anchor))
        self.stdout.write(f"Saved {backup.rows} rows to {backup.path}.")
        self.stdout.write(f"Its history has {backup.anchor.count} entries, head {backup.anchor.digest}.")
