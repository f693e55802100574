"""Following the links of the site: every kind of page there is, its forms, and what its addresses take."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit


@dataclass
class Form:
    """One form of a page: its fields with what they would send, and which of them nobody sees."""

    method: str
    action: str
    fields: dict = field(default_factory=dict)
    hidden: set = field(default_factory=set)


class Page(HTMLParser):
    """The addresses that a page links to, its forms, and the names of the fields it finds fault with."""

    def __init__(self, response):
        super().__init__()
        self.links, self.forms, self.faulty = [], [], set()
        self.open, self.choosing = None, ""
        if "html" in response.headers.get("Content-Type", ""):
            self.feed(response.content.decode())

    def handle_starttag(self, tag, attributes):
        has = dict(attributes)
        name, value = has.get("name"), has.get("value") or ""
        if tag == "a" and "href" in has:
            self.links.append(has["href"])
        elif tag == "form":
            self.open = Form(has.get("method", "get").lower(), has.get("action") or "")
            self.forms.append(self.open)
        elif tag == "option" and "selected" in has and self.choosing:
            self.open.fields[self.choosing] = value
        elif self.open and name and name != "csrfmiddlewaretoken" and tag in ("input", "select", "textarea"):
            is_off = has.get("type") in ("checkbox", "radio") and "checked" not in has
            self.open.fields.setdefault(name, "" if is_off else value)
            self.choosing = name if tag == "select" else ""
            if has.get("type") == "hidden":
                self.open.hidden.add(name)
            if has.get("aria-invalid") == "true":
                self.faulty.add(name)

    def handle_endtag(self, tag):
        self.open = None if tag == "form" else self.open


@dataclass
class Crawl:
    """What following the links found, to a page of each kind and parameter: ``statuses`` by address.

    ``forms`` holds the address and the Form of each kind of form that is posted, and ``parameters`` the pages
    that have each name in a link or in a form that asks.
    """

    statuses: dict = field(default_factory=dict)
    forms: dict = field(default_factory=dict)
    parameters: dict = field(default_factory=dict)

    def note(self, address, names):
        """Note that the page at ``address`` takes each of ``names``, or several at once if one is a tuple."""
        path = urlsplit(address).path
        for name in names:
            together = name if isinstance(name, tuple) else (name,)
            self.parameters.setdefault(together, {}).setdefault(kind_of(path)[0], path)


def kind_of(address):
    """What the addresses of one kind of page have in common, and the names of the parameters."""
    parts = urlsplit(address)
    names = [name for name, _ in parse_qsl(parts.query, True) if name != "_changelist_filters"]
    return re.sub(r"\d+", "0", parts.path), names


def follow(visitor, start):
    """The Crawl from the addresses ``start``."""
    found, tried, waiting = Crawl(), {}, list(reversed(start))
    while waiting:
        address = waiting.pop()
        kind, names = kind_of(address)
        found.note(address, names)
        if kind in tried and tried[kind].issuperset(names):
            continue
        tried.setdefault(kind, set()).update(names)
        response = visitor.get(address)
        found.statuses[address] = response.status_code
        page, path = Page(response), urlsplit(address).path
        for form in page.forms:
            if form.method == "get":
                found.note(
                    urljoin(path, form.action),
                    [tuple(name for name in form.fields if name not in form.hidden)],
                )
            elif form.fields and form.action != "/logout/":
                to = urljoin(address, form.action)
                found.forms.setdefault((kind_of(to)[0], *form.fields), (to, form))
        for link in page.links:
            link = urljoin(path, link).partition("#")[0]
            if link.startswith("/") and not link.startswith(("/static/", "//")):
                waiting.append(link)
    return found
