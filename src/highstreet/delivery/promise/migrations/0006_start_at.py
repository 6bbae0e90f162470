from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("promise", "0005_zones"),
    ]

    operations = [
        migrations.AddField(
            model_name="promise",
            name="start_at",
            field=models.DateTimeField(null=True),
        ),
    ]
