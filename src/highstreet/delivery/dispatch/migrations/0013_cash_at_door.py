from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dispatch", "0010_delivery_pick"),
    ]

    operations = [
        migrations.AddField("delivery", "cash", models.BooleanField(default=False, db_default=False)),
    ]
