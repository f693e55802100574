"""What the site tells those who watch over it, and that it tells nobody else."""

import datetime
import json
import os
import shutil
import subprocess
from ipaddress import ip_network

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from bcp_board import backups
from bcp_board.metrics import Proofs
from bcp_board.tests.addresses import make_record
from bcp_board.tests.serving import Site, wait_until
from record import triggers
from record.ledger import anchor
from record.models import LedgerEntry
from record.tests.factories import make_user
from record.verification import last_held_at

READY = dict.fromkeys(["database", "triggers", "room to write", "clock", "static files"], "ok")


@pytest.fixture
def monitor(db):
    return Client(raise_request_exception=False)


def answer(client, **more):
    response = client.get("/readyz", **more)
    return response.status_code, response.json()["checks"]


def test_a_site_that_can_serve_says_so_with_its_version_and_changes_nothing(monitor, settings):
    make_record(make_user("Officers"))
    before = kept_in_memory()

    response = monitor.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {"ready": True, "version": settings.VERSION, "checks": READY}
    assert list(Session.objects.all()) == []
    assert kept_in_memory() == before


def kept_in_memory():
    """How much SQLite keeps in memory of what it read."""
    if connection.vendor != "sqlite":
        return None
    with connection.cursor() as cursor:
        return cursor.execute("PRAGMA cache_size").fetchone()


def test_a_trigger_that_is_missing_is_named_and_one_line_of_the_log_says_what_failed(monitor, log):
    make_record(make_user("Officers"))
    connection.check_constraints()  # PostgreSQL alters no table that has a check to come
    triggers.drop(connection)
    log()

    status, found = answer(monitor)

    assert (status, found | {"triggers": "ok"}) == (503, READY)
    assert found["triggers"].startswith("The table ")
    assert found["triggers"].endswith("Run 'manage.py migrate', which installs the triggers.")
    assert [(line["event"], line["outcome"], line["checks"]) for line in log()] == [
        ("not ready", "503", ["triggers"])
    ]


def test_a_clock_that_was_set_back_is_told(monitor, monkeypatch):
    make_record(make_user("Officers"))
    before = timezone.now() - datetime.timedelta(minutes=5)
    monkeypatch.setattr(timezone, "now", lambda: before)

    assert answer(monitor) == (
        503,
        READY
        | {
            "clock": "The clock of this server is behind the newest entry of the record by more than a "
            "minute. Nothing can be added until it is put right."
        },
    )


@pytest.mark.once
def test_static_files_that_were_not_built_are_told(monitor, settings, tmp_path):
    built = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}
    with override_settings(STATIC_ROOT=tmp_path, STORAGES=settings.STORAGES | built):
        status, found = answer(monitor)

    assert (status, found | {"static files": "ok"}) == (503, READY)
    assert found["static files"] == (
        "The static files are not built. Run 'manage.py collectstatic', then start the site again."
    )


def test_a_database_that_does_not_answer_is_told_once_and_the_process_lives_on(monitor, new_database):
    with new_database("empty"):
        assert monitor.get("/healthz").content == b"ok\n"
        status, found = answer(monitor)

    not_read = "Not checked, because the database does not answer."
    assert status == 503
    assert found == READY | {
        "database": "The database does not answer, or is not the record's.",
        **dict.fromkeys(["triggers", "room to write", "clock"], not_read),
    }


@pytest.mark.once
@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("127.0.0.1", 200),
        ("::1", 200),
        ("::ffff:127.0.0.1", 200),
        ("10.1.0.7", 200),
        ("10.1.1.7", 404),
        ("127.0.0.2", 404),
        ("", 404),
        ("unix:", 404),
    ],
)
def test_only_the_addresses_in_the_setting_are_told(monitor, settings, address, status):
    settings.MONITOR_ADDRESSES = [ip_network(each) for each in ("127.0.0.1", "::1", "10.1.0.0/24")]

    for page in ("/healthz", "/readyz"):
        assert monitor.get(page, REMOTE_ADDR=address).status_code == status
        assert monitor.head(page, REMOTE_ADDR=address).status_code == status
        assert monitor.post(page, REMOTE_ADDR=address).status_code == (405 if status == 200 else 404)


@pytest.mark.once
@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
def test_nobody_is_told_through_a_proxy_though_it_has_a_monitors_address(monitor, name):
    for page in ("/healthz", "/readyz"):
        assert monitor.get(page, headers={name: "127.0.0.1"}).status_code == 404


@pytest.mark.once
def test_to_others_it_looks_like_what_is_not_there_but_the_log_says_who_asked(monitor, log):
    def page(path):
        response = monitor.get(path, REMOTE_ADDR="10.0.0.1")
        return response.status_code, response.content.decode().replace(response.headers["X-Request-ID"], "")

    log()
    assert page("/readyz") == page("/zzz")
    assert [(line["event"], line["path"], line["address"]) for line in log()] == [
        ("refused", "/readyz", "10.0.0.1"),
        ("not answered", "/zzz", "10.0.0.1"),
    ]


@pytest.mark.once
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_they_are_asked_by_any_name_without_tls_and_only_they(monitor, settings, path):
    settings.SECURE_SSL_REDIRECT = True
    client = Client()  # which reads the settings anew

    assert client.get(path, headers={"Host": "10.1.0.7:8000"}).status_code == 200
    assert client.get(path, headers={"Host": "evil.example"}).status_code == 200
    assert client.get(f"{path}/", headers={"Host": "testserver"}).status_code == 301
    assert client.get("/help/", headers={"Host": "testserver"}).status_code == 301
    assert client.get(path, REMOTE_ADDR="10.0.0.1").status_code == 404


@pytest.mark.once
def test_a_session_that_cannot_be_read_does_not_stand_in_the_way(monitor):
    with connection.execute_wrapper(refuse_sessions):
        monitor.cookies["board"] = "x" * 32
        assert monitor.get("/healthz").status_code == 200


def refuse_sessions(execute, sql, *more):
    assert "django_session" not in sql
    return execute(sql, *more)


@pytest.mark.once
def test_a_disk_without_room_is_told_before_anybody_loses_what_they_wrote(new_database, settings, tmp_path):
    """The first to learn of a full disk is the monitor: nothing was committed that would have shown it."""
    if connection.vendor != "sqlite":
        pytest.skip("SQLite keeps what is not committed in memory; test_failing_database has PostgreSQL")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        with new_database() as scratch:
            source = scratch.settings_dict["NAME"]
            scratch.close()
            shutil.copy(source, disk / "board.sqlite3")
        site = Site(f"sqlite:///{disk}/board.sqlite3")
        with site:
            # Read, and not yet asked whether it is ready: the room that this takes is not given back.
            site.get("/", f"{settings.SESSION_COOKIE_NAME}={'x' * 32}")
            fill(disk)
            full = site.get("/readyz")
            (disk / "filler").unlink()
            again = site.get("/readyz")
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
    assert json.loads(full.body)["checks"] == READY | {
        "room to write": "Nothing can be saved. The disk may be full, or the database may not be written to."
    }
    assert (full.status, again.status) == (503, 200)


def fill(disk):
    with (disk / "filler").open("ab", buffering=0) as file:
        while shutil.disk_usage(disk).free:
            file.write(bytes(4096))


def numbers(page):
    """{name with labels: number} of a page in Prometheus's format."""
    lines = [line for line in page.splitlines() if line and not line.startswith("#")]
    return {name: float(number) for name, number in (line.rsplit(" ", 1) for line in lines)}


@pytest.mark.service
def test_prometheus_is_told_what_every_process_counted_and_how_old_the_proofs_are(new_database, tmp_path):
    database = new_database("filled")
    with database:
        site = Site(database.url)
        site.env |= {
            "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "counts"),
            "BACKUP_FOLDER": str(tmp_path),
        }
        with site:
            before = numbers(site.get("/metrics").body.decode())
            for _ in range(20):
                site.get("/login/?q=canary")
                site.get("/canary/")
            site.manage("backup", str(tmp_path / "one.backup"), "--unencrypted")
            site.manage("verify_history")
            page = site.get("/metrics").body.decode()
            length = LedgerEntry.objects.count()
            processes = site.processes()
            victim = next(worker for worker in processes[1:] if connections_of(worker) in numbers(page))
            victim.kill()
            wait_until(lambda: len(site.processes()) == len(processes) and not victim.is_running())
            after = numbers(site.get("/metrics").body.decode())
            site.kill()
            site.start()
            anew = numbers(site.get("/metrics").body.decode())
            shutil.rmtree(tmp_path / "counts")
            without = {site.get(path).status for path in ("/login/", "/zzz") for _ in range(20)}
            gone = site.get("/metrics").status

    found = numbers(page)
    assert "canary" not in page
    proofs = {"board_backup_age_seconds", "board_verified_age_seconds"}
    assert proofs & before.keys() == set()
    assert [0 <= found[name] < 60 for name in sorted(proofs)] == [True, True]
    assert found["board_ledger_entries"] == before["board_ledger_entries"] == length > 0
    counted = {name: number for name, number in found.items() if "_seconds_count" in name}
    health = 'board_request_seconds_count{status="200",view="healthz"}'
    assert {name: number for name, number in counted.items() if name != health} == {
        'board_request_seconds_count{status="200",view="login"}': 20,
        'board_request_seconds_count{status="404",view="none"}': 20,
        'board_request_seconds_count{status="200",view="metrics"}': 1,
    }
    assert 0 < found['board_request_seconds_sum{status="200",view="login"}'] < 60
    # What a process counted is not lost with it, but it has no more connections.
    assert after['board_request_seconds_count{status="200",view="login"}'] == 20
    assert connections_of(victim) not in after
    assert [name for name in anew if "login" in name] == []
    # Nobody goes without a page because it cannot be counted.
    assert (without, gone) == ({200, 404}, 404)


def connections_of(worker):
    return f'board_database_connections{{database="default",pid="{worker.pid}"}}'


@pytest.mark.once
def test_the_newest_backup_is_read_whole_for_prometheus_only_when_the_folder_changes(filled_record, settings):
    backup = settings.BACKUP_FOLDER / "one.backup"
    backup.parent.mkdir(parents=True)
    with filled_record:
        backups.save(backup)

    def is_told():
        return any(metric.name == "board_backup_age_seconds" for metric in Proofs(timezone.now()).collect())

    with filled_record:
        assert is_told()
        before = backup.stat()
        content = backup.read_bytes()
        backup.write_bytes(bytes(len(content)))
        os.utime(backup, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert is_told()
        os.utime(backup)
        assert not is_told()


@pytest.mark.once
def test_without_the_setting_there_are_no_metrics(monitor):
    assert monitor.get("/metrics").status_code == 404


@pytest.mark.once
def test_when_the_history_was_verified_is_known_of_that_history_only(db, settings, tmp_path, capsys):
    settings.VAR_DIR = tmp_path
    assert last_held_at() is None
    make_record(make_user("Officers"))
    began = timezone.now()

    call_command("verify_history")

    assert began <= last_held_at() <= timezone.now()
    note = tmp_path / "history_held_at"
    said = note.read_text()
    note.write_text(said.replace(str(anchor()), f"{anchor().count}:{'0' * 64}"))
    assert last_held_at() is None
    note.write_text("torn")
    assert last_held_at() is None


@pytest.mark.once
def test_a_verification_that_cannot_be_noted_holds_all_the_same(db, settings, tmp_path, capsys):
    settings.VAR_DIR = tmp_path / "file"
    settings.VAR_DIR.write_text("")

    call_command("verify_history")

    out, err = capsys.readouterr()
    assert out.startswith("The history holds: 0 entries")
    assert err == "The time of this check was not kept for /metrics: File exists.\n"
