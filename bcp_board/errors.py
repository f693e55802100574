"""Error pages in plain English. They touch neither the database nor the session, so they always work."""

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token


def _page(status, title, *paragraphs):
    context = {"board_name": settings.BOARD_NAME, "title": title, "paragraphs": paragraphs}
    return HttpResponse(render_to_string("error.html", context), status=status)


@requires_csrf_token
def bad_request(request, exception):
    """Return the 400 page, with our own reason where we gave one."""
    reason = str(exception) if type(exception) is BadRequest else "The site could not read it."
    return _page(400, "There is a problem with this request", reason)


@requires_csrf_token
def forbidden(request, exception):
    """Return the 403 page."""
    return _page(
        403,
        "You do not have the right to do this",
        "Officers can record progress only on actions they own.",
        "If you think this is wrong, ask the board’s secretariat.",
    )


def csrf_failure(request, reason=""):
    """Return the page for a form that was open too long, or was sent from another site."""
    return _page(
        403,
        "This form could not be accepted",
        "You may have signed out, or signed in again, in another tab. Nothing was saved.",
        "Go back, copy what you typed, reload the page and try again.",
    )


@requires_csrf_token
def not_found(request, exception):
    """Return the 404 page."""
    return _page(
        404,
        "Page not found",
        "If you typed the address, check that it is correct.",
        "If you followed a link at a past date, the page may not have been on the board that day.",
    )


@requires_csrf_token
def server_error(request):
    """Return the 500 page."""
    return _page(500, "Sorry, something went wrong", "Nothing was saved. Try again in a few minutes.")
