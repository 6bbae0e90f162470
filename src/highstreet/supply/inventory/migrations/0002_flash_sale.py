import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import F, Q

import highstreet.kernel.ids


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_initial"),
        ("inventory", "0001_initial"),
    ]

    operations = [
        migrations.AddField("stocklevel", "flash", models.BooleanField(db_default=False, default=False)),
        migrations.AddField("stocklevel", "pooled", models.BigIntegerField(db_default=0, default=0)),
        migrations.CreateModel(
            name="StockShare",
            fields=[
                (
                    "id",
                    models.UUIDField(default=highstreet.kernel.ids.new_id, primary_key=True, serialize=False),
                ),
                (
                    "level",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inventory.stocklevel"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("units", models.BigIntegerField(default=0)),
                ("held", models.BigIntegerField(default=0)),
                ("allocated", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("level", "number"), name="stock_share_once"),
                    models.CheckConstraint(
                        condition=Q(held__gte=0, allocated__gte=0, units__gte=F("held") + F("allocated")),
                        name="stock_share_never_oversold",
                    ),
                ]
            },
        ),
        # In one transaction: what writes now never sees the table without its guard.
        migrations.RemoveConstraint("stocklevel", "stock_never_oversold"),
        AddConstraintNotValid(
            "stocklevel",
            models.CheckConstraint(
                condition=Q(held__gte=0, allocated__gte=0, pooled__gte=0)
                & Q(on_hand__gte=F("held") + F("allocated") + F("pooled")),
                name="stock_never_oversold",
            ),
        ),
    ]
