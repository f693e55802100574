"""The forms that add statements, and those that withdraw one: dated, signed, and never edited."""

from contextlib import suppress
from dataclasses import dataclass

from django import forms
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import models
from django.forms.models import model_to_dict

from record.as_at import EARLIEST, AsAt
from record.dates import EdtfFormField, read_edtf, say_day, say_moment
from record.forms import KEPT, KEY, NOT_WHOLE, OpenedForm, TokenField, hold
from record.ledger import append
from record.signing import name_in, signature
from record.statements import SAY_WHAT_WAS_WRONG, Statement


@dataclass(frozen=True)
class Addition:
    """Someone about to add a statement about ``subject``, perhaps one that supersedes an earlier row.

    It ``corrects`` that row or ``withdraws`` it; with ``anew`` it withdraws it and says anew what is right.
    """

    user: AbstractUser
    as_at: AsAt
    subject: models.Model
    corrects: models.Model | None = None
    withdraws: models.Model | None = None
    anew: bool = False

    @property
    def supersedes(self):
        """The earlier row that counts no more once this is saved, or None."""
        return self.corrects or self.withdraws


def began_on(row):
    """The first day on which an action or a recommendation was on the board, or None."""
    agreed = getattr(row, "agreed_on_first", None)
    return agreed or (row.document.published_first if row.document_id else None)


class StatementForm(OpenedForm):
    """A form that adds one append-only row. The admin gives each page's form its ``addition``."""

    addition = None
    dated = EdtfFormField()
    dated_help = "The day this speaks of. It cannot be in the future."

    @classmethod
    def left_out(cls, addition):
        """The fields that this person is not offered."""
        return set() if addition.supersedes else {"correction_reason"}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        addition = self.addition
        for name, value in self.about().items():
            setattr(self.instance, name, value)
        if "dated" in self.fields:
            self.fields["dated"] = EdtfFormField(
                # A correction may keep a date that was loaded from a document, however imprecise.
                as_printed=bool(addition.corrects),
                initial=f"{addition.as_at.today:%d/%m/%Y}",
                help_text=f"{self.dated_help} For example 22/11/2022.",
            )
        if reason := self.fields.get("correction_reason"):
            reason.widget.attrs["rows"] = 2
            if addition.anew:
                reason.label = "What was wrong with the earlier entry"
        if addition.corrects:
            self.instance.corrects = addition.corrects
        if addition.supersedes:
            for name, value in model_to_dict(addition.supersedes, fields=self.fields).items():
                if name != "correction_reason":
                    self.initial.setdefault(name, value)

    def record(self):
        """Add what the form says, once it is valid, to history, signed by the person who made it."""
        append(self.signed_rows())

    def signed_rows(self):
        """The rows to add, in order, once the form is valid, signed by the person who made it."""
        self.instance.recorded_by = self.addition.user
        self.instance.signed = signature(self.addition.user)
        return self.rows()

    def rows(self):
        """The rows to add, in order, once the form is valid."""
        addition = self.addition
        if not addition.anew:
            return [self.instance]
        return [addition.withdraws.withdrawal(by=addition.user, reason=self.reason), self.instance]

    def about(self):
        """The columns of the new row that say what it is about."""
        return {self._meta.model.subject_field: self.addition.subject}

    def guarded(self):
        """The row of the record whose statements are added one at a time."""
        subject = self.addition.subject
        return subject.about if isinstance(subject, Statement) else subject

    def began(self):
        """The first day that a row about this may speak of, or None."""
        return began_on(self.guarded())

    def siblings(self):
        """The rows of this kind about the same row of the record."""
        return self._meta.model.objects.filter(**{self._meta.model.about_path(): self.guarded()})

    def lock(self):
        guarded = self.guarded()
        hold(type(guarded).objects.filter(pk=guarded.pk))

    def newest(self):
        return str(self.siblings().aggregate(newest=models.Max("pk"))["newest"] or 0)

    def what_happened(self, opened_on, newest):
        """A sentence for each row that somebody, perhaps this person, added since."""
        if not KEY.fullmatch(opened_on) or int(opened_on) > int(newest):
            return [NOT_WHOLE]
        since = self.siblings().filter(pk__gt=opened_on).order_by("pk")
        return [
            f"{'You' if row.recorded_by_id == self.addition.user.pk else name_in(row.signed)} "
            f"{'withdrew' if row.withdraws_id else 'saved'} this on {say_moment(row.recorded_at)}, "
            f"after you opened this form: “{row.in_words()}”"
            for row in since
        ]

    def advice_since(self, opened_on):
        since = self.siblings().filter(pk__gt=opened_on) if KEY.fullmatch(opened_on) else ()
        if since and {row.recorded_by_id for row in since} == {self.addition.user.pk}:
            return f"{KEPT} Check it against what you saved; to save this as well, choose Save again."
        return super().advice_since(opened_on)

    def said_already(self):
        """A sentence if the newest row says the same of the same day, and is this person's.

        So does a form that was sent twice, or one sent again after going back to it. Nothing else is
        then said to be wrong: what was saved may well be refused a second time.
        """
        newest = self.siblings().order_by("-pk").first()
        if newest is None or NON_FIELD_ERRORS in self.errors:
            return ""
        typed = self._typed()
        new = {**typed, **self.about()}
        new |= {name: getattr(self.instance, name) for name in ("corrects", "withdraws")}
        new["recorded_by"] = self.addition.user
        if self.addition.anew:
            new["correction_reason"] = ""
        if any(getattr(newest, name) != value for name, value in new.items()):
            return ""
        self.errors.clear()
        self.cleaned_data |= typed
        return (
            f"You saved exactly this on {say_moment(newest.recorded_at)}. It is on the record once, and "
            "nothing more was saved."
        )

    def _typed(self):
        """{name of a box: what was typed in it}, as the row would hold it where that can be read."""
        typed = dict(self.cleaned_data)
        for name in self.errors:
            typed[name] = self[name].data
            with suppress(forms.ValidationError):
                typed[name] = self.fields[name].clean(typed[name])
        return {name: value for name, value in typed.items() if not isinstance(self.fields[name], TokenField)}

    def clean_dated(self):
        text, today = self.cleaned_data["dated"], self.addition.as_at.today
        date = read_edtf(text)
        last = date.last or date.first
        if date.first is None:
            raise forms.ValidationError("Enter the day this speaks of.")
        if last > today and date.first <= today:
            raise forms.ValidationError(f"{date} is not over yet. Enter the day, such as {today:%d/%m/%Y}.")
        if last > today:
            raise forms.ValidationError("This date is in the future. Enter today or an earlier date.")
        if date.first < EARLIEST:
            raise forms.ValidationError(f"The record begins on {say_day(EARLIEST)}. Enter a later date.")
        began = self.began()
        if began and last < began:
            raise forms.ValidationError(
                f"The {self.guarded()._meta.verbose_name} began on {say_day(began)}. "
                "Enter that date or a later one."
            )
        return text

    def clean(self):
        cleaned = super().clean()
        supersedes, rows = self.addition.supersedes, self._meta.model.objects
        if supersedes and rows.filter(corrects=supersedes.pk).exists():
            self.add_error(None, "This entry has already been corrected. Go to the newer one instead.")
        if supersedes and rows.filter(withdraws=supersedes.pk).exists():
            self.add_error(None, "This entry has already been withdrawn. Enter anew what is right.")
        if self.changes_nothing(cleaned):
            self.add_error(None, "This is what the earlier entry says. Change what was wrong in it.")
        if self.addition.anew:
            # The reason is that of the withdrawal: what is entered anew corrects nothing.
            self.require("correction_reason", SAY_WHAT_WAS_WRONG)
            self.reason = cleaned.pop("correction_reason", "")
        return cleaned

    def changes_nothing(self, cleaned):
        """Whether it would put in the place of an earlier row the very same words."""
        earlier, compared = self.addition.corrects, set(self._meta.fields or ()) - {"correction_reason"}
        if not earlier or self.errors:
            return False
        return all(getattr(earlier, name) == cleaned[name] for name in compared if name in cleaned)

    def require(self, name, message):
        """Add ``message`` to the field ``name`` if it was left empty and has no error yet."""
        if not self.cleaned_data.get(name) and name not in self.errors:
            self.add_error(name, message)


class WithdrawalForm(StatementForm):
    """Withdraws an entry that was made in error: it asks why, and nothing else."""

    dated = None

    class Meta:
        fields = ["correction_reason"]
        labels = {"correction_reason": "Why it is withdrawn"}
        help_texts = {
            "correction_reason": "For example: entered on the wrong action, or typed twice. "
            "It counts no more, and stays on the record, struck through."
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.instance = self.addition.withdraws.withdrawal(by=self.addition.user, reason="")
