"""What a password may not contain."""

from itertools import pairwise

from django.core.exceptions import ValidationError

WORDS = ("bcp", "bournemouth", "christchurch", "poole", "council", "ofsted", "improvement")


class NoWordsOfThisService:
    """Refuse a password built on the words anyone would try first here (NCSC password guidance)."""

    def validate(self, password, user=None):
        plain = password.casefold()
        found = [word for word in WORDS if word in plain]
        if found:
            raise ValidationError(
                f"The password contains “{found[0]}”, which is among the first words anyone would try.",
                code="password_of_this_service",
            )

    def get_help_text(self):
        return "Your password can’t contain the council’s name or words of this service."


class NoRun:
    """Refuse one character repeated, or characters in order, as long as they may be: 123456789012."""

    def validate(self, password, user=None):
        steps = {
            (ord(after) - ord(before)) % (10 if password.isdecimal() else 0x110000)
            for before, after in pairwise(password)
        }
        if len(steps) == 1:
            raise ValidationError(
                "The password is one character repeated, or characters in order.", code="password_in_order"
            )

    def get_help_text(self):
        return "Your password can’t be one character repeated, or characters in order."
