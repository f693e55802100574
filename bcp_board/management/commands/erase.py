"""Remove words from the record by law: a child's name typed by mistake, an order of a court."""

import sys

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.utils import timezone

from bcp_board import backups
from record import erasure, security_log
from record.triggers import guarded_models

DONE = "Removed from the record. It holds, and says what was removed, when and why."
BY_HAND = "What this command does not reach is listed in the README, under “Words removed by law”."


class Command(BaseCommand):
    help = (
        "Remove words from a row and every other place that holds them, for good. The words are read from "
        "standard input, a spelling a line, because a shell would keep them; with none, all that the named "
        "column says is looked for. Nothing is removed before it was shown and confirmed."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "kind", nargs="?", help="the model of the row, such as recommendations.progressupdate"
        )
        parser.add_argument(
            "row", nargs="?", type=int, help="its number, the last part of its address in the admin"
        )
        parser.add_argument("field", nargs="?", help="the column that holds the words, such as narrative")
        parser.add_argument("--reason", default="", help="the legal reason, which readers see in their place")
        parser.add_argument("--approved-by", default="", help="the name and role of who approved it")
        parser.add_argument("--yes", action="store_true", help="remove from all places without asking")
        parser.add_argument(
            "--clean", action="store_true", help="only take what is gone out of the files as well"
        )

    def handle(self, *, kind, row, field, reason, approved_by, yes, clean, **options):
        if clean:
            return self.clean(sorted(connection.introspection.table_names()))
        reason, approved_by = " ".join(reason.split()), " ".join(approved_by.split())
        try:
            model = self.model_of(kind, field, reason=reason, approved_by=approved_by)
            spellings = self.spellings(model, row, field)
            found = erasure.search(spellings)
            if any(erasure.letters(s) in erasure.letters(reason + approved_by) for s in spellings):
                raise erasure.Refused("The reason and the approval must not hold the words themselves.")
            if not any(erasure.belongs_to(p, model=model, key=row, field=field) for p in found.places):
                raise erasure.Refused(f"These words are not in {kind} {row} {field}.")
            self.show(found)
            places = found.places if yes else self.confirmed(found)
            erasures = erasure.erase(places, sessions=found.sessions, reason=reason, approved_by=approved_by)
        except erasure.Refused as refusal:
            security_log.record("erasure", outcome="refused", object=f"{kind} {row} {field}")
            raise CommandError(f"Nothing was removed. {refusal}") from refusal
        except DatabaseError as error:
            security_log.record("erasure", outcome="failed", object=f"{kind} {row} {field}")
            # Without what the error says, which may quote the row.
            raise CommandError(
                "Nothing was removed: the database refused. On PostgreSQL, the owner of the tables does this."
            ) from error
        security_log.record("erasure", objects=[str(place) for place in places])
        self.stdout.write(DONE)
        self.stdout.write(f"In their place stands: {erasures[0].notice}")
        for path in backups.made_before(timezone.now()):
            self.stdout.write(f"This backup still holds the words. Delete it, and every copy of it: {path}")
        self.stdout.write(f"Make a new backup now. {BY_HAND}")
        return self.clean(erasure.tables_of(erasures))

    def model_of(self, kind, field, *, reason, approved_by):
        """The model that ``kind`` names; raises Refused where something needed was not given."""
        if not (kind and field and reason and approved_by):
            raise erasure.Refused("Name the kind, the row and the field, --reason and --approved-by.")
        if len(reason) > erasure.LONGEST_REASON:
            raise erasure.Refused(f"Give the reason in {erasure.LONGEST_REASON} characters or fewer.")
        if len(approved_by) > 200 or not (reason + approved_by).isprintable():
            raise erasure.Refused("Give the name and role of who approved it in 200 characters or fewer.")
        known = {model._meta.label_lower: model for model in guarded_models()}
        known |= {
            model.instance_type._meta.label_lower: model.instance_type
            for model in known.values()
            if hasattr(model, "instance_type") and hasattr(model.instance_type, "history")
        }
        if kind.lower() not in known:
            raise erasure.Refused(f"There is no kind {kind}. There are: {', '.join(sorted(known))}.")
        return apps.get_model(kind)

    def spellings(self, model, row, field):
        """The spellings typed, one a line to an empty line or the end; else all that the column says."""
        self.ask("The words to remove, one spelling a line, then an empty line:")
        typed = list(iter(lambda: sys.stdin.readline().strip(), ""))
        if typed:
            return typed
        whole = erasure.text_of(model, row, field)
        if not isinstance(whole, str):
            raise erasure.Refused("Give the words: that column is a whole paper.")
        return [whole]

    def show(self, found):
        self.stdout.write(f"The words are in {len(found.places)} places, from which all this would go:")
        for number, place in enumerate(found.places, 1):
            self.stdout.write(f"{number}. {place}: {place.excerpt}")
        for place in found.by_hand:
            self.stdout.write(f"To be changed by hand, because it is no text of the record: {place}")
        if found.sessions:
            self.stdout.write(f"{len(found.sessions)} people would have to sign in again.")

    def confirmed(self, found):
        """The places to remove from; raises Refused unless that was confirmed."""
        self.ask("The numbers to leave as they are, with spaces between them, or an empty line for none:")
        left = sys.stdin.readline().split()
        numbers = {str(number) for number in range(1, len(found.places) + 1)}
        if not set(left) < numbers:
            raise erasure.Refused("Give the numbers of some of the places listed, not of all.")
        self.ask("Type yes to remove the rest for good:")
        if sys.stdin.readline().strip() != "yes":
            raise erasure.Refused("It was not confirmed.")
        return tuple(p for number, p in enumerate(found.places, 1) if str(number) not in left)

    def ask(self, question):
        if sys.stdin.isatty():
            self.stdout.write(question)

    def clean(self, tables):
        try:
            unfinished = erasure.clean(tables)
        except DatabaseError as error:
            unfinished = f"The files of the database could not be cleaned ({type(error).__name__})."
        if unfinished:
            raise CommandError(f"{unfinished} Stop the site and run: manage.py erase --clean")
        self.stdout.write("The files of the database hold no page of what was removed.")
