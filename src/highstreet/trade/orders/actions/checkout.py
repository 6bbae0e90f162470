"""Checkout: one transaction that uses the quote once and takes every hold the order needs, stock last."""

from __future__ import annotations

from uuid import UUID

from highstreet.kernel import clock
from highstreet.kernel.policy import PUBLIC, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores
from highstreet.trade.cart import actions as carts
from highstreet.trade.cart.rules import is_key

from ..models import Quote
from ..refusals import QUOTE_EXPIRED, QUOTE_USED
from ..steps.placing import Placed, place, wished


@action(PUBLIC)
def checkout(
    *,
    actor: Actor,
    quote_id: UUID,
    cart_key: str,
    phone: str,
    payment_method: str = "wechat",
    substitution: str = "best",
    note: str = "",
    unit: str = "",
) -> Placed:
    """Turn a quote into an order: all of it or nothing.

    Refuses NOT_FOUND (not this cart's quote), QUOTE_USED, QUOTE_EXPIRED, CART_CHANGED, SOLD_OUT by name, the
    promise's reason when its capacity is gone. An order to be paid at pickup is confirmed at once.
    """
    wish = wished(phone, payment_method, substitution, note, unit)
    quote = _use(actor, quote_id, cart_key)
    # Under the cart's lock: what is bought is what the cart still holds.
    carts.clear(actor=actor, cart_key=cart_key, expected_version=quote.cart_version)
    return place(actor, quote, wish)


_COLUMNS = ", ".join(f'q."{known.column}"' for known in Quote._meta.concrete_fields)
_USE = f"""
UPDATE orders_quote q SET used_at = %(now)s FROM cart_cart c
WHERE q.id = %(quote)s AND c.id = q.cart_id AND c.key = %(cart)s AND q.used_at IS NULL AND q.expires_at > %(now)s
AND (%(customer)s::uuid IS NULL OR c.customer_id IS NULL OR c.customer_id = %(customer)s::uuid) RETURNING {_COLUMNS}
"""  # noqa: S608


def _use(actor: Actor, quote_id: UUID, cart_key: str) -> Quote:
    """Use the quote of a cart that the actor may order: one conditional UPDATE. It says why not when it cannot."""
    if not is_key(cart_key):
        raise Refused(NOT_FOUND)
    values = {"now": clock.now(), "quote": quote_id, "cart": cart_key, "customer": actor.customer_id}
    for used in Quote.objects.raw(_USE, values):
        return used
    quote = Quote.objects.select_related("cart").filter(pk=quote_id).first()
    if quote is None or quote.cart is None or quote.cart.key != cart_key:
        raise Refused(NOT_FOUND)
    if actor.customer_id is not None and quote.cart.customer_id not in (None, actor.customer_id):
        raise Refused(NOT_FOUND)
    if quote.used_at is not None:
        raise Refused(QUOTE_USED)
    zone = organisations.city(stores.city_of(quote.store_id)).zone
    raise Refused(QUOTE_EXPIRED, until=f"{quote.expires_at.astimezone(zone):%H:%M}")
