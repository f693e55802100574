"""What became of the asks of the last meeting held."""

from demonstration.story import invented
from meetings.outcomes import AskOutcome, Result


def outcomes_of(script, asks, cast, *, as_at):
    """The unsaved AskOutcomes of the first of the saved ``asks`` of a meeting, the rest still to decide.

    The first word of each is what became of the ask.
    """
    rows = []
    for ask, said in zip(asks, script.meetings.outcomes, strict=False):
        outcome, words = said.split(maxsplit=1)
        on = ask.meeting.held_on
        rows.append(
            AskOutcome(
                ask=ask,
                outcome=Result(outcome),
                words=invented(words),
                meeting=ask.meeting,
                dated=on.isoformat(),
                **cast.signed(cast.chair, on, place=len(rows), as_at=as_at),
            )
        )
    return rows
