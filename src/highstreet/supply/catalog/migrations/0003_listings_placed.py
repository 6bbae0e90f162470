from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.lookups import IsNull

from highstreet.kernel.batches import in_batches


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("catalog", "0002_the_shelf_in_its_order")]

    operations = [
        migrations.RunPython(
            in_batches("catalog_listing", "SET variant_id = variant_id WHERE sku IS NULL"), migrations.RunPython.noop
        ),
        AddIndexConcurrently(
            "listing",
            models.Index(
                F("store"),
                IsNull(F("was"), True),
                F("position"),
                F("sku"),
                name="listing_shelf",
                condition=Q(visible=True),
            ),
        ),
        AddIndexConcurrently(
            "listing",
            models.Index(
                F("store"),
                F("category"),
                IsNull(F("was"), True),
                F("position"),
                F("sku"),
                name="listing_category",
                condition=Q(visible=True),
            ),
        ),
        AddIndexConcurrently(
            "listing",
            models.Index(F("store"), F("category"), F("price"), name="listing_price", condition=Q(visible=True)),
        ),
    ]
