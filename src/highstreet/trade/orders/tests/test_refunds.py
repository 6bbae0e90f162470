"""Money back: shortages, substitutes, support, compensation; each is in the books."""

from __future__ import annotations

from dataclasses import replace

import pytest

from highstreet.kernel import ids, outbox
from highstreet.kernel.models import OutboxDelivery
from highstreet.kernel.policy import NOBODY, THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.supply.catalog.models import Listing
from highstreet.trade.fulfilment import actions as fulfilment
from highstreet.trade.orders import actions, reads

from .support import Town, deliver, package, pay, pick, settle_refunds, view
from .test_paths import points_of


def test_a_shortage_is_refunded_at_the_frozen_price(town: Town) -> None:
    placed = town.paid(3, 1)
    box = package(placed)
    line = next(line for line in box.lines if line.quantity == 3)
    fulfilment.accept(actor=town.worker(), fulfilment_id=box.id)
    Listing.objects.update(price=1)
    fulfilment.mark_short(actor=town.worker(), line_id=line.id, units=2)
    pick(town, placed)
    order = view(placed)
    assert (order.refunded, order.lines[0].refunded, order.payment_status) == (2 * 590, 2, "paid")
    settle_refunds(placed)
    assert view(placed).payment_status == "partially_refunded"
    fulfilment.hand_over(actor=THE_SYSTEM, fulfilment_id=box.id)
    fulfilment.deliver(actor=THE_SYSTEM, fulfilment_id=box.id)
    outbox.drain()
    assert town.balance("goods_revenue") == -(590 + 1290)
    assert town.balance("delivery_revenue") == -500
    assert (town.level(0).free, town.level(0).on_hand) == (19, 19)


@pytest.mark.parametrize("before", [1, 2, 3])
def test_what_was_given_back_before_is_not_given_back_as_short_too(town: Town, before: int) -> None:
    placed = town.paid(3)
    box = package(placed)
    line = box.lines[0]
    actions.refund_units(actor=THE_SYSTEM, order_line_id=view(placed).lines[0].id, units=before, reason="goodwill")
    fulfilment.accept(actor=town.worker(), fulfilment_id=box.id)
    fulfilment.mark_short(actor=town.worker(), line_id=line.id, units=2)
    outbox.drain()
    order = view(placed)
    assert order.lines[0].refunded == min(3, before + 2)
    assert order.refunded == 590 * min(3, before + 2)
    assert not OutboxDelivery.objects.filter(done_at=None).exists()


def test_nothing_on_the_shelf_gives_everything_back(town: Town) -> None:
    placed = town.paid(2)
    box = package(placed)
    fulfilment.accept(actor=town.worker(), fulfilment_id=box.id)
    fulfilment.mark_short(actor=town.worker(), line_id=box.lines[0].id, units=2)
    outbox.drain()
    order = view(placed)
    assert (order.status, order.end_reason, order.refunded) == ("cancelled", "nothing_left", order.total)


@pytest.mark.parametrize(("substitute", "back"), [(2, 2 * (590 - 250)), (1, 0)])
def test_a_substitute_never_costs_the_shopper_more(town: Town, substitute: int, back: int) -> None:
    placed = town.paid(3)
    box = package(placed)
    fulfilment.accept(actor=town.worker(), fulfilment_id=box.id)
    fulfilment.propose_substitute(
        actor=town.worker(), line_id=box.lines[0].id, variant_id=town.variants[substitute], units=2
    )
    outbox.drain()
    assert view(placed).refunded == back
    deliver(town, placed)
    assert town.balance("goods_revenue") == -(3 * 590 - back)


@pytest.mark.parametrize(("agreed", "back"), [(True, 590 - 250), (False, 590)])
def test_the_shopper_is_asked(town: Town, agreed: bool, back: int) -> None:
    placed = town.paid(2, substitution="ask")
    other = town.paid(1)
    box = package(placed)
    fulfilment.accept(actor=town.worker(), fulfilment_id=box.id)
    line = box.lines[0].id
    fulfilment.propose_substitute(actor=town.worker(), line_id=line, variant_id=town.variants[2], units=1)
    stranger = replace(NOBODY, order_keys=frozenset({other.key}))
    for order_id in (placed.order_id, other.order_id):
        with pytest.raises(Refused, match="not_found"):
            actions.answer_substitute(actor=stranger, order_id=order_id, line_id=line, agreed=True)
    holder = replace(NOBODY, order_keys=frozenset({placed.key}))
    actions.answer_substitute(actor=holder, order_id=placed.order_id, line_id=line, agreed=agreed)
    outbox.drain()
    assert view(placed).refunded == back


def test_a_cheaper_substitute_at_the_counter_gives_change_back(town: Town) -> None:
    placed = town.order(1, mode="pickup", method="at_pickup")
    box = package(placed)
    fulfilment.accept(actor=town.worker(), fulfilment_id=box.id)
    fulfilment.propose_substitute(actor=town.worker(), line_id=box.lines[0].id, variant_id=town.variants[2], units=1)
    pick(town, placed)
    due = package(placed).collect_due
    code = reads.order(replace(NOBODY, order_keys=frozenset({placed.key})), placed.order_id).pickup_code
    fulfilment.collect(actor=town.worker(), store_id=town.stores[0], code=code, cash_received=due)
    outbox.drain()
    settle_refunds(placed)
    order = view(placed)
    assert (order.due, order.captured - order.refunded, order.payment_status) == (250, 250, "paid")


def test_support_refunds_units_after_completion_out_of_revenue(town: Town) -> None:
    placed = town.paid(3)
    deliver(town, placed)
    line = view(placed).lines[0]
    support = Actor(
        kind="employee",
        user_id=ids.new_id(),
        organisation_id=town.retailer,
        store_ids=None,
        permissions=frozenset({"console.read", "orders.refund"}),
    )
    assert actions.refund_units(actor=support, order_line_id=line.id, units=1, reason="bruised") == 590
    assert town.balance("goods_revenue") == -2 * 590
    with pytest.raises(Refused, match="refund_too_many_units"):
        actions.refund_units(actor=support, order_line_id=line.id, units=3, reason="all")
    for units in (0, -1, 10**18, 1.5, True):
        with pytest.raises(Refused):
            actions.refund_units(actor=support, order_line_id=line.id, units=units, reason="x")  # type: ignore[arg-type]
    with pytest.raises(Refused, match=r"forbidden|not_signed_in"):
        actions.refund_units(actor=NOBODY, order_line_id=line.id, units=1, reason="x")
    elsewhere = replace(support, organisation_id=ids.new_id())
    with pytest.raises(Refused, match="not_found"):
        actions.refund_units(actor=elsewhere, order_line_id=line.id, units=1, reason="x")


def test_what_nobody_paid_yet_gives_nothing_back_and_comes_whole(town: Town) -> None:
    placed = town.order(2, 1, method="wechat")
    line = view(placed).lines[0].id
    with pytest.raises(Refused, match="wrong_state"):
        actions.refund_units(actor=THE_SYSTEM, order_line_id=line, units=2, reason="early")
    pay(placed)
    outbox.drain()
    assert [one.quantity for one in package(placed).lines] == [2, 1]
    actions.cancel(actor=THE_SYSTEM, order_id=placed.order_id)
    with pytest.raises(Refused, match="wrong_state"):
        actions.refund_units(actor=THE_SYSTEM, order_line_id=line, units=2, reason="late")
    assert actions.refund_short(actor=THE_SYSTEM, order_line_id=line, units=2) == 0


def test_a_compensation_is_given_once_and_never_twice(town: Town) -> None:
    placed = town.paid(1)
    deliver(town, placed)
    for expected in ((500, 0), (0, 0)):
        given = actions.compensate(actor=THE_SYSTEM, order_id=placed.order_id, amount=500, reason="late")
        assert (given.money, given.points) == expected
    given = actions.compensate(actor=THE_SYSTEM, order_id=placed.order_id, amount=1000, reason="sorry")
    assert (given.money, given.points) == (590, 410)
    order = view(placed)
    assert (order.compensated, order.refunded, points_of(order.customer_id)) == (1090, 0, 410)
    assert town.balance("promise_compensation") == 1090
    settle_refunds(placed)
    assert view(placed).payment_status == "refunded"


@pytest.mark.parametrize("credit", [500, 5000])
def test_what_was_given_before_a_cancellation_is_not_given_twice(town: Town, credit: int) -> None:
    placed = town.paid(1)
    actions.compensate(actor=THE_SYSTEM, order_id=placed.order_id, amount=credit, reason="late")
    actions.cancel(actor=THE_SYSTEM, order_id=placed.order_id)
    outbox.drain()
    order = view(placed)
    assert (order.refunded, order.compensated) == (order.total, 0)
    assert town.balance("customer_funds") == town.balance("promise_compensation") == 0
    assert settle_refunds(placed) == order.total
    assert view(placed).payment_status == "refunded"


@pytest.mark.parametrize("amount", [0, -1, 10**18, 1.5, True])
def test_a_compensation_is_a_whole_amount(town: Town, amount: int) -> None:
    placed = town.paid(1)
    with pytest.raises(Refused, match="bad_amount"):
        actions.compensate(actor=THE_SYSTEM, order_id=placed.order_id, amount=amount, reason="late")
