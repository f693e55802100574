"""The decisions that a meeting is asked for, numbered D1 to Dn, on its paper and wherever they are listed.

A published paper keeps the numbers that it printed. Whatever is asked for later follows on, and the number of
what is settled goes to nothing else, so that everybody at the table means the same thing by D7.
"""

from dataclasses import dataclass
from functools import cached_property

from django.db.models import OuterRef

from recommendations.action_position import ActionPosition
from recommendations.board import decisions_wanted
from recommendations.completions import completions_of
from recommendations.due_dates import DueDate
from recommendations.lateness import DueLine
from recommendations.models import ProgressUpdate
from recommendations.status import ACCEPTED, OPEN, Status
from recommendations.terms import TERMS
from record.dates import end_of, start_of
from record.held import published_by
from record.models import Ask, Meeting
from record.prepared import ask
from record.statements import first_of
from record.versions import recorded, rows_of

# {what a key begins with: how papers and pages head the decisions of that kind}
KINDS = {
    "date": f"A. {TERMS['dates_asked']}",
    "completion": f"B. {TERMS['completions']}",
    "re-check": f"C. {TERMS['rechecks']}",
    "late": f"D. {TERMS['late']}",
}


@dataclass(frozen=True)
class Wanted:
    """One decision that is asked for, on ``action``; ``proposal`` is the date asked for, if it is on one.

    ``key`` is the same wherever this decision is listed, and on no other. Of a report it names the place, of
    a completion that of the first report that claims it: a word put right, or one more report that it is
    done, asks for nothing new.
    """

    number: int
    key: str
    action: ActionPosition
    proposal: DueLine | None = None

    @property
    def name(self):
        return f"D{self.number}"


@dataclass(frozen=True)
class Decisions:
    """The decisions asked for, by what they are on, each kind in the order of its numbers.

    ``settled`` are the numbers of what is asked for no more, and ``sent_back`` the actions of which evidence
    is awaited: no decision is wanted on those yet. ``asks`` are those that are to be decided and are not yet.
    """

    dates: tuple[Wanted, ...]
    completions: tuple[Wanted, ...]
    rechecks: tuple[Wanted, ...]
    late: tuple[Wanted, ...]
    settled: dict[str, int]
    sent_back: tuple[ActionPosition, ...]
    asks: tuple[Ask, ...]

    @property
    def all(self):
        return self.dates + self.completions + self.rechecks + self.late

    @property
    def waiting(self):
        """Those that somebody asked for, or that a day set for them has brought: all but the late."""
        return self.dates + self.completions + self.rechecks

    def __len__(self):
        """How many decisions are wanted, wherever that is said: those with a number, and the asks."""
        return len(self.all) + len(self.asks)

    @property
    def counted(self):
        """How many they are: "7 decisions"; "no decisions"."""
        return f"{len(self) or 'no'} decision{'' if len(self) == 1 else 's'}"

    @property
    def words(self):
        """How many of each kind: "1 ask, 6 dates, 2 late without a new date"; "" for none."""
        late = "late without a new date"
        kinds = (
            (self.asks, "ask", "asks"),
            (self.dates, "date", "dates"),
            (self.completions, "completion", "completions"),
            (self.rechecks, "re-check", "re-checks"),
            (self.late, late, late),
        )
        return ", ".join(
            f"{len(rows)} {one if len(rows) == 1 else more}" for rows, one, more in kinds if rows
        )

    @cached_property
    def numbers(self):
        """{key: number} of these and of those that an earlier paper numbered."""
        return self.settled | {wanted.key: wanted.number for wanted in self.all}

    @property
    def kinds(self):
        """(what is asked for, its Wanted) of every kind, those that nothing is asked for among them."""
        return zip(KINDS.values(), (self.dates, self.completions, self.rechecks, self.late), strict=True)


def decisions_of(board, at, *, numbers, settled=(), asks=(), noted=()):
    """The Decisions that ``board``, an ActionGroup, asks for ``at``; ``numbers`` are those given already.

    ``settled`` is {key: when it was asked for} of what was decided since, and ``asks`` are those to decide.
    ``noted`` are the keys of the late ones of which this meeting said that it sets no new date: it is asked
    for them no more, though the next one is. Where numbers are given, others follow on in the order in which
    they came to be asked for, which nothing that is decided or reported later changes.
    """
    waiting = decisions_wanted(board.actions)
    dates = [(f"date {line.pk}", line, action, line) for action, line in waiting.proposals]
    completions = [(f"completion {a.completion.place}", a.update, a, None) for a in waiting.to_accept]
    rechecks = [(f"re-check {a.update.place}", a.update, a, None) for a in waiting.to_recheck]
    late = [(f"late {a.due.pk}", a.due, a, None) for a in late_without_a_date(board)]
    late = [found for found in late if found[0] not in noted]
    asked = {key: row.recorded_at for key, row, _, _ in (*dates, *completions)}
    asked |= {key: due_for_recheck_since(row) for key, row, _, _ in rechecks}
    asked |= {key: row.recorded_at for key, row, _, _ in late}
    given = dict(numbers)
    new = [key for key in {**dict(settled), **asked} if key not in given]
    if given:
        when = {**asked, **dict(settled)}
        when |= _late_since([key for key in new if key.startswith("late ")], at)
        new.sort(key=lambda key: (when[key], key))
    for key in new:
        given[key] = max(given.values(), default=0) + 1

    def in_order(found):
        wanted = [Wanted(given[key], key, action, proposal) for key, _, action, proposal in found]
        return tuple(sorted(wanted, key=lambda each: each.number))

    return Decisions(
        dates=in_order(dates),
        completions=in_order(completions),
        rechecks=in_order(rechecks),
        late=in_order(late),
        settled={key: number for key, number in given.items() if key in numbers or key not in asked},
        sent_back=waiting.sent_back,
        asks=tuple(asks),
    )


def due_for_recheck_since(accepted):
    """When the board came to be asked whether what is ``accepted`` has held: on the day set for that."""
    return max(accepted.recorded_at, start_of(accepted.recheck_on))


def _late_since(keys, at):
    """{key of a decision on a late action: when it came to be asked for}, for those of ``keys``.

    That is once its date had passed or, if later, once that was agreed or the action was found not to hold.
    """
    dates = {int(key.split(" ")[1]): key for key in keys}
    found = ask(_dates_passed, at, keys=sorted(dates))
    return {dates[pk]: max(filter(None, (agreed, end_of(last), again))) for pk, last, agreed, again in found}


def _dates_passed(at, dates):
    """The key and last day of each of ``dates``, when it was agreed and when its action was open again."""
    updates = ProgressUpdate.objects.standing(at)
    accepted = updates.filter(action=OuterRef(OuterRef("action")), status__in=ACCEPTED)
    accepted = first_of(accepted.order_by("-recorded_at"), "recorded_at")
    again = updates.filter(action=OuterRef("action"), status__in=OPEN, recorded_at__gt=accepted)
    again = first_of(again.order_by("recorded_at"), "recorded_at")
    rows = DueDate.objects.with_effect(at).filter(pk__in=dates, due_last__isnull=False)
    return rows.annotate(again=again).values_list("pk", "due_last", "agreed_at", "again")


def late_without_a_date(board):
    """The actions of ``board`` reported late of which nobody asks for a new date, or for acceptance."""
    return tuple(a for a in board.overdue if not a.proposals and a.status != Status.DONE)


def asks_of(meeting, at):
    """What the board is asked to do at ``meeting``, which may be None, as was known ``at``."""
    return tuple(rows_of(ask(_asks, at, keys=[meeting.pk])) if meeting else ())


def _asks(at, meetings):
    return recorded(Ask, at).begun(at).filter(meeting__in=meetings).order_by("id")


def numbers_printed(meeting, at):
    """{key: number} of the decisions in the newest paper of ``meeting``, which may be None, by then."""
    printed = next(iter(ask(_numbers_printed, at, keys=[meeting.pk])), {}) if meeting else {}
    # An earlier version of the site numbered each report of a claim.
    reports = {int(key.split(" ")[1]) for key in printed if key.startswith("completion ")}
    completions = completions_of(reports, at)
    numbers = {}
    for key, number in sorted(printed.items(), key=lambda pair: pair[1]):
        kind, pk = key.split(" ")
        place = completions[int(pk)].place if kind == "completion" and int(pk) in completions else pk
        numbers.setdefault(f"{kind} {place}", number)
    return numbers


def _numbers_printed(at, meetings):
    papers = Meeting.papers.field.model.objects.filter(meeting__in=meetings, decisions__isnull=False)
    return published_by(at, papers).order_by("-version").values_list("decisions", flat=True)
