"""How gunicorn serves the site. It reads this file by itself when it is started in this folder."""

wsgi_app = "bcp_board.wsgi"
# Twice as many as processors: a page is Python's work, of which each worker does one piece at a time.
workers = 4
# A visitor who sends a request slowly holds a thread until it is whole. Fifty leave each worker two threads,
# even if all fall to one. Each thread that was ever busy keeps a connection to the database for a minute:
# rarely more than twenty in all, but PostgreSQL's max_connections must be 220 to be sure of every one.
threads = 52
# Read once, before the workers part: they start at once and share what was read.
preload_app = True
loglevel = "warning"
control_socket_disable = True
# The site is at the root of its host, so no header may move it elsewhere, not even a trusted proxy's.
forwarder_headers = ""
