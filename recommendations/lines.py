"""What was said of an action, line by line: who signed it, what it says, which dates were agreed."""

import datetime
from dataclasses import dataclass

from recommendations.status import ACCEPTED, STATUS_WORDS
from record.dates import PartialDate, read_edtf
from record.signing import name_in, role_in
from record.sources import Source, source_of

NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def in_words(number):
    """Return ``number`` as a word up to nine, else in figures."""
    return NUMBERS[number] if 0 < number < len(NUMBERS) else str(number)


@dataclass(frozen=True)
class Signature:
    """Who stated something, for which day, and when the server took it."""

    dated: PartialDate
    recorded_at: datetime.datetime
    signed: str
    days_late: int
    source: Source | None
    correction_reason: str

    @property
    def by(self):
        """Return who stated it, in words."""
        if self.source:
            return f"loaded from {self.source.title}"
        return self.signed

    @property
    def role(self):
        """The role in which it was stated, a word, or "" where it was loaded from a document."""
        return role_in(self.signed)

    @property
    def lateness(self):
        """Return "recorded 3 weeks later" where it was recorded after the day it speaks of, else ""."""
        return f"recorded {span_in_words(self.days_late)} later" if self.days_late else ""


def span_in_words(days):
    """Return a number of days, 1 or more, in its largest whole unit: "3 weeks", "1 day"."""
    for size, unit in ((365, "year"), (30, "month"), (7, "week"), (1, "day")):
        if days >= size:
            count = days // size
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "0 days"


def signature_of(row):
    """Return the Signature of a statement whose recorder and document are loaded."""
    return Signature(
        read_edtf(row.dated),
        row.recorded_at,
        row.signed,
        row.days_late(),
        source_of(row),
        row.correction_reason,
    )


@dataclass(frozen=True)
class Update:
    """A progress update as the board reads it."""

    pk: int
    signature: Signature
    status: str
    narrative: str
    reason: str
    recovery_step: str
    difference_made: str
    evidence: str
    recheck_on: datetime.date | None
    on_behalf_of: str

    @property
    def words(self):
        return STATUS_WORDS[self.status]

    @property
    def is_acceptance(self):
        """Whether this is the Chair's or Secretariat's acceptance, and not an owner's report."""
        return self.status in ACCEPTED


def update_of(row):
    """Return the Update for a ProgressUpdate whose people and document are loaded."""
    return Update(
        row.pk,
        signature_of(row),
        row.status,
        row.narrative,
        row.reason,
        row.recovery_step,
        row.difference_made,
        row.evidence,
        row.recheck_on,
        name_in(row.on_behalf_of_signed),
    )


@dataclass(frozen=True)
class Decided:
    """What the board decided about a proposed date."""

    signature: Signature
    is_agreed: bool
    meeting_on: datetime.date | None
    reason: str


@dataclass(frozen=True)
class DueLine:
    """One due date that an action has had, or that was proposed for it.

    ``effective_on`` is the day from which it counted, None for a proposal not agreed; ``is_missed`` says
    whether its last day passed while it was the agreed date and the action open.
    """

    pk: int
    due: PartialDate
    signature: Signature
    reason_kind: str
    reason_kind_words: str
    reason: str
    is_proposal: bool
    effective_on: datetime.date | None
    decided: Decided | None
    is_missed: bool

    @property
    def counted_from(self):
        """Return the day from which it counted, said no more exactly than its source says it."""
        return self.decided.signature.dated if self.is_proposal and self.decided else self.signature.dated

    @property
    def agreement(self):
        """Return the Signature of whoever made it the agreed date: of the decision, if there is one."""
        return self.decided.signature if self.decided else self.signature

    @property
    def agreed_by(self):
        """Return who agreed it, in words."""
        if not self.is_proposal:
            return self.signature.by
        if not self.decided:
            return "not yet decided"
        return self.decided.signature.by


@dataclass(frozen=True)
class Slip:
    """How far an agreed date is from the first one: a count of days, months or years, or not computed."""

    unit: str
    count: int

    @property
    def words(self):
        if not self.unit:
            return "slippage not computed, because the dates differ in precision"
        if not self.count:
            return "the same as first agreed"
        number = abs(self.count)
        unit = self.unit if number == 1 else f"{self.unit}s"
        return f"{in_words(number)} {unit} {'later' if self.count > 0 else 'earlier'} than first agreed"


def slip_between(first, last):
    """Return the Slip from the PartialDate ``first`` to ``last``; they must be of one precision to count."""
    if first.precision != last.precision or not first.precision or not (first.last and last.last):
        return Slip("", 0)
    if first.precision == "day":
        return Slip("day", (last.first - first.first).days)
    years = last.first.year - first.first.year
    if first.precision == "year":
        return Slip("year", years)
    return Slip("month", 12 * years + last.first.month - first.first.month)
