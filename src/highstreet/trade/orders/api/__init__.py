"""/quotes and /orders: priced and promised, placed, paid, followed, called off.

Who is not signed in proves an order by its `key` (query), a quote by its cart's key.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from highstreet.kernel import ids
from highstreet.kernel.api import Body, Problem, once, private
from highstreet.kernel.policy import PUBLIC, Actor, route
from highstreet.trade.cart.rules import is_key

from .. import actions, reads

router = Router(tags=["orders"])
REFUSALS = {401: Problem, 403: Problem, 404: Problem, 409: Problem, 422: Problem}


class Keyed(Schema):
    key: str = Field("", max_length=40, description="the order's key, for who is not signed in")


class OfCart(Schema):
    cart: str = Field("", max_length=40, description="the cart's key")


class Paging(Schema):
    limit: int = Field(20, ge=1, le=100)
    before: datetime | None = None


class QuoteIn(Body):
    cart: str = Field(max_length=40, description="the cart's key")
    mode: Literal["delivery", "pickup"]
    lat: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False)
    lon: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False)
    address: str = Field("", max_length=160)
    unit: str = Field("", max_length=60)
    store: str = Field("", max_length=40, description="the store one would like")


class CheckoutIn(Body):
    quote: str = Field(max_length=40)
    cart: str = Field(max_length=40, description="the cart's key")
    phone: str = Field(max_length=40)
    payment_method: Literal["wechat", "at_pickup"] = "wechat"
    substitution: Literal["best", "ask", "refund"] = "best"
    note: str = Field("", max_length=200)
    unit: str = Field("", max_length=60)


class CancelIn(Body):
    reason: str = Field("", max_length=40)


class PayIn(Body):
    openid: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9_-]*$")


class AnswerIn(Body):
    agreed: bool


class LineOut(Schema):
    id: str = ""
    variant: str
    name: str
    quantity: int
    unit_price: int
    refunded: int = 0


class QuoteOut(Schema):
    id: str
    store: str
    store_name: str
    mode: str
    address: str
    lines: list[LineOut]
    goods_total: int
    delivery_fee: int
    total: int
    currency: str
    promised_from: datetime
    promised_to: datetime
    reason_if_later: str
    expires_at: datetime
    used: bool


class PlacedOut(Schema):
    id: str
    key: str
    number: str
    status: str
    intent: str


class CardOut(Schema):
    id: str
    number: str
    status: str
    payment_status: str
    mode: str
    store: str
    store_name: str
    total: int
    currency: str
    units: int
    placed_at: datetime
    promised_to: datetime


class SubstituteOut(Schema):
    """A line of the pick list that has, or asks about, another item."""

    line: str
    instead_of: str
    name: str
    quantity: int
    state: str
    answer_by: datetime | None


class OrderOut(CardOut):
    payment_method: str
    address: str
    lines: list[LineOut]
    goods_total: int
    delivery_fee: int
    captured: int
    reduced: int
    refunded: int
    compensated: int
    expires_at: datetime
    promised_from: datetime
    ended_at: datetime | None
    end_reason: str
    fulfilment: str
    pickup_code: str
    proof_code: str
    can_cancel: bool
    substitutes: list[SubstituteOut]


class PaymentOut(Schema):
    intent: str
    status: str
    amount: int
    currency: str
    code_url: str
    expires_at: datetime
    jsapi: dict[str, str] | None


def actor_of(request: HttpRequest, key: str = "") -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return replace(actor, order_keys=actor.order_keys | {key}) if is_key(key) else actor


@router.post("/quotes", response={201: QuoteOut, **REFUSALS})
@route(PUBLIC)
def quote(request: HttpRequest, body: QuoteIn) -> HttpResponse:
    """Price and promise a cart for a place; nothing is held until checkout."""

    def work() -> dict[str, Any]:
        return _quote(
            actions.quote(
                actor=actor_of(request),
                cart_key=body.cart,
                mode=body.mode,
                lat=body.lat,
                lon=body.lon,
                address=body.address,
                unit=body.unit,
                store_id=private("str", body.store) if body.store else None,
            )
        )

    return once(request, work, status=201)


@router.get("/quotes/{quote}", response={200: QuoteOut, **REFUSALS})
@route(PUBLIC)
def see_quote(request: HttpRequest, quote: str, query: Query[OfCart]) -> dict[str, Any]:
    """A quote, to who has its cart's key (`cart`, or the X-Cart-Key header)."""
    return _quote(reads.quote(private("quo", quote), query.cart or actor_of(request).cart_key))


@router.post("/orders", response={201: PlacedOut, **REFUSALS})
@route(PUBLIC)
def checkout(request: HttpRequest, body: CheckoutIn) -> HttpResponse:
    """Place the order that was quoted: everything it needs is held, or nothing is."""

    def work() -> dict[str, Any]:
        placed = actions.checkout(
            actor=actor_of(request),
            quote_id=private("quo", body.quote),
            cart_key=body.cart,
            phone=body.phone,
            payment_method=body.payment_method,
            substitution=body.substitution,
            note=body.note,
            unit=body.unit,
        )
        return placed_out(placed)

    return once(request, work, status=201)


@router.get("/orders", response={200: list[CardOut], **REFUSALS})
@route("shop.own")
def own_orders(request: HttpRequest, query: Query[Paging]) -> list[dict[str, Any]]:
    """The signed-in customer's orders, newest first; `before` pages on by `placed_at`."""
    return [_card(card) for card in reads.orders_of(actor_of(request), query.limit, query.before)]


@router.get("/orders/{order}", response={200: OrderOut, **REFUSALS})
@route(PUBLIC)
def see_order(request: HttpRequest, order: str, query: Query[Keyed]) -> dict[str, Any]:
    """An order in full."""
    return _order(reads.order(actor_of(request, query.key), private("ord", order)))


@router.post("/orders/{order}/pay", response={200: PaymentOut, 503: Problem, **REFUSALS})
@route(PUBLIC)
def pay(request: HttpRequest, order: str, body: PayIn, query: Query[Keyed]) -> dict[str, Any]:
    """How to pay. Safe to repeat without an Idempotency-Key: the same payment is answered."""
    intent = actions.pay(actor=actor_of(request, query.key), order_id=private("ord", order), openid=body.openid)
    return {
        "intent": ids.public("int", intent.id),
        "status": intent.status,
        "amount": intent.amount,
        "currency": intent.currency,
        "code_url": intent.code_url,
        "expires_at": intent.expires_at,
        "jsapi": intent.jsapi,
    }


@router.post("/orders/{order}/cancel", response={200: OrderOut, **REFUSALS})
@route(PUBLIC)
def cancel(request: HttpRequest, order: str, body: CancelIn, query: Query[Keyed]) -> HttpResponse:
    """Call it off with a full refund, until the shop starts picking."""
    actor, order_id = actor_of(request, query.key), private("ord", order)
    reads.must_see(actor, order_id)

    def work() -> dict[str, Any]:
        actions.cancel(actor=actor, order_id=order_id, reason=body.reason)
        return _order(reads.order(actor, order_id))

    return once(request, work)


@router.post("/orders/{order}/substitutes/{line}", response={200: OrderOut, **REFUSALS})
@route(PUBLIC)
def answer(request: HttpRequest, order: str, line: str, body: AnswerIn, query: Query[Keyed]) -> HttpResponse:
    """Say yes or no to another item in the place of one that is out."""
    actor, order_id = actor_of(request, query.key), private("ord", order)
    reads.must_see(actor, order_id)

    def work() -> dict[str, Any]:
        actions.answer_substitute(actor=actor, order_id=order_id, line_id=private("lin", line), agreed=body.agreed)
        return _order(reads.order(actor, order_id))

    return once(request, work)


def placed_out(placed: actions.Placed) -> dict[str, Any]:
    return {
        "id": ids.public("ord", placed.order_id),
        "key": placed.key,
        "number": placed.number,
        "status": placed.status,
        "intent": ids.public("int", placed.intent_id),
    }


def _quote(view: reads.QuoteView) -> dict[str, Any]:
    return QuoteOut(
        id=ids.public("quo", view.id),
        store=ids.public("str", view.store.id),
        store_name=view.store.name,
        mode=view.mode,
        address=view.address,
        lines=[
            LineOut(
                variant=ids.public("var", line.variant_id),
                name=line.name,
                quantity=line.quantity,
                unit_price=line.unit_price,
            )
            for line in view.lines
        ],
        goods_total=view.goods_total,
        delivery_fee=view.delivery_fee,
        total=view.total,
        currency=view.currency,
        promised_from=view.promised_from,
        promised_to=view.promised_to,
        reason_if_later=view.reason_if_later,
        expires_at=view.expires_at,
        used=view.used,
    ).model_dump(mode="json")


def _card(card: reads.OrderCard) -> dict[str, Any]:
    return {
        "id": ids.public("ord", card.id),
        "number": card.number,
        "status": card.status,
        "payment_status": card.payment_status,
        "mode": card.mode,
        "store": ids.public("str", card.store_id),
        "store_name": card.store_name,
        "total": card.total,
        "currency": card.currency,
        "units": card.units,
        "placed_at": card.placed_at,
        "promised_to": card.promised_to,
    }


def _order(view: reads.OrderView) -> dict[str, Any]:
    going = view.fulfilment
    return OrderOut(
        id=ids.public("ord", view.id),
        number=view.number,
        status=view.status,
        payment_status=view.payment_status,
        mode=view.mode,
        store=ids.public("str", view.store.id),
        store_name=view.store.name,
        total=view.total,
        currency=view.currency,
        units=sum(line.quantity for line in view.lines),
        placed_at=view.placed_at,
        promised_to=view.promised_to,
        payment_method=view.payment_method,
        address=view.address,
        lines=[
            LineOut(
                id=ids.public("orl", line.id),
                variant=ids.public("var", line.variant_id),
                name=line.name,
                quantity=line.quantity,
                unit_price=line.unit_price,
                refunded=line.refunded,
            )
            for line in view.lines
        ],
        goods_total=view.goods_total,
        delivery_fee=view.delivery_fee,
        captured=view.captured,
        reduced=view.reduced,
        refunded=view.refunded,
        compensated=view.compensated,
        expires_at=view.expires_at,
        promised_from=view.promised_from,
        ended_at=view.ended_at,
        end_reason=view.end_reason,
        fulfilment=going.status if going else "",
        pickup_code=view.pickup_code,
        proof_code=view.proof_code,
        can_cancel=view.mine and view.can_cancel,
        substitutes=[
            SubstituteOut(
                line=ids.public("lin", line.id),
                instead_of=line.name,
                name=line.substitute,
                quantity=line.substitute_quantity,
                state=line.substitute_state,
                answer_by=line.answer_by,
            )
            for line in (going.lines if going else [])
            if line.substitute_id and line.substitute_state
        ],
    ).model_dump(mode="json")


from . import now  # noqa: E402, F401  adds its operation
