from django.db import migrations, models

import highstreet.kernel.ids

# What was agreed to is added to and never changed; only the register's periods delete, and say so.
FORWARD = """
CREATE FUNCTION customers_consent_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('highstreet.forgetting', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER consent_kept BEFORE UPDATE OR DELETE ON customers_consent
  FOR EACH ROW EXECUTE FUNCTION customers_consent_kept();
"""
BACKWARD = """
DROP TRIGGER consent_kept ON customers_consent;
DROP FUNCTION customers_consent_kept();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                ("id", models.UUIDField(default=highstreet.kernel.ids.new_id, primary_key=True, serialize=False)),
                ("customers", models.JSONField()),
                ("users", models.JSONField()),
                ("rows", models.IntegerField()),
                ("actor", models.CharField(max_length=80)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                ("id", models.UUIDField(default=highstreet.kernel.ids.new_id, primary_key=True, serialize=False)),
                ("subject", models.UUIDField()),
                ("purpose", models.CharField(max_length=24)),
                ("given", models.BooleanField()),
                ("wording", models.SmallIntegerField()),
                ("language", models.CharField(max_length=8)),
                ("channel", models.CharField(max_length=8)),
                ("at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["subject", "purpose", "-at", "-id"], name="consent_now")],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
