"""A new kind of statement is found wherever statements are, without another edit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bcp_board.tests.serving import Site

WITHDRAWN = "nothing: it is withdrawn"
ROOT = Path(__file__).resolve().parents[2]
# What a program that knows the made-up kind does with it, and what it finds.
USE = """
import datetime, json, os, sys
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from bcp_board import backups
from bcp_board.tests.made_up.models import Remark
from meetings.changes import changes_since
from record.held import meetings_held
from recommendations.history import history
from recommendations.position import board_position
from recommendations.tests.factories import make_action, signed
from record import ledger, triggers
from record.as_at import AsAt
from record.tests.factories import add, make_meeting, make_user
from record.verification import first_fault

call_command("migrate", verbosity=0)
make_meeting("2022-12-01")
action, officer = make_action(), make_user("Officers")
then = datetime.datetime(2022, 12, 5, 12, tzinfo=datetime.UTC)
first = Remark(action=action, words="As first said", dated="2022-12-05", **signed(officer))
add(first, recorded_at=then)
said = {"corrects": first, "correction_reason": "A slip"}
second = Remark(action=action, words="As put right", dated="2022-12-05", **said, **signed(officer))
add(second, recorded_at=then)
third = Remark(action=action, words="As said of another", dated="2022-12-05", **signed(officer))
add(third, recorded_at=then)
add(third.withdrawal(by=officer, reason="The wrong action"), recorded_at=then)

at = AsAt.now(datetime.date(2022, 12, 20))
page = history(at, actions=[action.pk])
changes = changes_since(board_position(at), meetings_held(at))
found = {
    "history": [(line.kind, line.now, line.superseded is not None) for line in page.entries],
    "corrections": [(c.kind, c.about, c.was, c.now, c.reason) for c in changes.corrections],
    "holds": first_fault(),
}
path = sys.argv[1]
backups.save(path, unencrypted=True)
with connection.cursor() as cursor:
    triggers.drop(connection)
    cursor.execute("UPDATE made_up_remark SET words = 'As nobody said' WHERE id = %s", [first.pk])
found["forged"] = first_fault()
backups.restore(path, force=True, unencrypted=True)
found["restored"] = list(Remark.objects.order_by("pk").values_list("words", flat=True))
found["holds again"] = first_fault()
try:
    Remark.objects.update(words="As nobody said")
except Exception as error:
    found["refused"] = "append-only" in str(error)
print(json.dumps(found))
"""


@pytest.mark.service
def test_a_made_up_kind_is_in_history_corrections_ledger_backup_and_what_changed(new_database, tmp_path):
    database = new_database("empty")
    server = os.environ.get("DATABASE_URL", "").rpartition("/")[0]
    url = f"sqlite:///{database.name}" if database.is_file else f"{server}/{database.name}"
    made_up = {
        "DJANGO_SETTINGS_MODULE": "bcp_board.tests.made_up_settings",
        "MADE_UP_VAR_DIR": str(tmp_path),
        "DEBUG": "1",
    }
    env = Site(url).env | made_up
    command = [sys.executable, "-c", USE, str(tmp_path / "backup")]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])

    key = found["forged"].split()[-1].rstrip(".")
    assert found == {
        "history": [
            ["remark", "As said of another", True],
            ["remark", "As put right", False],
            ["remark", "As first said", True],
        ],
        "corrections": [
            ["remark", "A01: Title of A01", "words: As first said", "words: As put right", "A slip"],
            ["remark", "A01: Title of A01", "As said of another", WITHDRAWN, "The wrong action"],
        ],
        "holds": None,
        "forged": found["forged"],
        "restored": ["As first said", "As put right", "As said of another", "As said of another"],
        "holds again": None,
        "refused": True,
    }
    assert f"does not match its row, which was changed: made_up.remark {key}" in found["forged"]


@pytest.mark.django_db
def test_every_kind_says_what_it_is_about():
    from recommendations.models import Action, Recommendation
    from record.statements import statement_kinds

    about = {
        kind.__name__: (kind.path_to(Action), kind.path_to(Recommendation)) for kind in statement_kinds()
    }
    assert about == {
        "ProgressUpdate": ("action", None),
        "DueDate": ("action", None),
        "Ownership": ("action", None),
        "Decision": ("due_date__action", None),
        "SendBack": ("report__action", None),
        "Assessment": (None, "recommendation"),
        "MeasureValue": (None, None),
        "AskOutcome": (None, None),
        "LateNote": ("due_date__action", None),
    }
