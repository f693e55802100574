"""Owners and dates of many actions at once: a row each in a grid, and one day and one reason for all."""

import re
from dataclasses import dataclass, field

from django import forms
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import get_text_list
from django.views.decorators.http import require_http_methods

from recommendations.action_position import ActionPosition
from recommendations.date_forms import DueDateForm
from recommendations.deciding import ACCEPT, may_date, why_not
from recommendations.due_dates import DueDate, ReasonKind
from recommendations.forms import OwnershipForm
from recommendations.models import Action
from recommendations.ownership import Ownership
from recommendations.position import positions_of
from record.as_at import AsAt
from record.dates import EdtfFormField, say
from record.fields import NO_CHILD
from record.forms import hold
from record.signing import Refused, name_of
from record.statement_forms import Addition
from record.texts import LinesField
from record.work import Lost, Problem, dress, for_those_who, form_of, newest_tokens

# Of an action; those of the whole page begin with "All".
BOX = re.compile(r"(?!All-)([A-Z]\w*)-(owner|due|tick)")
NOBODY = "-"  # which no account can be called
NOT_THERE = "There is no such action on the board now."
NOT_OFFERED = {
    "invalid_choice": "The account “%(value)s” cannot be chosen now. Choose one of the people listed."
}
# {what the address may ask to see: (its words, which open actions those are)}
SHOWN = {
    "": ("All open", lambda a: True),
    "unowned": ("No owner", lambda a: a.owner_id is None),
    "closed": ("The owner’s account is closed", lambda a: a.owner_id is not None and not a.owner_is_open),
    "undated": ("No date", lambda a: a.due is None),
}


def may_assign(user):
    return user.is_staff and user.has_perms(
        ["recommendations.add_ownership", "recommendations.add_duedate", ACCEPT]
    )


class SharedForm(forms.Form):
    """What serves all rows that are saved together."""

    dated = EdtfFormField(
        label="From which day",
        help_text="The day from which each answers for the action, or on which the board agreed the date. "
        "For example 22/11/2022.",
    )
    reason_kind = forms.ChoiceField(
        label="Kind of reason, where a date replaces another",
        choices=[("", "Choose one"), *(each for each in ReasonKind.choices if each[0] != ReasonKind.FIRST)],
        required=False,
    )
    reason = LinesField(
        label="Why, where a date is set",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=f"Why these dates, in words. {NO_CHILD}",
    )
    owner = forms.ChoiceField(
        label="Owner of every ticked action", required=False, error_messages=NOT_OFFERED
    )
    leaver = forms.ChoiceField(label="Everything owned by", required=False, error_messages=NOT_OFFERED)
    successor = forms.ChoiceField(label="goes to", required=False, error_messages=NOT_OFFERED)

    def __init__(self, data, *, people, today):
        super().__init__(data, prefix="All", initial={"dated": f"{today:%d/%m/%Y}"})
        open_ones = [(user.username, name_of(user)) for user in people if user.is_active and user.is_staff]
        self.fields["owner"].choices = [("", "Leave as they are"), *open_ones, (NOBODY, "Nobody")]
        self.fields["successor"].choices = [("", "Choose a person"), *open_ones, (NOBODY, "Nobody")]
        everybody = [(u.username, f"{name_of(u)}{'' if u.is_active else ' (closed)'}") for u in people]
        self.fields["leaver"].choices = [("", "Choose a person"), *everybody]
        dress(self)


@dataclass
class Row:
    """An action in the grid. ``owner`` and ``due`` are what was typed and not saved."""

    action: ActionPosition
    tokens: dict[str, str]
    is_ticked: bool = False
    owner: str = ""
    due: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def slug(self):
        return self.action.ref

    @property
    def problems(self):
        return [
            Problem(f"id_{self.slug}-{box}", f"{self.slug}: {words}")
            for box, found in self.errors.items()
            for words in found
        ]


@require_http_methods(["GET", "HEAD", "POST"])
@for_those_who(may_assign, writes=(Ownership, DueDate))
def assign(request):
    """Show the open actions with their owners and dates, and save those that are changed, each by itself.

    It is about today, whatever day the address asks for: what is saved is saved now.
    """
    request.as_at = at = AsAt.now(request.as_at.today)
    show = request.GET.get("show", "")
    if show not in SHOWN:
        raise BadRequest("The address may say show=unowned, show=closed or show=undated.")
    sent = request.POST if request.method == "POST" else None
    people = list(people_to_choose(at))
    shared = SharedForm(sent, people=people, today=at.today)
    entered = Entered(request, people, shared) if sent is not None and shared.is_valid() else None
    if entered:
        entered.save()
        if entered.past:
            past = f"Already past: {get_text_list(entered.past, 'and')}. Replace a date that is wrong."
            messages.warning(request, past)
        is_done = (entered.saved or entered.already) and not entered.rows
        if entered.saved and is_done:
            messages.success(request, f"Saved: {get_text_list(entered.saved, 'and')}.")
        for words in entered.already:
            messages.info(request, words)
        if is_done:
            query = f"?{urlencode({'show': show})}" if show else ""
            return HttpResponseRedirect(reverse("assign") + query)
    positions = [a for a in positions_of(None, at) if a.is_open]
    typed = typed_rows(sent) if sent is not None else {}
    kept = entered.rows if entered else typed
    shown = [a for a in positions if SHOWN[show][1](a) or a.ref in kept]
    shown.sort(key=lambda a: (a.owner_id is not None, a.owner_is_open, a.ref))
    owners, dates = (newest_tokens(model, [a.row for a in shown]) for model in (Ownership, DueDate))
    rows = []
    for action in shown:
        row = Row(action, {"owner": owners[action.pk], "due": dates[action.pk]})
        for name, value in kept.get(action.ref, {}).items():
            setattr(row, name, {**row.tokens, **value} if name == "tokens" else value)
        if row.owner and row.owner not in dict(shared.fields["owner"].choices):
            row.errors.setdefault("owner", [why_not_chosen(row.owner)])
        rows.append(row)
    gone = {ref: kept[ref] for ref in sorted(kept.keys() - {a.ref for a in shown})}
    lost = lost_rows({ref: row for ref, row in gone.items() if ref in typed}, at)
    problems = [
        Problem(shared[name].auto_id, words) for name, found in shared.errors.items() for words in found
    ] + [problem for row in rows for problem in row.problems]
    problems += [Problem(f"lost-{row.ref}", f"{row.ref}: {row.why}") for row in lost]
    problems += [
        Problem("all", f"{ref}: {words}")
        for ref, row in gone.items()
        for found in row.get("errors", {}).values()
        for words in found
    ]
    context = {
        "rows": rows,
        "shared": shared,
        "people": shared.fields["owner"].choices[1:],
        "filters": [(key, words, sum(map(is_shown, positions))) for key, (words, is_shown) in SHOWN.items()],
        "show": show,
        "problems": problems,
        "lost": lost,
        "saved": entered.saved if entered else [],
        "not_saved": list(entered.rows) if entered else [],
        "nothing_sent": entered is not None
        and not (entered.saved or entered.already or entered.rows or problems),
    }
    return render(request, "recommendations/assign.html", context)


def people_to_choose(at):
    """The accounts that can record progress, and those that own something, by name."""
    owners = Ownership.objects.of_the_day(at).values("owner")
    users = get_user_model().objects
    can_record = users.filter(is_active=True, is_staff=True)
    return (can_record | users.filter(pk__in=owners)).order_by("first_name", "last_name", "pk")


def typed_rows(sent):
    """{number of an action: what was typed of it}, for a page that is shown again as it was sent."""
    found = {}
    for name in sent:
        box = BOX.fullmatch(name)
        if box and sent[name].strip():
            found.setdefault(box[1], {})["is_ticked" if box[2] == "tick" else box[2]] = sent[name]
    for ref, row in found.items():
        row["tokens"] = {box: sent.get(f"seen_{ref}-{box}", "") for box in ("owner", "due")}
    return found


def lost_rows(gone, at):
    """A Lost for each of the rows ``gone`` from the page since it was opened, by the number of its action."""
    begun = set(Action.objects.begun(at).filter(ref__in=gone).values_list("ref", flat=True)) if gone else ()
    found = []
    for ref, row in gone.items():
        why = "It is not open any more. Nothing was saved of this row." if ref in begun else NOT_THERE
        boxes = {
            "Ticked": row.get("is_ticked") and "Yes",
            "New owner": row.get("owner") and name_of_account(row["owner"]),
            "New date": row.get("due"),
        }
        found.append(Lost(ref, why, [(label, text) for label, text in boxes.items() if text]))
    return found


def account_of(username):
    """The account that is called ``username``, or None: PostgreSQL looks for no text that holds a NUL."""
    return None if "\0" in username else get_user_model().objects.filter(username=username).first()


def name_of_account(username):
    """How the person is named who was chosen as ``username``, whether they can be chosen now or not."""
    account = account_of(username)
    return name_of(account) or ("Nobody" if username == NOBODY else username)


def why_not_chosen(username):
    """What to say of ``username``, which is not among the people listed now."""
    account = account_of(username)
    if account is None:
        return "Choose one of the people listed."
    why = "does not record progress any more" if account.is_active else "has a closed account now"
    return f"{name_of(account)} {why}. Choose one of the people listed."


def said_by(row):
    """What a row that was saved says of its action, in a word or two."""
    return f"due {say(row.due)}" if isinstance(row, DueDate) else name_of(row.owner) or "nobody"


class Entered:
    """What was sent in the grid. ``save`` leaves what is ``saved``, in words, and what is not, by action.

    What was saved ``already``, by a form that is sent a second time, is neither.
    """

    def __init__(self, request, people, shared):
        self.user, self.at, self.shared = request.user, request.as_at, shared.cleaned_data
        self.form, self.usernames = shared, {user.username: str(user.pk) for user in people}
        self.offered = dict(shared.fields["owner"].choices)
        self.usernames[NOBODY] = ""
        self.typed = typed_rows(request.POST)
        self.sent = request.POST
        self.saved, self.already, self.past, self.rows = [], [], [], {}

    def save(self):
        """Save each owner and each date by itself."""
        wanted = self.wanted()
        if wanted is None:
            return
        # All of them at once and in one order, so that two people who save several wait for each other once.
        hold(Action.objects.filter(ref__in=wanted))
        actions = {a.ref: a for a in Action.objects.begun(self.at).filter(ref__in=wanted).order_by("ref")}
        on_page = Action.objects.as_at(self.at).filter(ref__in=self.typed, is_open=True)
        gone = self.typed.keys() - set(on_page.values_list("ref", flat=True))
        for ref in sorted(wanted):
            row = wanted[ref]
            if ref in gone:
                self.rows[ref] = self.typed[ref]
                continue
            if row.get("owner"):
                self.save_one(actions[ref], "owner", row)
            if row.get("due"):
                self.save_one(actions[ref], "due", row)

    def wanted(self):
        """{number of an action: {what: the text}} of what is to be saved, or None where that is not clear."""
        wanted = {}
        for ref, row in self.typed.items():
            owner = row.get("owner") or (self.shared["owner"] if row.get("is_ticked") else "")
            if owner or row.get("due"):
                wanted[ref] = {**row, "owner": owner, "due": row.get("due", "")}
        if any(row.get("is_ticked") and not row.get("owner") for row in self.typed.values()):
            if not self.shared["owner"]:
                self.form.add_error("owner", "You ticked actions. Choose who is to own them, or untick them.")
        elif self.shared["owner"]:
            self.form.add_error("owner", "Tick the actions that are to have this owner.")
        self.add_transfer(wanted)
        if any(row["due"] for row in wanted.values()) and not self.shared["reason"]:
            self.form.add_error("reason", "Say why these dates. It is recorded with each.")
        if not self.form.errors:
            return wanted
        self.rows = self.typed
        return None

    def add_transfer(self, wanted):
        leaver, successor = self.shared["leaver"], self.shared["successor"]
        if not leaver and not successor:
            return
        if not (leaver and successor):
            empty = "successor" if leaver else "leaver"
            self.form.add_error(empty, "Choose both people, or neither.")
            return
        if leaver == successor:
            self.form.add_error("successor", "Choose somebody else.")
            return
        account = get_user_model().objects.get(pk=self.usernames[leaver])
        owned = list(Action.objects.begun(self.at).owned_by(account, self.at).order_by("ref"))
        if not owned:
            self.form.add_error("leaver", f"{name_of(account)} owns no action now.")
        tokens = newest_tokens(Ownership, owned)
        for action in owned:
            row = wanted.setdefault(action.ref, {"due": "", "owner": ""})
            # One that is not on this page was not opened on it: what stands now is what is handed over.
            seen = self.sent.get(f"seen_{action.ref}-owner", tokens[action.pk])
            row.setdefault("tokens", {"owner": seen, "due": ""})
            row["owner"] = row["owner"] or successor

    def save_one(self, action, box, row):
        """Save the owner or the date of one action, or keep what was typed with what is wrong."""
        ref, text = action.ref, row[box]
        data = {f"{ref}-dated": self.sent.get("All-dated", ""), f"{ref}-opened_on": row["tokens"][box]}
        kind = OwnershipForm if box == "owner" else DueDateForm
        if box == "owner":
            if text not in self.offered:
                self.keep(ref, box, text, [why_not_chosen(text)], row)
                return
            data[f"{ref}-owner"] = self.usernames[text]
        else:
            try:
                may = may_date(self.user, action, self.at)
                # Its owner would only propose a date, which is done elsewhere, knowingly.
                why = why_not(self.user, action, self.at) if may else "You may not set its date."
            except Refused as refused:
                why = str(refused)
            if why:
                self.keep(ref, box, text, [why], row)
                return
            has_one = DueDate.objects.agreed(self.at).filter(action=action).exists()
            # A first date that is sent a second time says so again, and is on the record.
            reason_kind = (has_one and self.shared["reason_kind"]) or ReasonKind.FIRST
            data |= {f"{ref}-due": text, f"{ref}-reason": self.shared["reason"]}
            data[f"{ref}-reason_kind"] = reason_kind
        with transaction.atomic():
            form = form_of(kind, Addition(self.user, self.at, action), data, prefix=ref)
            if form.is_valid() and box == "owner" and form.instance.owner_id == form.initial["owner"]:
                owner = name_of(form.instance.owner) or "Nobody"
                form.add_error(None, f"{owner} owns it already. Nothing is saved of that.")
            if form.is_valid():
                form.record()
                row["tokens"].pop(box, None)
                self.saved.append(f"{ref} ({said_by(form.instance)})")
                if box == "due" and form.instance.due_last and form.instance.due_last < self.at.today:
                    self.past.append(self.saved[-1])
                return
        if form.is_saved_already:
            self.already.append(f"{ref}: {form.non_field_errors()[0]}")
            return
        row["tokens"][box] = form.carried("opened_on")
        wrong = [error for found in form.errors.values() for error in found]
        if "reason_kind" in form.errors:
            wrong = ["It has a date already. Choose the kind of reason, above."]
        self.keep(ref, box, text, wrong, row)

    def keep(self, ref, box, text, errors, row=None):
        kept = self.rows.setdefault(ref, {"errors": {}, "tokens": (row or {}).get("tokens", {})})
        kept[box] = text
        kept["errors"][box] = errors
