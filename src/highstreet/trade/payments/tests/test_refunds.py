from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections

from highstreet.kernel import clock, ids
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.trade.payments import actions, reads
from highstreet.trade.payments.gateways import ProviderUnavailable
from highstreet.trade.payments.models import Alert, PaymentIntent, Refund
from highstreet.trade.payments.sandbox.crypto import SandboxKeys

from . import support
from .support import Provider, Told, assert_clean, balance


@pytest.fixture
def paid(db: None, provider: Provider, told: Told, keys: SandboxKeys) -> PaymentIntent:
    intent = support.an_intent()
    support.pay(keys, intent)
    return intent


def ask(intent: PaymentIntent, amount: int, key: str) -> Refund:
    made = actions.refund(actor=THE_SYSTEM, payable=intent.payable, amount=amount, reason="short", key=key)
    return Refund.objects.get(pk=made)


def send(refund: Refund) -> str:
    return actions.send_refund(actor=THE_SYSTEM, refund_id=refund.pk)


def test_one_key_is_one_refund(paid: PaymentIntent) -> None:
    assert ask(paid, 100, "k").pk == ask(paid, 100, "k").pk
    paid.refresh_from_db()
    assert paid.refunded == 100
    assert_clean()


def test_no_more_is_refunded_than_was_captured(paid: PaymentIntent) -> None:
    ask(paid, 2000, "a")
    for amount in (591, 10**15):
        with pytest.raises(Refused) as refused:
            ask(paid, amount, f"b{amount}")
        assert refused.value.reason.code == "more_than_left"
    for amount in (0, -5):
        with pytest.raises(Refused):
            ask(paid, amount, f"c{amount}")
    ask(paid, 590, "d")
    assert Refund.objects.count() == 2
    assert_clean()


def test_a_refund_survives_the_providers_silence(paid: PaymentIntent, provider: Provider, told: Told) -> None:
    refund = ask(paid, 500, "k")
    provider.down = True
    for _ in range(3):
        with pytest.raises(ProviderUnavailable):
            send(refund)
    refund.refresh_from_db()
    assert (refund.status, refund.tries) == ("requested", 3)
    provider.down = False
    assert send(refund) == "sent"
    assert told.refunds == [] and support.journals("refund_settled") == 0
    provider.refunds.clear()
    provider.refund_state = "succeeded"
    assert send(refund) == "succeeded"
    assert send(refund) == "succeeded"
    assert told.refunds == [(paid.payable, 500)]
    assert (balance(paid, "refunds_payable"), balance(paid, "provider_wechat")) == (500, 2090)
    assert len(provider.refunds) == 1
    assert_clean()


def test_the_refund_notification_settles_once(
    paid: PaymentIntent, provider: Provider, told: Told, keys: SandboxKeys
) -> None:
    refund = ask(paid, 500, "k")
    send(refund)
    facts = {
        "out_trade_no": paid.out_trade_no,
        "out_refund_no": refund.out_refund_no,
        "amount": {"total": 2590, "refund": 500, "payer_total": 2590, "payer_refund": 500},
    }
    for expected in ("settled", "repeated"):
        event = support.receive(*support.refund_notice(keys, **facts))
        assert actions.apply_event(actor=THE_SYSTEM, event_id=event) == expected
    assert told.refunds == [(paid.payable, 500)] and support.journals("refund_settled") == 1
    assert reads.refunds(paid.payable)[0].done_at is not None
    assert_clean()


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": {"total": 2590, "refund": 501}},
        {"out_trade_no": "hs00000000"},
        {"mchid": "1900000001"},
        {"refund_status": "PROCESSING"},
    ],
)
def test_a_refund_notification_that_does_not_fit_settles_nothing(
    paid: PaymentIntent, provider: Provider, told: Told, keys: SandboxKeys, wrong: dict[str, object]
) -> None:
    refund = ask(paid, 500, "k")
    send(refund)
    facts: dict[str, object] = {
        "out_trade_no": paid.out_trade_no,
        "out_refund_no": refund.out_refund_no,
        "amount": {"total": 2590, "refund": 500},
        **wrong,
    }
    event = support.receive(*support.refund_notice(keys, **facts))
    assert actions.apply_event(actor=THE_SYSTEM, event_id=event).startswith("mismatch:")
    refund.refresh_from_db()
    assert refund.status == "sent" and told.refunds == [] and Alert.objects.count() == 1
    assert_clean()


def test_low_balance_waits_other_refusals_fail_and_may_be_sent_anew(
    paid: PaymentIntent, provider: Provider, told: Told
) -> None:
    refund = ask(paid, 500, "k")
    provider.says_no = "NOT_ENOUGH"
    assert send(refund) == "requested"
    assert send(refund) == "requested"
    assert Alert.objects.count() == 1
    provider.says_no = "PARAM_ERROR"
    assert send(refund) == "failed"
    number = Refund.objects.get(pk=refund.pk).out_refund_no
    support = Actor(
        user_id=ids.new_id(),
        organisation_id=paid.organisation_id,
        store_ids=None,
        permissions=frozenset({"orders.refund"}),
    )
    with pytest.raises(Refused) as another:
        actions.retry_refund(actor=replace(support, organisation_id=ids.new_id()), refund_id=refund.pk)
    assert another.value.reason.code == "not_found"
    actions.retry_refund(actor=support, refund_id=refund.pk)
    provider.says_no, provider.refund_state = "", "succeeded"
    assert send(refund) == "succeeded"
    assert Refund.objects.get(pk=refund.pk).out_refund_no != number
    assert told.refunds == [(paid.payable, 500)]
    assert_clean()


def test_the_sweep_sends_and_asks_until_it_is_done(paid: PaymentIntent, provider: Provider, told: Told) -> None:
    refund = ask(paid, 500, "k")
    with clock.advanced(timedelta(seconds=6)):
        assert actions.sweep_refunds(actor=THE_SYSTEM) == 1
        assert actions.sweep_refunds(actor=THE_SYSTEM) == 0
    provider.refunds.clear()
    provider.refund_state = "succeeded"
    with clock.advanced(timedelta(seconds=20)):
        assert actions.sweep_refunds(actor=THE_SYSTEM) == 1
        assert actions.sweep_refunds(actor=THE_SYSTEM) == 0
    refund.refresh_from_db()
    assert refund.status == "succeeded" and provider.calls_made[-2:] == ["query_refund", "refund"]
    assert_clean()


def test_cash_goes_back_over_the_counter(db: None, told: Told) -> None:
    intent = support.an_intent(2590, "at_pickup")
    staff = Actor(user_id=ids.new_id(), permissions=frozenset({"fulfilment.work"}))
    actions.capture_at_counter(actor=staff, intent_id=intent.pk, amount=2590)
    assert send(ask(intent, 590, "k")) == "succeeded"
    assert (balance(intent, "store_cash"), balance(intent, "refunds_payable")) == (2000, 590)
    assert_clean()


def test_the_payment_that_was_too_much_is_the_one_given_back(
    db: None, provider: Provider, told: Told, keys: SandboxKeys
) -> None:
    order = ids.new_id()
    first, second = support.an_intent(payable=order), support.an_intent(payable=order)
    support.pay(keys, first)
    support.pay(keys, second)
    made = actions.refund(actor=THE_SYSTEM, payable=order, amount=2590, reason="twice", key="k", intent_id=second.pk)
    assert Refund.objects.get(pk=made).intent_id == second.pk


@pytest.mark.django_db(transaction=True)
def test_of_a_hundred_refunds_of_one_yuan_sixty_pass(provider: Provider, told: Told, keys: SandboxKeys) -> None:
    intent = support.an_intent(6000)
    support.pay(keys, intent)
    barrier = Barrier(10)

    def ten(thread: int) -> int:
        try:
            barrier.wait()
            passed = 0
            for number in range(10):
                try:
                    ask(intent, 100, f"{thread}-{number}")
                    passed += 1
                except Refused as refused:
                    assert refused.reason.code == "more_than_left"
            return passed
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(ten, range(10))) == 60
    intent.refresh_from_db()
    assert intent.refunded == 6000 and Refund.objects.count() == 60
    assert_clean()


@pytest.mark.django_db(transaction=True)
def test_one_notification_applied_by_eight_workers_at_once_is_one_posting(
    provider: Provider, told: Told, keys: SandboxKeys
) -> None:
    intent = support.an_intent()
    events = [support.receive(*support.notice(keys, intent)) for _ in range(4)]
    barrier = Barrier(8)

    def work(number: int) -> str:
        try:
            barrier.wait()
            return actions.apply_event(actor=THE_SYSTEM, event_id=events[number % 4])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(work, range(8)))
    assert set(outcomes) == {"captured", "repeated"} and len(told.captures) == 1
    assert support.journals("payment_captured") == 1
    assert_clean()
