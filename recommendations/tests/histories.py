"""Random histories of a board's actions, and a naive replay of them, row by row and day by day."""

import datetime
from dataclasses import dataclass, field

from django.contrib.auth import get_user_model
from django.utils import timezone
from hypothesis import strategies as st

from recommendations.due_dates import Decision, DueDate
from recommendations.models import Action, Assessment, ProgressUpdate
from recommendations.status import NOT_REPORTED, OPEN, Status
from recommendations.tests.factories import make_recommendation
from record import ledger
from record.dates import read_edtf
from record.tests.factories import saved

START = datetime.date(2022, 9, 1)
DAYS = 130
DUE = ["2022-09", "2022-10?", "2022-10-15", "2022-11", "2022", "2022~", "[2022-10-06..]", "2022-12-01"]


def day(number):
    return START + datetime.timedelta(days=number)


@dataclass
class Said:
    """One row of a history, in the order it was added: ``said`` is its day, ``taken`` when recorded."""

    kind: str
    action: int
    said: int
    taken: int
    value: str
    corrects: int | None = None
    is_proposal: bool = False
    decided: tuple | None = None


@st.composite
def histories(draw, actions):
    """Draw the rows of a board's history, in any order: two to nine for each of its ``actions``, about."""
    rows = []
    for _ in range(draw(st.integers(2 * actions, 9 * actions))):
        kind = draw(st.sampled_from(["update", "update", "due", "assessment"]))
        action = draw(st.integers(0, actions - 1))
        said = draw(st.integers(0, DAYS))
        taken = said + draw(st.sampled_from([0, 0, 0, 3, 40]))
        value = draw(st.sampled_from(DUE if kind == "due" else Status.values))
        row = Said(kind, action, said, taken, value)
        free = [
            i
            for i, other in enumerate(rows)
            if (other.kind, other.action) == (kind, action) and i not in {r.corrects for r in rows}
        ]
        if free and draw(st.integers(0, 4)) == 0:
            row.corrects = draw(st.sampled_from(free))
            row.taken = max(row.taken, rows[row.corrects].taken)
        if kind == "due" and draw(st.booleans()):
            row.is_proposal = True
            if draw(st.booleans()):
                outcome = draw(st.sampled_from(["agreed", "agreed", "refused"]))
                wait = draw(st.integers(0, 30))
                row.decided = (outcome, row.said + wait, row.taken + wait + draw(st.integers(0, 5)))
        rows.append(row)
    return rows


def noon(number):
    return timezone.make_aware(datetime.datetime.combine(day(number), datetime.time(12)))


def store(rows, actions, recommendation, user):
    """Add ``rows`` to the database in their order, with keys given here so that it is one bulk write."""
    statements, decisions = [], []
    for key, said in enumerate(rows, start=1):
        common = {
            "dated": day(said.said).isoformat(),
            "recorded_at": noon(said.taken),
            "recorded_by": user,
            "signed": "Officer (Officer)",
            "pk": key,
        }
        if said.corrects is not None:
            how = "withdraws_id" if said.kind == "due" else "corrects_id"
            common |= {how: said.corrects + 1, "correction_reason": "It was wrong."}
        if said.kind == "update":
            row = ProgressUpdate(
                action=actions[said.action],
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
                action=actions[said.action],
                due=said.value,
                reason_kind="other",
                reason="Why",
                needs_decision=said.is_proposal,
                **common,
            )
        else:
            row = Assessment(
                recommendation=recommendation, whose="adviser", status=said.value, narrative="Why", **common
            )
        statements.append(row)
        if said.decided:
            outcome, decided_on, taken = said.decided
            decisions.append(
                Decision(
                    due_date_id=key,
                    outcome=outcome,
                    reason="Why",
                    dated=day(decided_on).isoformat(),
                    recorded_at=noon(taken),
                    recorded_by=user,
                    signed="Officer (Officer)",
                )
            )
    ledger.append(sorted(statements + decisions, key=lambda row: row.recorded_at))


@dataclass
class Replayed:
    status: str = NOT_REPORTED
    updated_on: datetime.date | None = None
    due: str | None = None
    overdue: bool = False
    stale: bool = False
    ledger: list = field(default_factory=list)
    misses: list = field(default_factory=list)


def by_action(rows, actions):
    """For each of ``actions``, {its place: each of its rows}, in their order."""
    found = [{} for _ in range(actions)]
    for place, row in enumerate(rows):
        found[row.action][place] = row
    return found


def replay(rows, as_at, known):
    """Work out by hand how the action of these rows, by their places, stood at the end of day ``as_at``."""

    def seen(taken):
        return known is None or taken <= known

    corrected = {row.corrects for row in rows.values() if row.corrects is not None and seen(row.taken)}
    standing = [
        row for place, row in rows.items() if row.said <= as_at and seen(row.taken) and place not in corrected
    ]
    updates = sorted((row for row in standing if row.kind == "update"), key=lambda row: row.said)
    result = Replayed()
    if updates:
        result.status, result.updated_on = updates[-1].value, day(updates[-1].said)

    agreed = []
    for place, row in enumerate(standing):
        if row.kind != "due":
            continue
        counts_from = row.said
        if row.is_proposal:
            if not row.decided or row.decided[0] != "agreed":
                continue
            counts_from = row.decided[1]
            if counts_from > as_at or not seen(row.decided[2]):
                continue
        agreed.append((counts_from, place, row))
    agreed.sort(key=lambda item: item[:2])
    result.ledger = [row.value for _, _, row in agreed]

    def status_at_end_of(number):
        said = [row.value for row in updates if row.said <= number]
        return said[-1] if said else NOT_REPORTED

    for place, (counts_from, _, row) in enumerate(agreed):
        last = read_edtf(row.value).last
        missed = False
        if last and last < day(as_at):
            start = max((last - START).days, counts_from)
            for number in range(start, as_at + 1):
                replaced = place + 1 < len(agreed) and agreed[place + 1][0] <= number
                reopened = number > start and any(r.said == number and r.value in OPEN for r in updates)
                if not replaced and (status_at_end_of(number) in OPEN or reopened):
                    missed = True
        result.misses.append(missed)
    if agreed:
        result.due = agreed[-1][2].value
        last = read_edtf(result.due).last
        result.overdue = bool(result.status in OPEN and last and last < day(as_at))
    if result.status in OPEN and result.updated_on:
        result.stale = (day(as_at) - result.updated_on).days > 28
    return result


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
