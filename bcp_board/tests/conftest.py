"""What several tests of the whole site need."""

import io
import json
import logging

import pytest
from django.db import transaction


@pytest.fixture
def log():
    """A function that returns the lines of the security log written since it was last called."""
    handler = logging.getLogger("bcp_board.security").handlers[0]
    before, stream = handler.stream, io.StringIO()
    handler.setStream(stream)

    def read(raw=False):
        text = stream.getvalue()
        stream.seek(0)
        stream.truncate()
        return text if raw else [json.loads(line) for line in text.splitlines()]

    yield read
    handler.setStream(before)


@pytest.fixture(scope="module")
def whole_record(django_db_setup, django_db_blocker):
    """A row of every kind and somebody of every role, made once for a module: {role: User}.

    The transaction is open until the module is done, so none of its tests may commit anything.
    """
    from bcp_board.tests.addresses import cast, make_record

    with django_db_blocker.unblock(), transaction.atomic():
        people = cast()
        make_record(people["officer"])
        yield people
        transaction.set_rollback(True)


@pytest.fixture
def people(whole_record, db):
    """The people of the whole record, as it was made: what a test changes is undone after it."""
    return whole_record


@pytest.fixture(scope="module")
def addresses(whole_record):
    """{route: an address that it leads to} of the whole record."""
    from bcp_board.tests.addresses import examples

    return examples()


@pytest.fixture
def backup_key(settings, tmp_path):
    """A key file; backups are encrypted to its public key and signed with its signing key."""
    from bcp_board import backup_keys

    public, settings.BACKUP_SIGNING_KEY = backup_keys.new(tmp_path / "key")
    settings.BACKUP_RECIPIENTS = [public]
    return tmp_path / "key"


@pytest.fixture
def filled_record(new_database, settings, tmp_path, backup_key):
    """A database with a row in each kind of table; what a restore replaces is kept in tmp_path."""
    settings.VAR_DIR = tmp_path / "var"
    settings.BACKUP_FOLDER = tmp_path / "var" / "backups"
    return new_database("filled")


@pytest.fixture
def unguarded(templates, django_db_blocker):
    """Rows of every kind, under an owner who has lifted what guards them; all is rolled back."""
    from bcp_board.tests.forging import drop_constraints, run
    from record import triggers

    with django_db_blocker.unblock(), templates["filled"] as database, transaction.atomic():
        triggers.drop(database)
        if database.vendor == "postgresql":
            drop_constraints()
        else:
            run("PRAGMA ignore_check_constraints = ON")
        yield database
        transaction.set_rollback(True)


@pytest.fixture
def mails_go(settings):
    """A site that sends mails."""
    settings.SENDS_MAIL = True
    settings.SITE_ADDRESS = "https://board.example"


@pytest.fixture
def ann(db):
    """An officer with an e-mail address."""
    from bcp_board.tests.mails import person

    return person("Officers", "ann")


@pytest.fixture
def month(ann):
    """Ann has two actions, one of them reported on since the meeting before; papers go out on 13 December."""
    from bcp_board.tests.mails import BEGAN, DUE, HELD, NEXT
    from recommendations.tests.factories import make_action, make_update
    from record.tests.factories import make_meeting, noon

    reported, _ = (make_action(ref, owner=ann, recorded_at=BEGAN, title="Canary") for ref in ("A01", "A02"))
    make_meeting(HELD)
    make_update(reported, dated="2022-12-01", by=ann, narrative="Canary", recorded_at=noon("2022-12-01"))
    return make_meeting(NEXT, papers_due_on=DUE)
