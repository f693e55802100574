"""Delete the backups that are no longer needed."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bcp_board import backup_files, backups, retention
from record import security_log


class Command(BaseCommand):
    help = (
        "Say which backups in BACKUP_FOLDER no rule keeps, and with --delete delete them. Kept are all of "
        f"{retention.DAYS} days, one a week for {retention.WEEKS} weeks, one a month for {retention.MONTHS} "
        "months, the newest, and whatever is damaged or was not signed here."
    )
    # What it looks at are files; a fault of the database must not hide theirs.
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--delete", action="store_true", help="delete them, and not only name them")

    def handle(self, *, delete, **options):
        now = timezone.now()
        whole, others = backups.whole_ones(now=now)
        not_needed = retention.not_needed(whole, today=timezone.localdate(now))
        for path in others:
            self.stdout.write(f"Left alone, because it is damaged, not signed here or of the future: {path}")
        for backup in not_needed:
            if delete:
                self.take_away(backup.path)
            self.stdout.write(f"{'Deleted' if delete else 'Not needed'}: {backup.path}")
        self.stdout.write(f"Backups that are kept: {len(whole) - len(not_needed)}")

    def take_away(self, path):
        try:
            backup_files.delete(path)
        except backup_files.Refused as refusal:
            security_log.record("delete backup", outcome="failed", file=str(path))
            raise CommandError(str(refusal)) from refusal
        security_log.record("delete backup", file=str(path))
