"""A small world for the tests of the store and courier apps: two stores, ten goods, people, orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.test import Client

from highstreet.kernel import clock, holds, ids
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.people.accounts.models import User
from highstreet.people.staff import actions as staff
from highstreet.supply.catalog.models import Category, Listing, Product, Variant
from highstreet.supply.inventory.actions import UNITS
from highstreet.supply.inventory.models import StockLevel, StockLocation
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.models import City, Organisation
from highstreet.supply.stores.models import Store
from highstreet.trade.fulfilment import actions as fulfilments
from highstreet.trade.fulfilment.actions import NewFulfilment, NewLine

GOODS = [
    ("草莓", "Strawberries", "6920000000012", "A1-03"),
    ("香蕉", "Bananas", "6920000000081", "A1-05"),
    ("西兰花", "Broccoli", "6920000000043", "A2-01"),
    ("番茄", "Tomatoes", "6920000000074", "A2-02"),
    ("鲜牛奶", "Fresh milk", "6920000000029", "C1-02"),
    ("鸡蛋", "Eggs", "6920000000036", "C1-04"),
    ("吐司", "Toast", "6920000000050", "D3-01"),
    ("全麦吐司", "Wholemeal toast", "6920000000067", "D3-02"),
    ("大米", "Rice", "6920000000098", "E1-01"),
    ("面条", "Noodles", "6920000000104", "E1-02"),
]


@dataclass(frozen=True)
class World:
    city: City
    store: Store
    other: Store
    variants: list[Variant]


def build() -> World:
    """A retailer, a city around Porto Alegre's market, two stores that sell the same ten goods."""
    organisations.forget()
    retailer = Organisation.objects.create(code="retailer", kind="brand", name_zh="高街", name_en="Highstreet")
    city = City.objects.create(
        code="test",
        name_zh="测试城",
        name_en="Testville",
        time_zone="America/Sao_Paulo",
        retailer=retailer,
        south=-30.06,
        west=-51.25,
        north=-30.0,
        east=-51.18,
        centre_lat=-30.03,
        centre_lon=-51.22,
    )
    category = Category.objects.create(
        code="food",
        name_zh="食品",
        name_en="Food",
        group_code="food",
        group_zh="食品",
        group_en="Food",
        picture="basket",
    )
    variants = [_variant(retailer, category, *row) for row in GOODS]
    stores = [_store(city, retailer, code, variants) for code in ("one", "two")]
    return World(city, stores[0], stores[1], variants)


def person(world: World, role: str, *, store: Store | None = None, name: str = "") -> Client:
    """A signed-in client of an employee; `store` None works in all stores."""
    username = name or f"{role}-{store.code if store else 'all'}"
    user_id = user(username)
    staff.hire(
        actor=THE_SYSTEM,
        user_id=user_id,
        organisation_id=world.city.retailer_id,
        role=role,
        name="王师傅",
        store_id=store.pk if store else None,
    )
    return client_of(user_id)


def client_of(user_id: UUID, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(User.objects.get(pk=user_id), backend="django.contrib.auth.backends.ModelBackend")
    return client


def user(username: str) -> UUID:
    """A user who signs in by `client_of` only: hashing a password would take most of a test's time."""
    return User.objects.create(username=username, password="!").pk


def order(
    world: World,
    *,
    store: Store | None = None,
    lines: list[tuple[int, int]] | None = None,
    mode: str = "delivery",
    substitution: str = "best",
    number: str = "",
    due_in: timedelta = timedelta(minutes=20),
    collect_due: int = 0,
    now: datetime | None = None,
    window: tuple[datetime, datetime] | None = None,
    start_at: datetime | None = None,
) -> UUID:
    """A paid order in a store's queue with its units held; `lines` are (index in GOODS, units).

    `window` was chosen by the shopper, and the store should begin at `start_at`.
    """
    store = store or world.store
    chosen = [(world.variants[index], units) for index, units in (lines or [(0, 1), (2, 2)])]
    group, now = ids.new_id(), now or clock.now()
    levels = {level.variant_id: level.pk for level in StockLevel.objects.filter(location__store=store)}
    claims = [holds.Claim(UNITS.kind, levels[variant.pk], units) for variant, units in chosen]
    with transaction.atomic():
        holds.take(group, claims, now + timedelta(minutes=10))
        holds.confirm(group)
        return fulfilments.create(
            actor=THE_SYSTEM,
            spec=NewFulfilment(
                order_id=group,
                order_number=number or f"T{ids.random_code(5)}",
                group=group,
                store_id=store.pk,
                mode=mode,
                substitution=substitution,
                phone_tail="4821",
                lat=-30.032,
                lon=-51.215,
                address="Rua da Praia 12",
                promised_from=window[0] if window else now,
                promised_to=window[1] if window else now + due_in + timedelta(minutes=15),
                ready_by=now + due_in,
                start_at=start_at,
                not_before=window[0] if window and mode == "delivery" else None,
                collect_due=collect_due,
                lines=tuple(NewLine(ids.new_id(), variant.pk, units, 990) for variant, units in chosen),
            ),
        )


def _variant(retailer: Organisation, category: Category, zh: str, en: str, barcode: str, aisle: str) -> Variant:
    product = Product.objects.create(
        organisation=retailer,
        category=category,
        name_zh=zh,
        name_en=en,
        picture="strawberry",
        search_text=f"{zh} {en}".lower(),
    )
    return Variant.objects.create(
        product=product, sku=f"SKU-{barcode[-4:]}", barcode=barcode, unit_zh="1 份", unit_en="1 pack", aisle=aisle
    )


def _store(city: City, retailer: Organisation, code: str, variants: list[Variant]) -> Store:
    store = Store.objects.create(
        code=code,
        kind="supermarket",
        organisation=retailer,
        city=city,
        name_zh=f"高街{code}店",
        name_en=f"Highstreet {code}",
        address="Largo Glênio Peres",
        phone="+55 51 3000 0000",
        lat=-30.028,
        lon=-51.228,
        opens_minute=0,
        closes_minute=1440,
        delivery_radius_m=5000,
    )
    location = StockLocation.objects.create(store=store, name="shelves")
    for variant in variants:
        toast = variant.product.name_en.lower().endswith("toast")
        Listing.objects.create(store=store, variant=variant, price=1200 if toast else 990)
        StockLevel.objects.create(location=location, variant=variant, on_hand=40)
    return store
