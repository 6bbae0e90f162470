"""Fills an empty oscar shop: `python -m project.seed < shape.json`, with the tables made.

The shape is `{"products": [[name, category], ...], "variants": N, "partners": N}`. A product is an oscar parent and
its variants are the parent's children; every partner has every variant in stock. Prints `{"categories": [[id, slug]],
"products": [[id, slug]], "variants": [[id, parent id]]}`, products and variants in the order made.
"""

import itertools
import json
import os
import sys
from decimal import Decimal

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils.text import slugify  # noqa: E402
from oscar.apps.address.models import Country  # noqa: E402
from oscar.apps.catalogue.categories import create_from_breadcrumbs  # noqa: E402
from oscar.apps.catalogue.models import Category, Product, ProductCategory, ProductClass  # noqa: E402
from oscar.apps.partner.models import Partner, StockRecord  # noqa: E402

MANY = 1_000_000


def main() -> None:
    shape = json.load(sys.stdin)
    Country.objects.create(
        iso_3166_1_a2="BR", iso_3166_1_a3="BRA", printable_name="Brazil", name="Brazil", is_shipping_country=True
    )
    goods = ProductClass.objects.create(name="Goods", requires_shipping=True, track_stock=True)
    categories = {code: create_from_breadcrumbs(code) for code in sorted({code for _, code in shape["products"]})}
    parents = Product.objects.bulk_create(
        Product(
            structure=Product.PARENT, title=name, slug=slugify(name) or "product", upc=f"P{place}", product_class=goods
        )
        for place, (name, _) in enumerate(shape["products"])
    )
    ProductCategory.objects.bulk_create(
        ProductCategory(product=parent, category=categories[code])
        for parent, (_, code) in zip(parents, shape["products"], strict=True)
    )
    children = Product.objects.bulk_create(
        Product(
            structure=Product.CHILD,
            parent=parent,
            title=f"{parent.title}, pack {number // len(parents) + 1}",
            slug=f"{parent.slug}-{number // len(parents) + 1}",
            upc=f"V{number}",
        )
        for number, parent in zip(range(shape["variants"]), itertools.cycle(parents), strict=False)
    )
    partners = [
        Partner.objects.create(name=f"Store {number}", code=f"store-{number}") for number in range(shape["partners"])
    ]
    StockRecord.objects.bulk_create(
        (
            StockRecord(
                product=child,
                partner=partner,
                partner_sku=child.upc,
                price_currency=settings.OSCAR_DEFAULT_CURRENCY,
                price=Decimal(500 + number * 37 % 9000) / 100,
                num_in_stock=MANY,
            )
            for partner in partners
            for number, child in enumerate(children)
        ),
        batch_size=5000,
    )
    call_command("update_index", verbosity=0)
    print(
        json.dumps(
            {
                "categories": [[one.pk, one.full_slug] for one in Category.objects.order_by("pk")],
                "products": [[one.pk, one.slug] for one in parents],
                "variants": [[one.pk, one.parent_id] for one in children],
            }
        )
    )


if __name__ == "__main__":
    main()
