"""How often one may try to sign in: an account locks hard, an address only softly.

A whole council may share one address, so that one colleague's mistakes, or a guesser among them, must not
lock the others out: an address over its limit still lets in the accounts that have signed in from it
before. The counts are in the database, so that every worker and every restart shares them.
"""

import datetime
import hashlib
import unicodedata

from bcp_board.models import SignInTry

WINDOW = datetime.timedelta(minutes=15)
ACCOUNT_LIMIT = 5
ADDRESS_LIMIT = 40
REMEMBERED = datetime.timedelta(days=30)


def account_key(username):
    """Return the hash under which tries for ``username`` are counted, whatever its capitals."""
    plain = unicodedata.normalize("NFKC", username).casefold().strip()
    return hashlib.sha256(plain.encode()).hexdigest()


def begin(username, address, *, at):
    """Return a SignInTry, counted as failed until it succeeds, or None where no more may be made.

    It is stored before the password is looked at, so that many tries at once are all counted.
    """
    account = account_key(username)
    failed = SignInTry.objects.filter(at__gt=at - WINDOW, succeeded=False)
    if failed.filter(account=account).count() >= ACCOUNT_LIMIT:
        return None
    if failed.filter(address=address).count() >= ADDRESS_LIMIT:
        before = SignInTry.objects.filter(account=account, address=address, succeeded=True)
        if not before.filter(at__gt=at - REMEMBERED).exists():
            return None
    SignInTry.objects.filter(at__lte=at - REMEMBERED).delete()
    return SignInTry.objects.create(account=account, address=address, at=at)


def succeed(made):
    """Record that the SignInTry ``made`` succeeded, and forget the account's failures."""
    SignInTry.objects.filter(account=made.account, succeeded=False).exclude(pk=made.pk).delete()
    made.succeeded = True
    made.save(update_fields=["succeeded"])


def has_just_locked(made):
    """Return whether the failed SignInTry ``made`` is the one that locked its account."""
    since = made.at - WINDOW
    return (
        SignInTry.objects.filter(account=made.account, at__gt=since, succeeded=False).count() == ACCOUNT_LIMIT
    )


def unlock(username):
    """Forget the failed tries of ``username``; return how many there were."""
    return SignInTry.objects.filter(account=account_key(username), succeeded=False).delete()[0]
