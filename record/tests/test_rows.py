"""Positions: a row of the record with what is worked out about it."""

import copy
import datetime
import pickle

import pytest

from record.as_at import AsAt
from record.dates import end_of
from record.edits import edits_of
from record.models import Document
from record.rows import Position, rows_as_at
from record.tests.factories import make_document, make_user, saved


def test_a_position_says_what_its_row_says_and_can_be_copied_and_kept():
    position = Position(Document(key="s1", title="The adviser’s report"))

    for same in (position, copy.copy(position), pickle.loads(pickle.dumps(position))):
        assert (same.key, same.title, same.corrections) == ("s1", "The adviser’s report", ())


@pytest.mark.django_db
def test_what_was_edited_as_a_day_ended_was_not_known_on_that_day():
    document = make_document()
    day, today = datetime.date(2024, 5, 1), datetime.date(2024, 6, 1)
    with saved(at=end_of(day), by=make_user("Secretariat"), reason="It had another title"):
        document.title = "The report, put right"
        document.save()

    known = {}
    for asked in (day, day + datetime.timedelta(days=1)):
        at = AsAt(today, asked, end_of(asked))
        edits = [edit.changes[0].now for edit in edits_of(Document, at).get(document.pk)]
        known[asked.isoformat()] = (rows_as_at(Document, at)[0].title, edits)
    assert known == {
        "2024-05-01": ("The report", []),
        "2024-05-02": ("The report, put right", ["The report, put right"]),
    }
