import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0001_initial"),
        ("partners", "0002_key_limits"),
    ]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="city",
            field=models.ForeignKey(
                null=True,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.city",
            ),
        ),
        AddConstraintNotValid(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=Q(stores__isnull=True) | Q(city=None), name="key_in_stores_or_a_city"
            ),
        ),
    ]
