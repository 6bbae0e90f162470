from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dispatch", "0008_delivery_begun"),
    ]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="start_at",
            field=models.DateTimeField(null=True),
        ),
    ]
