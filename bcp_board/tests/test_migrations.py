"""Migrations fit the models, leave history alone, and may be killed at any moment and run again."""

import ast
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.management import call_command

from bcp_board.tests.scratch import Scratch
from bcp_board.tests.serving import Site
from record import triggers

ROOT = Path(__file__).resolve().parents[2]
MIGRATIONS = sorted(ROOT.glob("*/migrations/[0-9]*.py"))
# All that could change or take away a row that is there. A migration may add rows, and remake tables.
REWRITES = {
    "RunSQL",
    "update",
    "update_or_create",
    "bulk_update",
    "delete",
    "_raw_delete",
    "save",
    "execute",
    "raw",
}
# Migrates, and dies by its own SIGKILL once it has run the first statement that holds its argument.
MIGRATE_AND_DIE = """
import os, signal, sys
import django
django.setup()
from django.core.management import call_command
from django.db import connection

def die(execute, sql, params, many, context):
    result = execute(sql, params, many, context)
    if sys.argv[1] in sql:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

with connection.execute_wrapper(die):
    call_command("migrate", verbosity=0)
"""


def rewrites(source):
    """The words by which a migration's ``source`` could rewrite rows."""
    names = {
        getattr(node.func, "attr", getattr(node.func, "id", ""))
        for node in ast.walk(ast.parse(source))
        # SQL that only makes an index touches no row.
        if isinstance(node, ast.Call)
        and not re.match("migrations.RunSQL.'CREATE UNIQUE INDEX", ast.unparse(node))
    }
    return names & REWRITES


def test_no_migration_changes_or_deletes_a_row():
    assert {path.name: found for path in MIGRATIONS if (found := rewrites(path.read_text()))} == {}
    assert len(MIGRATIONS) >= 5


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("migrations.RunSQL('DELETE FROM recommendations_action')", "RunSQL"),
        ("apps.get_model('meetings', 'Paper').objects.filter(pk=1).update(body=b'')", "update"),
        ("row.delete()", "delete"),
    ],
)
def test_a_migration_that_would_is_found(line, word):
    assert rewrites(f"def forwards(apps, schema_editor):\n    {line}\n") == {word}


def test_the_migrations_make_what_the_models_say(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.service
def test_a_migration_that_is_killed_is_run_again_and_ends_the_same(new_database, tmp_path):
    """Killed half way through the tables of the last room."""
    earlier = new_database("empty")
    with (killed := Scratch(tmp_path, template=earlier)) as database:
        assert killed_at('CREATE TABLE "meetings_paper"', database) == (-signal.SIGKILL, "")
        call_command("migrate", verbosity=0)
        found = made_by_migrating(database)
        assert triggers.check_installed(None, ["default"]) == []
    with earlier as database:
        call_command("migrate", verbosity=0)
        assert made_by_migrating(database) == found
    killed.drop()


def made_by_migrating(database):
    """The tables with their columns, what the triggers do, who may do what, and the other rows there are.

    The keys of rights are left out: they follow the order in which Django happens to find its models.
    """
    with database.cursor() as cursor:
        tables = {
            table: [(column.name, column.type_code, column.null_ok) for column in columns]
            for table in database.introspection.table_names(cursor)
            if (columns := database.introspection.get_table_description(cursor, table))
        }
    rights = {
        group.name: sorted(permission.natural_key() for permission in group.permissions.all())
        for group in Group.objects.all()
    }
    rows = {
        model._meta.label: model._base_manager.count()
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed
    }
    assert len(tables) > 40 and len(rights) == 5
    return tables, triggers.installed(database), rights, rows


def killed_at(statement, database):
    """Migrate ``database`` in a program that dies; return its code and what it complained of."""
    name = database.settings_dict["NAME"]
    server = os.environ.get("DATABASE_URL", "").rpartition("/")[0]
    url = f"sqlite:///{name}" if database.vendor == "sqlite" else f"{server}/{name}"
    env = Site(url).env | {"DJANGO_SETTINGS_MODULE": "bcp_board.settings"}
    command = [sys.executable, "-c", MIGRATE_AND_DIE, statement]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    return done.returncode, done.stderr
