"""What fulfilment asks of others: who takes cash, at the counter and at the door (filled by `trade.payments`), and who
comes for a bag and takes it along (filled by `delivery.dispatch`)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from highstreet.kernel.policy import Actor
from highstreet.kernel.ports import Port


class Counter(Protocol):
    def take(self, *, actor: Actor, payable: UUID, amount: int) -> None:
        """`amount` fen were paid in cash at the counter for the order `payable`, in this transaction.

        Refuses when the order has no open payment of at least this amount.
        """

    def take_at_door(self, *, actor: Actor, payable: UUID, amount: int, courier_id: UUID) -> None:
        """The same at the door: the courier has it now. Locks the order before anything else."""


counter: Port[Counter] = Port("fulfilment.counter")


@dataclass(frozen=True)
class Rider:
    """Who comes for a bag, as the store may know: a first name, and a phone's last digits where a hired fleet told
    them ("" where not); `here`: at the store already; `arrives`: when, while it is their next stop, else None."""

    name: str
    phone_tail: str
    here: bool
    arrives: datetime | None = None


class Riders(Protocol):
    def coming(self, *, fulfilment_ids: Collection[UUID]) -> dict[UUID, Rider]:
        """Who has agreed to fetch each of these; nobody yet for what is not in the answer."""

    def take_along(self, *, fulfilment_id: UUID) -> bool:
        """The store gives the bag to whoever was to fetch it, in this transaction: theirs from now on. False where
        nobody was. To be asked before the fulfilment is locked."""


riders: Port[Riders] = Port("fulfilment.riders")
