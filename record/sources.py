"""Where a fact comes from."""

from dataclasses import dataclass

from record.dates import PartialDate, read_edtf, say_day


@dataclass(frozen=True)
class Source:
    """Where a fact comes from: the document, with its key in the record, and the place in it."""

    title: str
    publisher: str
    published: PartialDate
    reference: str
    url: str
    key: int | None = None

    def __str__(self):
        return f"{self.title}, {self.reference}" if self.reference else self.title


def source_of(row):
    """The Source of a row that has a document, or None for one that a person recorded."""
    if not row.document_id:
        return None
    document = row.document
    return Source(
        document.title,
        document.publisher,
        read_edtf(document.published),
        row.reference,
        document.url,
        document.pk,
    )


def newest_published(sources):
    """When the newest of ``sources`` was published, a PartialDate, or None if there are none."""
    return max((source.published for source in sources), key=lambda day: day.first, default=None)


def age_in_words(sources, at, *, told=None, kind=""):
    """How old the newest of ``sources`` is, and whether anything later is held, in sentences.

    ``told`` is the day, a PartialDate, of the newest thing that somebody said, which is of a ``kind``; None
    if nobody said any.
    """
    # Of a visit already made, the report may have come later.
    newest = newest_published(source for source in sources if source.published.first <= at.day)
    if not sources and told is None:
        return "No source is held."
    by_then = f" by {say_day(at.day)}" if at.is_past else ""
    sentences = [f"Newest source{by_then}: {newest or 'none'}."]
    if told and (newest is None or told.first > newest.first):
        sentences.append(f"Newest {kind}: {told}.")
    elif not at.is_past:
        sentences.append("Nothing later is held.")
    return " ".join(sentences)
