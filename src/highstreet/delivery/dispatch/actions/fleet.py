"""What a hired fleet does with a delivery. It tells states and may skip some; ours walks through all between."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from highstreet.kernel.policy import SYSTEM, THE_SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import WRONG_STATE
from highstreet.trade.fulfilment import actions as fulfilments
from highstreet.trade.fulfilment import reads as fulfilment_reads
from highstreet.trade.fulfilment.states import WITH_COURIER

from .. import rules
from ..models import Delivery
from ..moving import out_of_the_store, step, wait_again
from ..states import BEFORE_PICK_UP, CARRIED, ENDED


@action(SYSTEM)
def bring(
    *, actor: Actor, delivery_id: UUID, to: str, note: str = "", incident: str = "", eta: datetime | None = None
) -> bool:
    """Bring a fleet's delivery to the state `to`, through the states between. Whether anything moved.

    Nothing moves back: for a state that was reached or passed it does nothing. Refuses NOT_READY while the bag that is
    said to be gone has not been packed, and WRONG_STATE where no way leads from here to there.
    """
    row = _fleets(delivery_id)
    events = rules.walk(row.status, to)
    if events is None:
        raise Refused(WRONG_STATE, state=row.status)
    for event in events:
        _fire(actor, row, event, note, incident)
    if eta is not None and row.status not in ENDED and row.status != "failed":
        Delivery.objects.filter(pk=row.pk).update(eta=eta)
    return bool(events)


@action(SYSTEM)
def take_back(*, actor: Actor, delivery_id: UUID, note: str = "") -> str:
    """The fleet does not bring it: it waits again. Returns where it is now: waiting, out (the bag has left the store,
    and nothing is done), or ended."""
    row = _fleets(delivery_id)
    if row.status in ENDED:
        return "ended"
    if row.status in CARRIED or fulfilment_reads.detail(THE_SYSTEM, row.fulfilment_id).status in WITH_COURIER:
        return "out"
    if row.status in BEFORE_PICK_UP:
        wait_again(actor, row, note)
    return "waiting"


@action(SYSTEM)
def take_over(*, actor: Actor, delivery_id: UUID) -> bool:
    """Our own couriers bring what waits for a fleet. Whether it did."""
    waiting = Delivery.objects.filter(pk=delivery_id, carrier="fleet", status="waiting")
    return waiting.update(carrier="own") == 1


@action(SYSTEM)
def write_off(*, actor: Actor, delivery_id: UUID, found: bool) -> bool:
    """End what could not be delivered: the bag was `found` in the store, or nobody knows where it is and its goods go
    back on no shelf. The order is refunded in full. False when it did not fail, or has ended already."""
    row = _fleets(delivery_id)
    if row.status != "failed":
        return False
    step(actor, row, "give_back", note="back in the store" if found else "lost")
    fulfilments.return_(actor=THE_SYSTEM, fulfilment_id=row.fulfilment_id, restock=found)
    return True


def _fire(actor: Actor, row: Delivery, event: str, note: str, incident: str) -> None:
    """One step, and what it means for the fulfilment: as when our own courier taps."""
    box = row.fulfilment_id
    if event == "pick_up":
        out_of_the_store(box)
        step(actor, row, event, note=note)
        fulfilments.depart(actor=THE_SYSTEM, fulfilment_id=box)
    elif event == "deliver":
        step(actor, row, event, note=note, proof_kind="fleet", eta=None)
        fulfilments.deliver(actor=THE_SYSTEM, fulfilment_id=box)
    elif event == "fail":
        step(actor, row, event, note=note, incident=incident, eta=None)
        fulfilments.fail(actor=THE_SYSTEM, fulfilment_id=box, reason=incident)
    elif event == "give_back":
        step(actor, row, event, note=note)
        fulfilments.return_(actor=THE_SYSTEM, fulfilment_id=box)
    else:
        step(actor, row, event, note=note)


def _fleets(delivery_id: UUID) -> Delivery:
    """The delivery, locked; WRONG_STATE when it is our own couriers' by now."""
    row = Delivery.objects.select_for_update(no_key=True).get(pk=delivery_id)
    if row.carrier != "fleet":
        raise Refused(WRONG_STATE, state=row.status)
    return row
