"""What fulfilment asks of others: the counter's till (filled by `trade.payments`)."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from highstreet.kernel.policy import Actor
from highstreet.kernel.ports import Port


class Counter(Protocol):
    def take(self, *, actor: Actor, payable: UUID, amount: int) -> None:
        """`amount` fen were paid in cash at the counter for the order `payable`, in this transaction.

        Refuses when the order has no open payment of at least this amount.
        """


counter: Port[Counter] = Port("fulfilment.counter")
