"""A few rows with dull defaults, made the way the site makes them."""

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
