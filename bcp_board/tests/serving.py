"""The site as it is in service, gunicorn and all, over a database of its own.

For `make bench` and `make torture`. It listens on 127.0.0.1 and nothing else talks to it.
"""

import http.client
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from .postgres import die_with_parent

ROOT = Path(__file__).resolve().parents[2]
NEW_SESSIONS = """
import sys
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
user = User.objects.get(username={username!r})
for _ in range({number}):
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    print(settings.SESSION_COOKIE_NAME, session.session_key, sep="=")
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(it_is_so):
    """Wait until the function ``it_is_so`` says so; fail after a minute."""
    give_up = time.monotonic() + 60
    while not it_is_so():
        assert time.monotonic() < give_up
        time.sleep(0.01)


class Site:
    """The site over the database at ``url``, served inside a ``with`` block, or by start() and kill()."""

    def __init__(self, url, *, wrapper=(), log=subprocess.DEVNULL, options=()):
        self.url, self.port, self.wrapper, self.log = url, free_port(), wrapper, log
        self.options = options  # of gunicorn, beside those of its file
        self.env = os.environ | {
            "DATABASE_URL": url,
            "DEBUG": "0",
            "HTTPS": "0",
            "ALLOWED_HOSTS": "127.0.0.1",
            "SECRET_KEY": "a-key-for-a-scratch-site-only-" * 2,
        }
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def manage(self, *arguments, debug=False):
        """Run a management command over the database and return what it printed; raise if it fails."""
        command = [sys.executable, ROOT / "manage.py", *arguments]
        env = self.env | {"DEBUG": "1"} if debug else self.env
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments[:1])} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def fill(self, *load):
        """Migrate, load the record and make the local accounts, in a database that is there.

        The command ``load`` is what loads it: `seed` unless given.
        """
        self.manage("migrate", "--verbosity", "0")
        self.manage(*(load or ("seed",)), debug=True)
        self.manage("local_accounts", "--password", "a scratch of three unrelated words", debug=True)
        self.manage("collectstatic", "--no-input", "--verbosity", "0")

    def session(self, username):
        """The cookie of a new session of the account ``username``."""
        return self.sessions(username, 1)[0]

    def sessions(self, username, number):
        """The cookies of ``number`` new sessions of the account ``username``."""
        code = NEW_SESSIONS.format(username=username, number=number)
        return self.manage("shell", "--no-imports", "--command", code).split()

    def start(self):
        """Serve, and return once the site answers."""
        command = [*self.wrapper, sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}"]
        command += self.options
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,  # where gunicorn.conf.py is
            env=self.env,
            stdout=self.log,
            stderr=self.log,
            preexec_fn=die_with_parent,
            start_new_session=True,
        )
        give_up = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < give_up:
            with suppress(OSError, http.client.HTTPException):
                if self.get("/healthz").status == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError("the site did not start")

    def processes(self):
        master = psutil.Process(self.process.pid)
        return [master, *master.children(recursive=True)]

    def kill(self):
        """Kill every process of the server at once, in whatever it was doing."""
        with suppress(psutil.NoSuchProcess):
            for process in self.processes():
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self.process.wait()

    def peak_memory(self):
        """The most memory that any worker has had at once, in MB."""
        peaks = []
        for worker in self.processes()[1:]:
            status = Path(f"/proc/{worker.pid}/status").read_text()
            peaks.append(int(status.split("VmHWM:")[1].split()[0]) / 1024)
        return max(peaks)

    def processor_time(self):
        """For how many seconds its processes have kept a processor busy, whatever else was running.

        Linux counts a thread's nanoseconds beside the hundredths of a second that a process has.
        """
        folders = [Path(f"/proc/{process.pid}/task") for process in self.processes()]
        threads = [thread for folder in folders for thread in folder.glob("*/schedstat")]
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def get(self, path, cookie="", timeout=30, **headers):
        """The response to GET ``path``, with its ``body`` read."""
        return self.ask("GET", path, cookie, timeout=timeout, **headers)

    def ask(self, method, path, cookie="", body=None, timeout=30, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        if cookie:
            headers["Cookie"] = cookie
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            response.body = response.read()
        finally:
            connection.close()
        return response
