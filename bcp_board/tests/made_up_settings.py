"""The site with a kind of statement that it does not know."""

import os
from pathlib import Path

from bcp_board.settings import *  # noqa: F403
from bcp_board.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "bcp_board.tests.made_up"]
# Restoring keeps a copy of what it replaces here.
VAR_DIR = Path(os.environ["MADE_UP_VAR_DIR"])
