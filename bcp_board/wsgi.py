"""The entry point that gunicorn serves: ``gunicorn bcp_board.wsgi``."""

import os
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.template.loader import get_template
from django.urls import resolve

from record import security_log

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcp_board.settings")
application = get_wsgi_application()
# After Django has set up the log that it is written to.
security_log.record("start", version=settings.VERSION)


def read_ahead():
    """Read the addresses and templates now, or the first readers of each worker wait seconds for them."""
    resolve("/")
    folder = Path(__file__).resolve().parents[1] / "templates"
    for path in folder.rglob("*.html"):
        get_template(str(path.relative_to(folder)))


read_ahead()
