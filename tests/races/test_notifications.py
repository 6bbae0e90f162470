"""Notifications that are lost, early, late or sent again: one posting, and none that nobody paid."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client

from highstreet.kernel import clock, ledger, outbox, queue
from highstreet.kernel.models import Journal
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.orders import jobs as order_jobs
from highstreet.trade.orders.models import Order
from highstreet.trade.orders.tests.support import NOON, Town, running_from
from highstreet.trade.payments import actions as payments
from highstreet.trade.payments import gateways, jobs, steps
from highstreet.trade.payments.actions import callbacks
from highstreet.trade.payments.models import PaymentIntent, TransactionEvent
from highstreet.trade.payments.sandbox import forge
from highstreet.trade.payments.sandbox.crypto import SandboxKeys, generate_keys
from highstreet.trade.payments.sandbox.notify import LADDER_SECONDS
from highstreet.trade.payments.tests.support import Provider, notice, receive
from highstreet.trade.payments.wechat import notification
from tests.conftest import Add
from tests.support import crowd

SEED = 20261126
KEYS = generate_keys()
NOTIFY = "/api/v1/payments/wechat/notify"


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider(KEYS)
    gateways.register("wechat", made)
    yield made
    gateways.register("wechat", None)


def captures() -> int:
    return Journal.objects.filter(kind="payment_captured").count()


def intent_of(town: Town, units: int = 1) -> PaymentIntent:
    return PaymentIntent.objects.get(pk=town.order(units, mode="pickup").intent_id)


@pytest.mark.parametrize("count", [15, pytest.param(500, marks=pytest.mark.long)])
def test_what_no_notification_tells_is_found_by_asking(town: Town, provider: Provider, row: Add, count: int) -> None:
    """All are dropped. The sweep runs every five seconds, as its job does, in virtual time."""
    crowd.shelve(town, count)
    intents = [intent_of(town) for _ in range(count)]
    for intent in intents:
        provider.paid(intent)
    paid_at, waited = clock.now(), 0
    while captures() < count and waited < 600:
        waited += 5
        with running_from(paid_at + timedelta(seconds=waited)):
            payments.sweep_intents(actor=THE_SYSTEM)
    outbox.drain(100_000)
    row(
        "P4",
        "payments whose notifications are all dropped, found by the query",
        n=count,
        accepted=captures(),
        refused=0,
        invariants=crowd.invariants(),
        seed="-",
        notes=f"the last after {waited} s of virtual time",
    )
    assert captures() == count
    assert waited <= 300
    assert Order.objects.filter(status="confirmed").count() == count


def test_without_the_sweep_they_stay_lost(town: Town, provider: Provider) -> None:
    """The negative control: nobody asks."""
    provider.paid(intent_of(town))
    with running_from(NOON + timedelta(minutes=9)):
        jobs.sweep_inbox()
    assert captures() == 0


def test_a_notification_before_its_order_commits(town: Town, provider: Provider, row: Add) -> None:
    """The order's transaction is open while the provider's notification is received and applied."""
    told, committed = threading.Event(), threading.Event()
    letters: list[Any] = []

    def order() -> None:
        try:
            with transaction.atomic():
                letters.append(notice(KEYS, intent_of(town)))
                told.set()
                assert committed.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=order)
    thread.start()
    assert told.wait(30)
    event = receive(*letters[0])
    early = payments.apply_event(actor=THE_SYSTEM, event_id=event)
    committed.set()
    thread.join(30)
    with running_from(clock.now() + timedelta(seconds=3)):
        jobs.sweep_inbox()
    row(
        "P4",
        "a notification that comes before its order's commit",
        n=1,
        accepted=captures(),
        refused=0,
        invariants=crowd.invariants(),
        seed="-",
        notes=f"first {early}, then captured",
    )
    assert (early, captures()) == ("waiting", 1)


def test_an_early_notification_that_is_settled_at_once_is_lost(
    town: Town, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: what nobody knows yet is not kept waiting."""
    monkeypatch.setattr(callbacks, "_patience", lambda: timedelta(0))
    intent = intent_of(town)
    letter = notice(KEYS, intent)
    with transaction.atomic():
        PaymentIntent.objects.filter(pk=intent.pk).update(out_trade_no="not-there-yet")
    payments.apply_event(actor=THE_SYSTEM, event_id=receive(*letter))
    PaymentIntent.objects.filter(pk=intent.pk).update(out_trade_no=intent.out_trade_no)
    with running_from(clock.now() + timedelta(seconds=3)):
        jobs.sweep_inbox()
    assert captures() == 0


class Ladder:
    """The provider's own schedule in virtual time: a try at once, then 15 more, until one is answered 2xx."""

    def __init__(self, keys: SandboxKeys, intent: PaymentIntent) -> None:
        self.keys, self.http = keys, Client(raise_request_exception=False)
        self.body = notice(keys, intent)[1]

    def climb(self, fails: int, how: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, float]:
        """The application fails until try `fails`. (tries until it was answered 2xx, seconds since the first)."""
        started, waited = clock.now(), 0.0
        for number in range(1, len(LADDER_SECONDS) + 2):
            with running_from(started + timedelta(seconds=waited)):
                with monkeypatch.context() as broken:
                    if number < fails:
                        self._break(how, broken)
                    answer = self._send()
                order_jobs.expire(0)
                for event in TransactionEvent.objects.filter(applied_at=None):
                    payments.apply_event(actor=THE_SYSTEM, event_id=event.pk)
                outbox.drain()
            if answer < 300 and not (number < fails and how == "answer lost"):
                return number, waited
            if number <= len(LADDER_SECONDS):
                waited += LADDER_SECONDS[number - 1]
        return 0, waited

    def _send(self) -> int:
        from highstreet.trade.payments.sandbox.crypto import signed_headers

        headers = signed_headers(self.keys, self.body, clock.wall())
        return self.http.generic("POST", NOTIFY, self.body, "application/json", headers=headers).status_code

    def _break(self, how: str, broken: pytest.MonkeyPatch) -> None:
        def down(*_: Any, **__: Any) -> Any:
            raise OperationalError("the database is away")

        if how == "down":
            broken.setattr(queue, "defer", down)


@pytest.mark.parametrize("tries", [(1, 2, 9, 15), pytest.param(tuple(range(1, 16)), marks=pytest.mark.long)])
def test_the_providers_own_schedule(
    town: Town, provider: Provider, row: Add, monkeypatch: pytest.MonkeyPatch, tries: tuple[int, ...]
) -> None:
    """Failing means down (nothing kept) or kept and applied with the answer lost on its way; both for every try."""
    last = 0.0
    for how in ("down", "answer lost"):
        for fails in tries:
            before = captures()
            crowd.shelve(town, 50)
            intent = intent_of(town)
            answered, waited = Ladder(KEYS, intent).climb(fails, how, monkeypatch)
            last = max(last, waited)
            assert answered == fails, (how, fails, answered)
            assert captures() == before + 1, (how, fails)
            order = Order.objects.get(pk=intent.payable)
            assert (order.status == "confirmed") != (order.refunded == order.total == order.captured), (how, fails)
    row(
        "P6",
        f"the provider's schedule, failing until try {tries[0]}…{tries[-1]}, by being down or by losing the answer",
        n=2 * len(tries),
        accepted=captures(),
        refused=0,
        invariants=crowd.invariants(),
        seed="-",
        notes=f"the last answered after {last / 3600:.1f} h of virtual time",
    )


def test_a_capture_that_does_not_look_is_booked_twice(
    town: Town, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of P2, P5 and P6: a notification is booked whenever it comes."""
    post = ledger.post
    number = iter(range(1000))

    def always(actor: Any, intent: PaymentIntent, amount: int, provider_id: str) -> bool:
        return post(
            key=f"capture:{intent.pk}:{next(number)}",
            kind="payment_captured",
            cause=intent.payable,
            actor=actor,
            lines=[(steps.money_account(intent), amount), (steps.account(intent, "customer_funds"), -amount)],
        )

    monkeypatch.setattr(steps, "book", always)
    intent = intent_of(town)
    for _ in range(2):
        # Two notifications of one payment, each with an id of its own.
        payments.apply_event(actor=THE_SYSTEM, event_id=receive(*notice(KEYS, intent)))
    assert captures() == 2
    assert crowd.broken()


def test_without_the_signature_forgeries_are_believed(
    town: Town, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of P1: the signature is not looked at."""
    monkeypatch.setattr(notification, "verify_signature", lambda *_: None)
    intent = intent_of(town)
    wanted = forge.transaction_resource(
        KEYS.config,
        out_trade_no=intent.out_trade_no,
        amount={"total": intent.amount, "currency": "CNY", "payer_total": intent.amount, "payer_currency": "CNY"},
    )
    made = forge.forgeries(KEYS.config, KEYS, SEED, per_kind=1, resource=wanted)
    http = Client(raise_request_exception=False)
    codes = [
        http.generic("POST", NOTIFY, body, "application/json", headers=headers).status_code for _, headers, body in made
    ]
    assert codes.count(200) > 5


def test_without_the_comparison_a_wrong_amount_is_a_payment(
    town: Town, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of P3: what was asked for is not compared."""
    monkeypatch.setattr(steps, "difference", lambda *_: "")
    intent = intent_of(town)
    less = {"total": 1, "currency": "CNY", "payer_total": 1, "payer_currency": "CNY"}
    payments.apply_event(actor=THE_SYSTEM, event_id=receive(*notice(KEYS, intent, amount=less)))
    assert captures() == 1
