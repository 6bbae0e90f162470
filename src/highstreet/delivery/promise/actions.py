"""Write promises down, open courier capacity, judge what came of a promise and make good what was broken."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from django.db import connection
from django.db.models import Q

from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.routing.engine import straight_seconds
from highstreet.kernel import clock, holds, ids, outbox, rows
from highstreet.kernel.holds import Claim, Scarce
from highstreet.kernel.policy import PUBLIC, SYSTEM, THE_SYSTEM, Actor, action
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.orders import actions as orders
from highstreet.trade.orders.ports import PromiseOffer, Slot
from highstreet.trade.payments.ports import payable_lock

from . import reads, rules
from .engine import zones as engine
from .events import PromiseBroken, PromiseKept
from .models import CapacitySlot, CourierReach, Promise, Zone, ZoneStore
from .refusals import CAPACITY_GONE

CAPACITY = holds.scarce(
    Scarce(
        kind="courier_capacity",
        table="promise_capacityslot",
        free="capacity - held - taken",
        held="held",
        taken="taken",
        rank=10,
        reason=CAPACITY_GONE,
    )
)


class Promises:
    """Fills `trade.orders.ports.promises`."""

    def offer(
        self,
        *,
        store: StoreView,
        lat: float,
        lon: float,
        units: int,
        mode: str,
        at: datetime,
        slot: datetime | None = None,
        agreed: bool = False,
    ) -> PromiseOffer | None:
        """The soonest honest window; None when the shop is closed or no courier is free within three hours.

        With `slot`, the window that begins then, None when it is full or over.
        """
        if slot is None:
            found = reads.one(store, lat, lon, units, mode, at)
        else:
            found = reads.at_slot(store, lat, lon, units, mode, at, slot, agreed=agreed)
        if found is None or mode == "pickup" or found.capacity_slot_id is not None:
            return found
        zone = UUID(found.basis["zone"]) if "zone" in found.basis else None
        starts_at = datetime.fromisoformat(found.basis["slot"])
        row = slot_of(actor=THE_SYSTEM, city_id=store.city_id, zone=zone, starts_at=starts_at)
        return replace(found, capacity_slot_id=row)

    def slots(self, *, store: StoreView, lat: float, lon: float, units: int, mode: str, at: datetime) -> list[Slot]:
        return reads.slots(store, lat, lon, units, mode, at)

    def claims(self, offer: PromiseOffer) -> list[Claim]:
        if offer.capacity_slot_id is None:
            return []
        return [Claim(CAPACITY.kind, offer.capacity_slot_id, 1, str(offer.basis.get("slot_words", "")))]

    def keep(self, *, order_id: UUID, city_id: UUID, store_id: UUID, mode: str, offer: PromiseOffer) -> None:
        keep(actor=THE_SYSTEM, order_id=order_id, city_id=city_id, store_id=store_id, mode=mode, offer=offer)

    def void(self, *, order_id: UUID) -> None:
        void(actor=THE_SYSTEM, order_id=order_id)


# So many quarters from now on, a zone keeps the couriers that its promises need.
KEPT_QUARTERS = 5
WEEK = timedelta(days=7)


@action(SYSTEM)
def slot_of(*, actor: Actor, city_id: UUID, zone: UUID | None, starts_at: datetime) -> UUID:
    """The capacity row of a zone's quarter of an hour (None: of the city as one), made if it is not there yet."""
    terms = organisations.terms(organisations.city(city_id).retailer_id)
    known = reads.zones(city_id, starts_at, starts_at)
    most = reads.capacities(city_id, known, zone, [starts_at], terms, clock.now())[0]
    of, owner = ("city_id", city_id) if zone is None else ("zone_id", zone)
    there = f"SELECT id FROM promise_capacityslot WHERE {of} = %s AND starts_at = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH made AS (INSERT INTO promise_capacityslot (id, {of}, starts_at, capacity, held, taken) "  # noqa: S608
            f"VALUES (%s, %s, %s, %s, 0, 0) ON CONFLICT ({of}, starts_at) DO NOTHING RETURNING id) "
            f"SELECT id FROM made UNION ALL {there}",
            [ids.new_id(), owner, starts_at, most, owner, starts_at],
        )
        row = cursor.fetchone()
        if row is None:  # a twin made it after our snapshot
            cursor.execute(there, [owner, starts_at])
            row = cursor.fetchone()
    assert row is not None
    found: UUID = row[0]
    return found


@action(SYSTEM)
def divide(*, actor: Actor, city_id: UUID) -> None:
    """Group the city's shops into zones again, no more than its couriers are enough for; count what is ordered in each.

    A shop with a hired fleet of its own is one by itself: nobody else brings for it, and its fleet for nobody else. A
    zone whose shops stay together keeps its name, and what is held of it. Of all others nothing more is given away;
    what is promised of them is counted against the zones that are there now.
    """
    shops = stores.stores_of(city_id)
    before = dict(ZoneStore.objects.filter(zone__city_id=city_id).values_list("store_id", "zone_id"))
    numbers = _numbered(city_id, shops, before)
    wanted = _named(numbers, before)
    if wanted != before:
        Zone.objects.bulk_create(Zone(pk=pk, city_id=city_id) for pk in sorted({*wanted.values()} - {*before.values()}))
        ZoneStore.objects.filter(zone__city_id=city_id).exclude(store_id__in=wanted).delete()
        ZoneStore.objects.bulk_create(
            [ZoneStore(store_id=store, zone_id=wanted[store]) for store in sorted(wanted)],
            update_conflicts=True,
            unique_fields=["store_id"],
            update_fields=["zone_id"],
        )
        live = Q(held__gt=0) | Q(taken__gt=0) | Q(starts_at__gt=clock.now() - WEEK)
        kept = CapacitySlot.objects.filter(live, zone__city_id=city_id).values("zone_id")
        Zone.objects.filter(city_id=city_id, places=None).exclude(pk__in=kept).delete()
    moments: dict[str, UUID | datetime] = {"city": city_id}
    moments |= {"first": rules.slot_start(clock.now()), "since": clock.now() - WEEK}
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE, moments)
        if wanted:
            cursor.execute(_ORDERS, moments)


def _numbered(city_id: UUID, shops: Sequence[StoreView], before: Mapping[UUID, UUID]) -> dict[UUID, int]:
    """The number of each shop's zone: of those with a fleet of their own, and of the rest by how far apart they are."""
    fleets = couriers.hired(city_id)
    rest = [shop for shop in shops if shop.id not in fleets]
    alone = [shop.id for shop in shops if shop.id in fleets]
    at_work = couriers.count_on_shift(city_id) + fleets.get(None, 0)
    most = rules.most_zones(at_work, len({before[shop.id] for shop in rest if shop.id in before}))
    places = np.array([(shop.lat, shop.lon) for shop in rest]).reshape(-1, 2)
    found = engine.divide(straight_seconds(places, places, "bike") if rest else places, most).tolist()
    numbers = {shop.id: number for shop, number in zip(rest, found, strict=True)}
    return numbers | {store: len(rest) + place for place, store in enumerate(alone)}


def _named(numbers: Mapping[UUID, int], before: Mapping[UUID, UUID]) -> dict[UUID, UUID]:
    """The zone's id of each store; {} for a city that is one."""
    names: dict[int, UUID] = {}
    for number in sorted(set(numbers.values())):
        inside = {store for store in numbers if numbers[store] == number}
        known = {before[store] for store in inside if store in before}
        together = {store for store in numbers if before.get(store) in known}
        names[number] = known.pop() if len(known) == 1 and together <= inside else ids.new_id()
    return {store: names[number] for store, number in numbers.items()} if len(names) > 1 else {}


# Quarters of zones without stores, and of the city as one when it is divided.
_CLOSE = """
WITH gone AS (
  SELECT s.id FROM promise_zone z JOIN promise_capacityslot s ON s.zone_id = z.id
  WHERE z.city_id = %(city)s AND s.starts_at >= %(first)s
  AND NOT EXISTS (SELECT 1 FROM promise_zonestore p WHERE p.zone_id = z.id)
  UNION ALL
  SELECT id FROM promise_capacityslot WHERE city_id = %(city)s AND starts_at >= %(first)s AND EXISTS
  (SELECT 1 FROM promise_zonestore p JOIN promise_zone z ON z.id = p.zone_id WHERE z.city_id = %(city)s)
), locked AS (SELECT id FROM promise_capacityslot WHERE id IN (SELECT id FROM gone) ORDER BY id FOR NO KEY UPDATE)
UPDATE promise_capacityslot s SET capacity = s.held + s.taken FROM locked
WHERE s.id = locked.id AND s.capacity <> s.held + s.taken
"""
_ORDERS = """
UPDATE promise_zone z SET orders = q.orders FROM (
  SELECT p.zone_id, count(DISTINCT p.store_id) + count(k.id) AS orders FROM promise_zonestore p
  JOIN promise_zone o ON o.id = p.zone_id AND o.city_id = %(city)s
  LEFT JOIN promise_promise k ON k.store_id = p.store_id AND k.city_id = %(city)s AND k.mode = 'delivery'
  AND k.fulfilled_at > %(since)s GROUP BY p.zone_id
) q WHERE z.id = q.zone_id AND z.orders <> q.orders
"""


@action(SYSTEM)
def open_slots(
    *,
    actor: Actor,
    city_id: UUID,
    cycle_minutes: float | None = None,
    rides: Mapping[UUID, engine.Floats] | None = None,
    away: Collection[UUID] = (),
) -> None:
    """Set the capacity of the next three hours by the couriers on shift, as long as they take orders, and those planned
    to come; never under what is held and taken.

    `rides`: by store, each courier's seconds to it from where they are free next; says in which zones they count. Who
    is `away`, on shift or not, is nobody to send.
    """
    cycle, now = cycle_minutes or rules.DEFAULT_CYCLE_MINUTES, clock.now()
    starts = rules.slot_starts(now)
    hands = couriers.coming(city_id, starts, now, away)
    known = reads.zones(city_id, starts[0], starts[-1])
    if known.of and rides is not None:
        known = replace(known, couriers=_stationed(known, hands[0].stay, rides, starts[:KEPT_QUARTERS], cycle))
        for zone in sorted(known.couriers):
            Zone.objects.filter(pk=zone).exclude(couriers=known.couriers[zone]).update(couriers=known.couriers[zone])
    rows = []
    for start, one in zip(starts, hands, strict=True):
        most = [rules.capacity(people, cycle) for people in known.at_work(one.stay, one.come)]
        left = rules.left(most, known.elsewhere(start))
        rows += [(zone or city_id, start, room) for zone, room in zip(known.all, left, strict=True)]
    of = "zone_id" if known.of else "city_id"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO promise_capacityslot AS s (id, {of}, starts_at, capacity, held, taken) "  # noqa: S608
            "SELECT q.id, q.owner, q.starts_at, q.capacity, 0, 0 "
            "FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::bigint[]) AS q (id, owner, starts_at, capacity)"
            f" ORDER BY q.starts_at, q.owner ON CONFLICT ({of}, starts_at) DO UPDATE "
            "SET capacity = GREATEST(excluded.capacity, s.held + s.taken) "
            "WHERE s.capacity <> GREATEST(excluded.capacity, s.held + s.taken)",
            [[ids.new_id() for _ in rows], *(list(column) for column in zip(*rows, strict=True))],
        )


def _stationed(
    known: reads.Zones, on_shift: int, rides: Mapping[UUID, engine.Floats], starts: list[datetime], cycle: float
) -> dict[UUID, int]:
    """How many of our couriers each zone counts on. Of whom no place is known, as many as is ordered there."""
    zones, ours = sorted(known.couriers), np.array(known.ours)
    if not ours.any():
        return dict.fromkeys(zones, 0)
    inside = [
        [rides[store] for store in sorted(rides) if mine and known.of.get(store) == zone]
        for zone, mine in zip(zones, ours, strict=True)
    ]
    seen = max((len(row) for row in rides.values()), default=0)
    near = np.array([np.min(rows, axis=0) if rows else np.full(seen, np.inf) for rows in inside]).T
    busiest = [max(known.promised.get(zone, {}).get(start, 0) for start in starts) for zone in zones]
    keep = np.array([math.ceil(units * cycle / rules.SLOT_MINUTES) for units in busiest], np.int64)
    orders = np.array([known.orders[zone] for zone in zones], float) * ours
    found = engine.working(near, keep + on_shift * orders / orders.sum(), keep)
    unseen = known.shared(max(on_shift - seen, 0))
    return {
        zone: int((found == number).sum()) + more for number, (zone, more) in enumerate(zip(zones, unseen, strict=True))
    }


@action(SYSTEM)
def expect_couriers(
    *, actor: Actor, city_id: UUID, seconds: Mapping[UUID, float], paces: Mapping[UUID, float] | None = None
) -> None:
    """By store of the city, in how many seconds a courier could be there now; a store that is left out has nobody.

    `paces`: by how much longer than a bicycle who comes to a store takes to a door; 1 for those left out.
    """
    shops, slower = sorted(seconds), paces or {}
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO promise_courierreach AS r (store_id, city_id, seconds, ride_percent, at) "
            "SELECT q.store, %s, q.seconds, q.percent, %s "
            "FROM unnest(%s::uuid[], %s::int[], %s::int[]) AS q (store, seconds, percent) "
            "ORDER BY q.store ON CONFLICT (store_id) DO UPDATE "
            "SET seconds = excluded.seconds, ride_percent = excluded.ride_percent, at = excluded.at",
            [
                city_id,
                clock.now(),
                shops,
                [round(seconds[shop]) for shop in shops],
                [round(100 * slower.get(shop, 1.0)) for shop in shops],
            ],
        )
    CourierReach.objects.filter(city_id=city_id).exclude(store_id__in=shops).delete()


@action(PUBLIC)
def keep(*, actor: Actor, order_id: UUID, city_id: UUID, store_id: UUID, mode: str, offer: PromiseOffer) -> None:
    """Write down what was promised for an order; again for the same order (a re-route) replaces it."""
    made = Promise(
        id=ids.new_id(),
        order_id=order_id,
        city_id=city_id,
        store_id=store_id,
        mode=mode,
        quantile=offer.quantile,
        promised_from=offer.promised_from,
        promised_to=offer.promised_to,
        basis=dict(offer.basis),
        units=int(offer.basis.get("units", 0)),
        made_at=clock.now(),
        begins_at=offer.start_at if offer.slot else None,
        start_at=None if offer.slot else offer.start_at,
    )
    rows.put([made], replacing="order_id")


@action(PUBLIC)
def void(*, actor: Actor, order_id: UUID) -> None:
    """The order ended without being fulfilled: neither kept nor broken."""
    Promise.objects.filter(order_id=order_id, outcome="open").update(outcome="void")


@action(SYSTEM)
def moved(*, actor: Actor, order_id: UUID, store_id: UUID) -> None:
    """Another store has the order now: the window stands, the load is that store's, and its pace begins here."""
    Promise.objects.filter(order_id=order_id, outcome="open").update(
        store_id=store_id, ready_at=None, start_at=clock.now()
    )


@action(SYSTEM)
def begun(*, actor: Actor, order_id: UUID, at: datetime) -> None:
    """The shop begins at `at`, sooner than it was to."""
    Promise.objects.filter(order_id=order_id, start_at__gt=at).update(start_at=at)


@action(SYSTEM)
def packed(*, actor: Actor, order_id: UUID, at: datetime) -> None:
    """The shop has packed it: off its load; a pick-up is judged by this."""
    Promise.objects.filter(order_id=order_id, ready_at=None).update(ready_at=at)
    row = Promise.objects.filter(order_id=order_id).first()
    if row is not None and row.mode == "pickup":
        _judge(actor, row, at)


@action(SYSTEM)
def fulfilled(*, actor: Actor, order_id: UUID, at: datetime) -> None:
    """It is at the door (or in the shopper's hands): judge, and make good at once what came late."""
    row = Promise.objects.filter(order_id=order_id).first()
    if row is not None:
        _judge(actor, row, row.ready_at or at if row.mode == "pickup" else at)


@action(SYSTEM)
def spoilt(*, actor: Actor, order_id: UUID) -> None:
    """The goods were damaged on the way: broken, whatever the time."""
    row = Promise.objects.filter(order_id=order_id).first()
    if row is not None:
        _break(actor, row, None, None)


@action(SYSTEM)
def used_up(*, actor: Actor, group: UUID) -> None:
    """The courier's ride for these holds is over: its capacity is spent, and free for others."""
    holds.consume(group, CAPACITY.kind)


def _judge(actor: Actor, row: Promise, at: datetime) -> None:
    outcome, late = rules.judge(row.promised_to, at)
    if outcome == "broken":
        _break(actor, row, at, late)
        return
    moved = Promise.objects.filter(pk=row.pk, outcome="open").update(outcome="kept", fulfilled_at=at, late_seconds=late)
    if moved == 1:
        outbox.emit(PromiseKept(row.order_id, row.store_id, late), topics=_topics(row))


def _break(actor: Actor, row: Promise, at: datetime | None, late: int | None) -> None:
    """One conditional UPDATE decides who compensates, so it happens once. The order is locked first, as by everyone."""
    if payable_lock.filled:
        payable_lock()(row.order_id)
    terms = organisations.terms(organisations.city(row.city_id).retailer_id)
    forgiven = late is not None and timedelta(seconds=late) <= timedelta(minutes=terms.late_grace_minutes)
    amount = 0 if forgiven else terms.late_credit
    moved = Promise.objects.filter(pk=row.pk, outcome="open").update(
        outcome="broken", fulfilled_at=at, late_seconds=late, compensation=amount
    )
    if moved != 1:
        return
    if amount:
        _compensate(actor, row.order_id, amount, "late" if at else "damaged")
    outbox.emit(PromiseBroken(row.order_id, row.store_id, late or 0, amount), topics=_topics(row))


def _compensate(actor: Actor, order_id: UUID, amount: int, reason: str) -> None:
    orders.compensate(actor=actor, order_id=order_id, amount=amount, reason=reason)


def _topics(row: Promise) -> list[str]:
    return [f"order:{row.order_id}", f"store:{row.store_id}", f"city:{row.city_id}"]
