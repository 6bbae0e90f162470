"""What stores cause: a delivery begins, is ready, is handed over, is called off."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from highstreet.delivery.routing import reads as routing
from highstreet.kernel import clock, ids, outbox
from highstreet.kernel.policy import SYSTEM, Actor, action
from highstreet.supply.stores import reads as stores

from .. import ports
from ..events import DeliveryCalledOff, DeliveryReady
from ..hired import brings
from ..meeting import begin_now, plan_start
from ..models import Delivery
from ..moving import step, topics
from ..states import BEFORE_PICK_UP


@action(SYSTEM)
def create(
    *,
    actor: Actor,
    fulfilment_id: UUID,
    order_id: UUID,
    order_number: str,
    store_id: UUID,
    lat: float,
    lon: float,
    promised_to: datetime,
    ready_by: datetime,
    not_before: datetime | None = None,
    start_at: datetime | None = None,
    cash: bool = False,
) -> UUID:
    """Begin the delivery of an accepted fulfilment, or find the one begun. Returns its id.

    `not_before`: not at the door earlier, as the shopper chose; `start_at`: the store begins then. A store that has
    hired a fleet gives it there, in this transaction; the dispatcher does not see it then, and the store begins at
    once, as nobody here tells such a courier when to come. What is paid for in `cash` at the door is always our own
    couriers'.
    """
    found = Delivery.objects.filter(fulfilment_id=fulfilment_id).values_list("pk", flat=True).first()
    if found is not None:
        return found
    store = stores.store(store_id)
    way = routing.path(store.city_id, (store.lat, store.lon), (lat, lon))
    hired = not cash and brings(store.city_id, store_id)
    row = Delivery(
        id=ids.new_id(),
        fulfilment_id=fulfilment_id,
        order_id=order_id,
        order_number=order_number,
        city_id=store.city_id,
        store_id=store_id,
        carrier="fleet" if hired else "own",
        lat=lat,
        lon=lon,
        promised_to=promised_to,
        ready_by=ready_by,
        not_before=not_before,
        start_at=start_at,
        cash=cash,
        distance_m=round(way.distance_m),
        created_at=clock.now(),
    )
    Delivery.objects.bulk_create([row], ignore_conflicts=True)
    kept = Delivery.objects.values_list("pk", flat=True).get(fulfilment_id=fulfilment_id)
    if hired and kept == row.pk:
        begin_now([row])
        ports.fleets().give(delivery_id=kept)
    return kept


@action(SYSTEM)
def mark_ready(*, actor: Actor, fulfilment_id: UUID, at: datetime) -> None:
    """The store has packed it: whoever stands at the counter for it is told."""
    if Delivery.objects.filter(fulfilment_id=fulfilment_id, ready_at=None).update(ready_at=at):
        row = Delivery.objects.defer("proof").get(fulfilment_id=fulfilment_id)
        outbox.emit(
            DeliveryReady(row.pk, row.order_id, row.store_id, row.courier_id, at.isoformat()), topics=topics(row)
        )


@action(SYSTEM)
def store_begins(*, actor: Actor, fulfilment_id: UUID, at: datetime) -> None:
    """The store begins sooner than was planned, at `at`: its goods are ready as much sooner."""
    plan_start(Delivery.objects.filter(fulfilment_id=fulfilment_id), at)


@action(SYSTEM)
def hand_over(*, actor: Actor, fulfilment_id: UUID) -> bool:
    """The store gave it to its courier: picked up, unless the courier said so first. False: nobody was to fetch it.

    What a hired fleet brings is its own to say who fetches.
    """
    row = Delivery.objects.select_for_update(no_key=True).filter(fulfilment_id=fulfilment_id).defer("proof").first()
    if row is not None and row.status in BEFORE_PICK_UP:
        step(actor, row, "pick_up", note="handed over by the store")
    return row is None or row.status != "waiting" or row.carrier == "fleet"


@action(SYSTEM)
def cancel(*, actor: Actor, fulfilment_id: UUID, reason: str = "") -> None:
    """Call it off before the pick-up; later (or twice) it changes nothing."""
    row = Delivery.objects.select_for_update(no_key=True).filter(fulfilment_id=fulfilment_id).first()
    if row is not None and row.status in ("waiting", *BEFORE_PICK_UP):
        step(actor, row, "cancel", note=reason)
        if row.carrier == "fleet":
            outbox.emit(DeliveryCalledOff(row.pk, row.order_id, row.store_id))
