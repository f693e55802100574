"""The forms by which people add to the record: progress, send-backs, assessments, owners, measures.

None of them sets who recorded it or when: the admin does that as it saves.
"""

import calendar
import datetime

from django import forms
from django.db.models import Q

from recommendations.acceptance import words_of
from recommendations.completions import completions_of
from recommendations.deciding import ACCEPT, RECORD_FOR_OWNER, why_not
from recommendations.measures import MeasureValue
from recommendations.models import Assessment, ProgressUpdate
from recommendations.ownership import Ownership
from recommendations.sent_back import SendBack
from recommendations.status import ACCEPTED, NOT_REPORTED, REPORTABLE, ROWS, Status
from record.dates import read_edtf, say_day
from record.forms import KEPT, RecordForm, TokenField
from record.models import Meeting
from record.signing import name_of, signature
from record.statement_forms import StatementForm, WithdrawalForm

BETWEEN_MEETINGS = "Between meetings"
# What a status may need, and how to give it.
NEEDED = {
    "reason": "a reason. Say why.",
    "recovery_step": "a recovery step. Say what will be done about it.",
    "evidence": "evidence. Say what shows it, and where it is.",
    "recheck_on": "the day on which the board will check that it holds.",
}
ONLY_THEY_ACCEPT = (
    "Only the Chair or the Secretariat can accept that an action is complete, embedded or closed."
)


def three_months_after(day):
    """The same day of the month three months on, or that month's last day if it is shorter."""
    year, month = day.year + (day.month + 2) // 12, (day.month + 2) % 12 + 1
    return datetime.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


class MeetingForm(StatementForm):
    """The form of what may be decided at a meeting: then the day of the meeting is the day it is dated.

    The meetings to choose from are those held, or being held today, on or after what is decided.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if box := self.fields.get("meeting"):
            since, corrected = self.decides_from(), self.addition.corrects
            held = Meeting.objects.begun_by(self.addition.as_at.today)
            named = Q(pk=corrected.meeting_id if corrected else None)
            box.queryset = held.filter(named | Q(held_on__gte=since)) if since else held
            box.empty_label = BETWEEN_MEETINGS
            box.error_messages["invalid_choice"] = (
                "Choose a meeting that has been held since, or “Between meetings”."
            )

    def decides_from(self):
        """The first day on which it can have been decided, or None."""
        return self.began()

    def clean(self):
        meeting, dated = self.cleaned_data.get("meeting"), self.cleaned_data.get("dated")
        if meeting and dated:
            corrected = self.addition.corrects
            unchanged = {corrected.dated if corrected else f"{self.addition.as_at.today:%Y-%m-%d}"}
            day = f"{meeting.held_on:%Y-%m-%d}"
            # The day stays what it was, though the meeting’s own day was put right since.
            stays = corrected and corrected.meeting_id == meeting.pk and dated == corrected.dated
            if dated in unchanged and not stays:
                self.cleaned_data["dated"] = day
            elif dated != day and not stays:
                self.add_error(
                    "dated",
                    f"That meeting was held on {say_day(meeting.held_on)}. Enter that day, or choose "
                    "another meeting or “Between meetings”.",
                )
        return super().clean()


class IndependentForm(MeetingForm):
    """The form of a decision about an action, made by nobody who owns it or made the last report on it."""

    def clean(self):
        cleaned = super().clean()
        # Under the lock: an owner or a report may have come since the form was opened.
        if why := self.why_not():
            self.add_error(None, why)
        return cleaned

    def why_not(self):
        """Why this person may not decide what the form says, in sentences, or "" """
        return why_not(self.addition.user, self.guarded(), self.addition.as_at)


class ProgressUpdateForm(IndependentForm):
    dated_help = "The day this describes: today, or earlier if you are entering it late."
    # What stands against saving, once this person has been told.
    told_of = TokenField(required=False)

    class Meta:
        model = ProgressUpdate
        fields = [
            "status",
            "dated",
            "narrative",
            "reason",
            "recovery_step",
            "difference_made",
            "evidence",
            "recheck_on",
            "meeting",
            "correction_reason",
        ]
        labels = {"meeting": "Accepted, closed or reopened at"}

    @classmethod
    def left_out(cls, addition):
        accepts = addition.user.has_perm(ACCEPT)
        return super().left_out(addition) | (set() if accepts else {"recheck_on", "meeting"})

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.owner, self.current = self.at_present()
        offered = self.offered()
        status = self.fields["status"]
        status.choices = [("", "Choose a status"), *((value, value.label) for value in offered)]
        status.error_messages["invalid_choice"] = (
            f"Choose one of the listed statuses. {self.barred or ONLY_THEY_ACCEPT}"
        )
        if self.current and self.current.status in offered:
            self.initial.setdefault("status", self.current.status)
        is_done = self.current and self.current.status == Status.DONE
        if is_done and Status.COMPLETE in offered and not self.addition.corrects:
            self.offer_what_was_reported()

    def at_present(self):
        """The owner of the action, and its newest update but for one that is corrected; each may be None."""
        standing = ProgressUpdate.objects.standing(self.addition.as_at).filter(action=self.addition.subject)
        if self.addition.corrects:
            standing = standing.exclude(pk=self.addition.corrects.pk)
        return self.addition.subject.owner_on(self.addition.as_at), standing.newest_first().first()

    def offer_what_was_reported(self):
        """Start an acceptance with what it accepts, on which evidence, so that none is typed again."""
        self.initial["status"] = Status.COMPLETE
        self.initial.setdefault("narrative", words_of(self.current))
        completion = completions_of([self.current.pk], self.addition.as_at)[self.current.pk]
        self.initial.setdefault("evidence", completion.evidence)

    def decides_from(self):
        standing = ProgressUpdate.objects.standing(self.addition.as_at).filter(action=self.addition.subject)
        first = standing.filter(status__in=REPORTABLE).order_by("dated_first").first()
        return first.dated_first if first else self.began()

    def offered(self):
        """The statuses that this person may give this action now."""
        addition, status = self.addition, self.current.status if self.current else NOT_REPORTED
        accepts = addition.user.has_perm(ACCEPT)
        reports = self.owner == addition.user or addition.user.has_perm(RECORD_FOR_OWNER)
        # What was closed is reopened by those who may close it, and not by its owner alone.
        reports = reports and (accepts or status != Status.CLOSED)
        # Whoever accepts may find at the re-check that it did not hold, which reopens the action.
        reopens = accepts and (addition.corrects or status in ACCEPTED)
        offered = list(REPORTABLE) if reports or reopens else []
        self.barred = why_not(addition.user, addition.subject, addition.as_at) if accepts else ""
        if accepts and not self.barred:
            offered.append(Status.COMPLETE)
            if status == Status.COMPLETE or (
                addition.corrects and addition.corrects.status == Status.EMBEDDED
            ):
                offered.append(Status.EMBEDDED)
            offered.append(Status.CLOSED)
        return offered

    def clean(self):
        cleaned = super().clean()
        status, dated = cleaned.get("status"), cleaned.get("dated")
        for column in ROWS[status].needs if status else ():
            self.require(column, f"{ROWS[status].word.split(',')[0]} needs {NEEDED[column]}")
        accepts_nothing = status == Status.CLOSED or status in REPORTABLE
        if accepts_nothing and self.current and cleaned.get("narrative") == words_of(self.current):
            self.add_error("narrative", "This says only that the report is accepted. Say what has happened.")
        is_found = bool(self.current and self.current.is_acceptance)
        if cleaned.get("meeting") and status and status not in ACCEPTED and not is_found:
            self.add_error(
                "meeting",
                "Only an acceptance, closure or reopening is made at a meeting. Choose “Between meetings”.",
            )
        if dated and status:
            self.check_recheck(status, read_edtf(dated).first)
        if dated and status in ACCEPTED:
            self.check_that_it_counts(read_edtf(dated).first)
            self.check_what_was_sent_back(status, read_edtf(dated).first)
        if dated and status in REPORTABLE:
            self.check_what_it_reopens(read_edtf(dated).first)
        if dated and status and self.addition.corrects:
            self.check_what_rests_on_it(status, read_edtf(dated).first)
        is_decided = status in ACCEPTED or bool(cleaned.get("meeting"))
        told_for, signed = (None, "") if is_decided else self.told_for()
        self.instance.on_behalf_of, self.instance.on_behalf_of_signed = told_for, signed
        return cleaned

    def told_for(self):
        """The account for which this person reports, and how it signs or signed; (None, "") for none.

        Whoever corrects what somebody else reported tells what that person said, and not what today's owner
        does. What was loaded from a document nobody said.
        """
        user, corrected = self.addition.user, self.addition.corrects
        if corrected:
            by = (corrected.on_behalf_of, corrected.on_behalf_of_signed)
            by = by if corrected.on_behalf_of else (corrected.recorded_by, corrected.signed)
            return (None, "") if corrected.document_id or by[0] == user else by
        is_for_owner = user.has_perm(RECORD_FOR_OWNER) and user != self.owner
        return (self.owner, signature(self.owner)) if is_for_owner else (None, "")

    def why_not(self):
        """Nothing for a report, which an owner may always make; nor for reopening what was closed."""
        return super().why_not() if self.cleaned_data.get("status") in ACCEPTED else ""

    def check_that_it_counts(self, day):
        """Add an error, once, where an acceptance of ``day`` changes nothing: a later report stands."""
        if self.current and self.current.dated_first > day:
            later = self.current
            self.tell_once(
                f"This will change nothing: “{later.words}”, dated {read_edtf(later.dated)}, is later and "
                f"stands. {KEPT} Enter that day or a later one or, to save it as it is, choose Save again."
            )

    def check_what_was_sent_back(self, status, day):
        """Add an error where what waits for evidence is accepted, told once, or decided on too early."""
        if self.addition.corrects or not self.current:
            return
        sent_back = SendBack.in_force_of(self.current).first()
        if not sent_back:
            return
        since = say_day(sent_back.dated_first)
        if day < sent_back.dated_first:
            self.add_error("dated", f"It was sent back on {since}. Enter that day or a later one.")
        elif status == Status.COMPLETE:
            self.tell_once(
                f"The report was sent back for evidence on {since}, and nothing was reported since. {KEPT} "
                "To accept it all the same, choose Save again."
            )

    def check_what_it_reopens(self, day):
        """Add an error, once, where a report of ``day`` reopens what was accepted or closed."""
        accepted = self.current
        if accepted and accepted.is_acceptance and accepted.dated_first <= day and not self.addition.corrects:
            self.tell_once(
                f"{accepted.action.ref} is “{accepted.words}”, accepted for {read_edtf(accepted.dated)}. "
                f"Saving this reopens it. {KEPT} Check that it is the right action; to reopen it, choose "
                "Save again."
            )

    def check_what_rests_on_it(self, status, day):
        """Add an error where a correction to that leaves an action embedded that was not complete."""
        resting = self.addition.corrects.embedded_upon_it()
        if resting and status != Status.COMPLETE:
            self.add_error("status", withdraw_first(resting))
        elif resting and day > resting.dated_first:
            self.add_error("dated", withdraw_first(resting))

    def tell_once(self, message):
        """Add the error ``message``, unless it was told of the same update on the page before."""
        if self.carried("told_of") == str(self.current.pk):
            return
        # The page shown next says so, which makes saving again a deliberate act.
        self.carry("told_of", str(self.current.pk))
        self.add_error(None, message)

    def check_recheck(self, status, day):
        """Add an error where a re-check is too soon or belongs to no completed action."""
        recheck_on = self.cleaned_data.get("recheck_on")
        if status == Status.COMPLETE and recheck_on:
            earliest = three_months_after(day)
            if recheck_on < earliest:
                self.add_error(
                    "recheck_on",
                    f"The re-check must be at least three months on: {say_day(earliest)} or later.",
                )
        elif recheck_on:
            self.add_error("recheck_on", "Only a completed action has a re-check date. Leave this empty.")
        if status == Status.EMBEDDED:
            if not (self.current and self.current.status == Status.COMPLETE):
                self.add_error("status", "Only an action that is complete can be embedded.")
            elif day < self.current.recheck_on:
                self.add_error(
                    "dated",
                    f"It can be embedded from its re-check date, {say_day(self.current.recheck_on)}.",
                )


def withdraw_first(resting):
    """That the later acceptance ``resting`` rests on an entry and goes before it, in sentences."""
    return (
        f"“{resting.words}”, dated {read_edtf(resting.dated)}, rests on this acceptance. Withdraw the later "
        "one first."
    )


class UpdateWithdrawalForm(WithdrawalForm):
    def clean(self):
        cleaned = super().clean()
        # Under the lock: it may have been embedded since the form was opened.
        if resting := self.addition.withdraws.embedded_upon_it():
            self.add_error(None, withdraw_first(resting))
        return cleaned


class SendBackForm(IndependentForm):
    dated_help = "The day it was decided: at a meeting, the day of that."

    class Meta:
        model = SendBack
        fields = ["wanted", "wanted_by", "meeting", "dated", "correction_reason"]

    def decides_from(self):
        return self.addition.subject.dated_first

    def clean_dated(self):
        text = super().clean_dated()
        reported = read_edtf(self.addition.subject.dated)
        if read_edtf(text).first < reported.first:
            raise forms.ValidationError(f"It was reported for {reported}. Enter that day or a later one.")
        return text

    def clean(self):
        cleaned = super().clean()
        dated, wanted_by = cleaned.get("dated"), cleaned.get("wanted_by")
        if dated and wanted_by and wanted_by <= read_edtf(dated).first:
            self.add_error("wanted_by", "Give a day after the one on which it was sent back.")
        if not self.addition.corrects:
            if not self.addition.subject.waits_for_acceptance(self.addition.as_at):
                self.add_error(None, "This is not the newest report any more. Read the newer one first.")
            if SendBack.in_force_of(self.addition.subject).exists():
                self.add_error(None, "This report has been sent back already.")
        return cleaned


class AssessmentForm(StatementForm):
    class Meta:
        model = Assessment
        fields = ["whose", "status", "narrative", "dated", "correction_reason"]


def offer_who_can_record(box, present=None):
    """Have ``box`` offer the open accounts that can record progress, and the ``present`` owner."""
    can_record = Q(is_active=True, is_staff=True) | Q(pk=present.pk if present else None)
    box.queryset = box.queryset.filter(can_record).order_by("first_name", "last_name", "pk")
    box.label_from_instance = name_of
    box.empty_label = "Nobody"


class OwnershipForm(StatementForm):
    """Says who answers for an action from a day on: an open account that can record progress, or nobody."""

    dated_help = "The day from which they answer for it."

    class Meta:
        model = Ownership
        fields = ["owner", "dated", "correction_reason"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        present = self.addition.subject.owner_on(self.addition.as_at)
        offer_who_can_record(self.fields["owner"], present)
        self.initial.setdefault("owner", present and present.pk)

    def clean(self):
        cleaned = super().clean()
        self.instance.owner_signed = signature(cleaned.get("owner"))
        return cleaned


class MeasureValueForm(StatementForm):
    dated_help = "When it was so."

    class Meta:
        model = MeasureValue
        fields = ["value", "dated", "caveat", "correction_reason"]
        labels = {"dated": "As at"}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["dated"].label = "As at"

    def began(self):
        """Nothing: a source may give a value that is older than its measure."""

    def clean(self):
        cleaned = super().clean()
        self.instance.as_at = cleaned.get("dated", "")
        return cleaned


class ActionForm(RecordForm):
    def clean(self):
        cleaned = super().clean()
        if not cleaned.get("recommendations") and not cleaned.get("findings"):
            self.add_error("recommendations", "Choose at least one recommendation or finding.")
        misses = cleaned.get("earlier_misses")
        if misses is not None and misses < self.initial.get("earlier_misses", 0):
            self.add_error("earlier_misses", "This count is never lowered.")
        return cleaned
