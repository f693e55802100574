"""Save the whole record to one file."""

import datetime

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error

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
        except Error as error:
            security_log.record("backup", outcome="failed", file=file or str(settings.BACKUP_FOLDER))
            raise CommandError(f"Nothing was saved: {backups.what_failed(error)}.") from error
        security_log.record(
            "backup",
            file=str(backup.path),
            anchor=str(backup.anchor),
            encrypted=backup.format != backup_files.PLAIN,
            signed=backup.is_signed,
        )
        self.stdout.write(f"Saved the record to {backup.path}.")
        if not backup.is_signed:
            self.stderr.write("It is not signed, and whoever can write to its folder can put another there.")
            self.stderr.write("Set BACKUP_SIGNING_KEY, which backup_key prints.")
        self.say_whether_it_holds(backup.anchor)

    def say_whether_it_holds(self, anchor):
        try:
            fault = first_fault(expected=anchor)
        except Error as error:
            raise CommandError(
                f"Its history was not checked: {backups.what_failed(error)}. Run verify_history later."
            ) from error
        if fault:
            security_log.record("verify history", outcome="failed", fault=fault)
            raise CommandError(f"It cannot be restored, because its history does not hold. {fault}")
        self.stdout.write(f"Its history has {anchor.count} entries, head {anchor.digest}.")


def new_file():
    """A dated name in the folder of backups, which is made if it is not there; or raise Refused."""
    folder, now = settings.BACKUP_FOLDER, datetime.datetime.now(datetime.UTC)
    backup_files.make_private_folder(folder)
    # To the microsecond, so that two that begin within a second have two names.
    return folder / f"board-{now:%Y%m%dT%H%M%S%fZ}{backup_files.SUFFIX}"
