"""Make the keys that backups are encrypted with and signed with."""

from django.core.management.base import BaseCommand, CommandError

from bcp_board import backup_keys


class Command(BaseCommand):
    help = "Write new keys to a file, and print the two that the server needs to encrypt and sign with."
    # It needs no database, and is best run on a machine that has none.
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("file")

    def handle(self, *, file, **options):
        try:
            public, signing = backup_keys.new(file)
        except backup_keys.Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"BACKUP_RECIPIENTS={public}")
        self.stdout.write(f"BACKUP_SIGNING_KEY={signing}")
        self.stderr.write(f"Keep {file} off the server, in two places. Without it no backup can be read.")
        self.stderr.write("Both lines go into the server's settings. The second is secret.")
