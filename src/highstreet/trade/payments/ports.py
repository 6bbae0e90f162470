"""What payments tell whoever is paid for (filled by `trade.orders`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from highstreet.kernel.ports import Port


class Payable(Protocol):
    """Called with keywords, inside the transaction that books the money."""

    def captured(self, *, intent_id: UUID, payable: UUID, amount: int, currency: str) -> None:
        """`amount` was captured, possibly late or for the second time: fulfil or refund, exactly one."""

    def refund_done(self, *, payable: UUID, amount: int) -> None:
        """`amount` is back with who paid."""


payables: Port[Payable] = Port("payments.payables")

# Optional. Locks the payable's row before the ledger is written, so that everyone locks in one order:
# payable, accounts, stock. Without it a capture and a cancellation of one order may meet head on; one of
# them is then retried by its job.
payable_lock: Port[Callable[[UUID], None]] = Port("payments.payable_lock")
