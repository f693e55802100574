"""What the tests of an action's pages begin with: a reader, an officer, and the action they own."""

import pytest

from recommendations.tests.factories import make_action
from record.tests.factories import make_user


@pytest.fixture
def reader(client, db):
    """The client of a member of the board."""
    client.force_login(make_user("Board members"))
    client.get("/help/")  # the first page notes when the session was last used
    return client


@pytest.fixture
def officer():
    return make_user("Officers")


@pytest.fixture
def action(officer):
    return make_action(owner=officer)
