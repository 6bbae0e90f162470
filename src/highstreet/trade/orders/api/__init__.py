"""/quotes and /orders: priced and promised, placed, paid, followed, called off.

Who is not signed in proves an order by its `key` (query), a quote by its cart's key.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from highstreet.kernel import ids
from highstreet.kernel.api import once, private, refuses
from highstreet.kernel.policy import PUBLIC, Actor, route
from highstreet.trade.cart.rules import is_key

from .. import actions, reads
from . import shapes
from .shapes import AnswerIn, CancelIn, CheckoutIn, Keyed, OfCart, Paging, PayIn, QuoteIn

router = Router(tags=["orders"])


def _actor(request: HttpRequest, key: str = "") -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return replace(actor, order_keys=actor.order_keys | {key}) if is_key(key) else actor


@router.post(
    "/quotes",
    response={201: shapes.QuoteOut},
    openapi_extra=refuses(
        "address_unknown",
        "bad_choice",
        "bad_place",
        "bad_text",
        "closed",
        "empty_cart",
        "no_capacity",
        "not_found",
        "out_of_range",
        "slot_gone",
        "sold_out",
    ),
)
@route(PUBLIC)
def quote(request: HttpRequest, body: QuoteIn) -> HttpResponse:
    """Price and promise a cart for a place; nothing is held until checkout."""

    def work() -> dict[str, Any]:
        return shapes.quote_out(
            actions.quote(
                actor=_actor(request),
                cart_key=body.cart,
                mode=body.mode,
                lat=body.lat,
                lon=body.lon,
                address=body.address,
                unit=body.unit,
                store_id=private("str", body.store) if body.store else None,
                slot=shapes.moment(body.slot, "slot") if body.slot else None,
            )
        )

    return once(request, work, status=201)


@router.get("/quotes/{quote}", response={200: shapes.QuoteOut}, openapi_extra=refuses("not_found"))
@route(PUBLIC)
def see_quote(request: HttpRequest, quote: str, query: Query[OfCart]) -> dict[str, Any]:
    """A quote, to who has its cart's key (`cart`, or the X-Cart-Key header)."""
    return shapes.quote_out(reads.quote(private("quo", quote), query.cart or _actor(request).cart_key))


@router.post(
    "/orders",
    response={201: shapes.PlacedOut},
    openapi_extra=refuses(
        "bad_choice",
        "bad_phone",
        "bad_place",
        "bad_text",
        "capacity_gone",
        "cart_changed",
        "cash_limit",
        "closed",
        "empty_cart",
        "held_by_others",
        "no_capacity",
        "no_cash_at_door",
        "not_found",
        "out_of_range",
        "pay_at_door_only",
        "pay_at_pickup_only",
        "quote_expired",
        "quote_used",
        "sold_out",
        "wrong_state",
    ),
)
@route(PUBLIC)
def checkout(request: HttpRequest, body: CheckoutIn) -> HttpResponse:
    """Place the order that was quoted: everything it needs is held, or nothing is."""

    def work() -> dict[str, Any]:
        placed = actions.checkout(
            actor=_actor(request),
            quote_id=private("quo", body.quote),
            cart_key=body.cart,
            phone=body.phone,
            payment_method=body.payment_method,
            substitution=body.substitution,
            note=body.note,
            unit=body.unit,
        )
        return shapes.placed_out(placed)

    return once(request, work, status=201)


@router.get("/orders", response={200: shapes.OrdersOut})
@route("shop.own")
def own_orders(request: HttpRequest, query: Query[Paging]) -> dict[str, Any]:
    """The signed-in customer's orders, newest first."""
    cards, more = reads.page_of(_actor(request), cursor=query.cursor, limit=query.limit)
    return {"items": [shapes.card_out(card) for card in cards], "next": more}


@router.get("/orders/{order}", response={200: shapes.OrderOut}, openapi_extra=refuses("not_found"))
@route(PUBLIC)
def see_order(request: HttpRequest, order: str, query: Query[Keyed]) -> dict[str, Any]:
    """An order in full."""
    return shapes.order_out(reads.order(_actor(request, query.key), private("ord", order)))


@router.post(
    "/orders/{order}/pay",
    response={200: shapes.PaymentOut},
    openapi_extra=refuses(
        "not_found",
        "not_payable",
        "payment_over",
        "provider_said_no",
        "provider_silent",
        "unknown_provider",
        "wrong_state",
        repeat="the same payment is answered",
    ),
)
@route(PUBLIC)
def pay(request: HttpRequest, order: str, body: PayIn, query: Query[Keyed]) -> dict[str, Any]:
    """How to pay. Safe to repeat without an Idempotency-Key: the same payment is answered."""
    intent = actions.pay(actor=_actor(request, query.key), order_id=private("ord", order), openid=body.openid)
    return {
        "intent": ids.public("int", intent.id),
        "status": intent.status,
        "amount": intent.amount,
        "currency": intent.currency,
        "code_url": intent.code_url,
        "expires_at": intent.expires_at,
        "jsapi": intent.jsapi,
    }


@router.post(
    "/orders/{order}/cancel",
    response={200: shapes.OrderOut},
    openapi_extra=refuses("bad_text", "not_found", "over_limit", "too_late_to_cancel", "wrong_state"),
)
@route(PUBLIC)
def cancel(request: HttpRequest, order: str, body: CancelIn, query: Query[Keyed]) -> HttpResponse:
    """Call it off with a full refund, until the shop starts picking."""
    actor, order_id = _actor(request, query.key), private("ord", order)
    reads.must_see(actor, order_id)

    def work() -> dict[str, Any]:
        actions.cancel(actor=actor, order_id=order_id, reason=body.reason)
        return shapes.order_out(reads.order(actor, order_id))

    return once(request, work)


@router.post(
    "/orders/{order}/substitutes/{line}",
    response={200: shapes.OrderOut},
    openapi_extra=refuses("not_asked", "not_enough_stock", "not_found", "wrong_state"),
)
@route(PUBLIC)
def answer(request: HttpRequest, order: str, line: str, body: AnswerIn, query: Query[Keyed]) -> HttpResponse:
    """Say yes or no to another item in the place of one that is out."""
    actor, order_id = _actor(request, query.key), private("ord", order)
    reads.must_see(actor, order_id)

    def work() -> dict[str, Any]:
        actions.answer_substitute(actor=actor, order_id=order_id, line_id=private("lin", line), agreed=body.agreed)
        return shapes.order_out(reads.order(actor, order_id))

    return once(request, work)


from . import now, slots  # noqa: E402, F401  each adds its operation
