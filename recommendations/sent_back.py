"""Reports of completion that were not accepted: what evidence is wanted, and by when."""

from django.db import models
from django.db.models import F, Q

from record.dates import say, say_day
from record.fields import NO_CHILD, made_at_meeting, not_blank
from record.statements import Said, Statement, its_place, place_of


class SendBack(Statement):
    """A decision of the Chair's or the Secretariat's on a report that an action is done.

    It says what would show it. The status stays what the owner reported.
    """

    subject_field = "report"

    report = models.ForeignKey("recommendations.ProgressUpdate", models.PROTECT, related_name="sent_back")
    wanted = models.TextField(
        "what evidence is wanted",
        help_text=f"What would show that it is done. The owner sees this. {NO_CHILD}",
    )
    wanted_by = models.DateField("by when", help_text="The day by which the owner is to report with it.")
    meeting = made_at_meeting()

    class Meta(Statement.Meta):
        verbose_name = "report sent back"
        verbose_name_plural = "reports sent back"
        constraints = [
            *Statement.Meta.constraints,
            not_blank("wanted"),
            models.CheckConstraint(
                condition=Q(wanted_by__gt=F("dated_first")),
                name="recommendations_sendback_leaves_time",
                violation_error_message="Give a day after the one on which it was sent back.",
            ),
        ]

    @classmethod
    def in_force_of(cls, report):
        """Those in force that send back ``report``, in whatever words it was when it was sent back."""
        rows = cls.objects.in_force().filter(report__action=report.action_id)
        return rows.alias(place=place_of(type(report), "report__")).filter(place=its_place(report))

    def __str__(self):
        return f"{self.report.action.ref}, sent back {say(self.dated)}"

    def in_words(self):
        """What it says, without saying of what."""
        return f"wanted by {say_day(self.wanted_by)}: {self.wanted}"

    def as_said(self):
        said = f"evidence wanted by {say_day(self.wanted_by)}"
        return Said(was=self.report.words, now=said, text=self.wanted)
