"""Django's own command, which must be able to mend what its checks find."""

from django.core.management.commands import migrate
from django.db import connections

from record import triggers


class Command(migrate.Command):
    def execute(self, *arguments, **options):
        # Django checks before it migrates, and would refuse to begin where a table lacks its triggers:
        # one that a newer version guards, or that somebody lifted. They are put back first.
        if not (options["plan"] or options["check_unapplied"]):
            triggers.install(connections[options["database"]])
        return super().execute(*arguments, **options)
