from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleets", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="fleetorder",
            name="charged",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        AddConstraintNotValid(
            model_name="fleetorder",
            constraint=models.CheckConstraint(condition=models.Q(("charged__gte", 0)), name="fleet_order_charged_sane"),
        ),
    ]
