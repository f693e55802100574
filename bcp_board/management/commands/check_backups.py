"""Say whether the newest backup is whole and from the last day, and none holds words erased since."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bcp_board import backups
from record import security_log


class Command(BaseCommand):
    help = "Fail, with one sentence, if there is no whole backup in BACKUP_FOLDER of the last 26 hours."
    # What it looks at are files; a fault of the database must not hide theirs.
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument(
            "--unsigned",
            action="store_true",
            help="take one that whoever can write to the folder may have made",
        )

    def handle(self, *, unsigned, **options):
        warning = backups.why_newest_will_not_do(now=timezone.now(), unsigned=unsigned)
        if warning := warning or backups.still_holding(unsigned=unsigned):
            security_log.record("backup check", outcome="failed", folder=str(settings.BACKUP_FOLDER))
            raise CommandError(warning)
        self.stdout.write("The newest backup is whole, and less than 26 hours old.")
