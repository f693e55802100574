"""The rows of actions and of what was said of them, as files have them: one row a thing.

The columns stand here and nowhere else: the first line of each file and the help page both read them. A name
never changes and goes to nothing else, because people's own sheets rest on it; new ones come last.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter

from django.urls import reverse

from recommendations.date_outcomes import became
from recommendations.due_dates import Decision
from recommendations.history import history
from recommendations.sent_back import SendBack
from record.files import WIDE, Column

# As many entries of an action as anybody could make: all of them.
ALL = 1_000_000


def superseded_columns(superseded):
    """The columns that say whether an entry counts; ``superseded`` gives the Superseded of a row, or None."""

    def told(name):
        return lambda row: getattr(superseded(row), name, None)

    return (
        Column(
            "standing",
            "Stands; or Corrected or Withdrawn: it counts no more, and stays to be read",
            lambda row: told("words")(row) or "Stands",
        ),
        Column("superseded_by", "Who corrected or withdrew it: the name then", told("by"), 20),
        Column("superseded_at", "When that was recorded", told("recorded_at"), 26),
        Column("superseded_reason", "Why", told("reason"), WIDE),
    )


def signed_columns(signature):
    """The columns that say who stated something and when; ``signature`` gives the Signature of a row."""
    return (
        Column("signed", "Who recorded it: the name and role then", lambda row: signature(row).by, 30),
        Column("recorded_at", "When the server took it", lambda row: signature(row).recorded_at, 26),
    )


def source_columns(said):
    """The columns that say which document something is from; ``said`` gives the row that cites it."""

    def document(row):
        cited = said(row).document
        return cited.title if cited else ""

    return (
        Column("document", "The document that it was loaded from", document, 30),
        Column("reference", "Where in the document", lambda row: said(row).reference, 20),
    )


def of(update, name):
    """The value of ``name`` of the ``update`` of an action that is so called there, or None without one.

    ``update`` is the newest, ``last_report`` the newest report though that was accepted, ``accepted`` what
    accepted or closed it; ``claim`` says what is better for children.
    """
    value = attrgetter(name)
    return lambda action: value(row) if (row := getattr(action, update)) else None


def _newest_wanted(action):
    return action.sent_back.in_words() if action.sent_back else ""


ACTIONS = (
    Column("ref", "The action’s reference number", lambda a: a.ref, 8),
    Column("title", "What is to be done", lambda a: a.title, WIDE),
    Column("recommendations", "The numbers of those that it answers", lambda a: a.recommendations),
    Column("findings", "The findings that it answers", lambda a: a.findings),
    Column("owner_role", "The role that answers for it", lambda a: a.owner_role, 30),
    Column("owner", "The person who owned it that day: the name then", lambda a: a.owner, 20),
    Column("status", "The status in words", lambda a: a.words, 20),
    Column("status_code", "The status as addresses and programs name it", lambda a: a.status),
    Column("is_open", "Whether it is neither complete, embedded nor closed", lambda a: a.is_open, 8),
    Column("is_overdue", "Reported, open and past its date", lambda a: a.is_overdue, 8),
    Column("is_silent", "Past its date, and nothing was ever reported", lambda a: a.is_silent, 8),
    Column("is_stale", "Open, and not updated for long", lambda a: a.is_stale, 8),
    Column("is_recheck_due", "The day to check again has come", lambda a: a.is_recheck_due, 8),
    Column("first_date", "The first date, as it was said", lambda a: a.baseline and a.baseline.due, 20),
    Column("due", "The date that stands, as it was said", lambda a: a.due and a.due.due, 20),
    Column(
        "due_last_day", "The last day that it may mean; empty if none", lambda a: a.due and a.due.due.last
    ),
    Column("dates_moved", "How many times the date moved", lambda a: a.revisions, 8),
    Column("slippage", "How far, from the first date", lambda a: a.slip.words if a.slip else "", 30),
    Column("deadlines_missed", "How many agreed dates were missed", lambda a: a.misses, 8),
    Column(
        "missed_is_at_least", "More may have been, before this record", lambda a: bool(a.earlier_misses), 8
    ),
    Column("dates_untold", "Dates that passed with nothing reported", lambda a: a.untold, 8),
    Column(
        "proposed", "The date asked for, not yet decided", lambda a: tuple(p.due for p in a.proposals), 20
    ),
    Column("sent_back", "What evidence is waited for, and by when", _newest_wanted, WIDE),
    Column(
        "updated",
        "The day its newest update speaks of: a report or an acceptance",
        of("update", "signature.dated"),
        20,
    ),
    Column("updated_signed", "Who recorded that: the name and role then", of("update", "signature.by"), 30),
    Column("updated_recorded_at", "When the server took it", of("update", "signature.recorded_at"), 26),
    Column("updated_for", "The owner for whom it was recorded", of("update", "on_behalf_of_signed"), 30),
    Column("narrative", "What the last update says has happened", of("update", "narrative"), WIDE),
    Column("reason", "Why it is at risk, off track or closed", of("update", "reason"), WIDE),
    Column("recovery_step", "What will be done about that", of("update", "recovery_step"), WIDE),
    Column("difference_made", "What is said to be better for children", of("claim", "difference_made"), WIDE),
    Column("evidence", "What is said to show it", of("update", "evidence"), WIDE),
    Column("recheck_on", "The day to check that it has held", of("update", "recheck_on")),
    Column("agreed_on", "When the board agreed it", lambda a: a.agreed_on or None, 20),
    *source_columns(lambda a: a),
    Column("times_corrected", "How often its row was edited", lambda a: len(a.corrections), 8),
    Column("page", "Its page on this site", lambda a: reverse("action", args=[a.ref]), 16),
    Column(
        "reported",
        "The day its last report speaks of, though that was accepted since",
        of("last_report", "signature.dated"),
        20,
    ),
    Column("reported_status", "The status that it reports, in words", of("last_report", "words"), 20),
    Column(
        "reported_signed", "Who reported it: the name and role then", of("last_report", "signature.by"), 30
    ),
    Column(
        "reported_recorded_at",
        "When the server took that report",
        of("last_report", "signature.recorded_at"),
        26,
    ),
    Column(
        "reported_for",
        "The owner for whom that report was recorded",
        of("last_report", "on_behalf_of_signed"),
        30,
    ),
    Column("reported_narrative", "What that report says has happened", of("last_report", "narrative"), WIDE),
    Column(
        "accepted",
        "The day it was accepted or closed; empty while neither stands",
        of("accepted", "signature.dated"),
        20,
    ),
    Column(
        "accepted_signed",
        "Who accepted or closed it: the name and role then",
        of("accepted", "signature.by"),
        30,
    ),
    Column("accepted_recorded_at", "When the server took that", of("accepted", "signature.recorded_at"), 26),
    Column(
        "accepted_at",
        "The meeting that accepted or closed it; empty if between",
        lambda a: a.accepted and a.accepted.meeting and a.accepted.meeting.held_on,
    ),
    Column(
        "difference_made_dated",
        "The day for which that difference is said",
        of("claim", "signature.dated"),
        20,
    ),
    Column(
        "difference_made_signed",
        "Who said that difference: the name and role then",
        of("claim", "signature.by"),
        30,
    ),
)

ENTRY = (
    Column("entry", "A name of its own: where its action’s page has it", lambda e: e.anchor, 16),
    Column("action", "The action’s reference number", lambda e: e.action, 8),
    Column("dated", "The day it speaks of, as it was said", lambda e: e.signature.dated, 20),
)


def _said(line):
    """The row of the HistoryLine ``line``."""
    return line.signature.row


def of_said(name):
    return lambda line: getattr(_said(line), name)


def _corrects(line):
    row = _said(line)
    kind = line.anchor.rpartition("-")[0]
    return f"{kind}-{row.corrects_id}" if row.corrects_id else ""


UPDATES = (
    *ENTRY,
    Column("status", "The status in words", lambda e: e.now, 20),
    Column("status_code", "The status as addresses and programs name it", of_said("status")),
    Column("status_before", "The status that it changed, in words", lambda e: e.was, 20),
    Column("turn", "Where it reopened the action, or changed nothing", lambda e: e.turn, 30),
    Column("narrative", "What it says has happened", of_said("narrative"), WIDE),
    Column("reason", "Why it is at risk, off track or closed", of_said("reason"), WIDE),
    Column("recovery_step", "What will be done about that", of_said("recovery_step"), WIDE),
    Column("difference_made", "What is said to be better for children", of_said("difference_made"), WIDE),
    Column("evidence", "What is said to show it", of_said("evidence"), WIDE),
    Column("recheck_on", "The day to check that it has held", of_said("recheck_on")),
    Column(
        "meeting",
        "The meeting that accepted it, or found that it had not held",
        lambda e: e.meeting and e.meeting.held_on,
    ),
    *signed_columns(lambda e: e.signature),
    Column("recorded_for", "The owner for whom it was recorded", of_said("on_behalf_of_signed"), 30),
    Column("days_late", "How many days after its day it was recorded", lambda e: e.signature.days_late, 8),
    *superseded_columns(lambda e: e.superseded),
    Column("corrects", "The entry whose place it takes", _corrects, 16),
    Column("correction_reason", "What was wrong with that one", of_said("correction_reason"), WIDE),
    *source_columns(_said),
    Column("note", "What else a reader should know", of_said("note"), WIDE),
)

DECISIONS = (
    *ENTRY,
    Column(
        "kind",
        "What was decided on: a date, a report or a status",
        lambda e: KINDS[_said(e)._meta.model_name],
        20,
    ),
    Column("on", "What it was before, or what was asked for", lambda e: e.was, 30),
    Column("outcome", "What was decided", lambda e: e.now, 30),
    Column("reason", "Why, or what is wanted, as it was recorded", lambda e: e.text, WIDE),
    Column(
        "meeting", "The meeting that decided; empty if between", lambda e: e.meeting and e.meeting.held_on
    ),
    *signed_columns(lambda e: e.signature),
    *superseded_columns(lambda e: e.superseded),
    Column("corrects", "The entry whose place it takes", _corrects, 16),
    Column("correction_reason", "What was wrong with that one", of_said("correction_reason"), WIDE),
)
# By name, since what meetings say is of a room that knows this one.
KINDS = {
    "decision": "A proposed date",
    "duedate": "A date",
    "sendback": "A report of completion",
    "progressupdate": "A status",
    "latenote": "A late action",
}


@dataclass(frozen=True)
class DateRow:
    """A date that the ``action`` had or was asked; ``stands`` and ``is_first`` say which it is now."""

    action: object
    line: object
    stands: bool
    is_first: bool

    @property
    def ref(self):
        return self.action.ref

    @property
    def outcome(self):
        """What became of its day, in words; "" for a date that never counted."""
        return became(self.action, self.line) if self.line.row.effective_on else ""

    @property
    def words(self):
        """What became of it."""
        line = self.line
        kinds = (
            (line.row.is_withdrawn, "Withdrawn"),
            (self.stands, "Stands"),
            (line.is_refused, "Refused"),
            (line.is_taken_back, "Taken back"),
            (line.is_ended, "Ended undecided"),
            (line.row.effective_on and not line.undone, "Replaced"),
        )
        return next((words for is_so, words in kinds if is_so), "Not yet decided")


DATES = (
    Column(
        "entry", "A name of its own: where its action’s page has it", lambda d: f"due-date-{d.line.pk}", 16
    ),
    Column("action", "The action’s reference number", lambda d: d.ref, 8),
    Column("due", "The date, as it was said", lambda d: d.line.due, 20),
    Column("due_last_day", "The last day that it may mean; empty if none", lambda d: d.line.due.last),
    Column("became", "What became of it", lambda d: d.words, 16),
    Column("is_first", "Whether it is the first date", lambda d: d.is_first, 8),
    Column("is_proposal", "Whether its owner asked for it", lambda d: d.line.is_proposal, 8),
    Column("is_missed", "Whether it was missed", lambda d: d.line.is_missed, 8),
    Column("was_missed", "Missed by a report that was withdrawn since", lambda d: d.line.was_missed, 8),
    Column("passed_in_silence", "It passed, nothing reported", lambda d: d.line.passed_in_silence, 8),
    Column("reason_kind", "Why this date: the kind of reason", lambda d: d.line.reason_kind_words, 20),
    Column("reason", "Why this date", lambda d: d.line.reason, WIDE),
    Column("dated", "The day it was set or asked for", lambda d: d.line.row.signature.dated, 20),
    *signed_columns(lambda d: d.line.row.signature),
    Column(
        "counted_from",
        "The day from which it counted",
        lambda d: d.line.counted_from if d.line.row.effective_on else None,
        20,
    ),
    Column(
        "agreed_by",
        "Who made it count: the name and role then",
        lambda d: d.line.agreed_by if d.line.row.effective_on else "",
        30,
    ),
    Column(
        "decision",
        "The decision on it that stands",
        lambda d: d.line.decided.in_words() if d.line.decided else "",
        WIDE,
    ),
    Column("ended", "What ended it while it waited", lambda d: d.line.ended_words, WIDE),
    *superseded_columns(lambda d: d.line.withdrawn),
    *source_columns(lambda d: d.line.row),
    Column("note", "What else a reader should know", lambda d: d.line.note, WIDE),
    Column(
        "meeting",
        "The meeting that set it or decided on it; empty if none",
        lambda d: d.line.meeting and d.line.meeting.held_on,
    ),
    Column("outcome", "What became of its day, in the words of its action’s page", lambda d: d.outcome, 30),
    Column(
        "undone_decision",
        "The agreement of it that was corrected or withdrawn",
        lambda d: d.line.undone.in_words() if d.line.undone else "",
        WIDE,
    ),
)


def entries_of(actions, at):
    """The HistoryLines of each of ``actions``, newest first; those of one action are in memory at a time."""
    for action in actions:
        yield from history(at, actions=[action.pk], most=ALL).entries


def actions_among(actions, at):
    return actions


def updates_among(actions, at):
    """The HistoryLine of every update of ``actions``."""
    return (line for line in entries_of(actions, at) if line.update)


def decisions_among(actions, at):
    """The HistoryLine of what was decided on ``actions``: dates, reports sent back, acceptances, closures.

    A date, and a report that reopens an action, are decisions where a meeting made them.
    """
    for line in entries_of(actions, at):
        is_decision = isinstance(_said(line), Decision | SendBack) or bool(line.meeting)
        if is_decision or (line.update and line.update.is_acceptance):
            yield line


def dates_among(actions, at):
    """A DateRow of every date that ``actions`` had or were asked for, in the order of the record."""
    for a in actions:
        lines = {
            line.pk: line
            for lines in (a.taken_off, a.ended, a.taken_back, a.refused, a.proposals, a.dates)
            for line in lines
        }
        for _, line in sorted(lines.items()):
            stands, is_first = a.due and a.due.pk == line.pk, a.baseline and a.baseline.pk == line.pk
            yield DateRow(a, line, bool(stands), bool(is_first))


@dataclass(frozen=True)
class Export:
    """A file of what was said of some actions: its ``columns``, and the ``rows`` of ActionPositions."""

    name: str
    holds: str
    columns: tuple[Column, ...]
    rows: Callable


EXPORTS = {
    export.name: export
    for export in (
        Export("actions", "how each action stands: the rows of the list of actions", ACTIONS, actions_among),
        Export("updates", "every report ever made on these actions", UPDATES, updates_among),
        Export("dates", "every date these actions had or were asked for", DATES, dates_among),
        Export("decisions", "every decision on these actions", DECISIONS, decisions_among),
    )
}
