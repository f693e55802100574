"""What every page needs, made ready once before the workers part: its questions in SQL, and its templates.

Else each worker would do it for itself, all at the same time, while the first readers wait.
"""

import copy
import time
from contextlib import contextmanager, suppress

from django.contrib.auth.models import User
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections
from django.http import Http404, HttpRequest
from django.urls import resolve, reverse
from django.utils import timezone

from recommendations.models import Action, Recommendation
from record.as_at import AsAt
from record.kept import shelf
from record.models import Meeting

# After which no other page is begun: a start is not to take long because there are many actions.
SECONDS = 0.75


def warm_up():
    """Render every kind of page once, for nobody; nothing of it where the database cannot be read."""
    began = time.monotonic()
    with suppress(DatabaseError, InterfaceError), connection_alone():
        at = an_early_day()
        for address in addresses():
            if time.monotonic() - began > SECONDS:
                break
            with suppress(Http404):
                render(address, at)
    shelf.clear()


def an_early_day():
    """The AsAt of the second meeting that was held, or of today before there is one.

    What a page asks is the same on every day that has a meeting behind it, and few rows answer so early, so
    that it takes no longer where there are many actions.
    """
    today = timezone.localdate()
    for meeting in Meeting.objects.held_by(today).order_by("held_on")[1:2]:
        return AsAt(today, meeting.held_on, known=None)
    return AsAt.now(today)


def addresses():
    """An address of each kind of page that is quicker the second time, the most read first.

    That of all meetings is not, and that of one meeting takes longest.
    """
    yield from (reverse(name) for name in ("home", "actions"))
    for rows in (Action.objects.order_by("ref"), Recommendation.objects.all()):
        if row := rows.first():
            yield row.get_absolute_url()
    yield from (reverse(name) for name in ("status", "visits", "trends", "proof"))
    if held := Meeting.objects.held_by(timezone.localdate()).last():
        yield held.get_absolute_url()


def render(address, at):
    request = HttpRequest()
    request.method, request.path, request.path_info = "GET", address, address
    request.META["QUERY_STRING"] = ""
    request.user, request.as_at = User(), at
    request.resolver_match = match = resolve(address)
    match.func(request, *match.args, **match.kwargs)


@contextmanager
def connection_alone():
    """Ask the database over one connection, of no pool, which is not waited for, and closed at the end."""
    before, alone = connections[DEFAULT_DB_ALIAS], connections.create_connection(DEFAULT_DB_ALIAS)
    alone.settings_dict = copy.deepcopy({**before.settings_dict, "OPTIONS": {}})
    alone.settings_dict["OPTIONS"] = {k: v for k, v in before.settings_dict["OPTIONS"].items() if k != "pool"}
    connections[DEFAULT_DB_ALIAS] = alone
    try:
        yield
    finally:
        alone.close()
        connections[DEFAULT_DB_ALIAS] = before
