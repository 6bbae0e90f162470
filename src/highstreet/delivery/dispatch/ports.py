"""What the dispatcher asks of hired fleets (filled by `delivery.fleets`). Without them all couriers are our own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from highstreet.kernel.ports import Port


@dataclass(frozen=True)
class FleetCourier:
    """Who brings it, as far as a shopper may know: a first name, the last digits of a phone; "" where not told."""

    name: str
    phone_tail: str


class Fleets(Protocol):
    def serving(self, *, city_id: UUID, store_ids: Collection[UUID]) -> set[UUID]:
        """The stores of the city whose deliveries a fleet brings from now on."""

    def give(self, *, delivery_id: UUID) -> None:
        """A delivery of such a store has begun, in this transaction: it is the fleet's."""

    def couriers(self, delivery_ids: Collection[UUID]) -> dict[UUID, FleetCourier]:
        """Who brings each of these, where the fleet has told it."""


fleets: Port[Fleets] = Port("dispatch.fleets")
