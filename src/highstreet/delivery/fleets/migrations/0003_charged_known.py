from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("fleets", "0002_charged"),
    ]

    operations = [
        ValidateConstraint(model_name="fleetorder", name="fleet_order_charged_sane"),
    ]
