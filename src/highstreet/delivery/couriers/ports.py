"""What couriers ask of the dispatcher, and of hired fleets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from highstreet.kernel.ports import Port


class Work(Protocol):
    """What a courier has to do. `orders` are those in the bag on the way to their doors."""

    def in_hand(self, courier_id: UUID) -> int: ...

    def orders(self, courier_id: UUID) -> list[UUID]: ...


work: Port[Work] = Port("couriers.work")

# How many couriers the fleets that are hired in a city count for. Optional: without it, none.
hired: Port[Callable[[UUID], int]] = Port("couriers.hired")
