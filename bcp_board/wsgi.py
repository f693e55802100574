"""The entry point that gunicorn serves: ``gunicorn bcp_board.wsgi``."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import resolve

from record import security_log

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcp_board.settings")
application = get_wsgi_application()
# After Django has set up the log that it is written to.
security_log.record("start", version=settings.VERSION)
# Read all addresses and their code now, or the first reader of each worker waits for that.
resolve("/")
