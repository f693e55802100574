"""A few rows with dull defaults, and the days that tests ask about."""

from record.as_at import AsAt


def on(day, known=None):
    """The AsAt of ``day``, asked on that day."""
    return AsAt(day, day, known)
