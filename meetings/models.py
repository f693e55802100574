"""What the board sees: the papers frozen for its meetings. What those made of them stands in outcomes.py."""

import hashlib

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.urls import reverse

from meetings.outcomes import AskOutcome, LateNote
from record.ledger import Anchor
from record.models import Erasure, LedgerEntry, Meeting
from record.signing import name_in
from record.versions import read

__all__ = ["AskOutcome", "LateNote", "Paper"]


class PaperQuerySet(models.QuerySet):
    def with_anchor(self):
        """The papers without their bytes, each able to say its ``anchor``."""
        entry = LedgerEntry.objects.filter(kind=self.model._meta.label_lower, row=OuterRef("pk"))
        return self.with_notice().annotate(
            sequence=Subquery(entry.values("sequence")), digest_before=Subquery(entry.values("previous"))
        )

    def with_notice(self):
        """The papers without their bytes, each with the ``notice`` that stands in their place, or None."""
        erased = Erasure.objects.filter(kind=self.model._meta.label_lower, row=OuterRef("pk"), field="body")
        return self.defer("body").annotate(notice=Subquery(erased.values("notice")))

    def latest_by(self, at):
        """The paper that the board had by the end of the day asked about, or None.

        Of all that were published by then it is the newest version of the latest meeting's.
        """
        published = self.filter(published_at__lt=at.until).order_by("-meeting__held_on", "-version")
        return next(iter(read(published[:1], at, "meeting")), None)


class Paper(models.Model):
    """A status paper as it was published: these bytes, for good."""

    append_only = True
    time_field = "published_at"

    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="papers")
    version = models.PositiveSmallIntegerField()
    as_at = models.DateField()
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    signed = models.CharField(max_length=200, help_text="The publisher’s name and role at the time.")
    reason = models.CharField(
        max_length=500, blank=True, help_text="Why a later version replaced an earlier one."
    )
    body = models.BinaryField()
    sha256 = models.CharField("SHA-256", max_length=64)
    decisions = models.JSONField(
        null=True, help_text="The numbers of the decisions on it; none on papers from before they had any."
    )

    objects = PaperQuerySet.as_manager()

    class Meta:
        ordering = ["meeting", "version"]
        constraints = [
            models.UniqueConstraint(fields=["meeting", "version"], name="meetings_paper_version_is_unique"),
            models.CheckConstraint(
                condition=Q(version=1) | ~Q(reason=""), name="meetings_paper_new_version_has_reason"
            ),
        ]

    def __str__(self):
        return f"{self.meeting}, paper version {self.version}"

    def get_absolute_url(self):
        return f"{reverse('paper', args=[self.meeting.held_on])}?version={self.version}"

    @property
    def publisher(self):
        """The name, at the time, of whoever published it."""
        return name_in(self.signed)

    @property
    def anchor(self):
        """The Anchor it prints, or None if it has no entry; needs ``with_anchor``."""
        # A paper is the next entry after all that it shows.
        return Anchor(self.sequence - 1, self.digest_before) if self.sequence else None

    @property
    def erasure(self):
        """The Erasure that put a notice in the place of its bytes, or None."""
        kind = self._meta.label_lower
        return Erasure.objects.filter(kind=kind, row=self.pk, field="body").first()

    def is_intact(self):
        """Whether the stored bytes still have the hash taken when they were published."""
        return hashlib.sha256(bytes(self.body)).hexdigest() == self.sha256
