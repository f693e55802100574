"""What every request passes through: its time, security headers, malformed input, the day it asks about."""

import re
import secrets
import time
from contextlib import suppress
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import BadRequest
from django.core.signals import request_started
from django.db import DatabaseError, connection, transaction
from django.dispatch import receiver
from django.http import HttpResponseRedirect, UnreadablePostError
from django.urls import resolve, reverse
from django.utils import timezone

from bcp_board import errors, metrics
from bcp_board.impatience import wait_for_others_saves
from record import security_log
from record.as_at import AsAt, read_as_at

# What browsers let a page ask for beside being shown, of which the site needs nothing. Only names that
# Chromium knows, because it warns on its console of each that it does not.
FEATURES = (
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "clipboard-read",
    "clipboard-write",
    "compute-pressure",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "otp-credentials",
    "payment",
    "picture-in-picture",
    "publickey-credentials-create",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "storage-access",
    "usb",
    "window-management",
    "xr-spatial-tracking",
)
PIECE = 64 * 1024


@receiver(request_started)
def read_everything_as_utf_8(sender, environ, **kwargs):
    """Leave of the kind of form that a visitor names no parameter but the boundary between its fields.

    Django takes a character set from it for the form and the address alike, and finds out whether it can
    be used as it makes the request: before any middleware, whose headers and error pages come too late.
    """
    kind, _, parameters = environ.get("CONTENT_TYPE", "").partition(";")
    boundary = re.search(r"""\bboundary="?([A-Za-z0-9'()+_,./:=?-]+)""", parameters, re.IGNORECASE)
    is_multipart = kind.strip().lower() == "multipart/form-data"
    environ["CONTENT_TYPE"] = f'{kind}; boundary="{boundary[1]}"' if is_multipart and boundary else kind


def identify_requests(get_response):
    """Give each request an identifier that its log lines and its error page carry, and time what it does."""

    def middleware(request):
        request.id, request.began = secrets.token_hex(8), time.monotonic()
        with connection.execute_wrapper(security_log.timed):
            response = get_response(request)
        response.headers["X-Request-ID"] = request.id
        return response

    return middleware


def answer_heads(get_response):
    """Send no body where none was asked for: gunicorn drops it, and warns each time that it did."""

    def middleware(request):
        response = get_response(request)
        if not response.streaming and response.content:
            response.headers.setdefault("Content-Length", str(len(response.content)))
        if request.method == "HEAD" and response.streaming:
            response.streaming_content = []
        elif request.method == "HEAD":
            response.content = b""
        return response

    return middleware


def time_requests(get_response):
    """Count each request, and log one that took long."""

    def middleware(request):
        response = get_response(request)
        seconds = time.monotonic() - request.began
        # By its name in the program: an address may hold what nobody should read, such as a one-time link.
        view = request.resolver_match.view_name if request.resolver_match else "none"
        if settings.METRICS_FOLDER:
            metrics.count(view, status=response.status_code, seconds=seconds)
        if seconds >= settings.SLOW_REQUEST_SECONDS:
            security_log.record(
                "slow request",
                request=request,
                user=errors.NOBODY,
                outcome=str(response.status_code),
                view=view,
                seconds=round(seconds, 3),
            )
        return response

    return middleware


def security_headers(get_response):
    """Add to every response the headers that Django 5.2 does not: CSP, permissions, caching, robots.

    The last three Django adds as well, but not where its own middleware refuses a strange host.
    """
    permissions = ", ".join(f"{feature}=()" for feature in FEATURES)

    def middleware(request):
        response = get_response(request)
        policy = {**settings.SECURE_CSP, **getattr(response, "csp", {})}
        response.headers["Content-Security-Policy"] = "; ".join(
            f"{directive} {' '.join(sources)}" for directive, sources in policy.items()
        )
        response.headers["Permissions-Policy"] = permissions
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = settings.SECURE_REFERRER_POLICY
        response.headers["Cross-Origin-Opener-Policy"] = settings.SECURE_CROSS_ORIGIN_OPENER_POLICY
        return response

    return middleware


def answer_monitors(get_response):
    """Answer those who watch over the site before it matters by which name or scheme they ask.

    Nor is there a session or an account to look up: what it would be read from may be what failed.
    """

    def middleware(request):
        if request.method in ("GET", "HEAD") and request.path_info[1:] in settings.MONITORED:
            request.resolver_match = resolve(request.path_info)
            return request.resolver_match.func(request)
        return get_response(request)

    return middleware


def refuse_odd_requests(get_response):
    """Refuse strange hosts, methods that no page has, bodies that no form sends, and NULs outside the body.

    PostgreSQL cannot hold a NUL; in the body, Django's form fields refuse it.
    """

    def middleware(request):
        request.get_host()  # raises DisallowedHost
        if request.method not in ("GET", "HEAD", "POST"):
            return errors.method_refused(request)
        length = request.headers.get("content-length") or "0"
        if length.isdecimal() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            # A browser shows no answer to a form that it could not send to its end, if it is not endless.
            with suppress(UnreadablePostError):
                for _ in range(300):
                    if not request.read(PIECE):
                        break
            return errors.too_large(request)
        query = unquote_to_bytes(request.META.get("QUERY_STRING", ""))
        cookies = "".join(request.COOKIES.values())
        if "\0" in request.path_info or b"\0" in query or "\0" in cookies:
            raise BadRequest("The address or a cookie holds a character that cannot be used.")
        return get_response(request)

    return middleware


def save_whole_or_not(get_response):
    """Save all that a form changes, and what its answer leaves in the session, together or not at all.

    An answer that is an error saves nothing, so its page may say so.
    """

    def middleware(request):
        if request.method != "POST":
            return get_response(request)
        with suppress(UnreadablePostError):
            # Whoever sends it slowly must not hold a connection meanwhile, nor SQLite's only write lock.
            request.body  # noqa: B018 (reading it is what is wanted)
        # Tries to sign in are counted as they come, and hashing a password would hold up every writer.
        if request.path_info == "/login/":
            return get_response(request)
        with transaction.atomic():
            wait_for_others_saves()
            response = get_response(request)
            if response.status_code >= 400:
                transaction.set_rollback(True)
        return response

    return middleware


class ReadableSessions(SessionMiddleware):
    """Sessions that let people read while nothing can be written, on a full disk for one."""

    def process_response(self, request, response):
        try:
            return super().process_response(request, response)
        except (DatabaseError, SessionInterrupted) as error:
            if request.method == "POST":
                raise
            while not isinstance(error, DatabaseError):  # Django raises another one in its place
                error = error.__context__
            if type(error) is not DatabaseError:  # as the session of whoever signed out meanwhile
                security_log.fault(error, request, response)
            return response


def save_session(request, response):
    """Save the session of whoever has just signed in now, in the caller's transaction, and not after it."""
    begin_session(request)
    ReadableSessions(lambda request: response).process_response(request, response)
    request.session.modified = False


def begin_session(request):
    """Note when the session began and was last used, from which it ends some day."""
    request.session["began"] = request.session["seen"] = int(timezone.now().timestamp())


class SignInFirst(LoginRequiredMiddleware):
    """Lead to the sign-in page whoever asks for more than a few pages; no form they sent is lost by it."""

    def handle_no_permission(self, request, view_func):
        if (request.POST or request.FILES) and request.path_info != reverse("logout"):
            return errors.signed_out(request)
        return super().handle_no_permission(request, view_func)


def end_old_sessions(get_response):
    """End a session that has been idle for an hour, or is 12 hours old, whatever its cookie says."""

    def middleware(request):
        if request.user.is_authenticated:
            now = int(timezone.now().timestamp())
            began = request.session.setdefault("began", now)
            seen = request.session.setdefault("seen", now)
            is_idle = now - seen > settings.SESSION_IDLE_SECONDS
            if is_idle or now - began > settings.SESSION_COOKIE_AGE:
                logout(request)
            elif now - seen > 60:
                # Once a minute is exact enough, and spares a write on every page.
                request.session["seen"] = now
        response = get_response(request)
        if request.user.is_authenticated and "began" not in request.session:
            # They have just signed in, and may leave the computer before asking for another page.
            begin_session(request)
        return response

    return middleware


def as_at(get_response):
    """Read the wall clock once, in London, and put the day asked about on ``request.as_at``.

    A day that somebody typed in another form leads to the address that everybody has for it.
    """

    def middleware(request):
        today = timezone.localdate()
        is_board = not request.path_info.startswith("/admin/")
        request.as_at = read_as_at(request.GET, today=today) if is_board else AsAt.now(today)
        day = request.as_at.day.isoformat()
        if is_board and request.method != "POST" and request.GET.get("as_at", day) != day:
            asked = request.GET.copy()
            asked["as_at"] = day
            return HttpResponseRedirect(f"{request.path}?{asked.urlencode()}")
        return get_response(request)

    return middleware
