"""What a quote is made of: which stores may serve, which does, what it costs. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from highstreet.kernel import clock, ids
from highstreet.kernel.refusal import Refused
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.pricing import rules as pricing

from .. import rules
from ..models import Quote
from ..ports import geo
from ..refusals import ADDRESS_UNKNOWN, BAD_PLACE, OUT_OF_RANGE
from .choosing import Chosen, Point, choose


@dataclass(frozen=True)
class Asked:
    """What a quote is asked for: (variant, quantity) lines, checked texts, where it goes, and the window chosen."""

    city_id: UUID
    lines: tuple[tuple[UUID, int], ...]
    mode: str
    lat: float | None
    lon: float | None
    address: str
    unit: str
    store_id: UUID | None
    slot: datetime | None = None


def priced(asked: Asked) -> tuple[Quote, Chosen]:
    """The quote of `asked`, not written yet, and what it rests on. Refuses as `quote` does."""
    point = _place(asked.city_id, asked.mode, asked.address, asked.lat, asked.lon)
    around = _around(asked.city_id, asked.mode, point, asked.store_id)
    chosen = choose(asked.lines, around, mode=asked.mode, point=point, preferred=asked.store_id, slot=asked.slot)
    return _row(asked, chosen, point), chosen


def _place(city_id: UUID, mode: str, address: str, lat: float | None, lon: float | None) -> Point:
    if lat is not None and lon is not None:
        if not rules.is_place(lat, lon):
            raise Refused(BAD_PLACE)
        return Point(lat, lon)
    if mode == "pickup":
        return Point(None, None)
    found = geo().geocode(city_id, address, None, None) if address and geo.filled else None
    if found is None:
        raise Refused(ADDRESS_UNKNOWN)
    return Point(found.lat, found.lon)


def _around(city_id: UUID, mode: str, point: Point, store_id: UUID | None) -> list[StoreView]:
    if mode == "delivery":
        assert point.lat is not None and point.lon is not None
        reaching = stores.serving(city_id, point.lat, point.lon)
        if not reaching:
            raise Refused(OUT_OF_RANGE)
        return reaching
    if store_id is not None:
        wanted = stores.active(city_id, store_id)
    elif point.lat is None or point.lon is None:
        wanted = stores.stores_of(city_id)
    else:
        wanted = stores.nearest(city_id, point.lat, point.lon, reaching=False)
    if not wanted:
        raise Refused(OUT_OF_RANGE)
    return wanted


def _row(asked: Asked, chosen: Chosen, point: Point) -> Quote:
    city = organisations.city(asked.city_id)
    terms = organisations.terms(city.retailer_id)
    known = catalog.variants(chosen.prices)
    items = [pricing.Item(chosen.prices[variant], quantity) for variant, quantity in asked.lines]
    basket = pricing.basket(items, terms, asked.mode)
    now = clock.now()
    return Quote(
        id=ids.new_id(),
        mode=asked.mode,
        store_id=chosen.store.id,
        address=asked.address,
        unit=asked.unit,
        lat=chosen.store.lat if point.lat is None else point.lat,
        lon=chosen.store.lon if point.lon is None else point.lon,
        lines=[
            {
                "variant": str(variant),
                "quantity": quantity,
                "unit_price": chosen.prices[variant],
                "name_zh": f"{known[variant].name_zh} {known[variant].unit_zh}".strip()[:80],
                "name_en": f"{known[variant].name_en} {known[variant].unit_en}".strip()[:80],
            }
            for variant, quantity in asked.lines
        ],
        goods_total=basket.goods_total,
        delivery_fee=basket.delivery_fee,
        total=basket.total,
        currency=city.currency,
        promise=chosen.offer.to_json(),
        routing=chosen.routing,
        created_at=now,
        expires_at=now + timedelta(minutes=terms.quote_minutes),
    )
