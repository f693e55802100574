"""Where a fact comes from."""

from dataclasses import dataclass

from record.dates import PartialDate, read_edtf


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
