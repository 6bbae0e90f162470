from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dispatch", "0008_delivery_begun"),
    ]

    operations = [
        migrations.AddField("delivery", "pick", models.IntegerField(null=True)),
    ]
