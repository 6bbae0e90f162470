"""A quote becomes an order, in as few statements as it takes; the stock last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from highstreet.kernel import clock, holds, ids, rows
from highstreet.kernel.money import in_words
from highstreet.kernel.policy import Actor
from highstreet.kernel.refusal import Refused
from highstreet.people.customers import actions as customers
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.reads import CityView, in_language
from highstreet.supply.stores import reads as stores
from highstreet.trade.cart.rules import KEY_LENGTH
from highstreet.trade.payments import actions as payments

from .. import rules
from ..events import OrderPlaced
from ..models import Order, OrderLine, Quote
from ..ports import PromiseOffer, promises
from ..reads.quotes import cash_at_door
from ..refusals import BAD_PHONE, CASH_LIMIT, NO_CASH_AT_DOOR, PAY_AT_DOOR_ONLY, PAY_AT_PICKUP_ONLY
from .common import Want, choice, claims_on, clean, tell
from .confirming import give_new_to_store


@dataclass(frozen=True)
class Placed:
    """`key` is the secret by which a guest comes back; `intent_id` what is to be paid."""

    order_id: UUID
    key: str
    number: str
    status: str
    intent_id: UUID


@dataclass(frozen=True)
class Wish:
    """What the shopper said at checkout, checked."""

    phone: str
    payment_method: str
    substitution: str
    note: str
    unit: str


def wished(phone: str, payment_method: str, substitution: str, note: str, unit: str) -> Wish:
    """What was said, checked; refuses BAD_PHONE, BAD_CHOICE, BAD_TEXT."""
    number = rules.clean_phone(phone)
    if number is None:
        raise Refused(BAD_PHONE)
    return Wish(
        number,
        choice(payment_method, rules.METHODS, "payment_method"),
        choice(substitution, rules.SUBSTITUTIONS, "substitution"),
        clean(note, 200, "note"),
        clean(unit, 60, "unit"),
    )


def place(actor: Actor, quote: Quote, wish: Wish, levels: Mapping[UUID, UUID] | None = None) -> Placed:
    """Make the order of a quote that nobody else can use, in as few statements as it takes; the stock last.

    `levels` are the stock levels of its variants where they are known already.
    """
    city = organisations.city(stores.city_of(quote.store_id))
    _payable_so(wish.payment_method, quote, city)
    offer = PromiseOffer.from_json(quote.promise)
    with rows.together():
        if quote._state.adding:
            rows.put([quote])
        customer_id = customers.of_phone(actor=actor, phone=wish.phone, language=actor.language)
        _remember(actor, customer_id, quote, wish)
        order = _order(actor, quote, city, customer_id, wish, offer)
        lines = _lines(order, quote)
        promises().keep(order_id=order.pk, city_id=city.id, store_id=order.store_id, mode=order.mode, offer=offer)
        intent = payments.create_intent(
            actor=actor,
            payable=order.pk,
            organisation_id=order.organisation_id,
            provider=order.payment_method,
            amount=order.total,
            currency=order.currency,
            description=f"Highstreet {order.number}",
            expires_at=_pay_until(order, city),
        )
        tell(order, OrderPlaced(order.pk, order.store_id, customer_id, order.mode, order.total))
        now_due = order.payment_method in rules.ON_HANDOVER
        if now_due:
            give_new_to_store(actor, order, lines, offer)
        rows.put([order])
        rows.put(lines)
    wanted = [Want(line.variant_id, line.quantity, in_language(line.name_zh, line.name_en)) for line in lines]
    claims = [*promises().claims(offer), *claims_on(order.store_id, wanted, levels)]
    # The hottest rows last: from here to the commit nobody else can take these units.
    holds.take(order.group, claims, order.expires_at, confirmed=now_due)
    return Placed(order.pk, order.key, order.number, order.status, intent.id)


def _payable_so(method: str, quote: Quote, city: CityView) -> None:
    """Refuses what this way to pay is not for: PAY_AT_PICKUP_ONLY, PAY_AT_DOOR_ONLY, NO_CASH_AT_DOOR, CASH_LIMIT."""
    if method == "at_pickup" and quote.mode != "pickup":
        raise Refused(PAY_AT_PICKUP_ONLY)
    if method != "at_door":
        return
    if quote.mode != "delivery":
        raise Refused(PAY_AT_DOOR_ONLY)
    most = cash_at_door(city.id, quote.store_id)
    if most == 0:
        raise Refused(NO_CASH_AT_DOOR)
    if quote.total > most:
        raise Refused(CASH_LIMIT, limit=in_words(most), most=most)


def _remember(actor: Actor, customer_id: UUID, quote: Quote, wish: Wish) -> None:
    if actor.user_id is not None and quote.mode == "delivery" and quote.address:
        customers.remember_address(
            actor=actor,
            customer_id=customer_id,
            text=quote.address,
            unit=wish.unit or quote.unit,
            lat=quote.lat,
            lon=quote.lon,
        )


def _order(actor: Actor, quote: Quote, city: CityView, customer_id: UUID, wish: Wish, offer: PromiseOffer) -> Order:
    now = clock.now()
    order_id = ids.new_id()
    return Order(
        id=order_id,
        group=order_id,
        number=_next_number(),
        key=ids.random_token(KEY_LENGTH),
        quote_id=quote.pk,
        customer_id=customer_id,
        organisation_id=city.retailer_id,
        store_id=quote.store_id,
        city_id=city.id,
        mode=quote.mode,
        payment_method=wish.payment_method,
        currency=quote.currency,
        goods_total=quote.goods_total,
        delivery_fee=quote.delivery_fee,
        total=quote.total,
        phone=wish.phone,
        address=quote.address,
        unit=wish.unit or quote.unit,
        note=wish.note,
        lat=quote.lat,
        lon=quote.lon,
        substitution=wish.substitution,
        language=actor.language[:8],
        placed_at=now,
        expires_at=now + timedelta(minutes=organisations.terms(city.retailer_id).quote_minutes),
        promised_from=offer.promised_from,
        promised_to=offer.promised_to,
        routing=quote.routing,
    )


def _lines(order: Order, quote: Quote) -> list[OrderLine]:
    return [
        OrderLine(
            id=ids.new_id(),
            order_id=order.pk,
            variant_id=UUID(line["variant"]),
            position=position,
            name_zh=line["name_zh"],
            name_en=line["name_en"],
            quantity=line["quantity"],
            unit_price=line["unit_price"],
        )
        for position, line in enumerate(quote.lines)
    ]


def _pay_until(order: Order, city: CityView) -> datetime:
    if order.payment_method in rules.ON_HANDOVER:
        return order.promised_to + timedelta(hours=organisations.terms(city.retailer_id).pickup_hold_hours + 24)
    return order.expires_at


def _next_number() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('orders_number')")
        return rules.number_of(int(cursor.fetchone()[0]))
