"""The meeting-day sheet as a browser sees and sends it, and a meeting that is asked one of each kind."""

import datetime
import re

from django.test import Client

from recommendations.status import Status
from recommendations.tests.factories import make_action, make_due_date, make_update
from record.tests.factories import make_user

DAY = datetime.timedelta(days=1)


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def make_agenda(owner, today):
    """One of each kind: A01 has a date asked for, A02 is done, A03 has its re-check due, A04 is late."""
    actions = {ref: make_action(ref, owner=owner) for ref in ("A01", "A02", "A03", "A04")}
    make_update(actions["A01"], by=owner)
    said = {"reason_kind": "resources", "reason": "Too few people", "needs_decision": True}
    make_due_date(actions["A01"], "2098-06", by=owner, **said)
    make_update(actions["A02"], Status.DONE, by=owner, evidence="The audit", difference_made="Seen sooner")
    make_update(actions["A03"], Status.DONE, dated="2022-10-20", by=owner)
    make_update(actions["A03"], Status.COMPLETE, by=make_user("Chair", "before"), evidence="The minutes")
    make_due_date(actions["A04"], "2022-11", dated="2022-10-01")
    make_update(actions["A04"], Status.AT_RISK, by=owner)
    return actions


def sheet(client, meeting, row=""):
    return client.get(f"{meeting.get_absolute_url()}decide/{f'?row={row}' if row else ''}")


def held(response):
    """What the form that is open on the page would send."""
    form = re.search(r'<form method="post".*?</form>', response.content.decode(), re.DOTALL)[0]
    values = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    texts = re.findall(r'<textarea name="([^"]+)"[^>]*>\s*(.*?)</textarea>', form, re.DOTALL)
    boxes = re.findall(r'<input type="text" name="([^"]+)" value="([^"]*)"', form)
    lists = re.findall(r'<select name="([^"]+)".*?<option value="([^"]*)" selected>', form, re.DOTALL)
    return values | dict(texts) | dict(boxes) | dict(lists)


def slugs(client, meeting):
    return {row.name: row.slug for row in sheet(client, meeting).context["sheet"].rows}


def decide(client, meeting, name, way, **typed):
    """Open the row ``name`` and send it with what was ``typed`` into the boxes of that ``way``."""
    slug = slugs(client, meeting)[name]
    return send(client, meeting, held(sheet(client, meeting, slug)), slug, way, **typed)


def send(client, meeting, opened, slug, way, **typed):
    boxes = {f"{slug}-{box.replace('__', '-')}": text for box, text in typed.items()}
    address = f"{meeting.get_absolute_url()}decide/?row={slug}"
    return client.post(address, {**opened, f"{slug}-decided": way, **boxes})


def problems(response):
    assert response.status_code == 200
    return [problem.words for problem in response.context["problems"]]
