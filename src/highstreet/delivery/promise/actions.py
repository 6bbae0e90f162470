"""Write promises down, open courier capacity, judge what came of a promise and make good what was broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from highstreet.delivery.couriers import reads as couriers
from highstreet.kernel import clock, holds, ids, outbox, rows
from highstreet.kernel.holds import Claim, Scarce
from highstreet.kernel.policy import PUBLIC, SYSTEM, THE_SYSTEM, Actor, action
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.orders import actions as orders
from highstreet.trade.orders.ports import PromiseOffer, Slot
from highstreet.trade.payments.ports import payable_lock

from . import reads, rules
from .events import PromiseBroken, PromiseKept
from .models import CourierReach, Promise
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
        starts_at = datetime.fromisoformat(found.basis["slot"])
        return replace(found, capacity_slot_id=slot_of(actor=THE_SYSTEM, city_id=store.city_id, starts_at=starts_at))

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


@action(SYSTEM)
def slot_of(*, actor: Actor, city_id: UUID, starts_at: datetime) -> UUID:
    """The capacity row of a city's quarter of an hour, made if it is not there yet. Returns its id."""
    terms = organisations.terms(organisations.city(city_id).retailer_id)
    most = reads.capacities(city_id, [starts_at], terms, clock.now())[0]
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH made AS (INSERT INTO promise_capacityslot (id, city_id, starts_at, capacity, held, taken) "
            "VALUES (%s, %s, %s, %s, 0, 0) ON CONFLICT (city_id, starts_at) DO NOTHING RETURNING id) "
            "SELECT id FROM made UNION ALL SELECT id FROM promise_capacityslot WHERE city_id = %s AND starts_at = %s",
            [ids.new_id(), city_id, starts_at, most, city_id, starts_at],
        )
        row = cursor.fetchone()
        if row is None:  # a twin made it after our snapshot
            cursor.execute(
                "SELECT id FROM promise_capacityslot WHERE city_id = %s AND starts_at = %s", [city_id, starts_at]
            )
            row = cursor.fetchone()
    assert row is not None
    found: UUID = row[0]
    return found


@action(SYSTEM)
def open_slots(*, actor: Actor, city_id: UUID, cycle_minutes: float | None = None) -> None:
    """Set the capacity of the next three hours by the couriers on shift; never under what is held and taken."""
    on_shift = couriers.count_at_work(city_id)
    most = rules.capacity(on_shift, cycle_minutes or rules.DEFAULT_CYCLE_MINUTES)
    starts = rules.slot_starts(clock.now())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO promise_capacityslot AS s (id, city_id, starts_at, capacity, held, taken) "
            "SELECT q.id, %s, q.starts_at, %s, 0, 0 FROM unnest(%s::uuid[], %s::timestamptz[]) AS q (id, starts_at) "
            "ORDER BY q.starts_at ON CONFLICT (city_id, starts_at) DO UPDATE "
            "SET capacity = GREATEST(excluded.capacity, s.held + s.taken) "
            "WHERE s.capacity <> GREATEST(excluded.capacity, s.held + s.taken)",
            [city_id, most, [ids.new_id() for _ in starts], starts],
        )


@action(SYSTEM)
def expect_couriers(*, actor: Actor, city_id: UUID, seconds: Mapping[UUID, float]) -> None:
    """By store of the city, in how many seconds a courier could be there now; a store that is left out has nobody."""
    shops = sorted(seconds)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO promise_courierreach AS r (store_id, city_id, seconds, at) "
            "SELECT q.store, %s, q.seconds, %s FROM unnest(%s::uuid[], %s::int[]) AS q (store, seconds) "
            "ORDER BY q.store ON CONFLICT (store_id) DO UPDATE SET seconds = excluded.seconds, at = excluded.at",
            [city_id, clock.now(), shops, [round(seconds[shop]) for shop in shops]],
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
    """Another store has the order now: the window stands, the load is that store's."""
    Promise.objects.filter(order_id=order_id, outcome="open").update(store_id=store_id, ready_at=None, start_at=None)


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
