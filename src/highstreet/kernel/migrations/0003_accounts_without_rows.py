"""An account is (owner, code, currency) of its postings: a row for it was a lock that payments queued on."""

from django.db import migrations, models

FILL = """
ALTER TABLE kernel_posting DISABLE TRIGGER USER;
UPDATE kernel_posting p SET owner = a.owner, code = a.code FROM kernel_account a WHERE a.id = p.account_id;
ALTER TABLE kernel_posting ENABLE TRIGGER USER;
"""


class Migration(migrations.Migration):
    # Rows are changed and then columns: not in one transaction.
    atomic = False
    dependencies = [("kernel", "0002_ledger_guards")]
    operations = [
        migrations.AddField("posting", "owner", models.UUIDField(null=True)),
        migrations.AddField("posting", "code", models.CharField(max_length=48, default=""), preserve_default=False),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField("posting", "owner", models.UUIDField()),
        migrations.RemoveField("posting", "account"),
        migrations.DeleteModel("Account"),
        migrations.AddIndex(
            "posting",
            models.Index("owner", "code", "currency", include=["amount"], name="posting_balance"),
        ),
    ]
