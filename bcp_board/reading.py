"""What is new to a reader: all that was recorded since they last said that they had read it."""

from collections import namedtuple

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from bcp_board.models import ReadUpTo
from meetings.models import Paper
from recommendations.due_dates import Decision, DueDate
from recommendations.models import Assessment, ProgressUpdate
from recommendations.sent_back import SendBack
from record import ledger
from record.as_at import AsAt
from record.dates import start_of
from record.forms import KEY
from record.models import Meeting
from record.since import ADDED, CORRECTED, added_since, heading, tell

PAGE = 50
# In the order in which readers look for them; whatever else there is comes between these and what was added.
FIRST = [heading(kind) for kind in (ProgressUpdate, Decision, SendBack, DueDate, Assessment)] + [CORRECTED]
LAST = [heading(Paper), ADDED]

Group = namedtuple("Group", "title entries")


@require_http_methods(["GET", "HEAD", "POST"])
def new(request):
    """Show what was recorded since its reader said that they had read it; to look at it marks nothing."""
    newest = ledger.newest()
    if request.method == "POST":
        return note_read(request, newest)
    read = ReadUpTo.objects.filter(account=request.user).first()
    entries, since = unread(request, read)
    page = Paginator(entries, PAGE).get_page(request.GET.get("page"))
    context = {
        "at": AsAt.now(request.as_at.today),
        "read": read,
        "since": since,
        "newest": newest,
        "page": page,
        "groups": grouped(tell(page.object_list)),
    }
    return render(request, "new.html", context)


def unread(request, read):
    """The entries after the mark ``read``, the newest first, and the day they begin with if none was made.

    Somebody who made none begins with the last meeting, unless they ask for all that there is.
    """
    entries = added_since(read.sequence if read else 0).order_by("-sequence")
    if read or "all" in request.GET:
        return entries, None
    held = Meeting.objects.held_by(request.as_at.today).first()
    if held is None:
        return entries, None
    return entries.filter(recorded_at__gte=start_of(held.held_on)), held.held_on


def note_read(request, newest):
    """Note that the reader has read all up to the entry that was the newest when they opened the page."""
    text = request.POST.get("up_to", "")
    if not KEY.fullmatch(text) or newest is None or int(text) > newest.sequence:
        raise BadRequest("The form does not say up to where you have read. Open the page again.")
    read, is_new = ReadUpTo.objects.get_or_create(
        account=request.user, defaults={"sequence": int(text), "at": timezone.now()}
    )
    # An older page that is sent late makes nothing new again.
    if not is_new and int(text) > read.sequence:
        ReadUpTo.objects.filter(pk=read.pk).update(sequence=int(text), at=timezone.now())
    messages.success(request, "Noted. What is recorded from now on will be here.")
    return HttpResponseRedirect(reverse("new"))


def grouped(told):
    """The entries by kind, a Group each, those of a kind in the order in which they came."""
    kinds = dict.fromkeys(each.kind for each in told)
    others = sorted(kind for kind in kinds if kind not in (*FIRST, *LAST))
    return [
        Group(kind, [each for each in told if each.kind == kind])
        for kind in (*FIRST, *others, *LAST)
        if kind in kinds
    ]
