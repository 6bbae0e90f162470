"""A small shop with goods on its shelves, and orders given to it. Rows are made directly."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from stdnum import ean

from highstreet.kernel import audit, clock, holds, ids
from highstreet.kernel.models import OutboxEvent
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.people.staff.policy import ROLES
from highstreet.supply.catalog.models import Category, Listing, Product, Variant
from highstreet.supply.inventory.actions import receive
from highstreet.supply.inventory.models import StockLevel, StockLocation
from highstreet.supply.organisations.models import City, Organisation
from highstreet.supply.organisations.reads import forget
from highstreet.supply.stores.models import Store
from highstreet.trade.fulfilment import actions
from highstreet.trade.fulfilment.models import Fulfilment, FulfilmentLine
from highstreet.trade.fulfilment.rules import NewFulfilment, NewLine

GOODS = {
    "milk": ("鲜牛奶", "milk", "950 ml", "B1-04", "chilled", 1200),
    "broccoli": ("西兰花", "broccoli", "300 g", "A2-01", "ambient", 600),
    "toast": ("吐司", "toast", "400 g", "A10-02", "ambient", 900),
    "wholemeal": ("全麦吐司", "wholemeal toast", "400 g", "A10-03", "ambient", 800),
}


def barcode(number: int) -> str:
    body = f"690{number:09d}"
    return body + ean.calc_check_digit(body)


@dataclass
class Shop:
    store: Store
    organisation: Organisation
    variants: dict[str, Variant] = field(default_factory=dict)

    def staff(self, role: str = "picker") -> Actor:
        return Actor(
            kind="staff",
            user_id=ids.new_id(),
            organisation_id=self.organisation.pk,
            store_ids=frozenset({self.store.pk}),
            permissions=ROLES[role],
        )

    def level(self, name: str) -> StockLevel:
        return StockLevel.objects.get(location__store=self.store, variant=self.variants[name])

    def stock(self, name: str) -> tuple[int, int, int]:
        """(on_hand, held, allocated)."""
        row = self.level(name)
        return row.on_hand, row.held, row.allocated


def shop(code: str = "corner", units: int = 10) -> Shop:
    """A store with ten of each of GOODS; a second one shares organisation, city and goods."""
    forget()
    organisation, _ = Organisation.objects.get_or_create(
        code="retailer", defaults={"kind": "brand", "name_zh": "零售", "name_en": "Retailer"}
    )
    city, _ = City.objects.get_or_create(
        code="town",
        defaults={
            "name_zh": "城",
            "name_en": "Town",
            "time_zone": "Asia/Shanghai",
            "retailer": organisation,
            "south": 0,
            "west": 0,
            "north": 1,
            "east": 1,
            "centre_lat": 0.5,
            "centre_lon": 0.5,
        },
    )
    store = Store.objects.create(
        code=code,
        kind="corner_shop",
        organisation=organisation,
        city=city,
        name_zh="店",
        name_en="Shop",
        address="1",
        lat=0.5,
        lon=0.5,
        opens_minute=0,
        closes_minute=1440,
        delivery_radius_m=5000,
    )
    StockLocation.objects.create(store=store, name="shelves")
    category, _ = Category.objects.get_or_create(
        code="food",
        defaults={
            "name_zh": "食",
            "name_en": "Food",
            "group_code": "g",
            "group_zh": "g",
            "group_en": "g",
            "picture": "p",
        },
    )
    made = Shop(store, organisation)
    for number, (name, (zh, en, unit, aisle, temperature, price)) in enumerate(GOODS.items(), 1):
        variant = Variant.objects.filter(sku=f"SKU-{number}").first()
        if variant is None:
            product = Product.objects.create(
                organisation=organisation, category=category, name_zh=zh, name_en=en, picture="p"
            )
            variant = Variant.objects.create(
                product=product,
                sku=f"SKU-{number}",
                barcode=barcode(number),
                unit_zh=unit,
                unit_en=unit,
                aisle=aisle,
                temperature=temperature,
            )
        Listing.objects.create(store=store, variant=variant, price=price)
        receive(actor=THE_SYSTEM, store_id=store.pk, variant_id=variant.pk, quantity=units)
        made.variants[name] = variant
    return made


def order(
    place: Shop,
    wanted: dict[str, int] | None = None,
    *,
    mode: str = "delivery",
    substitution: str = "best",
    collect_due: int = 0,
    order_id: UUID | None = None,
) -> Fulfilment:
    """An order's fulfilment with its units held and confirmed, as `trade.orders` leaves it."""
    wanted = wanted or {"broccoli": 2, "milk": 1}
    group, now = ids.new_id(), clock.now()
    claims = [holds.Claim("units", place.level(name).pk, count, name) for name, count in wanted.items()]
    with transaction.atomic():
        holds.take(group, claims, now + timedelta(minutes=10))
        assert holds.confirm(group)
    made = actions.create(
        actor=THE_SYSTEM,
        spec=NewFulfilment(
            order_id=order_id or ids.new_id(),
            order_number=ids.random_code(8),
            group=group,
            store_id=place.store.pk,
            mode=mode,
            substitution=substitution,
            phone_tail="1234",
            lat=0.5,
            lon=0.5,
            promised_from=now + timedelta(minutes=20),
            promised_to=now + timedelta(minutes=35),
            ready_by=now + timedelta(minutes=15),
            collect_due=collect_due,
            lines=tuple(
                NewLine(ids.new_id(), place.variants[name].pk, count, GOODS[name][5]) for name, count in wanted.items()
            ),
        ),
    )
    return Fulfilment.objects.get(pk=made)


def line(row: Fulfilment, place: Shop, name: str) -> FulfilmentLine:
    return FulfilmentLine.objects.get(fulfilment=row, variant=place.variants[name])


def pick_all(row: Fulfilment, staff: Actor) -> None:
    """Scan everything that is left."""
    for item in FulfilmentLine.objects.filter(fulfilment=row).select_related("variant"):
        for _ in range(item.quantity - item.picked - item.short):
            actions.scan(actor=staff, fulfilment_id=row.pk, code=item.variant.barcode)


def ready(row: Fulfilment, staff: Actor) -> Fulfilment:
    actions.accept(actor=staff, fulfilment_id=row.pk)
    pick_all(row, staff)
    actions.pack(actor=staff, fulfilment_id=row.pk)
    row.refresh_from_db()
    return row


def told(name: str) -> list[dict[str, object]]:
    return [event.payload for event in OutboxEvent.objects.filter(name=name).order_by("id")]


def assert_clean() -> None:
    broken = [finding for finding in audit.run() if finding.broken]
    assert not broken, broken
