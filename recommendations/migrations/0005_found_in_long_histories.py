from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recommendations", "0004_what_a_meeting_set"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="progressupdate", name="update_newest"),
        migrations.RemoveIndex(model_name="progressupdate", name="update_last_heard"),
        migrations.RemoveIndex(model_name="progressupdate", name="update_heard"),
        # In this order, because of two that seem as good SQLite takes the one that was made later.
        migrations.AddIndex(
            model_name="progressupdate",
            index=models.Index(fields=["known_from", "dated_first"], name="update_heard"),
        ),
        migrations.AddIndex(
            model_name="progressupdate",
            index=models.Index(
                fields=["action", "known_from", "id", "dated_first"], name="update_last_heard"
            ),
        ),
        migrations.AddIndex(
            model_name="progressupdate",
            index=models.Index(fields=["action", "dated_first", "id", "known_from"], name="update_newest"),
        ),
        migrations.AddIndex(
            model_name="progressupdate",
            index=models.Index(
                condition=models.Q(("corrects__isnull", False)),
                fields=["action", "dated_first"],
                name="update_correcting",
            ),
        ),
        migrations.AddIndex(
            model_name="progressupdate",
            index=models.Index(
                condition=models.Q(("status__in", ("complete", "embedded", "closed"))),
                fields=["action", "recorded_at"],
                name="update_finishing",
            ),
        ),
    ]
