"""What people type runs nothing in a browser, whatever it looks like."""

import pytest

from bcp_board.tests.addresses import cast, examples, written_down
from bcp_board.tests.hostile_texts import DRAFT, HOSTILE, make_record_of

pytestmark = pytest.mark.sweep


def is_wrong(said):
    # Chromium asks for an icon that no page speaks of.
    is_icon = said.location["url"].endswith("/favicon.ico")
    return said.type in ("error", "warning") and not is_icon


def test_hostile_text_runs_nothing_in_a_browser(page, served, client, transactional_db):
    people = cast()
    make_record_of(HOSTILE, people["officer"])
    client.force_login(people["superuser"])
    wrong, elsewhere = [], []
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda said: wrong.append(said.text) if is_wrong(said) else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request",
        lambda asked: elsewhere.append(asked.url) if not asked.url.startswith(served) else None,
    )
    page.context.add_cookies([{"name": "board", "value": client.cookies["board"].value, "url": served}])
    answers, found = written_down(), examples()
    # A browser shows no page of a file, but keeps it.
    addresses = [
        found[route]
        for route in found
        if answers[route, "GET"]["superuser"] == 200
        and not route.endswith((".csv", ".xlsx", ".json", ".ics"))
    ]
    for address in [*addresses, DRAFT]:
        assert page.goto(served + address).status == 200

    assert (wrong, elsewhere) == ([], [])
    assert len(addresses) > 60
