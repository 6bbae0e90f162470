from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from highstreet.kernel.batches import in_batches


class Migration(migrations.Migration):
    # Any word could be typed before, and none of them changed how long a ride was thought to take.
    atomic = False

    dependencies = [
        ("couriers", "0004_shift_orders_until"),
    ]

    operations = [
        migrations.AlterField(
            model_name="courier",
            name="vehicle",
            field=models.CharField(
                choices=[("bike", "Bicycle or scooter"), ("car", "Car"), ("walk", "On foot")],
                default="bike",
                max_length=8,
            ),
        ),
        migrations.RunPython(
            in_batches("couriers_courier", "SET vehicle = 'bike' WHERE vehicle NOT IN ('bike', 'car', 'walk')"),
            migrations.RunPython.noop,
        ),
        AddConstraintNotValid(
            model_name="courier",
            constraint=models.CheckConstraint(
                condition=models.Q(("vehicle__in", ["bike", "car", "walk"])), name="courier_vehicle"
            ),
        ),
    ]
