"""Sending the mails that are owed, each once, however many are at it."""

import datetime
import smtplib
from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import Q

from bcp_board.models import Mail, Why
from bcp_board.owed_mail import old_addresses
from record import security_log
from record.models import Demonstration
from record.signing import name_of

# After so long, whoever claimed a mail is taken to have died before it was sent.
ABANDONED = datetime.timedelta(hours=1)
# How long whoever signs in is told that their address was changed.
TOLD_FOR = datetime.timedelta(days=30)


@dataclass
class Sent:
    """What came of sending: how many went, and in words what failed, which is tried again later."""

    count: int = 0
    failed: tuple[str, ...] = ()
    without_address: tuple[str, ...] = ()


def sends_mail():
    """Whether this site sends mails at all: not without a mail server, nor of progress that is invented."""
    return settings.SENDS_MAIL and not Demonstration.objects.exists()


def unsent(owed):
    """What the mail ``owed`` is to be about still: what has not been sent."""
    rows = Mail.objects.filter(account=owed.account, why=owed.why, about__in=owed.about)
    gone = set(rows.exclude(sent_at=None).values_list("about", flat=True))
    return [about for about in owed.about if about not in gone]


def send(found, *, now):
    """Send those of the Owed ``found`` that were not sent yet, at the moment ``now``; return what came of it.

    No transaction may be open: whoever else sends must see what is claimed here, and nobody who saves must
    wait for a mail server.
    """
    sent, connection, down = Sent(), get_connection(), None
    for owed in found:
        if not owed.address:
            sent.without_address += (name_of(owed.account),)
        elif claimed := claim(owed, now=now):
            error = down or _hand_over(owed, len(claimed), connection)
            _note(owed, claimed, error, now=now)
            if error is None:
                sent.count += 1
            else:
                down = error if _is_of_the_server(error) else None
                sent.failed += (f"{name_of(owed.account)}, “{Why(owed.why).label}”: {type(error).__name__}",)
    with suppress(OSError):
        connection.close()
    return sent


def claim(owed, *, now):
    """The keys of the Mails that are now this sender's to send; none if others sent or claimed them."""
    free = Q(claimed_at=None) | Q(claimed_at__lte=now - ABANDONED)
    claimed = []
    for about in unsent(owed):
        once = {"account": owed.account, "why": owed.why, "about": about}
        mail, _ = Mail.objects.get_or_create(**once, defaults={"asked_at": now})
        if Mail.objects.filter(free, pk=mail.pk, sent_at=None).update(claimed_at=now):
            claimed.append(mail.pk)
    return claimed


def _hand_over(owed, count, connection):
    """Give the mail to the mail server; return why that failed, or None."""
    subject, body = owed.text(count)
    try:
        EmailMessage(subject, body, to=[owed.address], connection=connection).send()
    except (OSError, ValueError) as error:  # a server that refuses or is not there, an address that cannot be
        with suppress(OSError):
            connection.close()
        return error
    return None


def _is_of_the_server(error):
    """Whether the other mails will fail as well, so that nobody waits for each."""
    of_one = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, ValueError)
    return not isinstance(error, of_one)


def _note(owed, claimed, error, *, now):
    rows = Mail.objects.filter(pk__in=claimed)
    if error is None:
        rows.update(sent_at=now, address="")
    else:
        rows.update(claimed_at=None)
    outcome = "failed" if error else "ok"
    kind = type(error).__name__ if error else ""
    security_log.record("mail", user=owed.account, outcome=outcome, why=str(owed.why), kind=kind)


def address_changed(account, *, was, now):
    """Note that ``account`` has another address than it ``was``, and tell that one once this is saved.

    Where the site sends no mail the earlier address is not kept, and the account is told when it signs in.
    """
    Mail.objects.create(
        account=account,
        why=Why.ADDRESS,
        about=now.isoformat(),
        address=was if sends_mail() else "",
        asked_at=now,
    )
    transaction.on_commit(lambda: send(old_addresses(), now=now), robust=True)


def addresses_changed_lately(account, *, now):
    """The moments of the last 30 days at which ``account`` was given another address, the newest first."""
    mails = Mail.objects.filter(account=account, why=Why.ADDRESS, asked_at__gt=now - TOLD_FOR)
    return list(mails.order_by("-asked_at").values_list("asked_at", flat=True))
