"""Notifications: forged, repeated, about the wrong thing, too early, too late (P1-P5, in small)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client

from highstreet.kernel import clock, ids
from highstreet.kernel.models import Journal
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.payments import actions, gateways, jobs, ports
from highstreet.trade.payments.actions import callbacks
from highstreet.trade.payments.models import Alert, PaymentIntent, TransactionEvent
from highstreet.trade.payments.sandbox import forge
from highstreet.trade.payments.sandbox.crypto import SandboxKeys

from . import support
from .support import Provider, Told, assert_clean, balance

pytestmark = pytest.mark.django_db
NOTIFY = "/api/v1/payments/wechat/notify"


def post(headers: Any, body: bytes, path: str = NOTIFY) -> Any:
    plain = {name: value for name, value in dict(headers).items() if name.lower() != "content-type"}
    return Client().post(path, data=body, content_type="application/json", headers=plain)


def apply(event_id: Any) -> str:
    return actions.apply_event(actor=THE_SYSTEM, event_id=event_id)


def test_forgeries_of_every_kind_are_refused_through_http(provider: Provider, told: Told, keys: SandboxKeys) -> None:
    intent = support.an_intent()
    wanted = forge.transaction_resource(
        keys.config,
        out_trade_no=intent.out_trade_no,
        amount={"total": intent.amount, "currency": "CNY", "payer_total": intent.amount, "payer_currency": "CNY"},
    )
    answers = set()
    count = 0
    for kind, headers, body in forge.forgeries(keys.config, keys, seed=7, per_kind=7, resource=wanted):
        answer = post(headers, body)
        assert answer.status_code == 401, kind
        problem = answer.json()
        assert set(problem) == {"type", "title", "status", "facts"} and problem["facts"] == {}
        answers.add(problem["title"])
        count += 1
    assert count >= 200 and len(answers) == 1
    assert not TransactionEvent.objects.exists() and told.captures == [] and provider.calls_made == []
    intent.refresh_from_db()
    assert intent.status == "created"
    assert_clean()


def test_a_genuine_notification_is_answered_kept_and_applied_once(
    provider: Provider, told: Told, keys: SandboxKeys
) -> None:
    intent = support.an_intent()
    headers, body = support.notice(keys, intent)
    for _ in range(3):
        answer = post(headers, body)
        assert (answer.status_code, answer.json()["code"]) == (200, "SUCCESS")
    event = TransactionEvent.objects.get()
    assert told.captures == []
    assert apply(event.pk) == "captured" and apply(event.pk) == "captured"
    intent.refresh_from_db()
    assert (intent.status, intent.captured, intent.provider_id[:3]) == ("captured", 2590, "420")
    assert told.captures == [(intent.payable, 2590)]
    assert (balance(intent, "provider_wechat"), balance(intent, "customer_funds")) == (2590, -2590)
    assert Journal.objects.get().cause == intent.payable
    assert_clean()


def test_a_thousand_replays_of_ten_payments_are_ten_postings(provider: Provider, told: Told, keys: SandboxKeys) -> None:
    intents = [support.an_intent(1000 + number) for number in range(10)]
    notices = [support.notice(keys, intent) for intent in intents]
    events = set()
    for turn in range(100):
        for intent, first in zip(intents, notices, strict=True):
            # The provider's own repetition, and now and then a second notification of the same payment.
            headers, body = first if turn % 10 else support.notice(keys, intent)
            event = support.receive(headers, body)
            events.add(event)
            apply(event)
    assert len(events) == TransactionEvent.objects.count() == 110
    assert support.journals("payment_captured") == len(told.captures) == 10
    assert balance(intents[0], "customer_funds") == -sum(intent.amount for intent in intents)
    assert not Alert.objects.exists()
    assert_clean()


WRONG: dict[str, dict[str, Any]] = {
    "one fen more": {"amount": {"total": 2591, "currency": "CNY"}},
    "one fen less": {"amount": {"total": 2589, "currency": "CNY"}},
    "one fen in all": {"amount": {"total": 1, "currency": "CNY"}},
    "other currency": {"amount": {"total": 2590, "currency": "USD"}},
    "amount in words": {"amount": {"total": "2590", "currency": "CNY"}},
    "no amount": {"amount": None},
    "other appid": {"appid": "wx0000000000000000"},
    "other mchid": {"mchid": "1900000001"},
    "not paid": {"trade_state": "NOTPAY"},
    "reversed": {"trade_state": "REVOKED"},
    "strange state": {"trade_state": "success"},
    "no payer": {"payer": {}},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_genuine_but_wrong_pays_nothing_and_alerts(
    provider: Provider, told: Told, keys: SandboxKeys, wrong: str
) -> None:
    intent = support.an_intent()
    event = support.receive(*support.notice(keys, intent, **WRONG[wrong]))
    assert apply(event).startswith("mismatch:")
    assert apply(event).startswith("mismatch:")
    intent.refresh_from_db()
    assert intent.status == "created" and told.captures == []
    assert Alert.objects.count() == 1 and support.journals("payment_captured") == 0
    assert_clean()


def test_another_orders_number_pays_neither(provider: Provider, told: Told, keys: SandboxKeys) -> None:
    mine, theirs = support.an_intent(2590), support.an_intent(9900)
    event = support.receive(*support.notice(keys, mine, out_trade_no=theirs.out_trade_no))
    assert apply(event) == "mismatch:amount"
    assert told.captures == [] and Alert.objects.get().facts["asked"] == 9900
    assert set(PaymentIntent.objects.values_list("status", flat=True)) == {"created"}


def test_a_second_payment_under_one_number_alerts(provider: Provider, told: Told, keys: SandboxKeys) -> None:
    intent = support.an_intent()
    support.pay(keys, intent)
    event = support.receive(*support.notice(keys, intent, transaction_id="4209999"))
    assert apply(event) == "mismatch:second_payment"
    assert len(told.captures) == 1 and Alert.objects.count() == 1
    assert_clean()


def test_a_notification_before_its_order_waits_in_the_inbox(provider: Provider, told: Told, keys: SandboxKeys) -> None:
    intent = support.an_intent()
    headers, body = support.notice(keys, intent)
    kept = PaymentIntent.objects.filter(pk=intent.pk).values().get()
    PaymentIntent.objects.all().delete()
    event = support.receive(headers, body)
    assert apply(event) == "waiting"
    with clock.advanced(timedelta(seconds=3)):
        assert jobs.sweep_inbox() == 1
        assert TransactionEvent.objects.get().applied_at is None
        PaymentIntent.objects.create(**kept)
        assert jobs.sweep_inbox() == 1 and jobs.sweep_inbox() == 0
    assert told.captures == [(intent.payable, 2590)] and not Alert.objects.exists()
    assert_clean()


def test_what_nobody_knows_becomes_an_alert(provider: Provider, told: Told, keys: SandboxKeys) -> None:
    intent = support.an_intent()
    event = support.receive(*support.notice(keys, intent, out_trade_no="hs0000000000"))
    assert apply(event) == "waiting"
    with clock.advanced(timedelta(minutes=5)):
        assert apply(event) == "unknown"
    assert Alert.objects.get().kind == "callback_unknown"


def test_an_unknown_kind_of_notification_is_kept_and_ignored(provider: Provider, keys: SandboxKeys) -> None:
    headers, body = forge.genuine(keys, {"something": "else"}, clock.wall(), "COUPON.USE")
    assert apply(support.receive(headers, body)) == "ignored"


def test_a_closed_payment_that_was_paid_is_passed_on(provider: Provider, told: Told, keys: SandboxKeys) -> None:
    intent = support.an_intent()
    actions.close_now(actor=THE_SYSTEM, intent_id=intent.pk)
    support.pay(keys, intent)
    assert intent.status == "captured" and told.captures == [(intent.payable, 2590)]
    assert_clean()


def test_two_payments_of_one_order_are_both_booked_and_passed_on(
    provider: Provider, told: Told, keys: SandboxKeys
) -> None:
    order = ids.new_id()
    first, second = support.an_intent(payable=order), support.an_intent(payable=order)
    support.pay(keys, first)
    support.pay(keys, second)
    assert told.captures == [(order, 2590)] * 2 and balance(first, "customer_funds") == -5180
    assert_clean()


def test_a_payable_that_fails_leaves_the_inbox_row_for_the_next_try(
    provider: Provider, told: Told, keys: SandboxKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Told):
        def captured(self, **facts: Any) -> None:
            raise IntegrityError("deadlock")

    intent = support.an_intent()
    event = support.receive(*support.notice(keys, intent))
    monkeypatch.setattr(ports.payables, "_filled", Broken())
    with pytest.raises(IntegrityError):
        apply(event)
    intent.refresh_from_db()
    assert intent.status == "created" and support.journals("payment_captured") == 0
    monkeypatch.setattr(ports.payables, "_filled", told)
    with clock.advanced(timedelta(seconds=5)):
        jobs.sweep_inbox()
    assert told.captures == [(intent.payable, 2590)]
    assert_clean()


def test_too_large_and_unknown_providers_are_refused(provider: Provider) -> None:
    assert post({}, b"x" * (64 * 1024 + 1)).status_code == 413
    assert post({}, b"{}", "/api/v1/payments/nobody/notify").status_code == 404
    assert post({}, b"{}", "/api/v1/payments/at_pickup/notify").status_code == 401
    assert Client().get(NOTIFY).status_code == 405


def test_without_a_configuration_there_is_no_wechat(settings: Any) -> None:
    settings.WECHAT_CONFIG = ""
    assert post({}, b"{}").status_code == 404


def test_csrf_is_not_asked_of_providers(provider: Provider, told: Told, keys: SandboxKeys) -> None:
    headers, body = support.notice(keys, support.an_intent())
    client = Client(enforce_csrf_checks=True)
    assert client.post(NOTIFY, data=body, content_type="application/json", headers=dict(headers)).status_code == 200


def test_text_that_the_database_cannot_keep_is_refused(provider: Provider, keys: SandboxKeys) -> None:
    headers, body = forge.genuine(keys, {"out_trade_no": "a\x00b"}, clock.wall())
    assert post(headers, body).status_code == 401
    assert not TransactionEvent.objects.exists()
    assert not callbacks._storable({"out_trade_no": "\ud800"}) and callbacks._storable({"name": "牛奶"})


def test_the_gateway_is_made_from_the_configuration(keys: SandboxKeys, settings: Any, tmp_path: Any) -> None:
    path = tmp_path / "wechat.json"
    path.write_text(keys.config.dump())
    settings.WECHAT_CONFIG = str(path)
    made = gateways.gateway("wechat")
    assert isinstance(made, gateways.Wechat) and made.config == keys.config
