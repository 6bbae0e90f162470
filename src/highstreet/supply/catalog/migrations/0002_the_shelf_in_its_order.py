import django.db.models.deletion
from django.db import migrations, models

# A listing's copies of what decides its place on the shelf are the database's own business: no action, importer or
# loader can forget them. Touching variant_id makes the copies anew. What is copied is locked, so that whoever is just
# moving it is waited for: they would not find a listing that is not there yet.
TRIGGERS = """
CREATE FUNCTION catalog_listing_placed() RETURNS trigger AS $$
DECLARE product uuid;
BEGIN
  SELECT product_id, sku INTO product, NEW.sku FROM catalog_variant WHERE id = NEW.variant_id FOR SHARE;
  SELECT category_id INTO NEW.category_id FROM catalog_product WHERE id = product FOR SHARE;
  SELECT position INTO NEW.position FROM catalog_category WHERE id = NEW.category_id FOR SHARE;
  RETURN NEW;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER listing_placed BEFORE INSERT OR UPDATE OF variant_id, category_id, position, sku ON catalog_listing
  FOR EACH ROW EXECUTE FUNCTION catalog_listing_placed();

CREATE FUNCTION catalog_variant_moved() RETURNS trigger AS $$
BEGIN
  UPDATE catalog_listing SET variant_id = variant_id WHERE variant_id = NEW.id;
  RETURN NULL;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER variant_moved AFTER UPDATE OF sku, product_id ON catalog_variant FOR EACH ROW
  WHEN (OLD.sku <> NEW.sku OR OLD.product_id <> NEW.product_id) EXECUTE FUNCTION catalog_variant_moved();

CREATE FUNCTION catalog_product_moved() RETURNS trigger AS $$
BEGIN
  UPDATE catalog_listing l SET variant_id = l.variant_id FROM catalog_variant v
  WHERE v.id = l.variant_id AND v.product_id = NEW.id;
  RETURN NULL;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER product_moved AFTER UPDATE OF category_id ON catalog_product FOR EACH ROW
  WHEN (OLD.category_id <> NEW.category_id) EXECUTE FUNCTION catalog_product_moved();

CREATE FUNCTION catalog_category_moved() RETURNS trigger AS $$
BEGIN
  UPDATE catalog_listing SET variant_id = variant_id WHERE category_id = NEW.id;
  RETURN NULL;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER category_moved AFTER UPDATE OF position ON catalog_category FOR EACH ROW
  WHEN (OLD.position <> NEW.position) EXECUTE FUNCTION catalog_category_moved();
"""
NO_TRIGGERS = """
DROP FUNCTION catalog_listing_placed() CASCADE;
DROP FUNCTION catalog_variant_moved() CASCADE;
DROP FUNCTION catalog_product_moved() CASCADE;
DROP FUNCTION catalog_category_moved() CASCADE;
"""


class Migration(migrations.Migration):
    serving = "columns without a value, functions and triggers: each is there at once and reads no row"

    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.AddField(
            "listing",
            "category",
            models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="catalog.category",
            ),
        ),
        migrations.AddField("listing", "position", models.IntegerField(editable=False, null=True)),
        migrations.AddField("listing", "sku", models.CharField(editable=False, max_length=40, null=True)),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
