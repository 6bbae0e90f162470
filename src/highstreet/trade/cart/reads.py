"""A cart, as the shopper sees it (priced by a store) and as an order needs it (what and how many)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.organisations.reads import in_language

from . import rules
from .models import CartLine


@dataclass(frozen=True)
class Contents:
    """`lines` are (variant, quantity) in the order they were added."""

    id: UUID
    version: int
    city_id: UUID
    customer_id: UUID | None
    lines: tuple[tuple[UUID, int], ...]


@dataclass(frozen=True)
class CartLineView:
    """`price` is None where the store does not sell it; `free` units may be promised now."""

    variant_id: UUID
    product_id: UUID
    name_zh: str
    name_en: str
    unit_zh: str
    unit_en: str
    picture: str
    quantity: int
    price: int | None
    line_total: int
    free: int

    @property
    def name(self) -> str:
        return in_language(self.name_zh, self.name_en)

    @property
    def unit(self) -> str:
        return in_language(self.unit_zh, self.unit_en)

    @property
    def short(self) -> bool:
        """Fewer are free here than wanted."""
        return self.price is None or self.free < self.quantity


@dataclass(frozen=True)
class CartView:
    id: UUID
    key: str
    version: int
    city_id: UUID
    lines: list[CartLineView]
    goods_total: int
    count: int


_CONTENTS = """
SELECT c.id, c.version, c.city_id, c.customer_id, l.variant_id, l.quantity
FROM cart_cart c LEFT JOIN cart_cartline l ON l.cart_id = c.id WHERE c.key = %s ORDER BY l.added_at, l.id
"""


def contents(cart_key: str) -> Contents:
    """What is in the cart of this key; NOT_FOUND if there is none."""
    if not rules.is_key(cart_key):
        raise Refused(NOT_FOUND)
    with connection.cursor() as cursor:
        cursor.execute(_CONTENTS, [cart_key])
        rows = cursor.fetchall()
    if not rows:
        raise Refused(NOT_FOUND)
    cart_id, version, city_id, customer_id = rows[0][:4]
    lines = tuple((variant, quantity) for *_, variant, quantity in rows if variant is not None)
    return Contents(cart_id, version, city_id, customer_id, lines)


def quantities(cart_key: str) -> dict[UUID, int]:
    """variant -> quantity, for shelves that show what is already in the basket; {} for no cart."""
    if not rules.is_key(cart_key):
        return {}
    return dict(CartLine.objects.filter(cart__key=cart_key).values_list("variant_id", "quantity"))


def count(cart_key: str) -> int:
    """Units in the cart; 0 for no cart."""
    return sum(quantities(cart_key).values())


def cart(cart_key: str, store_id: UUID | None = None) -> CartView:
    """The cart with the prices and stock of `store_id` (None: names only). NOT_FOUND if there is none."""
    found = contents(cart_key)
    wanted = dict(found.lines)
    known = catalog.variants(wanted)
    offered = catalog.cards(store_id, wanted) if store_id is not None and wanted else {}
    views = []
    for variant_id, quantity in wanted.items():
        variant, card = known[variant_id], offered.get(variant_id)
        price = card.price if card else None
        views.append(
            CartLineView(
                variant_id,
                variant.product_id,
                variant.name_zh,
                variant.name_en,
                variant.unit_zh,
                variant.unit_en,
                variant.picture,
                quantity,
                price,
                (price or 0) * quantity,
                max(card.free, 0) if card else 0,
            )
        )
    goods_total = sum(view.line_total for view in views)
    return CartView(found.id, cart_key, found.version, found.city_id, views, goods_total, sum(wanted.values()))
