"""The forms by which it is recorded what a meeting made of an ask, or of an action that is late."""

from django import forms

from meetings.outcomes import NEED_WORDS, AskOutcome, LateNote
from recommendations.due_dates import DueDate
from recommendations.forms import IndependentForm, MeetingForm
from record.dates import read_edtf, say, say_day


class AskOutcomeForm(MeetingForm):
    dated_help = "The day it was decided: at a meeting, the day of that."

    class Meta:
        model = AskOutcome
        fields = ["outcome", "words", "meeting", "dated", "correction_reason"]

    def decides_from(self):
        return self.addition.subject.meeting.held_on

    def began(self):
        """Nothing: the day from which it can be decided is that of its meeting."""

    def clean_dated(self):
        text, day = super().clean_dated(), self.decides_from()
        if read_edtf(text).first < day:
            raise forms.ValidationError(f"It is asked on {say_day(day)}. Enter that day or a later one.")
        return text

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("outcome") in NEED_WORDS:
            self.require("words", "Say why, or until when.")
        if not self.addition.corrects and self.siblings().in_force().exists():
            self.add_error(None, "What became of this is recorded already.")
        return cleaned


class LateNoteForm(IndependentForm):
    dated_help = "The day the board said so: at a meeting, the day of that."

    class Meta:
        model = LateNote
        fields = ["words", "meeting", "dated", "correction_reason"]

    def decides_from(self):
        return self.addition.subject.dated_first

    def clean(self):
        cleaned = super().clean()
        late, at = self.addition.subject, self.addition.as_at
        if not self.addition.corrects and (why := why_not_late(late, at)):
            self.add_error(None, why)
        meeting = cleaned.get("meeting")
        noted = late.late_notes.in_force().filter(meeting=meeting) if meeting else LateNote.objects.none()
        if noted.exists() and not self.addition.corrects:
            self.add_error(None, "This meeting has said so already.")
        return cleaned


def why_not_late(date, at):
    """Why the action of ``date`` is not late by it today, a sentence, or ""."""
    action = date.action
    agreed = DueDate.objects.agreed(at).filter(action=action).first()
    if agreed != date:
        return f"{say(date.due)} is not the date of {action.ref} any more."
    newest = action.newest_update(at)
    if newest is None or newest.is_acceptance or not (date.due_last and date.due_last < at.today):
        return f"{action.ref} is not late by report."
    return ""
