"""Every setting of the board's record, each read from the environment where it is declared.

The README's table lists the variables an operator may set. A value that cannot be understood stops the
start with a sentence that says what to write instead.
"""

import os
import re
import sys
import tomllib
from ipaddress import ip_network
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from pyrage import RecipientError, x25519

from bcp_board.impatience import Impatient

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"


def env_flag(name, default):
    """The on/off variable ``name`` as a bool; raise ImproperlyConfigured if it is neither."""
    value = os.environ.get(name, "").strip().lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    if value == "":
        return default
    raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")


def env_number(name, default, *, of="", most, least=1):
    """The variable ``name`` as a whole number of ``of``, from ``least`` to ``most``; raise otherwise."""
    value = os.environ.get(name, "").strip() or str(default)
    if not value.isdecimal() or not least <= int(value) <= most:
        of = of and f"of {of} "
        raise ImproperlyConfigured(f"{name} must be a whole number {of}from {least} to {most}.")
    return int(value)


def env_seconds(name, default):
    """The variable ``name`` as a number of seconds, 0 to 600; raise otherwise."""
    try:
        seconds = float(os.environ.get(name, "").strip() or default)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 600:
        raise ImproperlyConfigured(f"{name} must be a number of seconds from 0 to 600, such as 2 or 0.5.")
    return seconds


def env_networks(name, default):
    """The addresses and networks in the variable ``name``; raise if one is neither."""
    given = os.environ.get(name, "").replace(",", " ").split() or default
    try:
        return [ip_network(each) for each in given]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} must be addresses, such as 10.1.0.7, or networks, such as 10.1.0.0/24, "
            "separated by spaces."
        ) from error


def secret_key():
    """SECRET_KEY, else the content of var/secret_key; raise with a how-to if there is neither."""
    key = os.environ.get("SECRET_KEY", "").strip()
    key_file = VAR_DIR / "secret_key"
    if not key and key_file.is_file():
        key = key_file.read_text().strip()
    if len(key) < 50:
        raise ImproperlyConfigured(
            "There is no secret key of 50 characters or more. Set SECRET_KEY, or run 'make run', "
            "which writes one to var/secret_key."
        )
    return key


def env_folder(name, default):
    """The variable ``name`` as a Path; raise unless it is the same folder from wherever it is read."""
    value = os.environ.get(name, "").strip()
    if value and not value.startswith("/"):
        raise ImproperlyConfigured(f"{name} must begin with /, so that it is one folder for every command.")
    return Path(value) if value else default


def env_public_keys(name):
    """The age public keys in the variable ``name``; raise, without repeating any, if one is not."""
    keys = os.environ.get(name, "").replace(",", " ").split()
    try:
        for key in keys:
            x25519.Recipient.from_str(key)
    except RecipientError as error:
        # Not repeated, because what was pasted here by mistake may be the private key.
        raise ImproperlyConfigured(
            f"{name} must be age public keys, which begin with age1, separated by spaces."
        ) from error
    return keys


def env_signing_key(name):
    """The key in the variable ``name``, or nothing; raise, without repeating it, if it is none."""
    key = os.environ.get(name, "").strip()
    if key and not re.fullmatch("[0-9a-f]{64}", key):
        raise ImproperlyConfigured(
            f"{name} must be the 64 letters and digits that backup_key printed after {name}=."
        )
    return key


def env_choice(name, *choices):
    """The variable ``name`` as one of ``choices``, of which the first is the default; raise otherwise."""
    value = os.environ.get(name, "").strip().lower() or choices[0]
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}.")
    return value


def env_site(name, default):
    """The variable ``name`` as the address of a whole site; raise unless it is one."""
    address = os.environ.get(name, "").strip().rstrip("/") or default
    if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+", address):
        raise ImproperlyConfigured(
            f"{name} must be like https://board.example.gov.uk, with nothing after it."
        )
    return address


def env_notify_key(name):
    """The API key of GOV.UK Notify in ``name``, or nothing; raise, without repeating it, if it is none."""
    key, uuid = os.environ.get(name, "").strip(), "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    if key and not re.fullmatch(f".+-{uuid}-{uuid}", key):
        raise ImproperlyConfigured(f"{name} must be an API key of GOV.UK Notify: a name, then two UUIDs.")
    return key


DEBUG = env_flag("DEBUG", False)
HTTPS = env_flag("HTTPS", True)
SECRET_KEY = secret_key()
SECRET_KEY_FALLBACKS = [k for k in os.environ.get("SECRET_KEY_FALLBACKS", "").split() if k]
ALLOWED_HOSTS = [h for h in os.environ.get("ALLOWED_HOSTS", "").replace(",", " ").split() if h]
if any(host.startswith(("*", ".")) for host in ALLOWED_HOSTS):
    raise ImproperlyConfigured("ALLOWED_HOSTS must name each host exactly, without a wildcard.")
if not ALLOWED_HOSTS:
    ALLOWED_HOSTS = ["127.0.0.1", "localhost"]

with (BASE_DIR / "pyproject.toml").open("rb") as file:
    VERSION = tomllib.load(file)["project"]["version"]

BOARD_NAME = os.environ.get("BOARD_NAME", "").strip() or "BCP Children’s Services Improvement Board"
MARKING = os.environ.get("MARKING", "").strip() or "OFFICIAL"
UPDATE_EVERY_DAYS = env_number("UPDATE_EVERY_DAYS", 28, of="days", most=366)

# Mails link to the site under this name. How many days before papers go out owners are reminded.
SITE_ADDRESS = env_site("SITE_ADDRESS", f"{'https' if HTTPS else 'http'}://{ALLOWED_HOSTS[0]}")
REMIND_DAYS_BEFORE = env_number("REMIND_DAYS_BEFORE", 5, of="days", most=60)
EMAIL_HOST = os.environ.get("MAIL_HOST", "").strip()
MAIL_SECURITY = env_choice("MAIL_SECURITY", "starttls", "tls", "none")
EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL_SECURITY == "starttls", MAIL_SECURITY == "tls"
USUAL_PORT = {"starttls": 587, "tls": 465, "none": 25}[MAIL_SECURITY]
EMAIL_PORT = env_number("MAIL_PORT", USUAL_PORT, most=65535)
EMAIL_HOST_USER = os.environ.get("MAIL_USER", "").strip()
EMAIL_HOST_PASSWORD = os.environ.get("MAIL_PASSWORD", "").strip()
EMAIL_TIMEOUT = 5
DEFAULT_FROM_EMAIL = os.environ.get("MAIL_FROM", "").strip() or f"board@{ALLOWED_HOSTS[0]}"
NOTIFY_API_KEY = env_notify_key("NOTIFY_API_KEY")
NOTIFY_TEMPLATE = os.environ.get("NOTIFY_TEMPLATE", "").strip()
if NOTIFY_API_KEY and not NOTIFY_TEMPLATE:
    raise ImproperlyConfigured("NOTIFY_API_KEY needs NOTIFY_TEMPLATE, the ID of a template of GOV.UK Notify.")
if NOTIFY_API_KEY:
    EMAIL_BACKEND = "bcp_board.notify.EmailBackend"
elif EMAIL_HOST:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
else:
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
# Nobody is told that a mail went to them where it was only printed, but on a developer's machine.
SENDS_MAIL = DEBUG or bool(NOTIFY_API_KEY or EMAIL_HOST)

BACKUP_FOLDER = env_folder("BACKUP_FOLDER", VAR_DIR / "backups")
BACKUP_RECIPIENTS = env_public_keys("BACKUP_RECIPIENTS")
BACKUP_SIGNING_KEY = env_signing_key("BACKUP_SIGNING_KEY")
# Where nobody may rely on the record yet, nobody is told that it has no backup. A real site that never made
# one is told, because it needs it most.
BACKUPS_ARE_EXPECTED = HTTPS or bool(BACKUP_RECIPIENTS)

# How much of each worker's memory may hold pages as they were rendered; 0 renders each afresh.
KEPT_PAGES_MEGABYTES = env_number("KEPT_PAGES_MEGABYTES", 32, of="megabytes", most=1024, least=0)
# Whether each prepared question is put into SQL for two days, to see that it holds for any. The tests do so
# for all there are; here it would nearly double what the first page takes before a start.
PREPARED_IS_PROVED = False

# Where a monitoring system asks, by plain http and under whatever name it knows this machine.
MONITORED = ("healthz", "readyz", "metrics")
MONITOR_ADDRESSES = env_networks("MONITOR_ADDRESSES", ["127.0.0.1", "::1"])
SLOW_REQUEST_SECONDS = env_seconds("SLOW_REQUEST_SECONDS", 2)
# Prometheus's own name for the folder in which the server's processes share their counts.
METRICS_FOLDER = env_folder("PROMETHEUS_MULTIPROC_DIR", None)

INSTALLED_APPS = [
    "bcp_board.apps.BoardAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_filters",
    "simple_history",
    "record",
    "visits",
    "recommendations",
    "meetings",
    "demonstration",
    "bcp_board",
]

MIDDLEWARE = [
    "bcp_board.middleware.identify_requests",
    "bcp_board.middleware.answer_heads",
    "bcp_board.middleware.time_requests",
    "bcp_board.middleware.security_headers",
    "django.middleware.security.SecurityMiddleware",
    "bcp_board.middleware.answer_monitors",
    "bcp_board.middleware.refuse_odd_requests",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "bcp_board.middleware.save_whole_or_not",
    "bcp_board.middleware.ReadableSessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "bcp_board.middleware.end_old_sessions",
    "bcp_board.middleware.SignInFirst",
    "bcp_board.middleware.as_at",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

ROOT_URLCONF = "bcp_board.urls"
WSGI_APPLICATION = "bcp_board.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "bcp_board.context_processors.board",
            ],
        },
    },
]

DATABASE_CONNECTIONS = env_number("DATABASE_CONNECTIONS", 4, of="connections", most=50)
DATABASE_TURN_SECONDS = env_number("DATABASE_TURN_SECONDS", 30, of="seconds", most=600)
DATABASE_LOCK_SECONDS = env_number("DATABASE_LOCK_SECONDS", 1, of="seconds", most=600)
DATABASE_SAVE_SECONDS = env_number("DATABASE_SAVE_SECONDS", 3, of="seconds", most=600)
DATABASE_STATEMENT_SECONDS = env_number("DATABASE_STATEMENT_SECONDS", 4, of="seconds", most=600)
DATABASE_IDLE_SECONDS = env_number("DATABASE_IDLE_SECONDS", 10, of="seconds", most=600)
# A command has nobody who waits for a page. It takes as long as it takes, over one connection of its own. But
# while it waits for a table, whoever asks for that table after it waits too: so it gives up.
COMMAND_LOCK_SECONDS = 10
SERVES_PAGES = "gunicorn" in sys.modules

try:
    DATABASES = {
        "default": dj_database_url.parse(
            os.environ.get("DATABASE_URL") or f"sqlite:///{VAR_DIR / 'board.sqlite3'}",
            conn_max_age=60,
            conn_health_checks=True,
        )
    }
except ValueError:  # also of a scheme that is unknown; what it says may quote a password
    raise ImproperlyConfigured(
        "DATABASE_URL must name a database as the README shows, postgres://… or sqlite:////folder/file."
        "sqlite3; signs in a password are written %40 and the like."
    ) from None
database = DATABASES["default"]
if database["ENGINE"].endswith("sqlite3"):
    database["ENGINE"] = "bcp_board.private_sqlite3"
    # WAL with IMMEDIATE lets readers and one writer at a time through without "database is locked";
    # FULL is what makes an acknowledged save survive a power cut; recursive_triggers makes
    # INSERT OR REPLACE fire the delete triggers that keep history append-only.
    database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": DATABASE_SAVE_SECONDS if SERVES_PAGES else 60,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON; "
            # A migration that remakes the chain's table must not trip over the triggers that read it.
            "PRAGMA legacy_alter_table=ON;"
        ),
    }
else:
    # A database that does not answer is a page that says so within ten seconds: one more than a statement may
    # take, and these three.
    database["OPTIONS"] = {"connect_timeout": 3, **database.get("OPTIONS", {})}
    if not SERVES_PAGES:
        given = database["OPTIONS"].get("options", "")
        database["OPTIONS"]["options"] = f"-c lock_timeout={COMMAND_LOCK_SECONDS}s {given}"
    if SERVES_PAGES:
        database["CONN_MAX_AGE"] = 0
        database["OPTIONS"]["options"] = " ".join(
            [
                f"-c statement_timeout={DATABASE_STATEMENT_SECONDS}s",
                f"-c lock_timeout={DATABASE_LOCK_SECONDS}s",
                f"-c idle_in_transaction_session_timeout={DATABASE_IDLE_SECONDS}s",
                database["OPTIONS"].get("options", ""),
            ]
        )
        # One that is not needed for ten seconds is closed, and one more ten seconds later. The threads of
        # a worker are all who can wait for one, so they need no limit of their own.
        database["OPTIONS"]["pool"] = {
            "connection_class": Impatient,
            "min_size": 0,
            "max_size": DATABASE_CONNECTIONS,
            "timeout": DATABASE_TURN_SECONDS,
            "max_idle": 10,
            "reconnect_timeout": 0,
        }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "bcp_board.passwords.HardToGuess"},
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_TZ = True
# GOV.UK style, which the en-gb format files almost are: "22 November 2022", "5:30pm".
USE_THOUSAND_SEPARATOR = False
DATE_FORMAT = "j F Y"
FORMAT_MODULE_PATH = ["bcp_board.formats"]

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

SESSION_COOKIE_NAME = "__Host-board" if HTTPS else "board"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_IDLE_SECONDS = 60 * 60
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "bcp_board.errors.csrf_failure"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [rf"^({'|'.join(MONITORED)})\Z"]
# A promise to browsers that cannot be taken back: how long, and for which names, is for each council to say.
SECURE_HSTS_SECONDS = env_number("HSTS_DAYS", 30, of="days", most=730) * 24 * 60 * 60 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS and env_flag("HSTS_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = HTTPS and env_flag("HSTS_PRELOAD", False)
# Django would keep a message in a cookie of its own.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
# No text may have more than 10,000 letters. Reading forms many times as long cost a worker 180 MB.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_250_000
# The largest page of work has five boxes for each open action, and is to hold 600 of them, with room.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4_000
# The one form that takes a file reads it from memory, so none is ever written to the disk.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
WHITENOISE_ALLOW_ALL_ORIGINS = False
# Pages name no other, and to compress the rest as well took half of the time of `collectstatic`.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# The name and shape of Django 6's own setting, so that the upgrade deletes our middleware, not this.
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
    "form-action": ["'self'"],
}

# Everything goes to standard error, for the host to keep where this application cannot change it.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json_line": {"()": "record.security_log.JsonLine"}},
    "filters": {
        "failed": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: record.exc_info is not None,
        }
    },
    "handlers": {
        "security": {"class": "logging.StreamHandler", "formatter": "json_line"},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["security"], "level": "WARNING"},
    "loggers": {
        # The pages that refuse write their own line, and do not quote the address.
        "django": {"handlers": ["nowhere"], "propagate": False},
        "bcp_board.security": {"handlers": ["security"], "level": "INFO", "propagate": False},
        # What failed, where in the code, and in which request; never what the visitor or the record said.
        # A page that says by itself that something is wrong logs by itself what.
        "django.request": {
            "handlers": ["security"],
            "filters": ["failed"],
            "level": "ERROR",
            "propagate": False,
        },
        # It would tell of hosts and roles, and of what it ignored on the way; ours say what failed.
        "psycopg": {"level": "CRITICAL"},
    },
}
SECURITY_CONTACT = os.environ.get("SECURITY_CONTACT", "").strip()
