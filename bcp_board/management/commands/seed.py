"""Load the record from seeds/*.toml: add what is missing, change nothing that is there, say what differs."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, transaction

from recommendations.due_dates import DueDate
from recommendations.measures import Measure, MeasureValue
from recommendations.models import Action, ProgressUpdate, Recommendation, Risk
from record import ledger, versions
from record.models import Document
from record.progress import progress
from record.statements import Statement
from record.versions import published
from visits.models import Event, Finding, Framework, Grade, Judgement, JudgementArea, Visit


@dataclass(frozen=True)
class Table:
    """One [[table]] of a seed file: the model it fills, the fields that identify a row, and the others.

    ``links`` and ``lists`` name the fields that hold one or several other rows, with the model and the
    field by which the file names them; ``renamed`` maps a name in the file to the model's own.
    """

    file: str
    name: str
    model: type
    key: tuple
    links: dict = field(default_factory=dict)
    lists: dict = field(default_factory=dict)
    renamed: dict = field(default_factory=dict)
    given: dict = field(default_factory=dict)


FRAMEWORK = {"framework": (Framework, "key")}
DOCUMENT = {"document": (Document, "key")}
ACTION = {"action": (Action, "ref")}
FINDINGS = {"findings": (Finding, "ref")}
RECOMMENDATIONS = {"recommendations": (Recommendation, "number")}
TABLES = (
    Table("documents", "documents", Document, ("key",)),
    Table("visits", "frameworks", Framework, ("key",)),
    Table("visits", "grades", Grade, ("framework", "key"), FRAMEWORK),
    Table("visits", "areas", JudgementArea, ("key",), FRAMEWORK),
    Table("visits", "visits", Visit, ("slug",), DOCUMENT),
    Table(
        "visits",
        "judgements",
        Judgement,
        ("visit", "area"),
        {
            "visit": (Visit, "slug"),
            "area": (JudgementArea, "key"),
            "grade": (Grade, "framework__key/key"),
            **DOCUMENT,
        },
    ),
    Table("visits", "findings", Finding, ("ref",), {"visit": (Visit, "slug"), **DOCUMENT}),
    Table("events", "events", Event, ("ref",), DOCUMENT),
    Table(
        "recommendations",
        "recommendations",
        Recommendation,
        ("number",),
        {"extends": (Recommendation, "number"), **DOCUMENT},
        FINDINGS,
        {"critical": "is_critical"},
    ),
    Table("actions", "actions", Action, ("ref",), DOCUMENT, {**RECOMMENDATIONS, **FINDINGS}),
    Table(
        "actions",
        "due_dates",
        DueDate,
        ("action", "due", "document"),
        {**ACTION, **DOCUMENT},
        given={"reason_kind": "first", "needs_decision": False},
    ),
    Table("actions", "updates", ProgressUpdate, ("action", "dated", "document"), {**ACTION, **DOCUMENT}),
    Table("measures", "measures", Measure, ("ref",), DOCUMENT),
    Table(
        "measures",
        "values",
        MeasureValue,
        ("measure", "as_at", "document"),
        {"measure": (Measure, "ref"), **DOCUMENT},
    ),
    Table("risks", "risks", Risk, ("ref",), DOCUMENT, RECOMMENDATIONS),
)


class Command(BaseCommand):
    help = "Load the record. Safe to run again: it never changes a row."

    def add_arguments(self, parser):
        parser.add_argument("--folder", default=settings.BASE_DIR / "seeds", help="where the files are")

    def handle(self, *, folder, **options):
        try:
            added, different = load_all(folder)
        except DatabaseError as error:
            raise CommandError(f"The database says: {error}. Nothing was loaded.") from error
        news = [f"{number} {name.replace('_', ' ')}" for name, number in added.items() if number]
        if not options["verbosity"]:
            return
        self.stdout.write(f"Loaded {', '.join(news)}." if news else "The record is loaded; nothing to add.")
        for line in different:
            self.stdout.write(f"Left as it is: {line}")


@transaction.atomic
def load_all(folder, *, at=None):
    """Load all of ``folder`` or nothing; return how many rows of each table it added, and what differs.

    ``at`` is the moment of loading, the clock's unless given. What the first load of an empty record adds is
    known from the day on which its document may first have been published; what is added later, from then.
    Raises CommandError where a row is wrong, and DatabaseError where the database fails.
    """
    # Every file is read before anything is loaded, so that a slip of the pen is found at once.
    rows = {table.name: list(rows_of(table, folder)) for table in TABLES}
    is_first_load = ledger.anchor().count == 0
    added, different, find_once, loaded = {}, [], cache(find), count(1)
    with progress("Loading the record", "rows", of=sum(map(len, rows.values()))) as done:
        for table in TABLES:
            with versions.saving(at=at, is_first_load=is_first_load):
                for row, place in rows[table.name]:
                    try:
                        is_new, differences = load(
                            table, row, find=find_once, at=at, is_first_load=is_first_load
                        )
                    except (ValidationError, DatabaseError, ValueError) as error:
                        raise CommandError(f"{place}: {in_one_line(error)} Nothing was loaded.") from error
                    added[table.name] = added.get(table.name, 0) + is_new
                    different += [f"{place}: {words}" for words in differences]
                    done(next(loaded))
    return added, different


def rows_of(table, folder):
    """Yield each row of ``table`` with the words that say where it stands; or raise CommandError."""
    path = Path(folder) / f"{table.file}.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"{table.file}.toml: {error}. Nothing was loaded.") from error
    known = {t.name for t in TABLES if t.file == table.file}
    if unknown := sorted(set(content) - known):
        raise CommandError(f"{table.file}.toml: there is no table called {unknown[0]}. Nothing was loaded.")
    for number, row in zip(count(1), content.get(table.name, [])):
        key = " ".join(str(row[name]) for name in table.key if name in row)
        yield row, f"{table.file}.toml, {table.name} row {number} ({key})"


def load(table, row, *, find, at, is_first_load):
    """Add ``row`` if its natural key is new; return whether it was, and in what words it differs if not.

    A row that is edited is added as a part of the save that is under way. Raises ValueError or
    ValidationError where the row is wrong.
    """
    values, lists = dict(table.given), {}
    for name, value in row.items():
        if name in table.lists:
            model, by = table.lists[name]
            lists[name] = [find(model, by, item) for item in value]
        elif name in table.links:
            values[name] = find(*table.links[name], value) if value else None
        else:
            values[table.renamed.get(name, name)] = value
    names = {f.name for f in table.model._meta.get_fields()}
    if unknown := sorted(set(values) - names):
        raise ValueError(f"there is no field called {unknown[0]}.")
    if missing := [name for name in table.key if name not in values]:
        raise ValueError(f"{missing[0]} is missing.")
    # Two rows of one visit may share a key only by mistake, so the first match is the match.
    existing = table.model.objects.filter(**{name: values[name] for name in table.key}).first()
    if existing:
        return False, differences(existing, values, lists)
    instance = table.model(**values)
    if issubclass(table.model, Statement) and "dated" not in row:
        instance.dated = row.get("as_at") or instance.document.published
    instance.full_clean()
    if issubclass(table.model, Statement):
        instance.recorded_at = at
        ledger.append([instance], known_from=published(instance.document) if is_first_load else None)
        return True, []
    instance.save()
    for name, items in lists.items():
        getattr(instance, name).set(items)
    instance.clean()
    return True, []


def find(model, by, value):
    """The row of ``model`` whose field ``by`` is ``value``; raises ValueError if there is none.

    Several fields are separated by strokes, and so are their values.
    """
    names = by.split("/")
    values = value.split("/") if len(names) > 1 else [value]
    try:
        return model.objects.get(**dict(zip(names, values, strict=True)))
    except (ObjectDoesNotExist, ValueError, TypeError):
        raise ValueError(f"there is no {model._meta.verbose_name} {value!r}.") from None


def differences(instance, values, lists):
    """In words, each field in which the database's row is no longer what the file says."""
    changed = [
        f"{name} is {getattr(instance, name)!s:.60} and the file says {value!s:.60}"
        for name, value in values.items()
        if getattr(instance, name) != value and (getattr(instance, name) or value)
    ]
    for name, items in lists.items():
        here = {str(item) for item in getattr(instance, name).all()}
        there = {str(item) for item in items}
        if here != there:
            changed.append(f"{name} are {len(here)} rows and the file names {len(there)}, not all the same")
    return changed


def in_one_line(error):
    """What is wrong, with the name of the field where there is one."""
    if isinstance(error, ValidationError) and hasattr(error, "message_dict"):
        return " ".join(f"{name}: {' '.join(words)}" for name, words in error.message_dict.items())
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    return str(error)
