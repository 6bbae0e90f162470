import django.db.models.expressions
from django.db import migrations, models

import highstreet.kernel.ids


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0001_initial"),
        ("orders", "0001_initial"),
        ("organisations", "0001_initial"),
        ("stores", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE orders_number", "DROP SEQUENCE orders_number"),
        migrations.AddField(
            model_name="order",
            name="captured",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="order",
            name="compensated",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="order",
            name="group",
            field=models.UUIDField(default=highstreet.kernel.ids.new_id),
        ),
        migrations.AddField(
            model_name="order",
            name="reduced",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="order",
            name="refunded",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reduced__gte", 0),
                    ("reduced__lte", models.F("total")),
                    ("refunded__gte", 0),
                    ("compensated__gte", 0),
                    (
                        "captured__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("refunded"), "+", models.F("compensated")
                        ),
                    ),
                ),
                name="order_gives_back_what_it_took",
            ),
        ),
    ]
