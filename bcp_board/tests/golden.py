"""A small board written by hand, on which some of all that the rules speak of has happened.

It is looked at as at 16 January 2023. All of it is invented; what the pages say of it is written down in
data/golden/, a file for each page.
"""

import datetime
import itertools

from recommendations.models import Risk
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_decision,
    make_due_date,
    make_measure_value,
    make_owner,
    make_recommendation,
    make_update,
)
from record.tests.factories import add, make_document, make_meeting, make_user, noon, saved
from visits.models import Event, Finding
from visits.tests.factories import make_area, make_finding, make_judgement, make_visit

TODAY = datetime.date(2023, 1, 16)
MEETING_HELD, MEETING_TO_COME = datetime.date(2022, 12, 6), datetime.date(2023, 2, 7)


def make_golden_board():
    """Make it, in the order in which it was recorded; return {role: User}."""
    people = {
        "member": make_user("Board members", "member"),
        "officer": make_user("Officers", "officer"),
        "chair": make_user("Chair", "chair"),
        "secretariat": make_user("Secretariat", "secretariat"),
    }
    officer, chair, secretariat = people["officer"], people["chair"], people["secretariat"]
    make_inspections()
    actions, recommendations = make_what_was_asked()
    make_what_was_said(actions, recommendations, officer=officer, chair=chair, secretariat=secretariat)
    return people


def make_inspections():
    first = make_document("first-report", title="Report of 2019", publisher="Ofsted", published="2019-03-01")
    second = make_document(
        "second-report", title="Report of 2022", publisher="Ofsted", published="2022-02-04"
    )
    make_document("report", title="First report", published="2022-08-15")
    make_document("late-report", title="Second report", published="2023-01-05")
    letter = make_document("letter", title="Letter of 2022", publisher="Ofsted", published="2022-11-30")
    overall, leaders = make_area("overall", "Overall effectiveness", 1), make_area("leaders", "Leaders", 2)
    earlier = make_visit(
        "full-1", "full", number=1, dates="2019-01-21/2019-01-25", published="2019-03-01", document=first
    )
    make_judgement(earlier, "requires_improvement", overall)
    graded = make_visit(
        "full-2", "full", number=2, dates="2021-12-06/2021-12-17", published="2022-02-04", document=second
    )
    make_judgement(graded, "inadequate", overall)
    make_judgement(graded, "requires_improvement", leaders)
    make_finding("F01", visit=graded, document=second, text="Children wait too long.")
    make_finding("F02", visit=graded, document=second, kind="strength", text="Staff are proud of their work.")
    make_visit("focused-1", "focused", number=1, dates="2022-03-08", document=second, theme="The front door")
    latest = make_visit(
        "focused-3", "focused", number=3, dates="2022-11-08", published="2022-11-30", document=letter
    )
    make_finding("F03", visit=latest, document=letter, text="Visits are still late.")
    make_finding(
        "F04",
        visit=latest,
        kind="context",
        attribution="council",
        text="The council says visits are quicker.",
    )
    peers = make_visit("diagnostic", "diagnostic", dates="2022-06")
    make_finding("F05", visit=peers, kind="context", attribution="peer", text="Peers saw new teams.")
    make_finding("F06", kind="context", attribution="adviser", text="The adviser hears of doubts.")
    elsewhere = make_visit(
        "elsewhere", "full", authority="Neighbour Council", dates="2020-02-10", published="2020-04"
    )
    make_judgement(elsewhere, "good", overall)
    source = {"document": make_document("report"), "reference": "p2"}
    with saved():
        Event.objects.create(ref="E01", date="2022-05", text="A new director began.", **source)
        Event.objects.create(
            ref="E02", kind="forecast", date="2024", text="The next full inspection.", **source
        )


def make_what_was_asked():
    late = make_document("late-report")
    findings = Finding.objects.filter(ref__in=["F01", "F03"])
    plain = make_recommendation(1, title="Quicker visits", findings=findings)
    critical = make_recommendation(
        2, title="One record", is_critical=True, consequence="Trust hangs on it.", lead_basis="inferred"
    )
    added = make_recommendation(3, title="A later wish", document=late)
    risk = Risk(ref="R01", text="Staff may leave.", document=make_document("report"), reference="p3")
    with saved():
        risk.save()
        risk.recommendations.set([critical])
    agreed = {"agreed_on": "2022-09-05"}
    actions = {
        "A01": make_action("A01", plain, **agreed),
        "A02": make_action("A02", critical, earlier_misses=1, **agreed),
        "A03": make_action("A03", plain, critical, **agreed),
        "A04": make_action("A04", plain, **agreed),
        "A05": make_action("A05", added, agreed_on="2023-01-10"),
        "A06": make_action("A06", findings=Finding.objects.filter(ref="F02"), **agreed),
    }
    return actions, {1: plain, 2: critical, 3: added}


def make_what_was_said(actions, recommendations, *, officer, chair, secretariat):
    # A minute apart, so that the order in which they were recorded is the order of their times.
    minutes = (datetime.timedelta(minutes=number) for number in itertools.count())

    def by(person, dated, recorded=None):
        return {"by": person, "dated": dated, "recorded_at": noon(recorded or dated) + next(minutes)}

    make_measure_value("20%", "2022-06", recorded_at=noon("2022-09-01"))
    for ref in ("A01", "A02", "A03"):
        make_owner(actions[ref], officer, **by(secretariat, "2022-09-05"))
    for ref, due in {"A01": "2022-11", "A02": "2022-12-31", "A03": "2022-12", "A04": "2023-01-20"}.items():
        make_due_date(actions[ref], due, **by(chair, "2022-09-05"))
    make_update(actions["A01"], narrative="The first month went well.", **by(officer, "2022-10-03"))
    make_update(actions["A04"], narrative="Rotas are drawn up.", **by(officer, "2022-10-10"))
    make_meeting(MEETING_HELD)
    make_meeting(MEETING_TO_COME, papers_due_on=datetime.date(2023, 1, 31))
    make_update(actions["A03"], "done", narrative="All is moved.", **by(officer, "2022-12-01"))
    proposal = make_due_date(
        actions["A01"], "2023-03", needs_decision=True, reason_kind="resources", reason="Posts are empty.",
        **by(officer, "2022-12-02"),
    )  # fmt: skip
    make_assessment(recommendations[1], "at_risk", narrative="Too slow.", **by(secretariat, "2022-12-05"))
    # The meeting of 6 December.
    make_decision(proposal, reason="With regret.", **by(chair, "2022-12-06"))
    make_update(
        actions["A03"], "complete", narrative="Seen in the system.", evidence="The audit of 1 December",
        recheck_on=datetime.date(2023, 3, 6), **by(chair, "2022-12-06"),
    )  # fmt: skip
    make_assessment(
        recommendations[1], "on_track", whose="board", narrative="We trust it.", **by(chair, "2022-12-06")
    )
    make_update(
        actions["A01"], "at_risk", narrative="Two teams are short.", reason="Posts are empty.",
        recovery_step="Agency staff from January.", **by(officer, "2022-12-12"),
    )  # fmt: skip
    make_update(
        actions["A01"], "at_risk", narrative="As said this morning.", reason="Posts are empty.",
        recovery_step="Agency staff from January.", **by(officer, "2022-12-12"),
    )  # fmt: skip
    wrong = make_update(
        actions["A04"], "off_track", narrative="The contract failed.", reason="The firm left.",
        recovery_step="A new tender.", **by(officer, "2022-12-14"),
    )  # fmt: skip
    add(wrong.withdrawal(by=secretariat, reason="The wrong action"), recorded_at=noon("2022-12-15"))
    make_due_date(
        actions["A04"], "2023-02", needs_decision=True, reason_kind="dependency", reason="A late tender.",
        **by(officer, "2022-12-20"),
    )  # fmt: skip
    slip = make_update(actions["A06"], "done", narrative="Thanked all teams.", **by(officer, "2023-01-04"))
    make_update(
        actions["A06"], "on_track", narrative="Thanked half the teams.", corrects=slip,
        correction_reason="Half are still to come", **by(officer, "2023-01-04", "2023-01-09"),
    )  # fmt: skip
