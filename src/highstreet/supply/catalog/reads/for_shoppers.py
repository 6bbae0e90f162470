"""The shelf of a store, a product across stores, variants, substitutes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from highstreet.kernel import clock, paging
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations.reads import in_language, remembered
from highstreet.supply.stores.reads import COLUMNS as STORE_COLUMNS
from highstreet.supply.stores.reads import METRES, NEAREST, OPEN, StoreView

from .. import rules
from ..models import Category, Listing, Variant


@dataclass(frozen=True)
class CategoryView:
    id: UUID
    code: str
    name_zh: str
    name_en: str
    group_code: str
    group_zh: str
    group_en: str
    picture: str
    position: int

    @property
    def name(self) -> str:
        return in_language(self.name_zh, self.name_en)

    @property
    def group(self) -> str:
        return in_language(self.group_zh, self.group_en)


@dataclass(frozen=True)
class VariantView:
    id: UUID
    product_id: UUID
    sku: str
    barcode: str
    name_zh: str
    name_en: str
    unit_zh: str
    unit_en: str
    measure: str
    picture: str
    aisle: str
    temperature: str

    @property
    def name(self) -> str:
        return in_language(self.name_zh, self.name_en)

    @property
    def unit(self) -> str:
        return in_language(self.unit_zh, self.unit_en)


@dataclass(frozen=True)
class CardView:
    """A product as a store offers it: price in fen, `free` units that may still be promised."""

    variant_id: UUID
    product_id: UUID
    sku: str
    name_zh: str
    name_en: str
    unit_zh: str
    unit_en: str
    measure: str
    picture: str
    category_code: str
    price: int
    was: int | None
    free: int

    @property
    def name(self) -> str:
        return in_language(self.name_zh, self.name_en)

    @property
    def unit(self) -> str:
        return in_language(self.unit_zh, self.unit_en)


@dataclass(frozen=True)
class Page:
    items: list[CardView]
    next: str


@dataclass(frozen=True)
class StoreOffer:
    store: StoreView
    price: int
    was: int | None
    free: int


@dataclass(frozen=True)
class ProductView:
    variant: VariantView
    category: CategoryView
    offers: list[StoreOffer]


@remembered
def categories() -> list[CategoryView]:
    """Every category in its order."""
    return [
        CategoryView(
            row.pk,
            row.code,
            row.name_zh,
            row.name_en,
            row.group_code,
            row.group_zh,
            row.group_en,
            row.picture,
            row.position,
        )
        for row in Category.objects.order_by("position", "code")
    ]


# Units free to promise at the level `s`. Of a flash sale what is claimed is counted by its shares.
_FREE = (
    "s.on_hand - s.held - s.allocated - CASE WHEN s.pooled = 0 THEN 0 ELSE (SELECT COALESCE(SUM(b.held + b.allocated), "
    "0)::bigint FROM inventory_stockshare b WHERE b.level_id = s.id) END"
)
_CARD = f"""
SELECT v.id, p.id, v.sku, p.name_zh, p.name_en, v.unit_zh, v.unit_en, v.measure, p.picture, c.code,
       l.price, l.was, COALESCE({_FREE}, 0) AS free
FROM catalog_listing l
JOIN catalog_variant v ON v.id = l.variant_id
JOIN catalog_product p ON p.id = v.product_id AND p.active
JOIN catalog_category c ON c.id = p.category_id
LEFT JOIN inventory_stocklocation o ON o.store_id = l.store_id
LEFT JOIN inventory_stocklevel s ON s.location_id = o.id AND s.variant_id = v.id
WHERE l.store_id = %(store)s AND l.visible
"""  # noqa: S608
# A shelf: what is in stock, then what is not; of these what is on offer first, then by category and SKU. Read from
# the index as far as a page goes (ADR 0027).
_OUT = f"(COALESCE({_FREE}, 0) <= 0)"
_RANK = "(l.was IS NULL), l.position, l.sku"
_AFTER = (
    f" AND ({_RANK}) > (SELECT %(plain)s::boolean, c3.position, v3.sku FROM catalog_variant v3 "  # noqa: S608
    "JOIN catalog_product p3 ON p3.id = v3.product_id JOIN catalog_category c3 ON c3.id = p3.category_id "
    "WHERE v3.id = %(last)s)"
)
CURSOR = r"^([01]{2}-[0-9a-f]{32})?$"


def _cards(sql: str, values: dict[str, Any]) -> list[CardView]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [CardView(*row) for row in cursor.fetchall()]


def shelf(
    store_id: UUID, *, category: str = "", group: str = "", query: str = "", limit: int = 24, cursor: str = ""
) -> Page:
    """What a store offers, in stock and on offer first; `cursor` is the previous page's `next`."""
    values: dict[str, Any] = {"store": store_id, "limit": limit + 1}
    place = _place(cursor) if cursor else {}
    where = ""
    if category:
        where += " AND l.category_id = (SELECT id FROM catalog_category WHERE code = %(category)s)"
        values["category"] = category
    if group:
        values["group"] = group
    terms = rules.terms_of(query)
    for index, term in enumerate(terms):
        where += f" AND p.search_text LIKE %(term{index})s"
        values[f"term{index}"] = "%" + re.sub(r"([\\%_])", r"\\\1", term) + "%"
    statement = _found(where, place, bool(group)) if terms else _walked(where, place, bool(group))
    items = _cards(statement, values | place)
    return Page(items[:limit], _cursor(items[limit - 1]) if len(items) > limit else "")


def _walked(where: str, place: dict[str, Any], grouped: bool) -> str:
    """The shelf along its index, as far as the page goes: first what is in stock, then what is not.

    Of a group, each category is walked so far, and then they are sorted together.
    """
    halves = []
    for out in (False, True):
        if place and place["out"] and not out:
            continue
        after = _AFTER if place and place["out"] == out else ""
        own = f"{_CARD}{where} AND {_OUT} = {'true' if out else 'false'}{after}"
        walk = f"ORDER BY {_RANK} LIMIT %(limit)s"
        if grouped:
            own = f"""SELECT x.* FROM catalog_category k CROSS JOIN LATERAL ({own} AND l.category_id = k.id {walk}) x
WHERE k.group_code = %(group)s"""  # noqa: S608
            walk = "ORDER BY (x.was IS NULL), k.position, x.sku LIMIT %(limit)s"
        halves.append(f"({own} {walk})")
    return f"SELECT * FROM ({' UNION ALL '.join(halves)}) n LIMIT %(limit)s"  # noqa: S608


def _found(where: str, place: dict[str, Any], grouped: bool) -> str:
    """The same for what has words: all of it is found first and sorted then, as a rare word may be anywhere."""
    within = " AND c.group_code = %(group)s" if grouped else ""
    after = f" AND ({_OUT} > %(out)s::boolean OR ({_OUT} = %(out)s::boolean{_AFTER}))" if place else ""
    return f"{_CARD}{where}{within}{after} ORDER BY {_OUT}, {_RANK} LIMIT %(limit)s"


def cards(store_id: UUID, variant_ids: Iterable[UUID]) -> dict[UUID, CardView]:
    """The given variants as a store offers them; those it does not list are left out."""
    found = _cards(_CARD + " AND v.id = ANY(%(variants)s)", {"store": store_id, "variants": list(variant_ids)})
    return {card.variant_id: card for card in found}


_PRICE = "(SELECT price FROM catalog_listing WHERE store_id = %(store)s AND variant_id = %(variant)s)"
_ALIKE = (
    f"{_CARD} AND v.id <> %(variant)s AND {_FREE} > 0 AND l.category_id = (SELECT p2.category_id "  # noqa: S608
    "FROM catalog_variant v2 JOIN catalog_product p2 ON p2.id = v2.product_id WHERE v2.id = %(variant)s)"
)


def similar(store_id: UUID, variant_id: UUID, limit: int = 4) -> list[CardView]:
    """Substitutes in stock: the same category, the nearest price first; what the store does not list costs nothing."""
    near = [
        f"({_ALIKE} AND l.price {sign} COALESCE({_PRICE}, 0) ORDER BY l.price {way}, l.sku LIMIT %(limit)s)"
        for sign, way in ((">=", "ASC"), ("<", "DESC"))
    ]
    values = {"store": store_id, "variant": variant_id, "limit": limit}
    nearest = f" n ORDER BY abs(n.price - COALESCE({_PRICE}, 0)), n.sku LIMIT %(limit)s"
    return _cards(f"SELECT * FROM ({' UNION ALL '.join(near)}){nearest}", values)  # noqa: S608


def _cursor(card: CardView) -> str:
    """Where a page ended: in stock or not, on offer or not, and the variant, whose place the rest follows from."""
    return f"{card.free <= 0:d}{card.was is None:d}-{card.variant_id.hex}"


def _place(cursor: str) -> dict[str, Any]:
    if not re.fullmatch(CURSOR, cursor):
        raise paging.no_cursor()
    return {"out": cursor[0] == "1", "plain": cursor[1] == "1", "last": UUID(hex=cursor[3:])}


def variant_view(row: Variant) -> VariantView:
    product = row.product
    return VariantView(
        row.pk,
        product.pk,
        row.sku,
        row.barcode,
        product.name_zh,
        product.name_en,
        row.unit_zh,
        row.unit_en,
        row.measure,
        product.picture,
        row.aisle,
        row.temperature,
    )


_VARIANT = """
SELECT v.id, p.id, v.sku, v.barcode, p.name_zh, p.name_en, v.unit_zh, v.unit_en, v.measure, p.picture, v.aisle,
       v.temperature
FROM catalog_variant v JOIN catalog_product p ON p.id = v.product_id WHERE v.id = ANY(%s)
"""


def variants(variant_ids: Iterable[UUID]) -> dict[UUID, VariantView]:
    """Variants by id; unknown ids are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_VARIANT, [list(variant_ids)])
        return {row[0]: VariantView(*row) for row in cursor.fetchall()}


def by_barcode(code: str) -> VariantView | None:
    """The variant of a barcode or an SKU."""
    row = Variant.objects.filter(Q(barcode=code) | Q(sku=code)).select_related("product").first()
    return variant_view(row) if row else None


def prices(store_id: UUID, variant_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Prices in fen at a store; what it does not list is left out."""
    rows = Listing.objects.filter(store_id=store_id, variant_id__in=list(variant_ids), visible=True)
    return dict(rows.values_list("variant_id", "price"))


@dataclass(frozen=True)
class Offered:
    """Units of a variant at a store, `free` by the stock level `level_id`; `price` None where it is not listed."""

    level_id: UUID
    free: int
    price: int | None


_OFFERED = f"""
SELECT o.store_id, s.variant_id, s.id, {_FREE}, l.price
FROM inventory_stocklevel s
JOIN inventory_stocklocation o ON o.id = s.location_id
LEFT JOIN catalog_listing l ON l.store_id = o.store_id AND l.variant_id = s.variant_id AND l.visible
WHERE o.store_id = ANY(%s) AND s.variant_id = ANY(%s)
"""  # noqa: S608


def offered(store_ids: Iterable[UUID], variant_ids: Iterable[UUID]) -> dict[tuple[UUID, UUID], Offered]:
    """(store, variant) -> what is there and what it costs; what a store never stocked is left out."""
    with connection.cursor() as cursor:
        cursor.execute(_OFFERED, [list(store_ids), list(variant_ids)])
        return {(row[0], row[1]): Offered(*row[2:]) for row in cursor.fetchall()}


NEAR_COLUMNS = re.sub(r"\b[sc]\.", "n.", STORE_COLUMNS)
_OFFERS = f"""
WITH near AS MATERIALIZED (
  SELECT {STORE_COLUMNS}, l.price AS price, l.was AS was, l.variant_id AS variant_id,
    {METRES} > s.delivery_radius_m AS far, {METRES} <= s.delivery_radius_m AND NOT ({OPEN}) AS shut, {METRES} AS metres
  FROM catalog_listing l JOIN stores_store s ON s.id = l.store_id JOIN organisations_city c ON c.id = s.city_id
  WHERE l.variant_id = %(variant)s AND l.visible AND s.active
  ORDER BY far, shut, metres LIMIT %(most)s
)
SELECT n.price, n.was, COALESCE({_FREE}, 0), {NEAR_COLUMNS}
FROM near n LEFT JOIN inventory_stocklocation o ON o.store_id = n.id
LEFT JOIN inventory_stocklevel s ON s.location_id = o.id AND s.variant_id = n.variant_id
ORDER BY n.far, n.shut, n.metres
"""  # noqa: S608


def product(product_id: UUID, lat: float, lon: float) -> ProductView:
    """A product with what the nearest stores ask and have: those that reach the point first, of these the open ones."""
    row = (
        Variant.objects.filter(product_id=product_id, product__active=True)
        .select_related("product", "product__category")
        .order_by("sku")
        .first()
    )
    if row is None:
        raise Refused(NOT_FOUND)
    values: dict[str, Any] = {"variant": row.pk, "lat": lat, "lon": lon, "at": clock.now(), "most": NEAREST}
    with connection.cursor() as cursor:
        cursor.execute(_OFFERS, values)
        offers = [StoreOffer(StoreView(*rest), price, was, free) for price, was, free, *rest in cursor.fetchall()]
    category = next(item for item in categories() if item.id == row.product.category_id)
    return ProductView(variant_view(row), category, offers)
