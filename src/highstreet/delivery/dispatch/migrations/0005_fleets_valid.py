from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0004_fleets")]

    operations = [
        ValidateConstraint(model_name="delivery", name="delivery_courier_or_fleet"),
        ValidateConstraint(model_name="delivery", name="delivery_carrier_known"),
    ]
