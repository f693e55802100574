"""How gunicorn serves the site. It reads this file by itself when it is started in this folder."""

import gc
import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from prometheus_client.multiprocess import mark_process_dead

from bcp_board.server_log import ServerLog

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcp_board.settings")
try:
    METRICS_FOLDER = settings.METRICS_FOLDER
except ImproperlyConfigured as wrong:
    # As manage.py does: one sentence, for whoever starts it.
    sys.exit(str(wrong))

wsgi_app = "bcp_board.wsgi"
# As many as processors: a page is Python's work, of which each worker does one piece at a time. More would
# each render for themselves what the others have rendered, and readers would wait for that. At most eight, so
# that PostgreSQL has connections left.
workers = min(max(2, len(os.sched_getaffinity(0))), 8)
# A visitor who sends a request slowly holds a thread until it is whole. Fifty leave each worker two threads,
# even if all fall to one. However many threads are busy, a worker has DATABASE_CONNECTIONS connections to
# PostgreSQL at the most, four unless set, and none when nobody has asked for anything for a minute.
threads = 52
# In bytes; what people write by hand is shorter.
LONG_FORM = 100_000
# Read once, before the workers part: they start at once and share what was read.
preload_app = True
loglevel = "warning"
logger_class = ServerLog
control_socket_disable = True
# The site is at the root of its host, so no header may move it elsewhere, not even a trusted proxy's.
forwarder_headers = ""


def on_starting(server):
    """Make the folder of the counts, and take out those of a server before."""
    if METRICS_FOLDER:
        try:
            METRICS_FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
            for file in METRICS_FOLDER.glob("*.db"):
                file.unlink()
        except OSError as error:
            sys.exit(f"PROMETHEUS_MULTIPROC_DIR, {METRICS_FOLDER}, cannot be used: {error.strerror}.")


# A page makes tens of thousands of objects, and so does a start: to look through all that is kept for what
# can be thrown away took a fifth of their time. So it is done less often.
gc.set_threshold(50_000)


def when_ready(server):
    """Make ready what every page needs, and no longer look among that for what can be thrown away."""
    from bcp_board.warm_up import warm_up  # there is nothing to import before the application was read

    warm_up()
    gc.collect()
    gc.freeze()


def pre_request(worker, request):
    """Before a long form is read, throw away what those before left: their text, held in circles.

    It is megabytes of few objects, so it would lie there until many such forms had come. As a request ends
    it is too early: gunicorn still holds the page, and with that the form.
    """
    if int(dict(request.headers).get("CONTENT-LENGTH", 0)) > LONG_FORM:
        gc.collect(1)


def child_exit(server, worker):
    """Let a worker that ended no longer count among those that are alive."""
    if METRICS_FOLDER:
        mark_process_dead(worker.pid, str(METRICS_FOLDER))


def close_connections(server, worker):
    """Close every connection of this process to the database.

    Before a worker parts, since two that had one connection would read each other's answers; and as it ends.
    """
    from django.db import connections  # there is nothing to import before the application was read

    for connection in connections.all(initialized_only=True):
        connection.close()
        if connection.vendor == "postgresql":
            connection.close_pool()


pre_fork = worker_exit = close_connections
