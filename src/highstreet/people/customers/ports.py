"""What customers ask of trade: whose order a key is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from highstreet.kernel.policy import Actor
from highstreet.kernel.ports import Port


class OrderKeys(Protocol):
    """Proofs by the keys of orders."""

    def guests(self, keys: Iterable[str]) -> list[UUID]:
        """The customers without an account whose orders have these keys."""

    def proved(self, actor: Actor, key: str, phone: str) -> UUID | None:
        """The customer of the order with this key and phone number, if the staff `actor` may see that order."""

    def all_seen(self, actor: Actor, customer: UUID) -> bool:
        """Whether the staff `actor` may see every order of a customer."""


order_keys: Port[OrderKeys] = Port("customers.order_keys")
