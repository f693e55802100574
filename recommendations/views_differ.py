"""Where views of a recommendation differ: owners' reports, assessments and later concerns of Ofsted's."""

from dataclasses import dataclass

from recommendations.action_position import ActionGroup, ActionPosition
from recommendations.models import Assessment, Whose
from recommendations.status import ACCEPTED, RANK, STATUS_WORDS, Status
from visits.position import FindingPosition


@dataclass(frozen=True)
class LaterConcern:
    """A concern of Ofsted's, with the reports of On track or better before it on what it is linked to."""

    finding: FindingPosition
    actions: tuple[ActionPosition, ...]


@dataclass(frozen=True)
class Views(ActionGroup):
    """What owners, adviser and board, and inspectors say of one recommendation, and where that differs.

    ``number`` is the recommendation's, None for one action that answers findings only.
    ``concerns`` are later than every assessment and than the newest good report they are linked to.
    """

    number: int | None
    assessments: tuple[Assessment, ...]
    concerns: tuple[LaterConcern, ...]

    @property
    def about(self):
        """What they are views of, in words."""
        return f"Recommendation {self.number}" if self.number else f"Action {self.actions[0].ref}"

    @property
    def worst(self):
        """The worst status that any owner reports or that was accepted, or None if nobody has reported."""
        return min((a.status for a in self.reported), key=RANK.get, default=None)

    @property
    def worst_of(self):
        """The actions that have the worst status."""
        return tuple(a for a in self.reported if a.status == self.worst)

    @property
    def is_from_documents(self):
        """Whether no owner reports the worst status: it was loaded from documents."""
        return all(action.is_from_document for action in self.worst_of)

    @property
    def _who_says(self):
        """Who says the worst status, as a sentence and as a line begin."""
        if self.is_from_documents:
            return "A document reports", "a document "
        return ("What was accepted is", "") if self.worst in ACCEPTED else ("Owners report", "owners ")

    @property
    def assessment(self):
        """The newest assessment by anyone, or None."""
        return newest_of(self.assessments)

    @property
    def adviser(self):
        """The adviser's newest assessment, or None."""
        return self._judged_by(Whose.ADVISER)

    @property
    def board(self):
        """The board's newest assessment, or None."""
        return self._judged_by(Whose.BOARD)

    def _judged_by(self, whose):
        return next((line for line in self.assessments if line.whose == whose), None)

    @property
    def differences(self):
        """How reports and assessments differ, a sentence each."""
        said, newest = [], self.assessment
        # What was closed without being done is neither better nor worse than what anybody makes of it.
        if self.worst not in (None, Status.CLOSED) and newest and newest.status != self.worst:
            compared = "better" if RANK[self.worst] > RANK[newest.status] else "worse"
            said.append(f"{self._who_says[0]} {compared} than the newest assessment.")
        if len({line.status for line in self.assessments}) > 1:
            said.append("The adviser and the board differ.")
        if self.concerns:
            said.append("Inspectors have recorded a concern since a report of On track or better.")
        return tuple(said)

    @property
    def in_words(self):
        """Who says what, the owners at worst, in a line: "owners off track, adviser at risk"."""
        said = [f"{self._who_says[1]}{STATUS_WORDS[self.worst].lower()}"] if self.worst else []
        said += [f"{line.whose} {line.words.lower()}" for line in self.assessments]
        return ", ".join([*said, *(["a later concern of Ofsted’s"] if self.concerns else [])])

    @property
    def differ(self):
        return bool(self.differences)

    @property
    def cannot_be_judged(self):
        """Whether nobody has reported, so that there is no owner's view to compare."""
        return not self.reported

    @property
    def newest_concern(self):
        """The latest of the concerns, a LaterConcern, or None."""
        return max(self.concerns, key=lambda c: (c.finding.dated, c.finding.ref), default=None)


def newest_of(statements):
    """The newest of ``statements``, or None."""
    return max(statements, key=lambda row: (row.dated_first, row.place), default=None)
