"""Threads from a barrier, each with its own connection: what only one may have, one has."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from django.db import connection

from highstreet.kernel import outbox, scarcity
from highstreet.kernel.policy import NOBODY, THE_SYSTEM
from highstreet.kernel.refusal import Refused
from highstreet.supply.inventory.actions import UNITS
from highstreet.supply.inventory.models import StockLevel
from highstreet.trade.orders import actions, ports
from highstreet.trade.orders.models import Order
from highstreet.trade.payments.models import PaymentIntent

from . import support
from .support import PHONE, Town, clean_audit, later, pay

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def town(transactional_db: None) -> Iterator[Town]:
    before = ports.promises() if ports.promises.filled else None
    with support.running_from(support.NOON):
        yield support.build()
    if before is not None:
        ports.promises.fill(before)


def at_once(*works: Callable[[], Any]) -> Counter[str]:
    """Run all of `works` from a barrier. Counts "done", or what each was refused for; errors by class."""
    barrier = threading.Barrier(len(works))
    results: list[str] = []

    def run(work: Callable[[], Any]) -> None:
        try:
            barrier.wait(10)
            work()
            results.append("done")
        except Refused as refused:
            results.append(refused.reason.code)
        except Exception as error:
            results.append(f"{type(error).__name__}: {error}")
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return Counter(results)


def buyer(town: Town, *quantities: int) -> Callable[[], Any]:
    key = town.cart(*quantities)
    quote = town.quote(key, store=town.stores[0])
    return lambda: actions.checkout(actor=NOBODY, quote_id=quote.id, cart_key=key, phone=PHONE)


def test_forty_buyers_of_twenty_units(town: Town) -> None:
    assert at_once(*[buyer(town, 1) for _ in range(40)]) == {"done": 20, "sold_out": 20}
    assert (town.level(0).free, town.level(0).held, Order.objects.count()) == (0, 20, 20)
    clean_audit()


def test_without_the_guard_forty_buyers_oversell(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the race above must fail when free units are only looked at, not taken."""
    monkeypatch.setitem(scarcity._scarce, "units", replace(UNITS, free="1000000"))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE inventory_stocklevel DROP CONSTRAINT stock_never_oversold")
    try:
        at_once(*[buyer(town, 1) for _ in range(40)])
        assert town.level(0).free < 0
    finally:
        StockLevel.objects.update(held=0)
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE inventory_stocklevel ADD CONSTRAINT stock_never_oversold "
                "CHECK (held >= 0 AND allocated >= 0 AND pooled >= 0 AND on_hand >= held + allocated + pooled)"
            )


def test_baskets_in_any_order_never_lock_each_other_out(town: Town) -> None:
    baskets = [(5, 5, 0, 0, 1), (0, 5, 5, 1, 0), (5, 0, 5, 0, 1), (1, 5, 0, 5, 0), (0, 1, 5, 5, 5)]
    results = at_once(*[buyer(town, *baskets[index % 5]) for index in range(30)])
    assert set(results) <= {"done", "sold_out"}, results
    clean_audit()


def test_one_quote_from_ten_hands_is_one_order(town: Town) -> None:
    work = buyer(town, 1)
    results = at_once(*[work] * 10)
    assert results == {"done": 1, "quote_used": 9}
    assert Order.objects.count() == 1
    clean_audit()


def test_a_payment_meets_the_expiry(town: Town) -> None:
    placed = [town.order(1, 1) for _ in range(8)]
    with later(10.01):
        works: list[Callable[[], Any]] = [partial(pay, one) for one in placed]
        sweeps = [lambda: actions.expire_due(actor=THE_SYSTEM)] * 4
        results = at_once(*works, *sweeps)
        assert set(results) == {"done"}, results
        outbox.drain()
        for order in Order.objects.all():
            fulfilled = order.status == "confirmed" and order.refunded == 0
            refunded = order.status == "expired" and order.refunded == order.total == order.captured
            assert fulfilled != refunded, (order.status, order.refunded)
        clean_audit()


def test_a_payment_meets_a_cancellation(town: Town) -> None:
    placed = [town.order(1, 1) for _ in range(8)]
    pays: list[Callable[[], Any]] = [partial(pay, one) for one in placed]
    stops: list[Callable[[], Any]] = [
        partial(actions.cancel, actor=THE_SYSTEM, order_id=one.order_id) for one in placed
    ]
    results = at_once(*pays, *stops)
    assert set(results) == {"done"}, results
    outbox.drain()
    for order in Order.objects.all():
        assert (order.status, order.refunded) == ("cancelled", order.captured)
    assert town.level(0).free == 20
    assert PaymentIntent.objects.filter(captured__gt=0).count() == 8
    clean_audit()


def test_one_fen_refunds_stop_at_what_was_paid(town: Town) -> None:
    placed = town.paid(5)
    line = support.view(placed).lines[0].id
    results = at_once(
        *[lambda: actions.refund_units(actor=THE_SYSTEM, order_line_id=line, units=1, reason="x") for _ in range(12)]
    )
    assert results == {"done": 5, "refund_too_many_units": 7}
    assert support.view(placed).refunded == 5 * 590
    clean_audit()
