"""What is said at a box that is wrong, where Django's own sentence would stand: plainly, and by its name."""

from django import forms
from django.utils.text import capfirst

NOT_OFFERED = "“%(value)s” is not one of the choices. Choose one from the list."
# Of rows, Django knows the key only, which says nothing to anybody.
NO_SUCH_ROW = "That is not one of the choices. Choose one from the list."


def say_plainly(form):
    """Put our words in the place of Django's at each box of ``form``; what a box says of itself stays."""
    of_what = form._meta.model._meta.verbose_name if isinstance(form, forms.ModelForm) else ""
    for bound in form:
        say_plainly_at(bound.field, capfirst(bound.label), of_what)


def say_plainly_at(field, label, of_what=""):
    """The same at one ``field``, called ``label`` on its page, of a form for a row called ``of_what``."""
    djangos = words_of_django(field)
    for code, words in _words_for(field, label, of_what).items():
        if field.error_messages.get(code) == djangos.get(code):
            field.error_messages[code] = words


def words_of_django(field):
    """{code: what Django says} of what can be wrong with a ``field`` of its class."""
    said = {}
    for kind in reversed(type(field).__mro__):
        if kind.__module__.startswith("django."):
            said |= kind.__dict__.get("default_error_messages", {})
    return said


def _words_for(field, label, of_what):
    words = {
        "required": f"“{label}” is needed.",
        "null_characters_not_allowed": f"“{label}” holds a sign that cannot be kept. Type it again.",
    }
    if getattr(field, "max_length", None):
        words["max_length"] = f"Use {field.max_length:,} characters or fewer."
    if isinstance(field, forms.DateField):
        words["unique"] = f"There is already a {of_what} on that day."
    else:
        words["unique"] = f"Another {of_what} has this {label[0].lower()}{label[1:]} already."
    return words | _words_for_kind(field)


def _words_for_kind(field):
    if isinstance(field, forms.ModelChoiceField):
        return dict.fromkeys(("invalid_choice", "invalid_pk_value", "invalid_list"), NO_SUCH_ROW)
    if isinstance(field, forms.ChoiceField):
        return {"invalid_choice": NOT_OFFERED, "invalid_list": "Choose from the list."}
    if isinstance(field, forms.URLField):
        return {"invalid": "Enter a whole web address, such as https://www.example.org/page."}
    if isinstance(field, forms.EmailField):
        return {"invalid": "Enter a whole e-mail address, such as name@example.org."}
    if isinstance(field, forms.IntegerField):
        return {
            "invalid": "Enter a number in figures, such as 3.",
            "min_value": "Enter %(limit_value)s or more.",
            "max_value": "Enter %(limit_value)s or less.",
        }
    return {}
