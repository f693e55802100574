"""What edited rows said before a correction, by whom, when and why, and what it took off a page."""

import datetime
from dataclasses import dataclass, field
from functools import cached_property

from django.db import models
from django.db.models import Case, Q, Value, When
from django.utils.text import Truncator, capfirst
from simple_history.utils import get_m2m_reverse_field_name

from record.dates import EdtfField, say, say_day
from record.ledger import link_table
from record.prepared import ask
from record.signing import name_in, role_in
from record.versions import read, read_asked

LONGEST = 160
LONGEST_NAME = 100
# As many words as show where in a long text something was changed.
WORDS_BEFORE = 5
# The reason of a version in which a box that was always empty is filled in: nobody is asked for another.
FILLED_IN = "Filled in for the first time"


@dataclass(frozen=True)
class Was:
    """What a row said in one column before an edit, and since it.

    Of links, ``left`` and ``joined`` are {key: name} of the rows that it links to no more, and newly.
    """

    column: str
    label: str
    was: str = ""
    now: str = ""
    is_link: bool = False
    left: dict = field(default_factory=dict)
    joined: dict = field(default_factory=dict)

    @property
    def excerpt(self):
        """What it said, cut to the words around the first that differs where it is long."""
        return excerpt(self.was, self.now)

    @property
    def excerpt_now(self):
        return excerpt(self.now, self.was)

    @property
    def is_cut(self):
        return self.excerpt != self.was


@dataclass(frozen=True)
class Edit:
    """One correction or withdrawal of an edited row, a whole save: what differed, by whom, when and why."""

    kind: str
    name: str
    link: str
    at: datetime.datetime
    signed: str
    reason: str
    changes: tuple[Was, ...]
    withdraws: bool

    @property
    def word(self):
        return "Withdrawn" if self.withdraws else "Corrected"

    @property
    def by(self):
        """The name, at the time, of whoever made it."""
        return name_in(self.signed)

    @property
    def role(self):
        return role_in(self.signed)

    @property
    def cut(self):
        """The changes that are told in an excerpt only."""
        return tuple(change for change in self.changes if change.is_cut)

    def change(self, column):
        """What it changed in ``column``, a Was, or None."""
        return next((change for change in self.changes if change.column == column), None)


@dataclass(frozen=True)
class TakenOff:
    """A row that a page of that day showed before it was withdrawn, moved or given another beginning.

    ``row`` is as it last stood there, and ``links`` {column: keys of the rows it linked to}.
    """

    row: models.Model
    corrections: tuple[Edit, ...]
    is_withdrawn: bool = False
    links: dict = field(default_factory=dict)

    @property
    def kind(self):
        return capfirst(self.row._meta.verbose_name)

    @property
    def name(self):
        return str(self.row)

    def linked(self, column, key):
        return key in self.links.get(column, ())


@dataclass(frozen=True)
class Edits:
    """The edits of the rows of one model that are known: {key: its Edits, oldest first}, and the TakenOff."""

    of: dict = field(default_factory=dict)
    taken_off: tuple[TakenOff, ...] = ()

    @cached_property
    def all(self):
        return tuple(edit for edits in self.of.values() for edit in edits)

    def get(self, key):
        return self.of.get(key, ())

    def lost_by(self, column, key, rows):
        """A TakenOff for each row that linked to ``key`` in ``column``, and by an edit does so no more.

        ``rows`` are those on the board that day, positions of this model.
        """
        moved = tuple(
            TakenOff(row=position.row, corrections=position.corrections)
            for position in (rows if self.of else ())
            if _was_unlinked(self.get(position.pk), column, key)
        )
        return moved + tuple(row for row in self.taken_off if row.linked(column, key))


def _was_unlinked(edits, column, key):
    changes = [found for edit in edits if (found := edit.change(column))]
    touching = [change for change in changes if key in change.left or key in change.joined]
    return bool(touching and key in touching[-1].left)


NO_EDITS = Edits()


def edits_of(model, at):
    """The Edits of the rows of ``model``, in a number of queries that the number of edits does not change.

    With ``at.known`` only the edits known before that moment are among them. What the first load or a later
    one brings is no edit: an edit is a version that somebody gave a reason for. Nor is what was given for the
    first time in a column that its model says is ``filled_in_later``.
    """
    # Asked first, because of most kinds of row none was ever edited, and the rest takes longer to ask.
    if not (keys := sorted(set(ask(_edited, at, model)))):
        return NO_EDITS
    named = tuple(f.name for f in _columns(model) if f.many_to_one)
    versions = read_asked(_versions_of, at, model, related=named, keys=keys, as_rows=False)
    links = _links_of(model, versions, at)
    history = {}
    for version in versions:
        history.setdefault(version.id, []).append(version)
    found, taken_off = {}, []
    for key, ordered in history.items():
        edits = tuple(_edit(*pair, links) for pair in zip(ordered, ordered[1:], strict=False))
        found[key] = tuple(
            edit
            for place, edit in enumerate(edits, start=1)
            if (edit.changes or edit.withdraws) and not _fills_in(edit, ordered[:place])
        )
        there = [version for version in ordered if version.is_there]
        if there and not ordered[-1].is_there:
            taken_off.append(
                TakenOff(
                    row=row_of(there[-1]),
                    corrections=found[key],
                    is_withdrawn=getattr(ordered[-1], "is_withdrawn", False),
                    links={name: tuple(rows) for name, rows in links[there[-1].pk].items()},
                )
            )
    return Edits({key: edits for key, edits in found.items() if edits}, tuple(taken_off))


def _fills_in(edit, earlier):
    """Whether ``edit`` corrects nothing, unexplained: what it changed was empty in all ``earlier``."""
    later = getattr(earlier[0].instance_type, "filled_in_later", {})
    return edit.reason == FILLED_IN and all(
        change.column in later
        and all(getattr(version, change.column) == later[change.column] for version in earlier)
        for change in edit.changes
    )


def _known_versions(at, model):
    versions = model.history.model.objects.all()
    return versions.filter(known_from__lt=at.known) if at.known else versions


def _edited(at, model):
    return _known_versions(at, model).filter(history_type="~").values_list("id", flat=True)


def _versions_of(at, model, keys):
    table = model.history.model
    rows = type(model._default_manager.all())(table)
    is_there = Value(True)
    if hasattr(rows, "begun"):
        begun = Q(history_id__in=rows.begun(at).values("history_id"))
        is_there = Case(When(begun, then=True), default=False, output_field=models.BooleanField())
    versions = _known_versions(at, model).filter(id__in=keys)
    return versions.annotate(is_there=is_there).order_by("id", "history_id")


def _columns(model):
    return [f for f in model._meta.concrete_fields if f.editable and not f.primary_key]


def _links_of(model, versions, at):
    """{key of a version: {name of a field: {key of a row it links to: its name}}}, links of many kinds."""
    found = {version.pk: {f.name: {} for f in model._meta.many_to_many} for version in versions}
    for linking in model._meta.many_to_many if versions else ():
        other = get_m2m_reverse_field_name(linking)
        held = link_table(model.history.model, linking).objects.filter(history__in=list(found))
        for link in read(held.order_by(f"{other}_id"), at, other):
            if linked := getattr(link, other):
                found[link.history_id][linking.name][linked.pk] = name_of(linked)
    for version in versions:
        for column in _columns(model):
            if column.many_to_one:
                found[version.pk][column.name] = {getattr(version, column.attname): None}
    return found


def row_of(version):
    """The row as ``version`` has it, with what it points to."""
    row = version.instance
    for column in _columns(type(row)):
        if column.many_to_one:
            setattr(row, column.name, getattr(version, column.name))
    return row


def _edit(before, version, links):
    model = version.instance_type
    changes = []
    for column in _columns(model):
        was, now = (getattr(v, column.attname) for v in (before, version))
        if was == now:
            continue
        if column.many_to_one:
            words = [name_of(getattr(v, column.name)) for v in (before, version)]
            left, joined = ({key: name} for key, name in zip((was, now), words, strict=True))
        else:
            words, left, joined = [value_in_words(column, value) for value in (was, now)], {}, {}
        changes.append(Was(column.name, str(column.verbose_name), *words, left=left, joined=joined))
    for linking in model._meta.many_to_many:
        was, now = (links[v.pk][linking.name] for v in (before, version))
        if set(was) != set(now):
            changes.append(
                Was(
                    linking.name,
                    str(linking.verbose_name),
                    ", ".join(was.values()),
                    ", ".join(now.values()),
                    is_link=True,
                    left={key: name for key, name in was.items() if key not in now},
                    joined={key: name for key, name in now.items() if key not in was},
                )
            )
    row = row_of(version)
    return Edit(
        kind=str(model._meta.verbose_name),
        name=getattr(row, "in_full", "") or name_of(row),
        link=row.get_absolute_url() if hasattr(row, "get_absolute_url") else "",
        at=version.history_date,
        signed=version.signed,
        reason=version.history_change_reason,
        changes=tuple(changes),
        withdraws=bool(getattr(version, "is_withdrawn", False) and not before.is_withdrawn),
    )


def name_of(row):
    """What a row is called where another one mentions it: its name if it has one, cut where that is long."""
    return "" if row is None else Truncator(getattr(row, "name", "") or str(row)).chars(LONGEST_NAME)


def value_in_words(column, value):
    """What ``value`` says in ``column``, which links to nothing; "" if that is nothing."""
    if value in (None, ""):
        return ""
    if isinstance(column, EdtfField):
        return say(value)
    if isinstance(column, models.DateField):
        return say_day(value)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(dict(column.flatchoices).get(value, value))


def excerpt(text, other):
    """``text``, cut where it is long to some words from where it begins to differ from ``other``."""
    if len(text) <= LONGEST:
        return text
    words, others = text.split(), other.split()
    same = next((n for n, pair in enumerate(zip(words, others, strict=False)) if pair[0] != pair[1]), None)
    first = max(0, (min(len(words), len(others)) if same is None else same) - WORDS_BEFORE)
    cut = Truncator(" ".join(words[first:])).chars(LONGEST)
    return f"… {cut}" if first else cut
