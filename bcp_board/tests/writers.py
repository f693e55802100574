"""People who record progress through the admin's own form over HTTP, and remember what was acknowledged."""

import http.client
import random
import threading
import time
from html.parser import HTMLParser
from urllib.parse import urlencode

UNANSWERED = OSError, http.client.HTTPException


class Lost(Exception):
    """The record is not what was acknowledged; the message says in what."""


class Form(HTMLParser):
    """What a browser would send for the page's main form if nothing were typed."""

    def __init__(self, page):
        super().__init__()
        self.fields, self.inside, self.name, self.text = {}, False, None, ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form":
            self.inside = given.get("id") == "progressupdate_form"
        if not self.inside:
            return
        if tag == "input" and given.get("name") and given.get("type") not in ("submit", "checkbox", "radio"):
            self.fields[given["name"]] = given.get("value", "")
        if tag in ("textarea", "select"):
            self.name, self.text = given.get("name"), ""
        if tag == "option" and "selected" in given:
            self.fields[self.name] = given.get("value", "")

    def handle_data(self, data):
        self.text += data

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        if tag == "textarea" and self.inside:
            self.fields[self.name] = self.text.removeprefix("\n")


class Writers:
    """People who record progress, each signed in by a cookie and on an action of their own.

    Between two updates each thinks for a number of seconds between the two of ``think``.
    """

    def __init__(self, site, cookies, actions, *, think=(0, 0)):
        self.site, self.cookies, self.actions, self.think = site, cookies, actions, think
        self.acknowledged, self.number, self.stop = set(), 0, threading.Event()

    def __enter__(self):
        self.stop.clear()
        self.number += 1
        people = zip(self.cookies, self.actions, strict=False)
        self.threads = [threading.Thread(target=self.write, args=person) for person in people]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def write(self, cookie, action):
        for count in range(100_000):
            if self.stop.wait(random.uniform(*self.think)):
                return
            try:
                self.record(cookie, action, f"Round {self.number}, action {action}, update {count}")
            except UNANSWERED:
                time.sleep(0.05)

    def record(self, cookie, action, narrative):
        """Save one update; remember it if the site answers that it is saved."""
        address = f"/admin/recommendations/progressupdate/add/?action={action}"
        page = self.site.get(address, cookie, timeout=10)
        if page.status != 200:
            return
        token = page.headers["Set-Cookie"].split(";")[0]
        fields = Form(page.body.decode()).fields | {"status": "on_track", "narrative": narrative}
        cookies = f"{cookie}; {token}"
        answer = self.site.ask("POST", address, cookies, urlencode(fields), timeout=10)
        if answer.status == 302:
            self.acknowledged.add(narrative)

    def wait_for(self, more):
        """Wait until ``more`` updates have been acknowledged; raise Lost if that takes a minute."""
        wanted, give_up = len(self.acknowledged) + more, time.monotonic() + 60
        while len(self.acknowledged) < wanted:
            if time.monotonic() > give_up:
                raise Lost("the site acknowledges no updates")
            time.sleep(0.01)
