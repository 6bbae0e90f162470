"""The quote: which store serves, what it costs, until when it is there. Nothing is held yet."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from highstreet.kernel import rows
from highstreet.kernel.policy import PUBLIC, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.trade.cart import reads as carts
from highstreet.trade.cart.refusals import EMPTY_CART

from .. import reads, rules
from ..reads.quotes import QuoteView
from ..steps.common import choice, clean
from ..steps.quoting import Asked, priced


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
    slot: datetime | None = None,
) -> QuoteView:
    """Price and promise a cart for a place and a mode ("delivery", "pickup"); good for the retailer's minutes.

    Delivery: the preferred store if it has everything and can promise, else the best that reaches the place.
    Pickup: the store asked for, else the best. As soon as possible, or in the window that begins at `slot`. Refuses
    EMPTY_CART, ADDRESS_UNKNOWN, OUT_OF_RANGE, CLOSED, SOLD_OUT, NO_CAPACITY, SLOT_GONE, each with what to do instead.
    """
    choice(mode, rules.MODES, "mode")
    address, unit = clean(address, 160, "address"), clean(unit, 60, "unit")
    cart = carts.contents(cart_key)
    if not cart.lines:
        raise Refused(EMPTY_CART)
    asked = Asked(cart.city_id, cart.lines, mode, lat, lon, address, unit, store_id, slot)
    row, chosen = priced(asked)
    row.cart_id, row.cart_version = cart.id, cart.version
    rows.put([row])
    return reads.quotes.view_of(row, chosen.store)
