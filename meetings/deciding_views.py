"""The meeting-day sheet: where the Chair and the Secretariat record what a meeting decides, row by row."""

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from meetings.addresses import of_a_meeting
from meetings.arising import ArisingForm, arising_at
from meetings.deciding import may_decide, sheet_of, why_gone
from meetings.forms import MeetingForm
from meetings.row_forms import RowForm, slug_in, typed_about, typed_on_sheet
from recommendations.deciding import may_add_actions
from record import versions
from record.as_at import AsAt
from record.dates import say_day
from record.models import Meeting, MeetingState
from record.signing import Refused
from record.work import Lost, Problem, edit_of, for_those_who, problems_in

ARISING, PRESENT = "arising", "present"


@for_those_who(may_decide, adds=ArisingForm, tells=typed_on_sheet)
def decide(request, date):
    """Show what a meeting is asked, one row of it with its form, and save what is decided of that row.

    It is about today, whatever day the address asks for: what is saved is saved now.
    """
    request.as_at = AsAt.now(request.as_at.today)
    return of_a_meeting(sheet_page)(request, date)


def sheet_page(request, meeting):
    at, user, day = request.as_at, request.user, say_day(meeting.held_on)
    if meeting.is_cancelled:
        raise Refused(f"The meeting of {day} was cancelled, so nothing is decided at it.")
    has_begun = meeting.held_on <= at.today
    if request.method == "POST" and not has_begun:
        raise Refused(f"{day} is still to come. Nothing can have been decided at it yet.")
    may_add, may_edit = may_add_actions(user), user.has_perm("record.change_meeting")
    sent = request.POST if request.method == "POST" else None
    slug = slug_in(request.GET.get("row", "") if sent is None else sent.get("_row", ""))
    sheet = sheet_of(meeting, user, at, sent=slug if sent else "")
    if sent is None and not slug and has_begun and sheet.to_do:
        slug = sheet.to_do[0].slug
    open_row = form = None
    lost = ()
    if slug == ARISING and may_add:
        form = ArisingForm(sent, meeting=meeting, opener=user)
    elif slug == PRESENT and may_edit:
        form = attendance_form(meeting, sent, at)
    elif slug or sent is not None:
        open_row = sheet.row(slug)
        if open_row is None:
            why = why_gone(meeting, slug)
            if not sent or "about" not in sent:
                raise Http404
            lost = (Lost(sent["about"], why, typed_about(slug, sent)),)
        elif has_begun and (sent is not None or open_row.is_to_do):
            form = RowForm(open_row, meeting, user, at, sent)
    if sent is not None and not lost and (saved := save(form, slug, meeting, request)):
        messages.success(request, f"Saved: {saved}.")
        after = sheet.next_after(open_row) if open_row else None
        place = after.slug if after else ARISING if open_row else slug
        query = f"?row={place}" if after else ""
        return HttpResponseRedirect(f"{reverse('decide', args=[meeting.held_on])}{query}#{place}")
    context = {
        "meeting": meeting,
        "sheet": sheet,
        "open_slug": slug,
        "open_row": open_row,
        "form": form,
        "lost": lost,
        "has_begun": has_begun,
        "may_add": may_add,
        "may_edit": may_edit,
        "arising": arising_at(meeting, at) if has_begun else (),
        "problems": problems_of(form, slug) if form and sent is not None else (),
    }
    return render(request, "meetings/decide.html", context)


def save(form, slug, meeting, request):
    """Save what was sent, and return in words what that was; "" where the form says what is wrong."""
    by = request.user
    if slug == PRESENT:
        with versions.saving(by=by) as change:
            if not form.is_valid():
                return ""
            change.reason = form.cleaned_data["change_reason"]
            if form.changes_the_row():
                form.save()
            return "who was there, and the minutes"
    if not form.is_valid():
        return ""
    if slug == ARISING:
        action = form.save_all(by=by, at=request.as_at)
        return f"{action}" if action else ""
    with transaction.atomic():
        form.save()
    return form.row.name


def attendance_form(meeting, data, at):
    """The form by which it is said who was at ``meeting``, and where its minutes are."""
    # A row of its own: a form that was sent writes into it, and the page goes on to show what is saved.
    row, asked = Meeting.objects.get(pk=meeting.pk), ["state", "attendance", "apologies", "minutes_url"]
    form = edit_of(MeetingForm, row, data, prefix=None, only=asked)
    form.today = at.today
    state = form.fields["state"]
    state.choices = [choice for choice in state.choices if choice[0] != MeetingState.CANCELLED]
    for name in ("attendance", "apologies"):
        form.fields[name].widget.attrs["rows"] = 4
    return form


def problems_of(form, slug):
    """A Problem for each error of the form that was sent, about the row ``slug``."""
    if isinstance(form, RowForm):
        chosen = [Problem(f"{form.name}-0", form.way_error)] if form.way_error else []
        others = [Problem(slug, error) for error in form.other_errors]
        return chosen + others + [Problem(found.auto_id, error) for found, error in form.box_errors]
    return problems_in(form, slug)
