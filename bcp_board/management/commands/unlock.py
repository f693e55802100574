"""Let an account that locked itself try again at once."""

from django.core.management.base import BaseCommand

from bcp_board import signing_in
from record import security_log


class Command(BaseCommand):
    help = "Forget the failed tries to sign in to an account."

    def add_arguments(self, parser):
        parser.add_argument("username")

    def handle(self, *, username, **options):
        forgotten = signing_in.unlock(username)
        security_log.record("sign-in unlocked", account=signing_in.short_key(username), tries=forgotten)
        self.stdout.write(f"Forgot {forgotten} failed tries. The account can sign in again.")
