"""Facts of payments. `payable` is the order."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class PaymentCaptured:
    intent_id: UUID
    payable: UUID
    provider: str
    amount: int
    currency: str


@dataclass(frozen=True)
class PaymentClosed:
    """Nobody can pay this any more."""

    intent_id: UUID
    payable: UUID


@dataclass(frozen=True)
class RefundSettled:
    refund_id: UUID
    payable: UUID
    amount: int


@dataclass(frozen=True)
class RefundFailed:
    """The provider will not do it; someone must look (an alert says why)."""

    refund_id: UUID
    payable: UUID
    amount: int
