from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class BoardConfig(AppConfig):
    name = "bcp_board"
    verbose_name = "The board’s record"
    default = True


class BoardAdminConfig(admin_apps.AdminConfig):
    default_site = "bcp_board.admin_site.BoardAdminSite"
    default = False
