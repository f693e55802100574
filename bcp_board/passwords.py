"""What a password may not contain."""

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
