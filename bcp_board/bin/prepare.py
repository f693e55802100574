"""Put in place what the checkout does not hold: Python packages in .venv, and the stylesheet.

A finished step leaves a stamp, the hash of the files it followed from, and is not done again until
they change. Needs nothing but Python itself: it runs before anything is installed.

    prepare.py [requirements-dev.txt]
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
NODE_MODULES = ROOT / "node_modules"
STYLES = ROOT / "bcp_board" / "styles"
STYLESHEET = ROOT / "bcp_board" / "static" / "bcp_board" / "board.css"

# How pip and npm say that they got no answer
OFFLINE = (
    "NewConnectionError",
    "NameResolutionError",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ETIMEDOUT",
)


def say(line):
    print(line, flush=True)


def quietly(command, excuse):
    """Run a command unheard; if it fails, end with one line that says what to do about it."""
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [str(part) for part in command],
        cwd=str(ROOT),
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        said = done.stdout.decode(errors="replace")
        if any(sign in said for sign in OFFLINE):
            sys.exit("The network could not be reached. Check the connection or proxy, then try again.")
        sys.exit(f"{said}\n{excuse}")


@contextmanager
def once(stamp, sources):
    """Yield whether the step is still to do; stamp it as done if the block ends without error."""
    digest = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for source in sources:
        digest.update(source.name.encode() + source.read_bytes())
    wanted = digest.hexdigest()
    to_do = not stamp.is_file() or stamp.read_text() != wanted
    yield to_do
    if to_do:
        stamp.write_text(wanted)


def private_folder():
    """var/ holds the database and the secret key: for its owner only."""
    folder = ROOT / "var"
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    return folder


@contextmanager
def alone():
    """Wait for another `make` here, so that two first runs do not install over each other."""
    with (private_folder() / "prepare.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another make to finish preparing this checkout")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def virtual_environment():
    """A .venv that works: one left half made, or by a Python since removed, is made anew."""
    works = [
        str(VENV / "bin" / "python"),
        "-c",
        f"import pip, sys; assert sys.version_info[:2] == {sys.version_info[:2]}",
    ]
    if (VENV / "bin" / "python").exists() and not subprocess.run(works, stderr=subprocess.DEVNULL).returncode:
        return
    if not importlib.util.find_spec("ensurepip"):
        sys.exit(
            "Python cannot make a virtual environment yet. "
            "Install what it needs, then try again: sudo apt install python3-venv"
        )
    quietly(
        [sys.executable, "-m", "venv", "--clear", VENV],
        "Python could not make a virtual environment in .venv",
    )


def packages(requirements="requirements.txt"):
    virtual_environment()
    with once(VENV / f"{requirements}.stamp", [ROOT / requirements]) as to_do:
        if to_do:
            say("Installing Python packages (first time only, about a minute)")
            pip_install(requirements, "The Python packages could not be installed; the lines above say why.")


def pip_install(requirements, excuse):
    pip = [
        VENV / "bin" / "python",
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--no-input",
        "install",
    ]
    quietly([*pip, "--retries", "2", "--require-hashes", "-r", requirements], excuse)


def npm():
    """The machine's npm if it can read our lock file, else one from PyPI in .venv."""
    found = shutil.which("npm")
    if found:
        said = subprocess.run([found, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        if int(said.split(b".")[0] or 0) >= 10:
            return found
    own = VENV / "bin" / "npm"
    if not own.exists():
        say("Installing Node.js into .venv (first time only, about a minute)")
        pip_install(
            "requirements-node.txt",
            "Node.js could not be installed into .venv. "
            "Install Node.js 20 or newer with its npm, then try again.",
        )
    return own


def stylesheet():
    lock = ROOT / "package-lock.json"
    sources = [ROOT / "package.json", lock, *sorted(STYLES.glob("*.scss"))]
    NODE_MODULES.mkdir(exist_ok=True)
    if not STYLESHEET.is_file():
        (NODE_MODULES / "board.css.stamp").unlink(missing_ok=True)
    with once(NODE_MODULES / "board.css.stamp", sources) as to_do:
        if to_do:
            say("Building the stylesheet (first time and after a change)")
            with once(NODE_MODULES / "npm.stamp", [lock]) as outdated:
                if outdated:
                    quietly(
                        [npm(), "ci"],
                        "The stylesheet's tools could not be installed; the lines above say why.",
                    )
                    NODE_MODULES.mkdir(exist_ok=True)
            quietly([npm(), "run", "css"], "The stylesheet could not be built; the lines above say why.")


def prepare(requirements="requirements.txt"):
    if sys.version_info < (3, 11):  # noqa: UP036 (whatever python3 is here, it reads this line)
        sys.exit(
            "This needs Python 3.11 or newer; python3 is {}.{}. Install a newer one and name it, "
            "for instance: make PYTHON=python3.13 run".format(*sys.version_info[:2])
        )
    packages(requirements)
    stylesheet()


if __name__ == "__main__":
    with alone():
        prepare(*sys.argv[1:])
