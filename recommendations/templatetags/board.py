"""What the pages and the paper say the same way everywhere: statuses, flags, sources, links, text."""

import re

from django import template
from django.template.defaultfilters import linebreaksbr
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from recommendations.glossary import ABBREVIATIONS, WELL_KNOWN
from recommendations.status import STATUS_WORDS
from record.dates import say_moment

register = template.Library()

CIRCLE = "M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13z"
DISC = "M8 .5a7.5 7.5 0 1 1 0 15a7.5 7.5 0 1 1 0-15z"
CROSS = "M3.7 5.4L6.3 8l-2.6 2.6 1.7 1.7L8 9.7l2.6 2.6 1.7-1.7L9.7 8l2.6-2.6-1.7-1.7L8 6.3 5.4 3.7z"
# Each status and flag has a shape of its own, which tells it from the others without colour. A shape is
# a path, and how it is drawn: filled, by a line, or by a broken line.
SHAPES = {
    "off_track": (
        f"M1 1h14v14H1z{CROSS}",
        "filled",
    ),
    "at_risk": ("M8 .5l7.8 15H.2zM7 5.5v5h2v-5zM7 11.7v2h2v-2z", "filled"),
    "not_reported": (CIRCLE, "broken"),
    "not_started": (CIRCLE, "line"),
    "on_track": ("M.5 5.5H8v-4L15.5 8 8 14.5v-4H.5z", "filled"),
    "done": (f"{DISC}M8 2.5v11a5.5 5.5 0 0 0 0-11z", "filled"),
    "complete": (f"{CIRCLE}M4.6 8.2l2.4 2.4 4.4-4.9", "line"),
    "embedded": (f"{DISC}M3.6 8.4L7 11.8l5.6-6.1L11.2 4.4 6.9 9 5 7z", "filled"),
    "closed": (f"{CIRCLE}M4.5 8h7", "line"),
    "overdue": (f"{DISC}M7 3.2v5.2l3.2 3.2 1.4-1.4L9 7.6V3.2z", "filled"),
    "recheck": ("M13.4 8.6a5.5 5.5 0 1 1-1.6-4.5M12.4.8v3.8H8.6", "line"),
    "silent": ("M1.5 2.5h13v8.5H8L4.5 14.5V11h-3z", "line"),
    "critical": ("M3 15.5V.5h11L11 5l3 4.5H5v6z", "filled"),
    "disagreement": ("M1.5 5.5h13M1.5 10.5h13M12 1L4 15", "line"),
}
DRAWING = '<path d="{}" fill="{}" fill-rule="evenodd" stroke="{}" stroke-width="2" stroke-dasharray="{}"/>'
FLAG_SHAPES = {"Overdue": "overdue", "Re-check": "recheck", "No": "silent"}
SECTIONS = {"recommendation": "home", "action": "actions", "visit": "visits", "meeting": "meetings"}

LINK = re.compile(r"(https?://[^\s<>\"]*[^\s<>\"'.,;:!?)\]])")
# An abbreviation in brackets follows the words it stands for, so it needs no more.
TERM = re.compile(rf"(?<!\()\b({'|'.join(sorted(ABBREVIATIONS.keys() - WELL_KNOWN))})\b")


@register.simple_tag
def shape(name):
    """Return the drawing of the status or flag ``name``; it says nothing by itself to a screen reader."""
    path, drawn = SHAPES[name]
    fill, stroke = ("currentColor", "none") if drawn == "filled" else ("none", "currentColor")
    dashes = "2.4 2.7" if drawn == "broken" else "none"
    return format_html(
        '<svg class="shape" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">{}</svg>',
        format_html(DRAWING, path, fill, stroke, dashes),
    )


@register.simple_tag
def status_tag(status):
    """Return ``status`` as every page shows it: its shape and its words."""
    return format_html(
        '<strong class="tag tag--{}">{} {}</strong>', status, shape(status), STATUS_WORDS[status]
    )


@register.simple_tag
def flag_tag(words, name=""):
    """Return a computed flag as every page shows it; ``name`` is its shape where the words do not tell."""
    name = name or FLAG_SHAPES[words.split()[0]]
    return format_html('<strong class="tag tag--flag tag--{}">{} {}</strong>', name, shape(name), words)


@register.simple_tag
def standing(action):
    """Return the status of ``action`` with its flags beside it."""
    tags = [status_tag(action.status), *(flag_tag(words) for words in action.flags)]
    return format_html('<span class="tags">{}</span>', format_html_join(" ", "{}", ((t,) for t in tags)))


@register.filter
def moment(at):
    """Return an aware datetime in London, in words; "" for None."""
    return say_moment(at) if at else ""


@register.filter
def after(text, words):
    """Put ``words`` before ``text``, punctuation and spaces included; "" where there is no text to follow."""
    return format_html("{}{}", words, text) if text else ""


@register.filter
def quoted(text):
    """Put ``text`` in quotation marks, its lines kept; say so where it is empty."""
    return format_html("“{}”", linebreaksbr(text)) if text else "empty"


@register.simple_tag
def recorder(signature, on_behalf_of=""):
    """Say who recorded a statement and, where somebody else reported it, on whose behalf."""
    behalf = format_html(" on behalf of <bdi>{}</bdi>", on_behalf_of) if on_behalf_of else ""
    return format_html("Recorded by <bdi>{}</bdi>{}", signature.by, behalf)


@register.simple_tag(takes_context=True)
def board_url(context, name, *args):
    """Return the address of the page ``name`` on the day that this page is about."""
    at = context.get("at")
    return reverse(name, args=args) + (at.query if at else "")


@register.simple_tag(takes_context=True)
def action_link(context, action):
    """Name ``action`` by its reference and title, and lead to its page."""
    url = board_url(context, "action", action.ref)
    return format_html('<a class="govuk-link" href="{}">{}: <bdi>{}</bdi></a>', url, action.ref, action.title)


@register.simple_tag(takes_context=True)
def ref_links(context, actions):
    """Lead to the page of each of ``actions`` from its reference."""
    rows = ((board_url(context, "action", action.ref), action.ref) for action in actions)
    return format_html_join(", ", '<a class="govuk-link" href="{}">{}</a>', rows)


@register.simple_tag(takes_context=True)
def answers(context, action):
    """Lead to each recommendation that ``action`` answers from its number."""
    rows = ((board_url(context, "recommendation", number), number) for number in action.recommendations)
    link = '<a class="govuk-link" href="{}"><span class="govuk-visually-hidden">Recommendation </span>{}</a>'
    return format_html_join(", ", link, rows) or "Ofsted’s findings only"


@register.simple_tag(takes_context=True)
def nav_link(context, name, text):
    """Return one link of the navigation, marked as current on its page and as active in its section."""
    match = getattr(context.get("request"), "resolver_match", None)
    here = match.url_name if match else ""
    current = "page" if here == name else "true" if SECTIONS.get(here) == name else "false"
    url = board_url(context, name)
    return format_html('<li><a href="{}" aria-current="{}">{}</a></li>', url, current, text)


@register.simple_tag(takes_context=True)
def prose(context, text):
    """Return what someone wrote, made harmless: lines kept, addresses linked, terms spelled out."""
    parts = (_link(p) if i % 2 else _terms(context, p) for i, p in enumerate(LINK.split(text)))
    return format_html('<bdi class="prose">{}</bdi>', format_html_join("", "{}", ((part,) for part in parts)))


def _link(address, text=""):
    return format_html(
        '<a href="{}" rel="nofollow noreferrer" class="govuk-link">{}</a>', address, text or address
    )


def _terms(context, text):
    """Return ``text`` with each abbreviation spelled out where the page first uses it."""
    # The lowest layer of a context lasts as long as the page.
    said = context.dicts[0].setdefault("terms_said", set())
    return format_html_join("", "{}", ((_term(p, said),) for p in TERM.split(text)))


def _term(text, said):
    if text not in ABBREVIATIONS or text in said:
        return text
    said.add(text)
    term = ABBREVIATIONS[text]
    link = format_html(
        '<a href="{}#{}" class="govuk-link">{}</a>', reverse("help"), term.anchor, term.expansion
    )
    return format_html("{} ({})", text, link)


@register.simple_tag(takes_context=True)
def source(context, found):
    """Return where a fact comes from, in small print; a fact with no source says so."""
    if found is None:
        return format_html('<span class="source">Source: {}</span>', "no source recorded")
    is_link = found.url.startswith(("https://", "http://"))
    title = _link(found.url, found.title) if is_link else _terms(context, found.title)
    where = format_html(". {}", found.reference) if found.reference else ""
    cited = format_html("<cite><bdi>{}</bdi></cite>, {}{}", title, found.published, where)
    return format_html('<span class="source">Source: {}</span>', cited)
