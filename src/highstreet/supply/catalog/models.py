"""Categories, products, variants, listings."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import IsNull

from highstreet.kernel.ids import new_id


class Category(models.Model):
    """A shelf of the shop; `group_*` is the top-level heading it stands under."""

    id = models.UUIDField(primary_key=True, default=new_id)
    code = models.SlugField(max_length=40, unique=True)
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60)
    group_code = models.SlugField(max_length=40)
    group_zh = models.CharField(max_length=60)
    group_en = models.CharField(max_length=60)
    picture = models.CharField(max_length=60)
    position = models.IntegerField(default=0)

    def __str__(self) -> str:
        return self.name_en


class Product(models.Model):
    """What a shopper looks for. `search_text` is made by `catalog.rules.search_text` (zh, en, pinyin)."""

    id = models.UUIDField(primary_key=True, default=new_id)
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="products")
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    picture = models.CharField(max_length=60)
    keywords = models.CharField(max_length=200, default="")
    search_text = models.TextField(default="")
    active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name_en


class Variant(models.Model):
    """What is bought: one SKU with its barcode (EAN-13), unit, and place in the shop."""

    id = models.UUIDField(primary_key=True, default=new_id)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="variants")
    sku = models.CharField(max_length=40, unique=True)
    barcode = models.CharField(max_length=14, unique=True)
    unit_zh = models.CharField(max_length=40)
    unit_en = models.CharField(max_length=40)
    measure = models.CharField(max_length=20, default="")
    temperature = models.CharField(max_length=8, default="ambient")
    aisle = models.CharField(max_length=12, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(temperature__in=["ambient", "chilled", "frozen"]), name="variant_temperature_known"
            ),
        ]

    def __str__(self) -> str:
        return self.sku


class Listing(models.Model):
    """Visibility and price (fen) of a variant at a store; `was` is the struck-out price of an offer.

    `category`, `position` (the category's) and `sku` are copies, made by the database whenever what they are copied
    from changes (ADR 0027): with them a shelf is read in its order, from an index, as far as a page needs.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    store = models.ForeignKey("stores.Store", on_delete=models.CASCADE, related_name="+")
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="listings")
    price = models.BigIntegerField()
    was = models.BigIntegerField(null=True, blank=True)
    visible = models.BooleanField(default=True)
    category = models.ForeignKey(
        Category, null=True, editable=False, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    position = models.IntegerField(null=True, editable=False)
    sku = models.CharField(max_length=40, null=True, editable=False)

    class Meta:
        indexes = [
            models.Index(
                F("store"),
                IsNull(F("was"), True),
                F("position"),
                F("sku"),
                name="listing_shelf",
                condition=Q(visible=True),
            ),
            models.Index(
                F("store"),
                F("category"),
                IsNull(F("was"), True),
                F("position"),
                F("sku"),
                name="listing_category",
                condition=Q(visible=True),
            ),
            models.Index(F("store"), F("category"), F("price"), name="listing_price", condition=Q(visible=True)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["store", "variant"], name="listing_once"),
            models.CheckConstraint(condition=Q(price__gt=0), name="listing_price_positive"),
        ]
