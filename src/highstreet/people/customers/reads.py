"""The customer of an actor, their addresses, and what they agreed to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from highstreet.kernel.policy import Actor, require
from highstreet.kernel.privacy import Person
from highstreet.kernel.refusal import Refused
from highstreet.people.accounts.ports import Badge

from . import rules
from .models import Address, Consent, Customer
from .ports import order_keys
from .refusals import BOUGHT_ELSEWHERE, NOT_PROVED


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


def consented(actor: Actor, purpose: str) -> bool:
    """Whether the actor agrees to `purpose` (a code of `rules.PURPOSES`). Nothing is read: the actor knows."""
    return rules.holds(actor.consents, purpose)


@dataclass(frozen=True)
class ConsentView:
    """What holds now, and when it was said; None where nothing was."""

    purpose: str
    given: bool
    wording: int
    at: datetime | None


def consents(actor: Actor, visitor: UUID | None = None) -> list[ConsentView]:
    """Every purpose as the actor (or a guest's browser `visitor`) left it."""
    subject = actor.user_id or visitor
    said = {}
    if subject is not None:
        rows = Consent.objects.filter(subject=subject).order_by("purpose", "-at", "-id").distinct("purpose")
        said = {row.purpose: row for row in rows}
    return [
        ConsentView(
            one.code,
            said[one.code].given if one.code in said else one.unless_refused,
            said[one.code].wording if one.code in said else one.wording,
            said[one.code].at if one.code in said else None,
        )
        for one in rules.PURPOSES.values()
    ]


def person_of(actor: Actor, keys: Iterable[str] = (), visitor: UUID | None = None) -> Person:
    """Whom the actor is: their account, and the guests whose orders' keys (and browser) they hold."""
    own = [actor.customer_id] if actor.customer_id else []
    users = (actor.user_id,) if actor.user_id else ()
    return Person(
        (*own, *(one for one in order_keys().guests(keys) if one not in own)), users, (visitor,) if visitor else ()
    )


def proved(actor: Actor, key: str, phone: str) -> Person:
    """Who proved an order to staff by its key and phone number, with their account; NOT_PROVED otherwise.

    BOUGHT_ELSEWHERE where an account has orders that the staff may not see: what one retailer's support gives out or
    erases would be another's as well.
    """
    require(actor, "privacy.serve")
    found = order_keys().proved(actor, key, phone)
    if found is None:
        raise Refused(NOT_PROVED)
    if not order_keys().all_seen(actor, found):
        raise Refused(BOUGHT_ELSEWHERE)
    users = Customer.objects.filter(pk=found, user__isnull=False).values_list("user_id", flat=True)
    return Person((found,), tuple(one for one in users if one is not None))


# What a user said last about each purpose, as +purpose or -purpose.
CONSENTS = Badge(
    "(SELECT string_agg((CASE WHEN s.given THEN '+' ELSE '-' END) || s.purpose, ',') FROM (SELECT DISTINCT ON "
    "(k.purpose) k.purpose, k.given FROM customers_consent k WHERE k.subject = u.id "
    "ORDER BY k.purpose, k.at DESC, k.id DESC) s)",
    lambda found: {"consents": frozenset(found.split(","))},
)
# What being a customer adds to an actor.
BADGE = Badge("(SELECT c.id FROM customers_customer c WHERE c.user_id = u.id)", lambda found: {"customer_id": found})
