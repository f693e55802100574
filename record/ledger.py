"""The one way to add to history, and the chain of hashes that shows that nothing in it was changed since.

An entry stands for one row of history: a statement, a paper, a version of an edited row. It holds the digest
of the row's content with a random salt, and its own digest, the SHA-256 of the digest before it and of all
that it says. Anyone with the database can recompute the chain; anyone with a count and digest printed on an
old paper can show that nothing up to it was altered or cut off.
"""

import datetime
import hashlib
import re
import secrets
from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby

from django.apps import apps
from django.db import connection, transaction
from django.utils import timezone
from simple_history.models import HistoricalChanges
from simple_history.utils import get_m2m_reverse_field_name

from record.canonical import canonical

FORMAT = "2"
GENESIS = "0" * 64
BATCH = 2000
# How far a clock may be behind the newest entry: as much as those of two servers may differ, and no more.
CLOCK_MAY_LAG = datetime.timedelta(minutes=1)
# Any fixed number will do: it names the lock under which PostgreSQL writers extend the chain in turn.
LOCK = 2022_11_22


class ClockSetBack(Exception):
    """The clock of the server is so far behind the newest entry that nothing may be added."""


@dataclass(frozen=True)
class Anchor:
    """The length of the chain and its last digest: what a paper prints so that it can be checked later."""

    count: int
    digest: str

    def __str__(self):
        return f"{self.count}:{self.digest}"

    @classmethod
    def read(cls, text):
        """The Anchor that ``text`` prints; raises ValueError where it is none."""
        if not re.fullmatch(r"[0-9]{1,18}:[0-9a-f]{64}", text):
            raise ValueError(
                "An anchor is a count and a digest: 24:9f86d081… with 64 digits after the colon."
            )
        count, digest = text.split(":")
        return cls(int(count), digest)


def content_digest(row, salt, links=(), beside=()):
    """The digest of what ``row``, its ``links`` and the rows ``beside`` it say.

    Without the salt nobody can try out what it was.
    """
    said = [salt, canonical(row, links), *(canonical(other) for other in beside)]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def entry_digest(entry):
    """The digest of all that ``entry`` says, the digest before it included."""
    at = entry.recorded_at.astimezone(datetime.UTC).isoformat(timespec="microseconds")
    parts = (FORMAT, entry.previous, entry.sequence, at, entry.kind, entry.row, entry.content)
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def take_turn():
    """Wait until no other transaction is adding rows, and keep others waiting until this one ends.

    On SQLite the transaction itself already does so, because ours begin IMMEDIATE.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def now_in_turn():
    """The time at which a row is added, once it is this writer's turn: the clock, but never before the last.

    Raises ClockSetBack where the clock is more than a minute behind the newest entry.
    """
    now, last = timezone.now(), newest()
    if last is None or last.recorded_at <= now:
        return now
    if last.recorded_at - now > CLOCK_MAY_LAG:
        raise ClockSetBack(
            "The clock of this server is behind the newest entry of the record by more than a minute. "
            "Nothing can be added until it is put right."
        )
    return last.recorded_at


def append(rows, *, known_from=None):
    """Add unsaved rows of history, in order, with an entry each, or nothing at all; return them.

    A row without a time gets it here, once it is this writer's turn, so that the order of the chain is the
    order of time. ``known_from`` is the moment from which they count as known: the publication of their
    document where a first load adds them, else the time they are added. Raises IntegrityError where the
    database refuses a row, and ClockSetBack.
    """
    rows = list(rows)
    with transaction.atomic():
        take_turn()
        now = None
        for row in rows:
            if getattr(row, row.time_field) is None:
                now = now or now_in_turn()
                setattr(row, row.time_field, now)
            if hasattr(row, "known_from"):
                row.known_from = known_from or getattr(row, row.time_field)
        for model, group in groupby(rows, key=type):
            model.objects.bulk_create(list(group), batch_size=BATCH)
        chain(rows)
    return rows


def chain(rows):
    """Extend the chain with an entry for each saved row of ``rows``, within the writer's turn."""
    links = links_of(rows)
    salts = [new_salt() for _ in rows]
    link(
        (row, salt, content_digest(row, salt, links[type(row), row.pk]))
        for row, salt in zip(rows, salts, strict=True)
    )


def new_salt():
    """Random text that goes into a digest, so that nobody can try out what it was made of."""
    return secrets.token_hex(16)


def link(proofs):
    """Extend the chain with an entry for each of ``proofs``: a saved row, a salt and the digest they give."""
    entry_model, salt_model = (apps.get_model("record", name) for name in ("LedgerEntry", "Salt"))
    last = newest()
    sequence, previous = (last.sequence, last.digest) if last else (0, GENESIS)
    entries, salts = [], []
    for row, salt, content in proofs:
        sequence += 1
        entry = entry_model(
            sequence=sequence,
            recorded_at=getattr(row, row.time_field),
            kind=row._meta.label_lower,
            row=row.pk,
            content=content,
            previous=previous,
        )
        entry.digest = previous = entry_digest(entry)
        entries.append(entry)
        salts.append(salt_model(entry_id=sequence, salt=salt))
    entry_model.objects.bulk_create(entries, batch_size=BATCH)
    salt_model.objects.bulk_create(salts, batch_size=BATCH)


def links_of(rows):
    """{(model, key): [(name of a field, keys it links to), ...]} for those of ``rows`` that are versions."""
    found, keys = defaultdict(list), defaultdict(list)
    for row in rows:
        if isinstance(row, HistoricalChanges):
            keys[type(row)].append(row.pk)
    for model, wanted in keys.items():
        for field in model._history_m2m_fields:
            held = link_table(model, field).objects
            other = get_m2m_reverse_field_name(field)
            pairs = defaultdict(list)
            for start in range(0, len(wanted), BATCH):
                some = held.filter(history__in=wanted[start : start + BATCH]).order_by(f"{other}_id")
                for key, linked in some.values_list("history_id", f"{other}_id"):
                    pairs[key].append(linked)
            for key in wanted:
                found[model, key].append((field.name, pairs[key]))
    return found


def link_table(versions, field):
    """The table of the links that ``versions`` hold in the field ``field`` of their model."""
    tables = (relation.related_model for relation in versions._meta.related_objects)
    return next(table for table in tables if table.instance_type is field.remote_field.through)


def anchor(known=None):
    """The Anchor of the chain as it now stands, or as it stood just before the moment ``known``."""
    return anchor_of(newest(known))


def anchor_of(entry):
    """The Anchor of the chain up to ``entry``, or of an empty one for None."""
    return Anchor(entry.sequence, entry.digest) if entry else Anchor(0, GENESIS)


def newest(known=None):
    """The newest entry, or the newest before the moment ``known``; None where there is none."""
    entries = apps.get_model("record", "LedgerEntry").objects
    if known:
        return entries.filter(recorded_at__lt=known).order_by("-recorded_at", "-sequence").first()
    return entries.order_by("-sequence").first()
