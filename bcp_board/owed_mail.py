"""Which mails are owed to whom on a day, and what they say.

A mail can be read by others than whoever it is for. So it holds counts and a link, and quotes nothing of the
record: no title, no name of a case, no word that anybody wrote there. Only the Secretariat is told names,
those of the owners who have not reported.
"""

import datetime
from collections import Counter, defaultdict
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.db.models import Q
from django.urls import reverse

from bcp_board.models import Mail, Why
from meetings.glance import papers_due
from meetings.outcomes import LateNote
from recommendations.due_dates import Decision, DueDate, Outcome
from recommendations.models import ProgressUpdate
from recommendations.sent_back import SendBack
from recommendations.status import ACCEPTED
from record.dates import say_day, start_of
from record.held import went_out
from record.texts import so_many

PUBLISH = "meetings.add_paper"
# So that a weekend without a mail server loses nothing.
DECISIONS_TOLD_FOR = datetime.timedelta(days=3)


@dataclass(frozen=True)
class Owed:
    """A mail that ``account`` is owed at ``address``, ``about`` one thing or some that are told together.

    ``says`` makes its subject and its paragraphs, given about how many of these it is.
    """

    account: AbstractUser
    address: str
    why: Why
    about: tuple[str, ...]
    says: object

    def text(self, count):
        """The subject and the body of the mail, in plain text, about ``count`` things."""
        subject, *paragraphs = self.says(count)
        foot = (
            f"{settings.BOARD_NAME}. This message quotes nothing of the record, because others may read it. "
            "Nobody reads an answer to it: ask the board’s secretariat."
        )
        return subject, "\n\n".join([*paragraphs, foot]) + "\n"


def link(name):
    """The whole address of the page ``name``."""
    return f"{settings.SITE_ADDRESS}{reverse(name)}"


def key_of(row):
    """What a mail is about, as it is kept: the kind and the key of a row of the record."""
    return f"{row._meta.label_lower} {row.pk}"


def all_owed(month):
    """The Owed of the day on which the Round ``month`` stands, those that were sent already among them."""
    return [*reminders(month), *asked_for(month), *lists(month), *decided(month.board), *old_addresses()]


def why_on(day, due):
    """Why owners are reminded on ``day`` if the papers go out on ``due``, or None while it is too early."""
    if due is None or day < due - datetime.timedelta(days=settings.REMIND_DAYS_BEFORE):
        return None
    return Why.BEFORE if day <= due else Why.LATE


def reminders(month):
    """For the owners who have not reported: some days before the papers go out, and once they are late."""
    why = why_on(month.at.day, month.meeting.papers_due_on) if month.meeting else None
    return [reminder(person, month, why=why) for person in month.owing] if why else []


def reminder(person, month, *, why, about=""):
    """The Owed that reminds ``person`` of what they have not reported on."""
    count = len(person.not_reported)

    def says(_):
        of = f"the board’s meeting of {say_day(month.meeting.held_on)}"
        out = went_out(month.meeting, month.at)
        when = papers_due(month.meeting, month.at, out).removeprefix("Papers")
        papers = f"The papers of {of}{when}." if when else f"They are for {of}."
        if out:
            papers += " What is reported now is told at it as new."
        since = month.since_words or "so far"
        return (
            f"{Why(why).label} for {of}",
            f"You own {so_many(count, 'open action')} on which nothing was reported {since}.",
            papers,
            f"Report on them here: {link('mine')}",
        )

    return Owed(person.account, person.address, why, (about or key_of(month.meeting),), says)


def asked_for(month):
    """The reminders that the Secretariat asked for on the page of the round, and that were not sent yet."""
    if not month.meeting:
        return []
    waiting = Mail.objects.filter(
        why=Why.ASKED, about__startswith=f"{key_of(month.meeting)} ", sent_at=None
    ).order_by("pk")
    owing = {person.account.pk: person for person in month.owing}
    return [
        reminder(owing[mail.account_id], month, why=Why.ASKED, about=mail.about)
        for mail in waiting
        if mail.account_id in owing
    ]


def lists(month):
    """For whoever publishes the papers, once reports are late: how many each owner has not reported on."""
    why = why_on(month.at.day, month.meeting.papers_due_on) if month.meeting else None
    if why != Why.LATE or not month.not_reported:
        return []

    def says(_):
        people = [
            f"{' '.join(person.name.split())}: {len(person.not_reported)}"
            f"{'' if person.address else ' (no e-mail address, so not reminded)'}"
            for person in month.owing
        ]
        lost = Counter(
            "no owner" if action.owner_id is None else "an owner whose account is closed"
            for action in month.not_reported
            if not action.owner_is_open
        )
        others = [f"Of {what}: {count}" for what, count in sorted(lost.items())]
        return (
            f"{Why.LIST.label} for the board’s meeting of {say_day(month.meeting.held_on)}",
            f"{month.reported_words}. Not reported on, by owner:",
            "\n".join([*people, *others]),
            f"The round: {link('round')}",
        )

    users = get_user_model().objects.with_perm(PUBLISH, include_superusers=False).filter(is_active=True)
    return [Owed(user, user.email, Why.LIST, (key_of(month.meeting),), says) for user in users.order_by("pk")]


def decided(board):
    """For the owners: that something was decided about what they own, all of it in one mail."""
    told = defaultdict(list)
    owners = {action.pk: action.owner_id for action in board.actions if action.owner_is_open}
    for kind, condition in (
        (Decision, ~Q(outcome=Outcome.TAKEN_BACK)),
        (SendBack, Q()),
        (LateNote, Q()),
        (DueDate, Q(meeting__isnull=False)),
        (ProgressUpdate, Q(status__in=ACCEPTED) | Q(meeting__isnull=False)),
    ):
        since = start_of(board.at.day - DECISIONS_TOLD_FOR)
        rows = kind.objects.standing(board.at).filter(condition, recorded_at__gte=since)
        found = rows.exclude(recorded_by=None).order_by("pk")
        for key, action, by in found.values_list("pk", kind.about_path(), "recorded_by"):
            if action in owners and owners[action] != by:
                told[owners[action]].append(f"{kind._meta.label_lower} {key}")

    def says(count):
        return (
            "Decided about your actions",
            f"Decisions made about actions that you own: {count}. Something may be wanted of you.",
            f"Read what was decided, and why: {link('mine')}",
        )

    accounts = get_user_model().objects.in_bulk(list(told))
    return [
        Owed(accounts[key], accounts[key].email, Why.DECIDED, tuple(about), says)
        for key, about in sorted(told.items())
    ]


def old_addresses():
    """For the addresses that accounts had until somebody gave them another."""

    def says(_):
        return (
            "Your e-mail address was changed",
            "An administrator gave your account another e-mail address. From now on its messages go there.",
            "If you did not ask for that, tell the board’s secretariat, by telephone or in person.",
        )

    waiting = Mail.objects.filter(why=Why.ADDRESS, sent_at=None).exclude(address="")
    return [
        Owed(mail.account, mail.address, Why.ADDRESS, (mail.about,), says)
        for mail in waiting.select_related("account").order_by("pk")
    ]
