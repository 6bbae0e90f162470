"""An order in one step: nothing is quoted before, so the shopper says what they would agree to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from highstreet.kernel.policy import PUBLIC, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.cart.refusals import BAD_QUANTITY, CART_FULL, EMPTY_CART, NOT_SOLD
from highstreet.trade.cart.rules import MAX_LINES, MAX_QUANTITY, is_quantity

from .. import rules
from ..models import Quote
from ..ports import PromiseOffer
from ..refusals import COSTS_MORE, PROMISED_LATER
from ..steps.common import choice, clean
from ..steps.placing import Placed, place, wished
from ..steps.quoting import Asked, priced


@dataclass(frozen=True)
class PlacedNow:
    """The order and what was agreed to by it: the total in fen and the promised window."""

    placed: Placed
    store: StoreView
    total: int
    currency: str
    promised_from: datetime
    promised_to: datetime


@action(PUBLIC)
def order_now(
    *,
    actor: Actor,
    city_id: UUID,
    quantities: Mapping[UUID, int],
    mode: str,
    phone: str,
    most_total: int,
    latest: datetime,
    lat: float | None = None,
    lon: float | None = None,
    address: str = "",
    unit: str = "",
    store_id: UUID | None = None,
    payment_method: str = "wechat",
    substitution: str = "best",
    note: str = "",
    slot: datetime | None = None,
) -> PlacedNow:
    """Order `quantities` for at most `most_total` fen, promised by `latest` at the latest: all of it or nothing.

    Refuses COSTS_MORE and PROMISED_LATER with what it would be, so that the shopper may agree to that; NOT_SOLD,
    BAD_QUANTITY, EMPTY_CART, CART_FULL as a cart does; otherwise as a quote and its checkout do.
    """
    choice(mode, rules.MODES, "mode")
    wish = wished(phone, payment_method, substitution, note, unit)
    lines = _lines(quantities)
    asked = Asked(city_id, lines, mode, lat, lon, clean(address, 160, "address"), wish.unit, store_id, slot)
    try:
        quote, chosen = priced(asked)
    except Refused as refused:
        # Of what is no longer in the catalogue no shop has any: say that, rather than that it is sold out.
        if quantities.keys() - catalog.variants(quantities).keys():
            raise Refused(NOT_SOLD) from refused
        raise
    offer = PromiseOffer.from_json(quote.promise)
    _within(quote, offer, chosen.store, most_total, latest)
    quote.used_at = quote.created_at
    placed = place(actor, quote, wish, chosen.levels)
    return PlacedNow(placed, chosen.store, quote.total, quote.currency, offer.promised_from, offer.promised_to)


def _lines(quantities: Mapping[UUID, int]) -> tuple[tuple[UUID, int], ...]:
    if any(not is_quantity(quantity) for quantity in quantities.values()):
        raise Refused(BAD_QUANTITY, most=MAX_QUANTITY)
    lines = tuple((variant, quantity) for variant, quantity in quantities.items() if quantity)
    if not lines:
        raise Refused(EMPTY_CART)
    if len(lines) > MAX_LINES:
        raise Refused(CART_FULL, lines=MAX_LINES)
    return lines


def _within(quote: Quote, offer: PromiseOffer, store: StoreView, most_total: int, latest: datetime) -> None:
    """The ceilings that the shopper agreed to."""
    if quote.total > most_total:
        raise Refused(COSTS_MORE, total=quote.total, agreed=most_total, currency=quote.currency)
    if offer.promised_to > latest:
        raise Refused(
            PROMISED_LATER,
            until=f"{offer.promised_to.astimezone(store.zone):%H:%M}",
            promised_to=offer.promised_to.isoformat(),
        )
