"""Facts of a delivery. Times are ISO 8601 in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class DeliveryAssigned:
    delivery_id: UUID
    order_id: UUID
    store_id: UUID
    courier_id: UUID
    eta: str


@dataclass(frozen=True)
class DeliveryMoved:
    """`status` is the new one; `courier_id` who has it, or had it when it went back to waiting."""

    delivery_id: UUID
    order_id: UUID
    store_id: UUID
    courier_id: UUID | None
    status: str
    at: str


@dataclass(frozen=True)
class DeliveryReady:
    """The store has packed it; `courier_id` is who waits for it, if it has been given to anybody yet."""

    delivery_id: UUID
    order_id: UUID
    store_id: UUID
    courier_id: UUID | None
    at: str


@dataclass(frozen=True)
class CourierPaid:
    delivery_id: UUID
    courier_id: UUID
    amount: int
    currency: str


@dataclass(frozen=True)
class DeliveryCalledOff:
    """What a fleet has, or is to get, was cancelled: somebody has to tell it."""

    delivery_id: UUID
    order_id: UUID
    store_id: UUID
