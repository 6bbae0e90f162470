from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("fulfilment", "0002_chosen_windows"),
    ]

    operations = [
        AddIndexConcurrently(
            "fulfilment",
            models.Index(
                fields=["status", "promised_to"],
                condition=models.Q(status__in=["pending", "accepted", "picking", "packed", "ready"]),
                name="fulfilment_open",
            ),
        ),
    ]
