"""What a password may not contain."""

import re
import unicodedata
from itertools import pairwise

from django.core.exceptions import ValidationError

REFUSED = ("bcp", "bournemouth", "christchurch", "poole", "council", "ofsted", "improvement")
TOO_LITTLE = (
    *("children", "service", "social", "care", "safeguarding", "education"),
    *("board", "member", "officer", "chair", "secretariat", "administrator", "admin"),
    *("password", "passphrase", "welcome", "letmein", "login", "signin", "secret"),
)
OTHER_LETTERS = 8
# What people write for a letter. l and i are read as one, because 1 and ! stand for both.
SWAPS = str.maketrans("01!|3457@$€l", "oiiieastasei")


def plain(text):
    """Return ``text`` with the simplest form of each letter: no capitals, accents or full-width letters."""
    # One character at a time: for the whole it takes time that grows with the square of the marks in it.
    forms = "".join(unicodedata.normalize("NFKD", character) for character in text)
    return "".join(character for character in forms.casefold() if not unicodedata.combining(character))


def first_word(words, text):
    """Return the first of ``words`` that stands in the plain ``text``, or "" if none does."""
    read = text.translate(SWAPS)
    return next((word for word in words if word.translate(SWAPS) in read), "")


def letters_beside(words, text):
    """Return how many letters of the plain ``text`` are in none of ``words``."""
    longest_first = sorted((word.translate(SWAPS) for word in words), key=len, reverse=True)
    pattern = "|".join(map(re.escape, longest_first))
    left = re.sub(pattern, lambda found: " " * len(found[0]), text.translate(SWAPS))
    return sum(letter != " " and written.isalpha() for letter, written in zip(left, text, strict=True))


def names_of(user):
    """Return the plain parts of the names of ``user`` that are long enough to be a word."""
    names = (user.username, user.first_name, user.last_name) if user else ()
    return [part for name in names for part in re.findall(r"[^\W\d_]{3,}", plain(name))]


class NoWordsOfThisService:
    """Refuse a password built on the words anyone would try first here (NCSC password guidance)."""

    def validate(self, password, user=None):
        text = plain(password)
        if word := first_word(REFUSED, text):
            raise ValidationError(
                f"The password contains “{word}”, which is among the first words anyone would try.",
                code="password_of_this_service",
            )
        # Without what can stand between letters
        text = "".join(character for character in text if character.translate(SWAPS).isalpha())
        words = [*REFUSED, *TOO_LITTLE, *names_of(user)]
        word = first_word(words, text)
        if word and letters_beside(words, text) < OTHER_LETTERS:
            raise ValidationError(
                f"The password contains “{word}”, which is among the first words anyone would try, and too "
                f"little else. Beside words of this service and your own names it needs at least "
                f"{OTHER_LETTERS} letters. Digits and signs do not count.",
                code="password_of_this_service",
            )

    def get_help_text(self):
        return "Your password can’t be little more than words of this service or your own names."


class NoRun:
    """Refuse one character repeated, or characters in order, as long as they may be: 123456789012."""

    def validate(self, password, user=None):
        round_after = 10 if password.isdecimal() else 0x110000
        steps = {(ord(after) - ord(before)) % round_after for before, after in pairwise(password)}
        if len(steps) == 1:
            raise ValidationError(
                "The password is one character repeated, or characters in order.", code="password_in_order"
            )

    def get_help_text(self):
        return "Your password can’t be one character repeated, or characters in order."
