"""The statuses that an action may have."""

from django.db import models


class Status(models.TextChoices):
    """What may be said of an action. The order here is from worst to best; closed stands outside it."""

    OFF_TRACK = "off_track", "Off track"
    AT_RISK = "at_risk", "At risk"
    NOT_STARTED = "not_started", "Not started"
    ON_TRACK = "on_track", "On track"
    DONE = "done", "Done, evidence awaited"
    COMPLETE = "complete", "Complete, evidenced"
    EMBEDDED = "embedded", "Embedded"
    CLOSED = "closed", "Closed, not done"


NOT_REPORTED = "not_reported"
STATUS_WORDS = {**dict(Status.choices), NOT_REPORTED: "Not yet reported"}
WORST_FIRST = (
    Status.OFF_TRACK,
    Status.AT_RISK,
    NOT_REPORTED,
    Status.NOT_STARTED,
    Status.ON_TRACK,
    Status.DONE,
    Status.COMPLETE,
    Status.EMBEDDED,
    Status.CLOSED,
)
# What each commits us to, printed wherever the words are explained.
STATUS_MEANINGS = {
    Status.OFF_TRACK: "Has missed or will miss what was agreed. Needs a reason and a recovery step.",
    Status.AT_RISK: "May miss what was agreed. Needs a reason and a recovery step.",
    NOT_REPORTED: "No owner has said anything yet, so nothing is known and nothing is assumed.",
    Status.NOT_STARTED: "The owner accepts the action. The work has not begun.",
    Status.ON_TRACK: "The owner expects to do what was agreed by the date agreed.",
    Status.DONE: "The owner says it is finished. No evidence is accepted yet. It can be overdue.",
    Status.COMPLETE: "The Chair or Secretariat accepted evidence, and set a day to check that it has held.",
    Status.EMBEDDED: "Checked again on or after that day, at least three months on, and it has held.",
    Status.CLOSED: "Stopped without being done, for a reason that the Chair or Secretariat accepted.",
}
OPEN = (
    NOT_REPORTED,
    Status.NOT_STARTED,
    Status.ON_TRACK,
    Status.AT_RISK,
    Status.OFF_TRACK,
    Status.DONE,
)
ACCEPTED = (Status.COMPLETE, Status.EMBEDDED, Status.CLOSED)
NEEDS_RECOVERY = (Status.AT_RISK, Status.OFF_TRACK)


def flag_meanings(*, update_every_days):
    """Return what each computed flag means; nobody chooses a flag."""
    return {
        "Overdue": "Still open after the last day that the agreed date may mean: November 2022 is overdue "
        "from 1 December 2022. A date that is approximate or missing is never overdue.",
        "No update since": f"Open, and last reported on more than {update_every_days} days ago.",
        "Re-check due": "Complete, and the day set for checking that it has held has come.",
    }
