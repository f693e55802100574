"""Rows of the record as at a day: today's, or as their versions that were known then say, with links."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db import models
from django.db.models import prefetch_related_objects
from simple_history.utils import get_m2m_field_name, get_m2m_reverse_field_name

from record.edits import Edit
from record.ledger import link_table
from record.sources import source_of
from record.versions import as_known


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
    def source(self):
        """Where it comes from, a Source, or None."""
        return source_of(self.row)


def rows_as_at(model, at, *related, order=None, only=None):
    """The rows of ``model`` on the board on the day asked about, in its order, with ``related`` loaded.

    With ``at.known`` each is as its newest version known before that moment says. ``order`` are names of
    columns, the model's own order unless given; ``only`` are the keys of the rows wanted, all unless given.
    It takes one query, and one for each of ``related`` then.
    """
    names = order or model._meta.ordering
    wanted = {} if only is None else {"id__in": only}
    if at.known is None:
        return list(model.objects.begun(at).filter(**wanted).select_related(*related).order_by(*names))
    rows = [version.instance for version in as_known(model, at).filter(**wanted).begun(at).order_by(*names)]
    prefetch_related_objects(rows, *(name.replace(".", "__") for name in related))
    return rows


def keys_as_at(model, at):
    """The keys of the rows of ``model`` on the board on the day asked about, as a query for another one."""
    if at.known is None:
        return model.objects.begun(at).values("id")
    return as_known(model, at).begun(at).values("id")


def links_as_at(model, name, at, *, of, only=None, among=None):
    """{key of a row: the ``of`` of each row that it links to in its field ``name``, in order}.

    With ``at.known`` the links are those of its newest version known before that moment. ``only`` are the
    keys of the rows wanted, and ``among`` the rows they may link to, all unless given.
    """
    linking, found = model._meta.get_field(name), defaultdict(list)
    own, other = get_m2m_field_name(linking), get_m2m_reverse_field_name(linking)
    if at.known is None:
        pairs = linking.remote_field.through.objects.all()
    else:
        table = link_table(model.history.model, linking).objects
        versions = as_known(model, at).values("history_id")
        pairs = table.filter(history__in=versions)
    if only is not None:
        pairs = pairs.filter(**{f"{own}__in": only})
    if among is not None:
        pairs = pairs.filter(**{f"{other}__in": among})
    for key, linked in pairs.order_by(f"{other}__{of}").values_list(f"{own}_id", f"{other}__{of}"):
        found[key].append(linked)
    return found
