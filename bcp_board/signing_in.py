"""How often one may try to sign in: an account locks hard, an address only softly.

A whole council may share one address, so that one colleague's mistakes, or a guesser among them, must not
lock the others out: an address over its limit still lets in the accounts that have signed in from it
before, or set their password there. The counts are in the database, so that every worker and every restart
shares them.
"""

import datetime
import hashlib
import unicodedata

from bcp_board.models import SignInTry

WINDOW = datetime.timedelta(minutes=15)
ACCOUNT_LIMIT = 5
ADDRESS_LIMIT = 40
REMEMBERED = datetime.timedelta(days=30)
LONGEST_NAME = 150


def account_key(username):
    """The hash under which tries for ``username`` are counted, whatever its capitals."""
    plain = username.strip()
    # A longer one is nobody's, and to normalise it can take minutes.
    if len(plain) <= LONGEST_NAME:
        plain = unicodedata.normalize("NFKC", plain)
    return hashlib.sha256(plain.casefold().strip().encode()).hexdigest()


def short_key(username):
    """Enough of the account's hash to tell its lines in the log from others', and not its name."""
    return account_key(username)[:12]


def begin(username, address, *, at):
    """A SignInTry, counted as failed until it succeeds, or None where no more may be made.

    It is stored before it is counted and before the password is looked at, so that of many tries at once
    no more get through than of as many in turn. One that is refused does not make the lock last longer.
    Its ``from_busy_address`` says that only accounts known there get through, so that if it fails the
    answer must be the one that all others get.
    """
    account = account_key(username)
    made = SignInTry.objects.create(account=account, address=address, at=at)
    failed = SignInTry.objects.filter(at__gt=at - WINDOW, succeeded=False)
    made.from_busy_address = failed.filter(address=address).count() > ADDRESS_LIMIT
    is_locked = failed.filter(account=account).count() > ACCOUNT_LIMIT
    if made.from_busy_address and not is_locked:
        before = SignInTry.objects.filter(account=account, address=address, succeeded=True)
        is_locked = not before.filter(at__gt=at - REMEMBERED).exists()
    if is_locked:
        made.delete()
        return None
    return made


def succeed(made):
    """Record that the SignInTry ``made`` succeeded; forget the account's failures, and tries long past."""
    SignInTry.objects.filter(at__lte=made.at - REMEMBERED).delete()
    SignInTry.objects.filter(account=made.account, succeeded=False).exclude(pk=made.pk).delete()
    made.succeeded = True
    made.save(update_fields=["succeeded"])


def has_just_locked(made):
    """Whether the failed SignInTry ``made`` is the one that locked its account."""
    since = made.at - WINDOW
    return (
        SignInTry.objects.filter(account=made.account, at__gt=since, succeeded=False).count() == ACCOUNT_LIMIT
    )


def unlock(username):
    """Forget the failed tries of ``username``; return how many there were."""
    return SignInTry.objects.filter(account=account_key(username), succeeded=False).delete()[0]


def let_in(username, address, *, at):
    """Forget the failed tries of ``username``, and know ``address`` as theirs; return how many there were."""
    SignInTry.objects.create(account=account_key(username), address=address, at=at, succeeded=True)
    return unlock(username)
