"""Make the pair of keys that backups are encrypted with."""

from django.core.management.base import BaseCommand, CommandError

from bcp_board import backup_files


class Command(BaseCommand):
    help = "Write a new private key to a file, and print the public key that belongs to it."
    # It needs no database, and is best run on a machine that has none.
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("file")

    def handle(self, *, file, **options):
        try:
            public_key = backup_files.new_key(file)
        except backup_files.Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"BACKUP_RECIPIENTS={public_key}")
        self.stderr.write(f"Keep {file} off the server, in two places. Without it no backup can be read.")
