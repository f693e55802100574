"""The files in deploy/: they name what is there, and nginx serves the site as they say."""

import configparser
import http.client
import re
import socket
import ssl
import subprocess
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import global_settings, settings
from django.core.management import get_commands

from bcp_board.tests.postgres import die_with_parent
from bcp_board.tests.serving import Site, free_port
from bcp_board.tests.test_sign_in import GOOD, with_password
from meetings.models import Paper
from recommendations.models import ProgressUpdate
from recommendations.tests.factories import make_action
from record.tests.factories import make_meeting

pytestmark = pytest.mark.once

ROOT = Path(settings.BASE_DIR)
DEPLOY = ROOT / "deploy"
NAME = "board.example.gov.uk"
SETTINGS = (ROOT / "bcp_board" / "settings.py").read_text()
UNITS = sorted(path.name for path in [*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])


def unit(name):
    """A unit of systemd, by section and key, with the last value of a key that is given more than once."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(DEPLOY / name)
    return parser


def test_the_file_of_settings_names_every_setting_that_the_site_reads_and_no_other():
    read = set(re.findall(r'(?:environ\.get|env_\w+)\("([A-Z_]+)"', SETTINGS))
    named = set(re.findall(r"^#?([A-Z_]+)=", (DEPLOY / "board.env").read_text(), re.MULTILINE))
    assert len(read) >= 12
    assert named == read | {"FORWARDED_ALLOW_IPS", "PGPASSWORD"}
    table = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert table == read


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".timer")])
def test_each_timer_starts_a_command_that_there_is(name):
    job = re.fullmatch(r"board-(\w+)\.timer", name)[1]
    assert unit(name)["Timer"]["Unit"] == f"board-job@{job}.service"
    assert job in get_commands()


def test_every_job_tells_that_it_failed_and_the_site_stops_whole():
    assert unit("board-job@.service")["Unit"]["OnFailure"] == "board-failed@%n.service"
    assert unit("board.service")["Service"]["KillMode"] == "control-group"
    pruning = unit("board-job@prune_backups.service.d/delete.conf")["Service"]["ExecStart"]
    assert pruning == unit("board-job@.service")["Service"]["ExecStart"].replace(
        "%i", "prune_backups --delete"
    )
    assert [name for name in UNITS if name.endswith(".timer")] == [
        "board-backup.timer",
        "board-check_backups.timer",
        "board-clearsessions.timer",
        "board-prune_backups.timer",
        "board-remind.timer",
        "board-verify_history.timer",
    ]


# nginx before gunicorn ----------------------------------------------------------------------------------


@pytest.fixture
def database(new_database):
    with (scratch := new_database()):
        yield scratch


@pytest.fixture
def site(database, settings):
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    site = Site(database.url)
    # As in service, and not as the other tests have it.
    site.env |= {"DJANGO_SETTINGS_MODULE": "bcp_board.settings", "HTTPS": "1", "ALLOWED_HOSTS": NAME}
    site.manage("collectstatic", "--no-input", "--verbosity", "0")
    with site:
        yield site


@contextmanager
def nginx(folder, site):
    """nginx with the file that is to be installed, but for its ports and its certificate; give both ports."""
    plain, secure = free_port(), free_port()
    key, certificate = folder / "privkey.pem", folder / "fullchain.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={NAME}"]
    subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    text = (DEPLOY / "nginx.conf").read_text()
    for was, now in (
        ("listen 443", f"listen 127.0.0.1:{secure}"),
        ("listen 80", f"listen 127.0.0.1:{plain}"),
        ("server 127.0.0.1:8000", f"server 127.0.0.1:{site.port}"),
        ("/etc/board/tls/fullchain.pem", str(certificate)),
        ("/etc/board/tls/privkey.pem", str(key)),
    ):
        assert was in text
        text = text.replace(was, now)
    (folder / "nginx.conf").write_text(
        f"daemon off; user root; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n"
        "events {}\n"
        f"http {{ access_log {folder}/access.log; client_body_temp_path {folder}/body; "
        f"proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; "
        f"scgi_temp_path {folder}/s; include /etc/nginx/mime.types;\n{text}\n}}\n"
    )
    server = subprocess.Popen(
        ["nginx", "-e", folder / "error.log", "-c", folder / "nginx.conf"], preexec_fn=die_with_parent
    )
    try:
        give_up = time.monotonic() + 10
        while time.monotonic() < give_up and server.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", secure)):
                break
            time.sleep(0.05)
        yield plain, secure
    finally:
        server.terminate()
        server.wait(10)


class Visitor:
    """A browser's part: it asks by name and TLS, and keeps cookies."""

    def __init__(self, port):
        self.port, self.cookies = port, {}

    def ask(self, method, path, form=None, name=NAME, **headers):
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        asked = http.client.HTTPSConnection("127.0.0.1", self.port)
        cookies = "; ".join(f"{key}={value}" for key, value in self.cookies.items())
        headers = {"Host": name, "Cookie": cookies, "Referer": f"https://{NAME}/", **headers}
        body = None
        if form is not None:
            token = self.cookies.get(cookie_named("csrf"), "")
            body = urlencode({"csrfmiddlewaretoken": token, **form})
            headers |= {"Content-Type": "application/x-www-form-urlencoded"}
        with (
            socket.create_connection(("127.0.0.1", self.port), 30) as bare,
            trusting.wrap_socket(bare, server_hostname=name) as asked.sock,
        ):
            asked.request(method, path, body, headers)
            answer = asked.getresponse()
            read = answer.read()
        answer.text = "" if answer.headers.get("Content-Encoding") else read.decode()
        for line in answer.headers.get_all("Set-Cookie") or ():
            key, _, value = line.partition(";")[0].partition("=")
            self.cookies[key] = value
        return answer


def cookie_named(name):
    return f"__Host-{name}"


def hidden(page):
    """{name: value} of the fields of a page's form that hold something unseen."""
    boxes = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: value for name, value in boxes if name != "csrfmiddlewaretoken"}


@pytest.mark.printed
@pytest.mark.needs("nginx")
@pytest.mark.needs("openssl")
def test_people_sign_in_save_and_publish_through_nginx_and_the_world_asks_nothing_else(site, tmp_path):
    action = make_action(owner=with_password("ann", role="Officers"))
    with_password("sue", role="Secretariat")
    meeting = make_meeting("2027-11-22")
    with nginx(tmp_path, site) as (plain, secure):
        # Plain http leads to https, and another name gets no certificate.
        with closing(http.client.HTTPConnection("127.0.0.1", plain)) as asked:
            asked.request("GET", "/actions/", headers={"Host": NAME})
            answer = asked.getresponse()
        assert (answer.status, answer.headers["Location"]) == (301, f"https://{NAME}/actions/")
        with pytest.raises(ssl.SSLError):
            Visitor(secure).ask("GET", "/", name="elsewhere.example")

        ann = Visitor(secure)
        assert ann.ask("GET", "/").headers["Location"] == "/login/?next=/"
        assert ann.ask("GET", "/login/").status == 200
        assert ann.ask("POST", "/login/", {"username": "ann", "password": GOOD}).status == 302
        assert cookie_named("board") in ann.cookies
        page = f"/admin/recommendations/progressupdate/add/?action={action.pk}"
        form = {**hidden(ann.ask("GET", page).text), "status": "on_track", "narrative": "What was done"}
        today = re.search(r'name="dated" value="([^"]+)"', ann.ask("GET", page).text)[1]
        assert ann.ask("POST", page, {**form, "dated": today}).status == 302
        assert ProgressUpdate.objects.get().narrative == "What was done"

        sue = Visitor(secure)
        sue.ask("GET", "/login/")
        assert sue.ask("POST", "/login/", {"username": "sue", "password": GOOD}).status == 302
        page = f"/admin/record/meeting/{meeting.pk}/publish/"
        assert sue.ask("POST", page, hidden(sue.ask("GET", page).text)).status == 302
        paper = Paper.objects.get()
        assert sue.ask("GET", "/meetings/2027-11-22/paper/").text.encode() == bytes(paper.body)

        # The stylesheet comes compressed, and what only this machine watches does not come at all.
        style = re.search(r'href="(/static/[^"]+\.css)"', sue.ask("GET", "/").text)[1]
        assert sue.ask("GET", style, **{"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
        assert [ann.ask("GET", f"/{name}").status for name in ("healthz", "readyz", "metrics")] == [404] * 3
        # A form larger than the site takes is answered in its words.
        large = ann.ask("POST", "/password/", {"old_password": "x" * 2_000_000})
        assert (large.status, "This form is too large" in large.text) == (413, True)
        # Whoever guesses is slowed.
        guesses = [Visitor(secure).ask("GET", "/login/").status for _ in range(60)]
        assert set(guesses) == {200, 429}
        # A one-time link is not kept.
        assert ann.ask("GET", "/login/MQ/a-token/").status == 200
        assert "a-token" not in (tmp_path / "access.log").read_text()
