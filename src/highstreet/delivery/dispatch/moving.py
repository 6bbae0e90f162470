"""One step of one delivery: its state, its history, and who is told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from highstreet.kernel import clock, outbox
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.kernel.states import move
from highstreet.trade.fulfilment import actions as fulfilments

from . import rules
from .events import DeliveryMoved
from .models import Delivery
from .refusals import NOT_READY
from .states import MACHINE

IN_STORE = ("pending", "accepted", "picking", "packed")

# What a delivery is that nobody has any more; whoever was chosen by hand is not chosen now.
NOBODYS: dict[str, Any] = {
    "courier_id": None,
    "pinned": False,
    "seat": 0,
    "sequence": 0,
    "pick": None,
    "eta": None,
    "assigned_at": None,
    "accepted_at": None,
    "arrived_at": None,
}


def wait_again(actor: Actor, row: Delivery, note: str) -> str:
    """Back to waiting, before the pick-up: not accepted yet it lapses, else it is let go."""
    return step(actor, row, "lapse" if row.status == "assigned" else "let_go", note=note, **NOBODYS)


def lose(actor: Actor, row: Delivery) -> None:
    """Nobody can say where the goods are: failed, and ended without them."""
    if row.status != "failed":
        step(actor, row, "fail", note=rules.LOST, incident=rules.LOST, eta=None)
        fulfilments.fail(actor=THE_SYSTEM, fulfilment_id=row.fulfilment_id, reason=rules.LOST)
    step(actor, row, "give_back", note=rules.LOST)
    fulfilments.return_(actor=THE_SYSTEM, fulfilment_id=row.fulfilment_id, restock=False)


def out_of_the_store(fulfilment_id: UUID, code: str = "") -> None:
    """The bag is handed over. NOT_READY while it is not packed."""
    try:
        fulfilments.hand_over(actor=THE_SYSTEM, fulfilment_id=fulfilment_id, code=code)
    except Refused as refused:
        if refused.facts.get("state") in IN_STORE:
            raise Refused(NOT_READY) from None
        raise


def step(actor: Actor, row: Delivery, event: str, *, note: str = "", **columns: Any) -> str:
    """Fire `event`, or refuse with WRONG_STATE; tell the order, the store, the courier and the city."""
    courier_id = row.courier_id
    status = move(MACHINE, row, event, actor=actor.name, note=note, **columns)
    outbox.emit(
        DeliveryMoved(
            row.pk, row.order_id, row.store_id, row.courier_id or courier_id, status, clock.now().isoformat()
        ),
        topics=topics(row, courier_id),
    )
    return status


def topics(row: Delivery, *couriers: Any) -> list[str]:
    """The streams that follow this delivery."""
    told = {courier for courier in (row.courier_id, *couriers) if courier is not None}
    return [
        f"order:{row.order_id}",
        f"store:{row.store_id}",
        f"city:{row.city_id}",
        *(f"courier:{courier}" for courier in told),
    ]
