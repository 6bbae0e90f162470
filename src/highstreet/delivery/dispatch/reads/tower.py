"""The tower: every order that is promised and not yet at its door, by how little time it has left, and every courier.

Five statements, whether there are five orders or five thousand.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, DurationField, ExpressionWrapper, F, FloatField, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Coalesce, Extract

from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.couriers.reads import CourierView
from highstreet.delivery.promise import reads as promises
from highstreet.kernel import clock
from highstreet.kernel.policy import SYSTEM, Actor, require
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.stores import reads as stores
from highstreet.trade.orders.reads import console as orders

from .. import rules
from ..models import Delivery, Override, due
from ..states import BEFORE_PICK_UP, LIVE
from .candidates import version

# The state of an order that no store has accepted yet.
IN_STORE = "in_store"
# Given by hand to a courier who did not accept it in time: nothing moves it on but a person.
UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class TowerOrder:
    """An order on its way; times in seconds from the view's `at`. `ready`: it is packed.

    `status` is its delivery's, `IN_STORE` or `UNANSWERED`; what is unanswered is at risk, however much time is left.
    """

    order_id: UUID
    number: str
    status: str
    store_id: UUID
    courier_id: UUID | None
    lat: float
    lon: float
    promised_in: float
    expected_in: float
    ready: bool
    pinned: bool
    risk: str

    @property
    def slack_seconds(self) -> float:
        """What is left between the expected arrival and the promise; negative: it will be late by so much."""
        return self.promised_in - self.expected_in


@dataclass(frozen=True)
class TowerView:
    """`orders` have the least slack first. `couriers` are those on shift, for whom the city's couriers may be seen."""

    city_id: UUID
    at: datetime
    orders: list[TowerOrder]
    couriers: list[CourierView]
    in_hand: Counter[UUID | None]


def tower(actor: Actor, city_id: UUID) -> TowerView:
    """The city as the actor may see it: the retailer's people all of it, others their own stores' orders."""
    require(actor, "console.read")
    now, whole = clock.now(), stores.runs_city(actor, city_id)
    found = [_on_its_way(*row) for row in _rows(actor, city_id, now)]
    early = {row.order_id: row for row in promises.running(city_id, but=[one.order_id for one in found])}
    if early:
        for order in orders.by_ids(actor=actor, order_ids=early).values():
            if order.status == "confirmed":
                found.append(_in_store(now, order, early[order.id].expected))
    found.sort(key=lambda one: (one.slack_seconds, one.order_id))
    riders = couriers.on_shift(city_id) if whole else []
    return TowerView(city_id, now, found, riders, Counter(one.courier_id for one in found))


@dataclass(frozen=True)
class RideView:
    """One delivery as the tower's page shows it. `seen` goes back with a decision by hand; `open`: one may be made."""

    id: UUID
    number: str
    city_id: UUID
    store_id: UUID
    status: str
    courier_id: UUID | None
    pinned: bool
    promised_to: datetime
    expected: datetime
    risk: str
    ready_by: datetime
    ready_at: datetime | None
    ended_at: datetime | None
    seen: str
    open: bool
    overrides: list[OverrideView]


@dataclass(frozen=True)
class OverrideView:
    """A decision by hand: from whom, to whom (None: nobody), why (a code), by whom (`staff:<id>`)."""

    at: datetime
    was_courier_id: UUID | None
    courier_id: UUID | None
    why: str
    pinned: bool
    actor: str


def begun(actor: Actor, order_id: UUID) -> bool:
    """Whether there is a delivery of an order that the actor may see; NOT_FOUND where there is not even an order."""
    if Delivery.objects.filter(order_id=order_id).filter(whose(actor)).exists():
        return True
    if not orders.by_ids(actor=actor, order_ids=[order_id]):
        raise Refused(NOT_FOUND)
    return False


def ride(actor: Actor, order_id: UUID) -> RideView:
    """The order's latest delivery; NOT_FOUND where it is not the actor's or has none."""
    require(actor, "console.read")
    rows = Delivery.objects.filter(order_id=order_id).filter(whose(actor)).order_by("-created_at").defer("proof")
    row, now = rows.first(), clock.now()
    if row is None:
        raise Refused(NOT_FOUND)
    at = row.ended_at or now
    expected = 0.0
    if row.ended_at is None:
        ready_in = ((row.ready_at or row.ready_by) - now).total_seconds()
        eta_in = None if row.eta is None else (row.eta - now).total_seconds()
        expected = rules.arrival(eta_in, ready_in, row.distance_m)
    return RideView(
        row.pk,
        row.order_number,
        row.city_id,
        row.store_id,
        row.status,
        row.courier_id,
        row.pinned,
        row.promised_to,
        at + timedelta(seconds=expected),
        rules.risk((row.promised_to - at).total_seconds(), expected),
        row.ready_by,
        row.ready_at,
        row.ended_at,
        version(row.status, row.courier_id),
        row.status in ("waiting", *BEFORE_PICK_UP) and stores.runs_city(actor, row.city_id),
        [
            OverrideView(one.at, one.was_courier_id, one.courier_id, one.why, one.pinned, one.actor)
            for one in Override.objects.filter(delivery=row).order_by("-at")
        ],
    )


def _rows(actor: Actor, city_id: UUID, now: datetime) -> QuerySet[Delivery, tuple[Any, ...]]:
    """What runs, times as seconds from now: ten thousands of timestamps take longer to read than all the rest."""
    rows = Delivery.objects.filter(due(now), city_id=city_id, status__in=["waiting", *LIVE]).filter(whose(actor))
    asked = now - timedelta(seconds=rules.lapse_seconds(clock.speed()))
    unanswered = When(pinned=True, status="assigned", assigned_at__lt=asked, then=Value(UNANSWERED))
    return rows.values_list(
        "order_id",
        "order_number",
        Case(unanswered, default=F("status")),
        "store_id",
        "courier_id",
        "lat",
        "lon",
        _until(F("promised_to"), now),
        _until(F("eta"), now),
        _until(Coalesce("ready_at", "ready_by"), now),
        "distance_m",
        Case(When(ready_at=None, then=False), default=True),
        "pinned",
    )


def _until(moment: F | Coalesce, now: datetime) -> Cast:
    return Cast(Extract(ExpressionWrapper(moment - Value(now), DurationField()), "epoch"), FloatField())


def whose(actor: Actor) -> Q:
    """Deliveries of the actor's cities or organisation, and of its own stores only where it is bound to some."""
    if actor.kind == SYSTEM:
        return Q()
    own = actor.organisation_id
    if own is None:
        raise Refused(NOT_FOUND)
    mine = Q(city__retailer_id=own) | Q(store__organisation_id=own)
    return mine if actor.store_ids is None else mine & Q(store_id__in=actor.store_ids)


def _on_its_way(
    order_id: UUID,
    number: str,
    status: str,
    store_id: UUID,
    courier_id: UUID | None,
    lat: float,
    lon: float,
    promised_in: float,
    eta_in: float | None,
    ready_in: float,
    distance_m: int,
    ready: bool,
    pinned: bool,
) -> TowerOrder:
    expected = rules.arrival(eta_in, ready_in, distance_m)
    risk = rules.risk(promised_in, expected)
    if status == UNANSWERED and risk == "ok":
        risk = "warn"
    return TowerOrder(
        order_id, number, status, store_id, courier_id, lat, lon, promised_in, expected, ready, pinned, risk
    )


def _in_store(now: datetime, order: orders.OrderRow, expected: datetime) -> TowerOrder:
    promised_in = (order.promised_to - now).total_seconds()
    expected_in = max((expected - now).total_seconds(), 0.0)
    risk = rules.risk(promised_in, expected_in)
    return TowerOrder(
        order.id,
        order.number,
        IN_STORE,
        order.store_id,
        None,
        order.lat,
        order.lon,
        promised_in,
        expected_in,
        False,
        False,
        risk,
    )
