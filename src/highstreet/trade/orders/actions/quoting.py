"""The quote: which store serves, what it costs, until when it is there. Nothing is held yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from highstreet.kernel import clock, ids, rows
from highstreet.kernel.policy import PUBLIC, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.cart import reads as carts
from highstreet.trade.cart.refusals import EMPTY_CART
from highstreet.trade.pricing import rules as pricing

from .. import reads, rules
from ..models import Quote
from ..ports import geo
from ..reads.quotes import QuoteView
from ..refusals import ADDRESS_UNKNOWN, BAD_PLACE, OUT_OF_RANGE
from ..steps.choosing import Chosen, Point, choose
from ..steps.common import choice, clean


@dataclass(frozen=True)
class Asked:
    """What a quote is asked for: (variant, quantity) lines, checked texts, and where it goes."""

    city_id: UUID
    lines: tuple[tuple[UUID, int], ...]
    mode: str
    lat: float | None
    lon: float | None
    address: str
    unit: str
    store_id: UUID | None


@action(PUBLIC)
def quote(
    *,
    actor: Actor,
    cart_key: str,
    mode: str,
    lat: float | None = None,
    lon: float | None = None,
    address: str = "",
    unit: str = "",
    store_id: UUID | None = None,
) -> QuoteView:
    """Price and promise a cart for a place and a mode ("delivery", "pickup"); good for the retailer's minutes.

    Delivery: the preferred store if it has everything and can promise, else the best that reaches the place.
    Pickup: the store asked for, else the best. Refuses EMPTY_CART, ADDRESS_UNKNOWN, OUT_OF_RANGE, CLOSED,
    SOLD_OUT, NO_CAPACITY, each with what to do instead.
    """
    choice(mode, rules.MODES, "mode")
    address, unit = clean(address, 160, "address"), clean(unit, 60, "unit")
    cart = carts.contents(cart_key)
    if not cart.lines:
        raise Refused(EMPTY_CART)
    asked = Asked(cart.city_id, cart.lines, mode, lat, lon, address, unit, store_id)
    row, chosen = priced(asked)
    row.cart_id, row.cart_version = cart.id, cart.version
    rows.put([row])
    return reads.quotes.view_of(row, chosen.store)


def priced(asked: Asked) -> tuple[Quote, Chosen]:
    """The quote of `asked`, not written yet, and what it rests on. Refuses as `quote` does."""
    point = _place(asked.city_id, asked.mode, asked.address, asked.lat, asked.lon)
    around = _around(asked.city_id, asked.mode, point, asked.store_id)
    chosen = choose(asked.lines, around, mode=asked.mode, point=point, preferred=asked.store_id)
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
    known = stores.stores_of(city_id)
    wanted = [store for store in known if store_id is None or store.id == store_id]
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
