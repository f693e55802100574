"""Put back a record that `backup` saved."""

from django.core.management.base import BaseCommand, CommandError

from bcp_board import backups
from record import security_log


class Command(BaseCommand):
    help = "Fill an empty database from a backup, whole or not at all. Everyone has to sign in again."
    # Also where a trigger is missing: it looks at those of the restored tables itself.
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("file")
        parser.add_argument(
            "--identity", metavar="KEY", help="the file of the backup's keys, which backup_key wrote"
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="replace what the database holds, after saving a copy of it in var/",
        )
        parser.add_argument(
            "--unencrypted", action="store_true", help="with --force: do not encrypt that copy"
        )
        parser.add_argument(
            "--unsigned",
            action="store_true",
            help="take a backup that no known key signed: whoever could write to its folder may have made it",
        )

    def handle(self, *, file, force, identity, unencrypted, unsigned, **options):
        try:
            backup, kept = backups.restore(
                file, force=force, identity=identity, unencrypted=unencrypted, unsigned=unsigned
            )
        except backups.Refused as refusal:
            security_log.record("restore", outcome="failed", file=file)
            raise CommandError(str(refusal)) from refusal
        copy = str(kept.path) if kept else ""
        security_log.record(
            "restore", file=file, anchor=str(backup.anchor), signed=backup.is_signed, replaced=copy
        )
        if kept:
            self.stdout.write(f"What was there before is in {kept.path}.")
        self.stdout.write(f"Restored the record of {backup.made_at:%Y-%m-%d %H:%M} UTC.")
        self.stdout.write(f"The history holds: {backup.anchor.count} entries, head {backup.anchor.digest}.")
