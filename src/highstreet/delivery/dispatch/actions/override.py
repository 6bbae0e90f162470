"""By hand: staff give a delivery to a courier, or take it back, and say why. The dispatcher then leaves it alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable

from highstreet.delivery.couriers import actions as couriers
from highstreet.delivery.couriers.reads import CourierView
from highstreet.kernel import clock, ids, outbox
from highstreet.kernel.policy import THE_SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, NOT_FOUND, WRONG_STATE
from highstreet.kernel.transactions import Again

from .. import rules
from ..events import DeliveryAssigned
from ..meeting import begin_now
from ..models import MOST_SEATS, Delivery, DispatchDecision, Override
from ..moving import NOBODYS, step, topics
from ..reads import candidates as hands
from ..reads.candidates import Candidate
from ..refusals import BAG_FULL, COURIER_AWAY, MOVED_ON
from ..states import BEFORE_PICK_UP, LIVE

# Shorter than PostgreSQL waits before it looks for a deadlock: an epoch may hold what we want and want what we hold.
LOCK_MS = 300


@dataclass(frozen=True)
class Overridden:
    """What a delivery is after a decision by hand."""

    status: str
    courier_id: UUID | None
    pinned: bool


@action("dispatch.override")
def override(
    *, actor: Actor, delivery_id: UUID, courier_id: UUID | None, why: str, pin: bool = True, seen: str = ""
) -> Overridden:
    """Give the delivery to this courier, or to nobody (None: it waits). Only before the pick-up: else WRONG_STATE.

    `why` is one of `rules.OVERRIDES`. With `pin` the dispatcher neither takes it back nor gives it away; without, a
    waiting one is its again, though not for who had it. `seen` is what the caller decided upon
    (`hands.version`): refused with MOVED_ON when it has changed since. What a hired fleet brings is not ours to give:
    WRONG_STATE. BAG_FULL, COURIER_AWAY, NOT_FOUND.
    """
    if why not in rules.OVERRIDES:
        raise Refused(INVALID, field="why", problem=", ".join(rules.OVERRIDES))
    hands.delivery_of(actor, delivery_id)
    offer = _offer(actor, delivery_id, courier_id)
    # Couriers first, as an epoch does.
    if offer is not None and offer.courier.id not in couriers.lock_on_shift(
        actor=THE_SYSTEM, courier_ids=[offer.courier.id]
    ):
        raise Refused(COURIER_AWAY)
    row = _locked(delivery_id)
    if row.carrier != "own":
        raise Refused(WRONG_STATE, state=row.status)
    if seen and seen != hands.version(row.status, row.courier_id):
        raise Refused(MOVED_ON)
    was = row.courier_id
    if offer is None:
        _take_back(actor, row, why, pin)
    else:
        _give(actor, row, offer, why, pin)
    Override.objects.create(
        id=ids.new_id(),
        delivery=row,
        was_courier_id=was,
        courier_id=row.courier_id,
        why=why,
        pinned=pin,
        actor=actor.name,
        at=clock.now(),
    )
    return Overridden(row.status, row.courier_id, row.pinned)


def _offer(actor: Actor, delivery_id: UUID, courier_id: UUID | None) -> Candidate | None:
    """The chosen courier with when they could be at the door; None when nobody is chosen."""
    if courier_id is None:
        return None
    found = hands.candidates(actor, delivery_id, only=courier_id)
    if not found:
        raise Refused(NOT_FOUND if hands.elsewhere(delivery_id, courier_id) else COURIER_AWAY)
    return found[0]


def _locked(delivery_id: UUID) -> Delivery:
    """The delivery, locked. An epoch that waits for our courier may hold it: then anew, so that it ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        usual = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(LOCK_MS)])
    try:
        row = Delivery.objects.select_for_update(no_key=True).defer("proof").get(pk=delivery_id)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [usual])
        return row
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise Again from error
        raise


def _take_back(actor: Actor, row: Delivery, why: str, pin: bool) -> None:
    if row.status == "waiting":
        Delivery.objects.filter(pk=row.pk, status="waiting").update(pinned=pin)
        row.pinned = pin
    else:
        step(actor, row, "take_back", note=why, **{**NOBODYS, "pinned": pin})


def _give(actor: Actor, row: Delivery, offer: Candidate, why: str, pin: bool) -> None:
    chosen = offer.courier
    if row.courier_id == chosen.id and row.status in BEFORE_PICK_UP:
        Delivery.objects.filter(pk=row.pk).update(pinned=pin)
        row.pinned = pin
        return
    seat, sequence = _place(chosen)
    eta = clock.now() + timedelta(seconds=offer.door_seconds)
    event = "assign" if row.status == "waiting" else "reassign"
    given = {"courier_id": chosen.id, "seat": seat, "sequence": sequence, "eta": eta, "pinned": pin}
    columns = {**NOBODYS, **given}
    # The state's own stamp.
    del columns["assigned_at"]
    step(actor, row, event, note=why, **columns)
    outbox.emit(DeliveryAssigned(row.pk, row.order_id, row.store_id, chosen.id, eta.isoformat()), topics=topics(row))
    begin_now([row])
    DispatchDecision.objects.create(
        id=ids.new_id(),
        delivery=row,
        courier_id=chosen.id,
        policy=rules.BY_HAND,
        cost_seconds=round(offer.door_seconds),
        basis={**offer.basis, "eta": eta.isoformat()},
        at=clock.now(),
    )


def _place(courier: CourierView) -> tuple[int, int]:
    """A free seat in the bag and the end of the round; the courier is locked."""
    taken = list(Delivery.objects.filter(courier_id=courier.id, status__in=LIVE).values_list("seat", "sequence"))
    seats = {seat for seat, _ in taken}
    free = [seat for seat in range(min(courier.capacity, MOST_SEATS)) if seat not in seats]
    if not free:
        raise Refused(BAG_FULL, count=len(taken))
    return free[0], max((sequence for _, sequence in taken), default=0) + 1
