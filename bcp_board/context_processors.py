"""What every page of the board needs to know."""

from django.conf import settings

from record.models import Demonstration


def board(request):
    """The board's name and marking, the day asked about, and whether this is a demonstration."""
    return {
        "board_name": settings.BOARD_NAME,
        "marking": settings.MARKING,
        "at": getattr(request, "as_at", None),
        "is_demonstration": Demonstration.objects.exists(),
    }
