"""The site's own settings with what tests need different; read before any conftest.py is."""

import os
import secrets
import tempfile

os.environ.setdefault("SECRET_KEY", "a-key-for-tests-only-" * 3)
os.environ.setdefault("BACKUP_SIGNING_KEY", secrets.token_hex(32))
os.environ["HTTPS"] = "0"  # the test client and the live server speak plain http
os.environ["DEBUG"] = "0"
# A busy machine adds no lines to the log that a test reads.
os.environ.setdefault("SLOW_REQUEST_SECONDS", "600")

from bcp_board.settings import *  # noqa: E402, F403 (the key must be there first; every setting is wanted)
from bcp_board.settings import DATABASES, STORAGES, VAR_DIR  # noqa: E402
from bcp_board.tests.postgres import in_memory  # noqa: E402

# The real ones are slow on purpose. One test signs in with them.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# What the site takes for granted.
PREPARED_IS_PROVED = True

# What a test notes is not noted of the record that `make run` serves.
VAR_DIR = VAR_DIR / "tests"

# Files straight from their folders: the production storage wants `collectstatic` first.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True

# Real files: threads cannot share SQLite's in-memory database. If no test needs the second, nothing makes
# it; the first is then what the server of the browser tests is given, and in memory it would be one
# connection for all its threads, which two at once do not survive.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    file = f"{in_memory(otherwise=tempfile.gettempdir())}/board-test-{os.getpid()}"
    # A run that begins with a database made before says which file that is.
    DATABASES["default"]["TEST"] = {"NAME": os.environ.get("TEST_DATABASE_FILE", f"{file}.sqlite3")}
    if DATABASES["default"]["NAME"] == ":memory:":
        DATABASES["default"]["NAME"] = f"{file}-never-made.sqlite3"
