"""Facts of an order."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class OrderPlaced:
    order_id: UUID
    store_id: UUID
    customer_id: UUID
    mode: str
    total: int


@dataclass(frozen=True)
class OrderPaid:
    """`amount` fen were captured for the order."""

    order_id: UUID
    amount: int


@dataclass(frozen=True)
class OrderConfirmed:
    """Holds are confirmed and the store has it."""

    order_id: UUID
    store_id: UUID
    mode: str


@dataclass(frozen=True)
class OrderCancelled:
    order_id: UUID
    store_id: UUID
    reason: str


@dataclass(frozen=True)
class OrderExpired:
    order_id: UUID
    store_id: UUID


@dataclass(frozen=True)
class OrderCompleted:
    order_id: UUID
    store_id: UUID


@dataclass(frozen=True)
class OrderStoreLost:
    """The store would not do it; what it held is given back and another store is wanted."""

    order_id: UUID
    store_id: UUID
    reason: str


@dataclass(frozen=True)
class OrderRerouted:
    order_id: UUID
    from_store_id: UUID
    store_id: UUID


@dataclass(frozen=True)
class OrderRefunded:
    """`amount` fen are on their way back, for `reason`."""

    order_id: UUID
    amount: int
    reason: str


@dataclass(frozen=True)
class OrderCompensated:
    """`money` fen and `points` points made good `reason` ("late", …)."""

    order_id: UUID
    money: int
    points: int
    reason: str
