"""What those who watch over the site ask it: whether it lives, whether it can serve, how it fares.

Only the addresses in MONITOR_ADDRESSES are told; to anybody else these pages are not there.
"""

import secrets
import sqlite3
from contextlib import closing, contextmanager
from functools import wraps
from ipaddress import ip_address
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.sessions.models import Session
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, transaction
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from bcp_board import metrics
from bcp_board.errors import NOBODY, Hidden
from record import ledger, security_log, triggers

# With these a proxy says that it passes on what a visitor asked. Then the address is the proxy's own, which
# may be a monitor's as well.
PASSED_ON = ("Forwarded", "Via", "X-Forwarded-For", "X-Real-IP")
NOT_READ = "Not checked, because the database does not answer."


def is_monitor(request):
    """Whether ``request`` comes from an address in MONITOR_ADDRESSES, and straight from there."""
    if any(name in request.headers for name in PASSED_ON):
        return False
    try:
        address = ip_address(security_log.address_of(request))
    except ValueError:  # a Unix socket has none
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in settings.MONITOR_ADDRESSES)


def for_monitors(view):
    """Let only a monitor read ``view``."""

    @login_not_required
    @wraps(view)
    def guarded(request):
        if not is_monitor(request):
            raise Hidden
        return require_safe(view)(request)

    return guarded


@for_monitors
def healthz(request):
    """Answer that the process lives, whatever else may have failed."""
    return HttpResponse("ok\n", content_type="text/plain")


@for_monitors
def readyz(request):
    """Say of each thing that serving takes whether it is there: 200 if all are, else 503."""
    found = {"database": _said(database)}
    is_read = found["database"] == "ok"
    found |= {name: _said(check) if is_read else NOT_READ for name, check in OF_THE_DATABASE.items()}
    found["static files"] = _said(static_files)
    failed = [name for name, said in found.items() if said != "ok"]
    if failed:
        security_log.record("not ready", request=request, user=NOBODY, outcome="503", checks=failed)
    answer = {"ready": not failed, "version": settings.VERSION, "checks": found}
    return JsonResponse(answer, status=503 if failed else 200, json_dumps_params={"indent": 2})


@for_monitors
def counted(request):
    """What was counted and how old the proofs are, for Prometheus, if the settings ask for it."""
    if not (settings.METRICS_FOLDER and settings.METRICS_FOLDER.is_dir()):
        raise Hidden
    return HttpResponse(metrics.page(now=timezone.now()), content_type=metrics.CONTENT_TYPE)


def _said(check):
    """ "ok", or the sentence in which ``check`` says what is wrong."""
    try:
        return check() or "ok"
    except (DatabaseError, sqlite3.Error):
        # Without what it says, which may name the server or quote a row.
        return "The database does not answer, or is not the record's."


def database():
    """Raise unless the database answers and holds the record's tables."""
    asked = "SELECT 1 FROM django_migrations LIMIT 1"
    if connection.vendor == "sqlite":
        # Anew, because a file that was taken away goes on answering whoever still has it open.
        file = Path(connection.settings_dict["NAME"]).absolute().as_uri()
        with closing(sqlite3.connect(f"{file}?mode=ro", uri=True)) as anew:
            anew.execute(asked)
    with connection.cursor() as cursor:
        cursor.execute(asked)


def history_is_guarded():
    """What is wrong with the triggers that keep the history append-only, if anything is."""
    errors = triggers.check_installed(None, [DEFAULT_DB_ALIAS])
    return f"{errors[0].msg} {errors[0].hint}" if errors else None


def room_to_write():
    """Why nothing can be saved, if nothing can: as much as a long text is written, and taken back."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            with _at_once(cursor):
                Session.objects.create(
                    # Of random letters, which no database makes shorter.
                    session_key=secrets.token_hex(16),
                    session_data=secrets.token_hex(16_000),
                    expire_date=timezone.now(),
                )
            transaction.set_rollback(True)
    except DatabaseError:
        return "Nothing can be saved. The disk may be full, or the database may not be written to."
    return None


@contextmanager
def _at_once(cursor):
    """Have SQLite write to its file what the block writes, which it would keep in memory until the end."""
    if connection.vendor != "sqlite":
        yield
        return
    (pages,) = cursor.execute("PRAGMA cache_size").fetchone()
    cursor.execute("PRAGMA cache_size = 1")
    try:
        yield
    finally:
        cursor.execute(f"PRAGMA cache_size = {pages}")


def clock():
    """That the clock is behind the record, if it is."""
    try:
        ledger.now_in_turn()
    except ledger.ClockSetBack as behind:
        return str(behind)
    return None


def static_files():
    """That the stylesheet cannot be found, if it cannot."""
    # Another storage serves files from their folders, and needs none built.
    if isinstance(staticfiles_storage, ManifestFilesMixin) and not (
        staticfiles_storage.hashed_files and staticfiles_storage.read_manifest()
    ):
        return "The static files are not built. Run 'manage.py collectstatic', then start the site again."
    return None


OF_THE_DATABASE = {"triggers": history_is_guarded, "room to write": room_to_write, "clock": clock}
