"""Put back a record that `backup` saved."""

from django.core.management.base import BaseCommand, CommandError

from bcp_board import backups, security_log


class Command(BaseCommand):
    help = "Fill an empty database from a backup, whole or not at all. Everyone has to sign in again."
    # Also where a trigger is missing: it looks at those of the restored tables itself.
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("file")
        parser.add_argument(
            "--force",
            action="store_true",
            help="replace what the database holds, after saving a copy of it in var/",
        )

    def handle(self, *, file, force, **options):
        try:
            backup, kept = backups.restore(file, force=force)
        except backups.Refused as refusal:
            security_log.record("restore", outcome="failed", file=file)
            raise CommandError(str(refusal)) from refusal
        copy = str(kept.path) if kept else ""
        security_log.record("restore", file=file, rows=backup.rows, anchor=str(backup.anchor), replaced=copy)
        if kept:
            self.stdout.write(f"What was there before, {kept.rows} rows, is in {kept.path}.")
        self.stdout.write(f"Restored {backup.rows} rows, saved at {backup.made_at}.")
        self.stdout.write(f"The history holds: {backup.anchor.count} entries, head {backup.anchor.digest}.")
