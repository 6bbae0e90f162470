"""Facts about couriers."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class ShiftStarted:
    courier_id: UUID
    city_id: UUID
    at: str


@dataclass(frozen=True)
class ShiftEnded:
    courier_id: UUID
    city_id: UUID
    at: str
