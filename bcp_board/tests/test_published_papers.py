"""A published paper outlives changes to all that it was made from, and a restored backup."""

import datetime
import hashlib

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.template.loader import render_to_string

from bcp_board import backups
from meetings.publishing import publish, what_is_read
from recommendations.models import Action, Recommendation
from recommendations.tests.factories import make_action, make_due_date, make_update
from record.models import Meeting
from record.tests.factories import make_meeting, make_user, saved

ADDRESS = "/meetings/2099-01-15/paper/"


def published(client, address=ADDRESS):
    response = client.get(address)
    assert response.status_code == 200
    return response.content


def meeting_action():
    return Action.objects.get(ref="A05")


def change_everything_else(reader, settings, folder):
    """Change what a paper was made from, and who made it, but for the person who reads it."""
    make_update(meeting_action(), "off_track", by=reader, dated="2022-10-05")
    make_due_date(meeting_action(), "2022-12", by=reader)
    for row, change in ((Recommendation.objects.get(), "title"), (Meeting.objects.get(), "covering_note")):
        setattr(row, change, "Rewritten")
        with saved(reason="It was wrong"):
            row.save()
    get_user_model().objects.exclude(pk=reader.pk).update(first_name="Renamed", is_active=False)
    (folder / "meetings").mkdir()
    (folder / "meetings" / "paper.html").write_text("<p>another template</p>")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [folder, *settings.TEMPLATES[0]["DIRS"]]}]
    settings.MARKING = "ANOTHER MARKING"
    settings.TIME_ZONE = "America/New_York"
    assert render_to_string("meetings/paper.html") == "<p>another template</p>"


def test_published_bytes_survive_updates_renames_and_changed_templates_and_styles(
    client, new_database, settings, tmp_path
):
    with new_database():
        reader, recorder, publisher = (make_user(r) for r in ("Board members", "Officers", "Secretariat"))
        make_action("A05")
        make_update(meeting_action(), by=recorder)
        meeting = make_meeting(held_on=datetime.date(2099, 1, 15))
        paper = publish(meeting.pk, by=publisher, read=what_is_read(meeting))
        client.force_login(reader)
        before = published(client)
        assert hashlib.sha256(before).hexdigest() == paper.sha256
        assert "DRAFT" not in before.decode()

        change_everything_else(reader, settings, tmp_path)
        call_command("migrate", verbosity=0)
        assert get_user_model().objects.filter(is_active=True).get() == reader
        assert published(client) == before
        assert published(client, f"{ADDRESS}?version=1") == before
        saved = backups.save(tmp_path / "saved.backup", unencrypted=True)
    with new_database():
        backups.restore(saved.path)
        client.force_login(get_user_model().objects.get(username=reader.username))
        assert published(client) == before
        assert hashlib.sha256(published(client, f"{ADDRESS}?version=1")).hexdigest() == paper.sha256
