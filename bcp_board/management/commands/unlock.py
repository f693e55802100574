"""Let an account that locked itself try again at once."""

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from bcp_board import signing_in
from record import security_log


class Command(BaseCommand):
    help = "Forget the failed tries to sign in to an account."

    def add_arguments(self, parser):
        parser.add_argument("username")

    def handle(self, *, username, **options):
        # What a shell could not read as text is the name of nobody.
        if not username.isprintable() or not User.objects.filter(username__iexact=username.strip()).exists():
            raise CommandError("There is no account of this name. Nothing was changed.")
        forgotten = signing_in.unlock(username)
        security_log.record("sign-in unlocked", account=signing_in.short_key(username), tries=forgotten)
        self.stdout.write(f"Forgot {forgotten} failed tries. The account can sign in again.")
