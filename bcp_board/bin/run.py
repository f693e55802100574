"""The site in a browser, on one's own machine: what `make run` and `make demo` do once all is built."""

import fcntl
import logging
import os
import secrets
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "var" / "demo.sqlite3"


def say(line):
    print(line, flush=True)


def private_folder():
    """var/ holds the database and the secret key: for its owner only."""
    folder = ROOT / "var"
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    return folder


@contextmanager
def alone():
    """Wait for another of these here, so that two first runs do not fill one database."""
    with (private_folder() / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def free_port(default, what):
    port = os.environ.get("PORT") or default
    if not port.isdecimal() or not 1024 <= int(port) <= 65535:
        sys.exit(f"PORT must be a number from 1024 to 65535, not {port!r}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError:
            sys.exit(
                f"Port {port} is in use. Stop what uses it, or choose another: "
                f"make PORT={int(port) + 10} {what}"
            )
    return port


def secret_key():
    """Write var/secret_key once, readable by its owner only; it outlives every restart."""
    path = private_folder() / "secret_key"
    if not path.exists():
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(60))


def manage(*arguments):
    """A management command that is for local use only, so refuses to run unless DEBUG is on."""
    command = [sys.executable, ROOT / "manage.py", *arguments]
    done = subprocess.run(command, env=os.environ | {"DEBUG": "1"}, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\n{arguments[0]} failed; the lines above say why.")


def accounts():
    """Give the five local accounts a new random password, and print it: it is kept nowhere."""
    password = secrets.token_urlsafe(12)
    manage("local_accounts", "--password", password)
    say("Sign in as member, officer, secretariat, chair or admin")
    say(f"with the password {password}")


def database(demo):
    """Bring the database up to date and fill it; what it already holds is kept."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connections

    new_demo = demo and not DEMO.exists()
    say("Preparing the database")
    try:
        call_command("migrate", verbosity=0)
        if new_demo:
            say("Loading the record with invented progress, so that every page has something to show")
            manage("demo", "--actions", "6", "--updates", "24")
        else:
            call_command("seed", verbosity=0)
    except BaseException:
        if new_demo:  # half a demonstration would be taken for a whole one next time
            for path in DEMO.parent.glob(f"{DEMO.name}*"):
                path.unlink()
        raise
    call_command("collectstatic", interactive=False, verbosity=0)
    if get_user_model().objects.filter(username="admin").exists():
        say("Sign in with the accounts of the first run; `make accounts` gives them a new password")
    else:
        accounts()
    connections.close_all()  # so that SQLite empties its journal into the database file


def serve(what):
    """Fill the database, then become the web server."""
    port = free_port({"run": "8000", "demo": "8001"}[what], what)
    local = {"DEBUG": "0", "HTTPS": "0", "ALLOWED_HOSTS": "127.0.0.1,localhost"}
    os.environ.update(local | {"DJANGO_SETTINGS_MODULE": "bcp_board.settings"})
    if what == "demo":
        os.environ["DATABASE_URL"] = f"sqlite:///{DEMO}"
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))

    import django

    django.setup()
    # What this script does to its own database is no security event; the server logs again.
    logging.getLogger("bcp_board.security").setLevel(logging.WARNING)
    with alone():
        database(demo=what == "demo")
    say(f"The record is at http://127.0.0.1:{port}/ until you press Ctrl-C")
    # gunicorn.conf.py says the rest.
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"])


if __name__ == "__main__":
    try:
        with alone():
            secret_key()
        accounts() if sys.argv[1] == "accounts" else serve(sys.argv[1])
    except KeyboardInterrupt:
        sys.exit("Stopped")
