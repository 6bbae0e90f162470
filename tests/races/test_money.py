"""Money at once: refunds stop at what was paid, and prices that change meanwhile change nothing agreed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest

from highstreet.kernel import clock, ids
from highstreet.kernel.policy import NOBODY, THE_SYSTEM
from highstreet.kernel.refusal import Refused
from highstreet.supply.catalog.models import Listing
from highstreet.trade.orders import actions
from highstreet.trade.orders.models import Order, Quote
from highstreet.trade.orders.tests.support import PHONE, PRICES, Town, pay, view
from highstreet.trade.payments import actions as payments
from highstreet.trade.payments.models import PaymentIntent, Refund
from highstreet.trade.payments.refusals import MORE_THAN_LEFT
from tests.conftest import Add
from tests.support import crowd

SEED = 20261126
YUAN = 100
PAID = 60
# The fifth thing of the town costs ¥1.
ONE_YUAN = (0, 0, 0, 0, PAID)


def sixty_paid(town: Town) -> Any:
    crowd.shelve(town, 20, 20, 20, 20, PAID)
    assert PRICES[4] == YUAN
    placed = town.order(*ONE_YUAN, mode="pickup")
    pay(placed)
    return placed


def test_a_hundred_refunds_of_one_yuan(town: Town, row: Add) -> None:
    """Of units, as support gives them: a hundred tabs, one paid order of sixty."""
    placed = sixty_paid(town)
    line = view(placed).lines[0].id
    refund = partial(actions.refund_units, actor=THE_SYSTEM, order_line_id=line, units=1, reason="x")
    results = crowd.at_once([refund] * 100, hands=50)
    refunded = view(placed).refunded
    row(
        "M4",
        "refunds of ¥1 by unit on a ¥60 order, at once",
        n=100,
        accepted=results["done"],
        refused=results["refund_too_many_units"],
        invariants=crowd.invariants(),
        seed="-",
    )
    assert results == {"done": PAID, "refund_too_many_units": 40}
    assert refunded == PAID * YUAN
    assert crowd.broken() == []


def test_a_hundred_refunds_of_one_yuan_of_a_payment(town: Town, row: Add) -> None:
    """The same one floor lower: refunds of the payment itself, each with a key of its own."""
    placed = sixty_paid(town)
    works = [
        partial(payments.refund, actor=THE_SYSTEM, payable=placed.order_id, amount=YUAN, reason="x", key=f"k{number}")
        for number in range(100)
    ]
    results = crowd.at_once(works, hands=50)
    intent = PaymentIntent.objects.get(pk=placed.intent_id)
    row(
        "M4",
        "refunds of ¥1 of a ¥60 payment, at once",
        n=100,
        accepted=results["done"],
        refused=results["more_than_left"],
        invariants="payment's own hold" if intent.refunded <= intent.captured else "BROKEN I6",
        seed="-",
    )
    assert results["done"] == Refund.objects.count() == PAID, results
    assert crowd.errors(results) == {}
    assert intent.refunded == intent.captured == PAID * YUAN


def test_refunds_that_look_first_give_back_too_much(town: Town) -> None:
    """The negative control: read what is left, think, write."""
    placed = sixty_paid(town)
    with crowd.without("intent_refunded_captured_authorised", "payments_paymentintent"):
        crowd.at_once([partial(_look_first, placed.intent_id)] * 100, hands=50)
        given = Refund.objects.count()
        PaymentIntent.objects.update(refunded=0)
    assert given > PAID


def _look_first(intent_id: UUID) -> None:
    intent = PaymentIntent.objects.get(pk=intent_id)
    if intent.captured - intent.refunded < YUAN:
        raise Refused(MORE_THAN_LEFT)
    time.sleep(0.05)
    key = ids.new_id().hex
    Refund.objects.create(intent=intent, key=key, out_refund_no=key, amount=YUAN, reason="x", created_at=clock.now())
    PaymentIntent.objects.filter(pk=intent_id).update(refunded=intent.refunded + YUAN)


def interleaved(town: Town, dice: random.Random) -> tuple[int, Order | None, str]:
    """A shopper's three steps and a price that changes once, twice or three times among them.

    Returns what was quoted, the order (None when the shopper was asked anew), and the schedule.
    """
    key = town.cart(dice.randint(1, 3), dice.randint(0, 2))
    schedule = ["quote", "order", "pay", *["price"] * dice.randint(1, 3)]
    dice.shuffle(schedule)
    # The shopper's own steps come in their order.
    own = iter(["quote", "order", "pay"])
    schedule = [step if step == "price" else next(own) for step in schedule]
    quote, placed = None, None
    for step in schedule:
        if step == "price":
            Listing.objects.filter(store_id=town.stores[0], variant_id=town.variants[0]).update(
                price=dice.randint(1, 5000)
            )
        elif step == "quote":
            quote = town.quote(key, "pickup", store=town.stores[0])
        elif step == "order":
            assert quote is not None
            try:
                placed = actions.checkout(actor=NOBODY, quote_id=quote.id, cart_key=key, phone=PHONE)
            except Refused:
                return quote.total, None, " ".join(schedule)
        elif placed is not None:
            pay(placed)
    assert quote is not None and placed is not None
    return quote.total, Order.objects.get(pk=placed.order_id), " ".join(schedule)


def not_as_quoted(town: Town, count: int, seed: int) -> tuple[list[str], int, int]:
    """The schedules after which another total than the quoted one was paid; how many paid, how many were asked."""
    dice, wrong, paid, asked = random.Random(seed), [], 0, 0
    for _ in range(count):
        quoted, order, schedule = interleaved(town, dice)
        if order is None:
            asked += 1
            continue
        paid += 1
        if not order.total == order.captured == quoted:
            wrong.append(f"{schedule}: quoted {quoted}, paid {order.captured} of {order.total}")
    return wrong, paid, asked


@pytest.mark.parametrize("count", [25, pytest.param(1000, marks=pytest.mark.long)])
def test_prices_change_between_quote_and_payment(town: Town, row: Add, count: int) -> None:
    crowd.shelve(town, 5 * count, 5 * count)
    wrong, paid, asked = not_as_quoted(town, count, SEED)
    row(
        "M7",
        "prices change between quote, order and payment",
        n=count,
        accepted=paid,
        refused=asked,
        invariants=crowd.invariants(),
        seed=SEED,
        notes=f"paid something else than was quoted: {len(wrong)}",
    )
    assert wrong == []
    assert crowd.broken() == []


def test_a_checkout_that_prices_anew_is_found_out(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: checkout takes the price of the moment."""
    # Its package exports the action under the same name.
    module: Any = import_module("highstreet.trade.orders.actions.checkout")
    use = module._use

    def priced_anew(*arguments: Any) -> Quote:
        quote: Quote = use(*arguments)
        for line in quote.lines:
            line["unit_price"] = Listing.objects.get(store_id=quote.store_id, variant_id=line["variant"]).price
        quote.goods_total = quote.total = sum(line["unit_price"] * line["quantity"] for line in quote.lines)
        return quote

    monkeypatch.setattr(module, "_use", priced_anew)
    crowd.shelve(town, 100, 100)
    wrong, _, _ = not_as_quoted(town, 20, SEED)
    assert wrong


def test_a_price_that_changes_in_the_same_moment(town: Town) -> None:
    """Really at once: eight people quote and order while somebody changes the price."""
    crowd.shelve(town, 200)

    def buy() -> None:
        key = town.cart(2)
        quote = town.quote(key, "pickup", store=town.stores[0])
        placed = actions.checkout(actor=NOBODY, quote_id=quote.id, cart_key=key, phone=PHONE)
        pay(placed)
        order = Order.objects.get(pk=placed.order_id)
        assert order.captured == order.total == quote.total, (order.captured, quote.total)

    def change() -> None:
        Listing.objects.filter(variant_id=town.variants[0]).update(
            price=random.Random(time.monotonic()).randint(1, 999)
        )

    works: list[Callable[[], Any]] = [buy, buy, change] * 12
    results = crowd.at_once(works, hands=9)
    assert results == {"done": 36}
    assert crowd.broken() == []
