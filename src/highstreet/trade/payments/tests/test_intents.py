"""Payments asked for, started, asked about, closed; the sweep; the counter."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction

from highstreet.kernel import clock, ids
from highstreet.kernel.policy import NOBODY, THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.trade.fulfilment import ports as fulfilment
from highstreet.trade.payments import actions, reads
from highstreet.trade.payments.gateways import ProviderUnavailable
from highstreet.trade.payments.models import Alert, PaymentIntent

from . import support
from .support import Provider, Told, assert_clean, balance

pytestmark = pytest.mark.django_db
STAFF = Actor(kind="staff", user_id=ids.new_id(), permissions=frozenset({"fulfilment.work"}))


def start(intent: PaymentIntent, openid: str = "") -> reads.IntentView:
    return actions.start(actor=NOBODY, intent_id=intent.pk, openid=openid)


def code(work: object, **kwargs: object) -> str:
    with pytest.raises(Refused) as caught:
        work(**kwargs)  # type: ignore[operator]
    return caught.value.reason.code


def test_starting_twice_asks_once(provider: Provider) -> None:
    intent = support.an_intent()
    first, second = start(intent), start(intent)
    assert first.code_url == second.code_url == f"weixin://wxpay/{intent.out_trade_no}"
    assert provider.calls_made == ["start"]
    assert start(intent, "oUser").jsapi == {"package": f"prepay_id={intent.out_trade_no}"}


def test_silence_at_the_start_changes_nothing(provider: Provider) -> None:
    intent = support.an_intent()
    provider.down = True
    assert code(actions.start, actor=NOBODY, intent_id=intent.pk) == "provider_silent"
    intent.refresh_from_db()
    assert (intent.status, intent.code_url) == ("created", "")
    provider.down = False
    assert start(intent).code_url


def test_a_no_at_the_start_fails_the_payment_and_alerts(provider: Provider) -> None:
    intent = support.an_intent()
    provider.says_no = "PARAM_ERROR"
    assert code(actions.start, actor=NOBODY, intent_id=intent.pk) == "provider_said_no"
    intent.refresh_from_db()
    assert intent.status == "failed" and Alert.objects.get().facts == {"code": "PARAM_ERROR"}
    assert code(actions.start, actor=NOBODY, intent_id=intent.pk) == "payment_over"


def test_started_though_paid_is_captured(provider: Provider, told: Told) -> None:
    intent = support.an_intent()
    provider.says_no = "ORDERPAID"
    provider.paid(intent)
    assert start(intent).status == "captured"
    assert told.captures == [(intent.payable, 2590)]
    assert_clean()


def test_an_expired_payment_is_not_started(provider: Provider) -> None:
    intent = support.an_intent()
    with clock.advanced(timedelta(minutes=10)):
        assert code(actions.start, actor=NOBODY, intent_id=intent.pk) == "payment_over"
    assert provider.calls_made == []


def test_providers_are_not_called_inside_a_transaction(provider: Provider) -> None:
    intent = support.an_intent()
    with transaction.atomic(), pytest.raises(RuntimeError):
        start(intent)
    assert provider.calls_made == []


def test_senseless_payments_are_refused(provider: Provider) -> None:
    for amount in (0, -1, 10**13):
        with pytest.raises(Refused):
            support.an_intent(amount)
    with pytest.raises(Refused):
        support.an_intent(provider="bitcoin")
    assert code(actions.start, actor=NOBODY, intent_id=ids.new_id()) == "not_found"
    assert code(actions.query, actor=NOBODY, intent_id=ids.new_id()) == "not_signed_in"


def test_the_sweep_finds_what_no_notification_told(provider: Provider, told: Told) -> None:
    paid = [support.an_intent(100 + number) for number in range(5)]
    unpaid = support.an_intent()
    for intent in paid:
        provider.paid(intent)
    assert actions.sweep_intents(actor=THE_SYSTEM) == 0
    with clock.advanced(timedelta(seconds=21)):
        assert actions.sweep_intents(actor=THE_SYSTEM) == 6
        assert actions.sweep_intents(actor=THE_SYSTEM) == 0
    with clock.advanced(timedelta(seconds=27)):
        assert actions.sweep_intents(actor=THE_SYSTEM) == 1
    assert len(told.captures) == 5
    unpaid.refresh_from_db()
    assert unpaid.status == "created"
    assert_clean()


def test_a_query_that_tells_another_amount_pays_nothing(provider: Provider, told: Told) -> None:
    intent = support.an_intent()
    provider.paid(intent, amount=2589)
    assert actions.query(actor=THE_SYSTEM, intent_id=intent.pk) == "created"
    assert actions.query(actor=THE_SYSTEM, intent_id=intent.pk) == "created"
    assert told.captures == [] and Alert.objects.count() == 1


def test_the_sweep_closes_what_expired_and_survives_silence(provider: Provider, told: Told) -> None:
    intent = support.an_intent()
    with clock.advanced(timedelta(minutes=11)):
        provider.down = True
        assert actions.sweep_intents(actor=THE_SYSTEM) == 1
        intent.refresh_from_db()
        assert intent.status == "created"
        provider.down = False
        actions.sweep_intents(actor=THE_SYSTEM)
    intent.refresh_from_db()
    assert intent.status == "closed" and provider.calls_made[-1] == "close"
    assert_clean()


def test_closing_is_told_to_the_provider_first(provider: Provider, told: Told) -> None:
    intent = support.an_intent()
    provider.down = True
    with pytest.raises(ProviderUnavailable):
        actions.close_now(actor=THE_SYSTEM, intent_id=intent.pk)
    intent.refresh_from_db()
    assert intent.status == "created"
    provider.down, provider.says_no = False, "ORDERPAID"
    provider.paid(intent)
    assert actions.close_now(actor=THE_SYSTEM, intent_id=intent.pk) == "captured"
    assert told.captures == [(intent.payable, 2590)]
    gone = support.an_intent()
    provider.says_no = "ORDER_NOT_EXIST"
    assert actions.close_now(actor=THE_SYSTEM, intent_id=gone.pk) == "closed"
    assert_clean()


def test_closing_inside_a_transaction_leaves_it_to_a_job(provider: Provider) -> None:
    with transaction.atomic():
        actions.close(actor=THE_SYSTEM, intent_id=support.an_intent().pk)
    assert provider.calls_made == []


def test_cash_at_the_counter_is_booked_as_cash(told: Told) -> None:
    intent = support.an_intent(2590, "at_pickup")
    till = fulfilment.counter()
    assert code(till.take, actor=STAFF, payable=intent.payable, amount=2591) == "invalid"
    till.take(actor=STAFF, payable=intent.payable, amount=1990)
    assert code(till.take, actor=STAFF, payable=intent.payable, amount=1990) == "nothing_open"
    intent.refresh_from_db()
    assert (intent.status, intent.captured) == ("captured", 1990)
    assert (balance(intent, "store_cash"), balance(intent, "customer_funds")) == (1990, -1990)
    assert told.captures == [(intent.payable, 1990)]
    assert code(actions.capture_at_counter, actor=NOBODY, intent_id=intent.pk, amount=1) == "not_signed_in"
    assert_clean()


def test_wechat_is_not_captured_at_the_counter(provider: Provider, told: Told) -> None:
    intent = support.an_intent()
    assert code(actions.capture_at_counter, actor=STAFF, intent_id=intent.pk, amount=2590) == "nothing_open"
    assert actions.start(actor=NOBODY, intent_id=support.an_intent(1, "at_pickup").pk).code_url == ""


def test_what_is_told_of_payments(provider: Provider) -> None:
    intent = support.an_intent()
    assert [view.id for view in reads.intents(intent.payable)] == [intent.pk]
    assert reads.intent(intent.pk).left == 0 and reads.refunds(intent.payable) == []
    provider.says_no = "SIGN_ERROR"
    with pytest.raises(Refused):
        start(intent)
    support_staff = Actor(
        user_id=ids.new_id(),
        organisation_id=intent.organisation_id,
        store_ids=None,
        permissions=frozenset({"console.read", "orders.refund"}),
    )
    (alert,) = reads.alerts(support_staff)
    for other in ({"organisation_id": ids.new_id()}, {"store_ids": frozenset({ids.new_id()})}):
        stranger = replace(support_staff, **other)
        assert reads.alerts(stranger) == []
        assert code(actions.close_alert, actor=stranger, alert_id=alert.id) == "not_found"
    assert code(reads.alerts, actor=NOBODY) == "not_signed_in"
    actions.close_alert(actor=support_staff, alert_id=alert.id)
    assert reads.alerts(support_staff) == []
    assert code(actions.close_alert, actor=support_staff, alert_id=alert.id) == "not_found"
