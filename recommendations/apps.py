from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate


class RecommendationsConfig(AppConfig):
    name = "recommendations"
    verbose_name = "Recommendations and actions"

    def ready(self):
        from recommendations import triggers

        # Remaking a table on SQLite silently drops its triggers. Nothing lifts them beforehand, so that
        # a migration that fails leaves history guarded.
        post_migrate.connect(triggers.after_migrations, dispatch_uid="install append-only triggers")
        register(Tags.database)(triggers.check_installed)
