"""What a partner's program looks like: an order by the generated client, as docs/api.md shows it.

Imported by test_client.py once the package is generated; mypy reads it beside the package (long variant).
"""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TypeVar

from highstreet_client import Client
from highstreet_client.api.cart import cart_open_cart
from highstreet_client.api.catalogue import catalogue_cities, catalogue_product, catalogue_serving, catalogue_shelf
from highstreet_client.api.orders import orders_checkout, orders_pay, orders_quote, orders_see_order, orders_see_quote
from highstreet_client.models import CartIn, CheckoutIn, LineIn, PayIn, Problem, QuoteIn

T = TypeVar("T")


@dataclass(frozen=True)
class Placed:
    """An order that waits for its payment at `code_url`; who has its `key` may see it."""

    id: str
    key: str
    code_url: str


def good(answer: T | Problem | None) -> T:
    """What was asked for; an error that names the refusal otherwise."""
    if answer is None or isinstance(answer, Problem):
        raise RuntimeError(answer.type_ if answer is not None else "no answer")
    return answer


def place(url: str, *, city: str, lat: float, lon: float, phone: str) -> Placed:
    """Order two of the first thing in stock near a place, to be picked up."""
    client = Client(base_url=url)
    assert city in [one.code for one in good(catalogue_cities.sync(client=client))]
    stores = good(catalogue_serving.sync(city, client=client, lat=lat, lon=lon))
    store = next(one for one in stores if one.open_)
    shelf = good(catalogue_shelf.sync(store.id, client=client, limit=20))
    item = next(one for one in shelf.items if one.free > 2)
    lines = [LineIn(variant=item.variant, quantity=2)]
    cart = good(cart_open_cart.sync(client=client, body=CartIn(city=city, lines=lines)))
    own = client.with_headers({"X-Cart-Key": cart.key})
    wish = QuoteIn(cart=cart.key, mode="pickup", lat=lat, lon=lon, store=store.id)
    quote = good(orders_quote.sync(client=own, body=wish, idempotency_key=uuid.uuid4().hex))
    assert quote.total == item.price * 2 + quote.delivery_fee
    assert good(orders_see_quote.sync(quote.id, client=own, cart=cart.key)).total == quote.total
    placed = good(
        orders_checkout.sync(
            client=own,
            body=CheckoutIn(quote=quote.id, cart=cart.key, phone=phone),
            idempotency_key=uuid.uuid4().hex,
        )
    )
    payment = good(orders_pay.sync(placed.id, client=own, body=PayIn(), key=placed.key))
    assert payment.amount == quote.total
    return Placed(placed.id, placed.key, payment.code_url)


def status(url: str, order: Placed) -> str:
    """What has become of it."""
    seen: str = good(orders_see_order.sync(order.id, client=Client(base_url=url), key=order.key)).status
    return seen


def refused(url: str) -> tuple[str, int]:
    """The problem of a product that is not there: its code and status."""
    answer = catalogue_product.sync(f"prd_{'0' * 26}", client=Client(base_url=url), lat=0.0, lon=0.0)
    assert isinstance(answer, Problem)
    return answer.type_, answer.status
