"""Two hundred texts that would do harm if a page took them for more than text, and a record full of them."""

import re
from collections import deque
from pathlib import Path

from django.apps import apps
from django.contrib.auth.models import User
from django.db import models

from bcp_board.tests.addresses import make_record
from recommendations.models import Action
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_decision,
    make_due_date,
    make_update,
)
from record.tests.factories import make_document, saved
from record.triggers import guarded_models
from visits.models import Event

LINES = (Path(__file__).parent / "data" / "hostile_texts.txt").read_text().splitlines()
HOSTILE = [line for line in LINES if line and not line.startswith("# ")]
# The same, but for the characters that mean something in HTML
HARMLESS = [re.sub("[<>\"'&`]", "x", text) for text in HOSTILE]
# Those that begin as an address does, or end the attribute that an address stands in
ADDRESSES = [
    at for at, text in enumerate(HOSTILE) if re.match(r"[a-z ]+[:&]|//|[\"'`\\]|&", text, re.IGNORECASE)
]
DRAFT = "/meetings/2022-12-01/paper/?draft"


class Turns:
    """Texts dealt out to short fields: each as many as it holds, and on with the next where it stopped."""

    def __init__(self, texts):
        self.waiting, self.unseen = deque(texts), set(texts)

    def take(self, length):
        """Texts that together are no longer than ``length``."""
        while len(self.waiting[0]) > length:
            self.waiting.rotate(-1)
        taken = []
        while len(" ".join([*taken, self.waiting[0]])) <= length:
            taken.append(self.waiting[0])
            self.waiting.rotate(-1)
        self.unseen -= set(taken)
        return " ".join(taken)


def make_record_of(texts, officer):
    """Put ``texts`` into every field of text that the record has: long ones take all of them.

    Short ones take turns, until each of the texts has been in one; of those that are fit to be an
    address, each is the address of a document.
    """
    action, words, turns = make_record(officer), "\n".join(texts), Turns(texts)
    for status, fields in (
        ("at_risk", ["narrative", "reason", "recovery_step", "difference_made", "evidence"]),
        ("complete", ["narrative", "evidence", "difference_made"]),
    ):
        first = make_update(action, status, by=officer, **dict.fromkeys(fields, words))
    make_update(action, by=officer, narrative=words, corrects=first, correction_reason=turns.take(500))
    make_decision(
        make_due_date(action, "2023-05", by=officer, needs_decision=True, reason=words), reason=words
    )
    make_assessment(action.recommendations.get(), by=officer, narrative=words)
    names = {"first_name": turns.take(150), "last_name": turns.take(150)}
    User.objects.filter(pk=officer.pk).update(**names)
    for at in ADDRESSES:
        document = make_document(f"document-{at}", url=texts[at], title=turns.take(200))
        Event.objects.create(ref=f"E{at + 100}", date="2022-03", text=texts[at], document=document)
    guarded = guarded_models()
    for model in (m for m in apps.get_models() if hasattr(m, "history") and m not in guarded):
        for row in model.objects.order_by("pk")[:2]:
            for field in model._meta.concrete_fields:
                # A date is a CharField of its own kind.
                if type(field) is models.TextField:
                    setattr(row, field.name, words)
                elif type(field) is models.CharField and not field.choices and not field.unique:
                    setattr(row, field.name, turns.take(field.max_length))
            with saved(reason="Hostile"):
                row.save()
    while turns.unseen:
        ref = f"A{Action.objects.count() + 10}"
        make_action(ref, title=turns.take(200), owner_role=turns.take(120), owner=officer)
