"""Save the whole record to one file."""

import datetime

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from bcp_board import backup_files, backups
from record import security_log
from record.verification import first_fault


class Command(BaseCommand):
    help = "Save every row, accounts and history included, to one new file. Others may go on working."
    # Also where a trigger is missing: what is there must be saved all the same.
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("file", nargs="?", help="by default a dated name in BACKUP_FOLDER")
        parser.add_argument(
            "--unencrypted", action="store_true", help="so that whoever reads the file reads the record"
        )

    def handle(self, *, file, unencrypted, **options):
        try:
            backup = backups.save(file or new_file(), unencrypted=unencrypted)
        except backups.Refused as refusal:
            security_log.record("backup", outcome="failed", file=file or str(settings.BACKUP_FOLDER))
            raise CommandError(str(refusal)) from refusal
        except DatabaseError as error:
            security_log.record("backup", outcome="failed", file=file or str(settings.BACKUP_FOLDER))
            raise CommandError("Nothing was saved: the record cannot be reached.") from error
        security_log.record(
            "backup",
            file=str(backup.path),
            anchor=str(backup.anchor),
            encrypted=bool(backup.recipients),
        )
        self.stdout.write(f"Saved the record to {backup.path}.")
        if fault := first_fault(expected=backup.anchor):
            security_log.record("verify history", outcome="failed", fault=fault)
            raise CommandError(f"It cannot be restored, because its history does not hold. {fault}")
        self.stdout.write(f"Its history has {backup.anchor.count} entries, head {backup.anchor.digest}.")


def new_file():
    """A dated name in the folder of backups, which is made if it is not there; or raise Refused."""
    folder, now = settings.BACKUP_FOLDER, datetime.datetime.now(datetime.UTC)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise backups.Refused(f"{folder} cannot be made: {error.strerror}.") from error
    return folder / f"board-{now:%Y%m%dT%H%M%SZ}{backup_files.SUFFIX}"
