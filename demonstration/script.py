"""The words and the plots of a demonstration: what its invented people do, report, decide and say.

Every text is printed after the word "Demonstration". None names a person, a child or a real event.
"""

import enum
from dataclasses import dataclass

from recommendations.due_dates import ReasonKind
from recommendations.models import Whose
from recommendations.status import Status

NOT_STARTED, ON_TRACK, AT_RISK, OFF_TRACK, DONE, COMPLETE, EMBEDDED, CLOSED = (
    Status.NOT_STARTED,
    Status.ON_TRACK,
    Status.AT_RISK,
    Status.OFF_TRACK,
    Status.DONE,
    Status.COMPLETE,
    Status.EMBEDDED,
    Status.CLOSED,
)


class How(enum.Enum):
    """How a due date came about."""

    ENTERED = "entered by the secretariat"
    CORRECTED = "entered by the secretariat, with a mistake that it corrects"
    AGREED = "proposed by the owner, and agreed"
    REFUSED = "proposed by the owner, and refused"
    UNDECIDED = "proposed by the owner, and not yet decided"


class Precision(enum.Enum):
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


ENTERED, CORRECTED, AGREED, REFUSED, UNDECIDED = How
ON_DAY, IN_MONTH, IN_YEAR = Precision
FIRST, DEPENDENCY, RESOURCES, SCOPE, LATE_DECISION, LATE_START, FASTER, OTHER = ReasonKind


@dataclass(frozen=True)
class Step:
    """A due date set ``at`` a percentage of the action's life, for another (over 100: in the future)."""

    at: int
    how: How
    due: int
    precision: Precision
    kind: ReasonKind


@dataclass(frozen=True)
class Arc:
    """The plot of an action: its statuses and when they turn, its dates, and the silence at its end."""

    turns: tuple
    silent_days: int
    dates: tuple
    recheck_later: int = 0
    repeats: bool = False


# In the order in which actions take them. A01 takes the first, A02 the second and so on, so the first few
# suit what the record says of those actions; every plot is used where there are this many actions.
ARCS = (
    Arc(  # deadline after deadline, one refused, off track and overdue
        ((0, ON_TRACK), (8, AT_RISK), (30, OFF_TRACK), (55, AT_RISK), (80, OFF_TRACK)),
        9,
        (
            Step(0, ENTERED, 6, IN_MONTH, FIRST),
            Step(10, AGREED, 26, IN_MONTH, DEPENDENCY),
            Step(29, AGREED, 50, IN_MONTH, RESOURCES),
            Step(54, REFUSED, 85, IN_MONTH, OTHER),
            Step(58, AGREED, 92, IN_MONTH, DEPENDENCY),
        ),
    ),
    Arc(  # a year missed, and another year asked for
        ((0, NOT_STARTED), (10, ON_TRACK), (50, AT_RISK)),
        20,
        (
            Step(0, ENTERED, 40, IN_YEAR, FIRST),
            Step(62, AGREED, 105, IN_YEAR, LATE_DECISION),
            Step(97, UNDECIDED, 140, IN_YEAR, RESOURCES),
        ),
    ),
    Arc(  # done, accepted, re-checked and embedded
        ((0, ON_TRACK), (30, DONE), (36, COMPLETE), (60, EMBEDDED)),
        60,
        (Step(0, ENTERED, 38, IN_MONTH, FIRST),),
    ),
    Arc(  # moved before the deadline, accepted, failed its re-check and open again
        ((0, ON_TRACK), (12, AT_RISK), (24, ON_TRACK), (50, DONE), (55, COMPLETE), (75, AT_RISK)),
        12,
        (
            Step(0, ENTERED, 20, IN_MONTH, FIRST),
            Step(11, ENTERED, 56, IN_MONTH, SCOPE),
            Step(78, AGREED, 112, IN_MONTH, SCOPE),
        ),
    ),
    Arc(  # done, but nobody has accepted it and the date has passed
        ((0, ON_TRACK), (90, DONE)),
        15,
        (Step(0, ENTERED, 93, IN_MONTH, FIRST),),
    ),
    Arc(  # silent, its day moved before the deadline
        ((0, NOT_STARTED), (15, ON_TRACK)),
        100,
        (
            Step(0, ENTERED, 60, ON_DAY, FIRST),
            Step(45, ENTERED, 115, ON_DAY, SCOPE),
        ),
    ),
    Arc(  # accepted, and its re-check is overdue; a year narrowed to a month
        ((0, NOT_STARTED), (20, ON_TRACK), (50, DONE), (60, COMPLETE)),
        40,
        (
            Step(0, ENTERED, 40, IN_YEAR, FIRST),
            Step(35, ENTERED, 62, IN_MONTH, SCOPE),
        ),
    ),
    Arc(  # recovered, a month narrowed to a day
        ((0, ON_TRACK), (40, AT_RISK), (60, ON_TRACK)),
        3,
        (
            Step(0, ENTERED, 70, IN_MONTH, FIRST),
            Step(50, AGREED, 108, ON_DAY, RESOURCES),
        ),
    ),
    Arc(  # closed without being done
        ((0, ON_TRACK), (50, AT_RISK), (100, CLOSED)),
        200,
        (Step(0, ENTERED, 65, IN_MONTH, FIRST), Step(48, AGREED, 90, IN_MONTH, RESOURCES)),
    ),
    Arc(  # the same words every time, a new date refused, overdue
        ((0, NOT_STARTED), (10, ON_TRACK)),
        10,
        (Step(0, AGREED, 80, IN_MONTH, FIRST), Step(75, REFUSED, 120, IN_MONTH, OTHER)),
        repeats=True,
    ),
    Arc(  # off track without a date: the first was refused and the next waits for a decision
        ((0, NOT_STARTED), (30, AT_RISK), (60, OFF_TRACK)),
        25,
        (Step(20, REFUSED, 150, IN_YEAR, FIRST), Step(98, UNDECIDED, 118, IN_MONTH, FIRST)),
    ),
    Arc(  # accepted late, its re-check still to come
        ((0, ON_TRACK), (20, AT_RISK), (45, ON_TRACK), (70, DONE), (88, COMPLETE)),
        14,
        (
            Step(0, ENTERED, 50, IN_MONTH, FIRST),
            Step(54, AGREED, 75, IN_MONTH, LATE_START),
        ),
        recheck_later=6,
    ),
    Arc(  # embedded, then worse again
        ((0, ON_TRACK), (35, DONE), (42, COMPLETE), (65, EMBEDDED), (90, AT_RISK)),
        18,
        (Step(0, ENTERED, 44, ON_DAY, FIRST), Step(93, AGREED, 110, ON_DAY, OTHER)),
    ),
    Arc(  # nothing wrong but a date that was mistyped
        ((0, ON_TRACK),),
        5,
        (Step(0, CORRECTED, 106, IN_MONTH, FIRST),),
    ),
    Arc(  # silent and overdue, to the day
        ((0, ON_TRACK), (25, AT_RISK), (50, ON_TRACK)),
        75,
        (Step(0, AGREED, 60, ON_DAY, FIRST), Step(64, AGREED, 94, ON_DAY, DEPENDENCY)),
    ),
    Arc(  # two deadlines missed, at risk and silent
        ((0, ON_TRACK), (15, AT_RISK)),
        40,
        (
            Step(0, ENTERED, 20, IN_MONTH, FIRST),
            Step(24, AGREED, 50, IN_MONTH, DEPENDENCY),
            Step(55, AGREED, 109, IN_MONTH, RESOURCES),
        ),
    ),
    Arc(  # not begun, its year put off before the deadline
        ((0, NOT_STARTED),),
        22,
        (Step(0, ENTERED, 60, IN_YEAR, FIRST), Step(40, AGREED, 125, IN_YEAR, LATE_START)),
    ),
    Arc(  # accepted and embedded early
        ((0, ON_TRACK), (12, DONE), (20, COMPLETE), (40, EMBEDDED)),
        45,
        (Step(0, ENTERED, 24, IN_MONTH, FIRST),),
    ),
    Arc(  # going faster than planned
        ((0, NOT_STARTED), (20, ON_TRACK)),
        8,
        (Step(0, ENTERED, 135, IN_MONTH, FIRST), Step(60, AGREED, 112, IN_MONTH, FASTER)),
    ),
    Arc(  # done in time, waiting to be accepted
        ((0, ON_TRACK), (30, AT_RISK), (50, ON_TRACK), (95, DONE)),
        6,
        (Step(0, ENTERED, 70, IN_MONTH, FIRST), Step(45, AGREED, 104, IN_MONTH, SCOPE)),
    ),
    Arc(  # off track once, recovered since
        ((0, ON_TRACK), (45, OFF_TRACK), (68, AT_RISK), (88, ON_TRACK)),
        4,
        (Step(0, ENTERED, 50, ON_DAY, FIRST), Step(56, AGREED, 107, ON_DAY, RESOURCES)),
    ),
)

# How densely a status is reported on; a closed or embedded action is not reported on again and again.
WEIGHTS = {
    NOT_STARTED: 2,
    ON_TRACK: 3,
    AT_RISK: 4,
    OFF_TRACK: 5,
    DONE: 3,
    COMPLETE: 1,
    EMBEDDED: 0,
    CLOSED: 0,
}

# When each assessment is made, as a percentage of the period, and what it says for every fifth
# recommendation: at last, the adviser disagrees with the owners in three of five.
ASSESSED_AT = (
    (12, Whose.ADVISER),
    (30, Whose.ADVISER),
    (45, Whose.BOARD),
    (56, Whose.ADVISER),
    (76, Whose.ADVISER),
    (86, Whose.BOARD),
    (93, Whose.ADVISER),
)
ASSESSED = (
    (AT_RISK, ON_TRACK, ON_TRACK, ON_TRACK, ON_TRACK, ON_TRACK, ON_TRACK),
    (OFF_TRACK, AT_RISK, AT_RISK, AT_RISK, ON_TRACK, ON_TRACK, AT_RISK),
    (NOT_STARTED, ON_TRACK, ON_TRACK, AT_RISK, ON_TRACK, DONE, ON_TRACK),
    (AT_RISK, AT_RISK, ON_TRACK, AT_RISK, OFF_TRACK, AT_RISK, AT_RISK),
    (ON_TRACK, OFF_TRACK, OFF_TRACK, AT_RISK, AT_RISK, ON_TRACK, OFF_TRACK),
)

# What each recommendation's invented owner leads, and what its new actions are about.
AREAS = {
    1: "oversight",
    2: "board governance",
    3: "sector-led support",
    4: "finance reporting",
    5: "corporate support",
    6: "pay and record systems",
    7: "partnership",
    8: "the safeguarding partnership",
    9: "the practice model",
    10: "managers’ training",
}
VERBS = (
    "Review",
    "Agree a plan for",
    "Name a lead for",
    "Set a baseline for",
    "Test",
    "Publish guidance on",
    "Report each quarter on",
    "Simplify",
    "Train managers in",
    "Check the records of",
)
THINGS = {
    1: (
        "the improvement plan",
        "challenge between meetings",
        "the adviser’s access to records",
        "reports to the lead member",
        "how decisions are followed up",
        "the list of open risks",
        "visits to front-line teams",
        "scrutiny of the plan",
        "letters after visits",
        "the calendar of reviews",
    ),
    2: (
        "the board’s papers",
        "the action log",
        "the board’s set of measures",
        "attendance at the board",
        "induction of members",
        "the forward plan of items",
        "how measures are checked",
        "minutes and decisions",
        "the board’s yearly review",
        "questions from members",
    ),
    3: (
        "the support agreement",
        "joint audits",
        "peer reports to the board",
        "coaching for team managers",
        "lessons from other councils",
        "the log of support days",
        "visits by peers",
        "feedback on support",
        "shared practice days",
        "the plan for after support ends",
    ),
    4: (
        "the monthly budget report",
        "placement cost forecasts",
        "savings that touch the service",
        "budget holders’ returns",
        "the reserve for change work",
        "spending approvals",
        "the cost of agency cover",
        "unit costs",
        "grants and their conditions",
        "the medium-term plan",
    ),
    5: (
        "recruitment support",
        "business support in teams",
        "legal advice times",
        "contract handling",
        "help-desk calls from social work teams",
        "building and desk space",
        "data requests",
        "facilities for family time",
        "procurement of placements",
        "the change programme",
    ),
    6: (
        "job descriptions",
        "the pay modelling",
        "staff consultation",
        "record migration",
        "data quality rules",
        "user access rights",
        "system training",
        "old system closure",
        "report building",
        "pay protection",
    ),
    7: (
        "partners’ attendance",
        "shared measures",
        "information sharing",
        "joint training",
        "school links",
        "health links",
        "police links",
        "the partnership newsletter",
        "joint audits with partners",
        "voluntary sector links",
    ),
    8: (
        "the options paper",
        "the boundary question",
        "joint funding",
        "the independent scrutineer’s role",
        "learning reviews",
        "shared procedures",
        "the partnership’s sub-groups",
        "the yearly report",
        "the threshold document",
        "multi-agency training",
    ),
    9: (
        "the practice handbook",
        "practice champions",
        "case summaries",
        "direct work tools",
        "supervision notes",
        "plans written with families",
        "practice weeks",
        "observation of practice",
        "the induction of new staff",
        "the model’s funding",
    ),
    10: (
        "the managers’ programme",
        "supervision standards",
        "managers’ self-assessment",
        "mentoring",
        "audit by managers",
        "workload reports",
        "appraisals",
        "succession plans",
        "leave cover",
        "exit interviews",
    ),
}

# By status; {area} is the owner's and {day} the day of the update.
NARRATIVES = {
    NOT_STARTED: (
        "no work had begun by {day}. A lead for {area} is being named.",
        "waiting for a start date as of {day}; nobody is yet free to begin.",
        "the scope was drafted by {day}, and work has not begun.",
    ),
    ON_TRACK: (
        "by {day} the steps due this month in {area} were taken.",
        "a working group on {area} met before {day} and agreed its next steps.",
        "a first draft went to managers for comment by {day}.",
        "half of the teams in the pilot had changed their ways of working by {day}.",
        "a sample of ten invented files was checked by {day}; eight met the standard.",
        "training dates were set by {day} and most places are taken.",
        "the measure for {area} moved the right way in the month to {day}.",
    ),
    AT_RISK: (
        "the draft is three weeks late as of {day}, because two posts in {area} are empty.",
        "a supplier had not confirmed its date by {day}.",
        "fewer teams than planned took part in the month to {day}.",
        "a check of ten invented files on {day} found four below the standard.",
        "two parts of the work compete for the same people, as seen on {day}.",
    ),
    OFF_TRACK: (
        "the agreed date cannot be met, as {area} stood on {day}.",
        "work stopped before {day}, because the money for it was not agreed.",
        "the test on {day} failed and has to be run again from the start.",
        "by {day} none of the teams had changed their ways of working.",
    ),
    DONE: (
        "the last step was taken by {day}; the proof is being gathered.",
        "all teams had been briefed by {day}, and the board is asked to accept it.",
        "the new process in {area} has run since {day}.",
    ),
    COMPLETE: (
        "the file of proof was read on {day} and the work is accepted as complete.",
        "accepted on {day}: the proof covers every team in {area}.",
        "nothing has changed since it was accepted, as of {day}; the re-check is still to come.",
    ),
    EMBEDDED: ("the re-check on {day} found the change in {area} still in place.",),
    CLOSED: ("closed on {day} without being done.",),
}
# The last word of an action, from a set of its own so that it never repeats the one before by chance.
CLOSING = {
    NOT_STARTED: ("on {day} work in {area} was still to begin; a start next quarter is planned.",),
    ON_TRACK: (
        "as of {day} the plan for {area} is being followed and the next step is under way.",
        "the pilot ended on {day}, and its results go to the next meeting.",
        "every team in {area} has a named lead as of {day}.",
    ),
    AT_RISK: (
        "as of {day} one of three steps is late and the date is in doubt.",
        "a re-check on {day} found old habits returning in two teams.",
    ),
    OFF_TRACK: (
        "as of {day} the work has no lead and the date will not be met.",
        "on {day} the second test of the new process failed.",
    ),
    DONE: ("all steps were taken by {day}; the board is asked to accept the proof.",),
    COMPLETE: ("the proof was seen on {day} and the work stays accepted until its re-check.",),
    EMBEDDED: (
        "on {day} a second sample showed the change in {area} holding.",
        "the change in {area} held when it was looked at again on {day}.",
    ),
    CLOSED: ("closed on {day}: the board agreed that it will not be done.",),
}
REPEATED = "work continues in line with the plan, and there is nothing to escalate."

REASONS = {
    AT_RISK: (
        "two posts are empty, and cover starts later than planned.",
        "it waits for another action that is late.",
        "the people who can do it are needed for an inspection.",
    ),
    OFF_TRACK: (
        "money for the second half was not agreed.",
        "the supplier withdrew, and a new contract takes four months.",
        "the first attempt did not work, and there was no second plan.",
    ),
    CLOSED: ("another action now covers the same ground, so this one is not needed.",),
}
RECOVERY_STEPS = {
    AT_RISK: (
        "the owner fills one post from another team before the next meeting.",
        "the owner splits the work, and brings the first half to the board next month.",
        "the owner asks the chair to settle which of the two comes first.",
    ),
    OFF_TRACK: (
        "the owner brings a new plan, with its cost, to the next meeting.",
        "the owner hands it to a new lead within two weeks.",
        "the owner starts again with one team and reports on it monthly.",
    ),
}
ACCEPTING = (DONE, COMPLETE, EMBEDDED)
DIFFERENCES = {
    DONE: ("too early to say; the first measure is due next quarter.",),
    COMPLETE: ("in an invented sample, decisions were made a week sooner than before.",),
    EMBEDDED: ("in two invented samples, plans were clearer and were followed more often.",),
    "other": (
        "none yet that can be shown.",
        "managers say that it helps; nothing has been measured.",
        "in an invented sample, more visits were on time.",
    ),
}
CORRECTION_REASONS = (
    "the wrong line of the list was chosen.",
    "the figures were those of the month before.",
    "it was written about another action.",
)

DATE_REASONS = {
    FIRST: "the date in the first plan for this action.",
    DEPENDENCY: "it waits for a system that another team brings in.",
    RESOURCES: "two of the five people it needs have not been found.",
    SCOPE: "the board asked for more teams to be covered.",
    LATE_DECISION: "the decision it rests on came four months late.",
    LATE_START: "work began a quarter later than planned.",
    FASTER: "the pilot went well, so the rest can start sooner.",
    OTHER: "the owner asks for more time after a change of lead.",
}
DECISION_REASONS = {
    AGREED: (
        "agreed, because the steps towards the new date are clear.",
        "agreed this once; the owner reports at every meeting until then.",
    ),
    REFUSED: (
        "refused: no new step is offered, only more time. The agreed date stands.",
        "refused, because other actions wait for this one.",
    ),
}

VERDICTS = {
    NOT_STARTED: ("nothing was seen that counts as a start in {area}.",),
    ON_TRACK: (
        "the files that were read bear out what owners say about {area}.",
        "three teams were visited, and all described the same way of working.",
    ),
    AT_RISK: (
        "owners report progress in {area}, but the files that were read do not show it.",
        "the plan rests on posts that are still empty.",
    ),
    OFF_TRACK: ("staff who were asked about {area} had not heard of the change.",),
    DONE: ("the work is finished in {area}; whether it holds is not yet known.",),
    EMBEDDED: ("the change is in daily use in {area}.",),
}
