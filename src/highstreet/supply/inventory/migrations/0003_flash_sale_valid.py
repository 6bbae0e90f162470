from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("inventory", "0002_flash_sale")]

    operations = [ValidateConstraint("stocklevel", "stock_never_oversold")]
