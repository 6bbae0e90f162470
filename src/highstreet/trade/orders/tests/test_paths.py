"""An order's life, from cart to doorstep, and the ways it may end."""

from __future__ import annotations

from uuid import UUID

import pytest

from highstreet.kernel import outbox
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.kernel.refusal import Refused
from highstreet.trade.fulfilment import actions as fulfilment
from highstreet.trade.orders import actions

from .support import Town, capacity, deliver, later, package, pay, pick, settle_refunds, view


def test_a_delivery_from_cart_to_doorstep(town: Town) -> None:
    placed = town.order(2, 1)
    assert placed.status == "pending"
    assert (town.level(0).held, capacity(town)) == (2, (1, 0))
    pay(placed)
    order = view(placed)
    assert (order.status, order.payment_status) == ("confirmed", "paid")
    assert (town.level(0).held, town.level(0).allocated, capacity(town)) == (0, 2, (0, 1))
    deliver(town, placed)
    order = view(placed)
    assert (order.status, order.total) == ("completed", 2 * 590 + 1290 + 500)
    assert (town.level(0).on_hand, town.level(0).allocated) == (18, 0)
    assert town.balance("goods_revenue") == -(2 * 590 + 1290)
    assert town.balance("delivery_revenue") == -500
    assert town.balance("customer_funds") == 0
    assert town.balance("provider_wechat") == order.total


def test_a_pickup_paid_at_the_counter(town: Town) -> None:
    placed = town.order(1, 0, 2, mode="pickup", method="at_pickup")
    order = view(placed)
    assert (placed.status, order.payment_status, order.total, order.delivery_fee) == ("confirmed", "unpaid", 1090, 0)
    assert town.level(0).allocated == 1
    pick(town, placed)
    code = fulfilment_code(placed.order_id)
    fulfilment.collect(actor=town.worker(), store_id=town.stores[0], code=code, cash_received=2000)
    outbox.drain()
    order = view(placed)
    assert (order.status, order.payment_status, order.captured) == ("completed", "paid", 1090)
    assert town.balance("store_cash") == 1090
    assert town.balance("goods_revenue") == -1090


def test_a_shortage_at_the_counter_makes_it_cheaper(town: Town) -> None:
    placed = town.order(3, mode="pickup", method="at_pickup")
    line = package(placed).lines[0]
    fulfilment.accept(actor=town.worker(), fulfilment_id=package(placed).id)
    fulfilment.mark_short(actor=town.worker(), line_id=line.id, units=1)
    pick(town, placed)
    fulfilment.collect(
        actor=town.worker(), store_id=town.stores[0], code=fulfilment_code(placed.order_id), cash_received=1180
    )
    outbox.drain()
    order = view(placed)
    assert (order.status, order.payment_status, order.reduced, order.captured) == ("completed", "paid", 590, 1180)


def fulfilment_code(order_id: UUID) -> str:
    from highstreet.trade.fulfilment.models import PickupCode

    return PickupCode.objects.get(fulfilment__order_id=order_id).code


def test_nobody_pays_and_everything_is_free_again(town: Town) -> None:
    placed = town.order(2, 2, 2)
    with later(9):
        assert actions.expire_due(actor=THE_SYSTEM) == 0
    with later(11):
        assert actions.expire_due(actor=THE_SYSTEM) == 1
        order = view(placed)
        assert (order.status, order.payment_status, order.end_reason) == ("expired", "unpaid", "expired")
    assert [town.level(index).free for index in range(3)] == [20, 20, 20]
    assert capacity(town) == (0, 0)
    assert placed.order_id in town.promise.voided


@pytest.mark.parametrize("swept", [True, False])
def test_a_late_payment_is_fulfilled_while_the_units_are_there(town: Town, swept: bool) -> None:
    placed = town.order(2)
    with later(11):
        if swept:
            actions.expire_due(actor=THE_SYSTEM)
        pay(placed)
        order = view(placed)
        assert (order.status, order.payment_status, order.refunded) == ("confirmed", "paid", 0)
        assert (town.level(0).held, town.level(0).allocated, capacity(town)) == (0, 2, (0, 1))
        assert order.ended_at is None
        assert order.promised_to == town.promise.kept[placed.order_id].promised_to
        deliver(town, placed)


@pytest.mark.parametrize("swept", [True, False])
def test_a_late_payment_goes_back_when_the_units_are_gone(town: Town, swept: bool) -> None:
    placed = town.order(2)
    with later(11):
        if swept:
            actions.expire_due(actor=THE_SYSTEM)
            town.order(19)
        else:
            town.promise.none_at.add(town.stores[0])
        pay(placed)
        order = view(placed)
        assert (order.status, order.refunded, order.fulfilment) == ("expired", order.total, None)
        assert settle_refunds(placed) == order.total
        assert view(placed).payment_status == "refunded"
        assert town.level(0).allocated == 0
        assert town.balance("customer_funds") == town.balance("refunds_payable") == 0


def test_a_payment_of_a_cancelled_order_goes_back(town: Town) -> None:
    placed = town.order(1)
    actions.cancel(actor=THE_SYSTEM, order_id=placed.order_id)
    pay(placed)
    order = view(placed)
    assert (order.status, order.refunded) == ("cancelled", order.total)
    settle_refunds(placed)
    assert view(placed).payment_status == "refunded"


def test_paying_twice_gives_the_second_payment_back(town: Town) -> None:
    from highstreet.trade.orders.models import Order
    from highstreet.trade.payments import actions as payments

    placed = town.order(1)
    row = Order.objects.get(pk=placed.order_id)
    second = payments.create_intent(
        actor=THE_SYSTEM,
        payable=row.pk,
        organisation_id=row.organisation_id,
        provider="wechat",
        amount=row.total,
        currency="CNY",
        description="again",
        expires_at=row.expires_at,
    )
    pay(placed)
    pay(placed, intent_id=second.id)
    order = view(placed)
    assert (order.status, order.payment_status, order.captured) == ("confirmed", "overpaid", 2 * order.total)
    assert order.refunded == order.total
    assert [refund.intent_id for refund in order.refunds] == [second.id]
    settle_refunds(placed)
    assert view(placed).payment_status == "paid"
    deliver(town, placed)
    assert town.balance("goods_revenue") + town.balance("delivery_revenue") == -order.total


def test_cancelling_a_paid_order_gives_everything_back(town: Town) -> None:
    placed = town.paid(2, 1)
    actions.cancel(actor=THE_SYSTEM, order_id=placed.order_id, reason="changed my mind")
    outbox.drain()
    order = view(placed)
    assert (order.status, order.end_reason, order.refunded) == ("cancelled", "changed my mind", order.total)
    assert package(placed).status == "cancelled"
    assert (town.level(0).free, capacity(town)) == (20, (0, 0))
    settle_refunds(placed)
    assert view(placed).payment_status == "refunded"
    assert town.balance("customer_funds") == town.balance("provider_wechat") == 0


def test_who_ordered_may_cancel_until_picking_starts(town: Town) -> None:
    from dataclasses import replace

    from highstreet.kernel.policy import NOBODY

    placed = town.paid(1)
    guest = replace(NOBODY, order_keys=frozenset({placed.key}))
    stranger = replace(NOBODY, order_keys=frozenset({"0" * 32}))
    with pytest.raises(Refused, match="not_found"):
        actions.cancel(actor=stranger, order_id=placed.order_id)
    with pytest.raises(Refused, match=r"not_signed_in|forbidden"):
        actions.cancel(actor=town.worker(), order_id=placed.order_id)
    fulfilment.accept(actor=town.worker(), fulfilment_id=package(placed).id)
    fulfilment.start_picking(actor=town.worker(), fulfilment_id=package(placed).id)
    with pytest.raises(Refused, match="too_late_to_cancel"):
        actions.cancel(actor=guest, order_id=placed.order_id)
    assert view(placed).status == "confirmed"


def test_a_rejected_order_goes_to_the_next_store(town: Town) -> None:
    placed = town.paid(2, 1)
    first = package(placed)
    fulfilment.reject(actor=town.worker(), fulfilment_id=first.id, reason="too_busy")
    outbox.drain()
    order, second = view(placed), package(placed)
    assert (order.status, order.store.id, second.store_id) == ("confirmed", town.stores[1], town.stores[1])
    assert (second.status, second.group != first.group) == ("pending", True)
    assert (town.level(0).free, town.level(0, 1).allocated, capacity(town)) == (20, 2, (0, 1))
    assert [entry["verdict"] for entry in order.routing][-2:] == ["rejected", "rerouted"]
    assert order.refunded == 0


@pytest.mark.parametrize("why", ["no_promise", "too_late", "sold_out"])
def test_a_rejected_order_that_nobody_can_keep_is_made_good(town: Town, why: str) -> None:
    placed = town.paid(2, 1)
    for index in (1, 2):
        if why == "no_promise":
            town.promise.none_at.add(town.stores[index])
        elif why == "too_late":
            town.promise.minutes[town.stores[index]] = 46
        else:
            for _ in range(2):
                town.order(0, 10, store=town.stores[index])
    fulfilment.reject(actor=town.worker(), fulfilment_id=package(placed).id, reason="out_of_stock")
    outbox.drain()
    order = view(placed)
    assert (order.status, order.end_reason, order.refunded) == ("cancelled", "no_store", order.total)
    assert (town.level(0).free, town.level(1).free) == (20, 20)
    assert points_of(order.customer_id) == 500


def points_of(customer_id: UUID) -> int:
    from highstreet.kernel import ledger
    from highstreet.kernel.ledger import AccountRef

    return -ledger.balance(AccountRef(customer_id, "points", "PTS"))


def test_an_order_that_no_store_answers_goes_from_one_to_the_next_and_is_made_good(town: Town) -> None:
    town.promise.minutes |= {town.stores[1]: 10, town.stores[2]: 15}
    placed = town.paid(2, 1)
    for number, minutes in enumerate((11, 22, 33)):
        assert package(placed).store_id == town.stores[number]
        with later(minutes):
            assert fulfilment.give_up_unanswered(actor=THE_SYSTEM) == 1
            outbox.drain()
    order = view(placed)
    assert [entry.get("why") for entry in order.routing if entry["verdict"] == "rejected"] == ["no_answer"] * 3
    assert (order.status, order.end_reason, order.refunded) == ("cancelled", "no_store", order.total)
    assert ([town.level(0, store).free for store in range(3)], capacity(town)) == ([20] * 3, (0, 0))
    assert points_of(order.customer_id) == 500


@pytest.mark.parametrize("mode", ["delivery", "pickup"])
def test_an_order_that_is_never_packed_is_cancelled_in_full(town: Town, mode: str) -> None:
    placed = town.order(2, 1, mode=mode)
    pay(placed)
    fulfilment.accept(actor=town.worker(), fulfilment_id=package(placed).id)
    with later(45 + 121):
        assert fulfilment.give_up_unpacked(actor=THE_SYSTEM) == 1
        outbox.drain()
        order = view(placed)
        assert (order.status, order.end_reason, order.refunded) == ("cancelled", "not_packed", order.total)
        assert (package(placed).status, town.level(0).free, capacity(town)) == ("cancelled", 20, (0, 0))
        assert placed.order_id in town.promise.voided


def test_a_rejected_pickup_is_cancelled_in_full(town: Town) -> None:
    placed = town.order(1, mode="pickup")
    pay(placed)
    fulfilment.reject(actor=town.worker(), fulfilment_id=package(placed).id, reason="closing")
    outbox.drain()
    order = view(placed)
    assert (order.status, order.refunded) == ("cancelled", order.total)


def test_goods_that_come_back_end_the_order_in_a_refund(town: Town) -> None:
    placed = town.paid(1)
    pick(town, placed)
    box = package(placed)
    fulfilment.hand_over(actor=THE_SYSTEM, fulfilment_id=box.id)
    fulfilment.fail(actor=THE_SYSTEM, fulfilment_id=box.id, reason="nobody_home")
    fulfilment.return_(actor=THE_SYSTEM, fulfilment_id=box.id)
    outbox.drain()
    order = view(placed)
    assert (order.status, order.end_reason, order.refunded) == ("cancelled", "returned", order.total)
    assert town.level(0).on_hand == 20
