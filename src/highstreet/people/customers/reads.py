"""The customer of an actor and their addresses."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from highstreet.kernel.policy import Actor
from highstreet.people.accounts.ports import Badge

from .models import Address, Customer


@dataclass(frozen=True)
class CustomerView:
    id: UUID
    phone: str
    name: str
    language: str


@dataclass(frozen=True)
class AddressView:
    id: UUID
    text: str
    unit: str
    lat: float
    lon: float


def me(actor: Actor) -> CustomerView | None:
    """The signed-in customer, if they have bought before."""
    if actor.customer_id is None:
        return None
    row = Customer.objects.get(pk=actor.customer_id)
    return CustomerView(row.pk, row.phone, row.name, row.language)


def addresses(actor: Actor, limit: int = 10) -> list[AddressView]:
    """The actor's own addresses, last used first."""
    if actor.customer_id is None:
        return []
    rows = Address.objects.filter(customer_id=actor.customer_id).order_by("-used_at")[:limit]
    return [AddressView(row.pk, row.text, row.unit, row.lat, row.lon) for row in rows]


# What being a customer adds to an actor.
BADGE = Badge("(SELECT c.id FROM customers_customer c WHERE c.user_id = u.id)", lambda found: {"customer_id": found})
