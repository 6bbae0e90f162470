"""How a customer follows an order to the door."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.http import HttpRequest
from ninja import Query, Schema
from pydantic import Field

from highstreet.kernel import ids
from highstreet.kernel.api import private, refuses
from highstreet.kernel.policy import PUBLIC, actor_of, route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.trade.cart.rules import is_key
from highstreet.trade.orders import reads as orders

from ..reads import tracking
from ..rules.causes import IN_STORE, Cause
from .work import router


class Keyed(Schema):
    key: str = Field("", max_length=40, description="the order's key, for who is not signed in")


class TrackOut(Schema):
    """`status` in_store: no store has accepted it yet. `expected`: at the door, null where nobody can say.
    `cause`: why that is late, empty in time. `incident`: why it could not be given over. The courier's place is told
    between pick-up and delivery."""

    order: str
    status: str
    incident: str
    courier: str
    lat: float | None
    lon: float | None
    stops_before: int
    expected: datetime | None
    promised_to: datetime
    late_seconds: int
    cause: Cause


@router.get("/orders/{order}/delivery", response={200: TrackOut}, openapi_extra=refuses("not_found"))
@route(PUBLIC)
def follow(request: HttpRequest, order: str, query: Query[Keyed]) -> TrackOut:
    """Follow an order to the door: the promise against now, and why it is late. One's own, or by its `key`."""
    actor = actor_of(request)
    actor = replace(actor, order_keys=actor.order_keys | {query.key}) if is_key(query.key) else actor
    found = orders.order(actor, private("ord", order))
    track = tracking.track(found.id) if found.mode == "delivery" else None
    if track is None and (found.mode != "delivery" or found.status != "confirmed"):
        raise Refused(NOT_FOUND)
    delay = tracking.delay(found, track)
    return TrackOut(
        order=ids.public("ord", found.id),
        status=track.status if track else IN_STORE,
        incident=track.incident if track else "",
        courier=track.courier_name if track else "",
        lat=track.lat if track else None,
        lon=track.lon if track else None,
        stops_before=track.stops_before if track else 0,
        expected=delay.expected,
        promised_to=found.promised_to,
        late_seconds=delay.late_seconds,
        cause=delay.cause,
    )
