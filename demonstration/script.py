"""The script of a demonstration: what its invented people do, report, decide and say, from text files.

The files are seeds/demonstration/*.toml. Each begins with what its rows mean; each is one field of Script.
"""

import enum
import tomllib
from dataclasses import MISSING, dataclass, fields, is_dataclass
from types import UnionType
from typing import get_args, get_origin, get_type_hints

from recommendations.due_dates import Outcome, ReasonKind
from recommendations.models import Whose
from recommendations.status import Status


class BadScript(ValueError):
    """What is wrong in a file of the script, with the file and the row."""


class How(enum.Enum):
    """How a due date came about."""

    ENTERED = "entered"  # by the secretariat
    CORRECTED = "corrected"  # by the secretariat, with a mistake that it corrects
    AGREED = "agreed"  # a proposal of the owner's, as are the next two
    REFUSED = "refused"
    UNDECIDED = "undecided"


class Precision(enum.Enum):
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True)
class People:
    """The last names of those who sign."""

    owner: str
    chair: str
    secretariat: str


@dataclass(frozen=True)
class Meetings:
    """What is said of each meeting; the first word of an ask is its kind: decide, note or challenge.

    ``outcomes`` are of the asks of the last meeting held; the first word is the outcome.
    """

    covering_note: str
    new_version_reason: str
    asks: tuple[str, ...]
    asks_in_turn: tuple[str, ...]
    outcomes: tuple[str, ...]


@dataclass(frozen=True)
class Area:
    """What the owner for one recommendation leads, and what the new actions there are about."""

    number: int
    name: str
    things: tuple[str, ...]


@dataclass(frozen=True)
class PlannedTurn:
    """The status that begins ``at`` a percentage of the time that an action is reported on."""

    at: int
    status: Status

    def __post_init__(self):
        check_percentage(self.at)


@dataclass(frozen=True)
class PlannedDate:
    """A due date set ``at`` a percentage of the action's life, for another (over 100: in the future)."""

    at: int
    how: How
    due: int
    precision: Precision
    reason: ReasonKind

    def __post_init__(self):
        check_percentage(self.at)


@dataclass(frozen=True)
class Arc:
    """The plot of an action: its statuses and when they turn, its dates, and the silence at its end."""

    about: str
    turns: tuple[PlannedTurn, ...]
    silent_days: int
    dates: tuple[PlannedDate, ...]
    recheck_later: int = 0
    repeats: bool = False


@dataclass(frozen=True)
class Actions:
    owner_role: str
    note: str
    verbs: tuple[str, ...]
    areas: tuple[Area, ...]
    arcs: tuple[Arc, ...]

    def __post_init__(self):
        numbers = [area.number for area in self.areas]
        if twice := [number for number in numbers if numbers.count(number) > 1]:
            raise ValueError(f"there are two areas with the number {twice[0]}")


@dataclass(frozen=True)
class Words:
    """What is said in updates of one status, and how densely it is reported on."""

    weight: int
    narratives: tuple[str, ...]
    closing: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    recovery_steps: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Updates:
    repeated: str
    differences: tuple[str, ...]
    correction_reasons: tuple[str, ...]
    evidence_wanted: tuple[str, ...]
    statuses: dict[Status, Words]

    def __post_init__(self):
        check_all_written("statuses", self.statuses, Status)


@dataclass(frozen=True)
class DueDates:
    correction_reason: str
    reasons: dict[ReasonKind, str]
    decisions: dict[Outcome, tuple[str, ...]]

    def __post_init__(self):
        check_all_written("reasons", self.reasons, ReasonKind)
        check_all_written("decisions", self.decisions, (Outcome.AGREED, Outcome.REFUSED))


@dataclass(frozen=True)
class Round:
    """One assessment of every recommendation ``at`` a percentage of the period."""

    at: int
    whose: Whose
    statuses: tuple[Status, ...]
    mistake: Status | None = None

    def __post_init__(self):
        check_percentage(self.at)


@dataclass(frozen=True)
class Assessments:
    correction_reason: str
    rounds: tuple[Round, ...]
    verdicts: dict[Status, tuple[str, ...]]

    def __post_init__(self):
        for one in self.rounds:
            found = [*one.statuses, one.mistake] if one.mistake else one.statuses
            check_all_written("verdicts", self.verdicts, found)


@dataclass(frozen=True)
class Script:
    people: People
    meetings: Meetings
    actions: Actions
    updates: Updates
    due_dates: DueDates
    assessments: Assessments

    @property
    def areas(self):
        """Each recommendation's number, with the name of what its owner leads."""
        return {area.number: area.name for area in self.actions.areas}


def check_percentage(at):
    if not 0 <= at <= 100:
        raise ValueError(f"at must be from 0 to 100, not {at}")


def check_all_written(name, table, wanted):
    if missing := [kind.value for kind in wanted if kind not in table]:
        raise ValueError(f"{name} has nothing for {missing[0]}")


# From the files -----------------------------------------------------------------------------------------

# The blanks that the texts of a field may have, to be filled in when a row is made.
BLANKS = {
    "owner": {"area"},
    "owner_role": {"area"},
    "statuses": {"area", "day", "ref"},
    "verdicts": {"area"},
}
IN_WORDS = {str: "a text in quotation marks", int: "a whole number", bool: "true or false"}


def read_script(folder):
    """The Script that the files in ``folder`` hold. Raises BadScript."""
    parts = {}
    for name, kind in get_type_hints(Script).items():
        place = f"{name}.toml"
        try:
            content = tomllib.loads((folder / place).read_text(encoding="utf-8"))
        except OSError as error:
            raise BadScript(f"{place}: {error.strerror}") from error
        except ValueError as error:
            raise BadScript(f"{place}: {error}") from error
        parts[name] = read(kind, content, place, set())
    return Script(**parts)


def read(kind, value, place, blanks):
    """Turn ``value``, as TOML gives it, into a ``kind``; raise BadScript, which names the ``place``."""
    if isinstance(kind, UnionType):
        kind = get_args(kind)[0]
    if get_origin(kind) is tuple:
        if not isinstance(value, list) or not value:
            raise BadScript(f"{place}: this must be a list in square brackets, with something in it")
        item = get_args(kind)[0]
        return tuple(read(item, one, f"{place} row {n}", blanks) for n, one in enumerate(value, start=1))
    if get_origin(kind) is dict or is_dataclass(kind):
        if not isinstance(value, dict):
            raise BadScript(f"{place}: this must be a table of names and values")
        if is_dataclass(kind):
            return read_row(kind, value, place, blanks)
        key, item = get_args(kind)
        return {read(key, k, place, blanks): read(item, v, f"{place} {k}", blanks) for k, v in value.items()}
    if issubclass(kind, enum.Enum):
        choices = [choice.value for choice in kind]
        if value not in choices:
            raise BadScript(f"{place}: {value!r} is none of {', '.join(choices)}")
        return kind(value)
    if type(value) is not kind:
        raise BadScript(f"{place}: this must be {IN_WORDS[kind]}, not {value!r}")
    if kind is int and value < 0:
        raise BadScript(f"{place}: this must not be less than 0, and is {value}")
    if kind is str:
        check_text(value, place, blanks)
    return value


def read_row(kind, row, place, blanks):
    """Turn ``row`` into the dataclass ``kind``, whose fields say what the row may and must hold."""
    names = {field.name: field for field in fields(kind)}
    if unknown := [name for name in row if name not in names]:
        raise BadScript(f"{place}: there is no field called {unknown[0]}")
    if missing := [name for name, field in names.items() if field.default is MISSING and name not in row]:
        raise BadScript(f"{place}: {missing[0]} is missing")
    hints = get_type_hints(kind)
    values = {n: read(hints[n], v, f"{place}, {n}", BLANKS.get(n, blanks)) for n, v in row.items()}
    try:
        return kind(**values)
    except ValueError as error:
        raise BadScript(f"{place}: {error}") from error


def check_text(text, place, blanks):
    if not text.strip():
        raise BadScript(f"{place}: this is empty")
    try:
        text.format(**dict.fromkeys(blanks, ""))
    except (AttributeError, LookupError, ValueError):
        allowed = f"only {' or '.join(sorted(blanks))}" if blanks else "nothing"
        raise BadScript(f"{place}: {allowed} may stand in curly brackets, in {text!r}") from None
