"""Forms that refuse to write over what somebody else saved while they were open."""

import datetime
import re
from dataclasses import dataclass

from django import forms
from django.contrib.auth.models import AbstractUser
from django.core.validators import MaxLengthValidator
from django.db import models
from django.forms.models import model_to_dict
from django.utils.text import get_text_list
from simple_history.utils import get_m2m_reverse_field_name

from record.as_at import EARLIEST, AsAt
from record.dates import EdtfFormField, read_edtf, say_day, say_moment
from record.edits import name_of, value_in_words
from record.signing import name_in
from record.statements import SAY_WHAT_WAS_WRONG, Statement
from record.texts import LinesField

KEPT = "Nothing is saved yet, and what you typed is still here."
KEY = re.compile("[0-9]{1,18}")
NOT_WHOLE = "This form was not sent whole."


def hold(rows):
    """Keep others from changing ``rows``, a queryset, until this transaction ends."""
    # NO KEY, because others may add rows that point at these meanwhile.
    list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk"))


class TokenField(forms.CharField):
    """What a form was opened on: nothing that its sender changes."""

    widget = forms.HiddenInput

    def has_changed(self, initial, data):
        return False


class OpenedForm(forms.ModelForm):
    """A form that carries a token of what was on the record when it was opened.

    Each kind of form says what to ``lock``, what its ``newest`` token is and how to describe
    ``what_happened`` since. The comparison is made under the lock, in the transaction that saves, so of
    two people who save at once, or one who presses Save twice, only the first is not told of the other.
    """

    opened_on = TokenField(required=False)
    advice = f"{KEPT} Check it against theirs; to save yours as well, choose Save again."

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.is_bound:
            self.initial["opened_on"] = self.newest()

    def clean(self):
        cleaned = super().clean()
        self.lock()
        opened_on, newest = self.data.get("opened_on", ""), self.newest()
        if opened_on != newest:
            # The page shown next has seen the other save, so saving again is a deliberate act.
            self.data = self.data.copy()
            self.data["opened_on"] = newest
        if again := self.said_already():
            self.add_error(None, again)
        elif opened_on != newest:
            self.add_error(None, [*self.what_happened(opened_on, newest), self.advice])
        return cleaned

    def said_already(self):
        """A sentence if this person has just saved the very same, else an empty string."""
        return ""


def seeing_what_is_withdrawn(excluded):
    """The names of the fields ``excluded`` from a form's checks, less the one that unique rows depend on."""
    return excluded - {"is_withdrawn"}


def offer_what_stands(box, chosen):
    """Leave what was withdrawn out of the rows that ``box`` offers, but for those that are ``chosen``."""
    offered = getattr(box, "queryset", None)
    if offered is None or not hasattr(offered.model, "is_withdrawn"):
        return
    keys = chosen if isinstance(chosen, list | tuple) else [chosen]
    # An address may choose anything at all for a form that it opens.
    kept = [key for each in keys if KEY.fullmatch(str(key := getattr(each, "pk", each)))]
    box.queryset = offered.filter(models.Q(is_withdrawn=False) | models.Q(pk__in=kept))


class RecordForm(OpenedForm):
    """The form of an editable row, perhaps with rows of other models edited on the same page.

    Its token is the newest history of the row and of the rows of each of ``beside``, pairs of a model and
    its foreign key to this one, which the admin sets. What somebody else changed meanwhile, and this person
    did not, comes into the form, so that saving again does not put it back.
    """

    change_reason = LinesField(
        label="Why it is changed",
        # Not max_length: a browser that is told the limit cuts what is pasted, without a word.
        validators=[MaxLengthValidator(500, "Use 500 characters or fewer.")],
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why this is changed."},
        help_text="Readers see it beside what the page said before. Never enter a child’s name.",
    )
    beside = ()
    advice = (
        f"{KEPT} What only they changed has come into the form. "
        "To save the form as it now stands, choose Save again."
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            self.fields.pop("change_reason", None)
        for name, box in self.fields.items():
            offer_what_stands(box, self.initial.get(name))

    def _get_validation_exclusions(self):
        return seeing_what_is_withdrawn(super()._get_validation_exclusions())

    def changes_the_row(self):
        """Whether anything was changed beside the reason for it."""
        return bool(set(self.changed_data) - {"change_reason"})

    def _parts(self):
        return ((self._meta.model, "id"), *self.beside)

    def lock(self):
        if self.instance.pk:
            for model, key in self._parts():
                hold(model.objects.filter(**{key: self.instance.pk}))

    def newest(self):
        if not self.instance.pk:
            return ""
        latest = [
            model.history.filter(**{key: self.instance.pk}).aggregate(newest=models.Max("history_id"))
            for model, key in self._parts()
        ]
        return "-".join(str(part["newest"] or 0) for part in latest)

    def what_happened(self, opened_on, newest):
        """A sentence for each part of the page that was saved since it was opened."""
        before, now = opened_on.split("-"), newest.split("-")
        if len(before) != len(now) or not all(re.fullmatch("[0-9]{1,18}", part) for part in before + now):
            return [NOT_WHOLE]
        return [
            self._change(model, was, is_now)
            for (model, _), was, is_now in zip(self._parts(), before, now, strict=True)
            if was != is_now
        ]

    def _change(self, model, was, is_now):
        record = model.history.filter(history_id=is_now).first()
        earlier = model.history.filter(history_id=was).first()
        if record is None:
            return NOT_WHOLE
        changes, told = [], []
        if model is not self._meta.model:
            changes = [str(model._meta.verbose_name_plural)]
        elif earlier:
            changes, told = merge(self, earlier, record)
        what = get_text_list(changes, "and") or "this page"
        by, when = name_in(record.signed) or "Somebody", say_moment(record.history_date)
        return " ".join([f"{by} changed {what} on {when}, after you opened this form.", *told])


class WithdrawForm(RecordForm):
    """Asks why a row is withdrawn; ``resting`` are rows that rest on it, because of which it cannot be."""

    resting = ()
    advice = f"{KEPT} Read it again; to withdraw it as it now is, choose Withdraw again."

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["change_reason"].label = "Why it is withdrawn"
        self.fields["change_reason"].error_messages["required"] = "Say why this is withdrawn."
        self.fields[
            "change_reason"
        ].help_text = "Readers see it beside what the row said, struck through. Never enter a child’s name."

    def clean(self):
        cleaned = super().clean()
        if self.resting:
            self.add_error(None, f"It cannot be withdrawn: {named(self.resting)} rest on it.")
        return cleaned


def named(rows, longest=5):
    """The first of ``rows`` in words, and how many more there are."""
    names = [name_of(row) for row in rows[:longest]]
    if len(rows) > longest:
        names.append(f"{len(rows) - longest} more")
    return get_text_list(names, "and")


def merge(form, earlier, now):
    """Bring into ``form`` what changed between two versions of its row, where its sender changed nothing.

    Returns the names of what changed, and a sentence for each field that both of them changed.
    """
    names, told = [], []
    form.data = form.data.copy()
    for field in fields_changed(earlier, now):
        box = form.fields.get(field.name)
        names.append(str(field.verbose_name))
        if box is None:
            continue
        typed, theirs = form[field.name].data, value_of(now, field)
        if not box.has_changed(value_of(earlier, field), typed):
            _put(form, field.name, theirs)
            form.errors.pop(field.name, None)
        elif box.has_changed(theirs, typed):
            words = in_words(now, field) or "nothing"
            told.append(f"You both changed {names[-1]}: theirs is “{words}”. Saving replaces it.")
    return names, told


def fields_changed(earlier, now):
    """The fields of a row in which two of its versions differ."""
    return [now.instance_type._meta.get_field(change.field) for change in now.diff_against(earlier).changes]


def value_of(version, field):
    """What a ``version`` of a row holds in ``field``, as a form's field starts with it."""
    if field.many_to_many:
        other = get_m2m_reverse_field_name(field)
        return list(getattr(version, field.name).values_list(other, flat=True))
    return getattr(version, field.attname)


def rows_of(version, field):
    """The rows that a ``version`` of a row links to in ``field``; the row's own links are today's."""
    value = value_of(version, field)
    return field.related_model.objects.filter(pk__in=value if field.many_to_many else [value])


def in_words(version, field):
    """What a ``version`` of a row says in ``field``, whole, or "" if that is nothing."""
    if field.is_relation:
        rows = rows_of(version, field)
        return ", ".join(str(getattr(r, "ref", r)) for r in rows)
    return value_in_words(field, value_of(version, field))


def _put(form, name, value):
    """Put ``value`` into the box ``name`` of a form that was sent, as if it had been typed."""
    box, key = form.fields[name], form.add_prefix(name)
    if isinstance(value, list):
        form.data.setlist(key, [str(each) for each in value])
    elif isinstance(value, bool):
        form.data.setlist(key, ["on"] if value else [])
    else:
        shown = box.prepare_value(value)
        shown = box.widget.format_value(shown) if isinstance(shown, datetime.date) else shown
        form.data[key] = "" if shown is None else str(shown)


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
        if not re.fullmatch("[0-9]{1,18}", opened_on) or int(opened_on) > int(newest):
            return [NOT_WHOLE]
        since = self.siblings().filter(pk__gt=opened_on).order_by("pk")
        return [
            f"{'You' if row.recorded_by_id == self.addition.user.pk else name_in(row.signed)} "
            f"{'withdrew' if row.withdraws_id else 'saved'} this on {say_moment(row.recorded_at)}, "
            f"after you opened this form: “{row.in_words()}”"
            for row in since
        ]

    def said_already(self):
        """A sentence if the newest row says the same of the same day, and is this person's.

        So does a form that was sent twice, or one sent again after going back to it.
        """
        newest = self.siblings().order_by("-pk").first()
        if newest is None or self.errors:
            return ""
        tokens = {name for name, box in self.fields.items() if isinstance(box, TokenField)}
        typed = {name: value for name, value in self.cleaned_data.items() if name not in tokens}
        new = {**typed, **self.about()}
        new |= {name: getattr(self.instance, name) for name in ("corrects", "withdraws")}
        new["recorded_by"] = self.addition.user
        if self.addition.anew:
            new["correction_reason"] = ""
        if any(getattr(newest, name) != value for name, value in new.items()):
            return ""
        return (
            f"You saved exactly this on {say_moment(newest.recorded_at)}. It is on the record once, and "
            "nothing more was saved."
        )

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
