"""Forms that refuse to write over what somebody else saved while they were open."""

import datetime
import re

from django import forms
from django.conf import settings
from django.core import signing
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.text import get_text_list
from simple_history.utils import get_m2m_reverse_field_name

from record.dates import DayFormField, say_moment
from record.edits import FILLED_IN, name_of, value_in_words
from record.error_words import say_plainly
from record.signing import name_in
from record.texts import LineField, LinesField

KEPT = "Nothing is saved yet, and what you typed is still here."
LONGEST_TEXT = 10_000
KEY = re.compile("[0-9]{1,18}")
OPENED_BY = "a form was opened by"
NOT_WHOLE = "This form was not sent whole."


def box(make, db_field, **kwargs):
    """The form field that ``make`` gives for ``db_field``, which refuses too much and cuts nothing."""
    if isinstance(db_field, models.TextField):
        # The database would take any length, and every page that shows the text would be as long.
        too_long = f"Use {LONGEST_TEXT:,} characters or fewer."
        kwargs |= {"validators": [MaxLengthValidator(LONGEST_TEXT, too_long)], "form_class": LinesField}
    elif type(db_field) is models.CharField and not db_field.choices and db_field.name != "username":
        kwargs["form_class"] = LineField
    elif db_field.get_internal_type() == "DateField":
        kwargs["form_class"] = DayFormField
    elif isinstance(db_field, models.URLField):
        kwargs["assume_scheme"] = "https"
    field = make(db_field, **kwargs)
    if getattr(field, "max_length", None):
        # A browser that is told the limit cuts what is pasted, without a word.
        field.widget.attrs.pop("maxlength", None)
    return field


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
    # Sealed, for the page that gives back what was typed to whoever was signed out meanwhile.
    opened_by = TokenField(required=False)
    opener = None
    advice = f"{KEPT} Check it against theirs; to save yours as well, choose Save again."
    # Whether what was sent is on the record already, saved by this person.
    is_saved_already = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.is_bound:
            self.initial["opened_on"] = self.newest()
        if not self.opener:
            del self.fields["opened_by"]
        elif not self.is_bound:
            self.initial["opened_by"] = signing.dumps(self.opener.pk, salt=OPENED_BY)

    def full_clean(self):
        # Named, because the list of problems stands apart from the boxes; and now, as a page may rename them.
        say_plainly(self)
        super().full_clean()

    def clean(self):
        cleaned = super().clean()
        self.lock()
        opened_on, newest = self.carried("opened_on"), self.newest()
        if opened_on != newest:
            # The page shown next has seen the other save, so saving again is a deliberate act.
            self.carry("opened_on", newest)
        if again := self.said_already():
            self.is_saved_already = True
            self.add_error(None, again)
        elif opened_on != newest:
            self.add_error(None, [*self.what_happened(opened_on, newest), self.advice_since(opened_on)])
        return cleaned

    def carried(self, token):
        """What the token field ``token`` held as the form was sent, or ""."""
        return self.data.get(self.add_prefix(token), "")

    def carry(self, token, value):
        """Have the page that is shown next send ``value`` in the token field ``token``."""
        self.data = self.data.copy()
        self.data[self.add_prefix(token)] = value

    def advice_since(self, opened_on):
        """What to do now about what was saved since the form was opened."""
        return self.advice

    def said_already(self):
        """A sentence if this person has just saved the very same, else an empty string."""
        return ""


def opener_of(sealed):
    """The key of the account that opened the form in which ``sealed`` was sent, or None."""
    try:
        return signing.loads(sealed, salt=OPENED_BY, max_age=settings.SESSION_COOKIE_AGE)
    except signing.BadSignature:
        return None


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
    # The formsets of those rows, where the page says which they are.
    formsets_beside = ()
    corrects_nothing = "an empty box is filled in for the first time"
    advice = (
        f"{KEPT} What only they changed has come into the form. "
        "To save the form as it now stands, choose Save again."
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            self.fields.pop("change_reason", None)
        elif self.filled_in_later:
            why = self.fields["change_reason"]
            why.required = False
            why.help_text = f"Not asked where {self.corrects_nothing}. {why.help_text}"
        for name, box in self.fields.items():
            offer_what_stands(box, self.initial.get(name))

    def _get_validation_exclusions(self):
        return seeing_what_is_withdrawn(super()._get_validation_exclusions())

    @property
    def filled_in_later(self):
        """{column: what it holds until it is filled in} of those that correct nothing when they first are."""
        return getattr(self._meta.model, "filled_in_later", {})

    def fills_in(self):
        """Whether it changes nothing that was said: it fills in what was always empty, or adds rows."""
        changed, later = set(self.changed_data) - {"change_reason"}, self.filled_in_later
        beside = [
            kind(self.data, instance=self.instance, prefix=kind.get_default_prefix())
            for kind in self.formsets_beside
        ]
        adds = any(form.has_changed() for rows in beside for form in rows.extra_forms)
        if not (changed or adds) or changed - set(later):
            return False
        if any(form.has_changed() for rows in beside for form in rows.initial_forms):
            return False
        versions = self._meta.model.history.filter(id=self.instance.pk)
        return not any(versions.exclude(**{name: later[name]}).exists() for name in changed)

    def clean(self):
        cleaned = super().clean()
        said = cleaned.get("change_reason")
        if said in ("", FILLED_IN):
            if self.fills_in():
                cleaned["change_reason"] = FILLED_IN
            else:
                why = self.fields["change_reason"]
                self.add_error("change_reason", why.error_messages["required"])
        return cleaned

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
