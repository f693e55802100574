"""Where words stand that somebody searches for: in an action, what was said of it, its findings or document.

Texts are compared here and not by the database: databases differ in what they take for the same letter.
"""

from collections import defaultdict
from dataclasses import dataclass

from django.db import models

from recommendations.models import Action
from record.dates import say
from record.rows import links_as_at, rows_as_at
from record.statements import statement_kinds
from record.texts import folded
from visits.models import Finding

# How many letters of a text are shown on each side of the first word found.
AROUND = 60
# How many places of one action are named.
MOST = 3
REFERENCE = "reference number"


@dataclass(frozen=True)
class Place:
    """A text in which words stand: where that is, in words, and the text around the first of them."""

    where: str
    excerpt: str


def places_of(words, at):
    """{key of an action: (Place, ...)} for each action on the board that has all of ``words`` somewhere.

    They need not stand in one place. Only what could be read on the day asked about is looked at, and with
    ``at.known`` only what was known then; what was withdrawn or corrected is not. It takes a fixed number of
    queries.
    """
    wanted = folded(words).split()
    texts = texts_by_action(at)
    found = {}
    for key, told in texts.items():
        read = [(where, text, folded(text)) for where, text in told]
        hits = {word: [each for each in read if has(word, *each)] for word in wanted}
        if all(hits.values()):
            places = [each for each in read if any(each in some for some in hits.values())]
            found[key] = tuple(
                Place(where, excerpt(text, plain, wanted)) for where, text, plain in places[:MOST]
            )
    return found


def has(word, where, text, plain):
    """Whether the folded ``word`` is in a text; a reference number is found whole, so that A1 is not A10."""
    return word == plain if where == REFERENCE else word in plain


def texts_by_action(at):
    """{key of an action: [(where a text stands, the text), ...]}, its own first, then the newest."""
    told = defaultdict(list)
    actions = rows_as_at(Action, at, "document", order=("ref",))
    findings = {row.ref: row for row in rows_as_at(Finding, at, "document")}
    links = links_as_at(Action, "findings", at, of="ref")
    for action in actions:
        own = {REFERENCE: action.ref, "title": action.title, "owner’s role": action.owner_role}
        told[action.pk] += [*own.items(), ("note", action.note)]
        if action.document:
            told[action.pk].append(("document", action.document.title))
        for ref in links[action.pk]:
            if ref in findings:
                told[action.pk].append((f"finding {ref}", findings[ref].text))
    keys = [action.pk for action in actions]
    for kind in statement_kinds():
        if path := kind.path_to(Action):
            rows = kind.objects.standing(at).filter(**{f"{path}__in": keys}).newest_first()
            columns = [f.name for f in kind._meta.fields if isinstance(f, models.TextField)]
            for key, dated, *texts in rows.values_list(path, "dated", *columns):
                where = f"{kind._meta.verbose_name} of {say(dated)}"
                told[key] += [(where, text) for text in texts if text]
    return told


def excerpt(text, plain, wanted):
    """The words of ``text`` around the first of ``wanted``; ``plain`` is the text folded, about as long."""
    place = min((found for word in wanted if (found := plain.find(word)) >= 0), default=0)
    start, end = max(0, place - AROUND), place + AROUND * 2
    if start and (gap := text.find(" ", start, place)) >= 0:
        start = gap + 1
    if end < len(text) and (gap := text.rfind(" ", place, end)) >= 0:
        end = gap
    cut = " ".join(text[start:end].split())
    return f"{'… ' if start else ''}{cut}{' …' if end < len(text) else ''}"
