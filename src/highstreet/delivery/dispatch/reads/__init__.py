"""A courier's stops, the city's board, why a courier was chosen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from highstreet.delivery.couriers import reads as couriers
from highstreet.kernel import clock
from highstreet.kernel.policy import SYSTEM, Actor, require
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.fulfilment.reads import FulfilmentView

from .. import rules, snapshot
from ..models import Delivery, DispatchDecision
from ..states import FOLLOWED, LIVE
from .tracking import Points, line, store_point

DEFAULT_CYCLE_MINUTES = 20.0
LEAST_CYCLES = 20


@dataclass(frozen=True)
class JobView:
    """One delivery as its courier sees it. `step` is the next thing to do: accept, arrive_store, pick_up,
    arrive_door, deliver or give_back. `not_before`: not at the door earlier, where the shopper chose a window. `cash`
    in fen is to be taken at the door."""

    id: UUID
    order_number: str
    status: str
    step: str
    ready: bool
    ready_by: datetime
    not_before: datetime | None
    promised_to: datetime
    address: str
    note: str
    phone_tail: str
    pay: int
    cash: int
    accept_by: datetime | None


@dataclass(frozen=True)
class StopView:
    """A place to go, in order. `kind`: pickup, dropoff or return."""

    kind: str
    name: str
    address: str
    lat: float
    lon: float
    store_id: UUID
    eta: datetime
    jobs: list[JobView]


@dataclass(frozen=True)
class BoardCourier:
    id: UUID
    name: str
    lat: float | None
    lon: float | None
    seen_at: datetime | None
    in_hand: int


@dataclass(frozen=True)
class BoardDelivery:
    id: UUID
    order_id: UUID
    order_number: str
    status: str
    store_id: UUID
    courier_id: UUID | None
    lat: float
    lon: float
    eta: datetime | None
    promised_to: datetime


@dataclass(frozen=True)
class BoardView:
    """Couriers on shift and deliveries that have not ended."""

    city_id: UUID
    couriers: list[BoardCourier]
    deliveries: list[BoardDelivery]


@dataclass(frozen=True)
class DecisionView:
    """Why this courier: cost in weighted seconds and who else was thought of; `basis` in seconds, where it is known."""

    at: datetime
    courier_id: UUID
    policy: str
    cost_seconds: int
    alternatives: list[dict[str, Any]]
    basis: dict[str, Any]


def tasks(actor: Actor) -> list[StopView]:
    """The actor's stops in riding order, with arrival times by road. Empty when there is nothing to do."""
    require(actor, "courier.work")
    own = couriers.me(actor)
    rows = list(Delivery.objects.filter(courier_id=own.id, status__in=LIVE).order_by("sequence", "pk").defer("proof"))
    if not rows:
        return []
    now = clock.now()
    shops = {shop.id: shop for shop in stores.stores_of(own.city_id)}
    start = (own.lat, own.lon) if own.lat is not None and own.lon is not None else store_point(rows[0])
    by_id = {row.pk: row for row in rows}
    briefs = fulfilments.of_orders([row.order_id for row in rows])
    views = []
    for timed in snapshot.timed(own.city_id, start, rows, now, own.vehicle):
        stop = timed.stop
        jobs = [_job(by_id[delivery_id], briefs) for delivery_id in stop.deliveries]
        shop = shops.get(stop.store_id) or stores.store(stop.store_id)
        name, address = (jobs[0].address, "") if stop.kind == "dropoff" else (shop.name, shop.address)
        views.append(StopView(stop.kind, name, address, *stop.place, stop.store_id, timed.arrive, jobs))
    return views


def route(actor: Actor, stops: list[StopView]) -> Points:
    """The way through the actor's stops, from where the actor is, along the streets."""
    if not stops:
        return []
    own = couriers.me(actor)
    here = (own.lat, own.lon) if own.lat is not None and own.lon is not None else None
    way: Points = []
    for stop in stops:
        there = (stop.lat, stop.lon)
        if here is not None:
            way += line(own.city_id, here, there)
        here = there
    return way


def board(actor: Actor, city_id: UUID) -> BoardView:
    """The city's couriers and open deliveries, for its retailer's staff."""
    require(actor, "console.read")
    if actor.kind != SYSTEM and organisations.city(city_id).retailer_id != actor.organisation_id:
        raise Refused(NOT_FOUND)
    rows = list(Delivery.objects.filter(city_id=city_id, status__in=["waiting", *LIVE]).order_by("pk").defer("proof"))
    in_hand = Counter(row.courier_id for row in rows)
    return BoardView(
        city_id,
        [
            BoardCourier(one.id, one.name, one.lat, one.lon, one.seen_at, in_hand[one.id])
            for one in couriers.on_shift(city_id)
        ],
        [
            BoardDelivery(
                row.pk,
                row.order_id,
                row.order_number,
                row.status,
                row.store_id,
                row.courier_id,
                row.lat,
                row.lon,
                row.eta,
                row.promised_to,
            )
            for row in rows
        ],
    )


def decisions(actor: Actor, order_id: UUID) -> list[DecisionView]:
    """Why the order's couriers were chosen, newest first."""
    require(actor, "console.read")
    rows = DispatchDecision.objects.filter(delivery__order_id=order_id).order_by("-at")
    if actor.kind != SYSTEM:
        city_ids = [city.id for city in organisations.cities() if city.retailer_id == actor.organisation_id]
        rows = rows.filter(delivery__city_id__in=city_ids)
    return [
        DecisionView(row.at, row.courier_id, row.policy, row.cost_seconds, row.alternatives, row.basis) for row in rows
    ]


# Of each courier's deliveries by when they were accepted, what each adds to the time that the courier was busy.
_BUSY = """
SELECT count(*), sum(extract(epoch FROM GREATEST(ended_at - GREATEST(accepted_at, before), interval '0')))::float
FROM (SELECT accepted_at, ended_at, max(ended_at) OVER (
          PARTITION BY courier_id ORDER BY accepted_at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
      FROM dispatch_delivery
      WHERE city_id = %s AND carrier = 'own' AND status = 'delivered' AND ended_at >= %s AND accepted_at IS NOT NULL) d
"""


def cycle_minutes(city_id: UUID) -> float:
    """Minutes that a courier was busy for each delivery lately: what overlaps, in a bundle or because the next was
    accepted on the way, counts once. The default until there are enough."""
    with connection.cursor() as cursor:
        cursor.execute(_BUSY, [city_id, clock.now() - timedelta(hours=2)])
        count, seconds = cursor.fetchone()
    if count < LEAST_CYCLES:
        return DEFAULT_CYCLE_MINUTES
    return float(min(max(seconds / count / 60, 8.0), 60.0))


class Work:
    """Fills `couriers.ports.work`."""

    def in_hand(self, courier_id: UUID) -> int:
        return Delivery.objects.filter(courier_id=courier_id, status__in=LIVE).count()

    def orders(self, courier_id: UUID) -> list[UUID]:
        rows = Delivery.objects.filter(courier_id=courier_id, status__in=FOLLOWED)
        return list(rows.values_list("order_id", flat=True))


def _job(row: Delivery, briefs: dict[UUID, FulfilmentView]) -> JobView:
    brief = briefs[row.order_id]
    terms = couriers.earning_terms(row.city_id, clock.now())
    limit = timedelta(seconds=rules.lapse_seconds(clock.speed()))
    steps = {
        "assigned": "accept",
        "accepted": "arrive_store",
        "at_store": "pick_up",
        "picked_up": "arrive_door",
        "at_door": "deliver",
        "failed": "give_back",
    }
    return JobView(
        row.pk,
        row.order_number,
        row.status,
        steps[row.status],
        row.ready_at is not None,
        row.ready_by,
        row.not_before,
        row.promised_to,
        brief.address,
        brief.note,
        brief.phone_tail,
        rules.pay(terms.per_order, terms.per_km, row.distance_m),
        brief.collect_due if row.cash else 0,
        row.assigned_at + limit if row.status == "assigned" and row.assigned_at else None,
    )


@dataclass(frozen=True)
class Brief:
    """What somebody who brings it has to know of a delivery."""

    order_id: UUID
    order_number: str
    store_id: UUID
    city_id: UUID
    ready_by: datetime
    promised_to: datetime
    not_before: datetime | None


def brief(delivery_id: UUID) -> Brief:
    """For the platform itself; the delivery exists."""
    names = ("order_id", "order_number", "store_id", "city_id", "ready_by", "promised_to", "not_before")
    return Brief(*Delivery.objects.values_list(*names).get(pk=delivery_id))


@dataclass(frozen=True)
class DeliveryView:
    """One of an order's deliveries as the console shows it; `pay` in fen."""

    id: UUID
    status: str
    courier_id: UUID | None
    distance_m: int
    eta: datetime | None
    pay: int
    proof_kind: str
    incident: str
    carrier: str


def deliveries(order_id: UUID) -> list[DeliveryView]:
    """The order's deliveries, oldest first. Whoever calls has checked that the order may be seen."""
    rows = Delivery.objects.filter(order_id=order_id).order_by("created_at").defer("proof")
    return [
        DeliveryView(
            row.pk,
            row.status,
            row.courier_id,
            row.distance_m,
            row.eta,
            row.pay,
            row.proof_kind,
            row.incident,
            row.carrier,
        )
        for row in rows
    ]
