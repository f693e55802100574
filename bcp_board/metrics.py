"""What Prometheus is told: requests and how long they took, and how old the proofs of the record are.

Each process of the server keeps its counts in a file of its own in PROMETHEUS_MULTIPROC_DIR, and whichever is
asked adds them up. No label holds anything that a visitor sent.
"""

from contextlib import suppress
from functools import lru_cache
from weakref import WeakSet

from django.conf import settings
from django.db import DatabaseError
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from bcp_board import backup_files, backups
from record import ledger, verification

CONTENT_TYPE = CONTENT_TYPE_LATEST
REQUESTS = Histogram(
    "board_request_seconds",
    "Requests, and how many seconds they took",
    ["view", "status"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10),
)
CONNECTIONS = Gauge(
    "board_database_connections",
    "Connections to the database that a process of the server had open after its last request",
    ["database"],
    multiprocess_mode="liveall",
)
# Each thread has one of its own, which no list of Django's has.
_connections = WeakSet()


@receiver(connection_created)
def remember(sender, connection, **kwargs):
    _connections.add(connection)


def count(view, *, status, seconds):
    """Count a request that the view of the name ``view`` answered, unless the counts cannot be written."""
    is_open = [one for one in list(_connections) if one.connection is not None]
    with suppress(OSError):
        REQUESTS.labels(view, status).observe(seconds)
        for alias in settings.DATABASES:
            CONNECTIONS.labels(alias).set(sum(one.alias == alias for one in is_open))


def page(*, now):
    """All that is told at the moment ``now``, in Prometheus's own format."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(settings.METRICS_FOLDER))
    registry.register(Proofs(now))
    return generate_latest(registry)


class Proofs:
    """The age of the newest backup and of the last verification, and the length of the ledger.

    What there is none of, or cannot be read, is left out.
    """

    def __init__(self, now):
        self.now = now

    def collect(self):
        backup = newest_backup(_files(), backups.trust())
        for name, help_text, value in (
            ("board_backup_age_seconds", "Since the newest backup", self.since(backup and backup.made_at)),
            (
                "board_verified_age_seconds",
                "Since `verify_history` last found that the history holds",
                self.since(read(verification.last_held_at)),
            ),
            ("board_ledger_entries", "Entries of the ledger", read(lambda: ledger.anchor().count)),
        ):
            if value is not None:
                yield GaugeMetricFamily(name, help_text, value=value)

    def since(self, moment):
        return None if moment is None else (self.now - moment).total_seconds()


@lru_cache(maxsize=1)
def newest_backup(files, trust):
    """The newest Backup that would do for a restore, or None; one that nobody in ``trust`` signed would not.

    To tell, it is read to its end, and so only once while the ``files`` of the folder stay as they are.
    """
    with suppress(backup_files.NotSigned):
        return backup_files.newest(settings.BACKUP_FOLDER, now=timezone.now(), trust=trust)
    return None


def _files():
    """The path, size and time of change of each file in the folder of the backups."""
    with suppress(OSError):
        found = [(path, path.stat()) for path in sorted(settings.BACKUP_FOLDER.iterdir())]
        return tuple((path, stat.st_size, stat.st_mtime_ns) for path, stat in found)
    return ()


def read(ask):
    """What ``ask`` reads from the database, or None while that does not answer."""
    try:
        return ask()
    except DatabaseError:
        return None
