"""The forms of due dates: one is set or proposed, decided, or taken back."""

from django import forms

from recommendations.deciding import ACCEPT, why_not
from recommendations.due_dates import Decision, DueDate, Outcome, ReasonKind
from recommendations.forms import IndependentForm, MeetingForm
from recommendations.lateness import is_same_date
from recommendations.position import proposals_to_decide
from record.as_at import EARLIEST
from record.dates import EdtfFormField, read_edtf, say, say_day
from record.fields import NO_CHILD
from record.statement_forms import StatementForm


class DueDateForm(MeetingForm):
    dated_help = (
        "The day the board agreed this date: at a meeting, its day. Of a proposal, the day you make it."
    )
    due = EdtfFormField(label="Due", max_length=60)

    class Meta:
        model = DueDate
        fields = ["due", "reason_kind", "reason", "meeting", "dated", "correction_reason"]

    @classmethod
    def left_out(cls, addition):
        sets = addition.user.has_perm(ACCEPT)
        return super().left_out(addition) | (set() if sets else {"meeting"})

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        addition = self.addition
        agreed = DueDate.objects.agreed(addition.as_at).filter(action=addition.subject)
        replaced = addition.withdraws and agreed.filter(pk=addition.withdraws.pk).first()
        if replaced:
            agreed = agreed.exclude(pk=replaced.pk)
            # One that was agreed is entered anew for the day from which the wrong one counted.
            self.initial["dated"] = f"{replaced.effective_on:%d/%m/%Y}"
        self.agreed_now = agreed.first()
        # A proposal waits for the board, and so does what is entered anew for one that waits.
        # Nobody sets a date for an action of their own: theirs is a proposal, which others decide.
        self.barred = why_not(addition.user, addition.subject, addition.as_at)
        is_proposal = not addition.user.has_perm(ACCEPT) or bool(self.barred)
        if addition.withdraws and not replaced:
            is_proposal = is_proposal or addition.withdraws.needs_decision
        self.instance.needs_decision = is_proposal
        if is_proposal and (box := self.fields.get("meeting")):
            box.disabled, box.widget = True, forms.HiddenInput()
        kinds = self.fields["reason_kind"]
        if self.agreed_now and not addition.withdraws:
            kinds.choices = [choice for choice in kinds.choices if choice[0] != ReasonKind.FIRST]
        elif not addition.withdraws:
            self.initial.setdefault("reason_kind", ReasonKind.FIRST)

    def clean_due(self):
        due = self.cleaned_data["due"]
        last = read_edtf(due).last
        refuse_too_early(due, agreed_on=self.addition.subject.agreed_on_first)
        if self.instance.needs_decision and last and last < self.addition.as_at.today:
            raise forms.ValidationError(f"{say(due)} is over. Propose a date that is still to come.")
        if self.agreed_now and due == self.agreed_now.due:
            raise forms.ValidationError("This is the due date already. Enter a different one.")
        if self.agreed_now and is_same_date(read_edtf(due), read_edtf(self.agreed_now.due)):
            raise forms.ValidationError(
                f"This means the same last day as the present date, {say(self.agreed_now.due)}, so it would "
                "move nothing. Enter a different one."
            )
        return due

    def clean(self):
        cleaned = super().clean()
        addition, action = self.addition, self.addition.subject
        waiting = proposals_to_decide(addition.as_at).filter(action=action)
        if addition.withdraws:
            waiting = waiting.exclude(pk=addition.withdraws.pk)
        due, dated = cleaned.get("due"), cleaned.get("dated")
        # The first may be told of afterwards. What takes the place of one is to come.
        if due and dated and self.agreed_now and not self.instance.needs_decision:
            last, agreed = read_edtf(due).last, read_edtf(dated)
            if last and last < agreed.first:
                self.add_error(
                    "due",
                    f"{say(due)} was over on {agreed}, from when it would count. Enter one that was to come.",
                )
        if not self.instance.needs_decision:
            # Under the lock: an owner or a report may have come since the form was opened.
            if why := why_not(addition.user, action, addition.as_at):
                self.add_error(None, why)
        elif proposed := waiting.first():
            self.add_error(
                None,
                f"{say(proposed.due)} is proposed already, and waits for the board. One date is proposed at "
                "a time: the owner may take that one back.",
            )
        elif words := finished_words(action, addition.as_at):
            self.add_error(
                None, f"{words} No date is proposed for it. If it is not finished, report on it first."
            )
        return cleaned


def refuse_too_early(due, *, agreed_on):
    """Raise a ValidationError where the date ``due`` is over before its action was ``agreed_on`` that day."""
    last = read_edtf(due).last
    if agreed_on and last and last < agreed_on:
        raise forms.ValidationError(
            f"The action was agreed on {say_day(agreed_on)}. Enter that date or a later one."
        )
    # What a document asks for may have been due before the document was published.
    if last and last < EARLIEST:
        raise forms.ValidationError(f"The record begins on {say_day(EARLIEST)}. Enter a later date.")


class DecisionForm(IndependentForm):
    dated_help = "The day the board decided: at a meeting, the day of that. An agreed date counts from then."

    class Meta:
        model = Decision
        fields = ["outcome", "meeting", "dated", "reason", "correction_reason"]

    def clean_dated(self):
        return since_proposed(super().clean_dated(), self.addition.subject)

    def decides_from(self):
        return self.addition.subject.dated_first

    def clean(self):
        cleaned = super().clean()
        if why := decided_words(self.addition):
            self.add_error(None, why)
        was, outcome = self.addition.corrects, cleaned.get("outcome")
        if was and outcome and outcome != was.outcome and cleaned.get("reason") == was.reason:
            self.add_error(
                "reason",
                f"This was the reason for “{was.get_outcome_display()}”. Say why it is "
                f"“{Outcome(outcome).label}”.",
            )
        return cleaned


def since_proposed(text, proposal):
    """The date ``text`` on which ``proposal`` is decided or taken back; an error if it is before it."""
    proposed = read_edtf(proposal.dated)
    if read_edtf(text).first < proposed.first:
        raise forms.ValidationError(f"The date was proposed on {proposed}. Enter that day or a later one.")
    return text


class TakeBackForm(StatementForm):
    """The form by which an owner takes a proposal back."""

    dated_help = "The day you take it back."

    class Meta:
        model = Decision
        fields = ["reason", "dated", "correction_reason"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.instance.outcome = Outcome.TAKEN_BACK
        self.fields["reason"].help_text = f"Why you take it back. The board will see this. {NO_CHILD}"

    def clean_dated(self):
        return since_proposed(super().clean_dated(), self.addition.subject)

    def clean(self):
        cleaned = super().clean()
        if why := decided_words(self.addition):
            self.add_error(None, why)
        if self.guarded().owner_on(self.addition.as_at) != self.addition.user:
            self.add_error(None, "Only its owner takes a proposal back, and that is somebody else now.")
        return cleaned


def decided_words(addition):
    """Why the proposal that ``addition`` is about is decided no more, a sentence, or "" where it waits.

    What corrects a decision is one on the same proposal, and not another.
    """
    if addition.corrects:
        return ""
    proposal = addition.subject
    if decided := proposal.decisions.in_force().first():
        taken_back = decided.outcome == Outcome.TAKEN_BACK
        return (
            "Its owner has taken this proposal back."
            if taken_back
            else "The board has already decided this proposal."
        )
    if DueDate.objects.filter(withdraws=proposal).exists():
        return "This proposal was withdrawn. Decide the newer one, if there is one."
    if not proposals_to_decide(addition.as_at).filter(pk=proposal.pk).exists():
        return "This proposal waits no more: another date was agreed, or the action was completed or closed."
    return ""


def finished_words(action, at):
    """That ``action`` is not open any more, a sentence, or "" where it is."""
    newest = action.newest_update(at)
    return f"{action.ref} is “{newest.words}”." if newest and newest.is_acceptance else ""
