from django.db import migrations

from recommendations import ledger


def chain_existing_papers(apps, schema_editor):
    """Give each paper and demonstration mark that is already there its entry in the chain."""
    entries = apps.get_model("recommendations", "LedgerEntry")
    for name in ("Paper", "Demonstration"):
        rows = apps.get_model("meetings", name).objects.order_by("pk")
        ledger.chain(rows.iterator(chunk_size=100), entries)


class Migration(migrations.Migration):
    dependencies = [("meetings", "0001_initial"), ("recommendations", "0002_ledger")]

    operations = [
        migrations.RunPython(chain_existing_papers, migrations.RunPython.noop),
    ]
