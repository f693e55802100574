"""Make an account for each role, to look round a copy of the board on one's own machine."""

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from bcp_board import tokens
from bcp_board.roles import works_in_admin
from recommendations.models import Action
from recommendations.ownership import Ownership
from record import ledger
from record.as_at import AsAt
from record.signing import signature

ACCOUNTS = {
    "member": "Board members",
    "officer": "Officers",
    "secretariat": "Secretariat",
    "chair": "Chair",
    "admin": "Administrators",
}
OFFICERS_ACTIONS = ("A05", "A07")


class Command(BaseCommand):
    help = "Make the accounts member, officer, secretariat, chair and admin. Only where DEBUG=1."

    def add_arguments(self, parser):
        parser.add_argument("--password", required=True, help="The password of all five accounts.")

    def handle(self, *args, password, **options):
        if not settings.DEBUG:
            raise CommandError(
                "Five accounts with one password belong on your own machine only: this needs DEBUG=1."
            )
        try:
            validate_password(password)
        except ValidationError as error:
            raise CommandError(f"Choose another password. {' '.join(error.messages)}") from None
        # Hashed before the transaction begins, which every other writer to SQLite waits for.
        hashed = [make_password(password) for _ in ACCOUNTS]
        with transaction.atomic():
            self.make(hashed)
        self.stdout.write(f"Accounts: {', '.join(ACCOUNTS)}.")

    def make(self, hashed):
        """Make the accounts, each with one of the passwords ``hashed``, and give the officer some actions."""
        for (username, role), user_password in zip(ACCOUNTS.items(), hashed, strict=True):
            user, _ = User.objects.get_or_create(username=username)
            user.first_name, user.last_name = "Local", username
            user.is_superuser = username == "admin"
            user.is_active = True
            user.password = user_password
            user.groups.set([Group.objects.get(name=role)])
            user.is_staff = works_in_admin(user)
            user.save()
            tokens.revoke(user)
        officer = User.objects.get(username="officer")
        at = AsAt.now(timezone.localdate())
        owned = Action.objects.owned_by(officer, at).values("pk")
        ledger.append(
            Ownership(
                action=action,
                owner=officer,
                owner_signed=signature(officer),
                dated=at.day.isoformat(),
                recorded_by=User.objects.get(username="secretariat"),
                signed=signature(User.objects.get(username="secretariat")),
            )
            for action in Action.objects.filter(ref__in=OFFICERS_ACTIONS).exclude(pk__in=owned)
        )
