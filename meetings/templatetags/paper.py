"""How a paper says what stands, who said so and where it comes from."""

import re
from dataclasses import replace
from functools import cache, lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join

from meetings.glance import papers_due
from recommendations.status import FLAGS, ROWS
from record.dates import say_day
from record.texts import ended

register = template.Library()
register.filter(papers_due)

PARAGRAPH = re.compile(r"\b[Pp]aragraph(s?)(?= [0-9])")
SIGNERS = {"Officer": "an officer", "Chair": "the Chair", "Secretariat": "the Secretariat"}


@register.filter
def cite(source, documents):
    """The number of a Source among ``documents`` and the place in it: "[2, Finance, para 3]"."""
    if source is None:
        return ""
    number = documents[replace(source, reference="")]
    if not source.reference:
        return f"[{number}]"
    place = PARAGRAPH.sub(r"para\1", source.reference)
    # "para 3" stays on one line.
    return f"[{number}, {re.sub(' (?=[0-9])', chr(0xA0), place)}]"


@register.filter
def of_ask(outcomes, ask):
    """What became of an Ask, its AskOutcome among ``outcomes``, or None."""
    return outcomes.get(ask.pk)


@register.filter
def cite_number(source, documents):
    """The number of a Source among ``documents``, without the place in it: "[2]"."""
    return cite(source and replace(source, reference=""), documents)


@register.simple_tag
@cache
def rating(status):
    """``status`` as a paper shows it: its shape and its words, with no box to cost space."""
    row = ROWS[status]
    return format_html('<strong class="rating">{} {}</strong>', row.shape, row.word)


@register.simple_tag
@lru_cache(maxsize=256)
def flagged(words, name):
    """``words`` as a paper shows the flag ``name``."""
    return format_html('<strong class="rating">{} {}</strong>', FLAGS[name].shape, words)


@register.simple_tag
def ratings(action):
    """The status of ``action`` with its flags below it."""
    rows = [(rating(action.status),), *((flagged(words, name),) for name, words in action.flags.items())]
    return format_html_join("", '<span class="row">{}</span>', rows)


@register.simple_tag
def ratings_in_line(action):
    """The status of ``action`` and its flags as a paper shows them, in a line."""
    rows = [(rating(action.status),), *((flagged(words, name),) for name, words in action.flags.items())]
    return format_html_join(", ", "{}", rows)


@register.simple_tag
def flags_in_line(action):
    """The flags of ``action`` as a paper shows them, a sentence each, before what is said of it."""
    rows = [(flagged(words, name),) for name, words in action.flags.items()]
    return format_html_join(" ", "{}.", rows)


@register.filter
def printed_for(paper, moves):
    """The day of its meeting that ``paper`` names, in words, where the meeting was moved since; else ""."""
    return next((day for edit, day in moves if edit.at > paper.published_at), "")


@register.filter
def of_key(found, key):
    return found.get(key, "")


@register.filter
def signed(signature):
    """Who stated something, by role: a paper names nobody."""
    if signature.source:
        return f"loaded from {signature.source.title}"
    return SIGNERS.get(signature.role) or signature.role or "an officer"


@register.filter
def by_role(edit):
    """Who made an Edit, by role: a paper names nobody."""
    return SIGNERS.get(edit.role) or edit.role or "the system"


@register.simple_tag
def corrected(edits):
    """What a row said before each of its ``edits``, and who made it and why; "" for none, as mostly."""
    return render_to_string("paper/_corrected.html", {"corrections": edits}) if edits else ""


@register.filter
def corrections_of(document, edits):
    """The Edits, among those of documents, of the one that a Source is from."""
    return edits.get(document.key)


@register.filter
def refs(rows):
    """The references of the actions in ``rows``, in a line."""
    return refs_of(row.action for row in rows)


@register.filter
def refs_of(actions):
    """The references of ``actions``, in a line."""
    return ", ".join(action.ref for action in actions)


@register.filter
def lower_first(value):
    """``value`` as it reads inside a sentence, with a small first letter."""
    text = str(value)
    return text[:1].lower() + text[1:]


@register.filter
def and_its_paper(meeting, at):
    """A meeting in words; of one whose paper showed an earlier day, the AsAt ``at``, with that day."""
    words = f"the meeting of {say_day(meeting.held_on)}"
    return words if at.day == meeting.held_on else f"{words} (from its paper, as at {say_day(at.day)})"


@register.filter
def why(update):
    """What a ProgressUpdate gives as the reason, and the step to recover, as far as a line holds them."""
    if not update.is_explained:
        return ended(in_a_line(update.narrative))
    recovery = f"To recover: {update.recovery_step}" if update.recovery_step else ""
    return ended(in_a_line(f"{ended(update.reason)}\n{recovery}"))


@register.filter
def numbers_in_words(wanted):
    """The numbers of some decisions in a row, Wanted: "D1 to D6"; "" for none."""
    names = [each.name for each in wanted]
    is_a_row = len(names) > 2 and wanted[-1].number - wanted[0].number == len(names) - 1
    return f"{names[0]} to {names[-1]}" if is_a_row else ", ".join(names)


# Where a sentence ends: after its full stop, where another begins with a capital.
SENTENCE_END = re.compile(r"(?<=[.!?])(?<!\b(?:Mr|Dr|St|No)\.)[”’\"')]*\s+(?=[“‘\"'(]*[A-Z])")
ONE_LINE = 110


@register.filter
@lru_cache(maxsize=1024)
def in_a_line(text):
    """The first sentences of ``text``, as many as a line holds and one at least; "[…]" if more was said."""
    text = text.replace("\n", " ").strip(" ")
    ends = [found.end() for found in SENTENCE_END.finditer(text)]
    if len(text) <= ONE_LINE or not ends:
        return text
    end = max((end for end in ends if end <= ONE_LINE), default=ends[0])
    return f"{text[:end].rstrip()} […]"
