"""Answers that are sent compressed: those in which there is no secret that their length could tell.

Whoever can have a page opened again and again with words of their own in its address, and can see how long
each answer is, learns of a secret on the page what those words have in common with it. So a page with a form
that is sent, and so a token, is never compressed, nor one that repeats what somebody typed.
"""

import gzip
import re
from functools import wraps

from django.utils.cache import patch_vary_headers

SMALLEST = 1024  # bytes; less gains nothing
UNDERSTOOD = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))", re.IGNORECASE)


def compressed(body):
    # A higher level takes twice as long for a tenth less.
    return gzip.compress(body, compresslevel=4, mtime=0)


def put_compressed(response, body, request):
    """Give ``response`` the compressed ``body`` or, where ``request`` does not know that, as it was."""
    patch_vary_headers(response, ("Accept-Encoding",))
    if UNDERSTOOD.search(request.headers.get("Accept-Encoding", "")):
        response.headers["Content-Encoding"] = "gzip"
        response.content = body
    else:
        response.content = gzip.decompress(body)
    return response


def compress(response, request):
    """``response``, compressed if that is worth it."""
    if len(response.content) < SMALLEST:
        return response
    return put_compressed(response, compressed(response.content), request)


def sent_compressed(view):
    """Compress what ``view`` answers, in which there is no secret."""

    @wraps(view)
    def shown(request, *args, **kwargs):
        return compress(view(request, *args, **kwargs), request)

    return shown
