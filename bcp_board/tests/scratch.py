"""Databases for tests that start from nothing, need several connections or lose their database.

Each is of the kind the tests are on: a SQLite file, or a database on the same PostgreSQL server.

    with new_database() as connection:
        ...  # it is the default database, for every thread, until the block ends
"""

import datetime
import hashlib
import os
import sqlite3
from contextlib import closing, contextmanager
from uuid import uuid4

from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import AutoField, Max
from django.utils import timezone

from bcp_board.models import Mail, Why
from meetings.models import Paper
from meetings.tests.factories import make_late_note, make_outcome
from recommendations.models import Risk
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_decision,
    make_due_date,
    make_measure_value,
    make_recommendation,
    make_send_back,
    make_update,
)
from record import erasure, ledger
from record.models import Demonstration
from record.signing import signature
from record.tests.factories import make_meeting, make_user, saved
from visits.models import Event, Finding
from visits.tests.factories import make_judgement, make_visit


def tables_whose_next_key_is_taken():
    """The tables whose database would give their next row a key that one of them may have."""
    connection, taken = connections[DEFAULT_DB_ALIAS], []
    models = [m for m in apps.get_models(include_auto_created=True) if isinstance(m._meta.pk, AutoField)]
    with connection.cursor() as cursor:
        for model in models:
            table, column = model._meta.db_table, model._meta.pk.column
            if connection.vendor == "postgresql":
                cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, %s))", [f'"{table}"', column])
            else:
                cursor.execute(
                    "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = %s", [table]
                )
            (following,) = cursor.fetchone()
            if following <= (model._base_manager.aggregate(newest=Max("pk"))["newest"] or 0):
                taken.append(table)
    assert len(models) > 30
    return taken


class Scratch:
    def __init__(self, folder, *, template=None):
        self.name = f"scratch_{uuid4().hex}"
        self.default = connections[DEFAULT_DB_ALIAS]
        self.is_file = self.default.vendor == "sqlite"
        if self.is_file:
            self.name = str(folder / f"{self.name}.sqlite3")
            if template:
                with closing(sqlite3.connect(template.name)) as source:
                    source.execute("VACUUM INTO ?", [self.name])
                with closing(sqlite3.connect(self.name)) as copy:
                    copy.execute("PRAGMA journal_mode=WAL")  # which VACUUM INTO does not copy
        else:
            copied = f" TEMPLATE {template.name}" if template else ""
            self._on_server(f"CREATE DATABASE {self.name}{copied}")

    def __enter__(self):
        settings = connections.settings[DEFAULT_DB_ALIAS]
        self.outer, self.outer_name = connections[DEFAULT_DB_ALIAS], settings["NAME"]
        settings["NAME"] = self.name
        connections[DEFAULT_DB_ALIAS] = connections.create_connection(DEFAULT_DB_ALIAS)
        ContentType.objects.clear_cache()  # the keys of another database's rows
        return connections[DEFAULT_DB_ALIAS]

    def __exit__(self, *_):
        connections[DEFAULT_DB_ALIAS].close()
        connections.settings[DEFAULT_DB_ALIAS]["NAME"] = self.outer_name
        connections[DEFAULT_DB_ALIAS] = self.outer
        ContentType.objects.clear_cache()

    @property
    def url(self):
        """The DATABASE_URL by which another process opens it."""
        if self.is_file:
            return f"sqlite:///{self.name}"
        return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{self.name}"

    @contextmanager
    def away(self):
        """Inside the block, nobody can reach it on its server, and whoever was connected no longer is."""
        self._on_server(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS false")
        self._on_server(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'"
        )
        try:
            yield
        finally:
            self._on_server(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS true")
            connections[DEFAULT_DB_ALIAS].close()

    def connections(self):
        """How many there are to it on its server."""
        with self.default._nodb_cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [self.name])
            return cursor.fetchone()[0]

    def drop(self):
        """Take it off the server; a file goes with its folder."""
        if not self.is_file:
            self._on_server(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def _on_server(self, statement):
        with self.default._nodb_cursor() as cursor:
            cursor.execute(statement)


def fill_with_what_is_edited(officer, action):
    """Add a row of each kind that no statement is about."""
    visit = make_visit(kind="full", number=1)
    make_judgement(visit)
    source = {"document": visit.document, "reference": "p1"}
    with saved():
        Finding.objects.create(
            ref="F01", visit=visit, kind="concern", attribution="ofsted", text="It", **source
        )
        Event.objects.create(ref="E01", date="2022-03", text="It", **source)
        Risk.objects.create(ref="R01", text="It", **source).recommendations.add(*action.recommendations.all())
    make_measure_value(by=officer)
    make_send_back(make_update(action, "done", by=officer), by=officer)


def fill():
    """Add rows to every table that holds the record, with what is hard to keep: quotes, breaks, bytes."""
    officer = make_user("Officers", last_login=timezone.now())
    action = make_action(owner=officer)
    action.title = "Title since changed, with ‘quotes’, £ and \u2028 in it"
    with saved(reason="The title was too short"):
        action.save()
    LogEntry.objects.log_actions(officer.pk, [action], CHANGE, "Changed Title", single_object=True)
    Mail.objects.create(account=officer, why=Why.LATE, about="record.meeting 1", asked_at=timezone.now())
    first = make_update(action, by=officer, narrative="Line one\nline two: “ok” \U0001f600")
    make_update(action, by=officer, dated="2022-11?", corrects=first, correction_reason="Wrong day")
    make_decision(make_due_date(action, by=officer, needs_decision=True), by=officer)
    make_assessment(make_recommendation(2))
    fill_with_what_is_edited(officer, action)
    meeting = make_meeting(held_on=datetime.date(2022, 12, 1), asks=["Decide the dates"])
    make_outcome(meeting.asks.get(), by=officer)
    make_late_note(action.due_dates.first(), meeting, by=officer)
    text = Risk.history.get()
    erasure.erase(
        [erasure.Place(type(text), text.pk, "text", text.text)],
        reason="A name, UK GDPR article 17",
        approved_by="Mary Example (Monitoring officer)",
    )
    body = bytes(range(256))
    paper = Paper(
        meeting=meeting,
        version=1,
        as_at=meeting.held_on,
        published_at=timezone.now(),
        published_by=officer,
        signed=signature(officer),
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
    )
    ledger.append([paper, Demonstration(made_at=timezone.now(), as_at=meeting.held_on)])
