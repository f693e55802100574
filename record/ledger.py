"""The one way to add append-only rows, and the chain of hashes that shows none was changed since.

Each entry's digest is the SHA-256 of the digest before it and of its row's canonical content. Anyone with
the database can recompute the chain; anyone with a count and digest printed on an old paper can show that
nothing up to it was altered or cut off.
"""

import datetime
import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DataError, OperationalError, connection, models, transaction
from django.utils import timezone

from record.triggers import append_only_models

FORMAT = "1"
GENESIS = "0" * 64
BATCH = 2000
# Raised for what an owner of the database wrote into a column, which the site never would have: on SQLite
# anything at all, on PostgreSQL a day without end.
ODD = (ValueError, TypeError, AttributeError, OverflowError, DataError)
UNREADABLE = object()
# Any fixed number will do: it names the lock under which PostgreSQL writers extend the chain in turn.
LOCK = 2022_11_22


@dataclass(frozen=True)
class Anchor:
    """The length of the chain and its last digest: what a paper prints so that it can be checked later."""

    count: int
    digest: str

    def __str__(self):
        return f"{self.count}:{self.digest}"

    @classmethod
    def read(cls, text):
        """Return the Anchor that ``text`` prints; raise ValueError where it is none."""
        if not re.fullmatch(r"[0-9]{1,18}:[0-9a-f]{64}", text):
            raise ValueError(
                "An anchor is a count and a digest: 24:9f86d081… with 64 digits after the colon."
            )
        count, digest = text.split(":")
        return cls(int(count), digest)


def canonical(row):
    """Return the content of ``row`` as text that is the same on every database.

    Empty values are left out, so that a column added later, empty on old rows, keeps their digests.
    """
    content = {}
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        with suppress(ValidationError):  # what an owner wrote into a column of SQLite may be anything
            value = field.to_python(value)
        if isinstance(field, models.DateTimeField) and value is not None:
            value = value.astimezone(datetime.UTC).isoformat(timespec="microseconds")
        elif isinstance(field, models.DateField) and value is not None:
            value = value.isoformat()
        elif isinstance(field, models.BinaryField):
            value = hashlib.sha256(bytes(value)).hexdigest()
        if not (value is None or value is False or value == ""):
            content[field.attname] = value
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def digest_of(previous, sequence, row):
    """Return the digest of the entry that places ``row`` at ``sequence`` after ``previous``."""
    parts = (FORMAT, previous, str(sequence), row._meta.label_lower, canonical(row))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def take_turn():
    """Wait until no other transaction is adding rows, and keep others waiting until this one ends.

    On SQLite the transaction itself already does so, because ours begin IMMEDIATE.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def append(rows):
    """Add unsaved append-only ``rows``, in order, with an entry each, or nothing at all; return them.

    A row without ``recorded_at`` gets it here, once it is this writer's turn, so that the order of the
    chain is the order of time. Raises IntegrityError where the database refuses a row.
    """
    rows = list(rows)
    with transaction.atomic():
        take_turn()
        now = timezone.now()
        for row in rows:
            if getattr(row, "recorded_at", now) is None:
                row.recorded_at = now
        for model, group in groupby(rows, key=type):
            model.objects.bulk_create(list(group), batch_size=BATCH)
        chain(rows, apps.get_model("record", "LedgerEntry"))
    return rows


def chain(rows, entry_model):
    """Extend the chain with an entry for each saved row of ``rows``; migrations pass their own model."""
    last = entry_model.objects.order_by("-sequence").first()
    sequence, previous = (last.sequence, last.digest) if last else (0, GENESIS)
    entries = []
    for row in rows:
        sequence += 1
        digest = digest_of(previous, sequence, row)
        entries.append(
            entry_model(
                sequence=sequence,
                kind=row._meta.label_lower,
                row=row.pk,
                previous=previous,
                digest=digest,
            )
        )
        previous = digest
    entry_model.objects.bulk_create(entries, batch_size=BATCH)


def anchor():
    """Return the Anchor of the chain as it now stands."""
    last = apps.get_model("record", "LedgerEntry").objects.order_by("-sequence").first()
    return Anchor(last.sequence, last.digest) if last else Anchor(0, GENESIS)


def chained_models():
    """Return the append-only models whose rows the chain covers: all but the chain's own."""
    return [m for m in append_only_models() if m._meta.label_lower != "record.ledgerentry"]


def first_fault(*, expected=None):
    """Return a sentence on the first thing wrong with the chain, or None if it holds.

    With ``expected``, an Anchor from an old paper, the chain must also have had that digest at that count.
    """
    if expected and expected.count == 0 and expected.digest != GENESIS:
        return "Before its first entry the chain does not have the digest that the paper printed."
    position, previous, seen_expected = 0, GENESIS, expected is None or expected.count == 0
    while True:
        try:
            batch = _entries_after(position)
        except (*ODD, OperationalError):
            return f"Entry {position + 1} of the chain cannot be read."
        if not batch:
            break
        rows = _rows_of(batch)
        for entry in batch:
            position += 1
            name = f"{entry.kind} {entry.row}"
            row = rows.get((entry.kind, entry.row))
            if entry.sequence != position:
                return f"Entry {position} of the chain is missing; the next is {entry.sequence}."
            if entry.previous != previous:
                return f"Entry {position} ({name}) does not follow the entry before it."
            if row is None:
                return f"Entry {position} names a row that is gone: {name}."
            if row is UNREADABLE or not _matches(entry, row):
                return f"Entry {position} does not match its row, which was changed: {name}."
            previous = entry.digest
            if expected and position == expected.count:
                if entry.digest != expected.digest:
                    return f"Entry {position} does not have the digest that the paper printed."
                seen_expected = True
    if not seen_expected:
        return f"The chain has {position} entries, fewer than the {expected.count} the paper printed."
    return _row_without_entry()


def _entries_after(position):
    """Return the next entries of the chain, after as many as ``position``; [] at its end.

    Raises one of ODD or OperationalError where the very next one cannot be read.
    """
    entries = apps.get_model("record", "LedgerEntry").objects.order_by("sequence")
    try:
        return list(entries[position : position + BATCH])
    except (*ODD, OperationalError):
        return list(entries[position : position + 1])


def _matches(entry, row):
    try:
        return digest_of(entry.previous, entry.sequence, row) == entry.digest
    except ODD:
        return False


def _rows_of(entries):
    """Return {(kind, key): row}, with UNREADABLE for one that holds what the site would not have written."""
    wanted = {}
    for entry in entries:
        wanted.setdefault(entry.kind, []).append(entry.row)
    labels = {model._meta.label_lower: model for model in chained_models()}
    found = {}
    for kind in wanted.keys() & labels.keys():
        # In no order: one that follows a link would lose the rows whose link was broken.
        rows = labels[kind]._default_manager.order_by()
        read = _read(rows, wanted[kind])
        if connection.vendor == "sqlite":
            read |= dict.fromkeys(_stored_otherwise(labels[kind], read), UNREADABLE)
        found |= {(kind, key): row for key, row in read.items()}
    return found


def _read(rows, keys):
    """Return {key: row} of those of ``rows`` that are there, with UNREADABLE for one that cannot be read."""
    try:
        return {row.pk: row for row in rows.filter(pk__in=keys)}
    except (*ODD, OperationalError):
        if len(keys) == 1:
            return {keys[0]: UNREADABLE}
    return {key: row for each in keys for key, row in _read(rows, [each]).items()}


def _stored_otherwise(model, read):
    """Yield the keys of the rows that SQLite holds in another form than the site would have written.

    A date written as a number reads as the same date, but is sorted and compared as something else.
    """
    rows = {key: row for key, row in read.items() if row is not UNREADABLE}
    fields, key = model._meta.concrete_fields, model._meta.pk.column
    held = ", ".join(f'typeof("{field.column}"), hex("{field.column}")' for field in fields)
    marks = ", ".join(["%s"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT "{key}", {held} FROM "{model._meta.db_table}" WHERE "{key}" IN ({marks})', [*rows]
        )
        for pk, *found in cursor.fetchall():
            try:
                expected = [part for field in fields for part in _as_stored(field, rows[pk])]
            except ODD:
                expected = None
            if found != expected:
                yield pk


def _as_stored(field, row):
    """Return what SQLite's typeof() and hex() say of the value of ``field`` where the site wrote it."""
    value = field.get_db_prep_value(getattr(row, field.attname), connection)
    if value is None:
        return "null", ""
    if isinstance(value, int):
        return "integer", str(int(value)).encode().hex().upper()
    if isinstance(value, str):
        return "text", value.encode().hex().upper()
    return "blob", bytes(value).hex().upper()


def _row_without_entry():
    entries = apps.get_model("record", "LedgerEntry").objects
    for model in chained_models():
        label = model._meta.label_lower
        chained = entries.filter(kind=label, row=models.OuterRef("pk"))
        loose = model._default_manager.filter(~models.Exists(chained)).order_by("pk").first()
        if loose:
            return f"{label} {loose.pk} has no entry in the chain."
    return None
