"""The site's own pages: help, accessibility, health and the contact for security reports."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.shortcuts import render

from recommendations.statements import WORST_FIRST


@login_not_required
def help_page(request):
    """Say what each status commits us to, the rules we count by, and what the abbreviations mean."""
    context = {"statuses": WORST_FIRST, "update_every_days": settings.UPDATE_EVERY_DAYS}
    return render(request, "help.html", context)


@login_not_required
def accessibility(request):
    """Show the accessibility statement."""
    return render(request, "accessibility.html")


@login_not_required
def healthz(request):
    """Answer 200 while the database answers, else 503."""
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("database unavailable\n", content_type="text/plain", status=503)
    return HttpResponse("ok\n", content_type="text/plain")
