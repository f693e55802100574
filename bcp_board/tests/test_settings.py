"""How the site starts: what it refuses to start with, and what a fresh one holds."""

import os
import secrets
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

pytestmark = [pytest.mark.once, pytest.mark.sweep]
ROOT = Path(__file__).resolve().parents[2]
SETTINGS = [
    "DATABASE_URL",
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "DEBUG",
    "HTTPS",
    "ALLOWED_HOSTS",
    "UPDATE_EVERY_DAYS",
    "KEPT_PAGES_MEGABYTES",
    "HSTS_DAYS",
    "HSTS_SUBDOMAINS",
    "HSTS_PRELOAD",
    "BACKUP_FOLDER",
    "BACKUP_RECIPIENTS",
    "BACKUP_SIGNING_KEY",
    "MONITOR_ADDRESSES",
    "SLOW_REQUEST_SECONDS",
    "PROMETHEUS_MULTIPROC_DIR",
    "REMIND_DAYS_BEFORE",
    "SITE_ADDRESS",
    "MAIL_HOST",
    "MAIL_PORT",
    "MAIL_SECURITY",
    "NOTIFY_API_KEY",
    "NOTIFY_TEMPLATE",
    "DATABASE_CONNECTIONS",
    "DATABASE_TURN_SECONDS",
    "DATABASE_LOCK_SECONDS",
    "DATABASE_SAVE_SECONDS",
    "DATABASE_STATEMENT_SECONDS",
    "DATABASE_IDLE_SECONDS",
]
UUID = "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"
HELD_LONG = {"HSTS_DAYS": "730", "HSTS_SUBDOMAINS": "1", "HSTS_PRELOAD": "1"}
GOOD = {"SECRET_KEY": secrets.token_urlsafe(64), "ALLOWED_HOSTS": "board.example"}

WRONG_DATABASES = (("foo://", "x"), ("postgresql://", "[bad"), ("postgres://", "x:y/z"))


def run(*arguments, tmp_path, cwd=ROOT, **environment):
    """Run Python in an environment with these settings and no others; return what came of it."""
    plain = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    plain.pop("DJANGO_SETTINGS_MODULE", None)
    plain |= {"DATABASE_URL": f"sqlite:///{tmp_path}/board.sqlite3"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**plain, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def manage(*arguments, **more):
    return run("manage.py", *arguments, **more)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"SECRET_KEY": "short"}, "There is no secret key of 50 characters or more. Set SECRET_KEY"),
        ({"DEBUG": "maybe"}, "DEBUG must be 1 or 0, not 'maybe'."),
        ({"HTTPS": "2"}, "HTTPS must be 1 or 0, not '2'."),
        (
            {"ALLOWED_HOSTS": "board.example,*"},
            "ALLOWED_HOSTS must name each host exactly, without a wildcard.",
        ),
        (
            {"ALLOWED_HOSTS": ".board.example"},
            "ALLOWED_HOSTS must name each host exactly, without a wildcard.",
        ),
        (
            {"BACKUP_FOLDER": "backups"},
            "BACKUP_FOLDER must begin with /, so that it is one folder for every command.",
        ),
        (
            {"BACKUP_RECIPIENTS": "AGE-SECRET-KEY-1CANARY"},
            "BACKUP_RECIPIENTS must be age public keys, which begin with age1, separated by spaces.",
        ),
        (
            {"BACKUP_SIGNING_KEY": "CANARY"},
            "BACKUP_SIGNING_KEY must be the 64 letters and digits that backup_key printed after "
            "BACKUP_SIGNING_KEY=.",
        ),
        (
            {"MONITOR_ADDRESSES": "10.1.0.7/8"},
            "MONITOR_ADDRESSES must be addresses, such as 10.1.0.7, or networks, such as 10.1.0.0/24, "
            "separated by spaces.",
        ),
        *(
            (
                {"SLOW_REQUEST_SECONDS": wrong},
                "SLOW_REQUEST_SECONDS must be a number of seconds from 0 to 600, such as 2 or 0.5.",
            )
            for wrong in ("soon", "-1", "nan")
        ),
        (
            {"SITE_ADDRESS": "board.example/reports"},
            "SITE_ADDRESS must be like https://board.example.gov.uk, with nothing after it.",
        ),
        ({"MAIL_SECURITY": "ssl"}, "MAIL_SECURITY must be one of starttls, tls, none."),
        ({"MAIL_PORT": "smtp"}, "MAIL_PORT must be a whole number from 1 to 65535."),
        (
            {"NOTIFY_API_KEY": "-".join(["CANARY", UUID])},
            "NOTIFY_API_KEY must be an API key of GOV.UK Notify: a name, then two UUIDs.",
        ),
        (
            {"NOTIFY_API_KEY": f"CANARY-{UUID}-{UUID}"},
            "NOTIFY_API_KEY needs NOTIFY_TEMPLATE, the ID of a template of GOV.UK Notify.",
        ),
        *(
            (
                {"DATABASE_URL": wrong},
                "DATABASE_URL must name a database as the README shows",
            )
            for wrong in (f"{start}ann:CANARY@{end}" for start, end in WRONG_DATABASES)
        ),
        ({"UPDATE_EVERY_DAYS": "-1"}, "UPDATE_EVERY_DAYS must be a whole number of days from 1 to 366."),
        (
            {"KEPT_PAGES_MEGABYTES": "1025"},
            "KEPT_PAGES_MEGABYTES must be a whole number of megabytes from 0 to 1024.",
        ),
        (
            {"DATABASE_CONNECTIONS": "0"},
            "DATABASE_CONNECTIONS must be a whole number of connections from 1 to 50.",
        ),
        (
            {"DATABASE_LOCK_SECONDS": "1.5"},
            "DATABASE_LOCK_SECONDS must be a whole number of seconds from 1 to 600.",
        ),
    ],
)
def test_a_setting_that_cannot_be_understood_stops_the_start_with_one_sentence(tmp_path, wrong, sentence):
    done = manage("check", tmp_path=tmp_path, **{**GOOD, **wrong})

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(sentence)
    assert "Traceback" not in done.stdout + done.stderr
    assert "CANARY" not in done.stdout + done.stderr


def test_the_server_says_in_one_sentence_too_why_it_does_not_start(tmp_path):
    done = run("-m", "gunicorn", "--bind", "127.0.0.1:0", tmp_path=tmp_path, **GOOD | {"HTTPS": "2"})

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "HTTPS must be 1 or 0, not '2'.\n"


def test_a_folder_for_counts_that_cannot_be_used_stops_the_server_with_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    wrong = {"PROMETHEUS_MULTIPROC_DIR": f"{tmp_path}/file"}
    done = run("-m", "gunicorn", "--bind", "127.0.0.1:0", tmp_path=tmp_path, **GOOD | wrong)

    said = f"PROMETHEUS_MULTIPROC_DIR, {tmp_path}/file, cannot be used: File exists."
    assert (done.returncode, done.stderr.splitlines()[1:]) == (1, [said])


def test_without_a_secret_key_or_its_file_neither_commands_nor_the_server_start(tmp_path):
    # var/secret_key is looked for beside the settings, so this copy has none.
    for name in ("record", "visits", "recommendations", "meetings", "demonstration", "templates"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "bcp_board").mkdir()
    for path in (ROOT / "bcp_board").iterdir():
        if path.suffix == ".py":
            (tmp_path / "bcp_board" / path.name).write_bytes(path.read_bytes())
        else:
            (tmp_path / "bcp_board" / path.name).symlink_to(path)
    (tmp_path / "manage.py").write_bytes((ROOT / "manage.py").read_bytes())
    server = ["-m", "gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket", "bcp_board.wsgi"]

    for arguments in (["manage.py", "check"], server):
        began = time.monotonic()
        done = run(*arguments, tmp_path=tmp_path, cwd=tmp_path)
        assert done.returncode != 0
        assert "There is no secret key of 50 characters or more. Set SECRET_KEY" in done.stderr
        assert time.monotonic() - began < 5


def test_with_no_settings_but_a_key_the_safe_ones_hold(tmp_path):
    names = "DEBUG HTTPS ALLOWED_HOSTS SILENCED_SYSTEM_CHECKS SESSION_COOKIE_NAME SESSION_COOKIE_SECURE"
    show = f"import bcp_board.settings as s; print([getattr(s, n, []) for n in {names.split()!r}])"
    done = run("-c", show, tmp_path=tmp_path, SECRET_KEY=GOOD["SECRET_KEY"])

    assert done.stdout.strip() == "[False, True, ['127.0.0.1', 'localhost'], [], '__Host-board', True]"


@pytest.mark.parametrize(
    ("environment", "backend", "sends"),
    [
        ({}, "console", False),
        ({"DEBUG": "1"}, "console", True),
        ({"MAIL_HOST": "mail.example"}, "smtp", True),
        (
            {"MAIL_HOST": "mail.example", "NOTIFY_API_KEY": f"a-{UUID}-{UUID}", "NOTIFY_TEMPLATE": UUID},
            "notify",
            True,
        ),
    ],
)
def test_mails_go_by_what_is_set_and_by_nothing_else(tmp_path, environment, backend, sends):
    show = (
        "import bcp_board.settings as s; print(s.EMAIL_BACKEND, s.SENDS_MAIL, s.SITE_ADDRESS, s.EMAIL_PORT)"
    )
    done = run("-c", show, tmp_path=tmp_path, **GOOD, **environment)

    named = "bcp_board.notify" if backend == "notify" else f"django.core.mail.backends.{backend}"
    assert done.stdout == f"{named}.EmailBackend {sends} https://board.example 587\n"


def test_browsers_are_promised_no_more_than_is_set(tmp_path):
    names = "SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD"
    show = f"import bcp_board.settings as s; print([getattr(s, n) for n in {names!r}])"

    said = {
        words: run("-c", show, tmp_path=tmp_path, **GOOD, **dict(words)).stdout.strip()
        for words in ((), tuple(HELD_LONG.items()), (*HELD_LONG.items(), ("HTTPS", "0")))
    }

    assert list(said.values()) == ["[2592000, False, False]", "[63072000, True, True]", "[0, False, False]"]


def test_a_page_has_the_limits_that_are_set_and_a_command_waits_ten_seconds_for_a_lock(tmp_path):
    show = "import bcp_board.settings as s; print(s.DATABASES['default']['OPTIONS'])"
    environment = {
        "DATABASE_URL": "postgres://board@127.0.0.1/board?options=-c%20synchronous_commit%3Doff",
        "SECRET_KEY": GOOD["SECRET_KEY"],
        "DATABASE_STATEMENT_SECONDS": "7",
    }
    page = run("-c", f"import gunicorn; {show}", tmp_path=tmp_path, **environment)
    command = run("-c", show, tmp_path=tmp_path, **environment)

    options = "{'connect_timeout': 3, 'options': '-c lock_timeout=10s -c synchronous_commit=off'}"
    assert command.stdout == f"{options}\n"
    assert page.stdout == (
        "{'connect_timeout': 3, 'options': '-c statement_timeout=7s -c lock_timeout=1s "
        "-c idle_in_transaction_session_timeout=10s -c synchronous_commit=off', 'pool': {'connection_class': "
        "<class 'bcp_board.impatience.Impatient'>, 'min_size': 0, 'max_size': 4, 'timeout': 30, "
        "'max_idle': 10, 'reconnect_timeout': 0}}\n"
    )


def test_djangos_own_checks_for_service_find_nothing(tmp_path):
    done = manage("check", "--deploy", "--fail-level", "WARNING", tmp_path=tmp_path, **GOOD, **HELD_LONG)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "System check identified no issues (0 silenced).\n"


def test_a_fresh_database_lets_nobody_in(new_database):
    with new_database():
        call_command("seed", verbosity=0)
        assert list(User.objects.all()) == []


def test_make_run_writes_a_key_of_its_own_once_for_its_owner_only(tmp_path):
    write = "import sys; sys.path.insert(0, sys.argv[1]); import run; from pathlib import Path; "
    write += "run.ROOT = Path(sys.argv[2]); run.secret_key()"
    keys = []
    for name in ("one", "one", "other"):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        done = run("-c", write, str(ROOT / "bcp_board" / "bin"), str(folder), tmp_path=tmp_path)
        assert done.returncode == 0, done.stderr
        key = folder / "var" / "secret_key"
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        keys.append(key.read_text())

    assert keys[0] == keys[1] != keys[2]
    assert min(map(len, keys)) >= 50
    assert not any(key.startswith("django-insecure") for key in keys)


def test_the_key_that_make_run_writes_is_kept_out_of_the_repository():
    done = subprocess.run(["git", "check-ignore", "var/secret_key"], cwd=ROOT, capture_output=True, text=True)

    assert done.stdout == "var/secret_key\n"
