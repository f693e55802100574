"""The meeting-day sheet: a row for each thing that the board is asked, with what bears on it."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.http import Http404

from meetings.decided import Decided, agenda, places_of_reports
from meetings.decisions import KINDS, Wanted
from recommendations.action_position import ActionPosition
from recommendations.completions import completions_of
from recommendations.deciding import ACCEPT, reasons_against
from recommendations.due_dates import DueDate
from recommendations.lateness import DueLine
from recommendations.models import Action, ProgressUpdate
from recommendations.position import progress_position
from recommendations.terms import TERMS
from record.as_at import AsAt
from record.dates import say_moment
from record.held import next_meeting
from record.models import Ask, AskKind, Meeting
from record.prepared import ask
from record.statements import place_of
from record.texts import ended
from record.versions import read

REPORTS = 3


def may_decide(user):
    """Whether ``user`` decides for the board: the Chair and the Secretariat do."""
    return user.is_staff and user.has_perms(
        [ACCEPT, "recommendations.add_sendback", "recommendations.add_decision", "meetings.add_askoutcome"]
    )


TITLES = {"ask": TERMS["asked"], **KINDS}
OF_REPORTS = ("completion", "re-check")


@dataclass(frozen=True)
class Row:
    """One thing that the board is asked, under the ``name`` that it has on the paper, with what bears on it.

    ``about`` is the Ask, the proposed date, or the update that claims completion or was accepted. ``decided``
    is what this meeting decided of it; ``why_not`` why the person who looks may not decide it.
    ``asked_again`` is the Wanted under which a later meeting is asked for it, if it was reported again since.
    """

    kind: str
    pk: int
    name: str
    about: Ask | DueLine | ProgressUpdate | None
    action: ActionPosition | None = None
    decided: tuple[Decided, ...] = ()
    reports: tuple[ProgressUpdate, ...] = ()
    why_not: str = ""
    waits: bool = True
    asked_again: Wanted | None = None

    @property
    def slug(self):
        return f"{self.kind}-{self.pk}"

    @property
    def is_to_do(self):
        return self.waits and not self.decided and not self.why_not

    @property
    def is_decision(self):
        """Whether it is counted among the decisions wanted; some asks are only to note or to challenge."""
        return self.kind != "ask" or self.about.kind == AskKind.DECIDE

    @property
    def title(self):
        """What it is called where it is named alone: "D3, A05: The title of the action"."""
        about = self.about.text if self.kind == "ask" else f"{self.action.ref}: {self.action.title}"
        return f"{self.name}, {about}" if self.is_numbered else about

    @property
    def is_numbered(self):
        """Whether it has a number of its own, and is not called by its action alone."""
        return self.kind == "ask" or self.name != self.action.ref


@dataclass(frozen=True)
class Sheet:
    """The Rows of a meeting's sheet: what is asked in words, then by the numbers of the decisions.

    ``next_meeting`` is the one to come that is asked for what its rows say is asked again, or None.
    """

    rows: tuple[Row, ...]
    next_meeting: Meeting | None

    @property
    def kinds(self):
        """(what is asked for, its Rows), for each kind of which there are any."""
        found = defaultdict(list)
        for row in self.rows:
            found[row.kind].append(row)
        return [(TITLES[kind], kind, found[kind]) for kind in TITLES if found[kind]]

    @property
    def left_words(self):
        """How many of its rows are still to do: "5 of 7 decisions and 2 of 2 other asks"."""
        kinds = {True: ("decision", "decisions"), False: ("other ask", "other asks")}
        counted = []
        for is_decision, words in kinds.items():
            rows = [row for row in self.rows if row.is_decision == is_decision]
            left = sum(row.is_to_do for row in rows)
            counted += [f"{left} of {len(rows)} {words[len(rows) != 1]}"] if rows else []
        return " and ".join(counted)

    @property
    def to_do(self):
        return [row for row in self.rows if row.is_to_do]

    def row(self, slug):
        """The Row of that ``slug``, or None."""
        return next((row for row in self.rows if row.slug == slug), None)

    def next_after(self, row):
        """The next Row to decide after ``row``, the first of all at the end, or None."""
        place = self.rows.index(row)
        return next((row for row in self.rows[place + 1 :] + self.rows[:place] if row.is_to_do), None)


def why_gone(meeting, slug):
    """Why the row of ``slug`` is not on the sheet: who withdrew it; a 404 where it never was one."""
    kind, _, pk = slug.rpartition("-")
    if kind == "ask":
        found = Ask.objects.filter(pk=pk, meeting=meeting.pk, is_withdrawn=True).first()
    elif kind in TITLES:
        key = f"{kind} {pk}"
        found = Action.objects.filter(pk=_actions_of([key]).get(key), is_withdrawn=True).first()
    else:
        found = None
    if found is None:
        raise Http404
    last = found.history.filter(is_withdrawn=True).order_by("-history_id").first()
    return (
        f"The {found._meta.verbose_name} was withdrawn on {say_moment(last.history_date)} by {last.signed}: "
        f"{ended(last.history_change_reason)} Nothing was saved about it. What you typed is below."
    )


def sheet_of(meeting, user, at, *, sent=""):
    """The Sheet of ``meeting`` for ``user``, in a fixed number of queries. ``at`` is today.

    Once its day is over it has what was asked by then, of which some may wait no more. The row whose slug was
    ``sent`` is on it even where it has lost its number since it was opened.
    """
    board = progress_position(AsAt(at.today, min(at.today, meeting.held_on), None))
    on_it = agenda(meeting, board, at)
    waiting = {wanted.key: wanted for wanted in on_it.decisions.all}
    still, to_come = waiting, None
    if board.at.day < at.today:
        to_come = next_meeting(at)
        still = {wanted.key: wanted for wanted in agenda(to_come, progress_position(at), at).decisions.all}
    by_pk = {action.pk: action for action in board.actions}
    decided = defaultdict(list)
    for each in on_it.decided:
        if each.key and not each.superseded:
            decided[each.key].append(each)
    numbers = dict(sorted(on_it.decisions.numbers.items(), key=lambda pair: pair[1]))
    sent_kind, _, sent_pk = sent.rpartition("-")
    sent_key = _key_of(sent_kind, sent_pk, at) if sent_kind in TITLES.keys() - {"ask"} else ""
    if sent_key:
        numbers.setdefault(sent_key, None)
    owners = _actions_of(set(numbers) - set(waiting))
    actions = {key: wanted.action for key, wanted in waiting.items()}
    actions |= {key: by_pk[pk] for key, pk in owners.items() if pk in by_pk}
    reports, why = _last_reports(actions.values(), at), reasons_against(user, actions.values(), at)
    rows = _asked(on_it)
    for key, number in numbers.items():
        if key not in actions:  # withdrawn since
            continue
        kind, pk = key.split(" ")
        action, wanted = actions[key], waiting.get(key)
        newest = action.update.pk if wanted and kind in OF_REPORTS else int(pk)
        # Whoever opened it before a word was put right decides nothing about words that they have not read.
        opened = int(sent_pk) if key == sent_key else newest
        now = still.get(key)
        is_asked_again = bool(wanted and now and kind == "completion" and now.action.update.pk != newest)
        rows.append(
            Row(
                kind=kind,
                pk=opened,
                name=f"D{number}" if number else action.ref,
                about=wanted and (wanted.proposal or (action.due if kind == "late" else action.update)),
                action=action,
                decided=tuple(decided[key]),
                reports=tuple(reports[action.pk]),
                why_not=why.get(action.pk, ""),
                waits=now is not None and wanted is not None and opened == newest and not is_asked_again,
                asked_again=now if is_asked_again else None,
            )
        )
    order = list(TITLES)
    return Sheet(tuple(sorted(rows, key=lambda row: order.index(row.kind))), to_come)


def _asked(on_it):
    outcomes = on_it.outcomes
    return [
        Row(
            kind="ask",
            pk=each.pk,
            name=f"Ask {number}",
            about=each,
            decided=(Decided(outcomes[each.pk], None),) if each.pk in outcomes else (),
        )
        for number, each in enumerate(on_it.asks, start=1)
    ]


def _key_of(kind, pk, at):
    """The key of the decision on what has the key ``pk``; of a report it names the place."""
    if kind == "completion" and (completion := completions_of([int(pk)], at).get(int(pk))):
        return f"{kind} {completion.place}"
    places = dict(ask(places_of_reports, at, keys=[int(pk)])) if kind in OF_REPORTS else {}
    return f"{kind} {places.get(int(pk), pk)}"


def _actions_of(keys):
    """{key of a decision: the key of its action}."""
    found = {}
    for model, kinds in ((DueDate, ("date", "late")), (ProgressUpdate, OF_REPORTS)):
        # One date may have been asked for, and be late by now: two decisions of one key.
        pks = {key: int(key.split(" ")[1]) for key in keys if key.split(" ")[0] in kinds}
        if pks:
            actions = dict(model.objects.filter(pk__in=pks.values()).values_list("pk", "action"))
            found |= {key: actions.get(pk) for key, pk in pks.items()}
    return found


def _last_reports(actions, at):
    """{key of an action: its last reports, the newest first}."""
    newest_first = [F("dated_first").desc(), place_of(ProgressUpdate).desc(), F("pk").desc()]
    place = Window(RowNumber(), partition_by=F("action"), order_by=newest_first)
    rows = ProgressUpdate.objects.standing(at).filter(action__in={action.pk for action in actions})
    rows = rows.annotate(place=place).filter(place__lte=REPORTS).newest_first()
    found = defaultdict(list)
    for report in read(rows, at, "document"):
        found[report.action_id].append(report)
    return found
