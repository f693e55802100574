"""Every address of the site; each room lists its own."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from bcp_board import accounts, monitoring, reading, views
from bcp_board.round_page import round_page
from bcp_board.tokens import file
from meetings.views import calendar, position_json
from recommendations.exports import EXPORTS
from recommendations.file_views import actions_xlsx, csv_view

handler400 = "bcp_board.errors.bad_request"
handler403 = "bcp_board.errors.forbidden"
handler404 = "bcp_board.errors.not_found"
handler500 = "bcp_board.errors.server_error"

urlpatterns = [
    path("", include("meetings.urls")),
    path("", include("recommendations.urls")),
    path("", include("visits.urls")),
    path("new/", reading.new, name="new"),
    *(path(f"{name}.csv", file(csv_view(name)), name=f"{name}_csv") for name in EXPORTS),
    path("actions.xlsx", file(actions_xlsx), name="actions_xlsx"),
    path("position.json", file(position_json, opened_by="position"), name="position_json"),
    path("calendar.ics", file(calendar, opened_by="calendar"), name="calendar"),
    path("help/", views.help_page, name="help"),
    path("help/tasks/", views.tasks, name="tasks"),
    path("accessibility/", views.accessibility, name="accessibility"),
    path("login/", accounts.login, name="login"),
    path("login/<uidb64>/<token>/", accounts.one_time_link, name="one_time_link"),
    path("logout/", accounts.logout, name="logout"),
    path("round/", round_page, name="round"),
    path("account/", accounts.account, name="account"),
    path("password/", accounts.password, name="password"),
    path(".well-known/security.txt", views.security_txt, name="security_txt"),
    path("healthz", monitoring.healthz, name="healthz"),
    path("readyz", monitoring.readyz, name="readyz"),
    path("metrics", monitoring.counted, name="metrics"),
    # Django would add the slash for everybody, and so tell a member that the admin is there.
    path("admin", admin.site.admin_view(RedirectView.as_view(pattern_name="admin:index", permanent=True))),
    path("admin/", admin.site.urls),
]
