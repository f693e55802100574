"""The site with one address more, which fails."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path

from bcp_board.urls import *  # noqa: F403 (the handlers of errors are names in the module of addresses)
from bcp_board.urls import urlpatterns as site


@login_not_required
def fault(request):
    raise ValueError(request.GET["q"])


urlpatterns = [*site, path("fault/", fault)]
