"""Every address of the site, with a record that has a row behind each, and somebody of every role."""

import csv
import datetime
import re
from functools import cache
from pathlib import Path

from django.apps import apps
from django.contrib.auth.models import User
from django.urls import URLResolver, get_resolver

from meetings.publishing import publish, what_is_read
from meetings.tests.factories import make_late_note, make_outcome
from recommendations.models import Action, Risk
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_decision,
    make_due_date,
    make_measure_value,
    make_recommendation,
    make_send_back,
    make_update,
)
from record.tests.factories import make_document, make_meeting, make_user, saved
from visits.models import Event, Finding, Visit
from visits.tests.factories import make_area, make_judgement

ROLES = {
    "anonymous": None,
    "member": "Board members",
    "officer": "Officers",
    "chair": "Chair",
    "secretariat": "Secretariat",
    "administrator": "Administrators",
    "superuser": "",
}
TABLE = Path(__file__).parent / "data" / "access.csv"
MEETING = datetime.date(2022, 12, 1)
ARGUMENTS = {
    "date": str(MEETING),
    "number": "1",
    "ref": "A01",
    "slug": "full-1",
    "uidb64": "MQ",
    "token": "a-b",
    "url": "zzz",
    "app_label": "recommendations",
}


def cast():
    """Make a person of every role; return {role: User}, with None for nobody."""
    people = {name: make_user(group, name) for name, group in ROLES.items() if group}
    return {"anonymous": None, **people, "superuser": make_user("", "superuser", is_superuser=True)}


def make_record(owner):
    """Make a row of every kind; ``owner`` owns the action and reports on it."""
    source = {"document": make_document(), "reference": "p1"}
    recommendation = make_recommendation(1)
    action = make_action("A01", recommendation, owner=owner, **source)
    make_update(action, by=owner)
    make_decision(make_due_date(action, by=owner, needs_decision=True), by=owner)
    make_due_date(action, due="2023-04", by=owner, needs_decision=True)
    make_send_back(make_update(action, "done", by=owner), by=owner)
    make_assessment(recommendation, by=owner)
    visit = Visit.objects.create(slug="full-1", kind="full", number=1, dates="2021-12", **source)
    make_judgement(visit, "inadequate", make_area("overall", "Overall"))
    words = {"text": "What was found", **source}
    Finding.objects.create(ref="F01", visit=visit, attribution="ofsted", kind="concern", **words)
    Event.objects.create(ref="E01", date="2022-03", **words)
    with saved():
        Risk.objects.create(ref="R01", **words).recommendations.add(recommendation)
    make_measure_value(by=owner)
    meeting = make_meeting(held_on=MEETING, asks=["Decide the dates"])
    publish(meeting.pk, by=owner, read=what_is_read(meeting))
    make_outcome(meeting.asks.get(), by=owner)
    make_late_note(action.due_dates.first(), meeting, by=owner)
    return action


def written_down():
    """{(route, method): {role: status}} from the table of who gets what."""
    with open(TABLE, newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        (row["address"], row["method"]): {role: int(row[role]) for role in ROLES if row[role]} for row in rows
    }


@cache
def routes():
    """{address as the resolver has it: its view}, those of the admin included."""

    def walk(patterns, before):
        for pattern in patterns:
            route = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            else:
                yield route, pattern.callback

    found = list(walk(get_resolver().url_patterns, "/"))
    assert len(dict(found)) == len(found), "an address is there twice"
    return dict(found)


def examples():
    """{route: an address that it leads to, with rows that are there}."""
    return {route: example(route) for route in routes()}


def example(route):
    """An address that the route of an address leads to, with rows that are there."""
    model = re.match(r"/admin/(\w+)/(\w+)/", route)
    rows = Action if model is None else _model(*model.groups())
    row = rows.objects.order_by("pk").first() if rows else None
    history = getattr(row, "history", None)
    values = {
        **ARGUMENTS,
        "pk": str(getattr(row, "pk", 0)),
        "object_id": str(getattr(row, "pk", 0)),
        "version_id": str(history.latest().history_id) if history else "0",
        "content_type_id": "1",
    }
    address = re.sub(r"\(\?P<app_label>[^)]*\)", ARGUMENTS["app_label"], route)
    address = re.sub(r"\(\?P<url>[^)]*\)", ARGUMENTS["url"], address)
    address = re.sub(r"\(\[\^/\]\+\)", values["object_id"], address, count=1)
    address = address.replace("([^/]+)", values["version_id"])
    address = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values[found[1]], address)
    return re.sub(r"\^|\$|\\Z", "", address)


def _model(app_label, name):
    try:
        return User if name == "user" else apps.get_model(app_label, name)
    except LookupError:
        return None
