"""Boxes for text: what only looks like text is empty, and a control character is refused by name."""

import pytest
from django import forms
from django.core.exceptions import ValidationError

from record.texts import DIRECTIONS, LineField, LinesField, refuse_directions


class TextForm(forms.Form):
    line = LineField(required=False)
    lines = LinesField(required=False)


def cleaned(**typed):
    form = TextForm(typed)
    return form.cleaned_data if form.is_valid() else form.errors.get_json_data()


@pytest.mark.parametrize(
    "text", ["\u200b", "\u00a0\u2003", "\ufeff\u200d", "\u2800\u3164", "\u202e", "\u00ad\u034f"]
)
def test_what_cannot_be_seen_is_empty(text):
    assert cleaned(line=text, lines=f"{text}\r\n{text}") == {"line": "", "lines": ""}


@pytest.mark.parametrize("text", ["x\u200b", "é", "字", ".", "🙂", "A\u00adB"])
def test_what_can_be_seen_is_kept_as_it_was_typed(text):
    assert cleaned(line=text, lines=text) == {"line": text, "lines": text}


@pytest.mark.parametrize(
    ("sign", "name"),
    [
        ("\b", "backspace (U+0008)"),
        ("\x1b", "escape (U+001B)"),
        ("\x85", "next line (U+0085)"),
        ("\x93", "(U+0093)"),
    ],
)
def test_a_control_character_is_refused_by_name(sign, name):
    for box in ("line", "lines"):
        (error,) = cleaned(**{box: f"Two{sign}words"})[box]
        assert f"There is a control character in it, {name}" in error["message"]


def test_lines_and_tabs_are_kept_and_a_line_holds_no_other():
    assert cleaned(line="a\tb", lines="a\tb\r\nc") == {"line": "a\tb", "lines": "a\tb\nc"}
    assert "(U+000A)" in cleaned(line="a\nb")["line"][0]["message"]


@pytest.mark.parametrize("sign", DIRECTIONS)
def test_a_name_holds_nothing_that_turns_what_stands_after_it(sign):
    with pytest.raises(ValidationError, match=f"U.{ord(sign):04X}"):
        refuse_directions(f"Olu{sign}")
    refuse_directions("Olúwa Ṣadé-O’Brien محمد")
