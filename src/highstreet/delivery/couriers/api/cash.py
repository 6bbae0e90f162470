"""Cash in hand: the courier's own, and the tills that take it in."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from ninja import Schema
from pydantic import Field

from highstreet.kernel import ids
from highstreet.kernel.api import Body, key_of, once, private, refuses
from highstreet.kernel.money import MAX_AMOUNT
from highstreet.kernel.policy import actor_of, route

from .. import actions, reads
from ..reads import HandInView
from ..reads.cash import LATEST
from .duty import router


class HandInOut(Schema):
    """In fen; `left` was still in hand after it."""

    id: str
    courier: str
    store: str
    amount: int
    left: int
    currency: str
    at: datetime


class CashOut(Schema):
    """In fen. With more than `most` in hand, no more orders come that are paid for at the door."""

    in_hand: int
    most: int
    currency: str
    hand_ins: list[HandInOut] = Field(max_length=LATEST, description="the latest, newest first")


class CarrierOut(Schema):
    courier: str
    name: str
    in_hand: int
    currency: str


class TillOut(Schema):
    """`couriers` of the store's city with cash in hand, the most first."""

    couriers: list[CarrierOut]
    hand_ins: list[HandInOut] = Field(max_length=LATEST, description="at this store, newest first")


class HandInIn(Body):
    courier: str = Field(max_length=40)
    amount: int = Field(gt=0, le=MAX_AMOUNT, description="fen, counted")


@router.get("/courier/cash", response={200: CashOut}, openapi_extra=refuses("not_a_courier"))
@route("courier.work")
def my_cash(request: HttpRequest) -> CashOut:
    """The cash that the courier who asks has to hand in, and what was handed in."""
    found = reads.my_cash(actor_of(request))
    return CashOut(
        in_hand=found.in_hand,
        most=found.most,
        currency=found.currency,
        hand_ins=[_hand_in(one) for one in found.hand_ins],
    )


@router.get("/stores/{store}/cash", response={200: TillOut}, openapi_extra=refuses("not_found"))
@route("fulfilment.work")
def till(request: HttpRequest, store: str) -> TillOut:
    """Which couriers have cash to hand in, and what they handed in here lately."""
    found = reads.till(actor_of(request), private("str", store))
    return TillOut(
        couriers=[
            CarrierOut(
                courier=ids.public("cou", one.courier_id), name=one.name, in_hand=one.in_hand, currency=one.currency
            )
            for one in found.couriers
        ],
        hand_ins=[_hand_in(one) for one in found.hand_ins],
    )


@router.post(
    "/stores/{store}/cash",
    response={201: HandInOut},
    openapi_extra=refuses("not_found", "not_so_much_in_hand"),
)
@route("fulfilment.work")
def take_cash(request: HttpRequest, store: str, body: HandInIn) -> HttpResponse:
    """Take cash in from a courier, all of it or some."""
    store_id, courier_id = private("str", store), private("cou", body.courier)

    def work() -> HandInOut:
        return _hand_in(
            actions.take_cash(
                actor=actor_of(request),
                store_id=store_id,
                courier_id=courier_id,
                amount=body.amount,
                key=key_of(request),
            )
        )

    return once(request, work, status=201)


def _hand_in(one: HandInView) -> HandInOut:
    return HandInOut(
        id=ids.public("csh", one.id),
        courier=ids.public("cou", one.courier_id),
        store=ids.public("str", one.store_id),
        amount=one.amount,
        left=one.left,
        currency=one.currency,
        at=one.at,
    )
