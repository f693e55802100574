"""Every address of the site; each room lists its own."""

from django.contrib import admin
from django.urls import include, path

from bcp_board import views

handler400 = "bcp_board.errors.bad_request"
handler403 = "bcp_board.errors.forbidden"
handler404 = "bcp_board.errors.not_found"
handler500 = "bcp_board.errors.server_error"

urlpatterns = [
    path("", include("meetings.urls")),
    path("", include("recommendations.urls")),
    path("", include("visits.urls")),
    path("help/", views.help_page, name="help"),
    path("accessibility/", views.accessibility, name="accessibility"),
    path("healthz", views.healthz, name="healthz"),
    path("admin/", admin.site.urls),
]
