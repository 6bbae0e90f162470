"""The verdict over a day with faults (`bench/day.py --faults`) sees what is stuck, short of money or did not happen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from bench.endings import endings, table
from bench.faults import RIDES, rides

from highstreet.delivery.fleets.sandbox.faults import Faults
from highstreet.delivery.fleets.sandbox.rides import Fleet, Ride, Word
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.orders import actions as orders
from highstreet.trade.orders.tests import support as shop
from highstreet.trade.orders.tests.support import NOON, Town, later

TOLD = ("told twice", "told in another order", "told in part", "never told")


@dataclass
class Day:
    """A fleet's sandbox without HTTP: every callback arrives."""

    now: datetime = NOON

    def __post_init__(self) -> None:
        self.callbacks: list[dict[str, Any]] = []
        self.fleet = Fleet(lambda: self.now, self._tell, seed=3)

    def _tell(self, ride: Ride, said: Word) -> None:
        self.callbacks.append({"number": ride.number, "code": said.code, "status": 200})

    def ride(self, number: str, **switches: Any) -> None:
        self.fleet.faults = Faults().but(switches)
        self.fleet.take("wechat", number, self.now)
        self.now += timedelta(hours=1)
        self.fleet.move()

    def seen(self) -> dict[str, Any]:
        known = [{"number": one.number, "codes": [word.code for word in one.words]} for one in self.fleet.all()]
        return {"rides": known, "callbacks": self.callbacks}


@pytest.mark.parametrize(
    ("switches", "counted"),
    [
        ({}, (0, 0, 0, 0)),
        ({"repeat": 2}, (1, 0, 0, 0)),
        ({"shuffle": True}, (0, 1, 0, 0)),
        ({"shuffle": True, "repeat": 1}, (1, 1, 0, 0)),
        ({"skip": True}, (0, 0, 1, 0)),
        ({"lose": 3}, (0, 0, 1, 0)),
        ({"silent": True}, (0, 0, 0, 1)),
    ],
)
def test_callbacks_are_counted_by_what_arrived(switches: dict[str, Any], counted: tuple[int, ...]) -> None:
    day = Day()
    day.ride("one", **switches)
    found = rides(day.seen())
    assert tuple(found[what] for what in TOLD) == counted
    # What nobody answered was not told.
    for one in day.callbacks:
        one["status"] = 503
    assert [rides(day.seen())[what] for what in TOLD] == [0, 0, 0, 1]


def test_every_fault_of_a_ride_is_a_switch() -> None:
    for switches in RIDES:
        assert Faults().but(switches)


def test_who_is_still_waited_for_is_named(town: Town) -> None:
    placed = town.paid(1)
    found = endings()
    assert found.how == {"not ended": 1}
    assert f"order {placed.number} is confirmed" in found.wrong
    assert f"fulfilment {placed.number} is pending" in found.wrong
    assert "| not ended | 1 |\n" in table(found, {"kills": 2}) and "| kills | 2 |" in table(found, {"kills": 2})


def test_delivered_or_given_back_is_an_end(town: Town) -> None:
    shop.deliver(town, town.paid(1))
    back = town.paid(1)
    orders.cancel(actor=THE_SYSTEM, order_id=back.order_id, reason="not_packed")
    assert [one for one in endings().wrong if "fen" in one] == [f"order {back.number}: 0 fen of 1090 went back"]
    shop.settle_refunds(back)
    unpaid = town.order(1)
    with later(60):
        orders.expire_due(actor=THE_SYSTEM)
        found = endings()
    assert [one for one in found.wrong if one.startswith("order")] == [], unpaid
    assert found.how == {"delivered": 1, "refunded in full": 1, "never paid": 1}
    assert found.reasons == {"not_packed": 1}


def test_a_broken_promise_without_its_credit_is_named(town: Town) -> None:
    """Taken out of `let_down`, the credit is missed."""
    for reason, end, missed in (("no_courier", orders.let_down, False), ("no_store", orders.cancel, True)):
        placed = town.paid(1)
        end(actor=THE_SYSTEM, order_id=placed.order_id, reason=reason)
        shop.settle_refunds(placed)
        named = f"order {placed.number}: its broken promise was not made good" in endings().wrong
        assert named is missed
