"""A few rows with dull defaults, made the way the site makes them."""

import datetime

from recommendations.due_dates import Decision, DueDate
from recommendations.measures import Measure, MeasureValue
from recommendations.models import Action, Assessment, ProgressUpdate, Recommendation
from recommendations.ownership import Ownership
from recommendations.position import positions_of
from recommendations.sent_back import SendBack
from recommendations.status import Status
from record.signing import signature
from record.tests.factories import add, make_document, on, saved

WINTER = datetime.date(2022, 12, 31)


def position(action, as_at=WINTER):
    """The ActionPosition of ``action`` on the day ``as_at``."""
    (found,) = positions_of([action.pk], on(as_at))
    return found


def make_recommendation(number=1, *, findings=(), **fields):
    """A Recommendation from the report, linked to ``findings``."""
    values = {
        "title": f"Title {number}",
        "summary": "What to do",
        "lead_body": "The council",
        "lead_basis": "stated",
        "theme": "Leadership",
        "document": make_document(),
        "reference": "p1",
        **fields,
    }
    with saved():
        recommendation = Recommendation.objects.create(number=number, **values)
        recommendation.findings.set(findings)
    return recommendation


def make_action(ref="A01", *recommendations, findings=(), owner=None, recorded_at=None, **fields):
    """An Action agreed on 1 October 2022 that answers the rows given, or recommendation 1."""
    values = {"title": f"Title of {ref}", "owner_role": "Director", "agreed_on": "2022-10-01", **fields}
    if not any(recommendations) and not findings:
        recommendations = [Recommendation.objects.filter(number=1).first() or make_recommendation(1)]
    with saved(at=recorded_at):
        action = Action.objects.create(ref=ref, **values)
        action.recommendations.set(filter(None, recommendations))
        action.findings.set(findings)
    if owner:
        make_owner(action, owner, recorded_at=recorded_at)
    return action


def make_owner(action, owner, *, dated="2022-10-01", by=None, recorded_at=None):
    """The Ownership by which ``owner``, an account or None, answers for ``action``."""
    said = {"owner": owner, "owner_signed": signature(owner), "dated": dated}
    return add(Ownership(action=action, **said, **signed(by)), recorded_at=recorded_at)


def signed(by):
    """The columns that say that ``by`` recorded a row, or that it came from the report."""
    if by:
        return {"recorded_by": by, "signed": signature(by)}
    return {"document": make_document(), "reference": "p1"}


def make_update(action, status=Status.ON_TRACK, dated="2022-11-01", by=None, **fields):
    """A ProgressUpdate on ``action``, with whatever its status needs."""
    values = {"narrative": "What was done", **fields}
    if status in (Status.AT_RISK, Status.OFF_TRACK):
        values = {"reason": "Why", "recovery_step": "What next", **values}
    if status == Status.COMPLETE:
        values = {"evidence": "The minutes", "recheck_on": datetime.date(2023, 6, 1), **values}
    if status == Status.CLOSED:
        values = {"reason": "Why", **values}
    return add(ProgressUpdate(action=action, status=status, dated=dated, **{**signed(by), **values}))


def make_due_date(action, due="2023-03", dated="2022-11-01", by=None, **fields):
    """A DueDate of ``action`` that counts at once, unless ``needs_decision`` is given."""
    values = {"reason_kind": "first", "reason": "Why", "needs_decision": False, **fields}
    return add(DueDate(action=action, due=due, dated=dated, **{**signed(by), **values}))


def make_decision(due_date, outcome="agreed", dated="2022-11-15", by=None, **fields):
    """A Decision on the proposal ``due_date``."""
    values = {"reason": "Because", **fields}
    return add(Decision(due_date=due_date, outcome=outcome, dated=dated, **{**signed(by), **values}))


def make_send_back(report, dated="2022-11-15", by=None, **fields):
    """A SendBack of ``report``, which asks for the minutes."""
    values = {"wanted": "The minutes", "wanted_by": datetime.date(2022, 12, 1), **fields}
    return add(SendBack(report=report, dated=dated, **{**signed(by), **values}))


def make_assessment(recommendation, status=Status.AT_RISK, dated="2022-11-01", by=None, **fields):
    """The adviser's Assessment of ``recommendation``."""
    values = {"whose": "adviser", "narrative": "What was seen", **fields}
    said = {"recommendation": recommendation, "status": status, "dated": dated}
    return add(Assessment(**said, **{**signed(by), **values}))


def make_measure_value(value="20%", as_at="2022-06", measure=None, by=None, **fields):
    """A MeasureValue of ``measure``, or of the vacancies."""
    if measure is None:
        with saved():
            measure = Measure.objects.create(
                ref="M01", name="Vacancies", document=make_document(), reference="p1"
            )
    said = {"value": value, "as_at": as_at, "dated": as_at or make_document().published}
    return add(MeasureValue(measure=measure, **said, **{**signed(by), **fields}))
