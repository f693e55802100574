from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate


class RecordConfig(AppConfig):
    name = "record"
    verbose_name = "Documents and meetings"

    def ready(self):
        from record import triggers

        # Remaking a table on SQLite silently drops its triggers. Nothing lifts them beforehand, so that
        # a migration that fails leaves history guarded.
        post_migrate.connect(triggers.after_migrations, dispatch_uid="install append-only triggers")
        register(Tags.database)(triggers.check_installed)
