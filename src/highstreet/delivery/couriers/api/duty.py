"""/courier: the shift, its breaks, the position, the earnings of the courier who asks."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field, field_validator

from highstreet.kernel import clock, ids
from highstreet.kernel.api import Body, once, refuses
from highstreet.kernel.policy import Actor, actor_of, route
from highstreet.supply.organisations import reads as organisations

from .. import actions, reads

router = Router(tags=["couriers"])
MOST_EARNINGS = 200
MOST_SHIFTS = 50


class MeOut(Schema):
    id: str
    name: str
    vehicle: str
    capacity: int
    on_shift: bool
    since: datetime | None
    break_since: datetime | None
    orders_until: datetime | None = Field(description="no new orders from then on; null: until the shift ends")
    lat: float | None
    lon: float | None


class PositionIn(Body):
    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)


class OfDay(Schema):
    day: date | None = None

    @field_validator("day", mode="before")
    @classmethod
    def written_out(cls, value: Any) -> Any:
        """A date as RFC 3339 writes it; the framework would take a number of seconds too."""
        if isinstance(value, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise ValueError("YYYY-MM-DD")
        return value


class EarningOut(Schema):
    delivery: str
    at: datetime
    amount: int


class ShiftPayOut(Schema):
    """On top of the orders: `top_up` to what is guaranteed for `minutes`, and the day's bonus."""

    at: datetime
    minutes: int
    orders: int
    earned: int
    guarantee_hour: int
    top_up: int
    bonus_orders: int
    bonus: int


class EarningRuleOut(Schema):
    """In fen: an order, a kilometre, guaranteed an hour of a planned shift, the bonus at so many orders a day."""

    per_order: int
    per_km: int
    guarantee_hour: int
    bonus_orders: int
    bonus: int


class EarningsOut(Schema):
    day: date
    total: int
    currency: str
    items: list[EarningOut] = Field(max_length=MOST_EARNINGS, description="the latest of the day")
    shifts: list[ShiftPayOut] = Field(max_length=MOST_SHIFTS, description="that ended on the day")
    rule: EarningRuleOut = Field(description="as it is now")


@router.get("/courier/me", response={200: MeOut}, openapi_extra=refuses("not_a_courier"))
@route("courier.work")
def me(request: HttpRequest) -> MeOut:
    """The courier who asks."""
    return _me(actor_of(request))


@router.post("/courier/shift", response={200: MeOut}, openapi_extra=refuses("not_a_courier"))
@route("courier.work")
def start(request: HttpRequest) -> HttpResponse:
    """Start the shift."""

    def work() -> MeOut:
        actions.start_shift(actor=actor_of(request))
        return _me(actor_of(request))

    return once(request, work)


@router.delete("/courier/shift", response={200: MeOut}, openapi_extra=refuses("not_a_courier", "tasks_in_hand"))
@route("courier.work")
def end(request: HttpRequest) -> HttpResponse:
    """End the shift; refused with tasks_in_hand."""

    def work() -> MeOut:
        actions.end_shift(actor=actor_of(request))
        return _me(actor_of(request))

    return once(request, work)


@router.post(
    "/courier/break", response={200: MeOut}, openapi_extra=refuses("no_break_now", "not_a_courier", "off_shift")
)
@route("courier.work")
def pause(request: HttpRequest) -> HttpResponse:
    """Take a break: no orders until it ends, and no pay for it. Refused with orders in hand."""

    def work() -> MeOut:
        actions.start_break(actor=actor_of(request))
        return _me(actor_of(request))

    return once(request, work)


@router.delete("/courier/break", response={200: MeOut}, openapi_extra=refuses("not_a_courier", "off_shift"))
@route("courier.work")
def resume(request: HttpRequest) -> HttpResponse:
    """End the break."""

    def work() -> MeOut:
        actions.end_break(actor=actor_of(request))
        return _me(actor_of(request))

    return once(request, work)


@router.post("/courier/last-order", response={200: MeOut}, openapi_extra=refuses("not_a_courier", "off_shift"))
@route("courier.work")
def last_order(request: HttpRequest) -> HttpResponse:
    """No new orders from now on: after those in hand comes a break, or the end of the shift."""

    def work() -> MeOut:
        actions.no_more_orders(actor=actor_of(request))
        return _me(actor_of(request))

    return once(request, work)


@router.delete("/courier/last-order", response={200: MeOut}, openapi_extra=refuses("not_a_courier", "off_shift"))
@route("courier.work")
def orders_again(request: HttpRequest) -> HttpResponse:
    """Orders again."""

    def work() -> MeOut:
        actions.take_orders(actor=actor_of(request))
        return _me(actor_of(request))

    return once(request, work)


@router.put(
    "/courier/position",
    response={204: None},
    openapi_extra=refuses("not_a_courier", "off_shift", repeat="saying it again changes nothing"),
)
@route("courier.work")
def position(request: HttpRequest, body: PositionIn) -> Status[None]:
    """Say where you are. A PUT: saying it again changes nothing, so no Idempotency-Key is needed."""
    actions.report_position(actor=actor_of(request), lat=body.lat, lon=body.lon)
    return Status(204, None)


@router.get("/courier/earnings", response={200: EarningsOut}, openapi_extra=refuses("not_a_courier"))
@route("courier.work")
def earnings(request: HttpRequest, query: Query[OfDay]) -> EarningsOut:
    """What one day's deliveries and shifts earned (`total` in fen), and the rule. Today without `day`."""
    actor = actor_of(request)
    city = organisations.city(reads.me(actor).city_id)
    found = reads.earnings(actor, query.day or clock.now().astimezone(city.zone).date())
    return EarningsOut(
        day=found.day,
        total=found.total,
        currency=found.currency,
        items=[
            EarningOut(delivery=ids.public("dlv", item.delivery_id), at=item.at, amount=item.amount)
            for item in found.items[:MOST_EARNINGS]
        ],
        shifts=[ShiftPayOut(**asdict(one)) for one in found.shifts[:MOST_SHIFTS]],
        rule=EarningRuleOut(**asdict(reads.earning_terms(city.id, clock.now()))),
    )


def _me(actor: Actor) -> MeOut:
    own = reads.me(actor)
    return MeOut(
        id=ids.public("cou", own.id),
        name=own.name,
        vehicle=own.vehicle,
        capacity=own.capacity,
        on_shift=own.on_shift,
        since=own.since,
        break_since=own.break_since,
        orders_until=own.orders_until,
        lat=own.lat,
        lon=own.lon,
    )
