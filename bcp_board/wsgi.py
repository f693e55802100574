"""The entry point that gunicorn serves: ``gunicorn bcp_board.wsgi``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcp_board.settings")
application = get_wsgi_application()
