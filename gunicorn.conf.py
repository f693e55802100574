"""How gunicorn serves the site. It reads this file by itself when it is started in this folder."""

wsgi_app = "bcp_board.wsgi"
workers = 2
# A visitor who sends a request slowly holds a thread until it is whole, so there are threads to spare.
threads = 32
# A worker whose threads are all held takes nobody more, so that the other answers. The slow do not fall to
# the workers evenly. A connection kept open for a further request would count as held.
worker_connections = threads
keepalive = 0
loglevel = "warning"
control_socket_disable = True
