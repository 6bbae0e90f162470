from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dispatch", "0012_replay_roster_valid"),
    ]

    operations = [
        migrations.AddField("delivery", "cash", models.BooleanField(default=False, db_default=False)),
    ]
