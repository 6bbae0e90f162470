"""Cash at the door: a courier takes what is due, and has it until it is handed in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from highstreet.kernel import ids, ledger, outbox
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.models import Organisation
from highstreet.trade.fulfilment import actions as fulfilment
from highstreet.trade.orders import actions
from highstreet.trade.orders.actions import Placed
from highstreet.trade.payments import actions as payments
from highstreet.trade.payments.models import PaymentIntent

from .support import Town, package, pick, settle_refunds, view

COURIER = ids.new_id()


def on_the_road(town: Town, placed: Placed) -> None:
    pick(town, placed)
    outbox.drain()
    fulfilment.hand_over(actor=THE_SYSTEM, fulfilment_id=package(placed).id)


def hand_out(placed: Placed, cash: int) -> None:
    fulfilment.deliver(actor=THE_SYSTEM, fulfilment_id=package(placed).id, cash=cash, courier_id=COURIER)
    outbox.drain()


def in_hand() -> int:
    return ledger.balance(AccountRef(COURIER, "courier_cash", "CNY"))


def terms(town: Town, **policy: int) -> None:
    Organisation.objects.filter(pk=town.retailer).update(policy=policy)
    organisations.forget()


def support_of(town: Town) -> Actor:
    return Actor(
        kind="employee",
        user_id=ids.new_id(),
        organisation_id=town.retailer,
        store_ids=None,
        permissions=frozenset({"console.read", "orders.refund"}),
    )


def test_the_courier_takes_the_cash_and_has_it(town: Town) -> None:
    placed = town.order(2, method="at_door")
    order = view(placed)
    assert (placed.status, order.payment_status, package(placed).collect_due) == ("confirmed", "unpaid", 1680)
    assert PaymentIntent.objects.get(payable=placed.order_id).provider == "at_door"
    on_the_road(town, placed)
    hand_out(placed, 1680)
    order = view(placed)
    assert (order.status, order.payment_status, order.captured) == ("completed", "paid", 1680)
    assert (in_hand(), town.balance("store_cash"), town.balance("customer_funds")) == (1680, 0, 0)
    assert town.balance("goods_revenue") == -1180
    fulfilment.deliver(actor=THE_SYSTEM, fulfilment_id=package(placed).id, cash=1680, courier_id=COURIER)
    assert in_hand() == 1680


@pytest.mark.parametrize("said", [0, 1679, 1681, 168000])
def test_it_is_not_handed_out_for_another_amount(town: Town, said: int) -> None:
    placed = town.order(2, method="at_door")
    on_the_road(town, placed)
    with pytest.raises(Refused, match="cash_changed") as refused:
        hand_out(placed, said)
    assert refused.value.facts["amount"] == 1680 and "¥16.80" in str(refused.value.words)
    assert (view(placed).status, in_hand()) == ("confirmed", 0)
    assert package(placed).status == "handed_over"
    hand_out(placed, 1680)


def test_an_order_that_was_paid_takes_no_cash(town: Town) -> None:
    placed = town.paid(1)
    on_the_road(town, placed)
    with pytest.raises(Refused, match="cash_changed"):
        hand_out(placed, 1090)
    hand_out(placed, 0)
    assert (view(placed).status, in_hand()) == ("completed", 0)


def test_a_shortage_and_a_cheaper_substitute_make_it_cheaper(town: Town) -> None:
    placed = town.order(3, 1, method="at_door")
    box = package(placed)
    lines = {line.variant_id: line.id for line in box.lines}
    fulfilment.accept(actor=town.worker(), fulfilment_id=box.id)
    fulfilment.mark_short(actor=town.worker(), line_id=lines[town.variants[0]], units=1)
    assert package(placed).collect_due == 2 * 590 + 1290 + 500
    fulfilment.propose_substitute(
        actor=town.worker(), line_id=lines[town.variants[1]], variant_id=town.variants[2], units=1
    )
    on_the_road(town, placed)
    assert package(placed).collect_due == view(placed).due == 2 * 590 + 250 + 500
    hand_out(placed, 1930)
    order = view(placed)
    assert (order.status, order.payment_status, in_hand(), order.given_back) == ("completed", "paid", 1930, 0)


def test_support_makes_it_cheaper_on_the_road_and_the_courier_is_told(town: Town) -> None:
    placed = town.order(2, method="at_door")
    on_the_road(town, placed)
    line = view(placed).lines[0].id
    assert actions.refund_units(actor=support_of(town), order_line_id=line, units=1, reason="bruised") == 590
    with pytest.raises(Refused, match="cash_changed") as refused:
        hand_out(placed, 1680)
    assert refused.value.facts["amount"] == 1090
    hand_out(placed, 1090)
    assert (view(placed).payment_status, in_hand()) == ("paid", 1090)


def test_what_support_gave_back_and_the_store_lacks_is_taken_off_once(town: Town) -> None:
    placed = town.order(3, 1, method="at_door")
    box = package(placed)
    lines = {line.variant_id: line for line in box.lines}
    short = lines[town.variants[0]]
    actions.refund_units(actor=support_of(town), order_line_id=short.order_line_id, units=2, reason="changed")
    fulfilment.accept(actor=town.worker(), fulfilment_id=box.id)
    fulfilment.mark_short(actor=town.worker(), line_id=short.id, units=3)
    on_the_road(town, placed)
    assert package(placed).collect_due == view(placed).due == 1290 + 500
    hand_out(placed, 1790)


def test_what_costs_nothing_in_the_end_is_handed_out_without_cash(town: Town) -> None:
    terms(town, delivery_fee=0)
    placed = town.order(1, method="at_door")
    on_the_road(town, placed)
    line = view(placed).lines[0].id
    actions.refund_units(actor=support_of(town), order_line_id=line, units=1, reason="bruised")
    hand_out(placed, 0)
    intent = PaymentIntent.objects.get(payable=placed.order_id)
    payments.close_now(actor=THE_SYSTEM, intent_id=intent.pk)
    intent.refresh_from_db()
    assert (view(placed).status, in_hand(), intent.status) == ("completed", 0, "closed")


def test_who_does_not_pay_owes_nothing_and_gets_nothing_back(town: Town) -> None:
    placed = town.order(2, method="at_door")
    on_the_road(town, placed)
    box = package(placed)
    fulfilment.fail(actor=THE_SYSTEM, fulfilment_id=box.id, reason="not_paid")
    fulfilment.return_(actor=THE_SYSTEM, fulfilment_id=box.id)
    outbox.drain()
    intent = PaymentIntent.objects.get(payable=placed.order_id)
    payments.close_now(actor=THE_SYSTEM, intent_id=intent.pk)
    intent.refresh_from_db()
    order = view(placed)
    assert (order.status, order.payment_status, order.refunded, order.refunds) == ("cancelled", "unpaid", 0, [])
    assert (intent.status, in_hand(), town.balance("refunds_payable")) == ("closed", 0, 0)
    assert town.level(0).on_hand == 20


def test_what_goes_back_later_comes_out_of_the_stores_cash(town: Town) -> None:
    placed = town.order(2, method="at_door")
    on_the_road(town, placed)
    hand_out(placed, 1680)
    line = view(placed).lines[0].id
    actions.refund_units(actor=support_of(town), order_line_id=line, units=1, reason="bruised")
    assert settle_refunds(placed) == 590
    assert (in_hand(), town.balance("store_cash"), town.balance("refunds_payable")) == (1680, -590, 0)
    assert view(placed).payment_status == "partially_refunded"


@pytest.mark.parametrize(
    ("policy", "mode", "code"),
    [
        ({}, "pickup", "pay_at_door_only"),
        ({"cash_at_door": 0}, "delivery", "no_cash_at_door"),
        ({"cash_at_door": 1089}, "delivery", "cash_limit"),
        ({"cash_at_door": 1090}, "delivery", ""),
    ],
)
def test_where_the_door_takes_cash(town: Town, policy: dict[str, int], mode: str, code: str) -> None:
    terms(town, **policy)
    if not code:
        assert town.order(1, mode=mode, method="at_door").status == "confirmed"
        return
    with pytest.raises(Refused, match=code) as refused:
        town.order(1, mode=mode, method="at_door")
    assert code != "cash_limit" or "¥10.89" in str(refused.value.words)
    assert PaymentIntent.objects.count() == 0
    assert replace(town.level(0), on_hand=20).held == 0


def test_up_to_five_hundred_yuan_unless_said_otherwise(town: Town) -> None:
    assert town.order(0, 0, 0, 12, method="at_door").status == "confirmed"
    with pytest.raises(Refused, match="cash_limit"):
        town.order(0, 0, 0, 13, method="at_door")
