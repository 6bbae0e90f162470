"""What /quotes and /orders take and answer, and how what is known becomes that."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from highstreet.kernel import ids
from highstreet.kernel.api import Body
from highstreet.kernel.paging import MAX_CURSOR, PATTERN
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID

from .. import reads
from ..actions import Placed


class Keyed(Schema):
    key: str = Field("", max_length=40, description="the order's key, for who is not signed in")


class OfCart(Schema):
    cart: str = Field("", max_length=40, description="the cart's key")


class Paging(Schema):
    limit: int = Field(20, ge=1, le=100)
    cursor: str = Field("", max_length=MAX_CURSOR, pattern=PATTERN, description="`next` of the page before")


class QuoteIn(Body):
    cart: str = Field(max_length=40, description="the cart's key")
    mode: Literal["delivery", "pickup"]
    lat: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False)
    lon: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False)
    address: str = Field("", max_length=160)
    unit: str = Field("", max_length=60)
    store: str = Field("", max_length=40, description="the store one would like")
    slot: str = Field("", max_length=40, description="ISO 8601: the beginning of a window of /stores/{store}/slots")


class CheckoutIn(Body):
    quote: str = Field(max_length=40)
    cart: str = Field(max_length=40, description="the cart's key")
    phone: str = Field(max_length=40)
    payment_method: Literal["wechat", "at_pickup", "at_door"] = "wechat"
    substitution: Literal["best", "ask", "refund"] = "best"
    note: str = Field("", max_length=200)
    unit: str = Field("", max_length=60)


class CancelIn(Body):
    reason: str = Field("", max_length=40)


class PayIn(Body):
    openid: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9_-]*$")


class AnswerIn(Body):
    agreed: bool


class OrderLineOut(Schema):
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
    lines: list[OrderLineOut]
    goods_total: int
    delivery_fee: int
    total: int
    currency: str
    promised_from: datetime
    promised_to: datetime
    reason_if_later: str
    slot: datetime | None
    expires_at: datetime
    used: bool


class PlacedOut(Schema):
    id: str
    key: str
    number: str
    status: str
    intent: str


class OrderCardOut(Schema):
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
    promised_from: datetime
    promised_to: datetime
    slot: datetime | None = Field(description="the chosen window begins; null for as soon as possible")


class OrdersOut(Schema):
    """A page; `next` is the cursor of the one after it, empty on the last."""

    items: list[OrderCardOut]
    next: str


class SubstituteOut(Schema):
    """A line of the pick list that has, or asks about, another item."""

    line: str
    instead_of: str
    name: str
    quantity: int
    state: str
    answer_by: datetime | None


class OrderOut(OrderCardOut):
    payment_method: str
    address: str
    lines: list[OrderLineOut]
    goods_total: int
    delivery_fee: int
    captured: int
    reduced: int
    refunded: int
    compensated: int
    expires_at: datetime
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


def moment(text: str, field: str) -> datetime:
    """A moment with its zone; INVALID for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = datetime.min
    if found.tzinfo is None:
        raise Refused(INVALID, field=field, problem=text)
    return found


def placed_out(placed: Placed) -> dict[str, Any]:
    return {
        "id": ids.public("ord", placed.order_id),
        "key": placed.key,
        "number": placed.number,
        "status": placed.status,
        "intent": ids.public("int", placed.intent_id),
    }


def quote_out(view: reads.QuoteView) -> dict[str, Any]:
    return QuoteOut(
        id=ids.public("quo", view.id),
        store=ids.public("str", view.store.id),
        store_name=view.store.name,
        mode=view.mode,
        address=view.address,
        lines=[
            OrderLineOut(
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
        slot=view.slot,
        expires_at=view.expires_at,
        used=view.used,
    ).model_dump(mode="json")


def card_out(card: reads.OrderCard) -> dict[str, Any]:
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
        "promised_from": card.promised_from,
        "promised_to": card.promised_to,
        "slot": card.slot,
    }


def order_out(view: reads.OrderView) -> dict[str, Any]:
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
        slot=view.slot,
        payment_method=view.payment_method,
        address=view.address,
        lines=[
            OrderLineOut(
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
