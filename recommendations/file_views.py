"""The files of the actions. Who may have them is said by their addresses."""

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from recommendations.exports import EXPORTS
from recommendations.filters import ActionFilter
from recommendations.position import actions_on_the_board
from record.dates import say_day
from record.files import csv_of, xlsx_of
from record.models import Demonstration

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def actions_asked(request):
    """An ActionPosition of each action that the list of actions has at this address, in its order.

    What cannot be used is a 400 page, with the words that stand at the field there.
    """
    at = request.as_at
    actions = actions_on_the_board(at)
    asked = ActionFilter(request.GET, at=at, actions=actions)
    if not asked.is_valid():
        fields = asked.form
        wrong = [f"{fields[name].label}: {' '.join(errors)}" for name, errors in fields.errors.items()]
        raise BadRequest(" ".join(wrong))
    return asked.positions


def name_of_file(name, at, kind):
    """What a file is called: by what it holds, and by the day that it is about."""
    known = "-as-known-then" if at.known else ""
    return f"{name}-{at.day.isoformat()}{known}.{kind}"


def as_file(response, name):
    """The ``response``, to be kept by a browser as the file ``name``."""
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def csv_view(name):
    """The view of the Export ``name`` as CSV, sent as it is made: a long history is never whole in memory."""
    export = EXPORTS[name]

    @require_safe
    def view(request):
        at, actions = request.as_at, actions_asked(request)
        # Encoded here: what is sent by the piece is not.
        lines = (text.encode() for text in csv_of(export.columns, export.rows(actions, at)))
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        return as_file(response, name_of_file(name, at, "csv"))

    return view


@require_safe
def actions_xlsx(request):
    """Send the list of actions as an Excel file."""
    at, export = request.as_at, EXPORTS["actions"]
    rows = export.rows(actions_asked(request), at)
    known = ", as it was known then" if at.known else ""
    footer = f"{settings.MARKING}. {settings.BOARD_NAME}: actions as at {say_day(at.day)}{known}"
    if Demonstration.objects.exists():
        footer = f"DEMONSTRATION. {footer}"
    body = xlsx_of(export.columns, rows, name="Actions", footer=footer)
    return as_file(HttpResponse(body, content_type=EXCEL), name_of_file("actions", at, "xlsx"))
