"""Pages of the board that are kept as they were rendered, until something changes that a page can show.

All that a page shows is named by the mark: the digest of the newest entry of the ledger, which stands for
every row and version before it, and the names and standing of the accounts, which no entry tells of. With the
day, the address and what the reader may do, the mark is the key of what is kept. So nothing has to be
thrown away in time: as soon as anything is added, by whatever path and in whatever process, the next request
asks for another key. Each worker keeps pages for itself, up to a limit, and loses them as it ends.

A page may be kept, and shared by all readers of a role, because it names no reader and carries no token. For
the same reason it may be compressed. Pages of work are neither, so this is asked for by each view, and never
the rule.

What pages are made of is kept too: how the board stood, which many of them show. How it stood in the past, as
was known then, stays so whatever is added, so that is kept for longer, and so are the parts of pages that
tell of nothing else, or of single entries.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sized
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, is_dataclass
from functools import cached_property, wraps
from threading import Lock
from typing import NamedTuple

from django.apps import apps
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.db.models import Q
from django.http import HttpResponse
from django.utils import timezone

from record import ledger
from record.as_at import AsAt
from record.compression import compress, compressed, put_compressed
from record.prepared import ask
from record.statements import statement_kinds

# How long readers wait for a page that another one's request is rendering, before they render it themselves.
WAIT_SECONDS = 10
# Of how the board stood; one takes about two megabytes where there are sixty actions. And rows of all these
# together, for where there are many: most of an action's kilobytes are shared by what tells of the same day.
MOST_POSITIONS, MOST_ROWS = 24, 10_000
# Letters of the parts of pages.
MOST_OF_PARTS = 4_000_000
# So many statements may have been added since a position was worked out for it to be renewed.
MOST_RENEWED = 20


@dataclass(frozen=True)
class Mark:
    """What names all that any page can show at one moment; ``past`` what names all that was known before it.

    Nothing is ever added to what was known before the newest entry: no later one has an earlier time, and
    only the first load of an empty record is known from earlier days. But words are erased, accounts change.
    ``goes_on`` says whether what an earlier mark named is there still: after a restore it may not be.
    """

    whole: str
    past: str
    newest: int
    digest: str
    goes_on: bool = field(default=True, compare=False)

    @classmethod
    def now(cls, *, since=None):
        """The mark of all that is there now, read in one statement; ``since`` is an earlier one."""
        entries, erasures = (
            connection.ops.quote_name(apps.get_model("record", name)._meta.db_table)
            for name in ("LedgerEntry", "Erasure")
        )
        with connection.cursor() as cursor:
            # The admin's log, so that an account which is renamed, and named back, while a page is rendered
            # leaves another mark.
            cursor.execute(
                f"SELECT (SELECT digest FROM {entries} WHERE sequence = %s), "
                f"(SELECT max(sequence) FROM {entries}), "
                f"(SELECT digest FROM {entries} ORDER BY sequence DESC LIMIT 1), "
                "(SELECT max(id) FROM django_admin_log), "
                f"(SELECT digest FROM {entries} WHERE sequence = 1), (SELECT max(id) FROM {erasures}), "
                "id, username, first_name, last_name, is_active FROM auth_user ORDER BY id",
                [since.newest if since else 0],
            )
            rows = cursor.fetchall()
        still, newest, digest, *_ = rows[0] if rows else (None, None, None)
        return cls(
            whole=_digest([row[1:] for row in rows]),
            past=_digest([row[4:] for row in rows]),
            newest=newest or 0,
            digest=digest or "",
            goes_on=not since or not since.newest or still == since.digest,
        )


def _digest(rows):
    return hashlib.sha256(repr(rows).encode()).hexdigest()


@dataclass(frozen=True)
class Page:
    """A page as it was rendered, compressed, with the styles that its policy allows, or None."""

    body: bytes
    content_type: str
    csp: dict | None

    @classmethod
    def of(cls, response):
        """That of ``response``, or None where it is no page: a redirect, an error at a field."""
        if response.status_code != 200:
            return None
        body = compressed(response.content)
        return cls(body, response.headers["Content-Type"], getattr(response, "csp", None))

    def response(self, request):
        """It as the answer to ``request``."""
        response = HttpResponse(content_type=self.content_type)
        if self.csp is not None:
            response.csp = self.csp
        return put_compressed(response, self.body, request)


class Rendering:
    """The rendering of one page under a mark, and the positions that it worked out."""

    def __init__(self, mark):
        self.mark, self.positions, self.parts, self._added = mark, {}, {}, {}

    @cached_property
    def until(self):
        """The time of the newest entry, before which nothing can become known any more, or None."""
        newest = ledger.newest()
        return newest and newest.recorded_at

    def position(self, worked_out, at, renewed):
        """What ``worked_out`` gives of ``at``: as it was kept, ``renewed`` from what was kept, or afresh."""
        key = (worked_out, at, self.mark.past)
        kept = self.positions.get(key) or shelf.position(key)
        if not kept or not kept.is_past and kept.mark != self.mark:
            found = None
            if kept and renewed and (added := self.statements_since(kept.mark)) is not None:
                found = renewed(kept.position, added, at)
            kept = Kept(self.mark, worked_out(at) if found is None else found, self.is_past(at))
        self.positions[key] = kept
        return kept.position

    def part(self, key, render, at):
        """What ``render`` gives, as it was kept under ``key`` or afresh: see ``kept_part``."""
        key = (key, self.mark.past)
        if found := self.parts.get(key) or shelf.part(key):
            return found
        part = render()
        if at is None or self.is_past(at):
            self.parts[key] = part
        return part

    def is_past(self, at):
        """Whether nothing added from now on can become known ``at``."""
        return at.known is not None and self.until is not None and at.known <= self.until

    def statements_since(self, mark):
        """The entries that were added since ``mark``, where all are of statements and few; else None."""
        if mark not in self._added:
            self._added[mark] = self._statements_since(mark)
        return self._added[mark]

    def _statements_since(self, mark):
        entries = apps.get_model("record", "LedgerEntry").objects.order_by("sequence")
        first, *added = entries.filter(sequence__gte=mark.newest)[: MOST_RENEWED + 1] or [None]
        kinds = {kind._meta.label_lower for kind in statement_kinds()}
        if first is None or (first.sequence, first.digest) != (mark.newest, mark.digest):
            return None
        if added[-1:] and added[-1].sequence < self.mark.newest or not {e.kind for e in added} <= kinds:
            return None
        return added


@dataclass(frozen=True)
class Kept:
    """What was worked out under a mark; ``is_past`` where nothing added later can change it."""

    mark: Mark
    position: object
    is_past: bool

    @cached_property
    def rows(self):
        """About how much it holds: as many rows as there are in the longest list of the position."""
        parts = vars(self.position).values() if is_dataclass(self.position) else [self.position]
        return max((len(part) for part in parts if isinstance(part, Sized)), default=0)


_rendering = ContextVar("the rendering that is under way", default=None)


def kept_position(worked_out=None, *, renewed=None):
    """Keep what the function ``worked_out`` gives of an AsAt, whatever page asks for it.

    Where nothing but a few statements was added since, ``renewed`` makes what it would give now of what it
    gave before, the entries of these statements and the AsAt; or gives None where it cannot.
    """
    if worked_out is None:
        return lambda worked_out: kept_position(worked_out, renewed=renewed)

    @wraps(worked_out)
    def given(at):
        rendering = _rendering.get()
        return rendering.position(worked_out, at, renewed) if rendering else worked_out(at)

    return given


class Part(NamedTuple):
    """A part of a page as it was rendered, and what the page has ``said`` by its end."""

    text: str
    said: tuple[frozenset, ...]


def kept_part(key, render, *, at=None):
    """The Part that ``render`` gives, kept under ``key``, which names all that it depends on.

    It is made of nothing but what was known ``at`` or, without that, of what never changes while names are
    the same and nothing is erased.
    """
    rendering = _rendering.get()
    return rendering.part(key, render, at) if rendering else render()


class Shelf:
    """What this process keeps: pages under the newest mark it knows, positions, and who renders what now."""

    def __init__(self):
        self._lock, self._rendering = Lock(), {}
        self.clear()

    def clear(self):
        with self._lock:
            self._mark, self._size, self._pages, self._positions = None, 0, OrderedDict(), OrderedDict()
            self._parts, self._size_of_parts, self._last = OrderedDict(), 0, None

    def now(self):
        """The Mark of now. All that is kept is thrown away where the record does not go on from it."""
        mark = Mark.now(since=self._last)
        if not mark.goes_on:
            self.clear()
        self._last = mark
        return mark

    def page(self, key):
        """The Page under ``key`` or None, the Future of one being rendered, and whether by us."""
        with self._lock:
            if page := _taken(self._pages, key):
                return page, None, False
            if future := self._rendering.get(key):
                return None, future, False
            future = self._rendering[key] = Future()
            return None, future, True

    def position(self, key):
        """The position under ``key``, or None."""
        with self._lock:
            return _taken(self._positions, key)

    def part(self, key):
        """The Part under ``key``, or None."""
        with self._lock:
            return _taken(self._parts, key)

    def rendered(self, key):
        """Note that the page under ``key`` is no more being rendered."""
        with self._lock:
            del self._rendering[key]

    def keep(self, rendering, key, page):
        """Keep ``page`` and no page of another mark, and what it is made of; the longest unread make room."""
        with self._lock:
            if rendering.mark != self._mark:
                self._mark, self._size = rendering.mark, 0
                self._pages.clear()
            if key not in self._pages:
                self._pages[key] = page
                self._size += _size(key, page)
            while self._size > settings.KEPT_PAGES_MEGABYTES * 2**20:
                self._size -= _size(*self._pages.popitem(last=False))
            self._keep_what_it_is_made_of(rendering)

    def keep_what_it_is_made_of(self, rendering):
        """Keep what ``rendering`` worked out, whose page itself is not kept."""
        with self._lock:
            self._keep_what_it_is_made_of(rendering)

    def _keep_what_it_is_made_of(self, rendering):
        self._positions |= rendering.positions
        rows = sum(kept.rows for kept in self._positions.values())
        # What is asked for now is last, and stays whatever its size, or nothing would be renewed any more.
        while len(self._positions) > MOST_POSITIONS or (
            rows > MOST_ROWS and len(self._positions) > len(rendering.positions)
        ):
            rows -= self._positions.popitem(last=False)[1].rows
        self._size_of_parts += sum(
            len(p.text) for key, p in rendering.parts.items() if key not in self._parts
        )
        self._parts |= rendering.parts
        while self._size_of_parts > MOST_OF_PARTS:
            self._size_of_parts -= len(self._parts.popitem(last=False)[1].text)


def _taken(shelf, key):
    """What is under ``key`` on a shelf, or None; it is now the last of it to make room."""
    if key in shelf:
        shelf.move_to_end(key)
    return shelf.get(key)


def _size(key, page):
    return len(page.body) + len(str(key)) + 1000  # of which the last is about what Python needs beside


shelf = Shelf()


def kept(view=None, *, by=None):
    """Keep the pages of ``view``, which depend on nothing but the record, the address and the day.

    ``by`` is a function of the request that gives what else of its reader they depend on, beside what those
    may do who work in the admin.
    """
    if view is None:
        return lambda view: kept(view, by=by)

    @wraps(view)
    def shown(request, *args, **kwargs):
        # A message is for one reader, once.
        if not settings.KEPT_PAGES_MEGABYTES or len(messages.get_messages(request)):
            return compress(view(request, *args, **kwargs), request)
        rendering = Rendering(shelf.now())
        key = (
            rendering.mark,
            request.as_at.today,
            request.path,
            request.META["QUERY_STRING"],
            rights_of(request.user),
            by and by(request),
        )
        page, future, is_ours = shelf.page(key)
        if is_ours:
            response, page = _render(rendering, key, future, lambda: view(request, *args, **kwargs))
            return page.response(request) if page else compress(response, request)
        page = page or _awaited(future)
        return page.response(request) if page else compress(view(request, *args, **kwargs), request)

    return shown


def rights_of(user):
    """All that somebody who works in the admin may do there, to which a page leads; None for a reader."""
    if not user.is_staff:
        return None
    return (
        "all"
        if user.is_superuser
        else frozenset(ask(_rights, AsAt.now(timezone.localdate()), keys=[user.pk]))
    )


@contextmanager
def positions_kept():
    """Take what positions are asked for inside the block from what is kept, and keep what is not there yet.

    It is for what is one person's, so that no page of it is kept.
    """
    if not settings.KEPT_PAGES_MEGABYTES:
        yield
        return
    rendering = Rendering(shelf.now())
    token = _rendering.set(rendering)
    try:
        yield
    finally:
        _rendering.reset(token)
    if Mark.now() == rendering.mark:
        shelf.keep_what_it_is_made_of(rendering)


def _rights(at, accounts):
    groups = User.groups.through.objects.filter(user__in=accounts).values("group")
    theirs = Group.permissions.through.objects.filter(group__in=groups).values("permission")
    own = User.user_permissions.through.objects.filter(user__in=accounts).values("permission")
    return Permission.objects.filter(Q(pk__in=theirs) | Q(pk__in=own)).order_by().values_list("pk", flat=True)


def _render(rendering, key, future, view):
    """The response that ``view`` gives, and its Page, which is kept where nothing was added meanwhile.

    Those who wait for it are given it all the same: the mark was the same still as they came.
    """
    token = _rendering.set(rendering)
    try:
        response = view()
        page = Page.of(response)
        if page and Mark.now() == rendering.mark:
            shelf.keep(rendering, key, page)
        future.set_result(page)
        return response, page
    except BaseException as error:
        future.set_exception(error)
        raise
    finally:
        _rendering.reset(token)
        shelf.rendered(key)


def _awaited(future):
    """The Page that another request renders: None if it takes too long, its error if that failed."""
    # So many may wait that they must not hold the connections which those who render need.
    connection.close_if_unusable_or_obsolete()
    try:
        return future.result(WAIT_SECONDS)
    except TimeoutError:
        return None
