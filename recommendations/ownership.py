"""Who answers for an action: the owner is the owner of the day, and a change of owner is a statement."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from record.signing import name_in
from record.statements import Said, Statement, StatementQuerySet


class OwnershipQuerySet(StatementQuerySet):
    def of_the_day(self, at):
        """The standing ownership of each action: the newest by the day it speaks of."""
        return self.standing(at).newest_of_each("action")


class Ownership(Statement):
    """That an account answers for an action from a day on, or that none does."""

    subject_field = "action"

    action = models.ForeignKey("recommendations.Action", models.PROTECT, related_name="ownerships")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="ownerships",
        help_text="The account that records its progress. Empty if nobody’s does.",
    )
    owner_signed = models.CharField(
        max_length=200, blank=True, editable=False, help_text="The owner’s name and role at the time."
    )

    objects = OwnershipQuerySet.as_manager()

    class Meta(Statement.Meta):
        verbose_name = "owner"
        verbose_name_plural = "owners"
        indexes = [models.Index(fields=["action", "dated_first", "id"], name="ownership_newest")]
        constraints = [
            *Statement.Meta.constraints,
            models.CheckConstraint(
                condition=Q(owner=None, owner_signed="") | Q(owner__isnull=False) & ~Q(owner_signed=""),
                name="recommendations_ownership_owner_is_named",
            ),
        ]

    def __str__(self):
        return f"{self.action.ref}, {self.in_words()}"

    def in_words(self):
        """What it says, without saying of what."""
        return f"owner: {name_in(self.owner_signed) or 'nobody'}"

    def as_said(self):
        return Said(was="", now=name_in(self.owner_signed) or "nobody", text="")
