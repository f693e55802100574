"""How gunicorn serves the site. It reads this file by itself when it is started in this folder."""

wsgi_app = "bcp_board.wsgi"
# Twice as many as processors: a page is Python's work, of which each worker does one piece at a time.
workers = 4
# A visitor who sends a request slowly holds a thread until it is whole. Fifty leave each worker two threads,
# even if all fall to one. However many threads are busy, a worker has DATABASE_CONNECTIONS connections to
# PostgreSQL at the most, 16 in all unless set, and none when nobody has asked for anything for a minute.
threads = 52
# Read once, before the workers part: they start at once and share what was read.
preload_app = True
loglevel = "warning"
control_socket_disable = True
# The site is at the root of its host, so no header may move it elsewhere, not even a trusted proxy's.
forwarder_headers = ""


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
