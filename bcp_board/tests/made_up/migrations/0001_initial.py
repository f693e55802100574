import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import record.dates


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("recommendations", "0001_initial"),
        ("record", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Remark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "dated",
                    record.dates.EdtfField(
                        help_text="The day this speaks of. It cannot be in the future.", max_length=40
                    ),
                ),
                ("dated_first", models.DateField(blank=True, db_index=True, editable=False, null=True)),
                ("dated_last", models.DateField(blank=True, db_index=True, editable=False, null=True)),
                ("recorded_at", models.DateTimeField(editable=False)),
                (
                    "signed",
                    models.CharField(
                        blank=True,
                        editable=False,
                        help_text="The recorder’s name and role at the time.",
                        max_length=200,
                    ),
                ),
                (
                    "known_from",
                    models.DateTimeField(
                        editable=False,
                        help_text="When it became known: when it was recorded or, if first loaded, when its document may first have been published.",
                    ),
                ),
                (
                    "correction_reason",
                    models.TextField(
                        blank=True,
                        help_text="What was wrong with the earlier entry. It stays on the record, struck through.",
                        max_length=500,
                        verbose_name="why it is corrected",
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=200)),
                (
                    "note",
                    models.TextField(
                        blank=True,
                        help_text="Anything a reader should know, such as sources that disagree. Never enter a child’s name, birth date or case number.",
                    ),
                ),
                ("words", models.CharField(max_length=100)),
                (
                    "action",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="recommendations.action",
                    ),
                ),
                (
                    "corrects",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrected_by",
                        to="made_up.remark",
                    ),
                ),
                (
                    "withdraws",
                    models.OneToOneField(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="withdrawn_by",
                        to="made_up.remark",
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        blank=True,
                        help_text="The document that this fact comes from.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="record.document",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "remark",
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("document__isnull", False), ("recorded_by", None), ("signed", "")),
                            models.Q(
                                ("document", None),
                                ("recorded_by__isnull", False),
                                models.Q(("signed", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="made_up_remark_has_recorder_or_document",
                        violation_error_message="An entry is recorded by a person or loaded from a document.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("correction_reason", ""), ("corrects", None), ("withdraws", None)),
                            models.Q(
                                ("corrects__isnull", False),
                                ("withdraws", None),
                                models.Q(("correction_reason", ""), _negated=True),
                            ),
                            models.Q(
                                ("corrects", None),
                                ("withdraws__isnull", False),
                                models.Q(("correction_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="made_up_remark_correction_has_reason",
                        violation_error_message="Say what was wrong with the earlier entry.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("dated_first__isnull", False)),
                        name="made_up_remark_is_dated",
                        violation_error_message="Enter the day this speaks of.",
                    ),
                ],
            },
        ),
    ]
