import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

import highstreet.kernel.ids


class Migration(migrations.Migration):
    serving = (
        "a city's quarters of an hour are a few thousand rows, of which the new column says nothing yet; what runs now "
        "writes rows of cities only, and finds their unique key as it was"
    )

    dependencies = [
        ("organisations", "0001_initial"),
        ("promise", "0004_chosen_windows"),
        ("stores", "0002_busy"),
    ]

    operations = [
        migrations.CreateModel(
            name="Zone",
            fields=[
                ("id", models.UUIDField(default=highstreet.kernel.ids.new_id, primary_key=True, serialize=False)),
                ("couriers", models.IntegerField(default=0)),
                ("orders", models.BigIntegerField(default=0)),
                (
                    "city",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="organisations.city"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=Q(couriers__gte=0) & Q(orders__gte=0), name="zone_not_negative")
                ],
            },
        ),
        migrations.CreateModel(
            name="ZoneStore",
            fields=[
                (
                    "store",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="stores.store",
                    ),
                ),
                (
                    "zone",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="places", to="promise.zone"
                    ),
                ),
            ],
        ),
        migrations.AlterField(
            model_name="capacityslot",
            name="city",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="organisations.city"
            ),
        ),
        migrations.AddField(
            model_name="capacityslot",
            name="zone",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="promise.zone",
            ),
        ),
        migrations.AddConstraint(
            model_name="capacityslot",
            constraint=models.UniqueConstraint(fields=("zone", "starts_at"), name="capacity_slot_once_a_zone"),
        ),
        migrations.AddConstraint(
            model_name="capacityslot",
            constraint=models.CheckConstraint(
                condition=Q(city__isnull=True, zone__isnull=False) | Q(city__isnull=False, zone__isnull=True),
                name="capacity_of_city_or_zone",
            ),
        ),
    ]
