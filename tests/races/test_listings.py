"""A listing that is made while its product moves lies on the shelf that the product moved to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from highstreet.supply.catalog.models import Category, Listing, Product, Variant
from highstreet.trade.orders.tests.support import Town
from tests.support import crowd


def placed_while_moving(town: Town) -> bool:
    """Move the product of a variant that is just being listed; whether the listing is where the product is."""
    variant = Variant.objects.select_related("product__category").get(pk=town.variants[0])
    Listing.objects.filter(variant=variant).delete()
    elsewhere = Category.objects.create(
        code="elsewhere",
        name_zh="别处",
        name_en="Elsewhere",
        group_code="elsewhere",
        group_zh="别处",
        group_en="Elsewhere",
        picture="",
        position=99,
    )
    moved, listed = threading.Event(), threading.Event()

    def move() -> None:
        with transaction.atomic():
            Product.objects.filter(pk=variant.product_id).update(category=elsewhere)
            moved.set()
            crowd.until_somebody_waits(2.0)
            listed.wait(0.5)

    def enlist() -> None:
        assert moved.wait(10)
        Listing.objects.create(store_id=town.stores[0], variant=variant, price=100)
        listed.set()

    assert crowd.at_once([move, enlist]) == {"done": 2}
    found = Listing.objects.get(variant=variant)
    return (found.category_id, found.position) == (elsewhere.pk, 99)


@contextmanager
def unlocked() -> Iterator[None]:
    """The trigger's function without its lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('catalog_listing_placed'::regproc)")
        definition = cursor.fetchone()[0]
        assert " FOR SHARE" in definition
        cursor.execute(definition.replace(" FOR SHARE", ""))
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(definition)


def test_a_listing_lies_where_its_product_is(town: Town) -> None:
    assert placed_while_moving(town)


def test_without_its_lock_it_lies_where_the_product_was(town: Town) -> None:
    """The negative control."""
    with unlocked():
        assert not placed_while_moving(town)
