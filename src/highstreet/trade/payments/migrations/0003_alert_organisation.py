"""Whose payment an alert is about: known from its number for those that are there."""

import django.db.models.deletion
from django.db import migrations, models

FROM_PAYMENT = """
UPDATE payments_alert a SET organisation_id = i.organisation_id FROM payments_paymentintent i
WHERE i.out_trade_no IN (a.subject, a.facts ->> 'out_trade_no')
"""
FROM_REFUND = """
UPDATE payments_alert a SET organisation_id = i.organisation_id FROM payments_refund r
JOIN payments_paymentintent i ON i.id = r.intent_id
WHERE a.organisation_id IS NULL AND r.out_refund_no IN (a.subject, a.facts ->> 'out_refund_no')
"""


class Migration(migrations.Migration):
    # The rows are changed in one transaction and the table in another: PostgreSQL alters none with pending triggers.
    atomic = False

    dependencies = [
        ("organisations", "0001_initial"),
        ("payments", "0002_inbox_and_refund_sweep"),
    ]

    operations = [
        migrations.AddField(
            model_name="alert",
            name="organisation",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.RunSQL(FROM_PAYMENT, migrations.RunSQL.noop),
        migrations.RunSQL(FROM_REFUND, migrations.RunSQL.noop),
    ]
