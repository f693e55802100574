"""What the pages and the paper say the same way everywhere: statuses, flags, sources, links, text."""

import re
from functools import lru_cache

from django import template
from django.contrib.auth import get_permission_codename
from django.template.defaultfilters import linebreaksbr
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join

from recommendations.action_position import in_a_row
from recommendations.glossary import ABBREVIATIONS, WELL_KNOWN
from recommendations.status import FLAGS, ROWS
from recommendations.terms import TERMS
from record import rows
from record.dates import say_day, say_moment
from record.drawing import Shape
from record.kept import Part, kept_part
from record.texts import ended
from record.work import problems_in

register = template.Library()

# Every drawing that stands beside words: of the statuses, of the flags, and of what stands out otherwise.
SHAPES = {
    **{value: row.shape for value, row in ROWS.items()},
    **{value: flag.shape for value, flag in FLAGS.items()},
    "critical": Shape("M3 15.5V.5h11L11 5l3 4.5H5v6z", "filled"),
    "disagreement": Shape("M1.5 5.5h13M1.5 10.5h13M12 1L4 15", "line"),
}
SECTIONS = {
    "recommendation": "home",
    "action": "actions",
    "visit": "visits",
    "meeting": "meetings",
    "track_record": "trends",
}

LINK = re.compile(r"(https?://[^\s<>\"]*[^\s<>\"'.,;:!?)\]])")
# An abbreviation in brackets follows the words it stands for, so it needs no more.
TERM = re.compile(rf"(?<!\()\b({'|'.join(sorted(ABBREVIATIONS.keys() - WELL_KNOWN))})\b")


@register.simple_tag
def shape(name):
    """The drawing of the status, flag or mark ``name``."""
    return conditional_escape(SHAPES[name])


@register.simple_tag
def fill(status):
    """What the pattern of ``status`` in a chart repeats."""
    return ROWS[status].fill


@register.simple_tag
def term(name):
    """The words that every page has for ``name``."""
    return TERMS[name]


@register.simple_tag
def status_tag(status, link=True):
    """``status`` as every page shows it: its shape and its words, which lead to what it commits us to.

    Without ``link`` they lead nowhere, where so many of them would be in the way.
    """
    row = ROWS[status]
    return _tag(f"status-{status}", row.tone.value, row.shape, row.word, link=link)


@register.simple_tag
def flag_tag(words, name, link=True):
    """``words`` as every page shows the flag ``name``, with its drawing; with ``link`` to what it means."""
    return _tag(f"flag-{name}", f"flag tag--{name}", SHAPES[name], words, link=link)


@lru_cache(maxsize=256)
def _tag(anchor, tone, drawing, words, *, link):
    if not link:
        return format_html('<span class="tag tag--{}">{} {}</span>', tone, drawing, words)
    tag = '<a class="tag tag--{}" href="{}#{}">{} {}</a>'
    return format_html(tag, tone, reverse("help"), anchor, drawing, words)


@register.simple_tag
@lru_cache(maxsize=256)
def drawn_strip(strip, is_said=False):
    """The charts.Strip as a drawing; ``is_said`` where words beside it say the same.

    Most of those on a page are drawn as on the page before.
    """
    return render_to_string("charts/strip.html", {"strip": strip, "is_said": is_said})


@register.simple_tag
def how_it_stands(action, link=True):
    """The status of ``action`` with its flags beside it."""
    flags = (flag_tag(words, name, link) for name, words in action.flags.items())
    tags = [status_tag(action.status, link), *flags]
    return format_html('<span class="tags">{}</span>', format_html_join(" ", "{}", ((t,) for t in tags)))


@register.simple_tag
def known_later(at):
    """What became known only later than the AsAt asks of: "3 findings, 1 visit", or ""."""
    return ", ".join(rows.known_later(at))


@register.filter
def problems(form, whole):
    """The Problems of ``form``, or none without one; those of no one box lead to the id ``whole``."""
    return problems_in(form, whole) if form else []


@register.filter
def moment(at):
    """An aware datetime in London, in words; "" for None."""
    return say_moment(at) if at else ""


@register.filter
def after(text, words):
    """Put ``words`` before ``text``, punctuation and spaces included; "" where there is no text to follow."""
    return format_html("{}{}", words, text) if text else ""


@register.simple_tag(takes_context=True)
def past_part(context, template_name, *told):
    """The part ``template_name``, which tells of nothing but the position of ``at`` and what is ``told``."""
    return _part(context, template_name, (context["request"].path, *told), at=context["at"])


@register.simple_tag(takes_context=True)
def filter_form(context, filter):
    """The form of an ActionFilter. What progress is recorded changes nothing in it."""
    return _part(context, "recommendations/_filter_form.html", (filter.told, context["at"].query))


@register.simple_tag(takes_context=True)
def history_entry(context, entry):
    """A HistoryLine as history shows it."""
    # The day of a meeting may be put right, and what is said of a document may be corrected. After a restore
    # another entry may have the same key of a row, but was recorded at another moment.
    said_at, held_on = entry.signature.recorded_at, entry.meeting and entry.meeting.held_on
    link = "" if entry.superseded else put_right(context, entry.signature.row)
    key = (entry, said_at, held_on, context.get("show_action"), context["at"].query, link)
    is_kept = not entry.signature.source
    with context.push(entry=entry, put_right=link):
        return _part(context, "includes/entry.html", key, is_kept=is_kept)


@register.simple_tag(takes_context=True)
def put_right(context, row):
    """Lead those who may enter statements of the kind of ``row`` to where it is corrected and withdrawn.

    It goes by what their role may do, so that readers of a role can share a page; whether this one is theirs
    to put right is said where it leads. A page of a past day stays as it was, without it, as does one that is
    written to a file.
    """
    request, kind = context.get("request"), row._meta
    if request is None or request.as_at.is_past:
        return ""
    user, adds = request.user, f"{kind.app_label}.{get_permission_codename('add', kind)}"
    if not (user.is_staff and user.has_perm(adds)):
        return ""
    about, recorded = getattr(row.about, "ref", row.about), say_moment(row.recorded_at)
    return format_html(
        '<a class="govuk-link" href="{}">Correct or withdraw'
        '<span class="govuk-visually-hidden">: {} of <bdi>{}</bdi>, {}, recorded {}</span></a>',
        row.admin_address,
        kind.verbose_name,
        about,
        row.signature.dated,
        recorded,
    )


def _part(context, template_name, key, *, at=None, is_kept=True):
    """A part of this page. Which terms are spelled out in it depends on what the page has said above it."""
    said = [context.dicts[0].setdefault(what, set()) for what in ("terms_said", "documents_said")]

    def render():
        text = context.template.engine.get_template(template_name).render(context)
        return Part(text, tuple(map(frozenset, said)))

    key = (template_name, key, *map(frozenset, said))
    part = kept_part(key, render, at=at) if is_kept else render()
    for words, more in zip(said, part.said, strict=True):
        words |= more
    return part.text


@register.filter
def quoted(text):
    """Put ``text`` in quotation marks, its lines kept; say so where it is empty."""
    return format_html("“<bdi>{}</bdi>”", linebreaksbr(text)) if text else "empty"


@register.filter
def found_for(places, action):
    """The Places at which the words that were searched for stand in ``action``."""
    return (places or {}).get(action.pk, ())


@register.filter
def answering(records, numbers):
    """Those of the TrackRecords that are of the lead bodies of the recommendations with ``numbers``."""
    return records.of(numbers)


@register.simple_tag
def whose_dates(record):
    """Which actions have the dates of a TrackRecord, whoever owns them: they are not its body's own."""
    if not record.body:
        return TERMS["answering_findings"]
    inferred = f" {record.inferred_words}" if record.inferred else ""
    return format_html("{} <bdi>{}</bdi>{}", TERMS["answering"], record.body, inferred)


@register.simple_tag(takes_context=True)
def recorder(context, signature, on_behalf_of=""):
    """Say who recorded a statement, by the name of then, and on whose behalf if somebody else reported it.

    On a page about today the name that the account has now follows, where it is another.
    """
    is_past = context["at"].is_past
    now = "" if is_past or not signature.name_now else format_html(", now <bdi>{}</bdi>", signature.name_now)
    behalf = format_html(" on behalf of <bdi>{}</bdi>", on_behalf_of) if on_behalf_of else ""
    return format_html("Recorded by <bdi>{}</bdi>{}{}", signature.by, now, behalf)


@register.simple_tag(takes_context=True)
def title_day(context):
    """The past day that a page shows, as its title says it: ", as at 22 November 2022"; "" for today."""
    at = context.get("at")
    if not at or not at.is_past:
        return ""
    known = ", as it was known then" if at.known else ""
    return f", as at {say_day(at.day)}{known}"


@register.simple_tag(takes_context=True)
def board_url(context, name, *args):
    """The address of the page ``name`` on the day that this page is about."""
    at = context.get("at")
    return _address(name, *args) + (at.query if at else "")


@lru_cache(maxsize=2048)
def _address(name, *args):
    """The address of a page, which a long list asks for hundreds of times."""
    return reverse(name, args=args)


@register.simple_tag(takes_context=True)
def action_link(context, action):
    """Name ``action`` by its reference and title, and lead to its page."""
    url = board_url(context, "action", action.ref)
    name = (action.ref, action.title)
    link = format_html('<a class="govuk-link" href="{}">{}: <bdi>{}</bdi></a>', url, *name)
    return format_html("{}{}", link, corrected_on(action.corrections))


@register.simple_tag
def corrected_on(*edits):
    """When the last of ``edits``, lists of Edits, was made: " (corrected 27 November 2026)"; "" for none."""
    moments = [edit.at for some in edits for edit in some]
    if not moments:
        return ""
    day = say_day(timezone.localdate(max(moments)))
    return format_html(' <span class="corrected-on">(corrected {})</span>', day)


@register.filter
def said_before(change):
    """What a row said before an edit: "grade was “Inadequate”", or what it links to no more."""
    if not change.is_link:
        was = format_html("“<bdi>{}</bdi>”", change.excerpt) if change.was else "empty"
        return format_html("{} was {}", change.label, was)
    parts = (("taken off", change.left), ("added", change.joined))
    said = (
        format_html("{} {}", word, format_html_join(", ", "“<bdi>{}</bdi>”", ((n,) for n in rows.values())))
        for word, rows in parts
        if rows
    )
    return format_html("{}: {}", change.label, format_html_join(", ", "{}", ((part,) for part in said)))


@register.simple_tag(takes_context=True)
def named(context, action, plain=False):
    """Name ``action`` and, unless ``plain``, lead to its page."""
    if plain:
        return format_html("{}, <bdi>{}</bdi>", action.ref, action.title)
    return action_link(context, action)


@register.simple_tag(takes_context=True)
def ref_links(context, actions):
    """Lead to the page of each of ``actions`` from its reference."""
    rows = ((board_url(context, "action", action.ref), action.ref) for action in actions)
    return format_html_join(", ", '<a class="govuk-link" href="{}">{}</a>', rows)


@register.filter
def numbers(recommendations):
    """The numbers of ``recommendations`` as they read in a sentence: "1, 2 and 4"."""
    return in_a_row(recommendation.number for recommendation in recommendations)


@register.simple_tag(takes_context=True)
def answers(context, action):
    """Lead to each recommendation that ``action`` answers from its number."""
    rows = ((board_url(context, "recommendation", number), number) for number in action.recommendations)
    link = '<a class="govuk-link" href="{}"><span class="govuk-visually-hidden">Recommendation </span>{}</a>'
    return format_html_join(", ", link, rows) or "Ofsted’s findings only"


@register.simple_tag(takes_context=True)
def nav_link(context, name, text):
    """One link of the navigation, marked as current on its page and as active in its section."""
    match = getattr(context.get("request"), "resolver_match", None)
    here = match.url_name if match else ""
    current = "page" if here == name else "true" if SECTIONS.get(here) == name else "false"
    url = board_url(context, name)
    return format_html('<li><a href="{}" aria-current="{}">{}</a></li>', url, current, text)


register.filter(ended)


@register.simple_tag(takes_context=True)
def prose(context, text):
    """What someone wrote, made harmless: lines kept, addresses linked, terms spelled out."""
    parts = [_link(p) if i % 2 else _terms(context, p) for i, p in enumerate(LINK.split(text))]
    return format_html('<bdi class="prose">{}</bdi>', _joined(parts))


@register.simple_tag(takes_context=True)
def cell_line(context, cell, line):
    """One of the lines of a Cell; where it begins with an action, that leads to its page."""
    if not (cell.ref and line.startswith(f"{cell.ref} ")):
        return prose(context, line)
    link, rest = board_url(context, "action", cell.ref), prose(context, line.removeprefix(cell.ref))
    return format_html('<a class="govuk-link" href="{}">{}</a>{}', link, cell.ref, rest)


def _link(address, text=""):
    return format_html(
        '<a href="{}" rel="nofollow noreferrer" class="govuk-link">{}</a>', address, text or address
    )


def _terms(context, text):
    """``text`` with each abbreviation spelled out where the page first uses it."""
    # The lowest layer of a context lasts as long as the page.
    said = context.dicts[0].setdefault("terms_said", set())
    return _joined([_term(p, said) for p in TERM.split(text)])


def _joined(parts):
    """``parts`` in a row; mostly there is only one, and there are hundreds of such texts on a page."""
    return parts[0] if len(parts) == 1 else format_html_join("", "{}", ((part,) for part in parts))


def _term(text, said):
    if text not in ABBREVIATIONS or text in said:
        return text
    said.add(text)
    term = ABBREVIATIONS[text]
    link = format_html(
        '<a href="{}#{}" class="govuk-link">{}</a>', reverse("help"), term.anchor, term.expansion
    )
    return format_html("{} ({})", text, link)


@register.simple_tag(takes_context=True)
def source(context, found):
    """Where a fact comes from, in small print; a fact with no source says so."""
    if found is None:
        return format_html('<span class="source">Source: {}</span>', "no source recorded")
    is_link = found.url.startswith(("https://", "http://"))
    title = _link(found.url, found.title) if is_link else _terms(context, found.title)
    where = format_html(". <bdi>{}</bdi>", found.reference) if found.reference else ""
    cited = format_html("<cite><bdi>{}</bdi></cite>, {}{}", title, found.published, where)
    return format_html('<span class="source">Source: {}{}</span>', cited, _corrected_document(context, found))


def _corrected_document(context, found):
    """How the document of the Source ``found`` was corrected, where a page first cites it."""
    board = context.get("board")
    inspections = context.get("inspections") or (board and board.inspections)
    corrections = inspections.documents.get(found.key) if inspections else ()
    said = context.dicts[0].setdefault("documents_said", set())
    if not corrections or found.key in said:
        return ""
    said.add(found.key)
    return render_to_string("includes/corrected_document.html", {"corrections": corrections})
