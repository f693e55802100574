"""What an acceptance says: that it accepts a report. What that report claims stays whose it was."""

import copy

from django.db.models import BigIntegerField, OuterRef, Q
from django.db.models.functions import Cast

from recommendations.status import ACCEPTED, REPORTABLE
from record.as_at import EARLIEST, AsAt
from record.dates import say
from record.prepared import ask
from record.statements import first_of, place_of

# What was repeated is the same on every day.
ANY_DAY = AsAt(EARLIEST, EARLIEST, None)


def words_of(report):
    """What is said where ``report`` is accepted, by whoever has nothing to add to that.

    It names nobody, since a paper, on which it stands, does not. Who reported stands with the report.
    """
    if report.document_id:
        return f"Accepts what {report.document.title} reports for {say(report.dated)}."
    return f"Accepts what was reported for {say(report.dated)}."


def told(updates):
    """``updates`` as they are shown: an acceptance in the words of a report says only that it accepts that.

    Older acceptances repeat the words of their report, which must not read as those of whoever accepted it.
    """
    accepted = [update for update in updates if update.status in ACCEPTED]
    if not accepted:
        return list(updates)
    kind, keys = type(accepted[0]), [update.pk for update in accepted]
    report_of = dict(ask(_reports_accepted, ANY_DAY, kind, keys=keys))
    reports = ask(_with_documents, ANY_DAY, kind, keys=sorted(set(report_of.values()) - {None}))
    by_key = {report.pk: report for report in reports}
    return [_without(update, by_key.get(report_of.get(update.pk))) for update in updates]


def _reports_accepted(at, kind, keys):
    """(key of an acceptance, that of the report that stood when it was made, or None) for ``keys``."""
    # Cast, or SQLite looks for the key first, which means at all that was said before.
    reports = kind.objects.alias(place=place_of(kind), key=Cast("pk", BigIntegerField())).filter(
        ~Q(withdraws__isnull=False),
        action=OuterRef("action"),
        status__in=REPORTABLE,
        dated_first__lte=OuterRef("dated_first"),
        key__lt=OuterRef("pk"),
        place__lt=OuterRef("place"),
    )
    newest = first_of(reports.newest_first(), "pk")
    rows = kind.objects.filter(pk__in=keys).alias(place=place_of(kind))
    return rows.annotate(report=newest).values_list("pk", "report")


def _with_documents(at, kind, keys):
    return kind.objects.filter(pk__in=keys).select_related("document")


def _without(update, report):
    """``update`` without the words that it has from ``report``, which may be None."""
    if report is None:
        return update
    shown = copy.copy(update)
    if report.narrative == update.narrative:
        shown.narrative = words_of(report)
    if report.difference_made == update.difference_made:
        shown.difference_made = ""
    return shown
