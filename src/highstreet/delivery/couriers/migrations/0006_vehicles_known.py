from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("couriers", "0005_vehicles"),
    ]

    operations = [
        ValidateConstraint(model_name="courier", name="courier_vehicle"),
    ]
