"""The forms by which a row of the meeting-day sheet is decided, one for each way to decide it.

They are the admin's own, and check everything again under the lock. What the row stands for, the day and the
meeting are put into them here.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field

from django.forms import Textarea
from django.http import Http404

from meetings.outcome_forms import AskOutcomeForm, LateNoteForm
from meetings.outcomes import Result
from recommendations.acceptance import words_of
from recommendations.date_forms import DecisionForm, DueDateForm
from recommendations.deciding import reasons_against
from recommendations.due_dates import DueDate
from recommendations.forms import ProgressUpdateForm, SendBackForm, three_months_after
from recommendations.models import ProgressUpdate
from recommendations.sent_back import SendBack
from recommendations.status import REPORTABLE, STATUS_WORDS
from record.dates import say_day
from record.statement_forms import Addition
from record.work import form_of

NO_MORE = "It waits for no decision any more: see what stands, above."
PUT_RIGHT = (
    "The report was put right, or made anew, after you opened this. Open {name} again, and read what it says "
    "now."
)


@dataclass(frozen=True)
class Way:
    """One way to decide a row: its words, the form that records it, and which ``boxes`` of that are shown.

    ``boxes`` is {column: label}, and ``part`` names them all, since two ways may share them. ``says`` is what
    follows from the choice.
    """

    value: str
    words: str
    kind: type
    part: str
    boxes: dict[str, str]
    says: dict[str, str] = field(default_factory=dict)


WHY = {"reason": "Reason"}
WAYS = {
    "ask": tuple(
        Way(value, words, AskOutcomeForm, "outcome", {"words": "In words"}, {"outcome": value})
        for value, words in Result.choices
    ),
    "date": (
        Way("agreed", "Agree the date", DecisionForm, "decision", WHY, {"outcome": "agreed"}),
        Way("refused", "Refuse it", DecisionForm, "decision", WHY, {"outcome": "refused"}),
    ),
    "completion": (
        Way(
            "accepted",
            "Accept that it is complete",
            ProgressUpdateForm,
            "acceptance",
            {"evidence": "Evidence that was shown", "recheck_on": "Re-check on"},
            {"status": "complete"},
        ),
        Way(
            "sent_back",
            "Send it back for evidence",
            SendBackForm,
            "evidence",
            {"wanted": "What evidence is wanted", "wanted_by": "By when"},
        ),
    ),
    "re-check": (
        Way(
            "held",
            "It has held: it is embedded",
            ProgressUpdateForm,
            "embedding",
            {"narrative": "What shows that it has held"},
            {"status": "embedded"},
        ),
        Way(
            "not_held",
            "It has not held: this reopens it",
            ProgressUpdateForm,
            "report",
            {
                "status": "Status",
                "narrative": "What was found",
                "reason": "Reason",
                "recovery_step": "Recovery step",
            },
        ),
    ),
    "late": (
        Way(
            "new_date",
            "Set a new date",
            DueDateForm,
            "date",
            {"due": "Due", "reason_kind": "Kind of reason", "reason": "Reason"},
        ),
        Way("no_date", "Set no new date", LateNoteForm, "note", {"words": "What the board says"}),
    ),
}


@dataclass(frozen=True)
class Part:
    """The boxes of one form of a row: ``letter`` tells the parts of a row apart, ``ways`` lead to it."""

    letter: str
    ways: tuple[Way, ...]
    form: object

    @property
    def shown(self):
        return [self.form[name] for name in self.ways[0].boxes]

    @property
    def hidden(self):
        return self.form.hidden_fields()

    @property
    def other_errors(self):
        """What is wrong with no box that is shown."""
        errors = self.form.errors.items() if self.form.is_bound else ()
        return [error for name, found in errors if name not in self.ways[0].boxes for error in found]

    @property
    def box_errors(self):
        errors = self.form.errors if self.form.is_bound else {}
        return [(self.form[name], error) for name in self.ways[0].boxes for error in errors.get(name, ())]


class RowForm:
    """The forms of one Row, of which the chosen ``way`` fills in one."""

    def __init__(self, row, meeting, user, at, data=None):
        self.row, self.meeting, self.user, self.at = row, meeting, user, at
        self.sent = data
        self.name = f"{row.slug}-decided"
        chosen = data.get(self.name, "") if data is not None else ""
        self.way = next((way for way in WAYS[row.kind] if way.value == chosen), None)
        parts = defaultdict(list)
        for way in WAYS[row.kind]:
            parts[way.part].append(way)
        self.parts = [
            Part(letter, tuple(ways), self._form(ways))
            for letter, ways in zip("ab", parts.values(), strict=False)
        ]

    @property
    def choices(self):
        """(its Way, the letter of its part, whether it is chosen) for each way."""
        return [(way, part.letter, way is self.way) for part in self.parts for way in part.ways]

    @property
    def chosen(self):
        return next((part for part in self.parts if self.way in part.ways), None)

    @property
    def way_error(self):
        return "Choose what the board decided." if self.sent is not None and not self.way else ""

    @property
    def other_errors(self):
        return self.chosen.other_errors if self.chosen else []

    @property
    def box_errors(self):
        return self.chosen.box_errors if self.chosen else []

    @property
    def is_saved_already(self):
        return bool(self.chosen and self.chosen.form.is_saved_already)

    def is_valid(self):
        if not self.chosen:
            return False
        form, follows = self.chosen.form, set(self.way.says)
        # The form takes the lock, so what is asked after it stays so.
        if not set(form.errors) - follows and (why := self._why_not()):
            form.add_error(None, why)
        if set(form.errors) - follows:
            # What the choice put into a box was refused for another reason, which is told.
            for name in follows & set(form.errors):
                del form.errors[name]
        return not form.errors

    def _why_not(self):
        """Why the row may not be decided as was chosen, though the form could be saved, or ""."""
        row, at = self.row, self.at
        if row.kind == "ask":
            return ""
        action = self.chosen.form.guarded()
        if why := reasons_against(self.user, [action], at).get(action.pk):
            return why
        if row.kind in ("completion", "re-check"):
            if row.about and row.about.pk != row.pk:
                return PUT_RIGHT.format(name=row.name)
            report = ProgressUpdate.objects.get(pk=row.pk)
            waits = action.newest_update(at) == report and not SendBack.in_force_of(report).exists()
        else:
            agreed = DueDate.objects.agreed(at).filter(action=action).first()
            waits = row.kind == "date" or agreed == DueDate.objects.get(pk=row.pk)
        return "" if waits else NO_MORE

    def _form(self, ways):
        """The form of some ``ways`` that share one: bound where one of them was chosen."""
        way = self.way if self.way in ways else ways[0]
        addition = Addition(self.user, self.at, self._subject(way))
        prefix = f"{self.row.slug}-{way.part}"
        data = None
        if self.way in ways:
            data = self.sent.copy()
            for name, value in self._told(way, addition).items():
                data[f"{prefix}-{name}"] = value
        form = form_of(way.kind, addition, data, prefix=prefix)
        for name, label in way.boxes.items():
            # What is wrong with a box is said by the name that it has here.
            form.fields[name].label = label
        self._suit(form, way)
        if data is None and self.sent is not None:
            # What was typed for another way comes back as well.
            for name in way.boxes:
                form.initial[name] = self.sent.get(f"{prefix}-{name}", "")
        return form

    def _subject(self, way):
        """The row of the record that a statement made in this ``way`` is about."""
        if self.row.kind == "ask":
            return self.row.about
        if self.row.kind in ("date", "late"):
            date = DueDate.objects.select_related("action").get(pk=self.row.pk)
            return date.action if way.kind is DueDateForm else date
        report = ProgressUpdate.objects.select_related("action").get(pk=self.row.pk)
        return report if way.kind is SendBackForm else report.action

    def _told(self, way, addition):
        """{box: what is in it} for those that are not asked for: they follow from the row and the choice."""
        day, meeting = f"{self.meeting.held_on:%d/%m/%Y}", str(self.meeting.pk)
        told = {**way.says, "dated": day, "meeting": meeting}
        if way.value == "accepted":
            report = ProgressUpdate.objects.get(pk=self.row.pk)
            told["narrative"] = words_of(report)
        return told

    def _suit(self, form, way):
        """Say on the boxes of ``form`` what is so on this sheet only."""
        for name in way.boxes:
            box = form.fields[name]
            if isinstance(box.widget, Textarea):
                box.widget.attrs["rows"] = 3
            if box.required or way.value == "accepted":
                box.help_text = f"Needed. {box.help_text}".strip()
        if way.value == "accepted":
            day = three_months_after(self.meeting.held_on)
            form.fields[
                "recheck_on"
            ].help_text = f"Needed. {say_day(day)} or later. For example {day:%d/%m/%Y}."
        if way.value == "not_held":
            status = form.fields["status"]
            status.choices = [("", "Choose a status"), *((each, STATUS_WORDS[each]) for each in REPORTABLE)]
            form.initial.pop("status", None)
            if form.current:
                # The way itself says that it reopens the action, so it is not told of it again.
                form.initial["told_of"] = str(form.current.pk)

    def save(self):
        """Add what was decided to the record, once it is valid."""
        self.chosen.form.record()


def typed_about(slug, sent):
    """What ``sent`` says about the row ``slug``: (label, what was chosen or typed) for each box filled in."""
    ways = WAYS[slug.rpartition("-")[0]]
    chosen = [way.words for way in ways if sent.get(f"{slug}-decided") == way.value]
    found = {"Chosen": chosen[0]} if chosen else {}
    for way in ways:
        for name, label in way.boxes.items():
            if text := sent.get(f"{slug}-{way.part}-{name}", "").strip():
                column = way.kind._meta.model._meta.get_field(name)
                found[label] = str(dict(column.flatchoices).get(text, text))
    return list(found.items())


def typed_on_sheet(sent):
    """The same, with what the row is about; None where it is no such row that ``sent`` is about."""
    slug = slug_in(sent.get("_row", ""))
    if slug.rpartition("-")[0] not in WAYS:
        return None
    return [("What it is about", sent.get("about", slug)), *typed_about(slug, sent)]


def slug_in(text):
    """``text`` if it can be the slug of a row, or is empty; raises Http404 where it can be none's."""
    if text and not re.fullmatch(r"arising|present|[a-z-]+-[0-9]{1,18}", text):
        raise Http404
    return text
