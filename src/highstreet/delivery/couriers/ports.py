"""What couriers ask of the dispatcher, and of hired fleets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from highstreet.kernel.ports import Port


class Work(Protocol):
    """What a courier has to do. `orders` are those in the bag on the way to their doors."""

    def in_hand(self, courier_id: UUID) -> int: ...

    def orders(self, courier_id: UUID) -> list[UUID]: ...


@dataclass(frozen=True)
class Past:
    """A city's deliveries in a time: how many began in each bin of each local day (the bin's first minute), the
    minutes from there until goods were to be ready (some quantiles), and how long one kept a courier."""

    days: Mapping[date, Mapping[int, int]] = field(default_factory=dict)
    prepare: list[float] = field(default_factory=list)
    busy: float | None = None


class History(Protocol):
    """What the roster learns from."""

    def past(self, city_id: UUID, since: datetime, until: datetime, zone: str, bin_minutes: int) -> Past: ...


work: Port[Work] = Port("couriers.work")
history: Port[History] = Port("couriers.history")

# How many couriers the fleets that are hired in a city count for, by the store that hired them; None: by all stores
# that name no fleet of their own. Optional: without it, none.
hired: Port[Callable[[UUID], Mapping[UUID | None, int]]] = Port("couriers.hired")
