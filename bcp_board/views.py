"""The site's own pages: help, accessibility and the contact for security reports."""

import datetime

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from recommendations.exports import EXPORTS
from recommendations.glossary import GLOSSARY
from recommendations.status import FLAGS, TABLE
from recommendations.track_record import DAYS_BEFORE, FEWEST
from record.compression import sent_compressed


@login_not_required
@require_safe
@sent_compressed
def help_page(request):
    """Say what each status commits us to, the rules we count by, and what the abbreviations mean."""
    days = settings.UPDATE_EVERY_DAYS
    context = {
        "statuses": TABLE,
        "flags": [(kind, flag, flag.means(update_every_days=days)) for kind, flag in FLAGS.items()],
        "update_every_days": days,
        "remind_days_before": settings.REMIND_DAYS_BEFORE,
        "days_before": DAYS_BEFORE,
        "fewest": FEWEST,
        "glossary": GLOSSARY,
        "exports": EXPORTS.values(),
    }
    return render(request, "help.html", context)


@login_not_required
@require_safe
@sent_compressed
def tasks(request):
    """Say how each role does its month's work, a task at a time."""
    return render(request, "tasks.html")


@login_not_required
@require_safe
@sent_compressed
def accessibility(request):
    """Show the accessibility statement."""
    return render(request, "accessibility.html")


@login_not_required
@require_safe
def security_txt(request):
    """Say where to report a weakness, in the form of RFC 9116."""
    contact = settings.SECURITY_CONTACT or request.build_absolute_uri("/help/#report-a-problem")
    expires = timezone.now() + datetime.timedelta(days=180)
    lines = (f"Contact: {contact}", f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}", "Preferred-Languages: en")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain")
