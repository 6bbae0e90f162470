"""A quote as its shopper sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from highstreet.kernel import clock
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.reads import in_language
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.cart.rules import is_key
from highstreet.trade.pricing import rules as pricing

from ..models import Quote
from ..ports import PromiseOffer, doorstep


@dataclass(frozen=True)
class QuoteLineView:
    variant_id: UUID
    name_zh: str
    name_en: str
    quantity: int
    unit_price: int

    @property
    def name(self) -> str:
        return in_language(self.name_zh, self.name_en)

    @property
    def line_total(self) -> int:
        return self.unit_price * self.quantity


@dataclass(frozen=True)
class QuoteView:
    """`to_free_delivery` fen more would make delivery free; `late_credit` comes back when we are late.

    `slot`: the beginning of the window that was chosen, None for as soon as possible.
    """

    id: UUID
    store: StoreView
    mode: str
    address: str
    unit: str
    lat: float
    lon: float
    lines: list[QuoteLineView]
    goods_total: int
    delivery_fee: int
    total: int
    currency: str
    promised_from: datetime
    promised_to: datetime
    reason_if_later: str
    slot: datetime | None
    quantile: int
    expires_at: datetime
    used: bool
    to_free_delivery: int
    late_credit: int

    @property
    def expired(self) -> bool:
        return self.expires_at <= clock.now()

    @property
    def count(self) -> int:
        return sum(line.quantity for line in self.lines)


def quote(quote_id: UUID, cart_key: str) -> QuoteView:
    """The quote of a cart whose key is known; NOT_FOUND otherwise."""
    row = Quote.objects.filter(pk=quote_id, cart__key=cart_key).first() if is_key(cart_key) else None
    if row is None:
        raise Refused(NOT_FOUND)
    return view_of(row, stores.store(row.store_id))


def view_of(row: Quote, store: StoreView) -> QuoteView:
    terms = organisations.terms(organisations.city(store.city_id).retailer_id)
    offer = PromiseOffer.from_json(row.promise)
    lines = [
        QuoteLineView(UUID(line["variant"]), line["name_zh"], line["name_en"], line["quantity"], line["unit_price"])
        for line in row.lines
    ]
    missing = pricing.to_free_delivery(terms, row.goods_total) if row.mode == "delivery" else 0
    return QuoteView(
        id=row.pk,
        store=store,
        mode=row.mode,
        address=row.address,
        unit=row.unit,
        lat=row.lat,
        lon=row.lon,
        lines=lines,
        goods_total=row.goods_total,
        delivery_fee=row.delivery_fee,
        total=row.total,
        currency=row.currency,
        promised_from=offer.promised_from,
        promised_to=offer.promised_to,
        reason_if_later=offer.reason_if_later,
        slot=offer.slot,
        quantile=offer.quantile,
        expires_at=row.expires_at,
        used=row.used_at is not None,
        to_free_delivery=missing,
        late_credit=terms.late_credit,
    )


def cash_at_door(city_id: UUID, store_id: UUID) -> int:
    """The most that couriers take in cash for an order of this store, in fen; 0 where they take none."""
    most = organisations.terms(organisations.city(city_id).retailer_id).cash_at_door
    return most if most and doorstep().takes_cash(city_id=city_id, store_id=store_id) else 0
