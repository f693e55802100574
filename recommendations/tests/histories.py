"""Random histories of a small board, and a naive replay of them, row by row and day by day.

The replay shares nothing with the product: what is open, worse or good and which days a date may mean is
written down here once more, so that a slip over there is no slip here.
"""

import datetime
from dataclasses import dataclass, field

from django.contrib.auth import get_user_model
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from recommendations.due_dates import Decision, DueDate
from recommendations.models import Action, Assessment, ProgressUpdate
from recommendations.tests.factories import make_recommendation
from record import ledger
from record.tests.factories import saved

# A failing example is told at once, with what makes it again, and not made smaller for minutes.
AS_FOUND = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    print_blob=True,
)
START = datetime.date(2022, 9, 1)
DAYS = 130
# What is typed, and the last day that it may mean: none for what is approximate or has no end.
LAST_DAY = {
    "2022-09": datetime.date(2022, 9, 30),
    "2022-10?": datetime.date(2022, 10, 31),
    "2022-10-15": datetime.date(2022, 10, 15),
    "2022-11": datetime.date(2022, 11, 30),
    "2022": datetime.date(2022, 12, 31),
    "2022~": None,
    "[2022-10-06..]": None,
    "2022-12-01": datetime.date(2022, 12, 1),
}
OPEN = {"not_started", "on_track", "at_risk", "off_track", "done"}
STATUSES = [*sorted(OPEN), "complete", "embedded", "closed"]


def day(number):
    return START + datetime.timedelta(days=number)


@dataclass
class Said:
    """One row of a history, in the order of the ledger: ``said`` is its day, ``taken`` when recorded.

    ``about`` is the place of the action, of the recommendation, or of the proposal that is decided.
    """

    kind: str
    about: int
    said: int
    taken: int
    value: str
    whose: str = ""
    is_proposal: bool = False
    corrects: int | None = None
    withdraws: int | None = None


@st.composite
def histories(draw, actions, most=10):
    """Draw the rows of the history of a board of ``actions``, in the order of the ledger."""
    rows, taken = [], 0
    for _ in range(draw(st.integers(1, most))):
        taken = min(DAYS, taken + draw(st.sampled_from([0, 0, 1, 7, 31])))
        late = draw(st.sampled_from([0, 0, 0, 3, 40]))
        rows.append(draw(row_after(rows, actions, said=max(0, taken - late), taken=taken)))
    return rows


@st.composite
def row_after(draw, rows, actions, *, said, taken):
    superseded = {row.corrects for row in rows} | {row.withdraws for row in rows}
    free = [i for i, row in enumerate(rows) if row.withdraws is None and i not in superseded]
    undecided = [
        i
        for i in free
        if rows[i].is_proposal and not any(r.kind == "decision" and r.about == i for r in rows)
    ]
    kinds = ["update"] * 3 + ["due"] * 2 + ["assessment"]
    kind = draw(st.sampled_from(kinds + ["decision"] * 3 * bool(undecided) + ["earlier"] * 2 * bool(free)))
    if kind == "earlier":
        place = draw(st.sampled_from(free))
        old = rows[place]
        if old.kind == "due" or draw(st.booleans()):
            return Said(
                old.kind, old.about, old.said, taken, old.value, old.whose, old.is_proposal, withdraws=place
            )
        new = old.value if old.kind == "decision" else draw(st.sampled_from([old.value, *STATUSES]))
        return Said(old.kind, old.about, old.said, taken, new, old.whose, corrects=place)
    if kind == "decision":
        place = draw(st.sampled_from(undecided))
        outcome = draw(st.sampled_from(["agreed", "agreed", "refused"]))
        return Said("decision", place, max(said, rows[place].said), taken, outcome)
    if kind == "due":
        value = draw(st.sampled_from(sorted(LAST_DAY)))
        return Said(
            "due", draw(st.integers(0, actions - 1)), said, taken, value, is_proposal=draw(st.booleans())
        )
    status = draw(st.sampled_from(STATUSES))
    if kind == "update":
        return Said("update", draw(st.integers(0, actions - 1)), said, taken, status)
    return Said("assessment", 0, said, taken, status, whose=draw(st.sampled_from(["adviser", "board"])))


def noon(number):
    return timezone.make_aware(datetime.datetime.combine(day(number), datetime.time(12)))


def store(rows, actions, recommendation, user, *, already=()):
    """Add ``rows`` to the database, in their order, but for the first, which are there ``already``."""
    made = [*already]
    for said in rows[len(made) :]:
        common = {
            "dated": day(said.said).isoformat(),
            # No two moments of the record are the same.
            "recorded_at": noon(said.taken) + datetime.timedelta(microseconds=len(made)),
            "recorded_by": user,
            "signed": "Officer (Officer)",
        }
        for name in ("corrects", "withdraws"):
            if (place := getattr(said, name)) is not None:
                common |= {name: made[place], "correction_reason": "It was wrong."}
        if said.kind == "update":
            row = ProgressUpdate(
                action=actions[said.about],
                status=said.value,
                narrative="As said.",
                reason="Why",
                recovery_step="What next",
                evidence="Seen",
                recheck_on=day(said.said + 90),
                **common,
            )
        elif said.kind == "due":
            row = DueDate(
                action=actions[said.about],
                due=said.value,
                reason_kind="other",
                reason="Why",
                needs_decision=said.is_proposal,
                **common,
            )
        elif said.kind == "decision":
            row = Decision(due_date=made[said.about], outcome=said.value, reason="Why", **common)
        else:
            row = Assessment(
                recommendation=recommendation, whose=said.whose, status=said.value, narrative="Why", **common
            )
        made += ledger.append([row])
    return made


@dataclass
class Replayed:
    """How one action stood: its dates by the places of their rows, in the order in which they counted."""

    status: str = "not_reported"
    updated_on: datetime.date | None = None
    due: str | None = None
    overdue: bool = False
    is_silent: bool = False
    stale: bool = False
    ledger: list = field(default_factory=list)
    first: int | None = None
    missed: set = field(default_factory=set)
    silent: set = field(default_factory=set)


class Visible:
    """The rows of a history that can be seen at the end of day ``as_at``, by what was known on ``known``."""

    def __init__(self, rows, as_at, known):
        self.as_at = as_at
        self.rows = {i: row for i, row in enumerate(rows) if known is None or row.taken <= known}
        self.corrected = {row.corrects for row in self.rows.values()}
        self.withdrawn = {row.withdraws for row in self.rows.values()}

    def said(self, kind):
        """(place, row) of each that says something by then, withdrawn ones left out."""
        return [
            (i, row)
            for i, row in self.rows.items()
            if row.kind == kind
            and row.withdraws is None
            and i not in self.withdrawn
            and row.said <= self.as_at
        ]

    def standing(self, kind):
        return [(i, row) for i, row in self.said(kind) if i not in self.corrected]


def place_of(rows, i):
    """The place of what the row ``i`` corrects in the end, which a correction takes."""
    return i if rows[i].corrects is None else place_of(rows, rows[i].corrects)


def since(rows, i, values):
    """The place of the first of the row ``i`` and those it corrects that go on saying one of ``values``."""
    before = rows[i].corrects
    return i if before is None or rows[before].value not in values else since(rows, before, values)


ACCEPTED = ("complete", "embedded", "closed")


def replay_assessments(rows, as_at, known):
    """{whose: the newest assessment} at the end of day ``as_at``."""
    standing = Visible(rows, as_at, known).standing("assessment")
    in_order = sorted(standing, key=lambda pair: (pair[1].said, place_of(rows, pair[0])))
    return {row.whose: row.value for _, row in in_order}


def replay(rows, action, as_at, known):
    """Work out by hand how the action at the place ``action`` stood at the end of day ``as_at``."""
    seen, result = Visible(rows, as_at, known), Replayed()
    updates = [(i, row) for i, row in seen.standing("update") if row.about == action]
    if updates:
        _, newest = max(updates, key=lambda pair: (pair[1].said, place_of(rows, pair[0])))
        result.status, result.updated_on = newest.value, day(newest.said)

    agreed = []  # (effective day, place of what made it count, day it counted for lateness, place)
    for place, row in seen.standing("due"):
        if row.about != action:
            continue
        if not row.is_proposal:
            agreed.append((row.said, place, max(row.said, row.taken), place))
        for by, decision in seen.standing("decision"):
            if decision.about == place and decision.value == "agreed":
                first = since(rows, by, ["agreed"])
                agreed.append((decision.said, first, max(decision.said, rows[first].taken), place))
    agreed.sort()
    result.ledger = [place for *_, place in agreed]
    if agreed:
        result.first = min(agreed, key=lambda line: line[1])[3]

    said = [(i, row) for i, row in seen.said("update") if row.about == action]

    def status_at_end_of(number):
        """For lateness: a corrected report counts, an acceptance only from when it was recorded."""
        counts = [
            (row.said, place_of(rows, i), i, row.value)
            for i, row in said
            if row.said <= number
            and (
                row.value in OPEN
                or (i not in seen.corrected and rows[since(rows, i, ACCEPTED)].taken <= number)
            )
        ]
        return max(counts)[3] if counts else None

    for order, (_, _, counted, place) in enumerate(agreed):
        last = LAST_DAY[rows[place].value]
        if last is None or last >= day(as_at):
            continue
        start = min(max((last - START).days, counted), as_at)
        for number in range(start, as_at + 1):
            if any(later[2] <= number for later in agreed[order + 1 :]):
                break
            reported = number > start and any(r.said == number and r.value in OPEN for _, r in said)
            if status_at_end_of(number) in OPEN or reported:
                result.missed.add(place)
            if number == start and status_at_end_of(number) is None:
                result.silent.add(place)
    result.missed |= shown_overdue(seen, rows, action)
    if agreed:
        result.due = rows[agreed[-1][3]].value
        last = LAST_DAY[result.due]
        is_past = last is not None and last < day(as_at)
        result.overdue = is_past and result.status in OPEN
        result.is_silent = is_past and result.status == "not_reported"
    if result.status in OPEN and result.updated_on:
        result.stale = (day(as_at) - result.updated_on).days > 28
    return result


def shown_overdue(seen, rows, action):
    """The places of the dates that a reader was shown as overdue after some row, by what still counts."""
    shown = set()
    for last_place, last_row in sorted(seen.rows.items()):
        if last_row.taken > seen.as_at:
            break
        by_then = {i: row for i, row in seen.rows.items() if i <= last_place and i not in seen.withdrawn}
        spoken = {
            i: row for i, row in by_then.items() if row.said <= last_row.taken and row.withdraws is None
        }
        corrected = {row.corrects for row in spoken.values()}
        dates = [(r.said, i, i) for i, r in spoken.items() if r.kind == "due" and not r.is_proposal]
        dates += [
            (r.said, since(rows, i, ["agreed"]), r.about)
            for i, r in spoken.items()
            if r.kind == "decision" and r.value == "agreed" and i not in corrected and r.about in by_then
        ]
        dates = [date for date in dates if rows[date[2]].about == action]
        reports = [
            (r.said, place_of(rows, i), r.value)
            for i, r in spoken.items()
            if r.kind == "update" and r.about == action and i not in corrected
        ]
        if dates and reports:
            _, _, place = max(dates)
            last = LAST_DAY[rows[place].value]
            if last and last < day(last_row.taken) and max(reports)[2] in OPEN:
                shown.add(place)
    return shown


def make_board(actions):
    """As many actions that answer one recommendation, the recommendation and an officer."""
    recommendation = make_recommendation(1)
    made = []
    for number in range(1, actions + 1):
        with saved(at=noon(0), is_first_load=True):
            action = Action.objects.create(
                ref=f"A{number:03}", title="Do", owner_role="Director", document=recommendation.document
            )
            action.recommendations.set([recommendation])
        made.append(action)
    return made, recommendation, get_user_model().objects.create(username="officer")
