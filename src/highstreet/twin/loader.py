"""Load the demo city: streets, catalogue, stores, stock, staff and couriers, through the same actions as any city."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from highstreet.delivery.couriers import actions as couriers
from highstreet.delivery.routing import actions as routing
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.people.accounts import actions as accounts
from highstreet.people.staff import actions as staff
from highstreet.supply.catalog.actions import import_city
from highstreet.supply.catalog.models import Listing
from highstreet.supply.inventory import actions as inventory
from highstreet.supply.stores.reads import StoreView, stores_of

from .files import COURIERS, PASSWORD, POA, SHOPPERS, read_files

FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"


@dataclass(frozen=True)
class Loaded:
    city_id: UUID
    stores: list[StoreView]


def load_demo(
    *, products: int | None = None, streets: bool = True, tell: Callable[[str], None] = lambda words: None
) -> Loaded:
    """Load or refresh the demo city. `tell` hears what is being done. Safe to repeat."""
    files = read_files(products=products)
    tell(f"catalogue: {len(files.products)} products, {len(files.stores)} stores")
    city_id = import_city(actor=THE_SYSTEM, files=files)
    if streets:
        tell("streets: reading the map")
        routing.load(actor=THE_SYSTEM, city_id=city_id, pbf_path=POA / "streets.osm.pbf")
    stores = stores_of(city_id)
    tell("stock: filling the shelves")
    fill_shelves(stores)
    tell("people: staff, couriers and shoppers")
    _people(city_id, stores)
    return Loaded(city_id, stores)


def fill_shelves(stores: list[StoreView], *, seed: int = 7, up_to: int = 60) -> None:
    """Bring what each store lists up to a day's stock; a few shelves stay short, as in life."""
    from highstreet.supply.inventory.reads import levels

    for store in stores:
        source = random.Random(f"{seed}:{store.code}")
        listed = list(
            Listing.objects.filter(store_id=store.id).order_by("variant__sku").values_list("variant_id", flat=True)
        )
        have = levels(store.id, listed)
        wanted = {variant: (3 if source.random() < 0.04 else source.randint(up_to // 3, up_to)) for variant in listed}
        missing = {
            variant: units - have[variant].on_hand if variant in have else units for variant, units in wanted.items()
        }
        inventory.receive_all(actor=THE_SYSTEM, store_id=store.id, quantities=missing, reason="demo")


def _people(city_id: UUID, stores: list[StoreView]) -> None:
    pickers = {"picker" if index == 0 else f"picker{index + 1}": store for index, store in enumerate(stores)}
    managers = {"manager" if index == 0 else f"manager{index + 1}": store for index, store in enumerate(stores)}
    riders = ["courier" if index == 0 else f"courier{index + 1}" for index in range(COURIERS)]
    shoppers = ["shopper" if index == 0 else f"shopper{index + 1}" for index in range(SHOPPERS)]
    users = accounts.create_users(
        actor=THE_SYSTEM,
        password=PASSWORD,
        usernames=["owner", "support", *pickers, *managers, *riders, *shoppers],
    )
    owner = stores[0].organisation_id if stores else None
    for role, named in (("picker", pickers), ("store_manager", managers)):
        for index, (username, store) in enumerate(named.items()):
            staff.hire(
                actor=THE_SYSTEM,
                user_id=users[username],
                organisation_id=store.organisation_id,
                role=role,
                name=FAMILY[index % len(FAMILY)] + ("店长" if role == "store_manager" else "师傅"),
                store_id=store.id,
            )
    if owner is not None:
        retailer = _retailer(city_id)
        for username, role, name in (("owner", "owner", "高老板"), ("support", "support", "林客服")):
            staff.hire(actor=THE_SYSTEM, user_id=users[username], organisation_id=retailer, role=role, name=name)
    for index, username in enumerate(riders):
        couriers.create(
            actor=THE_SYSTEM,
            user_id=users[username],
            city_id=city_id,
            name=FAMILY[index % len(FAMILY)] + "师傅",
            phone=f"1380000{index + 1:04d}",
            vehicle="bike",
            capacity=3,
        )


def _retailer(city_id: UUID) -> UUID:
    from highstreet.supply.organisations.reads import city

    return city(city_id).retailer_id
