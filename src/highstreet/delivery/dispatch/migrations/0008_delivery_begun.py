from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("dispatch", "0007_places"),
    ]

    operations = [
        AddIndexConcurrently("delivery", models.Index(fields=["city", "created_at"], name="delivery_begun")),
    ]
