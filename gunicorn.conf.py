"""How gunicorn serves the site. It reads this file by itself when it is started in this folder."""

wsgi_app = "bcp_board.wsgi"
workers = 2
# A visitor who sends a request slowly holds a thread until it is whole. Fifty leave each worker two threads,
# even if all fall to one. Each thread that was ever busy keeps a connection to the database for a minute, so
# PostgreSQL needs 110 (max_connections) if a hundred people may ask at one moment.
threads = 52
loglevel = "warning"
control_socket_disable = True
