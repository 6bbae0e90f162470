from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from highstreet.kernel import clock, ids
from highstreet.kernel.policy import NOBODY
from highstreet.kernel.refusal import Refused
from highstreet.people.customers.models import Customer
from highstreet.supply.catalog.models import Category, Listing, Product, Variant
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.models import City, Organisation
from highstreet.supply.stores.models import Store
from highstreet.trade.cart import actions, reads
from highstreet.trade.cart.models import Cart


@dataclass
class Corner:
    """One shop with 70 things at 1.00, 2.00, … and nothing in stock."""

    city: UUID
    store: UUID
    variants: list[UUID]


@pytest.fixture
def corner(db: None) -> Corner:
    organisations.forget()
    owner = Organisation.objects.create(code="o", kind="brand", name_zh="o", name_en="o")
    city = City.objects.create(
        code="c",
        name_zh="c",
        name_en="c",
        time_zone="UTC",
        retailer=owner,
        south=0,
        west=0,
        north=1,
        east=1,
        centre_lat=0,
        centre_lon=0,
    )
    store = Store.objects.create(
        code="s",
        kind="corner_shop",
        organisation=owner,
        city=city,
        name_zh="s",
        name_en="s",
        address="a",
        lat=0,
        lon=0,
        opens_minute=0,
        closes_minute=1440,
        delivery_radius_m=1,
    )
    category = Category.objects.create(
        code="g", name_zh="g", name_en="g", group_code="g", group_zh="g", group_en="g", picture="p"
    )
    variants = []
    for index in range(70):
        product = Product.objects.create(
            organisation=owner, category=category, name_zh=f"物{index}", name_en=f"Thing {index}", picture="p"
        )
        variant = Variant.objects.create(
            product=product, sku=f"s{index}", barcode=f"b{index}", unit_zh="个", unit_en="each"
        )
        Listing.objects.create(store=store, variant=variant, price=100 * (index + 1))
        variants.append(variant.pk)
    return Corner(city.pk, store.pk, variants)


@pytest.fixture
def put(corner: Corner) -> Callable[..., actions.CartRef]:
    def put(key: str, variant: int, quantity: int, version: int | None = None) -> actions.CartRef:
        return actions.set_quantity(
            actor=NOBODY,
            cart_key=key,
            variant_id=corner.variants[variant],
            quantity=quantity,
            expected_version=version,
        )

    return put


def open_cart(corner: Corner) -> str:
    return actions.open(actor=NOBODY, city_id=corner.city).key


def test_a_cart_is_what_was_put_in_it(corner: Corner, put: Callable[..., actions.CartRef]) -> None:
    key = open_cart(corner)
    put(key, 0, 2)
    put(key, 1, 1)
    put(key, 0, 5)
    assert put(key, 1, 0).version == 4
    view = reads.cart(key, corner.store)
    assert [(line.quantity, line.price, line.line_total) for line in view.lines] == [(5, 100, 500)]
    assert (view.goods_total, view.count, reads.count(key)) == (500, 5, 5)
    assert view.lines[0].short
    assert reads.cart(key).lines[0].price is None
    actions.clear(actor=NOBODY, cart_key=key)
    assert reads.contents(key).lines == ()


def test_a_cart_can_be_opened_full(corner: Corner) -> None:
    wanted = {corner.variants[2]: 3, corner.variants[0]: 1}
    key = actions.open(actor=NOBODY, city_id=corner.city, quantities=wanted).key
    assert reads.contents(key).lines == tuple(wanted.items())


@pytest.mark.parametrize(
    ("many", "quantity", "stranger", "refusal"),
    [(1, 100, False, "bad_quantity"), (1, 1, True, "not_sold"), (61, 1, False, "cart_full")],
)
def test_a_cart_that_may_not_be_filled_is_not_opened(
    corner: Corner, many: int, quantity: int, stranger: bool, refusal: str
) -> None:
    wanted = dict.fromkeys(corner.variants[:many], quantity) | ({ids.new_id(): 1} if stranger else {})
    with pytest.raises(Refused, match=refusal):
        actions.open(actor=NOBODY, city_id=corner.city, quantities=wanted)
    assert not Cart.objects.exists()


@pytest.mark.parametrize("quantity", [-1, 100, 10**18, 1.5, True, "1", None])
def test_odd_quantities_change_nothing(corner: Corner, put: Callable[..., actions.CartRef], quantity: object) -> None:
    key = open_cart(corner)
    with pytest.raises(Refused, match="bad_quantity"):
        put(key, 0, quantity)
    assert reads.contents(key).version == 0


def test_a_stale_version_changes_nothing(corner: Corner, put: Callable[..., actions.CartRef]) -> None:
    key = open_cart(corner)
    put(key, 0, 1, 0)
    with pytest.raises(Refused, match="cart_changed"):
        put(key, 0, 9, 0)
    assert reads.quantities(key) == {corner.variants[0]: 1}


def test_what_nobody_sells_and_more_than_a_cart_holds_is_refused(
    corner: Corner, put: Callable[..., actions.CartRef]
) -> None:
    key = open_cart(corner)
    with pytest.raises(Refused, match="not_sold"):
        actions.set_quantity(actor=NOBODY, cart_key=key, variant_id=ids.new_id(), quantity=1)
    for index in range(60):
        put(key, index, 1)
    with pytest.raises(Refused, match="cart_full"):
        put(key, 60, 1)


@pytest.mark.parametrize("key", ["", "\x00", "0" * 32, "\ud800" * 32])
def test_without_its_key_there_is_no_cart(corner: Corner, key: str) -> None:
    for work in (
        lambda: reads.cart(key),
        lambda: reads.contents(key),
        lambda: actions.clear(actor=NOBODY, cart_key=key),
    ):
        with pytest.raises(Refused, match="not_found"):
            work()
    assert reads.count(key) == 0


def test_a_customers_cart_is_no_other_customers(corner: Corner, put: Callable[..., actions.CartRef]) -> None:
    customers = [Customer.objects.create(phone="1", created_at=clock.now()).pk for _ in range(2)]
    mine, other = (replace(NOBODY, customer_id=customer) for customer in customers)
    guest_cart = open_cart(corner)
    actions.set_quantity(actor=mine, cart_key=guest_cart, variant_id=corner.variants[0], quantity=1)
    assert reads.contents(guest_cart).customer_id == customers[0]
    with pytest.raises(Refused, match="not_found"):
        actions.clear(actor=other, cart_key=guest_cart)


def test_a_long_cart_is_read_in_as_many_queries_as_a_short_one(
    corner: Corner, put: Callable[..., actions.CartRef]
) -> None:
    key = open_cart(corner)
    counts = []
    for lines in (1, 30):
        for index in range(lines):
            put(key, index, 1)
        with CaptureQueriesContext(connection) as queries:
            reads.cart(key, corner.store)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 4
