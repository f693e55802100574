"""How far a long command has come, said on standard error where that is a terminal, and nowhere else.

So the log of what a timer started stays as short as it was.
"""

import sys
import time
from contextlib import contextmanager

SECONDS = 1  # between two times that it is said, and before the first
ERASE_LINE = "\r\033[K"


@contextmanager
def progress(doing, what, *, of=None):
    """Give the block a function to tell how many are done; it says so, "Saving: 2,000 of 9,000 rows"."""
    last, is_shown, total = time.monotonic(), False, "" if of is None else f" of {of:,}"

    def done(number):
        nonlocal last, is_shown
        if time.monotonic() - last >= SECONDS and sys.stderr.isatty():
            sys.stderr.write(f"{ERASE_LINE}{doing}: {number:,}{total} {what}")
            sys.stderr.flush()
            last, is_shown = time.monotonic(), True

    try:
        yield done
    finally:
        if is_shown:
            sys.stderr.write(ERASE_LINE)
            sys.stderr.flush()


def counted(items, done):
    """Yield ``items`` and tell ``done`` how many there were."""
    for number, item in enumerate(items, start=1):
        yield item
        done(number)
