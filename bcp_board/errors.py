"""Error pages in plain English, made from one template and nothing else, so that they always come.

They need no database, session, static file or stylesheet: any of these may be what failed.

Whoever sent a form gets back what they typed, where it can be read: it may be the form that could not.
"""

import re
import sys

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import BadRequest, TooManyFieldsSent
from django.http import Http404, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode

from bcp_board.typed import is_from_here, typed_in
from meetings.papers import style_source
from recommendations.terms import PAGES
from record import security_log
from record.compression import compress
from record.ledger import ClockSetBack
from record.out_of_order import is_out_of_order
from record.signing import Refused

# To learn who asked takes the database, which may be what failed, and does not matter here.
NOBODY = AnonymousUser()
COPY_IT = "Copy what you typed, which is below. Then open the form again and enter it."
NOT_SAVED = "Nothing was saved"


class Hidden(Http404):
    """Raised for a page that somebody may not know is there: answered as if it were not, but logged."""


def _page(request, status, title, *paragraphs, **more):
    context = {
        "board_name": settings.BOARD_NAME,
        "marking": settings.MARKING,
        "title": title,
        "paragraphs": paragraphs,
        "request_id": getattr(request, "id", ""),
        # Only if somebody has asked already who it is: to ask now takes what may have failed.
        "pages": PAGES if hasattr(request, "_cached_user") and request.user.is_authenticated else {},
        **more,
    }
    body = render_to_string("error.html", context).encode()
    response = HttpResponse(body, status=status)
    response.csp = {"style-src": ["'self'", style_source(body)]}
    # What somebody typed may be sent again with other words, and is nobody else's to guess.
    return response if more.get("typed") else compress(response, request)


def _refused(request, status, title, *paragraphs, tells_choices=True):
    """The page for what is not done; of a form that was sent it says so, and gives back what was typed."""
    if request.method != "POST":
        return _page(request, status, title, *paragraphs)
    typed = _typed(request, tells_choices=tells_choices)
    said = [] if NOT_SAVED in " ".join(paragraphs) else [f"{NOT_SAVED}."]
    said += ["What you typed is below. Copy it if you need it."] if typed else []
    said = [" ".join(said)] if said else []
    return _page(request, status, title, *paragraphs, *said, typed=typed)


def _typed(request, **more):
    """What ``typed_in`` finds in a form of the site; nothing where it may be the form that cannot be read."""
    try:
        return typed_in(request, **more) if is_from_here(request) else []
    except Exception:  # whatever failed, the page is still owed
        return []


def _logged(event, status, request, user=None):
    # A one-time link is as good as a password until it is used, also where it was mistyped.
    path = re.sub("(login.).+", r"\1…", request.path_info, flags=re.IGNORECASE | re.DOTALL)[:200]
    security_log.record(event, request=request, user=user or _asker(request), outcome=str(status), path=path)


def _asker(request):
    """Who asked, or nobody where the session or the database that would tell has failed."""
    try:
        request.user.pk  # noqa: B018 (reading it is what asks the database)
    except Exception:  # whatever failed, the page is still owed
        return NOBODY
    return request.user


def method_refused(request):
    """The 405 page, for a method that no page of the site has."""
    _logged("not answered", 405, request, NOBODY)
    response = _page(request, 405, "This cannot be asked of this site", "Pages can be read, and forms sent.")
    response.headers["Allow"] = "GET, HEAD, POST"
    return response


def too_large(request):
    """The 413 page. The body was not kept, so what was typed cannot be shown again."""
    _logged("not answered", 413, request, NOBODY)
    return _page(
        request,
        413,
        "This form is too large",
        "Nothing was saved. Go back, shorten what you typed, and try again.",
    )


def bad_request(request, exception):
    """The 400 page, with our own reason where we gave one."""
    _logged("not answered", 400, request, NOBODY)
    if isinstance(exception, SessionInterrupted):
        return _refused(
            request,
            400,
            "This form could not be accepted",
            "You may have signed out in another tab, or the record could not be reached. Nothing was saved.",
        )
    if isinstance(exception, TooManyFieldsSent):
        most = f"{settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:,}"
        return _page(
            request,
            400,
            "This is too much at once",
            f"A form or an address may hold {most} boxes, and this holds more. Nothing was saved.",
            "Go back, copy what you typed, and show or send less at a time.",
        )
    reason = str(exception) if type(exception) is BadRequest else "The site could not read it."
    return _refused(request, 400, "There is a problem with this request", reason)


def forbidden(request, exception):
    """The 403 page, with our own reason where we gave one, and log who asked for what."""
    _logged("refused", 403, request)
    if isinstance(exception, Refused):
        return _refused(request, 403, "You cannot do this", str(exception))
    return _refused(
        request,
        403,
        "You do not have the right to do this",
        "Your role does not include it. Officers work only on the actions they own.",
        "If you think this is wrong, ask the board’s secretariat.",
    )


def not_signed_in(request, *, scheme):
    """The 401 page, for a file that nobody signed in asks for, nor a token that opens it.

    ``scheme`` is how a program could show that it may: browsers know none of ours, and ask for no password.
    """
    _logged("refused", 401, request, NOBODY)
    response = _page(
        request,
        401,
        "Sign in to have this file",
        "Nobody is signed in here, or what was shown in place of that opens nothing.",
        "Sign in, then ask for it again. A token or a calendar’s address may have been replaced or revoked.",
        sign_in=f"{reverse('login')}?{urlencode({'next': reverse('actions')})}",
    )
    response.headers["WWW-Authenticate"] = f'{scheme} realm="board"'
    return response


def csrf_failure(request, reason=""):
    """The page for a form that was open too long, or was sent from another site."""
    _logged("form refused", 403, request)
    typed = typed_in(request) if is_from_here(request) else []
    return _page(
        request,
        403,
        "This form could not be accepted",
        "You may have signed out, or signed in again, in another tab. Nothing was saved.",
        COPY_IT if typed else "Go back, copy what you typed, reload the page and try again.",
        typed=typed,
        form_again=request.get_full_path() if typed else "",
    )


def signed_out(request):
    """The page for a form whose sender was signed out, with what they typed."""
    _logged("form refused", 403, request)
    typed = typed_in(request)
    return _page(
        request,
        403,
        "You were signed out before you saved this",
        "Nothing was saved. You are signed out after an hour without opening a page or saving a form.",
        COPY_IT if typed else "Sign in, then do it again.",
        typed=typed,
        form_again=f"{reverse('login')}?{urlencode({'next': request.get_full_path()})}",
    )


def not_found(request, exception):
    """The 404 page, and log who asked if it is one that is there."""
    if isinstance(exception, Hidden):
        _logged("refused", 404, request)
    else:
        _logged("not answered", 404, request, NOBODY)
    if request.method == "POST":
        gone = "The page that would take this form is not there, or not for you any more."
        return _refused(request, 404, "Page not found", gone)
    return _page(
        request,
        404,
        "Page not found",
        "If you typed the address, check that it is correct.",
        "If you followed a link at a past date, the page may not have been on the board that day.",
    )


def server_error(request):
    """The 500 page, or the 503 page where the database or the clock does not let it go on."""
    error = sys.exc_info()[1]
    if is_out_of_order(error):
        status, title = 503, "Sorry, the record cannot be reached"
        words = ["Nothing was saved, and nothing is lost. Try again in a few minutes."]
    elif isinstance(error, ClockSetBack):
        status, title, words = 503, "Sorry, nothing can be saved now", [str(error), f"{NOT_SAVED}."]
    else:
        status, title = 500, "Sorry, something went wrong"
        words = ["Nothing was saved. Try again in a few minutes."]
    return _refused(request, status, title, *words, tells_choices=False)
