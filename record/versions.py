"""The versions of edited rows: one for each save, links included, with a reason and an entry in the chain."""

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from django.db import models, transaction
from django.db.models import OuterRef, Q, Subquery
from simple_history.models import HistoricalRecords

from record import ledger
from record.as_at import EARLIEST
from record.dates import start_of
from record.prepared import ask
from record.signing import name_in, signature

_gathering = ContextVar("the save whose versions are being gathered", default=None)


class Version(models.Model):
    """What every table of versions has beside the columns of its rows."""

    append_only = True
    time_field = "history_date"

    signed = models.CharField(max_length=200, blank=True, help_text="The author’s name and role at the time.")
    known_from = models.DateTimeField(
        help_text="When it became known: when it was saved or, if first loaded, when its document may "
        "first have been published."
    )

    class Meta:
        abstract = True

    @property
    def author(self):
        """The name, at the time, of whoever saved it; "" for what was loaded."""
        return name_in(self.signed)


class Versions(HistoricalRecords):
    """The table of the versions of a model's rows, which the database asks the reason of each change."""

    def __init__(self, **options):
        reason = models.TextField("why it was changed", blank=True)
        super().__init__(bases=[Version], history_change_reason_field=reason, **options)

    def get_meta_options(self, model):
        name = f"{model._meta.app_label}_{model._meta.model_name}_change_has_reason"
        asked = models.CheckConstraint(
            condition=Q(history_type="+") | ~Q(history_change_reason=""), name=name
        )
        return {**super().get_meta_options(model), "constraints": [asked]}

    def post_save(self, instance, created, using=None, **kwargs):
        gather(self, instance, "+" if created else "~")

    def m2m_changed(self, instance, action, attr, pk_set, reverse, **kwargs):
        if reverse:
            raise TypeError("Set links from the row that holds them, so that its version has them.")
        if action in ("post_add", "post_remove", "post_clear"):
            gather(self, instance, "~")

    def create(self, instance, kind, save, *, at):
        """Add the version of ``instance`` that a ``save`` made at the moment ``at``; return it."""
        model = getattr(type(instance), self.manager_name).model
        version = model(
            history_date=at,
            history_type=kind,
            history_user=save.by,
            history_change_reason=save.reason,
            signed=signature(save.by),
            known_from=save.known_from(instance, at=at),
            **{field.attname: getattr(instance, field.attname) for field in self.fields_included(instance)},
        )
        version.save()
        self.create_historical_record_m2ms(version, instance)
        return version


def published(document):
    """The moment at which the first day begins on which ``document`` may have been published."""
    return start_of(getattr(document, "published_first", None) or EARLIEST)


@dataclass
class Save:
    """One save of one or more rows: by whom, why, when (None: the clock's time), whether a first load."""

    by: models.Model | None = None
    reason: str = ""
    at: object = None
    is_first_load: bool = False
    changed: dict = field(default_factory=dict)

    def known_from(self, instance, *, at):
        """The moment from which the version of ``instance`` counts as known."""
        if not self.is_first_load:
            return at
        return published(getattr(instance, "document", None) or instance)


@contextmanager
def saving(*, by=None, reason="", at=None, is_first_load=False):
    """Save all that the block changes as one save, with one version for each row, links included.

    Yields the Save, whose ``reason`` may still be given inside the block. The versions are written as the
    block ends, in the writer's turn; if it fails, nothing is saved.
    """
    with transaction.atomic():
        save = Save(by=by, reason=reason, at=at, is_first_load=is_first_load)
        token = _gathering.set(save)
        try:
            yield save
        finally:
            _gathering.reset(token)
        write(save)


def gather(versions, instance, kind):
    """Note that ``instance`` was changed, for the save that is under way; without one it is its own save."""
    if save := _gathering.get():
        before = save.changed.get((type(instance), instance.pk))
        save.changed[type(instance), instance.pk] = (versions, instance, before[2] if before else kind)
    else:
        own = Save(
            by=getattr(instance, "_history_user", None), reason=getattr(instance, "_change_reason", "")
        )
        own.changed[type(instance), instance.pk] = (versions, instance, kind)
        write(own)


def write(save):
    """Add a version for each row that ``save`` changed, and their entries."""
    if not save.changed:
        return
    with transaction.atomic():
        ledger.take_turn()
        at = save.at or ledger.now_in_turn()
        rows = [
            # As the database holds it: one row may have been changed through several objects.
            versions.create(type(row)._base_manager.get(pk=row.pk), kind, save, at=at)
            for versions, row, kind in save.changed.values()
        ]
        ledger.chain(rows)


def as_known(model, at):
    """The newest version of each row of ``model`` known before ``at.known``, as a queryset of versions.

    It has the vocabulary of the model's own rows.
    """
    versions = model.history.model
    newest = (
        versions.objects.filter(id=OuterRef("id"), known_from__lt=at.known)
        .order_by("-history_id")
        .values("history_id")[:1]
    )
    rows = type(model._default_manager.all())(versions)
    return rows.filter(history_id=Subquery(newest))


def recorded(model, at):
    """The rows of ``model`` as recorded by now or, with ``at.known``, their newest versions known then.

    Its rows are of either kind, with the same vocabulary and columns: ``id`` is the row's key in both.
    """
    return model._default_manager.all() if at.known is None else as_known(model, at)


def rows_of(rows):
    """The rows that a queryset of rows or of versions holds, as a list of rows."""
    return [row.instance if isinstance(row, Version) else row for row in rows]


def read(rows, at, *related, as_rows=True):
    """The list of the queryset ``rows``, with the ``related`` rows that they point to as known ``at``.

    ``related`` are names of foreign keys, joined by "__". With ``at.known`` a row that was not known by then
    is None in their place. It takes one query, and then one for each name. Of versions it gives the rows that
    they describe, unless ``as_rows`` is False.
    """
    found = rows if at.known else rows.select_related(*related)
    return _pointed(list(found), at, related, as_rows=as_rows)


def read_asked(question, at, *others, related=(), keys=None, days=None, as_rows=True):
    """As ``read``, of the queryset that the ``question`` gives, prepared as ``ask`` does it."""
    found = ask(_joined, at, question, others, related, keys=keys, days=days)
    return _pointed(found, at, related, as_rows=as_rows)


def _joined(at, question, others, related, *listed):
    rows = question(at, *others, *listed)
    return rows if at.known else rows.select_related(*related)


def _pointed(found, at, related, *, as_rows):
    found = rows_of(found) if as_rows else found
    for path in related if at.known else ():
        _point(found, path, at)
    return found


def _point(rows, path, at):
    name, _, further = path.partition("__")
    if not rows:
        return
    key, model = rows[0]._meta.get_field(name).attname, rows[0]._meta.get_field(name).related_model
    keys = sorted({getattr(row, key) for row in rows} - {None})
    by_key = {row.pk: row for row in rows_of(ask(_pointed_to, at, model, keys=keys))}
    for row in rows:
        setattr(row, name, by_key.get(getattr(row, key)))
    if further:
        _point(list(by_key.values()), further, at)


def _pointed_to(at, model, keys):
    rows = as_known(model, at) if hasattr(model, "history") else model.objects.all()
    return rows.filter(id__in=keys)
