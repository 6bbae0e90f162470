"""The shelf read from its index is the shelf that one would sort by hand, whatever changed before."""

from __future__ import annotations

import random

import pytest

from highstreet.kernel.policy import THE_SYSTEM
from highstreet.supply.catalog import reads
from highstreet.supply.catalog.models import Category, Listing, Product, Variant
from highstreet.supply.catalog.reads import CardView
from highstreet.supply.inventory import actions as inventory
from highstreet.web.console.tests.support import Scene, a_scene

pytestmark = pytest.mark.django_db
SEED = 20261126


def a_street(dice: random.Random) -> Scene:
    """One store's shelf: some 60 variants in four categories, some on offer, some hidden, some sold out."""
    scene = a_scene()
    like, store = Category.objects.earliest("code"), scene.stores[0]
    kept = {field.attname: getattr(like, field.attname) for field in Category._meta.concrete_fields if not field.unique}
    groups = [Category.objects.create(**kept | {"code": f"c{n}", "group_code": f"g{n % 2}"}) for n in range(4)]
    for number in range(60):
        product = Product.objects.create(
            organisation_id=scene.city.retailer_id,
            category=dice.choice(groups),
            name_zh=f"货{number}",
            name_en=f"Thing {number}",
            picture="",
            search_text=f"thing{number} {'red' if number % 3 else 'blue'}",
        )
        variant = Variant.objects.create(
            product=product,
            sku=f"K{dice.randrange(10**6)}-{number}",
            barcode=f"9{number:012}",
            unit_zh="个",
            unit_en="pc",
        )
        Listing.objects.create(store_id=store.pk, variant=variant, price=dice.randint(1, 40) * 10)
        if dice.random() < 0.6:
            inventory.receive(actor=THE_SYSTEM, store_id=store.pk, variant_id=variant.pk, quantity=1)
    return scene


def change(dice: random.Random) -> None:
    """What may change a place on the shelf, drawn by `dice`."""
    listing = dice.choice(list(Listing.objects.order_by("pk")))
    product = dice.choice(list(Product.objects.order_by("pk")))
    category = dice.choice(list(Category.objects.order_by("pk")))
    match dice.randrange(6):
        case 0:
            Listing.objects.filter(pk=listing.pk).update(was=dice.choice([None, 10_000]))
        case 1:
            Listing.objects.filter(pk=listing.pk).update(visible=dice.random() < 0.7)
        case 2:
            Product.objects.filter(pk=product.pk).update(category=category)
        case 3:
            Category.objects.filter(pk=category.pk).update(position=dice.randrange(5))
        case 4:
            Variant.objects.filter(pk=listing.variant_id).update(sku=f"Z{dice.randrange(10**9)}")
        case 5:
            # As a form does that was opened before something changed: every column, stale copies among them.
            listing.save()


def by_hand(scene: Scene, *, category: str = "", group: str = "", word: str = "") -> list[str]:
    """The SKUs of the shelf in their order, from the tables that the copies are made of."""
    found = []
    for row in Listing.objects.filter(store_id=scene.stores[0].pk, visible=True).select_related(
        "variant__product__category"
    ):
        own = row.variant.product.category
        if (category and own.code != category) or (group and own.group_code != group):
            continue
        if word not in row.variant.product.search_text:
            continue
        card = reads.cards(scene.stores[0].pk, [row.variant_id])[row.variant_id]
        found.append((card.free <= 0, row.was is None, own.position, row.variant.sku))
    return [sku for *_, sku in sorted(found)]


def walked(scene: Scene, *, limit: int, **which: str) -> list[str]:
    """The same, page by page."""
    cards: list[CardView] = []
    cursor = ""
    while True:
        page = reads.shelf(scene.stores[0].pk, limit=limit, cursor=cursor, **which)
        cards += page.items
        if not page.next:
            return [card.sku for card in cards]
        cursor = page.next


@pytest.mark.parametrize("seed", range(3))
def test_every_page_is_as_sorted_by_hand(seed: int) -> None:
    dice = random.Random(SEED + seed)
    scene = a_street(dice)
    for _ in range(60):
        change(dice)
    assert walked(scene, limit=7) == by_hand(scene)
    for code in ("c0", "c3"):
        assert walked(scene, limit=3, category=code) == by_hand(scene, category=code)
    assert walked(scene, limit=5, group="g1") == by_hand(scene, group="g1")
    assert walked(scene, limit=4, query="blue") == by_hand(scene, word="blue")
    assert walked(scene, limit=4, query="blue", group="g0") == by_hand(scene, group="g0", word="blue")


def test_alike_is_the_nearest_price_in_stock_first() -> None:
    scene = a_street(random.Random(SEED))
    store = scene.stores[0].pk
    own = Listing.objects.filter(category__code="c1").order_by("price")[5]
    found = reads.similar(store, own.variant_id, 4)
    others = Listing.objects.filter(store_id=store, category__code="c1").exclude(pk=own.pk)
    cards = [card for card in reads.cards(store, others.values_list("variant_id", flat=True)).values() if card.free > 0]
    wanted = sorted(cards, key=lambda card: (abs(card.price - own.price), card.sku))[:4]
    assert [card.sku for card in found] == [card.sku for card in wanted]
    assert len(found) == 4
