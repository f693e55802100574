"""The files that people take away, and the tokens by which a program reads one of them without signing in.

A token opens the one file that it was made for, to read. It is a random secret, shown once; the database
keeps its hash. Each account has one for each purpose, until it makes another, revokes it, changes its
password or is closed.
"""

import hashlib
import secrets
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.utils import timezone

from bcp_board import errors
from bcp_board.models import Token
from record import security_log


def hashed(secret):
    """The hash under which ``secret`` is kept. It is too random to guess, so one round is enough."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def make(user, purpose, *, request):
    """Make the token of ``user`` for ``purpose`` in the place of the one before; return the secret."""
    secret = secrets.token_urlsafe(32)
    values = {"digest": hashed(secret), "made_at": timezone.now()}
    Token.objects.update_or_create(user=user, purpose=purpose, defaults=values)
    security_log.record("token made", request=request, user=user, purpose=purpose)
    return secret


def revoke(user, *purposes, request=None):
    """Revoke the tokens of ``user`` for these ``purposes``, for all if none is given."""
    tokens = Token.objects.filter(user=user)
    for token in tokens.filter(purpose__in=purposes) if purposes else tokens:
        token.delete()
        security_log.record("token revoked", request=request, user=user, purpose=token.purpose)


def holder_of(request, purpose):
    """The account in whose name a token for ``purpose`` is shown, or None; one that opens nothing is logged.

    It is in the header that such requests have, or for a calendar in its address, since no calendar sends the
    header. Whatever is shown costs one hash and one look-up by it, which tells nothing of those there are.
    """
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    secret = secret.strip() if kind.lower() == "bearer" else ""
    if purpose == "calendar":
        secret = secret or request.GET.get("token", "")
    if not secret:
        return None
    found = Token.objects.filter(digest=hashed(secret), purpose=purpose, user__is_active=True)
    token = found.select_related("user").first()
    if token is None:
        security_log.record(
            "token refused", request=request, user=errors.NOBODY, outcome="failed", purpose=purpose
        )
    return token and token.user


def file(view, *, opened_by=None):
    """The ``view`` of a file, for whoever is signed in or, if it is ``opened_by`` a token, shows that.

    Anybody else is told so, and not led to the sign-in page: a program would take that page for the file.
    """

    @login_not_required
    @wraps(view)
    def guarded(request, *args, **kwargs):
        is_signed_in = request.user.is_authenticated
        reader = request.user if is_signed_in else opened_by and holder_of(request, opened_by)
        if not reader:
            return errors.not_signed_in(request, scheme="Bearer" if opened_by else "Session")
        response = view(request, *args, **kwargs)
        if response.status_code == 200:
            how = "session" if is_signed_in else "token"
            name = request.path_info.removeprefix("/")
            security_log.record("file taken", request=request, user=reader, file=name, by=how)
        return response

    return guarded
