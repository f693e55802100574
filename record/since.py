"""What was added to the record since some entry of the ledger, in plain words."""

import datetime
from collections import defaultdict
from dataclasses import dataclass

from django.apps import apps
from django.db import models
from django.utils.text import capfirst

from record.as_at import EARLIEST, AsAt
from record.dates import say_moment
from record.edits import FILLED_IN, name_of, row_of
from record.models import Erasure, LedgerEntry
from record.signing import name_in
from record.statements import Statement, Superseded
from record.versions import Version

MOST_TOLD = 20
NOW = AsAt(EARLIEST, EARLIEST, None)  # with all that is known
CORRECTED, ADDED = "Corrections and withdrawals", "Added to the record"


def heading(kind):
    """Under which heading rows of the model ``kind`` are told."""
    return capfirst(str(kind._meta.verbose_name_plural))


@dataclass(frozen=True)
class Told:
    """One entry: who did what to which row, what it says, why, and where it is shown.

    ``kind`` is the heading that it is told under. ``done`` is what was done in a word, such as "recorded",
    to a row that is a ``noun``. ``text`` is what a statement says of the row ``name``. What was loaded is
    ``signed`` by nobody. ``earlier`` is the statement that it corrects or withdraws; ``superseded`` says
    that it was itself corrected or withdrawn since.
    """

    sequence: int
    recorded_at: datetime.datetime
    kind: str
    signed: str
    done: str
    noun: str
    name: str = ""
    text: str = ""
    why: str = ""
    link: str = ""
    earlier: Statement | None = None
    superseded: Superseded | None = None

    @property
    def is_struck(self):
        """Whether what it says counts no more: it was taken back since, or this takes it back."""
        return bool(self.superseded) or self.done == "withdrew"

    @property
    def by(self):
        """The name, at the time, of whoever added it."""
        return name_in(self.signed)

    @property
    def sentence(self):
        if self.text:
            what = f"{_a(self.noun)} about {self.name}: “{self.text}”"
        else:
            what = f"the {self.noun} “{self.name}”" if self.name else _a(self.noun)
        why = f" Why: {self.why}" if self.why else ""
        return f"{self.by or 'Somebody'} {self.done} {what} on {say_moment(self.recorded_at)}.{why}"


def added_since(sequence):
    """The entries after the one that has the number ``sequence``, as a queryset."""
    return LedgerEntry.objects.filter(sequence__gt=sequence)


def told_since(sequence):
    """A sentence for each entry after ``sequence``, oldest first; then how many more there are."""
    entries = added_since(sequence).order_by("sequence")
    sentences = [each.sentence for each in tell(entries[:MOST_TOLD])]
    more = entries.count() - len(sentences)
    return [*sentences, f"And {more} more."] if more else sentences


def tell(entries):
    """A Told for each of ``entries``, in a number of queries that depends on their kinds alone."""
    entries, keys = list(entries), defaultdict(list)
    for entry in entries:
        keys[entry.kind].append(entry.row)
    rows = {kind: _rows(apps.get_model(kind), found) for kind, found in keys.items()}
    return [_told(entry, rows[entry.kind].get(entry.row)) for entry in entries]


def _rows(kind, keys):
    """{key: row} of a ``kind`` of row, with the rows that its name and its address are made of."""
    beside = [field.name for field in kind._meta.concrete_fields if field.many_to_one and not field.null]
    if issubclass(kind, Statement):
        beside += [kind.about_path(), *("withdraws", "corrects", "withdrawn_by", "corrected_by")]
        beside += ["withdraws__document", "corrects__document"]
    elif issubclass(kind, Version):
        beside = [f.name for f in kind._meta.concrete_fields if f.many_to_one and f.name != "history_user"]
    whole_papers = [f.name for f in kind._meta.concrete_fields if isinstance(f, models.BinaryField)]
    found = kind._default_manager.select_related(*beside).defer(*whole_papers).in_bulk(keys)
    return {row.pk: row for row in kind.told(found.values())} if issubclass(kind, Statement) else found


def _told(entry, row):
    def told(kind, done, noun, **more):
        signed = getattr(row, "signed", "")
        return Told(entry.sequence, entry.recorded_at, kind, signed, done, str(noun), **more)

    if row is None:
        return told(ADDED, "added", "entry")
    if isinstance(row, Statement):
        is_later = row.withdraws_id or row.corrects_id
        verb = "withdrew" if row.withdraws_id else "corrected" if row.corrects_id else "recorded"
        return told(
            CORRECTED if is_later else heading(type(row)),
            verb,
            row._meta.verbose_name,
            name=name_of(row.about),
            text=row.in_words(),
            why=row.correction_reason,
            link=_address(row.about),
            earlier=row.withdraws or row.corrects,
            superseded=row.superseded(NOW),
        )
    if isinstance(row, Version):
        it = row_of(row)
        verb = "added" if row.history_type == "+" else "changed"
        is_first = verb == "added" or row.history_change_reason == FILLED_IN
        if getattr(row, "is_withdrawn", False):
            verb = "withdrew"
        return told(
            ADDED if is_first and verb != "withdrew" else CORRECTED,
            verb,
            it._meta.verbose_name,
            name=name_of(it),
            why="" if row.history_change_reason == FILLED_IN else row.history_change_reason or "",
            link=_address(it),
        )
    if isinstance(row, Erasure):
        return told(CORRECTED, "removed", "words", name=row.notice)
    return told(heading(type(row)), "added", row._meta.verbose_name, name=str(row), link=_address(row))


def _address(row):
    return row.get_absolute_url() if hasattr(row, "get_absolute_url") else ""


def _a(noun):
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
