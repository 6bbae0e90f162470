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


@dataclass(frozen=True)
class BreakStarted:
    courier_id: UUID
    city_id: UUID
    at: str


@dataclass(frozen=True)
class BreakEnded:
    courier_id: UUID
    city_id: UUID
    at: str


@dataclass(frozen=True)
class RosterPublished:
    """A local day's roster is the couriers' to see."""

    city_id: UUID
    day: str
    shifts: int


@dataclass(frozen=True)
class RosterShiftMoved:
    """`status` is the new one; `courier_id` who has the shift now, `before_id` who had it."""

    shift_id: UUID
    city_id: UUID
    courier_id: UUID | None
    before_id: UUID | None
    status: str
    at: str


@dataclass(frozen=True)
class ShiftPaid:
    """What a shift was paid on top of its orders."""

    shift_id: UUID
    courier_id: UUID
    amount: int
    currency: str
