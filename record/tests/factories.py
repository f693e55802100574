"""A few rows with dull defaults, made the way the site makes them, and the days that tests ask about."""

import datetime

from django.contrib.auth.models import Group, User

from record import ledger, versions
from record.as_at import AsAt
from record.models import Ask, Document, LedgerEntry, Meeting

# Before anything that a test says was recorded, so that what it sets out with is known on every day.
LONG_AGO = datetime.datetime(2019, 1, 1, tzinfo=datetime.UTC)


def on(day, known=None):
    """The AsAt of ``day``, asked on that day."""
    return AsAt(day, day, known)


def noon(day):
    """Midday in UTC of the day written as YYYY-MM-DD."""
    return datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00")


def newest_moment():
    """When the newest entry was recorded, else long ago: the earliest at which the next can be."""
    last = LedgerEntry.objects.order_by("-sequence").first()
    return last.recorded_at if last else LONG_AGO


def saved(at=None, **options):
    """A save of edited rows, at the earliest moment unless told otherwise."""
    return versions.saving(at=at or newest_moment(), **options)


def add(row, *, recorded_at=None):
    """Add the statement ``row`` at the moment it says, or now; one from a document is known from its day."""
    row.recorded_at = row.recorded_at or recorded_at
    known_from = versions.published(row.document) if row.document_id else None
    return ledger.append([row], known_from=known_from)[0]


def make_document(key="report", **fields):
    """A Document published in August 2022, made if there is none of that key."""
    if found := Document.objects.filter(key=key).first():
        return found
    values = {"title": "The report", "publisher": "The adviser", "published": "2022-08", **fields}
    with saved(is_first_load=True):
        return Document.objects.create(key=key, **{"reference": "p1", **values})


def make_user(role="", username="", **fields):
    """A User in the group ``role``, named after it unless told otherwise."""
    name = username or role.lower().replace(" ", "-") or "someone"
    user = User.objects.create(
        username=name, **{"first_name": name.capitalize(), "last_name": "Person", **fields}
    )
    if role:
        user.groups.add(Group.objects.get(name=role))
    # Whoever may do anything does it in the admin.
    user.is_staff = bool(user.get_all_permissions())
    user.save()
    return user


def make_meeting(held_on="2022-12-01", *, asks=(), **fields):
    """A Meeting on that day, written as YYYY-MM-DD, at which the board is to decide each text of ``asks``."""
    with saved():
        meeting = Meeting.objects.create(held_on=datetime.date.fromisoformat(str(held_on)), **fields)
        for text in asks:
            Ask.objects.create(meeting=meeting, kind="decide", text=text)
    return meeting


def change(row, **fields):
    """Save ``row`` with these ``fields``, for a reason."""
    with saved(reason="It was wrong"):
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()
    return row
