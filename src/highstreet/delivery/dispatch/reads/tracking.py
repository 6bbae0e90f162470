"""An order's way to the door, as who waits for it may follow it: where it is, when it comes, why it is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef

from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.couriers.reads import CourierView
from highstreet.delivery.routing import reads as routing
from highstreet.kernel import clock
from highstreet.kernel.models import StateChange
from highstreet.supply.stores import reads as stores
from highstreet.trade.orders.reads import OrderView

from .. import ports, rules, snapshot
from ..models import Delivery
from ..rules import causes
from ..rules.causes import Cause
from ..states import ENDED, FOLLOWED, LIVE, MACHINE

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class TrackView:
    """What the customer may follow. The courier's position is there only between pick-up and delivery.

    `expected` is the arrival that was planned, or as soon as one can be while nobody brings it. `incident`: why it
    could not be given over. `other_courier`: somebody who had accepted it does not bring it. `hired`: a fleet brings
    it, so its stops are not known. `courier_phone_tail`: the last four digits, if it told them.
    """

    delivery_id: UUID
    status: str
    incident: str
    courier_name: str
    courier_phone_tail: str
    lat: float | None
    lon: float | None
    seen_at: datetime | None
    eta: datetime | None
    expected: datetime | None
    promised_to: datetime
    ready_by: datetime
    ready_at: datetime | None
    picked_up_at: datetime | None
    stops_before: int
    other_courier: bool
    hired: bool
    store: tuple[float, float]
    door: tuple[float, float]
    path: Points

    @property
    def undelivered(self) -> bool:
        """It could not be given over: it goes back, or is back."""
        return self.status in ("failed", "returned")


@dataclass(frozen=True)
class Delay:
    """When an order is expected at the door, None where nobody can say; by how much that is late, 0 when in time; and
    the one cause of it that holds now."""

    expected: datetime | None
    late_seconds: int
    cause: Cause


def track(order_id: UUID) -> TrackView | None:
    """Where the order's delivery is. Whoever calls has checked that the order may be seen; None if there is none."""
    left = StateChange.objects.filter(
        subject=OuterRef("pk"), machine=MACHINE.name, was__in=["accepted", "at_store"], now__in=["waiting", "assigned"]
    )
    rows = Delivery.objects.filter(order_id=order_id).annotate(other_courier=Exists(left))
    row = rows.order_by("-created_at").defer("proof").first()
    if row is None:
        return None
    store, door = store_point(row), (row.lat, row.lon)
    running = row.status in LIVE and row.status not in ("assigned", "failed")
    courier = couriers.courier(row.courier_id) if row.courier_id is not None and running else None
    hired = row.carrier == "fleet" and running and ports.fleets.filled
    theirs = ports.fleets().couriers([row.pk]).get(row.pk) if hired else None
    here = _position(courier) if row.status in FOLLOWED else None
    start = here if here is not None else store
    known = row.status not in (*ENDED, "failed")
    return TrackView(
        row.pk,
        row.status,
        row.incident,
        courier.first_name if courier else theirs.name if theirs else "",
        theirs.phone_tail if theirs else "",
        here[0] if here else None,
        here[1] if here else None,
        courier.seen_at if courier and here else None,
        row.eta if known else None,
        _expected(row, clock.now()) if known else None,
        row.promised_to,
        row.ready_by,
        row.ready_at,
        row.picked_up_at,
        _stops_before(row) if running else 0,
        row.other_courier,
        row.carrier == "fleet",
        store,
        door,
        line(row.city_id, start, door) if known else [],
    )


def delay(order: OrderView, track: TrackView | None) -> Delay:
    """By how much an order is late by now, and why; `track` is its own, None while no store has accepted it."""
    now, going = clock.now(), order.fulfilment
    if order.status != "confirmed" or order.mode != "delivery" or going is None:
        return Delay(None, 0, "")
    moved = any(step["verdict"] == "rerouted" for step in order.routing)
    if track is None:
        # As promised, and later by what the store is behind; never before another store, which took it over, is to
        # have packed it.
        behind = max(now - going.ready_by, timedelta())
        expected: datetime | None = max(order.promised_from + behind, going.ready_by, now)
        facts = causes.Facts(now, causes.IN_STORE, going.ready_by, going.ready_at, other_store=moved)
    else:
        expected = track.expected
        facts = causes.Facts(
            now,
            track.status,
            track.ready_by,
            track.ready_at,
            track.picked_up_at,
            track.stops_before,
            track.other_courier,
            moved,
        )
    if facts.status not in causes.MOVING:
        return Delay(None, 0, "")
    late = round((max(expected or now, now) - order.promised_to).total_seconds())
    return Delay(expected, max(late, 0), causes.cause(facts, late))


def _expected(row: Delivery, now: datetime) -> datetime | None:
    """When it is at the door: as planned, else as soon as somebody could bring it. None when it has left without a
    word of when."""
    if row.eta is not None:
        return max(row.eta, now)
    if row.status in FOLLOWED:
        return None
    ready_in = (rules.in_hand(row.ready_at, row.ready_by, row.start_at, now) - now).total_seconds()
    soonest = now + timedelta(seconds=rules.arrival(None, ready_in, row.distance_m))
    return max(soonest, row.not_before) if row.not_before else soonest


def _stops_before(row: Delivery) -> int:
    """Doors that the courier goes to before this one."""
    if row.courier_id is None:
        return 0
    mine = Delivery.objects.filter(courier_id=row.courier_id, status__in=LIVE).defer("proof")
    order = [
        stop.deliveries[0] for stop in rules.stops(snapshot.tasks(list(mine), clock.now())) if stop.kind == "dropoff"
    ]
    return order.index(row.pk) if row.pk in order else 0


def _position(courier: CourierView | None) -> tuple[float, float] | None:
    if courier is None or courier.lat is None or courier.lon is None:
        return None
    return courier.lat, courier.lon


def store_point(row: Delivery) -> tuple[float, float]:
    shop = stores.store(row.store_id)
    return shop.lat, shop.lon


def line(city_id: UUID, a: tuple[float, float], b: tuple[float, float]) -> Points:
    """The way from `a` to `b` along the streets."""
    points = routing.path(city_id, a, b).points
    return [(round(float(lat), 5), round(float(lon), 5)) for lat, lon in points]
