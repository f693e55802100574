"""Whether history holds: every row as its entry says, every edited row as its newest version says.

Nothing here ends in a traceback, whatever an owner of the database wrote into it: what cannot be read is
named.
"""

import datetime
from collections import defaultdict
from typing import NamedTuple

from django.apps import apps
from django.conf import settings
from django.db import OperationalError, connection
from django.db.models import Exists, F, ForeignKey, Max, OuterRef
from simple_history.models import HistoricalChanges
from simple_history.utils import get_m2m_field_name, get_m2m_reverse_field_name

from record.canonical import ODD, first_with_no_number, stored_otherwise, unless_away
from record.ledger import BATCH, GENESIS, Anchor, content_digest, entry_digest, link_table, links_of
from record.models import Erasure, LedgerEntry, Salt
from record.progress import progress
from record.triggers import chained_models, guarded_models

UNREADABLE = object()
_ERASURE = "record.erasure"


class Proof(NamedTuple):
    """What a row is compared with: see ``_proof``."""

    salt: str | None
    digest: str | None
    beside: list
    is_stale: bool


def first_fault(*, expected=None):
    """A sentence on the first thing wrong with history, or None if it holds.

    With ``expected``, an Anchor from an old paper, the chain must also have had that digest at that count.
    """
    if fault := _missing_table() or _odd_link():
        return fault
    erasures = _erasures()
    with progress("Checking the history", "entries", of=LedgerEntry.objects.count()) as done:
        checks = (
            lambda: _erasure_fault(erasures),
            lambda: _chain_fault(expected, erasures, done),
            _row_without_entry,
            _misplaced_link,
            _changed_row,
            _broken_link,
        )
        return next((fault for check in checks if (fault := check())), None)


def note_that_it_held(anchor, *, at):
    """Keep that the history up to ``anchor`` was found to hold at the moment ``at``; raises OSError."""
    file = _noted_in()
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.write_text(f"{at.isoformat()} {anchor}")


def last_held_at():
    """The moment at which this history was last noted to hold, or None; that of another database is not."""
    try:
        moment, anchor = _noted_in().read_text().split()
        moment, anchor = datetime.datetime.fromisoformat(moment), Anchor.read(anchor)
    except (OSError, ValueError):
        return None
    is_ours = LedgerEntry.objects.filter(sequence=anchor.count, digest=anchor.digest).exists()
    return moment if is_ours else None


def _noted_in():
    return settings.VAR_DIR / "history_held_at"


def _missing_table():
    """The first table of the record that is not there, and all of its rows with it."""
    there = connection.introspection.table_names()
    tables = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
    gone = sorted(set(tables).difference(there))
    return f"The table {gone[0]} is not there." if gone else None


def _linking_fields():
    """(model of the versions, field) for each field by which edited rows are linked to others."""
    for versions in _kinds_of_version():
        for field in versions._history_m2m_fields:
            yield versions, field


def _kinds_of_version():
    return [model for model in chained_models() if issubclass(model, HistoricalChanges)]


def _odd_link():
    """The first link, of a row or of a version of one, that holds what is no number, as SQLite may."""
    if connection.vendor != "sqlite":
        return None
    for versions, field in _linking_fields():
        for table in (field.remote_field.through, link_table(versions, field)):
            if key := first_with_no_number(table):
                return f"{table._meta.label_lower} {key} was changed: it links what has no number."
    return None


def _misplaced_link():
    """The first link of a version that is said to be of another row than the version is of."""
    for versions, field in _linking_fields():
        of_its_row = {f"{get_m2m_field_name(field)}_id": F("history__id")}
        links = link_table(versions, field).objects.exclude(**of_its_row).order_by("pk")
        if key := links.values_list("history_id", flat=True).first():
            return f"{versions._meta.label_lower} {key} has a link that is of another row."
    return None


def _erasures():
    """{(kind, key) of a row: its Erasures, the newest last}, of those that can be read."""
    found = defaultdict(list)
    try:
        keys = list(LedgerEntry.objects.filter(kind=_ERASURE).values_list("row", flat=True))
    except OperationalError as error:
        unless_away(error)
        return {}  # the check of the chain names the entry, or the row that it tells of
    for start in range(0, len(keys), BATCH):
        for row in _as_stored(Erasure, keys[start : start + BATCH]).values():
            if row is not UNREADABLE:
                found[row.kind, row.row].append(row)
    return {key: sorted(rows, key=lambda row: row.pk) for key, rows in found.items()}


def _erasure_fault(erasures):
    """The first erasure that is not as its entry says, looked for before the rows that rest on it."""
    try:
        entries = {entry.row: entry for entry in LedgerEntry.objects.filter(kind=_ERASURE)}
    except (*ODD, OperationalError) as error:
        unless_away(error)
        return None  # the check of the chain names it
    salts = _salts(entries.values())
    for rows in erasures.values():
        newest, entry = rows[-1], entries[rows[-1].pk]
        try:
            if content_digest(newest, salts.get(entry.pk), beside=rows[:-1]) == entry.content:
                continue
        except ODD:  # it has lost its salt, or holds what cannot be said
            pass
        return f"Entry {entry.sequence} does not match its row, which was changed: {_ERASURE} {newest.pk}."
    return None


def _chain_fault(expected, erasures, done):
    if expected and expected.count == 0 and expected.digest != GENESIS:
        return "Before its first entry the chain does not have the digest that the paper printed."
    position, previous, before = 0, GENESIS, None
    seen_expected = expected is None or expected.count == 0
    while True:
        try:
            batch = _entries_after(position)
        except (*ODD, OperationalError) as error:
            unless_away(error)
            return f"Entry {position + 1} of the chain cannot be read."
        if not batch:
            break
        rows = _rows_of(batch)
        links = links_of([row for row in rows.values() if row is not UNREADABLE])
        salts = _salts(batch)
        for entry in batch:
            position += 1
            if fault := _entry_fault(entry, position, previous=previous, before=before):
                return fault
            row = rows.get((entry.kind, entry.row))
            proof = _proof(entry, row, salts.get(entry.pk), erasures)
            if fault := _row_fault(entry, row, proof, links):
                return fault
            previous, before = entry.digest, entry.recorded_at
            done(position)
            if expected and position == expected.count:
                if entry.digest != expected.digest:
                    return f"Entry {position} does not have the digest that the paper printed."
                seen_expected = True
    if not seen_expected:
        return f"The chain has {position} entries, fewer than the {expected.count} the paper printed."
    return None


def _entry_fault(entry, position, *, previous, before):
    name = f"{entry.kind} {entry.row}"
    if entry.sequence != position:
        return f"Entry {position} of the chain is missing; the next is {entry.sequence}."
    if entry.previous != previous:
        return f"Entry {position} ({name}) does not follow the entry before it."
    try:
        if entry_digest(entry) != entry.digest:
            return f"Entry {position} ({name}) was changed: it does not have the digest of what it says."
        if before and entry.recorded_at < before:
            return f"Entry {position} ({name}) was recorded before the entry before it."
    except ODD:
        return f"Entry {position} ({name}) was changed: what it says cannot be read."
    return None


def _proof(entry, row, salt, erasures):
    """The salt and the digest that prove what the row of ``entry`` says, and what went before they did.

    Those of its entry, or where words of it were erased, those of the newest erasure. The salt of an entry
    that proved those words must be gone: it is None, and so is the digest where nothing is left to prove.
    """
    if rows := erasures.get((entry.kind, entry.row)):
        newest = LedgerEntry.objects.filter(kind=_ERASURE, row=rows[-1].pk).only("sequence").get()
        kept = _salts([newest]).get(newest.pk)
        return Proof(kept, rows[-1].left, [], is_stale=salt is not None)
    if entry.kind == _ERASURE and isinstance(row, Erasure):
        rows = erasures.get((row.kind, row.row), [])
        place = next((n for n, each in enumerate(rows) if each.pk == row.pk), len(rows))
        if place < len(rows) - 1:
            return Proof(None, None, [], is_stale=salt is not None)
        return Proof(salt, entry.content, rows[:place], is_stale=False)
    return Proof(salt, entry.content, [], is_stale=False)


def _row_fault(entry, row, proof, links):
    salt, position, name = proof.salt, entry.sequence, f"{entry.kind} {entry.row}"
    if row is None:
        return f"Entry {position} names a row that is gone: {name}."
    if proof.is_stale:
        return f"Entry {position} has kept the salt of words that were erased: {name}."
    if proof.digest is None:
        return None
    try:
        # A row that follows from another, such as a paper, is recorded at the time that it prints. One that
        # cannot be read has no time, which is a fault as well.
        if salt is not None:
            in_time = getattr(row, row.time_field) == entry.recorded_at
            said = content_digest(row, salt, links[type(row), row.pk], proof.beside)
            if in_time and said == proof.digest:
                return None
    except ODD:
        pass
    if salt is None:
        return f"Entry {position} has lost its salt, without which {name} cannot be checked."
    return f"Entry {position} does not match its row, which was changed: {name}."


def _entries_after(position):
    """The next entries of the chain, after as many as ``position``; [] at its end.

    Raises one of ODD or OperationalError where the very next one cannot be read.
    """
    entries = LedgerEntry.objects.order_by("sequence")
    try:
        return list(entries[position : position + BATCH])
    except (*ODD, OperationalError) as error:
        unless_away(error)
        return list(entries[position : position + 1])


def _salts(entries):
    """{sequence: salt} of those of ``entries`` whose salt is there and can be read."""
    entries = list(entries)
    try:
        held = Salt.objects.filter(entry__in=[entry.pk for entry in entries])
        return dict(held.values_list("entry_id", "salt"))
    except (*ODD, OperationalError) as error:
        unless_away(error)
        if len(entries) == 1:
            return {}
    return {key: salt for entry in entries for key, salt in _salts([entry]).items()}


def _rows_of(entries):
    """{(kind, key): row}, with UNREADABLE for one that holds what the site would not have written."""
    wanted = defaultdict(list)
    for entry in entries:
        wanted[entry.kind].append(entry.row)
    models = {model._meta.label_lower: model for model in chained_models()}
    return {
        (kind, key): row
        for kind in wanted.keys() & models.keys()
        for key, row in _as_stored(models[kind], wanted[kind]).items()
    }


def _as_stored(model, keys):
    """{key: row} of the rows of ``model``, with UNREADABLE for what the site would not have written."""
    # In no order: one that follows a link would lose the rows whose link was broken.
    read = _read(model._base_manager.order_by(), keys)
    if connection.vendor == "sqlite":
        rows = {key: row for key, row in read.items() if row is not UNREADABLE}
        read |= dict.fromkeys(stored_otherwise(model, rows), UNREADABLE) if rows else {}
    return read


def _read(rows, keys):
    try:
        return {row.pk: row for row in rows.filter(pk__in=keys)}
    except (*ODD, OperationalError) as error:
        unless_away(error)
        if len(keys) == 1:
            return {keys[0]: UNREADABLE}
    return {key: row for each in keys for key, row in _read(rows, [each]).items()}


def _row_without_entry():
    for model in chained_models():
        label = model._meta.label_lower
        chained = LedgerEntry.objects.filter(kind=label, row=OuterRef("pk"))
        loose = model._base_manager.filter(~Exists(chained)).order_by("pk").values_list("pk", flat=True)
        if key := loose.first():
            return f"{label} {key} has no entry in the chain."
    return None


def _changed_row():
    """The first edited row that is not as its newest version says, its links included."""
    for versions in _kinds_of_version():
        model = versions.instance_type
        newest = dict(versions.objects.order_by().values_list("id").annotate(newest=Max("history_id")))
        keys = list(model._base_manager.order_by("pk").values_list("pk", flat=True))
        if gone := sorted(newest.keys() - set(keys)):
            return f"{model._meta.label_lower} {gone[0]} is gone, though its versions are there."
        for start in range(0, len(keys), BATCH):
            some = keys[start : start + BATCH]
            rows = _as_stored(model, some)
            latest = {v.id: v for v in versions.objects.filter(pk__in=[newest.get(key) for key in some])}
            links, linked = _links_now(model, some), links_of(latest.values())
            for key in some:
                version = latest.get(key)
                same = version and rows[key] is not UNREADABLE
                same = same and all(
                    getattr(rows[key], field.attname) == getattr(version, field.attname)
                    for field in model._meta.concrete_fields
                )
                if not (same and links[key] == dict(linked[versions, version.pk])):
                    return f"{model._meta.label_lower} {key} is not what its newest version says."
    return None


def _links_now(model, keys):
    """{key: {name of a field: the keys it links to}} for rows of ``model``."""
    fields = model.history.model._history_m2m_fields
    found = {key: {field.name: [] for field in fields} for key in keys}
    for field in fields:
        own, other = get_m2m_field_name(field), get_m2m_reverse_field_name(field)
        pairs = getattr(model, field.name).through.objects.filter(**{f"{own}__in": keys})
        in_order = pairs.order_by(f"{other}_id")
        for key, linked in in_order.values_list(f"{own}_id", f"{other}_id"):
            found[key][field.name].append(linked)
    return found


def _broken_link():
    """The first row that names another which is not there."""
    edited = [m.instance_type for m in guarded_models() if issubclass(m, HistoricalChanges)]
    for model in dict.fromkeys([*guarded_models(), *edited]):
        for field in model._meta.concrete_fields:
            # A version may name what was there then by a key that nothing holds it to.
            if not isinstance(field, ForeignKey) or not field.db_constraint:
                continue
            target = field.related_model._base_manager.filter(pk=OuterRef(field.attname))
            rows = model._base_manager.filter(**{f"{field.name}__isnull": False}).filter(~Exists(target))
            if key := rows.order_by("pk").values_list("pk", flat=True).first():
                return f"{model._meta.label_lower} {key} names what is not there as its {field.name}."
    return None
