"""The log: one JSON line for each event, with who, from where and what came of it.

No password, session, token or text of the record goes into it. It is written to standard error, for the
host to keep where this application cannot change it.
"""

import datetime
import json
import logging
import time
import traceback
from pathlib import Path

from django.db import DatabaseError
from simple_history.models import HistoricalRecords

logger = logging.getLogger("bcp_board.security")


class JsonLine(logging.Formatter):
    """Format a record as one line of JSON; whatever a visitor sent cannot break it into two."""

    def format(self, record):
        line = {
            "time": datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(),
            **self.said(record),
            **getattr(record, "facts", {}),
        }
        return json.dumps(line, ensure_ascii=True)

    def said(self, record):
        """What happened. Words that are not ours are left out, for they may quote what nobody should read."""
        if record.levelno >= logging.ERROR:
            return fault_of(record)
        if record.name == logger.name:
            return {"event": record.getMessage()}
        return {"event": "warning", "where": [_place_of(record)]}


def fault_of(record):
    """What failed, where in the code and in which request, after how long, and what the database calls it.

    The message of an exception is left out, because a database quotes the row that it refused. The
    milliseconds are of the statement that failed; of the whole request where none did, but a wait for a turn.
    """
    kind, error, trace = record.exc_info or (None, None, None)
    request, cause = getattr(record, "request", None), getattr(error, "__cause__", None)
    began = getattr(request, "began", None)
    places = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(trace)]
    return {
        "event": "fault",
        "outcome": str(getattr(record, "status_code", "")),
        "request": getattr(request, "id", ""),
        "kind": kind.__name__ if kind else "",
        "cause": type(cause).__name__ if cause else "",
        "code": code_of(cause) or code_of(error),
        "ms": getattr(error, "ms", began and ms_since(began)),
        "where": places or [_place_of(record)],
    }


def _place_of(record):
    return f"{record.filename}:{record.lineno} {record.funcName}"


def code_of(error):
    """The SQLSTATE of an error of PostgreSQL, SQLite's name for one of its own, else nothing."""
    return getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", "")


def timed(execute, *statement):
    """Have an error of the database say after how many milliseconds its statement failed."""
    began = time.monotonic()
    try:
        return execute(*statement)
    except DatabaseError as error:
        error.ms = ms_since(began)
        raise


def ms_since(began):
    """The milliseconds since time.monotonic() said ``began``."""
    return round((time.monotonic() - began) * 1000)


def record(event, *, request=None, user=None, outcome="ok", **facts):
    """Write one line: ``event`` in words, its ``outcome``, and ``facts`` of plain type."""
    if request is not None:
        user = user or getattr(request, "user", None)
        facts |= {"address": address_of(request), "request": getattr(request, "id", "")}
    pk = getattr(user, "pk", None)
    logger.info(event, extra={"facts": {"outcome": outcome, "user": pk, **facts}})


def fault(error, request, response):
    """Write the line of an ``error`` in spite of which the ``request`` has its ``response``."""
    logger.error("", exc_info=error, extra={"request": request, "status_code": response.status_code})


def address_of(request):
    """The address that the request came from, as the server saw it; no header is believed."""
    return request.META.get("REMOTE_ADDR", "")


def signed_in(sender, request, user, **kwargs):
    record("sign-in", request=request, user=user)


def signed_out(sender, request, user, **kwargs):
    record("sign-out", request=request, user=user)


def in_hand():
    """The request that this thread is answering, or None in a command."""
    return getattr(HistoricalRecords.context, "request", None)


def admin_changed(sender, instance, created, **kwargs):
    """Log what the admin did to which row; the words of the change stay in the database."""
    kinds = {1: "added", 2: "changed", 3: "deleted"}
    record(
        f"admin {kinds.get(instance.action_flag, 'acted')}",
        request=in_hand(),
        user=instance.user,
        object=f"{instance.content_type.model} {instance.object_id}",
    )


def rights_changed(sender, instance, action, reverse, pk_set, **kwargs):
    """Log which roles and permissions a person, or which permissions a role, had and has now.

    Django tells of it beforehand, while what they had can still be read.
    """
    if action not in ("pre_add", "pre_remove", "pre_clear"):
        return
    holder_model = sender._meta.auto_created
    field = next(f for f in holder_model._meta.many_to_many if f.remote_field.through is sender)
    holders, rights = holder_model.objects.all(), field.related_model.objects.select_related()
    if reverse:  # somebody gave a role its people
        held_by_it = holders.filter(**{field.name: instance})
        holders = held_by_it if pk_set is None else holders.filter(pk__in=pk_set)
        changed = rights.filter(pk=instance.pk)
    else:
        holders = [instance]
        changed = rights.all() if pk_set is None else rights.filter(pk__in=pk_set)
    changed = {_name_of(right) for right in changed}
    for holder in holders:
        was = {_name_of(right) for right in rights.filter(**{field.related_query_name(): holder})}
        now = was | changed if action == "pre_add" else was - changed
        facts = {"field": field.name, "was": sorted(was), "now": sorted(now)}
        about = {"object": f"{holder._meta.model_name} {holder.pk}", "name": _name_of(holder)}
        if was != now:
            record("rights changed", request=in_hand(), **about, **facts)


def _name_of(row):
    """The name of a person or a role, or of a permission as the code asks for it."""
    if hasattr(row, "codename"):
        return f"{row.content_type.app_label}.{row.codename}"
    return row.name if hasattr(row, "permissions") else row.get_username()
