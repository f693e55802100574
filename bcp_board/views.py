"""The site's own pages: help, accessibility, health and the contact for security reports."""

import datetime
import sqlite3
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.log import log_response
from django.views.decorators.http import require_safe

from recommendations.glossary import GLOSSARY
from recommendations.status import FLAGS, TABLE


@login_not_required
@require_safe
def help_page(request):
    """Say what each status commits us to, the rules we count by, and what the abbreviations mean."""
    days = settings.UPDATE_EVERY_DAYS
    context = {
        "statuses": TABLE,
        "flags": [(kind, flag, flag.means(update_every_days=days)) for kind, flag in FLAGS.items()],
        "update_every_days": days,
        "glossary": GLOSSARY,
    }
    return render(request, "help.html", context)


@login_not_required
@require_safe
def accessibility(request):
    """Show the accessibility statement."""
    return render(request, "accessibility.html")


@login_not_required
@require_safe
def healthz(request):
    """Answer 200 while the database answers and holds the record's tables, else 503."""
    asked = "SELECT 1 FROM django_migrations LIMIT 1"
    try:
        if connection.vendor == "sqlite":
            # Anew, because a file that was taken away goes on answering whoever still has it open.
            file = Path(connection.settings_dict["NAME"]).absolute().as_uri()
            with closing(sqlite3.connect(f"{file}?mode=ro", uri=True)) as anew:
                anew.execute(asked)
        with connection.cursor() as cursor:
            cursor.execute(asked)
    except (DatabaseError, sqlite3.Error) as error:
        response = HttpResponse("database unavailable\n", content_type="text/plain", status=503)
        log_response("", exception=error, request=request, response=response)
        return response
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
def security_txt(request):
    """Say where to report a weakness, in the form of RFC 9116."""
    contact = settings.SECURITY_CONTACT or request.build_absolute_uri("/help/#report-a-problem")
    expires = timezone.now() + datetime.timedelta(days=180)
    lines = (f"Contact: {contact}", f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}", "Preferred-Languages: en")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain")
