"""A made-up kind of statement: nothing else in the project names it."""

from django.db import models

from record.statements import Statement


class Remark(Statement):
    subject_field = "action"

    action = models.ForeignKey("recommendations.Action", models.PROTECT, related_name="+")
    words = models.CharField(max_length=100)

    class Meta(Statement.Meta):
        verbose_name = "remark"

    def __str__(self):
        return f"{self.action.ref}, {self.words}"

    def in_words(self):
        return self.words
