"""Actions, owners and dates from a spreadsheet: what each row would add to the record, and adding it.

A row goes through the forms of the admin, under the same lock: nothing is taken from a file that could not be
typed. What is on the record already is never changed; where a file says otherwise, that is told.
"""

import copy
import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field

from django import forms
from django.contrib.auth import get_user_model
from django.db import transaction

from recommendations.date_forms import DueDateForm, refuse_too_early
from recommendations.deciding import may_date
from recommendations.due_dates import DueDate, ReasonKind
from recommendations.forms import ActionForm, OwnershipForm, offer_who_can_record
from recommendations.models import Action, Recommendation
from recommendations.ownership import Ownership
from record import ledger, versions
from record.dates import EdtfFormField, read_edtf, say
from record.error_words import say_plainly_at
from record.forms import hold
from record.models import Document
from record.signing import Refused, name_in, name_of
from record.spreadsheets import Row, read_table
from record.statement_forms import Addition
from record.texts import so_many
from record.work import class_of, form_of
from visits.models import Finding

KEY = "ref"
# In the order in which the page lists them, with what is expected in each.
COLUMNS = {
    "ref": "A28, A29 and so on: the action that the row is about",
    "title": "what will be done",
    "recommendations": "numbers of recommendations: 1; 6",
    "findings": "numbers of findings: F03; F12",
    "owner_role": "the role that answers for it",
    "agreed_on": "the day the board agreed it: 22/11/2022",
    "due": "the date by which it is due, where none is set yet",
    "first_due": "the first date it had, where that is another one",
    "owner": "the name or the username of the account that records its progress",
    "document": "the title or the key of the document that it comes from",
    "reference": "where in the document",
}
# What only a new action is made of. Of one that is there, a difference is told.
OF_THE_ACTION = (
    "title",
    "recommendations",
    "findings",
    "owner_role",
    "agreed_on",
    "document",
    "reference",
)
LISTED = re.compile(r"[;,\n]")
NOT_SET = re.compile(
    r"(tb[cda]|to be (confirmed|agreed|decided|announced)|n/?a|none|unknown|not set|[-–—?]+)\.?", re.I
)
TOTALS = re.compile(r"((grand|sub) ?)?totals?\b.*|count\b.*", re.I)
# Days from 1990 to 2099, as Excel counts them from the end of 1899.
SERIALS = range(32874, 73051)
# All of them are added under one lock, for which everybody else who saves something waits.
MOST_ADDED = 50
IN_PARTS = "Import those first, then the whole file again."
ADDED, OWNER, DATE, PROPOSED = "added", "owner", "date", "proposed"


@dataclass(frozen=True)
class Fault:
    """What is wrong with a row, in a ``column`` of it or, without one, as a whole."""

    row: int
    column: str
    typed: str
    why: str

    def __str__(self):
        where = f"row {self.row}, column {self.column}" if self.column else f"row {self.row}"
        if not self.typed:
            return f"{where[0].upper()}{where[1:]}: {self.why}"
        typed = self.typed if len(self.typed) <= 60 else f"{self.typed[:60]}…"
        return f"“{typed}” in {where}: {self.why}"


@dataclass
class Outcome:
    """What becomes of one row: what it does, by kind, in words; what differs; what is wrong."""

    number: int
    ref: str
    title: str = ""
    does: dict = field(default_factory=dict)
    differs: list = field(default_factory=list)
    faults: list = field(default_factory=list)

    @property
    def words(self):
        """What it does, a sentence each."""
        return [*self.does.values()] or ["Nothing to change."]


@dataclass(frozen=True)
class Outcomes:
    """What becomes of the rows of a file, all of them or, if any is wrong, none."""

    rows: tuple[Outcome, ...]

    @property
    def faults(self):
        return [fault for row in self.rows for fault in row.faults]

    @property
    def counts(self):
        return Counter(kind for row in self.rows for kind in row.does)

    @property
    def digest(self):
        """By which two checks of the same rows are compared: it is another one if anything would differ."""
        said = [[row.number, row.ref, row.words, row.differs, [*map(str, row.faults)]] for row in self.rows]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    @property
    def in_words(self):
        """What would be done, or was, in a line: "2 actions added, 1 owner set"."""
        named = (
            (ADDED, "action", "added"),
            (OWNER, "owner", "set"),
            (DATE, "date", "set"),
            (PROPOSED, "date", "proposed"),
        )
        counts = self.counts
        said = [f"{so_many(counts[k], what)} {done}" for k, what, done in named if counts[k]]
        return ", ".join(said)


def read_file(content):
    """The Table of actions in the bytes of a file; raises Unreadable."""
    return read_table(content, columns=tuple(COLUMNS), key=KEY)


def check(rows, *, by, at):
    """The Outcomes of importing ``rows`` now, without adding anything."""
    with transaction.atomic():
        outcomes = bring_in(rows, by=by, at=at)
        transaction.set_rollback(True)
    return outcomes


def bring_in(rows, *, by, at):
    """Add what ``rows`` say to the record, signed by the account ``by``; return the Outcomes.

    Whoever calls it takes everything back if anything is wrong.
    """
    importing = _Importing(rows, by, at)
    importing.add_actions()
    importing.add_all(importing.set_owner)
    # Who owns an action decides whether its date counts or is a proposal.
    importing.add_all(importing.set_date)
    return Outcomes(tuple(line.outcome for line in importing.lines))


@dataclass
class Line:
    """One row on its way: the action it is about once that is known, and whether it is a new one."""

    row: Row
    outcome: Outcome
    action: Action | None = None
    is_new: bool = False

    def wrong(self, column, why):
        """Note that what the row says in ``column`` cannot be taken."""
        self.outcome.faults.append(Fault(self.row.number, column, self.row[column] if column else "", why))

    def is_refused_for(self, column):
        """Whether something is wrong with what ``column`` says, or with which action the row is about."""
        return any(fault.column in (column, KEY) for fault in self.outcome.faults)


class _Importing:
    """The rows of a file, and those of the record that they name, read once and under the lock."""

    def __init__(self, rows, by, at):
        self.by, self.at = by, at
        refs = {row[KEY].upper() for row in rows}
        # Before the turn to write: whoever reports on an action holds it first and waits for the turn then.
        hold(Action.objects.filter(ref__in=refs))
        ledger.take_turn()
        self.actions = {a.ref: a for a in Action.objects.filter(ref__in=refs).select_related("document")}
        self.recommendations = {str(r.number): r for r in Recommendation.objects.filter(is_withdrawn=False)}
        self.findings = {f.ref: f for f in Finding.objects.filter(is_withdrawn=False)}
        self.documents = Document.objects.filter(is_withdrawn=False)
        self.linked = {
            name: self._links(getattr(Action, name).through, name[:-1])
            for name in ("recommendations", "findings")
        }
        standing = Ownership.objects.of_the_day(at).filter(action__in=self.actions.values())
        self.owners = {each.action_id: (each.owner_id, name_in(each.owner_signed)) for each in standing}
        agreed = [*DueDate.objects.agreed(at).filter(action__in=self.actions.values())]
        # The one that stands is the first of each action's.
        self.dates = {each.action_id: each.due for each in reversed(agreed)}
        self.accounts = [*get_user_model().objects.filter(is_active=True)]
        self.lines = self._lines(rows)

    def _links(self, through, other):
        """{key of an action: what it links to}, by their numbers."""
        found = {}
        value = "number" if other == "recommendation" else "ref"
        links = through.objects.filter(action__in=self.actions.values()).order_by("pk")
        for action, name in links.values_list("action", f"{other}__{value}"):
            found.setdefault(action, set()).add(str(name))
        return found

    def _lines(self, rows):
        lines, seen = [], {}
        for row in rows:
            ref = row[KEY].upper()
            line = Line(row, Outcome(row.number, ref, row["title"]), self.actions.get(ref))
            for column, why in row.faults.items():
                line.wrong(column, why)
            if not ref:
                line.wrong(KEY, "Enter the reference number of the action, such as A28, or delete the row.")
            elif TOTALS.fullmatch(ref):
                line.wrong(KEY, "This looks like a row of totals. Delete the row from the file.")
            elif ref in seen:
                line.wrong(KEY, f"Row {seen[ref]} is about {ref} already. Leave one row for each action.")
            elif line.action and line.action.is_withdrawn:
                line.wrong(KEY, f"{ref} was withdrawn, and its number is never used again.")
            seen.setdefault(ref, row.number)
            line.is_new = line.action is None
            lines.append(line)
        return lines

    def add_actions(self):
        """Add the actions that are new, in one save; of the others tell what differs."""
        with versions.saving(by=self.by):
            for line in self.lines:
                if line.is_refused_for(KEY):
                    continue
                if line.is_new and (line.outcome.faults or self._has_room(line, KEY)):
                    self._add_action(line)
                elif not (line.is_new or line.outcome.faults):
                    self._compare(line)

    def _has_room(self, line, column):
        """Whether something more may be added for a row: there is room for MOST_ADDED rows."""
        if line.outcome.does or sum(bool(each.outcome.does) for each in self.lines) < MOST_ADDED:
            return True
        line.wrong(
            column,
            f"{MOST_ADDED} rows above it add something, as many as can be imported at once. {IN_PARTS}",
        )
        return False

    def add_all(self, step):
        """Add to history, one after the other, what each row gives in one ``step``, a method."""
        self.said = []
        for line in self.lines:
            step(line)
        ledger.append(self.said)

    def _add_action(self, line):
        typed = {name: line.row[name] for name in ("ref", "title", "owner_role", "agreed_on", "reference")}
        typed |= {"ref": line.outcome.ref, "earlier_misses": 0, "document": ""}
        for name in ("recommendations", "findings"):
            typed[name] = [row.pk for row in self._named(line, name)]
        if line.row["document"] and (document := self._document(line)):
            typed["document"] = document.pk
        if why := _no_date(line.row["agreed_on"]):
            line.wrong("agreed_on", why)
        form = class_of(ActionForm, Action, [*typed])(typed)
        if self._valid(line, form, among=COLUMNS) and not line.outcome.faults:
            line.action = form.save()
            line.outcome.does[ADDED] = f"Action {line.action.ref} added."

    def _named(self, line, column):
        """The rows that ``column`` names by their numbers; each that is none is wrong."""
        known, found = getattr(self, column), []
        for name in filter(None, (part.strip() for part in LISTED.split(line.row[column]))):
            name = name.upper()
            if name in known:
                found.append(known[name])
            else:
                line.wrong(
                    column, f"There is no {column[:-1]} {name}. Write their numbers with “;” between them."
                )
        return found

    def _document(self, line):
        said = line.row["document"]
        found = [each for each in self.documents if said in (each.title, each.key)]
        if len(found) != 1:
            problem = "No document has" if not found else f"{len(found)} documents have"
            line.wrong("document", f"{problem} this title or key. Write it as the board does, or its key.")
        return found[0] if len(found) == 1 else None

    def _compare(self, line):
        """Tell what the row says of an action that is on the record and that the record does not."""
        action = line.action
        line.outcome.title = action.title
        document = action.document
        held = {
            "title": action.title,
            "owner_role": action.owner_role,
            "agreed_on": say(action.agreed_on) if action.agreed_on else "",
            "document": document.title if document else "",
            "reference": action.reference,
        }
        for column in OF_THE_ACTION:
            typed = line.row[column]
            if not typed:
                continue
            if column in self.linked:
                names = self.linked[column].get(action.pk, set())
                same = {part.strip().upper() for part in LISTED.split(typed)} - {""} == names
                was = "; ".join(sorted(names, key=lambda name: (len(name), name)))
            else:
                was = held[column]
                same = " ".join(typed.split()) == " ".join(was.split())
                same = same or column == "document" and document and typed == document.key
                same = same or column == "agreed_on" and _is_date(typed, action.agreed_on)
            if not same:
                self._tell(line, column, was)

    def _tell(self, line, column, was):
        typed = line.row[column]
        line.outcome.differs.append(
            f"{column}: the record says “{was}”, the file “{typed}”."
            if was
            else f"{column}: the record says nothing, the file “{typed}”."
        )

    def set_owner(self, line):
        """Set the owner that a row names, from today on, if it is another one than the record has."""
        name = line.row["owner"]
        if not name or line.is_refused_for("owner"):
            return
        key, held = self.owners.get(line.action and line.action.pk, (None, ""))
        if held and name_in(name) == held:
            return
        owner = self._account(line, name)
        if owner is None or owner.pk == key:
            return
        if line.action is None:
            self._check_owner(line, owner)
            return
        if not self._has_room(line, "owner"):
            return
        form = self._form(OwnershipForm, line, owner=owner.pk)
        if self._record(line, form, "owner"):
            line.outcome.does[OWNER] = f"Owner set: {name_of(owner)}, from today on."

    def _check_owner(self, line, owner):
        """Note whether ``owner`` cannot own an action that something else keeps from being added."""
        box = copy.deepcopy(OwnershipForm.base_fields["owner"])
        offer_who_can_record(box)
        say_plainly_at(box, "Owner")
        try:
            box.clean(owner.pk)
        except forms.ValidationError as error:
            line.wrong("owner", " ".join(error.messages))

    def _account(self, line, name):
        """The one open account with the name or the username ``name``; None, and why, where there is none."""
        found = [
            each for each in self.accounts if name_in(name) == name_of(each) or name == each.get_username()
        ]
        if len(found) == 1:
            return found[0]
        if found:
            line.wrong("owner", f"{len(found)} open accounts have this name. Write the username instead.")
        elif NOT_SET.fullmatch(name):
            line.wrong("owner", "No open account has this name. Leave the cell empty if nobody is named yet.")
        else:
            line.wrong("owner", "No open account has this name or username. An administrator opens accounts.")
        return None

    def set_date(self, line):
        """Set the date that a row gives, if the record has none; a date that is set is moved on its page."""
        due = line.row["due"]
        held = self.dates.get(line.action.pk) if line.action else None
        if not due or line.is_refused_for("due"):
            return
        if held:
            if not _is_date(due, held):
                self._tell(line, "due", say(held))
            return
        if refused := self._refused_date(line):
            line.wrong(*refused)
            return
        if line.action is None:
            self._check_date(line)
            return
        if not self._has_room(line, "due"):
            return
        reason = f"As in row {line.row.number} of the spreadsheet that was imported."
        form = self._form(DueDateForm, line, due=due, reason_kind=ReasonKind.FIRST, reason=reason)
        if self._record(line, form, "due"):
            row = form.instance
            kind, words = (PROPOSED, "Date proposed") if row.needs_decision else (DATE, "Date set")
            past = " It is already past." if row.due_last and row.due_last < self.at.today else ""
            line.outcome.does[kind] = f"{words}: due {say(row.due)}.{past}"

    def _check_date(self, line):
        """Note what is wrong with the date of an action that something else keeps from being added."""
        agreed_on = read_edtf(_edtf(line.row["agreed_on"])).first
        try:
            due = DueDateForm.base_fields["due"].clean(line.row["due"])
            refuse_too_early(due, agreed_on=agreed_on)
        except forms.ValidationError as error:
            line.wrong("due", " ".join(error.messages))

    def _refused_date(self, line):
        """(column, why) where the date of a row is refused before it comes to its form, else None."""
        due, first = line.row["due"], line.row["first_due"]
        if why := _no_date(due):
            return "due", why
        if first and not _is_date(due, _edtf(first)):
            return "first_due", (
                "A date is moved with a reason, which the file does not hold. Enter the first date in both "
                "columns, and move it on the action’s own page."
            )
        try:
            if line.action and not may_date(self.by, line.action, self.at):
                return "due", "Your role does not include setting dates for the actions of others."
        except Refused as refusal:
            return "due", str(refusal)
        return None

    def _form(self, kind, line, **typed):
        addition = Addition(self.by, self.at, line.action)
        prefix = f"row-{line.row.number}"
        typed |= {"dated": f"{self.at.today:%d/%m/%Y}"}
        form = form_of(
            kind, addition, {f"{prefix}-{name}": value for name, value in typed.items()}, prefix=prefix
        )
        # It is opened now: what anybody said until now is seen by whoever reads what would be done.
        form.carry("opened_on", form.newest())
        return form

    def _record(self, line, form, column):
        """Add what ``form`` says unless something is wrong with it, of which all is told of ``column``."""
        if not self._valid(line, form, among=(column,), other=column):
            return False
        self.said += form.signed_rows()
        return True

    def _valid(self, line, form, *, among, other=""):
        """Whether ``form`` is valid; if not, note what is wrong with the row, once in each column."""
        for name, box_ in form.fields.items():
            box_.error_messages["required"] = f"Enter the {name.replace('_', ' ')}."
        noted = {fault.column for fault in line.outcome.faults}
        for name, errors in form.errors.items():
            column = name if name in among else other
            if column not in noted or not column:
                line.wrong(column, " ".join(errors))
        return form.is_valid()


def _edtf(text):
    """The EDTF string for a date as it is typed or as the board's pages print it, or "" if it is none."""
    try:
        return EdtfFormField(as_printed=True, required=False).clean(text)
    except forms.ValidationError:
        return ""


def _is_date(text, held):
    """Whether ``text`` is the date that the EDTF string ``held`` stands for, as a page prints it or typed."""
    return bool(held) and (text in (held, say(held)) or _edtf(text) == held)


def _no_date(text):
    """Why ``text`` cannot be read as a date where a spreadsheet has its own reasons, a sentence, or ""."""
    if NOT_SET.fullmatch(text):
        return "This is not a day, a month or a year. Leave the cell empty if none is set yet."
    if text.isdecimal() and text.isascii() and len(text) == 5 and int(text) in SERIALS:
        return (
            "This is a number, perhaps of a day as spreadsheets count them. Format the column as dates, or "
            "type the date: 22/11/2022."
        )
    return ""
