"""One step of one delivery: its state, its history, and who is told."""

from __future__ import annotations

from typing import Any

from highstreet.kernel import clock, outbox
from highstreet.kernel.policy import Actor
from highstreet.kernel.states import move

from .events import DeliveryMoved
from .models import Delivery
from .states import MACHINE


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
