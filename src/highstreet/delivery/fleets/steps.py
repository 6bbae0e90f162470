"""What several actions do, in the caller's transaction: alerts, and what comes after a fleet that does not bring it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.dispatch import actions as dispatch
from highstreet.kernel import clock, ids, ledger, outbox, queue
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.policy import Actor
from highstreet.kernel.refusal import Refused
from highstreet.kernel.states import move
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores

from . import providers, rules
from .events import NobodyBrings
from .models import Fleet, FleetAlert, FleetOrder
from .providers import FleetProvider
from .sealing import unseal
from .states import MACHINE

log = structlog.get_logger(__name__)
PREFIX = "flo"
PAYABLE = "fleet_payable"
# A claim outlives the longest call; in seconds of the wall, as the calls are (a quote, an order, a query before).
CLAIM_SECONDS = 60


def provider_of(fleet: Fleet) -> FleetProvider:
    """Raises InvalidToken when the platform's key has changed."""
    return providers.provider(fleet.provider, unseal(fleet.secrets), fleet.base_url)


def raise_alert(row: FleetOrder, kind: str, **facts: Any) -> None:
    """Somebody must look at an order at a fleet. Does nothing while the same alert is open."""
    alert(row.fleet_id, kind, row.number, row.order_id, row.delivery_id, order=row.order_number, **facts)


def alert(
    fleet_id: UUID, kind: str, subject: str, order_id: UUID | None, delivery_id: UUID | None = None, **facts: Any
) -> None:
    made = FleetAlert(
        id=ids.new_id(),
        fleet_id=fleet_id,
        kind=kind,
        subject=subject[:80],
        order_id=order_id,
        delivery_id=delivery_id,
        facts=facts,
        at=clock.now(),
    )
    FleetAlert.objects.bulk_create([made], ignore_conflicts=True)
    # The sweep comes every 5 seconds, and raises it every time.
    if FleetAlert.objects.filter(pk=made.pk).exists():
        log.warning("fleets.alert", kind=kind, subject=subject)


def ask(
    fleet_id: UUID,
    *,
    delivery_id: UUID,
    order_id: UUID,
    order_number: str,
    store_id: UUID,
    shop_no: str,
    promised_to: datetime,
    attempt: int,
    not_before: datetime | None = None,
) -> None:
    """Write down that a fleet shall bring it; a job asks when its time has come, for the window that begins then."""
    now, made = clock.now(), ids.new_id()
    due = now + rules.wait(rules.ATTEMPT_WAITS, attempt)
    if not_before is not None:
        due = max(due, not_before - rules.BEFORE_WINDOW)
    FleetOrder.objects.create(
        id=made,
        fleet_id=fleet_id,
        delivery_id=delivery_id,
        order_id=order_id,
        order_number=order_number,
        store_id=store_id,
        attempt=attempt,
        number=ids.public(PREFIX, made),
        shop_no=shop_no,
        since=due,
        promised_to=promised_to,
        next_at=due,
        heard_at=due,
        created_at=now,
    )
    if due <= now:
        queue.defer("fleets.call", order_id=str(made))


def call_soon(row: FleetOrder) -> None:
    """It is our turn to say something to the fleet, now."""
    FleetOrder.objects.filter(pk=row.pk).update(next_at=clock.now(), tries=0, claimed_until=None)
    queue.defer("fleets.call", order_id=str(row.pk))


def follow(actor: Actor, row: FleetOrder, *, eta: datetime | None = None) -> str:
    """Bring our delivery to where the fleet's is. Returns what came of it: moved, same, behind (the store has not
    packed what the courier is said to have; tried again until it has) or ended (it ended otherwise)."""
    reason = rules.meaning(row.fleet.provider, row.code)
    incident = (reason.reason if reason else "") or "fleet"
    note = f"fleet: {row.code}"
    try:
        with transaction.atomic():
            moved = dispatch.bring(
                actor=actor, delivery_id=row.delivery_id, to=row.told, note=note, incident=incident, eta=eta
            )
    except Refused as refused:
        if refused.reason.code == "not_ready":
            FleetOrder.objects.filter(pk=row.pk).update(behind=True)
            return "behind"
        if refused.reason.code == "wrong_state":
            FleetOrder.objects.filter(pk=row.pk).update(behind=False)
            return "ended"
        raise
    if row.behind:
        FleetOrder.objects.filter(pk=row.pk).update(behind=False)
    return "moved" if moved else "same"


def charge(actor: Actor, row: FleetOrder, amount: int) -> None:
    """Owe the fleet `amount` fen for one order, once: for having brought it (or brought it back), or for having been
    called off too late to cost nothing."""
    if not amount or FleetOrder.objects.filter(pk=row.pk, charged=0).update(charged=amount) != 1:
        return
    city = organisations.city(stores.city_of(row.store_id))
    ledger.post(
        key=f"fleet:{row.pk}:fee",
        kind="fleet_fee",
        cause=row.delivery_id,
        actor=actor,
        lines=[
            (AccountRef(city.retailer_id, "fleet_fees", city.currency), amount),
            (AccountRef(row.fleet_id, PAYABLE, city.currency), -amount),
        ],
    )


def lost(actor: Actor, row: FleetOrder, reason: str) -> None:
    """The fleet will not bring it. What has left the store has to come back; the rest finds another way."""
    where = "out"
    if row.told not in rules.CARRIED:
        where = dispatch.take_back(actor=actor, delivery_id=row.delivery_id, note=reason)
    if where == "out":
        drop(actor, row, reason)
        return
    move(MACHINE, row, "lose", actor=actor.name, note=reason, reason=reason[:60], next_at=None)
    if where == "waiting":
        go_on(actor, row)


def drop(actor: Actor, row: FleetOrder, reason: str) -> None:
    """The bag is out, and the fleet no longer brings it: the delivery failed. Somebody looks for the bag; what nobody
    finds in time is written off, and the order refunded."""
    due = clock.now() if row.told == "failed" else clock.now() + rules.BACK_WITHIN
    move(MACHINE, row, "drop", actor=actor.name, note=reason, reason=reason[:60], told="failed", next_at=due)
    if follow(actor, row) != "behind":
        raise_alert(row, "bag_out", reason=reason)
        return
    # It cannot be out: the store has not packed it. So it goes another way.
    move(MACHINE, row, "finish", actor=actor.name, note="never packed", next_at=None, behind=False)
    if dispatch.take_back(actor=actor, delivery_id=row.delivery_id, note=reason) == "waiting":
        go_on(actor, row)


def stopped(actor: Actor, row: FleetOrder, why: str) -> None:
    """What we called off is no longer the fleet's; unless its order has ended, the delivery goes on another way."""
    wanted, where = row.reason, "ended"
    if wanted != "cancelled":
        where = dispatch.take_back(actor=actor, delivery_id=row.delivery_id, note=wanted)
    if where == "out":
        move(MACHINE, row, "keep", actor=actor.name, note="the bag has left the store")
        drop(actor, row, wanted)
        return
    move(MACHINE, row, "end", actor=actor.name, note=why, next_at=None)
    if where == "waiting":
        go_on(actor, row)


def go_on(actor: Actor, row: FleetOrder) -> None:
    """The next way to the door: the fleet once more, our own couriers, or the order ends with its money given back."""
    if row.attempt < rules.ATTEMPTS and row.fleet.active:
        ask(
            row.fleet_id,
            delivery_id=row.delivery_id,
            order_id=row.order_id,
            order_number=row.order_number,
            store_id=row.store_id,
            shop_no=row.shop_no,
            promised_to=row.promised_to,
            attempt=row.attempt + 1,
        )
    elif couriers.count_on_shift(stores.city_of(row.store_id)):
        if dispatch.take_over(actor=actor, delivery_id=row.delivery_id):
            raise_alert(row, "own_couriers", reason=row.reason)
    else:
        raise_alert(row, "nobody_brings", reason=row.reason)
        outbox.emit(NobodyBrings(row.delivery_id, row.order_id, row.store_id))


def locked(order_id: UUID) -> FleetOrder:
    """An order at a fleet with its fleet, locked: before its delivery, as everybody locks them."""
    rows = FleetOrder.objects.select_for_update(of=("self",), no_key=True).select_related("fleet")
    return rows.get(pk=order_id)
