"""The admin, which is where officers, the Chair and the secretariat work."""

from functools import update_wrapper

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from bcp_board import backups, errors
from bcp_board.worklist import worklist
from recommendations.terms import TERMS
from record.kept import positions_kept

# The site has one door, for everybody. What the admin would add to it is left out.
OTHER_DOORS = {"login", "logout", "password_change", "password_change_done", "view_on_site"}


class BoardAdminSite(admin.AdminSite):
    """The admin as a place of work: it opens on what waits for the person who signed in.

    To signed-in people who have nothing to do here it does not exist; everybody else signs in first.
    """

    site_header = "Keep the board’s record"
    site_title = settings.BOARD_NAME
    index_title = TERMS["work"]
    enable_nav_sidebar = False
    site_url = "/"

    def get_urls(self):
        urls = [url for url in super().get_urls() if getattr(url, "name", None) not in OTHER_DOORS]
        for url in urls:
            if hasattr(url.callback, "login_url"):
                url.callback.login_url = reverse_lazy("login")
        return urls

    def admin_view(self, view, cacheable=False):
        checked = super().admin_view(view, cacheable)

        def for_staff(request, *args, **kwargs):
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not self.has_permission(request):
                raise errors.Hidden
            return checked(request, *args, **kwargs)

        return update_wrapper(for_staff, checked)

    def get_app_list(self, request, app_label=None):
        """What this person may open here, worked out once a page shows it, which few do."""
        found = super().get_app_list

        def named():
            apps = found(request, app_label)
            for model in (model for app in apps for model in app["models"]):
                model["add_words"] = self.get_model_admin(model["model"]).add_words(request)
            return apps

        return SimpleLazyObject(named)

    def index(self, request, extra_context=None):
        with positions_kept():
            work = worklist(request.user, request.as_at)
        mine = {"work": work, "backup_warning": backup_warning(request.user)}
        return super().index(request, {**mine, **(extra_context or {})})


def backup_warning(user):
    """What is wrong with the backups if ``user`` makes accounts, and so runs the site; or None."""
    if settings.BACKUPS_ARE_EXPECTED and user.has_perm("auth.change_user"):
        return backups.why_newest_will_not_do(now=timezone.now())
    return None
