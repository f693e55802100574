"""Words removed by law: where they are found, what stands in their place, and how the rest stays proved.

An erasure is a row and an entry of its own. What it names becomes a notice, in every place at once; the salt
goes that would let somebody try out what was there; and the rest of the row has a new digest.
"""

import html
import json
import re
import textwrap
from contextlib import suppress
from dataclasses import dataclass

from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection, models, transaction
from django.utils import timezone
from simple_history.models import HistoricalChanges

from record import ledger
from record.dates import say_day
from record.models import Erasure, LedgerEntry, Salt
from record.texts import folded
from record.triggers import erasable, guarded_models
from record.verification import first_fault

FEWEST_LETTERS = 3
# Of words of which a cut text holds only a part: fewer letters say nothing of anyone, and are in every text.
FEWEST_OF_A_PART = 4
MOST_OF_A_PART = 200  # no text that is kept is cut to more
# The admin's log once cut what it called an event or a risk here, as well as where its column ends.
CUT_IN_THE_LOG = re.compile(r"[A-Z]+\d+: .{80}", re.DOTALL)
NOTICE = re.compile(r"\[Removed on \d{1,2} [A-Z][a-z]+ \d{4}: .+\]", re.DOTALL)
LONGEST_REASON = Erasure._meta.get_field("reason").max_length


class Refused(Exception):
    """Nothing was removed; the message says why."""


@dataclass(frozen=True)
class Place:
    """A column of a row in which words to be removed were found. ``text`` is all that it holds."""

    model: type[models.Model]
    key: int
    field: str
    text: str | bytes

    @property
    def kind(self):
        return self.model._meta.label_lower

    @property
    def is_erasable(self):
        """Whether a notice can stand there; a key, an account or an address has no room for one."""
        guarded = self.model in guarded_models()
        return guarded and self.field in {field.name for field in erasable(self.model)}

    @property
    def excerpt(self):
        """What it holds, short enough to look at."""
        if isinstance(self.text, bytes):
            return f"all of it, {len(self.text):,} bytes"
        return textwrap.shorten(repr(self.text), 400, placeholder=" …")

    def __str__(self):
        return f"{self.kind} {self.key} {self.field}"


@dataclass(frozen=True)
class Found:
    """Where words were found: places for a notice, sessions to end, and places to see to by hand."""

    places: tuple[Place, ...]
    sessions: tuple[str, ...]
    by_hand: tuple[Place, ...]


def notice_of(reason, *, day):
    """What stands in the place of the words: "[Removed on 27 November 2026: reason]"."""
    return f"[Removed on {say_day(day)}: {reason}]"


def is_notice(text):
    """Whether ``text`` is such a notice: two that are alike say nothing of the words that they stand for."""
    return NOTICE.fullmatch(text) is not None


def letters(text):
    """The letters and digits of ``text`` alone, without accents or case, so that no spelling of it hides."""
    return "".join(sign for sign in folded(text) if sign.isalnum())


def _readings(value):
    """Yield all that ``value`` says: as it is, as a page, and as what it holds in JSON."""
    if isinstance(value, bytes | memoryview):
        page = html.unescape(bytes(value).decode(errors="ignore"))
        yield page
        yield re.sub("<[^>]*>", "", page)
    elif isinstance(value, str):
        yield value
        if value.startswith(("[", "{", '"')):
            with suppress(ValueError):
                yield from _readings(json.loads(value))
    elif isinstance(value, dict):
        yield from _readings([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _readings(each)


@dataclass(frozen=True)
class Wanted:
    """The letters of what is looked for, and those of its beginnings and ends that a cut may leave of it."""

    whole: tuple[str, ...]
    beginnings: tuple[str, ...]
    ends: tuple[str, ...]

    @classmethod
    def of(cls, spellings):
        """Raises Refused where there are too few letters to look for."""
        whole = tuple(letters(spelling) for spelling in spellings)
        if not whole or min(map(len, whole)) < FEWEST_LETTERS:
            raise Refused(f"Give {FEWEST_LETTERS} letters or more of the words to be removed.")
        # A text is cut anywhere at its end, but only between words at its beginning.
        sizes = range(FEWEST_OF_A_PART, MOST_OF_A_PART + 1)
        begun = {words[:size] for words in whole for size in sizes}
        last = [spelling.split()[n:] for spelling in spellings for n in range(-MOST_OF_A_PART, 0)]
        ended = {letters(" ".join(words)) for words in last}
        return cls(whole, tuple(begun), tuple(words for words in ended if len(words) in sizes))

    def is_in(self, value, *, is_cut=False):
        """Whether ``value`` says any of it, or a part of it beside a mark that something was left out.

        With ``is_cut`` it may have been cut at its end, without a mark.
        """
        return any(self._is_said(reading, is_cut=is_cut) for reading in _readings(value))

    def _is_said(self, reading, *, is_cut):
        told = letters(reading)
        if any(words in told for words in self.whole):
            return True
        parts = [letters(part) for part in reading.split("…")]
        ended = parts if is_cut else parts[:-1]
        return (
            any(part.endswith(self.beginnings) for part in ended)
            or any(part.startswith(self.ends) for part in parts[1:])
            or any(
                part in words for part in parts[1:-1] if len(part) >= FEWEST_OF_A_PART for words in self.whole
            )
        )


def _may_be_cut(field, value):
    """Whether ``value`` may be the beginning of something longer than the column has room for."""
    if field.name == "object_repr" and CUT_IN_THE_LOG.fullmatch(value):
        return True
    return len(value) == field.max_length


def search(spellings):
    """All that the database holds of any of ``spellings``, a Found; of a text that was cut, also part of one.

    The live rows that are edited are not named: each is as its newest version says, and goes with it.
    """
    wanted = Wanted.of(spellings)
    texts = models.CharField | models.TextField | models.BinaryField
    edited = {m.instance_type for m in guarded_models() if issubclass(m, HistoricalChanges)}
    places, by_hand = [], []
    for model in apps.get_models(include_auto_created=True):
        fields = [f for f in model._meta.concrete_fields if isinstance(f, texts) and not f.choices]
        names = [field.name for field in fields]
        if not names or model is Session or not model._meta.managed:
            continue
        for key, *values in model._base_manager.order_by("pk").values_list("pk", *names).iterator():
            for field, value in zip(fields, values, strict=True):
                if not value or not wanted.is_in(value, is_cut=_may_be_cut(field, value)):
                    continue
                text = bytes(value) if isinstance(value, memoryview) else value
                place = Place(model, key, field.name, text)
                if place.is_erasable:
                    places.append(place)
                elif model not in edited or field.name not in {f.name for f in erasable(model)}:
                    by_hand.append(place)
    sessions = [s.pk for s in Session.objects.iterator() if wanted.is_in(s.get_decoded())]
    return Found(tuple(places), tuple(sessions), tuple(by_hand))


def belongs_to(place, *, model, key, field):
    """Whether ``place`` is what an operator named: that column of that row, or of a version of it."""
    if place.field != field:
        return False
    if place.model is model:
        return str(place.key) == str(key)
    if getattr(place.model, "instance_type", None) is not model:
        return False
    return place.model._base_manager.filter(pk=place.key, id=key).exists()


def text_of(model, key, field):
    """What the row ``key`` of ``model`` holds in ``field``; raises Refused if there is no such thing."""
    names = {f.name for f in erasable(model)}
    if field not in names:
        raise Refused(
            f"{model._meta.label_lower} has no words in {field}, but in {', '.join(sorted(names))}."
        )
    found = model._base_manager.filter(pk=key).values_list(field, flat=True)
    if not found:
        raise Refused(f"There is no {model._meta.label_lower} {key}.")
    return found[0]


def erase(places, *, sessions=(), reason, approved_by):
    """Put a notice in each of ``places``, end ``sessions``, and return the Erasures: all of it or nothing.

    Raises Refused where history does not hold before or after, or a place no longer says what it did.
    """
    day = timezone.localdate()
    with transaction.atomic():
        ledger.take_turn()
        _must_hold()
        now = ledger.now_in_turn()
        erasures = [
            Erasure(
                kind=place.kind,
                row=place.key,
                field=place.field,
                notice=notice_of(reason, day=day),
                reason=reason,
                approved_by=approved_by,
                erased_at=now,
            )
            for place in places
        ]
        rows = _as_they_will_be(places, erasures)
        proofs = _prove(erasures, rows)
        Erasure.objects.bulk_create(erasures)
        ledger.link((e, salt, content_digest(e, salt)) for e, salt in zip(erasures, proofs, strict=True))
        for place, erasure in zip(places, erasures, strict=True):
            _replace(place, erasure)
        Salt.objects.filter(entry__in=_superseded(erasures))._raw_delete(using=connection.alias)
        Session.objects.filter(pk__in=sessions).delete()
        _must_hold()
    return erasures


def content_digest(erasure, salt):
    """The digest that the entry of ``erasure`` holds: of it, and of the earlier ones of its row."""
    same = Erasure.objects.filter(kind=erasure.kind, row=erasure.row, pk__lt=erasure.pk)
    return ledger.content_digest(erasure, salt, beside=same.order_by("pk"))


def _must_hold():
    if fault := first_fault():
        raise Refused(f"The history does not hold. {fault}")


def _put(field, notice):
    return notice.encode() if isinstance(field, models.BinaryField) else notice


def _as_they_will_be(places, erasures):
    """{(model, key): the row with its notices}, in memory; raises Refused if one changed meanwhile."""
    rows = {}
    for place, erasure in zip(places, erasures, strict=True):
        row = rows.get((place.model, place.key)) or place.model._base_manager.get(pk=place.key)
        held = getattr(row, place.field)
        if (bytes(held) if isinstance(held, memoryview) else held) != place.text:
            raise Refused(f"{place} changed meanwhile. Look again.")
        setattr(row, place.field, _put(place.model._meta.get_field(place.field), erasure.notice))
        rows[place.model, place.key] = row
    return rows


def _prove(erasures, rows):
    """Give each of ``erasures`` the digest of what is left of its row; return the salts that they need."""
    links, salts = ledger.links_of(rows.values()), []
    by_kind = {(model._meta.label_lower, key): row for (model, key), row in rows.items()}
    for erasure in erasures:
        row, salt = by_kind[erasure.kind, erasure.row], ledger.new_salt()
        if hasattr(row, "time_field"):
            erasure.left = ledger.content_digest(row, salt, links[type(row), row.pk])
        salts.append(salt)
    return salts


def _replace(place, erasure):
    field = place.model._meta.get_field(place.field)
    value = {place.field: _put(field, erasure.notice)}
    place.model._base_manager.filter(pk=place.key).update(**value)
    if issubclass(place.model, HistoricalChanges):
        version = place.model._base_manager.get(pk=place.key)
        newest = place.model._base_manager.filter(id=version.id).order_by("-history_id").first()
        live = place.model.instance_type._base_manager.filter(pk=version.id)
        if newest == version and place.field in {f.name for f in place.model.instance_type._meta.fields}:
            live.update(**value)


def _superseded(erasures):
    """The sequence of each entry that proved what a row said before the newest of ``erasures`` of it."""
    found = []
    for kind, row in {(e.kind, e.row) for e in erasures}:
        same = list(Erasure.objects.filter(kind=kind, row=row).order_by("pk").values_list("pk", flat=True))
        of_row = models.Q(kind=kind, row=row)
        earlier = models.Q(kind=Erasure._meta.label_lower, row__in=same[:-1])
        found += LedgerEntry.objects.filter(of_row | earlier).values_list("sequence", flat=True)
    return found


def clean(tables):
    """Take what was removed out of the files of the database too, once it is committed.

    Return a sentence on what could not be cleaned because somebody else was reading, or "".
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in tables:
                cursor.execute(f"VACUUM (FULL, ANALYZE) {connection.ops.quote_name(table)}")
            return ""
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        is_busy, *_ = cursor.fetchone()
    return "The file of the database is in use, so old pages of it may still be beside it." if is_busy else ""


def tables_of(erasures):
    """The tables whose files hold what ``erasures`` removed."""
    models_by_kind = {model._meta.label_lower: model for model in guarded_models()}
    found = {Session, Salt, *(models_by_kind[erasure.kind] for erasure in erasures)}
    found |= {model.instance_type for model in found if issubclass(model, HistoricalChanges)}
    return sorted(model._meta.db_table for model in found)
