"""Look for keys and passwords in the tracked files, and in every line that the history ever held.

What detect-secrets takes for one and is none is listed below, and was read by a person. It asks no
network whether a key it found is still good.

    leaks.py [folder]
"""

import subprocess
import sys
import tempfile
from pathlib import Path

REVIEWED = [
    # Typed by tests, and accepted nowhere else
    "three unrelated words",
    "a scratch password",
    "canary-[a-z-]+",
    "another canary of ours|canary wrong",
    "one|another|short|wrong",
    "(a-new|the-third)-key-",
    "a-key-for-[a-z-]+-only-",
    # What a form says of one that is wrong
    r"Your present password is wrong\. Type it again; capital letters count\.",
    # The README's example of an address of a database
    "password",
    # Accounts of the benchmark, each named beside the password that is tried
    "member|without",
    # "secretariat" begins like "secret", and passes for the name of one
    "Secretariat|the Secretariat|an officer|Officer",
    "keeps the record: enters and corrects everything in it with a reason, names owners, ",
]


def lines_of_history(folder):
    """Every line that a commit behind this one added, once each."""
    shown = ["git", "log", "-p", "-m", "--text", "--no-color", "--no-ext-diff", "--format="]
    said = subprocess.run(shown, cwd=folder, capture_output=True, check=True).stdout
    return sorted({line[1:] for line in said.splitlines() if line.startswith(b"+")})


def leaks(folder):
    """Print what looks like a key or a password; return whether anything did.

    Raises CalledProcessError outside a git repository.
    """
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=folder, capture_output=True, check=True).stdout
    tracked = [name for name in listed.decode().split("\0") if (Path(folder) / name).is_file()]
    hook = [sys.executable, "-m", "detect_secrets.pre_commit_hook", "--no-verify", "-c", "1"]
    hook += ["--exclude-secrets", f"^({'|'.join(REVIEWED)})$"]
    in_files = subprocess.run([*hook, *tracked], cwd=folder).returncode
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "history.txt").write_bytes(b"\n".join(lines_of_history(folder)))
        in_history = subprocess.run([*hook, "history.txt"], cwd=scratch).returncode
    return bool(in_files or in_history)


if __name__ == "__main__":
    here = Path(__file__).resolve().parents[2]
    sys.exit(leaks(*sys.argv[1:] or [here]))
