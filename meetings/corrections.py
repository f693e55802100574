"""What was corrected or withdrawn between two meetings: statements, and rows that are edited."""

from dataclasses import dataclass

from django.db.models import Q

from record.dates import say
from record.prepared import ask
from record.signing import name_in
from record.statements import labels_among, statement_kinds
from record.versions import read_asked

# What an entry or a row says that was withdrawn.
WITHDRAWN = "nothing: it is withdrawn"


@dataclass(frozen=True)
class Correction:
    """A statement that replaced an earlier one since the meeting before, or an edit of a row."""

    kind: str
    about: str
    link: str
    was: str
    now: str
    reason: str
    by: str


def corrections(*, since, now):
    """The Corrections, of statements and of edited rows, made after ``since`` and by the end of ``now``."""
    return (*_of_statements(since, now), *_of_edited_rows(since, now))


def _of_edited_rows(since, now):
    return tuple(
        Correction(
            kind=edit.kind,
            about=edit.name,
            link=edit.link,
            was="; ".join(f"{change.label}: {change.excerpt or 'empty'}" for change in edit.changes)
            or edit.name,
            now=WITHDRAWN
            if edit.withdraws
            else "; ".join(f"{change.label}: {change.excerpt_now or 'empty'}" for change in edit.changes),
            reason=edit.reason,
            by=edit.by,
        )
        for edit in sorted(now.edits, key=lambda edit: edit.at)
        if since.until <= edit.at < now.at.until
    )


def _of_statements(since, now):
    # Asked first: of most kinds nothing was put right, and rows of many kinds take long to ask for.
    labels = set(ask(_kinds_put_right, now.at, since.day, since.known))
    return tuple(
        Correction(
            kind=kind._meta.verbose_name,
            about=str(row.about),
            link=row.about.get_absolute_url(),
            was=_said(row.withdraws or row.corrects, instead_of=row),
            now=WITHDRAWN if row.withdraws_id else _said(row, instead_of=row.corrects),
            reason=row.correction_reason,
            by=name_in(row.signed),
        )
        for kind in statement_kinds()
        if kind._meta.label in labels
        for row in read_asked(
            _superseding, now.at, kind, since.day, since.known, related=(kind.about_path(),)
        )
    )


def _kinds_put_right(at, day, known):
    return labels_among(_put_right(at, kind, day, known) for kind in statement_kinds())


def _superseding(at, kind, day, known):
    rows = _put_right(at, kind, day, known)
    return rows.select_related("corrects", "withdraws").order_by("recorded_at", "pk")


def _put_right(at, kind, day, known):
    """The rows of ``kind`` that put another right after ``known`` or, without that, speak of a later day."""
    start = Q(recorded_at__gte=known) if known else Q(dated_first__gt=day)
    superseding = Q(corrects__isnull=False) | Q(withdraws__isnull=False)
    return kind.objects.filter(start, superseding, recorded_at__lt=at.until, dated_first__lte=at.day)


def _said(row, *, instead_of):
    """What the statement ``row`` says, with its day where the one ``instead_of`` it is of another."""
    day = f", {say(row.dated)}" if row.dated != instead_of.dated else ""
    return f"{row.in_words()}{day}"
