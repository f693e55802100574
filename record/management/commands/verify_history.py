"""Show that no row of the history was changed, taken away or slipped in."""

import logging

from django.core.management.base import BaseCommand, CommandError
from django.db import Error, connection
from django.utils import timezone

from record import ledger
from record.models import Erasure
from record.out_of_order import is_out_of_order
from record.verification import first_fault, note_that_it_held

NOT_CHECKED = 2
logger = logging.getLogger("bcp_board.security")


class Command(BaseCommand):
    help = (
        "Recompute the chain of the history. Ends with 1, and the first bad row, if it does not hold, and "
        "with 2 if the database cannot be read."
    )
    # Also where a trigger is missing: that is when it matters most what was changed.
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument(
            "--anchor",
            metavar="COUNT:HASH",
            help="as an old paper printed it: the history must still hold what it held then",
        )

    def handle(self, *, anchor, **options):
        try:
            expected = ledger.Anchor.read(anchor) if anchor is not None else None
        except ValueError as error:
            raise CommandError(str(error)) from error
        try:
            if fault := first_fault(expected=expected):
                # What cannot be read is a fault of the row's only while the database answers.
                connection.cursor().execute("SELECT 1")
        except Error as error:
            if not is_out_of_order(error):
                raise
            logger.warning("verify history", extra={"facts": {"outcome": "not checked"}})
            raise CommandError(
                "The history was not checked: the database cannot be reached, or is locked or damaged.",
                returncode=NOT_CHECKED,
            ) from error
        if fault:
            logger.warning("verify history", extra={"facts": {"outcome": "failed", "fault": fault}})
            raise CommandError(f"The history does not hold. {fault}")
        now = ledger.anchor()
        try:
            note_that_it_held(now, at=timezone.now())
        except OSError as error:
            # It holds all the same. What is lost is that the site can tell a monitor of it.
            self.stderr.write(f"The time of this check was not kept for /metrics: {error.strerror}.")
        self.stdout.write(f"The history holds: {now.count} entries, head {now.digest}")
        for erasure in Erasure.objects.order_by("pk"):
            self.stdout.write(f"{erasure} Approved by {erasure.approved_by}.")
