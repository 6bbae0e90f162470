from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0011_replay_roster")]

    operations = [ValidateConstraint(model_name="replay", name="replay_roster")]
