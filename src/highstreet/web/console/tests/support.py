"""A retailer with two stores and orders in every state, another retailer, and people with roles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.test import Client

from highstreet.delivery.couriers.models import Courier, Shift
from highstreet.delivery.dispatch.models import Delivery, DispatchDecision
from highstreet.delivery.promise.models import Promise
from highstreet.kernel import clock, ids, ledger
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.models import StateChange
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.people.accounts.models import User
from highstreet.people.customers.models import Customer
from highstreet.people.staff.models import Employee
from highstreet.supply.catalog.models import Category, Listing, Product, Variant
from highstreet.supply.inventory import actions as inventory
from highstreet.supply.inventory.models import StockLocation
from highstreet.supply.organisations.models import City, Organisation
from highstreet.supply.organisations.reads import forget
from highstreet.supply.stores.models import Store
from highstreet.trade.cart.models import Cart
from highstreet.trade.fulfilment.models import Fulfilment, FulfilmentLine, PickupCode
from highstreet.trade.orders.models import Order, OrderLine, Quote
from highstreet.trade.payments.models import PaymentIntent

PATHS = {
    "pending": [],
    "accepted": ["accepted"],
    "picking": ["accepted", "picking"],
    "ready": ["accepted", "picking", "packed", "ready"],
    "delivered": ["accepted", "picking", "packed", "ready", "handed_over", "delivered"],
}


@dataclass(frozen=True)
class Scene:
    city: City
    stores: list[Store]
    variants: list[Variant]
    couriers: list[Courier]
    owner: User
    support: User
    picker: User


def a_scene(code: str = "one", stores: int = 2, products: int = 3) -> Scene:
    """A retailer of its own with everything the console shows, but no orders."""
    forget()
    retailer = Organisation.objects.create(code=f"retailer-{code}", kind="brand", name_zh="高街", name_en="Highstreet")
    city = City.objects.create(
        code=f"city-{code}",
        name_zh="测试城",
        name_en=f"City {code}",
        time_zone="Asia/Shanghai",
        retailer=retailer,
        south=31.0,
        west=121.0,
        north=31.5,
        east=121.8,
        centre_lat=31.23,
        centre_lon=121.47,
    )
    shops = [_store(f"{code}-{number}", retailer, city, number) for number in range(stores)]
    variants = [_variant(f"{code}-{number}", retailer, shops) for number in range(products)]
    couriers = [_courier(f"{code}-{number}", city) for number in range(2)]
    return Scene(
        city,
        shops,
        variants,
        couriers,
        staff(f"owner-{code}", "owner", retailer),
        staff(f"support-{code}", "support", retailer),
        staff(f"picker-{code}", "picker", retailer, shops[0]),
    )


def staff(username: str, role: str, organisation: Organisation, store: Store | None = None) -> User:
    user = User.objects.create(username=username)
    Employee.objects.create(user=user, organisation=organisation, store=store, role=role, name=f"{role} {username}")
    return user


def client_of(user: User | None, language: str = "en") -> Client:
    client = Client()
    client.cookies["lang"] = language
    if user is not None:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def an_order(
    scene: Scene,
    *,
    status: str = "delivered",
    mode: str = "delivery",
    store: int = 0,
    minutes_ago: int = 60,
    late_minutes: int | None = None,
    number: str = "",
    phone: str = "13800001234",
    cancelled: bool = False,
) -> Order:
    """An order of two units of each of the first two variants, `status` being its fulfilment's."""
    shop, placed = scene.stores[store], clock.now() - timedelta(minutes=minutes_ago)
    promised = placed + timedelta(minutes=35)
    lines = [(variant, 2, 500 + 100 * at) for at, variant in enumerate(scene.variants[:2])]
    goods, fee = sum(quantity * price for _, quantity, price in lines), 500 if mode == "delivery" else 0
    order = _order(scene, shop, mode, placed, promised, goods, fee, number or ids.random_token(6).upper(), phone)
    rows = [
        OrderLine.objects.create(
            order=order,
            variant=variant,
            position=at,
            name_zh="鲜牛奶",
            name_en="Fresh milk",
            quantity=quantity,
            unit_price=price,
        )
        for at, (variant, quantity, price) in enumerate(lines)
    ]
    intent = PaymentIntent.objects.create(
        payable=order.pk,
        organisation=order.organisation,
        provider="wechat",
        status="captured",
        out_trade_no=ids.random_token(20),
        amount=order.total,
        captured=order.total,
        currency="CNY",
        description="x",
        created_at=placed,
        expires_at=placed + timedelta(minutes=10),
    )
    book(
        order,
        f"capture:{intent.pk}",
        "payment_captured",
        [("provider_wechat", order.total), ("customer_funds", -order.total)],
    )
    made = _fulfilment(order, rows, "cancelled" if cancelled else status, placed)
    done = None
    if status == "delivered" and not cancelled:
        done = promised + timedelta(minutes=late_minutes or -5)
        book(
            order,
            f"completed:{order.pk}",
            "order_completed",
            [("customer_funds", order.total), ("goods_revenue", -goods), ("delivery_revenue", -fee)],
        )
    _end(order, cancelled, done)
    _promise(order, promised, placed, done, late_minutes, cancelled)
    if mode == "delivery" and status in ("ready", "delivered") and not cancelled:
        _delivery(scene, order, made, promised, done)
    return order


def book(order: Order, key: str, kind: str, lines: list[tuple[str, int]]) -> None:
    ledger.post(
        key=key,
        kind=kind,
        cause=order.pk,
        actor=THE_SYSTEM,
        lines=[(AccountRef(order.organisation_id, code, "CNY"), amount) for code, amount in lines],
    )


def change(machine: str, subject: UUID, was: str, now: str, at: datetime) -> None:
    StateChange.objects.create(machine=machine, subject=subject, event=now, was=was, now=now, actor="system", at=at)


def _store(code: str, retailer: Organisation, city: City, number: int) -> Store:
    store = Store.objects.create(
        code=code,
        kind="supermarket",
        organisation=retailer,
        city=city,
        name_zh=f"{number + 1}号店",
        name_en=f"Shop {number + 1}",
        address="1 Road",
        lat=31.23 + 0.01 * number,
        lon=121.47,
        opens_minute=0,
        closes_minute=1440,
        delivery_radius_m=5000,
    )
    StockLocation.objects.create(store=store, name="shelves")
    return store


def _variant(code: str, retailer: Organisation, shops: list[Store]) -> Variant:
    category, _ = Category.objects.get_or_create(
        code="milk",
        defaults={
            "name_zh": "奶",
            "name_en": "Milk",
            "group_code": "dairy",
            "group_zh": "乳品",
            "group_en": "Dairy",
            "picture": "milk",
        },
    )
    product = Product.objects.create(
        organisation=retailer,
        category=category,
        name_zh="鲜牛奶",
        name_en="Fresh milk",
        picture="milk",
        search_text="fresh milk 鲜牛奶 xianniunai",
    )
    variant = Variant.objects.create(
        product=product, sku=f"MILK-{code}", barcode=ids.random_code(13), unit_zh="950 ml", unit_en="950 ml"
    )
    for shop in shops:
        Listing.objects.create(store=shop, variant=variant, price=990)
        inventory.receive(actor=THE_SYSTEM, store_id=shop.pk, variant_id=variant.pk, quantity=47, reason="demo")
    return variant


def _courier(code: str, city: City) -> Courier:
    user = User.objects.create(username=f"courier-{code}")
    courier = Courier.objects.create(
        user=user, city=city, name=f"Rider {code}", phone="13900000000", lat=31.235, lon=121.475, seen_at=clock.now()
    )
    Shift.objects.create(courier=courier, starts_at=clock.now() - timedelta(hours=2))
    return courier


def _order(
    scene: Scene,
    shop: Store,
    mode: str,
    placed: datetime,
    promised: datetime,
    goods: int,
    fee: int,
    number: str,
    phone: str,
) -> Order:
    cart = Cart.objects.create(key=ids.random_token(32), city=scene.city, changed_at=placed)
    customer = Customer.objects.create(phone=phone, created_at=placed)
    money: dict[str, Any] = {"goods_total": goods, "delivery_fee": fee, "total": goods + fee, "currency": "CNY"}
    quote = Quote.objects.create(
        cart=cart,
        cart_version=1,
        mode=mode,
        store=shop,
        lat=shop.lat,
        lon=shop.lon,
        lines=[],
        promise={},
        created_at=placed,
        expires_at=placed + timedelta(minutes=10),
        used_at=placed,
        **money,
    )
    return Order.objects.create(
        number=number,
        key=ids.random_token(32),
        quote=quote,
        customer=customer,
        organisation=scene.city.retailer,
        store=shop,
        city=scene.city,
        mode=mode,
        payment_method="wechat",
        payment_status="paid",
        phone=phone,
        address="12 High Street",
        lat=shop.lat + 0.004,
        lon=shop.lon + 0.004,
        placed_at=placed,
        expires_at=placed + timedelta(minutes=10),
        promised_from=promised - timedelta(minutes=15),
        promised_to=promised,
        captured=goods + fee,
        **money,
    )


def _fulfilment(order: Order, rows: list[OrderLine], status: str, placed: datetime) -> Fulfilment:
    made = Fulfilment.objects.create(
        order_id=order.pk,
        order_number=order.number,
        group=order.group,
        store=order.store,
        mode=order.mode,
        status=status,
        substitution="best",
        phone_tail=order.phone[-4:],
        lat=order.lat,
        lon=order.lon,
        promised_from=order.promised_from,
        promised_to=order.promised_to,
        ready_by=order.promised_to,
        handover_code="1234",
        created_at=placed,
    )
    for row in rows:
        FulfilmentLine.objects.create(
            fulfilment=made, order_line_id=row.pk, variant=row.variant, quantity=row.quantity, unit_price=row.unit_price
        )
    if order.mode == "pickup":
        PickupCode.objects.create(fulfilment=made, store=order.store, code=ids.random_code(8))
    was, at = "pending", placed
    for now in PATHS.get(status, []):
        at += timedelta(minutes=3)
        change("fulfilment", made.pk, was, now, at)
        was = now
    return made


def _end(order: Order, cancelled: bool, done: datetime | None) -> None:
    change("order", order.pk, "pending", "confirmed", order.placed_at)
    order.status = "cancelled" if cancelled else "completed" if done else "confirmed"
    order.ended_at = clock.now() if cancelled else done
    order.end_reason = "support" if cancelled else ""
    if order.status != "confirmed":
        change("order", order.pk, "confirmed", order.status, order.ended_at or clock.now())
    order.save()


def _promise(
    order: Order, promised: datetime, placed: datetime, done: datetime | None, late: int | None, cancelled: bool
) -> None:
    outcome = "void" if cancelled else "open" if done is None else "broken" if late else "kept"
    Promise.objects.create(
        order_id=order.pk,
        city=order.city,
        store=order.store,
        mode=order.mode,
        promised_from=order.promised_from,
        promised_to=promised,
        made_at=placed,
        outcome=outcome,
        fulfilled_at=done,
        late_seconds=None if done is None else (late or -5) * 60,
        compensation=500 if outcome == "broken" else 0,
        basis={
            "prep_minutes": 6.5,
            "travel_seconds": 480,
            "courier_minutes": 5.0,
            "residual_seconds": 360,
            "units": 4,
            "load_orders": 2,
            "slot_words": "12:00–12:15",
            "expected": promised.isoformat(),
        },
    )


def _delivery(scene: Scene, order: Order, made: Fulfilment, promised: datetime, done: datetime | None) -> None:
    rider, other = scene.couriers[0], scene.couriers[1]
    way = Delivery.objects.create(
        fulfilment_id=made.pk,
        order_id=order.pk,
        order_number=order.number,
        city=order.city,
        store=order.store,
        courier=rider if done else None,
        status="delivered" if done else "waiting",
        lat=order.lat,
        lon=order.lon,
        promised_to=promised,
        ready_by=promised,
        eta=promised + timedelta(minutes=4),
        distance_m=1800,
        pay=780 if done else 0,
        created_at=order.placed_at,
        ended_at=done,
    )
    if done:
        change("delivery", way.pk, "picked_up", "delivered", done)
        DispatchDecision.objects.create(
            delivery=way,
            courier=rider,
            policy="timely",
            cost_seconds=640,
            at=order.placed_at,
            alternatives=[{"courier": str(other.pk), "cost": 900}],
        )
