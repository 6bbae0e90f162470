from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("couriers", "0003_wishes"),
    ]

    operations = [
        migrations.AddField(
            model_name="shift",
            name="orders_until",
            field=models.DateTimeField(null=True),
        ),
    ]
