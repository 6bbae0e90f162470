"""The city as the engine sees it: what waits, who is free when and where, how long each leg takes.

Legs to stores and doors are looked up in arrays kept by `routing` (one Dijkstra a place, once).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.couriers.reads import CourierView
from highstreet.delivery.routing import reads as routing
from highstreet.delivery.routing.engine import STRAIGHT_MPS, Mode, straight_seconds
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.reads import StoreView

from . import rules
from .engine import STORES, Problem, Ride, reach
from .models import Delivery, DispatchDecision, Override, due
from .states import LIVE

BARRED_MINUTES = 10
# No delivery takes longer than so from when it begins.
LONGEST = timedelta(hours=6)


@dataclass(frozen=True)
class Snapshot:
    """`problem`'s indices are those of `couriers`, `stores` and `waiting`; `etas` are of `live` deliveries. `fetching`:
    by courier, what its ride in the problem is."""

    problem: Problem
    couriers: list[CourierView]
    stores: list[StoreView]
    waiting: list[Delivery]
    live: list[Delivery]
    etas: dict[UUID, datetime] = field(default_factory=dict)
    fetching: dict[int, rules.Fetching] = field(default_factory=dict)


@dataclass(frozen=True)
class Free:
    """When and where a courier has nothing left to do; and what is fetched next, where more could come along."""

    at: datetime
    place: rules.Point
    fetching: rules.Fetching | None = None


def take(city_id: UUID, now: datetime, away: Collection[UUID] = (), *, everywhere: bool = False) -> Snapshot:
    """Read a city's waiting and live deliveries and its couriers on shift with a position, in five queries;
    where pay is guaranteed, or something is paid for at the door, in one more each.

    Who is `away` gets nothing new. Rides are known to the stores that have something waiting, or `everywhere`.
    """
    ours = Delivery.objects.filter(due(now), city_id=city_id, carrier="own", status__in=["waiting", *LIVE])
    rows = list(ours.order_by("pk").defer("proof"))
    shops = _shops(city_id, rows)
    index = {shop.id: number for number, shop in enumerate(shops)}
    waiting = [row for row in rows if row.status == "waiting" and not row.pinned]
    live = [row for row in rows if row.status != "waiting"]
    here = [one for one in couriers.on_shift(city_id) if one.lat is not None and not one.on_break]
    present = [one for one in here if one.id not in away]
    of_courier: dict[UUID, list[Delivery]] = defaultdict(list)
    for row in live:
        if row.courier_id is not None:
            of_courier[row.courier_id].append(row)
    etas: dict[UUID, datetime] = {}
    idle = [free(city_id, courier, of_courier[courier.id], now, etas) for courier in present]
    room = [min(courier.capacity, 8) - len(of_courier[courier.id]) for courier in present]
    problem = _problem(city_id, now, shops, index, waiting, present, idle, room, everywhere=everywhere)
    wanted = {row.store_id for row in waiting}
    fetching = {
        number: one.fetching
        for number, one in enumerate(idle)
        if one.fetching is not None and one.fetching.store_id in wanted
    }
    if fetching:
        problem = replace(problem, rides=_rides(city_id, now, fetching, index, waiting, live))
    return Snapshot(problem, present, shops, waiting, live, etas, fetching)


def couriers_in(seen: Snapshot, city_id: UUID, now: datetime) -> dict[UUID, float]:
    """By store, in how many seconds a courier could be there for one order more; without the stores nobody reaches.

    `seen` was taken everywhere.
    """
    doors = [(row.lat, row.lon) for row in seen.waiting]
    back = legs(city_id).to_places(doors, [(shop.lat, shop.lon) for shop in seen.stores], at=now)
    soonest = reach(seen.problem, back)
    return {shop.id: float(at) for shop, at in zip(seen.stores, soonest, strict=True) if np.isfinite(at)}


def pace(seen: Snapshot, city_id: UUID, now: datetime) -> float:
    """By how much longer than by bicycle the city's couriers ride on average, straight; 1 without couriers."""
    bicycle = STRAIGHT_MPS["bike"] / legs(city_id).factor("bike", now)
    paces = [bicycle / STRAIGHT_MPS[one.vehicle] * legs(city_id).factor(one.vehicle, now) for one in seen.couriers]
    return sum(paces) / len(paces) if paces else 1.0


def tasks(rows: list[Delivery], now: datetime) -> list[rules.Task]:
    """Deliveries as the route's rules want them."""
    places = {shop.id: (shop.lat, shop.lon) for shop in (_shops(rows[0].city_id, rows) if rows else [])}
    return [
        rules.Task(
            row.pk,
            row.status,
            row.sequence,
            row.store_id,
            places[row.store_id],
            (row.lat, row.lon),
            row.ready_at or max(_in_hand(row, now), now),
            row.pick,
            row.at_door_at if row.status == "at_door" else None,
        )
        for row in rows
    ]


def _shops(city_id: UUID, rows: list[Delivery]) -> list[StoreView]:
    """The city's stores, and those that were closed down with orders still there."""
    open_now = stores.stores_of(city_id)
    closed = {row.store_id for row in rows}.difference(shop.id for shop in open_now)
    return open_now + stores.by_ids(sorted(closed)) if closed else open_now


def legs(city_id: UUID) -> routing.CityStreets:
    return routing.streets(city_id)


def timed(
    city_id: UUID, start: rules.Point, rows: list[Delivery], now: datetime, vehicle: Mode = "bike"
) -> list[rules.Timed]:
    """A courier's stops from `start` with their times, by `vehicle`."""
    streets = legs(city_id)

    def seconds(here: rules.Point, there: rules.Point) -> float:
        return float(streets.to_place([here], there, vehicle, now)[0])

    return rules.schedule(rules.stops(tasks(rows, now)), start, now, seconds)


def free(city_id: UUID, courier: CourierView, rows: list[Delivery], now: datetime, etas: dict[UUID, datetime]) -> Free:
    """When and where a courier with these stops is free; their arrivals go into `etas`."""
    assert courier.lat is not None and courier.lon is not None
    start = (courier.lat, courier.lon)
    if not rows:
        return Free(now, start)
    route = timed(city_id, start, rows, now, courier.vehicle)
    at_door = {row.pk for row in rows if row.status == "at_door"}
    for stop in route:
        if stop.stop.kind == "dropoff":
            etas[stop.stop.deliveries[0]] = now if stop.stop.deliveries[0] in at_door else stop.arrive
    return Free(route[-1].leave, route[-1].stop.place, rules.fetching(route, now))


def _problem(
    city_id: UUID,
    now: datetime,
    shops: list[StoreView],
    index: dict[UUID, int],
    waiting: list[Delivery],
    present: list[CourierView],
    free: list[Free],
    room: list[int],
    *,
    everywhere: bool,
) -> Problem:
    streets = legs(city_id)
    places = np.array([one.place for one in free], float).reshape(-1, 2)
    doors = np.array([(row.lat, row.lon) for row in waiting], float).reshape(-1, 2)
    store = np.array([index[row.store_id] for row in waiting], np.int64)
    to_store = np.full((len(free), len(shops)), np.inf)
    vehicles = by_vehicle(present)
    for mode, rows in vehicles.items() if everywhere else ():
        to_store[rows] = streets.to_places(places[rows], [(shop.lat, shop.lon) for shop in shops], mode, now)
    apart, to_door = np.full((len(shops), len(shops)), np.inf), np.full((len(shops), len(waiting)), np.inf)
    active = np.unique(store)
    counters = np.array([(shops[number].lat, shops[number].lon) for number in active.tolist()], float).reshape(-1, 2)
    for number in active.tolist():
        point = (shops[number].lat, shops[number].lon)
        for mode, rows in vehicles.items() if not everywhere else ():
            to_store[rows, number] = streets.to_place(places[rows], point, mode, now)
        # One question: a travel service is asked once a store.
        ways = streets.from_place(point, np.vstack([doors, counters]), at=now)
        to_door[number], apart[number, active] = ways[: len(doors)], ways[len(doors) :]
    drop = to_door[store, np.arange(len(waiting))]
    return Problem(
        free_in=np.array([max((one.at - now).total_seconds(), 0.0) for one in free]),
        room=np.array(room, np.int64),
        to_store=to_store,
        store=store,
        ready_in=np.maximum(
            np.array([(_in_hand(row, now) - now).total_seconds() for row in waiting]),
            np.array([_opens_in(row, now) for row in waiting]) - drop - rules.AT_STORE_SECONDS + rules.EARLY_SECONDS,
        ),
        promised_in=np.array([(row.promised_to - now).total_seconds() for row in waiting]),
        drop=drop,
        between=streets.factor("bike", now) * straight_seconds(doors, doors, "bike"),
        barred=_barred(now, waiting, present) | _laden(city_id, waiting, present),
        pace=_pace(streets, now, vehicles, shops, store, doors, drop),
        off_in=np.array([_off_in(one, now) for one in present]),
        spare=_spare(city_id, present, now),
        apart=apart,
        to_door=to_door,
        stores=STORES,
    )


def _rides(
    city_id: UUID,
    now: datetime,
    fetching: dict[int, rules.Fetching],
    index: dict[UUID, int],
    waiting: list[Delivery],
    live: list[Delivery],
) -> tuple[Ride, ...]:
    """What is fetched by whom, as the engine wants it."""
    row_of, factor = {row.pk: row for row in live}, legs(city_id).factor("bike", now)
    ends = np.array([(row.lat, row.lon) for row in waiting], float)
    made = []
    for courier, one in fetching.items():
        rows = [row_of[delivery_id] for delivery_id in one.deliveries]
        doors = np.array([(row.lat, row.lon) for row in rows], float)
        made.append(
            Ride(
                courier=courier,
                store=index[one.store_id],
                leave_in=(one.leave - now).total_seconds(),
                doors_in=np.array([(at - now).total_seconds() for at in one.doors]),
                promised_in=np.array([(row.promised_to - now).total_seconds() for row in rows]),
                near=factor * straight_seconds(doors, ends, "bike"),
            )
        )
    return tuple(made)


def by_vehicle(present: list[CourierView]) -> dict[Mode, NDArray[np.int64]]:
    """Rows of the couriers who ride each vehicle."""
    rows: dict[Mode, list[int]] = defaultdict(list)
    for number, courier in enumerate(present):
        rows[courier.vehicle].append(number)
    return {mode: np.array(numbers, np.int64) for mode, numbers in rows.items()}


def _pace(
    streets: routing.CityStreets,
    now: datetime,
    vehicles: dict[Mode, NDArray[np.int64]],
    shops: list[StoreView],
    store: NDArray[np.int64],
    doors: NDArray[np.float64],
    drop: NDArray[np.float64],
) -> NDArray[np.float64]:
    """By how much longer each courier's vehicle takes than a bicycle from what waits to its doors: the median of these
    rides. Empty where all ride bicycles, or nothing waits."""
    if not vehicles.keys() - {"bike"} or not len(doors):
        return np.zeros(0)
    pace = np.ones(sum(len(rows) for rows in vehicles.values()))
    for mode in vehicles.keys() - {"bike"}:
        rides = np.zeros(len(doors))
        for number in np.unique(store).tolist():
            mine, point = store == number, (shops[number].lat, shops[number].lon)
            rides[mine] = streets.from_place(point, doors[mine], mode, now)
        ratio = rides / np.maximum(drop, 1.0)
        pace[vehicles[mode]] = float(np.median(ratio[np.isfinite(ratio)])) if np.isfinite(ratio).any() else 1.0
    return pace


def _in_hand(row: Delivery, now: datetime) -> datetime:
    return rules.in_hand(row.ready_at, row.ready_by, row.start_at, now)


def _off_in(courier: CourierView, now: datetime) -> float:
    """Seconds until the courier takes no more orders."""
    return (courier.orders_until - now).total_seconds() if courier.orders_until else np.inf


def _spare(city_id: UUID, present: list[CourierView], now: datetime) -> NDArray[np.float64]:
    """Orders by which each courier's pay of this shift is behind what is guaranteed; empty where nothing is."""
    terms = couriers.earning_terms(city_id, now)
    since = {one.id: one.since or now for one in present}
    if not (terms.guarantee_hour and terms.per_order and since):
        return np.zeros(0)
    earned: dict[UUID, int] = defaultdict(int)
    rows = Delivery.objects.filter(city_id=city_id, created_at__gte=min(since.values()) - LONGEST, status="delivered")
    for courier_id, at, pay in rows.filter(courier_id__in=since).values_list("courier_id", "ended_at", "pay"):
        if at is not None and at >= since[courier_id]:
            earned[courier_id] += pay
    hours = [(now - since[one.id]).total_seconds() / 3600.0 for one in present]
    due = [terms.guarantee_hour * worked - earned[one.id] for one, worked in zip(present, hours, strict=True)]
    return np.array(due) / terms.per_order


def _opens_in(row: Delivery, now: datetime) -> float:
    """Seconds until it may be at the door."""
    return (row.not_before - now).total_seconds() if row.not_before else -np.inf


def asked_lately(delivery_ids: Collection[UUID], now: datetime) -> dict[UUID, set[UUID]]:
    """Who was offered each delivery in the last ten minutes, or had it taken from them."""
    since = now - timedelta(minutes=BARRED_MINUTES)
    decided = DispatchDecision.objects.filter(delivery_id__in=delivery_ids, at__gt=since)
    taken = Override.objects.filter(delivery_id__in=delivery_ids, at__gt=since, was_courier__isnull=False)
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for delivery_id, courier_id in decided.values_list("delivery_id", "courier_id").union(
        taken.values_list("delivery_id", "was_courier_id")
    ):
        found[delivery_id].add(courier_id)
    return found


def _barred(now: datetime, waiting: list[Delivery], present: list[CourierView]) -> NDArray[np.bool_]:
    """Who let a delivery lapse lately, or had it taken from them, is not asked for it again for ten minutes."""
    barred = np.zeros((len(waiting), len(present)), bool)
    row_of = {row.pk: number for number, row in enumerate(waiting)}
    column_of = {courier.id: number for number, courier in enumerate(present)}
    for delivery_id, asked in asked_lately(row_of, now).items():
        for courier_id in asked & column_of.keys():
            barred[row_of[delivery_id], column_of[courier_id]] = True
    barred[barred.all(axis=1)] = False  # better the same courier again than nobody
    return barred


def _laden(city_id: UUID, waiting: list[Delivery], present: list[CourierView]) -> NDArray[np.bool_]:
    """Who has so much cash in hand that no more may come to it, of what is paid for at the door."""
    cash = np.array([row.cash for row in waiting], bool)
    full = couriers.with_too_much(city_id, [one.id for one in present]) if cash.any() else set()
    laden: NDArray[np.bool_] = cash[:, None] & np.array([one.id in full for one in present], bool)[None, :]
    return laden
