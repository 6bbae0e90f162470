"""A small town for tests: a retailer, three shops, five things to buy, and a promise that is always kept.

Everything is made through the same tables and actions as in life; the promise is a real port, but steady.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from highstreet.kernel import audit, clock, ids, ledger, outbox
from highstreet.kernel.holds import Claim
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.policy import NOBODY, THE_SYSTEM, Actor
from highstreet.supply.catalog.models import Category, Listing, Product, Variant
from highstreet.supply.inventory import actions as inventory
from highstreet.supply.inventory.models import StockLocation
from highstreet.supply.inventory.reads import LevelView, levels
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.models import City, Organisation
from highstreet.supply.stores.models import Store
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.cart import actions as carts
from highstreet.trade.fulfilment import actions as fulfilment
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.fulfilment.reads import FulfilmentView
from highstreet.trade.orders import actions, ports, reads
from highstreet.trade.orders.actions import Placed
from highstreet.trade.orders.ports import PromiseOffer, Slot
from highstreet.trade.orders.reads import OrderView, QuoteView
from highstreet.trade.payments.models import PaymentIntent, Refund
from highstreet.trade.payments.steps import book, settle

NOON = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)  # 12:00 in Porto Alegre
PHONE = "13800001111"
PRICES = [590, 1290, 250, 3990, 100]


@dataclass
class SteadyPromise:
    """Promises everyone the half hour from 30 minutes on, with a slot of capacity behind it; and the hour `chosen`."""

    slot: UUID
    minutes: dict[UUID, int] = field(default_factory=dict)
    none_at: set[UUID] = field(default_factory=set)
    kept: dict[UUID, PromiseOffer] = field(default_factory=dict)
    voided: list[UUID] = field(default_factory=list)
    chosen: datetime = NOON + timedelta(hours=5)

    def offer(
        self,
        *,
        store: StoreView,
        lat: float,
        lon: float,
        units: int,
        mode: str,
        at: datetime,
        slot: datetime | None = None,
        agreed: bool = False,
    ) -> PromiseOffer | None:
        if slot is not None and (store.id in self.none_at or slot != self.chosen or (at >= slot and not agreed)):
            return None
        if slot is None and (store.id in self.none_at or not store.is_open(at)):
            return None
        start = slot or at + timedelta(minutes=self.minutes.get(store.id, 30))
        ready_by = slot - timedelta(minutes=20) if slot else at + timedelta(minutes=10)
        return PromiseOffer(
            start,
            start + timedelta(minutes=60 if slot else 15),
            ready_by,
            90,
            {"units": units},
            self.slot if mode == "delivery" else None,
            start_at=ready_by - timedelta(minutes=15) if slot else None,
            slot=slot,
        )

    def slots(self, *, store: StoreView, lat: float, lon: float, units: int, mode: str, at: datetime) -> list[Slot]:
        return [Slot(self.chosen, self.chosen + timedelta(minutes=60), True)] if at < self.chosen else []

    def claims(self, offer: PromiseOffer) -> list[Claim]:
        return [Claim("courier_capacity", offer.capacity_slot_id, 1)] if offer.capacity_slot_id else []

    def keep(self, *, order_id: UUID, city_id: UUID, store_id: UUID, mode: str, offer: PromiseOffer) -> None:
        self.kept[order_id] = offer

    def void(self, *, order_id: UUID) -> None:
        self.voided.append(order_id)


@dataclass
class Town:
    retailer: UUID
    city: UUID
    stores: list[UUID]
    variants: list[UUID]
    promise: SteadyPromise
    lat: float = -30.03
    lon: float = -51.22

    def cart(self, *quantities: int, actor: Actor = NOBODY) -> str:
        """A cart with so many of the first, second … variant. Returns its key."""
        key = carts.open(actor=actor, city_id=self.city).key
        for variant, quantity in zip(self.variants, quantities, strict=False):
            if quantity:
                carts.set_quantity(actor=actor, cart_key=key, variant_id=variant, quantity=quantity)
        return key

    def quote(self, key: str, mode: str = "delivery", actor: Actor = NOBODY, store: UUID | None = None) -> QuoteView:
        return actions.quote(
            actor=actor,
            cart_key=key,
            mode=mode,
            lat=self.lat,
            lon=self.lon,
            address="Rua da Praia 1",
            store_id=store,
        )

    def order(
        self,
        *quantities: int,
        mode: str = "delivery",
        method: str = "wechat",
        actor: Actor = NOBODY,
        store: UUID | None = None,
        substitution: str = "best",
    ) -> Placed:
        """An order through cart, quote and checkout; `store` is the one preferred."""
        key = self.cart(*quantities, actor=actor)
        quote = self.quote(key, mode, actor, store or self.stores[0])
        return actions.checkout(
            actor=actor,
            quote_id=quote.id,
            cart_key=key,
            phone=PHONE,
            payment_method=method,
            substitution=substitution,
        )

    def paid(self, *quantities: int, actor: Actor = NOBODY, substitution: str = "best") -> Placed:
        placed = self.order(*quantities, actor=actor, substitution=substitution)
        pay(placed)
        return placed

    def level(self, variant: int, store: int = 0) -> LevelView:
        return levels(self.stores[store], [self.variants[variant]])[self.variants[variant]]

    def worker(self, store: int = 0) -> Actor:
        """Someone who works in that shop."""
        return Actor(
            kind="employee",
            user_id=ids.new_id(),
            store_ids=frozenset({self.stores[store]}),
            permissions=frozenset({"fulfilment.read", "fulfilment.work"}),
        )

    def balance(self, code: str) -> int:
        return ledger.balance(AccountRef(self.retailer, code, "CNY"))


def pay(placed: Placed, *, intent_id: UUID | None = None) -> None:
    """The provider says that the payment was captured."""
    intent = PaymentIntent.objects.get(pk=intent_id or placed.intent_id)
    with transaction.atomic():
        assert book(THE_SYSTEM, intent, intent.amount, f"wx-{intent.pk}")


def settle_refunds(placed: Placed) -> int:
    """The provider sends what we asked back. Returns the fen."""
    rows = Refund.objects.filter(intent__payable=placed.order_id, status="requested").select_related("intent")
    with transaction.atomic():
        return sum(row.amount for row in rows if settle(THE_SYSTEM, row, f"wx-{row.pk}"))


def view(placed: Placed) -> OrderView:
    return reads.order(THE_SYSTEM, placed.order_id)


def package(placed: Placed) -> FulfilmentView:
    found = fulfilments.of_order(placed.order_id)
    assert found is not None
    return found


def deliver(town: Town, placed: Placed) -> None:
    """The shop picks all of it and the courier brings it."""
    box = package(placed)
    pick(town, placed)
    fulfilment.hand_over(actor=THE_SYSTEM, fulfilment_id=box.id)
    fulfilment.deliver(actor=THE_SYSTEM, fulfilment_id=box.id)
    outbox.drain()


def pick(town: Town, placed: Placed) -> None:
    """Accept, scan what is left of every line, pack."""
    work = town.worker()
    box = package(placed)
    if box.status == "pending":
        fulfilment.accept(actor=work, fulfilment_id=box.id)
    if package(placed).status == "accepted":
        fulfilment.start_picking(actor=work, fulfilment_id=box.id)
    for line in package(placed).lines:
        for _ in range(line.left):
            fulfilment.scan(actor=work, fulfilment_id=box.id, code=line.barcode)
    fulfilment.pack(actor=work, fulfilment_id=box.id)
    outbox.drain()


def clean_audit() -> None:
    """Every invariant of every package holds."""
    broken = [(found.check, found.says, found.broken) for found in audit.run() if found.broken]
    assert broken == []


@contextmanager
def running_from(at: datetime) -> Iterator[None]:
    """Business time runs on from `at`. Not frozen: histories of one instant would have no order."""
    before = clock._rate
    clock._rate = clock.Rate(clock.wall(), at.timestamp(), 1.0)
    try:
        yield
    finally:
        clock._rate = before


@contextmanager
def later(minutes: float) -> Iterator[None]:
    with running_from(clock.now() + timedelta(minutes=minutes)):
        yield


def build() -> Town:
    """The town, its shelves full (20 of each thing in each shop). Fills the promise port."""
    organisations.forget()
    retailer = Organisation.objects.create(
        code="retailer", kind="brand", name_zh="高街", name_en="Highstreet", policy={}
    )
    city = City.objects.create(
        code="poa",
        name_zh="阿雷格里港",
        name_en="Porto Alegre",
        time_zone="America/Sao_Paulo",
        retailer=retailer,
        south=-30.1,
        west=-51.3,
        north=-30.0,
        east=-51.1,
        centre_lat=-30.03,
        centre_lon=-51.22,
    )
    category = Category.objects.create(
        code="fruit",
        name_zh="水果",
        name_en="Fruit",
        group_code="fresh",
        group_zh="生鲜",
        group_en="Fresh",
        picture="apple",
    )
    variants = [_variant(index, category, retailer) for index in range(len(PRICES))]
    stores = []
    for index in range(3):
        store = Store.objects.create(
            code=f"shop{index}",
            kind="supermarket",
            organisation=retailer,
            city=city,
            name_zh=f"店{index}",
            name_en=f"Shop {index}",
            address="Rua",
            lat=-30.03 + index / 500,
            lon=-51.22,
            opens_minute=420,
            closes_minute=1320,
            delivery_radius_m=5000,
        )
        StockLocation.objects.create(store=store, name="shelves")
        for variant, price in zip(variants, PRICES, strict=True):
            Listing.objects.create(store=store, variant=variant, price=price)
        inventory.receive_all(actor=THE_SYSTEM, store_id=store.pk, quantities={variant.pk: 20 for variant in variants})
        stores.append(store.pk)
    promise = SteadyPromise(_slot(city.pk))
    ports.promises.fill(promise)
    return Town(retailer.pk, city.pk, stores, [variant.pk for variant in variants], promise)


def _variant(index: int, category: Category, retailer: Organisation) -> Variant:
    product = Product.objects.create(
        organisation=retailer, category=category, name_zh=f"果{index}", name_en=f"Fruit {index}", picture="apple"
    )
    body = f"69000000000{index}"
    check = -sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body)) % 10
    return Variant.objects.create(
        product=product, sku=f"F-{index}", barcode=f"{body}{check}", unit_zh="个", unit_en="each", aisle="A1"
    )


def _slot(city_id: UUID, capacity: int = 40) -> UUID:
    # The table of a higher floor, which these tests may not import.
    slot = ids.new_id()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO promise_capacityslot (id, city_id, starts_at, capacity, held, taken) "
            "VALUES (%s, %s, %s, %s, 0, 0)",
            [slot, city_id, NOON, capacity],
        )
    return slot


def capacity(town: Town) -> tuple[int, int]:
    """(held, taken) of the slot."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT held, taken FROM promise_capacityslot WHERE id = %s", [town.promise.slot])
        held, taken = cursor.fetchone()
    return int(held), int(taken)
