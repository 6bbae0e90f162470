from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("promise", "0006_start_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="courierreach",
            name="ride_percent",
            field=models.IntegerField(db_default=100, default=100),
        ),
    ]
