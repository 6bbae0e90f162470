"""Who could bring a delivery, and when each would be at the door."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np

from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.couriers.reads import CourierView
from highstreet.kernel import clock
from highstreet.kernel.policy import Actor, require
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.stores import reads as stores

from .. import rules, snapshot
from ..models import Delivery
from ..states import LIVE

# So many of the nearest are timed along the streets.
NEAREST = 20


@dataclass(frozen=True)
class Candidate:
    """A courier on shift: seconds until free, at the store, at the door. `room` in the bag; `late` past the promise."""

    courier: CourierView
    in_hand: int
    room: int
    free_seconds: float
    store_seconds: float
    door_seconds: float
    late_seconds: float
    basis: dict[str, int]


def version(status: str, courier_id: UUID | None) -> str:
    """What somebody decides upon: a decision about something else is refused."""
    return f"{status}:{courier_id or ''}"


def delivery_of(actor: Actor, delivery_id: UUID) -> Delivery:
    """The delivery, if it is of a city whose couriers are the actor's to send; NOT_FOUND otherwise."""
    row = Delivery.objects.filter(pk=delivery_id).defer("proof").first()
    if row is None or not stores.runs_city(actor, row.city_id):
        raise Refused(NOT_FOUND)
    return row


def elsewhere(delivery_id: UUID, courier_id: UUID) -> bool:
    """Whether the courier is unknown in the delivery's city."""
    city_id = Delivery.objects.values_list("city_id", flat=True).get(pk=delivery_id)
    found = couriers.courier(courier_id)
    return found is None or found.city_id != city_id


def candidates(actor: Actor, delivery_id: UUID, *, only: UUID | None = None) -> list[Candidate]:
    """Couriers on shift with a position, who would be at the door first on top; those with a full bag last.

    The nearest twenty to the store by straight line (or `only` that one). Two queries whatever the number.
    """
    require(actor, "console.read")
    row = delivery_of(actor, delivery_id)
    shop, now = stores.store(row.store_id), clock.now()
    place = shop.lat, shop.lon
    present = [one for one in couriers.on_shift(row.city_id) if one.lat is not None and only in (None, one.id)]
    present.sort(key=lambda one: (shop.distance_m(one.lat or 0.0, one.lon or 0.0), one.id))
    del present[NEAREST:]
    of: dict[UUID, list[Delivery]] = defaultdict(list)
    live = Delivery.objects.filter(courier_id__in=[one.id for one in present], status__in=LIVE).exclude(pk=row.pk)
    for held in live.defer("proof"):
        if held.courier_id is not None:
            of[held.courier_id].append(held)
    free = [snapshot.free(row.city_id, one, of[one.id], now, {}) for one in present]
    streets = snapshot.legs(row.city_id)
    vehicles, places = snapshot.by_vehicle(present), np.array([one.place for one in free], float).reshape(-1, 2)
    door = {mode: float(streets.from_place(place, [(row.lat, row.lon)], mode, now)[0]) for mode in vehicles}
    there = np.zeros(len(present))
    for mode, rows in vehicles.items():
        there[rows] = streets.to_place(places[rows], place, mode, now)
    made = [
        _candidate(row, one, of[one.id], at.at, float(way), door[one.vehicle], now)
        for one, at, way in zip(present, free, there, strict=True)
    ]
    return sorted(made, key=lambda one: (one.room <= 0, one.door_seconds, one.courier.id))


def _candidate(
    row: Delivery, courier: CourierView, held: list[Delivery], free_at: datetime, way: float, ride: float, now: datetime
) -> Candidate:
    free = max((free_at - now).total_seconds(), 0.0)
    at_hand = rules.in_hand(row.ready_at, row.ready_by, row.start_at, now)
    ready = ((row.ready_at or max(at_hand, now)) - now).total_seconds()
    leave = max(free + way, ready) + rules.AT_STORE_SECONDS
    late = (now + timedelta(seconds=leave + ride) - row.promised_to).total_seconds()
    parts = {"free": free, "ride": way, "wait": max(ready - free - way, 0.0), "door": ride}
    return Candidate(
        courier,
        len(held),
        courier.capacity - len(held),
        free,
        free + way,
        leave + ride,
        max(late, 0.0),
        {name: round(value) for name, value in parts.items()},
    )
