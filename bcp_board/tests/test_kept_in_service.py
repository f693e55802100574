"""Every process that serves the site shows at once what another one wrote, whatever pages it has kept."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bcp_board import backups
from bcp_board.tests.serving import Site
from meetings.publishing import publish, what_is_read
from recommendations.models import Action, ProgressUpdate
from recommendations.tests.factories import make_owner
from record import erasure, ledger
from record.models import Demonstration, Meeting
from record.tests.admin_forms import fill_in
from record.tests.factories import make_user

pytestmark = pytest.mark.service
# With two workers, one of them has answered none of these once in thirty thousand times.
ASKED = 16


class Written:
    """What a test writes in its own process, and what every worker of the site then shows."""

    def __init__(self, site):
        self.site, self.people = site, {}
        for role in ("Secretariat", "Officers", "Board members", "Administrators"):
            self.sign_in(role)

    def sign_in(self, role):
        client = Client()
        client.force_login(user := make_user(role))
        self.people[role] = (user, client)

    def user(self, role):
        return self.people[role][0]

    def fill_in(self, role, address, **typed):
        response = fill_in(self.people[role][1], address, **typed)
        assert response.status_code == 302, response.context["adminform"].form.errors

    def shown(self, path, role="Board members"):
        """The status and the text of the page, which must be the same whichever worker answers."""
        name = settings.SESSION_COOKIE_NAME
        cookie = f"{name}={self.people[role][1].cookies[name].value}"
        with ThreadPoolExecutor(ASKED) as readers:
            answers = list(readers.map(lambda _: self.site.get(path, cookie), range(ASKED)))
        (told,) = {(answer.status, answer.body.decode()) for answer in answers}
        return told


@pytest.fixture
def scratch(new_database):
    scratch = new_database()
    with scratch:
        yield scratch


@pytest.fixture
def written(scratch):
    site = Site(scratch.url, options=["--workers", "2"])
    site.env["SECRET_KEY"] = settings.SECRET_KEY
    with site:
        yield Written(site)


def test_whatever_is_written_is_shown_at_once_by_every_worker(written):
    action, home, proof = "/actions/A05/", "/", "/proof/"

    def becomes(path, words, write, role="Board members"):
        """``words`` are on the page from the moment on at which it was written, and were not before."""
        assert words not in written.shown(path, role)[1]
        write()
        assert words in written.shown(path, role)[1]

    becomes("/actions/", "A05", lambda: call_command("seed", verbosity=0), "Officers")
    owned, officer = Action.objects.get(ref="A05"), written.user("Officers")
    make_owner(owned, officer, dated="2023-01-01", by=written.user("Secretariat"))
    add = reverse("admin:recommendations_progressupdate_add")
    becomes(
        action,
        "We opened it",
        lambda: written.fill_in(
            "Officers", f"{add}?action={owned.pk}", status="on_track", narrative="We opened it"
        ),
    )
    change = reverse("admin:recommendations_action_change", args=[owned.pk])
    becomes(
        action,
        "Another title",
        lambda: written.fill_in("Secretariat", change, title="Another title", change_reason="Too long"),
    )
    becomes(
        "/meetings/",
        "15 January 2099",
        lambda: written.fill_in("Secretariat", reverse("admin:record_meeting_add"), held_on="15/1/2099"),
    )
    meeting = Meeting.objects.get()
    paper = "/meetings/2099-01-15/paper/"
    assert "DRAFT" in written.shown(paper)[1]
    publish(meeting.pk, by=written.user("Secretariat"), read=what_is_read(meeting))
    assert "DRAFT" not in written.shown(paper)[1]
    assert "/meetings/2099-01-15/paper/" in written.shown(proof)[1]

    def erase():
        update = ProgressUpdate.objects.get(narrative="We opened it")
        place = erasure.Place(ProgressUpdate, update.pk, "narrative", update.narrative)
        erasure.erase([place], reason="A name", approved_by="Mary Example (Monitoring officer)")

    becomes(action, "[Removed on", erase)
    assert "We opened it" not in written.shown(action)[1]

    def account(**typed):
        address = reverse("admin:auth_user_change", args=[officer.pk])
        written.fill_in("Administrators", address, **typed)

    becomes(action, "now <bdi>Olu Person</bdi>", lambda: account(first_name="Olu"))
    becomes(action, "The account is closed", lambda: account(is_active=""))

    def promote():
        member = written.user("Board members")
        member.groups.add(Group.objects.get(name="Chair"))
        member.is_staff = True
        member.save()

    becomes(home, reverse("admin:index"), promote)

    def mark():
        ledger.append([Demonstration(made_at=None, as_at=timezone.localdate())])

    becomes(home, "Demonstration.", mark)


def test_a_restored_record_is_shown_at_once_by_every_worker(written, scratch, tmp_path, settings, backup_key):
    """On PostgreSQL nothing is restored while the site runs, which begins with nothing kept."""
    if not scratch.is_file:
        pytest.skip("PostgreSQL's record is restored while the site is stopped")
    settings.VAR_DIR, settings.BACKUP_FOLDER = tmp_path / "var", tmp_path / "var" / "backups"
    call_command("seed", verbosity=0)
    saved = backups.save(tmp_path / "backup")
    action = Action.objects.get(ref="A05")
    make_owner(action, written.user("Officers"), dated="2023-01-01", by=written.user("Secretariat"))
    assert "records its progress" in written.shown("/actions/A05/")[1]
    backups.restore(saved.path, identity=backup_key, force=True)
    client = Client()
    client.force_login(type(written.user("Board members")).objects.get(username="board-members"))
    written.people["Board members"] = (None, client)
    assert "Nobody’s account is named" in written.shown("/actions/A05/")[1]
