"""What is held comes back in time, and money that comes too late ends in goods or goes back."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from highstreet.kernel import clock, outbox
from highstreet.kernel.models import Hold
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.orders import actions, jobs
from highstreet.trade.orders.actions import Placed, paying
from highstreet.trade.orders.models import Order
from highstreet.trade.orders.tests.support import NOON, Town, pay, running_from, settle_refunds
from highstreet.trade.payments import actions as payments
from tests.conftest import Add
from tests.support import crowd

SEED = 20261126
HOLD_MINUTES = 10
SWEEP_SECONDS = 5


def ordered(town: Town, count: int, units: int = 1) -> list[Placed]:
    """`count` pickups of the first variant that wait for their payment."""
    return [town.order(units, mode="pickup") for _ in range(count)]


@pytest.mark.parametrize("carts", [25, pytest.param(100, marks=pytest.mark.long)])
def test_who_never_pays_gives_everything_back(town: Town, row: Add, carts: int) -> None:
    """The sweep runs every five seconds, as its job does; virtual time is moved from one to the next."""
    crowd.shelve(town, 2 * carts)
    ordered(town, carts, 2)
    assert town.level(0).free == 0
    last = max(Hold.objects.values_list("expires_at", flat=True))
    late = 0
    while town.level(0).free < 2 * carts and late <= 120:
        late += SWEEP_SECONDS
        with running_from(last + timedelta(seconds=late)):
            jobs.expire(0)
    row(
        "S4",
        "carts hold and never pay: all back after the hold",
        n=carts,
        accepted=carts,
        refused=0,
        invariants=crowd.invariants(),
        seed="-",
        notes=f"last unit back {late} s of virtual time after its hold's end",
    )
    assert late <= 60
    assert Order.objects.filter(status="expired").count() == carts
    assert crowd.broken() == []


def test_a_sweep_that_sleeps_is_found_out(town: Town) -> None:
    """The negative control: nobody sweeps, so 61 s after the expiry the audit says I4."""
    ordered(town, 2)
    with running_from(NOON + timedelta(minutes=HOLD_MINUTES, seconds=75)):
        assert "I4" in [words[:2] for words in crowd.broken()]


def fate(order: Order) -> str:
    """What became of it: exactly one of "fulfilled" and "refunded", else "neither" or "both"."""
    kept = order.status in ("confirmed", "completed") and order.captured - order.refunded == order.total
    back = order.captured > 0 and order.captured == order.refunded and order.status in ("expired", "cancelled")
    return {(True, False): "fulfilled", (False, True): "refunded", (True, True): "both"}.get((kept, back), "neither")


def fates(placed: list[Placed]) -> Counter[str]:
    outbox.drain(100_000)
    for one in placed:
        settle_refunds(one)
    rows = Order.objects.in_bulk([one.order_id for one in placed])
    return Counter(fate(rows[one.order_id]) for one in placed)


@pytest.mark.parametrize("count", [40, pytest.param(200, marks=pytest.mark.long)])
def test_money_after_the_expiry(town: Town, row: Add, count: int) -> None:
    """Half of the units are gone meanwhile; all pay at once, half of them before any sweep has seen the expiry."""
    crowd.shelve(town, count)
    placed = ordered(town, count)
    with running_from(NOON + timedelta(minutes=HOLD_MINUTES + 2)):
        for one in placed[::2]:
            actions.expire(actor=THE_SYSTEM, order_id=one.order_id)
        crowd.shelve(town, 0)
        results = crowd.at_once([partial(pay, one) for one in placed], hands=24)
        ends = fates(placed)
        row(
            "S4",
            "payments after the expiry, half of the units gone",
            n=count,
            accepted=ends["fulfilled"],
            refused=ends["refunded"],
            invariants=crowd.invariants(),
            seed=SEED,
            notes=f"neither {ends['neither']}, both {ends['both']}",
        )
        assert results == {"done": count}
        assert ends == {"fulfilled": count // 2, "refunded": count // 2}
        assert crowd.broken() == []


def test_money_that_is_not_given_back_is_found_out(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: late money with nothing on the shelf, and nobody gives it back."""
    crowd.shelve(town, 4)
    placed = ordered(town, 4)
    monkeypatch.setattr(paying, "give_back_all", lambda *_, **__: 0)
    with running_from(NOON + timedelta(minutes=HOLD_MINUTES + 2)):
        for one in placed:
            actions.expire(actor=THE_SYSTEM, order_id=one.order_id)
        crowd.shelve(town, 0)
        crowd.at_once([partial(pay, one) for one in placed])
        assert fates(placed) == {"neither": 4}


def _again(placed: Placed) -> Callable[[], None]:
    """The same order paid through a second channel: another payment, both captured."""
    order = Order.objects.get(pk=placed.order_id)
    second = payments.create_intent(
        actor=THE_SYSTEM,
        payable=order.pk,
        organisation_id=order.organisation_id,
        provider="wechat",
        amount=order.total,
        currency=order.currency,
        description="again",
        expires_at=order.expires_at,
    )
    return partial(pay, placed, intent_id=second.id)


@pytest.mark.parametrize("count", [30, pytest.param(500, marks=pytest.mark.long)])
def test_money_for_what_has_ended_or_is_paid(town: Town, row: Add, count: int) -> None:
    """A third cancelled, a third expired, a third paid twice, all at once with what ends them."""
    crowd.shelve(town, count)
    placed = ordered(town, count)
    works: list[Callable[[], Any]] = [partial(pay, one) for one in placed]
    for number, one in enumerate(placed):
        if number % 3 == 0:
            works.append(partial(actions.cancel, actor=THE_SYSTEM, order_id=one.order_id))
        elif number % 3 == 1:
            works.append(partial(actions.expire, actor=THE_SYSTEM, order_id=one.order_id))
        else:
            works.append(_again(one))
    random.Random(SEED).shuffle(works)
    with running_from(clock.now() + timedelta(minutes=HOLD_MINUTES, seconds=1)):
        results = crowd.at_once(works, hands=24)
        ends = fates(placed)
        row(
            "P5",
            "paid after the cancellation, after the expiry, or twice",
            n=count,
            accepted=ends["fulfilled"],
            refused=ends["refunded"],
            invariants=crowd.invariants(),
            seed=SEED,
            notes=f"neither {ends['neither']}, both {ends['both']}",
        )
        # A cancellation may find the order expired: that is a refusal, and it has ended all the same.
        assert set(results) <= {"done", "wrong_state"}, results
        assert ends["fulfilled"] + ends["refunded"] == count
        assert ends["refunded"] >= count // 3 - results["wrong_state"]
        assert crowd.broken() == []


def test_a_second_payment_that_is_kept_is_found_out(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the surplus of a double payment stays with us."""
    monkeypatch.setattr(paying, "_give_surplus_back", lambda *_: None)
    placed = ordered(town, 3)
    crowd.at_once([work for one in placed for work in (partial(pay, one), _again(one))], hands=6)
    assert fates(placed) == {"neither": 3}
