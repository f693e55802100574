"""What was corrected or withdrawn between two meetings: statements, and rows that are edited."""

from dataclasses import dataclass
from operator import attrgetter

from django.db.models import Q

from record.dates import say
from record.edits import Was, value_in_words
from record.prepared import ask
from record.signing import name_in
from record.statements import Statement, labels_among, statement_kinds
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
        found
        for kind in statement_kinds()
        if kind._meta.label in labels
        for found in _of_kind(kind, since, now.at)
    )


def _of_kind(kind, since, at):
    rows = read_asked(_superseding, at, kind, since.day, since.known, related=(kind.about_path(),))
    following = [row.pk + 1 for row in rows if row.withdraws_id]
    anew = {row.pk: row for row in read_asked(_entered, at, kind, keys=following)} if following else {}
    for row in rows:
        was, said = _was_and_is(row, anew.get(row.pk + 1))
        yield Correction(
            kind=kind._meta.verbose_name,
            about=str(row.about),
            link=row.about.get_absolute_url(),
            was=was,
            now=said,
            reason=row.correction_reason,
            by=name_in(row.signed),
        )


def _was_and_is(row, following):
    """What was said before ``row`` put it right and what is since, in words, given the row entered next."""
    if row.withdraws_id:
        if following and _is_one_act(row, following):
            return (
                _said(row.withdraws, instead_of=following),
                f"{_said(following, instead_of=row.withdraws)} (entered anew)",
            )
        return _said(row.withdraws, instead_of=row), WITHDRAWN
    changes = _changes(row.corrects, row)
    if not changes:
        return _said(row.corrects, instead_of=row), _said(row, instead_of=row.corrects)
    return tuple(
        "; ".join(f"{change.label}: {text(change) or 'empty'}" for change in changes)
        for text in (attrgetter("excerpt"), attrgetter("excerpt_now"))
    )


def _is_one_act(withdrawal, following):
    """Whether the row that was entered next after a ``withdrawal`` was entered with it, in one form."""
    shared = ("recorded_at", "recorded_by_id", f"{withdrawal.subject_field}_id")
    return all(getattr(withdrawal, name) == getattr(following, name) for name in shared)


def _changes(was, now):
    """A Was for each box of the statement ``was`` whose words the one that corrects it, ``now``, changed."""
    changes = []
    for column in _boxes(type(now)):
        pair = [getattr(row, column.attname) for row in (was, now)]
        if pair[0] == pair[1]:
            continue
        if column.many_to_one:
            # The only name ever shown for an account is the one it was signed with then.
            words = [name_in(getattr(row, f"{column.name}_signed")) or "nobody" for row in (was, now)]
        else:
            words = [value_in_words(column, value) for value in pair]
        changes.append(Was(column.name, str(column.verbose_name), *words))
    if getattr(was, "meeting_id", None) != getattr(now, "meeting_id", None):
        # The day of what is decided at a meeting is the day of that.
        changes = [change for change in changes if change.column != "dated"]
        changes.append(Was("meeting", "decided", *map(_decided, (was, now))))
    return changes


def _boxes(kind):
    """The columns of a ``kind`` of statement that say something, but for its meeting."""
    own = {"meeting", *(column.name for column in Statement._meta.fields)} - {"dated"}
    said = [c for c in kind._meta.concrete_fields if c.editable and not (c.primary_key or c.name in own)]
    return [column for column in said if not column.many_to_one or hasattr(kind, f"{column.name}_signed")]


def _decided(row):
    return f"{'at the meeting of' if row.meeting_id else 'between meetings,'} {say(row.dated)}"


def _kinds_put_right(at, day, known):
    return labels_among(_put_right(at, kind, day, known) for kind in statement_kinds())


def _superseding(at, kind, day, known):
    rows = _put_right(at, kind, day, known)
    return rows.select_related("corrects", "withdraws").order_by("recorded_at", "pk")


def _entered(at, kind, keys):
    """Those of the rows with the ``keys`` that put no other right."""
    return kind.objects.filter(pk__in=keys, corrects=None, withdraws=None)


def _put_right(at, kind, day, known):
    """The rows of ``kind`` that put another right after ``known`` or, without that, speak of a later day."""
    start = Q(recorded_at__gte=known) if known else Q(dated_first__gt=day)
    return kind.objects.putting_right().filter(start, recorded_at__lt=at.until, dated_first__lte=at.day)


def _said(row, *, instead_of):
    """What the statement ``row`` says, with its day where the one ``instead_of`` it is of another."""
    day = f", {say(row.dated)}" if row.dated != instead_of.dated else ""
    return f"{row.in_words()}{day}"
