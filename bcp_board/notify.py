"""Mails by GOV.UK Notify, for councils that may send by nothing else.

Its template has two personalised fields: ((subject)) for its subject and ((body)) for all of its message.
"""

import base64
import hashlib
import hmac
import http.client
import json
import time
import urllib.error
import urllib.request

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend


class NotTaken(ValueError):
    """Notify does not take this mail. What it says is left out, for it quotes the address."""


def part(value):
    """``value`` as a part of a JSON Web Token."""
    raw = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def token(key, *, now):
    """The JSON Web Token that proves the API key ``key`` to be ours: a name with two UUIDs after it."""
    service, secret = key[-73:-37], key[-36:]
    signed = part({"typ": "JWT", "alg": "HS256"}) + b"." + part({"iss": service, "iat": now})
    return (signed + b"." + part(hmac.digest(secret.encode(), signed, hashlib.sha256))).decode()


class EmailBackend(BaseEmailBackend):
    address = "https://api.notifications.service.gov.uk/v2/notifications/email"

    def send_messages(self, messages):
        for message in messages:
            self.send(message)
        return len(messages)

    def send(self, message):
        message.message()  # refuses a heading with a line break in it
        sent = {
            "email_address": message.to[0],
            "template_id": settings.NOTIFY_TEMPLATE,
            "personalisation": {"subject": message.subject, "body": message.body},
        }
        headers = {
            "Authorization": f"Bearer {token(settings.NOTIFY_API_KEY, now=int(time.time()))}",
            "Content-Type": "application/json",
        }
        request = urllib.request.Request(self.address, json.dumps(sent).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=settings.EMAIL_TIMEOUT):
                pass
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 400:
                    raise NotTaken from None
                raise
        except http.client.HTTPException as error:  # what answers is no web server
            raise OSError from error
