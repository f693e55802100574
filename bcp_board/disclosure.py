"""What the record says of one action or recommendation, as files for whoever has a right to ask for it.

They show what a reader of the board saw on a day, and how it can be checked; nothing that no page shows.
"""

import hashlib
import re

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from bcp_board.context_processors import is_demonstration
from meetings.papers import stylesheet
from recommendations.history import Page, history
from recommendations.models import Action, Recommendation
from recommendations.position import board_position
from recommendations.views import told_of_action, told_of_recommendation
from record import ledger
from record.dates import say_day, say_moment
from record.files import csv_lines
from record.forms import in_words
from record.models import Erasure
from record.verification import first_fault

# {name of a file: what is in it}, in the order in which the list of them has them.
FILES = {
    "page.html": "The page that the board’s readers saw, for any browser: print it, or save it as a PDF.",
    "history.csv": "Every statement made of it, the newest first, with those corrected or withdrawn.",
    "versions.csv": "Each version of the row: what its columns said, who saved it, when and why.",
    "sources.csv": "The documents that what is shown comes from, and where in them.",
    "proof.txt": "Whether the record holds, and the count and the hash by which that can be checked again.",
}
HISTORY = (
    "entry",
    "about",
    "kind",
    "dated",
    "recorded",
    "recorded by",
    "before",
    "after",
    "what was said",
    "reason",
    "recovery step",
    "difference made for children",
    "evidence",
    "re-check on",
    "decided at",
    "superseded",
)
# A link into the site leads nowhere from a file.
INTO_THE_SITE = re.compile(r"""<a\b[^>]*\bhref="[/?][^"]*"[^>]*>(.*?)</a>""", re.DOTALL)


class NotThere(Exception):
    """There is no such row on the day asked about, or the record does not hold: a sentence says which."""


def disclosure(name, at):
    """{name of a file: its bytes} of what the record says ``at`` of the action or recommendation ``name``.

    Raises NotThere.
    """
    if fault := first_fault():
        raise NotThere(f"The history does not hold, so nothing is disclosed. {fault}")
    row, told, template = _found(name, at)
    context = {
        **told,
        "at": at,
        "layout": "disclosed.html",
        "stylesheet": stylesheet(),
        "board_name": settings.BOARD_NAME,
        "marking": settings.MARKING,
        "is_demonstration": is_demonstration(),
    }
    entries = told["history"].entries
    files = {
        "page.html": _page(render_to_string(template, context)).encode(),
        "history.csv": _table(HISTORY, [_history_line(entry, row) for entry in entries]),
        "versions.csv": _table(
            ("version", "saved", "known from", "signed", "why", "column", "says"), _versions(row, at)
        ),
        "sources.csv": _table(
            ("title", "publisher", "published", "where in it", "web address"), _sources(told, entries)
        ),
        "proof.txt": _proof(at).encode(),
    }
    title = f"{row._meta.verbose_name.capitalize()} {name}"
    return files | _lists(files, title, at)


def _found(name, at):
    """(the row, what its page shows, the template of that) of the action or the recommendation ``name``."""
    board = board_position(at)
    if name.isdecimal():
        kind, template = Recommendation, "recommendations/recommendation.html"
        found = next((r for r in board.recommendations if str(r.number) == name), None)
        gone = [lost for lost in board.lost if str(getattr(lost.row, "number", None)) == name]
    else:
        kind, template = Action, "recommendations/action.html"
        found = board.by_ref.get(name)
        gone = [lost for lost in board.lost_actions if lost.row.ref == name]
    if found:
        actions = [a.pk for a in found.actions] if kind is Recommendation else [found.pk]
        tell = told_of_recommendation if kind is Recommendation else told_of_action
        page = _whole_history(at, actions, found.pk if kind is Recommendation else None)
        return found.row, tell(board, found, page), template
    if not gone:
        raise NotThere(f"{name} was not on the board on {say_day(at.day)}.")
    row = gone[0].row
    about = ([], row.pk) if kind is Recommendation else ([row.pk], None)
    return row, {"gone": gone[0], "history": _whole_history(at, *about)}, "withdrawn.html"


def _whole_history(at, actions, recommendation):
    entries, before = [], None
    while True:
        page = history(at, actions=actions, recommendation=recommendation, before=before)
        entries += page.entries
        if page.older is None:
            return Page(tuple(entries), None)
        before = page.older


def _page(html):
    """A page as it can stand alone: no link into the site, and nothing folded away from a printer."""
    return INTO_THE_SITE.sub(r"\1", html).replace("<details", "<details open")


def _table(headings, rows):
    """The bytes of a CSV file that a spreadsheet opens as it is, and runs nothing of."""
    return "".join(csv_lines(headings, (map(str, row) for row in rows))).encode()


def _history_line(entry, row):
    signature, update, superseded = entry.signature, entry.update, entry.superseded
    of_an_update = ("reason", "recovery_step", "difference_made", "evidence")
    return [
        entry.anchor,
        entry.action or (row.ref if isinstance(row, Action) else f"Recommendation {row.number}"),
        entry.kind,
        signature.dated,
        say_moment(signature.recorded_at),
        signature.by,
        entry.was,
        entry.now,
        entry.text,
        *(getattr(update, name, "") for name in of_an_update),
        say_day(update.recheck_on) if update and update.recheck_on else "",
        entry.meeting or "",
        f"{superseded.words} by {superseded.by}, {say_moment(superseded.recorded_at)}: {superseded.reason}"
        if superseded
        else "",
    ]


def _versions(row, at):
    """Yield a line for each column of each version of ``row`` that was known ``at``, the oldest first."""
    versions = row.history.order_by("history_id")
    if at.known:
        versions = versions.filter(known_from__lt=at.known)
    columns = [
        f for f in row._meta.concrete_fields if not f.primary_key and not f.name.endswith(("_first", "_last"))
    ]
    for number, version in enumerate(versions, start=1):
        saved = [say_moment(version.history_date), say_moment(version.known_from)]
        who = [version.signed or "loaded from a document", version.history_change_reason or ""]
        for column in (*columns, *row._meta.many_to_many):
            yield [number, *saved, *who, str(column.verbose_name), in_words(version, column)]


def _sources(told, entries):
    """A line for each place in a document that what is shown comes from."""
    found = [fact.source for fact in _facts(told)] + [entry.signature.source for entry in entries]
    return [
        [source.title, source.publisher, source.published, source.reference, source.url]
        for source in dict.fromkeys(filter(None, found))
    ]


def _facts(told):
    """The positions that a page shows beside statements."""
    if action := told.get("action"):
        return [action, *(told["board"].inspections.findings[ref] for ref in action.findings)]
    if shown := told.get("recommendation"):
        return [shown, *shown.actions, *shown.risks, *shown.findings]
    return []


def _proof(at):
    then, now = ledger.anchor(at.known), ledger.anchor()
    lines = [
        f"Checked {say_moment(timezone.now())}: the history holds, {now.count} entries.",
        f"The record now, as COUNT:HASH: {now}",
    ]
    if at.known:
        lines.append(f"The record as it was known at the end of {say_day(at.day)}: {then}")
    lines += [
        "",
        "Whoever runs the site checks that nothing recorded by then was changed or taken out since:",
        f"manage.py verify_history --anchor {then}",
        "",
        "Words removed from the record by law, in whose place a notice stands:",
        *([str(erasure) for erasure in Erasure.objects.order_by("pk")] or ["None."]),
    ]
    return "\n".join(lines) + "\n"


def _lists(files, title, at):
    """The list of ``files`` with the SHA-256 of each, for a browser and as text."""
    context = {
        "title": title,
        "at": at,
        "board_name": settings.BOARD_NAME,
        "marking": settings.MARKING,
        "is_demonstration": is_demonstration(),
        "stylesheet": stylesheet(),
        "made_at": timezone.now(),
        "version": settings.VERSION,
        "files": [(name, FILES[name], _sha256(content)) for name, content in files.items()],
    }
    index = render_to_string("disclosed_list.html", context).encode()
    context["files"].append(("index.html", "This list, for a browser.", _sha256(index)))
    return {"index.html": index, "README.txt": render_to_string("disclosed_list.txt", context).encode()}


def _sha256(content):
    return hashlib.sha256(content).hexdigest()
