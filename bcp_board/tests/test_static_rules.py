"""Rules that the source itself keeps; each exception is listed with its reason."""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from simple_history.models import HistoricalChanges

from record.triggers import append_only_models

pytestmark = pytest.mark.once
ROOT = Path(__file__).resolve().parents[2]
# Each imports only those before it; nothing imports the demonstration.
APPS = ["record", "visits", "recommendations", "meetings", "bcp_board", "demonstration"]
OURS = [model for model in apps.get_models() if model._meta.app_label in APPS]
SOURCES = [
    path
    for app in APPS
    for path in sorted((ROOT / app).rglob("*.py"))
    if not {"tests", "migrations"} & set(path.relative_to(ROOT).parts)
]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))

# Words that turn escaping off, step round the query builder, ask a clock that has no time zone, or take a
# file away or write over it.
DANGEROUS = {
    "mark_safe",
    "SafeString",
    "SafeText",
    "safestring",
    "csrf_exempt",
    "xframe_options_exempt",
    "RawSQL",
    "eval",
    "exec",
    "pickle",
    "utcnow",
    "executescript",
    "unlink",
    "rename",
    "renames",
    "rmdir",
    "rmtree",
    "removedirs",
    "truncate",
    "shutil",
    "write_text",
    "write_bytes",
}
# The same words are used of texts and lists, so these count only as "os.remove".
OF_FILES = {"os.remove", "os.replace", "os.truncate"}
CURSOR = {"cursor.execute", "cursor.executemany"}
REVIEWED = {
    # When the history was last found to hold, which each time takes the place of the time before.
    "record/verification.py": {"write_text"},
    # Our own stylesheet, read from the package, into the page that carries it.
    "meetings/papers.py": {"mark_safe", "SafeString"},
    # Statements of our own; what is written into them is a quoted name of a table, column or role.
    "bcp_board/backups.py": CURSOR,
    "bcp_board/grants.py": CURSOR,
    "record/canonical.py": CURSOR,
    "record/erasure.py": CURSOR,
    "record/kept.py": CURSOR,
    "record/ledger.py": CURSOR,
    "record/planning.py": CURSOR,
    "record/triggers.py": CURSOR,
    # "SELECT 1", to see whether the database answers, and how much SQLite keeps in memory.
    "bcp_board/monitoring.py": CURSOR,
    # How long a save may wait for a lock, a number of the settings.
    "bcp_board/impatience.py": CURSOR,
    # A file that is new: one not finished yet, which then gets a name that is free. And a backup, of which
    # prune_backups says that none of its rules keeps it.
    "bcp_board/backup_files.py": {"unlink", "open to write"},
    # Only a file that is new.
    "bcp_board/backup_keys.py": {"open to write"},
    # Files that are new, in a folder that is.
    "bcp_board/management/commands/disclose.py": {"open to write"},
    # What belongs to the checkout: a new secret key, a lock, half a demonstration, pictures.
    "bcp_board/bin/run.py": {"unlink", "open to write"},
    "bcp_board/bin/screenshots.py": {"unlink", "rename"},
    # A folder of its own, gone when it ends, for the lines of the history.
    "bcp_board/bin/leaks.py": {"write_bytes"},
}


def dangerous(path):
    """The dangerous words that the module at ``path`` uses, comments and strings apart."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = ast.unparse(node.func)
            if called in ("datetime.date.today", "date.today", "datetime.now", "datetime.datetime.now"):
                found |= {called} if not node.args else set()
            if called.endswith("now().date"):
                found.add(called)
            if called in CURSOR | OF_FILES:
                found.add(called)
            if called.endswith(".open"):
                found |= writes(node)
            found |= {node.func.attr} & {"raw", "extra"}
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "open":
            found |= writes(node)
        if isinstance(node, ast.Name | ast.Attribute | ast.alias):
            names = {getattr(node, "id", ""), getattr(node, "attr", ""), getattr(node, "name", "")}
            found |= {part for name in names for part in name.split(".")} & DANGEROUS
    return found


def writes(call):
    """{"open to write"} if ``call`` of open has a mode that writes, else nothing."""
    words = [str(node.value) for node in ast.walk(call) if isinstance(node, ast.Constant)]
    return {"open to write" for word in words if re.fullmatch("[rbt]*[wax+][rwaxbt+]*", word)}


def test_source_uses_nothing_dangerous_that_was_not_reviewed():
    found = {str(path.relative_to(ROOT)): dangerous(path) for path in SOURCES}
    unreviewed = {path: words - REVIEWED.get(path, set()) for path, words in found.items()}

    assert {path: words for path, words in unreviewed.items() if words} == {}


def test_every_reviewed_exception_is_still_needed():
    unused = {path for path, words in REVIEWED.items() if not dangerous(ROOT / path) & words}

    assert unused == set()


def test_the_search_for_dangerous_words_finds_them(tmp_path):
    bad = tmp_path / "bad.py"
    bad.write_text(
        "import datetime\nfrom django.utils.safestring import mark_safe\n"
        "datetime.date.today()\ntimezone.now().date()\nModel.objects.raw(x)\ncursor.execute(x)\n"
        "path.unlink()\nos.replace(a, b)\nopen(a, 'wb')\n'a'.replace('b', 'c')\nopen(a)\npath.open('rb')\n"
    )
    assert dangerous(bad) == {
        "mark_safe",
        "datetime.date.today",
        "timezone.now().date",
        "raw",
        "cursor.execute",
        "unlink",
        "os.replace",
        "open to write",
    }


def test_templates_turn_no_escaping_off_and_hold_nothing_inline():
    # These stand alone: two carry a stylesheet that the policy allows by its hash, one is saved as a file.
    alone = ("templates/meetings/paper.html", "templates/error.html", "templates/disclosed.html")
    for path in TEMPLATES:
        text, name = path.read_text(), str(path.relative_to(ROOT))
        plain = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", text, flags=re.DOTALL)

        assert re.findall(r"\|\s*(?:safe|safeseq)\b|autoescape|{%\s*debug", text) == [], name
        assert re.findall(r"\son\w+\s*=|\sstyle\s*=|javascript:", plain, re.IGNORECASE) == [], name
        assert re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", plain) == [], name
        assert len(re.findall("<style", plain)) == (name in alone), name
        assert re.findall(r"<form(?=[^>]*post)(?![^>]*method=\"post\")", plain) == [], name
        assert text.count('method="post"') == text.count("{% csrf_token %}"), name


def test_no_line_of_a_template_is_too_long_to_review():
    lines = [(str(path), *line) for path in TEMPLATES for line in enumerate(path.read_text().splitlines(), 1)]

    assert [(path, number) for path, number, line in lines if len(line) > 120] == []


def imports_of(path):
    """The names of our apps that the module at ``path`` imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
    return found & set(APPS)


def test_imports_go_one_way_tests_included():
    wrong = {
        str(path.relative_to(ROOT)): later
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        if (later := imports_of(path) - set(APPS[: APPS.index(path.relative_to(ROOT).parts[0]) + 1]))
    }

    assert wrong == {}


def test_every_model_says_what_a_row_is_and_names_its_rules():
    automatic = re.compile(r"_[0-9a-f]{6,8}(_uniq|_idx)?$")
    for model in OURS:
        is_history = model.__name__.startswith("Historical")

        assert model.__str__ is not models.Model.__str__ or is_history, model
        assert [rule.name for rule in model._meta.constraints if automatic.search(rule.name)] == [], model
        assert model._meta.unique_together in ((), []), model


# What points from a version is held by nothing: it says what was linked then.
STATEMENTS = [model for model in append_only_models() if not issubclass(model, HistoricalChanges)]


@pytest.mark.parametrize("model", STATEMENTS, ids=lambda model: model._meta.label)
def test_nothing_that_history_points_at_can_be_deleted(model):
    keys = [field for field in model._meta.get_fields() if field.concrete and field.remote_field]

    assert {key.name: key.remote_field.on_delete for key in keys} == {
        key.name: models.PROTECT for key in keys
    }


def test_nothing_of_the_record_is_deleted_because_something_else_is():
    cascades = [
        f"{model._meta.label}.{field.name}"
        for model in OURS
        for field in model._meta.get_fields()
        if field.concrete
        and field.remote_field
        and getattr(field.remote_field, "on_delete", None) is models.CASCADE
    ]

    # The rows that join two rows of the record go with them; neither can be deleted here.
    assert [name for name in cascades if "_" not in name.split(".")[1]] == []


def test_every_promise_names_a_test_that_there_is():
    promises = (ROOT / "SECURITY.md").read_text()
    named = re.findall(r"`(\w+\.py)::(\w+)`", promises)
    there = {
        (path.name, name)
        for path in ROOT.glob("*/tests/test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)
    }

    assert len(named) == promises.count("::") > 50
    assert sorted(set(named) - there) == []

    made = promises.split("## What we promise")[1].split("## What we do not promise")[0]
    without = [one for one in re.split(r"\n\* ", made)[1:] if "::" not in one and "`make torture`" not in one]
    assert len(re.findall(r"^\* ", made, re.MULTILINE)) > 50
    assert without == []
