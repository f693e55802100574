"""The form of a meeting of the board."""

from django.utils import timezone

from record.as_at import AsAt
from record.dates import say_day
from record.forms import RecordForm, named
from record.held import decided_at
from record.models import Meeting, MeetingState


class MeetingForm(RecordForm):
    """The form of a meeting: planned, moved, cancelled, or put right once it was held.

    The admin sets ``today``.
    """

    today = None
    corrects_nothing = "an empty box is filled in, an ask is added or the meeting is marked as held"

    def fills_in(self):
        return super().fills_in() and self.cleaned_data.get("state") != MeetingState.CANCELLED

    def clean(self):
        cleaned = super().clean()
        day, state = cleaned.get("held_on"), cleaned.get("state")
        if day and state == MeetingState.HELD and day > self.today:
            self.add_error("state", f"{say_day(day)} is still to come, so it cannot have been held.")
        if day and day > self.today and cleaned.get("attendance"):
            self.add_error(
                "attendance", f"{say_day(day)} is still to come. Say who was there once it was held."
            )
        if day and (other := held_once_on(day, but=self.instance)):
            self.add_error(
                "held_on",
                f"On record, the meeting of {say_day(other.held_on)} was once held on that day, and its "
                "address leads there. Choose another day.",
            )
        cancelled = Meeting.objects.filter(held_on=day, state=MeetingState.CANCELLED)
        if day and cancelled.exclude(pk=self.instance.pk).exists():
            self.add_error(
                "held_on",
                f"The meeting of {say_day(day)} was cancelled, and is on record under that day. If it is "
                f"held after all, open it and change its state to “{MeetingState.PLANNED.label}”. Else "
                "choose another day.",
            )
        cited_by = decided_at(self.instance, AsAt.now(self.today)) if self.instance.pk else []
        if cited_by and state == MeetingState.CANCELLED:
            self.add_error("state", f"It was held: {named(cited_by)} cite it. Correct those first.")
        elif cited_by and day and day > self.today:
            self.add_error("held_on", f"It was held: {named(cited_by)} cite it. Correct those first.")
        elif cited_by and day and day < self.initial["held_on"]:
            self.check_what_it_decided(cited_by, day)
        return cleaned

    def check_what_it_decided(self, decided, day):
        """Add an error where any of ``decided`` is about what speaks of a day after ``day``."""
        from_days = [(row, row.decides_from) for row in decided]
        later = [(row, since) for row, since in from_days if since and since > day]
        if later:
            since = say_day(max(since for _, since in later))
            self.add_error(
                "held_on",
                f"What was decided there speaks of a later day, {since}: {named([row for row, _ in later])}. "
                "Enter that day or a later one, or correct those first.",
            )


def held_once_on(day, *, but):
    """Another Meeting that was on record as held on ``day`` before its day was put right, or None."""
    for version in Meeting.history.filter(held_on=day).exclude(id=but.pk).order_by("-history_id"):
        since = Meeting.history.filter(id=version.id, history_id__gt=version.history_id)
        put_right = since.exclude(held_on=day).order_by("history_id").first()
        if put_right and version.instance.was_held_by(timezone.localdate(put_right.history_date)):
            return Meeting.objects.get(pk=version.id)
    return None
