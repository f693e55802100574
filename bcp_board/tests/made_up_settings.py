"""The site with a kind of statement that it does not know."""

from bcp_board.settings import *  # noqa: F403
from bcp_board.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "bcp_board.tests.made_up"]
