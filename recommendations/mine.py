"""An owner's page: their open actions, each with the boxes in which to say how it stands, saved together."""

import re
from dataclasses import dataclass, field

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import capfirst, get_text_list
from django.views.decorators.http import require_http_methods

from recommendations.action_position import ActionPosition
from recommendations.deciding import may_report, records_progress
from recommendations.forms import ProgressUpdateForm
from recommendations.models import Action, ProgressUpdate
from recommendations.no_change import is_repeat, repeat_of, why_not_repeat
from recommendations.own_actions import Task, tasks_of
from recommendations.position import positions_owned
from recommendations.status import REPORTABLE
from record.as_at import AsAt
from record.forms import hold
from record.held import went_out
from record.models import Meeting
from record.signing import Refused
from record.statement_forms import Addition
from record.work import Lost, Problem, for_those_who, form_of, newest_tokens

TYPED = ("narrative", "reason", "recovery_step", "difference_made", "evidence")
ASKED = ("status", *TYPED)
NO_CHANGE = "no_change"
BOX = re.compile(rf"([A-Z]\w*)-({'|'.join((*ASKED, NO_CHANGE))})")
NOT_BOTH = (
    "You ticked “no change” and gave a status or words of your own. Untick it, or take the others out again."
)


@dataclass(frozen=True)
class OwnReport(Addition):
    """A report that an owner is about to make, with what the page has read of the action beside others."""

    position: ActionPosition | None = None
    newest: str = "0"


class OwnReportForm(ProgressUpdateForm):
    """The form of a report among others on a page: as it is opened, it asks the database for nothing."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        status = self.fields["status"]
        status.widget = forms.RadioSelect(choices=status.choices[1:])
        self.initial["dated"] = f"{self.addition.as_at.today:%d/%m/%Y}"
        for name in TYPED:
            self.fields[name].widget.attrs["rows"] = 5 if name == "narrative" else 3
        self.fields["evidence"].help_text = self.fields["evidence"].help_text.replace(
            "Needed for complete", "The board accepts nothing as complete without it"
        )

    def at_present(self):
        if self.is_bound:
            return super().at_present()
        return self.addition.user, self.addition.position.update

    def offered(self):
        self.barred = ""
        return list(REPORTABLE)

    def newest(self):
        return super().newest() if self.is_bound else self.addition.newest


@dataclass
class Row:
    """An action on the page with its form. ``errors`` are those that belong to no box that is shown."""

    task: Task
    form: OwnReportForm
    was: str
    is_ticked: bool = False
    errors: list[str] = field(default_factory=list)
    is_saved_already: bool = False

    @property
    def slug(self):
        return self.task.action.ref

    @property
    def boxes(self):
        return [self.form[name] for name in TYPED]

    @property
    def problems(self):
        """A Problem for each thing that is wrong, with the action's number before it."""
        found = [Problem(self.slug, f"{self.slug}: {words}") for words in self.errors]
        for box in (self.form["status"], *self.boxes):
            anchor = f"{box.auto_id}_0" if box.name == "status" else box.auto_id
            found += [Problem(anchor, f"{self.slug}: {words}") for words in box.errors]
        return found


@require_http_methods(["GET", "HEAD", "POST"])
@for_those_who(records_progress, writes=(ProgressUpdate,))
def mine(request):
    """Show the open actions of whoever asks, and save what they report on any of them, each by itself.

    It is about today, whatever day the address asks for: what is saved is saved now.
    """
    request.as_at = at = AsAt.now(request.as_at.today)
    sent = request.POST if request.method == "POST" else None
    filled = filled_in(sent) if sent else {}
    if filled:
        # All of them at once and in one order, so that two people who save several wait for each other once.
        hold(Action.objects.filter(ref__in=filled))
    owned = tasks_of(request.user, positions_owned(request.user, at), at)
    saved, already, kept = [], [], {}
    lost = [lost_row(ref, names, request, owned) for ref, names in filled.items()]
    lost = [each for each in lost if each]
    for task in owned:
        if task.action.ref in filled and task.action.ref not in {each.ref for each in lost}:
            row = sent_row(task, request)
            if row is None:
                saved.append(task.action.ref)
            elif row.is_saved_already:
                already += [f"{row.slug}: {words}" for words in row.errors]
            else:
                kept[task.action.ref] = row
    is_done = (saved or already) and not (kept or lost)
    if saved and is_done:
        messages.success(request, f"Saved: {get_text_list(saved, 'and')}.")
    for words in already:
        messages.info(request, words)
    if is_done:
        return HttpResponseRedirect(reverse("mine"))
    if saved:
        owned = tasks_of(request.user, positions_owned(request.user, at), at)
    tokens = newest_tokens(ProgressUpdate, [task.action.row for task in owned])
    rows = [kept.get(t.action.ref) or opened_row(t, request.user, at, tokens[t.action.pk]) for t in owned]
    meeting = Meeting.objects.to_come_from(at.today).first()
    context = {
        "rows": rows,
        "lost": lost,
        "saved": saved,
        "not_saved": [*kept, *(each.ref for each in lost)],
        "nothing_sent": sent is not None and not filled,
        "problems": [problem for row in rows for problem in row.problems],
        "meeting": meeting,
        "went_out": went_out(meeting, at),
    }
    return render(request, "recommendations/mine.html", context)


def filled_in(sent):
    """{number of an action: the names of those of its boxes that were filled in, ticked or changed}."""
    found = {}
    for name in sent:
        match = BOX.fullmatch(name)
        if match and sent[name].strip() and sent[name] != sent.get(f"initial-{name}"):
            found.setdefault(match[1], []).append(match[2])
    return found


def lost_row(ref, names, request, owned):
    """A Lost where the person may not report on the action ``ref`` here, with what they typed; else None."""
    why = f"You do not own an open action {ref} now, so nothing was saved on it. What you typed is below."
    if task := next((task for task in owned if task.action.ref == ref), None):
        try:
            if may_report(request.user, task.action.row, request.as_at):
                return None
        except Refused as refused:
            why = str(refused)
    labels = {name: ProgressUpdate._meta.get_field(name) for name in ASKED}
    typed = []
    for name in names:
        text = request.POST[f"{ref}-{name}"]
        label = labels[name].verbose_name if name in labels else "no change"
        words = dict(getattr(labels.get(name), "flatchoices", None) or ()).get(text, text)
        typed.append((capfirst(label), words if name in labels else "Ticked"))
    return Lost(ref, why, typed)


def opened_row(task, user, at, newest):
    """The Row of an action on which nothing was sent."""
    report = OwnReport(user, at, task.action.row, position=task.action, newest=newest)
    form = form_of(OwnReportForm, report, prefix=task.action.ref, only=(*ASKED, "dated"))
    return Row(task, form, was=form.initial.get("status", ""))


def sent_row(task, request):
    """Save what was sent about an action, and return None; or the Row to show again, with what is wrong."""
    ref, at, data = task.action.ref, request.as_at, request.POST.copy()
    was = data.get(f"initial-{ref}-status", "")
    report = OwnReport(request.user, at, task.action.row, position=task.action)
    # The day of what is said here is the day on which it is said.
    data[f"{ref}-dated"] = f"{at.today:%d/%m/%Y}"
    if f"{ref}-{NO_CHANGE}" in data:
        return sent_repeat(task, report, data, was)
    with transaction.atomic():
        form = form_of(OwnReportForm, report, data, prefix=ref, only=(*ASKED, "dated"))
        if form.is_valid():
            form.record()
            return None
    errors = [*form.non_field_errors(), *form.errors.get("dated", [])]
    return Row(task, form, was=was, errors=errors, is_saved_already=form.is_saved_already)


def sent_repeat(task, report, data, was):
    """The same for a report that nothing has changed: what it repeats is read from the record."""
    ref, update = task.action.ref, task.action.update
    typed = any(data.get(f"{ref}-{name}", "").strip() for name in TYPED)
    if typed or data.get(f"{ref}-status", was) != was:
        why = NOT_BOTH
    elif update and is_repeat(update):
        why = ""
    else:
        why = why_not_repeat(update, sent_back=task.action.sent_back, today=report.as_at.today)
    if not why:
        said = data.copy()
        for name, value in repeat_of(update).items():
            said[f"{ref}-{name}"] = value
        with transaction.atomic():
            form = form_of(OwnReportForm, report, said, prefix=ref, only=(*ASKED, "dated"))
            if form.is_valid():
                form.record()
                return None
        row = opened_row(task, report.user, report.as_at, form.carried("opened_on"))
        row.is_ticked, row.errors = True, [error for each in form.errors.values() for error in each]
        row.is_saved_already = form.is_saved_already
        return row
    form = form_of(OwnReportForm, report, data, prefix=ref, only=(*ASKED, "dated"))
    # Shown as it was sent, and checked for nothing but that it cannot be both.
    form._errors = forms.utils.ErrorDict()
    return Row(task, form, was=was, is_ticked=True, errors=[why])
