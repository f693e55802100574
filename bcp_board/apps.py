from django.apps import AppConfig, apps
from django.contrib.admin import apps as admin_apps
from django.db.models.signals import post_migrate


class BoardConfig(AppConfig):
    name = "bcp_board"
    verbose_name = "The board’s record"
    default = True

    def ready(self):
        self.log_security_events()
        # What Django calls otherwise than the people who work here.
        apps.get_app_config("auth").verbose_name = "People"
        words = apps.get_model("auth", "User")._meta
        words.verbose_name, words.verbose_name_plural = "account", "accounts"
        from bcp_board import grants, roles

        post_migrate.connect(grants.after_migrations, sender=self, dispatch_uid="grant tables")
        post_migrate.connect(roles.after_migrations, sender=self, dispatch_uid="make groups")

    def log_security_events(self):
        """Let the security log hear of sign-ins, the admin's changes, and changes to rights."""
        from django.contrib.admin.models import LogEntry
        from django.contrib.auth import get_user_model, signals
        from django.contrib.auth.models import Group
        from django.db.models.signals import m2m_changed, post_save

        from record import security_log

        signals.user_logged_in.connect(security_log.signed_in)
        signals.user_logged_out.connect(security_log.signed_out)
        post_save.connect(security_log.admin_changed, sender=LogEntry)
        user = get_user_model()
        for rights in (user.groups, user.user_permissions, Group.permissions):
            m2m_changed.connect(security_log.rights_changed, sender=rights.through)


class BoardAdminConfig(admin_apps.AdminConfig):
    default_site = "bcp_board.admin_site.BoardAdminSite"
    default = False
