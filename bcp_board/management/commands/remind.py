"""Send the mails that are owed today: reminders, the list of who has not reported, decisions."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bcp_board.owed_mail import all_owed
from bcp_board.sending import send, sends_mail, unsent
from meetings.round import round_of
from record.as_at import AsAt
from record.signing import name_of


class Command(BaseCommand):
    help = (
        "Remind the owners who have not reported, some days before the papers of the next meeting go out and "
        "again once they are late; tell the Secretariat who has not, and owners that something was decided. "
        "Each is told once, however often this runs. Without MAIL_HOST or NOTIFY_API_KEY, and in a "
        "demonstration, it prints what it would send."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--dry-run", action="store_true", help="print what it would send, and send nothing"
        )

    def handle(self, *, dry_run, **options):
        now = timezone.now()
        owed = all_owed(round_of(AsAt.now(timezone.localdate(now))))
        if dry_run or not sends_mail():
            self.show(owed)
            return
        sent = send(owed, now=now)
        self.stdout.write(f"Mails sent: {sent.count}")
        for name in sorted(set(sent.without_address)):
            self.stdout.write(f"Has no e-mail address: {name}")
        if sent.failed:
            raise CommandError("Not sent, and tried again at the next run:\n" + "\n".join(sent.failed))

    def show(self, owed):
        for each in owed:
            if about := unsent(each):
                subject, body = each.text(len(about))
                nobody = f"nobody, for {name_of(each.account)} has no e-mail address"
                self.stdout.write(f"To: {each.address or nobody}\n")
                self.stdout.write(f"Subject: {subject}\n\n{body}\n")
        self.stdout.write("Nothing was sent.")
