"""Who did something: the name and role that they had then, kept as text beside the account."""

from django.core.exceptions import PermissionDenied

# The groups, with the word that signs what a member records. Whoever has two roles signs as the first.
ROLES = {
    "Secretariat": "Secretariat",
    "Chair": "Chair",
    "Officers": "Officer",
    "Administrators": "Administrator",
    "Board members": "Board member",
}


class Refused(PermissionDenied):
    """A refusal in words for the person who asked: why, and who can do it."""


def name_of(user):
    """How a person is named to others today; "" for nobody."""
    return (user.get_full_name() or user.get_username()) if user else ""


def role_of(user):
    """The word that signs what ``user`` records, or "" for somebody who belongs to no group."""
    groups = set(user.groups.values_list("name", flat=True))
    words = [word for group, word in ROLES.items() if group in groups]
    if not words and user.is_superuser:
        return ROLES["Administrators"]
    return words[0] if words else ""


def signature(user):
    """The text that names ``user`` for good: "Ann Clerk (Secretariat)"; "" for nobody."""
    if user is None:
        return ""
    role = role_of(user)
    return f"{name_of(user)} ({role})" if role else name_of(user)


def name_in(signed):
    """The name in the text of a signature."""
    return signed.removesuffix(f" ({role_in(signed)})")


def role_in(signed):
    """The role in the text of a signature, or ""."""
    role = signed.rpartition(" (")[2].removesuffix(")")
    return role if role in ROLES.values() else ""
