"""Rows of the record as at a day: today's, or as their versions that were known then say, with links."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property

from django.apps import apps
from django.db import models
from simple_history.utils import get_m2m_field_name, get_m2m_reverse_field_name

from record.edits import Edit
from record.ledger import link_table
from record.prepared import ask
from record.sources import source_of
from record.statements import statement_kinds
from record.versions import Version, as_known, read_asked, recorded


@dataclass(frozen=True)
class Position:
    """A row of the record with what is worked out about it.

    What a position does not say itself is the row's, so that no column is written down twice.
    ``corrections`` are the Edits of an edited row that are known, oldest first.
    """

    row: models.Model
    corrections: tuple[Edit, ...] = field(default=(), kw_only=True)

    def __getattr__(self, name):
        if name == "row" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.row, name)

    @property
    def pk(self):
        return self.row.pk  # asked of hundreds at each renewal, and so not left to __getattr__

    @cached_property
    def source(self):
        """Where it comes from, a Source, or None."""
        return source_of(self.row)


def rows_as_at(model, at, *related, order=None, only=None):
    """The rows of ``model`` on the board on the day asked about, in its order, with ``related`` loaded.

    With ``at.known`` each is as its newest version known before that moment says. ``order`` are names of
    columns, the model's own order unless given; ``only`` are the keys of the rows wanted, all unless given.
    It takes one query, and one for each of ``related`` then.
    """
    order = tuple(order or model._meta.ordering)
    return read_asked(_rows_begun, at, model, order, related=related, keys=only)


def _rows_begun(at, model, order, only=None):
    wanted = {} if only is None else {"id__in": only}
    return recorded(model, at).filter(**wanted).begun(at).order_by(*order)


def keys_as_at(model, at):
    """The keys of the rows of ``model`` on the board on the day asked about, as a query for another one."""
    return recorded(model, at).begun(at).values("id")


def links_as_at(model, name, at, *, of, only=None, with_lost=False):
    """{key of a row: the ``of`` of each row on the board that day that it links to in its field ``name``}.

    They are in the order of their ``of``. With ``at.known`` the links are those of its newest version known
    before that moment, and so is what they link to. ``only`` are the keys of the rows wanted, all unless
    given; ``with_lost`` asks for links to rows that are not, or no more, on the board too.
    """
    found = defaultdict(list)
    named = ask(_links, at, model, name, of, with_lost, keys=only)
    if at.known:
        names = dict(ask(_named, at, model, name, of, with_lost))
        named = ((key, names[linked]) for key, linked in named if linked in names)
    for key, called in named:
        found[key].append(called)
    return defaultdict(list, {key: sorted(called) for key, called in found.items()})


def _links(at, model, name, of, with_lost, only=None):
    """(key of a row, the ``of`` of a row that it links to or, with ``at.known``, that row's key)."""
    linking = model._meta.get_field(name)
    own, other = get_m2m_field_name(linking), get_m2m_reverse_field_name(linking)
    wanted = {} if only is None else {f"{own}__in": only}
    if at.known:
        table = link_table(model.history.model, linking).objects
        pairs = table.filter(history__in=as_known(model, at).values("history_id"), **wanted)
        return pairs.values_list(f"{own}_id", f"{other}_id")
    there = _linked_to(at, linking, with_lost).values("id")
    pairs = linking.remote_field.through.objects.filter(**{f"{other}__in": there}, **wanted)
    return pairs.values_list(f"{own}_id", f"{other}__{of}")


def _named(at, model, name, of, with_lost):
    return _linked_to(at, model._meta.get_field(name), with_lost).values_list("id", of)


def _linked_to(at, linking, with_lost):
    rows = recorded(linking.related_model, at)
    return rows if with_lost else rows.begun(at)


def known_later(at):
    """What counts by the day asked about and became known only after ``at.known``, in words: "3 findings".

    It is a list with an item for each kind of row and of statement of which there is any.
    """
    if at.known is None:
        return []
    now, counts = replace(at, known=None), []
    for model in (versions.instance_type for versions in apps.get_models() if issubclass(versions, Version)):
        rows = recorded(model, now)
        if hasattr(rows, "begun"):
            counting = getattr(rows, "counting_by", rows.begun)(now)
            counts.append((model, counting.exclude(id__in=as_known(model, at).values("id")).count()))
    for kind in statement_kinds():
        counts.append((kind, kind.objects.standing_since(at.known, at.day).count()))
    names = {model: (model._meta.verbose_name, model._meta.verbose_name_plural) for model, _ in counts}
    return [f"{count} {names[model][count > 1]}" for model, count in counts if count]
