"""The words for how one action stood on a day, and some actions together; position.py fills them."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from recommendations.completions import Completion
from recommendations.date_outcomes import became
from recommendations.lateness import DueLine, is_same_date, slip_between
from recommendations.models import ProgressUpdate
from recommendations.no_change import is_repeat
from recommendations.sent_back import SendBack
from recommendations.status import (
    NOT_REPORTED,
    OVERDUE,
    RECHECK,
    SILENT,
    STALE,
    STATUS_WORDS,
    WORST_FIRST,
    Status,
)
from recommendations.terms import TERMS
from record.dates import read_edtf, say_day
from record.erasure import is_notice
from record.rows import Position
from record.statements import span_in_words
from record.texts import so_many

# Of dates that are named in a line.
MOST_NAMED = 4
ORDINALS = [
    "no",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
]


@dataclass(frozen=True)
class ActionPosition(Position):
    """How one action stood on the day. ``owner`` is the name its owner had, or "" for nobody.

    ``owner_is_open`` says whether that account is open today, so that somebody can record progress.

    ``update`` is the last on it, ``previous`` the one before that. ``report`` is the last update too or,
    where that accepted a report, that report.

    ``dates`` are those that were ever agreed, in the order in which they counted, withdrawn ones among them;
    ``taken_off`` are the proposals that were withdrawn before the board decided. ``completion`` is what its
    last report claims where that says that it is done, or None. ``sent_back`` says what evidence the Chair or
    the Secretariat want for that report, or is None. ``days_past_recheck`` is how long ago it was to be
    checked that it has held, or None where that is not due.
    """

    owner: str
    owner_id: int | None
    owner_is_open: bool
    recommendations: tuple[int, ...]
    findings: tuple[str, ...]
    status: str
    is_open: bool
    is_overdue: bool
    is_silent: bool
    is_stale: bool
    days_past_recheck: int | None
    update: ProgressUpdate | None
    previous: ProgressUpdate | None
    report: ProgressUpdate | None
    dates: tuple[DueLine, ...]
    proposals: tuple[DueLine, ...]
    refused: tuple[DueLine, ...]
    taken_back: tuple[DueLine, ...]
    ended: tuple[DueLine, ...]
    taken_off: tuple[DueLine, ...]
    completion: Completion | None
    sent_back: SendBack | None

    @property
    def agreed_on(self):
        return read_edtf(self.row.agreed_on)

    @property
    def words(self):
        return STATUS_WORDS[self.status]

    @cached_property
    def ledger(self):
        """The agreed dates that count, in the order in which they came to count."""
        return tuple(line for line in self.dates if not line.withdrawn)

    @property
    def dates_told(self):
        """Pairs of each of its ``dates`` and what became of it, in words."""
        return tuple((line, became(self, line)) for line in self.dates)

    @property
    def due(self):
        """The agreed date that stands, a DueLine, or None where no date is set."""
        return self.ledger[-1] if self.ledger else None

    @property
    def refusal_words(self):
        """That the last date asked for in the place of the present one was refused, in words; "" for none."""
        asked = [line for line in self.refused if self.due and line.recorded_at > self.due.row.agreed_at]
        if not asked:
            return ""
        last = max(asked, key=lambda line: (line.decided.dated_first, line.decided.pk))
        decided = last.decided.signature.dated
        return f"a date of {last.due} was refused {'on' if decided.precision == 'day' else 'in'} {decided}"

    @property
    def is_recheck_due(self):
        return self.days_past_recheck is not None

    @property
    def recheck_words(self):
        """The day on which it was to be checked, and how long ago that is: "1 June 2023, 3 weeks ago"."""
        ago = f", {span_in_words(self.days_past_recheck)} ago" if self.days_past_recheck else ""
        return f"{say_day(self.update.recheck_on)}{ago}"

    @property
    def is_perhaps_past(self):
        """Whether it is open, and nobody can tell if its date has passed: that is not the next one due."""
        return bool(self.is_open and self.due and self.due.may_have_passed)

    @cached_property
    def baseline(self):
        """The first agreed date, a DueLine, or None: the first of those that count to enter the record.

        One entered later for an earlier day stands beside it, and does not take its place.
        """
        return min(self.ledger, key=lambda line: (line.row.agreed_at, line.pk), default=None)

    @cached_property
    def moves(self):
        """The agreed dates from the first one on, in the order in which they counted.

        One that means the same last day as the one before it moved nothing, and is left out.
        """
        since = self.counted_since_first
        before = zip((None, *since), since, strict=False)
        return tuple(line for was, line in before if was is None or not is_same_date(was.due, line.due))

    @cached_property
    def counted_since_first(self):
        """The agreed dates from the first one on, in the order in which they counted."""
        return self.ledger[self.ledger.index(self.baseline) :] if self.ledger else ()

    @property
    def entered_later(self):
        """The agreed dates that were entered later than the first one, for a day before its own."""
        return self.ledger[: len(self.ledger) - len(self.counted_since_first)]

    @property
    def revisions(self):
        """How many times the agreed date has moved."""
        return max(0, len(self.moves) - 1)

    @property
    def misses(self):
        """How many agreed dates are known to have been missed, those before this record included."""
        return self.earlier_misses + sum(line.is_missed for line in self.ledger)

    @property
    def misses_words(self):
        """The misses in words; earlier ones are a lower bound."""
        return f"at least {self.misses}" if self.earlier_misses else str(self.misses)

    @property
    def untold(self):
        """How many agreed dates passed with nothing reported, so that nobody can say they were missed."""
        return sum(line.passed_in_silence and not line.is_missed for line in self.ledger)

    @property
    def untold_words(self):
        """How many dates the misses say nothing of, in words; "" for none."""
        return dates_untold(self.untold)

    @property
    def is_silent_before(self):
        """Whether nobody has ever reported on it, and only a new date keeps it from being silent."""
        return self.is_never_reported and not self.is_silent and self.untold > 0

    @cached_property
    def slip(self):
        """The Slip from the first agreed date to the present one, or None if it never moved."""
        if not self.revisions:
            return None
        return slip_between(self.baseline.due, self.due.due)

    @property
    def moved_because(self):
        """For which kinds of reason its date moved: "waiting on someone else (2 times), the work changed"."""
        kinds = Counter(line.reason_kind_words.lower() for line in self.moves[1:])
        return ", ".join(kind if count == 1 else f"{kind} ({count} times)" for kind, count in kinds.items())

    @property
    def ledger_words(self):
        """The agreed dates in a line: "March 2023 → June 2023: second date, 3 months later …"."""
        if not self.ledger:
            return "No date set"
        dates = " → ".join(line.due.words for line in self.moves)
        if not self.revisions:
            return dates
        count = len(self.moves)
        ordinal = ORDINALS[count] if count < len(ORDINALS) else f"{count}th"
        return f"{dates}: {ordinal} date, {self.slip.words}"

    @property
    def failing_words(self):
        """How it puts at risk what hangs on it: "is overdue (due March 2023) and off track"."""
        is_off_track = self.status == Status.OFF_TRACK
        if self.is_overdue:
            return f"is overdue (due {self.due.due}){' and off track' if is_off_track else ''}"
        return "is off track"

    @property
    def is_never_reported(self):
        return self.status == NOT_REPORTED

    @property
    def has_report(self):
        """Whether somebody said how it stands, and it was not only accepted or closed in silence."""
        return bool(self.update) and not (self.update.is_acceptance and self.previous is None)

    @property
    def is_from_document(self):
        """Whether its last report was loaded from a document, so that its owner has said nothing since."""
        return bool(self.update and self.update.document_id)

    @property
    def repeats_commentary(self):
        """Whether the last update says word for word what the one before it said, or that nothing changed."""
        # What accepts a report repeats nothing, whatever its words.
        if not (self.update and self.previous) or self.update.is_acceptance:
            return False
        if is_notice(self.update.narrative):
            return False
        return self.says_no_change or self.update.narrative.split() == self.previous.narrative.split()

    @property
    def last_report(self):
        """The newest report, though it was accepted since, or None where there is none."""
        return self.report if self.report and not self.report.is_acceptance else None

    @property
    def accepted(self):
        """The update by which it was accepted or closed, if that is what stands, or None."""
        return self.update if self.update and self.update.is_acceptance else None

    @property
    def claim(self):
        """The update that says what is better for children, or None: a report, though it was accepted since.

        Whoever accepted it says no more of that than in words of their own.
        """
        said = (self.update, self.report)
        return next((update for update in said if update and update.difference_made), None)

    @property
    def says_no_change(self):
        return self.update is not None and is_repeat(self.update)

    @property
    def newest_reports(self):
        """Its newest update and, if the one before speaks of the same day in other words, that too."""
        if not self.update:
            return ()
        is_same_day = self.previous and self.previous.dated == self.update.dated
        return (self.update, self.previous) if is_same_day and not self.repeats_commentary else (self.update,)

    @cached_property
    def flags(self):
        """{kind: words} of the computed flags that stand beside the status, worst first."""
        flags = {}
        if self.is_overdue:
            flags["overdue"] = OVERDUE.word
        if self.is_silent:
            flags["silent"] = SILENT.word
        if self.is_recheck_due:
            flags["recheck"] = RECHECK.word
        if self.is_stale:
            dated = self.update.signature.dated
            is_a_day = dated.precision == "day"
            flags["stale"] = f"{STALE.word} {dated}" if is_a_day else f"No recent update: last dated {dated}"
        return flags

    def answer_to(self, sent_back):
        """What came of a SendBack of a report on it, in a sentence; "" while evidence is awaited."""
        if self.sent_back and self.sent_back.pk == sent_back.pk:
            return ""
        update = self.update
        if update and update.place > sent_back.report_id:
            # Neither says that what was wanted came: an owner may report something else, and a board decide.
            what = "Decided" if update.is_acceptance else "Reported"
            return f"{what} since: {update.words.lower()}, {update.signature.dated}."
        return "Its report was put right since."

    @property
    def is_exception(self):
        """Whether the board should look at it first: it is flagged, off track or at risk."""
        return bool(self.flags) or self.status in (Status.OFF_TRACK, Status.AT_RISK)


def dates_untold(count):
    """That ``count`` dates passed in silence, in words, beside how many were missed; "" for none."""
    return f"{so_many(count, 'date')} passed with nothing reported" if count else ""


def in_a_row(words):
    """``words`` as they read in a sentence: "1, 2 and 4"."""
    *most, last = map(str, words)
    return f"{', '.join(most)} and {last}" if most else last


@dataclass(frozen=True)
class StatusCount:
    """How many actions have one status."""

    status: str
    count: int

    @property
    def words(self):
        return STATUS_WORDS[self.status]


@dataclass(frozen=True)
class ActionGroup:
    """Some actions as they stood on the day, and what follows from them together."""

    actions: tuple[ActionPosition, ...]

    @property
    def counts(self):
        """A StatusCount for each status that any of them has, worst first."""
        counts = self._counted
        return tuple(StatusCount(s, counts[s]) for s in WORST_FIRST if counts[s])

    @property
    def finished(self):
        """A StatusCount for each of done, complete and embedded: three claims, never added up."""
        counts = self._counted
        return tuple(StatusCount(s, counts[s]) for s in (Status.DONE, Status.COMPLETE, Status.EMBEDDED))

    @property
    def _counted(self):
        return Counter(action.status for action in self.actions)

    @property
    def open(self):
        return tuple(a for a in self.actions if a.is_open)

    @property
    def overdue(self):
        return tuple(a for a in self.actions if a.is_overdue)

    @property
    def silent(self):
        """The actions whose date has passed while nobody has ever reported on them."""
        return tuple(a for a in self.actions if a.is_silent)

    @property
    def silent_before(self):
        """Those given a new date after one had passed in silence, on which nobody has reported since."""
        return tuple(a for a in self.actions if a.is_silent_before)

    @property
    def silent_before_words(self):
        """Which they are, beside how many are silent: a new date is no report. "" for none."""
        refs = in_a_row(a.ref for a in self.silent_before) if self.silent_before else ""
        return f"not counted: {refs}, given a new date since, and still not reported on" if refs else ""

    @property
    def past_words(self):
        """How many are past their date: "2 late, 1 silent"; "None"."""
        kinds = (self.overdue, "late"), (self.silent, "silent")
        return ", ".join(f"{len(rows)} {word}" for rows, word in kinds if rows) or "None"

    @property
    def span_words(self):
        """The first of them and the last: "A01 to A20"; "A21" of one."""
        refs = [a.ref for a in self.actions]
        return " to ".join(dict.fromkeys((refs[0], refs[-1]))) if refs else ""

    @property
    def in_words(self):
        """All of them in a line: "2 off track; 1 at risk; A01 and A04 past their date"."""
        past = sorted(a.ref for a in self.overdue + self.silent)
        whose = "their" if len(past) > 1 else "its"
        dates = f"; {in_a_row(past)} past {whose} date" if past else ""
        return f"{self.counts_words}{dates}" if self.actions else "No action"

    @property
    def counts_words(self):
        """How many of them have each status: "1 off track; 3 on track"."""
        return "; ".join(f"{count.count} {count.words.lower()}" for count in self.counts)

    @property
    def stale(self):
        return tuple(a for a in self.actions if a.is_stale)

    @property
    def reported(self):
        """The actions that have a status: somebody reported on them, or they were accepted or closed."""
        return tuple(a for a in self.actions if not a.is_never_reported)

    @property
    def reported_words(self):
        """How many have been reported on, of how many: "2 of 3 reported, 1 of them only in a document".

        Beside them, how many were accepted or closed while nobody had reported: that is no report.
        """
        loaded = sum(action.is_from_document and action.has_report for action in self.reported)
        only = f", {loaded} of them only in a document" if loaded else ""
        unheard = len(self.without_report)
        decided = f", {unheard} accepted or closed without a report" if unheard else ""
        return f"{len(self.reported) - unheard} of {len(self.actions)} reported{only}{decided}"

    @property
    def without_report(self):
        """The actions that were accepted or closed while nobody had ever reported on them."""
        return tuple(a for a in self.reported if not a.has_report)

    @property
    def never_reported(self):
        return tuple(a for a in self.actions if a.is_never_reported)

    @property
    def upcoming(self):
        """The open actions with an agreed date not yet past, soonest first, but for the perhaps past."""
        rows = [a for a in self.open if a.due and not (a.is_overdue or a.is_silent or a.is_perhaps_past)]
        dated = [a for a in rows if a.due.due.last or a.due.due.first]
        return tuple(sorted(dated, key=lambda a: (a.due.due.last or a.due.due.first, a.ref)))

    @property
    def perhaps_past(self):
        """The open actions of which nobody can tell whether their date has passed, earliest first."""
        rows = [a for a in self.open if a.is_perhaps_past]
        return tuple(sorted(rows, key=lambda a: (a.due.due.first, a.ref)))

    @property
    def perhaps_past_words(self):
        """Which dates those are: "May have passed: about 2021 (A02); about 2022 (A05)"; "" for none."""
        dates = [f"{a.due.due} ({a.ref})" for a in self.perhaps_past]
        shown = (
            dates
            if len(dates) <= MOST_NAMED
            else [*dates[: MOST_NAMED - 1], f"{len(dates) - MOST_NAMED + 1} more"]
        )
        return f"{TERMS['perhaps_past']}: {'; '.join(shown)}" if dates else ""
