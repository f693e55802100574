"""The actions that arise at a meeting: those agreed on its day, each added with its owner and its date."""

from django import forms
from django.contrib.auth import get_user_model
from django.db import transaction

from recommendations.date_forms import DueDateForm
from recommendations.deciding import why_not
from recommendations.forms import ActionForm, OwnershipForm, offer_who_can_record
from recommendations.models import Action
from recommendations.position import actions_on_the_board
from record import versions
from record.dates import EdtfFormField, say_day
from record.prepared import ask
from record.statement_forms import Addition
from record.versions import recorded
from record.work import dress, form_of, plain_box

ASKED = ("ref", "title", "owner_role", "owner", "due", "recommendations")


def arising_at(meeting, at):
    """The ActionPositions of the actions that were agreed on the day of ``meeting``, as was known ``at``."""
    if not ask(_agreed_on, at, meeting.held_on.isoformat()):
        return ()
    return arising_among(actions_on_the_board(at), meeting)


def arising_among(actions, meeting):
    """Those of ``actions``, ActionPositions, that were agreed on the day of ``meeting``."""
    day = meeting.held_on.isoformat()
    return tuple(action for action in actions if action.row.agreed_on == day)


def _agreed_on(at, day):
    return recorded(Action, at).begun(at).filter(agreed_on=day).values_list("id", flat=True)


class ArisingForm(ActionForm):
    """Adds an action that the board agreed at a meeting, with its owner and its date if it has them.

    The first date counts from the meeting, and so does the owner. All of it is saved, or none of it.
    """

    owner = forms.ModelChoiceField(
        get_user_model().objects.all(), required=False, help_text="The account that records its progress."
    )
    due = EdtfFormField(
        label="Due",
        required=False,
        max_length=60,
        help_text="For example 31/3/2027, March 2027 or 2027. Empty if the board set no date. "
        "If you will own the action yourself, it is a proposal, which somebody else agrees.",
    )

    class Meta:
        model = Action
        fields = ["ref", "title", "owner_role", "recommendations", "findings"]
        widgets = dict.fromkeys(["recommendations", "findings"], forms.CheckboxSelectMultiple)
        formfield_callback = plain_box

    def __init__(self, *args, meeting, opener, **kwargs):
        self.opener = opener
        super().__init__(*args, **kwargs)
        self.meeting = meeting
        self.instance.agreed_on = meeting.held_on.isoformat()
        self.initial["ref"] = next_ref()
        offer_who_can_record(self.fields["owner"])
        dress(self)

    def boxes(self):
        """The boxes in the order in which they are filled in; the many findings are shown apart."""
        return [self[name] for name in ASKED]

    def save_all(self, *, by, at):
        """Save the action with its owner and its date; return in words what is saved, or "" """
        with transaction.atomic():
            with versions.saving(by=by):
                action = self.save()
            day, proposed = say_day(self.meeting.held_on), self.cleaned_data["owner"] == by
            why = f"{'Given' if proposed else 'Agreed'} with the action at the meeting of {day}."
            # The owner first: nobody sets a date for an action of their own, but proposes it.
            for kind, name, says in (
                (OwnershipForm, "owner", {"owner": self["owner"].data}),
                (DueDateForm, "due", {"due": self["due"].data, "reason_kind": "first", "reason": why}),
            ):
                if not self.cleaned_data[name]:
                    continue
                day, meeting = f"{self.meeting.held_on:%d/%m/%Y}", str(self.meeting.pk)
                says |= {"dated": day, "meeting": meeting, "opened_on": "0"}
                data = {f"new-{key}": value for key, value in says.items()}
                form = form_of(kind, Addition(by, at, action), data, prefix="new")
                if form.is_valid():
                    form.record()
                else:
                    self.add_error(name, [error for errors in form.errors.values() for error in errors])
            if self.errors:
                transaction.set_rollback(True)
                self.instance.pk, self.instance._state.adding = None, True
        if self.errors:
            return ""
        if not (proposed and self.cleaned_data["due"]):
            return str(action)
        return f"{action}. Its date is a proposal. {why_not(by, action, at).removesuffix('.')}"


def next_ref():
    """The reference number after the last: none is used again."""
    numbers = [int(ref.removeprefix("A")) for ref in Action.objects.values_list("ref", flat=True)]
    return f"A{max(numbers, default=0) + 1:02}"
