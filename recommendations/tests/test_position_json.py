"""The position for other programs: what its schema says, and the figures of the pages."""

import datetime
import json
from pathlib import Path

import fastjsonschema
import pytest

from recommendations.exports import ACTIONS
from recommendations.position import board_position
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_due_date,
    make_measure_value,
    make_recommendation,
    make_update,
)
from record.models import LedgerEntry
from record.tests.factories import make_user, on

pytestmark = pytest.mark.once

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "position.schema.json").read_text())
DAY = datetime.date(2023, 3, 10)


def strict(part):
    """The schema ``part``, with no name in any object that it does not foresee."""
    if isinstance(part, list):
        return [strict(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {name: strict(one) for name, one in part.items()} | (
        {"additionalProperties": False} if "required" in part else {}
    )


@pytest.fixture
def board(db):
    critical = make_recommendation(1, is_critical=True, consequence="The trust question")
    make_due_date(make_action("A01", critical), due="2022-12")
    make_due_date(make_action("A02", critical), due="2024~")
    make_update(make_action("A03", critical), "off_track", dated="2023-03-01", by=make_user("Officers"))
    make_assessment(critical)
    make_measure_value(as_at="")
    make_recommendation(2)


def test_it_is_as_its_schema_says_on_every_day(reader, board):
    holds = fastjsonschema.compile(strict(SCHEMA))

    for query in ("", f"?as_at={DAY}", f"?as_at={DAY}&known=then", "?as_at=2019-01-01&known=then"):
        said = reader.get(f"/position.json{query}").json()
        holds(said)
        assert said["schema"] == SCHEMA["properties"]["schema"]["const"]
    assert said["actions"] == []


def test_the_schema_notices_what_is_missing_or_not_foreseen(reader, board):
    holds, said = fastjsonschema.compile(strict(SCHEMA)), reader.get("/position.json").json()

    for wrong in (
        {**said, "new": 1},
        {**said, "schema": 1},
        {k: v for k, v in said.items() if k != "counts"},
    ):
        with pytest.raises(fastjsonschema.JsonSchemaException):
            holds(wrong)


def test_the_schema_explains_the_columns_of_actions_as_the_files_do():
    explained = SCHEMA["properties"]["actions"]["items"]["properties"]

    assert {name: has["description"] for name, has in explained.items()} == {c.name: c.means for c in ACTIONS}


def test_its_figures_are_those_of_the_board(reader, board):
    said = reader.get(f"/position.json?as_at={DAY}").json()
    position = board_position(on(DAY))

    assert said["as_at"] == "2023-03-10" and said["known"] is None
    assert said["counts"] == {
        "actions": 3,
        "open": 3,
        "overdue": 0,
        "silent": 1,
        "stale": 0,
        "never_reported": 2,
        "to_look_at_first": len(position.exceptions),
        "decisions_wanted": 0,
        "by_status": {**dict.fromkeys(said["counts"]["by_status"], 0), "off_track": 1, "not_reported": 2},
    }
    first, second = said["recommendations"]
    assert (first["worst_status"], first["reported"], first["silent"]) == ("off_track", 1, ["A01"])
    assert (first["consequence_is_nearer"], first["consequence_cannot_be_told"]) == (True, True)
    assert (first["adviser"]["status"], first["board"], first["views_differ"]) == ("at_risk", None, True)
    assert (second["worst_status"], second["actions"], second["adviser"]) == (None, [], None)
    due = {action["ref"]: action["due"] for action in said["actions"]}
    assert due["A02"] == {"said": "about 2024", "edtf": "2024~", "first": "2024-01-01", "last": None}
    assert due["A03"] is None
    newest = LedgerEntry.objects.latest("sequence")
    assert (said["record"]["entries"], said["record"]["digest"]) == (newest.sequence, newest.digest)


@pytest.mark.parametrize("size", [1, 10])
def test_it_costs_the_same_however_much_there_is(reader, size, django_assert_num_queries):
    for number in range(1, size + 1):
        make_due_date(make_action(f"A{number:02}", make_recommendation(number)))
    # session and user, 28 of the position, the next meeting, the newest entry, whether it is a demonstration
    with django_assert_num_queries(33):
        reader.get("/position.json")
