"""Payment notifications over HTTP: only what the provider signed, for us, in full, once."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator

import pytest

from tests.conftest import Add
from tests.support import loops, notices, watched
from tests.support.late import late_payments
from tests.support.stack import Stack

SEED = 20261124
PER_KIND = 7


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(["web", "worker"], web_module=["tests.support.watched"]) as running:
        yield running


@pytest.mark.parametrize("per_kind", [PER_KIND, pytest.param(66, marks=pytest.mark.long)])
def test_no_forgery_is_believed(stack: Stack, row: Add, per_kind: int) -> None:
    """All 31 kinds, each for a real unpaid order and its true amount."""
    due = loops.run(notices.unpaid_orders(stack, 1, first=100))[0]
    called = watched.calls(stack)
    outcome = loops.run(notices.send(stack, notices.forged(stack, due, per_kind=per_kind, seed=SEED)))
    row(
        "P1",
        f"forged notifications of {len(outcome.kinds)} kinds",
        n=outcome.sent,
        accepted=outcome.answers.accepted,
        refused=outcome.answers.codes["401 not_believed"],
        invariants="nothing kept, booked or paid" if outcome.after == outcome.before else "BROKEN",
        seed=SEED,
        notes=f"5xx {outcome.answers.broken}, outbound connections {len(watched.calls(stack)) - len(called)}, "
        f"slowest {outcome.slowest:.2f} s",
    )
    assert outcome.sent >= 31 * per_kind * 0.9
    assert watched.calls(stack) == called
    assert len(outcome.kinds) >= 20
    assert outcome.answers.accepted == outcome.answers.broken == 0
    assert outcome.after == outcome.before


def test_the_watch_sees_a_call(stack: Stack) -> None:
    """The negative control of "no outbound call": asking for the code does call the provider."""
    import httpx

    due = loops.run(notices.unpaid_orders(stack, 1, first=150))[0]
    before = watched.calls(stack)
    asked = httpx.post(f"{stack.url}/api/v1/orders/{due.order}/pay?key={due.key}", json={}, trust_env=False, timeout=30)
    assert asked.status_code in (502, 503), asked.text
    assert len(watched.calls(stack)) > len(before)


@pytest.mark.parametrize(("orders", "replays"), [(10, 20), pytest.param(100, 100, marks=pytest.mark.long)])
def test_replays_are_booked_once(stack: Stack, row: Add, orders: int, replays: int) -> None:
    dues = loops.run(notices.unpaid_orders(stack, orders, first=secrets.randbelow(10**6)))
    letters = [notices.genuine(stack, notices.paid(stack, due)) for due in dues]
    outcome = loops.run(notices.send(stack, letters * replays))
    verdict = stack.audit()
    row(
        "P2",
        f"genuine notifications of {orders} payments, each {replays} times, {notices.AT_ONCE} at once",
        n=outcome.sent,
        accepted=outcome.after.captures - outcome.before.captures,
        refused=0,
        invariants="hold" if verdict.code == 0 else verdict.broken,
        seed="-",
        notes=f"answers {dict(outcome.answers.codes)}, p99 {outcome.p99:.2f} s",
    )
    assert outcome.answers.codes == {"200": orders * replays}
    assert outcome.after.captures - outcome.before.captures == orders
    assert outcome.after.paid - outcome.before.paid == orders
    assert outcome.after.inbox - outcome.before.inbox == orders
    assert outcome.p99 < 5.0
    assert verdict.code == 0, verdict.broken


@pytest.mark.parametrize("pairs", [1, pytest.param(60, marks=pytest.mark.long)])
def test_genuine_but_wrong_is_an_alert_and_not_a_payment(stack: Stack, row: Add, pairs: int) -> None:
    dues = loops.run(notices.unpaid_orders(stack, pairs + 1, first=secrets.randbelow(10**6)))
    letters = [letter for one, other in itertools.pairwise(dues) for letter in notices.wrong(stack, one, other)]
    outcome = loops.run(notices.send(stack, letters))
    alerts = outcome.after.alerts - outcome.before.alerts
    row(
        "P3",
        f"genuine notifications that do not fit, {len(outcome.kinds)} kinds",
        n=outcome.sent,
        accepted=outcome.after.paid - outcome.before.paid,
        refused=alerts,
        invariants="none captured" if outcome.after.captures == outcome.before.captures else "BROKEN I11",
        seed="-",
        notes=f"{alerts} alerts",
    )
    assert outcome.answers.codes == {"200": len(letters)}
    assert outcome.after.paid == outcome.before.paid
    assert outcome.after.captures == outcome.before.captures
    assert alerts == len(letters)


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


@pytest.mark.parametrize(
    ("count", "speed"),
    [
        pytest.param(6, 60.0, marks=pytest.mark.long),
        pytest.param(50, 15.0, marks=pytest.mark.long),
    ],
)
def test_a_payment_after_the_expiry_is_fulfilled_or_refunded(row: Add, count: int, speed: float) -> None:
    """Half of the cases with the stock gone. Exactly one of the two, never neither, never both."""
    result = loops.run(late_payments(count, speed=speed))
    row(
        "S4",
        "payments over the provider's protocol after the expiry, half of the stock gone",
        n=count,
        accepted=result.fulfilled,
        refused=result.refunded,
        invariants="hold" if result.audit.code == 0 else result.audit.broken,
        seed="-",
        notes=f"neither {result.neither}, both {result.both}",
    )
    assert result.fulfilled + result.refunded == result.cases == count
    assert result.neither == result.both == 0
    assert result.expired_first == count
    assert result.fulfilled >= 1
    assert result.refunded >= count // 2
    assert result.audit.code == 0, result.audit.broken
