from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0010_delivery_pick")]

    operations = [
        migrations.AddField("replay", "roster", models.CharField(max_length=10, default="worked", db_default="worked")),
        migrations.AddField("replay", "other_day", models.DateField(null=True)),
        AddConstraintNotValid(
            model_name="replay",
            constraint=models.CheckConstraint(
                condition=Q(roster__in=["worked", "planned", "proposed"], other_day=None)
                | Q(roster="other", other_day__isnull=False) & ~Q(other_day=F("day")),
                name="replay_roster",
            ),
        ),
    ]
