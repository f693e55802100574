"""A few rows with dull defaults, made the way the site makes them."""

from meetings.models import Paper
from meetings.outcomes import AskOutcome, LateNote
from recommendations.tests.factories import signed
from record.tests.factories import add


def make_outcome(ask, outcome="agreed", dated="2022-12-01", by=None, **fields):
    """What became of ``ask``, as its meeting said, unless told otherwise."""
    said = {"ask": ask, "outcome": outcome, "dated": dated, "meeting": ask.meeting, **fields}
    return add(AskOutcome(**{**signed(by), **said}))


def make_late_note(due_date, meeting=None, dated="2022-12-01", by=None, **fields):
    """That no new date is set in the place of ``due_date``, which has passed."""
    said = {"due_date": due_date, "dated": dated, "meeting": meeting, "words": "Report in May", **fields}
    return add(LateNote(**{**signed(by), **said}))


def paper_of(meeting, *, version, by, at, decisions=None):
    """A Paper of ``meeting`` that nobody has appended yet, with the numbers of its ``decisions``."""
    return Paper(
        meeting=meeting,
        version=version,
        reason="Late reports" if version > 1 else "",
        as_at=at.date(),
        published_at=at,
        published_by=by,
        signed="Sam Clerk (Secretariat)",
        body=b"",
        sha256="0" * 64,
        decisions=decisions,
    )
