"""The page of the month's round: whom to remind, what the board is asked, the covering note, the paper."""

from functools import partial

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db import transaction
from django.db.models import Q
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import get_text_list
from django.views.decorators.http import require_http_methods

from bcp_board.models import Mail, Why
from bcp_board.owed_mail import PUBLISH, key_of, reminder
from bcp_board.sending import send, sends_mail
from bcp_board.typed import typed_in
from meetings.forms import MeetingForm
from meetings.round import round_of
from record import versions
from record.as_at import AsAt
from record.dates import say_day
from record.work import Lost, edit_of, for_those_who

NOBODY_TICKED = "Tick the people who are to be reminded."


@require_http_methods(["GET", "HEAD", "POST"])
@for_those_who(lambda user: user.has_perm(PUBLISH))
def round_page(request):
    """Show where the round for the next meeting stands; remind people, or save its covering note."""
    if request.as_at.is_past:
        raise BadRequest("This page is about the next meeting, so it is there for today only.")
    month, problem = round_of(AsAt.now(request.as_at.today)), ""
    note = note_form(request, month)
    lost = []
    if request.method == "POST":
        problem = another_meeting(request, month)
        if not month.meeting:
            why = "There is no next meeting now to which it would belong. What you typed is below."
            typed = typed_in(request)
            lost = [Lost("What you sent", why, typed)] if typed else []
        elif not problem and "_remind" in request.POST:
            problem = remind(request, month)
        elif not problem and "_note" in request.POST:
            save_note(request, note)
        if not (problem or note.errors):
            return HttpResponseRedirect(reverse("round"))
    mails = told(month)
    context = {
        "round": month,
        "groups": [(g, [(p, mails.get(p.account.pk)) for p in g.people]) for g in month.groups],
        "note": note,
        "problem": problem,
        "lost": lost,
        "sends_mail": sends_mail(),
        "addresses": "; ".join(dict.fromkeys(p.address for p in month.owing if p.address)),
        "ticked": request.POST.getlist("person") if problem else None,
        "at": month.at,
    }
    return render(request, "meetings/round.html", context)


def note_form(request, month):
    """The form of the covering note of the next meeting, filled in if it was sent; None without a meeting."""
    if not month.meeting:
        return None
    is_sent = "_note" in request.POST and not another_meeting(request, month)
    note = edit_of(
        MeetingForm,
        month.meeting,
        request.POST if is_sent else None,
        prefix="note",
        only=["covering_note"],
    )
    if not is_sent:
        # What was typed, if it was for another meeting or stood beside the people who were ticked.
        sent = {name: request.POST.get(note.add_prefix(name)) for name in ("covering_note", "change_reason")}
        note.initial |= {name: text for name, text in sent.items() if text is not None}
    return note


def another_meeting(request, month):
    """A sentence if the page was opened for a meeting that is no more the next one, else ""."""
    if not month.meeting:
        return (
            "Nothing was saved or sent. The meeting for which you opened this page is not planned any more."
        )
    if request.POST.get("key_of_meeting") == str(month.meeting.pk):
        return ""
    return (
        "Nothing was saved or sent. The next meeting is not the one for which you opened this page any more: "
        f"it is now that of {say_day(month.meeting.held_on)}. Check, then choose again."
    )


def save_note(request, note):
    """Save the covering note if its form is valid."""
    note.today = request.as_at.today
    with versions.saving(by=request.user) as save:
        if note.is_valid():
            save.reason = note.cleaned_data["change_reason"]
            if note.changes_the_row():
                note.save()
            messages.success(request, "The covering note is saved.")


def remind(request, month):
    """Remind the people who are ticked, once this request has been saved; return what is wrong, or ""."""
    if not sends_mail():
        return "This site sends no e-mail. Copy the addresses instead."
    ticked = request.POST.getlist("person")
    people = [p for p in month.owing if p.address and p.account.get_username() in ticked]
    if not people:
        return NOBODY_TICKED
    now = timezone.now()
    about = f"{key_of(month.meeting)} {month.at.day}"
    for person in people:
        Mail.objects.get_or_create(
            account=person.account, why=Why.ASKED, about=about, defaults={"asked_at": now}
        )
    owed = [reminder(person, month, why=Why.ASKED, about=about) for person in people]
    # After it is saved: nobody who saves must wait for a mail server.
    transaction.on_commit(partial(send, owed, now=now), robust=True)
    names = get_text_list([person.name for person in people], "and")
    messages.success(request, f"To be reminded: {names}. The list says when each message went.")
    return ""


def told(month):
    """{key of an account: the Mail that reminded its person last for this meeting, sent or not}."""
    if not month.meeting:
        return {}
    key = key_of(month.meeting)
    mails = Mail.objects.filter(
        Q(about=key) | Q(about__startswith=f"{key} "), why__in=(Why.BEFORE, Why.LATE, Why.ASKED)
    )
    return {mail.account_id: mail for mail in mails.order_by("asked_at", "pk")}
