"""How many queries each page may make. More carts, orders or products must not mean more queries."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from highstreet.delivery.promise import reads as promise_reads
from highstreet.kernel import ids, outbox
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.supply.catalog.models import Variant
from highstreet.trade.orders.models import Order
from highstreet.trade.orders.tests.support import Town
from highstreet.trade.payments.actions.capturing import book
from highstreet.trade.payments.models import PaymentIntent

from .support import add, be_at, order, page

pytestmark = pytest.mark.django_db

# Page -> most queries, for a guest with a cart of two lines and one order before.
BUDGET = {
    "/": 20,
    "/browse": 1,
    "/c/fresh": 16,
    "/search?q=fruit": 16,
    "/place": 2,
    "/place/map.svg?size=s": 2,
    "/cart": 15,
    "/checkout": 32,
    "/orders": 3,
    "/me": 1,
    "/me/data": 1,
    "product": 28,
    "order": 26,
}


@pytest.fixture
def known(town: Town, reader: Client) -> dict[str, str]:
    row = order(reader, town.variants[2], address="Public Market")
    intent = PaymentIntent.objects.get(payable=row.pk)
    assert book(THE_SYSTEM, intent, intent.amount, "wx")
    outbox.drain()
    add(reader, town.variants[0])
    add(reader, town.variants[1])
    product = Variant.objects.get(pk=town.variants[0]).product_id
    return {"product": f"/p/{ids.public('prd', product)}", "order": f"/o/{row.key}"}


def measured(client: Client, url: str) -> int:
    page(client, url)
    promise_reads.forget()
    with CaptureQueriesContext(
        connection,
    ) as found:
        page(client, url)
    return len(found)


def test_every_page_keeps_to_its_queries(known: dict[str, str], reader: Client) -> None:
    counts = {name: measured(reader, known.get(name, name)) for name in BUDGET}
    assert {name: count for name, count in counts.items() if count > BUDGET[name]} == {}, counts


def test_more_rows_are_not_more_queries(town: Town, known: Any, reader: Client) -> None:
    urls = ["/", "/cart", "/orders"]
    before = [measured(reader, url) for url in urls]
    for variant in town.variants[2:]:
        add(reader, variant)
    for _ in range(3):
        order(reader, town.variants[4], address="Public Market")
    for variant in town.variants:
        add(reader, variant)
    be_at(reader)
    assert [measured(reader, url) for url in urls] <= before and Order.objects.count() == 4
