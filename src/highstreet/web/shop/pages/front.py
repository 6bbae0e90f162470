"""The shop's front: which store serves here, how soon, and what the cart holds. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from highstreet.delivery.promise import reads as promise_reads
from highstreet.kernel import clock, ids
from highstreet.kernel.refusal import Refused
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.catalog.reads import CardView
from highstreet.supply.catalog.rules import unit_price
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.cart import reads as carts
from highstreet.trade.cart.reads import CartView
from highstreet.trade.orders.ports import PromiseOffer
from highstreet.trade.pricing import rules as pricing
from highstreet.web.ui.rules import is_chinese, money

from .visit import Here, Visit

LOW = 5


@dataclass(frozen=True)
class Front:
    """`store` is whose shelf is shown, None on a platform without stores.

    `state`: now, later (promised, but not soon), closed (no promise until `opens`), full (no courier or
    capacity), far (no store delivers here).
    """

    store: StoreView | None
    offer: PromiseOffer | None
    state: str
    opens: datetime | None
    closes: datetime | None
    distance_m: float
    late_credit: int


@dataclass(frozen=True)
class Tile:
    """A product card: ids as the outside knows them, `per` its unit price in words, `qty` in the cart."""

    card: CardView
    variant: str
    product: str
    per: str
    stock: str
    qty: int

    @property
    def dom_id(self) -> str:
        return f"card-{self.variant}"


@dataclass(frozen=True)
class Basket:
    """The cart in words of money: what the dock and the side cart say. `more`: fen to free delivery."""

    cart: CartView
    lines: list[tuple[str, str, carts.CartLineView]]
    fee: int
    total: int
    more: int
    short: list[carts.CartLineView]


def front(visit: Visit, units: int = 1) -> Front:
    """The store that serves this visit and its promise for `units`."""
    here, now = visit.here, clock.now()
    near, reaching = _near(visit, here)
    chosen = reaching[0] if reaching else (near[0] if near else None)
    credit = organisations.terms(visit.city.retailer_id).late_credit
    if chosen is None:
        return Front(None, None, "far", None, None, 0.0, credit)
    offer = promise(chosen, visit, units, now) if reaching else None
    opens, closes, away = chosen.opens_at(now), chosen.closes_at(now), chosen.distance_m(here.lat, here.lon)
    return Front(chosen, offer, _state(chosen, offer, bool(reaching), now), opens, closes, away, credit)


def front_store(visit: Visit, here: Here) -> StoreView | None:
    """The store that stands in front at a place; None where none serves."""
    _all, reaching = _near(visit, here)
    return reaching[0] if reaching else None


def _near(visit: Visit, here: Here) -> tuple[list[StoreView], list[StoreView]]:
    """(the nearest stores, those that serve here), open ones first, then the nearest; a chosen one before all."""
    if here.mode == "pickup":
        near = stores.nearest(visit.city.id, here.lat, here.lon, reaching=False, first=here.store)
        return near, near
    near = stores.nearest(visit.city.id, here.lat, here.lon)
    return near, [store for store in near if store.distance_m(here.lat, here.lon) <= store.delivery_radius_m]


def promise(store: StoreView, visit: Visit, units: int, at: datetime) -> PromiseOffer | None:
    """The soonest window from `store` to this visit's place."""
    here = visit.here
    return promise_reads.one(store, here.lat, here.lon, max(1, units), here.mode, at)


def _state(store: StoreView, offer: PromiseOffer | None, reached: bool, now: datetime) -> str:
    if not reached:
        return "far"
    if offer is not None:
        return "later" if offer.reason_if_later else "now"
    return "full" if store.is_open(now) else "closed"


def tiles(cards: Iterable[CardView], in_cart: dict[UUID, int], language: str) -> list[Tile]:
    return [tile(card, in_cart.get(card.variant_id, 0), language) for card in cards]


def tile(card: CardView, qty: int, language: str) -> Tile:
    stock = "out" if card.free <= 0 else "low" if card.free <= LOW else "ok"
    return Tile(
        card,
        ids.public("var", card.variant_id),
        ids.public("prd", card.product_id),
        per(card.price, card.measure, language),
        stock,
        qty,
    )


def per(price: int, measure: str, language: str) -> str:
    """`¥2.63/100 g`, or nothing where the unit is the price's own."""
    found = unit_price(price, measure)
    if found is None:
        return ""
    each, label = found
    if label == "1":
        label = "个" if is_chinese(language) else "pc"
    return f"{money(each)}/{label}"


def basket(visit: Visit, store: StoreView | None) -> Basket | None:
    """The visit's cart as `store` prices it; None when there is none or it is empty."""
    if not visit.cart_key:
        return None
    try:
        view = carts.cart(visit.cart_key, store.id if store else None)
    except Refused:
        return None
    if not view.lines:
        return None
    terms = organisations.terms(visit.city.retailer_id)
    fee = pricing.delivery_fee(terms, view.goods_total) if visit.here.mode == "delivery" else 0
    more = pricing.to_free_delivery(terms, view.goods_total) if visit.here.mode == "delivery" else 0
    lines = [(ids.public("var", line.variant_id), ids.public("prd", line.product_id), line) for line in view.lines]
    return Basket(view, lines, fee, view.goods_total + fee, more, [line for line in view.lines if line.short])


def in_cart(found: Basket | None) -> dict[UUID, int]:
    return {line.variant_id: line.quantity for _, _, line in found.lines} if found else {}


def groups() -> list[dict[str, str]]:
    """The top-level headings in their order, each with the picture of its first category."""
    seen: dict[str, dict[str, str]] = {}
    for category in catalog.categories():
        seen.setdefault(
            category.group_code, {"code": category.group_code, "name": category.group, "picture": category.picture}
        )
    return list(seen.values())
