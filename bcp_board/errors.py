"""Error pages in plain English, made from one template and nothing else, so that they always come.

They need no database, session, static file or stylesheet: any of these may be what failed.

Nor do they read the form that was sent, which may be what could not be read; but for two that show it to its
sender, who would lose it. Those are answers of middleware, so that one that cannot be read is a 400 instead.
"""

import re
import sys

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import BadRequest
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve, reverse
from django.utils.http import urlencode
from django.utils.text import capfirst

from meetings.papers import style_source
from recommendations.terms import PAGES
from record import security_log
from record.ledger import ClockSetBack
from record.signing import Refused

# To learn who asked takes the database, which may be what failed, and does not matter here.
NOBODY = AnonymousUser()
COPY_IT = "Copy what you typed, which is below. Then open the form again and enter it."


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
    return response


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
        return _page(
            request,
            400,
            "This form could not be accepted",
            "You may have signed out in another tab, or the record could not be reached. Nothing was saved.",
            "Go back, copy what you typed, reload the page and try again.",
        )
    reason = str(exception) if type(exception) is BadRequest else "The site could not read it."
    return _page(request, 400, "There is a problem with this request", reason)


def forbidden(request, exception):
    """The 403 page, with our own reason where we gave one, and log who asked for what."""
    _logged("refused", 403, request)
    if isinstance(exception, Refused):
        return _page(request, 403, "You cannot do this", str(exception))
    return _page(
        request,
        403,
        "You do not have the right to do this",
        "Your role does not include it. Officers work only on the actions they own.",
        "If you think this is wrong, ask the board’s secretariat.",
    )


def csrf_failure(request, reason=""):
    """The page for a form that was open too long, or was sent from another site."""
    _logged("form refused", 403, request)
    # Words that another site sent are not shown as if they were this one's.
    is_ours = request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"
    typed = typed_in(request) if is_ours else []
    return _page(
        request,
        403,
        "This form could not be accepted",
        "You may have signed out, or signed in again, in another tab. Nothing was saved.",
        COPY_IT if typed else "Go back, copy what you typed, reload the page and try again.",
        typed=typed,
        form_again=request.get_full_path() if typed else "",
    )


def signed_out(request, typed):
    """The page for a form whose sender was signed out, with what ``typed_in`` found in it."""
    _logged("form refused", 403, request)
    return _page(
        request,
        403,
        "You were signed out before you saved this",
        "Nothing was saved. You are signed out after an hour without opening a page or saving a form.",
        COPY_IT,
        typed=typed,
        form_again=f"{reverse('login')}?{urlencode({'next': request.get_full_path()})}",
    )


# What a form sends beside what its sender typed, and whatever may be a secret.
NOT_TYPED = re.compile(
    r"_.*|csrfmiddlewaretoken|opened_on|seen_.*|initial-.*|.*-(TOTAL|INITIAL|MIN_NUM|MAX_NUM)_FORMS|.*-id"
    r"|.*password.*|next|corrects|withdraws|replaces|key_of_.*"
)


def typed_in(request):
    """[(label, text)] of all that somebody wrote or chose in a form, but secrets and what no one typed."""
    if request.path_info.startswith(("/login/", "/logout/", "/password/")):
        return []
    fields, found = _fields_of(request), []
    for name, values in request.POST.lists():
        text, column = "\n".join(values), name.rpartition("-")[2]
        if NOT_TYPED.fullmatch(name) or not text.strip():
            continue
        field = fields.get(column)
        words = dict(getattr(field, "flatchoices", ())).get(text, text)
        label = capfirst(field.verbose_name) if field else column.replace("_", " ").capitalize()
        # The site itself sends along what a form is about, so that it can be told here.
        found.append(("What it is about" if column == "about" else label, str(words)))
    return found


def _fields_of(request):
    """{name: field} of the model whose form the address leads to, if it is one's."""
    try:
        model = resolve(request.path_info).func.model_admin.model
    except (Resolver404, AttributeError):
        return {}
    return {field.name: field for field in model._meta.get_fields() if field.concrete}


def not_found(request, exception):
    """The 404 page, and log who asked if it is one that is there."""
    if isinstance(exception, Hidden):
        _logged("refused", 404, request)
    else:
        _logged("not answered", 404, request, NOBODY)
    return _page(
        request,
        404,
        "Page not found",
        "If you typed the address, check that it is correct.",
        "If you followed a link at a past date, the page may not have been on the board that day.",
    )


def server_error(request):
    """The 500 page, or the 503 page where the database or the clock does not let it go on."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return _page(
            request,
            503,
            "Sorry, the record cannot be reached",
            "Nothing was saved, and nothing is lost. Try again in a few minutes.",
        )
    if isinstance(error := sys.exc_info()[1], ClockSetBack):
        return _page(request, 503, "Sorry, nothing can be saved now", str(error), "Nothing was saved.")
    return _page(
        request, 500, "Sorry, something went wrong", "Nothing was saved. Try again in a few minutes."
    )
