"""The script of a demonstration is text, and a slip in it is named with its file and row."""

import shutil

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from demonstration.script import BadScript, read_script
from recommendations.models import Action
from recommendations.status import Status

pytestmark = pytest.mark.once
SEEDS = settings.BASE_DIR / "seeds" / "demonstration"


@pytest.fixture
def folder(tmp_path):
    """A copy of the script, to make a slip in."""
    return shutil.copytree(SEEDS, tmp_path / "demonstration")


def slip(folder, file, was, now):
    """Put ``now`` in the place of the first ``was`` in a file."""
    text = (folder / file).read_text(encoding="utf-8")
    assert was in text
    (folder / file).write_text(text.replace(was, now, 1), encoding="utf-8")


def test_every_area_has_a_name_and_every_status_begins_in_some_arc():
    script = read_script(SEEDS)
    assert sorted(script.areas) == list(range(1, 11))
    assert {turn.status for arc in script.actions.arcs for turn in arc.turns} == set(Status)


@pytest.mark.parametrize(
    ("file", "was", "now", "reason"),
    [
        (
            "actions.toml",
            '{ at = 8, status = "at_risk" }',
            '{ at = 8, status = "at risk" }',
            "actions.toml, arcs row 1, turns row 2, status: 'at risk' is none of off_track, at_risk, "
            "not_started, on_track, done, complete, embedded, closed",
        ),
        (
            "actions.toml",
            "at = 8,",
            "at = 108,",
            "actions.toml, arcs row 1, turns row 2: at must be from 0 to 100, not 108",
        ),
        (
            "actions.toml",
            "silent_days = 20",
            'silent_days = "20"',
            "actions.toml, arcs row 2, silent_days: this must be a whole number, not '20'",
        ),
        (
            "actions.toml",
            "silent_days = 20",
            "silent_days = -20",
            "actions.toml, arcs row 2, silent_days: this must not be less than 0, and is -20",
        ),
        (
            "actions.toml",
            "silent_days = 20\n",
            "",
            "actions.toml, arcs row 2: silent_days is missing",
        ),
        (
            "actions.toml",
            "silent_days = 20",
            "silent_days = 20\nsilence = 20",
            "actions.toml, arcs row 2: there is no field called silence",
        ),
        (
            "actions.toml",
            "number = 2",
            "number = 1",
            "actions.toml: there are two areas with the number 1",
        ),
        (
            "actions.toml",
            "repeats = true",
            "repeats = 1",
            "actions.toml, arcs row 10, repeats: this must be true or false, not 1",
        ),
        (
            "updates.toml",
            "met before {day}",
            "met before {date}",
            "updates.toml, statuses on_track, narratives row 2: only area or day or ref may stand in curly "
            "brackets, in 'a working group on {area} met before {date} and agreed its next steps.'",
        ),
        (
            "updates.toml",
            "[statuses.closed]",
            "[statuses.shut]",
            "updates.toml, statuses: 'shut' is none of off_track, at_risk, not_started, on_track, done, "
            "complete, embedded, closed",
        ),
        (
            "updates.toml",
            '"it was written about another action."',
            '" "',
            "updates.toml, correction_reasons row 3: this is empty",
        ),
        (
            "due_dates.toml",
            "faster =",
            "# faster =",
            "due_dates.toml: reasons has nothing for faster",
        ),
        (
            "due_dates.toml",
            "the pilot went well",
            "the pilot {area went well",
            "due_dates.toml, reasons faster: nothing may stand in curly brackets, in "
            "'the pilot {area went well, so the rest can start sooner.'",
        ),
        (
            "assessments.toml",
            'mistake = "embedded"',
            'mistake = "closed"',
            "assessments.toml: verdicts has nothing for closed",
        ),
        (
            "meetings.toml",
            'in a paper."',
            "in a paper.",
            "meetings.toml: Illegal character '\\n' (at line 9, column 96)",
        ),
        (
            "assessments.toml",
            "[verdicts]",
            "[[verdicts]]",
            "assessments.toml, verdicts: this must be a table of names and values",
        ),
        (
            "people.toml",
            'chair = "Chair"',
            "chair = []",
            "people.toml, chair: this must be a text in quotation marks, not []",
        ),
    ],
)
def test_a_slip_is_named_with_its_file_and_row(folder, file, was, now, reason):
    slip(folder, file, was, now)
    with pytest.raises(BadScript) as refused:
        read_script(folder)
    assert str(refused.value) == reason


def test_a_list_with_nothing_in_it_is_refused(folder):
    (folder / "meetings.toml").write_text(
        'covering_note = "a note."\nnew_version_reason = "late."\nasks = []\nasks_in_turn = ["a"]\n'
        'outcomes = ["agreed a."]\n'
    )
    with pytest.raises(BadScript) as refused:
        read_script(folder)
    assert str(refused.value) == (
        "meetings.toml, asks: this must be a list in square brackets, with something in it"
    )


def test_a_file_that_is_not_there_is_named(folder):
    (folder / "meetings.toml").unlink()
    with pytest.raises(BadScript) as refused:
        read_script(folder)
    assert str(refused.value) == "meetings.toml: No such file or directory"


def test_the_command_says_what_is_wrong_and_saves_nothing(db, settings, folder):
    settings.DEBUG = True
    slip(folder, "people.toml", "chair =", "chairman =")
    with pytest.raises(CommandError) as refused:
        call_command("demo", folder=folder)
    assert str(refused.value) == "people.toml: there is no field called chairman. Nothing was saved."
    assert not Action.objects.exists()
