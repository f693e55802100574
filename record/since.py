"""What was added to the record since some entry of the ledger, in plain words."""

from collections import defaultdict

from django.apps import apps

from record.dates import say_moment
from record.edits import name_of
from record.models import LedgerEntry
from record.signing import name_in
from record.statements import Statement
from record.versions import Version

MOST_TOLD = 20


def told_since(sequence):
    """A sentence for each entry after ``sequence``, oldest first; then how many more there are."""
    entries = LedgerEntry.objects.filter(sequence__gt=sequence).order_by("sequence")
    told, keys = list(entries[:MOST_TOLD]), defaultdict(list)
    for entry in told:
        keys[entry.kind].append(entry.row)
    rows = {kind: apps.get_model(kind)._default_manager.in_bulk(found) for kind, found in keys.items()}
    sentences = [_told(entry, rows[entry.kind].get(entry.row)) for entry in told]
    more = entries.count() - len(told)
    return [*sentences, f"And {more} more."] if more else sentences


def _told(entry, row):
    by = name_in(getattr(row, "signed", "")) or "Somebody"
    reason = getattr(row, "history_change_reason", "")
    why = f" Why: {reason}" if reason else ""
    return f"{by} {_done(row)} on {say_moment(entry.recorded_at)}.{why}"


def _done(row):
    """What was done by adding ``row``, as a sentence goes on after who did it."""
    if isinstance(row, Statement):
        verb = "withdrew" if row.withdraws_id else "corrected" if row.corrects_id else "recorded"
        about = f" about {name_of(row.about)}: “{row.in_words()}”"
        return f"{verb} {_a(row._meta.verbose_name)}{about}"
    if isinstance(row, Version):
        verb = "added" if row.history_type == "+" else "changed"
        if getattr(row, "is_withdrawn", False):
            verb = "withdrew"
        return f"{verb} {_the(row.instance_type._meta.verbose_name)} “{name_of(row.instance)}”"
    if row is None:
        return "added an entry"
    return f"added {_the(row._meta.verbose_name)} “{row}”"


def _a(noun):
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _the(noun):
    return f"the {noun}"
