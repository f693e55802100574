"""The pages of inspections and visits."""

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from record.kept import kept
from record.sources import age_in_words
from visits.position import inspection_position
from visits.timeline import inspection_timeline


@require_safe
@kept
def visits(request):
    """List inspections and visits with their judgements, and show the gaps in what is held."""
    position, day = inspection_position(request.as_at), request.as_at.day
    context = {
        "inspections": position,
        "timeline": inspection_timeline(position, as_at=day),
        "narrow_timeline": inspection_timeline(position, as_at=day, is_narrow=True),
        "age": age_in_words(position.sources, request.as_at),
    }
    return render(request, "visits/visits.html", context)


@require_safe
@kept
def visit(request, slug):
    """Show one inspection or visit: its judgements, its findings, and what others said of it."""
    position = inspection_position(request.as_at)
    found = next((v for v in position.visits if v.slug == slug), None)
    if found is None:
        gone = next((row for row in position.lost if getattr(row.row, "slug", None) == slug), None)
        if gone is None:
            raise Http404
        return render(request, "withdrawn.html", {"gone": gone})
    return render(request, "visits/visit.html", {"inspections": position, "visit": found})
