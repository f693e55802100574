"""The status paper: what it says, how it is printed, and how it is frozen."""

import base64
import datetime
import hashlib
import re
from collections import defaultdict, namedtuple
from dataclasses import dataclass, replace
from functools import cached_property
from html import unescape
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

from meetings.changes import Changes, Unchanged, changes_since, unchanged
from meetings.decided import agenda
from meetings.decisions import Decisions
from meetings.glance import Glance, glance, papers_due
from meetings.last_decided import LastDecided, last_decided
from meetings.outcomes import AskOutcome
from meetings.sheets import packed, pieces_of, sheets_of
from recommendations import charts
from recommendations.action_position import ActionPosition
from recommendations.board import BoardPosition, RecommendationPosition
from recommendations.glossary import ABBREVIATIONS
from recommendations.position import board_position
from recommendations.status import FLAGS, STATUS_WORDS, TABLE, Status
from recommendations.terms import TERMS
from recommendations.track_record import TrackRecords, track_records
from record import ledger
from record.as_at import AsAt
from record.dates import say_day, say_moment
from record.edits import edits_of
from record.held import cancelled_before, meetings_held, went_out
from record.models import Ask, Demonstration, Meeting

HEADING = re.compile(r'<h2 id="([\w-]+)">(.*?)</h2>', re.DOTALL)
STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)
# A whole word, its letters first: looked for from "\b" on, they took a tenth of the time of a paper.
SAID = {short: re.compile(rf"{short}(?<!\w{short})\b") for short in ABBREVIATIONS}

RecommendationRow = namedtuple("RecommendationRow", "recommendation direction strip")


def recommendation_rows(board, changes):
    """Each recommendation of ``board`` with its direction since the last meeting, a word or ""."""
    return [
        RecommendationRow(r, changes.direction(r.number) if changes else "", charts.strip(r.actions))
        for r in board.recommendations
    ]


@dataclass(frozen=True)
class StatusPaper:
    """Everything that the status page or a paper shows of the board at ``at``. ``meeting`` may be None.

    ``outcomes`` are {key of one of its ``asks``: what became of it}, so that what was answered is asked no
    more. ``changes`` are those since the meeting before, None if there was none, and ``last`` what that one
    decided; ``unchanged`` the actions that have not moved for some meetings; ``months`` the statuses of
    twelve months.
    """

    at: AsAt
    meeting: Meeting | None
    asks: tuple[Ask, ...]
    outcomes: dict[int, AskOutcome]
    meeting_before: Meeting | None
    last: LastDecided | None
    board: BoardPosition
    changes: Changes | None
    unchanged: tuple[Unchanged, ...]
    months: charts.MonthlyStatuses | None
    glance: Glance
    decisions: Decisions
    records: TrackRecords
    sheet: "Sheet"
    update_every_days: int
    has_annex: bool

    @property
    def stylesheet(self):
        return stylesheet()

    @property
    def cells(self):
        """The four cells; what hangs on a critical recommendation stands by itself, below the ten."""
        nearer = [replace(c, lines=c.lines[:-1] or c.lines) for c in self.glance.critical]
        return (self.glance.judgement, *nearer, self.glance.since, self.glance.coming)

    @property
    def answered(self):
        """Those of the asks of which it is recorded what became of them."""
        return [ask for ask in self.asks if ask.pk in self.outcomes]

    @property
    def covering_note(self):
        """The covering note in pieces that may stand on different sheets."""
        return [line for line in (self.meeting.covering_note if self.meeting else "").splitlines() if line]

    @cached_property
    def reported_by(self):
        """{the role that owns them: what was Received on their actions} since the last meeting, by role."""
        owners = defaultdict(list)
        for each in sorted(self.changes.received, key=lambda each: (each.action.owner_role, each.action.ref)):
            owners[each.action.owner_role].append(each)
        return dict(owners)

    @cached_property
    def differences_made(self):
        """The actions of which a report since the last meeting says what is better for children, by role."""
        received = self.changes and {told.id for each in self.changes.received for told in each.updates}
        found = (
            action
            for action in self.board.reported
            if action.claim and (received is None or action.claim.pk in received)
        )
        return sorted(found, key=lambda action: (action.owner_role, action.ref))

    @cached_property
    def moved(self):
        """The due dates that moved otherwise than by a decision of the last meeting, which is told apart."""
        told = self.last.proposals
        return [each for each in self.changes.moved if not (each.action.due and each.action.due.pk in told)]

    @cached_property
    def refused(self):
        """The refusals that the last meeting did not decide."""
        return [each for each in self.changes.refused if each.line.pk not in self.last.proposals]

    @cached_property
    def sent_back(self):
        """What was sent back otherwise than by the last meeting, unless it stands above as awaited."""
        return [s for s in self.changes.sent_back if s.since and s.line.pk not in self.last.sent_back]

    @cached_property
    def change_groups(self):
        return change_groups(self.changes) if self.changes else ()

    @cached_property
    def sentences(self):
        return position_in_words(self.board, update_every_days=self.update_every_days)

    @cached_property
    def latest_findings(self):
        return findings_by_kind(self.board.inspections.latest_visit)

    @cached_property
    def never_reported(self):
        return never_reported_groups(self.board)

    @cached_property
    def exceptions(self):
        """The exceptions that no decision is asked for on."""
        decided = {wanted.action.pk for wanted in self.decisions.all}
        return [action for action in self.board.exceptions if action.pk not in decided]

    @cached_property
    def others(self):
        """The actions that are neither exceptions nor never reported on."""
        return [a for a in self.board.actions if not a.is_exception and not a.is_never_reported]

    @cached_property
    def slippage(self):
        return charts.slippage(self.board)

    @cached_property
    def documents(self):
        return documents_cited(self.board)

    @property
    def rating_key(self):
        return [(row.value, row.meaning) for row in TABLE]

    @property
    def flag_key(self):
        days = self.update_every_days
        return [(kind, flag, flag.means(update_every_days=days)) for kind, flag in FLAGS.items()]


def edits_of_meeting(meeting, at):
    """The Edits of ``meeting`` and of what is asked at it that are known, the oldest first."""
    own, asked = edits_of(Meeting, at), edits_of(Ask, at)
    of_asks = [edit for key in meeting.asks.values_list("pk", flat=True) for edit in asked.get(key)]
    return tuple(sorted((*own.get(meeting.pk), *of_asks), key=lambda edit: edit.at))


def moves_of(edits):
    """Pairs of an Edit and of the day before it, for those of ``edits``, of a meeting, that moved it."""
    return [(edit, day.was) for edit in edits if (day := edit.change("held_on"))]


def moved_from(meeting, at):
    """The day from which ``meeting``, which may be None, was moved last, in words; "" where it never was."""
    moves = moves_of(edits_of(Meeting, at).get(meeting.pk)) if meeting else []
    return moves[-1][1] if moves else ""


def glance_of(board, *, coming, in_its_paper=False, **told):
    """The Glance of ``board`` with what is told of the meeting ``coming``; ``told`` is the rest of it.

    ``in_its_paper`` it does not say when the papers of that meeting go out: whoever reads it has one.
    """
    at = board.at
    is_told = coming and not in_its_paper
    return glance(
        board,
        coming=coming,
        papers=papers_due(coming, at, went_out(coming, at)) if is_told else "",
        moved_from=moved_from(coming, at),
        cancelled=cancelled_before(coming, at),
        **told,
    )


def status_paper(at, *, meeting, asks=(), is_draft=False, version=None, published_at=None, has_annex=False):
    """The StatusPaper at ``at`` for ``meeting``, which may be None.

    ``asks`` are what its board is asked to do. A published one has a ``version`` and a moment
    ``published_at``. With ``has_annex`` what is only looked up follows.
    """
    board = board_position(at)
    # A published one counts all that there is, so that it follows in the chain on what it prints.
    newest = ledger.newest(None if version else at.known)
    earlier = meetings_held(at, before=meeting)
    changes, before = changes_since(board, earlier), earlier[0] if earlier else None
    on_it = agenda(meeting, board, at)
    wanted = on_it.decisions
    return StatusPaper(
        at=at,
        meeting=meeting,
        asks=asks,
        outcomes=on_it.outcomes,
        meeting_before=before,
        last=last_decided(before, board, at),
        board=board,
        changes=changes,
        unchanged=unchanged(board, earlier) if has_annex else (),
        months=charts.monthly_statuses(at) if has_annex else None,
        glance=glance_of(
            board,
            changes=changes,
            before=before,
            coming=meeting,
            decisions=wanted,
            in_its_paper=bool(version or is_draft),
        ),
        decisions=wanted,
        records=track_records(board),
        sheet=Sheet(
            board_name=settings.BOARD_NAME,
            marking=settings.MARKING,
            as_at=at.day,
            published_at=published_at,
            record=extent(newest),
            anchor=ledger.anchor_of(newest),
            is_draft=is_draft,
            is_demonstration=Demonstration.objects.exists(),
            version=version,
        ),
        update_every_days=settings.UPDATE_EVERY_DAYS,
        has_annex=has_annex,
    )


def extent(newest):
    """How far the record goes, in words, up to its newest LedgerEntry, or None: never when it is printed."""
    if newest is None:
        return "Nothing is recorded yet"
    return f"Record up to entry {newest.sequence}, of {say_moment(newest.recorded_at)}"


@dataclass(frozen=True)
class Sheet:
    """What stands at the head and foot of every printed sheet, so that one found alone explains itself."""

    board_name: str
    marking: str
    as_at: datetime.date
    published_at: datetime.datetime | None
    record: str
    anchor: ledger.Anchor
    is_draft: bool
    is_demonstration: bool
    version: int | None

    @property
    def title(self):
        if self.version:
            return f"{TERMS['status_paper']}, version {self.version}"
        return f"{TERMS['status_paper']}, draft" if self.is_draft else TERMS["status"]

    @property
    def warnings(self):
        """What must not be overlooked on any sheet: that it is a draft, or all invented."""
        warnings = ["DRAFT"] if self.is_draft else []
        return warnings + (["DEMONSTRATION: invented progress"] if self.is_demonstration else [])

    @property
    def foot(self):
        """What says which position the sheet shows, and how far the record goes."""
        published = f" Published {say_moment(self.published_at)}." if self.version else ""
        return (
            f"{self.title}. As at {say_day(self.as_at)}.{published} "
            f"{self.record}, ending {self.anchor.digest[-8:]}."
        )


def number_of(count, one, many):
    """``count`` with the words for one or for more: "1 is overdue", "none are overdue"."""
    return f"{count or 'none'} {one if count == 1 else many}"


def position_in_words(board, *, update_every_days):
    """How ``board`` stands in sentences of its own figures."""
    if not board.actions:
        return ("There are no actions.",)
    actions, misses = len(board.actions), sum(a.misses for a in board.actions)
    late = sum(a.misses > 0 for a in board.actions)
    at_least = any(a.earlier_misses for a in board.actions)
    unheard = f"gone more than {update_every_days} days without an update"
    untold = sum(a.untold for a in board.actions)
    sentences = [
        f"There {'is' if actions == 1 else 'are'} {number_of(actions, 'action', 'actions')}, "
        f"of which {number_of(len(board.open), 'is', 'are')} open.",
        f"Of these, {number_of(len(board.overdue), 'is', 'are')} overdue, "
        f"{number_of(len(board.off_track), 'is', 'are')} off track, "
        f"{number_of(len(board.at_risk), 'is', 'are')} at risk, "
        f"{number_of(len(board.stale), 'has', 'have')} {unheard}, "
        f"and {number_of(len(board.never_reported), 'has', 'have')} not yet been reported on at all.",
        f"{'At least ' if at_least else ''}{number_of(misses, 'deadline has', 'deadlines have')} been "
        f"missed, on {number_of(late, 'action', 'actions')}."
        if misses
        else "No deadline is known to have been missed.",
    ]
    if untold:
        sentences.append(
            f"{number_of(untold, 'date', 'dates')} passed with nothing reported, so nobody can say "
            f"whether {'it was' if untold == 1 else 'they were'} met."
        )
    return tuple(sentence[0].upper() + sentence[1:] for sentence in sentences)


@dataclass(frozen=True)
class NeverReported:
    """The actions of one recommendation (None: of none) that nobody has yet reported on."""

    recommendation: RecommendationPosition | None
    actions: tuple[ActionPosition, ...]


def never_reported_groups(board):
    """A NeverReported for each recommendation that has any, then one for actions under none."""
    groups = [NeverReported(r, r.never_reported) for r in board.recommendations]
    alone = tuple(a for a in board.never_reported if not a.recommendations)
    return tuple(group for group in [*groups, NeverReported(None, alone)] if group.actions)


ChangeGroup = namedtuple("ChangeGroup", "title changes")


def change_groups(changes):
    """The Changes under a heading each, worst first, empty ones left out."""
    groups = (
        ("Newly overdue", changes.newly_overdue),
        ("Worse", changes.worsened),
        ("Reopened", changes.reopened),
        ("Improved", changes.improved),
        (STATUS_WORDS[Status.COMPLETE], changes.completed),
        (STATUS_WORDS[Status.EMBEDDED], changes.embedded),
        (STATUS_WORDS[Status.CLOSED], changes.closed),
        ("First reports", changes.first_reports),
        ("New", changes.added),
    )
    return tuple(ChangeGroup(title, rows) for title, rows in groups if rows)


FindingGroup = namedtuple("FindingGroup", "title findings")


def findings_by_kind(visit):
    """The findings of ``visit`` (it may be None) by kind, those of others than inspectors apart."""
    if visit is None:
        return ()
    found, said = defaultdict(list), defaultdict(list)
    for finding in visit.findings:
        if finding.is_claim:
            said[f"{finding.attribution_words} says"].append(finding)
        else:
            found[f"Ofsted: {finding.kind_words.lower()}"].append(finding)
    return tuple(FindingGroup(title, rows) for title, rows in (found | said).items())


def documents_cited(board):
    """{source without its place: its number} for every document that a fact on ``board`` is from."""
    documents = {replace(source, reference="") for source in board.sources}
    in_order = sorted(documents, key=lambda d: (d.published.first, d.title))
    return {document: number for number, document in enumerate(in_order, 1)}


def render_paper(paper):
    """The bytes of a StatusPaper: whole in themselves, with no name or form."""
    sheets = laid_out(paper)
    context = {"paper": paper, "sheets": sheets, "contents": contents_of(sheets)}
    return render_to_string("meetings/paper.html", context).encode()


def contents_of(sheets):
    """(place, words, number of its sheet) for each heading of the second level on ``sheets``, in order."""
    return [
        (place, unescape(strip_tags(words)).strip(), number)
        for number, sheet in enumerate(sheets, 1)
        for place, words in HEADING.findall(sheet)
    ]


def laid_out(paper):
    """The HTML of each sheet of a StatusPaper, below its head."""
    names = ("first", "rest", "annex", "_key") if paper.has_annex else ("first", "rest", "_key")
    *parts, key = (render_to_string(f"paper/{name}.html", {"paper": paper}) for name in names)
    # The key is at the foot of the first sheet where it fits there, and after everything else where not.
    head, foot = pieces_of(parts[0]), pieces_of(key)
    first, with_key = packed(head), packed([*head, *foot])
    if len(with_key) == len(first):
        first = with_key
    else:
        parts[1] += key
    text = " ".join([paper.sheet.board_name, *parts, key])
    terms = [f"{short}: {ABBREVIATIONS[short].expansion}" for short in SAID if SAID[short].search(text)]
    parts[1] += render_to_string("paper/_abbreviations.html", {"terms": terms})
    return [SafeString(sheet) for sheet in (*first, *sheets_of(parts[1:]))]


def stylesheet():
    """Our compiled stylesheet, as it goes into a paper."""
    path = finders.find("bcp_board/board.css")
    # Our own file, built from our own sources: it may go into the page as it is.
    return SafeString(Path(path).read_text(encoding="utf-8"))


def style_source(body):
    """The source expression that lets a browser use the stylesheet in the bytes of a paper."""
    styles = STYLE.search(body)
    digest = hashlib.sha256(styles[1] if styles else b"").digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
