"""What a password may not be: built on the words anyone would try first here, or easy to guess at all."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from zxcvbn import zxcvbn

# The first words anyone would try: whatever else is in it, a password holds none of these.
REFUSED = ("bcp", "bournemouth", "christchurch", "poole", "council", "ofsted", "improvement")
# Words of this service, and those that people put a number behind when a password is to be changed.
EASY = (
    *REFUSED,
    *("children", "childrens", "service", "services", "social", "care", "safeguarding", "education"),
    *("board", "member", "officer", "chair", "secretariat", "administrator", "admin", "local"),
    *("password", "passphrase", "welcome", "letmein", "login", "signin", "secret"),
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december", "spring", "summer", "autumn", "winter"),
)
# Of three dozen that people would choose and should not, the hardest that holds no refused word takes fewer
# than this many guesses, and the easiest of three ordinary words takes more: measured, in powers of ten.
LEAST_GUESSES = 9
# All that the estimate reads, which is as much as its package takes: what is longer is judged by its start.
READ = 72
# What people write for a letter. l and i are read as one, because 1 and ! stand for both.
SWAPS = str.maketrans("01!|3457@$€l", "oiiieastasei")


def plain(text):
    """``text`` with the simplest form of each letter: no capitals, accents or full-width letters."""
    # One character at a time: for the whole it takes time that grows with the square of the marks in it.
    forms = "".join(unicodedata.normalize("NFKD", character) for character in text)
    return "".join(character for character in forms.casefold() if not unicodedata.combining(character))


def names_of(user):
    """The plain parts of the names of ``user`` that are long enough to be a word."""
    names = (user.username, user.first_name, user.last_name) if user else ()
    return [part for name in names for part in re.findall(r"[^\W\d_]{3,}", plain(name))]


class HardToGuess:
    """Refuse the first words anyone would try, and what takes few guesses (NCSC password guidance)."""

    def validate(self, password, user=None):
        text = plain(password)
        joined = re.sub(r"(?<=\w)[^\w\s](?=\w)", "", text).translate(SWAPS)
        if word := next((word for word in REFUSED if word.translate(SWAPS) in joined), ""):
            raise ValidationError(
                f"The password contains “{word}”, which is among the first words anyone would try.",
                code="password_of_this_service",
            )
        guesses = zxcvbn(text[:READ], user_inputs=[*EASY, *names_of(user)])["guesses_log10"]
        if guesses < LEAST_GUESSES:
            raise ValidationError(
                "The password is too easy to guess. It is a common one, a pattern, or little more than your "
                "names, a date or words of this service. Use three or more words that have nothing to do "
                "with each other.",
                code="password_easy_to_guess",
            )

    def get_help_text(self):
        return "Your password can’t be easy to guess. Use three or more words that have nothing in common."
