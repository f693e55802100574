"""What the tests of an action's pages begin with: an officer, and the action they own."""

import pytest

from recommendations.tests.factories import make_action
from record.tests.factories import make_user


@pytest.fixture
def officer():
    return make_user("Officers")


@pytest.fixture
def action(officer):
    return make_action(owner=officer)
