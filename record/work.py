"""The pages of work: the same forms as the admin's, over the same ledger, several of them on a page.

They are for those whose work it is. To somebody who only reads the board they are not there.
"""

from dataclasses import dataclass
from functools import wraps

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404

from record.error_words import say_plainly
from record.forms import OpenedForm, box

CLASSES = {
    forms.Textarea: "govuk-textarea",
    forms.Select: "govuk-select",
    forms.RadioSelect: "govuk-radios__input",
    forms.CheckboxInput: "govuk-checkboxes__input",
    forms.CheckboxSelectMultiple: "govuk-checkboxes__input",
}


def for_those_who(may, *, writes=(), adds=None, tells=None):
    """Show a view to the people of whom ``may``, a function of an account, is true.

    It is a 404 to whoever does not work in the admin either, and a 403 to the others. ``writes`` are the
    models whose rows its forms add, several on a page, each with what it is about before its boxes' names.
    ``adds`` is the class of a form on it for one new row. ``tells`` gives what was typed in the others, as
    pairs of a label and a text; or None where it was in none of those.
    """

    def of_work(view):
        @wraps(view)
        def shown(request, *args, **kwargs):
            if may(request.user):
                return view(request, *args, **kwargs)
            if request.user.is_staff:
                raise PermissionDenied
            raise Http404

        shown.may, shown.writes, shown.adds, shown.tells = may, writes, adds, tells
        return shown

    return of_work


def form_of(kind, addition, data=None, *, prefix, only=None):
    """The form of the class ``kind`` that makes ``addition``, one of several on a page, each its ``prefix``.

    It is bound to ``data``, what was sent, unless that is None. With ``only`` it asks for those fields and
    no more of the others than it needs: what is asked elsewhere on the page, or follows from it.
    """
    left_out = kind.left_out(addition)
    fields = [name for name in kind.Meta.fields if name not in left_out and (not only or name in only)]
    make = class_of(kind, kind._meta.model, fields)
    make.addition = addition
    form = make(data, prefix=prefix)
    for name in set(kind.Meta.fields) - set(fields):
        form.fields.pop(name, None)
    return dress(form)


def class_of(kind, model, fields):
    """The class of form ``kind`` for ``fields`` of ``model``, with the boxes that the admin gives them."""
    return forms.modelform_factory(model, form=kind, fields=fields, formfield_callback=plain_box)


def edit_of(kind, row, data=None, *, prefix, only):
    """The form of the class ``kind``, a RecordForm, that edits no more of ``row`` than the fields ``only``.

    It is bound to ``data``, what was sent, unless that is None, and asks why ``row`` is changed.
    """
    return dress(class_of(kind, type(row), only)(data, instance=row, prefix=prefix))


@dataclass(frozen=True)
class Problem:
    """What is wrong with one box of a page: the box's id, and what to say of it at the top."""

    anchor: str
    words: str


@dataclass(frozen=True)
class Lost:
    """What somebody typed about ``ref``, of which nothing can be saved now, and why not.

    ``typed`` are pairs of a label and what was typed under it.
    """

    ref: str
    why: str
    typed: list[tuple[str, str]]


def problems_in(form, whole):
    """A Problem for each error of ``form``; those of no one box lead to the id ``whole``."""
    found = [Problem(whole, error) for error in form.non_field_errors()]
    for field in form:
        anchor = f"{field.auto_id}_0" if field.use_fieldset else field.auto_id
        found += [Problem(anchor, error) for error in field.errors]
    return found


def newest_tokens(model, rows):
    """{key: what a form about it is opened on} for statements of the kind ``model`` about each of ``rows``.

    The same as the form itself would ask for, of all of them in one query.
    """
    about = model.about_path()
    newest = model.objects.filter(**{f"{about}__in": rows}).values_list(about).annotate(models.Max("pk"))
    found = {key: str(pk) for key, pk in newest.order_by()}
    return {row.pk: found.get(row.pk, "0") for row in rows}


def plain_box(column, **kwargs):
    """The form field of ``column`` where no admin adds to it: a formfield_callback."""
    return box(_plain, column, **kwargs)


def _plain(column, **kwargs):
    return column.formfield(**kwargs)


def dress(form):
    """``form``, each of its boxes looking and speaking as those of every page of the board."""
    if not isinstance(form, OpenedForm):
        say_plainly(form)
    for field in form.fields.values():
        of_kind = CLASSES.get(type(field.widget), "govuk-input")
        if not field.widget.is_hidden:
            field.widget.attrs.setdefault("class", of_kind)
    return form
