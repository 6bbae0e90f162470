"""What couriers ask of the dispatcher."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from highstreet.kernel.ports import Port


class Work(Protocol):
    """What a courier has to do. `orders` are those in the bag on the way to their doors."""

    def in_hand(self, courier_id: UUID) -> int: ...

    def orders(self, courier_id: UUID) -> list[UUID]: ...


work: Port[Work] = Port("couriers.work")
