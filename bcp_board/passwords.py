"""What a password may not be: built on the words anyone would try first here, or easy to guess at all."""

import re
import string
import threading
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
    *("october", "november", "december", "spring", "summer", "autumn", "winter", "easter", "christmas"),
    *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "dorset"),
)
# In powers of ten, measured. Of four dozen passwords that people choose and should not, the hardest with no
# refused word takes 8.5; twelve random characters take 10 or more, three ordinary words with spaces 12.
LEAST_GUESSES = 9
# All that the estimate reads, which is as much as its package takes: what is longer is judged by its start.
READ = 72
# zxcvbn keeps the words it is given for all threads: one at a time, or a password meets another's names.
ONE_AT_A_TIME = threading.Lock()
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


def guesses(text, words):
    """How many guesses the plain ``text`` takes, in powers of ten, when ``words`` are tried first."""
    with ONE_AT_A_TIME:
        return zxcvbn(text, user_inputs=words)["guesses_log10"]


def fewest_guesses(text, words):
    """The same, when a sign is worth no more than one power of ten however often it is written.

    zxcvbn takes the signs of "July-2026!!!" for parts that have to be found, but they are what people add
    where signs are asked for.
    """
    text = text[:READ]
    bare = "".join(character for character in text if character not in string.punctuation)
    signs = len(set(text) - set(bare))
    return min(guesses(text, words), guesses(bare, words) + signs) if bare and signs else guesses(text, words)


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
        if fewest_guesses(text, [*EASY, *names_of(user)]) < LEAST_GUESSES:
            raise ValidationError(
                "The password is too easy to guess. It is a common one, a pattern, or little more than your "
                "names, a date or words of this service. Use three or more words that have nothing to do "
                "with each other.",
                code="password_easy_to_guess",
            )

    def get_help_text(self):
        return "Your password can’t be easy to guess. Use three or more words that have nothing in common."
