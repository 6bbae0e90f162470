from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dispatch", "0009_start_at"),
    ]

    operations = [
        migrations.AddField("delivery", "pick", models.IntegerField(null=True)),
    ]
