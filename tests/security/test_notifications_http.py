"""Payment notifications over HTTP: only what the provider signed, for us, in full, once."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.support import loops, notices
from tests.support.late import late_payments
from tests.support.stack import Stack

SEED = 20261124
PER_KIND = 7
ORDERS, REPLAYS = 10, 20


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(["web", "worker"]) as running:
        yield running


def test_no_forgery_is_believed(stack: Stack) -> None:
    """All 31 kinds, each for a real unpaid order and its true amount."""
    due = loops.run(notices.unpaid_orders(stack, 1, first=100))[0]
    outcome = loops.run(notices.send(stack, notices.forged(stack, due, per_kind=PER_KIND, seed=SEED)))
    print(outcome)  # noqa: T201
    assert outcome.sent >= 200
    assert len(outcome.kinds) >= 20
    assert outcome.answers.accepted == outcome.answers.broken == 0
    assert outcome.after == outcome.before


@pytest.mark.parametrize("replays", [REPLAYS, pytest.param(100, marks=pytest.mark.long)])
def test_replays_are_booked_once(stack: Stack, replays: int) -> None:
    dues = loops.run(notices.unpaid_orders(stack, ORDERS, first=secrets.randbelow(10**6)))
    letters = [notices.genuine(stack, notices.paid(stack, due)) for due in dues]
    outcome = loops.run(notices.send(stack, letters * replays))
    print(outcome)  # noqa: T201
    assert outcome.answers.codes == {"200": ORDERS * replays}
    assert outcome.after.captures - outcome.before.captures == ORDERS
    assert outcome.after.paid - outcome.before.paid == ORDERS
    assert outcome.after.inbox - outcome.before.inbox == ORDERS
    assert outcome.slowest < 5.0
    verdict = stack.audit()
    assert verdict.code == 0, verdict.broken


def test_genuine_but_wrong_is_an_alert_and_not_a_payment(stack: Stack) -> None:
    dues = loops.run(notices.unpaid_orders(stack, 2, first=300))
    letters = notices.wrong(stack, *dues)
    outcome = loops.run(notices.send(stack, letters))
    print(outcome)  # noqa: T201
    assert outcome.answers.codes == {"200": len(letters)}
    assert outcome.after.paid == outcome.before.paid
    assert outcome.after.captures == outcome.before.captures
    assert outcome.after.alerts - outcome.before.alerts == len(letters)


def test_an_unknown_order_becomes_an_alert_after_its_time(stack: Stack) -> None:
    """A notification may come before its order; after five minutes somebody must look."""
    due = loops.run(notices.unpaid_orders(stack, 1, first=400))[0]
    letter = notices.genuine(stack, notices.paid(stack, due, out_trade_no=secrets.token_hex(16)))
    before = notices.books(stack)
    headers, body = letter[1], letter[2]
    import httpx

    assert httpx.post(stack.notify_url, content=body, headers=headers, trust_env=False).status_code == 200
    stack.sql(
        "UPDATE payments_transactionevent SET received_at = received_at - interval '6 minutes' WHERE applied_at IS NULL"
    )
    assert stack.eventually(notices.WAITING, 0) == 0
    after = notices.books(stack)
    assert (after.paid, after.captures, after.alerts) == (before.paid, before.captures, before.alerts + 1)


@pytest.mark.parametrize(("count", "speed"), [(6, 60.0), pytest.param(50, 15.0, marks=pytest.mark.long)])
def test_a_payment_after_the_expiry_is_fulfilled_or_refunded(count: int, speed: float) -> None:
    """Half of the cases with the stock gone. Exactly one of the two, never neither, never both."""
    result = loops.run(late_payments(count, speed=speed))
    print(result)  # noqa: T201
    assert result.fulfilled + result.refunded == result.cases == count
    assert result.neither == result.both == 0
    assert result.expired_first == count
    assert result.fulfilled >= 1
    assert result.refunded >= count // 2
    assert result.audit.code == 0, result.audit.broken
