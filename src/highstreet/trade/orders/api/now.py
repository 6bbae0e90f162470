"""/checkout: an order in one step."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from pydantic import Field

from highstreet.kernel import ids
from highstreet.kernel.api import Body, once, private, refuses
from highstreet.kernel.idempotency import MAX_KEY
from highstreet.kernel.policy import PUBLIC, route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID
from highstreet.supply.organisations import reads as organisations

from .. import actions
from . import _actor, router
from .shapes import PlacedOut, moment, placed_out

LEAST_KEY = 22


class LineIn(Body):
    variant: str = Field(max_length=40)
    quantity: int = Field(ge=1, le=99)


class OrderNowIn(Body):
    """An order in one step. `most_total` and `latest` are what the shopper agrees to; a worse offer is refused."""

    lines: list[LineIn] = Field(min_length=1, max_length=50)
    mode: Literal["delivery", "pickup"]
    phone: str = Field(max_length=40)
    most_total: int = Field(ge=0, le=10**12, description="fen; what it may cost with delivery")
    latest: str = Field(max_length=40, description="ISO 8601 with its zone: by when it must be promised")
    city: str = Field("", max_length=40)
    lat: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False)
    lon: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False)
    address: str = Field("", max_length=160)
    unit: str = Field("", max_length=60)
    store: str = Field("", max_length=40, description="the store one would like")
    payment_method: Literal["wechat", "at_pickup", "at_door"] = "wechat"
    substitution: Literal["best", "ask", "refund"] = "best"
    note: str = Field("", max_length=200)
    slot: str = Field("", max_length=40, description="ISO 8601: the beginning of a window of /stores/{store}/slots")


class PlacedNowOut(PlacedOut):
    store: str
    total: int
    currency: str
    promised_from: datetime
    promised_to: datetime


@router.post(
    "/checkout",
    response={201: PlacedNowOut},
    openapi_extra=refuses(
        "address_unknown",
        "bad_choice",
        "bad_phone",
        "bad_place",
        "bad_quantity",
        "bad_text",
        "capacity_gone",
        "cart_full",
        "cash_limit",
        "closed",
        "costs_more",
        "empty_cart",
        "held_by_others",
        "no_capacity",
        "no_cash_at_door",
        "not_found",
        "not_sold",
        "out_of_range",
        "pay_at_door_only",
        "pay_at_pickup_only",
        "promised_later",
        "slot_gone",
        "sold_out",
    ),
)
@route(PUBLIC)
def order_now(request: HttpRequest, body: OrderNowIn) -> HttpResponse:
    """Quote and order in one step, within what the shopper agrees to; what would be worse is refused and said.

    A guest's Idempotency-Key is 22 signs at least: the answer, with the order's key, goes to who can repeat it.
    """
    actor = _actor(request)
    if not actor.signed_in and len(request.headers.get("Idempotency-Key", "")) < LEAST_KEY:
        raise Refused(INVALID, field="Idempotency-Key", problem=f"{LEAST_KEY}-{MAX_KEY}")

    def work() -> dict[str, Any]:
        quantities: dict[UUID, int] = {}
        for line in body.lines:
            variant = private("var", line.variant)
            quantities[variant] = quantities.get(variant, 0) + line.quantity
        made = actions.order_now(
            actor=actor,
            city_id=(organisations.city(body.city) if body.city else organisations.default_city()).id,
            quantities=quantities,
            mode=body.mode,
            phone=body.phone,
            most_total=body.most_total,
            latest=moment(body.latest, "latest"),
            lat=body.lat,
            lon=body.lon,
            address=body.address,
            unit=body.unit,
            store_id=private("str", body.store) if body.store else None,
            payment_method=body.payment_method,
            substitution=body.substitution,
            note=body.note,
            slot=moment(body.slot, "slot") if body.slot else None,
        )
        return placed_out(made.placed) | {
            "store": ids.public("str", made.store.id),
            "total": made.total,
            "currency": made.currency,
            "promised_from": made.promised_from,
            "promised_to": made.promised_to,
        }

    return once(request, work, status=201)
