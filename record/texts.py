"""The boxes for text: what cannot be seen is empty, and what cannot be kept is refused by name."""

import unicodedata

from django import forms
from django.core.exceptions import ValidationError

# What Unicode calls letters or symbols and draws as nothing.
BLANKS = "\u034f\u115f\u1160\u2800\u3164\uffa0"
DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
UNSEEN = ("Cc", "Cf", "Zs", "Zl", "Zp")
CONTROLS = {
    "\0": "null",
    "\a": "bell",
    "\b": "backspace",
    "\v": "vertical tab",
    "\f": "form feed",
    "\x1b": "escape",
    "\x7f": "delete",
    "\x85": "next line",
}


def is_visible(text):
    """Whether anything of ``text`` can be seen: not only spaces, and marks that are drawn as nothing."""
    return any(unicodedata.category(sign) not in UNSEEN and sign not in BLANKS for sign in text)


def so_many(count, noun):
    """A number of things: "1 week", "3 open actions"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def ended(text):
    """``text`` as a sentence before another: with a full stop, where it was ended with nothing."""
    text = text.rstrip()
    return text if not text or text.rstrip("”’\"')").endswith((*".!?:;…]",)) else f"{text}."


def refuse_controls(text, *, allowed=""):
    """Raise a ValidationError that names the first control character of ``text`` but those ``allowed``."""
    for sign in text:
        if unicodedata.category(sign) == "Cc" and sign not in allowed:
            name = f"{CONTROLS[sign]} " if sign in CONTROLS else ""
            raise ValidationError(
                f"There is a control character in it, {name}(U+{ord(sign):04X}), perhaps from a program it "
                "was copied from. Delete it with what stands around it, and type that again.",
                code="control_character",
            )


def refuse_directions(name):
    """Raise a ValidationError that names the first sign in ``name`` that turns the text after it."""
    for sign in name:
        if sign in DIRECTIONS:
            raise ValidationError(
                f"There is a {unicodedata.name(sign).lower()} (U+{ord(sign):04X}) in it, which is not seen "
                "and turns round what stands after it. Delete it all, and type the name again.",
                code="directional_character",
            )


class LineField(forms.CharField):
    """A text of one line."""

    allowed = "\t"

    def to_python(self, value):
        text = super().to_python(value)
        refuse_controls(text, allowed=self.allowed)
        return text if is_visible(text) else self.empty_value


class LinesField(LineField):
    """A text of several lines. A browser sends each line's end as two characters; one is kept.

    With two, a text from a file would differ from itself as soon as its form was saved.
    """

    allowed = "\t\n"

    def to_python(self, value):
        return super().to_python(value.replace("\r\n", "\n") if isinstance(value, str) else value)


# What people type for the same sign, by keyboard and by habit.
SAME = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc`\u00b4", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
    # Letters that Unicode takes apart into no plain letter and a mark.
    | {"đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l", "ø": "o", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th"}
    | {"Đ": "D", "Ð": "D", "Ħ": "H", "Ł": "L", "Ø": "O", "Ŧ": "T", "Æ": "AE", "Œ": "OE", "Þ": "TH"}
)


def folded(text):
    """``text`` with its quotes, dashes, capitals and accents made alike: to compare, never to show.

    What is drawn as nothing, such as a soft hyphen, is left out.
    """
    # Signs first: compatibility would take an accent standing alone apart into a space and a mark.
    apart = unicodedata.normalize("NFKD", text.translate(SAME)).casefold()
    if apart.isascii():  # as nearly all is, and letter by letter takes twenty times as long
        return apart
    signs = unicodedata.normalize("NFKD", apart)
    return "".join(c for c in signs if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
