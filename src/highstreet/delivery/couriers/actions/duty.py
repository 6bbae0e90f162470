"""Shift on, shift off, breaks, where I am."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from highstreet.delivery.routing.engine import Mode
from highstreet.kernel import clock, ids, outbox
from highstreet.kernel.policy import SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID

from .. import held, ports, settling
from ..events import BreakEnded, BreakStarted, ShiftEnded, ShiftStarted
from ..models import Break, Courier, RosterShift, Shift
from ..refusals import NO_BREAK_NOW, NOT_A_COURIER, OFF_SHIFT, TASKS_IN_HAND
from ..states import HELD

# Who comes so long before a planned shift has come for that one.
EARLY = timedelta(hours=1)


@action(SYSTEM, trailed=True)
def create(
    *, actor: Actor, user_id: UUID, city_id: UUID, name: str, phone: str, vehicle: Mode = "bike", capacity: int = 3
) -> UUID:
    """Make a user a courier of a city, or find who they are already. Returns the courier's id."""
    found = Courier.objects.filter(user_id=user_id).first()
    if found is not None:
        return found.pk
    return Courier.objects.create(
        id=ids.new_id(), user_id=user_id, city_id=city_id, name=name, phone=phone, vehicle=vehicle, capacity=capacity
    ).pk


@action("courier.work")
def start_shift(*, actor: Actor) -> UUID:
    """Open a shift, or find the open one. Returns its id."""
    courier = held.courier(actor, lock=False)
    shift = Shift(id=ids.new_id(), courier=courier, starts_at=clock.now())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO couriers_shift (id, courier_id, starts_at, orders_until) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (courier_id) WHERE ends_at IS NULL DO NOTHING",
            [shift.pk, courier.pk, shift.starts_at, _planned_end(courier, shift.starts_at)],
        )
        if cursor.rowcount == 1:
            outbox.emit(
                ShiftStarted(courier.pk, courier.city_id, shift.starts_at.isoformat()),
                topics=[f"courier:{courier.pk}", f"city:{courier.city_id}"],
            )
            return shift.pk
    return Shift.objects.values_list("pk", flat=True).get(courier=courier, ends_at=None)


@action("courier.work")
def end_shift(*, actor: Actor) -> None:
    """Close the open shift and forget where the courier is. Refused with TASKS_IN_HAND; twice is once."""
    courier = held.courier(actor)
    in_hand = ports.work().in_hand(courier.pk)
    if in_hand:
        raise Refused(TASKS_IN_HAND, count=in_hand)
    _close(actor, courier)


@action(SYSTEM)
def clock_off(*, actor: Actor, courier_id: UUID) -> None:
    """End the shift of somebody who has vanished and has nothing in hand, as they would have done."""
    courier = Courier.objects.select_for_update(no_key=True).get(pk=courier_id)
    if not ports.work().in_hand(courier.pk):
        _close(actor, courier)


def _close(actor: Actor, courier: Courier) -> None:
    now = clock.now()
    shift = Shift.objects.filter(courier=courier, ends_at=None).first()
    Courier.objects.filter(pk=courier.pk).update(lat=None, lon=None, seen_at=None)
    if shift is None:
        return
    Break.objects.filter(shift=shift, ends_at=None).update(ends_at=now)
    shift.ends_at = now
    shift.save(update_fields=["ends_at"])
    settling.settle(actor, courier, shift)
    outbox.emit(
        ShiftEnded(courier.pk, courier.city_id, now.isoformat()),
        topics=[f"courier:{courier.pk}", f"city:{courier.city_id}"],
    )


@action("courier.work")
def start_break(*, actor: Actor) -> None:
    """No orders from now on. Refused with NO_BREAK_NOW while there are some in hand; twice is once."""
    courier = held.courier(actor)
    shift = _open(courier)
    in_hand = ports.work().in_hand(courier.pk)
    if in_hand:
        raise Refused(NO_BREAK_NOW, count=in_hand)
    now = clock.now()
    if not Break.objects.filter(shift=shift, ends_at=None).exists():
        Break.objects.create(id=ids.new_id(), shift=shift, starts_at=now)
        outbox.emit(
            BreakStarted(courier.pk, courier.city_id, now.isoformat()),
            topics=[f"courier:{courier.pk}", f"city:{courier.city_id}"],
        )


@action("courier.work")
def end_break(*, actor: Actor) -> None:
    """Orders again. Twice is once."""
    courier = held.courier(actor)
    shift, now = _open(courier), clock.now()
    if Break.objects.filter(shift=shift, ends_at=None).update(ends_at=now):
        _take(shift, now)
        outbox.emit(
            BreakEnded(courier.pk, courier.city_id, now.isoformat()),
            topics=[f"courier:{courier.pk}", f"city:{courier.city_id}"],
        )


@action("courier.work")
def no_more_orders(*, actor: Actor) -> None:
    """What is in hand is the last for now: a break or the end of the shift comes after it. Twice is once."""
    courier = held.courier(actor)
    shift, now = _open(courier), clock.now()
    if shift.orders_until is None or shift.orders_until > now:
        Shift.objects.filter(pk=shift.pk).update(orders_until=now)
        _tell(courier)


@action("courier.work")
def take_orders(*, actor: Actor) -> None:
    """Orders again, until the planned end if that is still to come."""
    courier = held.courier(actor)
    _take(_open(courier), clock.now())
    _tell(courier)


def _take(shift: Shift, now: datetime) -> None:
    Shift.objects.filter(pk=shift.pk).update(orders_until=_planned_end(shift.courier, now))


def _tell(courier: Courier) -> None:
    outbox.tell([f"courier:{courier.pk}", f"city:{courier.city_id}"], {"name": "duty"})


def _planned_end(courier: Courier, now: datetime) -> datetime | None:
    """When the roster lets go of who works now; None where it has nothing planned."""
    rows = RosterShift.objects.filter(courier=courier, status__in=HELD, starts_at__lte=now + EARLY, ends_at__gt=now)
    return rows.order_by("starts_at").values_list("ends_at", flat=True).first()


@action(SYSTEM)
def lock_on_shift(*, actor: Actor, courier_ids: list[UUID], switched_off: bool = False) -> set[UUID]:
    """Lock these couriers in id order until the transaction ends. Returns those on shift now and not on a break; who
    may work no longer only if `switched_off`."""
    rows = Courier.objects.select_for_update(no_key=True).filter(pk__in=courier_ids).order_by("pk")
    if not switched_off:
        rows = rows.filter(active=True)
    locked = [row.pk for row in rows.only("pk")]
    resting = Break.objects.filter(ends_at=None).values("shift_id")
    on_duty = Shift.objects.filter(courier_id__in=locked, ends_at=None).exclude(pk__in=resting)
    return set(on_duty.values_list("courier_id", flat=True))


@action("courier.work")
def report_position(*, actor: Actor, lat: float, lon: float) -> None:
    """Say where the courier is, in WGS-84 degrees. Only the last position is kept, and only on shift.

    Followers of the courier, of the orders in hand and of the city's map are told at once.
    """
    if not (math.isfinite(lat) and math.isfinite(lon) and -90 <= lat <= 90 and -180 <= lon <= 180):
        raise Refused(INVALID, field="lat, lon", problem="-90…90, -180…180")
    if actor.courier_id is None:
        raise Refused(NOT_A_COURIER)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE couriers_courier c SET lat = %s, lon = %s, seen_at = %s FROM couriers_shift s "
            "WHERE c.id = %s AND c.active AND s.courier_id = c.id AND s.ends_at IS NULL RETURNING c.city_id",
            [lat, lon, clock.now(), actor.courier_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise Refused(OFF_SHIFT)
    orders = ports.work().orders(actor.courier_id)
    topics = [f"courier:{actor.courier_id}", f"city:{row[0]}", *(f"order:{order}" for order in orders)]
    outbox.tell(
        topics, {"name": "position", "courier": str(actor.courier_id), "lat": round(lat, 5), "lon": round(lon, 5)}
    )


def _open(courier: Courier) -> Shift:
    shift = Shift.objects.filter(courier=courier, ends_at=None).first()
    if shift is None:
        raise Refused(OFF_SHIFT)
    return shift
