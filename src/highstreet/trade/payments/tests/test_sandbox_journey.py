"""The whole way with the shipped provider: start, pay in its wallet, its notification, refund, close."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from highstreet.kernel.policy import NOBODY, THE_SYSTEM
from highstreet.trade.payments import actions
from highstreet.trade.payments.gateways import ProviderUnavailable
from highstreet.trade.payments.models import PaymentIntent, TransactionEvent
from highstreet.trade.payments.sandbox.tests.running import Running

from . import support
from .support import Told, assert_clean


class Address:
    """Where the sandbox shall call."""

    def __init__(self, url: str) -> None:
        self.url = url


@pytest.fixture
def sandbox(live_server: Any, tmp_path: Path, settings: Any) -> Iterator[Running]:
    running = Running(tmp_path, Address(f"{live_server.url}/api/v1/payments/wechat/notify"))  # type: ignore[arg-type]
    settings.WECHAT_CONFIG = str(tmp_path / "wechat.json")
    yield running
    running.http.close()
    running.process.terminate()
    running.process.wait(10)


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def started(sandbox: Running, amount: int = 2590) -> tuple[PaymentIntent, str]:
    intent = support.an_intent(amount)
    view = actions.start(actor=NOBODY, intent_id=intent.pk)
    return intent, view.code_url.partition("pr=")[2]


def wallet_pays(sandbox: Running, intent: PaymentIntent) -> None:
    sandbox.http.post("/sandbox/pay", json={"out_trade_no": intent.out_trade_no}).raise_for_status()


@pytest.mark.django_db(transaction=True)
def test_paid_notified_refunded(sandbox: Running, told: Told) -> None:
    intent, code = started(sandbox)
    assert code
    wallet_pays(sandbox, intent)
    until(TransactionEvent.objects.filter(event_type="TRANSACTION.SUCCESS").exists)
    event = TransactionEvent.objects.get(event_type="TRANSACTION.SUCCESS")
    assert actions.apply_event(actor=THE_SYSTEM, event_id=event.pk) == "captured"
    refund = actions.refund(actor=THE_SYSTEM, payable=intent.payable, amount=590, reason="short", key="k")
    assert actions.send_refund(actor=THE_SYSTEM, refund_id=refund) in ("sent", "succeeded")
    until(TransactionEvent.objects.filter(event_type="REFUND.SUCCESS").exists)
    for row in TransactionEvent.objects.filter(event_type="REFUND.SUCCESS"):
        actions.apply_event(actor=THE_SYSTEM, event_id=row.pk)
    assert told.captures == [(intent.payable, 2590)] and told.refunds == [(intent.payable, 590)]
    assert_clean()


@pytest.mark.django_db(transaction=True)
def test_all_notifications_dropped_and_answers_lost(sandbox: Running, told: Told) -> None:
    intent, _ = started(sandbox)
    sandbox.faults(drop_notifications=True)
    wallet_pays(sandbox, intent)
    assert actions.query(actor=THE_SYSTEM, intent_id=intent.pk) == "captured"
    refund = actions.refund(actor=THE_SYSTEM, payable=intent.payable, amount=2590, reason="all", key="k")
    sandbox.faults(drop_notifications=True, fail_after_next=1)
    with pytest.raises(ProviderUnavailable):
        actions.send_refund(actor=THE_SYSTEM, refund_id=refund)
    until(lambda: actions.send_refund(actor=THE_SYSTEM, refund_id=refund) == "succeeded")
    assert told.refunds == [(intent.payable, 2590)]
    other, _ = started(sandbox)
    assert actions.close_now(actor=THE_SYSTEM, intent_id=other.pk) == "closed"
    assert_clean()
