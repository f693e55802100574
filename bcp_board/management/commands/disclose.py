"""Write what the record says of one action or recommendation into a folder, for a request under the law."""

from pathlib import Path

from django.core.exceptions import BadRequest
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bcp_board.disclosure import NotThere, disclosure
from record import security_log
from record.as_at import read_as_at


class Command(BaseCommand):
    help = (
        "Write the page, the history, the versions, the sources and the proof of one action or "
        "recommendation into a new folder, with a list of the files and the SHA-256 of each."
    )

    def add_arguments(self, parser):
        parser.add_argument("name", help="the action, such as A05, or the number of the recommendation")
        parser.add_argument(
            "--as-known", metavar="DAY", help="as it was known at the end of that day; today unless given"
        )
        parser.add_argument(
            "--to", metavar="FOLDER", help="the folder to make; named after the rest unless given"
        )

    def handle(self, *, name, as_known, to, **options):
        today, name = timezone.localdate(), name.strip().upper()
        if not (name and name.isprintable()):
            raise CommandError("Name an action, such as A05, or the number of a recommendation.")
        asked = {"as_at": as_known, "known": "then"} if as_known else {}
        try:
            at = read_as_at(asked, today=today)
            folder = Path(to or f"disclosure-{name}-{at.day}")
            if folder.exists():
                raise CommandError(
                    f"{folder} is there already, and nothing is written over. Give another --to."
                )
            files = disclosure(name, at)
            folder.mkdir(mode=0o700)
            for file, content in files.items():
                with open(folder / file, "xb") as new:
                    new.write(content)
        except (BadRequest, NotThere) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename} could not be written: {error.strerror}.") from error
        security_log.record("disclosure", object=name, as_known=str(at.day))
        self.stdout.write(
            f"Written to {folder}: {', '.join(files)}. It names people: read it before it is sent."
        )
