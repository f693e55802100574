"""What every page of the board needs to know."""

from django.conf import settings
from django.db import Error, connection

from recommendations.terms import PAGES
from record.models import Demonstration
from record.out_of_order import is_out_of_order

# What the database said last, in this process. The mark of a demonstration cannot be taken off.
was_demonstration = False


def board(request):
    """The board's name and marking, the day asked about, the pages, and whether this is a demonstration."""
    return {
        "board_name": settings.BOARD_NAME,
        "marking": settings.MARKING,
        "at": getattr(request, "as_at", None),
        "is_demonstration": is_demonstration(),
        "pages": PAGES,
    }


def is_demonstration():
    """Whether this is one, or was when the database last answered.

    The help and sign-in pages show nothing of the record, so they need not go with it.
    """
    global was_demonstration
    try:
        was_demonstration = Demonstration.objects.exists()
    except Error as error:
        # In a block it is of a form, which is saved whole or not at all.
        if connection.in_atomic_block or not is_out_of_order(error):
            raise
    return was_demonstration
