from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("partners", "0003_keys_of_a_city")]

    operations = [ValidateConstraint(model_name="apikey", name="key_in_stores_or_a_city")]
