"""Open a cart, change it, empty it. Each change is one new version, written under the cart's row lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Q

from highstreet.kernel import clock, ids, rows
from highstreet.kernel.policy import PUBLIC, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.organisations import reads as organisations

from . import rules
from .models import Cart, CartLine
from .refusals import BAD_QUANTITY, CART_CHANGED, CART_FULL, NOT_SOLD

# A guest's change leaves the owner as it is; a customer's takes a cart that was nobody's.
_NEXT_VERSION = """
UPDATE cart_cart SET version = version + 1, changed_at = %(now)s, customer_id = COALESCE(%(customer)s, customer_id)
WHERE key = %(key)s AND (%(customer)s::uuid IS NULL OR customer_id IS NULL OR customer_id = %(customer)s)
AND (%(version)s::int IS NULL OR version = %(version)s) RETURNING id, version
"""
# Written and counted in one statement, which sees the lines as they were before it; under the cart's lock.
_UPSERT = """
WITH written AS (
  INSERT INTO cart_cartline (id, cart_id, variant_id, quantity, added_at)
  SELECT l.id, %(cart)s, l.variant_id, l.quantity, %(now)s
  FROM unnest(%(ids)s::uuid[], %(variants)s::uuid[], %(quantities)s::int[]) AS l (id, variant_id, quantity)
  ON CONFLICT (cart_id, variant_id) DO UPDATE SET quantity = excluded.quantity
)
SELECT count(*) FROM (
  SELECT variant_id FROM cart_cartline WHERE cart_id = %(cart)s UNION SELECT unnest(%(variants)s::uuid[])
) AS lines
"""


@dataclass(frozen=True)
class CartRef:
    """`key` is the secret that proves a guest's cart; `version` grows with every change."""

    id: UUID
    key: str
    version: int


@action(PUBLIC)
def open(*, actor: Actor, city_id: UUID, quantities: Mapping[UUID, int] | None = None) -> CartRef:
    """A new cart in a city with `quantities` in it; the signed-in customer's own where there is one.

    Refuses BAD_QUANTITY, NOT_SOLD and CART_FULL; then there is no cart.
    """
    city, wanted = organisations.city(city_id), dict(quantities or {})
    if any(not rules.is_quantity(quantity) for quantity in wanted.values()):
        raise Refused(BAD_QUANTITY, most=rules.MAX_QUANTITY)
    if wanted.keys() - catalog.variants(wanted).keys():
        raise Refused(NOT_SOLD)
    if sum(1 for quantity in wanted.values() if quantity) > rules.MAX_LINES:
        raise Refused(CART_FULL, lines=rules.MAX_LINES)
    row = Cart(
        id=ids.new_id(),
        key=ids.random_token(rules.KEY_LENGTH),
        customer_id=actor.customer_id,
        city_id=city.id,
        changed_at=clock.now(),
    )
    with rows.together():
        rows.put([row])
        rows.put(_lines(row.pk, wanted))
    return CartRef(row.pk, row.key, row.version)


@action(PUBLIC)
def set_quantity(
    *, actor: Actor, cart_key: str, variant_id: UUID, quantity: int, expected_version: int | None = None
) -> CartRef:
    """Have exactly `quantity` (0 to 99) of a variant; 0 takes it out.

    Refuses BAD_QUANTITY, NOT_SOLD, CART_FULL, and CART_CHANGED when `expected_version` is no longer true.
    """
    if not rules.is_quantity(quantity):
        raise Refused(BAD_QUANTITY, most=rules.MAX_QUANTITY)
    if quantity and variant_id not in catalog.variants([variant_id]):
        raise Refused(NOT_SOLD)
    cart = _changed(actor, cart_key, expected_version)
    _set(cart.id, {variant_id: quantity})
    return cart


@action(PUBLIC)
def add_all(*, actor: Actor, cart_key: str, quantities: Mapping[UUID, int]) -> CartRef:
    """Add units to what is there (a reorder); a line stops at 99, what is no longer sold is left out."""
    if any(not rules.is_quantity(quantity) for quantity in quantities.values()):
        raise Refused(BAD_QUANTITY, most=rules.MAX_QUANTITY)
    sold = catalog.variants(quantities)
    cart = _changed(actor, cart_key, None)
    there = dict(CartLine.objects.filter(cart_id=cart.id).values_list("variant_id", "quantity"))
    _set(
        cart.id,
        {
            variant_id: min(quantity + there.get(variant_id, 0), rules.MAX_QUANTITY)
            for variant_id, quantity in quantities.items()
            if variant_id in sold
        },
    )
    return cart


@action(PUBLIC)
def clear(*, actor: Actor, cart_key: str, expected_version: int | None = None) -> CartRef:
    """Take everything out; CART_CHANGED when `expected_version` is no longer true."""
    cart = _changed(actor, cart_key, expected_version)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM cart_cartline WHERE cart_id = %s", [cart.id])
    return cart


def _changed(actor: Actor, cart_key: str, expected_version: int | None) -> CartRef:
    """Lock the cart by giving it its next version. NOT_FOUND for another customer's."""
    if not rules.is_key(cart_key):
        raise Refused(NOT_FOUND)
    values = {"key": cart_key, "customer": actor.customer_id, "now": clock.now(), "version": expected_version}
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_VERSION, values)
        row = cursor.fetchone()
    if row is None:
        there = Cart.objects.filter(key=cart_key)
        if actor.customer_id is not None:
            there = there.filter(Q(customer=None) | Q(customer_id=actor.customer_id))
        raise Refused(CART_CHANGED if there.exists() else NOT_FOUND)
    return CartRef(row[0], cart_key, row[1])


def _set(cart_id: UUID, quantities: Mapping[UUID, int]) -> None:
    gone = [variant_id for variant_id, quantity in quantities.items() if quantity == 0]
    if gone:
        CartLine.objects.filter(cart_id=cart_id, variant_id__in=gone).delete()
    lines = _lines(cart_id, quantities)
    if not lines:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _UPSERT,
            {
                "cart": cart_id,
                "ids": [line.pk for line in lines],
                "variants": [line.variant_id for line in lines],
                "quantities": [line.quantity for line in lines],
                "now": clock.now(),
            },
        )
        count = cursor.fetchone()[0]
    if count > rules.MAX_LINES:
        raise Refused(CART_FULL, lines=rules.MAX_LINES)


def _lines(cart_id: UUID, quantities: Mapping[UUID, int]) -> list[CartLine]:
    now = clock.now()
    return [
        CartLine(id=ids.new_id(), cart_id=cart_id, variant_id=variant_id, quantity=quantity, added_at=now)
        for variant_id, quantity in quantities.items()
        if quantity
    ]
