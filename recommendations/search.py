"""Where words stand that somebody searches for: in an action, what was said of it, its findings or document.

Texts are compared here and not by the database: databases differ in what they take for the same letter.
"""

from collections import defaultdict
from dataclasses import dataclass
from operator import itemgetter

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
    if not wanted:  # an accent alone, or what is drawn as nothing, is no word
        return {}
    told = defaultdict(list)
    for key, name, dated, order, texts in _said(at):
        # All that is said at once is looked through at once: most of it has none of the words.
        whole = folded("\n".join(texts))
        if any(word in whole for word in wanted):
            where = f"{name} of {say(dated)}" if dated else name
            told[key] += [(order, where, text) for text in texts if text]
    found = {}
    for key, those in told.items():
        ordered = sorted(those, key=itemgetter(0))
        read = [(where, text, folded(text)) for _, where, text in ordered]
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


def _said(at):
    """(key of an action, where its texts stand, dated when, their place among its own, [text, ...]).

    Of an action first what it says itself, then what is said of it, the newest of each kind first.
    """
    actions = rows_as_at(Action, at, "document", order=("ref",))
    findings = {row.ref: row for row in rows_as_at(Finding, at, "document")}
    links = links_as_at(Action, "findings", at, of="ref")
    for action in actions:
        own = [(REFERENCE, action.ref), ("title", action.title), ("owner’s role", action.owner_role)]
        own += [("note", action.note), ("document", action.document.title if action.document else "")]
        own += [(f"finding {ref}", findings[ref].text) for ref in links[action.pk] if ref in findings]
        for name, text in own:
            yield action.pk, name, None, (), [text]
    keys = [action.pk for action in actions]
    for number, kind in enumerate(statement_kinds()):
        if path := kind.path_to(Action):
            # Not in their order: a database takes longer to sort all than it takes to find those looked for.
            rows = kind.objects.standing(at).filter(**{f"{path}__in": keys}).order_by()
            columns = [f.name for f in kind._meta.fields if isinstance(f, models.TextField)]
            rows = rows.values_list(path, "dated", "dated_first", "pk", *columns)
            for key, dated, day, pk, *texts in rows.iterator():
                yield key, kind._meta.verbose_name, dated, (number, -day.toordinal(), -pk), texts


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
