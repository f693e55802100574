"""A month in which the site owes people mails: who is in it, what is owed on a day, and what was sent."""

import datetime

from django.core import mail

from bcp_board.owed_mail import all_owed
from bcp_board.sending import send
from meetings.round import round_of
from record.as_at import AsAt
from record.tests.factories import make_user, noon

BEGAN = noon("2022-10-02")
DUE = datetime.date(2022, 12, 13)
HELD, NEXT = "2022-11-22", "2022-12-20"


def person(role, name, **fields):
    return make_user(role, name, email=f"{name}@example.gov.uk", **fields)


def owed(day):
    return all_owed(round_of(AsAt.now(datetime.date.fromisoformat(str(day)))))


def send_on(day):
    return send(owed(day), now=noon(day))


def sent_now():
    """What was sent since this was last asked: (to whom, subject) in order."""
    found = [(*message.to, message.subject) for message in mail.outbox]
    mail.outbox.clear()
    return found


BEFORE = ("ann@example.gov.uk", "Reports are due for the board’s meeting of 20 December 2022")
LATE = ("ann@example.gov.uk", "Reports are late for the board’s meeting of 20 December 2022")
