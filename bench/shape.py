"""Grows the small city of `tests.support.stack` to a wanted shape, by SQL: benchmarks only."""

from __future__ import annotations

from tests.support.stack import Stack

_STORES = """
INSERT INTO stores_store (id, code, kind, organisation_id, city_id, name_zh, name_en, address, phone, lat, lon,
 opens_minute, closes_minute, delivery_radius_m, pick_minutes_base, pick_seconds_per_unit, paused_until, active)
SELECT gen_random_uuid(), 'grown-' || n, s.kind, s.organisation_id, s.city_id, s.name_zh || n, s.name_en || ' ' || n,
 s.address, s.phone, s.lat + ((n * 7919) %% 1000 - 500) / 4000.0, s.lon + ((n * 104729) %% 1000 - 500) / 4000.0,
 s.opens_minute, s.closes_minute, s.delivery_radius_m, s.pick_minutes_base, s.pick_seconds_per_unit, NULL, true
FROM generate_series(1, %s) n,
 (SELECT * FROM stores_store WHERE code = 'maua') s
"""
_LOCATIONS = """
INSERT INTO inventory_stocklocation (id, store_id, name)
SELECT gen_random_uuid(), s.id, 'shelves' FROM stores_store s
WHERE NOT EXISTS (SELECT 1 FROM inventory_stocklocation l WHERE l.store_id = s.id)
"""
_PRODUCTS = """
INSERT INTO catalog_product (id, organisation_id, category_id, name_zh, name_en, picture, keywords, search_text, active)
SELECT gen_random_uuid(), b.organisation_id, b.category_id, b.name_zh || n, b.name_en || ' ' || n, b.picture,
 b.keywords, b.search_text || ' ' || n, true
FROM generate_series(1, %s) n
JOIN (SELECT p.*, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS many FROM catalog_product p) b
 ON b.place = n %% b.many
"""
_VARIANTS = """
INSERT INTO catalog_variant (id, product_id, sku, barcode, unit_zh, unit_en, measure, temperature, aisle)
SELECT gen_random_uuid(), p.id, 'G' || p.place || '-' || n, '2' || lpad((p.place * 10 + n)::text, 12, '0'),
 '份' || n, 'pack ' || n, '', 'ambient', 'A1'
FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM catalog_product) p, generate_series(1, 3) n
ORDER BY n, p.place LIMIT %s
"""
_LISTINGS = """
INSERT INTO catalog_listing (id, store_id, variant_id, price, was, visible)
SELECT gen_random_uuid(), s.id, v.id, 500 + abs(hashtext(v.sku)) %% 9000, NULL, true
FROM stores_store s, catalog_variant v
WHERE NOT EXISTS (SELECT 1 FROM catalog_listing l WHERE l.store_id = s.id AND l.variant_id = v.id)
"""
_LEVELS = """
INSERT INTO inventory_stocklevel (id, location_id, variant_id, on_hand, held, allocated, incoming, damaged)
SELECT gen_random_uuid(), o.id, l.variant_id, 0, 0, 0, 0, 0
FROM catalog_listing l JOIN inventory_stocklocation o ON o.store_id = l.store_id
ON CONFLICT DO NOTHING
"""
_MOVES = """
WITH filled AS (UPDATE inventory_stocklevel SET on_hand = on_hand + 1000000 RETURNING id, on_hand)
INSERT INTO inventory_stockmove (id, level_id, kind, delta, after, cause, reason, actor, at)
SELECT gen_random_uuid(), id, 'receipt', 1000000, on_hand, NULL, 'bench', 'bench', %s FROM filled
"""
_COUNTED = """
WITH before AS (SELECT id, on_hand, %s::int AS wanted FROM inventory_stocklevel WHERE variant_id = %s),
 counted AS (UPDATE inventory_stocklevel l SET on_hand = b.wanted FROM before b WHERE b.id = l.id
  RETURNING l.id, b.wanted - b.on_hand AS delta, l.on_hand)
INSERT INTO inventory_stockmove (id, level_id, kind, delta, after, cause, reason, actor, at)
SELECT gen_random_uuid(), id, 'count', delta, on_hand, NULL, 'bench', 'bench', %s FROM counted
"""


def grow(stack: Stack, *, products: int, variants: int, stores: int) -> None:
    """Have this many of each, everything listed and in stock everywhere. The books stay in order."""
    for table, wanted, statement in (
        ("stores_store", stores, _STORES),
        ("catalog_product", products, _PRODUCTS),
        ("catalog_variant", variants, _VARIANTS),
    ):
        there = stack.one(f"SELECT count(*) FROM {table}")  # noqa: S608 (our own names)
        stack.sql(statement, max(0, wanted - there))
    # What is measured is the server: a shop that packs slowly would soon refuse, and rightly.
    stack.sql("UPDATE stores_store SET pick_minutes_base = 0, pick_seconds_per_unit = 0")
    stack.sql(_LOCATIONS)
    stack.sql(_LISTINGS.replace("%%", "%"))
    stack.sql(_LEVELS)
    stack.sql(_MOVES, stack.now())
    stack.sql("VACUUM ANALYZE")


def set_stock(stack: Stack, *, variant: object, units: int) -> None:
    """Have exactly so many of a variant on every shelf, with the moves that say so."""
    stack.sql(_COUNTED, units, variant, stack.now())
