"""What the site is made of: packages pinned to the byte and asked about, and no secret among its files."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.once
ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / "bcp_board" / "bin"
PINS = sorted(ROOT.glob("requirements*.txt"))
SECRET = re.compile(
    r"(^|/)(\.env(\..*)?|\.netrc|\.pgpass|secret_key|id_(rsa|dsa|ecdsa|ed25519))$"
    r"|\.(sqlite3?|db|pem|key|p12|pfx|jks|kdbx|dump|sql|jsonl|bak|log)(-\w+|\.\w+)?$",
    re.IGNORECASE,
)


def entries(path):
    """The lines of a file of pins as pip reads them: each package with its hashes."""
    lines = re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE)
    return lines.replace("\\\n", " ").splitlines()


def pinned(path):
    """{package: version} of the pins that hold for this Python on this machine."""
    found = [Requirement(entry.partition("--hash")[0]) for entry in entries(path)]
    return {
        canonicalize_name(one.name): str(one.specifier).removeprefix("==")
        for one in found
        if one.marker is None or one.marker.evaluate()
    }


def test_the_notice_names_each_package_that_is_installed_beside_the_site_and_no_other():
    named = (ROOT / "NOTICE").read_text().partition("under the licence it carries:")[2]
    lines = [re.split(" {2,}", line.strip()) for line in named.strip().splitlines()]
    found = [Requirement(entry.partition("--hash")[0]) for entry in entries(ROOT / "requirements.txt")]
    assert sorted(name for _, names in lines for name in names.split(", ")) == sorted(
        canonicalize_name(one.name) for one in found
    )


@pytest.mark.parametrize("path", PINS, ids=lambda path: path.name)
def test_every_package_is_pinned_to_one_version_and_its_hashes(path):
    exact = re.compile(r"[a-z0-9-]+(\[[a-z,]+\])?==[\w.]+( ; [^\\]+?)?( +--hash=sha256:[0-9a-f]{64})+")

    assert [entry for entry in entries(path) if not exact.fullmatch(entry.strip())] == []
    assert len(entries(path)) >= 1


@pytest.mark.parametrize("path", sorted(ROOT.glob("requirements*.in")), ids=lambda path: path.name)
def test_every_package_we_chose_says_what_it_is_for(path):
    lines = path.read_text().splitlines()
    chosen = [at for at, line in enumerate(lines) if line and not line.startswith(("#", "-"))]

    assert [lines[at] for at in chosen if not lines[at - 1].startswith("# ")] == []


def test_what_is_installed_is_what_is_pinned():
    """If this fails on a package that is no longer wanted, remove .venv: it is made anew."""
    expected = pinned(ROOT / "requirements-dev.txt")
    installed = {canonicalize_name(one.name): one.version for one in importlib.metadata.distributions()}
    # The virtual environment brings two of its own, and a machine without npm gets it as a package.
    others = {"pip", "setuptools", *pinned(ROOT / "requirements-node.txt")} - expected.keys()

    assert pinned(ROOT / "requirements.txt").items() <= expected.items()
    assert {name: version for name, version in installed.items() if name not in others} == expected


def audited(tmp_path, answer, *, pins=("one", "two"), fails_with=""):
    """(status, what was said) of the audit of ``pins`` when pip-audit gives ``answer``."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(
        "".join(f"{name}==1.0 \\\n    --hash=sha256:{'0' * 64}\n" for name in pins)
        + f"elsewhere==1.0 ; sys_platform == 'nowhere' \\\n    --hash=sha256:{'0' * 64}\n"
    )
    stand_in = f"import sys\nprint({answer!r})\nsys.exit({fails_with!r})\n"
    (tmp_path / "pip_audit.py").write_text(stand_in)
    done = subprocess.run(
        [sys.executable, BIN / "audit.py", requirements],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout.replace(str(requirements), "pins").strip()


def recorded(**found):
    """An answer in the form of pip-audit's; ``found`` is what it says of each package."""
    packages = [{"name": name, "version": "1.0", "vulns": [], **more} for name, more in found.items()]
    return json.dumps({"dependencies": packages, "fixes": []})


WEAK = {"vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["1.1"], "aliases": [], "description": "It leaks"}]}
LEFT_OUT = {"skip_reason": "not found: two (1.0)"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (recorded(one={}, two={}), (0, "pins: 2 packages audited, 0 vulnerable")),
        (
            recorded(one={}, two=WEAK),
            (1, "pins: two 1.0: PYSEC-2026-1, fixed in 1.1\npins: 2 packages audited, 1 vulnerable"),
        ),
        (
            recorded(one={}, two=LEFT_OUT),
            (1, "pins: not audited: not found: two (1.0)\npins: 1 packages audited, 0 vulnerable"),
        ),
        (
            recorded(one={}),
            (1, "pins: not in the answer: two\npins: 1 packages audited, 0 vulnerable"),
        ),
        (recorded(), (1, "pins: not in the answer: one, two\npins: 0 packages audited, 0 vulnerable")),
    ],
)
def test_the_audit_passes_only_when_every_pinned_package_was_asked_about(tmp_path, answer, expected):
    assert audited(tmp_path, answer) == expected


def test_an_audit_without_an_answer_says_so(tmp_path):
    unreached = "pip-audit could not reach the advisory service. NOTHING WAS AUDITED: pins: "
    no_network = "requests.exceptions.ConnectionError: no route"

    assert audited(tmp_path, "", fails_with=no_network) == (0, unreached + no_network)
    assert audited(tmp_path, recorded(one=LEFT_OUT, two=LEFT_OUT)) == (0, unreached + LEFT_OUT["skip_reason"])
    status, said = audited(tmp_path, "", fails_with="Traceback: its own fault")
    assert (status, said.splitlines()[-1]) == (1, "pins: pip-audit itself failed")


def in_git(folder, *arguments):
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def tracked():
    try:
        return in_git(ROOT, "ls-files", "-z").split("\0")[:-1]
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this copy of the site is not a git repository")


def test_no_tracked_file_is_a_database_a_key_a_dump_or_an_environment():
    assert [name for name in tracked() if SECRET.search(name)] == []
    # A kept release holds invented progress over the published record, and no account that can sign in.
    pictures = r"(docs|bcp_board/static/bcp_board/tasks)/[\w-]+\.png"
    known = rf"{pictures}|.*/tests/data/\w+\.bin|.*/tests/releases/[\d.]+/record\.backup\.gz"
    binary = [name for name in tracked() if b"\0" in (ROOT / name).read_bytes()[:8000]]
    assert [name for name in binary if not re.fullmatch(known, name)] == []


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        "a/.env.local",
        "b.sqlite3",
        "b.sqlite3-wal",
        "var/secret_key",
        "x.pem",
        "dump.sql.gz",
        "b.jsonl",
    ],
)
def test_the_search_for_such_files_finds_them(name):
    assert SECRET.search(name)


def leaks(folder):
    """(status, the places named) of the search for keys and passwords in ``folder``."""
    done = subprocess.run([sys.executable, BIN / "leaks.py", folder], capture_output=True, text=True)
    return done.returncode, re.findall(r"Location: +(\S+)", done.stdout)


def test_a_key_is_found_in_a_file_and_in_the_history_after_it_was_removed(tmp_path):
    in_git(tmp_path, "init", "--quiet")
    file = tmp_path / "settings.py"

    def commit(text):
        file.write_text(text)
        in_git(tmp_path, "add", ".")
        in_git(tmp_path, "commit", "--quiet", "-m", "A change")

    commit('PASSWORD = "three unrelated words"\n')
    assert leaks(tmp_path) == (0, [])
    file.write_text('KEY = "AKIA' + "Q7ZRT2WJ5MNX3YVK" + '"\n')
    assert leaks(tmp_path) == (1, ["settings.py:1"])
    commit(file.read_text())
    commit("")
    assert leaks(tmp_path) == (1, ["history.txt:2"])
