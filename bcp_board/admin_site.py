"""The admin, which is where officers work."""

from django.contrib import admin


class BoardAdminSite(admin.AdminSite):
    site_header = "Keep the board’s record"
