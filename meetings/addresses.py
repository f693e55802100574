"""The addresses of meetings: a day leads to the meeting that is, was or came to be held on it."""

from functools import wraps

from django.http import Http404, HttpResponseRedirect
from django.urls import reverse

from record.models import Meeting
from record.versions import recorded, rows_of


def of_a_meeting(view):
    """The view of a meeting, given its row; an address that it once had leads to the one it has.

    A form that is sent to such an address is taken there: a redirect would lose what was typed.
    """

    @wraps(view)
    def found(request, date):
        row = meeting_on(date, request.as_at)
        if row.held_on == date or request.method == "POST":
            return view(request, row)
        address = reverse(request.resolver_match.url_name, args=[row.held_on])
        query = request.META["QUERY_STRING"]
        return HttpResponseRedirect(f"{address}?{query}" if query else address)

    return found


def meeting_on(date, at):
    """The Meeting whose day that is, was or came to be, as was known ``at``; a 404 where there is none."""
    known = recorded(Meeting, at)
    found = rows_of(known.filter(held_on=date))
    if not found:
        once = Meeting.history.filter(held_on=date).order_by("-history_id").values("id")[:1]
        found = rows_of(known.filter(id__in=list(once.values_list("id", flat=True))))
    if not found:
        raise Http404
    return found[0]
